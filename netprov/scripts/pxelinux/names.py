"""Under which names PXELINUX looks for its configuration, and what a file name in it stands for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address

from netprov.errors import PeerError
from netprov.mac import Mac, bootif
from netprov.scripts.messages import ScriptMessage
from netprov.scripts.plan import joined

FOLDER = "pxelinux.cfg/"
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_SCHEMES = ("tftp", "http", "https", "ftp")


def lookup_names(uuid: str = "", mac: Mac | None = None, ip: IPv4Address | None = None) -> list[str]:
    """Where PXELINUX looks, in its order: by UUID, MAC, address (shortened digit by digit), then the default.

    The names are relative to the prefix. Source: syslinux doc/pxelinux.txt.
    """
    names = [uuid.lower()] if uuid else []
    if mac is not None:
        names.append(bootif(mac))
    if ip is not None:
        digits = f"{int(ip):08X}"
        names += [digits[:length] for length in range(8, 0, -1)]
    return [FOLDER + name for name in (*names, "default")]


@dataclass(frozen=True, slots=True)
class Place:
    """A file: `url` where it is one, else `path` by TFTP from `server` ("": the one that was named for the boot)."""

    path: str = ""
    server: str = ""
    url: str = ""

    def __str__(self) -> str:
        if self.url:
            return self.url
        return f"{self.server}::{self.path}" if self.server else self.path


def prefix_of(boot_file: str, option_210: str = "") -> str:
    """The folder that names are relative to: DHCP option 210 (RFC 5071 §5), else the boot file's own."""
    if option_210:
        return option_210
    if _URL.match(boot_file):
        return joined(boot_file, ".")
    # the boot file may be written for a Windows server
    return boot_file[: max(boot_file.rfind("/"), boot_file.rfind("\\")) + 1]


def config_names(prefix: str, names: list[str], option_209: str = "") -> list[Place]:
    """Where to look for the configuration: DHCP option 209 names the only one (RFC 5071 §4), else all of `names`."""
    return [resolve_path(prefix, name) for name in ([option_209] if option_209 else names)]


def resolve_path(prefix: str, name: str) -> Place:
    """What `name` stands for in a configuration whose names are relative to `prefix` (a folder's path or URL).

    `::name` is from the server's root, `host::name` from another server's, a URL is itself. Raises PeerError for a
    scheme that is none of tftp, http, https, ftp, and for a name that no server can have.
    """
    if not name or any(char < " " for char in name):
        raise PeerError(ScriptMessage.BAD_NAME.said(file_name=repr(name), why_it_is_none="is not a file name"))
    if _URL.match(name):
        return _url(name)
    server, colons, path = name.partition("::")
    if colons:
        return Place(path=path, server=server)
    if _URL.match(prefix):
        return _url(joined(prefix, name)) if name.startswith("/") else _url(prefix + name)
    host, colons, folder = prefix.partition("::")
    if colons:
        return Place(path=folder + name, server=host)
    return Place(path=prefix + name)  # also where the name begins with a slash: PXELINUX 6.04 asks for /sub//name


def _url(url: str) -> Place:
    scheme, _, rest = url.partition("://")
    if scheme.lower() not in _SCHEMES:
        why = f"{scheme} is not one of {', '.join(_SCHEMES)}"
        raise PeerError(ScriptMessage.BAD_NAME.said(file_name=url, why_it_is_none=why))
    if scheme.lower() != "tftp":
        return Place(url=url)
    server, _, path = rest.partition("/")
    if not server or not path:
        raise PeerError(ScriptMessage.BAD_NAME.said(file_name=url, why_it_is_none="has no server or no file name"))
    return Place(path=path, server=server)

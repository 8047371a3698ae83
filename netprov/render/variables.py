# ruff: noqa: E501 - a row of the table is a line
"""Every variable that a template may use, with its source: docs/reference/templates.md is made of it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from netprov.inventory.fields import FIELDS, Field, Kind
from netprov.inventory.model import Target

MADE: Mapping[str, tuple[str, str]] = {
    "system_name": ("the system's name; empty in a profile's own answers", "the request"),
    "profile_name": ("the profile's name", "the system's `profile`"),
    "distro_name": ("the distro's name", "the profile's `distro`"),
    "os_family": ("`redhat`, `fedora`, `debian`, `ubuntu`, `suse` or `generic`", "the distro's `breed` and `os_version`"),
    "os_major": ("the release's first number; 9999 where no version is declared", "the distro's `os_version`"),
    "title": ("`system lady`", "the request"),
    "hostname": ("the host name, with its domain where one is declared", "the system's `hostname`, else its name"),
    "short_hostname": ("the host name up to its first dot", "`hostname`"),
    "domain": ("the domain", "`hostname` after its first dot, else the subnet's `domain`"),
    "mac_address": ("the MAC address of the interface that boots", "the request, else the system's first interface"),
    "ip_address": ("its IPv4 address; empty where none is declared", "`ip` of that interface"),
    "netmask": ("its netmask", "`ip` of that interface"),
    "name_servers": ("a list of DNS servers", "`name_servers`, else the subnet's `dns`"),
    "gateway": ("the default gateway", "the interface's `gateway`, else the system's, else the subnet's `router`"),
    "server": ("this server's address", "`server.address`, else where the request arrived"),
    "http_server": ("the same, with HTTP's port where that is not 80", "`http.port`"),
    "server_url": ("`http://` and that", "`http.port`"),
    "scripts_url": ("the same, or `tftp://` and the address where HTTP is off", "`http.enabled`"),
    "syslog": ("`ADDRESS:PORT` of who takes installers' logs; empty where nobody does", "`syslog`"),
    "tree": ("URL of the install tree", "`autoinstall_meta.tree`, else `tree`"),
    "kernel_options": ("the operator's part of the kernel command line, as words", "`kernel_options`"),
    "autoinstall_url": ("where these answers are fetched, with the token", "the install"),
    "callback_url": ("what the installer fetches when it is done; empty where no install is under way", "the install"),
    "callback_failed_url": ("what it fetches when it failed; likewise", "the install"),
    "token": ("the token of the install; likewise", "the install"),
    "target": ("all fields by name, where a key of `autoinstall_meta` hides one: `target.name`", "the inventory"),
    "kind": ("`system`, `profile` or `image`", "the request"),
    "name": ("the name of the system or profile", "the request"),
    "distro": ("the same as `distro_name`", "the profile's `distro`"),
}  # fmt: skip
"""What is made for a request → what it is, and what it is made of."""

PARTS: Mapping[str, str] = {
    "name": "its name, `eth0`",
    "mac": "MAC address; empty where none is declared",
    "ip": "IPv4 address, likewise",
    "netmask": "its netmask, likewise",
    "prefix": "the length of its prefix; none where there is no address",
    "gateway": "its own gateway; empty where it has none",
    "dns_name": "its name in DNS",
    "mtu": "MTU; none where none is declared",
    "bridge": "the host's bridge, of a guest",
    "management": "whether the machine is managed by it",
}
"""What each of `interfaces` has, by name."""

META: Mapping[str, tuple[str, str]] = {
    "root_password_crypted": ("root's password, as `openssl passwd -6` prints it", "root is locked"),
    "ssh_keys": ("a list of public keys that let their owners in as root", "none"),
    "lang": ("the system's language", "`en_US.UTF-8`; AutoYaST: `en_US`"),
    "locale": ("the system's language", "`en_US.UTF-8`"),
    "keyboard": ("the keyboard", "`us`; AutoYaST: `english-us`"),
    "timezone": ("the time zone", "`UTC`"),
    "packages": ("a list of packages to add", "none"),
    "products": ("a list of products to install", "the installer's only one"),
    "disk": ("the disk to install on", "the installer's choice"),
    "keep_ssh_host_keys": ("true: a machine that is installed again keeps its host keys", "false"),
    "kernel_options_post": ("what the installed system's kernel is told", "nothing"),
    "mirror_host": ("the mirror's host", "that of `tree`"),
    "mirror_folder": ("the mirror's folder", "that of `tree`"),
}
"""The keys of autoinstall_meta that netprov's own answers read → what they mean, and what is without them."""

_HOLDERS = (Kind.DISTRO, Kind.PROFILE, Kind.SYSTEM, Kind.IMAGE)
_OF_TARGET = {field.name for field in dataclasses.fields(Target)} - {"autoinstall_meta"} - MADE.keys()

INHERITED: tuple[Field, ...] = tuple(f for f in FIELDS if f.name in _OF_TARGET and set(_HOLDERS) & set(f.kinds))
"""The fields of a system or profile, merged with what it inherits."""

VARIABLES: frozenset[str] = frozenset({*MADE, *(field.name for field in INHERITED), *META})
"""What a template may use whatever is declared, and what netprov's own look for."""

FILTERS: Mapping[str, str] = {
    "ks": "one argument of a Kickstart command, in quotes where it needs them",
    "shell": "one word of a shell script, likewise",
    "lines": "a text of several lines, as it is",
}
"""netprov's own filters, beside Jinja's."""

PACKAGED = Path(__file__).parent

_RULE = """\
# Templates of installers' answers

<!-- Written by `netprov schema --page templates` from netprov/render/variables.py and the field table. -->

`autoinstall:` names a file in the folder `autoinstall/`: a kickstart, preseed, user-data, AutoYaST profile or script.

## What is a template

**A file is served octet for octet, unless it says that it is a template**: by `.j2` at the end of its name
(`web.ks.j2`), or by its first line, in the comment of its language:

| in | first line |
|---|---|
| kickstart, preseed, user-data, a script | `# netprov: template` |
| AutoYaST | `<!-- netprov: template -->` |
| JSON | `// netprov: template` |
| any | `{# netprov: template #}` |

The marker is not served: what follows it, such as `#cloud-config` or `<?xml …?>`, comes first. The same holds for
snippets, in `autoinstall/snippets/` and under `snippets:`: one that is no template is included as it stands.
cloud-init's own `## template: jinja` is for cloud-init, and is served. What netprov brings is marked; a changed copy
stays a template as long as it keeps its first line.

Until now every file was a template. `netprov lint` names those that have `{{ hostname }}` or the like and do not say what
they are: add the line, or `.j2`. In a template, what is not Jinja's goes between `{% raw %}` and `{% endraw %}`; a
shell's `${#array[@]}`, which would open a comment there, is an error.

The loaders' scripts in `pxelinux.cfg.templates/` are always templates.

## The install's end

netprov has a machine boot its disk once its installer has reported that it is done. A template reports it with
`{% include 'snippets/callback.ks' %}` as its last line, in a kickstart; the others fetch `callback_url`, as
`default.preseed`, `default.user-data` and `default.autoyast.xml` do. A plain file has no values, but the kernel command
line has the URL of the answers, with the install's token:

"""

PLAIN_CALLBACK = """\
%post --nochroot
answers=$(sed -n 's/.*inst\\.ks=\\([^ ]*\\).*/\\1/p' /proc/cmdline)
token=${answers##*token=}
curl --silent --retry 5 "${answers%%/autoinstall/*}/api/v1/callback/$token?status=done"
%end
"""
"""What reports the end of an install from a kickstart that is no template."""


def reference() -> str:
    """docs/reference/templates.md."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield f"{_RULE}```\n{PLAIN_CALLBACK}```\n"
    yield "Without any of these, `netprov system installed NAME` says it, and until then the machine is installed anew at"
    yield "each boot, `install_attempts` times.\n"
    yield "## Variables made for the request\n"
    yield "| variable | is | from |\n|---|---|---|"
    yield from (f"| `{name}` | {text} | {source} |" for name, (text, source) in MADE.items())
    yield "\n## Fields\n"
    yield "Of the system or profile, what it inherits merged in; what they hold is in [the configuration](configuration.md).\n"
    yield "| variable | is | declared in |\n|---|---|---|"
    yield from (f"| `{field.name}` | {field.help} | {_declared(field)} |" for field in INHERITED)
    yield "\nEach of `interfaces` has:\n"
    yield "| part | is |\n|---|---|"
    yield from (f"| `{name}` | {text} |" for name, text in PARTS.items())
    yield "\nAnd by Cobbler's names, for `eth0`: `mac_address_eth0`, `ip_address_eth0`, `netmask_eth0`, `if_gateway_eth0`,"
    yield "`dns_name_eth0`, `mtu_eth0`, `virt_bridge_eth0`.\n"
    yield "## Your own\n"
    yield "Every key of `autoinstall_meta`, of the distro, the profile and the system merged. The answers that netprov brings"
    yield "read these. **Set `ssh_keys` or `root_password_crypted`: without them nobody can log in.**\n"
    yield "| key | is | without it | read by |\n|---|---|---|---|"
    for name, (text, without) in META.items():
        yield f"| `{name}` | {text} | {without} | {', '.join(f'`{file}`' for file in readers(name))} |"
    yield "\nA key takes the place of a field of its name; what is made for the request takes a key's.\n"
    yield "## Filters\n"
    yield "A value is quoted for its language by itself, or refused. Beside Jinja's own filters:\n"
    yield "| filter | makes |\n|---|---|"
    yield from (f"| `{name}` | {text} |" for name, text in FILTERS.items())
    yield ""


def readers(name: str) -> list[str]:
    """netprov's own answers and snippets that read the variable `name`."""
    word = re.compile(rf"\{{[{{%][^}}]*\b{name}\b")
    folders = (PACKAGED / "autoinstall", PACKAGED / "snippets")
    return [file.name for folder in folders for file in sorted(folder.iterdir()) if word.search(file.read_text())]


def _declared(field: Field) -> str:
    return ", ".join(f"`{kind}s`" for kind in _HOLDERS if kind in field.kinds)

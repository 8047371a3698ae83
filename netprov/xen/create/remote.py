"""A netprov elsewhere, by its API (/api/v1, see its openapi.json)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import IPv4Interface
from typing import Any
from urllib.parse import quote, urlsplit

from netprov.boot.install import InstallState
from netprov.errors import ConfigError, PeerError, Problem
from netprov.inventory.model import Disk, InstallMode, Interface, Target, Value, Virt
from netprov.inventory.values import parse_device, parse_line, parse_name, parse_uuid
from netprov.mac import parse_mac
from netprov.text import escape
from netprov.xen.create.site import Standing

_PREFIX = "/api/v1"
_WAIT = 20.0  # seconds for an answer
_LARGEST = 16 << 20  # octets of an answer


class RemoteSite:
    """`url` is like http://192.168.77.1; `token` one with the scopes read and operate,
    and edit where a system is to be declared."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        try:
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise ConfigError(Problem(None, "--server", f"{url!r} is not a URL: write it like http://192.168.77.1"))
        if not token.isascii() or not token.isprintable():
            raise ConfigError(Problem(None, "--token", "is not one: `netprov token NAME --scope operate` makes one"))
        self._parts = parts
        self._token = token
        self._seen: set[tuple[object, ...]] = set()

    def __str__(self) -> str:
        return f"{self._parts.scheme}://{self._parts.netloc}"

    def system(self, name: str) -> Target | None:
        """The system as that netprov has declared it; None where it has not."""
        said = self._ask("GET", f"/systems/{quote(name, safe='')}", absent=True)
        return _target(said, "system") if said is not None else None

    def profile(self, name: str) -> Target | None:
        """The same of a profile."""
        said = self._ask("GET", f"/profiles/{quote(name, safe='')}", absent=True)
        return _target(said, "profile") if said is not None else None

    def declare(self, name: str, fields: Mapping[str, Value]) -> str:
        """Declare a system there; where it stands then. Its MAC may be another's: that is refused."""
        said = self._ask("POST", "/systems", send={"name": name, **fields}) or {}
        return escape(_text(said, "declared"), 300)

    def remove(self, system: Target) -> None:
        self._ask("DELETE", f"/systems/{quote(system.name, safe='')}")

    def arm(self, system: Target) -> str:
        said = self._ask("POST", f"/systems/{quote(system.name, safe='')}/arm") or {}
        return escape(_text(said, "meaning"), 300)

    def disarm(self, system: Target) -> None:
        self._ask("POST", f"/systems/{quote(system.name, safe='')}/disarm")

    def standing(self, system: Target) -> Standing:
        said = self._ask("GET", f"/status/{quote(system.name, safe='')}") or {}
        state = said.get("install")
        try:
            return Standing(InstallState(state) if state is not None else None, escape(_text(said, "says"), 700))
        except ValueError:
            raise PeerError(f"{self}: install state {state!r}: this netprov is older than that, update it") from None

    def news(self, system: Target) -> Sequence[str]:
        lines = []
        for event in self._boot(system).get("events", []):
            key = (event.get("at"), event.get("kind"), event.get("text"), event.get("name"))
            if key not in self._seen:
                self._seen.add(key)
                what = _text(event, "stage") or _text(event, "kind")
                lines.append(f"{what}: {escape(_text(event, 'text') or _text(event, 'name'), 300)}")
        return lines

    def verdicts(self, system: Target) -> Sequence[str]:
        found = self._boot(system).get("verdicts", [])
        return [f"{_text(one, 'sentence')} {_text(one, 'advice')}".strip() for one in found]

    def _boot(self, system: Target) -> Mapping[str, Any]:
        said = self._ask("GET", f"/timeline/{quote(system.name, safe='')}") or {}
        boots = said.get("boots")
        return boots[-1] if isinstance(boots, list) and boots and isinstance(boots[-1], dict) else {}

    def _ask(
        self, method: str, path: str, absent: bool = False, send: Mapping[str, Value] | None = None
    ) -> Mapping[str, Any] | None:
        """What it answers. `absent`: None where it has no such thing. Raises PeerError."""
        kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=_WAIT)
        headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        body = None
        if send is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(send).encode()
        try:
            connection.request(method, f"{self._parts.path.rstrip('/')}{_PREFIX}{path}", body, headers)
            answer = connection.getresponse()
            got = answer.read(_LARGEST)
        except (OSError, HTTPException) as error:
            raise PeerError(f"{self} does not answer: {getattr(error, 'strerror', None) or error}") from None
        finally:
            connection.close()
        if answer.status == 404 and absent:
            return None
        try:
            said = json.loads(got)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise PeerError(f"{self}: {answer.status} {answer.reason}, and no JSON: is this a netprov server?")
        if answer.status != 200:
            hint = ": give --token, or set NETPROV_TOKEN" if answer.status == 401 and not self._token else ""
            raise PeerError(f"{self}: {_text(said, 'error') or answer.reason}{hint}")
        return said


def _text(said: Mapping[str, Any], key: str) -> str:
    value = said.get(key, "")
    return value if isinstance(value, str) else ""


def _target(said: Mapping[str, Any], kind: str) -> Target:
    """Raises PeerError where it is none."""
    try:
        return Target(
            kind,
            parse_name(said["name"]),
            profile=parse_name(said["profile"]) if said["profile"] else "",
            uuid=parse_uuid(said["uuid"]) if said["uuid"] else "",
            install=InstallMode(said["install"]),
            interfaces=tuple(map(_interface, said["interfaces"])),
            virt=_virt(said.get("virt", {})),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PeerError(f"what the server says about the system is not understood: {error!r}") from None


def _virt(said: Mapping[str, Any]) -> Virt:
    """What goes into a configuration that root's xl reads is read as strictly as a person's inventory is."""
    default = Virt()
    return Virt(
        type=parse_name(said.get("type", default.type)),
        ram=_whole(said.get("ram", default.ram)),
        cpus=_whole(said.get("cpus", default.cpus)),
        disks=tuple(
            Disk(_whole(disk["size"]), parse_line(disk["path"]), parse_name(disk["driver"]))
            for disk in said.get("disks", ())
        ),
        bridge=parse_device(said["bridge"]) if said.get("bridge") else "",
        path=parse_line(said.get("path", "")),
        auto_boot=said.get("auto_boot") is True,
    )


def _whole(value: object) -> int:
    if type(value) is not int or not 0 <= value < 1 << 60:
        raise ValueError(f"{value!r} is not a valid number here")
    return value


def _interface(said: Mapping[str, Any]) -> Interface:
    return Interface(
        parse_name(said["name"]),
        mac=parse_mac(said["mac"]) if said["mac"] is not None else None,
        ip=IPv4Interface(said["ip"]) if said["ip"] is not None else None,
        bridge=parse_device(said["bridge"]) if said.get("bridge") else "",
    )

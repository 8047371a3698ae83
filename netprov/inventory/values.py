"""One text → one value, for every notation that operators use. Each raises ValueError that says what to write."""

from __future__ import annotations

import base64
import re
import shlex
import uuid
from ipaddress import AddressValueError, IPv4Address, IPv4Interface, IPv4Network, NetmaskValueError
from urllib.parse import urlsplit

from netprov.inventory.model import Range
from netprov.mac import Mac, parse_mac

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:+-]{0,127}", re.ASCII)
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOSTNAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?", re.ASCII)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT])(?:i?B)?", re.ASCII | re.IGNORECASE)
_DURATION = re.compile(r"(?:\d+[wdhms])+", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.ASCII)
_HEX = re.compile(r"(?:hex:|0x)((?:[0-9a-f]{2}[:.-]?)+)|([0-9a-f]{2}(?::[0-9a-f]{2})+)", re.ASCII | re.IGNORECASE)
_TRUE = frozenset(("true", "yes", "on", "1"))
_FALSE = frozenset(("false", "no", "off", "0"))
_FACTORS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_PLACEHOLDERS = frozenset(("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"))


def parse_line(text: str) -> str:
    """A text of one line: what goes into loaders' scripts must not bring a line of its own."""
    if _CONTROL.search(text):
        raise ValueError("must be one line, without control characters")
    return text


def parse_folder(text: str) -> str:
    """A folder's path. A URL may hold a password, and messages are passed on: only its scheme is repeated."""
    if "://" in text:
        scheme = text.partition("://")[0]
        raise ValueError(f"{scheme}://… is a database elsewhere, for which netprov has no driver yet; write a folder")
    return parse_line(text)


def parse_name(text: str) -> str:
    """An object's name: it stands in URLs, file names and menus."""
    if not _NAME.fullmatch(text):
        raise ValueError(f"{text!r} is not a name: letters, digits and . _ : + - only, and no more than 128")
    return text


_PASSWORD_HASH = re.compile(r"(scrypt:\d+:\d+:\d+|pbkdf2:sha\d+:\d+)\$[^$\s]+\$[0-9a-f]{32,}", re.ASCII)
_TOKEN_HASH = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


def parse_password_hash(text: str) -> str:
    """A password's hash as werkzeug.security writes it. A password itself is refused, and not repeated."""
    if not _PASSWORD_HASH.fullmatch(text):
        raise ValueError("this is not the hash of a password; `netprov token --user NAME` makes one")
    return text


def parse_token_hash(text: str) -> str:
    """A token's hash. A token itself is refused, and not repeated."""
    if not _TOKEN_HASH.fullmatch(text.lower()):
        raise ValueError("this is not the hash of a token; `netprov token NAME` makes a token and its hash")
    return text.lower()


def parse_flag(text: str) -> bool:
    word = text.lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(f"{text!r} is neither true nor false")


def parse_number(text: str, least: int, most: int) -> int:
    if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
        raise ValueError(f"{text!r} is not a whole number")
    if not least <= (number := int(text)) <= most:
        raise ValueError(f"{number} is not between {least} and {most}")
    return number


def parse_octets(text: str) -> int:
    """`4G` → octets. Powers of 1024, as qemu-img and xl count."""
    found = _SIZE.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not a size; write a number and a unit, like 4G or 512M")
    return int(float(found[1]) * _FACTORS[found[2].upper()])


def parse_record(text: str) -> int:
    """`64M`, or `off` → octets, 0 for none."""
    if text.lower() in _FALSE:
        return 0
    octets = parse_octets(text)
    if octets < 1 << 20:
        raise ValueError(f"{text!r} is less than 1M, too little for the packets of a few boots; write off for none")
    return octets


def parse_mebibytes(text: str) -> int:
    """`512` (MiB) or `1G` → MiB."""
    size = int(text) if re.fullmatch(r"\d{1,9}", text, re.ASCII) else parse_octets(text) >> 20
    if size < 1:
        raise ValueError(f"{text!r} is less than 1M")
    return size


def parse_gigabytes(text: str) -> tuple[int, ...]:
    """Cobbler's virt_file_size: `5`, or `5,2` for two disks, in G → octets of each."""
    return tuple(parse_octets(f"{part.strip()}G") for part in text.split(","))


def parse_duration(text: str) -> int:
    """`1h`, `1h30m`, `2d`, or plain seconds → seconds. Less than 2³² – 1, which is DHCP's "forever" (RFC 2131 §3.3)."""
    if re.fullmatch(r"\d{1,10}", text, re.ASCII):
        seconds = int(text)
    elif _DURATION.fullmatch(text):
        seconds = sum(int(number) * SECONDS[unit] for number, unit in re.findall(r"(\d{1,10})([wdhms])", text))
    else:
        raise ValueError(f"{text!r} is not a duration; write seconds, or a number and a unit, like 90s, 30m, 1h or 7d")
    if not 0 < seconds < 2**32 - 1:
        raise ValueError(f"{text!r} is not between a second and 136 years")
    return seconds


def parse_address(text: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except AddressValueError:
        raise ValueError(f"{text!r} is not an IPv4 address, like 192.168.77.1") from None


def parse_network(text: str) -> IPv4Network:
    try:
        return IPv4Network(text)
    except (AddressValueError, NetmaskValueError):
        raise ValueError(f"{text!r} is not an IPv4 network, like 192.168.77.0/24") from None
    except ValueError:
        meant = IPv4Network(text, strict=False)
        raise ValueError(f"{text!r} has host bits set: the network is {meant}") from None


def parse_interface_address(text: str) -> IPv4Interface | IPv4Address:
    """`192.168.77.114/24`, or without the prefix."""
    if "/" not in text:
        return parse_address(text)
    try:
        return IPv4Interface(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an address with its prefix, like 192.168.77.114/24") from None


def parse_netmask(text: str) -> int:
    """`255.255.255.0`, or `24` → the prefix length."""
    try:
        network = IPv4Network(f"0.0.0.0/{text.lstrip('/')}")
        if str(network.netmask) == text or text.lstrip("/").isdecimal():
            return network.prefixlen
    except ValueError:
        pass
    raise ValueError(f"{text!r} is not a netmask, like 255.255.255.0")


def parse_range(text: str) -> Range:
    """`192.168.77.100-192.168.77.200`, or one address."""
    first, _, last = text.partition("-")
    found = Range(parse_address(first.strip()), parse_address((last or first).strip()))
    if found.last < found.first:
        raise ValueError(f"{text!r} ends before it begins")
    return found


def parse_ports(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if not dash:
        raise ValueError(f"{text!r} is not a range of ports, like 40000-40100")
    ports = parse_number(first.strip(), 1024, 65535), parse_number(last.strip(), 1024, 65535)
    if ports[1] < ports[0]:
        raise ValueError(f"{text!r} ends before it begins")
    return ports


def parse_station(text: str) -> Mac:
    """The MAC of one machine: no group address (IEEE 802: the lowest bit of the first octet), nor all zeros."""
    mac = parse_mac(text)
    if int(mac[:2], 16) & 1:
        raise ValueError(f"{text!r} is a group address; no machine has it")
    if mac == "00:00:00:00:00:00":
        raise ValueError(f"{text!r} is not a machine's address")
    return mac


def parse_uuid(text: str) -> str:
    """Any case, with or without dashes → lower case, dashes."""
    if not _UUID.fullmatch(text.lower()):
        raise ValueError(f"{text!r} is not a UUID, like 4c4c4544-0043-3010-8052-b4c04f4a4d31")
    found = str(uuid.UUID(text))
    if found in _PLACEHOLDERS:
        raise ValueError(f"{text!r} is what every board without a UUID reports; leave it out")
    return found


def parse_identifier(text: str) -> bytes:
    """`01:52:54:00:12:34:56`, `hex:0152…` or `0x0152…` → these octets; anything else → its characters in UTF-8."""
    found = _HEX.fullmatch(text)
    if not found:
        if not text or len(text.encode()) > 255:
            raise ValueError("must have 1 to 255 octets")
        return parse_line(text).encode()
    octets = bytes.fromhex(re.sub(r"[:.-]", "", found[1] or found[2]))
    if len(octets) > 255:
        raise ValueError("must have 1 to 255 octets")
    return octets


def parse_hostname(text: str) -> str:
    """A name by RFC 1123 §2.1; an underscore is let pass, as DNS in the field has it."""
    if not _HOSTNAME.fullmatch(text) or len(text) > 253:
        raise ValueError(f"{text!r} is not a host name: letters, digits and dashes, with dots between")
    return text.rstrip(".")


def parse_device(text: str) -> str:
    """A network device of this host: Linux's IFNAMSIZ is 16 with the final NUL."""
    if not text or len(text.encode()) > 15 or re.search(r"[\s/\x00-\x1f]", text) or text in (".", ".."):
        raise ValueError(f"{text!r} is not a network interface's name")
    return text


def parse_url(text: str) -> str:
    """An http or https URL that a request can be made of."""
    try:
        parts = urlsplit(parse_line(text))
        port = parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or len(text) > 2000 or " " in text:
        raise ValueError("is not a URL of http or https, like https://example.org/hook")
    return text


def parse_secret(text: str) -> str:
    """What signs a webhook: a text, or Base64 behind `whsec_`. What is wrong with it is said without repeating it."""
    if text.startswith("whsec_"):
        try:
            octets = base64.b64decode(text.removeprefix("whsec_"), validate=True)
        except ValueError:
            raise ValueError("has something after whsec_ that is not Base64") from None
    else:
        octets = parse_line(text).encode()
    if len(octets) < 16:
        raise ValueError("is too short for a secret: 16 characters at least; `openssl rand -hex 32` makes one")
    return text


def words(text: str) -> list[str]:
    """Split as a shell would: `console=ttyS0 name="a b"`."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise ValueError(f"{text!r}: {str(error).lower()}") from None

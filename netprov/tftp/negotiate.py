"""Which options a server grants (RFC 2347): one table, one function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from netprov.errors import PeerError
from netprov.journal.fact import BLKSIZE, MODE, OPTIONS, TIMEOUT, TSIZE, WINDOWSIZE, Detail, Fact, Pair
from netprov.tftp.codec import Code, Mode, Options, Request

REFUSAL = "Failure to negotiate RFC2347 options"
"""The one text of ERROR 8: OVMF and PXE ROMs show it, and people search for it."""

DEFAULT_BLKSIZE = 512  # RFC 1350
HEADERS = {4: 20 + 8 + 4, 6: 40 + 8 + 4}  # IP, UDP and TFTP headers in octets, by IP version
WINDOW_OCTETS = 256 * 1024  # a window beyond the client's usual receive buffer (Linux: 208 KiB) only makes losses
DIGITS_MAX = 20  # of an option's value; 2^64 has 20


@dataclass(frozen=True, slots=True)
class Limits:
    """The most the server grants: `blksize` octets and `windowsize` blocks."""

    blksize: int = 65464
    windowsize: int = 64


@dataclass(frozen=True, slots=True)
class Terms:
    """What a transfer goes by. `granted` is what the OACK says; empty: no OACK, DATA 1 at once.

    `timeout` is the client's own interval in seconds (RFC 2349), None where it named none.
    """

    blksize: int = DEFAULT_BLKSIZE
    windowsize: int = 1
    timeout: int | None = None
    granted: Options = ()


Grant = Callable[[int, int, Limits], int | None]


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its valid values, what becomes of others, and what is granted of a valid one.

    `below` and `above` are "refuse" (ERROR 8), "ignore" (as if not asked) or "clamp" (the nearest valid value counts).
    `grant(asked, size, limits)` returns the value for the OACK, or None to leave the option out.
    """

    name: str
    low: int
    high: int
    below: str
    above: str
    grant: Grant
    source: str


def _blksize(asked: int, size: int, limits: Limits) -> int:
    return min(asked, limits.blksize)


def _tsize(asked: int, size: int, limits: Limits) -> int:
    return size


def _timeout(asked: int, size: int, limits: Limits) -> int:
    return asked


def _windowsize(asked: int, size: int, limits: Limits) -> int:
    return min(asked, limits.windowsize)


# fmt: off
TABLE = (
    #      name          low  high     below     above     grant        source
    Option("blksize",    8,   65464,   "refuse", "clamp",  _blksize,    "RFC 2348: the reply may be smaller than asked, never larger"),  # noqa: E501
    Option("tsize",      0,   2**64,   "ignore", "ignore", _tsize,      "RFC 2349: a read request says 0; some clients do not"),  # noqa: E501
    Option("timeout",    1,   255,     "ignore", "ignore", _timeout,    "RFC 2349: the reply must be the value asked, so others cannot be granted"),  # noqa: E501
    Option("windowsize", 1,   65535,   "refuse", "clamp",  _windowsize, "RFC 7440 §3: the reply may be smaller than asked"),  # noqa: E501
)
# fmt: on
"""A value that is no decimal number is ignored, whatever the option: the client then goes on without it (RFC 2347).
So is an option that is not in the table, multicast (RFC 2090) among them. Of an option given twice the first counts,
and the OACK says so. A blksize below 8 or a windowsize of 0 is refused: there is no way to send a file like that."""

BY_NAME = {option.name: option for option in TABLE}


def limits_for(mtu: int, version: int, blksize: int, windowsize: int) -> Limits:
    """The limits on a link of `mtu` octets with IP `version`: a block is never split into fragments.

    PXE ROMs and boot loaders often cannot put fragments together, and one lost fragment costs the block.
    """
    return Limits(max(8, min(blksize, mtu - HEADERS[version], 65464)), max(1, windowsize))


def negotiate(request: Request, size: int, limits: Limits) -> Terms:
    """The terms for sending `size` octets (after netascii conversion) to who made `request`.

    Option names are matched whatever their case, and go back as the client spelt them: some compare them literally.
    Raises PeerError (code 8) for what the table refuses.
    """
    granted: dict[str, tuple[str, int]] = {}
    for spelt, value in request.options:
        option = BY_NAME.get(spelt.lower())
        if option is None or option.name in granted:
            continue
        asked = _valid(option, value)
        given = None if asked is None else option.grant(asked, size, limits)
        if given is not None:
            granted[option.name] = (spelt, given)
    values = {name: given for name, (_, given) in granted.items()}
    blksize = values.get("blksize", DEFAULT_BLKSIZE)
    if "windowsize" in granted:
        spelt, given = granted["windowsize"]
        granted["windowsize"] = (spelt, max(1, min(given, WINDOW_OCTETS // blksize)))
    return Terms(
        blksize=blksize,
        windowsize=granted["windowsize"][1] if "windowsize" in granted else 1,
        timeout=values.get("timeout"),
        granted=tuple((spelt, str(given)) for spelt, given in granted.values()),
    )


def _valid(option: Option, value: str) -> int | None:
    if not (value.isascii() and value.isdigit()) or len(value) > DIGITS_MAX:
        return None
    asked = int(value)
    fate = option.below if asked < option.low else option.above if asked > option.high else "take"
    if fate == "refuse":
        raise PeerError(REFUSAL, Code.OPTION)
    if fate == "ignore":
        return None
    return max(option.low, min(asked, option.high))


_TOLD: Mapping[str, Fact] = {"blksize": BLKSIZE, "tsize": TSIZE, "timeout": TIMEOUT, "windowsize": WINDOWSIZE}
"""The facts of an event that TABLE's options are. A client may give any other option the name of a fact."""


def described(request: Request) -> Detail:
    """What was asked, for an event: the mode where it is not octet, and the options."""
    return _described(request.mode, request.options)


@lru_cache(maxsize=1024)  # a hall's machines ask a handful
def _described(mode: Mode, options: Options) -> Detail:
    netascii = () if mode is Mode.OCTET else ((MODE, mode.value),)
    return (*netascii, *[_told(name, value) for name, value in options])


def _told(name: str, value: str) -> Pair:
    known = _TOLD.get(name.lower())
    return (known, value) if known is not None else (OPTIONS, f"{name}={value}")

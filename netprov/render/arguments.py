"""The kernel command line: what each breed's installer wants to be told, and what the operator adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from netprov.errors import ConfigError, Problem
from netprov.inventory.model import Target
from netprov.render.breeds import SUBIQUITY, Family, Release, release_of
from netprov.render.quoting import Unquotable, Words, kernel_word


@dataclass(frozen=True, slots=True)
class Facts:
    """What the arguments are made of; what is unknown is empty.

    `url` is where the installer fetches its answers, `seed` the same as cloud-init wants it, `bootif` the ARP type and
    MAC of the interface that boots ("01-52-54-00-…"). `syslog` is "host:port" of who receives logs; `loghost` the host
    alone, where the port is the usual one.
    """

    url: str = ""
    seed: str = ""
    tree: str = ""
    hostname: str = ""
    domain: str = ""
    suite: str = ""
    iso: str = ""
    bootif: str = ""
    syslog: str = ""
    syslog_host: str = ""
    syslog_port: str = ""
    loghost: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """From which release on a family wants which arguments. Each is left out while the fact it needs is empty."""

    family: Family
    since: tuple[int, ...]
    arguments: tuple[tuple[str, str], ...]  # ("key={fact}" or a bare flag, the fact it needs)
    source: str


_PRESEED = (
    ("auto=true", "url"),
    ("priority=critical", "url"),
    ("url={url}", "url"),
    ("hostname={hostname}", "hostname"),
    ("domain={domain}", "domain"),
    ("suite={suite}", "suite"),
    ("netcfg/choose_interface=auto", "url"),
    ("log_host={syslog_host}", "syslog_host"),
    ("log_port={syslog_port}", "syslog_port"),
)

TABLE: tuple[Row, ...] = (
    Row(
        Family.REDHAT,
        (7,),
        (
            ("inst.ks={url}", "url"),
            ("inst.ks.sendmac", "url"),
            ("inst.repo={tree}", "tree"),
            ("inst.syslog={syslog}", "syslog"),
        ),
        "Anaconda boot options: without the prefix inst. they are ignored since RHEL 9, known since RHEL 7",
    ),
    Row(
        Family.REDHAT,
        (0,),
        (
            ("ks={url}", "url"),
            ("ksdevice=bootif", "url"),
            ("kssendmac", "url"),
            ("method={tree}", "tree"),
            ("syslog={syslog}", "syslog"),
        ),
        "RHEL 6 Installation Guide, boot options",
    ),
    Row(
        Family.FEDORA,
        (17,),
        (
            ("inst.ks={url}", "url"),
            ("inst.ks.sendmac", "url"),
            ("inst.repo={tree}", "tree"),
            ("inst.syslog={syslog}", "syslog"),
        ),
        "Anaconda boot options; the prefix inst. came with Fedora 17",
    ),
    Row(
        Family.FEDORA,
        (0,),
        (
            ("ks={url}", "url"),
            ("ksdevice=bootif", "url"),
            ("kssendmac", "url"),
            ("method={tree}", "tree"),
            ("syslog={syslog}", "syslog"),
        ),
        "as RHEL 6",
    ),
    Row(Family.DEBIAN, (0,), _PRESEED, "Debian Installation Guide, B.2: network preseeding, aliases of questions"),
    Row(
        Family.UBUNTU,
        SUBIQUITY,
        (
            ("autoinstall", "url"),
            ("ds=nocloud;s={seed}", "seed"),
            ("ip=dhcp", "url"),
            ("url={iso}", "iso"),
            # without it cloud-init takes url= for its own and downloads the whole image as configuration
            ("cloud-config-url=/dev/null", "iso"),
        ),
        "Ubuntu autoinstall quick start; casper(7) url=; the NoCloud data source's seedfrom",
    ),
    Row(Family.UBUNTU, (0,), _PRESEED, "debian-installer until 18.04"),
    Row(
        Family.SUSE,
        (0,),
        (("autoyast={url}", "url"), ("install={tree}", "tree"), ("loghost={loghost}", "loghost")),
        "linuxrc's boot parameters",
    ),
    Row(Family.GENERIC, (0,), (("netprov.autoinstall={url}", "url"),), "netprov-probe, and any program that reads it"),
)

LIMITS: Mapping[str, int] = {
    "x86_64": 2048,
    "i386": 2048,
    "aarch64": 2048,
    "arm": 1024,
    "riscv64": 1024,
    "loongarch64": 4096,
    "ppc64le": 2048,
    "s390x": 4096,
}
"""Octets of the command line that a kernel keeps (COMMAND_LINE_SIZE, its final NUL included), by a distro's `arch`."""


def row_of(release: Release) -> Row:
    """The row for `release`: rows of a family stand newest first."""
    return next(row for row in TABLE if row.family is release.family and release.version >= row.since)


def command_line(target: Target, options: Mapping[str, tuple[str, ...] | None], facts: Facts) -> Words:
    """The command line of `target`'s kernel. What the operator's `options` name replaces what is generated.

    Raises ConfigError for an option that a command line cannot express.
    """
    return Words([*_generated(target, options, facts), *_operators(target, options)])


def too_long(target: Target, line: str) -> str:
    """A sentence about a command line longer than the kernel keeps; "" where it fits."""
    limit = LIMITS[target.arch]
    size = len(line.encode())
    if size < limit:
        return ""
    return f"the kernel command line has {size} octets, and kernels for {target.arch} keep {limit - 1} of them"


def _generated(target: Target, options: Mapping[str, tuple[str, ...] | None], facts: Facts) -> Iterator[str]:
    wanted = (*row_of(release_of(target)).arguments, ("BOOTIF={bootif}", "bootif"))
    for argument, needs in wanted:
        value = getattr(facts, needs)
        if not value or argument.partition("=")[0] in options:
            continue
        word = argument.format_map({needs: value})
        yield _checked(word, target, needs)


def _operators(target: Target, options: Mapping[str, tuple[str, ...] | None]) -> Iterator[str]:
    for key, values in options.items():
        field = f"kernel_options.{key}"
        if not key or any(space in key for space in " \t") or key.startswith("="):
            raise _unusable(target, field, "is not a name that a kernel command line can have")
        for word in (key,) if values is None else (f"{key}={value}" for value in values):
            yield _checked(word, target, field)


def _checked(word: str, target: Target, field: str) -> str:
    try:
        kernel_word(word)
    except Unquotable as error:
        raise _unusable(target, field, str(error)) from None
    return word


def _unusable(target: Target, field: str, text: str) -> ConfigError:
    origin = target.origins.get(field.partition(".")[0], target.origin)
    return ConfigError(Problem(origin, f"{target.kind} {target.name}, field {field}", text))

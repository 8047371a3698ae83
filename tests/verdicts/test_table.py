"""Each row of the table: the events that are its signature, events that only resemble it, and what it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from ipaddress import IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netprov.boot.arch import ARCHS
from netprov.boot.reason import Reason
from netprov.inventory.model import DhcpMode
from netprov.journal.boots import boot_of
from netprov.journal.event import Event, Kind
from netprov.journal.fact import FACTS, Detail
from netprov.journal.verdicts import Context, installing, loading, offered, reference, transfers, verdicts
from netprov.journal.verdicts.table import RULES, SILENT
from tests.journal.scenes import SCENES, Machine

LONG = 3600.0
PROXY = {"mode": DhcpMode.PROXY}
Scene = Callable[[Machine], object]


def machine() -> Machine:
    return Machine(ip="10.77.0.14", at=1_800_000_000.0)


def found(m: Machine, after: float = LONG, **context: object) -> list[str]:
    """The ids of the verdicts on the machine's events, `after` seconds after the last."""
    context = {"address": "10.77.0.1", **context}
    boot = boot_of(m.mac, 1, m.events)
    return [v.id for v in verdicts(boot, Context(now=m.events[-1].at + after, **context))]  # type: ignore[arg-type]


def detail_of(facts: Mapping[str, object]) -> Detail:
    """Only declared facts."""
    return tuple((FACTS[key], str(value)) for key, value in facts.items())


def dhcp(m: Machine, kind: Kind, reason: Reason = Reason.DHCP_OK, **facts: object) -> Machine:
    """A DHCP event as netprov/dhcp/report.py makes them. Keyword arguments that are no field are details."""
    fields = {k: facts.pop(k) for k in ("name", "ip", "client_id", "trace") if k in facts}
    details = detail_of({"loader": "firmware", "arch": "uefi-x64", **facts})
    m.say(kind, reason, "text", mac=m.mac, system=m.system, detail=details, **fields)
    return m


def offers(
    m: Machine, count: int = 3, ip: str = "10.77.0.14", pause: float = 4.0, name: str = "shimx64.efi", **facts: object
) -> Machine:
    for _ in range(count):
        dhcp(m, Kind.DHCP_OFFER, name=name, ip=ip, **facts).wait(pause)
    return m


def acked(m: Machine, name: str = "shimx64.efi", **facts: object) -> Machine:
    return dhcp(offers(m, 1, name=name, **facts), Kind.DHCP_ACK, name=name, ip=m.ip, **facts)


def chose(m: Machine, reason: Reason, server: str = "10.77.0.9") -> Machine:
    return dhcp(m, Kind.DHCP_REQUEST, reason, ip="10.77.0.201", chosen=server)


def asks_4011(m: Machine, count: int = 3) -> Machine:
    for _ in range(count):
        dhcp(m, Kind.DHCP_ACK, name="shimx64.efi", ip="10.77.0.201", port=4011).wait(2.0)
    return m


def rrq(m: Machine, name: str = "shimx64.efi", ip: str = "", **facts: object) -> Machine:
    m.say(Kind.TFTP_REQUEST, Reason.TFTP_OK, f"asks for {name}", name=name, stage="loader", ip=ip or m.ip, **facts)
    return m


def unheard(m: Machine, name: str = "shimx64.efi", ip: str = "", acknowledged: int = 0, end: str = "") -> Machine:
    kind, reason = (Kind.TFTP_ABORT, Reason.TFTP_ABORTED) if end else (Kind.TFTP_FAIL, Reason.TFTP_TIMEOUT)
    detail = (("blksize", "512"), ("windowsize", "1"), ("acknowledged", str(acknowledged)), ("end", end))
    m.say(kind, reason, "ended", name=name, stage="loader", ip=ip or m.ip, size=90_000, seconds=5.0, detail=detail)
    return m


def script(m: Machine, **promised: object) -> Machine:
    facts = {"stage": "script", "ip": m.ip, "name": "grub/grub.cfg", "mac": m.mac, "system": m.system}
    detail = detail_of({k: v for k, v in {"initrds": 1, "answers": "web.ks", **promised}.items() if v})
    m.say(Kind.TFTP_DONE, Reason.TFTP_OK, "sent", detail=detail, **facts)
    return m


def to_script(m: Machine) -> Machine:
    return script(acked(m).tftp("shimx64.efi", "loader"))


def to_initrd(m: Machine) -> Machine:
    return to_script(m).tftp("k/vmlinuz", "kernel").tftp("k/initrd.img", "initrd")


def installed(m: Machine) -> Machine:
    return to_initrd(m).installer()


def no_answers(m: Machine, name: str, stage: str) -> Machine:
    facts = {"stage": stage, "ip": m.ip, "name": name, "detail": (("status", "404"),)}
    m.say(Kind.HTTP_REFUSE, Reason.HTTP_NOT_FOUND, "no such file", **facts)
    return m


def install(m: Machine, reason: Reason, text: str, **detail: object) -> Machine:
    details = detail_of(detail)
    m.say(Kind.INSTALL, reason, text, stage="script", system=m.system, ip=m.ip, detail=details)
    return m


def transfer(m: Machine, size: int, seconds: float, blksize: int, windowsize: int = 1) -> Machine:
    detail = (("blksize", str(blksize)), ("windowsize", str(windowsize)))
    facts = {"stage": "initrd", "ip": m.ip, "name": "k/initrd.img", "size": size, "seconds": seconds}
    m.say(Kind.TFTP_DONE, Reason.TFTP_OK, "sent", detail=detail, **facts)
    return m


def stopped(m: Machine, block: int, blksize: int = 1408, reason: Reason = Reason.TFTP_TIMEOUT) -> Machine:
    detail = (("blksize", str(blksize)), ("windowsize", "1"), ("acknowledged", str(block * blksize)))
    facts = {"stage": "initrd", "ip": m.ip, "name": "k/initrd.img", "size": 70_000 * blksize, "seconds": 60.0}
    m.say(Kind.TFTP_FAIL, reason, "stopped", detail=detail, **facts)
    return m


def http(m: Machine, kind: Kind, reason: Reason, stage: str = "initrd", size: int = 65536, **detail: str) -> Machine:
    facts = {"stage": stage, "ip": m.ip, "name": "/files/k/initrd.img", "size": size}
    m.say(kind, reason, "text", detail=detail_of(detail), **facts)
    return m


def refused(m: Machine, name: str, stage: str = "loader-file") -> Machine:
    return m.refused(name, stage)


def drop(m: Machine, reason: Reason, **facts: object) -> Machine:
    return dhcp(m, Kind.DHCP_DROP, reason, decision=reason.label, **facts)


def refused_by_dom0(m: Machine) -> Machine:
    facts = {"stage": "handed-over", "ip": m.ip, "mac": m.mac, "name": "/xen/x/report"}
    m.say(Kind.HTTP_DONE, Reason.XEN_REFUSED, "not handed to Xen: k/vmlinuz: is not for Xen", **facts)
    return m


def changes_address(m: Machine) -> Machine:
    first = {"ip": "10.77.0.201", "client_id": "00aa", "chosen": "10.77.0.9"}
    dhcp(m, Kind.DHCP_REQUEST, Reason.MODE_PROXY, **first)
    m.tftp("shimx64.efi", "loader")
    second = {"ip": "10.77.0.202", "client_id": "01bb", "loader": "os"}
    return dhcp(m, Kind.DHCP_REQUEST, Reason.MODE_PROXY, **{**first, **second})


SIGNS: list[tuple[str, str, Scene, dict[str, object], str]] = [
    # id, what happens, events, context, what the verdict must say
    ("G1", "offers in vain", offers, {}, "shimx64.efi 3 times"),
    ("G1", "offers beside another's", lambda m: offers(m, ip=""), PROXY, "dhcp-boot=tag:uefi-x64,shimx64.efi,,10.77.0.1"),
    ("G2", "address elsewhere, no 4011", lambda m: chose(offers(m, 1, ip=""), Reason.MODE_PROXY), PROXY, "10.77.0.9"),
    ("G2", "asks anew", lambda m: offers(chose(offers(m, 1, ip=""), Reason.MODE_PROXY), 1, ip=""), {**PROXY, "after": 1}, ""),
    ("G3", "4011 in vain", lambda m: asks_4011(chose(offers(m, 1, ip=""), Reason.MODE_PROXY)), PROXY, "4011 3 times"),
    ("G3", "4011 twice, then silence", lambda m: asks_4011(chose(offers(m, 1, ip=""), Reason.MODE_PROXY), 2), PROXY, ""),
    ("G4", "no fetch", acked, {}, "UDP port 69"),
    ("G4", "no fetch by HTTP", lambda m: acked(m, "http://10.77.0.1/files/ipxe.efi"), {}, "TCP port 80"),
    ("G4", "no fetch, machine reset", acked, {"ended": True, "after": 1}, ""),
    ("G5", "gave up on it", lambda m: unheard(rrq(acked(m))), {}, "single_port: true"),
    ("G5", "three requests", lambda m: rrq(rrq(rrq(acked(m)))), {}, ""),
    ("G5", "its port is closed", lambda m: unheard(unheard(acked(m), end="closed its port"), end="closed its port"), {}, ""),
    ("G5", "single port", lambda m: unheard(rrq(acked(m))), {"single_port": True}, "from port 69"),
    ("G7", "garbage", lambda m: refused(acked(m, "pxelinux.0"), "pxelinux.0\\xff"), {}, "means pxelinux.0"),
    ("G7", "another folder", lambda m: refused(acked(m, "efi/shimx64.efi").tftp("efi/shimx64.efi", "loader"), "grubx64.efi"),
     {}, "means grubx64.efi"),
    ("G7", "backslashes", lambda m: refused(acked(m).tftp("shimx64.efi", "loader"), "\\EFI\\BOOT\\grubx64.efi"), {}, ""),
    ("G8", "decide() stopped it", lambda m: dhcp(m, Kind.DHCP_OFFER, decision="loader-loop", trace=("a", "it was given x; thrice")), {}, "x; thrice"),
    ("G8", "three fetches", lambda m: acked(m).tftp("a", "loader").tftp("a", "loader").tftp("a", "loader"), {}, "a 3 times"),
    ("G9", "UEFI", lambda m: acked(m, "ipxe.efi").tftp("ipxe.efi", "loader"), {}, "not signed"),
    ("G9", "UEFI, shim", lambda m: refused(acked(m).tftp("shimx64.efi", "loader"), "revocations.efi"), {}, "is signed"),
    ("G9", "BIOS", lambda m: acked(m, "pxelinux.0", arch="bios").tftp("pxelinux.0", "loader"), {}, "fetched pxelinux.0"),
    ("G9", "reset at once", lambda m: acked(m).tftp("shimx64.efi", "loader"), {"ended": True, "after": 1}, "Secure Boot"),
    ("G9", "GRUB beside dnsmasq", lambda m: chose(offers(m, 1, ip=""), Reason.MODE_PROXY).tftp("shimx64.efi", "loader").tftp("grubx64.efi", "loader"), PROXY, "boot_loaders: [ipxe]"),
    ("G9", "kernel", lambda m: to_script(m).tftp("k/vmlinuz", "kernel"), {}, "fetched k/vmlinuz"),
    ("G10", "no address", to_initrd, {}, "portfast"),
    ("G10", "an address offered", lambda m: dhcp(to_initrd(m), Kind.DHCP_OFFER, ip=m.ip, loader="os"), {}, "took no address"),
    ("G10", "an address", lambda m: to_initrd(m).address("os"), {}, "has the address 10.77.0.14"),
    ("G10", "no answers", lambda m: no_answers(to_initrd(m).address("os"), "/autoinstall/lady", "autoinstall"), {}, "/autoinstall/lady"),
    ("G10", "no such answers", lambda m: no_answers(script(to_initrd(m), answers="http://10.77.0.1/files/x.ks"), "/files/x.ks", "file"),
     {"after": 1}, "no such file"),
    ("G11", "after the end", lambda m: installed(m).http("/autoinstall/lady", "autoinstall"), {}, "after its install had ended"),
    ("G11", "later", lambda m: to_initrd(m).http("/a", "autoinstall").wait(300).http("/a", "autoinstall"), {}, "300 s after"),
    ("G11", "attempt 2", lambda m: install(to_script(m), Reason.INSTALL_RUNNING, "t", attempt=2), {"after": 1}, "attempt 2"),
    ("G12", "512 octets", lambda m: transfer(to_script(m), 60_000_000, 120.0, 512), {"after": 1}, "0.50 MB/s"),
    ("G13", "65535", lambda m: stopped(to_script(m), 65535), {"after": 1}, "92.3 MB at most"),
    ("G13", "32767", lambda m: stopped(to_script(m), 32767, 512, Reason.TFTP_CLIENT_ERROR), {"after": 1}, "16.8 MB"),
    ("G14", "two client ids", changes_address, PROXY, "dhcp-ignore-clid"),
    ("G15", "another's address", lambda m: chose(offers(m, 1), Reason.DHCP_NOT_FOR_US), {}, "switch off the one at 10.77.0.9"),
    ("G17", "no URL", lambda m: drop(m, Reason.ARCH_UNKNOWN, vendor_class="HTTPClient:Arch:00015", arch="http-ia32"), {}, "http-ia32"),
    ("G18", "TLS", lambda m: http(m.address("ipxe", "x"), Kind.HTTP_REFUSE, Reason.HTTP_TLS, ""), {"after": 1}, "http://"),
    ("G19", "stalled", lambda m: http(to_script(m), Kind.HTTP_FAIL, Reason.HTTP_CLOSED, length="9000000", end="stalled", acknowledged="310"),
     {"after": 1}, "of 9000000 octets 310 were"),
    ("G20", "Docker", lambda m: unheard(rrq(m, ip="172.17.0.1"), ip="172.17.0.1"), {}, "172.17.0.1"),
    ("G20", "Podman", lambda m: unheard(rrq(m, ip="10.88.0.1"), ip="10.88.0.1"), {}, "--network host"),
    ("G21", "failed", lambda m: install(to_script(m), Reason.INSTALL_FAILED, "lady: no disk"), {"after": 1}, "no disk"),
    ("G22", "ignored", lambda m: drop(replace(m, system=""), Reason.UNKNOWN_IGNORE), {}, 'mac: "00:16:3e:11:11:11"'),
    ("G23", "script", lambda m: m.refused("grub/grub.cfg", "script", Reason.TEMPLATE_ERROR), {}, "netprov lint"),
    ("G23", "answers", lambda m: http(to_initrd(m), Kind.HTTP_FAIL, Reason.TEMPLATE_ERROR, "autoinstall"), {}, "Its autoinstall"),
    ("G24", "no range", lambda m: drop(m, Reason.DHCP_POOL_EMPTY), {}, "widen the range"),
    ("G25", "arm", lambda m: drop(m, Reason.ARCH_MISMATCH, trace=("a", "is for x86_64")), {}, "is for x86_64"),
    ("G26", "kernel", lambda m: m.refused("k/vmlinuz", "kernel") and to_script(m), {"after": 1}, "The kernel k/vmlinuz"),
    ("G26", "loader", lambda m: refused(acked(m), "shimx64.efi", "loader"), {}, "netprov loaders"),
    ("G27", "no Xen kernel", lambda m: refused_by_dom0(to_script(m).http("/files/k/vmlinuz", "kernel")), {}, "not for Xen"),
    ("G26", "next loader", lambda m: refused(acked(m).tftp("shimx64.efi", "loader"), "grubx64.efi"), {}, "netprov loaders"),
]  # fmt: skip


NAMES = [f"{id} {what}" for id, what, *_ in SIGNS]


@pytest.mark.parametrize(("id", "scene", "context", "says"), [(row[0], *row[2:]) for row in SIGNS], ids=NAMES)
def test_signature(id: str, scene: Scene, context: dict[str, object], says: str) -> None:
    m = machine()
    made = scene(m)
    events = made.events if isinstance(made, Machine) else m.events
    context = {"after": LONG, **context}
    now = Context(now=events[-1].at + float(str(context.pop("after"))), **{"address": "10.77.0.1", **context})  # type: ignore[arg-type]
    (verdict,) = verdicts(boot_of(m.mac, 1, events), now)
    assert verdict.id == id
    assert says in f"{verdict.sentence}\n{verdict.advice}"
    assert verdict.sentence[0].isupper() or says
    assert not re.search(r"\{\w+\}", verdict.sentence), "a word was not filled in"
    assert verdict.at <= events[-1].at


RESEMBLING: list[tuple[str, Scene, dict[str, object]]] = [
    ("two offers", lambda m: offers(m, 2), {}),
    ("offers taken", lambda m: dhcp(offers(m), Kind.DHCP_ACK, ip=m.ip), {}),
    ("offers within a moment", lambda m: offers(m, pause=0.1), {}),
    ("offers without a boot file: its disk is to boot", lambda m: [dhcp(m, Kind.DHCP_OFFER, ip=m.ip).wait(9) for _ in "123"], {}),
    ("an ACK a moment ago", acked, {"after": 20}),
    ("an ACK without a boot file", lambda m: dhcp(m, Kind.DHCP_ACK, ip=m.ip), {}),
    ("ProxyDHCP under way", lambda m: chose(offers(m, 1, ip=""), Reason.MODE_PROXY), {**PROXY, "after": 5}),
    ("4011, then a fetch", lambda m: script(asks_4011(chose(offers(m, 1, ip=""), Reason.MODE_PROXY), 1).tftp("x", "loader")), PROXY),
    ("another's address, ours after all", lambda m: to_script(chose(offers(m, 1), Reason.DHCP_NOT_FOR_US)), {}),
    ("a request and its answer", lambda m: script(rrq(rrq(rrq(acked(m)))).tftp("shimx64.efi", "loader")), {}),
    ("a request under way", lambda m: rrq(acked(m)), {"after": 5}),
    ("a fetch broken off half-way, and again", lambda m: script(unheard(acked(m), acknowledged=512).tftp("shimx64.efi", "loader")), {}),
    ("a loader starting", lambda m: acked(m).tftp("shimx64.efi", "loader"), {"after": 60}),
    ("a loader of the operator's own", lambda m: acked(m, "memtest.bin").tftp("memtest.bin", "loader"), {}),
    ("HTTP Boot's HEADs", lambda m: [http(acked(m), Kind.HTTP_DONE, Reason.HTTP_OK, "loader", 0, method="HEAD") for _ in "123"] and to_script(m), {}),
    ("a menu", lambda m: script(acked(m).tftp("shimx64.efi", "loader"), initrds=0, answers=0), {}),
    ("a rescue kernel without answers", lambda m: script(acked(m), answers=0).tftp("k", "kernel").tftp("i", "initrd"), {}),
    ("a kernel without an initrd", lambda m: script(acked(m), initrds=0, answers=0).tftp("k", "kernel"), {}),
    ("an installer starting", to_initrd, {"after": 200}),
    ("answers on another server", lambda m: script(acked(m), answers="http://10.77.0.9/ks").tftp("k", "kernel").tftp("i", "initrd"), {}),
    ("answers at the second time", lambda m: installed(no_answers(to_initrd(m), "/autoinstall/lady", "autoinstall")), {}),
    ("answers fetched twice at once", lambda m: installed(to_initrd(m).http("/a", "autoinstall")), {}),
    ("attempt 1", lambda m: install(to_script(m), Reason.INSTALL_RUNNING, "t", attempt=1), {"after": 1}),
    ("attempt 2, and done", lambda m: installed(install(to_script(m), Reason.INSTALL_RUNNING, "t", attempt=2)), {}),
    ("a small file in small blocks", lambda m: transfer(to_script(m), 900_000, 30.0, 512), {"after": 1}),
    ("small blocks, fast", lambda m: transfer(to_script(m), 60_000_000, 59.0, 512), {"after": 1}),
    ("slow, in large blocks", lambda m: transfer(to_script(m), 60_000_000, 120.0, 1408), {"after": 1}),
    ("stopped elsewhere", lambda m: stopped(to_script(m), 40_000), {"after": 1}),
    ("the client went away", lambda m: http(to_script(m), Kind.HTTP_FAIL, Reason.HTTP_CLOSED, length="9"), {"after": 1}),
    ("switched off in the middle", lambda m: http(to_script(m), Kind.HTTP_FAIL, Reason.HTTP_CLOSED, end="stalled", acknowledged="5000000"), {"after": 1}),
    ("stalled, and again", lambda m: http(http(to_script(m), Kind.HTTP_FAIL, Reason.HTTP_CLOSED, end="stalled"),
     Kind.HTTP_DONE, Reason.HTTP_OK), {"after": 1}),
    ("a declared bridge", lambda m: script(rrq(m, ip="172.17.0.5").tftp("x", "loader")), {"subnets": (IPv4Network("172.17.0.0/16"),)}),
    ("an operator's failure", lambda m: m.say(Kind.INSTALL, Reason.INSTALL_FAILED, "t", system="lady"), {}),
    ("no address, then one", lambda m: dhcp(drop(m, Reason.DHCP_POOL_EMPTY), Kind.DHCP_ACK, ip=m.ip), {}),
    ("a system that is not known", lambda m: drop(m, Reason.UNKNOWN_IGNORE, loader="os"), {}),
    ("shim's revocations", lambda m: script(refused(acked(m).tftp("shimx64.efi", "loader"), "revocations.efi")), {}),
    ("PXELINUX's names", lambda m: installed(m.refused("pxelinux.cfg/default", "script", Reason.NAME_NOT_OURS) and m), {}),
]  # fmt: skip


@pytest.mark.parametrize(("scene", "context"), [row[1:] for row in RESEMBLING], ids=[row[0] for row in RESEMBLING])
def test_what_only_resembles(scene: Scene, context: dict[str, object]) -> None:
    m = machine()
    scene(m)
    context = dict(context)
    assert found(m, float(str(context.pop("after", LONG))), **context) == []


@pytest.mark.parametrize("name", [name for name in SCENES if name != "ignored"])
@pytest.mark.parametrize("ended", [False, True])
def test_healthy_boots_have_none(name: str, ended: bool) -> None:
    m = SCENES[name](machine())
    for after in (0.0, 10.0, LONG, 90 * 86400.0):
        assert found(m, after, ended=ended) == []


@pytest.mark.parametrize("name", [name for name in SCENES if name != "ignored"])
def test_a_boot_under_way_has_none(name: str) -> None:
    """Cut after any event, and judged at once."""
    events = SCENES[name](machine()).events
    for end in range(1, len(events) + 1):
        boot = boot_of("m", 1, events[:end])
        assert verdicts(boot, Context(now=boot.events[-1].at)) == ()


def test_g6_asking_for_the_size() -> None:
    m = acked(machine())
    for _ in range(5):
        rrq(m)
        detail = (("acknowledged", "0"), ("error", "8 User aborted the transfer"))
        m.say(Kind.TFTP_ABORT, Reason.TFTP_ABORTED, "t", name="shimx64.efi", stage="loader", ip=m.ip, detail=detail)
    assert found(m, 5.0) == []
    assert [id for id, _, _ in SILENT] == ["G6"]


def test_every_row_is_reached() -> None:
    """Each row of the table has a scene of its own above."""
    reached = set()
    for _, _, scene, context, _ in SIGNS:
        m = machine()
        made = scene(m)
        events = made.events if isinstance(made, Machine) else m.events
        known = {"address": "10.77.0.1", **{k: v for k, v in context.items() if k != "after"}}
        verdict = verdicts(boot_of(m.mac, 1, events), Context(now=events[-1].at + LONG, **known))[0]  # type: ignore[arg-type]
        reached.add((verdict.id, next(r.sentence for r in RULES if _fits(r.sentence, verdict.sentence))))
    assert {(rule.id, rule.sentence) for rule in RULES} == reached


def _fits(pattern: str, sentence: str) -> bool:
    parts = (re.escape(part) for part in re.split(r"\{\w+\}", pattern))
    return re.fullmatch(".*".join(parts), sentence, re.DOTALL) is not None


def test_every_signature_stands_in_the_table() -> None:
    written = {
        sign
        for module in (offered, loading, transfers, installing)
        for name, sign in vars(module).items()
        if not name.startswith("_") and getattr(sign, "__annotations__", {}).get("return") == "Sign | None"
    }
    assert written == {rule.sign for rule in RULES}


def test_sixteen_of_the_catalogue() -> None:
    catalogue = {f"G{n}" for n in range(1, 21)}
    assert len(catalogue & {rule.id for rule in RULES}) >= 16
    assert {y for rule in RULES for y in rule.yields} <= {rule.id for rule in RULES}


_EVENTS = st.builds(
    Event,
    at=st.floats(0, 1e4),
    kind=st.sampled_from(list(Kind)),
    reason=st.sampled_from(list(Reason)),
    text=st.text(max_size=5),
    stage=st.sampled_from(["", "address", "loader", "loader-file", "script", "kernel", "initrd", "autoinstall", "callback"]),
    mac=st.just("00:16:3e:11:11:11"),
    ip=st.sampled_from(["", "10.0.0.1", "172.17.0.1", "fe80::1", "{ip}"]),
    name=st.sampled_from(["", "{x}", "shimx64.efi", "ipxe.efi", "pxelinux.0\\xff", "k/vmlinuz", "http://x/y"]),
    size=st.integers(0, 2**40),
    seconds=st.floats(0, 1e3),
    detail=st.dictionaries(
        st.sampled_from(["blksize", "acknowledged", "port", "chosen", "arch", "loader", "decision", "end", "attempt", "answers"]),
        st.sampled_from(["0", "512", "4011", "{", "x", "-1", "firmware", "uefi-x64", "loader-loop", "stalled", "http://["]),
    ).map(lambda d: tuple(d.items())),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(_EVENTS, min_size=1, max_size=12), st.booleans())
def test_any_events_are_judged(events: list[Event], ended: bool) -> None:
    """Whatever machines and servers say, it is text that comes out; the same each time."""
    boot = boot_of("m", 1, events)
    context = Context(now=2e4, ended=ended)
    assert verdicts(boot, context) == verdicts(boot, context)


def test_lines_for_every_architecture() -> None:
    for arch in ARCHS.values():
        m = offers(machine(), ip="", name="x", arch=arch.name)
        (verdict,) = verdicts(boot_of(m.mac, 1, m.events), Context(now=m.at, address="10.77.0.1"))
        for word in ("dnsmasq:", "ISC dhcpd:", "Kea", f"client-arch,{arch.code}\n", f"0x{arch.code:04x}"):
            assert word in verdict.advice


def test_the_reference_names_every_row() -> None:
    page = reference()
    for rule in RULES:
        assert f"## {rule.id}: " in page
    assert "## G16: nothing heard from the subnet" in page
    assert "**G6**" in page
    assert page.count("```") % 2 == 0

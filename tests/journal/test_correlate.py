"""Every event finds its machine and its boot."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netprov.boot.reason import Reason
from netprov.journal.correlate import PAUSE, RULES, Correlator, Placed
from netprov.journal.event import Event, Kind
from netprov.journal.identity import Identity
from netprov.journal.order import Order
from netprov.journal.store import Store
from netprov.recent import Recent

from .scenes import (
    SCENES,
    Machine,
    bios_pxelinux,
    ignored,
    in_order,
    ipxe_chain,
    ipxe_rom_local,
    uefi_grub,
)

Scene = Callable[[Machine], Machine]


def _boots(events: list[Event]) -> list[int]:
    """The boot numbers of one machine's events, without repetition."""
    correlator = Correlator()
    placed = [correlator.place(event) for event in events]
    assert {place.machine for place in placed} == {Machine.mac}
    return [number for number, _ in itertools.groupby(place.boot for place in placed)]


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_one_boot_is_one_boot(scene: Scene) -> None:
    """Also where the machine asks for an address two or three times, as firmware, loader and installer."""
    assert _boots(scene(Machine()).events) == [1]


@pytest.mark.parametrize("pause", [15.0, 7200.0])
@pytest.mark.parametrize("second", SCENES.values(), ids=SCENES)
@pytest.mark.parametrize("first", SCENES.values(), ids=SCENES)
def test_a_reset_is_the_next_boot(first: Scene, second: Scene, pause: float) -> None:
    machine = second(first(Machine()).wait(pause))
    if pause < PAUSE and first is ignored:
        assert _boots(machine.events) == [1]  # firmware that at last was answered
    else:
        assert _boots(machine.events) == [1, 2]


def _reset_while(loader: str, got: str) -> Machine:
    """A machine that is reset when it has got so far, and whose firmware is the same again."""
    machine = Machine().address(loader, "pxelinux.0")
    if got in ("loader", "script", "kernel"):
        machine.tftp("pxelinux.0", "loader")
    if got in ("script", "kernel"):
        machine.tftp("pxelinux.cfg/default", "script")
    if got == "kernel":
        machine.tftp("vmlinuz", "kernel")
    return machine.wait(3.0).address(loader, "pxelinux.0")


@pytest.mark.parametrize(
    ("loader", "got", "boots"),
    [
        ("firmware", "address", [1]),
        ("firmware", "loader", [1, 2]),
        ("firmware", "script", [1, 2]),
        ("firmware", "kernel", [1, 2]),
        ("ipxe", "address", [1]),
        ("ipxe", "loader", [1, 2]),
        ("ipxe", "script", [1, 2]),
        ("ipxe", "kernel", [1, 2]),
        ("xen", "address", [1]),
        ("xen", "kernel", [1, 2]),
        ("os", "address", [1]),
        ("os", "kernel", [1]),
    ],
)
def test_a_reset_at_every_stage(loader: str, got: str, boots: list[int]) -> None:
    assert _boots(_reset_while(loader, got).events) == boots


def test_an_operating_system_before_firmware_is_another_boot() -> None:
    machine = Machine().address("os").wait(60.0).address("firmware", "ipxe.efi")
    assert _boots(machine.events) == [1, 2]
    assert _boots(Machine().address("os").wait(60.0).address("ipxe").events) == [1, 2]


def test_an_installer_may_take_hours() -> None:
    machine = bios_pxelinux(Machine()).wait(3600.0).address("os").wait(5 * 3600.0).address("os")
    assert _boots(machine.events) == [1]
    assert _boots(machine.wait(7 * 3600.0).address("os").events) == [1, 2]


def test_a_menu_may_wait_long() -> None:
    machine = Machine().address("firmware", "pxelinux.0").tftp("pxelinux.0", "loader").tftp("m", "script")
    assert _boots(machine.wait(5000.0).tftp("vmlinuz", "kernel").events) == [1]


def test_leases_renewed_begin_no_boot() -> None:
    machine = bios_pxelinux(Machine())
    for _ in range(50):
        machine.wait(86_400.0).dhcp(Kind.DHCP_ACK, "os", "", machine.ip)
    assert _boots(machine.events) == [1]


def test_another_iPXE_fetched_by_iPXE_is_the_same_boot() -> None:
    machine = Machine().address("ipxe", "undionly.kpxe").tftp("undionly.kpxe", "loader").address("ipxe")
    assert _boots(machine.events) == [1]


def test_a_transfer_that_broke_off_belongs_to_the_boot_before() -> None:
    """The server gives a transfer up seconds after the machine was reset; that is neither part of the next boot nor
    does it make the firmware's next repetition a third one."""
    machine = Machine().address("firmware", "grubx64.efi").tftp("grubx64.efi", "loader")
    late = machine.broken("vmlinuz", "kernel", seconds=6.0)
    machine.wait(2.0).address("firmware", "grubx64.efi").wait(5.0)
    machine.dhcp(Kind.DHCP_OFFER, "firmware", "grubx64.efi", machine.ip)
    correlator = Correlator()
    placed = [correlator.place(event) for event in sorted([*machine.events, late], key=lambda event: event.at)]
    assert [place.boot for place in placed if place.event is late] == [1]
    assert [place.boot for place in placed if place.event is not late] == [1] * 5 + [2] * 3


def test_without_dhcp_a_loader_after_a_kernel_is_the_next_boot() -> None:
    """dhcp.mode off: another server's DHCP is not heard."""
    machine = Machine()
    for _ in range(3):
        bios_pxelinux(machine).wait(5.0)
    events = [event for event in machine.events if not event.kind.startswith("dhcp.")]
    correlator = Correlator()
    placed = [correlator.place(event) for event in events]
    starts = [n for n, event in enumerate(events) if event.kind is Kind.TFTP_REQUEST and event.name == "pxelinux.0"]
    final = _adopted(placed)
    assert [final[n] for n in starts] == [(machine.mac, 1), (machine.mac, 2), (machine.mac, 3)]
    assert set(final) == {(machine.mac, 1), (machine.mac, 2), (machine.mac, 3)}


def _adopted(placed: list[Placed]) -> list[tuple[str, int]]:
    """Where each event is in the end: what the store does with `adopts`."""
    final: list[tuple[str, int]] = []
    for place in placed:
        if place.adopts:
            final = [(place.machine, place.boot) if where == place.adopts else where for where in final]
        final.append((place.machine, place.boot))
    return final


def test_a_proxys_client_is_known_once_its_script_names_it() -> None:
    """dhcp.mode proxy, the address asked for out of our hearing: what it fetched before is its boot's, too."""
    machine = Machine().address("firmware", "ipxe.efi")
    machine.events = [replace(event, ip="") for event in machine.events]
    machine.tftp("ipxe.efi", "loader").tftp("ipxe/" + machine.mac, "script", named=True).tftp("vmlinuz", "kernel")
    correlator = Correlator()
    assert set(_adopted([correlator.place(event) for event in machine.events])) == {(machine.mac, 1)}


def test_what_an_address_fetched_before_it_was_leased_is_somebody_elses() -> None:
    """A host with an address of its own choice fetched; then the address is given to a machine."""
    stranger, machine = Machine().tftp("firmware.bin", "loader"), Machine(at=Machine.at + 30.0)
    machine.address("firmware", "ipxe.efi").tftp("ipxe.efi", "loader").tftp("s", "script", named=True)
    placed: list[Placed] = []
    correlator = Correlator(lambda name: [place for place in placed if place.machine == name])
    for event in in_order(stranger, machine):
        place = correlator.place(event)
        placed.append(place)
    assert [place.adopts for place in placed] == [None] * len(placed)
    assert {place.machine for place in placed[:2]} == {f"ip {machine.ip}"}
    assert {place.machine for place in placed[2:]} == {machine.mac}


def test_a_late_transfer_takes_nothing_along() -> None:
    """A transfer of the boot before, whose name says whose it is, ends while its address is bare again."""
    machine = Machine().address("firmware", "x").tftp("x", "loader").wait(3.0).address("firmware", "x")
    correlator = Correlator()
    for event in machine.events:
        correlator.place(event)
    late = Event(machine.at, Kind.TFTP_FAIL, Reason.TFTP_TIMEOUT, stage="script", mac=machine.mac, seconds=9.0)
    place = correlator.place(late)
    assert (place.boot, place.adopts) == (1, None)


def test_an_operators_doing_is_part_of_no_boot() -> None:
    machine = bios_pxelinux(Machine()).wait(10.0)
    machine.say(Kind.INSTALL, Reason.INSTALL_CHANGED, "armed", system=machine.system)
    correlator = Correlator()
    placed = [correlator.place(event) for event in machine.events]
    assert (placed[-1].machine, placed[-1].boot) == (machine.mac, 0)


def test_a_machine_that_had_no_boot_yet_begins_one(tmp_path: Path) -> None:
    """What the journal holds of it, an operating system's DHCP that nobody declared, is no boot."""
    machine = Machine(system="").address("os").wait(20.0).address("firmware", "ipxe.efi")
    store = Store(tmp_path / "journal.db")
    found = []
    for event in machine.events:
        place = Correlator(store.latest_boot).place(event)  # each time another writer
        store.add([place], 10**6, 0.0)
        found.append(place.boot)
    store.close()
    assert found == [0, 0, 1, 1]


def test_a_long_boot_is_recalled_with_its_end(tmp_path: Path) -> None:
    """A system that was installed from us renews its lease for weeks: its last event is not its five-hundredth."""
    machine = bios_pxelinux(Machine())
    for _ in range(600):
        machine.wait(3600.0).dhcp(Kind.DHCP_ACK, "os", "", machine.ip)
    store, straight = Store(tmp_path / "journal.db"), Correlator()
    store.add(list(map(straight.place, machine.events)), 10**6, 0.0)
    anew = Correlator(store.latest_boot)
    machine.events.clear()
    machine.wait(60.0).address("os")
    assert [anew.place(event).boot for event in machine.events] == [1, 1]
    store.close()


def _identified(*events: Event) -> list[str]:
    identity = Identity()
    found = []
    for event in events:
        found.append(identity.machine(event))
        identity.learn(event, found[-1])
    return found


A, B = "52:54:00:00:00:0a", "52:54:00:00:00:0b"


def _e(kind: Kind, at: float = 1.0, **facts: object) -> Event:
    return Event(at, kind, Reason.DHCP_OK, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("why", "events", "machine"),
    [
        ("its own MAC", [_e(Kind.TFTP_DONE, mac=A, ip="10.0.0.1")], A),
        ("nothing", [_e(Kind.SERVER)], ""),
        ("an address nobody claimed", [_e(Kind.TFTP_DONE, ip="10.0.0.1")], "ip 10.0.0.1"),
        ("an IPv6 peer", [_e(Kind.HTTP_DONE, peer="[fd00::1]:80")], "ip fd00::1"),
        ("a relay's address is not the client's", [_e(Kind.DHCP_DROP, peer="10.0.0.254:67")], ""),
        ("no address at all", [_e(Kind.TFTP_DROP, peer="0.0.0.0:68")], ""),
        ("ACK", [_e(Kind.DHCP_ACK, mac=A, ip="10.0.0.1"), _e(Kind.TFTP_DONE, ip="10.0.0.1")], A),
        ("the peer", [_e(Kind.DHCP_ACK, mac=A, ip="10.0.0.1"), _e(Kind.TFTP_DONE, peer="10.0.0.1:2000")], A),
        ("OFFER is no ACK", [_e(Kind.DHCP_OFFER, mac=A, ip="i"), _e(Kind.TFTP_DONE, ip="i")], "ip i"),
        (
            "the last ACK counts",
            [_e(Kind.DHCP_ACK, mac=A, ip="i"), _e(Kind.DHCP_ACK, mac=B, ip="i"), _e(Kind.TFTP_DONE, ip="i")],
            B,
        ),
        (
            "RELEASE",
            [_e(Kind.DHCP_ACK, mac=A, ip="i"), _e(Kind.DHCP_RELEASE, mac=A, ip="i"), _e(Kind.TFTP_DONE, ip="i")],
            "ip i",
        ),
        (
            "another's RELEASE",
            [_e(Kind.DHCP_ACK, mac=A, ip="i"), _e(Kind.DHCP_RELEASE, mac=B, ip="i"), _e(Kind.TFTP_DONE, ip="i")],
            A,
        ),
        (
            "asked for in another server's hearing",
            [_e(Kind.DHCP_REQUEST, mac=A, ip="i"), _e(Kind.TFTP_DONE, ip="i")],
            A,
        ),
        (
            "a claim does not take a leased address away",
            [_e(Kind.DHCP_ACK, mac=A, ip="i"), _e(Kind.DHCP_REQUEST, mac=B, ip="i"), _e(Kind.TFTP_DONE, ip="i")],
            A,
        ),
        (
            "a claim counts where the lease is from before yesterday",
            [
                _e(Kind.DHCP_ACK, mac=A, ip="i"),
                _e(Kind.DHCP_REQUEST, 100_000.0, mac=B, ip="i"),
                _e(Kind.TFTP_DONE, 100_000.0, ip="i"),
            ],
            B,
        ),
        (
            "a NAT: two machines, one address",
            [_e(Kind.TFTP_DONE, mac=A, ip="i"), _e(Kind.TFTP_DONE, mac=B, ip="i"), _e(Kind.TFTP_DONE, ip="i")],
            "ip i",
        ),
        (
            "an address claimed by another much later",
            [_e(Kind.TFTP_DONE, mac=A, ip="i"), _e(Kind.TFTP_DONE, 9e3, mac=B, ip="i"), _e(Kind.INSTALL, 9e3, ip="i")],
            B,
        ),
        ("the UUID", [_e(Kind.DHCP_OFFER, mac=A, uuid="u"), _e(Kind.TFTP_DONE, ip="i", uuid="u")], A),
        (
            "a UUID that two boards have",
            [_e(Kind.DHCP_OFFER, mac=A, uuid="u"), _e(Kind.DHCP_OFFER, mac=B, uuid="u"), _e(Kind.TFTP_DONE, uuid="u")],
            "",
        ),
        ("the client identifier", [_e(Kind.DHCP_OFFER, mac=A, client_id="01"), _e(Kind.HTTP_DONE, client_id="01")], A),
        (
            "the token, from any address",
            [_e(Kind.HTTP_DONE, mac=A, ip="i", token="t"), _e(Kind.INSTALL, ip="j", token="t")],
            A,
        ),
        (
            "the token, learnt at a leased address",
            [
                _e(Kind.DHCP_ACK, mac=A, ip="i"),
                _e(Kind.HTTP_DONE, ip="i", token="t"),
                _e(Kind.INSTALL, ip="j", token="t"),
            ],
            A,
        ),
        ("the system", [_e(Kind.DHCP_OFFER, mac=A, system="lady"), _e(Kind.INSTALL, system="lady")], A),
    ],
)
def test_whose_event_it_is(why: str, events: list[Event], machine: str) -> None:
    assert _identified(*events)[-1] == machine, why


@pytest.mark.parametrize(
    "event",
    [
        _e(Kind.SERVER),
        _e(Kind.INVENTORY),
        _e(Kind.INSTALL, system="lady"),
        _e(Kind.TFTP_DROP, ip="10.0.0.9"),
        _e(Kind.HTTP_DONE, ip="10.0.0.9", name="/"),
        _e(Kind.DHCP_DROP, mac=A, detail=(("type", "discover"), ("loader", "os"))),
    ],
    ids=lambda event: event.kind,
)
def test_what_is_no_boot(event: Event) -> None:
    """A visitor's browser, a telephone's DHCP, an operator's command: none makes a boot."""
    assert Correlator().place(event).boot == 0


@st.composite
def _histories(draw: st.DrawFn) -> list[Machine]:
    """Some machines, each booting now and then in some way, at about the same time."""
    machines = [
        Machine(
            mac=f"52:54:00:00:00:{n:02x}",
            ip=f"10.0.0.{n}",
            system=f"system{n}" if draw(st.booleans()) else "",
            uuid=draw(st.sampled_from(["same-bogus-uuid", f"uuid-{n}"])),
            token=f"token-{n}",
            at=1000.0 + draw(st.floats(0, 60)),
        )
        for n in range(1, draw(st.integers(2, 4)) + 1)
    ]
    for machine in machines:
        for scene in draw(st.lists(st.sampled_from(list(SCENES.values())), min_size=1, max_size=3)):
            scene(machine).wait(draw(st.sampled_from([5.0, 30.0, 4000.0])))
    return machines


def _truth(machines: list[Machine]) -> dict[int, str]:
    return {id(event): machine.mac for machine in machines for event in machine.events}


@settings(deadline=None)
@given(_histories())
def test_never_two_machines_in_one_boot(machines: list[Machine]) -> None:
    whose = _truth(machines)
    correlator = Correlator()
    placed = [correlator.place(event) for event in in_order(*machines)]
    boots = defaultdict(set)
    for place, where in zip(placed, _adopted(placed), strict=True):
        if where[1]:
            boots[where].add(whose[id(place.event)])
    assert all(len(macs) == 1 for macs in boots.values())
    assert all(place.machine == whose[id(place.event)] for place in placed)


@settings(deadline=None, max_examples=50)
@given(_histories(), st.randoms(use_true_random=False))
def test_workers_out_of_step_do_no_harm(machines: list[Machine], shuffle: random.Random) -> None:
    """Each event comes some milliseconds late; through Order the places are the same."""
    events = list(in_order(*machines))
    straight = Correlator()
    expected = {id(event): straight.place(event) for event in events}
    delayed = sorted(((event.at + shuffle.uniform(0, 0.04), n) for n, event in enumerate(events)))
    order, correlator, found = Order(), Correlator(), {}
    for now, n in delayed:
        for event in order.pop(now):
            found[id(event)] = correlator.place(event)
        order.push(events[n], now)
    found |= {id(event): correlator.place(event) for event in order.flush()}
    assert {key: (place.machine, place.boot) for key, place in found.items()} == {
        key: (place.machine, place.boot) for key, place in expected.items()
    }


@settings(deadline=None, max_examples=50)
@given(_histories(), st.integers(0, 200))
def test_a_writer_started_anew_goes_on(machines: list[Machine], cut: int) -> None:
    """What is not in memory comes from the journal, at any point of a boot."""
    events = list(in_order(*machines))
    straight = Correlator()
    expected = [straight.place(event) for event in events]
    before, after = expected[:cut], events[cut:]

    def recall(machine: str) -> list[Placed]:
        last = max((place.boot for place in before if place.machine == machine), default=0)
        return [place for place in before if place.machine == machine and place.boot == last and last]

    anew = Correlator(recall)
    for place in before:
        anew.restore(place)
    assert [(p.machine, p.boot) for p in map(anew.place, after)] == [(p.machine, p.boot) for p in expected[cut:]]


def test_memory_is_bounded() -> None:
    """A flood of invented MACs, addresses, UUIDs and tokens fills nothing up, and does not renumber a real boot."""
    correlator = Correlator(limit=500)
    for n in range(20_000):
        mac = ":".join(f"{octet:02x}" for octet in n.to_bytes(6, "big"))
        facts = {name: f"{name}-{n}" for name in ("uuid", "client_id", "ip", "token", "system")}
        correlator.place(Event(n * 0.001, Kind.DHCP_ACK, Reason.DHCP_OK, mac=mac, **facts))  # type: ignore[arg-type]
    identity = correlator._identity
    sizes = [len(value) for value in vars(identity).values() if isinstance(value, Recent)]
    assert max(*sizes, len(correlator._boots)) <= 500


def test_every_rule_says_why_and_is_needed() -> None:
    assert all(len(rule.why) > 40 for rule in RULES)


@pytest.mark.parametrize("number", range(len(RULES)))
def test_no_rule_is_idle(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any one of them some history is placed otherwise."""
    histories = [bios_pxelinux, uefi_grub, ipxe_chain, ipxe_rom_local, ignored]
    events: list[list[Event]] = []
    for first, second in itertools.product(histories, repeat=2):
        for pause in (15.0, 7200.0):
            events.append(second(first(Machine()).wait(pause)).events)
            events.append([event for event in events[-1] if not event.kind.startswith("dhcp.")])
    events += [_reset_while("ipxe", "loader").events]
    events += [Machine().address("os").wait(9000.0).address("os").events]

    def places() -> list[list[int]]:
        return [[correlator.place(event).boot for event in one] for one in events if (correlator := Correlator())]

    with_all = places()
    monkeypatch.setattr("netprov.journal.correlate.RULES", RULES[:number] + RULES[number + 1 :])
    assert places() != with_all

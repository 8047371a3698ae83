"""The drawing of a boot: every span in its lane, in order, within the picture."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from netprov.boot.reason import Reason
from netprov.journal.boots import boot_of
from netprov.journal.event import Event, Kind
from netprov.web.lanes import MARGIN, MOST_SPANS, Axis, draw
from netprov.web.words import about, ago, since
from tests.journal import scenes

INTERVALS = st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e5)).map(lambda p: (p[0], p[0] + p[1])), max_size=60)
EVENTS = st.builds(
    Event,
    at=st.floats(1.7e9, 1.7e9 + 1e6),
    kind=st.sampled_from(Kind),
    reason=st.sampled_from(Reason),
    stage=st.sampled_from(("", "address", "loader", "kernel", "nonsense")),
    xid=st.integers(0, 3),
    size=st.integers(0, 1 << 40),
    seconds=st.floats(0, 1e6),
    name=st.sampled_from(("", "a", "b")),
)


@given(INTERVALS.filter(bool))
def test_the_axis_keeps_the_order_and_its_bounds(intervals: list[tuple[float, float]]) -> None:
    axis = Axis(intervals)
    times = sorted({time for interval in intervals for time in interval})
    places = [axis.x(time) for time in times]
    assert places == sorted(places)
    assert all(MARGIN <= place <= 100 - MARGIN for place in places)
    for begin, end in intervals:
        x, width = axis.span(begin, end)
        assert x >= 0
        assert width > 0
        assert x + width <= 100.01
    ticks = [tick.x for tick in axis.ticks()]
    assert ticks == sorted(ticks)
    assert all(pause.x >= 0 and pause.x + pause.width <= 100 for pause in axis.pauses())


@given(st.lists(EVENTS, min_size=1, max_size=30))
def test_any_boot_can_be_drawn(events: list[Event]) -> None:
    drawing = draw(boot_of("m", 1, events))
    numbers = [span.number for lane in drawing.lanes for span in lane.spans]
    assert len(numbers) == len(set(numbers)) <= len(events)
    assert all(0 <= span.x <= 100 and span.title for lane in drawing.lanes for span in lane.spans)


def test_a_long_install_does_not_squeeze_the_rest() -> None:
    machine = scenes.Machine()
    scenes.bios_pxelinux(machine)
    machine.wait(1800.0).http("/autoinstall/lady", "autoinstall")
    drawing = draw(boot_of("m", 1, machine.events))
    kernel = next(lane for lane in drawing.lanes if lane.name == "kernel")
    assert kernel.spans[0].width > 5
    assert drawing.pauses[-1].text == "30 min"
    assert kernel.facts == "8.1 MB, 6.2 MB/s"


def test_an_address_is_one_span_from_offer_to_confirmation() -> None:
    machine = scenes.Machine()
    machine.address("firmware", "pxelinux.0")
    (lane,) = draw(boot_of("m", 1, machine.events)).lanes
    (span,) = lane.spans
    assert (lane.name, span.number, span.width > 50) == ("address", 1, True)


def test_a_transfer_under_way_and_one_that_failed() -> None:
    machine = scenes.Machine()
    machine.tftp("pxelinux.0", "loader")
    machine.say(Kind.TFTP_REQUEST, Reason.TFTP_OK, "asks", stage="kernel", name="vmlinuz", peer="a:1")
    machine.say(Kind.TFTP_FAIL, Reason.TFTP_TIMEOUT, "stopped", stage="initrd", name="initrd", peer="a:2", seconds=9.0)
    machine.refused("grub/x.lst", "loader-file")
    lanes = {lane.name: lane for lane in draw(boot_of("m", 1, machine.events)).lanes}
    assert {name: lane.state for name, lane in lanes.items()} == {
        "loader": "done", "kernel": "started", "initrd": "failed", "loader-file": "minor",
    }  # fmt: skip


def test_a_flood_is_bounded() -> None:
    event = Event(1.0, Kind.DHCP_DROP, Reason.UNKNOWN_IGNORE, "x")
    drawing = draw(boot_of("m", 1, [event] * 10_000))
    assert sum(len(lane.spans) for lane in drawing.lanes) == MOST_SPANS


def test_words() -> None:
    assert [ago(s) for s in (0, 0.0124, 12.34, 99.96, 125, 7300, 9e5)] == [
        "0.000 s", "0.012 s", "12.3 s", "100.0 s", "2 min 05 s", "2 h 01 min", "10 d",
    ]  # fmt: skip
    assert [about(s) for s in (0, 0.4, 9.7, 12.6, 200, 8000)] == ["0 s", "0.4 s", "9.7 s", "13 s", "3 min", "2 h"]
    assert [since(s) for s in (-5, 4, 90, 300, 8000, 9e5)] == [
        "just now", "just now", "90 s ago", "5 min ago", "2 h ago", "10 d ago",
    ]  # fmt: skip

"""Events of several workers come out in the order in which they happened, and none waits for long."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from netprov.boot.reason import Reason
from netprov.journal.event import Event, Kind
from netprov.journal.order import HOLD, Order


def _event(at: float) -> Event:
    return Event(at, Kind.DHCP_ACK, Reason.DHCP_OK)


def test_a_late_one_is_put_in_its_place() -> None:
    order = Order()
    order.push(_event(100.02), now=5.000)
    order.push(_event(100.01), now=5.030)
    assert order.pop(5.03) == []
    assert [event.at for event in order.pop(5.051)] == [100.01, 100.02]
    assert len(order) == 0


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, HOLD * 0.9)), max_size=30))
def test_within_the_hold_the_order_is_right(sent: list[tuple[float, float]]) -> None:
    order = Order()
    out: list[float] = []
    for at, delay in sorted(sent, key=lambda pair: sum(pair)):
        out += [event.at for event in order.pop(at + delay)]
        order.push(_event(at), at + delay)
    out += [event.at for event in order.pop(9.0)]
    assert out == sorted(at for at, _ in sent)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_nothing_waits_longer_whatever_the_clock_does(times: list[float]) -> None:
    """The wall clock may be set back while events wait; what counts for the wait is when they came."""
    order = Order()
    now, came, left = 0.0, {}, {}
    for n, at in enumerate(times):
        now = n * 0.02
        event = Event(at, Kind.DHCP_ACK, Reason.DHCP_OK, xid=n)
        order.push(event, now)
        came[n] = now
        for event in order.pop(now):
            left[event.xid] = now
        for waiting, since in came.items():
            assert waiting in left or now - since < HOLD + 0.02
    assert len(order.flush()) + len(left) == len(times)

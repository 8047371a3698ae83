"""When to send again: the retransmission interval, learnt from the round trips."""

from __future__ import annotations

INITIAL = 1.0  # seconds, before a round trip is known (RFC 6298 §2.1)
FLOOR = 0.040  # a PXE ROM polls its card: below this a slow client, not a loss, would be what we answer
CEILING = 4.0  # boot clients themselves give up after 5-30 s, so waiting longer than this helps nobody


class RetransmitTimer:
    """The interval after RFC 6298 (srtt + 4 var), between `floor` and `ceiling`, doubled with each retransmission.

    `ceiling`: the client's timeout option where it gave one (RFC 2349), in seconds.
    """

    __slots__ = ("_ceiling", "_floor", "_rto", "_srtt", "_var", "interval")

    def __init__(self, ceiling: float | None = None, floor: float = FLOOR) -> None:
        self._floor = floor
        self._ceiling = CEILING if ceiling is None else ceiling
        self._srtt = -1.0
        self._var = 0.0
        self._rto = min(INITIAL, self._ceiling)
        self.interval = self._rto

    def sample(self, rtt: float) -> None:
        """A round trip of `rtt` seconds, of a packet that was sent once only (Karn's rule)."""
        if self._srtt < 0:
            self._srtt, self._var = rtt, rtt / 2
        else:
            difference = rtt - self._srtt
            self._srtt += difference / 8
            self._var += ((difference if difference > 0 else -difference) - self._var) / 4
        rto = self._srtt + 4 * self._var
        self._rto = self.interval = self._floor if rto < self._floor else rto if rto < self._ceiling else self._ceiling

    def progress(self) -> None:
        """Something was acknowledged: the doubling ends."""
        self.interval = self._rto

    def back_off(self) -> None:
        self.interval = min(self.interval * 2, self._ceiling)

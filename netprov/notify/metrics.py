"""How the receivers of webhooks do, for /metrics."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from netprov.notify.receivers import receivers


class Receivers(Collector):
    """For /metrics. Labels are the names that the configuration gives."""

    def __init__(self, spool: Path) -> None:
        self._spool = spool

    def describe(self) -> Iterator[Metric]:
        """Nothing ahead: to register must read no file."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        try:
            found = receivers(self._spool)
        except sqlite3.Error:  # the worker, who writes it, says so
            return
        messages = CounterMetricFamily(
            "netprov_webhook_messages",
            "Messages that a webhook's receiver accepted, and those given up.",
            labels=("hook", "outcome"),
        )
        failures = CounterMetricFamily(
            "netprov_webhook_failures", "Attempts that a webhook's receiver did not accept.", labels=("hook",)
        )
        waiting = GaugeMetricFamily("netprov_webhook_waiting", "Messages that wait.", labels=("hook",))
        failing = GaugeMetricFamily(
            "netprov_webhook_failing", "Whether the receiver accepted nothing at the last attempt.", labels=("hook",)
        )
        for row in found:
            messages.add_metric((row.name, "delivered"), row.delivered)
            messages.add_metric((row.name, "dropped"), row.dropped)
            failures.add_metric((row.name,), row.failed)
            waiting.add_metric((row.name,), row.waiting)
            failing.add_metric((row.name,), 1 if row.failing else 0)
        yield from (messages, failures, waiting, failing)

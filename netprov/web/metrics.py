"""/metrics, for Prometheus. Labels are words of netprov's own tables, never what a client sent."""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter
from collections.abc import Iterator

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from netprov.boot.install import InstallState
from netprov.http.outcome import Outcome
from netprov.inventory.model import Scope
from netprov.notify.metrics import Receivers
from netprov.state.place import Place
from netprov.state.records import standing
from netprov.web.access import needs
from netprov.web.services import Services
from netprov.web.tally import BUCKETS, Tally
from netprov.web.turn import tell

logger = logging.getLogger(__name__)


def blueprint(services: Services) -> Blueprint:
    routes = Blueprint("metrics", __name__)
    registry = CollectorRegistry()
    registry.register(Server(services))
    registry.register(Receivers(Place(services.newest().inventory.settings.server.state).spool))

    @routes.get("/metrics")
    def metrics() -> Response:
        tell(Outcome(quiet=True))
        needs(request, services.inventory().settings.server, Scope.READ)
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)

    return routes


class Server(Collector):
    """The whole server, whichever of its HTTP workers is asked."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._tally = Tally(services.journal)

    def describe(self) -> Iterator[Metric]:
        """Nothing ahead: to register must read no file."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        journal = 1.0
        try:
            self._tally.update()
        except sqlite3.Error as error:
            logger.warning("the journal cannot be read for /metrics: %s", error)
            journal = 0.0
        yield GaugeMetricFamily("netprov_journal_readable", "Whether the journal could be read.", value=journal)
        yield from self._counted()
        yield from self._installs()
        yield from self._leases()
        inventory = self._services.inventory()
        yield GaugeMetricFamily("netprov_inventory_generation", "The generation that serves.", inventory.generation)
        yield GaugeMetricFamily("netprov_systems", "Declared systems.", len(inventory.systems()))

    def _counted(self) -> Iterator[Metric]:
        tally = self._tally
        events = CounterMetricFamily(
            "netprov_events", "What happened, by kind and reason, since the start.", labels=("kind", "reason")
        )
        for (kind, reason), count in sorted(tally.events.items()):
            events.add_metric((kind, reason), count)
        yield events
        boots = CounterMetricFamily("netprov_boots", "Boots that reached the stage.", labels=("stage",))
        for stage, count in sorted(tally.boots.items()):
            boots.add_metric((stage,), count)
        yield boots
        octets = CounterMetricFamily("netprov_sent_bytes", "Octets of files sent.", labels=("protocol",))
        for protocol in ("tftp", "http"):
            octets.add_metric((protocol,), tally.octets[protocol])
        yield octets
        yield CounterMetricFamily("netprov_tftp_retransmissions", "TFTP packets sent again.", tally.retransmits)
        seconds = HistogramMetricFamily(
            "netprov_transfer_seconds", "How long the transfers of a stage took.", labels=("stage",)
        )
        for stage, row in sorted(tally.seconds.items()):
            buckets = [(str(most), float(count)) for most, count in zip((*BUCKETS, "+Inf"), row, strict=True)]
            seconds.add_metric((stage,), buckets, tally.seconds_sum[stage])
        yield seconds

    def _installs(self) -> Iterator[Metric]:
        states = Counter(record.state for record in self._services.state.installs.all().values())
        installs = GaugeMetricFamily("netprov_installs", "Machines by the state of their install.", labels=("state",))
        for state in InstallState:
            installs.add_metric((state.value,), states[state])
        yield installs

    def _leases(self) -> Iterator[Metric]:
        found, now = self._services.state.leases.all(), self._services.clock()
        states = Counter(standing(lease, now) for lease in found)
        by_state = GaugeMetricFamily("netprov_leases", "Addresses by the state of their lease.", labels=("state",))
        for state in ("leased", "expired", "released", "declined"):
            by_state.add_metric((state,), states[state])
        yield by_state
        size = GaugeMetricFamily("netprov_pool_addresses", "Addresses in the subnet's ranges.", labels=("subnet",))
        used = GaugeMetricFamily("netprov_pool_used", "Of these, those leased or declined.", labels=("subnet",))
        taken = [lease.ip for lease in found if standing(lease, now) in ("leased", "declined")]
        for subnet in self._services.inventory().subnets:
            label = (str(subnet.subnet),)
            size.add_metric(label, sum(int(part.last) - int(part.first) + 1 for part in subnet.ranges))
            used.add_metric(label, sum(1 for ip in taken if any(ip in part for part in subnet.ranges)))
        yield size
        yield used

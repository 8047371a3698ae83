"""/metrics: what Prometheus reads, and that it is the same from every worker."""

from __future__ import annotations

import time
from ipaddress import IPv4Address

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from web_world import LADY, Site, lady, stranger

from netprov.boot.install import UNDECLARED, Arm
from netprov.boot.reason import Reason
from netprov.journal.event import Event, Kind
from netprov.state.leases import Lease
from netprov.web import tally
from netprov.web.app import create_app
from netprov.web.tally import Tally
from tests.journal import scenes

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(client: FlaskClient) -> Samples:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(answer.text)
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, tuple(sorted(labels.items()))]


def test_what_is_counted(site: Site, client: FlaskClient) -> None:
    site.boot(scenes.uefi_grub, **lady())
    site.boot(scenes.ignored, **stranger())
    site.state.installs.apply({"tramp": UNDECLARED}, Arm(), 1.0)
    now = time.time()
    site.state.leases.commit([
        Lease(IPv4Address("192.168.77.100"), LADY, expires=now + 60),
        Lease(IPv4Address("192.168.77.101"), LADY, expires=now - 60),
        Lease(IPv4Address("192.168.77.14"), LADY, expires=now + 60),
        Lease(IPv4Address("192.168.77.102"), LADY, expires=now + 60, state="declined"),
    ])  # fmt: skip
    found = scrape(client)
    for stage, count in (("begun", 2), ("address", 1), ("loader", 1), ("kernel", 1), ("callback", 1)):
        assert value(found, "netprov_boots_total", stage=stage) == count, stage
    assert value(found, "netprov_events_total", kind="dhcp.drop", reason="unknown-ignore") == 4
    assert value(found, "netprov_events_total", kind="install", reason="install-done") == 1
    assert value(found, "netprov_sent_bytes_total", protocol="tftp") == 950_000 + 2_700_000 + 400 + 9_500_000
    assert value(found, "netprov_sent_bytes_total", protocol="http") == 2003
    assert value(found, "netprov_transfer_seconds_bucket", stage="loader", le="0.1") == 1
    assert value(found, "netprov_transfer_seconds_bucket", stage="loader", le="1.0") == 2
    assert value(found, "netprov_transfer_seconds_count", stage="loader") == 2
    assert value(found, "netprov_transfer_seconds_sum", stage="loader") == pytest.approx(0.9)
    assert value(found, "netprov_installs", state="armed") == 1
    assert value(found, "netprov_leases", state="leased") == 2
    assert value(found, "netprov_leases", state="expired") == 1
    assert value(found, "netprov_pool_addresses", subnet="192.168.77.0/24") == 101
    assert value(found, "netprov_pool_used", subnet="192.168.77.0/24") == 2
    assert value(found, "netprov_systems") == 4
    assert value(found, "netprov_journal_readable") == 1
    assert scrape(client) == found
    site.record(Event(now, Kind.TFTP_FAIL, Reason.TFTP_TIMEOUT, stage="kernel", mac=LADY, size=5, retransmits=7))
    again = scrape(client)
    assert value(again, "netprov_tftp_retransmissions_total") == 7
    assert value(again, "netprov_events_total", kind="tftp.fail", reason="tftp-timeout") == 1
    assert value(again, "netprov_boots_total", stage="begun") == 2


def test_every_worker_counts_from_the_servers_start(site: Site) -> None:
    site.boot(scenes.uefi_grub, 7200, **lady())
    site.record(Event(time.time() - 7000, Kind.SERVER, Reason.SERVER_STARTED, "serves"))
    site.boot(scenes.ignored, **stranger())
    one, other = (create_app(site.services).test_client() for _ in range(2))
    first = scrape(one)
    site.record(Event(time.time(), Kind.TFTP_REFUSE, Reason.TFTP_OUTSIDE, stage="file"))
    assert scrape(one) == scrape(other) != first
    assert value(first, "netprov_boots_total", stage="begun") == 1


def test_before_there_is_a_journal(site: Site) -> None:
    counted = Tally(site.folder / "nothing.db")
    counted.update()
    assert not counted.events


def test_the_boots_remembered_are_bounded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "_BOOTS", 10)
    counted = Tally(site.services.journal)
    for number in range(100):
        counted._take(number, "dhcp.ack", "dhcp-ok", "address", 0, 0.0, 0, f"m{number}", 1)
    assert len(counted._reached) == 10
    assert counted.boots["begun"] == 100

"""What netprov-pxeboot says of itself by DHCP: said once, read by the server as it was meant."""

from __future__ import annotations

from ipaddress import IPv4Address

from netprov.boot.arch import arch_by_name
from netprov.boot.domu import answer_name, dhcp_options
from netprov.boot.names import parse_name
from netprov.boot.programs import Runs
from netprov.boot.request import BootRequest, Loader, Via
from netprov.dhcp.classify import Arrival, classify
from netprov.dhcp.packet import Packet, parse
from netprov.explain.question import discover
from netprov.mac import Mac
from netprov.simulate import machine

LADY = Mac("00:16:3e:11:11:11")
UUID = "6f2b1c40-1111-4e00-8000-00163e111111"


def test_the_server_knows_it_and_its_uuid() -> None:
    """The UUID went out big-endian, so that the server saw another one."""
    told = Packet(chaddr=bytes(16), options=dict(dhcp_options(LADY, UUID)))
    request = classify(told, Arrival("eth0", IPv4Address("10.0.0.1")), Via.DHCP)
    assert (request.loader, request.arch, request.uuid) == (Loader.XEN, 0, UUID)


def test_explain_and_simulate_say_the_same() -> None:
    told = dhcp_options(LADY, UUID)
    asking = BootRequest(Via.DHCP, mac=LADY, uuid=UUID, loader=Loader.XEN)
    explained = parse(discover(asking, arch_by_name("bios"), Loader.XEN)).options
    assert {code: octets for code, octets in explained.items() if code not in (53, 57)} == dict(told)
    simulated = machine.Machine(LADY, machine.KINDS["xen"], uuid=UUID)
    assert machine.dhcp_options(simulated, Runs.XEN) == told


def test_it_asks_for_what_it_reads() -> None:
    """dnsmasq and ISC's dhcpd send 209 and 210 to who asks for them only."""
    assert {1, 3, 67, 209, 210} <= set(dict(dhcp_options(LADY))[55])


def test_without_a_uuid_it_says_none() -> None:
    assert 97 not in dict(dhcp_options(LADY))


def test_where_its_answer_is() -> None:
    name = parse_name(answer_name(LADY))
    assert name is not None
    assert (name.loader, name.mac) == (Loader.XEN, LADY)

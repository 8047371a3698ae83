"""Leases, offers and pools: D5, D18, starvation, and that no two clients ever have one address."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest
from dhcp_world import (
    LADY,
    LADY_IP,
    NOW,
    RELAY,
    SERVER,
    STRANGER,
    TRAMP,
    World,
    inventory,
    ip,
    mac_number,
    reply,
    subnet,
    system,
)
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from netprov.boot.reason import Reason
from netprov.dhcp.packet import ACK, DECLINE, NAK, RELEASE, REQUEST
from netprov.dhcp.pool import Pool
from netprov.inventory.model import Range
from netprov.mac import Mac
from netprov.state.leases import Lease

POOL = [ip(f"10.77.0.{n}") for n in range(100, 110)]


@pytest.fixture
def world() -> World:
    return World()


def test_fresh_addresses_first_then_the_longest_idle(world: World) -> None:
    given = [world.boot(mac_number(n)).yiaddr for n in range(8)]
    assert given == POOL[:8]
    for n in (3, 1):
        world.now += 1
        world.ask(RELEASE, mac_number(n), {54: SERVER.packed}, ciaddr=given[n])
    # the last of the pool is kept for tramp, who is declared without an address
    assert [world.boot(mac_number(n)).yiaddr for n in (20, 21, 22)] == [POOL[8], given[3], given[1]]


def test_a_declared_machine_gets_an_address_however_full(world: World) -> None:
    """The reserved share: lady has an address of her own, tramp one of those kept for declared machines."""
    refused = [n for n in range(40) if world.discover(mac_number(n)).reply is None or not world.boot(mac_number(n))]
    assert refused
    assert world.boot(LADY).yiaddr == LADY_IP
    assert world.boot(TRAMP).yiaddr in POOL


def test_flood_of_discovers_leaves_room(world: World) -> None:
    """dhcpstarv: 5,000 invented machines; whoever really wants an address still gets one."""
    wide = subnet("10.77.0.0/24", "10.77.0.100", "10.77.0.199")
    far = subnet("10.88.0.0/24", "10.88.0.100", "10.88.0.109")
    world = World(inventory(subnets=(wide, far)))
    for n in range(5000):
        world.now += 0.001
        world.discover(mac_number(n))
    assert len(world.server.addresses.offers) <= 50
    assert world.boot(STRANGER).type == ACK
    assert world.boot(LADY).yiaddr == LADY_IP
    assert world.boot(mac_number(9999), giaddr=RELAY).type == ACK


def test_flood_behind_one_relay_port_is_that_ports_trouble() -> None:
    world = World(inventory(subnets=(subnet("10.88.0.0/24", "10.88.0.100", "10.88.0.199"),)))
    for n in range(2000):
        world.discover(mac_number(n), {82: b"\1\4bad1"}, giaddr=RELAY)
    offer = reply(world.discover(STRANGER, {82: b"\1\4good"}, giaddr=RELAY))
    for n in range(3000, 5000):
        world.discover(mac_number(n), {82: b"\1\4bad1"}, giaddr=RELAY)
        world.ask(REQUEST, mac_number(n), {50: offer.yiaddr.packed, 54: SERVER.packed, 82: b"\1\4bad1"}, giaddr=RELAY)
    options = {50: offer.yiaddr.packed, 54: SERVER.packed, 82: b"\1\4good"}
    assert reply(world.ask(REQUEST, STRANGER, options, giaddr=RELAY)).type == ACK


def test_a_recycled_offer_goes_to_who_asks_first(world: World) -> None:
    tiny = World(inventory(subnets=(subnet("10.77.0.0/24", "10.77.0.100", "10.77.0.100"),), systems=()))
    first = reply(tiny.discover(mac_number(1))).yiaddr
    tiny.now += 3
    assert reply(tiny.discover(mac_number(2))).yiaddr == first
    asked = {50: first.packed, 54: SERVER.packed}
    assert reply(tiny.ask(REQUEST, mac_number(1), asked)).type == ACK
    assert reply(tiny.ask(REQUEST, mac_number(2), asked)).type == NAK


@pytest.mark.parametrize("relay", [{}, {"giaddr": RELAY}])
def test_an_offer_is_kept_for_its_client_while_others_are_free(world: World, relay: dict[str, IPv4Address]) -> None:
    """A neighbour on the same wire, or behind the same relay, does not get it by asking for it first."""
    offered = reply(world.discover(STRANGER, **relay)).yiaddr
    asked = {50: offered.packed, 54: SERVER.packed}
    assert reply(world.ask(REQUEST, mac_number(1), asked, **relay)).type == NAK
    assert reply(world.discover(mac_number(1), {50: offered.packed}, **relay)).yiaddr != offered
    assert reply(world.ask(REQUEST, STRANGER, asked, **relay)).type == ACK


def test_a_recycled_offer_stays_contested_when_its_client_asks_again() -> None:
    tiny = World(inventory(subnets=(subnet("10.77.0.0/24", "10.77.0.100", "10.77.0.100"),), systems=()))
    first = reply(tiny.discover(mac_number(1))).yiaddr
    tiny.now += 3
    for _ in range(2):
        assert reply(tiny.discover(mac_number(2))).yiaddr == first
    assert reply(tiny.ask(REQUEST, mac_number(1), {50: first.packed, 54: SERVER.packed})).type == ACK


def test_an_offer_of_ones_own_lease_is_nobody_elses(world: World) -> None:
    """A machine that starts again is offered what it has; a neighbour does not get it by asking for it first."""
    held = world.boot(STRANGER).yiaddr
    world.discover(STRANGER)
    assert reply(world.ask(REQUEST, mac_number(1), {50: held.packed, 54: SERVER.packed})).type == NAK


def test_pool_empty_says_so(world: World) -> None:
    outcomes = [world.discover(mac_number(n)) for n in range(20)]
    reasons = [outcome.event.reason for outcome in outcomes]
    assert reasons[:9] == [Reason.DHCP_OK] * 9
    assert reasons[-1] is Reason.DHCP_POOL_EMPTY
    assert "10.77.0.0/24: all 10 addresses" in outcomes[-1].event.text


def test_offers_are_held_and_end(world: World) -> None:
    offered = reply(world.discover(STRANGER)).yiaddr
    assert reply(world.discover(STRANGER)).yiaddr == offered
    assert reply(world.discover(mac_number(1))).yiaddr != offered
    world.now += 61
    for n in range(2, 10):
        world.discover(mac_number(n))
    assert len(world.server.addresses.offers) == 8


def test_the_address_asked_for_is_given_where_it_is_free(world: World) -> None:
    wanted = {50: POOL[5].packed}
    assert reply(world.discover(STRANGER, wanted)).yiaddr == POOL[5]
    assert reply(world.discover(mac_number(1), wanted)).yiaddr != POOL[5]
    for nobody in (LADY_IP, SERVER, ip("10.77.0.255"), ip("10.77.0.50"), ip("10.99.0.1")):
        assert reply(world.discover(mac_number(2), {50: nobody.packed})).yiaddr in POOL


def test_a_machine_comes_back_to_its_address(world: World) -> None:
    given = world.boot(STRANGER).yiaddr
    world.now += 90_000
    world.boot(mac_number(1))
    assert world.boot(STRANGER).yiaddr == given


def test_declared_addresses_inside_the_range_are_not_given_out() -> None:
    lady = system("lady", LADY, "10.77.0.100/24")
    world = World(inventory(systems=(lady,)))
    assert {world.boot(mac_number(n)).yiaddr for n in range(9)} == set(POOL[1:])
    assert world.discover(STRANGER).reply is None
    assert world.boot(LADY).yiaddr == POOL[0]


def test_gateway_and_name_servers_inside_the_range_are_not_given_out() -> None:
    net = subnet("10.77.0.0/24", "10.77.0.0", "10.77.0.4", router=(ip("10.77.0.3"),), dns=(ip("10.77.0.2"),))
    world = World(inventory(subnets=(net,), systems=()))
    assert world.boot(STRANGER).yiaddr == ip("10.77.0.4")
    assert world.discover(mac_number(1)).reply is None


def test_an_inventory_change_keeps_leases_and_offers(world: World) -> None:
    held = world.boot(STRANGER).yiaddr
    offered = reply(world.discover(mac_number(1))).yiaddr
    world.server.update(inventory(), world.now, (SERVER,))
    assert reply(world.ask(REQUEST, mac_number(1), {50: offered.packed, 54: SERVER.packed})).type == ACK
    others = {world.boot(mac_number(n)).yiaddr for n in range(2, 8)}
    assert len(others | {held, offered}) == 8


def test_ranges_that_move_are_followed(world: World) -> None:
    held = world.boot(STRANGER).yiaddr
    moved = subnet("10.77.0.0/24", "10.77.0.200", "10.77.0.209")
    world.server.update(inventory(subnets=(moved,)), world.now, (SERVER,))
    assert reply(world.ask(REQUEST, STRANGER, ciaddr=held)).type == NAK
    assert world.boot(STRANGER).yiaddr == ip("10.77.0.200")


# D18


def test_d18_restart_forgets_nothing(world: World) -> None:
    given = {n: world.boot(mac_number(n)).yiaddr for n in range(6)}
    world.restart()
    assert {n: world.boot(mac_number(n)).yiaddr for n in (5, 3, 1, 0, 2, 4)} == given
    assert world.boot(mac_number(7)).yiaddr not in given.values()


def test_d18_clock_set_back_while_running(world: World) -> None:
    """Nobody's lease lasts an age, and nobody's ends at once, for an operator who sets the clock."""
    given = world.boot(STRANGER).yiaddr
    for step in (-86_400.0, 86_400.0 * 365):
        world.now += step
        world.stored.update((lease.ip, lease) for lease in world.server.clock_set(step, world.now))
        assert world.stored[given].expires == pytest.approx(world.now + 3600)
        assert given not in {world.boot(mac_number(n)).yiaddr for n in range(3)}
    world.now += 3601
    taken = {reply(o).yiaddr for n in range(50, 70) if (o := world.discover(mac_number(n))).reply is not None}
    assert given in taken


def test_d18_clock_set_back_before_a_restart() -> None:
    """A lease stored by a clock that was a year ahead does not block its address for a year."""
    ahead = Lease(POOL[0], STRANGER, expires=NOW + 365 * 86_400, subnet="10.77.0.0/24")
    world = World(leases=(ahead,))
    assert world.boot(mac_number(1)).yiaddr != POOL[0]
    world.now += 3601
    assert POOL[0] in {world.boot(mac_number(n)).yiaddr for n in range(9)}


def test_d18_clock_set_back_while_offering(world: World) -> None:
    offered = reply(world.discover(STRANGER)).yiaddr
    world.now -= 7200
    assert reply(world.discover(mac_number(1))).yiaddr in POOL
    assert reply(world.ask(REQUEST, STRANGER, {50: offered.packed, 54: SERVER.packed})).type == ACK


# the pool by itself


def test_pool_splits_what_it_keeps() -> None:
    pool = Pool((Range(ip("10.0.0.1"), ip("10.0.0.4")), Range(ip("10.0.0.9"), ip("10.0.0.12"))), kept=100)
    assert (pool.size, pool.share) == (8, 6)
    assert not pool.open_to(ip("10.0.0.11"), declared=False)
    assert pool.open_to(ip("10.0.0.11"), declared=True)
    assert pool.open_to(ip("10.0.0.10"), declared=False)
    assert ip("10.0.0.5") not in pool


def test_pool_finds_the_last_free_address_of_many() -> None:
    """65,000 leases, one end: no search."""
    first = int(ip("10.1.0.0"))
    leases = {IPv4Address(first + n): Lease(IPv4Address(first + n), "", expires=1000.0) for n in range(65_000)}
    pool = Pool((Range(ip("10.1.0.0"), IPv4Address(first + 64_999)),))
    for lease in leases.values():
        pool.watch(lease)
    gone = IPv4Address(first + 30_000)

    def free(address: IPv4Address) -> bool:
        return leases[address].expires <= 10.0

    assert pool.take(False, 10.0, leases.get, free) is None
    leases[gone] = replace(leases[gone], expires=5.0)
    pool.watch(leases[gone])
    assert pool.take(False, 10.0, leases.get, free) == gone


def test_pool_bounds_what_it_remembers_of_renewals() -> None:
    lease = Lease(ip("10.0.0.1"), "", expires=1e9)
    pool = Pool((Range(lease.ip, lease.ip),))
    for n in range(5000):
        pool.watch(replace(lease, expires=1e9 + n))
    pool.take(False, 10.0, {lease.ip: lease}.get, lambda _: False)
    assert len(pool._ends) == 1


class Network(RuleBasedStateMachine):
    """Clients that behave and clients that do not: no address is ever two clients' at once, none confirmed is lost."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.holds: dict[IPv4Address, tuple[Mac, float]] = {}  # what each client was told

    clients = st.integers(0, 14).map(lambda n: LADY if n == 0 else TRAMP if n == 1 else mac_number(n))
    addresses = st.sampled_from([*POOL, LADY_IP, SERVER])

    def _told(self, mac: Mac, outcome_ip: IPv4Address) -> None:
        held = self.holds.get(outcome_ip)
        assert held is None or held[0] == mac or held[1] <= self.world.now, f"{outcome_ip} is {held}'s, now {mac}'s too"
        self.holds = {a: h for a, h in self.holds.items() if h[0] != mac}
        self.holds[outcome_ip] = (mac, self.world.now + 3600)

    @rule(mac=clients)
    def boots(self, mac: Mac) -> None:
        offer = self.world.discover(mac)
        if offer.reply is None:
            return
        ip_, server = reply(offer).yiaddr, SERVER.packed
        ack = reply(self.world.ask(REQUEST, mac, {50: ip_.packed, 54: server}))
        if ack.type == ACK:
            self._told(mac, ack.yiaddr)

    @rule(mac=clients)
    def only_discovers(self, mac: Mac) -> None:
        self.world.discover(mac)

    @rule(mac=clients, address=addresses, selecting=st.booleans(), renewing=st.booleans())
    def asks_for_anything(self, mac: Mac, address: IPv4Address, selecting: bool, renewing: bool) -> None:
        options = {54: SERVER.packed} if selecting else {}
        fields = {"ciaddr": address} if renewing else {}
        outcome = self.world.ask(REQUEST, mac, {**options, **({} if renewing else {50: address.packed})}, **fields)
        if outcome.reply is not None and reply(outcome).type == ACK:
            self._told(mac, reply(outcome).yiaddr)

    @rule(mac=clients, address=addresses)
    def releases(self, mac: Mac, address: IPv4Address) -> None:
        self.world.ask(RELEASE, mac, {54: SERVER.packed}, ciaddr=address)
        if self.holds.get(address, (None,))[0] == mac:
            del self.holds[address]

    @rule(mac=clients, address=addresses)
    def declines(self, mac: Mac, address: IPv4Address) -> None:
        self.world.ask(DECLINE, mac, {54: SERVER.packed, 50: address.packed})
        if self.holds.get(address, (None,))[0] == mac:
            del self.holds[address]

    @rule(seconds=st.sampled_from([0.5, 3.0, 61.0, 1800.0, 4000.0]))
    def waits(self, seconds: float) -> None:
        self.world.now += seconds

    @rule()
    def crashes(self) -> None:
        self.world.restart()

    @rule()
    def inventory_changes(self) -> None:
        self.world.server.update(inventory(), self.world.now, (SERVER,))

    @rule(step=st.sampled_from([-86_400.0, 86_400.0]))
    def clock_is_set(self, step: float) -> None:
        self.world.now += step
        self.holds = {a: (mac, until + step) for a, (mac, until) in self.holds.items()}
        self.world.stored.update((lease.ip, lease) for lease in self.world.server.clock_set(step, self.world.now))

    @invariant()
    def what_was_confirmed_is_stored(self) -> None:
        for address, (mac, until) in self.holds.items():
            if until > self.world.now:
                lease = self.world.stored[address]
                assert (lease.mac, lease.state) == (mac, "leased")
                assert lease.expires >= until - 1


TestNetwork = Network.TestCase
TestNetwork.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)

"""The DHCP stages: the DISCOVER a machine would send, put to the server's own core, and what comes back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from netprov.boot.arch import Arch
from netprov.boot.chain import dhcp_via
from netprov.boot.decide import decide
from netprov.boot.decision import Action, BootDecision, Step
from netprov.boot.identify import identify
from netprov.boot.reason import Reason
from netprov.boot.request import BootRequest, Loader, Via
from netprov.boot.state import BootState
from netprov.dhcp.classify import Arrival
from netprov.explain.paper import Heard, LeaseBook, Paper
from netprov.explain.question import ask_boot_server, discover
from netprov.explain.stage import Reply, Stage
from netprov.render.preview import Preview
from netprov.state.records import Lease


@dataclass(frozen=True, slots=True)
class Told:
    """What a DHCP stage came to."""

    stage: Stage
    decision: BootDecision
    ip: IPv4Address | None = None  # the address that it would have from then on


class Talk:
    """Asks the server's core. `arrival` is how the machine's packets reach us, None where nothing tells our address;
    `now` in seconds since the epoch."""

    def __init__(self, preview: Preview, book: LeaseBook, arrival: Arrival | None, now: float) -> None:
        self._preview = preview
        self._inventory = preview.inventory
        self._book = book
        self._arrival = arrival
        self._now = now

    def told(self, name: str, asking: BootRequest, arch: Arch, loader: Loader) -> Told:
        """What the machine gets while `loader` is on it; `name` is the stage's. Raises StateError."""
        proxy = dhcp_via(self._inventory) is Via.PROXY
        by = "proxyDHCP" if proxy else "DHCP"
        asks = f"{_WHO.get(loader) or f'{arch.name} firmware'}, by {by}{self._ports()}"
        if self._arrival is None:
            return self._decided(name, asks, asking, arch, loader)
        heard = self._heard(discover(asking, arch, loader), asking)
        decision = heard.decision
        if decision is None:  # a MAC that is no machine's
            told = self._decided(name, asks, asking, arch, loader)
            return replace(told, stage=replace(told.stage, gets="no answer", problem=heard.event.text, advice=""))
        stage = answer(name, asks, decision)
        if heard.reply is None:
            return Told(self._unanswered(stage, heard, asking), decision)
        stage = replace(stage, replies=(self._with_note(heard, decision),))
        if proxy and _asks_again(heard.reply, loader):
            stage = replace(stage, replies=(*stage.replies, *self._boot_server(asking, arch, loader)))
        ip = heard.reply.packet.yiaddr
        return Told(self._unrecognised(stage, decision, asking), decision, ip if int(ip) else None)

    def _ports(self) -> str:
        """Whether the server listens where no firmware asks."""
        port = self._inventory.settings.dhcp.port
        return "" if port == 67 else f" on port {port} (dhcp.port), where no firmware asks"

    def _decided(self, name: str, asks: str, asking: BootRequest, arch: Arch, loader: Loader) -> Told:
        """What decide() says, where no packet can be made for want of an address of ours."""
        asked = replace(asking, via=dhcp_via(self._inventory), loader=loader, arch=arch.code)
        decision = decide(asked, self._inventory, BootState(self._preview.records))
        stage = answer(name, asks, decision)
        if not stage.advice and not stage.problem:
            advice = "it is not known which of our addresses it asks: --server shows the whole answer"
            stage = replace(stage, advice=advice)
        return Told(stage, decision)

    def _heard(self, question: bytes, asking: BootRequest) -> Heard:
        """The core's answer, by as few leases as it depends on: a busy server has tens of thousands."""
        if dhcp_via(self._inventory) is Via.PROXY:
            return self._by(question, ())
        match = identify(asking, self._inventory)
        declared = {i.ip.ip for i in match.target.interfaces if i.ip is not None} if match is not None else set()
        if declared:
            heard = self._by(question, [lease for ip in declared if (lease := self._book.at(ip)) is not None])
            if heard.reply is not None and heard.reply.packet.yiaddr in declared:
                return heard
        return self._by(question, self._book.all())

    def _by(self, question: bytes, leases: Iterable[Lease]) -> Heard:
        arrival = self._arrival
        assert arrival is not None
        own = [address.ip for address in arrival.addresses]
        paper = Paper(self._inventory, self._preview.records, leases, self._now, own)
        return paper.hear(question, arrival, self._now)

    def _with_note(self, heard: Heard, decision: BootDecision) -> Reply:
        reply = heard.reply
        assert reply is not None
        ip = reply.packet.yiaddr
        if not int(ip):
            return reply
        if ip == decision.reserved_ip:
            return replace(reply, note="declared")
        return replace(reply, note="of the range; another may be free when it asks")

    def _unanswered(self, stage: Stage, heard: Heard, asking: BootRequest) -> Stage:
        """The core says nothing, and why: by the decision, or for a reason of its own."""
        decision = heard.decision
        assert decision is not None
        event = heard.event
        if decision.action is Action.IGNORE or event.reason is decision.reason:
            return self._unrecognised(stage, decision, asking)
        step = Step(event.reason, event.text)
        problem = f"{event.text}: {event.reason.advice}" if event.reason.advice else event.text
        return replace(stage, gets="no answer", trace=(*decision.trace, step), problem=problem, advice="")

    def _unrecognised(self, stage: Stage, decision: BootDecision, asking: BootRequest) -> Stage:
        """Says so where the system asked about is not known by what its DHCP packets tell."""
        match = identify(asking, self._inventory)
        if decision.target is not None or match is None:
            return stage
        if match.reason is Reason.MATCH_CIRCUIT:
            advice = (
                f"system {match.target.name} is identified by its switch port, which a relay reports: --relay ADDRESS"
            )
        else:
            advice = (
                f"system {match.target.name} is identified by its {match.by}, which DHCP does not show: declare its MAC"
            )
        return replace(stage, advice=advice)

    def _boot_server(self, asking: BootRequest, arch: Arch, loader: Loader) -> tuple[Reply, ...]:
        arrival = self._arrival
        assert arrival is not None
        ip = self._own_address(asking)
        data = ask_boot_server(asking, arch, loader, arrival.server, ip)
        port = self._inventory.settings.dhcp.proxy_port
        asked = replace(arrival, port=port, unicast=True, peer=ip, peer_port=4011)
        own = [address.ip for address in arrival.addresses]
        heard = Paper(self._inventory, self._preview.records, (), self._now, own).hear(data, asked, self._now)
        return (replace(heard.reply, note=f"asked on port {port}"),) if heard.reply is not None else ()

    def _own_address(self, asking: BootRequest) -> IPv4Address:
        """What the other server gives it: the declared address, or one that stands for it."""
        match = identify(asking, self._inventory)
        for interface in match.target.interfaces if match is not None else ():
            if interface.ip is not None and interface.mac in (asking.mac, None):
                return interface.ip.ip
        return asking.ip or _TO_STAND_FOR_IT


_TO_STAND_FOR_IT = IPv4Address("192.0.2.1")  # RFC 5737
_WHO = {Loader.IPXE: "iPXE", Loader.XEN: "netprov-pxeboot, for a domU"}


def _asks_again(reply: Reply, loader: Loader) -> bool:
    """Whether firmware goes on to port 4011: a PXE client does after a ProxyOFFER without option 43."""
    options = reply.packet.options
    return loader is Loader.FIRMWARE and options.get(60, b"").startswith(b"PXEClient") and 43 not in options


def answer(name: str, asks: str, decision: BootDecision) -> Stage:
    """A stage by its decision: what is sent, and what to do where the boot ends here."""
    gets = _GETS[decision.action].format(decision=decision)
    ends = decision.action in (Action.IGNORE, Action.ADDRESS, Action.LOCAL)
    advice = decision.reason.advice if ends else ""
    if decision.reason in _WRONG:
        return Stage(name, asks, gets, decision.trace, problem=advice)
    return Stage(name, asks, gets, decision.trace, advice=advice)


_GETS = {
    Action.IGNORE: "no answer",
    Action.ADDRESS: "an address, nothing to boot",
    Action.LOADER: "{decision.sends}",
    Action.KERNEL: "boots {decision.kernel.kernel}",
    Action.MENU: "a menu",
    Action.LOCAL: "nothing to boot: it goes on to its own disk",
    Action.IDENTIFY: "asks again with its MAC",
}

_WRONG = (Reason.ARCH_MISMATCH, Reason.ARCH_UNKNOWN, Reason.NO_KERNEL, Reason.NO_MENU_ENTRIES)
"""Why a machine boots its own disk though nobody wants that."""

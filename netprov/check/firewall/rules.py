"""A packet filter's rules in one form, whoever wrote them, and the way of a packet through them.

What a rule asks for that is not understood here is neither true nor false: then the outcome says that it hangs on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Network

Span = tuple[int, int]
Value = str | Span | IPv4Network

_DEPTH = 32  # chains that call each other: the kernel allows 16 (nf_tables) and refuses circles


class Does(StrEnum):
    """What a rule does with a packet that fits."""

    ACCEPT = "accept"
    DROP = "drop"
    RETURN = "return"
    JUMP = "jump"
    GOTO = "goto"
    QUEUE = "queue"  # a program decides
    NOTHING = "continue"


@dataclass(frozen=True, slots=True)
class Match:
    """One thing that a rule asks of a packet: that its fact `key` is one of `values` (or none, where `negated`).

    A key that Packet.facts does not have is one that is not understood.
    """

    key: str
    values: tuple[Value, ...] = ()
    negated: bool = False

    def __str__(self) -> str:
        said = ",".join(map(_spelled, self.values))
        return f"{self.key}{' not' if self.negated else ''} {said}".strip()


@dataclass(frozen=True, slots=True)
class Rule:
    matches: tuple[Match, ...]
    does: Does
    target: str = ""  # the chain to go to
    text: str = ""  # as its own tool writes it; "": put together from the matches

    def __str__(self) -> str:
        return self.text or " ".join([*map(str, self.matches), self.does, self.target]).strip()


@dataclass(frozen=True, slots=True)
class Chain:
    """`hook` and `policy` are "" for chains that others jump to."""

    name: str
    rules: Sequence[Rule] = ()
    hook: str = ""
    policy: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """`tool` is "nft" or "iptables", `name` what it calls the table."""

    tool: str
    name: str
    chains: Mapping[str, Chain] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Packet:
    """What is known of packets of one kind. Ports are spans, the source a network: of any of them."""

    iif: str
    proto: str
    source: IPv4Network
    to: IPv4Network
    sport: Span
    dport: Span
    state: str = "new"
    broadcast: bool = False

    def facts(self) -> Mapping[str, Value]:
        return {
            "iif": self.iif, "proto": self.proto, "saddr": self.source, "daddr": self.to, "sport": self.sport,
            "dport": self.dport, "state": self.state, "family": "ipv4",
            "pkttype": "broadcast" if self.broadcast else "unicast",
            "daddrtype": "broadcast" if self.broadcast else "local",
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """`passes` as far as all rules are understood; `by` is what settled it; `unread` are the rules that would change it
    if they fitted."""

    passes: bool
    by: str
    unread: tuple[str, ...] = ()


def walk(table: Table, base: Chain, packet: Packet) -> Outcome:
    """What becomes of `packet` in a base chain of `table`."""
    return _Walk(table, packet).outcome(base)


class _Walk:
    def __init__(self, table: Table, packet: Packet) -> None:
        self._table = table
        self._facts = packet.facts()
        self._maybe: list[tuple[Does, str]] = []

    def outcome(self, base: Chain) -> Outcome:
        settled = self._chain(base, 0)
        does, by = settled or (Does.DROP if base.policy == "drop" else Does.ACCEPT, f"its policy is {base.policy}")
        passes = does is Does.ACCEPT
        others = (Does.RETURN, Does.ACCEPT, Does.QUEUE) if not passes else (Does.RETURN, Does.DROP, Does.QUEUE)
        return Outcome(passes, by, tuple(text for kind, text in self._maybe if kind in others))

    def _chain(self, chain: Chain, depth: int) -> tuple[Does, str] | None:
        """What a rule of the chain settles; None where the packet comes out of it."""
        for rule in chain.rules if depth < _DEPTH else ():
            fits = self._fits(rule)
            if fits is False:
                continue
            settled = self._rule(rule, depth)
            if settled is None:
                continue
            if fits is None or settled[0] is Does.QUEUE:
                self._maybe.append(settled)
                continue
            if settled[0] is Does.RETURN:
                return None
            return settled
        return None

    def _rule(self, rule: Rule, depth: int) -> tuple[Does, str] | None:
        if rule.does is Does.NOTHING:
            return None
        if rule.does in (Does.JUMP, Does.GOTO):
            chain = self._table.chains.get(rule.target)
            settled = self._chain(chain, depth + 1) if chain is not None else None
            return settled if settled is not None or rule.does is Does.JUMP else (Does.RETURN, str(rule))
        return rule.does, str(rule)

    def _fits(self, rule: Rule) -> bool | None:
        unknown = False
        for match in rule.matches:
            fits = self._match(match)
            if fits is False:
                return False
            unknown |= fits is None
        return None if unknown else True

    def _match(self, match: Match) -> bool | None:
        fact = self._facts.get(match.key)
        if fact is None:
            return None
        found = [_covers(value, fact) for value in match.values]
        fits = True if True in found else None if None in found else False
        return fits if fits is None else fits is not match.negated


def _covers(value: Value, fact: Value) -> bool | None:
    """Whether all packets with the fact have the value; None: some have."""
    match value, fact:
        case str(), str():
            return fact.startswith(value[:-1]) if value.endswith(("*", "+")) else fact == value
        case (int(), int()), (int(), int()):
            if value[0] <= fact[0] and fact[1] <= value[1]:
                return True
            return None if value[0] <= fact[1] and fact[0] <= value[1] else False
        case IPv4Network(), IPv4Network():
            return True if fact.subnet_of(value) else None if fact.overlaps(value) else False
    return None


def _spelled(value: Value) -> str:
    if isinstance(value, tuple):
        return str(value[0]) if value[0] == value[1] else f"{value[0]}-{value[1]}"
    return str(value)

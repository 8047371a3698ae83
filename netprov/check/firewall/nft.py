"""`nft -j list ruleset` → tables of rules. The form is libnftables-json(5)'s."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network
from typing import Any

from netprov.check.firewall.rules import Chain, Does, Match, Rule, Table, Value
from netprov.errors import PeerError

_FAMILIES = ("ip", "inet", "bridge")  # what IPv4 passes on its way in; netdev's hook is before all of them
_HOOKS = ("prerouting", "input")

_META = {"iifname": "iif", "iif": "iif", "l4proto": "proto", "nfproto": "family", "pkttype": "pkttype"}
_PAYLOADS = {
    ("ip", "saddr"): "saddr", ("ip", "daddr"): "daddr", ("ip", "protocol"): "proto",
    ("udp", "sport"): "sport", ("udp", "dport"): "dport", ("tcp", "sport"): "sport", ("tcp", "dport"): "dport",
    ("th", "sport"): "sport", ("th", "dport"): "dport",
}  # fmt: skip
_SPELLED = {"host": "unicast", "17": "udp", "6": "tcp", "1": "icmp"}
_SAYING_NOTHING = ("counter", "log", "mangle", "meter", "quota", "notrack", "last", "comment", "ct helper", "set")
_VERDICTS = {"accept": Does.ACCEPT, "drop": Does.DROP, "reject": Does.DROP, "return": Does.RETURN}

_NOT_UNDERSTOOD = PeerError("nft prints something that netprov does not understand")


def tables(text: str) -> list[Table]:
    """The tables that packets pass on their way in. Raises PeerError for what nft does not print."""
    try:
        objects = json.loads(text)["nftables"]
        return list(_tables(objects))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise _NOT_UNDERSTOOD from None


def _tables(objects: Sequence[Mapping[str, Any]]) -> Iterator[Table]:
    for table in (one["table"] for one in objects if "table" in one):
        family, name = table["family"], table["name"]
        if family not in _FAMILIES:
            continue
        own = [
            (kind, body) for one in objects for kind, body in one.items()
            if isinstance(body, dict) and body.get("family") == family and body.get("table") == name
        ]  # fmt: skip
        sets = {body["name"]: body.get("elem", []) for kind, body in own if kind in ("set", "map")}
        rules: dict[str, list[Rule]] = {}
        for kind, body in own:
            if kind == "rule":
                rules.setdefault(body["chain"], []).extend(_rules(body["expr"], sets))
        chains = {body["name"]: _chain(body, rules) for kind, body in own if kind == "chain"}
        yield Table("nft", f"{family} {name}", chains)


def _chain(body: Mapping[str, Any], rules: Mapping[str, list[Rule]]) -> Chain:
    name = body["name"]
    # NAT's chains see what a connection begins with, and let pass all that they do not translate
    based = body.get("hook") in _HOOKS and body.get("type") == "filter"
    if not based:
        return Chain(name, rules.get(name, ()))
    return Chain(name, rules.get(name, ()), body["hook"], body.get("policy", "accept"))


def _rules(expressions: Sequence[Mapping[str, Any]], sets: Mapping[str, Any]) -> Iterator[Rule]:
    """A rule, or with a verdict map one for each of its entries."""
    matches: list[Match] = []
    for expression in expressions:
        ((kind, body),) = expression.items()
        if kind == "match":
            matches += _match(body, sets)
        elif kind in _VERDICTS:
            yield Rule(tuple(matches), _VERDICTS[kind])
            return
        elif kind in ("jump", "goto"):
            yield Rule(tuple(matches), Does(kind), body["target"])
            return
        elif kind == "queue":
            yield Rule(tuple(matches), Does.QUEUE)
            return
        elif kind == "vmap":
            yield from _mapped(tuple(matches), body, sets)
        elif kind not in _SAYING_NOTHING:
            matches.append(Match(kind))


def _mapped(matches: tuple[Match, ...], body: Mapping[str, Any], sets: Mapping[str, Any]) -> Iterator[Rule]:
    data = body["data"]
    pairs = sets.get(data[1:], []) if isinstance(data, str) else data["set"]
    for value, verdict in pairs:
        ((kind, target),) = verdict.items()
        wanted = _match({"op": "==", "left": body["key"], "right": value}, sets)
        if kind in ("jump", "goto"):
            yield Rule((*matches, *wanted), Does(kind), target["target"])
        elif kind in _VERDICTS:
            yield Rule((*matches, *wanted), _VERDICTS[kind])


def _match(body: Mapping[str, Any], sets: Mapping[str, Any]) -> list[Match]:
    key, implied = _key(body["left"])
    op = body.get("op", "==")
    values = _values(key, body["right"], sets)
    if op in ("<", "<=", ">", ">=") and values is not None and len(values) == 1 and isinstance(values[0], tuple):
        number = values[0][0]
        spans = {"<": (0, number - 1), "<=": (0, number), ">": (number + 1, 65535), ">=": (number, 65535)}
        return [*implied, Match(key, (spans[op],))]
    if values is None or op not in ("==", "!=", "in"):
        return [*implied, Match(f"{key} (not read)")]
    return [*implied, Match(key, values, op == "!=")]


def _key(left: Any) -> tuple[str, list[Match]]:
    """The fact that an expression is about, and what else it asks for by itself."""
    ((kind, body),) = left.items() if isinstance(left, dict) and len(left) == 1 else (("", {}),)
    match kind:
        case "meta":
            return _META.get(body["key"], f"meta {body['key']}"), []
        case "ct":
            return ("state", []) if body["key"] == "state" else (f"ct {body['key']}", [])
        case "fib" if body.get("result") == "type" and body.get("flags") in (["daddr"], "daddr"):
            return "daddrtype", []
        case "payload":
            return _payload(body)
    return kind or "an expression", []


def _payload(body: Mapping[str, Any]) -> tuple[str, list[Match]]:
    protocol, name = body.get("protocol", ""), body.get("field", "")
    if protocol == "ip6":
        return "saddr", [Match("family", ("ipv6",))]
    key = _PAYLOADS.get((protocol, name), f"{protocol} {name}")
    return key, [Match("proto", (protocol,))] if protocol in ("udp", "tcp", "icmp", "icmpv6", "sctp") else []


def _values(key: str, right: Any, sets: Mapping[str, Any]) -> tuple[Value, ...] | None:
    """The values as facts have them; None where they are not understood."""
    if isinstance(right, str) and right.startswith("@"):
        right = sets.get(right[1:])
    if isinstance(right, dict) and "set" in right:
        right = right["set"]
    if isinstance(right, dict) and "|" in right:
        right = right["|"]
    every = right if isinstance(right, list) else [right]
    found = [_value(key, one) for one in every]
    return tuple(value for value in found if value is not None) if None not in found else None


def _value(key: str, one: Any) -> Value | None:
    if isinstance(one, dict) and "elem" in one:
        one = one["elem"].get("val")
    match one:
        case bool() | None:
            return None
        case int():
            return _SPELLED.get(str(one)) if key == "proto" else (one, one)
        case {"range": [int(first), int(last)]}:
            return first, last
        case {"prefix": {"addr": str(address), "len": int(length)}}:
            return _network(f"{address}/{length}")
        case str() if key in ("saddr", "daddr"):
            return _network(one)
        case str():
            return _SPELLED.get(one, one)
    return None


def _network(text: str) -> IPv4Network | None:
    try:
        return IPv4Network(text, strict=False)
    except ValueError:
        return None

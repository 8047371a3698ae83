"""`iptables-save` → tables of rules. The options are iptables(8)'s and iptables-extensions(8)'s."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Network

from netprov.check.firewall.rules import Chain, Does, Match, Rule, Table, Value
from netprov.errors import PeerError

NFT_TABLES = ("filter", "mangle", "raw", "nat", "security")
"""What iptables-nft calls its tables in nftables, of family ip: read here, where what they mean is spelled out."""

_HOOKS = {"PREROUTING": "prerouting", "INPUT": "input"}
_NUMBERS = {"17": "udp", "6": "tcp", "1": "icmp", "all": "", "0": ""}
_VERDICTS = {"ACCEPT": Does.ACCEPT, "DROP": Does.DROP, "REJECT": Does.DROP, "RETURN": Does.RETURN}
_QUEUES = ("QUEUE", "NFQUEUE")


def _words(text: str) -> tuple[Value, ...]:
    return tuple(text.split(","))


def _lower(text: str) -> tuple[Value, ...]:
    return tuple(text.lower().split(","))


def _proto(text: str) -> tuple[Value, ...]:
    return (_NUMBERS.get(text, text),)


def _spans(text: str) -> tuple[Value, ...]:
    spans = (one.partition(":")[::2] if ":" in one else (one, one) for one in text.split(","))
    return tuple((int(first or 0), int(last or 65535)) for first, last in spans)


def _networks(text: str) -> tuple[Value, ...]:
    return tuple(IPv4Network(one, strict=False) for one in text.split(","))


_OPTIONS: Mapping[str, tuple[str, Callable[[str], tuple[Value, ...]]]] = {
    "-i": ("iif", _words), "--in-interface": ("iif", _words),
    "-p": ("proto", _proto), "--protocol": ("proto", _proto),
    "-s": ("saddr", _networks), "--source": ("saddr", _networks),
    "-d": ("daddr", _networks), "--destination": ("daddr", _networks),
    "--sport": ("sport", _spans), "--source-port": ("sport", _spans), "--sports": ("sport", _spans),
    "--dport": ("dport", _spans), "--destination-port": ("dport", _spans), "--dports": ("dport", _spans),
    "--ctstate": ("state", _lower), "--state": ("state", _lower),
    "--pkt-type": ("pkttype", _lower), "--dst-type": ("daddrtype", _lower),
}  # fmt: skip

_PASSED_OVER = ("-m", "--match", "--comment")  # with their value


def tables(text: str) -> list[Table]:
    """The tables that packets pass on their way in, but NAT's. Raises PeerError for what no iptables-save prints."""
    found: list[Table] = []
    name = ""
    policies: dict[str, str] = {}
    rules: dict[str, list[Rule]] = {}
    try:
        for line in text.splitlines():
            if line.startswith("*"):
                name, policies, rules = line[1:].strip(), {}, {}
            elif line.startswith(":"):
                chain, policy = line[1:].split()[:2]
                policies[chain] = policy.lower()
            elif line.startswith("-A "):
                words = shlex.split(line)
                rules.setdefault(words[1], []).append(_rule(words[2:], line))
            elif line.startswith("COMMIT") and name != "nat":
                chains = {chain: _chain(chain, policies[chain], rules.get(chain, [])) for chain in policies}
                found.append(Table("iptables", name, chains))
    except (ValueError, IndexError, KeyError):
        raise PeerError("iptables-save prints something that netprov does not understand") from None
    return found


def _chain(name: str, policy: str, rules: list[Rule]) -> Chain:
    hook = _HOOKS.get(name, "")
    return Chain(name, rules, hook, policy if hook else "")


def _rule(words: list[str], text: str) -> Rule:
    matches: list[Match] = []
    for option, values, negated in _options(words):
        if option in ("-j", "--jump", "-g", "--goto"):
            target = values[0]
            if target in _VERDICTS:
                return Rule(tuple(matches), _VERDICTS[target], "", text)
            if target in _QUEUES:
                return Rule(tuple(matches), Does.QUEUE, "", text)
            # LOG, MARK and other targets that are no chains lead nowhere, and the packet goes on
            does = Does.JUMP if option in ("-j", "--jump") else Does.GOTO
            return Rule(tuple(matches), does, target, text)
        if option in _PASSED_OVER:
            continue
        if option in _OPTIONS and len(values) == 1:
            key, read = _OPTIONS[option]
            matches.append(Match(key, read(values[0]), negated))
        else:
            matches.append(Match(f"{option} (not read)"))
    return Rule(tuple(match for match in matches if match.values != ("",)), Does.NOTHING, "", text)


def _options(words: list[str]) -> Iterator[tuple[str, list[str], bool]]:
    """Each option with its values, and whether a ! stands before it."""
    at, negated = 0, False
    while at < len(words):
        if words[at] == "!":
            negated, at = True, at + 1
            continue
        end = at + 1
        while end < len(words) and words[end] != "!" and not (words[end].startswith("-") and len(words[end]) > 1):
            end += 1
        if words[at] == "--comment":
            end = at + 2  # a comment may begin with anything
        yield words[at], words[at + 1 : end], negated
        at, negated = end, False

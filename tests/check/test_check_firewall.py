"""The firewall's rules: what they mean, as nft and iptables-save print them, and planted in a real kernel."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv4Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.check.firewall import iptables, nft
from netprov.check.firewall import read as reading
from netprov.check.firewall.rules import Outcome, Packet, Table, walk
from netprov.check.links import Link
from netprov.check.subject import Subject, look
from netprov.errors import PeerError
from netprov.lab import netns
from tests.world import edit

LAN, US = IPv4Network("10.9.0.0/24"), IPv4Network("10.9.0.1/32")
ANY = (1024, 65535)
DHCP = Packet("br9", "udp", IPv4Network("0.0.0.0/32"), IPv4Network("255.255.255.255/32"), (68, 68), (67, 67),
              broadcast=True)  # fmt: skip
TFTP = Packet("br9", "udp", LAN, US, ANY, (69, 69))
DATA = Packet("br9", "udp", LAN, US, ANY, (32768, 60999), "established")
HTTP = Packet("br9", "tcp", LAN, US, ANY, (80, 80))
ALL = (DHCP, TFTP, DATA, HTTP)
PASSES, DROPPED, MAYBE = "passes", "dropped", "maybe"


def said(tables: list[Table], packet: Packet) -> str:
    """What becomes of the packet in all base chains."""
    outcomes = [walk(table, chain, packet) for table in tables for chain in table.chains.values() if chain.hook]
    assert outcomes, "no chain is on the way"
    if any(not outcome.passes and not outcome.unread for outcome in outcomes):
        return DROPPED
    return MAYBE if any(outcome.unread for outcome in outcomes) else PASSES


IPTABLES = [
    # the policy of INPUT, its rules; what becomes of DHCP, TFTP's request, TFTP's data, HTTP
    ("ACCEPT", [], [PASSES] * 4),
    ("DROP", [], [DROPPED] * 4),
    ("DROP", ["-m state --state RELATED,ESTABLISHED -j ACCEPT"], [DROPPED, DROPPED, PASSES, DROPPED]),
    ("DROP", ["-p udp -m multiport --dports 67,69 -j ACCEPT"], [PASSES, PASSES, DROPPED, DROPPED]),
    ("DROP", ["-i br+ -j ACCEPT"], [PASSES] * 4),
    ("DROP", ["-i eth0 -j ACCEPT"], [DROPPED] * 4),
    ("DROP", ["! -i eth0 -j ACCEPT"], [PASSES] * 4),
    ("ACCEPT", ["-p udp -m udp --dport 60:70 -j DROP"], [DROPPED, DROPPED, PASSES, PASSES]),
    ("ACCEPT", ["-p tcp -m tcp --dport 80 -j REJECT --reject-with tcp-reset"], [PASSES, PASSES, PASSES, DROPPED]),
    ("ACCEPT", ["-p udp -m udp --dport 32768:65535 -j DROP"], [PASSES, PASSES, DROPPED, PASSES]),
    ("ACCEPT", ["-p udp -m udp --dport 40000:65535 -j DROP"], [PASSES, PASSES, MAYBE, PASSES]),
    ("ACCEPT", ["-s 10.9.0.0/16 -j DROP"], [PASSES, DROPPED, DROPPED, DROPPED]),
    ("ACCEPT", ["-s 10.9.0.7/32 -j DROP"], [PASSES, MAYBE, MAYBE, MAYBE]),
    ("ACCEPT", ["-s 192.168.0.0/16 -j DROP"], [PASSES] * 4),
    ("ACCEPT", ["-m conntrack --ctstate INVALID -j DROP"], [PASSES] * 4),
    ("DROP", ["-m addrtype --dst-type LOCAL -j ACCEPT"], [DROPPED, PASSES, PASSES, PASSES]),
    ("DROP", ["-m pkttype --pkt-type broadcast -j ACCEPT"], [PASSES, DROPPED, DROPPED, DROPPED]),
    ("DROP", ["-m recent --rcheck --name x --rsource -j ACCEPT"], [MAYBE] * 4),
    ("ACCEPT", ['-m limit --limit 5/min -j LOG --log-prefix "-A INPUT -j DROP"', '-m comment --comment "! -j DROP"'],
     [PASSES] * 4),
    ("DROP", ["-j SUB", "-p tcp -j ACCEPT"], [PASSES, DROPPED, DROPPED, DROPPED]),
    ("DROP", ["-p udp -j NFQUEUE --queue-num 1", "-j ACCEPT"], [MAYBE, MAYBE, MAYBE, PASSES]),
    ("ACCEPT", ["-g SUB", "-j DROP"], [PASSES, PASSES, PASSES, DROPPED]),
]  # fmt: skip
SUB = ["-A SUB -p udp -m udp --dport 67 -j ACCEPT", "-A SUB -p udp -j RETURN", "-A SUB -j DROP"]


@pytest.mark.parametrize(("policy", "rules", "expected"), IPTABLES)
def test_iptables(policy: str, rules: list[str], expected: list[str]) -> None:
    chains = [f":INPUT {policy} [0:0]", ":FORWARD DROP [0:0]", ":SUB - [0:0]"]
    text = "\n".join(["# Generated", "*filter", *chains, *(f"-A INPUT {rule}" for rule in rules), *SUB, "COMMIT"])
    nat = "*nat\n:PREROUTING DROP [0:0]\nCOMMIT\n"
    assert [said(iptables.tables(nat + text), packet) for packet in ALL] == expected


def test_who_did_it_is_said() -> None:
    text = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -m tcp --dport 80 -j DROP\nCOMMIT\n"
    ((table),) = iptables.tables(text)
    outcome = walk(table, table.chains["INPUT"], HTTP)
    assert outcome == Outcome(False, "-A INPUT -p tcp -m tcp --dport 80 -j DROP")


NFT = [
    # the policy of input, its rules as nft reads them; what becomes of each
    ("accept", "", [PASSES] * 4),
    ("drop", "", [DROPPED] * 4),
    ("drop", "ct state established,related accept", [DROPPED, DROPPED, PASSES, DROPPED]),
    ("drop", "ct state vmap { established : accept, related : accept, invalid : drop }\nudp dport { 67, 69 } accept",
     [PASSES, PASSES, PASSES, DROPPED]),
    ("drop", "udp dport @boots accept", [PASSES, PASSES, DROPPED, DROPPED]),
    ("drop", 'iifname { "br9", "eth*" } accept', [PASSES] * 4),
    ("drop", 'iifname != "br9" accept', [DROPPED] * 4),
    ("accept", "meta l4proto udp th dport 32768-65535 drop", [PASSES, PASSES, DROPPED, PASSES]),
    ("accept", "tcp dport >= 80 reject", [PASSES, PASSES, PASSES, DROPPED]),
    ("accept", "udp dport < 68 drop", [DROPPED, PASSES, PASSES, PASSES]),
    ("accept", "ip saddr 10.9.0.0/24 drop", [PASSES, DROPPED, DROPPED, DROPPED]),
    ("accept", "ip saddr { 10.9.0.7, 10.9.0.9 } drop", [PASSES, MAYBE, MAYBE, MAYBE]),
    ("accept", "ip6 saddr ::1 drop", [PASSES] * 4),
    ("drop", "fib daddr type local accept", [DROPPED, PASSES, PASSES, PASSES]),
    ("drop", "meta pkttype broadcast accept", [PASSES, DROPPED, DROPPED, DROPPED]),
    ("accept", "udp dport 69 limit rate over 10/second drop", [PASSES, MAYBE, PASSES, PASSES]),
    ("drop", "meta mark 7 accept", [MAYBE] * 4),
    ("drop", "jump sub\nip protocol tcp counter accept", [PASSES, DROPPED, DROPPED, DROPPED]),
    ("drop", 'iifname vmap { "br9" : jump sub, "lo" : accept }', [PASSES, DROPPED, DROPPED, DROPPED]),
    ("accept", 'log prefix "x" counter', [PASSES] * 4),
]  # fmt: skip


@pytest.fixture(scope="module")
def space() -> Iterator[str]:
    """A network namespace with nft and iptables of its own."""
    if os.geteuid() != 0 or shutil.which("nft") is None or shutil.which("iptables") is None:
        pytest.skip("needs root, nft and iptables: apt-get install nftables iptables")
    name = netns.name("firewall")
    netns.ip("netns", "add", name)
    yield name
    netns.delete(name)


def inside(space: str, *command: str, text: str = "") -> str:
    done = subprocess.run(
        ["ip", "netns", "exec", space, *command], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def load(space: str, policy: str, rules: str) -> str:
    """These rules in the kernel, as nft prints them."""
    text = (
        "flush ruleset\ntable inet f {\n set boots { type inet_service; elements = { 67, 69 } }\n"
        " chain sub { udp dport 67 accept; ip protocol udp return; drop; }\n"
        f" chain input {{ type filter hook input priority 0; policy {policy};\n{rules}\n }}\n"
        " chain nat { type nat hook prerouting priority -100; policy accept; }\n"
        " chain output { type filter hook output priority 0; policy drop; }\n}\n"
    )
    inside(space, "nft", "-f", "-", text=text)
    return inside(space, "nft", "-j", "list", "ruleset")


@pytest.mark.e2e
def test_nft_in_the_kernel(space: str) -> None:
    for policy, rules, expected in NFT:
        printed = load(space, policy, rules)
        assert [said(nft.tables(printed), packet) for packet in ALL] == expected, (policy, rules)


BAD = ["", "{}", "[]", "nonsense", '{"nftables": 3}', '{"nftables": [{"table": {}}]}', '{"nftables": [{"table": 1}]}']


@pytest.mark.parametrize("text", BAD)
def test_what_nft_does_not_print(text: str) -> None:
    with pytest.raises(PeerError):
        nft.tables(text)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["drop", "accept", "br9", "@x", "", "input", "ip"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["match", "left", "right", "op", "set", "vmap", "key", "data", "payload", "meta", "ct", "drop",
                         "range", "prefix", "elem", "jump", "target", "fib", "limit"]), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


@given(st.lists(TREES, max_size=4))
def test_odd_rules_of_nft(expressions: list[object]) -> None:
    chain = {"family": "ip", "table": "f", "name": "input", "type": "filter", "hook": "input", "policy": "drop"}
    rule = {"family": "ip", "table": "f", "chain": "input", "expr": expressions}
    text = json.dumps({"nftables": [{"table": {"family": "ip", "name": "f"}}, {"chain": chain}, {"rule": rule}]})
    try:
        tables = nft.tables(text)
    except PeerError:
        return
    for packet in ALL:
        said(tables, packet)


WORDS = ["-A INPUT", "-p", "udp", "!", "-j", "DROP", "--dport", "67", "-m", "x", '"', "\n", "-", "-s", "10.0.0.0/8",
         "1:2:3", "*filter", "COMMIT", ":INPUT DROP [0:0]"]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=30))
def test_odd_rules_of_iptables(words: list[str]) -> None:
    try:
        iptables.tables(" ".join(words))
    except PeerError:
        return


# the check itself, in a namespace of its own

SITE = "server: {interfaces: [br9], state: state}\ndhcp: {mode: full, subnets: [{subnet: 10.9.0.0/24}]}\n"


def subject(site: Path) -> Subject:
    made = look(site / "netprov.yaml", probing=False)
    found = Subject(made.config, made.loaded, made.place, 0, False)
    found.__dict__["links"] = {"br9": Link("br9", (IPv4Interface("10.9.0.1/24"),), bridge=True)}
    return found


@pytest.fixture
def served(site: Path, space: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The site at br9 on usual ports, the firewall that of the namespace."""
    ours = subprocess.run

    def run(command: list[str], **options: object) -> object:
        return ours(["ip", "netns", "exec", space, *command], **options)  # type: ignore[call-overload]

    inside(space, "nft", "flush", "ruleset")
    monkeypatch.setattr(reading.subprocess, "run", run)
    edit(site, "interfaces: [lo]", "interfaces: [br9]")
    text = (site / "netprov.yaml").read_text().splitlines()
    kept = [line for line in text if not line.startswith(("dhcp:", "tftp:", "http:"))]
    (site / "netprov.yaml").write_text("\n".join([*kept, "tftp: {root: images}"]) + "\n")
    return site


@pytest.mark.e2e
def test_nothing_in_the_way(served: Path) -> None:
    assert not list(reading.firewall(subject(served)))


@pytest.mark.e2e
def test_nft_in_the_way(served: Path, space: str) -> None:
    load(space, "drop", "ct state established accept\nudp dport { 67, 4011 } accept")
    findings = list(reading.firewall(subject(served)))
    assert [(one.id, one.severity) for one in findings] == [("firewall-drops", "error")] * 2
    assert "drops TFTP (UDP 69) at br9, in nft inet f input: its policy is drop" in findings[0].text
    for finding in findings:  # the command fixes it
        inside(space, *finding.command.split())
    assert not list(reading.firewall(subject(served)))


@pytest.mark.e2e
def test_iptables_in_the_way(served: Path, space: str) -> None:
    for rule in ("-P INPUT DROP", "-A INPUT -i br9 -p udp -m multiport --dports 67,69,4011 -j ACCEPT"):
        inside(space, "iptables", *rule.split())
    findings = list(reading.firewall(subject(served)))
    assert [one.id for one in findings] == ["firewall-drops"] * 2
    assert "TFTP's data (UDP 32768-60999)" in findings[0].text
    assert "in iptables filter INPUT" in findings[0].text
    for finding in findings:
        inside(space, *finding.command.split())
    assert not list(reading.firewall(subject(served)))


@pytest.mark.e2e
def test_single_port_needs_no_data_ports(served: Path, space: str) -> None:
    load(space, "drop", "udp dport { 67, 69, 4011 } accept\ntcp dport 80 accept")
    assert ["TFTP's data" in one.text for one in reading.firewall(subject(served))] == [True]
    edit(served, "tftp: {root: images}", "tftp: {root: images, single_port: true}")
    assert not list(reading.firewall(subject(served)))
    edit(served, "single_port: true", "ports: 5000-5010")
    ((finding),) = reading.firewall(subject(served))
    assert "UDP 5000-5010" in finding.text


@pytest.mark.e2e
def test_what_cannot_be_judged_is_said(served: Path, space: str) -> None:
    load(space, "accept", "tcp dport 80 meta mark 5 drop")
    assert [(one.id, one.severity) for one in reading.firewall(subject(served))] == [("firewall-unread", "note")]
    load(space, "drop", "meta l4proto udp accept\ntcp dport 80 meta mark 5 accept")
    ((finding),) = reading.firewall(subject(served))
    assert (finding.id, finding.severity) == ("firewall-unread", "warning")
    assert "HTTP (TCP 80) at br9 gets in only if a rule matches that netprov cannot fully read" in finding.text


def test_without_tools_or_rights(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading.shutil, "which", lambda _: None)
    ((finding),) = reading.firewall(subject(site))
    assert (finding.id, finding.severity) == ("firewall-not-read", "note")
    monkeypatch.setattr(reading.shutil, "which", lambda name: "/nft" if name == "nft" else None)
    failed = subprocess.CompletedProcess([], 1, "", "Operation not permitted (you must be root)\n")
    monkeypatch.setattr(reading.subprocess, "run", lambda *_, **__: failed)
    ((finding),) = reading.firewall(subject(site))
    assert "you must be root" in finding.text

# ruff: noqa: E501 - a row of the table is a line
"""What `netprov check` can find, by check and id: docs/reference/checks.md is made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from netprov.check.recorded import TROUBLES

FINDS: Mapping[str, Mapping[str, str]] = {
    "configuration": {"configuration": "`netprov.yaml` or the inventory has an error, or something odd in it"},
    "templates": {
        "template": "a script or an installer's answers cannot be made from its template, or do not parse (kickstart, preseed, user-data, AutoYaST); or, as a warning, they install a machine that nobody can log into, or that does not report its end, or have what is filled in by nobody",
        "template-sample": "there are many kinds of systems: only some kinds' scripts were made",
    },
    "loaders": {
        "loader-missing": "firmware of this kind gets no loader",
        "loader-modified": "a loader is not the file that `netprov loaders` put there",
        "loader-lock": "the list of the loaders that were put there cannot be read",
        "ipxe-untried": "the iPXE for UEFI is older or newer than those that netprov is tested with; what is known of its age",
    },
    "files": {
        "tftp-not-found": "a kernel or initrd is not there",
        "tftp-outside": "its name leads outside `tftp.root`",
        "tftp-unreadable": "the server's user may not read it",
        "file-unreadable": "its disk reports an error",
        "files-not-looked-at": "the server runs as another user, whose rights this one cannot assume",
        "kernel-unfit": "the file is not a kernel, or is cut short",
        "kernel-arch": "the kernel is for another processor than the distro says",
        "initrd-unfit": "the file is not an initrd, or Linux cannot unpack it",
        "template-unreadable": "the server's user may not read a template",
    },
    "secure boot": {"secure-boot": "with Secure Boot on, firmware last seen with UEFI, or shim, would refuse a loader or the kernel: it is not signed, or not by a signer that the one before it knows"},
    "systems": {"system-unmatched": "nothing identifies a system"},
    "addresses": {
        "address-ours": "a system's address is one of this host's",
        "address-leased": "a system's address is leased to another machine",
        "address-in-use": "a machine found another at the system's address",
    },
    "ranges": {
        "range-exhausted": "nine tenths of a subnet's addresses are in use, or all",
        "range-none": "no subnet has a `range:`, and systems have no address of their own",
    },
    "server": {"server-down": "no server runs on this state"},
    "generation": {
        "inventory-refused": "the server refused the newest edit, and serves the previous one",
        "generation": "the journal cannot be read",
    },
    "interfaces": {
        "interface-missing": "an interface of `server.interfaces` is not there",
        "interface-down": "it is down",
        "interface-bare": "it has no address",
        "interface-no-carrier": "it has no carrier",
        "interface-no-subnet": "its network is not in any of `dhcp.subnets`",
    },
    "subnets": {"subnet-unheard": "no interface is in the subnet, and no relay or machine of it was ever heard (G16)"},
    "next server": {
        "address-foreign": "machines are told an address that no interface of this host has",
        "next-server-no-route": "machines are told an address outside their subnet, and no router is declared",
        "next-server-silent": "another TFTP server that machines are sent to does not answer",
    },
    "ports": {
        "port-taken": "another process holds a port: the server cannot start",
        "port-shared": "another process has a UDP port too: each gets some of the packets",
        "port-missing": "the server does not listen on a port that the configuration names",
        "port-unread": "packets wait in a socket that nobody reads: its worker hangs",
    },
    "answers": {
        "dhcp-silent": "a client's question did not reach the DHCP server",
        "dhcp-no-offer": "it did, and the client was offered nothing",
        "proxy-silent": "a client's question did not reach port 4011",
        "tftp-silent": "a loader could not be read by TFTP",
        "http-silent": "HTTP did not answer",
    },
    "rivals": {
        "rival-dhcp": "another DHCP server offers addresses (G15)",
        "rival-boot-file": "in proxy mode: the other server has machines boot something else",
        "dhcp-absent": "in proxy mode: nobody gives addresses",
        "rival-heard": "the server overheard another DHCP server within the last day",
        "rival-proxy": "the server overheard another boot server (ProxyDHCP) within the last day",
        "rival-not-asked": "no server was asked, and why",
    },
    "firewall": {
        "firewall-drops": "a rule, or a chain's policy, drops what machines send",
        "firewall-unread": "whether it does depends on a rule that netprov does not fully understand",
        "firewall-not-read": "the rules could not be read",
    },
    "state": {
        "state-damaged": "the database is damaged",
        "state-newer": "a newer netprov wrote it",
        "state-unreadable": "it cannot be read now",
        "state-unreachable": "the database that a URL names cannot be reached",
        "state-not-wal": "its file system refuses SQLite's write-ahead log",
        "state-remote": "it is on a network file system",
        "state-not-writable": "the server's user cannot write it, or its folder (also of the checks journal and disk)",
        "state-not-looked-at": "this user may not read it",
    },
    "journal": {
        "journal-damaged": "the journal is damaged",
        "journal-not-looked-at": "this user may not read it",
    },
    "webhooks": {
        "webhook-failing": "a webhook's receiver accepts nothing",
        "webhook-spool": "the messages that wait for webhooks cannot be read",
    },
    "troubles": {reason.label: "the journal reports it within the last day: see [reasons](reasons.md)" for reason in TROUBLES},
    "disk": {
        "disk-space": "less than 1 GB is free for `server.state`, or less than 100 MB",
        "disk-inodes": "its disk has no room for more files",
        "state-not-writable": "the server's user cannot write the folder",
    },
    "clock": {
        "clock-unset": "the clock was never set",
        "clock-behind": "files, leases or events are ahead of the clock",
    },
}  # fmt: skip
"""Check → id → what it means."""


def reference() -> str:
    """docs/reference/checks.md."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "# Checks\n"
    yield "<!-- Written by `netprov schema --page checks` from netprov/check/reference.py. -->\n"
    yield "What `netprov check` looks at, in its order, and what it can find: the `id` in its JSON. A finding is an `error`"
    yield "(machines do not boot, or not with what is written), a `warning` (some may not, or soon) or a `note` (what could not"
    yield 'be looked at). It names the `machines` that it stops (`["*"]`: any) and, where there is one, the `command` that fixes'
    yield "it. The exit status is 1 with an error, with `--strict` with a warning too, 2 where the command line or the name of"
    yield "the configuration is wrong, else 0.\n"
    for check, finds in FINDS.items():
        yield f"## {check}\n"
        yield "| id | |\n|---|---|"
        yield from (f"| `{id}` | {meaning} |" for id, meaning in finds.items())
        yield ""

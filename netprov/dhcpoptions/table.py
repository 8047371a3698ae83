"""The DHCP options: one row each. What the wire, the configuration, `explain` and the reference know of them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from netprov.dhcpoptions.types import Type, Value
from netprov.errors import PeerError


@dataclass(frozen=True, slots=True)
class Option:
    """`name` is what is shown everywhere. `aliases` are read too: the spellings of ISC's dhcpd (dhcp-options(5)), Kea
    (its manual's standard DHCPv4 options) and dnsmasq (`--help dhcp`), and older ones of netprov's own."""

    code: int
    name: str
    type: Type
    source: str
    aliases: tuple[str, ...] = ()


_ROWS: tuple[tuple[int, str, Type, str, str], ...] = (
    (1, "subnet-mask", Type.IP, "RFC 2132", "netmask"),
    (2, "time-offset", Type.I32, "RFC 2132", ""),
    (3, "router", Type.IPS, "RFC 2132", "routers"),
    (4, "time-servers", Type.IPS, "RFC 2132", ""),
    (5, "name-servers", Type.IPS, "RFC 2132", "ien116-name-servers"),
    (6, "dns", Type.IPS, "RFC 2132", "domain-name-servers dns-server"),
    (7, "log-servers", Type.IPS, "RFC 2132", "log-server"),
    (8, "cookie-servers", Type.IPS, "RFC 2132", ""),
    (9, "lpr-servers", Type.IPS, "RFC 2132", "lpr-server"),
    (10, "impress-servers", Type.IPS, "RFC 2132", ""),
    (11, "rlp-servers", Type.IPS, "RFC 2132", "resource-location-servers"),
    (12, "hostname", Type.TEXT, "RFC 2132", "host-name"),
    (13, "boot-size", Type.U16, "RFC 2132", "boot-file-size"),
    (14, "merit-dump", Type.TEXT, "RFC 2132", ""),
    (15, "domain", Type.TEXT, "RFC 2132", "domain-name"),
    (16, "swap-server", Type.IP, "RFC 2132", ""),
    (17, "root-path", Type.TEXT, "RFC 2132", ""),
    (18, "extensions-path", Type.TEXT, "RFC 2132", "extension-path"),
    (19, "ip-forwarding", Type.BOOL, "RFC 2132", "ip-forward-enable"),
    (20, "non-local-source-routing", Type.BOOL, "RFC 2132", ""),
    (21, "policy-filter", Type.IP_PAIRS, "RFC 2132", ""),
    (22, "max-reassembly", Type.U16, "RFC 2132", "max-dgram-reassembly max-datagram-reassembly"),
    (23, "default-ttl", Type.U8, "RFC 2132", "default-ip-ttl ttl"),
    (24, "mtu-aging", Type.U32, "RFC 2132", "path-mtu-aging-timeout"),
    (25, "mtu-plateaus", Type.U16S, "RFC 2132", "path-mtu-plateau-table"),
    (26, "mtu", Type.U16, "RFC 2132", "interface-mtu"),
    (27, "all-subnets-local", Type.BOOL, "RFC 2132", ""),
    (28, "broadcast", Type.IP, "RFC 2132", "broadcast-address"),
    (29, "mask-discovery", Type.BOOL, "RFC 2132", "perform-mask-discovery"),
    (30, "mask-supplier", Type.BOOL, "RFC 2132", ""),
    (31, "router-discovery", Type.BOOL, "RFC 2132", ""),
    (32, "router-solicitation", Type.IP, "RFC 2132", "router-solicitation-address"),
    (33, "static-routes", Type.IP_PAIRS, "RFC 2132", "static-route"),
    (34, "trailers", Type.BOOL, "RFC 2132", "trailer-encapsulation"),
    (35, "arp-timeout", Type.U32, "RFC 2132", "arp-cache-timeout"),
    (36, "ethernet-encapsulation", Type.BOOL, "RFC 2132", "ieee802-3-encapsulation ethernet-encap"),
    (37, "tcp-ttl", Type.U8, "RFC 2132", "default-tcp-ttl"),
    (38, "tcp-keepalive", Type.U32, "RFC 2132", "tcp-keepalive-interval"),
    (39, "tcp-keepalive-garbage", Type.BOOL, "RFC 2132", ""),
    (40, "nis-domain", Type.TEXT, "RFC 2132", ""),
    (41, "nis-servers", Type.IPS, "RFC 2132", "nis-server"),
    (42, "ntp-servers", Type.IPS, "RFC 2132", "ntp-server ntp"),
    (43, "vendor", Type.OCTETS, "RFC 2132", "vendor-encapsulated-options vendor-encap"),
    (44, "netbios-name-servers", Type.IPS, "RFC 2132", "netbios-ns"),
    (45, "netbios-dd-servers", Type.IPS, "RFC 2132", "netbios-dd-server netbios-dd"),
    (46, "netbios-node-type", Type.U8, "RFC 2132", "netbios-nodetype"),
    (47, "netbios-scope", Type.TEXT, "RFC 2132", ""),
    (48, "x-font-servers", Type.IPS, "RFC 2132", "font-servers x-windows-fs x-font"),
    (49, "x-display-managers", Type.IPS, "RFC 2132", "x-display-manager x-windows-dm x-display"),
    (50, "requested-address", Type.IP, "RFC 2132", "dhcp-requested-address"),
    (51, "lease-time", Type.U32, "RFC 2132", "dhcp-lease-time"),
    (52, "overload", Type.U8, "RFC 2132", "dhcp-option-overload option-overload"),
    (53, "message-type", Type.U8, "RFC 2132", "dhcp-message-type"),
    (54, "server-id", Type.IP, "RFC 2132", "dhcp-server-identifier server-identifier"),
    (55, "parameter-request-list", Type.CODES, "RFC 2132", "dhcp-parameter-request-list parameter-request"),
    (56, "message", Type.TEXT, "RFC 2132", "dhcp-message"),
    (57, "max-message-size", Type.U16, "RFC 2132", "dhcp-max-message-size"),
    (58, "renewal-time", Type.U32, "RFC 2132", "dhcp-renewal-time t1"),
    (59, "rebinding-time", Type.U32, "RFC 2132", "dhcp-rebinding-time t2"),
    (60, "vendor-class", Type.TEXT, "RFC 2132", "vendor-class-identifier"),
    (61, "client-id", Type.OCTETS, "RFC 2132", "dhcp-client-identifier"),
    (64, "nisplus-domain", Type.TEXT, "RFC 2132", "nisplus-domain-name nis+-domain"),
    (65, "nisplus-servers", Type.IPS, "RFC 2132", "nis+-server"),
    (66, "tftp-server-name", Type.TEXT, "RFC 2132", "tftp-server"),
    (67, "bootfile-name", Type.TEXT, "RFC 2132", "boot-file-name"),
    (68, "mobile-ip-agents", Type.IPS, "RFC 2132", "mobile-ip-home-agent mobile-ip-home"),
    (69, "smtp-servers", Type.IPS, "RFC 2132", "smtp-server smtp"),
    (70, "pop3-servers", Type.IPS, "RFC 2132", "pop-server pop3-server pop3"),
    (71, "nntp-servers", Type.IPS, "RFC 2132", "nntp-server nntp"),
    (72, "www-servers", Type.IPS, "RFC 2132", "www-server www"),
    (73, "finger-servers", Type.IPS, "RFC 2132", "finger-server finger"),
    (74, "irc-servers", Type.IPS, "RFC 2132", "irc-server irc"),
    (77, "user-class", Type.CLASSES, "RFC 3004", ""),
    (80, "rapid-commit", Type.OCTETS, "RFC 4039", ""),
    (81, "fqdn", Type.OCTETS, "RFC 4702", ""),
    (82, "relay-agent", Type.OCTETS, "RFC 3046", "relay-agent-information dhcp-agent-options"),
    (93, "client-arch", Type.U16S, "RFC 4578", "pxe-system-type client-system"),
    (94, "client-ndi", Type.OCTETS, "RFC 4578", "pxe-interface-id client-interface-id"),
    (97, "client-uuid", Type.OCTETS, "RFC 4578", "pxe-client-id uuid-guid client-machine-id"),
    (100, "posix-timezone", Type.TEXT, "RFC 4833", "pcode tz-posix"),
    (101, "tzdb-timezone", Type.TEXT, "RFC 4833", "tcode tz-name"),
    (108, "ipv6-only-preferred", Type.U32, "RFC 8925", "v6-only-preferred ipv6-only"),
    (114, "captive-portal", Type.TEXT, "RFC 8910", "v4-captive-portal default-url"),
    (116, "auto-config", Type.U8, "RFC 2563", ""),
    (118, "subnet-selection", Type.IP, "RFC 3011", ""),
    (119, "domain-search", Type.NAMES, "RFC 3397", ""),
    (121, "classless-routes", Type.ROUTES, "RFC 3442", "classless-static-route rfc3442-classless-static-routes"),
    (124, "vendor-identifying-class", Type.OCTETS, "RFC 3925", "vivco vivco-suboptions vi-vendor-class"),
    (125, "vendor-identifying", Type.OCTETS, "RFC 3925", "vivso vivso-suboptions vendor-id-encap vi-vendor"),
    (138, "capwap", Type.IPS, "RFC 5417", "capwap-ac-v4"),
    (150, "tftp-servers", Type.IPS, "RFC 5859", "tftp-server-address"),
    (175, "ipxe", Type.OCTETS, "ipxe.org/howto/dhcpd", ""),  # encapsulated options of Etherboot and iPXE
    (208, "pxelinux-magic", Type.OCTETS, "RFC 5071", ""),
    (209, "pxelinux-config-file", Type.TEXT, "RFC 5071", "loader-configfile pxelinux-configfile"),
    (210, "pxelinux-path-prefix", Type.TEXT, "RFC 5071", "loader-pathprefix pxelinux-pathprefix"),
    (211, "pxelinux-reboot-time", Type.U32, "RFC 5071", "loader-reboottime pxelinux-reboottime"),
    (249, "ms-classless-routes", Type.ROUTES, "MS-DHCPE §2.2.8", ""),
    (252, "wpad", Type.TEXT, "draft-ietf-wrec-wpad-01", ""),
)

OPTIONS: Mapping[int, Option] = {
    code: Option(code, name, type_, source, tuple(aliases.split())) for code, name, type_, source, aliases in _ROWS
}
_SPELLED: Mapping[str, Option] = {
    name: option for option in OPTIONS.values() for name in (option.name, *option.aliases)
}


def option_named(name: str) -> Option:
    """The option of that name or alias, in any case, with `-` or `_`. Raises ValueError with the nearest name."""
    spelled = name.lower().replace("_", "-")
    option = _SPELLED.get(spelled)
    if option is not None:
        return option
    near = get_close_matches(spelled, _SPELLED, n=1)
    meant = f"Did you mean {_SPELLED[near[0]].name}? " if near else ""
    raise ValueError(f"{name!r} is not a DHCP option known by name. {meant}Any option may be given by its number")


def name_of(code: int) -> str:
    """As it is shown; "" for an option the table does not have."""
    option = OPTIONS.get(code)
    return option.name if option is not None else ""


def encode_option(code: int, value: Value) -> bytes:
    """The octets of option `code`; bytes for one the table does not have."""
    option = OPTIONS.get(code)
    return option.type.write(value) if option is not None else bytes(value)


def decode_option(code: int, data: bytes) -> Value:
    """The value in option `code`; the octets for one the table does not have. Raises PeerError if it is malformed."""
    option = OPTIONS.get(code)
    if option is None:
        return data
    try:
        return option.type.read(data)
    except (ValueError, IndexError, struct.error) as error:
        raise PeerError(f"option {code} ({option.name}) is malformed: {error}") from None

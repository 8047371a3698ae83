"""The catalogue: every signature, the sentence a user reads, and what he is to change."""

from __future__ import annotations

from netprov.journal.verdicts import installing, loading, offered, transfers
from netprov.journal.verdicts.absent import ID, NAME
from netprov.journal.verdicts.verdict import Rule

RULES: tuple[Rule, ...] = (
    # DHCP
    Rule(
        "G1", "the firmware accepts no offer", offered.rejects_offer,
        "three offers with an address and a boot file were made, and the machine never asked for one of them",
        "The machine was offered {loader} {count} times and never asked for it: it does not hear the offers, or its "
        "firmware refuses them.",
        "Check that DHCP replies reach it: UDP port 68 from {server}{relay} through switch, VLAN and firewall. If "
        "they do, its firmware wants another boot file: set filename: or boot_loaders: of {system}.",
        "bootimus#77, xcat-core#4830",
    ),
    Rule(
        "G1", "the firmware accepts no offer", offered.rejects_proxy_offer,
        "three offers of a boot file beside another server's address were made, and the machine asked no server for an "
        "address",
        "The machine was offered {loader} {count} times beside another DHCP server's address, and accepted neither: "
        "its firmware does not combine the two offers, or no other server answers it.",
        "Check that the other DHCP server has an address for it. If it has, let that server name the boot file, or "
        "give the addresses here (dhcp.mode: full). On the other server:\n{lines}",
        "bootimus#77, netboot#43, edk2#6944",
    ),
    Rule(
        "G2", "the firmware ignores ProxyDHCP", offered.ignores_proxy,
        "beside our boot offer the machine took another server's address, and then neither came to port 4011 nor "
        "fetched anything",
        "The machine took the address of {other} and ignored our boot offer ({loader}): its firmware ignores "
        "ProxyDHCP, or its question to UDP port {proxy_port} does not reach us.",
        "Open UDP port {proxy_port} to {server}; or let {other} name the boot file. On that server:\n{lines}",
        "netboot#43, edk2#6944", yields=("G3",),
    ),
    Rule(
        "G3", "the boot server asked again and again", offered.asks_boot_server_in_vain,
        "the machine asked port 4011 several times, and then fetched nothing",
        "The machine asked UDP port {proxy_port} {count} times and fetched nothing: our answer does not reach it, or "
        "its firmware refuses it.",
        "Check that UDP from port {proxy_port} of {server} reaches it, and that nothing else there sends option 60 = "
        "PXEClient without option 43. Or go without port {proxy_port}: let the other DHCP server name the boot file:"
        "\n{lines}",
        "ipxe#482, edk2#8149", yields=("G25",),
    ),
    Rule(
        "G14", "the address changes on the way", offered.address_changes,
        "the same MAC asks with another client identifier, gets another address, and the install does not go on",
        "{other} gave the machine {before}, and then {after} when its {stage} asked with another client identifier.",
        "Let that DHCP server identify machines by their MAC alone:\n"
        "  dnsmasq:    dhcp-ignore-clid\n"
        "  ISC dhcpd:  ignore-client-uids true;\n"
        '  Kea:        "match-client-id": false\n'
        "Windows:\n"
        "  a reservation by MAC",
        "warewulf#802, coreos/bugs#1432",
    ),
    Rule(
        "G15", "another DHCP server wins", offered.another_server_wins,
        "we give addresses here, but the machine chose another server's, and fetched nothing from us",
        "The machine took the address of another DHCP server, {other}, and never asked for ours.",
        "Only one server may give addresses: switch off the one at {other} (ip neigh show {other} shows its MAC; it "
        "is often a home router or libvirt's dnsmasq), or leave the addresses to it with dhcp.mode: proxy. To boot "
        "from it, it needs:\n{lines}",
        "MAAS KB-01, warewulf3#137",
    ),
    Rule(
        "G17", "HTTP Boot without a URL", offered.no_url_for_http,
        "an HTTPClient asked, and the answer had no URL",
        "The machine's firmware boots by HTTP ({arch}), and there is no loader with a URL for it.",
        "Give {system} a loader that HTTP firmware can start, boot_loaders: [ipxe] or filename: http://…; or switch "
        "its firmware from HTTP to PXE boot.",
        "xcat-core#7743", yields=("G22",),
    ),
    Rule(
        "G25", "no loader for this processor", offered.no_loader_for_it,
        "the decision found no loader for the client's architecture, or a kernel for another one",
        "Nothing can be started on it: {why}.",
        "{advice}",
        "xcat-core#7645", yields=("G17",),
    ),
    Rule(
        "G22", "not declared", offered.not_declared,
        "firmware asks to boot, no system matches, and server.unknown leaves such machines alone",
        "The machine is not declared, and such machines are left alone here.",
        "Declare it:\n"
        "  systems:\n"
        "    NAME:\n"
        "      profile: PROFILE\n"
        '      interfaces: {{eth0: {{mac: "{mac}"}}}}\n'
        "or give such machines a menu with server.unknown: menu.",
        "", severity="warning",
    ),
    Rule(
        "G24", "no address to give", offered.no_address,
        "an address was asked for and none could be given, nor was one later",
        "It got no address: {why}.",
        "{advice}",
        "",
    ),
    # the loader
    Rule(
        "G4", "the loader is never asked for", loading.never_asks,
        "the machine has its address and the loader's name, and asks nothing for half a minute",
        "The machine was told to fetch {loader} from {server}, and never asked for it.",
        "From the machine's network {server} must be reachable on {port}: check the route back, the VLAN's rules, the "
        "firewall on this host (nft list ruleset), and next_server: where it is set.",
        "MAAS KB, lanparty#4, tftpd64#17", yields=("G2", "G3", "G14", "G15"),
    ),
    Rule(
        "G5", "TFTP's data does not arrive", loading.hears_no_data,
        "a file was asked for, we answered from a port of the transfer's own, and nothing was ever acknowledged",
        "The machine asked for {name} and did not hear our answer: a firewall or NAT between lets port 69 through, "
        "but not the ports of the transfers.",
        "Answer from port 69 itself, which any firewall lets back:\n"
        "  tftp: {{single_port: true}}\n"
        "or name the ports and open them, on the firewall and on this host:\n"
        "  tftp: {{ports: 30000-30999}}\n"
        "  nft add rule inet filter input udp dport 30000-30999 accept",
        "firehol#529, docker-netbootxyz#14, PyPXE#152", yields=("G20",),
    ),
    Rule(
        "G5", "TFTP's data does not arrive", loading.hears_no_single_port,
        "the same with tftp.single_port: even what comes from port 69 does not arrive",
        "The machine asked for {name} and did not hear our answer, though it came from port {port}.",
        "A firewall drops UDP from port {port} of {server}, on this host (nft list ruleset) or on the way; or there "
        "are two ways to the machine, and the answer takes the other one.",
        "firehol#529", yields=("G20",),
    ),
    Rule(
        "G7", "a loader's name is odd", loading.odd_name,
        "a loader was asked for by a name with garbage after it, or in another folder than the loader before it",
        "The machine asked for {name}, which is not there; it means {meant}.",
        "Octets after the name come from an option 67 without an end, on whichever server sent it: end it with a NUL, "
        "or give it the right length. A wrong folder comes from a loader that forgets its own: keep loaders side by "
        "side at the top of tftp.root (netprov loaders puts them there), and filename: without a folder.",
        "shim#300, FOG forum 136288",
    ),
    Rule(
        "G8", "the loader is in a boot loop", loading.goes_round,
        "the same loader was given or fetched three times",
        "The loader starts and comes back: {said}.",
        "If it is iPXE, another DHCP server gives it the loader in place of its script. On that server:\n{lines}\n"
        "Else it cannot run there: look at the machine's screen, and give it another with boot_loaders:.",
        "xcat-core#7645, jpmikkers/DHCPServer#5", yields=("G25",),
    ),
    Rule(
        "G9", "the loader does not start", loading.loader_never_starts,
        "a loader of ours was fetched whole, and nothing came after it",
        "The machine fetched {loader} whole, and has not contacted this server since: the loader did not start, "
        "or sees no network.",
        "Look at the machine's screen. Then give it another loader: boot_loaders: [ipxe] or [pxelinux].",
        "netboot.xyz#1745", yields=("G8",),
    ),
    Rule(
        "G9", "the loader does not start", loading.uefi_refuses_loader,
        "the same on UEFI",
        "The machine fetched {loader} whole, and has not contacted this server since: most often Secure Boot refused "
        "it ({loader} {signed} for it), or it is for another processor.",
        "With Secure Boot on: boot_loaders: [grub], which begins with Microsoft's signed shim; and in its firmware "
        "allow the Microsoft third-party UEFI CA. With it off: look at the machine's screen.",
        "netboot.xyz#1745, ipxe#1728", yields=("G8",),
    ),
    Rule(
        "G9", "GRUB asks another server", loading.grub_asks_elsewhere,
        "GRUB was fetched whole beside another DHCP server's address, and nothing came after it",
        "The machine fetched {loader} whole, and GRUB then asked nothing here: it fetches its files from the server "
        "that gave it its address.",
        "Give {system} a loader that keeps to this server, boot_loaders: [ipxe]; or let the other DHCP server name "
        "this one:\n{lines}",
        "rhboot/grub2#82, rhboot/grub2#87", yields=("G8",),
    ),
    Rule(
        "G9", "the kernel does not start", installing.kernel_never_starts,
        "a kernel was fetched whole, and the loader went no further",
        "The loader fetched {kernel} and went no further: Secure Boot refuses a kernel that is not signed, or the file "
        "is damaged.",
        "Give {system} a distro with a signed kernel (and GRUB as its loader), or switch Secure Boot off; compare the "
        "file's sha256 with its publisher's.",
        "netboot.xyz#1745", yields=("G26", "G27"),
    ),
    Rule(
        "G27", "dom0 cannot start the domU", installing.xen_refuses,
        "the domU's bootloader reported that what it was sent cannot be handed to Xen",
        "Its bootloader in dom0 did not hand it over to Xen: {said}.",
        "xl create printed the same line in dom0. A kernel that this kind of guest cannot run: another kernel for its "
        "distro, or another kind, virt: {{type: xenpv}}, xenpvh or xenfv. A file that is missing, cut or changed: put "
        "it in place again; netprov explain {system} shows which ones it is sent.",
        "", yields=("G26",),
    ),
    Rule(
        "G20", "asked through a container's bridge", loading.behind_container_bridge,
        "TFTP is asked from an address of Docker's or Podman's bridge, and nothing arrives there",
        "TFTP is asked by {ip}, the bridge of this host's containers: its NAT hides the machine, and drops what we "
        "send from any port but 69.",
        "Run netprov with the host's own network (docker run --network host); DHCP needs that anyway. For TFTP alone:\n"
        "  tftp: {{single_port: true}}",
        "docker-netbootxyz#14, moby#37460",
    ),
    Rule(
        "G26", "a file is missing", transfers.missing_file,
        "a loader, kernel or initrd that was asked for could not be read, and the install did not go on",
        "The {stage} {name} cannot be sent: {why}.",
        "{advice}",
        "", yields=("G7",),
    ),
    # transfers
    Rule(
        "G12", "a transfer in small blocks", transfers.slow_blocks,
        "a megabyte or more was sent in blocks of 512 octets, in more than twenty seconds and below 1 MB/s",
        "{name} took {seconds} s, at {rate} MB/s: the client asked for blocks of {blksize} octets, and waits for each "
        "of the {blocks} ({each} ms).",
        "Let a faster loader fetch it: boot_loaders: [ipxe] fetches kernel and initrd by HTTP, GRUB in "
        "larger blocks; UEFI firmware can boot by HTTP itself.",
        "shim#618, go-via#4, ipxe#145", severity="warning",
    ),
    Rule(
        "G13", "TFTP's block counter ends", transfers.stops_at_rollover,
        "a transfer stopped at block 32767 or 65535, where the counter of blocks starts over",
        "{name} ({size}) stopped at block {count}: the client does not count further, so it takes {most} at most in "
        "blocks of {blksize} octets.",
        "Let it fetch the file by HTTP (boot_loaders: [ipxe]); or raise its block size, tftp.blksize here being no "
        "lower than 1428; or make the file smaller.",
        "rpi-eeprom#375, PyPXE#160", yields=("G5",),
    ),
    Rule(
        "G18", "HTTPS where there is HTTP", transfers.speaks_tls,
        "a TLS handshake came to the port of plain HTTP",
        "The machine spoke TLS to port {port}, which is plain HTTP here: a boot file or script names https://.",
        "Write http:// there (http://{server}/…), in filename:, kernel:, initrd: or the other DHCP server's option 67; "
        "or put a proxy that speaks TLS before netprov, with a certificate the firmware knows.",
        "ipxe#1407, edk2#7895",
    ),
    Rule(
        "G19", "HTTP stalls", transfers.stalls,
        "a file's transfer by HTTP stalled at its start for a minute, and the client did not close the connection",
        "{name} stopped at its start: of {length} octets {acknowledged} were acknowledged in a minute. Small packets "
        "arrive, large ones are lost: a link in between has a smaller MTU and does not say so.",
        "Find it: ping -M do -s 1472 MACHINE (28 octets below 1500; lower it until it answers). Then set mtu: of its "
        "subnet under dhcp.subnets, or on the router between:\n"
        "  nft add rule inet filter forward tcp flags syn tcp option maxseg size set rt mtu",
        "MAAS KB-04",
    ),
    # the install
    Rule(
        "G10", "the installer has no network", installing.kernel_has_no_network,
        "kernel and initrd were fetched, the installer's answers were not, and no address was asked for",
        "The kernel was started and {asked}, nor asked for its answers ({answers}): it has no driver for "
        "the card, the link comes up too late, or the initrd is damaged.",
        "Look at its screen. On the switch: portfast (spanning-tree portfast, rstp edge port). For the installer:\n"
        "  netprov render args NAME      shows the arguments it got\n"
        "  kernel_options: {{ip: dhcp, rd.neednet: 1, rd.net.timeout.carrier: 60}}      Red Hat's\n"
        "  kernel_options: {{netcfg/link_wait_timeout: 60}}      Debian's\n"
        "and an initrd of the same release as the kernel, with the card's driver in it.",
        "MAAS KB-03, tenantos", yields=("G14",),
    ),
    Rule(
        "G10", "the installer fetches no answers", installing.installer_cannot_fetch,
        "kernel and initrd were fetched, the installer got an address, and never fetched its answers",
        "The installer has the address {ip}, and never fetched its answers ({answers}).",
        "From {ip}, {server} must be reachable on TCP port {port}: check the route, the VLAN's rules and the firewall "
        "on this host. With several cards it may have set up another one:\n"
        "  kernel_options: {{ksdevice: bootif, ip: dhcp}}      Red Hat's\n"
        "  kernel_options: {{netcfg/choose_interface: auto}}      Debian's\n"
        "  netprov render args NAME      shows the arguments it got",
        "MAAS KB-03", yields=("G14",),
    ),
    Rule(
        "G10", "the installer gets no answers", installing.answers_refused,
        "the installer asked for its answers and was refused them",
        "The installer asked for its answers and did not get them: {name}: {why}.",
        "If the file is missing, put it where autoinstall: names it. If the token belongs to another install, the "
        "machine was armed again while it booted: let it boot again. What it would be sent:\n"
        "  netprov render autoinstall {system}",
        "dsx infra-controller#3177",
    ),
    Rule(
        "G11", "it installs again", installing.installs_again,
        "the installer's answers were fetched again more than a minute later, or after the install had ended",
        "{system} fetched its answers again, {when}: it keeps reinstalling itself.",
        "Let the installer report its end, so that the next boot is from the disk: end the autoinstall template with "
        "the callback snippet. If the disk itself starts the installer: its boot loader still has the installer's "
        "entry.",
        "cobbler#3329, matchbox#349",
    ),
    Rule(
        "G11", "the installer is started again", installing.installer_starts_again,
        "the installer was started a second time, the first never having reported its end",
        "This is attempt {attempt} of the install: the one before never reported its end.",
        "If it was installed: its answers lack the callback. Add to the autoinstall template:\n"
        "  {{% include 'snippets/callback.ks' %}}\n"
        "and mark it as finished: netprov system installed {system}. If it failed: the boot before this one shows "
        "where (netprov timeline {system} --last 2).",
        "cobbler#2321, cobbler#1374", severity="warning",
    ),
    Rule(
        "G21", "the install failed", installing.install_failed,
        "the installer reported a failure, or was started as often as install_attempts allows",
        "The install failed: {said}.",
        "Fix what its text says, then arm it again: netprov system install {system}",
        "",
    ),
    Rule(
        "G23", "a template fails", installing.template_fails,
        "a script or the installer's answers could not be rendered",
        "Its {stage} cannot be made: {why}",
        "netprov lint names every such place, with file and line; netprov render shows the result.",
        "dsx infra-controller#3177",
    ),
)  # fmt: skip
"""Several rows may share an id: one signature, told differently where something else is to be done."""

NAMES = {ID: NAME, **{rule.id: rule.name for rule in reversed(RULES)}}
"""A few words for each id."""

SILENT = (
    (
        "G6",
        "A transfer that the client ends before its first block, to ask again: it wanted to know the file's size.",
        "bootimus#73, shim#300",
    ),
)
"""What looks like trouble and is none."""

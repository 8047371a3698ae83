# ruff: noqa: E501 - a row of the table is a line
"""Everything that netprov-pxeboot says when a domU does not boot, and what to do about it.

The program takes its words from here, and docs/reference/pxeboot.md is made of it.
"""

from __future__ import annotations

from netprov.scripts.messages import FIX_THE_SCRIPT, Worded

_KERNEL_HERE = "The file is not the right kernel, or is damaged: look at it with `file` on the server, and copy it there again."
_KERNEL_OTHER = "Take the distribution's kernel for this kind of guest: its installer's for Xen, or the one of its package; or change `type` in the configuration."
_CONFIGURATION = "Correct the line in the domU's configuration; `netprov domu lint FILE` finds it, and says what to write."
_OPTION = "Correct `bootloader_args` in the domU's configuration."
_FOLDER = "It is xl that names the folder; by hand, name one with `--output-directory` that has room and belongs to root."
_ROOT = "Run it as root in dom0, as xl does; within a container it needs the right to make network namespaces."
_NETWORK = "Look at the server's log, and fetch the address named with `curl` from dom0; a firewall may be between."


class Message(Worded):
    """`kernel` rows go on from the kernel's name."""

    # who it is
    NO_MAC = ('xl does not tell a bootloader the MAC address: write one into the configuration, like bootloader_args = [ "mac={example}" ], the same as in vif=', "Write that line, with the address that `vif` has; `netprov domu config NAME` writes both.")
    NO_FILE = ("{configuration}: {error}", _CONFIGURATION)
    NO_SUCH_VIF = ("{file}: vif= has {count} entries, so none numbered {number}", "Correct `--vif`; it counts from 0.")
    BAD_VIF = ("{file}: vif: {why}", _CONFIGURATION)
    VIF_WITHOUT_MAC = ("{file}: vif = {vif} has no mac=: write one, like mac={example}", _CONFIGURATION)
    # its arguments
    NO_VALUE = ("{option}: needs a value", _OPTION)
    BAD_FORMAT = ("{option}: {value} is not one of {formats}", _OPTION)
    BAD_NUMBER = ("{option}: {value} is not a valid number here", _OPTION)
    BAD_VIF_WORDS = ("the vif: {why}", _OPTION)
    BAD_SIZE = ("--max-size={value}: write it like 512M", _OPTION)
    # dom0
    NO_BRIDGE = ("there is no interface {bridge} (bridges: {bridges}); name the right one in bridge= of the vif", "Write `bridge=` into `vif` and `--bridge=` into `bootloader_args`; without them it is xenbr0.")
    NO_NAMESPACE = ("no network namespace can be made ({why}): this needs root", _ROOT)
    NO_ENTRY = ("setns: {why}", _ROOT)
    NO_IP_PROGRAM = ("ip: is not here: apt-get install iproute2", "Install it in dom0.")
    IP_FAILED = ("ip {words}: {why}", "The kernel refuses it: the message says why. veth and bridge (macvlan, without a bridge) must be in dom0's kernel.")
    NO_FILE_MADE = ("{path}: cannot be made: {why}", _FOLDER)
    FOLDER_FULL = ("{path}: is full of files that an earlier boot left: remove netprov-*", "Remove them. Only `kill -9` leaves any.")
    NOT_WRITTEN = ("--output: {path} cannot be written: {why}", _FOLDER)
    NOT_KEPT = ("{place}: cannot be kept: {why}", _FOLDER)
    TOO_LONG = ("{item}: has {octets} octets; xl accepts no more than {most}", "Shorten the kernel's command line: `kernel_options` of the profile, APPEND of the script, `extra` of the configuration.")
    LINE_BREAK = ("{item}: has a line break, which the answer cannot express", "Remove it from the kernel's command line.")
    STOPPED = ("stopped: {why}", "Nothing: somebody ended the domain, or xl.")
    CONFINED_ENDED = ("what ran as user {uid} (--runas) ended with {code} and said nothing", "Look at dom0's kernel log: it may have run out of memory.")
    CONFINED_UNREADABLE = ("user {uid} (--runas) may not read netprov's own modules ({why})", "Install netprov where everybody may read it, not beneath /root.")
    TIME_UP = ("gave up after {seconds} s (--timeout)", "Find what is slow (`netprov timeline` has each file's time), or allow more with `--timeout`.")
    # DHCP
    NO_LEASE = ("{mac} on {bridge}: {why}: declare this MAC address at a server, and check that it can be reached over {bridge}", "See whether the server answers on this bridge: `netprov check` on the server; in dom0 `tcpdump -ni BRIDGE port 67 or port 68`. A bridge that is new forwards nothing for 15 s unless its forward delay is 0.")
    NO_BOOT_FILE = ("{mac} got the address {ip} and no boot file: no DHCP server names one for it", "Declare the domU with this MAC address at the boot server: `netprov explain MAC` says what it would get there.")
    BAD_MASK = ("the DHCP server gave the address {ip} with {mask}, which is not a netmask", "Correct the subnet mask (option 1) of the DHCP server.")
    NO_BOOT_SERVER = ("{place}: the DHCP server named no boot server (next-server, siaddr)", "Name it in the DHCP server's configuration: next-server, or option 66.")
    # the script
    NO_SCRIPT = ("the server has no script for this machine; asked for {names}", "Put one of these on the server, or declare the machine.")
    NO_CHAINED = ("{script} leads to {place}, which is not there", FIX_THE_SCRIPT)
    TOO_MANY_HOPS = ("{script}: scripts lead to scripts more than {most} times", FIX_THE_SCRIPT)
    NOTED = ("{error} (noted on the way: {notes})", "As for the error itself; what was noted may be its cause. `-v` says every note.")
    # the files
    HTTP_FAILED = ("{http_url}: {status_or_error}", _NETWORK)
    TFTP_FAILED = ("{tftp_url}: {error}", "The server has no such file where it was asked for, or does not answer: UDP port 69 there, and every port above 1023 back to dom0.")
    BROKE_OFF = ("{url}: broke off after {octets} octets, and the server cannot go on from there", "Try again; a server that supports ranges (netprov, Apache, nginx) could have continued.")
    TOO_LARGE = ("{url}: has {octets} octets; {most} are allowed (--max-size)", "Allow more with `--max-size`, if this is the right file.")
    CHANGED = ("{place}: has {octets} octets where the server promised {promised}: it changed meanwhile", "Start the domU again.")
    DAMAGED = ("{place}: its checksum is not the one that the server named: damaged on the way, or changed", "Start the domU again; if it fails again, see what is between dom0 and the server.")
    # the kernel
    KERNEL = ("the kernel {file} {why}", "See below, by what is wrong with it.")
    EMPTY = ("is empty", _KERNEL_HERE)
    CUT_SHORT = ("is cut short: {what}", _KERNEL_HERE)
    NOT_UNPACKED = ("is damaged: its {packing} data cannot be unpacked ({why})", _KERNEL_HERE)
    UNPACKS_TO_MORE = ("unpacks to more than {most} MiB", _KERNEL_HERE)
    NO_LZO = ("is packed with lzo, which needs liblzo2 in dom0: apt-get install liblzo2-2", "Install it in dom0, or take a kernel packed with anything else.")
    NO_KERNEL = ("is not a kernel: {what}", _KERNEL_HERE)
    NO_KERNEL_INSIDE = ("is {packing} data, but contains no kernel{what}", _KERNEL_HERE)
    ZBOOT_WITHOUT = ("is an EFI zboot image, but contains no kernel for an architecture that Xen runs on", _KERNEL_OTHER)
    NO_ELF = ("contains no ELF file", _KERNEL_HERE)
    ELF_ORDER = ("is an ELF file whose parts are in an unusual order", _KERNEL_HERE)
    NO_SEGMENTS = ("is an ELF file without a usable table of segments", _KERNEL_HERE)
    OTHER_ARCH = ("is an image for {arch}; this machine is {here}: take the kernel built for {here}", "Take that architecture's kernel.")
    TOO_OLD = ("is too old for Xen to start: its boot protocol is older than 2.08 (Linux 2.6.25)", "Take a newer kernel, or make it an HVM guest.")
    PV_ON_ARM = ("cannot run as a PV guest on Arm, where all guests are of type = 'pvh'", "Write `type = \"pvh\"`.")
    NO_XEN_NOTES = ("has no Xen notes: it was built without CONFIG_XEN, and boots only as an HVM guest", _KERNEL_OTHER)
    NO_PV_ENTRY = ("has no entry for PV guests: it was built without CONFIG_XEN_PV{hint}", _KERNEL_OTHER)
    OTHER_XEN = ("wants the interface {wanted}; Xen offers xen-3.0", _KERNEL_OTHER)
    OTHER_LOADER = ("wants to be loaded as {loader}; Xen knows only 'generic'", _KERNEL_OTHER)
    NO_PAE = ("is a 32-bit kernel without PAE, which Xen does not run: it needs CONFIG_X86_PAE", _KERNEL_OTHER)
    NO_PVH_ENTRY = ("has no entry for PVH guests (no note PHYS32_ENTRY): it was built without CONFIG_XEN_PVH; it can run as type = 'pv'", _KERNEL_OTHER)
    NEITHER_ENTRY = ("has no entry for PVH guests: it was built without CONFIG_XEN_PVH (and CONFIG_PVH)", _KERNEL_OTHER)
    # its own disk
    NO_DISK = ("the domU is to boot its disk, but has none: add one to disk= of its configuration ({why})", "Add a disk; or, if it is to be installed again, `netprov system install NAME`.")
    NO_PYGRUB = ("the domU is to boot its disk by pygrub, which is not here: install xen-utils of this Xen", "Install Debian's xen-utils-VERSION in dom0.")

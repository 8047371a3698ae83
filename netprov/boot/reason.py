"""Why: one value for every step of a decision, every drop and every refusal.

The value is the metric label and the timeline's word; `meaning` and `advice` make docs/reference/reasons.md. A room that refuses
or drops for a reason that is not here adds a row.
"""

from __future__ import annotations

from enum import Enum


class Reason(Enum):
    """(label, what it means, what to do; "" where nothing need be done)."""

    def __init__(self, label: str, meaning: str, advice: str) -> None:
        self.label = label
        self.meaning = meaning
        self.advice = advice

    # identify
    MATCH_UUID = ("match-uuid", "the machine's UUID is a declared system's", "")
    MATCH_MAC = ("match-mac", "the machine's MAC is that of a declared system's interface", "")
    MATCH_CLIENT_ID = ("match-client-id", "the DHCP client identifier is a declared system's", "")
    MATCH_SERIAL = ("match-serial", "the serial number is a declared system's", "")
    MATCH_CIRCUIT = ("match-circuit", "the relay's circuit-id or remote-id is a declared system's", "")
    MATCH_IP = ("match-ip", "the address is a declared system's", "")
    MATCH_SUBNET = ("match-subnet", "nothing matched; the subnet names a profile for such machines", "")
    NO_MATCH = (
        "no-match",
        "no declared system has this UUID, MAC, client-id, serial, circuit or address",
        "declare the machine under systems:, or choose what unknown machines get with server.unknown",
    )
    # policy
    UNKNOWN_IGNORE = ("unknown-ignore", "machines that nothing matches are left alone", "server.unknown: menu or discover")
    UNKNOWN_MENU = ("unknown-menu", "machines that nothing matches get the menu", "")
    UNKNOWN_DISCOVER = ("unknown-discover", "machines that nothing matches report themselves and boot their disk", "")
    MODE_OFF = ("dhcp-off", "DHCP is switched off", "dhcp.mode: proxy, reserved or full")
    MODE_RESERVED = ("dhcp-reserved", "only declared systems get an address in this mode", "declare the system, or dhcp.mode: full")
    MODE_PROXY = ("dhcp-proxy", "in proxy mode another DHCP server gives the addresses", "")
    INSTALL_LOCAL = ("install-local", "the system is to boot its own disk", "netprov system install NAME arms an install")
    INSTALL_ARMED = ("install-armed", "an install is armed", "")
    INSTALL_RUNNING = ("install-running", "an install is under way", "")
    INSTALL_DONE = ("install-done", "the install has finished: the machine boots its own disk", "netprov system install NAME arms another")
    INSTALL_FAILED = (
        "install-failed",
        "the install failed, or started too often without finishing: the machine boots its own disk",
        "see netprov timeline NAME for where it stopped, fix it, then netprov system install NAME",
    )
    INSTALL_ALWAYS = ("install-always", "the system boots the kernel every time", "")
    INSTALL_CHANGED = ("install-changed", "an operator changed the install state", "")
    CALLBACK_REFUSED = ("callback-refused", "a callback's token is not that of an install under way", "a finished install's token is used up: arm the system again")
    # loader
    ARCH_LOADER = ("arch-loader", "the client architecture's loader", "")
    ARCH_UNKNOWN = ("arch-unknown", "no loader is known for this client architecture", "give the system a filename:")
    ARCH_MISMATCH = (
        "arch-mismatch",
        "the target's kernel is for another processor than the machine's",
        "give the system a profile whose distro has the machine's arch:",
    )
    FILENAME_SET = ("filename-set", "the operator names the boot file", "")
    LOADER_CHOSEN = ("loader-chosen", "boot_loaders chooses among the architecture's loaders", "")
    CLIENT_IS_LOADER = ("client-is-loader", "the client is a boot loader already: it gets its script, never a loader again", "")
    LOADER_LOOP = (
        "loader-loop",
        "the machine fetched the same loader three times within a minute: it gets none until the minute is over",
        "the loader starts and comes back: look at the machine's screen; often the loader is of the wrong architecture, or another DHCP server answers it",
    )
    OWN_NAMES = ("own-names", "the firmware is told the server, and asks it for files by names of its own", "")
    NOT_PXE = ("not-pxe", "the client did not ask to boot", "")
    FOUND_SCRIPT = ("script", "the loader asked for its script", "")
    NAME_NOT_OURS = ("name-not-ours", "the name is not one of a script for a machine that matches", "")
    # what is missing
    NO_KERNEL = ("no-kernel", "the target has no kernel", "give its distro a kernel:")
    NO_MENU_ENTRIES = ("no-menu-entries", "no profile is in the menu", "enable_menu: true on a profile that has a distro")
    # dhcp
    DHCP_MALFORMED = ("dhcp-malformed", "the packet is not DHCP", "")
    DHCP_NOT_FOR_US = ("dhcp-not-for-us", "the client chose another server", "")
    DHCP_NO_SUBNET = ("dhcp-no-subnet", "no declared subnet fits the interface or relay the request came by", "declare it under dhcp.subnets")
    DHCP_POOL_EMPTY = ("dhcp-pool-empty", "every address of the subnet's ranges is in use", "widen the range:, or shorten lease:")
    DHCP_WRONG_NET = ("dhcp-wrong-net", "the requested address is not in this network", "")
    DHCP_TAKEN = ("dhcp-taken", "the requested address belongs to another client", "")
    DHCP_OTHER_ADDRESS = ("dhcp-other-address", "the machine asked for an address other than the one declared for it", "")
    DHCP_NO_RECORD = ("dhcp-no-record", "there is no lease to confirm, and we are not authoritative", "")
    DHCP_DECLINED = ("dhcp-declined", "the client found its address in use", "another machine has this address: find it by ARP, or remove it from range:")
    DHCP_STORE_FAILED = ("dhcp-store-failed", "the lease could not be stored, so it was not confirmed", "check that the disk of server.state is not full")
    DHCP_NOT_SENT = ("dhcp-not-sent", "the reply could not be sent", "the text says why: most often a firewall on this host, or no route to the relay")
    DHCP_OK = ("dhcp-ok", "answered", "")
    DHCP_RIVAL = (
        "dhcp-rival",
        "another DHCP server was heard answering machines on our network",
        "beside it, netprov must give no addresses (dhcp.mode: proxy); else switch one of the two off. `netprov check` asks who is there",
    )
    DHCP_UNSUPPORTED = ("dhcp-unsupported", "a message type that a server does not answer", "")
    PROXY_INCOMPLETE = ("proxy-incomplete", "a question on port 4011 that says neither who asks nor what it is", "")
    # tftp
    TFTP_OK = ("tftp-ok", "sent", "")
    TFTP_MALFORMED = ("tftp-malformed", "the packet is not TFTP", "")
    TFTP_NOT_FOUND = ("tftp-not-found", "no such file", "put it under tftp.root, or fix the name in the loader's script")
    TFTP_OUTSIDE = ("tftp-outside", "the name leads outside tftp.root", "")
    TFTP_UNREADABLE = ("tftp-unreadable", "the file cannot be read", "chmod a+r, and a+x its folders")
    TFTP_WRITE = ("tftp-write", "the server is read-only", "")
    TFTP_OPTION = ("tftp-option", "an option's value is not allowed", "")
    TFTP_ABORTED = ("tftp-aborted", "the client ended the transfer; after asking for the size this is normal", "")
    TFTP_TIMEOUT = ("tftp-timeout", "the client stopped acknowledging", "a firewall between may drop TFTP's data ports: try tftp.single_port")
    TFTP_WRONG_TID = ("tftp-wrong-tid", "a packet from a port that does not belong to the transfer", "")
    TFTP_BUSY = ("tftp-busy", "too many transfers at once, of one client or in all", "")
    TFTP_CLIENT_ERROR = ("tftp-client-error", "the client refused the transfer", "")
    # http
    HTTP_OK = ("http-ok", "sent", "")
    HTTP_NOT_FOUND = ("http-not-found", "no such file or page", "")
    HTTP_BAD_REQUEST = ("http-bad-request", "the request is malformed", "")
    HTTP_CLOSED = ("http-closed", "the client went away before the end", "")
    HTTP_FORBIDDEN = ("http-forbidden", "not allowed", "")
    HTTP_TLS = ("http-tls", "the client spoke TLS to a port of plain HTTP", "write http:// in the boot file's URL, or put a proxy that speaks TLS before netprov")
    HTTP_TOO_LARGE = ("http-too-large", "what the client sent is longer than the server accepts", "")
    HTTP_CHANGED = (
        "http-changed",
        "the file became shorter while it was being sent",
        "put a new file in place by renaming it over the old one, not by writing into it",
    )
    HTTP_UNAVAILABLE = ("http-unavailable", "the server cannot read or write its state at present", "the server's log names the file and says what to do")
    # a domU's bootloader
    XEN_HANDED_OVER = ("xen-handed-over", "dom0 has handed the kernel and its initrd to Xen", "")
    XEN_REFUSED = (
        "xen-refused",
        "dom0 cannot start the domU with what it was sent",
        "the text says why; netprov-pxeboot's message in dom0 is the same",
    )
    # installers' logs
    SYSLOG_LINE = ("syslog-line", "the machine's own log says so", "")
    SYSLOG_FLOOD = ("syslog-flood", "a machine logs faster than its lines can be kept: some were left out", "")
    SYSLOG_UNKNOWN = (
        "syslog-unknown",
        "a log came from an address that no known boot has: it was left out",
        "have other hosts log elsewhere",
    )
    # webhooks
    WEBHOOK_FAILED = (
        "webhook-failed",
        "a webhook's receiver does not accept what it is sent: netprov tries again, for a day at most",
        "check that the receiver at url: of server.webhooks answers, with a status of 200 to 299",
    )
    WEBHOOK_RECOVERED = ("webhook-recovered", "the webhook's receiver accepts what it is sent again", "")
    WEBHOOK_DROPPED = (
        "webhook-dropped",
        "a webhook's message was given up: refused for good, older than a day, or one too many",
        "see the receiver's log for why it refuses",
    )
    # render
    RENDERED = ("rendered", "made from a template", "")
    TEMPLATE_ERROR = ("template-error", "the template cannot be rendered", "netprov lint names the template and the line")
    # server
    INVENTORY_LOADED = ("inventory-loaded", "a new inventory generation serves", "")
    INVENTORY_EDITED = ("inventory-edited", "a system was declared or removed by the page or the API", "")
    INVENTORY_REFUSED = ("inventory-refused", "the inventory has errors: the previous generation goes on serving", "netprov lint lists every problem")
    SERVER_STARTED = ("server-started", "the server answers", "")
    SERVER_STOPPED = ("server-stopped", "the server stopped", "")
    WORKER_DIED = ("worker-died", "a worker ended and was started again", "see the server's log for its traceback")
    JOURNAL_DAMAGED = ("journal-damaged", "the journal was damaged: it was moved aside and a new one begun", "see the disk of server.state; the old file is kept beside the new one")
    INTERNAL_ERROR = ("internal-error", "netprov itself failed on this question and gave no answer", "the server's log has the traceback: please report it")
    EVENTS_LOST = ("events-lost", "events came faster than the journal could be written, or its disk is full", "see the disk of server.state")


BY_LABEL = {reason.label: reason for reason in Reason}
"""Every reason by its label; two with one label would be one entry short (a test counts)."""

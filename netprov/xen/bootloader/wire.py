"""What in dom0 may keep a bridge's port from hearing anybody, as far as the kernel's files say."""

from __future__ import annotations

from pathlib import Path

_NET = Path("/sys/class/net")
_FIREWALL = Path("/proc/sys/net/bridge")


def hindrances(bridge: str, net: Path = _NET, firewall: Path = _FIREWALL) -> list[str]:
    """A clause each; to be asked in dom0's own network namespace."""
    own = net / bridge / "bridge"
    found = []
    if _number(own / "stp_state") and (seconds := _number(own / "forward_delay") // 100):
        found.append(f"its new ports forward nothing for {2 * seconds} s (STP)")
    if _number(own / "vlan_filtering") and not _number(own / "default_pvid"):
        found.append("it filters VLANs and gives new ports none (default_pvid is 0)")
    if _number(firewall / "bridge-nf-call-iptables"):
        found.append("dom0's firewall sees what it forwards (bridge-nf-call-iptables is 1)")
    return found


def _number(file: Path) -> int:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return 0

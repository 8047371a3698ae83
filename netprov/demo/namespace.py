"""A network of the demo's own: as root, or as a user where the kernel lets users have one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

TOOLS = {"unshare": "util-linux", "setpriv": "util-linux", "ip": "iproute2"}

# what the lab does there: a bridge, and a tap on it for QEMU
_TRIAL = "ip link add try0 type bridge && ip tuntap add try1 mode tap"
_APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
_SWITCHES = (
    (Path("/proc/sys/kernel/unprivileged_userns_clone"), "0"),
    (Path("/proc/sys/user/max_user_namespaces"), "0"),
)


def command(inner: Sequence[str]) -> list[str]:
    """`inner` in a new network namespace, to be ended when the process that starts it is gone."""
    # root of a user namespace is who may make bridges in it; whoever is root already needs none
    kinds = ["--net"] if os.geteuid() == 0 else ["--user", "--map-root-user", "--net"]
    return ["unshare", *kinds, "setpriv", "--pdeathsig", "TERM", *inner]


def missing_tools() -> list[str]:
    """The packages to install before any namespace can be made."""
    return sorted({package for tool, package in TOOLS.items() if shutil.which(tool) is None})


def refusal() -> str:
    """Why no private network can be made here, and what to do; "" where it can."""
    done = subprocess.run(command(["sh", "-c", _TRIAL]), capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    said = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
    return f"no private network can be made here ({said[0]}): {_advice()}"


def _advice() -> str:
    if os.geteuid() == 0:
        return "in a container, give it CAP_NET_ADMIN, CAP_SYS_ADMIN and /dev/net/tun (docker run --privileged)"
    if _text(_APPARMOR) == "1":
        return f"this kernel does not let users make one ({_APPARMOR} is 1); run the demo as root"
    for path, off in _SWITCHES:
        if _text(path) == off:
            return f"this kernel does not let users make one ({path} is {off}); run the demo as root"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "/dev/net/tun cannot be opened; run the demo as root"
    return "run the demo as root"


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""

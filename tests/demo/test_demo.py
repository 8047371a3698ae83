"""netprov demo as a user runs it: real firmware, a real server, nothing left behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from netprov.bootimages.packages import default_cache
from netprov.demo.namespace import command, refusal
from netprov.demo.plan import Plan
from netprov.lab.firmware import Firmware, missing

from ..verdicts.healthy import assert_verdicts, judged_in

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(missing(Firmware.BIOS)), reason=f"apt-get install {' '.join(missing(Firmware.BIOS))}"),
]
NETPROV = (sys.executable, "-m", "netprov")
VERDICT = re.compile(r"^ *[✗!] .*  G\d+ *$", re.MULTILINE)
"""The heading of one, as the timeline shows it."""


@pytest.fixture
def temporary(tmp_path: Path) -> dict[str, str]:
    """An environment in which the demo makes its folder under `tmp_path`."""
    if text := refusal():
        pytest.skip(text)
    (tmp_path / "tmp").mkdir()
    return {**os.environ, "TMPDIR": str(tmp_path / "tmp"), "COLUMNS": "100"}


def demo(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*NETPROV, "demo", *arguments], env=environment, capture_output=True, text=True, timeout=500, check=False
    )


def users_of(folder: Path) -> list[str]:
    """The command lines of processes that name `folder`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line:
            found.append(line)
    return found


def test_bios_guest_is_installed(temporary: dict[str, str]) -> None:
    done = demo(temporary, "--keep")
    assert done.returncode == 0, done.stdout + done.stderr
    for text in (
        "✓ netprov serve",
        "    server:\n      address: 10.77.0.1\n",
        "✓ guest-1  callback",
        "The timeline of guest-1",
        "%packages",
        "✓ guest-1 is installed, ",
        "✓ the kickstart it fetched is the one netprov renders: sha256 ",
    ):
        assert text in done.stdout
    (folder,) = Path(temporary["TMPDIR"]).glob("netprov-demo-*")
    said = subprocess.run(
        [*NETPROV, "timeline", "guest-1", "--json"], env={**temporary, "NETPROV_CONFIG": str(folder / "netprov.yaml")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    stages = [stage["stage"] for stage in json.loads(said.stdout)[0]["stages"]]
    assert stages == ["address", "loader", "script", "kernel", "initrd", "autoinstall", "callback"]
    assert_verdicts(folder / "netprov.yaml")
    assert not users_of(folder)


@pytest.mark.skipif(bool(missing(Firmware.UEFI)), reason=f"apt-get install {' '.join(missing(Firmware.UEFI))}")
def test_two_uefi_guests_are_installed(temporary: dict[str, str]) -> None:
    done = demo(temporary, "--uefi", "--guests", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("is the one netprov renders") == 2
    assert "shimx64.efi" in done.stdout
    assert not VERDICT.search(done.stdout)
    assert not list(Path(temporary["TMPDIR"]).iterdir())


def test_guest_that_stops_is_shown(temporary: dict[str, str], tmp_path: Path) -> None:
    demo_root = default_cache() / "boot-images"
    if not (demo_root / "probe").exists():
        pytest.skip("the boot images are fetched by the tests before")
    shutil.copytree(demo_root, tmp_path / "root")
    (tmp_path / "root" / "probe" / "x86_64" / "initrd.img").write_bytes(os.urandom(10_000))
    (tmp_path / "demo").mkdir()
    plan = Plan(tmp_path / "demo", tmp_path / "root", Firmware.BIOS, 1, False, quiet=25)
    inner = command([sys.executable, "-m", "netprov.demo", plan.to_json()])
    done = subprocess.run(inner, env=temporary, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "✗ guest-1 is not installed; it got as far as: initrd" in done.stdout
    assert "Kernel panic" in done.stdout
    assert "netprov's log" in done.stdout
    assert not users_of(plan.folder)
    # g10_a_damaged_initrd: its kernel panics before it asks for anything
    ((boot, (verdict,)),) = judged_in(plan.folder / "netprov.yaml")
    assert (boot.system, verdict.id) == ("guest-1", "G10")
    assert "the initrd is damaged" in verdict.sentence


@pytest.mark.parametrize(("number", "left"), [(signal.SIGINT, 0), (signal.SIGKILL, 1)])
def test_nothing_is_left_behind(temporary: dict[str, str], number: signal.Signals, left: int) -> None:
    folder = Path(temporary["TMPDIR"])
    process = subprocess.Popen(
        [*NETPROV, "demo"], env=temporary, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    seen: list[str] = []
    for line in process.stdout:
        seen.append(line)
        if "guest-1  address" in line:
            break
    assert users_of(folder), "".join(seen)
    if number is signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal's ^C: to the whole foreground group
    else:
        process.send_signal(number)
    process.wait(60)
    assert process.returncode in (130, -number)
    _wait_gone(folder)
    # killed, it cannot take its folder away; the network and all processes end all the same
    assert len(list(folder.iterdir())) == left


def _wait_gone(folder: Path) -> None:
    deadline = time.monotonic() + 30
    while (users := users_of(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not users


def test_as_an_ordinary_user(temporary: dict[str, str], tmp_path: Path) -> None:
    # whoever runs the tests, seen as user 1000 without any right of root's: the checkout stays readable to them
    user = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    trial = [*user, "unshare", "--user", "--map-root-user", "--net", "ip", "tuntap", "add", "x", "mode", "tap"]
    if subprocess.run(trial, capture_output=True, check=False).returncode:
        pytest.skip("this kernel gives ordinary users no network namespaces")
    home = tmp_path / "home"
    if (default_cache() / "boot-images").exists():
        shutil.copytree(default_cache() / "boot-images", home / ".cache" / "netprov" / "boot-images")
    environment = {**temporary, "HOME": str(home)}
    environment.pop("XDG_CACHE_HOME", None)
    done = subprocess.run(
        [*user, *NETPROV, "demo"], env=environment, capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "loaders and probe in ~/.cache/netprov/boot-images" in done.stdout
    assert "✓ guest-1 is installed" in done.stdout
    assert not VERDICT.search(done.stdout)

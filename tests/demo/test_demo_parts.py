"""netprov demo's parts: its configuration, what it needs, and how it shows what happens."""

from __future__ import annotations

import io
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console
from rich.text import Text

from netprov.boot.reason import Reason
from netprov.bootimages.packages import Archive
from netprov.cli import main
from netprov.demo import accel, images, namespace, report
from netprov.demo.board import PlainBoard, many, one
from netprov.demo.guests import Outcome, Watched
from netprov.demo.plan import MOST_GUESTS, Plan, configuration, loaders_of
from netprov.inventory.load import load
from netprov.inventory.model import InstallMode
from netprov.journal.boots import STAGES, boot_of
from netprov.journal.event import Event, Kind
from netprov.lab.accel import Accelerators
from netprov.lab.console import Console as GuestConsole
from netprov.lab.firmware import Firmware

PROBE = ("probe/x86_64/vmlinuz", "probe/x86_64/initrd.img")
HASH = "ab" * 32


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    root = tmp_path / "root"
    for name in PROBE:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return Plan(tmp_path, root, Firmware.BIOS, 1, False)


# the plan and its configuration


@pytest.mark.parametrize("firmware", [Firmware.BIOS, Firmware.UEFI])
@pytest.mark.parametrize("guests", [1, 3, MOST_GUESTS])
def test_configuration_declares_what_is_booted(plan: Plan, firmware: Firmware, guests: int) -> None:
    plan = replace(plan, firmware=firmware, guests=guests)
    plan.config.write_text(configuration(plan))
    inventory = load(plan.config)
    assert {system.name: system.interfaces[0].mac for system in inventory.systems()} == plan.machines
    assert len(set(plan.machines.values())) == guests
    assert {system.install for system in inventory.systems()} == {InstallMode.ONCE}
    assert inventory.settings.server.state == str(plan.folder / "state")
    assert not inventory.warnings


def test_configuration_fits_a_terminal(plan: Plan) -> None:
    text = configuration(replace(plan, root=Path("/var/cache/netprov/boot-images"), firmware=Firmware.UEFI))
    assert max(map(len, text.splitlines())) <= 76
    assert len(text.splitlines()) <= 26


def test_plan_survives_its_journey(plan: Plan) -> None:
    assert Plan.from_json(plan.to_json()) == plan
    assert Plan.from_json(replace(plan, kvm=True, quiet=1.5).to_json()) == replace(plan, kvm=True, quiet=1.5)


@pytest.mark.parametrize(("firmware", "machines"), [(Firmware.BIOS, "bios"), (Firmware.UEFI, "uefi-x64")])
def test_loaders(firmware: Firmware, machines: str) -> None:
    assert loaders_of(firmware) == machines


def test_images_are_not_in_place_in_an_empty_folder(tmp_path: Path) -> None:
    assert not images.in_place(tmp_path, Firmware.BIOS, Archive(tmp_path / "cache"))


# what it needs


def test_missing_qemu_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    result = CliRunner().invoke(main, ["demo"])
    assert result.exit_code == 1
    assert "as root: apt-get install" in result.output
    for package in ("qemu-system-x86", "iproute2", "util-linux"):
        assert package in result.output


@pytest.mark.parametrize("guests", ["0", "21", "many"])
def test_number_of_guests(guests: str) -> None:
    assert CliRunner().invoke(main, ["demo", "--guests", guests]).exit_code == 2


REFUSALS = [
    # uid, which switch says what, what the refusal says
    (1000, ("_APPARMOR", "1"), "run the demo as root"),
    (1000, ("_SWITCHES", "0"), "run the demo as root"),
    (0, None, "docker run --privileged"),
]


@pytest.mark.parametrize(("uid", "switch", "text"), REFUSALS)
def test_refusal_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, uid: int, switch: tuple[str, str] | None, text: str
) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "unshare: unshare failed: Operation not permitted\n")
    monkeypatch.setattr(namespace.subprocess, "run", lambda *_, **__: failed)
    monkeypatch.setattr(namespace.os, "geteuid", lambda: uid)
    monkeypatch.setattr(namespace, "_APPARMOR", tmp_path / "none")
    if switch is not None:
        (tmp_path / "switch").write_text(f"{switch[1]}\n")
        value: Any = tmp_path / "switch" if switch[0] == "_APPARMOR" else ((tmp_path / "switch", "0"),)
        monkeypatch.setattr(namespace, switch[0], value)
        assert str(tmp_path / "switch") in namespace.refusal()
    assert "Operation not permitted" in namespace.refusal()
    assert text in namespace.refusal()


def test_command_as_root_and_as_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespace.os, "geteuid", lambda: 0)
    assert namespace.command(["true"]) == ["unshare", "--net", "setpriv", "--pdeathsig", "TERM", "true"]
    monkeypatch.setattr(namespace.os, "geteuid", lambda: 1000)
    assert namespace.command(["true"])[:4] == ["unshare", "--user", "--map-root-user", "--net"]


def test_kvm_is_tried_once_a_boot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tried = []

    def arguments(self: Accelerators, firmware: Firmware) -> tuple[str, ...]:
        if firmware not in self.known:
            tried.append(firmware)
            self.known[firmware] = True
        return ()

    monkeypatch.setattr(Accelerators, "arguments", arguments)
    boot = tmp_path / "boot_id"
    boot.write_text("one\n")
    monkeypatch.setattr(accel, "_BOOT_ID", boot)
    for _ in range(2):
        assert accel.kvm(Firmware.BIOS, tmp_path / "cache")
    assert tried == [Firmware.BIOS]
    boot.write_text("two\n")
    accel.kvm(Firmware.BIOS, tmp_path / "cache")
    assert tried == [Firmware.BIOS] * 2
    for damage in ("", "[]", '{"boot": "two"}', '{"known": 3}'):
        (tmp_path / "cache" / accel.FILE).write_text(damage)
        assert accel.kvm(Firmware.BIOS, tmp_path / "cache")
    (tmp_path / "file").write_text("")
    assert accel.kvm(Firmware.BIOS, tmp_path / "file" / "no-folder-can-be-made-here")


# what it shows

EVENTS = (
    Event(101.0, Kind.DHCP_ACK, Reason.DHCP_OK, stage="loader", ip="10.77.0.100", name="pxelinux.0"),
    Event(101.5, Kind.TFTP_DONE, Reason.TFTP_OK, stage="loader", name="pxelinux.0", size=42_400),
    Event(102.0, Kind.INSTALL, Reason.INSTALL_RUNNING, stage="script", text="guest-1: booting"),
    Event(102.1, Kind.TFTP_DONE, Reason.TFTP_OK, stage="script", name="pxelinux.cfg/01-52", size=366),
    Event(104.0, Kind.TFTP_DONE, Reason.TFTP_OK, stage="kernel", name="vmlinuz", size=14_200_000, seconds=2.0),
    Event(104.5, Kind.TFTP_DONE, Reason.TFTP_OK, stage="initrd", name="initrd.img", size=1_200_000, seconds=0.1),
    Event(108.0, Kind.HTTP_DONE, Reason.HTTP_OK, stage="autoinstall", name="/autoinstall/guest-1?token=x", size=889),
    Event(109.0, Kind.HTTP_DONE, Reason.HTTP_OK, stage="callback", name="/api/v1/callback/…", size=97),
)


def watched(tmp_path: Path, count: int, name: str = "guest-1") -> Watched:
    console = tmp_path / f"{name}.log"
    console.write_text(f"NETPROV-PROBE ks sha256={HASH} url=http://x\n")
    guest: Any = SimpleNamespace(mac="52:54:00:77:00:01", console=GuestConsole(console), running=lambda: False)
    boot = boot_of("52:54:00:77:00:01", 1, EVENTS[:count]) if count else None
    return Watched(name, guest, 100.0, boot)


def shown(content: Any, width: int = 80) -> str:
    output = io.StringIO()
    Console(file=output, width=width, force_terminal=True, color_system=None).print(content)
    return output.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_board_of_one(tmp_path: Path, width: int) -> None:
    said = shown(one(watched(tmp_path, 5), Text("…")), width)
    assert [line.split()[:2] for line in said.splitlines()] == [
        ["✓", "address"], ["✓", "loader"], ["✓", "script"], ["✓", "kernel"], ["…", "initrd"], ["·", "autoinstall"],
        ["·", "callback"],
    ]  # fmt: skip
    assert "address       1.0 s  10.77.0.100" in said
    assert "pxelinux.cfg/01-52, 366 B" in said
    assert "vmlinuz, 14.2 MB, 7.1 MB/s" in said
    assert max(len(line.rstrip()) for line in said.splitlines()) <= width


def test_board_of_one_that_is_installed(tmp_path: Path) -> None:
    said = shown(one(watched(tmp_path, 8), Text("…")))
    assert "…" not in said
    assert "/autoinstall/guest-1, 889 B" in said
    assert "token" not in said
    assert "the guest reports that it is installed" in said


def test_board_of_one_that_says_nothing(tmp_path: Path) -> None:
    said = shown(one(watched(tmp_path, 0), Text("✗")))
    assert said.split()[:2] == ["✗", "address"]


@pytest.mark.parametrize("width", [80, 120])
def test_board_of_many(tmp_path: Path, width: int) -> None:
    said = shown(many([watched(tmp_path, n, f"guest-{n + 10}") for n in range(9)], Text("…")), width)
    assert all(name in said for name in STAGES)
    assert max(len(line.rstrip()) for line in said.splitlines()) <= width
    assert len(said.splitlines()) == 10


def test_plain_board_tells_each_stage_once(tmp_path: Path) -> None:
    output = io.StringIO()
    board = PlainBoard(Console(file=output, width=80))
    for count in (0, 2, 2, 5, 8, 8):
        board.show([watched(tmp_path, count)])
    lines = output.getvalue().splitlines()
    assert [line.split()[2] for line in lines] == list(STAGES)


OUTCOMES = [
    # installed, what the console said, the verdict, whether all is well
    (True, None, "✓ guest-1 is installed, 9.0 s after it was switched on", True),
    (True, HASH, "not the same kickstart", False),
    (True, "", "its console names the sha256 none", False),
    (False, "", "✗ guest-1 is not installed; it got as far as: callback", False),
]


@pytest.mark.parametrize(("installed", "said", "text", "well"), OUTCOMES)
def test_outcome(tmp_path: Path, plan: Plan, installed: bool, said: str | None, text: str, well: bool) -> None:
    outcome = Outcome(watched(tmp_path, 8), installed, b"text\npoweroff\n", said or "")
    if said is None:
        outcome = replace(outcome, said=outcome.sent)
    log = tmp_path / "log"
    log.write_text("netprov: serves\n")
    output = io.StringIO()
    assert report.outcomes(Console(file=output, width=100), plan, [outcome], log) is well
    shown = output.getvalue()
    assert text in " ".join(shown.split())
    assert "The timeline of guest-1" in shown
    assert ("    text\n    poweroff\n" in shown) is installed
    assert ("netprov: serves" in shown) is not installed


def test_nothing_heard(tmp_path: Path, plan: Plan) -> None:
    (tmp_path / "log").write_text("")
    output = io.StringIO()
    outcome = Outcome(watched(tmp_path, 0), False, b"", "")
    assert not report.outcomes(Console(file=output, width=100), plan, [outcome], tmp_path / "log")
    assert "has not contacted this server" in output.getvalue()


def test_kept_names_the_configuration(plan: Plan) -> None:
    output = io.StringIO()
    report.kept(Console(file=output, width=80), plan)
    said = output.getvalue()
    assert f"export NETPROV_CONFIG={plan.config}" in said
    assert "timeline guest-1" in said
    assert "explain guest-1" in said
    json.loads(plan.to_json())

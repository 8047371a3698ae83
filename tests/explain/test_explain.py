"""netprov explain: every stage of a boot on paper, by the code that answers the machine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from netprov.boot.install import UNDECLARED, Arm
from netprov.cli import main
from netprov.explain.server import our_address
from netprov.inventory.load import load
from netprov.state.state import open_state
from tests.explain.house import make
from tests.world import edit

CONFIG = """\
server: {state: state, address: 10.0.0.1, unknown: menu}
dhcp: {mode: full, subnets: [{subnet: 10.0.0.0/24, range: 10.0.0.100-10.0.0.200}]}
tftp: {root: images}
distros:
  d: {breed: redhat, os_version: "9", kernel: vmlinuz, initrd: [initrd], tree: "http://10.0.0.1/t"}
profiles:
  web: {distro: d, autoinstall: default.ks}
systems:
  lady:
    profile: web
    install: install-once
    interfaces: {eth0: {mac: "52:54:00:00:00:01", ip: 10.0.0.14/24}}
"""
LADY, STRANGER = "52:54:00:00:00:01", "52:54:00:00:00:99"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    make(tmp_path, CONFIG)
    return tmp_path


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["explain", "-c", str(folder / "netprov.yaml"), *arguments])


def stages(folder: Path, *arguments: str, status: int = 0) -> list[dict[str, Any]]:
    result = run(folder, *arguments, "--json")
    assert result.exit_code == status, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)["stages"]
    return found


WHOLE = ("script", "kernel", "initrd", "arguments", "autoinstall", "callback", "afterwards")

WALKS = [
    # arguments, each stage and what it gets
    (("lady",), ("firmware", "loader", "loader", *WHOLE), {"firmware": "pxelinux.0", "loader": "2.0 kB"}),
    (("lady", "--arch", "uefi-x64"), ("firmware", "loader", "loader", *WHOLE), {"firmware": "shimx64.efi"}),
    (("lady", "--arch", "7"), ("firmware", "loader", "loader", *WHOLE), {"firmware": "shimx64.efi"}),
    (("lady", "--arch", "http-x64"), ("firmware", "loader", "ipxe", *WHOLE), {"firmware": "ipxe.efi"}),
    (("lady", "--loader", "ipxe"), ("ipxe", *WHOLE), {"ipxe": "/ipxe/52-54-00-00-00-01"}),
    (("lady", "--loader", "grub"), WHOLE, {"script": "boots vmlinuz", "kernel": "2.0 kB"}),
    ((LADY.upper(),), ("firmware", "loader", "loader", *WHOLE), {"autoinstall": "made from default.ks"}),
    ((LADY.replace(":", "-"), "--relay", "10.0.0.7"), ("firmware", "loader", "loader", *WHOLE), {}),
    ((STRANGER,), ("firmware", "loader", "loader", "script"), {"script": "a menu"}),
    (("10.0.0.14", "--loader", "pxelinux"), WHOLE, {"script": "boots vmlinuz"}),
]  # fmt: skip


OWN_NAMES = [("uboot-arm64", ("firmware", *WHOLE)), ("rpiboot", ("firmware",))]


@pytest.mark.parametrize(("arch", "names"), OWN_NAMES)
def test_firmware_that_finds_its_files_itself(site: Path, arch: str, names: Sequence[str]) -> None:
    edit(site, "{breed: redhat,", "{arch: aarch64, breed: redhat,")
    found = stages(site, "lady", "--arch", arch)
    assert tuple(stage["stage"] for stage in found) == tuple(names)
    assert "files by names of its own" in found[0]["gets"]
    assert not [stage["problem"] for stage in found if stage["problem"]]


def test_a_filename_without_a_kernel(site: Path) -> None:
    edit(site, "kernel: vmlinuz, initrd: [initrd],", "")
    edit(site, "install: install-once\n", "install: install-once\n    filename: vmlinuz\n")
    assert next(stage["gets"] for stage in stages(site, "lady")) == "vmlinuz"


@pytest.mark.parametrize(("arguments", "names", "gets"), WALKS)
def test_stages(site: Path, arguments: Sequence[str], names: Sequence[str], gets: dict[str, str]) -> None:
    found = stages(site, *arguments)
    assert tuple(stage["stage"] for stage in found) == tuple(names)
    for stage in found:
        assert gets.get(stage["stage"], "") in stage["gets"]
        assert not stage["problem"]


FAULTS = [
    # what is done to the site, arguments, the stage that shows it, what the problem says
    (lambda s: (s / "images/loaders/pxelinux.0").unlink(), (), "loader", "netprov loaders"),
    (lambda s: (s / "images/loaders/grubx64.efi").unlink(), ("--arch", "uefi"), "loader", "no such file: grubx64.efi"),
    (lambda s: edit(s, "autoinstall: default.ks", "autoinstall: bad.ks"), (), "autoinstall", "bad.ks:2"),
    (lambda s: edit(s, "tree:", "arch: arm64, tree:"), ("--arch", "bios"), "firmware", "machine's arch:"),
    (lambda s: None, ("--arch", "uefi-arm64"), "firmware", "machine's arch:"),
    (lambda s: None, ("--arch", "http-ia32"), "firmware", "filename:"),
    (lambda s: edit(s, "kernel: vmlinuz, initrd: [initrd], ", ""), (), "firmware", "give its distro a kernel:"),
]


@pytest.mark.parametrize(("fault", "arguments", "stage", "problem"), FAULTS)
def test_faults(site: Path, fault: Any, arguments: Sequence[str], stage: str, problem: str) -> None:
    (site / "autoinstall").mkdir()
    (site / "autoinstall" / "bad.ks").write_text("# netprov: template\n{{ no_such_variable }}\n")
    fault(site)
    found = stages(site, "lady", *arguments, status=1)
    assert [row["stage"] for row in found if row["problem"]] == [stage]
    assert problem in next(row["problem"] for row in found if row["problem"])
    assert f"✗ it stops at: {stage}" in run(site, "lady", *arguments).output


def test_script_template_error(site: Path) -> None:
    folder = site / "pxelinux.cfg.templates" / "pxelinux"
    folder.mkdir(parents=True)
    (folder / "kernel.cfg").write_text("{{ nothing_such }}\n")
    found = stages(site, "lady", status=1)
    assert found[-1]["stage"] == "script"
    assert "pxelinux/kernel.cfg" in found[-1]["problem"]


def test_json_shape(site: Path) -> None:
    result = run(site, "lady", "--json")
    document = json.loads(result.stdout)
    assert list(document) == ["machine", "arch", "stages"]
    assert document["arch"] == "bios"
    for stage in document["stages"]:
        assert list(stage) == ["stage", "asks", "gets", "why", "text", "problem", "advice", "replies", "facts"]
        for step in stage["why"]:
            assert list(step) == ["reason", "text", "origin"]
    why = document["stages"][0]["why"]
    assert [step["reason"] for step in why][:2] == ["match-mac", "install-armed"]
    assert why[0]["origin"] == f"{site / 'netprov.yaml'}:9"
    assert "token=preview" in document["stages"][3]["text"]


def test_proxy_mode(site: Path) -> None:
    edit(site, "mode: full", "mode: proxy")
    found = stages(site, "lady")
    assert found[0]["asks"] == "bios firmware, by proxyDHCP"
    assert found[0]["gets"] == "pxelinux.0"
    edit(site, "unknown: menu", "unknown: ignore")
    (only,) = stages(site, STRANGER)
    assert (only["gets"], only["advice"]) == ("no answer", "server.unknown: menu or discover")


def test_installed_machine_and_armed(site: Path) -> None:
    edit(site, "install: install-once", "install: local")
    (only,) = stages(site, "lady")
    assert only["gets"].startswith("nothing to boot")
    assert "netprov system install" in only["advice"]
    assert stages(site, "lady", "--armed")[-1]["stage"] == "afterwards"


def test_looking_changes_nothing(site: Path) -> None:
    stages(site, "lady")
    assert not (site / "state").exists()
    with open_state(str(site / "state")) as state:
        state.installs.apply({"lady": UNDECLARED}, Arm(), 1.0)
        before = state.installs.get("lady")
        stages(site, "lady")
        assert state.installs.get("lady") == before


@pytest.mark.parametrize("name", ["ladi", "52:54:00", " "])
def test_unknown_name(site: Path, name: str) -> None:
    result = run(site, name)
    assert result.exit_code == 1
    assert "did you mean lady?" in result.output or "give a system's name" in result.output


def test_unknown_arch(site: Path) -> None:
    result = run(site, "lady", "--arch", "vax")
    assert result.exit_code == 2
    assert "uefi-x64" in result.output


@pytest.mark.parametrize("columns", ["80", "120"])
def test_text(site: Path, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    said = run(site, "lady").output
    assert said.startswith(f"lady  {LADY}  bios firmware  server 10.0.0.1\n")
    assert "matched system lady by MAC 52:54:00:00:00:01  netprov.yaml:9" in said
    assert said.count("matched system lady") == 1  # each reason once
    assert said.rstrip().endswith("✓ nothing is in the way of its install")
    assert max(map(len, said.splitlines())) <= int(columns)
    assert "│ " not in said
    assert "│ # Kickstart for system lady" in run(site, "lady", "--text").output


OURS = [
    # the configuration, the system, our address
    ("server: {address: 10.9.9.9}\n", "", "10.9.9.9"),
    ("dhcp: {subnets: [{subnet: 203.0.113.0/24}]}\n", "", "203.0.113.1"),
    ("server: {interfaces: [lo]}\ndhcp: {subnets: [{subnet: 127.0.0.0/8}]}\n", "", "127.0.0.1"),
    ("server: {interfaces: [nosuch0]}\n", "", None),
    (
        "dhcp: {subnets: [{subnet: 203.0.113.0/24}, {subnet: 198.51.100.0/24}]}\nimages: {i: {kernel: netprov.yaml}}\n"
        "systems: {s: {image: i, interfaces: {e: {ip: 198.51.100.7/24}}}}\n",
        "s",
        "198.51.100.1",
    ),
]


@pytest.mark.parametrize(("text", "system", "address"), OURS)
def test_our_address(tmp_path: Path, text: str, system: str, address: str | None) -> None:
    (tmp_path / "netprov.yaml").write_text(f"{text}tftp: {{root: .}}\n")
    inventory = load(tmp_path / "netprov.yaml")
    found = our_address(inventory, inventory.system(system))
    assert found == (IPv4Address(address) if address else None)


@pytest.mark.parametrize("command", ["explain lady", "render args lady", "lint", "check", "serve", "timeline"])
def test_missing_configuration_says_what_to_do(tmp_path: Path, command: str) -> None:
    result = CliRunner().invoke(main, [*command.split(), "-c", str(tmp_path / "netprov.yaml")])
    assert result.exit_code == 1
    assert "netprov.yaml: no such file: write one (docs/tutorial.md" in result.output
    assert "name another with -c" in result.output


def test_render_without_a_server_address(site: Path) -> None:
    edit(site, "address: 10.0.0.1, ", "")
    result = CliRunner().invoke(main, ["render", "args", "lady", "-c", str(site / "netprov.yaml")])
    assert result.exit_code == 0, result.output
    assert "inst.ks=http://10.0.0." in result.output


def test_render_for_a_domu(site: Path) -> None:
    """What netprov-pxeboot would be told, checksums and all."""

    def said(*arguments: str) -> Any:
        result = CliRunner().invoke(main, ["render", "xen", *arguments, "-c", str(site / "netprov.yaml")])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    answer = said("lady")
    assert (answer["action"], answer["kernel"]["url"]) == ("kernel", "http://10.0.0.1/files/vmlinuz")
    assert len(answer["initrds"][0]["sha256"]) == 64
    assert said(STRANGER)["action"] == "refuse"
    edit(site, "install: install-once", "install: local")
    assert said("lady")["action"] == "local"
    assert said("lady", "--armed")["action"] == "kernel"

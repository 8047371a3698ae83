"""netprov lint and netprov render, as an operator uses them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from netprov.boot.install import UNDECLARED, Arm
from netprov.cli.lint import lint
from netprov.cli.render import render
from netprov.state.state import open_state

CONFIG = """\
server: {{address: 10.0.0.1, unknown: menu, state: {state}}}
distros:
  scotland:
    breed: redhat
    os_version: "9"
    kernel: scotland/vmlinuz
    initrd: [scotland/initrd.img]
    tree: http://10.0.0.1/tree
profiles:
  web:
    distro: scotland
    autoinstall: {template}
    autoinstall_meta: {{ssh_keys: [ssh-ed25519 AAAA me@example.org]}}
    kernel_options: {options}
systems:
  lady:
    profile: web
    hostname: lady.example.org
    interfaces: {{eth0: {{mac: "52:54:00:00:00:01", ip: 10.0.0.5/24}}}}
  duke: {{profile: web, interfaces: {{eth0: {{mac: "52:54:00:00:00:02"}}}}}}
"""

Run = Callable[..., Result]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write_site(template: str = "default.ks", options: str = "{quiet: }", **files: str) -> Path:
        kernel = tmp_path / "boot-images" / "scotland"
        kernel.mkdir(parents=True, exist_ok=True)
        for name in ("vmlinuz", "initrd.img"):
            (kernel / name).write_bytes(b"x")
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_ks", ".ks").replace("_cfg", ".cfg")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        config = tmp_path / "netprov.yaml"
        config.write_text(CONFIG.format(state=tmp_path / "state", template=template, options=options))
        return config

    return write_site


def run_lint(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(lint, ["-c", str(config), *arguments])


def run_render(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(render, ["-c", str(config), *arguments])


def test_lint_of_a_good_site(write: Callable[..., Path]) -> None:
    result = run_lint(write())
    assert result.output == "no problems in 2 systems, 1 profile\n"
    assert result.exit_code == 0
    assert json.loads(run_lint(write(), "--json").output) == {"problems": [], "warnings": []}


def test_lint_tells_a_templates_error_once(write: Callable[..., Path], tmp_path: Path) -> None:
    result = run_lint(write("web.ks", autoinstall__web_ks="# netprov: template\n{{ typo }}\n"))
    assert result.exit_code == 1
    assert f"{tmp_path}/autoinstall/web.ks:2: profile web (and 2 more): 'typo' is undefined; " in result.output
    assert result.output.count("typo") == 1


def test_lint_checks_the_kickstart(write: Callable[..., Path], tmp_path: Path) -> None:
    result = run_lint(write("web.ks", autoinstall__web_ks="# netprov: template\nbogus {{ hostname }}\n"), "--json")
    problems = json.loads(result.output)["problems"]
    assert result.exit_code == 1
    assert {(p["file"], p["line"]) for p in problems} == {(f"{tmp_path}/autoinstall/web.ks", 2)}
    assert any("system lady" in p["where"] and "bogus lady.example.org" in p["text"] for p in problems)


def test_lint_checks_the_users_scripts(write: Callable[..., Path], tmp_path: Path) -> None:
    broken = {"pxelinux.cfg.templates__grub__menu_cfg": 'menuentry "{{ menu.title }}" {\n}\n'}
    result = run_lint(write(**broken))
    assert result.exit_code == 1
    assert "grub/menu.cfg:1: the grub script of any machine: {{ … }} is inside" in result.output


def test_lint_names_the_option_that_cannot_be(write: Callable[..., Path], tmp_path: Path) -> None:
    result = run_lint(write(options='{foo: "a\\nb"}'))
    assert result.exit_code == 1
    assert "field kernel_options" in result.output


def test_lint_tells_what_only_one_loader_cannot_express(write: Callable[..., Path]) -> None:
    result = run_lint(write(options="{foo: '${x}'}"))
    assert result.exit_code == 1
    assert "which iPXE would take for a setting" in result.output
    assert "field kernel_options.foo" in result.output


def test_lint_warns_of_a_long_command_line(write: Callable[..., Path]) -> None:
    result = run_lint(write(options=f"{{foo: {'x' * 2100}}}"))
    assert result.exit_code == 0
    assert "warning: " in result.output
    assert "kernels for x86_64 keep 2047 of them" in result.output


def test_lint_of_a_bad_configuration(write: Callable[..., Path]) -> None:
    config = write()
    config.write_text(config.read_text().replace("profile: web\n", "profile: wed\n"))
    result = run_lint(config)
    assert result.exit_code == 1
    assert "wed" in result.output
    assert json.loads(run_lint(config, "--json").output)["problems"]


KINDS = [
    ("pxelinux", "lady", [], "LOCALBOOT -1"),
    ("pxelinux", "lady", ["--armed"], "LINUX scotland/vmlinuz"),
    ("grub", "52:54:00:00:00:01", ["--armed"], "linux /scotland/vmlinuz"),
    ("ipxe", "lady", ["--armed", "--server", "10.0.0.7"], "kernel http://10.0.0.1/files/scotland/vmlinuz"),
    ("ipxe", "52:54:00:99:99:99", [], "item entry1 web"),
    ("args", "lady", [], "inst.ks=http://10.0.0.1/autoinstall/lady?token=preview"),
    ("args", "lady", ["--mac", "52-54-00-00-00-0A"], "BOOTIF=01-52-54-00-00-00-0a"),
    ("args", "web", [], "inst.ks=http://10.0.0.1/autoinstall/profile/web "),
    ("autoinstall", "lady", [], "# netprov-callback: http://10.0.0.1/api/v1/callback/preview?status=done"),
    ("autoinstall", "52:54:00:00:00:02", [], "# Kickstart for system duke."),
    ("autoinstall", "web", [], "# Kickstart for profile web."),
]


@pytest.mark.parametrize(("kind", "name", "options", "expected"), KINDS)
def test_render(write: Callable[..., Path], kind: str, name: str, options: list[str], expected: str) -> None:
    config = write()
    result = run_render(config, kind, name, *options)
    assert result.exit_code == 0, result.output
    assert expected in result.output
    assert not (config.parent / "state").exists()


def test_render_shows_the_state_and_leaves_it(write: Callable[..., Path], tmp_path: Path) -> None:
    config = write()
    with open_state(str(tmp_path / "state")) as state:
        ((_, record),) = state.installs.apply({"lady": UNDECLARED}, Arm(), 1.0)
    for kind in ("grub", "autoinstall", "args"):
        assert record.token in run_render(config, kind, "lady").output
    with open_state(str(tmp_path / "state")) as state:
        assert state.installs.get("lady") == record


ERRORS = [
    (("autoinstall", "lody"), "no system or profile 'lody' is declared; did you mean lady?"),
    (("grub", "lody"), "did you mean lady?"),
    (("autoinstall", "52:54:00:99:99:99"), "no system or profile"),
    (("grub", "lady", "--mac", "nonsense"), "is not a MAC address"),
    (("grub", "lady", "--server", "nonsense"), "is not an IPv4 address"),
    (("nonsense", "lady"), "nonsense"),
]


@pytest.mark.parametrize(("arguments", "says"), ERRORS)
def test_render_error(write: Callable[..., Path], arguments: tuple[str, ...], says: str) -> None:
    result = run_render(write(), *arguments)
    assert result.exit_code != 0
    assert says in result.output
    assert "Traceback" not in result.output


def test_render_of_a_machine_that_gets_no_script(write: Callable[..., Path]) -> None:
    config = write()
    config.write_text(config.read_text().replace("unknown: menu", "unknown: ignore"))
    result = run_render(config, "grub", "52:54:00:99:99:99")
    assert result.exit_code == 1
    assert "gets no grub script; netprov explain 52:54:00:99:99:99 says why" in result.output


def test_render_without_an_address(write: Callable[..., Path]) -> None:
    config = write()
    config.write_text(config.read_text().replace("address: 10.0.0.1, ", ""))
    assert run_render(config, "grub", "lady").exit_code == 0  # this host's, or the first of the machine's subnet
    assert run_render(config, "grub", "lady", "--server", "10.0.0.7").exit_code == 0

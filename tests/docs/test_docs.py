"""The documentation: the generated pages are current, every command that is shown exists, and the tutorial works."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from netprov.boot.reason import Reason
from netprov.cli import main
from netprov.cli.pages import PAGES
from netprov.demo.namespace import refusal
from netprov.inventory.load import load
from netprov.journal.boots import STAGES
from netprov.lab.firmware import Firmware, missing

from .typed import blocks, script, seed, type_in
from .worlds import WORLDS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
WRITTEN = (ROOT / "README.md", DOCS / "tutorial.md", *sorted(DOCS.glob("howto/*.md")))


# generated pages


@pytest.mark.parametrize("name", PAGES)
def test_page_is_current(name: str) -> None:
    page = DOCS / "reference" / f"{name}.md"
    wanted = CliRunner().invoke(main, ["schema", "--page", name]).output
    assert page.read_text() == wanted, f"write it anew: netprov schema --page {name} > {page.relative_to(ROOT)}"


def test_every_reason_has_its_heading() -> None:
    page = PAGES["reasons"]()
    assert all(f"\n## {reason.label}\n" in page for reason in Reason)


# links


def pages() -> list[Path]:
    return [*WRITTEN, *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    assert not [link for link in links if "://" not in link and not (page.parent / link).exists()]


# commands


def shown() -> Iterator[tuple[str, str]]:
    """Every netprov command in the pages' blocks and texts, with the page that shows it."""
    for page in WRITTEN:
        text = page.read_text()
        for block in blocks(page):
            if block.language not in ("sh", "console", "text"):
                continue
            for line in block.text.replace("\\\n", " ").splitlines():
                if match := re.match(r"(?:\$ )?(netprov .*)", line):
                    yield page.name, match[1].partition("||")[0].partition("#")[0].strip()
        for span in re.findall(r"`(netprov [^`]+)`", text):
            yield page.name, " ".join(span.split())


@pytest.mark.parametrize(("page", "line"), sorted(set(shown())))
def test_command_exists(page: str, line: str) -> None:
    words = shlex.split(line)[1:]
    command: click.Command = main
    context = click.Context(command)
    while isinstance(command, click.Group):
        found = command.get_command(context, words.pop(0))
        assert found is not None, f"{page} shows {line!r}: there is no such command"
        command = found
    options = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
    unknown = [word for word in words if word.startswith("-") and word.partition("=")[0] not in {*options, "--help"}]
    assert not unknown, f"{page} shows {line!r}: no option {unknown}"


# configurations


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_configurations_load(page: Path, tmp_path: Path) -> None:
    for number, text in enumerate(block.text for block in blocks(page) if block.language == "yaml"):
        folder = tmp_path / str(number)
        for distro in (yaml.safe_load(text).get("distros") or {}).values():
            for name in (distro["kernel"], distro["initrd"]):
                (folder / "boot-images" / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / "boot-images" / name).write_bytes(b"x")
        folder.mkdir(exist_ok=True)
        (folder / "netprov.yaml").write_text(text)
        load(folder / "netprov.yaml")


# the tutorial and the how-tos, typed in

_needs = pytest.mark.skipif(bool(missing(Firmware.BIOS)), reason=f"apt-get install {' '.join(missing(Firmware.BIOS))}")


@pytest.fixture(scope="module")
def typist() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    if why := refusal():
        pytest.skip(why)


@pytest.mark.e2e
@pytest.mark.timeout(600)
@_needs
def test_tutorial(typist: None, tmp_path: Path) -> None:
    (tmp_path / "first-boot").mkdir()
    seed(tmp_path / "first-boot")
    text = script(DOCS / "tutorial.md").replace("mkdir first-boot", "mkdir -p first-boot")  # it has been seeded
    said = type_in(text + "\nkill -TERM $server; wait $server", tmp_path, timeout=500)
    assert said.returncode == 0, said.stdout
    assert "NETPROV-PROBE callback ok" in said.stdout, said.stdout
    assert "lady  is installed and boots its own disk" in said.stdout
    for stage in STAGES:
        assert f"✓ {stage}" in said.stdout, said.stdout
    assert "✓ nothing is in the way of its install" in said.stdout


SEEN = {
    "beside-a-dhcp-server": (
        "10.77.0.2, boots pxelinux.0 from 10.77.0.1", "10.77.0.2, boots ipxe.efi from 10.77.0.1", "lady would boot",
    ),
    "being-told": (
        "install lady lady: armed", "inst.syslog=10.77.0.1:514", 'netprov_webhook_failing{hook="ops"} 0.0',
    ),
    "debugging-a-machine": (
        "lady would boot", "TFTP's data does not arrive  G5", "did not hear our answer",
        "packets of the boot of lady", "offers 10.77.0.198 and pxelinux.0",
    ),
    "firewalls-and-containers": ("lady would boot", "✓ autoinstall"),
    "uefi-http-secure-boot": (
        "boots shimx64.efi from 10.77.0.1", "boots http://10.77.0.1/files/ipxe.efi", "lady would boot",
    ),
    "vlans-and-relays": (
        "10.20.0.199/24 from 10.20.0.1, boots pxelinux.0 from 10.20.0.1",
        "10.30.0.199/24 from 10.77.0.1, boots pxelinux.0 from 10.77.0.1", "lady would boot",
    ),
}  # fmt: skip
"""What each how-to is to make the machine, or netprov, say."""


@pytest.mark.e2e
@pytest.mark.timeout(400)
@_needs
@pytest.mark.parametrize("name", WORLDS)
def test_howto(name: str, typist: None, tmp_path: Path) -> None:
    seed(tmp_path)
    said = type_in(WORLDS[name] + script(DOCS / "howto" / f"{name}.md"), tmp_path, timeout=300)
    assert said.returncode == 0, said.stdout
    for phrase in SEEN[name]:
        assert phrase in said.stdout, f"{phrase}\n{said.stdout}"

"""The documentation: the generated pages are current, every command that is shown exists, and the tutorial works."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
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
from netprov.media.packages import default_cache

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
WRITTEN = (ROOT / "README.md", DOCS / "tutorial.md")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(page.read_text()) if kind == language]


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
        for block in (*blocks(page, "sh"), *blocks(page, "console")):
            for line in block.replace("\\\n", " ").splitlines():
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
    for number, text in enumerate(blocks(page, "yaml")):
        folder = tmp_path / str(number)
        for distro in (yaml.safe_load(text).get("distros") or {}).values():
            for name in (distro["kernel"], distro["initrd"]):
                (folder / "boot-images" / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / "boot-images" / name).write_bytes(b"x")
        folder.mkdir(exist_ok=True)
        (folder / "netprov.yaml").write_text(text)
        load(folder / "netprov.yaml")


# the tutorial, typed in


@pytest.mark.e2e
@pytest.mark.timeout(600)
@pytest.mark.skipif(bool(missing(Firmware.BIOS)), reason=f"apt-get install {' '.join(missing(Firmware.BIOS))}")
def test_tutorial(tmp_path: Path) -> None:
    if os.geteuid() != 0 or (why := refusal()):
        pytest.skip("needs root" if os.geteuid() != 0 else why)
    _seed(tmp_path)
    said = subprocess.run(
        ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-eux", "-c", _script()],
        cwd=tmp_path, env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        timeout=500, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stdout
    assert "NETPROV-PROBE callback ok" in said.stdout, said.stdout
    assert "lady  is installed and boots its own disk" in said.stdout
    for stage in STAGES:
        assert f"✓ {stage}" in said.stdout, said.stdout
    assert "✓ nothing is in the way of its install" in said.stdout


def _script() -> str:
    """The tutorial's blocks in order; the server, which has a terminal of its own there, in the background."""
    page = DOCS / "tutorial.md"
    yaml_text = blocks(page, "yaml")[0]
    lines = ["ip link set lo up"]
    for block in blocks(page, "sh"):
        if block.startswith("netprov check"):
            lines.append(f"cat >netprov.yaml <<'EOF'\n{yaml_text}EOF\n")
        if ".venv" in block:
            continue  # the tests' own environment is in the path already
        block = block.replace("mkdir first-boot", "mkdir -p first-boot")  # it may have been seeded
        if block.startswith("netprov timeline"):
            lines.append("sleep 1")  # a person types slower than the journal writes
        if block == "netprov serve\n":
            lines.append("netprov serve >serve.log 2>&1 & server=$!")
            lines.append("until grep -q 'netprov: serves' serve.log; do kill -0 $server; sleep 0.1; done")
        else:
            lines.append(block)
    return "\n".join([*lines, "kill -TERM $server; wait $server"])


def _seed(folder: Path) -> None:
    """The loaders and the probe as an earlier test has fetched them: fetching is tested where it belongs."""
    fetched = default_cache() / "boot-images"
    if fetched.exists():
        shutil.copytree(fetched, folder / "first-boot" / "boot-images")

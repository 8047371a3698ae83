"""A page typed in: its blocks, in order, in network namespaces that are gone with the shell that made them.

A block's first line says what it is: ```sh is typed on the server, ```sh PLACE in the network namespace PLACE, and
any other that names a file, as ```yaml netprov.yaml does, is written there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from netprov.bootimages.packages import default_cache

BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    language: str
    place: str
    text: str


def blocks(page: Path) -> list[Block]:
    return [Block(*match) for match in BLOCK.findall(page.read_text())]


def script(page: Path) -> str:
    return "\n".join(line for block in blocks(page) if block.language == "sh" or block.place for line in _typed(block))


def _typed(block: Block) -> Iterator[str]:
    text, within = block.text, f"ip netns exec {block.place} " if block.place else ""
    if block.language != "sh":
        yield f"cat >{block.place} <<'EOF'\n{text}EOF"
    elif re.fullmatch(r"netprov serve( -c \S+)?\n", text):  # it has a terminal of its own there
        yield f"{within}{text.strip()} >serve.log 2>&1 & server=$!"
        yield "(set +x; until grep -q 'netprov: serves' serve.log; do kill -0 $server; sleep 0.1; done)"
    elif ".venv" in text:
        return  # the tests' own environment is in the path already
    else:
        if re.search(r"^netprov (timeline|status)", text, re.MULTILINE):
            yield "sleep 1"  # a person types slower than the journal writes
        yield f"{within}bash -eux <<'EOF'\n{text}EOF" if block.place else text


def type_in(text: str, folder: Path, timeout: float) -> subprocess.CompletedProcess[str]:
    """What a shell says to `text`. It has networks, processes and named namespaces (ip netns) of its own."""
    private = "mkdir -p /run/netns; mount -t tmpfs none /run/netns; ip link set lo up; set -x\n"
    return subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-eu", "-c",
         private + text],
        cwd=folder, env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        timeout=timeout, check=False,
    )  # fmt: skip


def seed(folder: Path) -> None:
    """The loaders and the probe in `folder`, as an earlier test has fetched them: fetching is tested elsewhere."""
    fetched = default_cache() / "boot-images"
    if fetched.exists():
        shutil.copytree(fetched, folder / "boot-images")

"""The reference of templates says what there is."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

import pytest
from jinja2 import Environment, meta

from netprov.inventory.model import Target
from netprov.render.context import Subject, values
from netprov.render.quoting import Kind, filters
from netprov.render.server import Server
from netprov.render.variables import FILTERS, INHERITED, MADE, META, PACKAGED, PARTS, PLAIN_CALLBACK, VARIABLES, readers

from .site import LADY, MAC

SEEN = values(Subject(LADY, Server("10.0.0.1"), MAC, "tok"))
FILES = [path for folder in ("autoinstall", "snippets") for path in sorted((PACKAGED / folder).iterdir())]


def test_every_variable_is_listed() -> None:
    flattened = {name for name in SEEN if name.endswith(("_eth0", "_eth1"))}
    assert {*MADE, *(field.name for field in INHERITED)} == SEEN.keys() - flattened
    assert set(PARTS) == set(SEEN["interfaces"][0])  # type: ignore[index]
    assert set(FILTERS) == set(filters(Kind.KICKSTART))


def test_no_field_is_listed_twice() -> None:
    names = [*MADE, *(field.name for field in INHERITED)]
    assert len(names) == len(set(names))
    assert {field.name for field in INHERITED} < {field.name for field in dataclasses.fields(Target)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_netprovs_own_templates_read_is_listed(path: Path) -> None:
    environment = Environment(autoescape=True)
    environment.filters.update(filters(Kind.KICKSTART))
    read = meta.find_undeclared_variables(environment.parse(path.read_text()))
    assert read <= VARIABLES, read - VARIABLES


@pytest.mark.parametrize("key", META)
def test_every_key_is_read_by_something(key: str) -> None:
    assert readers(key)


def test_the_callback_of_a_plain_kickstart(tmp_path: Path) -> None:
    """The section as a shell runs it, on the kernel command line that the installer was started with."""
    url = Server("10.0.0.1", 8080).autoinstall_url("system", "lady", "t0k-en_")
    (tmp_path / "cmdline").write_text(f"quiet inst.ks.sendmac inst.ks={url} inst.repo=http://h/x BOOTIF=01-52\n")
    script = PLAIN_CALLBACK.removeprefix("%post --nochroot\n").removesuffix("%end\n")
    script = script.replace("/proc/cmdline", str(tmp_path / "cmdline")).replace("curl", "printf '%s\\n'")
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout.splitlines()[-1] == Server("10.0.0.1", 8080).callback_url("t0k-en_", "done")

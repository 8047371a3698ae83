"""Systems declared by a program: every line that was there stays, and nothing that does not load is ever written."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from netprov.errors import ConfigError
from netprov.inventory import edit
from netprov.inventory.edit import NotWrittenError, add_system
from netprov.inventory.insertion import with_entry
from netprov.inventory.load import load

NEW: dict[str, Any] = {"profile": "web", "interfaces": {"eth0": {"mac": "52:54:00:12:34:56"}}}
BASE = """\
distros: {d: {breed: generic, kernel: k}}
profiles:
  web: {distro: d}   # the usual
"""

WRITTEN = {
    "nothing": ("", "systems:\n  new:\n    profile: web\n"),
    "comments": ("# mine\n", "# mine\nsystems:\n  new:\n"),
    "document mark": ("---\n", "---\nsystems:\n"),
    "no last newline": ("a: 1", "a: 1\nsystems:\n"),
    "empty": ("systems:\nb: 1\n", "systems:\n  new:\n    profile: web\n    interfaces:\n"),
    "tilde": ("systems: ~  # none\nb: 1\n", "systems:  # none\n  new:\n"),
    "braces": ("systems: {}\nb: 1\n", 'systems: {new: {profile: web, '),
    "in braces": ("systems: {a: {x: 1}}\n", 'systems: {a: {x: 1}, new: {'),
    "comma": ("systems: {a: {x: 1},  # c,\n}\n", 'systems: {a: {x: 1},  # c,\nnew: {'),
    "in braces, nothing": ("{systems: , b: 1}", '{systems:  {new: {'),
    "json": ('{"systems": {"a": {"x": "y"}}, "b": 1}', '{"systems": {"a": {"x": "y"}, new: {'),
    "four columns": (
        "systems:\n    a:\n        x: 1 # c\n    # of the next\nb: 1\n",
        "    a:\n        x: 1 # c\n    new:\n        profile: web\n        interfaces:\n            eth0: {mac:",
    ),
    "literal": ("systems:\n  a:\n    c: |\n      t\n\n  # c\nb: 1\n", "      t\n\n  new:\n"),
    "literal, last": ("systems:\n  a:\n    c: |\n      t\n", "      t\n  new:\n"),
    "no value": ("systems:\n  a:\n", "systems:\n  a:\n  new:\n"),
    "alias": ("y: &y {q: 1}\nsystems: &x\n  a: *y\n", "  a: *y\n  new:\n"),
    "over lines": ("systems:\n  a: {x: 1,\n    y: 2} # c\n...\n", "    y: 2} # c\n  new:\n"),
    "octets": ("é: '𝄞'\nsystems:\n  a: {é: 𝄞}\nb: 1\n", "  a: {é: 𝄞}\n  new:\n"),
    "windows": ("a: 1\r\nsystems:\r\n  b: {}\r\n", "  b: {}\r\n  new:\r\n    profile: web\r\n"),
}


@pytest.mark.parametrize(("before", "part"), WRITTEN.values(), ids=WRITTEN)
def test_an_entry_comes_behind_the_last(before: str, part: str) -> None:
    after = with_entry(before, ("systems",), "new", NEW)
    assert part in after
    was, now = (yaml.load(text, yaml.BaseLoader) or {} for text in (before, after))
    systems = was.get("systems")
    assert now == {**was, "systems": {**(systems if isinstance(systems, dict) else {}), "new": NEW}}
    kept = [line for line in before.splitlines() if "systems: " not in line and line[:1] not in ("{", "}")]
    assert [line for line in after.splitlines() if line in kept] == kept  # nothing else was touched


@pytest.mark.parametrize("before", ["systems: [a]\n", "systems: ''\n", "- a\n", "text\n"])
def test_what_is_no_mapping_is_left_alone(before: str) -> None:
    with pytest.raises(ValueError, match="something else than a mapping"):
        with_entry(before, ("systems",), "new", NEW)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    ),
    st.sampled_from(["systems:\n  a: {}\n", "systems: {}\n", ""]),
)
def test_any_value_is_read_as_it_was_given(value: Any, before: str) -> None:
    after = with_entry(before, ("systems",), "new", {"value": value})
    assert yaml.safe_load(after)["systems"]["new"] == {"value": value}


# in an inventory


@pytest.fixture
def site(base: Path) -> Path:
    (base / "netprov.yaml").write_text(BASE)
    return base


def write(site: Path, **files: str) -> None:
    for name, text in files.items():
        path = site / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text))


SYSTEM = "systems: {{{0}: {{profile: web, interfaces: {{eth0: {{mac: '52:54:00:00:00:{1:02x}'}}}}}}}}\n"
HOMES = {
    "no system, no folder": ({}, "netprov.yaml"),
    "no system, a folder": ({"inventory__x": ""}, "inventory/systems.yaml"),
    "all in one file": ({"inventory__x": "", "inventory__rack": SYSTEM.format("a", 1)}, "inventory/rack.yaml"),
    "in two files": ({"inventory__one": SYSTEM.format("a", 1), "inventory__two": SYSTEM.format("b", 2)},
                     "inventory/systems.yaml"),
    "in the configuration": ({"netprov": BASE + SYSTEM.format("a", 1), "inventory__x": ""}, "netprov.yaml"),
    "within inventory:": ({"netprov": BASE + f"inventory:\n  {SYSTEM.format('a', 1)}"}, "netprov.yaml"),
    "in one named file": ({"netprov": BASE + "inventory: more/all.yaml\n", "more__all": "menus: {m: }\n"},
                          "netprov.yaml"),
}  # fmt: skip


@pytest.mark.parametrize(("files", "home"), HOMES.values(), ids=HOMES)
def test_where_it_is_written(site: Path, files: dict[str, str], home: str) -> None:
    write(site, **files)
    added = add_system(site / "netprov.yaml", "new", NEW)
    assert added.origin.file == str(site / home)
    assert "new" in Path(added.origin.file).read_text().splitlines()[added.origin.line - 1]
    assert load(site / "netprov.yaml").systems["new"] == added.inventory.systems["new"]
    assert [path.name for path in site.rglob(".*")] == []
    add_system(site / "netprov.yaml", "another", {"profile": "web"})
    assert {"new", "another"} <= load(site / "netprov.yaml").systems.keys()


def test_a_file_that_is_named(site: Path) -> None:
    write(site, inventory__x="menus: {m: }\n")
    for file in ("inventory/x.yaml", "inventory/fresh.yml"):
        added = add_system(site / "netprov.yaml", file[10], {"profile": "web"}, site / file)
        assert added.origin.file == str(site / file)
    for file in ("other.yaml", "inventory/.x.yaml", "inventory/x.txt"):
        with pytest.raises(ConfigError, match="reads no such file"):
            add_system(site / "netprov.yaml", "z", {"profile": "web"}, site / file)
    assert not (site / "other.yaml").exists()


WRONG = {
    "taken": ("lady", NEW, "system lady: is declared already"),
    "same mac": ("new", {"profile": "web", "interfaces": {"e": {"mac": "52:54:00:00:00:01"}}}, "52:54:00:00:00:01"),
    "no profile": ("new", {"profile": "wbe"}, "no such profile: wbe; did you mean web?"),
    "no field": ("new", {"profil": "web"}, "no such field; did you mean profile?"),
    "name": ("a b", NEW, "is no name"),
    "name, a path": ("../x", NEW, "is no name"),
    "surrogate": ("new", {"profile": "web", "comment": "\ud800"}, "lone surrogate"),
    "control": ("new", {"profile": "web", "hostname": "a\nsystems: {}"}, "is not a host name"),
}


@pytest.mark.parametrize(("name", "fields", "said"), WRONG.values(), ids=WRONG)
def test_what_does_not_load_is_not_written(site: Path, name: str, fields: dict[str, Any], said: str) -> None:
    write(site, inventory__a=SYSTEM.format("lady", 1))
    before = (site / "inventory" / "a.yaml").read_bytes()
    with pytest.raises(ConfigError, match=said.replace("?", r"\?")):
        add_system(site / "netprov.yaml", name, fields)
    assert (site / "inventory" / "a.yaml").read_bytes() == before
    assert os.listdir(site / "inventory") == ["a.yaml"]


def test_an_inventory_with_errors_is_left_as_it_is(site: Path) -> None:
    write(site, inventory__a="systems: {a: {profile: nope}}\n")
    with pytest.raises(ConfigError, match="no such profile: nope"):
        add_system(site / "netprov.yaml", "new", NEW)


def test_mode_links_and_marks_stay(site: Path) -> None:
    real = site / "elsewhere.yaml"
    real.write_bytes(b"\xef\xbb\xbfsystems:\r\n  a: {profile: web}\r\n")
    real.chmod(0o604)
    (site / "inventory").mkdir()
    (site / "inventory" / "a.yaml").symlink_to(real)
    add_system(site / "netprov.yaml", "new", NEW)
    assert (site / "inventory" / "a.yaml").is_symlink()
    assert real.stat().st_mode & 0o777 == 0o604
    assert real.read_bytes().startswith(b"\xef\xbb\xbfsystems:\r\n  a: {profile: web}\r\n  new:\r\n")


def test_a_full_disk_leaves_the_old_file(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(edit.os, "fsync", full)
    with pytest.raises(NotWrittenError, match="no space left"):
        add_system(site / "netprov.yaml", "new", NEW)
    assert (site / "netprov.yaml").read_text() == BASE
    assert sorted(os.listdir(site)) == ["autoinstall", "boot-images", "netprov.yaml"]


def test_a_folder_that_may_not_be_written(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def refuse(path: Any, flags: int, *more: Any) -> int:
        if flags & os.O_CREAT:
            raise PermissionError(13, "Permission denied")
        return opened(path, flags, *more)

    monkeypatch.setattr(edit.os, "open", refuse)
    with pytest.raises(NotWrittenError, match=r"permission denied.*write the lines yourself"):
        add_system(site / "netprov.yaml", "new", NEW)


def test_an_edit_at_the_same_moment_wins(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sync = os.fsync

    def meanwhile(descriptor: int) -> None:
        (site / "netprov.yaml").write_text(BASE + "# mine\n")
        sync(descriptor)

    monkeypatch.setattr(edit.os, "fsync", meanwhile)
    with pytest.raises(NotWrittenError, match="try again"):
        add_system(site / "netprov.yaml", "new", NEW)
    assert (site / "netprov.yaml").read_text() == BASE + "# mine\n"


def test_many_at_once_all_get_in(site: Path) -> None:
    def add(number: int) -> None:
        add_system(site / "netprov.yaml", f"n{number}", {"profile": "web"})

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(load(site / "netprov.yaml").systems) == [f"n{number}" for number in range(8)]
    assert (site / "netprov.yaml").read_text().startswith(BASE)

"""Systems declared and removed by a program: every other line stays, and nothing that does not load is ever written."""

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
from netprov.inventory.edit import NotDeclaredError, NotWrittenError, add_system, remove_system, undo_add
from netprov.inventory.insertion import with_entry, without_entry
from netprov.inventory.load import load
from netprov.inventory.model import Inventory

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
    "braces": ("systems: {}\nb: 1\n", "systems: {new: {profile: web, "),
    "in braces": ("systems: {a: {x: 1}}\n", "systems: {a: {x: 1}, new: {"),
    "comma": ("systems: {a: {x: 1},  # c,\n}\n", "systems: {a: {x: 1},  # c,\nnew: {"),
    "in braces, nothing": ("{systems: , b: 1}", "{systems:  {new: {"),
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


def names(inventory: Inventory) -> set[str]:
    return {system.name for system in inventory.systems()}


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
    with pytest.raises(ValueError, match="is not written as a mapping"):
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


CUT = {
    "the last": ("systems:\n  a: {}\n  new: {x: 1}  # c\n# d\nb: 1\n", "systems:\n  a: {}\n# d\nb: 1\n"),
    "the first": ("systems:\n  new:\n    x: 1\n  # of a\n  a: {}\n", "systems:\n  # of a\n  a: {}\n"),
    "in the middle": (
        "systems:\n  b: 1\n  new:\n    # c\n    x: {y: [\n      1]}\n\n  a: {}\n",
        "systems:\n  b: 1\n\n  a: {}\n",
    ),
    "the only one": ("systems: # c\n  new: {}\nb: 1\n", "systems: # c\nb: 1\n"),
    "no value": ("systems:\n  new:  # c\n  a: 1\n", "systems:\n  a: 1\n"),
    "an alias": ("y: &y {}\nsystems:\n  new: *y\n  a: 1\n", "y: &y {}\nsystems:\n  a: 1\n"),
    "literal": ("systems:\n  new:\n    c: |\n      t\n\n  a: 1\n", "systems:\n  a: 1\n"),
    "literal, last": ("systems:\n  a: 1\n  new: {c: 'd\n\n e'}", "systems:\n  a: 1\n"),
    "quoted": ('systems:\n  "new" : {}\n  a: 1\n', "systems:\n  a: 1\n"),
    "windows": ("systems:\r\n  new: {}\r\n  a: 1\r\n", "systems:\r\n  a: 1\r\n"),
    "four columns": ("systems:\n    new:\n        x:\n        - 1\n        -\n    a: 1\n", "systems:\n    a: 1\n"),
    "braces": ("systems: {new: {x: 1}}\n", "systems: {}\n"),
    "braces, first": ("systems: {new: {x: 1}, a: 1}\n", "systems: {a: 1}\n"),
    "braces, last": ("systems: {a: 1 , new: {x: 1} }\n", "systems: {a: 1  }\n"),
    "braces, middle": ("systems: {a: 1, new: *y , b: 1}\n", "systems: {a: 1, b: 1}\n"),
    "braces, comma": ("systems: {a: 1, # c,\n  new: {},\n}\n", "systems: {a: 1, # c,\n}\n"),
    "braces, comment": ("systems: {a: 1, # c,\n  new: {}}\n", "systems: {a: 1, # c,\n  }\n"),
    "json": ('{"systems": {\n  "a": {},\n  "new": {"x": []}\n}}\n', '{"systems": {\n  "a": {}\n}}\n'),
    "json, first": ('{"systems": {\n  "new": {},\n  "a": {}\n}}\n', '{"systems": {\n  "a": {}\n}}\n'),
}


@pytest.mark.parametrize(("before", "after"), CUT.values(), ids=CUT)
def test_an_entry_is_cut_out(before: str, after: str) -> None:
    assert without_entry(before, ("systems",), "new") == after


@pytest.mark.parametrize("before", ["", "a: 1\n", "systems:\n", "systems: {a: 1}\n", "new: {}\n", "- new\n",
                                    "systems: [new]\n", "y: &y {new: {}}\nsystems: *y\n",
                                    "y: &y {new: {}}\nsystems: {<<: *y}\n"])  # fmt: skip
def test_there_is_no_such_entry(before: str) -> None:
    assert without_entry(before, ("systems",), "new") is None


@pytest.mark.parametrize("before", ["systems:\n  ? new\n  : {}\n", "systems:\n  ? a\n  : new: 1\n"])
def test_what_shares_its_line_stays(before: str) -> None:
    section = ("systems", "a") if "? a" in before else ("systems",)
    with pytest.raises(ValueError, match="line"):
        without_entry(before, section, "new")


VALUES = st.dictionaries(
    st.text(max_size=3),
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=6,
    ),
    max_size=3,
)
LASTS = ("1", "{x: 1}", "\n    x: 1", "\n    x: |\n      t\n", "\n    x:", "", " {x: 1,\n    y: 2} # c", "'d\n\n    e'")


@given(VALUES, st.sampled_from(LASTS), st.sampled_from(["", "\n# c\nb: 1\n", "\n  # c\n\n", "\n..."]), st.booleans())
def test_what_is_added_and_removed_leaves_the_same_octets(
    value: dict[str, Any], last: str, rest: str, windows: bool
) -> None:
    before = f"a: 1\nsystems: # c\n  one: {{}}\n\n  two: {last}{rest or chr(10)}"
    before = before.replace("\n", "\r\n") if windows else before
    after = with_entry(before, ("systems",), "new", value)
    assert without_entry(after, ("systems",), "new") == before


@given(VALUES, st.sampled_from(["{one: 1}", "{}", "{\n  one: {x: 1}\n}", "{one: 1,  # c,\n}"]))
def test_what_is_added_and_removed_in_braces_leaves_the_same_octets(value: dict[str, Any], braces: str) -> None:
    for before in (f"systems: {braces}\nb: 1\n", f"{{systems: {braces}, b: 1}}\n"):
        after = with_entry(before, ("systems",), "new", value)
        assert without_entry(after, ("systems",), "new") == before


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
    assert load(site / "netprov.yaml").system("new") == added.inventory.system("new")
    assert [path.name for path in site.rglob(".*")] == []
    add_system(site / "netprov.yaml", "another", {"profile": "web"})
    assert {"new", "another"} <= names(load(site / "netprov.yaml"))


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
    "name": ("a b", NEW, "is not a name"),
    "name, a path": ("../x", NEW, "is not a name"),
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
    assert sorted(names(load(site / "netprov.yaml"))) == [f"n{number}" for number in range(8)]
    assert (site / "netprov.yaml").read_text().startswith(BASE)


# removed from an inventory


@pytest.mark.parametrize(("files", "home"), HOMES.values(), ids=HOMES)
def test_a_removed_system_leaves_the_file_as_it_was(site: Path, files: dict[str, str], home: str) -> None:
    write(site, **files)
    add_system(site / "netprov.yaml", "old", {"profile": "web", "comment": "é"})
    before = (site / home).read_bytes()
    added = add_system(site / "netprov.yaml", "new", NEW, site / home)
    removed = remove_system(site / "netprov.yaml", "new")
    assert (site / home).read_bytes() == before
    assert removed.origin == added.origin
    assert names(removed.inventory) == names(load(site / "netprov.yaml"))
    assert "new" not in names(removed.inventory)
    assert [path.name for path in site.rglob(".*")] == []
    remove_system(site / "netprov.yaml", "old")
    load(site / "netprov.yaml")


SHARED = "something else refers to it, or shares its lines; remove it by hand"
KEPT = {
    "an alias": ("systems:\n  lady: &lady {profile: web}\n  tramp: *lady\n", SHARED),
    "merged": ("systems:\n  lady: &lady {profile: web}\n  tramp: {<<: *lady, hostname: t}\n", SHARED),
    "an anchor of the same name": (
        "menus: {m: {display_name: &m a}}\nsystems:\n  lady: {profile: web, comment: &m b}\n"
        "  tramp: {profile: web, comment: *m}\n", SHARED),
    "a merged section": ("systems:\n  <<: {lady: {profile: web}}\n", "no entry of its own; remove it by hand"),
    "over a colon": ("systems:\n  ? lady\n  : profile: web\n", "on the entry's first line; remove it by hand"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), KEPT.values(), ids=KEPT)
def test_what_cannot_be_cut_out_is_left_alone(site: Path, text: str, said: str) -> None:
    write(site, inventory__a=text)
    before = (site / "inventory" / "a.yaml").read_bytes()
    with pytest.raises(ConfigError, match=said) as caught:
        remove_system(site / "netprov.yaml", "lady")
    assert "inventory/a.yaml" in str(caught.value)
    assert (site / "inventory" / "a.yaml").read_bytes() == before
    assert os.listdir(site / "inventory") == ["a.yaml"]


def test_removed_is_what_is_declared(site: Path) -> None:
    for name in ("lady", "a b", "\ud800", ""):
        with pytest.raises(NotDeclaredError, match="is not declared"):
            remove_system(site / "netprov.yaml", name)
    assert (site / "netprov.yaml").read_text() == BASE
    write(site, inventory__a="systems: {a: {profile: nope}}\n")
    with pytest.raises(ConfigError, match="no such profile: nope"):
        remove_system(site / "netprov.yaml", "a")


def test_an_edit_while_one_is_removed_wins(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_system(site / "netprov.yaml", "new", NEW)
    sync = os.fsync

    def meanwhile(descriptor: int) -> None:
        (site / "netprov.yaml").write_text(BASE + "# mine\n")
        sync(descriptor)

    monkeypatch.setattr(edit.os, "fsync", meanwhile)
    with pytest.raises(NotWrittenError, match="try again"):
        remove_system(site / "netprov.yaml", "new")
    assert (site / "netprov.yaml").read_text() == BASE + "# mine\n"


def test_many_come_and_go_at_once(site: Path) -> None:
    def come_and_go(number: int) -> None:
        add_system(site / "netprov.yaml", f"n{number}", {"profile": "web"})
        remove_system(site / "netprov.yaml", f"n{number}")

    add_system(site / "netprov.yaml", "stays", {"profile": "web"})
    before = (site / "netprov.yaml").read_bytes()
    threads = [threading.Thread(target=come_and_go, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (site / "netprov.yaml").read_bytes() == before


def test_an_add_is_undone_octet_by_octet(site: Path) -> None:
    config = site / "netprov.yaml"
    undo_add(config, "new", add_system(config, "new", NEW))  # which made the section
    assert config.read_text() == BASE
    write(site, inventory__x="")
    undo_add(config, "new", add_system(config, "new", NEW))  # which made the file
    assert os.listdir(site / "inventory") == ["x.yaml"]


def test_an_add_is_undone_and_no_other(site: Path) -> None:
    config = site / "netprov.yaml"
    first = add_system(config, "first", {"profile": "web"})
    add_system(config, "second", {"profile": "web"})
    alone = config.read_text().replace("  first: {profile: web}\n", "")
    assert "second" in alone
    undo_add(config, "first", first)
    assert config.read_text() == alone
    undo_add(config, "first", first)  # it is gone already
    assert config.read_text() == alone

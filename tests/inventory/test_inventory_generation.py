"""Reload: atomic, and noticed however an editor writes."""

import os
import select
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from netprov.inventory.generation import Reloader
from netprov.inventory.watch import Watcher

WAIT = 5.0  # seconds an edit may take to be noticed on a busy machine; a quiet wait is far shorter


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "inventory" / "rack").mkdir(parents=True)
    (tmp_path / "inventory" / "a.yaml").write_text("menus: {a: }\n")
    (tmp_path / "netprov.yaml").write_text("menus: {main: }\n")
    return tmp_path


def test_a_bad_edit_keeps_the_old_generation(site: Path) -> None:
    reloader = Reloader(site / "netprov.yaml")
    first = reloader.reload()
    assert first is not None
    assert first.generation == 1
    (site / "inventory" / "a.yaml").write_text("menus: {a: }\nsystems: {lady: {profile: nope}}\n")
    assert reloader.reload() is None
    assert reloader.inventory is first
    assert [str(problem) for problem in reloader.problems] == [
        f"{site}/inventory/a.yaml:2: system lady, field profile: no such profile: nope"
    ]
    (site / "inventory" / "a.yaml").write_text("menus: {b: }\n")
    second = reloader.reload()
    assert second is not None
    assert (second.generation, [menu.name for menu in second.menus], reloader.problems) == (2, ["main", "b"], ())


def test_a_bad_start_has_no_inventory_but_files_to_watch(site: Path) -> None:
    (site / "inventory" / "a.yaml").write_text("menus: [")
    reloader = Reloader(site / "netprov.yaml")
    assert reloader.reload() is None
    assert reloader.inventory is None
    assert str(site / "inventory" / "a.yaml") in reloader.files


@pytest.fixture
def watcher(site: Path) -> Iterator[Watcher]:
    reloader = Reloader(site / "netprov.yaml")
    reloader.reload()
    watcher = Watcher(reloader.files)
    yield watcher
    watcher.close()


def noticed(watcher: Watcher, wait: float = WAIT) -> bool:
    """Whether a change is reported, in the way a poll loop asks."""
    poll = select.poll()
    poll.register(watcher.fileno(), select.POLLIN)
    while poll.poll(wait * 1000):
        if watcher.changed():
            return True
    return False


def by_rename(site: Path) -> None:
    (site / ".netprov.yaml.swp").write_text("menus: {x: }")
    os.replace(site / ".netprov.yaml.swp", site / "netprov.yaml")


def by_backup(site: Path) -> None:
    os.rename(site / "netprov.yaml", site / "netprov.yaml~")
    (site / "netprov.yaml").write_text("menus: {x: }")


def new_folder(site: Path) -> None:
    (site / "inventory" / "new").mkdir()


EDITS: dict[str, Callable[[Path], object]] = {
    "in place": lambda site: (site / "netprov.yaml").write_text("menus: {x: }"),
    "renamed over": by_rename,
    "old one renamed away (vim)": by_backup,
    "file of the folder": lambda site: (site / "inventory" / "a.yaml").write_text("menus: {x: }"),
    "new file": lambda site: (site / "inventory" / "b.yml").write_text("menus: {x: }"),
    "new file further down": lambda site: (site / "inventory" / "rack" / "b.yml").write_text("menus: {x: }"),
    "file removed": lambda site: (site / "inventory" / "a.yaml").unlink(),
    "link made": lambda site: (site / "inventory" / "b.yaml").symlink_to(site / "elsewhere.yaml"),
    "folder made": new_folder,
    "folder removed": lambda site: shutil.rmtree(site / "inventory"),
    "templates folder made": lambda site: (site / "autoinstall").mkdir(),
}


@pytest.mark.parametrize("edit", EDITS)
def test_every_way_to_edit_is_noticed_once(edit: str, site: Path, watcher: Watcher) -> None:
    EDITS[edit](site)
    assert noticed(watcher)
    assert not noticed(watcher, 0.2)


OTHERS: dict[str, Callable[[Path], object]] = {
    "a file beside": lambda site: (site / "state.db").write_text("x"),
    "an editor's swap file": lambda site: (site / "inventory" / ".a.yaml.swp").write_text("x"),
    "a backup": lambda site: (site / "inventory" / "a.yaml~").write_text("x"),
    "reading": lambda site: (site / "netprov.yaml").read_text(),
    "created, not written yet": lambda site: os.close(os.open(site / "inventory" / "b.yaml", os.O_CREAT | os.O_RDONLY)),
}


@pytest.mark.parametrize("other", OTHERS)
def test_what_is_no_edit_is_not_reported(other: str, site: Path, watcher: Watcher) -> None:
    OTHERS[other](site)
    assert not noticed(watcher, 0.4)


def test_a_burst_of_edits_is_one(site: Path, watcher: Watcher) -> None:
    for i in range(100):
        (site / "inventory" / f"x{i}.yaml").write_text("menus: {}")
        watcher.changed()
    assert noticed(watcher)
    assert not noticed(watcher, 0.4)


def test_a_kubernetes_volume_swaps_a_link(tmp_path: Path) -> None:
    for version in ("..v1", "..v2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "netprov.yaml").write_text(f"menus: {{{version[2:]}: }}\n")
    (tmp_path / "..data").symlink_to("..v1")
    (tmp_path / "netprov.yaml").symlink_to("..data/netprov.yaml")
    reloader = Reloader(tmp_path / "netprov.yaml")
    assert reloader.reload() is not None
    watcher = Watcher(reloader.files)
    try:
        (tmp_path / "..data_tmp").symlink_to("..v2")
        os.replace(tmp_path / "..data_tmp", tmp_path / "..data")
        assert noticed(watcher)
        inventory = reloader.reload()
        assert inventory is not None
        assert [menu.name for menu in inventory.menus] == ["v2"]
        watcher.update(reloader.files)
        (tmp_path / "..v2" / "netprov.yaml").write_text("")
        assert noticed(watcher)
    finally:
        watcher.close()


def test_an_edit_between_reading_and_watching_is_not_lost(site: Path, watcher: Watcher) -> None:
    reloader = Reloader(site / "netprov.yaml")
    (site / "inventory" / "new").mkdir()
    assert noticed(watcher)
    (site / "inventory" / "new" / "b.yaml").write_text("menus: {unwatched: }\n")
    reloader.reload()
    (site / "inventory" / "a.yaml").write_text("menus: {watched: }\n")
    watcher.update(reloader.files)
    assert noticed(watcher)
    (site / "inventory" / "newer").mkdir()
    assert noticed(watcher)
    (site / "inventory" / "newer" / "c.yaml").write_text("menus: {c: }\n")
    reloader.reload()
    (site / "inventory" / "newer" / "c.yaml").write_text("menus: {unwatched2: }\n")
    watcher.update(reloader.files)
    assert noticed(watcher)
    watcher.update(reloader.files)
    assert not noticed(watcher, 0.4)


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to("b.yaml")
    (tmp_path / "b.yaml").symlink_to("a.yaml")
    watcher = Watcher([str(tmp_path / "a.yaml"), str(tmp_path / "not" / "there.yaml")])
    watcher.close()


def test_no_descriptor_is_left(site: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        watcher = Watcher([str(site / "netprov.yaml")])
        watcher.update([str(site / "inventory")])
        watcher.close()
    assert len(os.listdir("/proc/self/fd")) == before

"""The menu a machine without a system of its own chooses from: a tree of menus, profiles at its leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from netprov.inventory.model import Menu, Target

Entry = Mapping[str, object]


def menu_tree(
    entries: Sequence[Target], declared: Iterable[Menu], entry: Callable[[Target, str], Entry]
) -> dict[str, object]:
    """The tree as templates see it: a menu has `id`, `title`, `entries`, `menus` (its submenus) and `parent` (an id).

    `entry` makes what a template sees of a profile, given an id for it. A profile whose menu is not declared stands in
    the top menu; a menu in which nothing stands is left out.
    """
    menus = {menu.name: menu for menu in declared}
    ids = {target.name: f"entry{number}" for number, target in enumerate(entries, 1)}
    menu_ids = {name: f"menu{number}" for number, name in enumerate(menus, 1)}

    def node(name: str, above: tuple[str, ...]) -> dict[str, object]:
        own = [t for t in entries if (t.menu if t.menu in menus else "") == name]
        beneath = [m.name for m in menus.values() if (m.parent if m.parent in menus else "") == name]
        path = (*above, name)
        submenus = [node(child, path) for child in beneath if child not in path]
        menu = menus.get(name)
        return {
            "id": menu_ids.get(name, "top"),
            "title": (menu.display_name or name) if menu else "netprov",
            "parent": menu_ids.get(above[-1], "top") if above else "",
            "entries": [entry(target, ids[target.name]) for target in own],
            "menus": [sub for sub in submenus if sub["entries"] or sub["menus"]],
        }

    return node("", ())


def flat(tree: dict[str, object]) -> list[dict[str, object]]:
    """Every menu of the tree, for loaders whose menus cannot nest."""
    found = [tree]
    submenus = tree["menus"]
    assert isinstance(submenus, list)
    for sub in submenus:
        found += flat(sub)
    return found

"""Inheritance, as properties: whatever is set where, on a chain of any length."""

import contextlib
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inventory_world import Loads

from netprov.errors import ConfigError, Origin
from netprov.inventory.load import load
from netprov.inventory.model import Target
from netprov.inventory.read import Layer
from netprov.inventory.resolve import EMPTY, inherit, merge_dicts, merge_lists
from netprov.inventory.types import Removal

KEYS = st.sampled_from(["a", "b", "c", "d"])
VALUES = st.integers(0, 9).map(str)
OPTIONS = st.dictionaries(KEYS | KEYS.map("!{}".format), VALUES, max_size=4)
SERVERS = st.lists(st.integers(1, 5).map("10.0.0.{}".format), max_size=3, unique=True)
LAYER: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "proxy": VALUES,
        "install_attempts": st.integers(1, 9).map(str),
        "kernel_options": OPTIONS,
        "autoinstall_meta": OPTIONS,
        "name_servers": SERVERS,
        "boot_loaders": st.lists(st.sampled_from(["ipxe", "grub", "pxelinux"]), unique=True, min_size=1),
        "virt": st.fixed_dictionaries({}, optional={"ram": VALUES.map(lambda v: f"{v}1"), "path": VALUES}),
    },
)
UNSET = st.sampled_from([None, "<<inherit>>"])
TMP = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def resolve(folder: Path, layers: list[dict[str, Any]]) -> Target:
    """A system at the end of defaults → distro → profile → sub-profile … → system with these fields."""
    defaults, distro, *profiles, system = layers
    tree = {
        "defaults": defaults,
        "distros": {"d": distro},
        "profiles": {
            f"p{i}": fields | ({"parent": f"p{i - 1}"} if i else {"distro": "d"}) for i, fields in enumerate(profiles)
        },
        "systems": {"s": system | {"profile": f"p{len(profiles) - 1}"}},
    }
    (folder / "netprov.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    return load(folder / "netprov.yaml").system("s")


CHAIN = st.lists(LAYER, min_size=4, max_size=7)


@TMP
@given(CHAIN)
def test_scalars_come_from_the_nearest_that_sets_them(tmp_path: Path, chain: list[dict[str, Any]]) -> None:
    system = resolve(tmp_path, chain)
    nearest = [layer["proxy"] for layer in chain if "proxy" in layer]
    assert system.proxy == (nearest[-1] if nearest else "")
    loaders = [layer["boot_loaders"] for layer in chain if "boot_loaders" in layer]
    assert list(system.boot_loaders) == (loaders[-1] if loaders else [])
    rams = [layer["virt"]["ram"] for layer in chain if "ram" in layer.get("virt", {})]
    assert system.virt.ram == (int(rams[-1]) if rams else 512)


@TMP
@given(CHAIN)
def test_dictionaries_merge_key_by_key(tmp_path: Path, chain: list[dict[str, Any]]) -> None:
    expected: dict[str, str] = {}
    for layer in chain:
        for key, value in layer.get("kernel_options", {}).items():
            if key.startswith("!"):
                expected.pop(key[1:], None)
            else:
                expected[key] = value
    system = resolve(tmp_path, chain)
    assert system.kernel_options == {key: (value,) for key, value in expected.items()}


@TMP
@given(CHAIN)
def test_lists_concatenate_each_item_once(tmp_path: Path, chain: list[dict[str, Any]]) -> None:
    every = [item for layer in chain for item in layer.get("name_servers", [])]
    assert [str(ip) for ip in resolve(tmp_path, chain).name_servers] == list(dict.fromkeys(every))


@TMP
@given(CHAIN, st.data())
def test_an_unset_field_always_inherits(tmp_path: Path, chain: list[dict[str, Any]], data: st.DataObject) -> None:
    """cobbler#2688, #2707, #2737, #3354, #3557: also in sub-profiles, and however "unset" is written."""
    spelled = [
        {name: data.draw(UNSET) for name in ("proxy", "kernel_options", "name_servers", "virt")} | layer
        for layer in chain
    ]
    assert _without_origins(resolve(tmp_path, spelled)) == _without_origins(resolve(tmp_path, chain))


@TMP
@given(CHAIN)
def test_a_sub_profile_that_says_nothing_is_its_parent(tmp_path: Path, chain: list[dict[str, Any]]) -> None:
    longer = [*chain[:-1], {}, chain[-1]]
    plain, sub = _without_origins(resolve(tmp_path, chain)), _without_origins(resolve(tmp_path, longer))
    assert {**sub, "profile": plain["profile"]} == plain


def _without_origins(target: Target) -> dict[str, Any]:
    return {name: getattr(target, name) for name in Target.__slots__ if name not in ("origin", "origins")}


MIXED = st.dictionaries(KEYS | KEYS.map("!{}".format), VALUES)


@given(MIXED, MIXED)
def test_merge_leaves_its_arguments_alone(inherited: dict[str, str], own: dict[str, str]) -> None:
    clean = merge_dicts({}, inherited)
    before = dict(clean), dict(own)
    merged = merge_dicts(clean, own)
    assert (clean, own) == before
    assert not any(key.startswith("!") for key in merged)
    assert merge_dicts(clean, {}) == clean
    assert [key for key in merged if key in clean and f"!{key}" not in own] == [
        key for key in clean if key in merged and f"!{key}" not in own
    ]


def test_removing_from_a_list() -> None:
    assert merge_lists((1, 2, 3), (Removal(2), 4, 1)) == (1, 3, 4)
    assert merge_lists((), (Removal(2),)) == ()


def test_what_is_ones_own_is_not_passed_on() -> None:
    origin = Origin("f", 1)
    layer = Layer({"comment": "x", "proxy": "y"}, {"comment": origin, "proxy": origin})
    assert inherit(EMPTY, layer) == Layer({"proxy": "y"}, {"proxy": origin})


def test_removing_with_false_and_with_quotes(loads: Loads) -> None:
    inventory = loads("""\
        distros: {d: {kernel_options: "quiet splash console=tty0 selinux=0"}}
        profiles:
          p: {distro: d, kernel_options: {quiet: false, "!selinux": , nomodeset: }}
          q: {parent: p, kernel_options: "!splash console=ttyS0 console=tty1"}
        """)
    assert inventory.profile("q").kernel_options == {"console": ("ttyS0", "tty1"), "nomodeset": None}


def test_an_empty_text_is_a_value(loads: Loads) -> None:
    inventory = loads('distros: {d: {proxy: http://x}}\nprofiles: {p: {distro: d}, q: {parent: p, proxy: ""}}')
    assert (inventory.profile("p").proxy, inventory.profile("q").proxy) == ("http://x", "")


def test_images_inherit_defaults_only(loads: Loads) -> None:
    inventory = loads("defaults: {proxy: http://x}\nimages: {i: {kernel: k}}\nsystems: {s: {image: i}}")
    system = inventory.system("s")
    assert (system.kind, system.image, system.profile) == ("system", "i", "")
    assert (system.kernel, system.proxy) == ("k", "http://x")


def test_cobblers_virt_fields_mix_with_ours(loads: Loads) -> None:
    inventory = loads("""\
        distros: {d: }
        profiles: {p: {distro: d, virt_ram: 1024, virt_file_size: "5,2", virt: {cpus: 2}, virt_type: kvm}}
        """)
    virt = inventory.profile("p").virt
    assert (virt.ram, virt.cpus, virt.type, [disk.size >> 30 for disk in virt.disks]) == (1024, 2, "kvm", [5, 2])


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=6))
@TMP
def test_any_graph_of_parents_ends(tmp_path: Path, edges: list[tuple[int, int]]) -> None:
    """Cycles and orphans are errors; nothing runs forever."""
    profiles = {f"p{child}": {"parent": f"p{parent}"} for child, parent in edges}
    menus = {f"m{child}": {"parent": f"m{parent}"} for child, parent in edges}
    (tmp_path / "netprov.yaml").write_text(yaml.safe_dump({"profiles": profiles, "menus": menus}))
    with contextlib.suppress(ConfigError):
        load(tmp_path / "netprov.yaml")

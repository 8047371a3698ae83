"""What no person writes, and what YAML makes of what people do write."""

import contextlib
import os
from pathlib import Path
from unittest.mock import patch

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from netprov.errors import ConfigError
from netprov.inventory import nodes
from netprov.inventory.load import load
from netprov.inventory.nodes import ListNode, MapNode, ScalarNode, compose
from netprov.inventory.source import MAX_OCTETS


def test_scalars_keep_their_text() -> None:
    root = compose(b"a: 52:54:00:12:34:56\nb: 9.10\nc: 010\nd: no\ne: ~\nf: 'x'\ng: 1_000\nh: 2024-01-01\n", "f")
    assert isinstance(root, MapNode)
    assert [n.text for n in root.entries.values() if isinstance(n, ScalarNode)] == [
        "52:54:00:12:34:56", "9.10", "010", "no", "~", "x", "1_000", "2024-01-01",
    ]  # fmt: skip
    assert [n.line for n in root.entries.values()] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_values_line_is_its_keys() -> None:
    root = compose(b"\xef\xbb\xbfa:\n  b:\n\n    - c\n  d:\n    x\n", "f")
    assert isinstance(root, MapNode)
    inner = root.entries["a"]
    assert isinstance(inner, MapNode)
    listed = inner.entries["b"]
    assert isinstance(listed, ListNode)
    assert (inner.line, listed.line, listed.items[0].line, inner.entries["d"].line) == (1, 2, 4, 5)


def test_anchors_and_merge_keys_do_what_yaml_says() -> None:
    root = compose(b"base: &b {x: 1, y: 2}\none: {<<: *b, x: 3}\ntwo: {<<: [*b, {z: 4, x: 5}]}\n", "f")
    assert isinstance(root, MapNode)
    shown = {
        key: {k: v.text for k, v in node.entries.items() if isinstance(v, ScalarNode)}
        for key, node in root.entries.items()
        if isinstance(node, MapNode)
    }
    assert shown["one"] == {"x": "3", "y": "2"}
    assert shown["two"] == {"x": "1", "y": "2", "z": "4"}


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 10)}]\n" for i in range(9)
)
DEEP_BY_ALIAS = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [[[[*a{i - 1}]]]]\n" for i in range(1, 60))

REFUSED = [
    ("bomb", BOMB.encode(), "f:6", "aliases"),
    ("merge bomb", b"a: &a {" + b",".join(b"k%d: 1" % i for i in range(2000)) + b"}\n" + b"\n".join(
        b"b%d: {<<: *a}" % i for i in range(600)), "f:", "aliases"),
    ("deep", b"[" * 10_000, "f:1", "deeper"),
    ("deep block", b"- " * 10_000, "f:1", "deeper"),
    ("deep maps", b"{a: " * 10_000, "f:1", "deeper"),
    ("deep by alias", DEEP_BY_ALIAS.encode(), "f:2", "deeper"),
    ("recursion", b"a: &a\n  - *a\n", "f:2", "is inside what it names"),
    ("recursion of a map", b"&a {b: *a}", "f:1", "is inside what it names"),
    ("no anchor", b"a: 1\nb: *c\n", "f:2", "no anchor &c"),
    ("NUL", b"a: 1\nb: \0\n", "f:2", "control character"),
    ("not UTF-8", b"a: 1\nb: \xe4\n", "f:2", "UTF-8"),
    ("UTF-16", "a: 1\n".encode("utf-16"), "f:1", "UTF-8"),
    ("tab", b"a:\n\tb: 1\n", "f:2", "a tab"),
    ("duplicate key", b"a: 1\nb: 2\na: 3\n", "f:3", "first on line 1"),
    ("two documents", b"a: 1\n---\nb: 1\n", "f:2", "second YAML document"),
    ("tag", b"a: !!python/object/apply:os.system [id]\n", "f:1", "means nothing here"),
    ("key of no text", b"? [a]\n: b\n", "f:1", "plain word"),
    ("jinja", b"a: {{ b }}\n", "f:1", "needs quotes"),
    ("empty key", b"~: b\n", "f:1", "empty key"),
    ("colon", b"a: b: c\n", "f:1", "quotes"),
    ("open", b"a: [\n", "f:", ""),
    ("merge of a text", b"<<: text\n", "f:1", "takes a mapping"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "data", "origin", "says"), REFUSED, ids=[row[0].replace(" ", "-") for row in REFUSED])
@pytest.mark.parametrize("loader", ["libyaml", "pure"])
def test_refused(rule: str, data: bytes, origin: str, says: str, loader: str) -> None:
    parser = yaml.SafeLoader if loader == "pure" else nodes._LOADER
    with patch.object(nodes, "_LOADER", parser), pytest.raises(ConfigError) as caught:
        compose(data, "f")
    assert str(caught.value).startswith(origin)
    assert says in str(caught.value)


@given(st.binary(max_size=200) | st.text(alphabet="ab:-[]{}&*!|>'\"\n\t #,?<~", max_size=60).map(str.encode))
@example(b"{!a : }")
@example(b"? ")
@example(b"\xef\xbb\xbf")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_only_config_error_leaves(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "netprov.yaml").write_bytes(data)
    with contextlib.suppress(ConfigError):
        load(tmp_path / "netprov.yaml")


OURS = """
    server dhcp tftp http defaults inventory systems profiles distros images menus repos snippets subnets interfaces
    virt disks mac ip profile distro parent hostname kernel initrd kernel_options autoinstall_meta options subnet range
    install
    10.0.0.0/8 10.0.0.1 a b 52:54:00:00:00:01 true ~ <<inherit>> !a 4G 1h /etc . .. full quiet=1 '' 0 -1 \u00e4
"""
WORDS = st.sampled_from(OURS.split())
TREES = st.recursive(
    WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=25
)


@given(st.dictionaries(WORDS, TREES, max_size=5))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_tree_of_our_own_words_breaks_it(tmp_path: Path, tree: object) -> None:
    (tmp_path / "netprov.yaml").write_text(yaml.safe_dump(tree, allow_unicode=True))
    with contextlib.suppress(ConfigError):
        load(tmp_path / "netprov.yaml")


def _refused(path: Path, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load(path)


def test_a_file_of_100_mb_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "netprov.yaml"
    with path.open("wb") as file:
        file.truncate(100 << 20)
    _refused(path, f"larger than {MAX_OCTETS >> 20} MiB")


def test_an_empty_file_works_and_a_missing_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "netprov.yaml"
    _refused(path, r"netprov\.yaml: no such file")
    path.touch()
    inventory = load(path)
    assert inventory.settings.tftp.root == tmp_path / "boot-images"
    assert inventory.settings.server.state == "/var/lib/netprov"
    path.write_text("# nothing yet\n")
    assert not load(path).systems()


def test_what_is_no_file(tmp_path: Path) -> None:
    _refused(tmp_path, "not a regular file")
    os.mkfifo(tmp_path / "fifo.yaml")
    _refused(tmp_path / "fifo.yaml", "not a regular file")
    _refused(Path("/dev/zero"), "not a regular file")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    _refused(tmp_path / "loop.yaml", "symbolic links")


def test_folders_with_links_hidden_files_and_editors_leavings(tmp_path: Path) -> None:
    folder = tmp_path / "inventory"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "up").symlink_to(folder)
    (folder / "self").symlink_to(".")
    (folder / "sub" / "good.yml").write_text("menus: {good: }")
    for name in (".hidden.yaml", "x.yaml~", "#x.yaml#", "x.yaml.bak", "README.md"):
        (folder / name).write_text("menus: {good: }\nnonsense: [")
    (folder / ".#lock.yaml").symlink_to("user@host.1234")
    (folder / ".git").mkdir()
    (folder / ".git" / "config.yaml").write_text("nonsense: [")
    (tmp_path / "netprov.yaml").touch()
    assert [menu.name for menu in load(tmp_path / "netprov.yaml").menus] == ["good"]


def test_an_inventory_folder_that_holds_netprov_yaml_itself(tmp_path: Path) -> None:
    (tmp_path / "netprov.yaml").write_text("inventory: .\nserver: {}\nmenus: {a: }\n")
    (tmp_path / "more.yaml").write_text("menus: {b: }\n")
    assert [menu.name for menu in load(tmp_path / "netprov.yaml").menus] == ["a", "b"]


def test_a_dangling_link_among_the_files(tmp_path: Path) -> None:
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory" / "x.yaml").symlink_to("nowhere")
    (tmp_path / "netprov.yaml").touch()
    _refused(tmp_path / "netprov.yaml", r"inventory/x\.yaml: no such file")


def test_a_chain_of_ten_thousand_profiles(tmp_path: Path) -> None:
    chain = "".join(f"  p{i}: {{parent: p{i + 1}}}\n" for i in range(10_000))
    last = "  p10000: {distro: d, comment: x, proxy: y}\n"
    (tmp_path / "netprov.yaml").write_text(f"distros: {{d: }}\nprofiles:\n{chain}{last}")
    assert load(tmp_path / "netprov.yaml").profile("p0").proxy == "y"

"""What is a template, and that nothing of any other file is lost or changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.render.environment import TemplateError, Templates
from netprov.render.folders import MAX_TEMPLATE
from netprov.render.marker import is_template, marker, meant_as_template, without_marker
from netprov.render.quoting import LOADER_KINDS, Kind

K = Kind.KICKSTART

RULES = [
    ("web.ks", "text\n", False),
    ("web.ks", "{{ hostname }}\n", False),
    ("web.ks.j2", "text\n", True),
    ("web.J2", "text\n", True),
    ("j2", "text\n", False),
    ("web.ks", "# netprov: template\ntext\n", True),
    ("web.ks", "## netprov:template\r\ntext\r\n", True),
    ("web.ks", "# netprov: template", True),
    ("web.ks", "\ufeff# netprov: template\n", True),
    ("web.xml", "<!-- netprov: template -->\n<?xml version='1.0'?>\n", True),
    ("web.json", "// netprov: template\n{}", True),
    ("web.any", "{# netprov: template #}\n", True),
    ("web.ks", "text\n# netprov: template\n", False),
    ("web.ks", "# netprov: template of the lab\n", False),
    ("web.ks", "# netprov: templates\n", False),
    ("web.ks", "netprov: template\n", False),
    ("user-data", "## template: jinja\n#cloud-config\n", False),
    ("web.ks", "", False),
]


@pytest.mark.parametrize(("name", "text", "expected"), RULES)
def test_who_is_a_template(name: str, text: str, expected: bool) -> None:
    assert is_template(K, name, text) is expected
    for kind in LOADER_KINDS:
        assert is_template(kind, name, text)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in LOADER_KINDS])
def test_the_marker_that_is_advised_counts_and_is_not_served(kind: Kind, tmp_path: Path) -> None:
    (tmp_path / "x").write_text(f"{marker(kind)}\n<?xml?>{{{{ a }}}}\n")
    assert Templates(None, tmp_path).answers(kind, "x", {"a": 1}, "system lady") == b"<?xml?>1\n"
    assert without_marker(f"{marker(kind)}\nx\n").count("\n") == 2


PLAIN = [
    b'disks=(/dev/sd?)\n[ ${#disks[@]} -gt 1 ] && echo several\n#old() {\n#  true\n#}\necho "${#1}"\n',
    b"docker ps --format '{{.Names}}'\n{% if %}{{ unclosed\nawk '{{ print $1 }}'\n",
    b"## template: jinja\n#cloud-config\nhostname: {{ v1.local_hostname }}\n",
    b"a\r\nb\rc\r\n\n\n",
    b"no newline at its end {%",
    b"caf\xe9 \x85 \x00\n",
    b"\xef\xbb\xbftext\n",
    b"{% raw %}{{ x }}{% endraw %}{# y #}\n",
    b"",
]


@pytest.mark.parametrize("data", PLAIN)
@pytest.mark.parametrize("name", ["a.ks", "a.preseed", "user-data", "a.xml", "a.sh"])
def test_plain_file_is_served_octet_for_octet(data: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    for kind in (K, Kind.PRESEED, Kind.YAML, Kind.XML, Kind.TEXT):
        assert Templates(None, tmp_path).answers(kind, name, {}, "system lady") == data


@given(st.text(alphabet=st.sampled_from("{}%#$@\n -aé'\"\\<&"), max_size=40))
def test_plain_snippet_is_included_as_it_stands(text: str) -> None:
    outer = "{% include 'snippets/plain' %}"
    templates = Templates(snippets={"plain": text, "outer.j2": outer})
    for kind in (K, Kind.YAML, Kind.XML):
        assert templates.render(kind, "snippets/outer.j2", {}, "system lady") == text


def test_marked_snippet_is_filled_in(tmp_path: Path) -> None:
    (tmp_path / "snippets").mkdir()
    (tmp_path / "snippets" / "s").write_text("# netprov: template\nx {{ a }}\n")
    (tmp_path / "w.ks.j2").write_text("1\n{% include 'snippets/s' %}\n2\n")
    assert Templates(None, tmp_path).answers(K, "w.ks.j2", {"a": "b"}, "system lady") == b"1\nx b\n2\n"


def test_too_large_a_plain_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.ks").write_bytes(b"#" * (MAX_TEMPLATE + 1))
    with pytest.raises(TemplateError, match="larger than"):
        Templates(None, tmp_path).answers(K, "w.ks", {}, "system lady")


KNOWN = {"hostname", "tree", "rack"}
MEANT = [
    ("text\nurl --url={{ tree | ks }}\n", (2, "{{ tree | ks }}")),
    ("{%- if hostname %}x{% endif %}", (1, "{%- if hostname %}")),
    ("{% include 'snippets/callback.ks' %}", (1, "{% include 'snippets/callback.ks' %}")),
    ("{% for r in rack %}", (1, "{% for r in rack %}")),
    ("a\n\n{% raw %}", (3, "{% raw %}")),
    ("docker ps --format '{{.Names}}' '{{json .}}'", None),
    ("echo {{ ansible_hostname }} {% if salt %}", None),
    ("{% include 'other' %}", None),
    ("${#hostname[@]} #}", None),
    ("{{ hostname", None),
    ("## template: jinja\n{{ hostname }}", None),
]


@pytest.mark.parametrize(("text", "expected"), MEANT)
def test_what_looks_like_a_template_of_netprovs(text: str, expected: tuple[int, str] | None) -> None:
    assert meant_as_template(text, KNOWN) == expected

"""Templates: where they are found, what they may not do, and how their errors read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netprov.errors import ConfigError
from netprov.render.environment import MAX_OUTPUT, MAX_TEMPLATE, TemplateError, Templates
from netprov.render.quoting import Kind, Words


def render(tmp_path: Path, text: str, kind: Kind = Kind.TEXT, **values: object) -> str:
    name = "x.cfg" if kind in (Kind.GRUB, Kind.PXELINUX, Kind.IPXE) else "x.txt.j2"
    (tmp_path / name).write_text(text)
    return Templates(tmp_path, tmp_path).render(kind, name, values, "system lady")


def refused(tmp_path: Path, text: str, kind: Kind = Kind.TEXT, **values: object) -> str:
    with pytest.raises(TemplateError) as caught:
        render(tmp_path, text, kind, **values)
    (problem,) = caught.value.problems
    assert "\n" not in str(problem)
    assert "system lady" in str(problem)
    return str(problem)


ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ x.__init__.__globals__ }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ namespace.__init__ }}",
    "{{ (1).__class__ }}",
    "{{ x.mro() }}",
    "{{ ''['__class__'] }}",
    "{{ '' | attr('__class__') }}",
    "{{ '{0.__class__}'.format(x) }}",
    "{{ '%s' | format(x.__dict__) }}",
    "{% set a = x.__class__ %}{{ a }}",
    "{{ mapping.update({'a': 1}) }}",
    "{{ listed.append(1) }}",
    "{{ [].append(1) }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ x.split.__func__ }}",
    "{{ lipsum() }}",
    "{{ open('/etc/passwd') }}",
    "{{ import('os') }}",
    "{% include '/etc/passwd' %}",
    "{% include '../../../../../../etc/passwd' %}",
    "{% include 'snippets/../../../etc/passwd' %}",
    "{% extends '/etc/passwd' %}",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_sandbox_escape_is_refused(tmp_path: Path, text: str) -> None:
    message = refused(tmp_path, text, x="x", mapping={"b": 2}, listed=[1])
    assert "root:" not in message


FLOODS = [
    "{% for i in range(1000000000) %}x{% endfor %}",
    "{% for i in range(9999) %}{% for j in range(9999) %}xxxxxxxxxx{% endfor %}{% endfor %}",
    "{{ 'x' * 1000000000 }}",
    "{{ 1000000000 * ['x'] }}",
    "{{ 9 ** 999999999 }}",
    "{{ 9 ** 999 ** 999 }}",
    "{% include 'x.txt.j2' %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
]


@pytest.mark.parametrize("text", FLOODS)
def test_endless_templates_end(tmp_path: Path, text: str) -> None:
    refused(tmp_path, text)


def test_large_template_and_output(tmp_path: Path) -> None:
    assert "larger than" in refused(tmp_path, "x" * (MAX_TEMPLATE + 1))
    assert len(render(tmp_path, "x" * MAX_OUTPUT)) == MAX_OUTPUT
    assert "renders to more" in refused(tmp_path, "{{ a }}" * 20, a="x" * (MAX_OUTPUT // 19))


ERRORS = [
    ("ok\n\n{{ timezone }}\n", 3, "'timezone' is undefined"),
    ("{{ target.nope }}", 1, "nope"),
    ("a\n{% if %}\n", 2, "Expected an expression"),
    ("a\nb {{ c\n", 2, "end of"),
    ("a\n{{ 1 / 0 }}", 2, "division"),
    ("a\n{{ hostname }}", 2, "hostname ('a\\nb') has a line break"),
    ("a\n\n{{ meta.deep }}", 3, "meta.deep (None) is unset"),
    ("{{ many }}", 1, "many ('a b') is a list"),
    ("{{ many[0] ~ hostname }}", 1, "line break"),
    ("{% for i in interfaces %}{{ i.mac }}{% endfor %}", 1, "interfaces[1].mac"),
    ("a\n{% include 'snippets/gone' %}", 2, "snippets/gone"),
    ("{{ unknown_function() }}", 1, "unknown_function"),
    ("{{ 'a' | nofilter }}", 1, "nofilter"),
    ("a\n{{.Names}}", 2, "Jinja template: put {% raw %} … {% endraw %} around"),
    ("a\nawk '{{ print $2 }}'", 2, "or make the file a plain one"),
    ("a\n{% bogus %}", 2, "Jinja template"),
    ("a\necho ${#disks[@]}\n#}\n", 2, "${# opens a comment"),
    ("a\necho ${#disks[@]}\n", 2, "${# opens a comment"),
    ("{% include 'bad.txt.j2' %}", 2, "'missing' is undefined"),
]


@pytest.mark.parametrize(("text", "line", "says"), ERRORS)
def test_error_names_template_and_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    (tmp_path / "bad.txt.j2").write_text("\n{{ missing }}\n")
    values = {
        "hostname": "a\nb",
        "target": {},
        "meta": {"deep": None},
        "many": ("a", "b"),
        "interfaces": ({"mac": "ok"}, {"mac": "\x00no"}),
    }
    message = refused(tmp_path, text, **values)
    file = "bad.txt.j2" if "bad.txt.j2" in text else "x.txt.j2"
    assert message.startswith(f"{tmp_path}/{file}:{line}: ") or "no template" in message
    assert says in message


def test_a_shells_length_may_stand_in_raw(tmp_path: Path) -> None:
    assert render(tmp_path, "{% raw %}${#disks[@]}{% endraw %} {# a comment #}{{ a }}", a="b") == "${#disks[@]} b"


def test_loaders_scripts_have_no_plain_way_out(tmp_path: Path) -> None:
    said = refused(tmp_path, "{{ gone }}", Kind.IPXE)
    assert "Jinja template" in said
    assert "plain" not in said


def test_template_error_is_a_configuration_error() -> None:
    assert issubclass(TemplateError, ConfigError)


def test_missing_and_broken_files(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"there is no template gone\.ks"):
        Templates(None, tmp_path).render(Kind.TEXT, "gone.ks", {}, "system lady")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    with pytest.raises(TemplateError, match="not UTF-8"):
        Templates(None, tmp_path).render(Kind.TEXT, "latin.txt", {}, "system lady")
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(TemplateError, match="no template"):
        Templates(None, tmp_path).render(Kind.TEXT, "folder.txt", {}, "system lady")


def test_users_folder_overrides_one_file(tmp_path: Path) -> None:
    (tmp_path / "pxelinux").mkdir()
    (tmp_path / "pxelinux" / "local.cfg").write_text("# mine\n")
    templates = Templates(tmp_path, tmp_path)
    values = {"title": "t", "reason": "r"}
    assert templates.render(Kind.PXELINUX, "pxelinux/local.cfg", values, "x") == "# mine\n"
    assert "exit 1" in templates.render(Kind.GRUB, "grub/local.cfg", values, "x")


def test_users_file_is_read_again_once_it_changed(tmp_path: Path) -> None:
    file = tmp_path / "x.txt.j2"
    file.write_text("one")
    templates = Templates(None, tmp_path)
    assert templates.render(Kind.TEXT, "x.txt.j2", {}, "x") == "one"
    file.write_text("two")
    os.utime(file, (1, 1))
    assert templates.render(Kind.TEXT, "x.txt.j2", {}, "x") == "two"


def test_snippets_come_from_the_inventory_then_the_users_folder_then_the_package(tmp_path: Path) -> None:
    (tmp_path / "snippets").mkdir()
    (tmp_path / "snippets" / "one").write_text("file one")
    (tmp_path / "snippets" / "two").write_text("file two")
    (tmp_path / "x.txt.j2").write_text(
        "{% include 'snippets/one' %}|{% include 'snippets/two' %}|{% include 'snippets/three' %}"
    )
    templates = Templates(None, tmp_path, {"one": "# netprov: template\ndeclared {{ a }}", "three": "3"})
    assert templates.render(Kind.TEXT, "x.txt.j2", {"a": "b"}, "x") == "declared b|file two|3"
    assert templates.exists(Kind.KICKSTART, "snippets/callback.ks")
    assert not templates.exists(Kind.KICKSTART, "snippets/none.ks")


def test_error_in_an_inventory_snippet_names_it(tmp_path: Path) -> None:
    (tmp_path / "x.txt.j2").write_text("{% include 'snippets/net.j2' %}")
    with pytest.raises(
        TemplateError, match=r"snippet net\.j2:2: system lady, template x\.txt\.j2: 'gone' is undefined"
    ):
        Templates(None, tmp_path, {"net.j2": "a\n{{ gone }}"}).render(Kind.TEXT, "x.txt.j2", {}, "system lady")


GRUB_QUOTES = [
    ('echo "hello {{ a }}"', 'is inside "…"'),
    ("echo 'hello {{ a }}'", "is inside '…'"),
    ('set x="\n{{ a }}"', "is inside"),
]


@pytest.mark.parametrize(("text", "says"), GRUB_QUOTES)
def test_grub_value_inside_quotes_is_refused(tmp_path: Path, text: str, says: str) -> None:
    assert says in refused(tmp_path, text, Kind.GRUB, a="b")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('echo "x" {{ a }}', "echo \"x\" 'a b'"),
        ("# don't\necho {{ a }}", "# don't\necho 'a b'"),
        ('echo \\" {{ a }}', "echo \\\" 'a b'"),
        ("{% macro m(v) %}echo {{ v }};{% endmacro %}{{ m(a) }}{{ m(a) }}", "echo 'a b';echo 'a b';"),
        ("{% set t %}x {{ a }}{% endset %}{{ t }}", "x 'a b'"),
        ("{{ a ~ '!' }}", "'a b!'"),
        ("{{ a | upper }} {{ a | replace(' ', ';') }}", "'A B' 'a;b'"),
        ("{{ words }}", "'k=v w' x"),
    ],
)
def test_grub_values_are_quoted_once(tmp_path: Path, text: str, expected: str) -> None:
    assert render(tmp_path, text, Kind.GRUB, a="a b", words=Words(["k=v w", "x"])) == expected

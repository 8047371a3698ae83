"""What lint says of answers that can be made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from netprov.cli.lint import lint
from netprov.cli.render import render

CONFIG = """\
server: {{address: 10.0.0.1, state: state}}
distros: {{d: {{breed: {breed}, os_version: "{version}", kernel: k, initrd: i}}}}
profiles:
  web: {{distro: d, autoinstall: {name}, autoinstall_meta: {meta}}}
systems: {{lady: {{profile: web, interfaces: {{eth0: {{mac: "52:54:00:00:00:01"}}}}}}}}
"""
BREEDS = {"ks": ("redhat", "9"), "preseed": ("debian", "12"), "user-data": ("ubuntu", "24.04"), "xml": ("suse", "15")}
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def site(name: str, text: str | bytes | None = None, meta: str = "{}", **snippets: str) -> Path:
        breed, version = next((found for end, found in BREEDS.items() if name.removesuffix(".j2").endswith(end)),
                              ("generic", ""))  # fmt: skip
        (tmp_path / "boot-images").mkdir()
        for file in ("k", "i"):
            (tmp_path / "boot-images" / file).write_bytes(b"x")
        folder = tmp_path / "autoinstall" / "snippets"
        folder.mkdir(parents=True)
        for snippet, body in snippets.items():
            (folder / snippet).write_text(body)
        if text is not None:
            (folder.parent / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        config = tmp_path / "netprov.yaml"
        config.write_text(CONFIG.format(breed=breed, version=version, name=name, meta=meta))
        return config

    return site


def found(config: Path) -> tuple[list[tuple[str, int, str]], list[tuple[str, int, str]]]:
    """Problems and warnings: file's name, line, text."""
    told = json.loads(CliRunner().invoke(lint, ["-c", str(config), "--json"]).output)
    rows = [[(Path(row["file"]).name, row["line"], row["text"]) for row in told[key]] for key in told]
    return rows[0], rows[1]


def test_an_inventorys_template_that_does_not_say_so(write: Write) -> None:
    config = write("web.ks", "text\nlang en_US\n%post\necho {{ hostname }} api/v1/callback/\n%end\n")
    problems, warnings = found(config)
    assert problems == []
    ((file, line, text), *_) = warnings
    assert (file, line) == ("web.ks", 4)
    assert "no template, and {{ hostname }} is served as it stands" in text
    assert "'# netprov: template'" in text
    assert ".j2" in text


def test_a_key_of_the_users_own_counts(write: Write) -> None:
    _, warnings = found(write("web.ks", "text\n%post\necho {{ rack }} {{ other }}\n%end\n", "{rack: 3}"))
    assert any("{{ rack }} is served" in text for _, _, text in warnings)


def test_a_snippet_that_does_not_say_so(write: Write) -> None:
    text = "# netprov: template\n{% include 'snippets/mine' %}\n{% include 'snippets/callback.ks' %}\n"
    _, warnings = found(write("web.ks", text, mine="text\n# {{ hostname }}\n"))
    assert [(file, line) for file, line, _ in warnings] == [("mine", 2)]


def test_cobblers_own(write: Write) -> None:
    text = "url --url=$tree\n%post\n$SNIPPET('x')\n# /api/v1/callback/\n%end\n"
    _, warnings = found(write("web.ks", text))
    assert [(file, line) for file, line, _ in warnings] == [("web.ks", 1), ("web.ks", 3)]
    assert all("is Cobbler's, and nothing replaces it; write" in said for _, _, said in warnings)


SHELL = "text\n%post\ndisks=(a b)\n[ ${#disks[@]} -gt 1 ] && docker ps --format '{{.Names}}'\n#}\n%end\n"
ENDS = [
    ("web.ks", SHELL, "add to the plain file the section"),
    ("web.ks.j2", "text\n", "add {% include 'snippets/callback.ks' %} at its end"),
    ("web.preseed", "d-i a/b string c\n", "docs/reference/templates.md"),
    ("web.user-data", "#cloud-config\nautoinstall:\n  version: 1\n", "docs/reference/templates.md"),
    ("web.xml", "<profile/>\n", "docs/reference/templates.md"),
]


@pytest.mark.parametrize(("name", "text", "says"), ENDS)
def test_answers_that_never_report_the_end(write: Write, name: str, text: str, says: str) -> None:
    problems, ((file, _, said),) = found(write(name, text))
    assert (problems, file) == ([], name)
    assert "does not report the install's end: only `netprov system installed NAME` says" in said
    assert says in said


SILENT = [
    ("talos.yaml", "version: v1alpha1\nmachine: {type: worker}\n---\nkind: HostnameConfig\n", "{}"),
    ("web.user-data", "#!/bin/sh\n: {{.x}} {% [\n", "{}"),
    ("web.user-data", "#cloud-boothook\n: [\n", "{}"),
    ("web.ks", "text\n%post\ncurl http://h/api/v1/callback/$token\n%end\n", "{}"),
    ("web.ks", b"text\n%post\n# caf\xe9 /api/v1/callback/\n%end\n", "{}"),
    ("default.ks", None, "{ssh_keys: [k]}"),
    ("default.preseed", None, "{root_password_crypted: $6$a$b}"),
    ("default.user-data", None, "{ssh_keys: [k]}"),
    ("default.autoyast.xml", None, "{ssh_keys: [k]}"),
    ("probe.ks", None, "{}"),
]


@pytest.mark.parametrize(("name", "text", "meta"), SILENT)
def test_what_is_right_is_not_accused(write: Write, name: str, text: str | bytes | None, meta: str) -> None:
    assert found(write(name, text, meta)) == ([], [])


@pytest.mark.parametrize("meta", ["{}", "{ssh_keys: []}"])
@pytest.mark.parametrize("name", ["default.ks", "default.preseed", "default.user-data", "default.autoyast.xml"])
def test_a_machine_that_nobody_can_log_in_to(write: Write, name: str, meta: str) -> None:
    problems, ((file, line, text),) = found(write(name, None, meta))
    assert (problems, file, line) == ([], "netprov.yaml", 4)
    assert f"nobody can log in to what {name} installs" in text
    assert "ssh_keys" in text
    assert "root_password_crypted" in text


def test_problem_of_a_plain_file_has_its_own_line(write: Write) -> None:
    problems, _ = found(write("web.ks", "text\n# a\nbogus\ntext\nbogus\n"))
    assert [(file, line) for file, line, _ in problems] == [("web.ks", 3), ("web.ks", 5)]


def test_render_shows_a_plain_file_octet_for_octet(write: Write) -> None:
    data = b"text\r\n# caf\xe9 ${#a[@]} {{ hostname }}\n#}"
    result = CliRunner().invoke(render, ["-c", str(write("web.ks", data)), "autoinstall", "lady"])
    assert result.stdout_bytes == data

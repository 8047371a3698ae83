"""What clients send is text to everybody who looks: on the terminal, the page, in logs, metrics, the API, webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import sqlite3
import threading
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from netprov.cli import main
from tests.e2e.served import NETPROV
from tests.hostile.conftest import SECRET, Scene, mac_of, number, system_of
from tests.hostile.strings import MARKUP, NEVER, SHOWN, STRINGS

pytestmark = pytest.mark.e2e
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
KEYS = {"time", "level", "text", "reason", "kind", "machine", "mac", "ip", "system", "boot", "stage", "name"}


def harmless(text: str, *, lines: bool = True) -> None:
    found = [mark for mark in NEVER if mark in text]
    assert not found, f"{found!r} in {text[:2000]!r}"
    odd = {char for char in text if not char.isprintable()} - ({"\n"} if lines else set())
    assert not odd, f"{odd!r} in {text[:2000]!r}"


def values(value: Any) -> list[str]:
    """Every text within a JSON value, keys included."""
    match value:
        case dict():
            return [*value, *(text for part in value.values() for text in values(part))]
        case list():
            return [text for part in value for text in values(part)]
    return [value] if isinstance(value, str) else []


# the terminal

COMMANDS: dict[str, tuple[str, ...]] = {
    "timeline": ("timeline", "--last", "100"),
    "status": ("status",),
    "leases": ("leases",),
    "system": ("system", "status"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_terminal(scene: Scene, command: str) -> None:
    done = CliRunner().invoke(main, [*COMMANDS[command], "-c", str(scene.config)])
    assert done.exit_code == 0, done.output
    harmless(done.output)


@pytest.mark.parametrize("name", STRINGS)
def test_terminal_of_a_machine(scene: Scene, name: str) -> None:
    said = ""
    for command in (("timeline", system_of(name), "-v"), ("timeline", system_of(name)), ("explain", system_of(name))):
        done = CliRunner().invoke(main, [*command, "-c", str(scene.config)])
        assert done.exit_code == 0, done.output
        harmless(done.output)
        said += done.output
    if name in SHOWN:
        assert SHOWN[name].replace("\n", "") in said.replace("\n", "").replace(" ", "") or SHOWN[name] in said, said


@pytest.mark.parametrize("name", SHOWN)
def test_terminal_in_colours(scene: Scene, name: str) -> None:
    """The only sequences are ours: colours."""
    for command in (("timeline", system_of(name), "-v"), ("timeline",), ("status",), ("explain", system_of(name))):
        env = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "NO_COLOR": None}
        done = CliRunner(env=env).invoke(main, [*command, "-c", str(scene.config)], color=True)
        assert "\x1b[" in done.output
        harmless(COLOUR.sub("", done.output))


def test_terminal_of_check(scene: Scene) -> None:
    done = scene.lab.run([*NETPROV, "check", "-c", str(scene.config)], timeout=120)
    assert done.stdout, done.stderr
    harmless(done.stdout + done.stderr)


@pytest.mark.parametrize("name", STRINGS)
def test_a_string_as_an_argument(scene: Scene, name: str) -> None:
    """What somebody pastes into a command is shown to him again."""
    text = STRINGS[name].decode("utf-8", "backslashreplace").replace("\0", "")[:200]
    for command in ("timeline", "status", "explain"):
        done = CliRunner().invoke(main, [command, "-c", str(scene.config), "--", text])
        assert done.exit_code != 0
        assert "\x1b" not in done.output
        assert done.exception is None or isinstance(done.exception, SystemExit)


# the page


class Page(HTMLParser):
    """Elements and attributes that are ours, and all text."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name.startswith("on") or (name in ("href", "src") and (value or "").startswith(("javascript", "data"))):
                self.wrong.append(f"<{tag} {name}={value!r}>")
        ours = (dict(attrs).get("src") or "").startswith("/static/")
        if tag in ("iframe", "object", "base", "b") or (tag in ("script", "img") and not ours):
            self.wrong.append(f"<{tag}>")

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(body: str) -> str:
    page = Page()
    page.feed(body)
    assert page.wrong == []
    for mark in (*NEVER, *MARKUP):
        assert mark not in body, mark
    assert "1337" not in page.text  # 7 * 191: no template was run
    return page.text


@pytest.mark.parametrize("path", ["/", "/leases", "/?q=%3Cscript%3Ealert(1)%3C/script%3E", "/login"])
def test_page(scene: Scene, path: str) -> None:
    headers, body = scene.get(path)
    assert "script-src 'self'" in headers["content-security-policy"]
    assert parsed(body)


@pytest.mark.parametrize("name", STRINGS)
def test_page_of_a_machine(scene: Scene, name: str) -> None:
    _, body = scene.get(f"/machines/{system_of(name)}")
    text = parsed(body)
    if name in SHOWN:
        assert SHOWN[name] in text
    parsed(scene.get(f"/machines/02-00-00-00-02-{number(name):02x}")[1])  # the one that nobody declared
    headers, body = scene.get(f"/machines/{quote(STRINGS[name][:500], safe='')}")
    parsed(body)
    assert "set-cookie" not in headers or "evil" not in headers["set-cookie"]


# the API, the metrics


@pytest.mark.parametrize("path", ["/api/v1/status", "/api/v1/leases", "/api/v1/timeline", "/api/v1/systems"])
def test_api(scene: Scene, path: str) -> None:
    headers, body = scene.get(path)
    assert headers["content-type"].startswith("application/json")
    assert body.isascii()
    assert all(char.isprintable() or char == "\n" for char in body)
    assert json.loads(body)


@pytest.mark.parametrize("name", STRINGS)
def test_api_of_a_machine(scene: Scene, name: str) -> None:
    for path in (f"timeline/{system_of(name)}", f"status/{system_of(name)}", f"explain/{system_of(name)}"):
        _, body = scene.get(f"/api/v1/{path}")
        assert body.isascii()
        assert "evil" not in json.loads(body)
    _, body = scene.get(f"/api/v1/timeline/{system_of(name)}")
    (boot,) = json.loads(body)["boots"]
    assert boot["events"]
    headers, body = scene.get(f"/api/v1/status/{quote(STRINGS[name][:500], safe='')}")
    if headers["content-type"].startswith("text/plain"):  # refused before anybody looked at what it asks for
        harmless(body)
    else:
        assert set(json.loads(body)) == {"error"}


def test_metrics(scene: Scene) -> None:
    families = list(text_string_to_metric_families(scene.metrics))
    assert families
    assert all(family.name.startswith("netprov_") for family in families)
    samples = [sample for family in families for sample in family.samples]
    assert not [sample for sample in samples if "evil" in str(sample)]
    harmless(scene.metrics)
    kinds = {sample.labels.get("kind") for sample in samples}
    assert {"syslog.line", "dhcp.ack", "tftp.refuse", "http.refuse", "install"} <= kinds


# the logs


def test_log_in_json(scene: Scene) -> None:
    lines = scene.log("json").splitlines()
    objects = [json.loads(line) for line in lines]
    assert all(set(line) >= KEYS for line in objects)
    for line in objects:
        for text in values(line):
            harmless(text, lines=False)
    assert not [line for line in lines if not line.isascii()]
    for name, shown in SHOWN.items():
        mine = [line for line in objects if line["mac"] == mac_of(name)]
        assert {line["boot"] for line in mine if line["boot"]} == {f"{mac_of(name)}/1"}
        assert [line for line in mine if shown in line["text"]], name
        assert [line for line in mine if line["reason"] == "syslog-line"]
    assert {line["level"] for line in objects} <= {"info", "warning", "error"}
    (started,) = [line for line in objects if line["reason"] == "server-started"]
    assert started["text"].startswith("serves DHCP (full)")
    assert [line["text"] for line in objects if line["reason"] == "server-stopped"] == ["stops"]
    assert not [line for line in objects if line["text"].startswith("serves evil")]


def test_log_in_text(scene: Scene) -> None:
    scene.send("02:00:00:00:03", ["ansi", "newlines", "not-utf8", "bidi"])
    log = scene.log("text")
    harmless(log)
    assert all(line.startswith("netprov: ") for line in log.splitlines())
    assert not [line for line in log.splitlines() if line.startswith("netprov: serves evil")]
    assert "\\x1b[2J" in log


def test_no_secret_is_logged(scene: Scene) -> None:
    with sqlite3.connect(f"file:{scene.state / 'state.db'}?mode=ro", uri=True) as state:
        tokens = [token for (token,) in state.execute("SELECT token FROM installs WHERE token <> ''")]
    assert len(tokens) == len(STRINGS)
    for token in (*tokens, SECRET):
        assert token not in scene.log("json")
        assert token not in scene.log("text")
        assert token not in (scene.folder / "told").read_text()


# webhooks


def test_webhooks(scene: Scene) -> None:
    told = scene.told()
    bodies = []
    for message in told:
        body, headers = message["body"].encode("latin-1"), message["headers"]
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        digest = base64.b64encode(hmac.digest(SECRET.encode(), signed, hashlib.sha256)).decode()
        assert headers["webhook-signature"] == f"v1,{digest}"
        assert body.isascii()
        bodies.append(json.loads(body))
    for body in bodies:
        for text in values(body):
            harmless(text)
    failed = {body["data"]["machine"]: body["data"] for body in bodies if body["data"]["reason"] == "install-failed"}
    assert set(failed) == {mac_of(name) for name in STRINGS}
    for name, shown in SHOWN.items():
        assert shown in failed[mac_of(name)]["text"]
        assert failed[mac_of(name)]["url"] == f"http://10.77.0.1/machines/{system_of(name)}"
    assert {body["type"] for body in bodies} >= {"install", "boot"}


# the live page


def test_event_stream(scene: Scene) -> None:
    sending = threading.Timer(2.0, lambda: scene.send("02:00:00:00:04", ["sse", "crlf", "ansi"]))
    sending.start()
    try:
        headers, body = scene.get("/events", seconds=8.0)
    finally:
        sending.join()
    assert headers["content-type"].startswith("text/event-stream")
    assert all(line == "" or line.startswith(("event: ", "data: ", ":")) for line in body.split("\n"))
    rows = [json.loads(line.removeprefix("data: ")) for line in body.split("\n") if line.startswith("data: ")]
    assert rows
    assert "event: reload\ndata: {}" not in body
    assert all(char.isprintable() or char == "\n" for char in body)

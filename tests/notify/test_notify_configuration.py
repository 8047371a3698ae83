"""server.webhooks and syslog in netprov.yaml: what they mean, what is refused, and that no secret is repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from netprov.errors import ConfigError
from netprov.inventory.load import load
from netprov.inventory.model import Notice, SyslogSettings, Webhook

LONG = "0123456789abcdef"


def loaded(folder: Path, text: str):
    (folder / "netprov.yaml").write_text(text)
    return load(folder / "netprov.yaml").settings


def test_the_defaults(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "server: {webhooks: {ops: {url: https://example.org/hook}}}")
    assert settings.server.webhooks == (
        Webhook("ops", "https://example.org/hook", "", (Notice.VERDICT, Notice.INSTALL), 10),
    )
    assert settings.syslog == SyslogSettings(False, 514)


def test_all_of_it(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        "syslog: {enabled: yes, port: 5514}\n"
        "server:\n  webhooks:\n    ops: {url: 'http://u:p@10.0.0.9:8080/x?y=1', events: [boot, server, verdict],"
        f" timeout: 90s, secret: whsec_MDEyMzQ1Njc4OWFiY2RlZg==}}\n    chat: {{url: http://a/, secret: {LONG}}}\n",
    )
    ops, chat = settings.server.webhooks
    assert (ops.events, ops.timeout) == ((Notice.BOOT, Notice.SERVER, Notice.VERDICT), 90)
    assert chat.secret == LONG
    assert settings.syslog == SyslogSettings(True, 5514)


REFUSED = {
    "no url": ("{secret: 0123456789abcdef}", "has no url: it is required"),
    "ftp": ("{url: ftp://example.org/}", "is not a URL of http or https"),
    "no host": ("{url: 'http:///x'}", "is not a URL of http or https"),
    "a port that is none": ("{url: 'http://a:99999/'}", "is not a URL"),
    "a blank": ("{url: 'http://a/b c'}", "is not a URL of http or https"),
    "a line break": ('{url: "http://a/\\r\\nX: y"}', "is not a URL"),
    "too long": ("{url: 'http://a/" + "x" * 2000 + "'}", "is not a URL of http or https"),
    "a short secret": ("{url: 'http://a/', secret: hunter2}", "too short for a secret"),
    "no Base64": ("{url: 'http://a/', secret: whsec_hunter2!!!!!!!!!!!!!!!!!!!}", "not Base64"),
    "a short key": ("{url: 'http://a/', secret: whsec_aHVudGVyMg==}", "too short for a secret"),
    "an event nobody knows": ("{url: 'http://a/', events: [verdicts]}", "verdict"),
    "no time": ("{url: 'http://a/', timeout: 0}", "between a second and"),
    "a field nobody knows": ("{url: 'http://a/', retries: 3}", "no such field"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(tmp_path: Path, case: str) -> None:
    text, why = REFUSED[case]
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, f"server: {{webhooks: {{ops: {text}}}}}")
    (problem,) = caught.value.problems
    assert why in problem.text
    assert "ops" in problem.where
    assert problem.origin is not None
    assert "hunter2" not in str(problem)


@pytest.mark.parametrize("text", ["syslog: {port: 0}", "syslog: {port: 70000}", "syslog: {enabled: perhaps}",
                                  "syslog: {tcp: yes}", "syslog: yes"])  # fmt: skip
def test_syslog_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        loaded(tmp_path, text)

"""A receiver that takes nothing is seen by who looks: check, status, and without a server too."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from netprov.check.subject import look
from netprov.check.webhooks import webhooks
from netprov.cli import main
from netprov.notify.receivers import Receiver
from netprov.notify.spool import Entry, Spool

CONFIG = "server: {{state: state{hooks}}}\n"
HOOKS = ", webhooks: {ops: {url: 'http://127.0.0.1:9/'}}"


def failing(folder: Path, hooks: str = HOOKS) -> Path:
    (folder / "netprov.yaml").write_text(CONFIG.format(hooks=hooks))
    spool = Spool(folder / "state" / "notify.db")
    spool.queue([Entry("a", b"", ("ops",)), Entry("b", b"", ("ops",))], "1:2", 1, 1.0)
    message = spool.next("ops")
    assert message is not None
    spool.put_off(message, 9.0, "it answered 503", time.time() - 7201)
    spool.close()
    return folder / "netprov.yaml"


def test_check_finds_it(tmp_path: Path) -> None:
    (finding,) = webhooks(look(failing(tmp_path)))
    assert (finding.id, finding.severity, finding.machines) == ("webhook-failing", "warning", ())
    assert finding.text == "webhook ops has accepted nothing for 2 h: it answered 503; 2 messages wait"
    assert "server.webhooks.ops" in finding.advice


def test_one_that_is_declared_no_more_is_nobodys_trouble(tmp_path: Path) -> None:
    config = failing(tmp_path, "")
    assert list(webhooks(look(config))) == []
    assert "webhook" not in CliRunner().invoke(main, ["status", "-c", str(config)]).output


def test_a_damaged_spool_is_found(tmp_path: Path) -> None:
    config = failing(tmp_path)
    (tmp_path / "state" / "notify.db").write_bytes(b"this is no database" * 1000)
    (finding,) = webhooks(look(config))
    assert finding.id == "webhook-spool"
    done = CliRunner().invoke(main, ["status", "-c", str(config)])
    assert done.exit_code == 1
    assert "notify.db" in done.output


def test_status_shows_it(tmp_path: Path) -> None:
    config = failing(tmp_path)
    assert "! webhook ops has accepted nothing for 2 h: it answered 503; 2 messages wait" in (
        CliRunner().invoke(main, ["status", "-c", str(config)]).output
    )
    done = CliRunner().invoke(main, ["status", "--json", "-c", str(config)])
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize(
    ("waiting", "ago", "expected"),
    [(1, 0.0, "for 0 min: said; 1 message waits"), (0, 600.0, "for 10 min: said; 0 messages wait"),
     (5, -50.0, "for 0 min: said; 5 messages wait")],
)  # fmt: skip
def test_in_words(waiting: int, ago: float, expected: str) -> None:
    assert expected in Receiver("ops", 1, 1, 1, 1000.0, "said", waiting).text(1000.0 + ago)

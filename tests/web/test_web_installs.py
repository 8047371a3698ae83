"""Whichever way an install is changed or looked at, the same sentence says what the next boot does, and why not."""

from __future__ import annotations

import html
import re

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from test_web_access import csrf, log_in
from web_world import OPERATE_TOKEN, Site

from netprov.boot.install import Boot, Done, Fail, Fetched, InstallEvent, InstallState, next_boot
from netprov.cli.system import system
from netprov.errors import PeerError
from netprov.journal.changes import change_installs
from netprov.xen.create.site import LocalSite

ROBOT = {"Authorization": f"Bearer {OPERATE_TOKEN}"}


def typed(site: Site, *words: str) -> Result:
    return CliRunner().invoke(system, [*words, "-c", str(site.folder / "netprov.yaml")])


def page(visitor: FlaskClient, name: str) -> str:
    return html.unescape(visitor.get(f"/machines/{name}", headers=ROBOT).text)


def happens(site: Site, name: str, *events: InstallEvent) -> None:
    for event in events:
        change_installs(site.state.installs, {name: site.inventory.system(name)}, event, 1000.0)


@pytest.mark.parametrize("ending", ["", "booting", "installing", "installed", "failed"])
def test_one_sentence_everywhere(guarded: Site, visitor: FlaskClient, ending: str) -> None:
    armed = visitor.post("/api/v1/systems/lady/arm", headers=ROBOT).json
    record = guarded.state.installs.get("lady")
    assert record is not None
    lady = guarded.inventory.system("lady")
    assert armed["meaning"] == f"lady {next_boot(record, lady)}"
    last: dict[str, tuple[InstallEvent, ...]] = {
        "": (), "booting": (Boot(),), "installing": (Boot(), Fetched(record.token)), "installed": (Done(record.token),),
        "failed": (Fail(record.token, "no disk found"),),
    }  # fmt: skip
    happens(guarded, "lady", *last[ending])
    expected = next_boot(guarded.state.installs.get("lady"), lady)
    assert f"It {expected}." in page(visitor, "lady")
    assert visitor.get("/api/v1/status/lady", headers=ROBOT).json["says"] == expected
    assert typed(guarded, "status", "lady").output.startswith(f"lady  {expected}  [since ")
    assert LocalSite(guarded.inventory).standing(lady).says == expected
    if ending in ("installed", "failed"):
        late = visitor.get(f"/api/v1/callback/{record.token}?status=done")
        assert late.status_code == 410
        assert f"the token is used up: lady {expected}" in late.text


def test_a_command_says_it_too(guarded: Site) -> None:
    assert typed(guarded, "install", "lady", "jock").output == (
        "lady will be installed at its next network boot\njock will be installed at its next network boot\n"
    )
    assert typed(guarded, "local", "lady").output == "lady boots its own disk\n"
    assert typed(guarded, "status", "tramp", "trusty").output == (
        "tramp   will be installed at its next network boot\ntrusty  boots its kernel every time\n"
    )


WHY = {
    "arm": "has install: always: it boots its kernel every time, and there is nothing to arm",
    "disarm": "has install: always: it boots its kernel every time; write install: local to let it boot its own disk",
}


@pytest.mark.parametrize(("verb", "command", "button"), [("arm", "install", "arm"), ("disarm", "local", "local")])
def test_one_refusal_everywhere(guarded: Site, visitor: FlaskClient, verb: str, command: str, button: str) -> None:
    refused = visitor.post(f"/api/v1/systems/trusty/{verb}", headers=ROBOT)
    assert (refused.status_code, refused.json["error"]) == (409, f"trusty {WHY[verb]}")
    assert typed(guarded, command, "trusty").output == f"Error: trusty {WHY[verb]}\n"
    local = LocalSite(guarded.inventory)
    with pytest.raises(PeerError, match=re.escape(f"trusty {WHY[verb]}")):
        (local.arm if verb == "arm" else local.disarm)(guarded.inventory.system("trusty"))
    assert f"It {WHY['arm']}." in page(visitor, "trusty")
    log_in(visitor, "alice")
    answer = visitor.post(f"/machines/trusty/{button}", data={"csrf": csrf(visitor, "/machines/lady")})
    assert answer.status_code == 409
    assert f"trusty {WHY[verb]}" in html.unescape(answer.text)
    assert guarded.state.installs.get("trusty") is None
    assert not guarded.events


def test_commands_change_all_or_none(guarded: Site) -> None:
    """`system install A B C` armed A and B, then stopped at C."""
    refused = typed(guarded, "install", "lady", "trusty", "jock")
    assert refused.exit_code == 1
    assert refused.output == f"Error: trusty {WHY['arm']}; nothing is changed for the 3 named\n"
    assert typed(guarded, "install", "lady", "nobody").exit_code == 1
    assert guarded.state.installs.all() == {}
    assert typed(guarded, "install", "lady", "jock", "lady").exit_code == 0
    assert {name: record.state for name, record in guarded.state.installs.all().items()} == {
        "lady": InstallState.ARMED, "jock": InstallState.ARMED,
    }  # fmt: skip


@pytest.mark.parametrize("verb", ["installed", "failed"])
def test_what_is_not_under_way_cannot_end(guarded: Site, verb: str) -> None:
    refused = typed(guarded, verb, "lady")
    assert (refused.exit_code, refused.output) == (1, "Error: lady has no install under way: it boots its own disk\n")
    assert guarded.state.installs.get("lady") is None

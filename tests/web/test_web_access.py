"""Who may see and do what: passwords, tokens, sessions, forms."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from web_world import OPERATE_TOKEN, PASSWORD, READ_TOKEN, Site

from netprov.boot.install import InstallState
from netprov.boot.reason import Reason
from netprov.cli.token import token as token_command
from netprov.inventory.load import load
from netprov.inventory.model import Token, User
from netprov.journal.event import Kind
from netprov.web.app import create_app
from netprov.web.credentials import find_token, new_password, new_token, password_fits
from netprov.web.lockout import FORGOTTEN, LONGEST_WAIT, REMEMBERED, Lockout
from netprov.web.login import OF_ADDRESS, inside

READS = ["/", "/machines/lady", "/leases", "/events", "/metrics", "/api/v1/systems", "/api/v1/systems/lady",
         "/api/v1/status", "/api/v1/status/lady", "/api/v1/timeline", "/api/v1/timeline/lady", "/api/v1/leases",
         "/api/v1/explain/lady", "/api/v1/render/ipxe/lady", "/api/v1/profiles/web"]  # fmt: skip
CHANGES = ["/api/v1/systems/lady/arm", "/api/v1/systems/lady/disarm", "/machines/lady/arm", "/machines/lady/local",
           "/api/v1/systems", "/machines/52:54:00:aa:bb:cc/add"]  # fmt: skip
OPEN = ["/healthz", "/api/v1/openapi.json", "/login"]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def csrf(client: FlaskClient, path: str = "/login") -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert found is not None
    return found[1]


def log_in(client: FlaskClient, name: str, password: str = PASSWORD, **more: str):  # type: ignore[no-untyped-def]
    form = {"name": name, "password": password, "csrf": csrf(client), **more}
    return client.post("/login", data=form)


@pytest.mark.parametrize("path", [*READS, *OPEN])
def test_without_anybody_declared_reading_is_open(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", CHANGES)
def test_without_anybody_declared_nothing_changes(site: Site, client: FlaskClient, path: str) -> None:
    for headers in ({}, bearer("x"), bearer("")):
        answer = client.post(path, headers=headers)
        assert answer.status_code in (303, 401, 403)
    assert "netprov token" in client.post(path).text
    assert "netprov token" in client.delete("/api/v1/systems/lady").text
    assert site.newest().inventory.system("lady") is not None
    assert site.state.installs.all() == {}


@pytest.mark.parametrize("path", READS)
def test_with_somebody_declared_reading_needs_one(visitor: FlaskClient, path: str) -> None:
    answer = visitor.get(path)
    if path.startswith("/api/") or path == "/metrics":
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="netprov"')
    elif path == "/events":
        assert answer.status_code == 401
    else:
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/login?next=")
    assert visitor.get(path, headers=bearer("np_wrong")).status_code != 200
    assert visitor.get(path, headers={"Authorization": f"Basic {READ_TOKEN}"}).status_code != 200
    assert visitor.get(path, headers=bearer(READ_TOKEN)).status_code == 200
    assert visitor.get(path, headers=bearer(READ_TOKEN[:-1])).status_code != 200


@pytest.mark.parametrize("path", OPEN)
def test_with_somebody_declared_these_stay_open(visitor: FlaskClient, path: str) -> None:
    assert visitor.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/ipxe/00-16-3e-11-11-11", "/autoinstall/lady", "/boot.ipxe"])
def test_machines_need_no_login(visitor: FlaskClient, path: str) -> None:
    assert visitor.get(path).status_code == 200


ALLOWED = {"none": ("", 401), "wrong": ("np_wrong", 401), "reads": (READ_TOKEN, 403), "operates": (OPERATE_TOKEN, 200)}


@pytest.mark.parametrize(("token", "status"), ALLOWED.values(), ids=ALLOWED)
def test_tokens_scopes(guarded: Site, visitor: FlaskClient, token: str, status: int) -> None:
    answer = visitor.post("/api/v1/systems/lady/arm", headers=bearer(token) if token else {})
    assert answer.status_code == status
    record = guarded.state.installs.get("lady")
    assert (record is not None and record.state is InstallState.ARMED) is (status == 200)


@pytest.mark.parametrize(("token", "status"), ALLOWED.values(), ids=ALLOWED)
def test_adding_needs_its_own_scope(guarded: Site, visitor: FlaskClient, token: str, status: int) -> None:
    headers = bearer(token) if token else {}
    answer = visitor.post("/api/v1/systems", json={"name": "new", "profile": "web"}, headers=headers)
    assert answer.status_code == status
    assert (guarded.newest().inventory.system("new") is not None) is (status == 200)


def test_a_stranger_is_added_by_the_page(guarded: Site, visitor: FlaskClient) -> None:
    place = "/machines/52:54:00:aa:bb:cc"
    log_in(visitor, "alice")
    form = {"csrf": csrf(visitor, place), "name": "new", "profile": "db", "install": "on"}
    before = (guarded.folder / "netprov.yaml").read_text()
    for wrong, said in (({"name": "lady"}, "called lady already"), ({"name": "a b"}, "is not a name"),
                        ({"profile": "nope"}, "choose an existing"), ({"name": "<b>"}, "is not a name")):  # fmt: skip
        answer = visitor.post(f"{place}/add", data={**form, **wrong}, follow_redirects=True)
        assert (answer.status_code, said in answer.text, "<b>" in answer.text) == (200, True, False)
        assert answer.request.path == place
        assert 'role="alert"' not in visitor.get(place).text  # once
    assert visitor.post(f"{place}/add", data={**form, "csrf": "x"}).status_code == 403
    assert visitor.post("/machines/lady/add", data=form).status_code == 409
    assert visitor.post("/machines/nobody/add", data=form).status_code == 404
    assert (guarded.folder / "netprov.yaml").read_text() == before
    answer = visitor.post(f"{place}/add", data=form)
    assert (answer.status_code, visitor.get(answer.headers["Location"]).headers["Location"]) == (303, "/machines/new")
    assert guarded.newest().inventory.system("new").install == "install-once"
    assert visitor.post(f"{place}/add", data={**form, "name": "another"}).status_code == 409
    assert "alice declared new, in netprov.yaml:" in guarded.events[-1].text


def test_who_only_reads_adds_nothing(guarded: Site, visitor: FlaskClient) -> None:
    log_in(visitor, "bob")
    page = visitor.get("/machines/52:54:00:aa:bb:cc").text
    assert "Show the lines" in page
    assert "Add to the inventory" not in page
    form = {"csrf": csrf(visitor, "/"), "name": "new", "profile": "db"}
    assert visitor.post("/machines/52:54:00:aa:bb:cc/add", data=form).status_code == 403


def test_a_change_is_told_to_the_journal(guarded: Site, visitor: FlaskClient) -> None:
    visitor.post("/api/v1/systems/lady/arm", headers=bearer(OPERATE_TOKEN))
    (event,) = [event for event in guarded.events if event.kind is Kind.INSTALL]
    assert (event.reason, event.system, event.stage) == (Reason.INSTALL_ARMED, "lady", "")
    visitor.post("/api/v1/systems/lady/disarm", headers=bearer(OPERATE_TOKEN))
    assert guarded.events[-1].reason is Reason.INSTALL_LOCAL


def test_login_sees_and_operates(guarded: Site, visitor: FlaskClient) -> None:
    answer = log_in(visitor, "alice", next="/machines/lady")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/machines/lady")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    form = {"csrf": csrf(visitor, "/machines/lady")}
    assert visitor.post("/machines/lady/arm", data=form).status_code == 303
    assert guarded.state.installs.get("lady").state is InstallState.ARMED  # type: ignore[union-attr]
    assert visitor.post("/machines/lady/local", data=form).status_code == 303
    assert guarded.state.installs.get("lady").state is InstallState.LOCAL  # type: ignore[union-attr]
    assert visitor.post("/machines/trusty/arm", data=form).status_code == 409  # install: always
    assert visitor.post("/machines/nobody/arm", data=form).status_code == 404
    assert visitor.post("/logout", data=form).status_code == 303
    assert visitor.get("/machines/lady").status_code == 303


def test_a_user_who_only_reads(guarded: Site, visitor: FlaskClient) -> None:
    log_in(visitor, "bob")
    page = visitor.get("/machines/lady").text
    assert "Arm the install" not in page
    assert visitor.post("/machines/lady/arm", data={"csrf": csrf(visitor, "/")}).status_code == 403
    assert guarded.state.installs.all() == {}


@pytest.mark.parametrize("sent", [{}, {"csrf": ""}, {"csrf": "wrong"}, {"csrf": "ü\ud800"}])
def test_forms_need_their_token(guarded: Site, visitor: FlaskClient, sent: dict[str, str]) -> None:
    sent = {name: value.encode("utf-8", "replace").decode() for name, value in sent.items()}
    assert visitor.post("/login", data={"name": "alice", "password": PASSWORD, **sent}).status_code == 403
    log_in(visitor, "alice")
    assert visitor.post("/machines/lady/arm", data=sent).status_code == 403
    assert visitor.post("/logout", data=sent).status_code == 403
    assert visitor.get("/").status_code == 200
    assert guarded.state.installs.all() == {}


def test_a_forms_token_of_before_the_login_does_not_count_after_it(guarded: Site, visitor: FlaskClient) -> None:
    before = csrf(visitor)
    log_in(visitor, "alice")
    assert visitor.post("/machines/lady/arm", data={"csrf": before}).status_code == 403


def test_a_session_changes_nothing_by_the_api(guarded: Site, visitor: FlaskClient) -> None:
    """Its cookie goes along with any page's request; a form's token does not."""
    log_in(visitor, "alice")
    assert visitor.get("/api/v1/systems").status_code == 200
    assert visitor.post("/api/v1/systems/lady/arm").status_code == 403
    assert visitor.delete("/api/v1/systems/lady").status_code == 403
    assert guarded.state.installs.all() == {}
    assert guarded.newest().inventory.system("lady") is not None


def test_the_cookie_cannot_be_made_up(guarded: Site, visitor: FlaskClient) -> None:
    forger = create_app(replace(guarded.services, secret=b"other" * 8)).test_client()
    log_in(forger, "alice")
    stolen = forger.get_cookie("netprov")
    assert stolen is not None
    visitor.set_cookie("netprov", stolen.value)
    assert visitor.get("/").status_code == 303


def test_a_changed_password_ends_sessions(guarded: Site, visitor: FlaskClient) -> None:
    log_in(visitor, "alice")
    assert visitor.get("/").status_code == 200
    text = (guarded.folder / "netprov.yaml").read_text()
    line = next(line for line in text.splitlines() if "alice:" in line)
    changed = text.replace(line, f'    alice: {{password: "{new_password("another")}"}}')
    (guarded.folder / "netprov.yaml").write_text(changed)
    guarded.inventory = load(guarded.folder / "netprov.yaml")
    assert visitor.get("/").status_code == 303


def test_failures_wait(guarded: Site, visitor: FlaskClient) -> None:
    for _ in range(OF_ADDRESS):
        answer = log_in(visitor, "alice", "wrong")
        assert (answer.status_code, "wrong" in answer.text) == (401, True)
    answer = log_in(visitor, "alice")
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= LONGEST_WAIT + 1
    events = [event for event in guarded.events if event.reason is Reason.HTTP_FORBIDDEN]
    assert not events  # the application alone records nothing: the front does
    assert PASSWORD not in answer.text


@pytest.mark.parametrize("name", ["nobody", "", "alice\n", "A" * 100_000, "<script>alert(1)</script>"])
def test_login_says_the_same_of_names_that_nobody_has(visitor: FlaskClient, name: str) -> None:
    answer = log_in(visitor, name)
    assert answer.status_code == 401
    assert "the name or the password is wrong" in answer.text
    assert "<script>alert" not in answer.text


def test_lockout() -> None:
    lockout = Lockout(3)
    for _ in range(3):
        assert lockout.wait("a", 100.0) == 0
        lockout.failed("a", 100.0)
    waits = []
    for _ in range(20):
        waits.append(lockout.wait("a", 100.0))
        lockout.failed("a", 100.0)
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (2.0, LONGEST_WAIT)
    assert lockout.wait("b", 100.0) == 0
    assert lockout.wait("a", 100.0 + LONGEST_WAIT) == 0
    lockout.failed("a", 101.0 + FORGOTTEN)
    assert lockout.wait("a", 101.0 + FORGOTTEN) == 0
    for number in range(REMEMBERED + 10):
        lockout.failed(f"{number}", 0.0)
    lockout.succeeded("a")
    assert len(lockout._failures) <= REMEMBERED


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("/", "/"),
        ("/machines/lady?boot=2", "/machines/lady?boot=2"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\\b", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
        ("/\r\nX: y", "/"),
    ],
)
def test_where_a_login_leads(target: str, place: str) -> None:
    assert inside(target) == place


def test_tokens_and_passwords() -> None:
    token, hashed = new_token()
    declared = (Token("other", new_token()[1]), Token("mine", hashed))
    assert find_token(declared, token) == declared[1]
    assert find_token(declared, hashed) is None
    assert find_token((), token) is None
    user = User("al", new_password("pässword"))
    assert password_fits(user, "pässword")
    assert not password_fits(user, "password")
    assert not password_fits(None, "pässword")


def test_the_command_prints_what_the_configuration_takes(guarded: Site) -> None:
    runner = CliRunner()
    made = runner.invoke(token_command, ["ci", "--scope", "read", "--scope", "operate"])
    token = next(line.strip() for line in made.stderr.splitlines() if line.startswith("  np_"))
    (guarded.folder / "token.yaml").write_text(made.stdout)
    (found,) = load(guarded.folder / "token.yaml").settings.server.tokens
    assert find_token([found], token) == found
    assert [scope.value for scope in found.scopes] == ["read", "operate"]
    made = runner.invoke(token_command, ["--user", "carol"], input="secret\nsecret\n")
    (guarded.folder / "user.yaml").write_text(made.stdout)
    (user,) = load(guarded.folder / "user.yaml").settings.server.users
    assert password_fits(user, "secret")
    assert "secret" not in made.stdout
    for wrong in ([], ["ci", "--user", "al"], ["a b"], ["ci", "--scope", "root"]):
        assert runner.invoke(token_command, wrong).exit_code == 2

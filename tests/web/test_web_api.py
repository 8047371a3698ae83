"""The API: its document, what it answers, and schemathesis' idea of bad input."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from web_world import LADY, OPERATE_TOKEN, READ_TOKEN, Site, lady, stranger

from netprov.boot.install import InstallState
from netprov.boot.reason import Reason
from netprov.web.api.openapi import document
from netprov.web.api.routes import ROUTES
from netprov.web.api.schemas import SCHEMAS
from netprov.web.app import create_app
from tests.journal import scenes


@pytest.fixture
def told(site: Site) -> Site:
    site.boot(scenes.bios_pxelinux, **lady())
    site.boot(scenes.ignored, **stranger())
    return site


def test_document(client: FlaskClient) -> None:
    got = client.get("/api/v1/openapi.json").json
    assert got == json.loads(json.dumps(document(open_reading=True)))
    operations = [operation for path in got["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(ROUTES) == len(operations)
    for schema in SCHEMAS.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    assert all({} in o["security"] for p in got["paths"].values() for m, o in p.items() if m == "get")
    assert not any({} in o["security"] for p in got["paths"].values() for m, o in p.items() if m == "post")
    guarded = document(open_reading=False)
    assert {} not in guarded["paths"]["/status"]["get"]["security"]  # type: ignore[index]


def get(client: FlaskClient, path: str, schema: str, **query: object) -> Any:
    """The answer, held against its schema."""
    answer = client.get(f"/api/v1{path}", query_string=query)
    assert answer.status_code == 200, answer.text
    resolver = {"$ref": f"#/components/schemas/{schema}", "components": {"schemas": dict(SCHEMAS)}}
    jsonschema.validate(answer.json, resolver)
    return answer.json


def test_answers(told: Site, client: FlaskClient) -> None:
    assert get(client, "/systems", "Systems", q="web", per_page=2)["total"] == 3
    assert get(client, "/systems/lady", "System")["interfaces"][0]["mac"] == LADY
    found = get(client, "/status", "Statuses")["machines"]
    assert [(row["machine"], row["stage"], row["state"]) for row in found][:2] == [
        ("lady", "callback", "done"), ("tramp", "", ""),
    ]  # fmt: skip
    row = get(client, "/status/52:54:00:aa:bb:cc", "Status")
    assert (row["system"], row["install"], row["macs"]) == ("", None, ["52:54:00:aa:bb:cc"])
    assert [verdict["severity"] for verdict in row["verdicts"]] == ["warning"]
    assert [b["machine"] for b in get(client, "/timeline", "Boots")["boots"]] == [LADY, "52:54:00:aa:bb:cc"]
    (boot,) = get(client, "/timeline/lady", "Boots", last=3)["boots"]
    assert boot["verdicts"] == []
    assert scenes.Machine().token not in json.dumps(boot)
    stages = get(client, "/explain/lady", "Explained", arch="uefi-x64", armed="true")["stages"]
    assert [stage["stage"] for stage in stages][:2] == ["firmware", "loader"]
    assert stages[0]["why"][0]["origin"] == "netprov.yaml:14"
    assert get(client, "/explain/52:54:00:aa:bb:cc", "Explained")["system"] == ""
    assert "#!ipxe" in get(client, "/render/ipxe/lady", "Rendered")["text"]
    assert "inst.ks=" in get(client, "/render/args/web", "Rendered")["text"]
    assert get(client, "/profiles/web", "System")["distro"] == "probe"
    assert get(client, "/leases", "Leases") == {"leases": [], "page": 1, "pages": 1, "total": 0}


BAD = [
    ("/profiles/lady", 404), ("/systems/nobody", 404), ("/systems?page=0", 400), ("/systems?page=x", 400),
    ("/systems?page=1&page=2", 400),
    ("/systems?per_page=501", 400), ("/systems?page=99999999999999999999", 400), ("/status/nobody", 404),
    ("/systems?page=٣", 400), (f"/systems?q={'x' * 201}", 400), ("/explain/nobody", 404), ("/explain/lady?arch=x", 400),
    ("/explain/lady?loader=x", 400), ("/explain/lady?armed=yes", 400), ("/timeline/nobody", 404),
    ("/timeline?last=0", 400),
    ("/render/x/lady", 400), ("/render/ipxe/nobody", 404), ("/render/args/nobody", 404), ("/nonsense", 404), ("/", 404),
    ("/systems/", 404), ("/systems/lady/arm", 405), ("/render/grub/web", 404),
]  # fmt: skip


@pytest.mark.parametrize(("path", "status"), BAD)
def test_bad_questions(client: FlaskClient, path: str, status: int) -> None:
    answer = client.get(f"/api/v1{path}")
    assert (answer.status_code, list(answer.json)) == (status, ["error"])


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/systems", "GET, HEAD, OPTIONS, POST"),
        ("PUT", "/systems/lady", "DELETE, GET, HEAD, OPTIONS"),
        ("DELETE", "/profiles/web", "GET, HEAD, OPTIONS"),
        ("GET", "/systems/lady/arm", "OPTIONS, POST"),
        ("PUT", "/callback/x", "GET, HEAD, OPTIONS, POST"),
        ("POST", "/openapi.json", "GET, HEAD, OPTIONS"),
    ],
)
def test_methods(client: FlaskClient, method: str, path: str, allowed: str) -> None:
    answer = client.open(f"/api/v1{path}", method=method)
    assert answer.status_code == 405
    assert sorted(answer.headers["Allow"].split(", ")) == allowed.split(", ")


def test_arm_and_disarm(guarded: Site, visitor: FlaskClient) -> None:
    headers = {"Authorization": f"Bearer {OPERATE_TOKEN}"}
    for what, state in (("arm", InstallState.ARMED), ("disarm", InstallState.LOCAL)):
        answer = visitor.post(f"/api/v1/systems/lady/{what}", headers=headers)
        jsonschema.validate(answer.json, SCHEMAS["Install"])
        assert (answer.json["system"], answer.json["state"]) == ("lady", state)
    assert visitor.post("/api/v1/systems/trusty/arm", headers=headers).status_code == 409
    assert visitor.post("/api/v1/systems/nobody/arm", headers=headers).status_code == 404


NEW = {"name": "new", "profile": "web", "interfaces": {"eth0": {"mac": "52:54:00:AA:BB:CC"}}}
EDITS = {
    "fine": (NEW, 200, "netprov.yaml:"),
    "any field": ({**NEW, "hostname": "new.example.org", "kernel_options": {"quiet": True}, "comment": "é"}, 200, ""),
    "name taken": ({**NEW, "name": "lady"}, 409, "called lady already"),
    "mac taken": ({**NEW, "interfaces": {"e": {"mac": LADY.upper()}}}, 409, "it is lady"),
    "no profile": ({**NEW, "profile": "nope"}, 409, "no such profile"),
    "no field": ({**NEW, "profil": "web"}, 409, "did you mean profile?"),
    "a name that is none": ({**NEW, "name": "../x"}, 409, "is not a name"),
    "no name": ({"profile": "web"}, 400, "with name"),
    "no object": ([NEW], 400, "must be a JSON object"),
    "name no text": ({**NEW, "name": 3}, 400, "with name"),
    "lone surrogate": ({**NEW, "comment": "\ud800"}, 409, "lone surrogate"),
    "odd interfaces": ({**NEW, "interfaces": ["x"]}, 409, "must be a mapping"),
}


@pytest.mark.parametrize(("body", "status", "said"), EDITS.values(), ids=EDITS)
def test_add(guarded: Site, visitor: FlaskClient, body: Any, status: int, said: str) -> None:
    before = (guarded.folder / "netprov.yaml").read_text()
    headers = {"Authorization": f"Bearer {OPERATE_TOKEN}"}
    answer = visitor.post("/api/v1/systems", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    after = (guarded.folder / "netprov.yaml").read_text()
    if status == 200:
        jsonschema.validate(answer.json, SCHEMAS["Added"])
        assert said in answer.json["declared"]
        assert after.startswith(before.rstrip())
        assert guarded.newest().inventory.system_by_mac("52:54:00:aa:bb:cc") is not None
        (event,) = [event for event in guarded.events if event.reason is Reason.INVENTORY_EDITED]
        assert (event.system, event.text) == ("new", f"robot declared new, in {answer.json['declared']}")
    else:
        assert said in answer.json["error"]
        assert after == before


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [(b"{", "application/json", 400), (b"[" * 100_000, "application/json", 400), (b"", "application/json", 400),
     (b"\xff", "application/json", 400), (b"{}", "text/plain", 415), (b"name=x", "text/html", 415)],
)  # fmt: skip
def test_add_what_is_no_json(guarded: Site, visitor: FlaskClient, data: bytes, kind: str, status: int) -> None:
    headers = {"Authorization": f"Bearer {OPERATE_TOKEN}"}
    answer = visitor.post("/api/v1/systems", data=data, content_type=kind, headers=headers)
    assert (answer.status_code, list(answer.json)) == (status, ["error"])


def test_remove(guarded: Site, visitor: FlaskClient) -> None:
    before = (guarded.folder / "netprov.yaml").read_text()
    headers = {"Authorization": f"Bearer {OPERATE_TOKEN}"}
    added = visitor.post("/api/v1/systems", json=NEW, headers=headers)
    answer = visitor.delete("/api/v1/systems/new", headers=headers)
    assert answer.status_code == 200, answer.text
    jsonschema.validate(answer.json, SCHEMAS["Removed"])
    assert answer.json == added.json
    assert (guarded.folder / "netprov.yaml").read_text() == before
    assert guarded.newest().inventory.system("new") is None
    event = [event for event in guarded.events if event.reason is Reason.INVENTORY_EDITED][-1]
    assert (event.system, event.mac) == ("new", "52:54:00:aa:bb:cc")
    assert event.text == f"robot removed new, from {added.json['declared']}"
    assert visitor.get("/api/v1/systems/new", headers=headers).status_code == 404


def test_remove_refused(guarded: Site, visitor: FlaskClient) -> None:
    path = guarded.folder / "netprov.yaml"
    path.write_text(path.read_text() + "  twin: &twin {profile: web}\n  other: *twin\n")
    before = path.read_bytes()
    tries = [
        ("lady", None, 401, "log in"),
        ("lady", READ_TOKEN, 403, "watcher may not edit here"),
        ("lady", "x", 401, "a token that is declared"),
        ("nobody", OPERATE_TOKEN, 404, "no system is called 'nobody'"),
        ("web", OPERATE_TOKEN, 404, "no system is called 'web'"),
        ("a%20b", OPERATE_TOKEN, 404, "no system is called 'a b'"),
        ("twin", OPERATE_TOKEN, 409, "netprov.yaml:"),
    ]
    for name, token, status, said in tries:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = visitor.delete(f"/api/v1/systems/{name}", headers=headers)
        assert (answer.status_code, list(answer.json)) == (status, ["error"])
        assert said in answer.json["error"]
    assert path.read_bytes() == before


def test_nothing_heard_from_the_subnet(site: Site, client: FlaskClient) -> None:
    """G16: lady never booted, nor did anything in her subnet; then something does."""
    row = get(client, "/status/lady", "Status")
    assert [verdict["id"] for verdict in row["verdicts"]] == ["G16"]
    assert "ip helper-address 192.168.77.1" in row["verdicts"][0]["advice"]
    assert "nor any machine or relay in its subnet 192.168.77.0/24" in client.get("/machines/lady").text
    assert "Neither lady nor any machine" in client.get("/").text
    site.boot(scenes.bios_pxelinux, mac="52:54:00:00:00:01", ip="192.168.77.101", system="")
    assert get(client, "/status/lady", "Status")["verdicts"] == []
    assert "Neither lady nor any machine" not in client.get("/").text


def test_schemathesis(guarded: Site) -> None:
    """Every operation, positive and negative data: the answers are as the document says, never a 500."""
    guarded.boot(scenes.bios_pxelinux, **lady())
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", create_app(guarded.services))
    headers = {"Authorization": f"Bearer {OPERATE_TOKEN}"}
    seen = 0

    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(max_examples=25, deadline=None, phases=[Phase.generate, Phase.explicit], database=None,
                  suppress_health_check=list(HealthCheck), derandomize=True)  # fmt: skip
        @given(case=st.one_of([operation.as_strategy(generation_mode=mode) for mode in GenerationMode]))
        def check(case: Any) -> None:
            nonlocal seen
            seen += 1
            case.call_and_validate(headers=headers)

        check()
    assert seen > 10 * len(ROUTES)

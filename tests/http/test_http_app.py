"""The Flask application alone: callbacks, installers' answers, pages."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from http_world import World
from sqlalchemy.exc import OperationalError

from netprov.boot.install import InstallState
from netprov.boot.reason import Reason
from netprov.boot.request import Loader
from netprov.journal.event import Event, Kind
from netprov.state.failure import StateError
from netprov.state.place import Place
from netprov.web.app import create_app


@pytest.fixture
def client(world: World) -> FlaskClient:
    return create_app(world.services).test_client()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [("done", InstallState.INSTALLED, Reason.INSTALL_DONE), ("failed", InstallState.FAILED, Reason.INSTALL_FAILED)],
)
def test_callback(
    world: World, client: FlaskClient, method: str, status: str, state: InstallState, reason: Reason
) -> None:
    world.arm("lady", "t0k")
    answer = client.open(f"/api/v1/callback/t0k?status={status}&note=disk+%F0%9F%92%A5", method=method)
    assert (answer.status_code, answer.json["system"], answer.json["state"]) == (200, "lady", state.value)
    assert world.state.installs.records["lady"].state is state
    (event,) = world.events
    assert (event.kind, event.reason, event.system, event.token) == (Kind.INSTALL, reason, "lady", "t0k")
    assert ("disk 💥" in event.text) is (status == "failed")
    again = client.open("/api/v1/callback/t0k?status=done", method=method)
    assert again.status_code == 410
    assert "used up" in again.json["error"]
    assert len(world.events) == 1


def test_callback_as_a_form(world: World, client: FlaskClient) -> None:
    world.arm("lady", "t0k")
    assert client.post("/api/v1/callback/t0k", data={"status": "failed", "note": "x" * 2000}).status_code == 200
    assert len(world.state.installs.records["lady"].note) == 500


@pytest.mark.parametrize("token", ["wrong", "T0K", "t0k ", "t0", "%00", "..", "-1", "None", "x" * 5000])
def test_callback_token_unknown(world: World, client: FlaskClient, token: str) -> None:
    world.arm("lady", "t0k")
    answer = client.get(f"/api/v1/callback/{token}?status=done")
    assert answer.status_code in (403, 404)
    assert answer.json["error"]
    assert world.state.installs.records["lady"].state is InstallState.ARMED
    assert not world.events


@pytest.mark.parametrize("query", ["", "?status=", "?status=DONE", "?status=done%00", "?state=done"])
def test_callback_without_a_status(world: World, client: FlaskClient, query: str) -> None:
    world.arm("lady", "t0k")
    answer = client.get(f"/api/v1/callback/t0k{query}")
    assert (answer.status_code, answer.json["error"]) == (400, "say status=done or status=failed")
    assert world.state.installs.records["lady"].state is InstallState.ARMED


def test_callback_of_a_machine_that_is_not_declared(world: World, client: FlaskClient) -> None:
    """It was installed from a menu, or from its subnet's profile: the record has its MAC's name."""
    world.arm("52:54:00:00:00:09", "t0k")
    assert client.get("/api/v1/callback/t0k?status=done").status_code == 200
    (event,) = world.events
    assert (event.mac, event.system, event.reason) == ("52:54:00:00:00:09", "", Reason.INSTALL_DONE)


def test_an_install_that_begins_is_told(world: World, client: FlaskClient) -> None:
    told = Event(7.0, Kind.INSTALL, Reason.INSTALL_RUNNING, "lady: armed → booting (attempt 1)", system="lady")
    world.scripts.told = told
    assert client.head("/boot.ipxe").status_code == 200
    assert not world.events
    assert client.get("/boot.ipxe").status_code == 200
    assert world.events == [told]


def test_callback_put_is_not_allowed(client: FlaskClient) -> None:
    answer = client.put("/api/v1/callback/t0k?status=done")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/autoinstall/lady?token=t0k", ("system", "lady", "t0k")),
        ("/autoinstall/lady", ("system", "lady", "")),
        ("/autoinstall/lady/user-data?token=t0k", ("system", "lady", "t0k")),
        ("/autoinstall/lady/t0k/user-data", ("system", "lady", "t0k")),
        ("/autoinstall/profile/web", ("profile", "web", "")),
        ("/autoinstall/profile/web?token=t0k", ("profile", "web", "t0k")),
        ("/autoinstall/profile/web/user-data", ("profile", "web", "")),
        ("/autoinstall/profile/web/t0k/user-data", ("profile", "web", "t0k")),
    ],
)
def test_autoinstall(world: World, client: FlaskClient, path: str, asked: tuple[str, str, str]) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    request, got, preview = world.scripts.asked[-1]
    assert (got, request.loader, preview) == (asked, Loader.OS, False)


@pytest.mark.parametrize("path", ["/autoinstall/nobody", "/autoinstall/profile/nobody", "/autoinstall/nobody/meta-data",
                                  "/autoinstall/profile/lady", "/autoinstall/web", "/autoinstall/"])  # fmt: skip
def test_autoinstall_unknown(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_autoinstall_wrong_token(client: FlaskClient) -> None:
    answer = client.get("/autoinstall/lady?token=wrong")
    assert (answer.status_code, answer.text) == (403, "the token is not that of an install under way\n")


@pytest.mark.parametrize("prefix", ["/autoinstall/profile/web", "/autoinstall/profile/web/t0k"])
def test_nocloud_seed_of_a_profile(client: FlaskClient, prefix: str) -> None:
    for empty in ("vendor-data", "network-config"):
        answer = client.get(f"{prefix}/{empty}")
        assert (answer.status_code, answer.data) == (200, b"")


@pytest.mark.parametrize("prefix", ["/autoinstall/lady", "/autoinstall/lady/t0k"])
def test_nocloud_seed(client: FlaskClient, prefix: str) -> None:
    meta = client.get(f"{prefix}/meta-data")
    assert meta.text == 'instance-id: "netprov-lady"\nlocal-hostname: "lady.example.org"\n'
    for empty in ("vendor-data", "network-config"):
        answer = client.get(f"{prefix}/{empty}")
        assert (answer.status_code, answer.data) == (200, b"")
    hostile = client.get("/autoinstall/tramp/meta-data").text
    assert hostile.splitlines()[1] == 'local-hostname: "a\\"b\\n- c"'


@pytest.mark.parametrize(
    ("headers", "mac"),
    [
        ({"X-RHN-Provisioning-MAC-0": "eth0 52:54:00:12:34:56"}, "52:54:00:12:34:56"),
        ({"X-RHN-Provisioning-MAC-0": "eth0 52:54:00:AA:BB:CC"}, "52:54:00:aa:bb:cc"),
        (  # the declared one of several
            {
                "X-RHN-Provisioning-MAC-0": "eth0 52:54:00:00:00:01",
                "X-RHN-Provisioning-MAC-1": "eth1 52:54:00:12:34:56",
            },
            "52:54:00:12:34:56",
        ),
        ({"X-RHN-Provisioning-MAC-0": "eth0"}, None),
        ({"X-RHN-Provisioning-MAC-0": ""}, None),
        ({"X-RHN-Provisioning-MAC-x": "eth0 52:54:00:12:34:56"}, None),
        ({}, None),
    ],
)
def test_anaconda_sends_its_macs(world: World, client: FlaskClient, headers: dict[str, str], mac: str | None) -> None:
    client.get("/autoinstall/lady", headers=headers)
    assert world.scripts.asked[-1][0].mac == mac


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"mac": "nonsense"}, {"mac": None}),
        ({"mac": "52:54:00:12:34:56\n"}, {"mac": "52:54:00:12:34:56"}),
        ({"uuid": "nonsense"}, {"uuid": ""}),
        ({"arch": "nonsense"}, {"arch": None}),
        ({"arch": "11"}, {"arch": 11}),
        ({"arch": "bios"}, {"arch": 0}),
        ({"arch": "x86_64", "platform": "pcbios"}, {"arch": 0}),  # iPXE: ${buildarch}, ${platform}
        ({"arch": "x86_64", "platform": "efi"}, {"arch": 7}),
        ({"arch": "arm64", "platform": "efi"}, {"arch": 11}),
        ({"arch": "z80", "platform": "efi"}, {"arch": None}),
        ({"serial": "x" * 10_000}, {"serial": "x" * 255}),
    ],
)
def test_query_is_data(world: World, client: FlaskClient, query: dict[str, str], expected: dict[str, Any]) -> None:
    assert client.get("/boot.ipxe", query_string=query).status_code == 200
    request = world.scripts.asked[-1][0]
    assert {field: getattr(request, field) for field in expected} == expected


def test_healthz(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"generation": 7, "installs_under_way": 0, "status": "ok"}


def test_state_failure_is_503_without_the_path(
    world: World, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StateError(Place("/var/lib/netprov"), "locked")

    monkeypatch.setattr(world.state.installs, "all", fail)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert "/var/lib" not in answer.text


def test_unforeseen_failure_shows_nothing(world: World, client: FlaskClient) -> None:
    world.scripts.failure = OperationalError("SELECT secret", {}, Exception("boom"))
    answer = client.get("/boot.ipxe")
    assert answer.status_code == 500
    assert "secret" not in answer.text

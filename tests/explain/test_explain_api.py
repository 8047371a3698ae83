"""/api/v1/explain: the same stages, with what loader, via and relay say."""

from __future__ import annotations

import time
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from flask.testing import FlaskClient

from netprov.inventory.load import load
from netprov.render.generation import Generation
from netprov.render.scripts import Scripts
from netprov.state.place import Place
from netprov.state.records import Lease
from netprov.state.state import State, open_state
from netprov.web.api.openapi import document
from netprov.web.app import create_app
from netprov.web.services import Services
from tests.explain.house import told


@pytest.fixture
def state(house: Path) -> Iterator[State]:
    with open_state(str(house / "state")) as opened:
        yield opened


@pytest.fixture
def client(house: Path, state: State) -> FlaskClient:
    generation = Generation.of(load(house / "netprov.yaml"))
    services = Services(
        newest=lambda: generation, scripts=Scripts(state.installs, state.sightings.at), state=state,
        record=lambda event: None, clock=time.time, journal=Place(str(house / "state")).journal, secret=b"x" * 32,
    )  # fmt: skip
    return create_app(services).test_client()


def stages(client: FlaskClient, machine: str, **query: str) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1/explain/{machine}", query_string=query)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.get_json()
    shape = {"$ref": "#/components/schemas/Explained", "components": document(open_reading=True)["components"]}
    jsonschema.validate(said, shape)
    found: list[dict[str, Any]] = said["stages"]
    return found


QUERIES = [
    # what is asked, and how the shell is asked the same
    ({}, ()), ({"arch": "uefi-x64"}, ("--arch", "uefi-x64")), ({"loader": "ipxe"}, ("--loader", "ipxe")),
    ({"via": "http"}, ("--via", "http")), ({"relay": "10.0.0.7"}, ("--relay", "10.0.0.7")),
    ({"armed": "true"}, ("--armed",)),
    ({"loader": "grub", "via": "http"}, ("--loader", "grub", "--via", "http")),
]  # fmt: skip


@pytest.mark.parametrize(("query", "arguments"), QUERIES)
def test_the_same_as_from_the_shell(house: Path, client: FlaskClient, query: dict[str, str], arguments: Any) -> None:
    def plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Origins are spelled in another way: relative to the configuration."""
        for stage in rows:
            for part in (*stage["why"], *(option for reply in stage["replies"] for option in reply["options"])):
                part["origin"] = (part["origin"] or "").rpartition("/")[2]
        return rows

    for machine in ("lady", "duke"):
        shell = told(house, machine, *arguments, status=None)["stages"]
        assert plain(stages(client, machine, **query)) == plain(shell)


def test_domu(client: FlaskClient) -> None:
    for query in ({"loader": "xen"}, {"via": "xen"}):
        found = stages(client, "lady", **query)
        assert [stage["stage"] for stage in found][:3] == ["xen", "script", "kernel"]
        assert '"action": "kernel"' in found[1]["text"]
    rendered = client.get("/api/v1/render/xen/lady")
    assert '"action": "kernel"' in rendered.get_json()["text"]


def test_leases_count(client: FlaskClient, state: State) -> None:
    other = Lease(IPv4Address("10.0.0.100"), "52:54:00:00:00:50", expires=time.time() + 900, subnet="10.0.0.0/24")
    state.leases.commit([other])
    assert stages(client, "52:54:00:00:00:99")[0]["replies"][0]["yiaddr"] == "10.0.0.101"


BAD = [{"loader": "x"}, {"via": "x"}, {"relay": "x"}, {"relay": "10.0.0.7.8"}, {"loader": "grub", "via": "xen"},
       {"arch": "bios", "via": "http"}]  # fmt: skip


@pytest.mark.parametrize("query", BAD)
def test_bad_parameters(client: FlaskClient, query: dict[str, str]) -> None:
    answer = client.get("/api/v1/explain/lady", query_string=query)
    assert answer.status_code == 400
    assert answer.get_json()["error"]

"""The pages: what they show, for hostile clients too, and how quickly for ten thousand machines."""

from __future__ import annotations

import html
import re
import time
from ipaddress import IPv4Address
from pathlib import Path

import pytest
import yaml
from flask.testing import FlaskClient
from hostile import HOSTILE, NEVER
from web_world import LADY, Site, lady, many, stranger, tramp

from netprov.boot.install import UNDECLARED, Arm, Fail
from netprov.boot.reason import Reason
from netprov.journal.event import Event, Kind
from netprov.state.leases import Lease
from netprov.web.app import create_app
from netprov.web.machines import find
from tests.journal import scenes

PAGES = ["/", "/machines/lady", "/machines/tramp", "/leases", "/login", "/machines/nobody", "/nonsense"]


def test_the_list_says_where_each_stands(site: Site, client: FlaskClient) -> None:
    site.boot(scenes.bios_pxelinux, **lady())
    site.boot(scenes.uefi_grub, upto=12, **tramp())
    page = client.get("/").text
    rows = dict(re.findall(r'<tr data-machine="(\w+)">(.*?)</tr>', page, re.DOTALL))
    assert list(rows) == ["lady", "tramp", "trusty", "jock"]
    assert "callback" in rows["lady"]
    assert "lady: installing → installed" in rows["lady"]
    assert "script" in rows["tramp"]
    assert "not seen" in rows["jock"]
    assert "boots its kernel every time" in rows["trusty"]
    assert scenes.Machine().token not in page


def test_a_machines_page_tells_its_boot(site: Site, client: FlaskClient) -> None:
    site.boot(scenes.uefi_grub, 7200, **lady())
    site.boot(scenes.bios_pxelinux, **lady())
    page = client.get("/machines/lady").text
    lanes = re.findall(r'role="group" aria-label="([\w-]+)"', page)
    assert lanes == ["address", "loader", "loader-file", "script", "kernel", "initrd", "autoinstall", "callback"]
    assert "8.1 MB, 6.2 MB/s" in page
    assert "Boot 2" in page
    first = client.get("/machines/lady?boot=1").text
    assert "Boot 1" in first
    assert "grubx64.efi" in first
    for odd in ("?boot=99", "?boot=-1", "?boot=x", "?boot=" + "9" * 5000, "?arch=nonsense", "?arch=&armed"):
        assert client.get(f"/machines/lady{odd}").status_code == 200


def test_what_it_would_get_has_no_token(site: Site, client: FlaskClient) -> None:
    ((_, record),) = site.state.installs.apply({"lady": UNDECLARED}, Arm(), 1.0)
    page = client.get("/machines/lady?arch=uefi-x64").text
    assert "boots probe/vmlinuz" in page
    assert "inst.ks=" in page
    assert record.token
    assert record.token not in page
    for kind in ("pxelinux", "grub", "ipxe", "autoinstall", "args"):
        assert record.token not in client.get(f"/api/v1/render/{kind}/lady").text
    assert record.token not in client.get("/api/v1/explain/lady").text


@pytest.mark.parametrize("name", [LADY, LADY.upper(), "00-16-3E-11-11-11", "0016.3e11.1111", "lady.example.org"])
def test_a_machine_by_other_names(client: FlaskClient, name: str) -> None:
    answer = client.get(f"/machines/{name}")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/machines/lady")


@pytest.mark.parametrize("name", ["nobody", "ip 10.0.0.1", "10.0.0.1", "%00", "..", "a" * 5000])
def test_a_machine_that_nobody_knows(client: FlaskClient, name: str) -> None:
    answer = client.get(f"/machines/{name}", follow_redirects=True)
    assert answer.status_code in (404, 400)
    assert "Traceback" not in answer.text


def test_any_mac_has_a_page(client: FlaskClient) -> None:
    page = client.get("/machines/52:54:00:00:00:99").text
    assert "No boots yet" in page
    assert "mac: &#34;52:54:00:00:00:99&#34;" in page


def test_strangers_are_listed_and_can_be_declared(site: Site, client: FlaskClient) -> None:
    site.boot(scenes.ignored, **stranger())
    page = client.get("/").text
    assert page.count('href="/machines/52%3A54%3A00%3Aaa%3Abb%3Acc') == 2
    page = client.get("/machines/52:54:00:aa:bb:cc?name=no&profile=db").text
    written = re.search(r'<pre id="yaml"[^>]*>(.*?)</pre>', page, re.DOTALL)
    assert written is not None
    lines = html.unescape(written[1])
    assert yaml.safe_load(lines) == {
        "systems": {
            "no": {
                "profile": "db",
                "install": "install-once",
                "interfaces": {"eth0": {"mac": "52:54:00:aa:bb:cc"}},
            }
        }
    }
    (site.folder / "more.yaml").write_text(lines)
    for name in ("a b", "<script>alert(1)</script>", "x" * 200, "lady"):
        page = client.get("/machines/52:54:00:aa:bb:cc", query_string={"name": name, "profile": "nope"}).text
        assert 'role="alert"' in page
        assert "<script>alert" not in page


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_hostile_strings_are_only_text(site: Site, client: FlaskClient, hostile: str) -> None:
    site.boot(scenes.bios_pxelinux, 100, **lady())
    machine = site.boot(scenes.ignored, 50, **stranger())
    now = site.services.clock()
    told = Event(now, Kind.TFTP_FAIL, Reason.TFTP_TIMEOUT, hostile, stage="loader", mac=machine.mac, ip="10.0.0.9",
                 name=hostile, detail=(("vendor_class", hostile), ("arch", hostile), ("loader", "firmware"),
                 ("error", hostile)))  # fmt: skip
    site.record(told, Event(now, Kind.DHCP_OFFER, Reason.DHCP_OK, hostile, mac=LADY, system="lady", name=hostile,
                            uuid=hostile[:40], detail=(("loader", "firmware"), ("arch", hostile))))  # fmt: skip
    site.state.installs.apply({"tramp": UNDECLARED}, Arm(), now - 1)
    site.state.installs.apply({"tramp": UNDECLARED}, Fail(note=hostile[:500]), now)
    site.state.leases.commit([Lease(IPv4Address("192.168.77.150"), LADY, hostname=hostile, expires=now + 10)])
    paths = ["/", "/machines/lady", "/machines/tramp", f"/machines/{machine.mac}", "/leases"]
    answers = [client.get(path) for path in paths]
    answers += [client.get(path, query_string={"q": hostile, "arch": hostile, "name": hostile}) for path in paths]
    for path, answer in zip(paths * 2, answers, strict=True):
        assert answer.status_code == 200, path
        assert [bad for bad in NEVER if bad in answer.text] == [], path
        assert "Set-Cookie: x" not in str(answer.headers)
    metrics = client.get("/metrics").text
    assert "netprov_evil" not in metrics
    assert "alert" not in metrics
    for path in ("/api/v1/status", "/api/v1/timeline/lady", f"/api/v1/timeline/{machine.mac}", "/api/v1/leases"):
        answer = client.get(path)
        assert answer.content_type == "application/json"
        assert answer.json
    (found,) = client.get("/api/v1/leases").json["leases"]
    assert found["hostname"] == hostile.replace("\x00", "") or "\x00" in hostile


@pytest.mark.parametrize("path", PAGES)
def test_security_headers(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    if not answer.content_type.startswith("text/html"):
        return  # a loader's error is a line of text
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'")
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<[^>]*\s(style|on\w+)=", answer.text)
    assert not re.search(r"<(script|style)>", answer.text)
    assert not re.search(r'(src|href)="(https?:)?//', answer.text)


def test_static_files(client: FlaskClient) -> None:
    page = client.get("/").text
    for place in set(re.findall(r'"(/static/[^"]+)"', page)):
        answer = client.get(place)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert len(answer.data) < 12_000
    for odd in ("/static/x/nothing.js", "/static/x/..%2fpage.css", "/static/x/../../pages.py"):
        assert client.get(odd).status_code == 404


def test_an_unreadable_journal_is_said(site: Site, client: FlaskClient) -> None:
    site.close()
    for ending in ("-wal", "-shm"):
        Path(f"{site.services.journal}{ending}").unlink(missing_ok=True)
    site.services.journal.write_bytes(b"no database at all" * 100)
    for path in ("/", "/machines/lady"):
        answer = client.get(path)
        assert answer.status_code == 500
        assert "journal cannot be read" in answer.text
    assert client.get("/leases").status_code == 200
    assert "netprov_journal_readable 0.0" in client.get("/metrics").text


def test_ten_thousand_machines(tmp_path: Path) -> None:
    site = Site(tmp_path, systems=many(10_000))
    try:
        site.boot(scenes.bios_pxelinux, mac="52:54:00:00:00:01", ip="192.168.77.101", system="node-000-001")
        client = create_app(site.services).test_client()
        assert "10000 systems declared" in client.get("/").text
        for path in ("/", "/?page=100", "/?q=node-039", "/?q=52:54:00:00:27:f9", "/machines/node-000-001"):
            took = []
            for _ in range(3):
                began = time.perf_counter()
                assert client.get(path).status_code == 200
                took.append(time.perf_counter() - began)
            print(f"{path}: {min(took) * 1000:.0f} ms")
        page = client.get("/?q=node-039-249").text
        assert "1 system found" in page
        assert "page 200 of 200" in client.get("/?page=100000").text
    finally:
        site.close()


def test_find() -> None:
    from netprov.inventory.model import Inventory

    assert find(Inventory(), "52-54-00-AA-BB-CC").names == ("52:54:00:aa:bb:cc", "52-54-00-AA-BB-CC")
    assert find(Inventory(), "10.0.0.9").name == "ip 10.0.0.9"
    assert find(Inventory(), "nobody").names == ("nobody",)

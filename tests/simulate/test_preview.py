"""Who asks with the preview mark gets the same answers, and nothing is written down."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from netprov.boot.names import PREVIEW
from netprov.boot.owner import PREVIEW_TOKEN
from netprov.boot.request import BootRequest, Loader, Via
from netprov.errors import PeerError
from netprov.http.application import Reply
from netprov.http.outcome import Outcome
from netprov.inventory.load import load
from netprov.render.generation import Generation
from netprov.render.scripts import Scripts
from netprov.serve.source import TftpSource
from netprov.simulate.fetch import Fetcher, by_dns
from netprov.state.state import open_state
from netprov.tftp.source import Content
from netprov.web.boot.asker import previews
from netprov.web.turn import begun, tell

from ..tftp.tftp_world import World

CONFIG = """\
server: {address: 10.0.0.1, state: state}
distros: {d: {breed: redhat, os_version: "9", kernel: "http://10.0.0.1/k", autoinstall: default.ks}}
profiles: {web: {distro: d}}
systems: {lady: {profile: web, install: install-once, interfaces: {eth0: {mac: "52:54:00:00:00:01"}}}}
"""
NAME = "pxelinux.cfg/01-52-54-00-00-00-01"


@pytest.fixture
def state(tmp_path):
    with open_state(str(tmp_path / "state")) as made:
        yield made


@pytest.fixture
def scripts(tmp_path, state):
    (tmp_path / "netprov.yaml").write_text(CONFIG)
    inventory = load(tmp_path / "netprov.yaml")
    return Scripts(state.installs, state.sightings.at), Generation.of(inventory)


def test_a_script_by_tftp(scripts, state):
    events = []
    source = TftpSource(scripts[1], scripts[0], events.append)
    peer = IPv4Address("10.0.0.5"), IPv4Address("10.0.0.1")
    looked_at = source.rendered(NAME, *peer, preview=True)().data
    assert (state.installs.all(), events) == ({}, [])
    assert f"token={PREVIEW_TOKEN}".encode() in looked_at
    booted = source.rendered(NAME, *peer)().data
    token = state.installs.get("lady").token
    assert booted == looked_at.replace(PREVIEW_TOKEN.encode(), token.encode())
    assert source.rendered(NAME, *peer, preview=True)().data == booted
    assert state.installs.get("lady").attempts == 1


def test_the_option_in_a_request(tmp_path):
    served = World(tmp_path)
    try:
        served.made[NAME] = lambda: Content(b"script")
        for preview in (True, False):
            fetched = Fetcher(5.0, preview, by_dns((), 1.0)).tftp("127.0.0.1", NAME, 1024, served.port)
            assert fetched.data == b"script"
        assert served.previewed == [True, False]
    finally:
        served.stop()


@pytest.mark.parametrize(
    ("method", "headers", "wanted"),
    [("GET", {}, False), ("GET", {PREVIEW: "1"}, True), ("GET", {"Netprov-Preview": ""}, True), ("HEAD", {}, True)],
)
def test_the_header_of_a_request(method, headers, wanted):
    assert previews(Request(EnvironBuilder(method=method, headers=headers).get_environ())) == wanted


@pytest.mark.parametrize(("token", "told"), [(PREVIEW_TOKEN, ""), ("a-real-one", "a-real-one")])
def test_all_previews_are_not_one_machines(scripts, token, told):
    """The journal takes who has an install's token for its machine; a preview's is everybody's."""
    with begun(scripts[1]) as turn:
        tell(Outcome(stage="autoinstall", token=token))
    assert turn.answer("GET", Reply(200, (), b"")).outcome.token == told


def test_the_answers_of_an_install_that_was_never_armed(scripts, state):
    asked = BootRequest(Via.HTTP, Loader.OS, ip=IPv4Address("10.0.0.5"))
    made = scripts[0].autoinstall(scripts[1], "system", "lady", asked, PREVIEW_TOKEN, preview=True)
    assert f"/callback/{PREVIEW_TOKEN}".encode() in made.body
    assert state.installs.all() == {}
    with pytest.raises(PeerError) as raised:
        scripts[0].autoinstall(scripts[1], "system", "lady", asked, PREVIEW_TOKEN)
    assert raised.value.code == 403
    with pytest.raises(PeerError):
        scripts[0].autoinstall(scripts[1], "system", "lady", asked, "guessed", preview=True)

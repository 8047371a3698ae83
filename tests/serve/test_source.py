"""What TFTP serves, without a server: scripts first, then the operator's own, then files."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from netprov.boot.reason import Reason
from netprov.inventory.load import load
from netprov.journal.event import Kind
from netprov.render.scripts import Scripts
from netprov.serve.source import TftpSource
from netprov.state.state import open_state
from netprov.tftp.paths import PathError

PEER, SERVER = IPv4Address("127.0.0.5"), IPv4Address("127.0.0.1")


@pytest.fixture
def source(tmp_path):
    from .conftest import folder_of

    folder_of(tmp_path)
    inventory = load(tmp_path / "netprov.yaml")
    events = []
    with open_state(str(tmp_path / "state")) as state:
        made = TftpSource(Scripts(lambda: inventory, state), inventory, events.append)
        made.events = events
        yield made


def rendered(source, name):
    make = source.rendered(name, PEER, SERVER)
    return make() if make is not None else None


def test_a_systems_script_says_why(source):
    content = rendered(source, "pxelinux.cfg/01-52-54-00-00-00-01")
    assert b"vmlinuz" in content.data
    assert (content.about.stage, content.about.system) == ("script", "lady")
    assert "matched system lady by MAC 52:54:00:00:00:01" in content.about.trace


def test_starting_an_install_is_told_once(source):
    for _ in range(3):
        rendered(source, "pxelinux.cfg/01-52-54-00-00-00-01")
    assert [(event.kind, event.reason, event.system) for event in source.events] == [
        (Kind.INSTALL, Reason.INSTALL_RUNNING, "lady")
    ]


def test_a_script_of_nobody_declared_is_the_operators_file_or_not_found(source, tmp_path):
    name = "pxelinux.cfg/01-02-00-00-00-00-09"
    with pytest.raises(PathError) as raised:
        rendered(source, name)
    assert raised.value.reason is Reason.NAME_NOT_OURS
    (tmp_path / "root" / "pxelinux.cfg").mkdir()
    (tmp_path / "root" / name).write_text("DEFAULT own\n")
    assert rendered(source, name).data == b"DEFAULT own\n"


def test_a_template_error_is_a_refusal_that_names_it(source, tmp_path):
    folder = tmp_path / "pxelinux.cfg.templates" / "pxelinux"
    folder.mkdir(parents=True)
    (folder / "boot.cfg").write_text("{{ nosuch }}\n")
    inventory = load(tmp_path / "netprov.yaml")
    with open_state(str(tmp_path / "state")) as state:
        broken = TftpSource(Scripts(lambda: inventory, state), inventory, lambda event: None)
        with pytest.raises(PathError, match="nosuch") as raised:
            rendered(broken, "pxelinux.cfg/01-52-54-00-00-00-01")
    assert raised.value.reason is Reason.TEMPLATE_ERROR


@pytest.mark.parametrize("name", ["vmlinuz", "pxelinux.0", "pxelinux.cfg/../vmlinuz"])
def test_what_is_no_scripts_name(source, name):
    assert source.rendered(name, PEER, SERVER) is None


def test_a_files_stage(source):
    import os

    opened = source.open("vmlinuz")
    os.close(opened.fd)
    assert opened.about.stage == "kernel"

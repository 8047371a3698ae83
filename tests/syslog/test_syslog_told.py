"""Installers are told where to log to, where somebody listens, and only there."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from netprov.boot.request import BootRequest, Loader, Via
from netprov.inventory.model import ServerSettings, Settings, SyslogSettings, Target
from netprov.render.arguments import command_line
from netprov.render.context import Subject
from netprov.render.server import Server
from tests.render.site import LADY, SERVER, WEB, Site, inventory

ON = {514: SyslogSettings(True, 514), 5514: SyslogSettings(True, 5514), 0: SyslogSettings(False, 514)}

ARGUMENTS = [
    ("redhat", "9", 514, {"inst.syslog=10.0.0.1:514"}),
    ("redhat", "6", 5514, {"syslog=10.0.0.1:5514"}),
    ("fedora", "42", 5514, {"inst.syslog=10.0.0.1:5514"}),
    ("debian", "12", 514, {"log_host=10.0.0.1", "log_port=514"}),
    ("ubuntu", "18.04", 5514, {"log_host=10.0.0.1", "log_port=5514"}),
    ("ubuntu", "24.04", 514, set()),  # subiquity: by its answers
    ("suse", "15.6", 514, {"loghost=10.0.0.1"}),
    ("suse", "15.6", 5514, set()),  # linuxrc knows the usual port only
    ("generic", "", 514, set()),
]


def words(target: Target, port: int) -> set[str]:
    settings = Settings(server=ServerSettings(address=SERVER), syslog=ON[port])
    made = inventory(target, settings=settings)
    server = Server.of(made, BootRequest(Via.HTTP, Loader.IPXE))
    facts = Subject(target, server).facts(autoinstall=True)
    line = command_line(target, target.kernel_options, facts)
    return {word for word in line if "log" in word.partition("=")[0]}


@pytest.mark.parametrize(("breed", "os_version", "port", "expected"), ARGUMENTS)
def test_arguments(breed: str, os_version: str, port: int, expected: set[str]) -> None:
    target = replace(LADY, breed=breed, os_version=os_version)
    assert words(target, port) == expected
    assert words(target, 0) == set()


def test_what_the_operator_says_takes_its_place() -> None:
    target = replace(LADY, kernel_options={"inst.syslog": ("10.0.0.9",)})
    assert words(target, 514) == {"inst.syslog=10.0.0.9"}


@pytest.mark.parametrize(("port", "told"), [(514, True), (5514, True), (0, False)])
def test_subiquity_is_told_by_its_answers(port: int, told: bool) -> None:
    settings = Settings(server=ServerSettings(address=SERVER), syslog=ON[port])
    target = replace(LADY, breed="ubuntu", os_version="24.04", autoinstall="default.user-data")
    site = Site(inventory(target, WEB, settings=settings))
    request = BootRequest(Via.HTTP, Loader.IPXE)
    answers = site.autoinstall("system", "lady", request, "", preview=True).body.decode()
    assert (f"'*.* @10.0.0.1:{port}' >/etc/rsyslog.d/90-netprov.conf" in answers) is told
    commands = yaml.safe_load(answers)["autoinstall"].get("early-commands", [])
    assert len(commands) == told

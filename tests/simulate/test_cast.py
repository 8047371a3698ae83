"""Which machines are simulated, and what netprov would give them."""

from __future__ import annotations

import pytest

from netprov.boot.install import UNDECLARED, Arm
from netprov.boot.who import UnknownName
from netprov.inventory.load import load
from netprov.simulate import cast
from netprov.simulate.machine import KINDS
from netprov.state.state import open_state

CONFIG = """\
server: {address: 10.0.0.1, state: state}
dhcp: {mode: MODE, subnets: [{subnet: 10.0.0.0/24}]}
distros:
  d: {kernel: "http://10.0.0.1/k"}
  a: {kernel: "http://10.0.0.1/k", arch: aarch64}
profiles: {web: {distro: d}, arm: {distro: a}}
systems:
  lady: {profile: web, hostname: lady.example, uuid: 12345678-1234-1234-1234-123456789abc, serial: S1,
         interfaces: {eth0: {mac: "52:54:00:00:00:01", ip: 10.0.0.5}, eth1: {mac: "52:54:00:00:00:02"}}}
  board: {profile: arm, install: install-once, interfaces: {eth0: {mac: "52:54:00:00:00:03"}}}
  guest: {profile: web, install: always, uuid: 00000000-0000-0000-0000-00000000000a}
"""


@pytest.fixture
def inventory(tmp_path):
    (tmp_path / "netprov.yaml").write_text(CONFIG.replace("MODE", "full"))
    return load(tmp_path / "netprov.yaml")


@pytest.mark.parametrize(
    ("text", "name", "mac", "kind"),
    [
        ("lady", "lady", "52:54:00:00:00:01", "bios"),
        ("lady.example", "lady", "52:54:00:00:00:01", "bios"),
        ("52-54-00-00-00-02", "lady", "52:54:00:00:00:02", "bios"),
        ("12345678-1234-1234-1234-123456789ABC", "lady", "52:54:00:00:00:01", "bios"),
        ("10.0.0.5", "lady", "52:54:00:00:00:01", "bios"),
        ("board", "board", "52:54:00:00:00:03", "uefi-arm64"),
        ("5254.0099.0001", "", "52:54:00:99:00:01", "bios"),
    ],
)
def test_a_machine_by_any_of_its_names(inventory, text, name, mac, kind):
    machine = cast.named(text, inventory, None)
    assert (machine.name, machine.mac, machine.kind.name) == (name, mac, kind)
    if name == "lady":
        assert (machine.uuid, machine.serial) == ("12345678-1234-1234-1234-123456789abc", "S1")


def test_firmware_can_be_chosen(inventory):
    assert cast.named("board", inventory, KINDS["uefi-http"]).kind.name == "uefi-http"


def test_a_machine_without_a_mac_gets_one_of_its_own(inventory):
    machine = cast.named("guest", inventory, None)
    assert machine.uuid.endswith("a")
    assert machine.mac.startswith("02:")


def test_a_name_that_nobody_has(inventory):
    with pytest.raises(UnknownName, match="did you mean lady"):
        cast.named("ladi", inventory, None)


def test_strangers_are_all_different():
    machines = cast.strangers(500, KINDS["ipxe"])
    assert len({machine.mac for machine in machines}) == 500
    assert all(machine.mac.startswith("02:") and not machine.name for machine in machines)


def test_loaders_are_expected_where_the_install_states_are_known(inventory, tmp_path):
    machines = [*cast.every(inventory, None), *cast.strangers(1, KINDS["bios"])]
    assert list(cast.loaders_expected(machines, inventory)) == ["", "", "", ""]  # no server has ever run here
    with open_state(inventory.settings.server.state) as state:
        assert list(cast.loaders_expected(machines, inventory)) == ["", "shimaa64.efi", "pxelinux.0", ""]
        state.installs.apply({"lady": UNDECLARED}, Arm(), 0.0)
    assert list(cast.loaders_expected(machines, inventory)) == ["pxelinux.0", "shimaa64.efi", "pxelinux.0", ""]
    (rom,) = cast.loaders_expected([cast.named("lady", inventory, KINDS["ipxe"])], inventory)
    assert rom == "/ipxe/52-54-00-00-00-01"


@pytest.mark.parametrize(("mode", "expected"), [("off", ""), ("proxy", "pxelinux.0"), ("reserved", "pxelinux.0")])
def test_what_is_expected_follows_the_mode(tmp_path, mode, expected):
    (tmp_path / "netprov.yaml").write_text(CONFIG.replace("MODE", mode))
    inventory = load(tmp_path / "netprov.yaml")
    open_state(inventory.settings.server.state).close()
    assert list(cast.loaders_expected([cast.named("guest", inventory, None)], inventory)) == [expected]

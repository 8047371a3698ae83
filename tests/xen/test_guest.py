"""Whose boot it is: arguments, --config, or the configuration that xl was called with."""

from __future__ import annotations

from pathlib import Path

import pytest

from netprov.errors import ConfigError, PeerError
from netprov.xen.bootloader.contract import parse_call
from netprov.xen.bootloader.guest import identify
from netprov.xen.bootloader.kernel import Guest as GuestType

CONFIG = """\
name = "lady"
type = "pvh"
uuid = "6F2B1C40-1111-4E00-8000-00163E111111"
vif = [ "mac=00:16:3e:11:11:11,bridge=xenbr0", "bridge=br1,mac=00:16:3e:11:11:12" ]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "lady.cfg"
    file.write_text(CONFIG)
    return file


def test_by_arguments() -> None:
    guest = identify(parse_call(["mac=00:16:3E:11:11:11,bridge=br9"]), [])
    assert (guest.mac, guest.bridge, guest.types) == ("00:16:3e:11:11:11", "br9", (GuestType.PV, GuestType.PVH))


def test_by_config(config: Path) -> None:
    guest = identify(parse_call([f"--config={config}"]), [])
    assert (guest.mac, guest.bridge, guest.types) == ("00:16:3e:11:11:11", "xenbr0", (GuestType.PVH,))
    assert guest.uuid == "6f2b1c40-1111-4e00-8000-00163e111111"
    assert identify(parse_call([f"--config={config}", "--vif=1"]), []).bridge == "br1"


@pytest.mark.parametrize(
    "command",
    [["xl", "create", "-c", "{}"], ["/usr/sbin/xl", "-v", "create", "{}", "x=1"], ["xl", "create", "-f", "{}"]],
)
def test_by_xls_own_command_line(config: Path, command: list[str]) -> None:
    parent = [word.format(config) for word in command]
    assert identify(parse_call([]), parent).mac == "00:16:3e:11:11:11"
    other = identify(parse_call(["mac=00:16:3e:11:11:12"]), parent)
    assert (other.mac, other.bridge, other.types) == ("00:16:3e:11:11:12", "br1", (GuestType.PVH,))


def test_nothing_tells() -> None:
    for parent in ([], ["bash"], ["xl", "list"], ["libvirtd"]):
        with pytest.raises(PeerError, match="bootloader_args = "):
            identify(parse_call([]), parent)


def test_bad_configurations(config: Path) -> None:
    with pytest.raises(PeerError, match="none numbered 2"):
        identify(parse_call([f"--config={config}", "--vif=2"]), [])
    with pytest.raises(PeerError, match="No such file"):
        identify(parse_call(["--config=/no/such"]), [])
    config.write_text("vif = [ 'bridge=x' ]\n")
    with pytest.raises(PeerError, match="has no mac="):
        identify(parse_call([f"--config={config}"]), [])
    config.write_text("vif = vif[0]\n")
    with pytest.raises(ConfigError, match=r"lady\.cfg:1"):
        identify(parse_call([f"--config={config}"]), [])
    # with the address told, a configuration found by the way need not be understood
    assert identify(parse_call(["mac=00:16:3e:11:11:11"]), ["xl", "create", str(config)]).bridge == ""

"""What keeps a bridge's port from hearing anybody is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from netprov.xen.bootloader.wire import hindrances

BRIDGES = [
    ({}, []),
    ({"stp_state": "0", "forward_delay": "1500", "vlan_filtering": "0", "default_pvid": "1"}, []),
    ({"stp_state": "1", "forward_delay": "1500"}, ["its new ports forward nothing for 30 s (STP)"]),
    ({"stp_state": "1", "forward_delay": "0"}, []),
    ({"vlan_filtering": "1", "default_pvid": "1"}, []),
    ({"vlan_filtering": "1", "default_pvid": "0"}, ["it filters VLANs and gives new ports none (default_pvid is 0)"]),
    ({"stp_state": "odd", "forward_delay": "odd"}, []),
]


@pytest.mark.parametrize(("files", "said"), BRIDGES)
def test_bridges(tmp_path: Path, files: dict[str, str], said: list[str]) -> None:
    own = tmp_path / "net" / "xenbr0" / "bridge"
    own.mkdir(parents=True)
    for name, text in files.items():
        (own / name).write_text(f"{text}\n")
    assert hindrances("xenbr0", tmp_path / "net", tmp_path) == said
    (tmp_path / "bridge-nf-call-iptables").write_text("1\n")
    assert hindrances("xenbr0", tmp_path / "net", tmp_path)[-1].startswith("dom0's firewall sees")

"""A big site: 10,000 systems in one file, and in as many files."""

import pickle
from pathlib import Path

from netprov.inventory.load import load

HEAD = """\
dhcp: {mode: full, subnets: [{subnet: 10.0.0.0/8}]}
distros: {d: {kernel: http://x/k, kernel_options: quiet}}
profiles: {web: {distro: d, virt: {ram: 1G}}}
"""


def system(i: int) -> str:
    mac, ip = f"52:54:00:00:{i >> 8:02x}:{i & 255:02x}", f"10.1.{i // 250}.{i % 250 + 1}/8"
    interfaces = f"    interfaces:\n      eth0: {{mac: {mac}, ip: {ip}}}\n"
    return f"  n{i}:\n    profile: web\n    hostname: n{i}.example.org\n{interfaces}"


def test_ten_thousand_systems(tmp_path: Path) -> None:
    (tmp_path / "netprov.yaml").write_text(HEAD + "systems:\n" + "".join(map(system, range(10_000))))
    inventory = load(tmp_path / "netprov.yaml")
    assert len(inventory.systems()) == len(list(inventory.macs())) == len(list(inventory.addresses())) == 10_000
    virts = {id(target.virt) for target in inventory.systems()}
    options = {id(target.kernel_options) for target in inventory.systems()}
    assert len(virts) == len(options) == 1  # what is inherited unchanged is shared
    pickled = pickle.dumps(inventory, pickle.HIGHEST_PROTOCOL)
    assert len(pickled) < 8_000_000
    assert pickle.loads(pickled) == inventory


def test_a_file_for_each_system(tmp_path: Path) -> None:
    (tmp_path / "inventory").mkdir()
    for i in range(1000):
        (tmp_path / "inventory" / f"{i}.yaml").write_text("systems:\n" + system(i))
    (tmp_path / "netprov.yaml").write_text(HEAD)
    assert len(load(tmp_path / "netprov.yaml").systems()) == 1000

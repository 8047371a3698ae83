"""A site on disk: a configuration, and the files its machines boot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from netprov.cli import main
from tests.world import LOADERS, put

CONFIG = """\
server: {state: state, address: 10.0.0.1, unknown: menu}
dhcp:
  mode: full
  subnets:
    - {subnet: 10.0.0.0/24, range: 10.0.0.100-10.0.0.200, router: 10.0.0.254, dns: [10.0.0.2, 10.0.0.3], lease: 2h}
tftp: {root: images}
distros:
  d: {breed: redhat, os_version: "9", kernel: vmlinuz, initrd: [initrd], tree: "http://10.0.0.1/t"}
profiles:
  web: {distro: d, autoinstall: default.ks}
  db: {parent: web, kernel_options: quiet}
systems:
  lady:
    profile: web
    install: install-once
    interfaces: {eth0: {mac: "52:54:00:00:00:01", ip: 10.0.0.14/24}}
  duke:
    profile: db
    interfaces: {eth0: {mac: "52:54:00:00:00:02", ip: 10.0.0.15/24}}
  earl:
    profile: web
    install: install-once
    hostname: earl.example.org
    interfaces: {eth0: {mac: "52:54:00:00:00:03", ip: 10.0.0.16/24}}
"""


def make(folder: Path, config: str) -> None:
    data = b"x" * 2048
    put(folder / "images", dict.fromkeys(("vmlinuz", "initrd"), data), dict.fromkeys(LOADERS, data))
    (folder / "netprov.yaml").write_text(config)


def said(folder: Path, *arguments: str) -> Result:
    """What `netprov explain` says."""
    command = ["explain", "-c", str(folder / "netprov.yaml"), *arguments]
    return CliRunner().invoke(main, command, env={"COLUMNS": "200"})


def told(folder: Path, *arguments: str, status: int | None = 0) -> Any:
    """What it says as JSON. `status`: the exit code it must have; None: any."""
    result = said(folder, *arguments, "--json")
    assert status in (None, result.exit_code), result.output
    return json.loads(result.stdout)

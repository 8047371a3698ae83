"""One server that machines of every hostile string have been at; every test looks at it in another way."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from netprov.cli import main
from netprov.lab.accel import Accelerators
from netprov.lab.lab import ADDRESS, Lab, lab
from tests.e2e.conftest import accelerators, namespaces  # noqa: F401 - fixtures
from tests.e2e.served import NETPROV, configuration
from tests.hostile import sender, sink
from tests.hostile.strings import STRINGS
from tests.world import PATIENCE, until

SECRET = "a secret that signs what is told"
HOOK_PORT = 8099


@dataclass
class Scene:
    """`log` is the server's: JSON of its first run, text of its second. `metrics` are those of the first."""

    lab: Lab
    folder: Path
    config: Path
    metrics: str = ""

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def log(self, format: str) -> str:
        return (self.folder / f"{format}.log").read_bytes().decode("utf-8")

    def told(self) -> list[dict[str, Any]]:
        """What the webhook's receiver got."""
        return [json.loads(line) for line in (self.folder / "told").read_text().splitlines()]

    def get(self, path: str, *, seconds: float = 0.0) -> tuple[dict[str, str], str]:
        """The headers and the body of a page; of a stream what came within `seconds`."""
        curl = ["curl", "-sSi", "--path-as-is", f"http://{ADDRESS}{path}"]
        if seconds:
            curl += ["-N", "--max-time", str(seconds)]
        done = subprocess.run(
            ["ip", "netns", "exec", self.lab.namespace, *curl], capture_output=True, timeout=PATIENCE, check=False
        )
        assert seconds or done.returncode == 0, done.stderr
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        rows = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
        return {name.lower(): value.strip() for name, _, value in rows}, body.decode("utf-8")

    def send(self, prefix: str, names: list[str]) -> None:
        """Let the machines of these strings do what they do."""
        for name in names:
            done = CliRunner().invoke(main, ["system", "install", system_of(name), "-c", str(self.config)])
            assert done.exit_code == 0, done.output
        plan = {
            "server": ADDRESS,
            "machines": {
                name: {"mac": mac_of(name), "stranger": f"{prefix}:{number(name):02x}", "text": STRINGS[name].hex()}
                for name in names
            },
        }
        station = self.lab.station(f"c{len(self.lab.stations)}", f"{prefix}:ff")
        done = station.run([sys.executable, sender.__file__, json.dumps(plan)], timeout=300)
        assert done.returncode == 0, done.stderr[-3000:] + self.log("json")[-3000:]
        assert set(json.loads(done.stdout)) == set(names)

    def serve(self, format: str, *arguments: str) -> subprocess.Popen[bytes]:
        log = self.folder / f"{format}.log"
        process = self.lab.spawn([*NETPROV, "serve", "-c", str(self.config), *arguments], log)
        until(lambda: "serves DHCP" in (log.read_text() if log.exists() else ""), lambda: log.read_text())
        return process


def number(name: str) -> int:
    return list(STRINGS).index(name)


def mac_of(name: str) -> str:
    return f"02:00:00:00:01:{number(name):02x}"


def system_of(name: str) -> str:
    return f"h-{name}"


@pytest.fixture(scope="session")
def scene(
    namespaces: None,  # noqa: F811
    accelerators: Accelerators,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("hostile")
    root = folder / "root"
    root.mkdir()
    (root / "vmlinuz").write_bytes(b"kernel" * 100)
    systems = {
        system_of(name): {"profile": "web", "install": "install-once", "interfaces": {"eth0": {"mac": mac_of(name)}}}
        for name in STRINGS
    }
    events = ["verdict", "install", "boot", "server"]
    hook = {"url": f"http://127.0.0.1:{HOOK_PORT}/", "secret": SECRET, "events": events}
    config = configuration(
        folder, root, systems, usual=False,
        server={"webhooks": {"sink": hook}},
        distros={"d": {"kernel": "vmlinuz", "breed": "redhat", "os_version": "9", "tree": "http://10.77.0.1/t"}},
        profiles={"web": {"distro": "d", "autoinstall": "default.ks"}},
    )  # fmt: skip
    config.write_text(config.read_text() + "syslog: {enabled: true}\n")
    with lab(folder, accelerators, "hostile") as made:
        made.spawn([sys.executable, sink.__file__, str(HOOK_PORT), str(folder / "told")])
        shown = Scene(made, folder, config)
        server = shown.serve("json", "--log-format", "json")
        shown.send("02:00:00:00:02", list(STRINGS))
        until(lambda: len([t for t in shown.told() if '"install-failed"' in t["body"]]) == len(STRINGS), shown.told)
        shown.metrics = shown.get("/metrics")[1]
        assert made.stop(server, 20) == 0, shown.log("json")[-3000:]
        shown.serve("text", "-v")
        yield shown

"""The files of a boot: whether they are there, and how they go out."""

from __future__ import annotations

import os
from ipaddress import IPv4Address
from urllib.parse import quote

from netprov.boot.request import BootRequest, Loader, Via
from netprov.explain.stage import Stage
from netprov.files.paths import PathError
from netprov.files.root import Root
from netprov.inventory.model import Inventory
from netprov.render.server import Server
from netprov.text import size


class Files:
    """What our TFTP and HTTP servers would send. `server`: our address as the machine is told it."""

    def __init__(self, inventory: Inventory, server: IPv4Address | None) -> None:
        self._settings = inventory.settings
        self._inventory = inventory
        self._address = self._settings.server.address or server
        self._root = Root(self._settings.tftp.root)

    def stage(self, stage: str, name: str, via: Via) -> Stage:
        """The file called `name`, asked for over TFTP or HTTP."""
        if "://" in name:
            return Stage(stage, name, "from another server")
        off = self.off(via)
        if off:
            return Stage(stage, name, "nothing", problem=off)
        try:
            opened = self._root.open(name)
        except PathError as error:
            problem = f"{error.text}: {name} under {self._settings.tftp.root}"
            if stage == "loader":
                problem += "; `netprov loaders` puts the boot loaders in place"
            return Stage(stage, name, "nothing", problem=problem)
        os.close(opened.fd)
        return Stage(stage, name, size(opened.identity.size), facts=self._facts(name, via))

    def elsewhere(self, stage: str, name: str, server: IPv4Address) -> Stage:
        """The file that the machine is sent to another server for."""
        return Stage(stage, name, f"from {server} (next_server): only that server knows what is there")

    def other(self, server: IPv4Address | None, ours: tuple[IPv4Address, ...]) -> bool:
        """Whether the next-server is not one of our addresses."""
        return server is not None and server not in (self._address, *ours)

    def off(self, via: Via) -> str:
        """Why nobody answers over `via`; "" where somebody does."""
        enabled = self._settings.http.enabled if via is Via.HTTP else self._settings.tftp.enabled
        return "" if enabled else f"{via}.enabled is false: nothing answers"

    def _facts(self, name: str, via: Via) -> tuple[tuple[str, str], ...]:
        if self._address is None:
            return ()
        if via is Via.HTTP:
            asked = BootRequest(Via.HTTP, Loader.OS, server=self._address)
            return (("from", Server.of(self._inventory, asked).file_url(name)),)
        tftp = self._settings.tftp
        port = f":{tftp.port}" if tftp.port != 69 else ""
        ports = f"ports {tftp.ports[0]}-{tftp.ports[1]}" if tftp.ports else "any port"
        data = f"port {tftp.port}" if tftp.single_port else ports
        terms = f"data from {data}, blksize up to {tftp.blksize}, windowsize up to {tftp.windowsize}"
        return ("from", f"tftp://{self._address}{port}/{quote(name.lstrip('/'))}"), ("TFTP", terms)

"""Serve one folder by netprov's TFTP room until SIGTERM: `tftp_serve.py FOLDER PORT [ADDRESS]`; one event a line."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from netprov.files.root import Root
from netprov.inventory.model import TftpSettings
from netprov.tftp.server import TftpServer
from netprov.tftp.source import Address, Content, Kept


class Files:
    settings = TftpSettings()

    def __init__(self, root: Path) -> None:
        self._root = Root(root)

    def rendered(
        self, name: str, peer: Address, server: Address | None, preview: bool = False
    ) -> Callable[[], Content] | None:
        return None

    def open(self, name: str) -> Kept:
        return Kept(self._root.open(name))


sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((sys.argv[3] if len(sys.argv) > 3 else "127.0.0.1", int(sys.argv[2])))
files = Files(Path(sys.argv[1]))
server = TftpServer([sock], lambda: files, lambda event: print(event.kind, event.text, flush=True))
signal.signal(signal.SIGTERM, lambda *_: server.stop(0))
server.run()

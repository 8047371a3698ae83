"""The way into dom0: programs run there, by the agent at the other end of a virtio serial port."""

from __future__ import annotations

import base64
import json
import signal
import socket
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PORT = "netprov.lab"


@dataclass(frozen=True, slots=True)
class Ended:
    """A program that has ended. `code` is negative where a signal ended it."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass(frozen=True, slots=True)
class Running:
    """A program that runs in dom0, or has run."""

    channel: Channel
    number: int
    future: Future[Ended]

    def wait(self, timeout: float = 120.0) -> Ended:
        return self.future.result(timeout)

    def signal(self, number: signal.Signals) -> None:
        """To all of its process group."""
        self.channel.send({"id": self.number, "signal": int(number)})


class Channel:
    """Requests go out as they come, answers as the programs end: any thread may wait for its own."""

    def __init__(self, path: Path, patience: float) -> None:
        """Connects to QEMU's socket. Raises OSError where it does not come."""
        deadline = time.monotonic() + patience
        self._socket = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self._socket.connect(str(path))
                break
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        self.ready: Future[Ended] = Future()
        self._waiting: dict[int, Future[Ended]] = {0: self.ready}
        self._lock = threading.Lock()
        self._next = 1
        threading.Thread(target=self._listen, daemon=True).start()

    def start(self, command: list[str], content: bytes, timeout: float) -> Running:
        return self._ask({"run": command, "input": base64.b64encode(content).decode(), "timeout": timeout})

    def watch(self, path: str, pattern: str, count: int, running: Running, timeout: float) -> Running:
        """Ends with code 0 and the file's text when that has `count` matches; with 1 when the program that runs has
        ended without, with 2 after `timeout` seconds."""
        return self._ask({
            "watch": path, "pattern": pattern, "count": count, "while": running.number, "timeout": timeout
        })  # fmt: skip

    def _ask(self, request: dict[str, Any]) -> Running:
        with self._lock:
            number, self._next = self._next, self._next + 1
            future = self._waiting[number] = Future()
        self.send({"id": number, **request})
        return Running(self, number, future)

    def send(self, message: dict[str, Any]) -> None:
        with self._lock:
            self._socket.sendall(json.dumps(message).encode() + b"\n")

    def close(self) -> None:
        self._socket.close()

    def _listen(self) -> None:
        try:
            with self._socket.makefile("rb") as lines:
                for line in lines:
                    told = json.loads(line)
                    out, err = (base64.b64decode(told[key]).decode("utf-8", "replace") for key in ("out", "err"))
                    self._waiting.pop(told["id"]).set_result(Ended(told["code"], out, err))
        except OSError:
            pass
        for future in self._waiting.values():
            future.set_exception(ConnectionError("dom0 is gone"))

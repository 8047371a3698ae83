#!/usr/bin/python3
"""Runs in dom0: programs for the test outside, over a virtio serial port.

One JSON object a line. {"id", "run": [...], "input", "timeout"} is answered, when the program has ended, with {"id",
"code", "out", "err"}; {"id", "signal"} sends a signal to the group of a program that runs. {"id", "watch": file,
"pattern", "count", "while": id, "timeout"} is answered with the file's text in "out": code 0 when it matches `count`
times, 1 when the program of that id has ended without, 2 when the time is up. {"halt": true} ends it all. Octets are in
base64.
"""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

PORT = "netprov.lab"


def device() -> str:
    while True:
        for path in Path("/sys/class/virtio-ports").glob("*/name"):
            if path.read_text().strip() == PORT:
                return f"/dev/{path.parent.name}"
        time.sleep(0.1)


class Agent:
    def __init__(self, port: int) -> None:
        self.port = port
        self.writing = threading.Lock()
        self.running: dict[int, subprocess.Popen[bytes] | None] = {}

    def tell(self, message: dict) -> None:
        octets = json.dumps(message).encode() + b"\n"
        with self.writing:
            while octets:
                octets = octets[os.write(self.port, octets) :]

    def run(self, asked: dict) -> None:
        # its own files: a daemon that xl leaves behind keeps them open, and must not be waited for
        with open(f"/run/agent-{asked['id']}.out", "w+b") as out, open(f"/run/agent-{asked['id']}.err", "w+b") as err:
            try:
                program = subprocess.Popen(
                    asked["run"], stdin=subprocess.PIPE, stdout=out, stderr=err, cwd="/tmp", start_new_session=True
                )
            except OSError as error:
                del self.running[asked["id"]]
                self.tell({"id": asked["id"], "code": 127, "out": "", "err": text(str(error).encode())})
                return
            self.running[asked["id"]] = program
            try:
                program.stdin.write(base64.b64decode(asked.get("input", "")))
                program.stdin.close()
            except BrokenPipeError:
                pass
            try:
                code = program.wait(asked["timeout"])
            except subprocess.TimeoutExpired:
                os.killpg(program.pid, signal.SIGKILL)
                code = program.wait()
            del self.running[asked["id"]]
            out.seek(0)
            err.seek(0)
            self.tell({"id": asked["id"], "code": code, "out": text(out.read()), "err": text(err.read())})
        os.unlink(out.name)
        os.unlink(err.name)

    def watch(self, asked: dict) -> None:
        """Here, and not by programs that look again and again: the domUs have this processor too."""
        deadline = time.monotonic() + asked["timeout"]
        pattern = re.compile(asked["pattern"].encode(), re.MULTILINE)
        while True:
            runs = asked["while"] in self.running
            try:
                octets = Path(asked["watch"]).read_bytes().replace(b"\r", b"")
            except FileNotFoundError:
                octets = b""
            found = sum(1 for _ in pattern.finditer(octets)) >= asked["count"]
            if found or not runs or time.monotonic() > deadline:
                code = 0 if found else 1 if not runs else 2
                self.tell({"id": asked["id"], "code": code, "out": text(octets), "err": ""})
                return
            time.sleep(0.5)

    def serve(self) -> None:
        buffer = b""
        while True:
            octets = os.read(self.port, 1 << 16)
            if not octets:  # nobody is connected
                time.sleep(0.05)
                continue
            *lines, buffer = (buffer + octets).split(b"\n")
            for line in lines:
                asked = json.loads(line)
                if "halt" in asked:
                    return
                if "signal" in asked:
                    program = self.running.get(asked["id"])
                    if program is not None:
                        os.killpg(program.pid, asked["signal"])
                else:
                    if "run" in asked:
                        self.running[asked["id"]] = None  # from here on: it may be watched before it has started
                    job = self.run if "run" in asked else self.watch
                    threading.Thread(target=job, args=(asked,), daemon=True).start()


def text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


agent = Agent(os.open(device(), os.O_RDWR))
agent.tell({"id": 0, "code": 0, "out": text(Path("/proc/uptime").read_bytes()), "err": ""})
agent.serve()
sys.stdout.flush()

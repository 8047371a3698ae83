"""Server CPU per GB and per request: netprov's HTTP front beside nginx and `python -m http.server`.

    python bench/http_serving.py [--nginx /usr/sbin/nginx] [--mib 256] [--total-mib 2048] [--rounds 3]

(Not http.py: a script's folder comes first on Python's path, and every library's `import http` would find it there.)
All on loopback, in one session, in interleaved rounds; the median of each. CPU is the server process' own (user and
system, all threads): it is what to compare; wall figures also measure the reader and what else the machine does.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from netprov.http.worker import HttpWorker
from netprov.inventory.model import Inventory, Settings, TftpSettings
from netprov.render.generation import Generation
from netprov.web.app import create_app
from netprov.web.services import Services

TICK = os.sysconf("SC_CLK_TCK")
SMALL = 500  # octets: an autoinstall or a menu

NGINX = """\
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log /dev/null;
events {{ worker_connections 2048; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; default_type application/octet-stream;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location /files/ {{ alias {root}/; }} }} }}
"""


@dataclass(frozen=True)
class Contender:
    name: str
    start: Callable[[Path, int], int]  # root, port → pid


def netprov(root: Path, port: int) -> int:
    listening = socket.create_server(("127.0.0.1", port))
    pid = os.fork()
    if pid:
        listening.close()
        return pid
    try:
        generation = Generation.of(Inventory(settings=Settings(tftp=TftpSettings(root=root))))
        services = Services(
            scripts=SimpleNamespace(),  # type: ignore[arg-type]
            state=SimpleNamespace(installs=SimpleNamespace(all=dict)),  # type: ignore[arg-type]
            newest=lambda: generation,
            record=lambda event: None,
            clock=time.time,
            journal=root.parent / "journal.db",
            secret=b"secret",
        )
        worker = HttpWorker([listening], create_app(services), services.record)
        signal.signal(signal.SIGTERM, lambda *_: worker.stop(0))
        worker.run()
    finally:
        os._exit(0)


def python(root: Path, port: int) -> int:
    folder = root.parent / "python"
    folder.mkdir(exist_ok=True)
    if not (folder / "files").exists():
        (folder / "files").symlink_to(root)
    code = (
        "import http.server as h, functools as f;"
        "H = type('H', (h.SimpleHTTPRequestHandler,), dict(protocol_version='HTTP/1.1', log_message=lambda *a: 0));"
        f"h.ThreadingHTTPServer(('127.0.0.1', {port}), f.partial(H, directory={str(folder)!r})).serve_forever()"
    )
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL).pid


def nginx(binary: str) -> Callable[[Path, int], int]:
    def start(root: Path, port: int) -> int:
        folder = root.parent / "nginx"
        folder.mkdir(exist_ok=True)
        config = folder / "nginx.conf"
        config.write_text(NGINX.format(folder=folder, port=port, root=root))
        return subprocess.Popen([binary, "-p", str(folder), "-c", str(config)], stderr=subprocess.DEVNULL).pid

    return start


@contextmanager
def running(contender: Contender, root: Path) -> Iterator[tuple[int, int]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    pid = contender.start(root, port)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield pid, port
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def fetch(port: int, path: str, times: int, buffer: bytearray) -> None:
    """GETs over one connection, the bodies thrown away."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        for _ in range(times):
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
            head = b""
            while b"\r\n\r\n" not in head:
                head += sock.recv(65536)
            fields, _, body = head.partition(b"\r\n\r\n")
            assert b" 200 " in fields[:16], fields
            length = int(fields.lower().partition(b"content-length:")[2].split()[0])
            left = length - len(body)
            while left:
                got = sock.recv_into(buffer, min(left, len(buffer)))
                if not got:
                    raise ConnectionError("ended early")
                left -= got


def load(pid: int, port: int, path: str, clients: int, times: int) -> tuple[float, float]:
    """Server CPU seconds and wall seconds."""
    threads = [threading.Thread(target=fetch, args=(port, path, times, bytearray(1 << 20))) for _ in range(clients)]
    cpu, wall = cpu_seconds(pid), time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return cpu_seconds(pid) - cpu, time.monotonic() - wall


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--nginx", default=shutil.which("nginx") or "/usr/sbin/nginx")
    options.add_argument("--mib", type=int, default=256)
    options.add_argument("--total-mib", type=int, default=2048)
    options.add_argument("--requests", type=int, default=4000)
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    contenders = [Contender("netprov", netprov), Contender("http.server", python)]
    if Path(chosen.nginx).exists():
        contenders.insert(1, Contender("nginx", nginx(chosen.nginx)))
    fetches = max(1, chosen.total_mib // chosen.mib)
    cases = (  # name, path, clients, fetches each, unit, factor from seconds over all fetches
        ("big file, 1 client", "/files/big", 1, fetches, "ms/GB", 1000 / (fetches * chosen.mib * 2**20 / 1e9)),
        ("big file, 16 clients", "/files/half", 16, max(1, fetches // 8), "ms/GB",
         1000 / (16 * max(1, fetches // 8) * (chosen.mib // 2) * 2**20 / 1e9)),
        ("500 octets, 8 clients", "/files/small", 8, chosen.requests // 8, "µs/req",
         1e6 / (chosen.requests // 8 * 8)),
        ("through Flask, 8 clients", "/healthz", 8, chosen.requests // 8, "µs/req",
         1e6 / (chosen.requests // 8 * 8)),
    )  # fmt: skip
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").exists() else None) as folder:
        root = Path(folder) / "data"
        root.mkdir()
        for name, octets in (("big", chosen.mib << 20), ("half", chosen.mib << 19), ("small", SMALL)):
            with (root / name).open("wb") as file:
                for at in range(0, octets, 1 << 20):
                    file.write(os.urandom(min(1 << 20, octets - at)))
        found: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for _ in range(chosen.rounds):
            for contender in contenders:
                with running(contender, root) as (pid, port):
                    for case, path, clients, times, _, _ in cases:
                        if path == "/healthz" and contender.name != "netprov":
                            continue
                        found.setdefault((case, contender.name), []).append(load(pid, port, path, clients, times))
    for case, _, _, _, unit, factor in cases:
        print(f"\n{case}")
        base = statistics.median(cpu for cpu, _ in found[case, "netprov"])
        for contender in contenders:
            if (case, contender.name) not in found:
                continue
            cpu = statistics.median(cpu for cpu, _ in found[case, contender.name])
            wall = statistics.median(wall for _, wall in found[case, contender.name])
            ratio = f"{cpu / base:5.2f} × netprov's" if base else ""
            print(f"  {contender.name:12} CPU {cpu * factor:8.0f} {unit}   wall {wall:6.2f} s   CPU {ratio}")


if __name__ == "__main__":
    main()

"""H1–H7 over the wire."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from http_world import CONTENT, TEMPLATE_ERROR, Server

from netprov.boot.reason import Reason
from netprov.boot.request import Loader, Via
from netprov.errors import PeerError
from netprov.journal.event import Kind
from netprov.journal.fact import DECISION


@pytest.mark.parametrize(
    ("range_", "status", "body", "content_range"),
    [
        ("bytes=0-99", 206, CONTENT[:100], "bytes 0-99/10240"),
        ("bytes=-100", 206, CONTENT[-100:], "bytes 10140-10239/10240"),
        ("bytes=10000-", 206, CONTENT[10000:], "bytes 10000-10239/10240"),
        ("bytes=10240-", 416, b"", "bytes */10240"),
        ("bytes=u-u", 200, CONTENT, None),
    ],
)
def test_h1_ranges(server: Server, range_: str, status: int, body: bytes, content_range: str | None) -> None:
    got, headers, data = server.get("/files/file.bin", f"Range: {range_}")
    assert (got, data) == (status, body)
    assert headers.get("content-range") == content_range
    assert headers["content-length"] == str(len(body))
    assert headers["accept-ranges"] == "bytes"


def test_h1_multipart(server: Server) -> None:
    status, headers, body = server.get("/files/file.bin", "Range: bytes=0-9,100-109")
    assert status == 206
    assert headers["content-length"] == str(len(body))
    assert CONTENT[:10] in body
    assert CONTENT[100:110] in body


def test_h1_not_modified(server: Server) -> None:
    _, headers, _ = server.get("/files/file.bin")
    status, again, body = server.get("/files/file.bin", f"If-None-Match: {headers['etag']}")
    assert (status, body, again["etag"]) == (304, b"", headers["etag"])


def test_h1_whole_file_is_identical(server: Server) -> None:
    _, headers, body = server.get("/files/big")
    assert body == (server.root / "big").read_bytes()
    assert headers["content-type"] == "application/octet-stream"
    event = server.world.event(kind=Kind.HTTP_DONE, name="/files/big")
    assert (event.size, event.ip, event.reason) == (len(body), "127.0.0.1", Reason.HTTP_OK)


@pytest.mark.parametrize(
    "path",
    ["/files/file.bin", "/files/empty", "/files/nothing", "/boot.ipxe", "/autoinstall/lady?token=t",
     "/autoinstall/lady/meta-data", "/healthz", "/", "/nothing"],
)  # fmt: skip
def test_h2_head_says_what_get_would(server: Server, path: str) -> None:
    status, headers, body = server.get(path)
    got, head, nothing = server.get(path, method="HEAD")
    assert (got, nothing) == (status, b"")
    assert head["content-length"] == headers["content-length"] == str(len(body))
    assert head["content-type"] == headers["content-type"]


def test_h2_head_changes_nothing(server: Server) -> None:
    server.world.arm("lady", "t0k")
    before = server.world.state.installs.get("lady")
    for path in ("/boot.ipxe", "/autoinstall/lady?token=t0k", "/api/v1/callback/t0k?status=done"):
        assert server.get(path, method="HEAD")[0] == 200
    assert all(preview for _, _, preview in server.world.scripts.asked)
    assert server.world.state.installs.get("lady") == before


def test_h4_keep_alive_1_1(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.connect()
    first = connection.sock.getsockname()
    for path in ("/files/file.bin", "/boot.ipxe", "/files/nothing", "/files/empty", "/api/v1/callback/x", "/files/big"):
        connection.request("GET", path)
        answer = connection.getresponse()
        assert len(answer.read()) == int(answer.headers["Content-Length"])
        assert connection.sock is not None, path
        assert connection.sock.getsockname() == first
    connection.close()


@pytest.mark.parametrize(("header", "closes"), [("", True), ("Connection: keep-alive\r\n", False)])
def test_h4_http_1_0(server: Server, header: str, closes: bool) -> None:
    with server.connect() as sock:
        for _ in range(1 if closes else 3):
            sock.sendall(f"GET /files/sub/vmlinuz HTTP/1.0\r\n{header}\r\n".encode())
            answer = b""
            while len(answer.partition(b"\r\n\r\n")[2]) < len(CONTENT):
                answer += sock.recv(1 << 16)
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.0 200")
            assert b"chunked" not in head
            assert b"Content-Length: 10240" in head
            assert body == CONTENT
        if closes:
            assert sock.recv(1) == b""


def test_h4_pipelined(server: Server) -> None:
    one = b"GET /files/file.bin HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = server.raw(one * 3 + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.count(CONTENT) == 3
    assert answer.count(b"HTTP/1.1 200 OK") == 4


@pytest.mark.parametrize(
    "request_",
    [
        # GRUB: looks for "Content-Length: " in this very spelling, and seeks by an open range
        b"GET /files/sub/vmlinuz HTTP/1.1\r\nHost: 10.0.0.1\r\nUser-Agent: GRUB 2.06-13\r\nRange: bytes=0-\r\n\r\n",
        b"GET /files/sub/vmlinuz HTTP/1.1\r\nHost: 10.0.0.1\r\nUser-Agent: GRUB 2.06-13\r\n\r\n",
        b"GET /files/sub/vmlinuz HTTP/1.1\r\nConnection: keep-alive\r\nUser-Agent: iPXE/1.21\r\nHost: 10.0.0.1\r\n\r\n",
        b"GET /files/sub/vmlinuz HTTP/1.1\r\nHost: 10.0.0.1\r\nAccept: */*\r\nUser-Agent: UefiHttpBoot/1.0\r\n\r\n",
        b"GET http://10.0.0.1/files/sub/vmlinuz HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n",
        b"GET /files/sub/vmlinuz HTTP/1.0\r\n\r\n",
    ],
    ids=["grub-range", "grub", "ipxe", "edk2", "absolute", "u-boot"],
)
def test_h4_real_loaders(server: Server, request_: bytes) -> None:
    head, _, body = server.raw(request_).partition(b"\r\n\r\n")
    assert re.match(rb"HTTP/1\.[01] 20[06] ", head)
    assert b"\r\nContent-Length: 10240\r\n" in head + b"\r\n"
    assert body == CONTENT


def test_h4_edk2_head_then_get(server: Server) -> None:
    status, headers, _ = server.get("/files/shimx64.efi", "User-Agent: UefiHttpBoot/1.0", method="HEAD")
    assert (status, headers["content-length"], headers["content-type"]) == (200, "9", "application/efi")
    assert server.get("/files/shimx64.efi")[2] == b"MZ loader"  # a loader's flat name
    event = server.world.event(kind=Kind.HTTP_DONE, name="/files/shimx64.efi")
    assert ("user-agent", "UefiHttpBoot/1.0") not in event.detail


def test_h4_curl(server: Server, tmp_path: Path) -> None:
    curl = shutil.which("curl")
    assert curl, "curl is to be installed"
    url = f"http://127.0.0.1:{server.port}/files/big"
    out = tmp_path / "got"
    subprocess.run([curl, "-sSf", "-o", out, url], check=True, timeout=30)
    assert out.read_bytes() == (server.root / "big").read_bytes()
    out.write_bytes(out.read_bytes()[:1000])
    subprocess.run([curl, "-sSf", "-C", "-", "-o", out, url], check=True, timeout=30)  # goes on where it stopped
    assert out.read_bytes() == (server.root / "big").read_bytes()
    refused = subprocess.run([curl, "-sf", url + "-none"], timeout=30)
    assert refused.returncode == 22
    body = tmp_path / "body"
    body.write_bytes(b"a" * 2_000_000)
    status = subprocess.run(
        [curl, "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--data-binary", f"@{body}",
         "-H", "Expect: 100-continue", f"http://127.0.0.1:{server.port}/api/v1/callback/x"],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    assert status.stdout == b"413"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 400),
        (b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde", 400),
        (b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4, 4\r\n\r\nabcd", 400),
        (b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: +4\r\n\r\nabcd", 400),
        (b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\nabcd", 400),
        (b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0x4\r\n\r\nabcd", 400),
        (b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
        (b"POST /a HTTP/1.1\r\nHost: x\r\n" + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n", 400),
        (b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\nA\n0\n\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\nHost: x\n\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: x\nX: y\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: x\rX: y\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: \0\r\n\r\n", 400),
        (b"GET /healthz\0 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /heal thz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.2\r\nHost: x\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"get /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET http://[::z/a HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 300 + b"\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),  # TLS on the plain port
        (b"GET /healthz\r\n\r\n", 400),
        (b"CONNECT h:80 HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        (b"PUT /files/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na", 501),
        (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ],
)
def test_h5_malformed_and_smuggled(server: Server, request_: bytes, status: int) -> None:
    smuggled = b"GET /files/sub/vmlinuz HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = server.raw(request_ + smuggled)
    assert int(answer.split()[1]) == status, answer[:200]
    assert CONTENT not in answer  # the connection ended with the refusal
    assert b"Traceback" not in answer
    reason = Reason.HTTP_TLS if request_.startswith(b"\x16\x03") else Reason.HTTP_BAD_REQUEST
    assert server.world.event(kind=Kind.HTTP_REFUSE).reason is reason
    assert server.get("/healthz")[0] == 200


@pytest.mark.parametrize("method", ["DELETE", "POST"])
def test_files_are_only_read(server: Server, method: str) -> None:
    status, headers, _ = server.get("/files/sub/vmlinuz", method=method)
    assert (status, headers["allow"]) == (405, "GET, HEAD")
    assert server.get("/files/sub/vmlinuz")[2] == CONTENT


def test_h5_http_0_9(server: Server) -> None:
    assert b" 505 " in server.raw(b"GET /healthz\r\n\r\n").partition(b"\r\n")[0]


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/files/../secret", 403),
        ("/files/sub/../../secret", 403),
        ("/files/..%2fsecret", 403),
        ("/files/%2e%2e/secret", 403),
        ("/files/%2e%2e%2fsecret", 403),
        ("/files/%252e%252e/secret", 404),  # decoded once
        ("/files/..\\secret", 403),
        ("/files/..%5csecret", 403),
        ("/files/../data-private/secret", 403),
        ("/files/out", 403),
        ("/files/outdir/secret", 403),
        ("/files//etc/passwd", 404),
        ("/files/%2fetc/passwd", 404),
        ("//files//etc/passwd", 404),
        ("/etc/passwd", 404),
        ("/../etc/passwd", 404),
        ("/files/C:/secret", 404),
        ("/files/C:%5csecret", 404),
        ("/files/file.bin%00.txt", 400),
        ("/files/%c0%ae%c0%ae/secret", 400),
        ("/files/%e0%80%af", 400),
        ("/files/" + "a" * 4096, 400),
        ("/files/" + "a" * 1000, 404),
        ("/files/" + "a/" * 500 + "b", 404),
        ("/files/", 404),
        ("/files/sub", 404),
        ("/files/sub/", 404),
        ("/files", 404),
        ("/files/in", 200),
        ("/files/sub/../file.bin", 200),
        ("/files//file.bin", 200),
        ("/files/SUB%5cVMLINUZ", 200),  # as Windows and EFI write it
        ("/files/sub/a%20b+%C3%BC%2541.txt", 200),
        ("/grub/../../../secret", 404),
        ("/pxelinux.cfg/../../secret", 404),
        ("/autoinstall/../secret", 404),
        ("/autoinstall/..%2f..%2fsecret", 404),
        ("/templates/start.html", 404),
        ("/static/x", 404),
    ],
)
def test_h6_paths(server: Server, target: str, status: int) -> None:
    got, _, body = server.get(target)
    assert got == status
    assert b"outside" not in body.replace(b"leads outside", b"")
    assert b"root:" not in body


@pytest.mark.parametrize(
    ("failure", "status", "said", "reason"),
    [
        (TEMPLATE_ERROR, 500, b"autoinstall/web.ks:12: system lady: 'timezone' is undefined", Reason.TEMPLATE_ERROR),
        (PeerError("not for you", 404), 404, b"not for you", Reason.HTTP_NOT_FOUND),
        (PeerError("not for you"), 403, b"not for you", Reason.HTTP_FORBIDDEN),
        (ZeroDivisionError("division by zero"), 500, b"its log says why", Reason.INTERNAL_ERROR),
    ],
)
def test_h7_errors_are_not_200(server: Server, failure: Exception, status: int, said: bytes, reason: Reason) -> None:
    for path in ("/boot.ipxe", "/autoinstall/lady"):
        server.world.scripts.failure = failure
        got, headers, body = server.get(path)
        assert (got, headers["content-type"]) == (status, "text/plain; charset=utf-8")
        assert said in body
        assert b"Traceback" not in body
        assert b"division" not in body
        event = server.world.event(name=path)
        assert event.kind is (Kind.HTTP_FAIL if status >= 500 else Kind.HTTP_REFUSE)
        assert event.reason is reason
        assert event.stage == ("script" if path == "/boot.ipxe" else "autoinstall")


def test_h7_missing_file_is_told(server: Server) -> None:
    assert server.get("/files/scotland/vmlinuz")[0] == 404
    event = server.world.event(kind=Kind.HTTP_REFUSE)
    assert (event.reason, event.stage, event.name) == (Reason.HTTP_NOT_FOUND, "kernel", "/files/scotland/vmlinuz")


def test_h3_body_limit(server: Server) -> None:
    with server.connect() as sock:  # refused by its length alone
        sock.sendall(b"POST /api/v1/callback/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 413")
    chunk = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
    answer = b""
    with server.connect() as sock:
        sock.sendall(b"POST /api/v1/callback/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        with pytest.raises((BrokenPipeError, ConnectionResetError, TimeoutError)):  # noqa: PT012
            for _ in range(2000):
                sock.sendall(chunk)
                sock.setblocking(False)
                try:
                    answer += sock.recv(1000)
                    raise BrokenPipeError
                except BlockingIOError:
                    sock.settimeout(20)
    assert answer.startswith(b"HTTP/1.1 413")
    assert server.world.event(kind=Kind.HTTP_REFUSE).reason is Reason.HTTP_TOO_LARGE
    full = b"status=done&note=" + b"a" * ((1 << 20) - 17)
    assert b" 403 " in server.raw(
        b"POST /api/v1/callback/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % len(full) + full
    )


def test_decompression_bomb_is_not_unpacked(server: Server) -> None:
    body = b"\x1f\x8b\x08\x00"
    answer = server.raw(
        b"POST /api/v1/callback/x?status=done HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nConnection: close\r\n"
        b"Content-Length: 4\r\n\r\n" + body
    )
    assert b" 403 " in answer.partition(b"\r\n")[0]


def test_boot_request_is_what_the_client_said(server: Server) -> None:
    uuid = "4C4C4544-0042-3510-8052-B4C04F4D3132"
    server.get(f"/boot.ipxe?mac=52-54-00-12-34-56&uuid={uuid}&serial=S%2F1&arch=uefi-x64", "User-Agent: iPXE/1.21.1")
    request, _, preview = server.world.scripts.asked[-1]
    assert (request.via, request.loader, request.mac, request.uuid) == (
        Via.HTTP, Loader.IPXE, "52:54:00:12:34:56", uuid.lower(),
    )  # fmt: skip
    assert (request.serial, request.arch, str(request.ip), str(request.server)) == ("S/1", 7, "127.0.0.1", "127.0.0.1")
    assert not preview
    event = server.world.event(name="/boot.ipxe")
    assert (event.kind, event.stage, event.system, event.mac) == (Kind.HTTP_DONE, "script", "lady", "52:54:00:12:34:56")
    assert event.fact(DECISION) == "install-armed"


def test_script_names_beneath_files(server: Server) -> None:
    """iPXE started by HTTP from /files/ipxe.efi looks for autoexec.ipxe beside itself."""
    assert server.get("/files/autoexec.ipxe")[2] == b"#!ipxe\nboot\n"
    assert server.get("/files/pxelinux.cfg/01-52-54-00-12-34-56")[0] == 200
    assert server.get("/pxelinux.cfg/C0A84D72")[0] == 404  # an exact name of no declared machine


def test_a_script_that_the_operator_keeps_among_the_files(server: Server) -> None:
    folder = server.root / "pxelinux.cfg"
    folder.mkdir()
    (folder / "C0A84D73").write_text("LOCALBOOT 0\n")
    for path in ("/pxelinux.cfg/C0A84D73", "/files/pxelinux.cfg/C0A84D73"):
        assert server.get(path)[2] == b"LOCALBOOT 0\n"
        assert server.world.event(kind=Kind.HTTP_DONE, name=path).stage == "script"


def test_slashes_at_the_front_are_one(server: Server) -> None:
    assert server.get("//boot.ipxe")[0] == 200


def test_a_client_that_goes_away_mid_file(server: Server) -> None:
    with server.connect(rcvbuf=4096) as sock:
        sock.sendall(b"GET /files/big HTTP/1.1\r\nHost: x\r\n\r\n")
        got = b""
        while not got.partition(b"\r\n\r\n")[2]:
            got += sock.recv(4096)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    event = server.world.event(kind=Kind.HTTP_FAIL, name="/files/big")
    assert event.reason is Reason.HTTP_CLOSED
    assert 0 < event.size < 24 << 20
    assert server.get("/healthz")[0] == 200


def test_a_file_cut_while_it_is_sent(server: Server) -> None:
    path = server.root / "cut"
    path.write_bytes(os.urandom(1 << 20) * 16)
    with server.connect(rcvbuf=4096) as sock:
        sock.sendall(b"GET /files/cut HTTP/1.1\r\nHost: x\r\n\r\n")
        got = len(sock.recv(4096))
        os.truncate(path, 1 << 20)
        with suppress(ConnectionResetError):
            while part := sock.recv(1 << 20):
                got += len(part)
    assert got < 16 << 20  # less than its Content-Length: the client knows
    event = server.world.event(kind=Kind.HTTP_FAIL, name="/files/cut")
    assert event.reason is Reason.HTTP_CHANGED


def test_a_file_replaced_while_it_is_sent_arrives_as_it_was(server: Server) -> None:
    path = server.root / "replaced"
    old = os.urandom(1 << 20) * 8
    path.write_bytes(old)
    with server.connect(rcvbuf=4096) as sock:
        sock.sendall(b"GET /files/replaced HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        got = sock.recv(4096)
        new = server.root / "new"
        new.write_bytes(b"new")
        new.rename(path)
        while part := sock.recv(1 << 20):
            got += part
    assert got.partition(b"\r\n\r\n")[2] == old

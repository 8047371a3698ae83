"""One request through a WSGI application (PEP 3333). The body is at hand, the answer is small: no streaming."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from netprov.http.application import Call, Reply

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication


def environ_of(call: Call) -> dict[str, Any]:
    """The WSGI environ. A header with `_` in its name is left out: it would pass for the one with `-`."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": call.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": call.path.encode().decode("latin-1"),
        "QUERY_STRING": call.query,
        "REMOTE_ADDR": call.remote[0],
        "REMOTE_PORT": str(call.remote[1]),
        "SERVER_NAME": call.local[0],
        "SERVER_PORT": str(call.local[1]),
        "SERVER_PROTOCOL": f"HTTP/{call.version[0]}.{call.version[1]}",
        "CONTENT_LENGTH": str(len(call.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(call.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in call.headers:
        if "_" in name or name.lower() in ("content-length", "transfer-encoding"):
            continue
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


def run(app: WSGIApplication, environ: dict[str, Any]) -> Reply:
    """The application's answer. Raises what the application raises."""
    started: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: object = None
    ) -> Callable[[bytes], object]:
        started.append((status, headers))
        return written.append

    start: StartResponse = start_response
    answer = app(environ, start)
    try:
        written.extend(answer)
    finally:
        close = getattr(answer, "close", None)
        if close is not None:
            close()
    status, headers = started[-1]
    return Reply(int(status.partition(" ")[0]), tuple(headers), b"".join(written))


def lower(headers: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """The header fields by lower-case name, several of one name joined as RFC 9110 §5.3 allows."""
    fields: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        fields[key] = f"{fields[key]}, {value}" if key in fields else value
    return fields

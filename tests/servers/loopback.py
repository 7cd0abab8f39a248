"""A real HTTP server on loopback for a platform of our own, and the ways in which its answers go wrong.

A platform is a function from a request to an answer. A :class:`Fault` breaks one call before the
platform heard of it, or after it took it. :func:`patience` is how long a client of such a server waits.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

from werkzeug.wrappers import Request

#: Seconds: for a server that stays silent on purpose, and for one that is merely on a busy machine.
SILENT, BUSY = 1.0, 20.0

HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass
class Answer:
    """What a platform says: a status, and JSON (or bytes as they are)."""

    status: int
    body: object
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """One call (method and end of its path) that goes wrong, ``after`` or ``before`` it was accepted."""

    method: str
    path: str
    how: Literal["reset", "timeout", "truncated", "html", "500"]
    when: Literal["before", "after"] = "after"

    def hits(self, method: str, path: str) -> bool:
        return method == self.method and re.search(f"(?:{self.path})$", path) is not None


@dataclass
class Loopback:
    """A running server: its address, the calls it got, the faults still to come."""

    url: str
    calls: list[tuple[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    headers: dict[str, str] = field(default_factory=dict)
    """Sent with every answer of the platform, such as its rate limits."""

    def count(self, method: str, path: str) -> int:
        return sum(Fault(method, path, "500").hits(*call) for call in self.calls)

    def fault(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.hits(method, path):
                self.faults.remove(fault)
                return fault
        return None


_RUNNING: dict[str, Loopback] = {}


def patience(url: str) -> float:
    """How long (seconds) a client made now waits for the server at ``url``: briefly only if a fault to come
    is silence. A short wait without that would take a busy machine for a platform that does not answer.
    """
    server = _RUNNING.get(url)
    return SILENT if server and any(fault.how == "timeout" for fault in server.faults) else BUSY


@contextmanager
def serving(platform: Callable[[Request], Answer]) -> Iterator[Loopback]:
    """Run ``platform`` on a free port; one request at a time reaches it."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = Request.from_values(
                self.path, method=self.command, data=body, headers=dict(self.headers)
            )
            with lock:
                loopback.calls.append((self.command, request.path))
                fault = loopback.fault(self.command, request.path)
                answer = Answer(0, b"") if fault and fault.when == "before" else platform(request)
            request.close()
            self._answer(answer, fault)

        do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815

        def _answer(self, answer: Answer, fault: Fault | None) -> None:
            raw = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            how = fault.how if fault else ""
            if how in ("reset", "timeout"):
                if how == "timeout":
                    loopback.released.wait(5)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                return
            status, length, kind = answer.status, len(raw), "application/json"
            if how == "truncated":
                status, raw = answer.status or 200, raw[: max(len(raw) // 2, 1)] or b"{"
                length = len(raw) + 100
            elif how:
                status, raw, kind = (502, HTML, "text/html") if how == "html" else (500, b"{}", kind)
                length = len(raw)
            self.send_response_only(status)
            for name, value in {**loopback.headers, **answer.headers}.items():
                self.send_header(name, value)
            if not any(name.lower() == "content-type" for name in answer.headers):
                self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(raw)
            self.wfile.flush()
            self.close_connection = how == "truncated"

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that went away is what these tests are about."""

    with Server(("127.0.0.1", 0), Handler) as server:
        loopback = Loopback(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        _RUNNING[loopback.url] = loopback
        try:
            yield loopback
        finally:
            del _RUNNING[loopback.url]
            loopback.released.set()
            server.shutdown()
            thread.join()


__all__ = ["Answer", "Fault", "Loopback", "patience", "serving"]

"""Parts for the tests of adapters: a memory, a camera, a relay that loses answers, the platform's side.

Used by ``contract_suite`` and free for any adapter's own tests. Real HTTP on loopback; nothing here
patches anything.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import re
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import urlsplit

from adapters.contract import Json, Media, Reach


class PowerCutError(BaseException):
    """The process dies here. No adapter catches it, as none can catch a real power cut."""


class MemoryProgress:
    """A :class:`~adapters.contract.Progress` that survives in memory.

    If told so, it dies just after the Nth save, or before anything was kept if that is a note.
    """

    def __init__(self, dies_after: int = 0) -> None:
        self.saves = 0
        self.dies_after = dies_after
        self._saved: dict[str, Json] = {}

    @property
    def saved(self) -> Mapping[str, Json]:
        return dict(self._saved)

    def save(self, **facts: Json) -> None:
        self._saved |= facts
        self.saves += 1
        if self.saves == self.dies_after:
            raise PowerCutError

    def note(self, **facts: Json) -> None:
        self.saves += 1
        if self.saves == self.dies_after:
            raise PowerCutError
        self._saved |= facts


@dataclass(frozen=True, slots=True)
class RemotePost:
    """One post as the platform really holds it; ``media`` are (SHA-256, alt text) in their order."""

    remote_id: str
    text: str
    link: str = ""
    media: tuple[tuple[str, str], ...] = ()


class Remote(Protocol):
    """The platform's side of a test, seen past the adapter."""

    def posts(self) -> Sequence[RemotePost]:
        """Every post of the account that the platform holds, oldest first."""

    def engage(self, remote_id: str) -> Reach:
        """Let people see (like, click ...) the post; return the figures that the platform must now tell."""


Call = tuple[str, str]
"""A method and a pattern that the path (without query) must end with."""

Refusal = tuple[int, str]
"""A status and the JSON of an answer."""


@dataclass
class Relay:
    """Stands between adapter and platform, notes every call, and breaks one kind of them on request."""

    url: str
    calls: list[Call] = field(default_factory=list)
    breaks: Call | None = None
    when: Literal["before", "after"] = "after"
    """``after`` the platform took the call (its answer is lost), or ``before`` it heard of it."""
    spared: int = 0
    """So many more of these calls go through unbroken."""
    answer: Refusal | None = None
    """What the adapter is told instead of a broken line: a status and JSON, without the platform's doing."""

    def hit(self, method: str, path: str) -> bool:
        """Note a call; say whether it is one to break."""
        self.calls.append((method, path))
        if self.breaks is None or not _is(self.breaks, method, path):
            return False
        self.spared -= 1
        return self.spared < 0

    def count(self, call: Call) -> int:
        return sum(_is(call, method, path) for method, path in self.calls)


def _is(call: Call, method: str, path: str) -> bool:
    return method == call[0] and re.search(f"(?:{call[1]})$", path) is not None


class _Telling(BaseHTTPRequestHandler):
    """A handler that answers with what it is given."""

    protocol_version = "HTTP/1.1"

    def _pass_on(self, answer: http.client.HTTPResponse, content: bytes) -> None:
        self._tell(answer.status, answer.getheaders(), content)

    def _tell(self, status: int, headers: Sequence[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


@contextmanager
def relayed(api_base: str) -> Iterator[Relay]:
    """Run a relay to the platform at ``api_base`` (http on loopback)."""
    upstream = urlsplit(api_base)

    class Handler(_Telling):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            path = urlsplit(self.path).path
            broken = relay.hit(self.command, path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if broken and relay.answer is not None:
                self._tell(relay.answer[0], [("Content-Type", "application/json")], relay.answer[1].encode())
                return
            if broken and relay.when == "before":
                self.close_connection = True
                return
            platform = http.client.HTTPConnection(upstream.hostname or "", upstream.port, timeout=10)
            try:
                platform.request(self.command, self.path, body, dict(self.headers))
                answer = platform.getresponse()
                content = answer.read()
            finally:
                platform.close()
            self.close_connection = broken
            if not broken:
                self._pass_on(answer, content)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        relay = Relay(f"http://127.0.0.1:{server.server_address[1]}{upstream.path}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield relay
        finally:
            server.shutdown()
            thread.join()


def closed_port() -> str:
    """Return the address of a loopback port where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{sock.getsockname()[1]}"


def picture(folder: Path, number: int, alt: str) -> Media:
    """Make a small JPEG, different for each ``number``."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (320, 400), (number * 40 % 256, 90, 160)).save(buffer, "JPEG")
    path = folder / f"picture-{number}.jpg"
    path.write_bytes(buffer.getvalue())
    return Media(path, hashlib.sha256(buffer.getvalue()).hexdigest(), "image/jpeg", alt, 320, 400)


__all__ = [
    "Call",
    "MemoryProgress",
    "PowerCutError",
    "Refusal",
    "Relay",
    "Remote",
    "RemotePost",
    "closed_port",
    "picture",
    "relayed",
]

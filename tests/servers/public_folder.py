"""A plain web server before a folder, as an agency has one: what platforms fetch pictures from."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class PublicFolder:
    """A running web server; its settings are the mistakes that web servers have."""

    folder: Path
    url: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)
    types: dict[str, str] = field(
        default_factory=lambda: {
            ".jpg": "image/jpeg",
            ".png": "image/png",
            ".mp4": "video/mp4",
            ".mov": "video/quicktime",
        }
    )
    status: int = 200
    head_allowed: bool = True
    tells_length: bool = True
    appends: bytes = b""
    replaces: bytes = b""


@contextmanager
def public_folder(folder: Path) -> Iterator[PublicFolder]:
    """Serve ``folder`` on a free port of this computer."""
    site = PublicFolder(folder)
    folder.mkdir(exist_ok=True)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            if site.head_allowed:
                self._answer(body=False)
            else:
                self.send_response_only(405)
                self.end_headers()

        def _answer(self, *, body: bool) -> None:
            site.calls.append((self.command, self.path))
            path = site.folder / self.path.lstrip("/")
            status = site.status if path.is_file() else 404
            content = path.read_bytes() + site.appends if status == 200 else b""
            if site.replaces and content:
                content = site.replaces.ljust(len(content))[: len(content)]
            self.send_response_only(status)
            if 300 <= status < 400:
                self.send_header("Location", f"https://cdn.example.go.id{self.path}")
            self.send_header("Content-Type", site.types.get(path.suffix, "application/octet-stream"))
            if site.tells_length:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body:
                self.wfile.write(content)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


__all__ = ["PublicFolder", "public_folder"]

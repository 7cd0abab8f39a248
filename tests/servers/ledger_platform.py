"""The practice network's interface as one cheap asynchronous server that keeps a ledger of what it took.

It answers late, not at all, or wrongly, as its :class:`Manners` say, and takes a post before or after
the wait: whoever dies in between cannot know which. It runs in a thread, or as a process of its own
(``python -m servers.ledger_platform --delay 0.3`` from the folder of the tests), so that its processor
time does not count for whom it serves.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

#: What happens in the life of a call, as told to ``watch``.
ARRIVED, TAKEN, ANSWERED = "arrived", "taken", "answered"


@dataclass(frozen=True, slots=True)
class Manners:
    """How publishing is answered; shares are between 0 and 1 and add up to 1 at most."""

    delay: tuple[float, float] = (0.0, 0.0)
    """Seconds until the answer, from and to."""
    at_once: float = 1.0
    """The share of posts taken when they arrive; the others when their answer is due."""
    lost: float = 0.0
    """Taken, and the connection is reset instead of an answer."""
    garbled: float = 0.0
    """Taken, and the answer is a gateway's page."""
    dropped: float = 0.0
    """Not taken, and the connection is reset."""
    broken: float = 0.0
    """Not taken, and the answer is a gateway's page."""

    def fate(self, chance: float) -> str:
        """What becomes of a call, ``chance`` being a random number in [0, 1)."""
        for name in ("lost", "garbled", "dropped", "broken"):
            share: float = getattr(self, name)
            if chance < share:
                return name
            chance -= share
        return "fine"


@dataclass(frozen=True, slots=True)
class Entry:
    """One post that the platform took."""

    id: str
    account: str
    text: str
    link: str
    alts: tuple[str, ...]
    created_at: str
    arrived: float
    """When its request came, in seconds since 1970."""
    by: str
    """The first part of the request's path before ``/api``: who sent it, if its base says so."""


@dataclass
class Ledger:
    """What the platform took, in order, and how it behaves."""

    manners: Manners = field(default_factory=Manners)
    random: random.Random = field(default_factory=random.Random)
    watch: Callable[[str, str], None] = lambda _event, _by: None
    """Told of each step of a call, and who called; runs in the server's thread."""
    entries: list[Entry] = field(default_factory=list)
    of_account: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    url: str = ""

    def take(self, body: Mapping[str, Any], arrived: float, by: str) -> Entry:
        """Make a post public."""
        entry = Entry(
            str(len(self.entries) + 1),
            body["account"],
            body["text"],
            body["link"],
            tuple(one["alt"] for one in body["media"]),
            datetime.now(UTC).isoformat(),
            arrived,
            by,
        )
        self.entries.append(entry)
        self.of_account[entry.account].append(entry)
        self.watch(TAKEN, by)
        return entry

    def forget(self) -> None:
        """Begin anew."""
        self.entries.clear()
        self.of_account.clear()


class _Connection(asyncio.Protocol):
    """One client; requests come one after the other."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.read = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.read += data
        head, found, rest = self.read.partition(b"\r\n\r\n")
        if not found:
            return
        lines = head.decode("latin-1").split("\r\n")
        length = next((int(one[15:]) for one in lines if one.lower().startswith("content-length:")), 0)
        if len(rest) < length:
            return
        self.read = rest[length:]
        method, target, _version = lines[0].split(" ")
        self.answer(method, target, rest[:length])

    def answer(self, method: str, target: str, body: bytes) -> None:
        parts = urlsplit(target)
        before, _, path = parts.path.partition("/api/")
        by = before.strip("/")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match method, path.split("/"):
            case "POST", ["posts"]:
                self.publish(json.loads(body), by)
            case "GET", ["accounts", handle, "posts"]:
                self.say(200, {"posts": self.listing(unquote(handle), query.get("since", ""))})
            case "GET", ["posts", "stats"]:
                figures = {"views": 10, "reach": 5, "likes": 0, "comments": 0, "clicks": 0}
                self.say(200, {"posts": dict.fromkeys(query["ids"].split(","), figures)})
            case "GET", ["me"]:
                self.say(200, {"id": query["account"], "name": query["account"], "url": self.ledger.url})
            case "GET", ["ledger"]:
                self.say(200, [asdict(entry) for entry in self.ledger.entries])
            case "DELETE", ["ledger"]:
                self.ledger.forget()
                self.say(200, {})
            case _:
                self.say(404, {"error": {"code": "unknown-call", "message": target}})

    def publish(self, body: Mapping[str, Any], by: str) -> None:
        ledger, arrived = self.ledger, time.time()
        ledger.watch(ARRIVED, by)
        fate = ledger.manners.fate(ledger.random.random())
        takes = fate not in ("dropped", "broken")
        at_once = ledger.random.random() < ledger.manners.at_once
        entry = ledger.take(body, arrived, by) if takes and at_once else None
        delay = ledger.random.uniform(*ledger.manners.delay)

        def end() -> None:
            # A client that has died meanwhile changes nothing: its request was read.
            taken = ledger.take(body, arrived, by) if takes and entry is None else entry
            if fate in ("lost", "dropped"):
                assert self.transport
                self.transport.abort()
            elif fate == "fine" and taken:
                self.say(201, {"id": taken.id, "url": f"{ledger.url}/p/{taken.id}"})
            else:
                self.say(502, b"<h1>502 Bad Gateway</h1>", "text/html")
            ledger.watch(ANSWERED, by)

        if delay:
            asyncio.get_running_loop().call_later(delay, end)
        else:
            end()

    def listing(self, account: str, since: str) -> list[dict[str, Any]]:
        after = datetime.fromisoformat(since) if since else None
        return [
            {
                "id": one.id,
                "url": f"{self.ledger.url}/p/{one.id}",
                "created_at": one.created_at,
                "text": one.text,
                "link": one.link,
                "media": [{"alt": alt} for alt in one.alts],
            }
            for one in self.ledger.of_account.get(account, ())
            if after is None or datetime.fromisoformat(one.created_at) >= after
        ]

    def say(self, status: int, content: object, kind: str = "application/json") -> None:
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        head = f"HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\nContent-Length: {len(raw)}\r\n\r\n"
        assert self.transport
        self.transport.write(head.encode() + raw)


async def _serve(ledger: Ledger, ready: Callable[[], None], ended: asyncio.Event) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(ledger), "127.0.0.1", 0, backlog=1024
    )
    ledger.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    ready()
    await ended.wait()
    server.close()


@contextmanager
def keeping(ledger: Ledger) -> Iterator[Ledger]:
    """Serve ``ledger`` in a thread of this process."""
    ready, loop, ended = threading.Event(), asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=[_serve(ledger, ready.set, ended)])
    thread.start()
    ready.wait(10)
    try:
        yield ledger
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        # Connections of clients that were killed may still be open.
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def main() -> None:
    """Serve until standard input ends; the address is the first line of the output."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay", type=float, default=0.0)
    delay = parser.parse_args().delay
    ledger = Ledger(Manners(delay=(delay, delay)))

    async def run() -> None:
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        # It is only ever closed: that is how whoever started this says that it is over.
        loop.add_reader(sys.stdin.fileno(), ended.set)

        def ready() -> None:
            sys.stdout.write(ledger.url + "\n")
            sys.stdout.flush()

        await _serve(ledger, ready, ended)

    asyncio.run(run())


if __name__ == "__main__":
    main()

"""A database of 100,000 published posts with 800,000 snapshots, made once in a run."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from kit.stores import new_store

from scheduler.origin import Origin
from scheduler.store.auditing import Event, Head, chained
from scheduler.store.chain import GENESIS
from scheduler.store.database import Session
from scheduler.store.tables import approvals, audit, contents, deliveries, snapshots

POSTS = 100_000
AGES = 8
ACCOUNTS = 50
MESSAGES = 40
FIRST = datetime(2026, 1, 1, 0, 30, tzinfo=UTC)
AS_OF = datetime(2027, 6, 1, tzinfo=UTC)
_BATCH = 10_000


@cache
def big_store() -> Path:
    """The file; it is deleted at the end of the run."""
    folder = Path(tempfile.mkdtemp(prefix="gaung-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    store = new_store(folder)
    with store.write() as session:
        _insert(session, contents, _contents())
        _insert(session, approvals, _approvals())
        _insert(session, deliveries, _deliveries())
        _insert(session, audit, _events())
        _insert(session, snapshots, _snapshots())
    store.close()
    return folder / "gaung.db"


def _insert(session: Session, table: Any, rows: Iterator[dict[str, Any]]) -> None:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            session.connection().execute(table.insert(), batch)
            batch = []
    if batch:
        session.connection().execute(table.insert(), batch)


def _digest(number: int) -> str:
    return f"{number % ACCOUNTS:032x}{number // ACCOUNTS % MESSAGES:032x}"


def _contents() -> Iterator[dict[str, Any]]:
    for number in range(ACCOUNTS * MESSAGES):
        yield {
            "digest": _digest(number),
            "account_id": f"akun-{number % ACCOUNTS}",
            "platform": "practice",
            "text": f"Pesan {number // ACCOUNTS}: tolak gratifikasi, laporkan lewat kanal resmi.\n\n"
            + "Isi. " * 60,
            "link": "https://jaga.id",
            "media": [{"name": "a.jpg", "alt": "Poster", "sha256": "0" * 64, "mime": "image/jpeg"}],
            "kind": "post",
            "thread": [],
            "first_comment": "",
        }


def _approvals() -> Iterator[dict[str, Any]]:
    for number in range(ACCOUNTS * MESSAGES):
        yield {
            "campaign_id": "bench",
            "digest": _digest(number),
            "approver": "budi",
            "os_user": "budi",
            "approved_at": FIRST - timedelta(days=1),
            "void_at": None,
        }


def _planned(number: int) -> datetime:
    return FIRST + timedelta(hours=4 * (number // ACCOUNTS))


def _deliveries() -> Iterator[dict[str, Any]]:
    for number in range(POSTS):
        at = _planned(number)
        yield {
            "key": f"{number:032x}",
            "campaign_id": "bench",
            "message_id": f"pesan-{number // ACCOUNTS % MESSAGES}",
            "topic": f"nilai-{number // ACCOUNTS % 9}",
            "account_id": f"akun-{number % ACCOUNTS}",
            "platform": "practice",
            "agency": f"Dinas {number % ACCOUNTS}",
            "slot": (at + timedelta(hours=7)).replace(tzinfo=None).isoformat(),
            "zone": "WIB",
            "planned_at": at,
            "expires_at": at + timedelta(hours=2),
            "if_missed": "review",
            "due_at": at,
            "state": "sent",
            "digest": _digest(number),
            "attempts": 1,
            "looks": 0,
            "asks": False,
            "progress": {},
            "code": "",
            "reason": "",
            "node": "",
            "lease_until": None,
            "remote_id": str(number),
            "permalink": f"https://latihan.example/p/{number}",
            "published_at": at + timedelta(seconds=number % 50),
            "source": "api",
            "reach_at": None,
        }


def _events() -> Iterator[dict[str, Any]]:
    events = (
        Event(
            at=_planned(number),
            actor="siti" if action == "planned" else "daemon",
            action=action,
            campaign_id="bench",
            delivery_id=number + 1,
            before=before,
            after=after,
            digest=_digest(number),
        )
        for number in range(POSTS)
        for action, before, after in (
            ("planned", "", "planned"),
            ("claimed", "planned", "sending"),
            ("accepted", "sending", "sent"),
        )
    )
    last = Head(0, GENESIS, None)
    while batch := list(islice(events, _BATCH)):
        rows = chained(batch, last, Origin("bench", "bench"))
        last = Head(rows[-1]["id"], rows[-1]["hash"], rows[-1]["at"])
        yield from rows


def _snapshots() -> Iterator[dict[str, Any]]:
    for age in range(AGES):
        for number in range(POSTS):
            yield {
                "delivery_id": number + 1,
                "taken_at": _planned(number) + timedelta(hours=1 + age * 20),
                "source": "api",
                "views": 100 * (age + 1) + number % 97,
                "reach": 80 * (age + 1) + number % 53 if number % 3 else None,
                "likes": number % 31 + age,
                "comments": number % 7,
                "shares": number % 5 if number % 2 else None,
                "saves": None,
                "clicks": None,
                "raw": {"impressions": 100 * (age + 1) + number % 97},
            }

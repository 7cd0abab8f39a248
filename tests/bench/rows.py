"""Rows by the thousand, as ``apply`` and ``approve`` leave them: deliveries with contents and approvals.

They are written straight into the tables, since it is the daemon that is measured and not the planning.
What is to be published has its real digest; the mass that only lies there is made by the database
itself, for a million rows would take Python minutes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Boolean, Integer, String, cast, func, literal, select

from campaigns.planning import digest_of
from scheduler.states import State
from scheduler.store.database import Session, Store
from scheduler.store.tables import UtcDateTime, approvals, attempts, contents, deliveries, follower_counts

#: 552 regional governments with 6 accounts each.
ACCOUNTS = 552 * 6
TEXT = "Tolak gratifikasi, laporkan kepada unit pengendali. Pesan "
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Batch:
    """Deliveries that are alike: ``count`` of them from account number ``first`` on, planned for ``at``."""

    count: int
    at: datetime
    state: State = State.PLANNED
    first: int = 0
    mass: bool = False
    """Never to be published: without a real digest."""


def fill(store: Store, batches: Sequence[Batch]) -> None:
    """Write deliveries; those already sent with their attempt."""
    with store.read() as session:
        done = session.execute(select(func.count()).select_from(deliveries)).scalar_one()
    for start in range(0, len(batches), 50):
        with store.write() as session:
            for batch in batches[start : start + 50]:
                (_mass if batch.mass else _each)(session, batch, done)
                done += batch.count


def count_followers(store: Store) -> None:
    """Write a count of today for every account, if there is none."""
    now = datetime.now(UTC)
    row = {"taken_at": now, "source": "api", "followers": 100, "why": "", "name": "", "api": "", "detail": {}}
    with store.write() as session:
        if session.execute(select(func.count()).select_from(follower_counts)).scalar_one():
            return
        session.connection().execute(
            follower_counts.insert(), [{"account_id": f"account-{n}", **row} for n in range(ACCOUNTS)]
        )


def _rows(batch: Batch, number: Any, account: Any, text: Any, digest: Any) -> dict[Any, dict[str, Any]]:
    """The columns of one delivery's rows; the arguments are values, or SQL that gives them."""
    sent = batch.state is State.SENT
    content: dict[str, Any] = {
        "digest": digest,
        "account_id": account,
        "platform": "practice",
        "text": text,
        "link": "",
        "media": [],
        "kind": "post",
        "thread": [],
        "first_comment": "",
    }
    approval = {
        "campaign_id": "bench",
        "digest": digest,
        "approver": "budi",
        "os_user": "budi",
        "approved_at": batch.at,
        "stage": 1,
        "role": "approver",
        "complete": True,
    }
    delivery = {
        "key": "key-" + number,
        "campaign_id": "bench",
        "message_id": "jujur",
        "topic": "",
        "message_class": "regular",
        "account_id": account,
        "platform": "practice",
        "agency": "",
        "slot": batch.at.replace(tzinfo=None).isoformat(),
        "zone": "WIB",
        "planned_at": batch.at,
        "allowed_at": batch.at,
        "expires_at": batch.at + 2 * HOUR,
        "if_missed": "review",
        "due_at": batch.at,
        "state": batch.state.value,
        "digest": digest,
        "attempts": int(sent),
        "looks": 0,
        "asks": False,
        "progress": {},
        "code": "",
        "reason": "",
        "node": "",
        "remote_id": "old-" + number if sent else "",
        "permalink": "",
        "source": "api" if sent else "",
        **({"published_at": batch.at} if sent else {}),
    }
    return {contents: content, approvals: approval, deliveries: delivery}


def _each(session: Session, batch: Batch, done: int) -> None:
    made: dict[Any, list[dict[str, Any]]] = {}
    for number in range(done + 1, done + 1 + batch.count):
        account = f"account-{(number - done + batch.first - 1) % ACCOUNTS}"
        text = f"{TEXT}{number}"
        digest = digest_of(account, "practice", text, "", [], "post", [], "", "regular")
        for table, row in _rows(batch, str(number), account, text, digest).items():
            made.setdefault(table, []).append(row)
    for table, rows in made.items():
        session.connection().execute(table.insert(), rows)


def _mass(session: Session, batch: Batch, done: int) -> None:
    first = select(literal(1, Integer).label("i")).cte("numbers", recursive=True)
    numbers = first.union_all(select(first.c.i + 1).where(first.c.i < batch.count))
    number = cast(numbers.c.i + done, String)
    account = literal("account-") + cast((numbers.c.i + batch.first - 1) % ACCOUNTS, String)
    made = _rows(batch, number, account, literal(TEXT) + number, literal("digest-") + number)
    for table, columns in made.items():
        _insert(session, table, {name: _sql(value) for name, value in columns.items()})
    if batch.state is State.SENT:
        tried = {
            "delivery_id": deliveries.c.id,
            "digest": deliveries.c.digest,
            "node": _sql("old"),
            "started_at": _sql(batch.at),
            "finished_at": _sql(batch.at),
            "outcome": _sql("accepted"),
            "code": _sql(""),
            "reason": _sql(""),
            "remote_id": deliveries.c.remote_id,
        }
        known = (deliveries.c.state == State.SENT.value, deliveries.c.planned_at == batch.at)
        session.connection().execute(
            attempts.insert().from_select(list(tried), select(*tried.values()).where(*known))
        )


def _insert(session: Session, table: Any, columns: Mapping[str, Any]) -> None:
    labelled = [value.label(f"c{place}") for place, value in enumerate(columns.values())]
    session.connection().execute(table.insert().from_select(list(columns), select(*labelled)))


def _sql(value: Any) -> Any:
    """A value as SQL of the right type; what is SQL already stays as it is."""
    kinds: dict[type, Any] = {bool: Boolean(), datetime: UtcDateTime(), dict: JSON(), list: JSON()}
    return value if hasattr(value, "label") else literal(value, kinds.get(type(value)))

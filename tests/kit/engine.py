"""An engine for tests: a real database, a clock that is moved by hand, a platform that does as it is told.

Nothing of Gaung is replaced. The adapter is a stranger's: it asks a :class:`Platform` what to answer.
Calls wait in a :class:`Desk` until the test lets them run, or run in real threads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest
from kit.stores import new_store
from PIL import Image
from sqlalchemy import func, select

from adapters.contract import (
    Absent,
    Account,
    Adapter,
    Finding,
    Found,
    Handed,
    Identity,
    Limits,
    Post,
    Progress,
    Reach,
    Receipt,
    Reply,
)
from campaigns.definition import Campaign, MediaFacts, Target, media_files
from campaigns.files import Loaded
from campaigns.media import media_facts
from campaigns.planning import Changes
from scheduler.costs import PriceList, Prices
from scheduler.engine import applying, dispatch
from scheduler.engine.calls import Calls
from scheduler.engine.dispatch import Dispatcher
from scheduler.engine.mailbox import Mailbox, Message
from scheduler.engine.means import Means
from scheduler.engine.retry import Policy, Rule
from scheduler.engine.treasury import Payer, Treasury
from scheduler.states import State
from scheduler.store import approving
from scheduler.store.database import Session, Store
from scheduler.store.media import MediaFolder
from scheduler.store.tables import attempts, audit, contents, deliveries, snapshots

NOON = datetime(2026, 12, 9, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
HORIZON = timedelta(days=90)


class ManualClock:
    """Shows what it was set to; ``at`` may be set to any time, which the steady clock does not follow."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at
        self.passed = timedelta(0)

    def now(self) -> datetime:
        return self.at

    def steady(self) -> float:
        return self.passed.total_seconds()

    def forward(self, by: timedelta) -> None:
        """Let time pass."""
        self.at += by
        self.passed += by


# The database.


def add_delivery(session: Session, state: State = State.PLANNED, **columns: Any) -> int:
    """Write one delivery, and its content, straight into the tables; return its id."""
    connection = session.connection()
    number = 1 + connection.execute(select(func.count()).select_from(deliveries)).scalar_one()
    row: dict[str, Any] = {
        "key": f"key-{number}",
        "campaign_id": "hakordia",
        "message_id": "jujur",
        "message_class": "regular",
        "account_id": f"account-{number}",
        "platform": "fake",
        "slot": "2026-12-09T19:00:00",
        "zone": "WIB",
        "planned_at": NOON,
        "due_at": NOON,
        "expires_at": NOON + 2 * HOUR,
        "if_missed": "review",
        "min_gap": 0,
        "state": state,
        "digest": f"digest-{number}",
        "progress": {},
        "attempts": 0,
        "looks": 0,
        "asks": False,
        **dict.fromkeys(
            ("topic", "agency", "code", "reason", "node", "remote_id", "permalink", "source"), ""
        ),
        **columns,
    }
    known = select(contents.c.digest).where(contents.c.digest == row["digest"])
    if connection.execute(known).first() is None:
        connection.execute(contents.insert(), [_content(row)])
    made = connection.execute(deliveries.insert().returning(deliveries.c.id), row)
    return int(made.scalar_one())


def _content(row: Mapping[str, Any]) -> dict[str, Any]:
    named = {name: row[name] for name in ("digest", "account_id", "platform")}
    rest = {"text": "Tolak suap", "link": "", "kind": "post", "first_comment": "", "media": [], "thread": []}
    return named | rest


def rows(session: Session, table: Any) -> list[dict[str, Any]]:
    """Every row of a table, in the order of its key."""
    key = next(iter(table.primary_key))
    return [dict(row._mapping) for row in session.connection().execute(table.select().order_by(key))]


# The platform and its adapter.

Answer = Receipt | Handed | BaseException | Callable[[Post, Progress], Receipt | Handed] | None
Look = Finding | BaseException


@dataclass
class Platform:
    """The other side: the posts that it holds, and what it says next to each call.

    Without instructions it takes every post and finds what it has taken.
    """

    clock: ManualClock
    answers: deque[Answer] = field(default_factory=deque)
    looks: deque[Look] = field(default_factory=deque)
    figures: Callable[[str, Sequence[str]], Mapping[str, Reach]] | None = None
    posts: list[tuple[str, Post, datetime]] = field(default_factory=list)
    """What was made public: account, post, when; the remote id is the position + 1."""
    removed: list[tuple[str, str]] = field(default_factory=list)
    """Calls of remove: account, remote id."""
    removals: deque[BaseException | None] = field(default_factory=deque)
    pause: Any = None
    """What the answers say of the pause before the next call."""
    published: list[tuple[str, str]] = field(default_factory=list)
    """Calls of publish: account, text."""
    looked: list[tuple[str, datetime]] = field(default_factory=list)
    """Calls of find: account, since."""
    looked_at: list[datetime] = field(default_factory=list)
    """When find was called."""
    measured: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    comments: Callable[[str, Sequence[str]], Mapping[str, Sequence[Reply]]] | None = None
    heard: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """Calls of replies: account, remote ids."""
    asked_for: list[tuple[dict[str, str], int]] = field(default_factory=list)
    """Calls of replies_since: what was known, and how many were wanted at most."""

    def accept(self, account: str, post: Post) -> Receipt:
        self.posts.append((account, post, self.clock.now()))
        return self.receipt(len(self.posts))

    @staticmethod
    def receipt(number: int) -> Receipt:
        return Receipt(str(number), f"https://fake.example/{number}")

    @property
    def texts(self) -> list[tuple[str, str]]:
        """What is public, as (account, text), oldest first."""
        return [(account, post.text) for account, post, _at in self.posts]


class FakeAdapter(Adapter):
    """Asks the platform object what to answer."""

    platform: ClassVar[str] = "fake"
    limits: Limits = Limits(text=1000, media=4)
    reply_limits: Limits | None = Limits(text=500)
    hears: ClassVar[bool] = True

    def __init__(self, account: Account, clock: ManualClock, other_side: Platform) -> None:
        super().__init__(account, clock.now)
        self.other_side = other_side
        self.pause = other_side.pause

    def verify(self) -> Identity:
        return Identity(self.account.id, self.account.handle)

    def publish(self, post: Post, progress: Progress) -> Receipt | Handed:
        side = self.other_side
        side.published.append((self.account.id, post.text))
        answer = side.answers.popleft() if side.answers else None
        if answer is None:
            return side.accept(self.account.id, post)
        if isinstance(answer, BaseException):
            raise answer
        return answer(post, progress) if callable(answer) else answer

    def begun(self, progress: Progress) -> Receipt | None:
        parts = progress.saved.get("parts")
        return Platform.receipt(int(str(parts[0]))) if isinstance(parts, list) and parts else None

    def find(self, post: Post, progress: Progress, since: datetime) -> Finding:
        side = self.other_side
        side.looked.append((self.account.id, since))
        side.looked_at.append(side.clock.now())
        if side.looks:
            look = side.looks.popleft()
            if isinstance(look, BaseException):
                raise look
            return look
        for number, (account, one, at) in enumerate(side.posts, 1):
            if (account, one.text) == (self.account.id, post.text) and at >= since:
                return Found(str(number), f"https://fake.example/{number}", at)
        return Absent()

    def reach(self, remote_ids: Sequence[str]) -> Mapping[str, Reach]:
        self.other_side.measured.append((self.account.id, tuple(remote_ids)))
        return self.other_side.figures(self.account.id, remote_ids) if self.other_side.figures else {}

    def replies_since(self, known: Mapping[str, str], most: int) -> Mapping[str, Sequence[Reply]]:
        self.other_side.asked_for.append((dict(known), most))
        return self.replies(list(known))

    def replies(self, remote_ids: Sequence[str]) -> Mapping[str, Sequence[Reply]]:
        side = self.other_side
        side.heard.append((self.account.id, tuple(remote_ids)))
        return side.comments(self.account.id, remote_ids) if side.comments else {}

    def remove(self, remote_id: str) -> None:
        side = self.other_side
        side.removed.append((self.account.id, remote_id))
        if side.removals and (refusal := side.removals.popleft()):
            raise refusal


class Desk(Executor):
    """An executor that lets calls lie until they are asked for, and then runs them right here.

    The first ``workers`` of them have begun; the others can still be taken back.
    """

    def __init__(self, workers: int = 1000) -> None:
        self.workers = workers
        self.calls: list[tuple[Future[Any], Callable[[], object]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        call: Future[Any] = Future()
        self.calls.append((call, lambda: fn(*args, **kwargs)))
        self._begin()
        return call

    def run(self) -> int:
        """Run what has begun; return how many calls that were."""
        self._begin()
        begun, self.calls = self.calls[: self.workers], self.calls[self.workers :]
        for _, call in begun:
            call()
        self._begin()
        return len(begun)

    def _begin(self) -> None:
        self.calls = [(call, run) for call, run in self.calls if not call.cancelled()]
        for call, _ in self.calls[: self.workers]:
            if not call.running():
                call.set_running_or_notify_cancel()


# Campaigns.


def campaign(
    folder: Path,
    messages: Mapping[str, Iterable[datetime]] | None = None,
    *,
    id_: str = "hakordia",
    accounts: Sequence[str] = ("dinas",),
    texts: Mapping[str, str] | None = None,
    media: Mapping[str, Sequence[str]] | None = None,
    threads: Mapping[str, Sequence[str]] | None = None,
    **keys: Any,
) -> Loaded:
    """A campaign in UTC: message id -> times; ``media`` names files in ``folder`` by message, ``threads``
    the texts of further parts.
    """
    messages = messages if messages is not None else {"jujur": [NOON]}
    times = [at for ats in messages.values() for at in ats] or [NOON]
    definition = Campaign.model_validate(
        {
            "id": id_,
            "title": "Hari Antikorupsi Sedunia",
            "owner": "Diskominfo",
            "zone": "UTC",
            "start": min(times).date(),
            "end": max(times).date(),
            "accounts": accounts,
            "messages": [
                {
                    "id": name,
                    "text": (texts or {}).get(name, f"Pesan {name}"),
                    "at": [at.replace(tzinfo=None) for at in ats],
                    "media": [{"file": file, "alt": "Poster"} for file in (media or {}).get(name, ())],
                    "thread": [{"text": part} for part in (threads or {}).get(name, ())],
                }
                for name, ats in messages.items()
            ],
            "min_gap": "0s",
            **keys,
        }
    )
    facts = {item.file: media_facts(folder / item.file) for _message, item in media_files(definition)}
    assert all(isinstance(one, MediaFacts) for one in facts.values()), facts
    return Loaded(
        path=folder / f"{id_}.toml",
        campaign=definition,
        targets=tuple(Target(name, "fake", f"Dinas {name}") for name in accounts),
        media=cast("dict[str, MediaFacts]", facts),
    )


def draw(path: Path, colour: str = "navy") -> Path:
    """Draw a small real picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (32, 40), colour).save(path)
    return path


# The whole.


class Engine:
    """A store, a platform, and a dispatcher between them (or several, each a node of its own)."""

    def __init__(
        self,
        folder: Path,
        *,
        store: Store | None = None,
        adapter: type[FakeAdapter] = FakeAdapter,
        payers: Mapping[str, Payer] | None = None,
        prices: Sequence[PriceList] = (),
    ) -> None:
        """``payers`` are the accounts that are billed, at ``prices``; months are those of UTC."""
        self.payers, self.prices = payers or {}, Prices(prices, "UTC")
        self.folder = folder
        self.clock = ManualClock()
        self.store = store or new_store(folder)
        self.platform = Platform(self.clock)
        self.media = MediaFolder(folder / "media")
        self.policy = Policy(
            attempts=3,
            retry_after=30 * timedelta(seconds=1),
            retry_at_most=5 * MINUTE,
            look_after=(timedelta(seconds=5), timedelta(seconds=30)),
            jitter=lambda: 0.5,
        )
        self.ended: set[str] = set()
        """Nodes whose process is known to be no more."""
        self.rules: dict[str, Rule] = {}
        """What holds for single accounts."""
        self.first = self.node("node-1", adapter=adapter)

    def node(
        self,
        name: str,
        *,
        workers: int = 4,
        executor: Executor | None = None,
        adapter: type[FakeAdapter] = FakeAdapter,
        siblings: Callable[[str], Sequence[str]] = lambda account_id: [account_id],
        ahead: float = 0.0,
    ) -> Node:
        """A further daemon's dispatcher on the same database."""
        return Node(self, name, workers, executor or Desk(), adapter, siblings, ahead)

    def apply(self, loaded: Loaded, *, approve: bool = True) -> Changes:
        changes = applying.apply(
            self.store, self.media, loaded, actor="ani", now=self.clock.now(), horizon=HORIZON
        )
        if approve:
            self.approve(loaded.campaign.id)
        return changes

    def approve(self, campaign_id: str = "hakordia", message_id: str = "") -> None:
        with self.store.write() as session:
            waiting = approving.waiting(session, campaign_id, message_id)
            approving.approve(
                session,
                campaign_id,
                [one.content.digest for one in waiting],
                approver="budi",
                os_user="budi",
                at=self.clock.now(),
            )

    def turn(self) -> datetime | None:
        """One turn of the first node, and the calls that it started."""
        next_due = self.first.turn()
        self.first.run()
        return next_due

    def work(self, by: timedelta = timedelta(0)) -> None:
        """Let ``by`` pass, then work until nothing is in flight."""
        self.clock.forward(by)
        self.turn()
        while self.first.dispatcher.in_flight:
            self.turn()

    def rows(self, table: Any = deliveries) -> list[dict[str, Any]]:
        with self.store.read() as session:
            return rows(session, table)

    @property
    def states(self) -> dict[str, State]:
        """The state of each delivery, by "message" or "message/account" if there are several."""
        found = self.rows()
        several = len({row["account_id"] for row in found}) > 1
        return {
            f"{row['message_id']}/{row['account_id']}" if several else row["message_id"]: State(row["state"])
            for row in found
        }

    @property
    def row(self) -> dict[str, Any]:
        """The only delivery."""
        (only,) = self.rows()
        return only

    def row_of(self, message_id: str) -> dict[str, Any]:
        """The only delivery of a message."""
        (only,) = [row for row in self.rows() if row["message_id"] == message_id]
        return only

    @property
    def attempts(self) -> list[dict[str, Any]]:
        return self.rows(attempts)

    @property
    def snapshots(self) -> list[dict[str, Any]]:
        return self.rows(snapshots)

    def events(self, delivery_id: int | None = None) -> list[str]:
        """The actions in the audit, of one delivery or of all that concern one."""
        return [
            row["action"]
            for row in self.rows(audit)
            if row["delivery_id"] and delivery_id in {None, row["delivery_id"]}
        ]


@pytest.fixture
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An engine on SQLite; with :data:`on_both` on PostgreSQL as well."""
    served = getattr(request, "param", "sqlite") == "postgresql"
    engine = Engine(tmp_path, store=request.getfixturevalue("postgres_store") if served else None)
    yield engine
    engine.store.close()


#: Runs a test on either database. Not every test needs it: those about what the database itself decides do.
on_both = pytest.mark.parametrize("engine", ["sqlite", "postgresql"], indirect=True)


class Node:
    """One dispatcher with its mailbox and executor."""

    def __init__(
        self,
        engine: Engine,
        name: str,
        workers: int,
        executor: Executor,
        kind: type[FakeAdapter],
        siblings: Callable[[str], Sequence[str]],
        ahead: float,
    ) -> None:
        self.executor = executor
        self.mailbox = Mailbox()
        platform, clock = engine.platform, engine.clock

        def adapter(account_id: str) -> Adapter:
            account = Account(account_id, handle=account_id, secret=lambda _name: "")
            return kind(account, clock, platform)

        self.calls = Calls(adapter, engine.media, clock.now)
        self.treasury = Treasury(engine.payers, engine.prices, adapter, engine.media)
        self.means = Means(
            engine.store, clock, self.calls, self.treasury, executor, executor, self.mailbox, name
        )
        terms = dispatch.Terms(
            engine.policy,
            dispatch.Limits(workers, 2 * MINUTE, (HOUR, 6 * HOUR), ahead),
            engine.rules,
            siblings,
            lambda lease: lease.node in engine.ended,
        )
        self.dispatcher = Dispatcher(self.means, terms)

    def turn(self, messages: Sequence[Message] = ()) -> datetime | None:
        """One turn with what is in the mailbox; calls that it starts lie on the desk."""
        return self.dispatcher.turn([*messages, *self.mailbox.wait(0)])

    def serve(self) -> None:
        """Work until nothing is in flight; for calls that run in threads."""
        self.turn()
        while self.dispatcher.in_flight:
            messages = self.mailbox.wait(20)
            assert messages, "no call came back"
            self.dispatcher.turn(messages)

    def run(self) -> int:
        """Run the calls that lie on the desk."""
        assert isinstance(self.executor, Desk)
        return self.executor.run()

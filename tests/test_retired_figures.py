"""A figure that a platform refuses everywhere is told once as retired, and once more when it is back."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kit.engine import HOUR, NOON, add_delivery
from kit.office import Office
from kit.stores import new_store

from scheduler.states import State
from scheduler.store import retiring
from scheduler.store.database import Store, open_store
from scheduler.store.tables import RetiredMetric, Snapshot

NAMES = {"views": "post_media_view", "clicks": "post_clicks"}


class Record:
    """Posts of two accounts, and what their platform told of them hour by hour."""

    def __init__(self, store: Store) -> None:
        self.store, self.now = store, NOON
        with store.write() as session:
            self.posts = {
                account: [
                    add_delivery(session, State.SENT, account_id=account, published_at=NOON,
                                 planned_at=NOON + timedelta(minutes=number))
                    for number in range(2)
                ]
                for account in ("dinas", "camat")
            }  # fmt: skip

    def told(self, **views: int | None) -> None:
        """An hour later: by account, the views of its posts; None for a refusal."""
        self.now += HOUR
        with self.store.write() as session:
            for account, count in views.items():
                for post in self.posts[account]:
                    session.add(self.snapshot(post, self.now, count))

    def snapshot(self, post: int, at: datetime, count: int | None) -> Snapshot:
        why = {"views": "refused"} if count is None else {}
        return Snapshot(
            delivery_id=post, taken_at=at, source="api", views=count, likes=1, why=why, names=NAMES, api="v26"
        )

    def news(self) -> list[list[str]]:
        with self.store.write() as session:
            return [[one.name for one in some] for some in retiring.notice(session, self.now)]

    def standing(self) -> list[RetiredMetric]:
        with self.store.read() as session:
            return list(retiring.standing(session))


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(new_store(tmp_path))


def test_it_is_told_once_with_the_platforms_own_name_since_the_first_refusal(record: Record) -> None:
    record.told(dinas=5, camat=7)
    assert record.news() == [[], []]
    record.told(dinas=None, camat=None)
    since = record.now
    record.told(dinas=None, camat=None)
    assert record.news() == [["post_media_view"], []]
    assert record.news() == [[], []]
    (one,) = record.standing()
    assert (one.platform, one.metric, one.api, one.since) == ("fake", "views", "v26", since)


def test_it_is_told_again_only_when_it_is_back(record: Record) -> None:
    record.told(dinas=None, camat=None)
    assert record.news() == [["post_media_view"], []]
    record.told(dinas=9, camat=None)
    assert record.news() == [[], ["post_media_view"]]
    assert record.standing() == []
    record.told(dinas=None, camat=None)
    assert record.news() == [["post_media_view"], []]


@pytest.mark.parametrize("told", [{"dinas": None}, {"dinas": None, "camat": 7}])
def test_one_account_alone_or_too_few_posts_say_nothing_of_the_platform(
    record: Record, told: dict[str, Any]
) -> None:
    for _ in range(3):
        record.told(**told)
    assert record.news() == [[], []]


def test_a_figure_that_is_told_for_one_post_of_a_call_is_not_retired(record: Record) -> None:
    record.told(dinas=None, camat=None)
    with record.store.write() as session:
        extra = add_delivery(session, State.SENT, account_id="dinas", published_at=NOON)
        session.add(record.snapshot(extra, record.now, 4))
    assert record.news() == [[], []]


def test_the_daemon_notices_it_and_status_and_doctor_say_it_in_a_sentence(tmp_path: Path) -> None:
    office = Office(tmp_path / "kantor")
    office.must("db", "upgrade")
    store = open_store(f"sqlite:///{office.state / 'gaung.db'}")
    record = Record(store)
    record.now = datetime.now(UTC) - 2 * HOUR
    record.told(dinas=None, camat=None)
    office.gaung("run", "--once")
    store.close()
    (told,) = office.gaung("status", "--format", "json").json[0]["figures_retired"]
    assert (told["figure"], told["metric"], told["api"]) == ("views", "post_media_view", "v26")
    for command in ("status", "doctor"):
        said = " ".join(office.gaung(command).out.split())
        assert "fake refuses post_media_view (v26) for every post since" in said

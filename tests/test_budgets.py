"""What publishing costs is reserved with the claim, settled with the answer, and held by a monthly budget."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import select

sys.path.insert(0, str(Path(__file__).parent))

from kit.engine import HOUR, MINUTE, NOON, Engine, FakeAdapter, campaign

from adapters.contract import Absent, Found, Json, Limits, Post, Progress, Reach, Receipt
from adapters.errors import AccountHeld, Ambiguous, RateLimited, Rejected, Transient
from scheduler.costs import PriceList
from scheduler.engine.treasury import Payer
from scheduler.states import State
from scheduler.store import budgets, listings, operations, spending
from scheduler.store.database import Store
from scheduler.store.tables import Delivery, charges, deliveries
from scheduler.store.tables import spending as sums

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
DECEMBER = "2026-12"


class Billed(FakeAdapter):
    """A platform that bills: a post 1.00, each further part 0.50, alt text 0.10 before it, figures 0.01."""

    limits: Limits = Limits(text=1000, media=4, threads=True)
    bills: ClassVar[Mapping[str, str]] = {
        "post": "post",
        "part": "part",
        "alt": "alt text",
        "read": "figures",
    }
    billed_reading: ClassVar[str] = "read"

    def billable(self, post: Post) -> Mapping[str, int]:
        acts = {"post": 1, "part": len(post.thread), "alt": len(post.media)}
        return {act: count for act, count in acts.items() if count}

    def billed(self, post: Post, saved: Mapping[str, Json]) -> Mapping[str, int]:
        out, alt = saved.get("out"), saved.get("alt")
        acts = {
            "post": int(isinstance(out, int) and out > 0),
            "part": max(out - 1, 0) if isinstance(out, int) else 0,
            "alt": alt if isinstance(alt, int) else 0,
        }
        return {act: count for act, count in acts.items() if count}


ACTS = {"post": "1.00", "part": "0.50", "alt": "0.10", "read": "0.01"}


def prices(acts: Mapping[str, str] = ACTS, since: date = date(2026, 1, 1)) -> PriceList:
    return PriceList.model_validate({"platform": "fake", "since": since, "currency": "USD", "acts": acts})


def office(
    folder: Path,
    budget: str | None = "10",
    *,
    accounts: tuple[str, ...] = ("dinas",),
    acts: Mapping[str, str] = ACTS,
) -> Engine:
    payer = Payer("fake", None if budget is None else Decimal(budget))
    return Engine(folder, adapter=Billed, payers=dict.fromkeys(accounts, payer), prices=[prices(acts)])


def month(engine: Engine, account: str = "dinas", month: str = DECEMBER) -> dict[str, Any]:
    """What stands in the books of an account."""
    (row,) = [row for row in engine.rows(sums) if (row["account_id"], row["month"]) == (account, month)]
    return row


def spent(engine: Engine) -> tuple[Any, Any]:
    """What is spent and what is reserved."""
    row = month(engine)
    return row["spent"], row["reserved"]


def allow(engine: Engine, amount: str = "0", *, unlimited: bool = False, month: str = DECEMBER) -> None:
    with engine.store.write() as session:
        row = engine.first.treasury.row("dinas", month)
        spending.open_month(session, row)
        spending.allow(
            session,
            row,
            amount=Decimal(amount),
            unlimited=unlimited,
            actor="ani",
            at=engine.clock.now(),
            reason="ok",
        )


M0 = {"m0": [NOON]}


# What an attempt costs.


def test_a_published_post_is_spent_and_while_it_is_on_its_way_it_is_reserved(tmp_path: Path) -> None:
    engine = office(tmp_path)
    engine.apply(campaign(tmp_path))
    engine.first.turn()
    assert spent(engine) == (Decimal(0), Decimal(1))
    engine.first.run()
    engine.work()
    assert spent(engine) == (Decimal(1), Decimal(0))
    (charge,) = engine.rows(charges)
    assert (charge["acts"], charge["amount"], charge["delivery_id"]) == (
        {"post": 1},
        Decimal(1),
        engine.row["id"],
    )


@pytest.mark.parametrize(
    "refusal", [Rejected("no"), RateLimited("wait", until=NOON + HOUR), AccountHeld("credits")]
)
def test_what_was_refused_costs_nothing(tmp_path: Path, refusal: Exception) -> None:
    engine = office(tmp_path)
    engine.platform.answers.append(refusal)
    engine.apply(campaign(tmp_path))
    engine.work()
    assert spent(engine) == (0, 0)
    assert engine.rows(charges) == []


def test_what_was_done_before_a_refusal_is_billed(tmp_path: Path) -> None:
    """X bills alt texts when they are set, before the post."""

    def refuse(_post: Post, progress: Progress) -> Receipt:
        progress.save(alt=2)
        raise Rejected("not this text")

    engine = office(tmp_path)
    engine.platform.answers.append(refuse)
    engine.apply(campaign(tmp_path))
    run_in_threads(engine)
    assert engine.row["state"] == State.FAILED
    assert spent(engine) == (Decimal("0.2"), Decimal(0))


def run_in_threads(engine: Engine) -> None:
    """Let a node work with real threads: an adapter that saves waits for the dispatcher's commit."""
    with ThreadPoolExecutor(2) as executor:
        engine.node("threads", executor=executor, adapter=Billed).serve()


def test_an_uncertain_post_stays_reserved_until_it_is_known(tmp_path: Path) -> None:
    engine = office(tmp_path)
    engine.platform.answers.append(Ambiguous("no answer"))
    engine.apply(campaign(tmp_path))
    engine.work()
    assert engine.row["state"] == State.UNSURE
    assert spent(engine) == (0, Decimal(1))
    engine.platform.looks.append(Found("7", "https://fake.example/7", NOON))
    engine.work(10 * SECOND)
    assert engine.row["state"] == State.SENT
    assert spent(engine) == (Decimal(1), 0)


def test_what_is_certainly_absent_costs_nothing_and_is_reserved_anew(tmp_path: Path) -> None:
    engine = office(tmp_path)
    engine.platform.answers.append(Ambiguous("no answer"))
    engine.platform.looks.append(Absent())
    engine.apply(campaign(tmp_path))
    engine.work()
    engine.work(10 * SECOND)
    assert engine.row["state"] == State.PLANNED
    assert spent(engine) == (0, 0)
    engine.work(MINUTE)
    assert engine.row["state"] == State.SENT
    assert spent(engine) == (Decimal(1), 0)


def test_what_a_person_resolves_is_settled_by_the_next_turn(tmp_path: Path) -> None:
    engine = office(tmp_path)
    engine.platform.answers.append(Ambiguous("no answer"))
    engine.apply(campaign(tmp_path))
    engine.work()
    with engine.store.write() as session:
        operations.resolve_posted(
            session,
            session.get_one(Delivery, engine.row["id"]),
            actor="ani",
            at=NOON,
            remote_id="7",
            permalink="https://fake.example/7",
            reach_at=None,
        )
    engine.turn()
    assert spent(engine) == (Decimal(1), 0)


def test_a_thread_that_breaks_off_is_billed_part_by_part_and_once(tmp_path: Path) -> None:
    def break_off(post: Post, progress: Progress) -> Receipt:
        progress.save(out=2)
        raise Transient("the network")

    engine = office(tmp_path)
    engine.platform.answers.append(break_off)
    engine.apply(campaign(tmp_path, M0, threads={"m0": ["dua", "tiga"]}))
    run_in_threads(engine)
    assert engine.row["state"] == State.PLANNED
    assert spent(engine) == (Decimal("1.5"), 0)
    engine.clock.forward(MINUTE)
    engine.first.turn()
    assert spent(engine) == (Decimal("1.5"), Decimal("0.5")), "only the part that is left"
    engine.first.run()
    engine.work()
    assert engine.row["state"] == State.SENT
    assert spent(engine) == (Decimal(2), 0)


def test_a_part_that_was_refused_for_good_is_not_billed(tmp_path: Path) -> None:
    def short(post: Post, progress: Progress) -> Receipt:
        progress.save(out=2)
        return Receipt("1", "https://fake.example/1", shortfall="part 3: refused")

    engine = office(tmp_path)
    engine.platform.answers.append(short)
    engine.apply(campaign(tmp_path, M0, threads={"m0": ["dua", "tiga"]}))
    run_in_threads(engine)
    assert engine.row["code"] == "incomplete"
    assert spent(engine) == (Decimal("1.5"), 0)


def test_a_late_answer_that_the_post_is_out_is_charged_after_all(tmp_path: Path) -> None:
    engine = office(tmp_path)
    other = engine.node("node-2", adapter=Billed)
    engine.apply(campaign(tmp_path, publish_within="1d"))
    engine.first.turn()  # claimed; the call lies on the desk, and the lease runs out
    other.turn()
    engine.clock.forward(HOUR)
    other.turn()
    assert engine.row["state"] == State.UNSURE
    engine.clock.forward(HOUR)
    engine.platform.looks.append(Absent())
    other.turn()
    other.run()
    other.turn()
    assert spent(engine)[0] == 0
    engine.first.run()
    engine.first.turn()
    assert engine.row["state"] == State.SENT
    assert spent(engine) == (Decimal(1), 0)


def test_figures_are_billed_once_a_utc_day(tmp_path: Path) -> None:
    engine = office(tmp_path)
    engine.platform.figures = lambda _account, ids: {one: Reach(views=1) for one in ids}
    engine.apply(campaign(tmp_path))
    engine.work()
    engine.work(HOUR)
    engine.work()
    assert spent(engine) == (Decimal("1.01"), 0)
    engine.work(5 * HOUR)  # the second age falls on the same day
    engine.work()
    assert len(engine.snapshots) == 2
    assert spent(engine) == (Decimal("1.01"), 0)


def test_acts_without_a_price_are_counted_and_not_taken_for_nothing(tmp_path: Path) -> None:
    engine = office(tmp_path, budget=None, acts={"post": "1.00"})
    engine.apply(campaign(tmp_path, M0, threads={"m0": ["dua", "tiga"]}))
    engine.work()
    row = month(engine)
    assert (row["spent"], row["unpriced"]) == (Decimal(1), 2)


def test_a_charge_belongs_to_the_month_in_which_the_post_was_begun(tmp_path: Path) -> None:
    engine = office(tmp_path)
    engine.clock.at = datetime.fromisoformat("2026-12-31T23:59:59+00:00")
    engine.platform.answers.append(Ambiguous("no answer"))
    engine.apply(campaign(tmp_path, {"jujur": [engine.clock.at]}))
    engine.work()
    engine.platform.looks.append(Found("7", "", engine.clock.at))
    engine.work(10 * SECOND)
    assert engine.row["state"] == State.SENT
    assert month(engine)["spent"] == Decimal(1)
    assert month(engine, month="2027-01")["spent"] == 0


# The budget.


def test_posts_beyond_the_months_budget_are_held(tmp_path: Path) -> None:
    engine = office(tmp_path, budget="2.5")
    engine.apply(campaign(tmp_path, {name: [NOON] for name in ("a", "b", "c")}))
    for _ in range(4):
        engine.work(SECOND)
    assert sorted(engine.states.values()) == [State.PLANNED, State.SENT, State.SENT]
    assert spent(engine) == (Decimal(2), 0)


def test_a_post_that_fills_the_budget_to_the_last_cent_goes_out(tmp_path: Path) -> None:
    engine = office(tmp_path, budget="1")
    engine.apply(campaign(tmp_path))
    engine.work()
    assert engine.row["state"] == State.SENT


def test_a_post_that_is_held_keeps_no_cheaper_one_back(tmp_path: Path) -> None:
    engine = office(tmp_path, budget="1.2")
    engine.apply(campaign(tmp_path, {**M0, "m1": [NOON + MINUTE]}, threads={"m0": ["dua"]}))
    engine.work(2 * MINUTE)
    assert engine.states == {"m0": State.PLANNED, "m1": State.SENT}


def test_the_budget_of_one_account_holds_no_other(tmp_path: Path) -> None:
    engine = office(tmp_path, budget="0", accounts=("dinas",))
    engine.apply(campaign(tmp_path, accounts=("dinas", "camat")))
    engine.work()
    assert engine.states == {"jujur/dinas": State.PLANNED, "jujur/camat": State.SENT}


def test_what_is_reserved_counts(tmp_path: Path) -> None:
    """An uncertain post may be out: its money is not spent a second time."""
    engine = office(tmp_path, budget="1")
    engine.platform.answers.append(Ambiguous("no answer"))
    engine.platform.looks.extend([Ambiguous("nothing to be seen")] * 9)
    engine.apply(campaign(tmp_path, {"a": [NOON], "b": [NOON + MINUTE]}))
    engine.work()
    assert (engine.row_of("a")["state"], spent(engine)) == (State.UNSURE, (0, Decimal(1)))
    engine.work(MINUTE)
    with engine.store.read() as session:
        wanted = select(budgets.over_budget(engine.clock.now())).where(deliveries.c.message_id == "b")
        assert session.execute(wanted).scalar_one()


def test_a_person_allows_more_and_the_post_goes_out(tmp_path: Path) -> None:
    engine = office(tmp_path, budget="0.5")
    engine.apply(campaign(tmp_path))
    engine.work()
    assert engine.row["state"] == State.PLANNED
    allow(engine, "0.5")
    engine.work(SECOND)
    assert engine.row["state"] == State.SENT
    assert month(engine)["allowed"] == Decimal("0.5")


def test_what_is_allowed_for_one_month_counts_in_no_other(tmp_path: Path) -> None:
    engine = office(tmp_path, budget="0")
    allow(engine, "5", month="2027-01")
    engine.apply(campaign(tmp_path))
    engine.work()
    assert engine.row["state"] == State.PLANNED


def test_a_new_month_is_a_new_budget(tmp_path: Path) -> None:
    engine = office(tmp_path, budget="1")
    end = datetime.fromisoformat("2026-12-31T23:30:00+00:00")
    engine.apply(campaign(tmp_path, {"a": [end], "b": [end + 10 * MINUTE]}))
    engine.clock.at = end
    engine.work()
    engine.work(10 * MINUTE)
    assert engine.states == {"a": State.SENT, "b": State.PLANNED}
    engine.work(20 * MINUTE)
    assert engine.states == {"a": State.SENT, "b": State.SENT}
    assert month(engine, month="2027-01")["spent"] == Decimal(1)


def test_a_price_that_is_unknown_holds_the_post_of_an_account_with_a_budget(tmp_path: Path) -> None:
    engine = office(tmp_path, acts={"part": "0.5"})
    engine.apply(campaign(tmp_path))
    engine.work()
    assert engine.row["state"] == State.PLANNED
    allow(engine, unlimited=True)
    engine.work(SECOND)
    assert engine.row["state"] == State.SENT


def test_other_prices_price_the_same_content_anew(tmp_path: Path) -> None:
    """Somebody corrects the configuration and starts the daemon again."""
    first = office(tmp_path, budget="1", acts={"post": "2"})
    first.apply(campaign(tmp_path))
    first.work()
    assert first.row["state"] == State.PLANNED
    second = Engine(
        tmp_path, store=first.store, adapter=Billed, payers=first.payers, prices=[prices({"post": "1"})]
    )
    second.work()
    assert second.row["state"] == State.SENT


def test_another_budget_in_the_configuration_counts_from_the_next_start(tmp_path: Path) -> None:
    first = office(tmp_path, budget="0")
    first.apply(campaign(tmp_path))
    first.work()
    second = Engine(
        tmp_path,
        store=first.store,
        adapter=Billed,
        payers={"dinas": Payer("fake", Decimal(5))},
        prices=[prices()],
    )
    second.work()
    assert second.row["state"] == State.SENT
    assert month(second)["budget"] == Decimal(5)


def test_an_edited_text_is_priced_anew(tmp_path: Path) -> None:
    engine = office(tmp_path, budget="1")
    engine.apply(campaign(tmp_path, M0, threads={"m0": ["dua"]}))
    engine.work()
    assert engine.row["state"] == State.PLANNED
    engine.apply(campaign(tmp_path, M0))
    engine.work()
    assert engine.row["state"] == State.SENT


def test_a_thread_that_has_begun_is_finished(tmp_path: Path) -> None:
    def break_off(_post: Post, progress: Progress) -> Receipt:
        progress.save(out=1)
        raise Transient("the network")

    engine = office(tmp_path, budget="1.5")
    engine.platform.answers.append(break_off)
    engine.apply(campaign(tmp_path, M0, threads={"m0": ["dua"]}))
    run_in_threads(engine)
    with engine.store.write() as session:
        session.connection().execute(sums.update().values(budget=Decimal("0.1")))
    lower = Engine(
        tmp_path,
        store=engine.store,
        adapter=Billed,
        payers={"dinas": Payer("fake", Decimal("0.1"))},
        prices=[prices()],
    )
    lower.clock.at = NOON + MINUTE
    lower.work()
    assert lower.row["state"] == State.SENT


def test_what_the_budget_held_past_its_time_is_put_to_a_person_even_if_the_campaign_skips(
    tmp_path: Path,
) -> None:
    engine = office(tmp_path, budget="0")
    engine.apply(campaign(tmp_path, publish_within="10m", if_missed="skip"))
    engine.work()
    engine.work(11 * MINUTE)
    assert (engine.row["state"], engine.row["code"]) == (State.REVIEW, "over-budget")


def test_without_a_budget_nothing_is_held(tmp_path: Path) -> None:
    engine = office(tmp_path, budget=None)
    engine.apply(campaign(tmp_path, {name: [NOON] for name in ("a", "b", "c")}))
    for _ in range(3):
        engine.work(SECOND)
    assert set(engine.states.values()) == {State.SENT}
    assert spent(engine) == (Decimal(3), 0)


def test_sums_and_charges_agree_after_everything(tmp_path: Path) -> None:
    engine = office(tmp_path, budget="100")
    engine.platform.answers.extend(
        [Ambiguous("?"), None, Rejected("no"), None, Transient("later"), None, None]
    )
    engine.apply(campaign(tmp_path, {f"m{n}": [NOON + n * MINUTE] for n in range(5)}))
    for _ in range(20):
        engine.work(MINUTE)
    row = month(engine)
    closed = [one for one in engine.rows(charges) if one["closed_at"]]
    still = [one for one in engine.rows(charges) if not one["closed_at"]]
    assert row["spent"] == sum(one["amount"] for one in closed)
    assert row["reserved"] == sum(one["amount"] for one in still)
    assert len(engine.platform.posts) == sum(one["acts"].get("post", 0) for one in closed)


def test_it_is_the_same_on_postgresql(postgres_store: Store, tmp_path: Path) -> None:
    payers = {"dinas": Payer("fake", Decimal("2.5"))}
    engine = Engine(tmp_path, store=postgres_store, adapter=Billed, payers=payers, prices=[prices()])
    times = {"a": [NOON], "b": [NOON], "c": [NOON]}
    engine.apply(campaign(tmp_path, times, threads={"a": ["dua"]}))
    for _ in range(4):
        engine.work(SECOND)
    assert engine.states == {"a": State.SENT, "b": State.SENT, "c": State.PLANNED}
    assert (*spent(engine), month(engine)["budget"]) == (Decimal("2.5"), 0, Decimal("2.5"))
    with engine.store.read() as session:
        assert listings.over_budget(session, engine.clock.now()) == {"dinas": 1}
    allow(engine, "1")
    engine.work(SECOND)
    assert engine.states["c"] == State.SENT
    assert spent(engine) == (Decimal("3.5"), 0)

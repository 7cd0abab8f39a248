"""Windows: when a post waits, moves or is warned of, and that none is lost by it.

First the pure rules, then the dispatcher on a real database with a clock that is moved by hand; in both
Hypothesis looks for a rule under which a post goes out inside a hard window, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit.engine import HORIZON, HOUR, MINUTE, NOON, Engine, campaign
from pydantic import ValidationError

from campaigns import checking
from campaigns.files import Loaded
from campaigns.planning import plan
from campaigns.timetable import parse_slot, to_local, to_utc
from campaigns.windows import Allowed, Place, Rule, Verdict, Windows, combined
from scheduler.engine import applying
from scheduler.errors import StoreError
from scheduler.states import State
from scheduler.store import windowing
from scheduler.store.database import Store
from scheduler.store.tables import WindowSet, audit

DAY = timedelta(days=1)
ANY = Place("hakordia", "dinas")
#: 11 December 2026 is a Friday.
FRIDAY = datetime(2026, 12, 11, 12, 0)  # noqa: DTZ001 -- wall-clock times have no zone
DECEMBER = Allowed(date(2026, 12, 1), date(2026, 12, 31))


def rule(kind: str = "office", **keys: Any) -> Rule:
    return Rule.model_validate({"id": keys.pop("id", kind), "kind": kind, **keys})


def verdict(*rules: Rule, at: datetime = FRIDAY, place: Place = ANY, allowed: Allowed = DECEMBER) -> Verdict:
    return Windows(rules=rules).verdict(place, at, "WIB", allowed)


def at(hour: int, minute: int = 0, day: int = 11) -> datetime:
    return datetime(2026, 12, day, hour, minute)  # noqa: DTZ001


# The rules.


def test_friday_prayer_is_warned_of_unless_the_office_says_otherwise() -> None:
    assert combined(()).verdict(ANY, FRIDAY, "WIB", DECEMBER) == Verdict(warns=("friday-prayer",))
    assert combined(()).verdict(ANY, at(13), "WIB", DECEMBER) == Verdict()
    assert combined(()).verdict(ANY, at(12, day=10), "WIB", DECEMBER) == Verdict()
    hard = rule("friday-prayer", days=["jumat"], times=["11:30-13:00"], effect="move")
    assert combined([hard]).verdict(ANY, FRIDAY, "WIB", DECEMBER).moved_to == at(13)
    off = rule("friday-prayer", effect="off")
    assert combined([off]).verdict(ANY, FRIDAY, "WIB", DECEMBER) == Verdict()


def test_a_hard_window_moves_a_post_to_the_next_slot_of_its_campaign() -> None:
    slots = tuple(parse_slot(slot) for slot in ("friday 07:30", "friday 12:30", "saturday 09:00"))
    window = rule("quiet-hours", times=["11:30-13:00"])
    found = verdict(window, allowed=replace(DECEMBER, slots=slots))
    assert found == Verdict("quiet-hours", "move", at(9, day=12))


def test_without_slots_it_moves_to_the_end_of_the_window() -> None:
    assert verdict(rule("quiet-hours", times=["21:00-05:00"]), at=at(23)).moved_to == at(5, day=12)
    assert verdict(rule("quiet-hours", times=["21:00-05:00"]), at=at(4)).moved_to == at(5)
    assert verdict(rule("quiet-hours", times=["21:00-05:00"]), at=at(5)).effect == ""


def test_windows_that_follow_each_other_are_passed_together() -> None:
    night, morning = rule("quiet-hours", times=["21:00-05:00"]), rule(times=["05:00-08:00"], effect="move")
    assert verdict(night, morning, at=at(23)).moved_to == at(8, day=12)


def test_what_holds_wins_over_what_moves_and_still_proposes_a_slot() -> None:
    mourning = rule("mourning", start="2026-12-11", end="2026-12-13", source="Surat Setneg B-7/2026")
    found = verdict(rule("quiet-hours", times=["11:30-13:00"]), mourning)
    assert (found.rule, found.effect, found.slot) == ("mourning", "hold", at(0, day=14))
    assert found.moved_to is None


def test_a_campaign_that_ends_within_the_window_has_no_slot_left_and_the_post_is_held() -> None:
    window = rule(start="2026-12-11", end="2027-01-10", effect="move")
    assert verdict(window) == Verdict("office", "hold", None)


def test_holidays_and_joint_leave_come_from_the_calendar_with_both_categories() -> None:
    rules = (rule("holiday", effect="move"), rule("joint-leave", effect="move"))
    christmas = verdict(*rules, at=at(8, day=25))
    assert (christmas.rule, christmas.slot) == ("holiday", at(0, day=26))
    eve = verdict(*rules, at=at(8, day=24))
    assert (eve.rule, eve.slot) == ("joint-leave", at(0, day=26))


def test_the_office_corrects_the_calendar_by_days_that_it_has_signed_off() -> None:
    holiday = rule("holiday", effect="move")
    works = rule("working-day", start="2026-12-25")
    assert verdict(holiday, works, at=at(8, day=25)) == Verdict()
    own = rule("holiday", id="hari-jadi", start="2026-12-16", effect="move")
    assert verdict(holiday, own, at=at(8, day=16)).rule == "hari-jadi"


@pytest.mark.parametrize(
    ("scope", "place"),
    [
        ({"campaigns": ["hakordia"]}, Place("hakordia", "dinas")),
        ({"accounts": ["camat"]}, Place("hakordia", "camat")),
        ({"agencies": ["Kecamatan"]}, Place("hakordia", "camat", agency="Kecamatan")),
        ({"regions": ["Bandung"]}, Place("hakordia", "camat", region="Bandung")),
        ({"platforms": ["x"]}, Place("hakordia", "dinas", platform="x")),
        ({"candidates": True}, Place("hakordia", "dinas", message_class="candidate")),
    ],
)
def test_a_rule_concerns_its_scope_and_nobody_else(scope: dict[str, Any], place: Place) -> None:
    window = rule(times=["11:30-13:00"], **scope)
    assert verdict(window, place=place).effect == "hold"
    assert verdict(window, place=Place("lain", "lain")).effect == ""


def test_urgent_messages_pass_unless_the_rule_says_otherwise() -> None:
    urgent = replace(ANY, message_class="urgent")
    assert verdict(rule(times=["11:30-13:00"]), place=urgent).effect == ""
    assert verdict(rule(times=["11:30-13:00"], except_urgent=False), place=urgent).effect == "hold"


@pytest.mark.parametrize(
    "keys",
    [
        {"kind": "office"},
        {"kind": "mourning"},
        {"kind": "quiet-hours", "times": ["25:00-05:00"]},
        {"kind": "quiet-hours", "times": ["21:00-05:00"], "days": ["jumatan"]},
        {"kind": "election", "start": "2026-12-11", "end": "2026-12-01"},
        {"kind": "election", "start": "2026-12-11", "effect": "maybe"},
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Rule.model_validate({"id": "a", **keys})


def test_check_names_the_rule_and_how_many_times_fall_into_it(tmp_path: Path) -> None:
    loaded = campaign(tmp_path, {"jujur": [NOON, NOON + DAY]})
    (problem,) = checking.objections(loaded, Windows(rules=(rule(times=["11:00-13:00"]),)))
    assert (problem.code, problem.item, problem.values["count"]) == ("window-holds", "jujur", 2)


# Hypothesis over the rules alone.

KINDS = st.sampled_from(["quiet-hours", "friday-prayer", "office", "holiday", "joint-leave", "mourning"])
CLOCK = st.integers(0, 47).map(lambda half: f"{half // 2:02d}:{half % 2 * 30:02d}")
DAYS = st.sampled_from(["senin", "jumat", "sabtu", "daily", "hari kerja"])
FIRST = st.dates(date(2026, 3, 20), date(2026, 4, 2))


@st.composite
def rules(draw: st.DrawFn, number: int, effects: tuple[str, ...] = ("hold", "move", "warn")) -> Rule:
    kind = draw(KINDS)
    keys: dict[str, Any] = {"kind": kind, "effect": draw(st.sampled_from(effects))}
    keys["times"] = draw(st.lists(st.tuples(CLOCK, CLOCK).map("-".join), max_size=2))
    if kind in {"quiet-hours", "friday-prayer", "office"}:
        keys["days"] = draw(st.lists(DAYS, max_size=2)) or ["daily"]
    if kind == "mourning" or draw(st.booleans()):
        keys["start"] = draw(FIRST)
        keys["end"] = keys["start"] + draw(st.integers(0, 5)) * DAY
    return Rule.model_validate({"id": f"rule-{number}", **keys})


WINDOWS = st.integers(0, 4).flatmap(
    lambda count: st.tuples(*(rules(number) for number in range(count))).map(lambda some: Windows(rules=some))
)
#: Berlin changes its clock on 29 March 2026, in the middle of the campaign.
ZONES = st.sampled_from(["WIB", "WIT", "Europe/Berlin"])


@st.composite
def campaigns(draw: st.DrawFn, days: int = 12) -> Loaded:
    start = draw(FIRST)
    end = start + draw(st.integers(0, days)) * DAY
    slots = draw(st.lists(st.tuples(DAYS, CLOCK).map(" ".join), max_size=4))
    moments = st.datetimes(datetime.combine(start, time.min), datetime.combine(end, time.max))
    ats = draw(
        st.lists(moments.map(lambda one: one.replace(second=0, microsecond=0)), min_size=1, max_size=3)
    )
    loaded = campaign(Path(), {"jujur": [NOON]})
    messages = [{"id": "jujur", "text": "Jujur", "at": sorted(set(ats))}]
    messages += [{"id": "adil", "text": "Adil"}] if slots else []
    definition = {
        **loaded.campaign.model_dump(),
        "zone": draw(ZONES),
        "start": start,
        "end": end,
        "slots": slots,
        "messages": messages,
    }
    return replace(loaded, campaign=type(loaded.campaign).model_validate(definition))


@given(campaigns(), WINDOWS)
@settings(max_examples=150, deadline=None)
def test_no_post_is_planned_inside_a_hard_window_and_none_is_lost(loaded: Loaded, windows: Windows) -> None:
    until = to_utc(datetime.combine(loaded.campaign.end, time.max), "UTC") + 2 * DAY
    free = plan(loaded, until)
    ruled = plan(loaded, until, windows)
    assert [post.key for post in ruled] == [post.key for post in free]
    assert [post.planned_at for post in ruled] == [post.planned_at for post in free]
    for post in ruled:
        local = to_local(post.allowed_at, loaded.campaign.zone).replace(tzinfo=None)
        inside = [one.id for one in windows.at(local) if one.hard]
        if post.verdict.effect == "hold":
            assert post.verdict.rule in inside
            assert post.allowed_at == post.planned_at
        else:
            assert inside == []
            assert post.allowed_at >= post.planned_at
        assert (post.verdict.effect == "move") == (post.allowed_at != post.planned_at)


# In the dispatcher. Its campaigns are in UTC, and NOON is at noon on 9 December 2026, a Wednesday.


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(tmp_path)
    yield engine
    engine.store.close()


def put(engine: Engine, *rules: Rule) -> bool:
    return applying.put_windows(
        engine.store, Windows(rules=rules), actor="ani", now=engine.clock.now(), horizon=HORIZON
    )


LUNCH = rule("quiet-hours", times=["11:30-13:00"])


def test_a_moved_post_goes_out_at_the_slot_it_was_moved_to(engine: Engine) -> None:
    put(engine, LUNCH)
    engine.apply(campaign(engine.folder))
    row = engine.row
    assert (row["planned_at"], row["allowed_at"], row["window_rule"]) == (NOON, NOON + HOUR, "quiet-hours")
    engine.work(59 * MINUTE)
    assert engine.platform.published == []
    engine.work(MINUTE)
    assert engine.states == {"jujur": State.SENT}


def test_a_window_that_appears_and_goes_makes_no_second_post_and_loses_none(engine: Engine) -> None:
    engine.clock.at = NOON - HOUR
    loaded = campaign(engine.folder)
    engine.apply(loaded)
    key = engine.row["key"]
    assert put(engine, LUNCH)
    assert (engine.row["key"], engine.row["allowed_at"]) == (key, NOON + HOUR)
    engine.apply(loaded)
    assert engine.row["allowed_at"] == NOON + HOUR
    assert put(engine)
    assert (engine.row["key"], engine.row["allowed_at"]) == (key, NOON)
    assert not put(engine)
    engine.work(HOUR)
    engine.work(HOUR)
    assert len(engine.platform.published) == 1


def test_a_rule_that_goes_when_the_slot_has_passed_leaves_the_post_where_it_was_moved(engine: Engine) -> None:
    """Given a post moved from noon to one, a rule that is taken back at half past twelve sends nothing."""
    engine.clock.at = NOON - HOUR
    put(engine, LUNCH)
    loaded = campaign(engine.folder, texts={"jujur": "Lama"})
    engine.apply(loaded)
    engine.clock.at = NOON + 30 * MINUTE
    put(engine)
    engine.apply(campaign(engine.folder, texts={"jujur": "Baru"}))
    engine.work()
    assert engine.platform.published == []
    engine.work(30 * MINUTE)
    assert engine.platform.texts == [("dinas", "Baru")]


def test_what_a_window_holds_keeps_nothing_else_of_its_account_back(engine: Engine) -> None:
    put(engine, rule(times=["11:30-23:00"], campaigns=["hakordia"]))
    engine.apply(campaign(engine.folder))
    engine.apply(campaign(engine.folder, {"adil": [NOON + MINUTE]}, id_="lain"))
    engine.approve("lain")
    engine.work(MINUTE)
    assert engine.platform.texts == [("dinas", "Pesan adil")]


def test_mourning_that_is_declared_today_holds_what_is_due_today(engine: Engine) -> None:
    """Given posts that are planned and approved, a rule put into force before their time holds them."""
    engine.apply(campaign(engine.folder, {"jujur": [NOON]}))
    engine.apply(campaign(engine.folder, {"banjir": [NOON]}, id_="darurat", accounts=("camat",)))
    engine.approve("darurat")
    put(engine, rule("mourning", start="2026-12-09", agencies=["Dinas dinas"]))
    engine.work(3 * HOUR)
    assert {row["message_id"]: row["state"] for row in engine.rows()} == {
        "jujur": "review",
        "banjir": "review",
    }
    assert engine.row_of("jujur")["code"] == "window"
    assert engine.row_of("banjir")["code"] == "too-late"


def test_windows_that_nobody_can_read_let_nothing_out(engine: Engine) -> None:
    """As a version of Gaung finds them that knows less than the one by which they were applied."""
    engine.apply(campaign(engine.folder))
    with engine.store.write() as session:
        session.add(
            WindowSet(definition='{"rules": [{"kind": "eclipse"}]}', applied_at=NOON, applied_by="ani")
        )
    with pytest.raises(StoreError, match="cannot read the windows"):
        engine.turn()
    assert (engine.platform.posts, engine.states) == ([], {"jujur": State.PLANNED})


def test_what_a_window_held_longer_than_allowed_is_put_to_a_person_and_never_bursts(engine: Engine) -> None:
    times = {f"pesan-{n}": [NOON + n * MINUTE] for n in range(5)}
    engine.apply(campaign(engine.folder, times, publish_within="30m", if_missed="skip"))
    put(engine, rule("mourning", start="2026-12-09"))
    for _ in range(30):
        engine.work(HOUR)
    assert set(engine.states.values()) == {State.REVIEW}
    assert engine.platform.published == []


def test_the_daemon_wakes_when_the_window_ends(engine: Engine) -> None:
    engine.apply(campaign(engine.folder))
    put(engine, rule(times=["11:30-13:00"]))
    assert engine.turn() == NOON + HOUR
    engine.work(HOUR)
    assert engine.states == {"jujur": State.SENT}


def test_the_hold_of_a_window_is_by_the_local_time_of_each_campaign(engine: Engine) -> None:
    """Given one rule for noon, at noon in Jakarta a campaign of Jayapura goes out."""
    engine.clock.at = to_utc(datetime(2026, 12, 9, 12, 0), "WIB")  # noqa: DTZ001
    put(engine, rule(times=["11:30-13:00"]))
    for zone, account in (("WIB", "jakarta"), ("WIT", "jayapura")):
        slot = to_local(engine.clock.at, zone)
        loaded = campaign(engine.folder, {"jujur": [slot]}, id_=account, accounts=(account,))
        inside = loaded.campaign.model_copy(update={"zone": zone})
        engine.apply(replace(loaded, campaign=inside))
        engine.approve(account)
    engine.work()
    assert engine.platform.published == [("jayapura", "Pesan jujur")]


def test_a_held_post_is_overdue_just_after_its_time_not_a_day_later(engine: Engine) -> None:
    """Given a daemon that wakes at the very instant at which a post expires, it wakes again just after."""
    put(engine, rule("quiet-hours", effect="hold", days=["daily"]))
    engine.apply(campaign(engine.folder, publish_within="2h"))
    engine.approve()
    engine.clock.at = NOON + 2 * HOUR
    next_due = engine.turn()
    assert [row["state"] for row in engine.rows()] == [State.PLANNED]
    assert next_due is not None
    assert NOON + 2 * HOUR < next_due < NOON + 2 * HOUR + MINUTE
    engine.clock.at = next_due
    engine.turn()
    assert [(row["state"], row["code"]) for row in engine.rows()] == [(State.REVIEW, "window")]


@given(data=st.data())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_under_any_rules_none_goes_out_inside_a_hard_window_and_none_is_lost(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Rules come and go while a clock runs over the campaign, from one thing that is due to the next."""
    folder = tmp_path_factory.mktemp("windows")
    engine = Engine(folder)
    try:
        loaded = data.draw(campaigns(days=3))
        zone = loaded.campaign.zone
        start = to_utc(datetime.combine(loaded.campaign.start, time.min), zone)
        engine.clock.at = start
        windows = data.draw(WINDOWS)
        changes = data.draw(st.dictionaries(st.integers(0, 20), WINDOWS, max_size=2))
        put(engine, *windows.rules)
        engine.apply(loaded)
        keys = sorted(row["key"] for row in engine.rows())
        last = to_utc(datetime.combine(loaded.campaign.end, time.max), zone) + 4 * HOUR
        step = 0
        while engine.clock.at < last:
            if step in changes:
                windows = changes[step]
                put(engine, *windows.rules)
            sent = len(engine.platform.posts)
            next_due = engine.turn()
            while engine.first.dispatcher.in_flight:
                next_due = engine.turn()
            for _account, _post, moment in engine.platform.posts[sent:]:
                local = to_local(moment, zone).replace(tzinfo=None)
                assert not [one for one in windows.at(local) if one.hard]
            engine.clock.at = min(next_due or last, engine.clock.at + 6 * HOUR)
            step += 1
        found = engine.rows()
        assert sorted(row["key"] for row in found) == keys
        assert {row["state"] for row in found} <= {State.SENT, State.REVIEW}
        assert len(engine.platform.posts) == sum(row["state"] == State.SENT for row in found)
    finally:
        engine.store.close()


def test_a_clock_that_is_set_back_into_a_window_is_held_by_it(engine: Engine) -> None:
    put(engine, rule(times=["11:30-13:00"]))
    engine.apply(campaign(engine.folder, {"jujur": [NOON], "adil": [NOON + MINUTE]}, publish_within="1d"))
    engine.clock.at = NOON + 10 * MINUTE
    engine.work()
    engine.work(-15 * MINUTE)
    engine.work(15 * MINUTE)
    assert engine.platform.published == []
    engine.clock.at = NOON + HOUR
    engine.work()
    engine.work(-30 * MINUTE)
    assert len(engine.platform.published) == len(set(engine.platform.published))


def test_windows_hold_on_postgresql_as_well(postgres_store: Store, tmp_path: Path) -> None:
    engine = Engine(tmp_path, store=postgres_store)
    put(engine, rule(times=["11:30-13:00"], agencies=["Dinas dinas"]))
    engine.apply(campaign(engine.folder, accounts=("dinas",), publish_within="30m", if_missed="skip"))
    engine.work()
    assert engine.platform.published == []
    engine.work(45 * MINUTE)
    assert (engine.row["state"], engine.row["code"]) == (State.REVIEW, "window")


def test_windows_are_kept_with_who_applied_them(engine: Engine) -> None:
    put(engine, LUNCH)
    put(engine)
    with engine.store.read() as session:
        assert windowing.current(session) == Windows()
    events = [row for row in engine.rows(audit) if row["action"] == "windows_applied"]
    assert [(row["actor"], row["detail"]) for row in events] == [
        ("ani", {"new": ["quiet-hours"]}),
        ("ani", {"gone": ["quiet-hours"]}),
    ]

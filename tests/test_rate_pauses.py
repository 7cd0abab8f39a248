"""Accounts that pause ahead of a refusal: what the rate headers of an accepted call say is believed.

Each platform's own headers (PLATFORMS.md), on the answers of its loopback server, through the real adapter
and the real dispatcher into the account's row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kit.engine import HOUR, MINUTE, NOON, Engine, campaign
from kit.house import House
from kit.office import Office
from servers.loopback import Answer

from adapters.contract import RatePause
from adapters.errors import AdapterError, Ambiguous, Rejected
from scheduler.states import State
from scheduler.store import account_states
from scheduler.store.database import open_store
from scheduler.store.tables import accounts

#: How long each test's headers ask to pause.
PAUSE = timedelta(minutes=7)
ON_META = '{"call_count":100,"total_time":12,"total_cputime":3}'


def _business(minutes: int) -> str:
    entry = f'"call_count":100,"total_time":1,"total_cputime":1,"estimated_time_to_regain_access":{minutes}'
    return f'{{"17841400000000001":[{{"type":"pages",{entry}}}]}}'


def _unix(at: datetime) -> str:
    return str(int(at.timestamp()))


def _x(until: datetime, remaining: str) -> dict[str, str]:
    return {
        "x-rate-limit-limit": "100",
        "x-rate-limit-remaining": remaining,
        "x-rate-limit-reset": _unix(until),
    }


def _meta(_until: datetime, remaining: str) -> dict[str, str]:
    used = _business(7)
    return {"X-Business-Use-Case-Usage": used if remaining == "0" else used.replace("100", "99")}


def _mastodon(until: datetime, remaining: str) -> dict[str, str]:
    iso = until.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": remaining, "X-RateLimit-Reset": iso}


def _bluesky(until: datetime, remaining: str) -> dict[str, str]:
    return {
        "ratelimit-limit": "5000",
        "ratelimit-remaining": remaining,
        "ratelimit-reset": _unix(until),
        "ratelimit-policy": "5000;w=3600",
    }


#: Every platform whose accepted answers tell of limits. Telegram tells only when it refuses.
HEADERS: Mapping[str, Callable[[datetime, str], dict[str, str]]] = {
    "x": _x,
    "facebook": _meta,
    "instagram": _meta,
    "threads": _meta,
    "mastodon": _mastodon,
    "bluesky": _bluesky,
}
EACH = pytest.mark.parametrize("platform", HEADERS)


def _pauses(home: House) -> dict[str, datetime]:
    rows = home.engine.rows(accounts)
    return {row["account_id"]: row["not_before"] for row in rows if row["not_before"]}


@EACH
def test_the_last_call_of_a_window_pauses_the_account_until_it_begins_anew(
    house: Callable[..., House], platform: str
) -> None:
    """Given a post accepted with the last call allowed, the next one waits and meets no refusal."""
    home = house(platform)
    home.side.loopback.headers = HEADERS[platform](home.start + PAUSE, "0")
    home.publish()
    assert home.row["state"] == State.SENT
    assert _pauses(home) == {platform: home.start + PAUSE}

    home.side.loopback.headers = {}
    tries = home.side.tries
    home.engine.apply(home.campaign("Yang kedua.", id_="kedua"))
    home.work(PAUSE - MINUTE)
    assert home.side.tries == tries
    home.work(MINUTE)
    assert home.side.tries > tries
    assert {row["state"] for row in home.engine.rows()} == {State.SENT}


@EACH
def test_while_calls_remain_nothing_pauses(house: Callable[..., House], platform: str) -> None:
    home = house(platform)
    home.side.loopback.headers = HEADERS[platform](home.start + PAUSE, "1")
    home.publish()
    assert home.row["state"] == State.SENT
    assert _pauses(home) == {}


@EACH
@pytest.mark.parametrize("said", ["0", "besok", "99999999999999999999", "-5"])
def test_headers_that_make_no_sense_pause_nothing_and_break_nothing(
    house: Callable[..., House], platform: str, said: str
) -> None:
    home = house(platform)
    made = HEADERS[platform](home.start + PAUSE, "0")
    home.side.loopback.headers = {
        name: said if name.lower().endswith(("reset", "usage")) else value for name, value in made.items()
    }
    home.publish()
    assert home.row["state"] == State.SENT
    assert _pauses(home) == {}


def test_telegram_names_its_pause_when_it_refuses(house: Callable[..., House]) -> None:
    """Telegram has no rate headers: ``retry_after`` comes with the refusal, and holds the account."""
    home = house("telegram")
    home.side.instead(
        home.side.publishing,
        Answer(
            429,
            {
                "ok": False,
                "error_code": 429,
                "description": "Too Many Requests: retry after 420",
                "parameters": {"retry_after": 420},
            },
        ),
    )
    home.publish()
    assert (home.row["state"], home.row["attempts"]) == (State.PLANNED, 0)
    assert _pauses(home) == {"telegram": home.start + PAUSE}
    home.work(PAUSE)
    assert (home.row["state"], home.side.tries) == (State.SENT, 2)
    home.whole(home.side)


def test_reading_on_x_may_be_used_up_while_posting_goes_on(house: Callable[..., House]) -> None:
    """X counts each endpoint apart: figures that may not be asked for now are no reason not to post."""
    home = house("x")
    home.publish()
    home.side.loopback.headers = _x(home.start + 2 * HOUR, "0")
    home.work(HOUR)
    assert home.side.calls(("GET", "/2/tweets")) == 1
    assert _pauses(home) == {}


def test_a_new_session_on_bluesky_is_counted_apart(house: Callable[..., House]) -> None:
    """Bluesky allows 30 sessions in five minutes: the last of them may still post."""
    home = house("bluesky")
    home.side.state.session_headers = _bluesky(home.start + PAUSE, "0")
    home.publish()
    assert home.row["state"] == State.SENT
    assert _pauses(home) == {}


@pytest.mark.parametrize(
    ("headers", "until"),
    [
        pytest.param({"X-App-Usage": ON_META}, 10 * MINUTE, id="no word of when: a breath, then ask again"),
        pytest.param(
            {"X-App-Usage": ON_META, "X-Business-Use-Case-Usage": _business(7)}, PAUSE, id="named by Meta"
        ),
    ],
)
def test_the_limit_of_an_app_holds_every_account_of_it(
    house: Callable[..., House], headers: dict[str, str], until: timedelta
) -> None:
    """X-App-Usage counts the calls of all accounts of the app together."""
    home = house("facebook")
    home.siblings = ["facebook", "halaman-dua"]
    home.side.loopback.headers = headers
    home.publish()
    assert _pauses(home) == dict.fromkeys(("facebook", "halaman-dua"), home.start + until)


def test_the_day_of_an_app_on_x_holds_every_account_of_it(house: Callable[..., House]) -> None:
    home = house("x")
    home.siblings = ["x", "x-dua"]
    home.side.loopback.headers = {
        **_x(home.start + MINUTE, "57"),
        "x-app-limit-24hour-remaining": "0",
        "x-app-limit-24hour-reset": _unix(home.start + 5 * HOUR),
        "x-user-limit-24hour-remaining": "0",
        "x-user-limit-24hour-reset": _unix(home.start + 2 * HOUR),
    }
    home.publish()
    assert _pauses(home) == dict.fromkeys(("x", "x-dua"), home.start + 5 * HOUR)


# What the engine makes of it, whoever asks for the pause


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(tmp_path)
    yield engine
    engine.store.close()


def _not_before(engine: Engine) -> datetime | None:
    rows = engine.rows(accounts)
    found: datetime | None = rows[0]["not_before"] if rows else None
    return found


def test_a_shorter_pause_never_cuts_a_longer_one_short(engine: Engine) -> None:
    engine.apply(campaign(engine.folder, {"satu": [NOON], "dua": [NOON + MINUTE]}))
    with engine.store.write() as session:
        account_states.pause_account(session, "dinas", NOON + HOUR)
    for until, expected in ((NOON + MINUTE, HOUR), (NOON + 2 * HOUR, 2 * HOUR)):
        with engine.store.write() as session:
            account_states.pause_account(session, "dinas", until)
        assert _not_before(engine) == NOON + expected


@pytest.mark.parametrize(
    "said",
    [RatePause(NOON), RatePause(NOON - HOUR), RatePause(datetime(2030, 1, 1)), "1 jam"],  # noqa: DTZ001
    ids=["now", "over", "without a zone", "no pause at all"],
)
def test_a_pause_that_is_none_holds_nothing(engine: Engine, said: Any) -> None:
    """A stranger's adapter may say anything: the post that it confirmed is out all the same."""
    engine.platform.pause = said
    engine.apply(campaign(engine.folder))
    engine.work()
    assert engine.states == {"jujur": State.SENT}
    assert _not_before(engine) is None


@pytest.mark.parametrize("error", [Ambiguous("lost"), Rejected("no")], ids=lambda error: str(error.kind))
def test_a_pause_holds_whatever_became_of_the_call(engine: Engine, error: AdapterError) -> None:
    engine.platform.pause = RatePause(NOON + HOUR)
    engine.platform.answers.append(error)
    engine.apply(campaign(engine.folder))
    engine.work()
    assert _not_before(engine) == NOON + HOUR


def test_a_pause_told_when_a_post_is_looked_for_holds(engine: Engine) -> None:
    engine.apply(campaign(engine.folder))
    engine.platform.answers.append(Ambiguous("lost"))
    engine.work()
    engine.platform.pause = RatePause(NOON + 40 * MINUTE)
    engine.work(MINUTE)
    assert engine.platform.looked
    assert _not_before(engine) == NOON + 40 * MINUTE


def test_a_pause_told_with_figures_holds(engine: Engine) -> None:
    engine.apply(campaign(engine.folder))
    engine.work()
    engine.platform.pause = RatePause(NOON + 30 * HOUR)
    engine.work(HOUR)
    assert engine.platform.measured
    assert _not_before(engine) == NOON + 30 * HOUR


def test_a_pausing_account_is_not_asked_for_figures_either(engine: Engine) -> None:
    """Given a pause over the time of the figures, they are asked for at its end, without a further turn."""
    engine.apply(campaign(engine.folder))
    engine.platform.pause = RatePause(NOON + 2 * HOUR)
    engine.work()
    engine.platform.pause = None
    engine.work(HOUR)
    assert engine.platform.measured == []
    assert engine.turn() == NOON + 2 * HOUR
    engine.work(HOUR)
    assert len(engine.platform.measured) == 1


# What the office sees of it


FULL = "The platform's posts of 24 hours are used up."


@pytest.mark.parametrize(
    ("lang", "words", "why"),
    [
        ("en", "dinas: until", FULL),
        ("id", "dinas: sampai", "Jatah unggahan 24 jam di platform ini sudah habis."),
    ],
)
def test_status_and_the_accounts_say_until_when_and_why_a_platform_asks_to_pause(
    tmp_path: Path, lang: str, words: str, why: str
) -> None:
    office = Office(tmp_path / "kantor", lang=lang)
    office.must("db", "upgrade")
    until = datetime.now(UTC) + HOUR
    with closing(open_store(f"sqlite:///{office.state / 'gaung.db'}")) as store, store.write() as session:
        account_states.pause_account(session, "dinas", until, FULL)
    assert words in office.must("status").out
    assert why in office.must("status").out
    assert why[:20] in office.must("accounts", "list").out
    told = office.must("status", "--format", "json").json[0]["accounts_paused"]
    (paused, other) = office.must("accounts", "list", "--format", "json").json
    assert told == {"dinas": paused["paused_until"]}
    assert paused["paused_until"] is not None
    assert datetime.fromisoformat(paused["paused_until"]) == until.replace(microsecond=0)
    assert other["paused_until"] is None
    with closing(open_store(f"sqlite:///{office.state / 'gaung.db'}")) as store, store.write() as session:
        account_states._account(session, "dinas", not_before=datetime.now(UTC) - HOUR)
    assert words not in office.must("status").out
    assert office.must("accounts", "list", "--format", "json").json[0]["paused_until"] is None

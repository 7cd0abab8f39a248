"""A limit of an app holds every account of that app, and no other."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kit.engine import HOUR, MINUTE, NOON, Engine, Node, campaign

from adapters.contract import Unknown
from adapters.errors import Ambiguous, RateLimited
from scheduler.accounts import Accounts
from scheduler.clock import SystemClock
from scheduler.config import Config
from scheduler.states import State
from scheduler.store.tables import accounts

SECOND = timedelta(seconds=1)
#: Two accounts post through one app, the third through another.
APPS = {"dinas": "satu", "camat": "satu", "lurah": "dua"}


def siblings(account_id: str) -> list[str]:
    return [other for other, app in APPS.items() if app == APPS[account_id]]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = Engine(tmp_path)
    # "dinas" is due first; the others wait a minute for their turn.
    engine.apply(campaign(tmp_path, {"awal": [NOON]}, accounts=("dinas",), id_="satu"))
    times = {"lain": [NOON + MINUTE]}
    engine.apply(campaign(tmp_path, times, accounts=tuple(APPS), id_="dua", publish_within="1d"))
    for one in ("satu", "dua"):
        engine.approve(one)
    return engine


def work(node: Node) -> None:
    node.turn()
    while node.run():
        node.turn()


def pauses(engine: Engine) -> dict[str, datetime]:
    return {row["account_id"]: row["not_before"] for row in engine.rows(accounts) if row["not_before"]}


@pytest.mark.parametrize("app_wide", [True, False])
def test_a_limit_holds_the_account_or_all_of_its_app(engine: Engine, app_wide: bool) -> None:
    node = engine.node("node", siblings=siblings)
    until = NOON + HOUR
    engine.platform.answers.append(RateLimited("too much", until=until, app_wide=app_wide))
    work(node)
    assert pauses(engine) == dict.fromkeys(("dinas", "camat") if app_wide else ("dinas",), until)
    engine.clock.forward(MINUTE)
    work(node)
    published = {account for account, _text in engine.platform.texts}
    assert published == ({"lurah"} if app_wide else {"camat", "lurah"})


def test_all_of_them_go_on_when_the_pause_is_over(engine: Engine) -> None:
    node = engine.node("node", siblings=siblings)
    engine.platform.answers.append(RateLimited("too much", until=NOON + HOUR, app_wide=True))
    work(node)
    engine.clock.forward(HOUR - SECOND)
    work(node)
    assert {account for account, _text in engine.platform.texts} == {"lurah"}
    engine.clock.forward(SECOND)
    work(node)
    work(node)
    assert {row["state"] for row in engine.rows()} == {State.SENT}
    attempts = {row["account_id"]: row["attempts"] for row in engine.rows() if row["message_id"] == "lain"}
    assert attempts == dict.fromkeys(APPS, 1), "a pause uses up no attempt"


def test_a_limit_that_a_look_meets_holds_them_as_well(engine: Engine) -> None:
    node = engine.node("node", siblings=siblings)
    engine.platform.answers.append(Ambiguous("no answer"))
    engine.platform.looks.extend([RateLimited("slowly", until=NOON + HOUR, app_wide=True), Unknown("?")])
    work(node)
    engine.clock.forward(10 * SECOND)
    work(node)
    assert set(pauses(engine)) == {"dinas", "camat"}


@pytest.mark.parametrize(
    ("account", "shared"),
    [
        ("a", ["a", "b"]),  # the same platform, the same app
        ("c", ["c"]),  # another app
        ("d", ["d", "e"]),  # no app is named: all of the platform that name none
        ("f", ["f"]),  # the same app's name on another platform
        ("gone", ["gone"]),
    ],
)
def test_the_accounts_of_an_app_are_those_of_its_platform_that_name_it(
    account: str, shared: list[str]
) -> None:
    def entry(platform: str, app: str = "") -> dict[str, Any]:
        return {"platform": platform, "options": {"app": app} if app else {}}

    config = Config.model_validate(
        {
            "accounts": {
                "a": entry("x", "satu"),
                "b": entry("x", "satu"),
                "c": entry("x", "dua"),
                "d": entry("x"),
                "e": entry("x"),
                "f": entry("facebook", "satu"),
            }
        }
    )
    made = Accounts(config, {}, SystemClock(), lambda _account, _name: "")
    assert made.siblings(account) == shared

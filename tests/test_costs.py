"""What publishing costs: acts counted by the adapter, prices by the day, forecasts by account and month."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kit.office import Office, soon

from adapters.contract import Account, Media, Part, Post
from adapters.x.adapter import XAdapter
from scheduler.costs import Cost, PriceList, Prices, readings
from scheduler.forecast import Outgoing, forecast, totals

PRICES = {
    "post": "0.015",
    "post_with_link": "0.20",
    "reply": "0.01",
    "media_metadata": "0.005",
    "read": "0.001",
}
X_PRICES = """
[[costs.prices]]
platform = "x"
since = 2026-02-01
currency = "USD"
acts = { post = 0.015, post_with_link = 0.20, reply = 0.01, media_metadata = 0.005, read = 0.001 }
"""
X_ACCOUNT = '[accounts.x-dinas]\nplatform = "x"\nhandle = "@dinas"\n'


def price_list(since: str = "2026-02-01", acts: Mapping[str, Any] = PRICES, **keys: Any) -> PriceList:
    about = {"platform": "x", "currency": "USD", "since": date.fromisoformat(since), "acts": acts}
    return PriceList.model_validate({**about, **keys})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def x_adapter(account_id: str = "x-dinas") -> XAdapter:
    return XAdapter(Account(account_id, "@dinas", secret=lambda _name: ""), lambda: at("2026-11-25T00:00"))


def poster(name: str = "a.jpg", *, alt: str = "Poster", mime: str = "image/jpeg") -> Media:
    return Media(Path(name), "0" * 64, mime, alt)


# Prices.


def test_a_price_holds_from_its_day_on_until_the_next_list_begins() -> None:
    prices = Prices([price_list(), price_list("2027-01-01", {"post": "0.02"})], "WIB")
    # 17:00 UTC is midnight in WIB.
    assert prices.cost("x", {"post": 2}, at("2026-12-31T16:59")).total == Decimal("0.030")
    assert prices.cost("x", {"post": 2}, at("2026-12-31T17:00")).total == Decimal("0.04")


def test_a_price_that_nobody_wrote_down_is_unknown_and_not_nothing() -> None:
    prices = Prices([price_list(acts={"post": "0.015"})], "WIB")
    cost = prices.cost("x", {"post": 1, "media_metadata": 2}, at("2026-12-01T00:00"))
    assert (cost.total, cost.amount, cost.unpriced) == (None, Decimal("0.015"), {"media_metadata": 2})
    assert prices.cost("x", {"post": 1}, at("2026-01-31T00:00")).total is None, "before the first list"


def test_what_is_known_and_what_is_not_add_up_apart() -> None:
    prices = Prices([price_list(acts={"post": "0.1"})], "WIB")
    costs = [prices.cost("x", acts, at("2026-12-01T00:00")) for acts in ({"post": 1}, {"post": 2, "read": 3})]
    total = costs[0] + costs[1]
    assert (total.amount, total.unpriced, total.acts) == (Decimal("0.3"), {"read": 3}, {"post": 3, "read": 3})
    assert Cost().total == 0


def test_an_amount_from_the_file_is_exact() -> None:
    acts = price_list(acts={"post": 0.1, "read": 0.000001, "reply": 3, "media_metadata": "0.30"}).acts
    assert sum([acts["post"]] * 3) == Decimal("0.3"), "three times a float of 0.1 would not be 0.3"
    assert acts == {
        "post": Decimal("0.1"),
        "read": Decimal("0.000001"),
        "reply": Decimal(3),
        "media_metadata": Decimal("0.30"),
    }


@pytest.mark.parametrize("amount", ["-0.01", "nan", "inf", "1e12", "0.0000001", '"lima"', "true", '""'])
def test_what_is_no_amount_is_refused(tmp_path: Path, amount: str) -> None:
    tail = X_PRICES.replace("post = 0.015", f"post = {amount}")
    office = Office(tmp_path / "o", tail=X_ACCOUNT + tail)
    assert "is not an amount of money" in office.must("plan", code=2).err


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        (X_ACCOUNT + "budget = 25\n", "x-dinas has a budget, but [costs] has no prices of x"),
        (X_PRICES + X_PRICES, "two price lists of x that begin on 2026-02-01"),
        (X_PRICES + X_PRICES.replace("USD", "IDR").replace("2026-02", "2026-03"), "in USD and in IDR"),
        (X_PRICES.replace('"x"', '"twitter"'), "There is no platform twitter"),
    ],
)
def test_prices_that_contradict_are_refused(tmp_path: Path, tail: str, words: str) -> None:
    office = Office(tmp_path / "o", tail=tail)
    assert words in office.must("plan", code=2).err


def test_reading_figures_is_billed_once_a_utc_day() -> None:
    ages = [timedelta(hours=1), timedelta(hours=6), timedelta(days=1)]
    assert readings(at("2026-12-09T00:30"), ages) == [at("2026-12-09T01:30"), at("2026-12-10T00:30")]
    assert len(readings(at("2026-12-09T20:00"), ages)) == 2


# What X bills (PLATFORMS.md, X, a).


@pytest.mark.parametrize(
    ("post", "acts"),
    [
        (Post("k", "Tolak suap"), {"post": 1}),
        (Post("k", "Tolak suap", link="https://jaga.id"), {"post_with_link": 1}),
        (Post("k", "Lapor di kpk.go.id"), {"post_with_link": 1}),
        (Post("k", "Tolak suap", media=(poster(), poster("b.jpg"))), {"post": 1, "media_metadata": 2}),
        (Post("k", "Video", media=(poster("v.mp4", mime="video/mp4"),)), {"post": 1}),
        (
            Post(
                "k",
                "Satu",
                thread=(Part("Dua", (poster(),)), Part("Tiga https://jaga.id")),
                first_comment="4",
            ),
            {"post": 1, "reply": 2, "post_with_link": 1, "media_metadata": 1},
        ),
    ],
)
def test_x_says_of_what_acts_a_post_consists(post: Post, acts: Mapping[str, int]) -> None:
    assert x_adapter().billable(post) == acts
    assert set(acts) <= set(XAdapter.bills)


def test_of_a_thread_that_broke_off_x_has_billed_what_is_out() -> None:
    thread = Post("k", "Satu", media=(poster(),), thread=(Part("Dua"), Part("Tiga https://jaga.id")))
    saved: dict[str, Any] = {"media": {"0.0:1": {"id": "7", "alt": True}, "1.0:2": {"id": "8", "alt": False}}}
    assert x_adapter().billed(thread, {}) == {}
    assert x_adapter().billed(thread, saved) == {"media_metadata": 1}
    assert x_adapter().billed(thread, {**saved, "posts": ["1", "2"]}) == {
        "post": 1,
        "reply": 1,
        "media_metadata": 1,
    }


# Forecasts.


def test_a_forecast_counts_posts_and_figures_in_the_months_in_which_they_fall() -> None:
    posts = [
        Outgoing("x-dinas", "x", at("2026-12-30T05:00"), Post("a", "Tolak suap")),
        Outgoing("x-dinas", "x", at("2026-12-31T18:00"), Post("b", "Lapor", link="https://jaga.id")),
    ]
    rows = forecast(posts, x_adapter, Prices([price_list()], "WIB"), [timedelta(hours=1), timedelta(days=3)])
    # 18:00 UTC on New Year's Eve is already January in WIB.
    assert [(one.month, one.posts, one.publishing.total, one.figures.total) for one in rows] == [
        ("2026-12", 1, Decimal("0.015"), Decimal("0.001")),
        ("2027-01", 1, Decimal("0.20"), Decimal("0.003")),
    ]
    (total,) = totals(rows)
    assert (total.posts, total.total.total) == (2, Decimal("0.219"))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """An office with an account on X, and a campaign for it and a practice account."""
    office = Office(tmp_path / "o", tail=X_ACCOUNT + X_PRICES)
    campaign(office)
    return office


SOON = soon(2 * 24 * 3600)


def campaign(office: Office) -> None:
    thread = (
        '[[messages.thread]]\ntext = "Bagian dua"\n[[messages.thread]]\ntext = "Lapor: https://jaga.id"\n'
    )
    left_out = "[messages.overrides.practice]\nthread = []\n"
    office.campaign("uji", {"utas": SOON, "lain": SOON + timedelta(hours=1)}, accounts=["dinas", "x-dinas"])
    file = office.folder / "campaigns" / "uji.toml"
    text = file.read_text(encoding="utf-8")
    first, second = text.index("[[messages]]"), text.rindex("[[messages]]")
    file.write_text(text[:second] + thread + left_out + text[second:], encoding="utf-8")
    assert first < second


def test_plan_shows_what_each_post_and_the_whole_will_cost(office: Office) -> None:
    shown = office.must("plan", "uji")
    assert "USD 0.225" in shown.out, "a post, a reply, a reply with an address"
    assert "Forecast cost of 2 posts to come: USD 0.25" in shown.err
    rows = office.must("plan", "uji", "--format", "json").json
    assert {(row["account"], row["message"]): row["cost"] for row in rows} == {
        ("dinas", "utas"): "0",
        ("dinas", "lain"): "0",
        ("x-dinas", "utas"): "0.225",
        ("x-dinas", "lain"): "0.015",
    }
    assert next(row for row in rows if row["cost"] == "0.225")["acts"] == {
        "post": 1,
        "reply": 1,
        "post_with_link": 1,
    }


def test_plan_counts_the_parts_of_a_thread_and_measures_the_longest(office: Office) -> None:
    shown = office.must("plan", "uji")
    assert "parts" in shown.out
    rows = {
        (row["account"], row["message"]): row for row in office.must("plan", "uji", "--format", "json").json
    }
    assert rows["x-dinas", "utas"]["parts"] == 3
    assert rows["dinas", "utas"]["parts"] == 1
    file = office.folder / "campaigns" / "uji.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("Bagian dua", "Bagian dua " + "panjang " * 20), encoding="utf-8")
    (row,) = [
        row
        for row in office.must("plan", "uji", "--format", "json").json
        if (row["account"], row["message"]) == ("x-dinas", "utas")
    ]
    assert row["length"] == len("Bagian dua " + "panjang " * 20) - 1, "the second part is the longest now"


def test_costs_by_account_and_month_come_as_table_json_and_csv(office: Office) -> None:
    as_json = office.must("plan", "--costs", "--format", "json").json
    as_csv = office.must("plan", "--costs", "--format", "csv").csv
    assert [(row["month"], row["posts"]) for row in as_json][-1] == (None, 2), "the sum comes last"
    assert as_json[-1]["cost"] == as_csv[-1]["cost"]
    assert Decimal(as_csv[-1]["cost"]) == sum(Decimal(row["cost"]) for row in as_csv[:-1])
    assert "total" in office.must("plan", "--costs").out


def test_what_was_applied_is_still_to_come_and_what_is_cancelled_is_not(office: Office) -> None:
    before = office.must("plan", "--costs", "--format", "json").json[-1]
    assert "Forecast cost of 2 posts to come" in office.must("apply").err
    assert office.must("plan", "--costs", "--format", "json").json[-1] == before
    (post,) = office.posts("--account", "x-dinas", "--message", "utas")
    office.must("cancel", post["id"])
    after = office.must("plan", "--costs", "--format", "json").json[-1]
    assert (after["posts"], after["acts"]["post"]) == (1, 1)


def test_without_prices_the_cost_is_called_unknown(office: Office) -> None:
    office.configure(tail=X_ACCOUNT)
    shown = office.must("plan", "uji")
    assert "the price of 1 post, 1 reply, 1 post_with_link is unknown" in shown.out
    assert "Prices of x are missing in [costs]" in shown.err
    rows = office.must("plan", "uji", "--format", "json").json
    assert {row["cost"] for row in rows if row["account"] == "x-dinas"} == {None}
    assert office.must("plan", "--costs", "--format", "json").json[-1]["cost"] is None


def test_who_approves_sees_every_part_of_a_thread_and_what_it_costs(office: Office) -> None:
    office.must("apply")
    shown = office.must("approve", "uji", "--yes").out
    thread = shown[shown.index("utas → x-dinas") :].partition("[")[0]
    for words in (
        "Part 1 of 3: 30 of 280 characters",
        "Part 2 of 3: 10 of 280 characters\n  │ Bagian dua",
        "Part 3 of 3: 30 of 280 characters\n  │ Lapor: https://jaga.id",
        "30 of 280 characters · content",
    ):
        assert words in thread
    assert (
        "Cost: USD 0.225 (1 post, 1 part of a thread, or comment, without an address, 1 post with an address)"
        in thread
    )
    practice = shown[shown.index("utas → dinas") :].partition("[")[0]
    assert "Cost" not in practice
    assert "Part" not in practice

"""The budget as an office meets it: an account of X on loopback, paid by the post, and a month's limit."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kit.office import Office, person, wait_for
from servers.x_platform import KEYS, XPlatform, running

from scheduler.origin import operating_system_user

PRICES = """
[[costs.prices]]
platform = "x"
since = 2026-02-01
currency = "USD"
[costs.prices.acts]
post = 0.015
post_with_link = 0.20
reply = 0.015
summoned_reply = 0.01
media_metadata = 0.005
delete = 0.01
read = 0.001
user_read = 0
"""


@pytest.fixture
def platform() -> Iterator[XPlatform]:
    with running() as platform:
        yield platform


def settings(platform: XPlatform, folder: Path, budget: str) -> str:
    for name, value in KEYS.items():
        file = folder / name
        file.write_text(value, encoding="utf-8")
        file.chmod(0o600)
    secrets = ", ".join(f'{name} = "file:{folder / name}"' for name in KEYS)
    return (
        f'[accounts.x-dinas]\nplatform = "x"\nhandle = "@diskominfo"\napi_base = "{platform.url}"\n'
        f"secrets = {{ {secrets} }}\n{budget}\n{PRICES}"
    )


@pytest.fixture
def office(platform: XPlatform, tmp_path: Path) -> Office:
    """An office that may spend four cents a month on X: two posts, and not a third."""
    return Office(tmp_path / "o", accounts=("dinas",), tail=settings(platform, tmp_path, "budget = 0.04"))


def test_the_third_post_is_held_shown_and_let_go_by_a_person(office: Office, platform: XPlatform) -> None:
    at = office.due_soon("uji", "satu", "dua", "tiga", accounts=["x-dinas"])
    assert "The budget of x-dinas for" in office.must("plan").err
    office.must("approve", "uji", "--yes")
    wait_for(at)
    office.gaung("run", "--once")
    office.gaung("run", "--once")
    passed = office.gaung("run", "--once")
    assert passed.code == 3, passed.all
    assert len(platform.tweets) == 2

    (row,) = office.must("budget", "--format", "json").json
    assert {
        key: row[key] for key in ("account", "currency", "budget", "allowed", "spent", "left", "held")
    } == {
        "account": "x-dinas",
        "currency": "USD",
        "budget": "0.04",
        "allowed": "0",
        "spent": "0.03",
        "left": "0.01",
        "held": 1,
    }
    assert Decimal(row["coming"]) >= Decimal("0.015"), "the post that is held"
    status = office.must("status", code=3)
    assert "Held by the budget" in status.out
    assert "x-dinas: 1 post. To decide: gaung budget x-dinas" in status.out
    assert office.must("status", "--format", "json", code=3).json[0]["over_budget"] == {"x-dinas": 1}
    (held,) = [post for post in office.posts() if post["state"] == "planned"]
    shown = office.must("posts", "show", held["id"]).out
    assert "the monthly budget of x-dinas does not suffice" in shown
    assert office.must("posts", "show", held["id"], "--format", "json").json[0]["waits_for"] == "budget"

    allowed = office.must("budget", "x-dinas", "--allow", "0,01", "--reason", "Disetujui Kepala Dinas")
    assert "x-dinas may spend USD 0.01 more" in allowed.err
    assert "0.05" not in office.must("budget").out, "the limit of the configuration stays as it is"
    office.gaung("run", "--once")
    assert len(platform.tweets) == 3
    (sent,) = [post for post in office.posts() if post["id"] == held["id"]]
    assert sent["state"] == "sent"
    assert "USD 0.015" in office.must("posts", "show", sent["id"]).out
    (row,) = office.must("budget", "--format", "csv").csv
    assert (row["spent"], row["allowed"], row["held"]) == ("0.045", "0.01", "0")


def test_another_month_is_asked_for_by_name(office: Office) -> None:
    (row,) = office.must("budget", "--month", "2027-03", "--format", "json").json
    assert (row["month"], row["budget"], row["spent"], row["left"]) == ("2027-03", "0.04", "0", "0.04")
    office.must("budget", "x-dinas", "--month", "2027-03", "--no-limit", "--reason", "Pilkada")
    (row,) = office.must("budget", "--month", "2027-03", "--format", "json").json
    assert (row["unlimited"], row["left"]) == (True, None)
    (row,) = office.must("budget", "--month", "2027-04", "--format", "json").json
    assert row["unlimited"] is False


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["camat"], "There is no account camat"),
        (["dinas"], "Publishing on practice costs nothing"),
        (["--allow", "5"], "Say for which account"),
        (["x-dinas", "--allow", "banyak"], "banyak is not an amount"),
        (["x-dinas", "--allow", "-5"], "is not an amount"),
        (["x-dinas", "--allow", "0"], "is not an amount"),
        (["--month", "Desember"], "Desember is not a month"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    office: Office, arguments: list[str], words: str
) -> None:
    before = office.must("budget", "--format", "json").json
    assert words in office.must("budget", *arguments, code=2).err
    assert office.must("budget", "--format", "json").json == before


def test_only_an_approver_allows_more(office: Office, platform: XPlatform, tmp_path: Path) -> None:
    somebody = person("ani", "Ani", os_user=operating_system_user(), roles=["drafter"])
    office.configure(accounts=("dinas",), people=somebody, tail=settings(platform, tmp_path, "budget = 0.04"))
    assert "does not have the role approver" in office.must("budget", "x-dinas", "--allow", "5", code=2).err


def test_an_account_without_a_budget_is_shown_and_holds_nothing(
    office: Office, platform: XPlatform, tmp_path: Path
) -> None:
    office.configure(accounts=("dinas",), tail=settings(platform, tmp_path, ""))
    (row,) = office.must("budget", "--format", "json").json
    assert (row["budget"], row["left"]) == (None, None)
    assert (
        "has no budget in the configuration" in office.must("budget", "x-dinas", "--allow", "5", code=2).err
    )


def test_comments_are_read_within_their_own_budget_and_an_answer_is_charged(
    platform: XPlatform, tmp_path: Path
) -> None:
    """Given six cents a month for comments: a page of ten is read once, and then no more this month."""
    tail = settings(platform, tmp_path, "read_budget = 0.06").replace(
        "read = 0.001", "read = 0.001\ncomment_read = 0.005"
    )
    office = Office(tmp_path / "o", accounts=("dinas",), tail='[inbox]\nages = ["1s", "2s", "30d"]\n' + tail)
    (post,) = office.publish("uji", "satu", accounts=["x-dinas"])
    root = next(iter(platform.tweets))
    for text in ("Lapor ke mana?", "Setuju", "Hebat"):
        platform.put(text, reply_to=root, author="77")
    for _ in range(20):
        office.must("run", "--once")
        if rows := office.must("inbox", "--format", "json").json:
            break
    assert [one["text"] for one in rows] == ["Lapor ke mana?", "Setuju", "Hebat"]
    assert platform.shown_comments == 3
    for _ in range(3):
        office.gaung("run", "--once")
        time.sleep(1)
    assert platform.shown_comments == 3
    assert "Comments of x-dinas are not read" in office.must("inbox").err
    assert office.gaung("status", "--format", "json").json[0]["comments_unread"] == ["x-dinas"]
    office.must("inbox", "reply", str(rows[0]["comment"]), "--text", "Lewat SMS 1708.")
    office.must("approve", "uji", "--yes")
    office.must("run", "--once")
    (answer,) = [one for one in platform.own if one.reply_to]
    assert answer.text == "Lewat SMS 1708."
    (row,) = office.must("budget", "--format", "json").json
    assert row["spent"] == "0.04"  # the post 0.015, three comments 0.015, the answer 0.01
    assert post["state"] == "sent"


def test_a_takedown_is_charged(office: Office, platform: XPlatform) -> None:
    (post,) = office.publish("uji", "satu", accounts=["x-dinas"])
    office.must("takedown", post["id"], "--reason", "Salah gambar", "--yes")
    assert platform.tweets == {}
    (row,) = office.must("budget", "--format", "json").json
    assert row["spent"] == "0.025"


def test_doctor_knows_a_price_of_nothing_and_a_price_that_is_missing(
    office: Office, platform: XPlatform, tmp_path: Path
) -> None:
    def found() -> tuple[bool, str]:
        rows = office.gaung("doctor", "--format", "json").json
        (row,) = [row for row in rows if row["check"] == "prices"]
        return row["good"], row["note"] or ""

    assert found() == (True, "")
    tail = settings(platform, tmp_path, "budget = 0.04")
    office.configure(accounts=("dinas",), tail=tail.replace("post_with_link", "post_with_url"))
    good, note = found()
    assert not good
    assert "x bills no post_with_url" in note
    assert "unknown for x: post_with_link" in note


def test_an_office_without_paid_accounts_has_nothing_to_list(tmp_path: Path) -> None:
    office = Office(tmp_path / "o")
    assert "None of these accounts is billed" in office.must("budget").err

"""Figures in the terminal, and that they are the practice network's own."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests

sys.path.insert(0, str(Path(__file__).parent))

from kit.office import ROOT, Office

from adapters.practice.site import PracticeServer
from adapters.practice.site.server import running
from scheduler.cli.layout import Column, entries, pairs, widths
from scheduler.reports import charts, growth

BROWSER = {"Accept": "text/html,*/*"}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeServer]:
    with running(tmp_path_factory.mktemp("network") / "practice.db") as server:
        yield server


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, network: PracticeServer) -> Office:
    """Two posts on two accounts, seen by people and measured twice."""
    office = Office(tmp_path_factory.mktemp("kantor") / "kantor", network.url)
    posts = office.publish("rapat", "satu", "dua", accounts=["dinas", "camat"])
    assert {post["state"] for post in posts} == {"sent"}
    office.must("reach", "rapat", "--now")
    for visits, post in enumerate(sorted(posts, key=lambda one: str(one["permalink"])), 1):
        for _ in range(visits):
            with requests.Session() as person:
                person.get(post["permalink"], headers=BROWSER).raise_for_status()
                if visits > 2:
                    person.post(f"{post['permalink']}/like", allow_redirects=False)
    office.must("reach", "rapat", "--now")
    return office


def test_the_report_has_the_counters_of_the_practice_network_itself(
    office: Office, network: PracticeServer, tmp_path: Path
) -> None:
    import json

    office.must("report", "rapat", "-o", tmp_path / "a.json")
    rows = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["rows"]
    assert len(rows) == 4
    for row in rows:
        page = int(row["permalink"].rpartition("/")[2])
        (own,) = network.storage.by_id([page])
        assert (row["views"], row["reach"], row["likes"]) == (own.views, own.reach, own.likes)
        assert row["views"] > 0


def test_reach_shows_growth_and_totals_by_platform(office: Office) -> None:
    answer = office.must("reach", "rapat")
    assert "▁█" in answer.out, "from nothing to what the second look found"
    assert "practice" in answer.out
    assert "10 (4 of 4)" in answer.out
    assert "not people" in answer.out


def test_growth_is_numbers_for_programs(office: Office) -> None:
    assert sorted(row["growth"] for row in office.must("reach", "rapat", "--format", "json").json) == [
        [0, 1],
        [0, 2],
        [0, 3],
        [0, 4],
    ]
    assert {row["growth"][:2] for row in office.must("reach", "rapat", "--format", "csv").csv} == {"0 "}


def test_a_figure_that_is_not_told_keeps_its_last_value_and_is_unknown_before_the_first() -> None:
    def told(delivery: int, day: int, views: int | None) -> SimpleNamespace:
        rest = dict.fromkeys(("reach", "likes", "comments", "shares", "saves", "clicks"))
        at = datetime(2026, 12, day, 5, 0, tzinfo=UTC)
        return SimpleNamespace(delivery_id=delivery, taken_at=at, zone="WIB", views=views, **rest)

    snapshots = [told(1, 1, 5), told(1, 2, None), told(1, 4, 9), told(2, 2, None), told(2, 3, 10)]
    assert [(id_, list(curve.values)) for id_, curve in growth.by_post(snapshots, "views")] == [
        (1, [5, 9]),
        (2, [10]),
    ]
    curves = growth.by_day(snapshots)
    assert list(curves) == ["views"]
    assert [(day.day, value) for day, value in curves["views"]] == [(1, 5), (2, 5), (3, 15), (4, 19)]
    assert curves["views"][0][0] == date(2026, 12, 1)


# What fits into a window

COLUMNS = [
    Column("time", ["Wed, 9 Dec 2026 07:30 WIB", "Thu, 10 Dec 2026 12:00 WIB"], phrases=True),
    Column("account", ["latihan-diskominfo", "latihan-kecamatan"]),
    Column("views", ["12", "–"], numbers=True),
    Column("reason", ["The platform does not have this figure for posts of this kind.", "–"]),
]


@pytest.mark.parametrize("width", [150, 80])
def test_a_table_fits_its_window_and_breaks_no_word(width: int) -> None:
    sizes = widths(COLUMNS, width)
    assert sizes is not None
    assert sum(sizes) + 3 * 3 + 2 <= width
    assert sizes[1] == len("latihan-diskominfo")
    assert sizes[0] >= len("Thu, 10 Dec 2026"), "a time is broken before its clock"


def test_where_words_would_be_broken_the_rows_stand_one_under_the_other() -> None:
    assert widths(COLUMNS, 60) is None
    told = entries(COLUMNS, 40).plain
    assert max(len(line) for line in told.splitlines()) <= 40
    assert told.splitlines()[:2] == ["Wed, 9 Dec 2026 07:30 WIB", "  account latihan-diskominfo · views 12"]
    assert told.count("reason") == 1, "what nobody knows takes no room"


def test_facts_stand_below_their_heading_where_there_is_no_room_beside_it() -> None:
    told = [
        ("Outcome unknown, a person must look", "0"),
        ("Posts", "satu, dua dan tiga sudah terbit pagi ini"),
    ]
    assert (
        pairs(told, None)[1]
        == "Posts                                satu, dua dan tiga sudah terbit pagi ini"
    )
    assert pairs(told, 38) == [
        "Outcome unknown, a person must look: 0",
        "Posts",
        "  satu, dua dan tiga sudah terbit pagi",
        "  ini",
    ]


@pytest.mark.parametrize(("days", "labels"), [(0, ["26"]), (2, ["26", "27", "28"])])
def test_no_day_is_written_twice_below_a_curve(days: int, labels: list[str]) -> None:
    points = [(date(2026, 11, 26 + day), day) for day in range(days + 1)]
    drawn = charts.curve(
        [charts.Series("views", points)],
        width=700,
        title="",
        description="",
        number=lambda one: "",
        day=lambda at: f"{at:%d}",
    )
    assert re.findall(r">(\d\d)</text>", drawn) == labels


# status --watch


def test_watching_needs_a_terminal(office: Office) -> None:
    for options in (["--watch"], ["--watch", "--format", "json"]):
        answer = office.must("status", *options, code=2)
        assert "terminal" in answer.err
        assert answer.out == ""


def test_watching_shows_how_everything_stands_until_it_is_interrupted(office: Office) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "scheduler.cli", "--config", str(office.config), "--lang", "en", "status",
         "--watch"],
        stdin=theirs, stdout=theirs, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100", "LINES": "40"},
    )  # fmt: skip
    os.close(theirs)
    seen, end = b"", time.monotonic() + 60
    while seen.count(b"Ctrl-C ends it") < 3 and time.monotonic() < end:
        if select.select([ours], [], [], 1)[0]:
            seen += os.read(ours, 65536)
    if (files := Path(f"/proc/{process.pid}/fd")).exists():
        opened = []
        for one in files.iterdir():
            with suppress(FileNotFoundError):  # it has just been closed
                opened.append(one.readlink().name)
        assert opened.count("gaung.db") <= 2, "it may stay for days: each look lets go of what it has opened"
    process.send_signal(signal.SIGINT)
    _out, err = process.communicate(timeout=30)
    os.close(ours)
    assert b"4 published" in seen
    assert process.returncode in {0, 3}
    assert b"Traceback" not in err

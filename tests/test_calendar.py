"""The calendar of an office: the month in the terminal, as rows, and as iCalendar read back by a library."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from icalendar import Calendar
from kit.office import DEAD, WIB, Office, soon

from scheduler.cli.commands.calendar import agenda
from scheduler.reports.calendar import Entry

RULES = """
[[windows.rules]]
id = "berkabung"
kind = "mourning"
title = "Masa berkabung"
start = {start}
end = {end}
source = "Surat Setneg B-7"

[[windows.rules]]
id = "jam-hening"
kind = "quiet-hours"
times = ["21:00-05:00"]
accounts = ["camat"]
"""


@pytest.fixture
def at() -> datetime:
    """A Thursday noon within the horizon, in a month of its own; no holiday."""
    day = soon(20 * 86_400).date()
    while day.weekday() != 3 or day.month == 12:
        day += timedelta(days=1)
    return datetime(day.year, day.month, day.day, 12, 0)  # noqa: DTZ001 -- wall-clock time


@pytest.fixture
def office(tmp_path: Path, at: datetime) -> Office:
    other = at.date() + timedelta(days=2)
    office = Office(tmp_path / "kantor", DEAD, tail=RULES.format(start=other, end=other + timedelta(days=1)))
    office.campaign("hakordia", {"jujur": at}, accounts=("dinas", "camat"))
    office.must("apply")
    return office


def test_the_month_shows_posts_and_windows_with_monday_first(office: Office, at: datetime) -> None:
    shown = office.must("calendar", f"{at:%Y-%m}").out
    assert "? 12.00 jujur ×2" in " ".join(shown.replace("│", " ").split())
    assert "Masa" in shown
    heads = [line for line in shown.splitlines() if "Mon" in line]
    assert heads[0].index("Mon") < heads[0].index("Sun")
    assert "Sen" in office.must("calendar", f"{at:%Y-%m}", lang="id").out
    assert "Every week" in office.must("calendar", f"{at:%Y-%m}").err


def test_every_thing_is_a_row_for_programs(office: Office, at: datetime) -> None:
    rows = office.must("calendar", f"{at:%Y-%m}", "--format", "json").json
    posts = [row for row in rows if row["kind"] == "post"]
    assert [(row["date"], row["time"], row["account"], row["state"]) for row in posts] == [
        (f"{at:%Y-%m-%d}", "12:00", "camat", "planned"),
        (f"{at:%Y-%m-%d}", "12:00", "dinas", "planned"),
    ]
    (mourning, _second) = [row for row in rows if row["title"] == "Masa berkabung"]
    assert (mourning["effect"], mourning["source"], mourning["time"]) == ("hold", "Surat Setneg B-7", None)


def test_joint_leave_and_dates_that_are_not_official_are_marked(office: Office) -> None:
    rows = office.must("calendar", "2027-03", "--format", "csv").csv
    off = {row["date"]: row for row in rows if row["kind"] in {"holiday", "joint-leave"}}
    assert off["2027-03-09"]["kind"] == "joint-leave"
    assert (off["2027-03-10"]["kind"], off["2027-03-10"]["estimated"]) == ("holiday", "True")
    assert "not official" in office.must("calendar", "2027-03").err


def test_in_a_narrow_window_the_month_is_told_day_by_day() -> None:
    def post(day: int, message: str) -> Entry:
        start = datetime(2026, 12, day, 7, 30)  # noqa: DTZ001 -- local, as entries are
        return Entry("post", start, start, False, message, message, message=message, approved=True)

    told = [line.plain for line in agenda(date(2026, 12, 1), [post(9, "jujur"), post(9, "peduli")])]
    assert len(told) == 4, "days without anything are left out"
    assert "9" in told[1]
    assert told[2:] == ["  • 07.30 jujur", "  • 07.30 peduli"]


def test_other_programs_read_the_calendar(office: Office, at: datetime, tmp_path: Path) -> None:
    file = tmp_path / "kalender.ics"
    office.must("calendar", f"{at:%Y-%m}", "--ics", file)
    events = Calendar.from_ical(file.read_bytes()).walk("VEVENT")
    posts = [event for event in events if "jujur" in str(event["summary"])]
    assert {event.decoded("dtstart") for event in posts} == {at.replace(tzinfo=WIB).astimezone(UTC)}
    assert {str(event["status"]) for event in posts} == {"TENTATIVE"}
    assert len({str(event["uid"]) for event in events}) == len(events)
    (mourning, _second) = [event for event in events if str(event["summary"]) == "Masa berkabung"]
    assert type(mourning.decoded("dtstart")) is date


def test_a_moved_post_stands_where_it_was_moved_to(office: Office, at: datetime) -> None:
    tail = '[[windows.rules]]\nid = "siang"\nkind = "quiet-hours"\ntimes = ["11:30-13:00"]\n'
    office.configure(tail=tail)
    plan = office.must("plan", "--format", "json").json
    assert {(row["effect"], row["rule"], row["allowed_at"]) for row in plan} == {
        ("move", "siang", f"{at:%Y-%m-%d}T13:00:00+07:00")
    }
    assert "moves to" in office.must("plan").out
    office.must("apply")
    rows = office.must("calendar", f"{at:%Y-%m}", "--format", "json").json
    assert {row["time"] for row in rows if row["kind"] == "post"} == {"13:00"}


def test_a_window_that_comes_after_the_file_was_applied_is_named_for_every_post(office: Office) -> None:
    """Given posts in force that a new window holds, plan names the rule, though nothing changes."""
    office.configure()
    office.must("apply")
    office.configure(
        tail='[[windows.rules]]\nid = "duka"\nkind = "office"\ndays = ["daily"]\neffect = "hold"\n'
    )
    plan = office.must("plan", "--format", "json").json
    assert {(row["change"], row["effect"], row["rule"]) for row in plan} == {("unchanged", "hold", "duka")}
    assert "held" in office.must("plan").out


def test_apply_tells_the_rules_of_the_office_and_not_those_that_come_with_gaung(tmp_path: Path) -> None:
    office = Office(tmp_path / "baru", DEAD)
    office.campaign("hakordia", {"jujur": soon(86_400)})
    assert "about time" not in office.must("apply").err, "nobody has configured any"
    office.configure(tail='[[windows.rules]]\nid = "malam"\nkind = "quiet-hours"\ntimes = ["21:00-05:00"]\n')
    assert "Rules about time in force from now on: quiet hours (moves)." in office.must("apply").err
    assert "about time" not in office.must("apply").err, "nothing has changed"


def test_the_rules_are_listed_with_whether_they_are_in_force(office: Office) -> None:
    rows = office.must("windows", "--format", "json").json
    assert {row["id"]: row["in_force"] for row in rows} == {
        "friday-prayer": True,
        "holiday": True,
        "joint-leave": True,
        "berkabung": True,
        "jam-hening": True,
    }
    office.configure()
    assert "no longer in the configuration: berkabung, jam-hening" in office.must("windows").err
    assert "The office's own rules about time are no longer in force." in office.must("apply").err
    assert "no longer" not in office.must("windows").err


def test_signed_off_dates_name_their_source_or_are_refused(office: Office) -> None:
    office.configure(tail='[windows]\ndates = "tanggal.toml"\n')
    dates = office.folder / "tanggal.toml"
    entry = '[[dates]]\nid = "tenang"\nkind = "election"\nstart = 2027-03-06\nsource = "KPU 12/2027"\n'
    dates.write_text(entry, encoding="utf-8")
    refused = office.must("windows", code=2).err
    assert "signed_off_by" in refused
    assert "tenang" in refused
    dates.write_text(f'{entry}signed_off_by = "Kadis"\nsigned_off_on = 2027-02-01\n', encoding="utf-8")
    (row,) = [row for row in office.must("windows", "--format", "csv").csv if row["id"] == "tenang"]
    assert (row["effect"], row["source"], row["signed_off_by"]) == ("hold", "KPU 12/2027", "Kadis")


def test_a_month_that_is_none_and_a_rule_for_nobody_are_refused(office: Office) -> None:
    assert "2026-12" in office.must("calendar", "desember", code=2).err
    office.configure(
        tail='[[windows.rules]]\nid = "a"\nkind = "office"\ndays = ["senin"]\nregions = ["Mana"]\n'
    )
    assert "Mana" in office.must("plan", code=2).err

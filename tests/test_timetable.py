"""Wall-clock rules: what a zone, a weekly slot and a crontab rule mean, in every zone there is."""

# Wall-clock times have no zone until their campaign gives them one.
# ruff: noqa: DTZ001

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns import timetable

steady = settings(derandomize=True, deadline=None, database=None, max_examples=100)

SUMMER_TIME = ["Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "America/Santiago"]
ZONES = ["WIB", "WITA", "WIT", "Asia/Jakarta", "UTC", *SUMMER_TIME]

#: Monday to Sunday; the month begins on a Monday, so day-of-month and weekday are easy to tell apart.
MONDAY, SUNDAY = date(2026, 6, 1), date(2026, 6, 7)
MONTH = (date(2026, 6, 1), date(2026, 6, 30))

wall_clocks = st.datetimes(datetime(2000, 1, 1), datetime(2037, 12, 31)).map(
    lambda moment: moment.replace(microsecond=0)
)


def days(rule: str, first: date = MONDAY, last: date = SUNDAY) -> list[str]:
    """The weekdays on which ``rule`` fires, in order."""
    return [moment.strftime("%a") for moment in timetable.cron(rule).times(first, last)]


def dates(rule: str) -> list[int]:
    """The days of June 2026 on which ``rule`` fires."""
    return [moment.day for moment in timetable.cron(rule).times(*MONTH)]


def clock(rule: str) -> list[str]:
    """The times of one Monday at which ``rule`` fires."""
    return [moment.strftime("%H:%M") for moment in timetable.cron(rule).times(MONDAY, MONDAY)]


# Zones


@pytest.mark.parametrize(
    ("name", "iana", "hours"),
    [("WIB", "Asia/Jakarta", 7), ("WITA", "Asia/Makassar", 8), ("WIT", "Asia/Jayapura", 9)],
)
def test_the_three_zones_of_indonesia_go_by_their_own_names(name: str, iana: str, hours: int) -> None:
    noon = datetime(2026, 12, 9, 12)
    assert timetable.zone(name) == ZoneInfo(iana)
    assert timetable.to_utc(noon, name) == datetime(2026, 12, 9, 12 - hours, tzinfo=UTC)
    assert timetable.to_utc(noon, name) == timetable.to_utc(noon, iana)
    assert timetable.zone_label(timetable.to_utc(noon, iana), iana) == name
    assert timetable.zone_label(timetable.to_utc(noon, name), name) == name


def test_elsewhere_the_label_is_what_the_zone_calls_itself_at_that_instant() -> None:
    assert timetable.zone_label(datetime(2026, 1, 1, tzinfo=UTC), "Europe/Amsterdam") == "CET"
    assert timetable.zone_label(datetime(2026, 7, 1, tzinfo=UTC), "Europe/Amsterdam") == "CEST"


@pytest.mark.parametrize(
    "name", ["", "wib", "Asia", "Asia/Bandung", "+07:00", "../zone", "Asia/\0Jakarta", "z" * 300]
)
def test_a_name_that_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(timetable.NoSuchZoneError):
        timetable.zone(name)


def test_every_name_that_is_offered_is_taken() -> None:
    assert {"WIB", "WITA", "WIT", "Asia/Jakarta"} <= set(timetable.zone_names())
    for name in timetable.zone_names():
        timetable.zone(name)


# Hours that a zone skips or repeats


@pytest.mark.parametrize(
    ("zone", "missing", "instead"),
    [
        ("Europe/Amsterdam", datetime(2026, 3, 29, 2, 30), datetime(2026, 3, 29, 3, 30)),
        ("America/New_York", datetime(2026, 3, 8, 2, 0), datetime(2026, 3, 8, 3, 0)),
        ("Australia/Lord_Howe", datetime(2026, 10, 4, 2, 10), datetime(2026, 10, 4, 2, 40)),
        # Santiago loses the hour after midnight; Samoa once lost a whole day.
        ("America/Santiago", datetime(2026, 9, 6, 0, 30), datetime(2026, 9, 6, 1, 30)),
        ("Pacific/Apia", datetime(2011, 12, 30, 7, 30), datetime(2011, 12, 31, 7, 30)),
    ],
)
def test_a_missing_time_moves_forward_by_the_gap(zone: str, missing: datetime, instead: datetime) -> None:
    instant = timetable.to_utc(missing, zone)
    assert timetable.to_local(instant, zone).replace(tzinfo=None) == instead


@pytest.mark.parametrize(
    ("zone", "repeated", "first"),
    [
        ("Europe/Amsterdam", datetime(2026, 10, 25, 2, 30), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, 1, 30), datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 4, 5, 1, 45), datetime(2026, 4, 4, 14, 45, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("fold", [0, 1])
def test_a_repeated_time_means_its_first_occurrence(
    zone: str, repeated: datetime, first: datetime, fold: int
) -> None:
    assert timetable.to_utc(repeated.replace(fold=fold), zone) == first


@steady
@given(wall_clocks, st.sampled_from(ZONES))
def test_a_wall_clock_time_is_shown_again_unless_it_is_missing(local: datetime, zone: str) -> None:
    shown = timetable.to_local(timetable.to_utc(local, zone), zone)
    moved = shown.replace(tzinfo=None) - local
    # A gap is half an hour at Lord Howe and an hour elsewhere; nothing ever moves back.
    assert moved in {timedelta(), timedelta(minutes=30), timedelta(hours=1)}
    assert shown.fold == 0


def changes_of_the_clock(zone: str) -> list[tuple[datetime, timedelta]]:
    """The instants at which a zone changes its clock in 2026 and 2027, with the change."""
    halves = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=30 * half) for half in range(2 * 24 * 730))
    offsets = ((half, timetable.to_local(half, zone).utcoffset() or timedelta()) for half in halves)
    return [(later, new - old) for (_, old), (later, new) in pairwise(offsets) if new != old]


CHANGES = [(zone, at, change) for zone in SUMMER_TIME for at, change in changes_of_the_clock(zone)]


@steady
@given(st.sampled_from(CHANGES), st.integers(0, 29))
def test_around_each_change_of_the_clock(where: tuple[str, datetime, timedelta], part: int) -> None:
    zone, at, change = where
    into = abs(change) / 30 * part
    # Before the change, by the old clock, the local time at the change would be:
    old_clock = timetable.to_local(at, zone).replace(tzinfo=None) - change
    if change > timedelta():
        # old_clock .. old_clock + gap does not exist: as long after the change as it would have been.
        assert timetable.to_utc(old_clock + into, zone) == at + into
    else:
        # The stretch before old_clock comes twice: it is taken from before the change.
        assert timetable.to_utc(old_clock - abs(change) + into, zone) == at - abs(change) + into


@steady
@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)), st.sampled_from(ZONES)
)
def test_an_instant_returns_from_local_time_unless_it_is_a_second_occurrence(
    instant: datetime, zone: str
) -> None:
    local = timetable.to_local(instant, zone)
    again = timetable.to_utc(local.replace(tzinfo=None), zone)
    assert again == instant if local.fold == 0 else again < instant


def test_a_rule_in_a_repeated_hour_gives_one_slot_where_apscheduler_fires_twice() -> None:
    """APScheduler's own trigger in a real zone posts the 02:30 message twice (DESIGN.md section 10)."""
    zone, day = "Europe/Amsterdam", date(2026, 10, 25)
    naive = CronTrigger.from_crontab("30 2 * * *", timezone=ZoneInfo(zone))
    fired: list[datetime] = []
    moment = datetime(2026, 10, 24, 22, tzinfo=UTC)
    while (following := naive.get_next_fire_time(None, moment)) and following.date() <= day:
        fired.append(following.astimezone(UTC))
        moment = following.astimezone(UTC) + timedelta(minutes=1)
    assert fired == [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]

    [slot] = timetable.cron("30 2 * * *").times(day, day)
    assert timetable.to_utc(slot, zone) == fired[0]


def test_a_rule_in_a_missing_hour_still_fires() -> None:
    [slot] = timetable.cron("30 2 * * *").times(date(2026, 3, 29), date(2026, 3, 29))
    assert timetable.to_utc(slot, "Europe/Amsterdam") == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


# Weekly slots


@pytest.mark.parametrize(
    ("text", "weekdays", "at"),
    [
        ("senin 07:30", {0}, time(7, 30)),
        ("Jumat 19.30", {4}, time(19, 30)),
        ("Jum'at 7:30", {4}, time(7, 30)),
        ("minggu 06:00", {6}, time(6)),
        ("sun 06:00", {6}, time(6)),
        ("friday 19:30", {4}, time(19, 30)),
        ("daily 12:00", set(range(7)), time(12)),
        ("setiap hari 00:00", set(range(7)), time(0)),
        ("hari kerja 23:59", set(range(5)), time(23, 59)),
        (" weekdays  7:05 ", set(range(5)), time(7, 5)),
    ],
)
def test_a_slot_is_read_in_indonesian_and_english(text: str, weekdays: set[int], at: time) -> None:
    assert timetable.parse_slot(text) == timetable.Slot(frozenset(weekdays), at)


@pytest.mark.parametrize(
    "text", ["", "senin", "07:30", "montag 07:30", "senin 24:00", "senin 07:60", "senin 7", "senin 07:30 WIB"]
)
def test_what_is_no_slot_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        timetable.parse_slot(text)


def test_slots_come_in_order_and_each_once_from_the_first_to_the_last_day() -> None:
    slots = [
        timetable.parse_slot(text) for text in ("minggu 06:00", "daily 12:00", "senin 07:30", "senin 12:00")
    ]
    moments = list(timetable.slot_times(slots, MONDAY, SUNDAY))
    assert moments[:2] == [datetime(2026, 6, 1, 7, 30), datetime(2026, 6, 1, 12)]
    assert moments[-2:] == [datetime(2026, 6, 7, 6), datetime(2026, 6, 7, 12)]
    assert len(moments) == 9
    assert moments == sorted(set(moments))


# Rules as in crontab(5)


@pytest.mark.parametrize(
    ("weekday", "expected"),
    [
        ("0", "Sun"),
        ("7", "Sun"),
        ("1", "Mon"),
        ("6", "Sat"),
        ("sun", "Sun"),
        ("MON", "Mon"),
        ("1-5", "Mon Tue Wed Thu Fri"),
        ("5-7", "Fri Sat Sun"),
        ("0-2", "Mon Tue Sun"),
        ("sun-tue", "Mon Tue Sun"),
        ("sat-sun", "Sat Sun"),
        ("mon-sun", "Mon Tue Wed Thu Fri Sat Sun"),
        ("1-5/2", "Mon Wed Fri"),
        ("mon-fri/2", "Mon Wed Fri"),
        ("*/2", "Tue Thu Sat Sun"),
        ("*", "Mon Tue Wed Thu Fri Sat Sun"),
        ("0,7", "Sun"),
        ("1,wed,5-6", "Mon Wed Fri Sat"),
    ],
)
def test_weekdays_are_counted_as_crontab_counts_them(weekday: str, expected: str) -> None:
    assert days(f"0 9 * * {weekday}") == expected.split()


def test_monday_means_tuesday_to_apscheduler_alone() -> None:
    fired = CronTrigger.from_crontab("0 9 * * 1", timezone=UTC).get_next_fire_time(
        None, datetime.combine(MONDAY, time.min, UTC)
    )
    assert fired.strftime("%a") == "Tue"
    assert days("0 9 * * 1") == ["Mon"]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("30 7 * * *", "07:30"),
        ("0,30 7-8 * * *", "07:00 07:30 08:00 08:30"),
        ("*/20 9 * * *", "09:00 09:20 09:40"),
        ("10-50/20 9 * * *", "09:10 09:30 09:50"),
        ("0 */6 * * *", "00:00 06:00 12:00 18:00"),
        ("0 9-17/4 * jun *", "09:00 13:00 17:00"),
        ("0 9 * jan-may *", ""),
        ("0 9 1 6 *", "09:00"),
        ("0 9 2 6 *", ""),
    ],
)
def test_the_other_fields_take_lists_ranges_and_steps(rule: str, expected: str) -> None:
    assert clock(rule) == expected.split()


def test_one_restricted_day_field_stands_alone_and_of_two_either_is_enough() -> None:
    assert dates("0 9 15 * *") == [15]
    assert dates("0 9 * * 1") == [1, 8, 15, 22, 29]
    assert dates("0 9 3,15 * 1") == [1, 3, 8, 15, 22, 29]


def test_a_day_field_that_begins_with_a_star_counts_as_unrestricted() -> None:
    """crontab(5) asks about the asterisk, not about the meaning: here both fields must match."""
    assert dates("0 9 */2 * 1") == [1, 15, 29]
    assert dates("0 9 1-30/2 * 1") == sorted({*range(1, 31, 2), 8, 22})


def test_a_day_that_a_month_does_not_have_is_passed_over() -> None:
    assert list(timetable.cron("0 9 31 * *").times(*MONTH)) == []
    assert list(timetable.cron("0 9 30 2 *").times(*MONTH)) == []


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("", "0 fields"),
        ("0 9 * *", "4 fields"),
        ("0 9 * * 1 2026", "6 fields"),
        ("@daily", "1 fields"),
        ("60 9 * * *", "minute 60"),
        ("0 24 * * *", "hour 24"),
        ("0 9 0 * *", "day 0"),
        ("0 9 32 * *", "day 32"),
        ("0 9 last * *", "day last"),
        ("0 9 * 13 *", "month 13"),
        ("0 9 * mei *", "month mei"),
        ("0 9 * * 8", "weekday 8"),
        ("0 9 * * senin", "weekday senin"),
        ("0 9 * * 5-1", "weekday 5-1"),
        ("0 9 * * 1/2", "weekday 1/2"),
        ("0 9 * * mon#2", "weekday mon#2"),
        ("0 9 * * 1-5/", "weekday 1-5/"),
        ("5/10 9 * * *", "minute 5/10"),
        ("*/0 9 * * *", "minute */0"),
        ("1,,2 9 * * *", "minute 1,,2"),
        ("-1 9 * * *", "minute -1"),
        ("² 9 * * *", "minute ²"),
    ],
)
def test_a_bad_rule_is_refused_with_the_field_that_is_wrong(rule: str, reason: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  (the reason is compared whole)
        timetable.cron(rule)
    assert str(refused.value) == reason


def fields(low: int, high: int, most: int = 99) -> st.SearchStrategy[tuple[str, set[int]]]:
    """A field of a rule, with the numbers that it stands for."""
    numbers = st.integers(low, high)
    steps = st.integers(1, 20)
    spans = st.tuples(numbers, numbers).map(sorted)
    part = st.one_of(
        numbers.map(lambda one: (str(one), {one})),
        spans.map(lambda span: (f"{span[0]}-{span[1]}", set(range(span[0], span[1] + 1)))),
        st.tuples(spans, steps).map(
            lambda it: (f"{it[0][0]}-{it[0][1]}/{it[1]}", set(range(it[0][0], it[0][1] + 1, it[1])))
        ),
    )
    lists = st.lists(part, min_size=1, max_size=3).map(
        lambda parts: (",".join(text for text, _ in parts), set().union(*(values for _, values in parts)))
    )
    every = steps.map(lambda step: (f"*/{step}", set(range(low, high + 1, step))))
    full = st.just(("*", set(range(low, high + 1))))
    return st.one_of(full, every, lists).filter(lambda field: len(field[1]) <= most)


@settings(steady, max_examples=60)
@given(
    fields(0, 59, 4),
    fields(0, 23, 4),
    fields(1, 31),
    fields(1, 12),
    fields(0, 7),
    st.dates(date(2024, 1, 1), date(2032, 1, 1)),
)
def test_a_rule_means_what_a_plain_reading_of_crontab_says(
    minute: tuple[str, set[int]],
    hour: tuple[str, set[int]],
    day: tuple[str, set[int]],
    month: tuple[str, set[int]],
    weekday: tuple[str, set[int]],
    first: date,
) -> None:
    rule = " ".join(text for text, _ in (minute, hour, day, month, weekday))

    def on(when: date) -> bool:
        by_date, by_weekday = when.day in day[1], when.isoweekday() % 7 in {one % 7 for one in weekday[1]}
        if "*" in (day[0][0], weekday[0][0]):
            return by_date and by_weekday
        return by_date or by_weekday

    last = first + timedelta(days=2)
    expected = [
        datetime.combine(when, time(h, m))
        for when in (first, first + timedelta(days=1), last)
        if when.month in month[1] and on(when)
        for h in sorted(hour[1])
        for m in sorted(minute[1])
    ]
    assert list(timetable.cron(rule).times(first, last)) == expected

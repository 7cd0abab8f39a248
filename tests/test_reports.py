"""Report rows from a real database, and the files that they become."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from kit.engine import add_delivery
from kit.office import Office, fingerprint, gaung_process, soon
from kit.stores import new_store

from scheduler.errors import GaungError
from scheduler.reports import tables
from scheduler.reports.columns import DATA as COLUMNS
from scheduler.reports.columns import OFFICE as OFFICE_COLUMNS
from scheduler.reports.columns import GroupBy, grouped
from scheduler.reports.report import Office as Office_
from scheduler.reports.report import Report, Shape
from scheduler.reports.rows import LocalTime, Words, figures, report_rows
from scheduler.reports.tally import Summary
from scheduler.states import State
from scheduler.store import auditing, operations
from scheduler.store.database import Session, Store, open_store
from scheduler.store.reporting import FIGURES, Scope
from scheduler.store.tables import Approval, Delivery, Snapshot

COLUMNS_OF_A_TEST = ("nama", "nilai")
NOON = datetime(2026, 12, 9, 5, 0, tzinfo=UTC)
#: After everything that happens here.
LATER = datetime(2031, 1, 1, tzinfo=UTC)


def written(*rows: dict[str, Any]) -> str:
    return tables.as_csv(COLUMNS_OF_A_TEST, rows)


def cell(value: Any) -> str:
    """How a value is written for Excel."""
    (_header, row) = csv.reader(
        io.StringIO(tables.as_excel_csv(["nilai"], [{"nilai": value}]).removeprefix("\ufeff")), delimiter=";"
    )
    return row[0] if row else ""


# CSV for programs


def test_lines_end_as_the_standard_says_and_the_header_comes_first() -> None:
    assert written({"nama": "a", "nilai": 1}, {"nama": "b", "nilai": 2}) == "nama,nilai\r\na,1\r\nb,2\r\n"
    assert written() == "nama,nilai\r\n"


def test_what_separates_is_quoted_and_read_back_as_it_was() -> None:
    texts = ['Kata "jujur"', "satu, dua", "baris\nbaru", "baris\r\nbaru", " spasi ", "“kutip”", "=1+1"]
    rows = [{"nama": text, "nilai": "x"} for text in texts]
    result = written(*rows)
    assert '"Kata ""jujur""",x\r\n' in result
    read = list(csv.DictReader(io.StringIO(result, newline="")))
    assert [row["nama"] for row in read] == texts


def test_unknown_is_empty_and_zero_is_zero() -> None:
    assert written({"nama": None, "nilai": 0}) == "nama,nilai\r\n,0\r\n"
    assert written({}) == "nama,nilai\r\n,\r\n"


def test_times_are_written_for_machines() -> None:
    wall = datetime(2026, 12, 9, 7, 30)  # noqa: DTZ001 -- the zone has a column of its own
    assert written({"nama": wall, "nilai": 1.5}).endswith("\r\n2026-12-09 07:30:00,1.5\r\n")


def test_only_the_named_columns_are_written_in_their_order() -> None:
    assert written({"nilai": 1, "lain": "x", "nama": "a"}).splitlines()[1] == "a,1"


# CSV for Excel


def test_excel_gets_a_byte_order_mark_and_semicolons() -> None:
    result = tables.as_excel_csv(COLUMNS_OF_A_TEST, [{"nama": "satu; dua", "nilai": 1}])
    assert result == '\ufeffnama;nilai\r\n"satu; dua";1\r\n'


@pytest.mark.parametrize(
    ("value", "shown"), [(1.5, "1,5"), (0.0, "0,0"), (1234.25, "1234,25"), (7, "7"), (None, "")]
)
def test_excel_gets_decimal_commas(value: Any, shown: str) -> None:
    assert cell(value) == shown


@pytest.mark.parametrize("text", ["=1+1", "+A1", "+62=1", "-5", "@SUM(A1)", "@a b", "\t=1", "\r=1"])
def test_what_excel_would_take_for_a_formula_gets_an_apostrophe(text: str) -> None:
    assert cell(text) == f"'{text}"
    assert tables.risky_cells([{"a": text, "b": "aman", "c": None, "d": -5}]) == 1


def test_numbers_below_zero_are_no_formulas() -> None:
    assert cell(-5) == "-5"
    assert cell(-1.5) == "-1,5"


@pytest.mark.parametrize("name", ["@diskominfo", "@dinas.kominfo_2", "@kota@sosial.go.id"])
def test_the_name_of_an_account_is_no_formula_and_stays_as_it_is(name: str) -> None:
    assert cell(name) == name
    assert tables.risky_cells([{"a": name}]) == 0


def test_numbers_of_which_no_character_may_be_lost_are_written_as_constant_texts() -> None:
    for number in ("198503302003121002", "+62811959575", "+62 811-959-575", "1234567890123456"):
        assert cell(number) == f'="{number}"'
    assert cell("123456789012345") == "123456789012345"


# Files


def test_a_report_is_written_whole_in_a_folder_that_is_made(tmp_path: Path) -> None:
    target = tmp_path / "2026" / "laporan.csv"
    tables.write_file(target, "a\r\n“b”\r\n")
    assert target.read_bytes() == "a\r\n“b”\r\n".encode()
    tables.write_file(target, "baru\r\n")
    assert target.read_bytes() == b"baru\r\n"
    assert [path.name for path in target.parent.iterdir()] == ["laporan.csv"]


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "laporan.csv"
    target.mkdir()  # whatever stands there, it cannot be replaced by a file
    (target / "isi").write_text("lama")
    before = fingerprint(tmp_path)
    with pytest.raises(GaungError) as refused:
        tables.write_file(target, "baru")
    assert str(refused.value.values["file"]) == str(target)
    assert "--output" in refused.value.hint
    assert fingerprint(tmp_path) == before


def test_a_report_that_does_not_fit_leaves_the_old_one(tmp_path: Path) -> None:
    office = Office(tmp_path / "kantor")
    office.campaign("rapat", {f"pesan-{n}": soon(86_400) + timedelta(minutes=n) for n in range(250)})
    office.must("apply")
    target = tmp_path / "laporan.csv"
    target.write_text("lama")
    # No file of more than 36 kB: the database, which is only read, needs 32 for its index of the log.
    answer = gaung_process(
        "--config",
        office.config,
        "report",
        "rapat",
        "-o",
        target,
        start="import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (36_864, 36_864))",
    )
    assert answer.code == 2
    assert "laporan.csv" in answer.err
    assert target.read_text() == "lama"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kantor", "laporan.csv"]


# Rows


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path / "kantor")
    office.campaign(
        "rapat", {"satu": soon(86_400), "dua": soon(90_000)}, zone="WITA", accounts=["dinas", "camat"]
    )
    office.must("apply")
    return office


@pytest.fixture
def store(office: Office) -> Iterator[Store]:
    store = open_store(f"sqlite:///{office.state / 'gaung.db'}")
    yield store
    store.close()


def one(session: Session, message: str = "satu", account: str = "dinas") -> Delivery:
    (found,) = (
        one
        for one in operations.of_campaign(session, "rapat", [State.PLANNED])
        if (one.message_id, one.account_id) == (message, account)
    )
    return found


def rows(store: Store, names: dict[str, str] | None = None) -> list[Any]:
    with store.read() as session:
        return list(report_rows(session, Scope(LATER, "rapat"), Words(names or {}, lambda code, _text: code)))


def snapshot(delivery: Delivery, taken_at: datetime, **known: Any) -> Snapshot:
    return Snapshot(delivery_id=delivery.id or 0, taken_at=taken_at, source="api", **known)


def test_there_is_a_row_for_every_post_by_time_with_every_column(store: Store) -> None:
    found = rows(store)
    assert [(row["message"], row["account"]) for row in found] == [
        ("satu", "dinas"),
        ("satu", "camat"),
        ("dua", "dinas"),
        ("dua", "camat"),
    ]
    assert all(tuple(row) == COLUMNS for row in found)
    assert found[0]["agency"] == "Dinas Dinas"
    assert found[0]["topic"] == "jujur"
    assert len(found[0]["digest"]) == 64


def test_what_is_not_known_is_none_and_never_zero(store: Store) -> None:
    row = rows(store)[0]
    for column in (*FIGURES, "engagement", "source", "measured_at", "published_at", "permalink", "approver"):
        assert row[column] is None, column
    line = tables.as_csv(COLUMNS, [row]).splitlines()[1]
    assert ",planned,,,,,,,,,,,," in line


def test_the_newest_figures_count_and_engagement_is_the_sum_of_what_was_told(store: Store) -> None:
    with store.write() as session:
        session.add(snapshot(one(session), NOON, views=5, reach=4, likes=1))
        session.flush()
        session.add(
            snapshot(one(session), NOON + timedelta(hours=1), views=50, likes=3, comments=0, clicks=9)
        )
    row = rows(store)[0]
    assert (row["views"], row["reach"], row["shares"], row["clicks"]) == (50, None, None, 9)
    assert row["engagement"] == 3  # likes and comments; clicks are no engagement, shares are unknown
    assert row["source"] == "api"
    assert row["measured_at"] == datetime(2026, 12, 9, 14, 0)  # noqa: DTZ001 -- 06:00 UTC in WITA


def test_figures_of_a_post_of_which_nothing_was_told() -> None:
    assert set(figures(None).values()) == {None}
    nothing = Snapshot(delivery_id=1, taken_at=NOON, source="api", views=7)
    assert figures(nothing)["engagement"] is None
    assert figures(nothing)["views"] == 7
    zero = Snapshot(delivery_id=1, taken_at=NOON, source="api", likes=0, saves=0)
    assert figures(zero)["engagement"] == 0


def test_approvers_are_named_and_an_approval_that_is_void_is_not(store: Store) -> None:
    def approval(session: Session, who: str, void: datetime | None = None) -> Approval:
        return Approval(
            campaign_id="rapat",
            digest=one(session).digest,
            approver=who,
            os_user=who,
            approved_at=NOON,
            void_at=void,
        )

    with store.write() as session:
        session.add(approval(session, "budi"))
        session.flush()
        session.add(approval(session, "siti"))
        session.flush()
        session.add(approval(session, "rina", NOON))
    names = {"budi": "Budi Santoso", "rina": "Rina"}
    found = rows(store, names)
    assert found[0]["approver"] == "Budi Santoso, siti"  # who left the configuration is named by id
    assert found[1]["approver"] is None  # the other account's content is another


def test_times_are_those_of_the_campaign_with_the_zone_named(store: Store) -> None:
    with store.write() as session:
        delivery = one(session)
        delivery.published_at, delivery.state = NOON, State.SENT
        session.add(delivery)
        planned = delivery.planned_at
    row = rows(store)[0]
    assert row["zone"] == "WITA"
    assert row["published_at"] == datetime(2026, 12, 9, 13, 0)  # noqa: DTZ001
    assert row["planned_at"] == planned.astimezone(UTC).replace(tzinfo=None) + timedelta(hours=8)


@pytest.mark.parametrize(
    ("zone", "label", "hour"),
    [
        ("WIB", "WIB", 12),
        ("Asia/Pontianak", "WIB", 12),
        ("WITA", "WITA", 13),
        ("Asia/Makassar", "WITA", 13),
        ("WIT", "WIT", 14),
        ("Asia/Jayapura", "WIT", 14),
        ("Europe/Amsterdam", "CET", 6),
    ],
)
def test_zones_have_the_names_that_offices_know(zone: str, label: str, hour: int) -> None:
    shown = LocalTime(NOON.replace(microsecond=999_000), zone)
    assert (shown.label, shown.wall) == (label, datetime(2026, 12, 9, hour, 0))  # noqa: DTZ001


def test_a_campaign_that_was_never_applied_has_no_rows(store: Store) -> None:
    with store.read() as session:
        assert list(report_rows(session, Scope(LATER, "hantu"), Words({}, lambda code, _text: code))) == []


# Scope: filters and moments


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Store]:
    """Four published posts of two agencies, with a history: planned, sent, measured twice."""
    store = new_store(tmp_path)
    tell(store)
    yield store
    store.close()


def tell(store: Store) -> None:
    with store.write() as session:
        for number, (agency, platform, day) in enumerate(
            [("Dinas A", "x", 1), ("Dinas A", "telegram", 2), ("Dinas B", "x", 2), ("Dinas B", "x", 31)]
        ):
            at = datetime(2026, 12, day, 2, number, tzinfo=UTC)
            id_ = add_delivery(
                session,
                State.SENT,
                agency=agency,
                platform=platform,
                planned_at=at,
                published_at=at,
                slot=f"2026-12-{day:02}T09:0{number}:00",
                permalink=f"https://contoh.example/{number}",
            )
            for minute, (before, after) in enumerate(
                [("", "planned"), ("planned", "sending"), ("sending", "sent")]
            ):
                event = auditing.Event(
                    at=at + timedelta(minutes=minute),
                    actor="daemon" if minute else "ani",
                    action=after,
                    campaign_id="hakordia",
                    delivery_id=id_,
                    before=before,
                    after=after,
                    digest=f"digest-{number + 1}",
                )
                auditing.note(session, [event])
            for hour in (1, 24):
                session.add(
                    Snapshot(
                        delivery_id=id_,
                        taken_at=at + timedelta(hours=hour),
                        source="api",
                        views=100 * hour,
                        reach=80 * hour if platform == "x" else None,
                        likes=hour,
                    )
                )


def reported(store: Store, shape: Shape | None = None, **scope: Any) -> Report:
    """A report read at once, so that nothing is open any more."""
    with store.read() as session:
        report = Report(session, Scope(**{"as_of": LATER, **scope}), OFFICE, shape or Shape())
        report.table = list(report.rows(Summary()))  # type: ignore[attr-defined]
        report.head = report.audit_head  # type: ignore[attr-defined]
        return report


def table(store: Store, shape: Shape | None = None, **scope: Any) -> list[Any]:
    found: list[Any] = reported(store, shape, **scope).table  # type: ignore[attr-defined]
    return found


OFFICE = Office_("Diskominfo", "WIB", Words({}, lambda code, _text: code), str)


def test_a_report_may_be_about_one_agency_or_some_days_by_the_planned_local_day(told: Store) -> None:
    assert len(table(told)) == 4
    assert {row["agency"] for row in table(told, agency="Dinas B")} == {"Dinas B"}
    assert [
        row["planned_at"].day for row in table(told, first=date(2026, 12, 2), last=date(2026, 12, 2))
    ] == [
        2,
        2,
    ]
    assert len(table(told, first=date(2026, 12, 31))) == 1
    assert table(told, last=date(2026, 11, 30)) == []
    assert table(told, campaign="lain") == []


def test_as_of_a_moment_only_what_was_known_then_is_reported(told: Store) -> None:
    """At 02:02:30 the first post had been claimed, not yet accepted; the others did not exist."""
    start = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
    (sending,) = table(told, as_of=start + timedelta(seconds=90))
    assert (sending["state"], sending["published_at"], sending["permalink"]) == ("sending", None, None)
    assert sending["views"] is None
    (fresh,) = table(told, as_of=start + timedelta(minutes=10))
    assert (fresh["state"], fresh["views"]) == ("sent", None)
    (measured,) = table(told, as_of=start + timedelta(hours=2))
    assert (measured["views"], measured["reach"]) == (100, 80)
    later = table(told, as_of=datetime(2026, 12, 3, 0, tzinfo=UTC))
    assert [row["views"] for row in later] == [2400, 100, 100]
    assert table(told, as_of=start - timedelta(minutes=1)) == []


def test_postgresql_gives_the_same_rows_now_and_then(told: Store, postgres_store: Store) -> None:
    tell(postgres_store)
    early = datetime(2026, 12, 1, 2, 1, 30, tzinfo=UTC)
    for moment in (early, early + timedelta(hours=2), LATER):
        assert table(postgres_store, as_of=moment) == table(told, as_of=moment)
    with postgres_store.write() as session:
        session.add(
            Approval(
                campaign_id="hakordia", digest="digest-1", approver="budi", os_user="b", approved_at=NOON
            )
        )
    row = table(postgres_store)[0]
    assert (row["approver"], row["approved_at"]) == ("budi", datetime(2026, 12, 9, 12, 0))  # noqa: DTZ001


def test_a_snapshot_in_which_nothing_is_told_does_not_hide_the_one_before(told: Store) -> None:
    with told.write() as session:
        session.add(Snapshot(delivery_id=1, taken_at=NOON, source="api", raw={"answer": None}))
    assert table(told)[0]["views"] == 2400


def test_the_audit_head_is_that_of_the_moment(told: Store) -> None:
    head = reported(told, as_of=datetime(2026, 12, 1, 2, 1, 30, tzinfo=UTC)).head  # type: ignore[attr-defined]
    assert (head.sequence, head.at) == (2, datetime(2026, 12, 1, 2, 1, tzinfo=UTC))
    assert len(head.hash) == 64


@pytest.mark.parametrize("by", get_args(GroupBy)[1:])
def test_groups_add_up_to_the_posts_and_say_of_how_many_a_figure_is_known(told: Store, by: GroupBy) -> None:
    groups = table(told, Shape(group_by=by))
    assert list(groups[0]) == [column.code for column in grouped(by)]
    assert sum(group["posts"] for group in groups) == 4
    assert sum(group["views_sum"] for group in groups) == 4 * 2400
    assert sum(group["reach_known"] for group in groups) == 3
    keys = [group[by] for group in groups]
    assert keys == sorted(set(keys))


def test_a_sum_of_which_nothing_is_known_is_unknown(told: Store) -> None:
    telegram = table(told, Shape(group_by="platform"))[0]
    assert (telegram["platform"], telegram["reach_sum"], telegram["reach_known"]) == ("telegram", None, 0)
    assert telegram["saves_sum"] is None


def test_the_table_of_an_office_numbers_its_rows_and_sets_day_and_time_apart(told: Store) -> None:
    rows = table(told, Shape(columns="office", headers="id"))
    assert [tuple(row) for row in rows] == [OFFICE_COLUMNS] * 4
    assert [row["no"] for row in rows] == [1, 2, 3, 4]
    assert (rows[0]["date"], rows[0]["time"]) == (date(2026, 12, 1), time(9, 0))


def test_coverage_counts_posts_that_know_a_figure_among_those_that_were_published(told: Store) -> None:
    with told.write() as session:
        add_delivery(session, State.FAILED, account_id="gagal")
    coverage = reported(told).coverage
    assert (coverage.total.posts, coverage.total.published) == (5, 4)
    assert (coverage.total.known("views"), coverage.total.known("reach")) == (4, 3)
    assert coverage.sources == {"api": 4}


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.lists(
            st.one_of(
                st.none(),
                st.text(max_size=8),
                st.text(alphabet=',"\r\n;=+-@ a', max_size=6),
                st.integers(),
                st.floats(allow_nan=False, allow_infinity=False),
                st.datetimes(),
            ),
            min_size=2,
            max_size=2,
        )
    )
)
def test_a_plain_csv_is_what_the_csv_module_writes(cells: list[list[Any]]) -> None:
    ours = io.BytesIO()
    tables.write_plain(ours, ["a", "b"], [dict(zip("ab", row, strict=True)) for row in cells], (0, 1))
    theirs = io.StringIO()
    writer = csv.writer(theirs, lineterminator="\r\n")
    writer.writerows([["a", "b"], *cells])
    assert ours.getvalue().decode("utf-8", "surrogatepass") == theirs.getvalue()

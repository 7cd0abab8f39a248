"""The files that a report becomes, read back as whoever gets them would: by other programs."""

from __future__ import annotations

import io
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from kit import echo, reading
from kit.engine import add_delivery
from kit.office import ROOT, gaung, gaung_process
from kit.reading import LATER, RECAP, TIMELINE, read, sheet, write
from kit.stores import new_store
from PIL import Image, ImageFile

from scheduler.reports import formats
from scheduler.reports.columns import DATA, OFFICE
from scheduler.reports.formats import html
from scheduler.reports.report import Shape
from scheduler.states import State
from scheduler.store.reporting import FIGURES
from scheduler.store.tables import Snapshot

TABLES = ("csv", "csv-excel", "json", "xlsx")
STRICT = ImageFile.LOAD_TRUNCATED_IMAGES
try:
    import weasyprint
except (ImportError, OSError):  # no Pango: what a PDF needs is not here
    weasyprint = None
ImageFile.LOAD_TRUNCATED_IMAGES = STRICT  # WeasyPrint lets Pillow take cut pictures, in the whole process
PDFTOTEXT = shutil.which("pdftotext")
EVERY = tuple(form for form in formats.FORMATS if form != "pdf" or weasyprint)


@pytest.fixture(scope="module")
def office() -> Iterator[echo.Echo]:
    """The Hakordia campaign of an office, over and measured."""
    with tempfile.TemporaryDirectory() as folder:
        made = echo.make(Path(folder) / "kantor")
        yield made
        made.store.close()


def report(office: echo.Echo, *options: str | Path, lang: str = "id") -> Any:
    """Run ``gaung report`` on the office, as of the end of the year."""
    answer = gaung(
        "--config", office.config, "report", echo.CAMPAIGN, "--as-of", echo.AS_OF, *options, lang=lang
    )
    assert answer.code == 0, answer.all
    return answer


# The same in every format


@pytest.mark.parametrize("form", EVERY)
def test_the_same_report_is_the_same_file(office: echo.Echo, tmp_path: Path, form: str) -> None:
    first, second = tmp_path / f"a{formats.suffix(form)}", tmp_path / f"b{formats.suffix(form)}"
    for target in (first, second):
        # Setting a PDF takes its time: a small one will do.
        report(office, "-f", form, "-o", target, *(["--agency", "Dinas Kesehatan"] if form == "pdf" else []))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("form", TABLES)
def test_every_format_holds_the_same_figures_as_the_database(office: echo.Echo, form: str) -> None:
    rows = read(form, write(office.store, form, shape=Shape(), campaign=echo.CAMPAIGN))
    with closing(sqlite3.connect(office.folder / "state" / "gaung.db")) as database:
        direct = database.execute(
            """
            SELECT d.message_id, d.account_id, s.views, s.reach, s.likes, s.comments, s.shares, s.saves
            FROM delivery d
            LEFT JOIN snapshot s ON s.delivery_id = d.id AND s.taken_at =
                (SELECT max(taken_at) FROM snapshot WHERE delivery_id = d.id)
            ORDER BY d.planned_at, d.id
            """
        ).fetchall()
    assert len(rows) == len(direct) == 60
    for row, (message, account, *figures) in zip(rows, direct, strict=True):
        assert (row["message"], row["account"]) == (message, account)
        told = [row[name] for name in ("views", "reach", "likes", "comments", "shares", "saves")]
        assert [None if one in ("", None) else int(one) for one in told] == figures


def test_sums_of_groups_are_those_that_sql_gives(office: echo.Echo) -> None:
    groups = read("csv", write(office.store, "csv", shape=Shape(group_by="platform"), campaign=echo.CAMPAIGN))
    with closing(sqlite3.connect(office.folder / "state" / "gaung.db")) as database:
        direct = database.execute(
            """
            SELECT d.platform, count(*), sum(d.state = 'sent'), sum(s.views), count(s.views), sum(s.reach),
                   count(s.reach)
            FROM delivery d
            LEFT JOIN snapshot s ON s.delivery_id = d.id AND s.taken_at =
                (SELECT max(taken_at) FROM snapshot WHERE delivery_id = d.id)
            GROUP BY d.platform ORDER BY d.platform
            """
        ).fetchall()
    names = ("posts", "published", "views_sum", "views_known", "reach_sum", "reach_known")
    assert [(group["platform"], *(_figure(group[name]) for name in names)) for group in groups] == direct


def test_answers_and_followers_of_accounts_are_those_that_sql_gives(office: echo.Echo) -> None:
    shape = Shape(group_by="account")
    groups = read("csv", write(office.store, "csv", shape=shape, campaign=echo.CAMPAIGN))
    with closing(sqlite3.connect(office.folder / "state" / "gaung.db")) as database:
        followers = database.execute(
            """
            SELECT account_id, followers FROM follower_count f
            WHERE taken_at = (SELECT max(taken_at) FROM follower_count WHERE account_id = f.account_id)
            """
        ).fetchall()
        # The campaign begins on 24 November in WIB: the count of 00:05 that day is the first in its time.
        before = database.execute(
            """
            SELECT account_id, followers FROM follower_count f WHERE taken_at =
                (SELECT min(taken_at) FROM follower_count WHERE account_id = f.account_id HAVING count(*) > 1)
            """
        ).fetchall()
        answers = database.execute(
            """
            SELECT c.account_id, count(*), count(a.id),
                round(avg((julianday(a.written_at) - julianday(c.written_at)) * 24 * 60), 4)
            FROM comment c LEFT JOIN comment a ON a.own AND a.under = c.remote_id
            WHERE NOT c.own GROUP BY c.account_id
            """
        ).fetchall()
    assert {row["account"]: int(row["followers"]) for row in groups} == dict(followers)
    grown = {row["account"]: row["followers_change"] for row in groups if row["followers_change"]}
    assert grown == {name: str(dict(followers)[name] - count) for name, count in before}
    told = [[row["account"], _figure(row["received_sum"]), _figure(row["answered_sum"])] for row in groups]
    assert [one for one in told if one[1] is not None] == [list(row[:3]) for row in answers]
    minutes = {row["account"]: float(row["response_minutes"]) for row in groups if row["response_minutes"]}
    assert minutes == {row[0]: pytest.approx(row[3], abs=1) for row in answers}


known = st.one_of(st.none(), st.just(0), st.integers(1, 2_000_000_000))


@settings(max_examples=12, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.lists(st.tuples(*[known] * len(FIGURES)), min_size=1, max_size=5))
def test_unknown_never_becomes_zero_and_zero_never_unknown_in_any_format(posts: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = new_store(Path(folder))
        at = datetime(2026, 12, 9, 5, 0, tzinfo=UTC)
        with store.write() as session:
            for number, figures in enumerate(posts):
                id_ = add_delivery(
                    session, State.SENT, published_at=at, planned_at=at + timedelta(minutes=number)
                )
                told = dict(zip(FIGURES, figures, strict=True))
                session.add(Snapshot(delivery_id=id_, taken_at=at, source="api", **told))
        expected = [[None if all(one is None for one in post) else value for value in post] for post in posts]
        for form in TABLES:
            rows = read(form, write(store, form))
            found = [[_figure(row[name]) for name in FIGURES] for row in rows]
            assert found == expected, form
        page = _Cells()
        page.feed(write(store, "html", shape=Shape(headers="codes")).decode())
        places = [page.heads.index(name) for name in FIGURES]
        shown = [[_shown(row[place]) for place in places] for row in page.rows]
        assert shown == expected
        (sums,) = read("csv", write(store, "csv", shape=Shape(group_by="platform")))
        for place, name in enumerate(FIGURES):
            values = [value for post in expected if (value := post[place]) is not None]
            assert sums[f"{name}_sum"] == (str(sum(values)) if values else "")
            assert sums[f"{name}_known"] == str(len(values))
        store.close()


@pytest.mark.skipif(not (weasyprint and PDFTOTEXT), reason="no Pango, no WeasyPrint, or no pdftotext")
def test_on_paper_unknown_is_no_zero_and_zero_is_known(tmp_path: Path) -> None:
    """Given views of three platforms of which none, zero, or a number is known, a PDF tells them apart."""
    store = new_store(tmp_path)
    at = datetime(2026, 12, 9, 5, 0, tzinfo=UTC)
    with store.write() as session:
        for platform, views, reach in (("satu", None, 0), ("dua", 0, 1_234_567), ("tiga", 25, None)):
            id_ = add_delivery(session, State.SENT, platform=platform, published_at=at)
            session.add(Snapshot(delivery_id=id_, taken_at=at, source="api", views=views, reach=reach))
    paper = write(store, "pdf", shape=Shape(group_by="platform"))
    store.close()
    assert PDFTOTEXT is not None
    done = subprocess.run([PDFTOTEXT, "-layout", "-", "-"], input=paper, capture_output=True, check=True)
    shown = {cells[0]: cells[2:6] for line in done.stdout.decode().splitlines() if (cells := line.split())}
    # Views and how many posts they are known of, reach and how many.
    assert shown["satu"] == ["–", "0", "0", "1"]
    assert shown["dua"] == ["0", "1", "1.234.567", "1"]
    assert shown["tiga"] == ["25", "1", "–", "0"]


def _figure(cell: Any) -> int | None:
    return None if cell in ("", None) else int(cell)


def _shown(text: str) -> int | None:
    return None if text == "–" else int(text.replace(".", ""))


class _Cells(HTMLParser):
    """The table of posts on a page."""

    def __init__(self) -> None:
        super().__init__()
        self.heads: list[str] = []
        self.rows: list[list[str]] = []
        self._inside = self._head = self._cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._inside = dict(attrs).get("class") == "rows"
        if self._inside and tag == "tr" and self.heads:
            self.rows.append([])
        self._head, self._cell = self._inside and tag == "th", self._inside and tag == "td"
        if self._cell:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self._head:
            self.heads.append(data)
        elif self._cell:
            self.rows[-1][-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._head = self._cell = False
        if tag == "table":
            self._inside = False


@pytest.mark.parametrize("form", ["csv-excel", "json", "xlsx", "html"])
def test_every_report_says_what_it_knows_what_its_words_mean_and_where_the_record_stood(
    office: echo.Echo, tmp_path: Path, form: str
) -> None:
    target = tmp_path / f"laporan{formats.suffix(form)}"
    report(office, "-f", form, "-o", target)
    text = _text_of(target)
    for part in (
        "Jangkauan diketahui untuk 33 dari 54 unggahan yang terbit" if form != "json" else '"reach": 33',
        "bukan jumlah orang",
        "Satu orang dapat terhitung beberapa kali",
        "SHA-256" if form != "json" else '"hash"',
    ):
        assert part in text, part


def _text_of(target: Path) -> str:
    if target.suffix != ".xlsx":
        return target.read_text(encoding="utf-8-sig")
    book = openpyxl.load_workbook(target)
    return "\n".join(
        str(cell) for sheet_ in book for row in sheet_.iter_rows(values_only=True) for cell in row
    )


def test_a_plain_csv_has_its_description_beside_it(office: echo.Echo, tmp_path: Path) -> None:
    import json

    report(office, "-o", tmp_path / "laporan.csv")
    beside = json.loads((tmp_path / "laporan.csv-metadata.json").read_text(encoding="utf-8"))
    assert beside["url"] == "laporan.csv"
    assert [column["name"] for column in beside["tableSchema"]["columns"]] == list(DATA)
    assert beside["gaung:about"]["known"]["reach"] == 33
    assert "bukan jumlah orang" in beside["gaung:about"]["sums"]


def test_a_sum_of_reach_is_nowhere_called_people(office: echo.Echo, tmp_path: Path) -> None:
    report(office, "--group-by", "agency", "-f", "csv-excel", "--headers", "id", "-o", tmp_path / "a.csv")
    head = (tmp_path / "a.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert "Jangkauan dijumlahkan per unggahan (bukan jumlah orang)" in head
    book = write(office.store, "xlsx", campaign=echo.CAMPAIGN)
    assert any("bukan jumlah orang" in key for key in sheet(book, RECAP)[0])
    assert any("bukan jumlah orang" in key for key in sheet(book, TIMELINE)[0])


# Workbooks


def test_cells_of_a_workbook_have_types_and_identifiers_are_texts(office: echo.Echo) -> None:
    rows = read("xlsx", write(office.store, "xlsx", campaign=echo.CAMPAIGN))
    assert list(rows[0]) == list(OFFICE)
    assert len(rows) == 60
    first = rows[0]
    assert (first["date"], first["time"]) == (datetime(2026, 11, 23), time(7, 30, 20))  # noqa: DTZ001
    assert isinstance(first["views"], int)
    assert isinstance(first["digest"], str)
    assert isinstance(first["engagement_rate"], float)
    assert first["clicks"] is None


@pytest.mark.parametrize(
    "text", ["=1+1", "@diskominfo", "+62 811-959-575", "-5", "198503302003121002", "0012"]
)
def test_a_text_stays_a_text_in_a_workbook_whatever_it_begins_with(tmp_path: Path, text: str) -> None:
    store = new_store(tmp_path)
    with store.write() as session:
        add_delivery(session, topic=text, agency=text)
    book = openpyxl.load_workbook(io.BytesIO(write(store, "xlsx")))
    cells = [cell for row in book.worksheets[reading.POSTS].iter_rows() for cell in row if cell.value == text]
    assert [cell.data_type for cell in cells] == ["s", "s"]
    store.close()


def test_the_recap_holds_every_agency_against_its_target(office: echo.Echo, tmp_path: Path) -> None:
    report(office, "-o", tmp_path / "laporan.xlsx", lang="en")
    rows = sheet((tmp_path / "laporan.xlsx").read_bytes(), RECAP)
    by_name = {row["Agency"]: (row["Target"], row["Actual"]) for row in rows}
    # November and December: twice what the configuration says for a month.
    assert by_name["Dinas Komunikasi dan Informatika"] == (24, 22)
    assert by_name["Kecamatan Sukamaju"] == (12, 10)
    assert by_name["Satuan Polisi Pamong Praja"] == (12, 0), (
        "an agency that published nothing is not left out"
    )
    assert by_name["Total"] == (72, 54)


def test_a_workbook_has_charts_a_signature_and_pages_of_a4(office: echo.Echo, tmp_path: Path) -> None:
    report(office, "-o", tmp_path / "laporan.xlsx")
    book = openpyxl.load_workbook(tmp_path / "laporan.xlsx")
    charts = [len(vars(one)["_charts"]) for one in book.worksheets]
    assert charts == [0, 1, 1, 1, 0, 1, 0, 0]
    assert {sheet_.page_setup.paperSize for sheet_ in book.worksheets} == {9}
    cover = [str(cell) for row in book.worksheets[0].iter_rows(values_only=True) for cell in row if cell]
    for text in ("Contoh, 31 Desember 2026", "Mengetahui,", "Kepala Dinas", "NIP 197104121996032003"):
        assert text in cover
    assert book.worksheets[reading.POSTS].freeze_panes == "A2"


def test_a_campaign_file_may_set_the_targets(office: echo.Echo) -> None:
    with office.store.read() as session:
        from scheduler.reports.report import Report
        from scheduler.store.reporting import Scope

        made = Report(session, Scope(LATER, echo.CAMPAIGN), reading.OFFICE, Shape())
        targets = replace(made.targets, campaign={"Dinas Kesehatan": 3, "*": 1})
    assert (targets.target("Dinas Kesehatan"), targets.target("Dinas Lain")) == (3, 1)


def test_without_a_target_the_share_is_unknown(office: echo.Echo) -> None:
    rows = sheet(write(office.store, "xlsx", lang="en", campaign=echo.CAMPAIGN), RECAP)
    assert {row["Target"] for row in rows} == {None}
    assert {row["Share of target"] for row in rows} == {None}


# The page


def test_the_page_needs_no_network_and_shows_the_pictures(office: echo.Echo, tmp_path: Path) -> None:
    report(office, "-o", tmp_path / "laporan.html")
    page = (tmp_path / "laporan.html").read_text(encoding="utf-8")
    loaded = re.findall(r"""(?:src|href)=["']([^"']+)""", page)
    assert [one for one in loaded if one.startswith("http")] == re.findall(r'<a href="(http[^"]+)', page)
    assert page.count("data:image/jpeg;base64,") == 10
    assert "@import" not in page
    assert "url(" not in page
    assert "<script" not in page


def test_every_chart_has_a_text_for_those_who_cannot_see_it(office: echo.Echo) -> None:
    page = write(office.store, "html", campaign=echo.CAMPAIGN).decode()
    charts = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len(charts) >= 6
    for chart in charts:
        assert re.search(r'role="img".*aria-label="[^"]+".*<title>[^<]+</title><desc>[^<]+</desc>', chart)
    assert "92.150" in charts[0], "the curve tells its last value"


def test_what_people_wrote_is_no_html_on_the_page(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    with store.write() as session:
        add_delivery(session, topic="<b>jujur</b>", agency="<script>alert(1)</script>")
    page = write(store, "html").decode()
    assert "<b>jujur" not in page
    assert "<script" not in page
    store.close()


def test_a_picture_that_is_gone_leaves_its_place_empty(office: echo.Echo) -> None:
    page = write(office.store, "html", campaign=echo.CAMPAIGN).decode()  # without a folder of media
    assert "data:image" not in page
    assert "Tanpa gambar" in page


def test_a_long_table_is_left_to_the_workbook(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    with store.write() as session:
        for number in range(html._ROWS + 1):
            add_delivery(session, account_id=f"akun-{number}")
    page = write(store, "html").decode()
    assert "Tabelnya terlalu panjang" in page
    store.close()


def test_a_report_of_nothing_is_a_report_in_every_format(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    for form in EVERY:
        assert write(store, form), form
    store.close()


# Opened for real


def test_libreoffice_reads_the_same_numbers_and_texts_from_the_workbook(
    office: echo.Echo, tmp_path: Path
) -> None:
    (tmp_path / "laporan.xlsx").write_bytes(write(office.store, "xlsx", campaign=echo.CAMPAIGN))
    head, *rows = reading.libreoffice(tmp_path / "laporan.xlsx")
    assert list(head) == list(OFFICE)
    ours = read("xlsx", (tmp_path / "laporan.xlsx").read_bytes())
    assert [dict(zip(OFFICE, row, strict=True)) for row in rows] == ours


def test_libreoffice_reads_the_same_from_the_csv_for_excel_with_indonesian_settings(
    tmp_path: Path,
) -> None:
    store = new_store(tmp_path)
    texts = ["@diskominfo", "+62 811-959-575", "198503302003121002", "Suap; pungli", 'Kata "jujur"', "=1+1"]
    at = datetime(2026, 12, 9, 5, 0, tzinfo=UTC)
    with store.write() as session:
        for number, text in enumerate(texts):
            id_ = add_delivery(session, State.SENT, topic=text, published_at=at,
                               planned_at=at + timedelta(minutes=number))  # fmt: skip
            session.add(
                Snapshot(delivery_id=id_, taken_at=at, source="api", views=1234, reach=1000, likes=25)
            )
    (tmp_path / "laporan.csv").write_bytes(write(store, "csv-excel"))
    # Tokens of the filter: ; as separator, " around texts, UTF-8 (76), from line 1, Indonesian (0x0421).
    head, *rows = reading.libreoffice(tmp_path / "laporan.csv", "--infilter=CSV:59,34,76,1,,1057,false,true")
    posts = [dict(zip(head, row, strict=True)) for row in rows[: len(texts)]]
    assert [post["topic"] for post in posts] == [*texts[:-1], "'=1+1"]
    assert {(post["views"], post["reach"], post["engagement_rate"]) for post in posts} == {
        (1234, 1000, 0.025)
    }
    assert {post["saves"] for post in posts} == {None}
    store.close()


def test_chromium_draws_the_page(office: echo.Echo, tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("Chromium is not installed")
    report(office, "-o", tmp_path / "laporan.html")
    subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1100,1400",
         f"--screenshot={tmp_path / 'gambar.png'}", (tmp_path / "laporan.html").as_uri()],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    with Image.open(tmp_path / "gambar.png") as picture:
        colours = picture.convert("RGB").getcolors(maxcolors=2_000_000) or []
        band = picture.convert("RGB").getpixel((550, 10))
    assert band == (12, 74, 90), "the band at the top has its colour"
    assert len(colours) > 1000, "pictures and charts are drawn"


@pytest.mark.skipif(not weasyprint, reason="no Pango, or WeasyPrint is not installed")
def test_a_pdf_leaves_the_checks_of_pictures_as_strict_as_they_were(tmp_path: Path) -> None:
    """WeasyPrint lets Pillow take pictures that are cut off; a process that made a PDF still refuses them."""
    program = (
        "import io, sys\nfrom PIL import Image, ImageFile\nfrom scheduler.reports.formats import pdf\n"
        "try:\n    pdf.write(None, io.BytesIO())\nexcept AttributeError:\n    pass\n"
        "assert 'weasyprint' in sys.modules\nsys.exit(int(ImageFile.LOAD_TRUNCATED_IMAGES))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False)
    assert done.returncode == 0


def test_without_the_libraries_of_a_pdf_it_is_said_what_to_install(office: echo.Echo, tmp_path: Path) -> None:
    """WeasyPrint is there, Pango is not: its import then raises OSError."""
    (tmp_path / "weasyprint.py").write_text('raise OSError("cannot load library libpango-1.0-0")\n')
    answer = gaung_process(
        "--config", office.config, "report", "-o", tmp_path / "a.pdf",
        environment={"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
    )  # fmt: skip
    assert answer.code == 2
    assert "libpango" in answer.err
    assert "gaung[pdf]" in answer.err
    assert not (tmp_path / "a.pdf").exists()


# The command


def test_the_format_follows_the_name_of_the_file(office: echo.Echo, tmp_path: Path) -> None:
    report(office, "-o", tmp_path / "a.json")
    assert (tmp_path / "a.json").read_bytes().startswith(b'{"rows": [')
    report(office, "-o", tmp_path / "a.xlsx")
    assert zipfile.is_zipfile(tmp_path / "a.xlsx")


def test_a_month_and_an_agency_narrow_the_report(office: echo.Echo, tmp_path: Path) -> None:
    report(office, "--month", "2026-12", "--agency", "Dinas Kesehatan", "-o", tmp_path / "a.csv")
    rows = read("csv", (tmp_path / "a.csv").read_bytes())
    assert {(row["agency"], row["planned_at"][:7]) for row in rows} == {("Dinas Kesehatan", "2026-12")}


def test_a_report_goes_to_the_screen_if_asked(office: echo.Echo) -> None:
    answer = gaung_process("--config", office.config, "report", "-f", "csv", "-o", "-", "--as-of", echo.AS_OF)
    assert answer.out.startswith("agency,account,")
    assert len(answer.out.splitlines()) == 61


def test_headings_come_in_both_languages_or_as_codes(office: echo.Echo, tmp_path: Path) -> None:
    heads = {}
    for headers in ("id", "en", "codes"):
        report(office, "--columns", "office", "--headers", headers, "-o", tmp_path / "a.csv")
        heads[headers] = (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert heads["codes"] == list(OFFICE)
    assert heads["id"][:5] == ["No.", "Tanggal", "Jam", "Zona", "Perangkat daerah"]
    assert heads["en"][:5] == ["No.", "Date", "Time", "Zone", "Agency"]
    assert len(set(heads["id"])) == len(OFFICE)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--from", "9 Desember"], "9 Desember"),
        (["--from", "2026-12-09", "--to", "2026-12-01"], "2026-12-01"),
        (["--month", "2026-13"], "2026-13"),
        (["--month", "2026-12", "--from", "2026-12-01"], "--month"),
        (["--as-of", "kemarin"], "kemarin"),
    ],
)
def test_a_period_that_is_none_is_refused_and_nothing_is_written(
    office: echo.Echo, tmp_path: Path, options: list[str], named: str
) -> None:
    answer = gaung("--config", office.config, "report", "-o", tmp_path / "a.csv", *options)
    assert answer.code == 2
    assert named in answer.err
    assert list(tmp_path.iterdir()) == []


def test_a_day_alone_means_its_end_where_the_office_is(office: echo.Echo) -> None:
    from scheduler.cli.reports import moment

    end = moment("2026-12-31", "WIT", LATER)
    assert end + timedelta(microseconds=1) == datetime(2026, 12, 31, 15, 0, tzinfo=UTC)
    assert moment("2026-12-31T17:00", "WITA", LATER) == datetime(2026, 12, 31, 9, 0, tzinfo=UTC)
    assert moment("2026-12-31T17:00+07:00", "WITA", LATER) == datetime(2026, 12, 31, 10, 0, tzinfo=UTC)
    assert moment("", "WIB", LATER) == LATER


# Golden files: what an office has today, it has tomorrow. To renew them: GAUNG_GOLDEN=write make test

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("form", ["csv", "csv-excel", "json", "html"])
def test_the_files_are_those_of_the_golden_ones(office: echo.Echo, tmp_path: Path, form: str) -> None:
    target = tmp_path / f"laporan{formats.suffix(form)}"
    report(office, "-f", form, "-o", target, "--agency", "Dinas Kesehatan", "--month", "2026-12")
    text = target.read_bytes().decode()
    # The record names the machine, so its hash is another one on every computer; pictures are long.
    text = re.sub(r"\b[0-9a-f]{64}\b(?=[\"<\r])", "HASH", text)
    text = re.sub(r"data:image/jpeg;base64,[^\"]+", "PICTURE", text)
    text = re.sub(r"[Gg]aung \d+\.\d+\.\d+", "Gaung VERSION", text)
    golden = GOLDEN / f"recap{formats.suffix(form)}"
    if os.environ.get("GAUNG_GOLDEN") == "write":
        golden.write_bytes(text.encode())
    assert text == golden.read_bytes().decode()


def test_a_report_as_of_a_time_before_the_campaign_was_applied_is_a_report_of_nothing(
    office: echo.Echo, tmp_path: Path
) -> None:
    for name in ("a.xlsx", "a.html"):
        answer = gaung(
            "--config", office.config, "report", echo.CAMPAIGN, "--as-of", "2020-01-01", "-o", tmp_path / name
        )
        assert answer.code == 0, answer.all
        assert (tmp_path / name).exists()

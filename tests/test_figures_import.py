"""``gaung reach import``: a table of figures is taken whole or not at all, apart from the platform's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kit.office import Office
from openpyxl import Workbook

from adapters.practice.site.server import running


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("import")
    with running(folder / "net.db") as network:
        office = Office(folder / "kantor", network.url)
        office.publish("hakordia", "jujur", "adil")
        yield office


@pytest.fixture
def office(made: Office, tmp_path: Path) -> Office:
    return made.copy(tmp_path / "kantor")


def shown(office: Office, message: str) -> list[dict[str, Any]]:
    rows = office.must("posts", "show", office.post(message)["id"], "--format", "json").json
    return [row for row in rows[0]["snapshots"] if row["source"] == "manual"]


def write(office: Office, text: str) -> Path:
    file = office.folder / "angka.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_csv_as_indonesian_excel_writes_it(office: Office) -> None:
    """Given semicolons, a BOM, groups of thousands and empty cells: counts are counts, empty is unknown."""
    jujur, adil = office.post("jujur"), office.post("adil")
    file = write(
        office,
        "\ufeffid;permalink;views;reach;video_views\r\n"
        f"{jujur['id']};;1.250;-;7\r\n;{adil['permalink']};0;;\r\n;;;;\r\n",
    )
    assert "2 rows recorded" in office.must("reach", "import", file).err
    (one,), (other,) = shown(office, "jujur"), shown(office, "adil")
    assert (one["views"], one["reach"], one["video_views"]) == (1250, None, 7)
    assert (other["views"], other["reach"]) == (0, None)
    events = office.must("audit", "show", "--action", "figures-entered", "--format", "json").json
    assert [one["detail"]["file"] for one in events] == ["angka.csv"] * 2


def test_importing_twice_records_once(office: Office) -> None:
    at = office.post("jujur")["published_at"]
    file = write(office, f"id,time,likes\n{office.post('jujur')['id']},{at},31\n")
    office.must("reach", "import", file)
    with office.unchanged():
        assert "recorded already" in office.must("reach", "import", file).err
    assert len(shown(office, "jujur")) == 1


def test_an_xlsx_with_typed_cells(office: Office) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Permalink", "Views", "Shares"])
    sheet.append([office.post("jujur")["permalink"], 1250.0, "3"])
    book.save(office.folder / "angka.xlsx")
    office.must("reach", "import", office.folder / "angka.xlsx")
    (one,) = shown(office, "jujur")
    assert (one["views"], one["shares"]) == (1250, 3)


def test_every_mistake_is_told_and_nothing_is_written(office: Office) -> None:
    id_ = office.post("jujur")["id"]
    file = write(
        office,
        "id,time,views,viewz\n"
        f"{id_},,12,\n{id_},,1.2,\nffffffff,,3,\n{id_},tomorrow,4,\n{id_},2020-01-01,5,\n,,6,\n{id_},,,\n",
    )
    with office.unchanged():
        answer = office.must("reach", "import", file, code=2).err
    for part in (
        "There is no figure viewz",
        "row 3",
        "“1.2” is no whole number",
        "There is no post ffffffff",
        "“tomorrow” is no time",
        "2020-01-01 is not between",
        "Neither id nor permalink",
        "The row has no figure",
    ):
        assert part in answer
    assert shown(office, "jujur") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("id,views\n", "no rows"),
        ("name,views\nx,1\n", "lacks the column"),
        ("id,id,views\nx,y,1\n", "twice"),
        ('id,views\n"x,1\n', "cannot be read"),
    ],
)
def test_a_file_that_is_no_table_of_figures(office: Office, text: str, said: str) -> None:
    with office.unchanged(but="angka.csv"):
        assert said in office.must("reach", "import", write(office, text), code=2).err


def test_a_file_that_only_looks_like_a_workbook(office: Office) -> None:
    file = office.folder / "angka.xlsx"
    file.write_bytes(b"PK not a workbook")
    assert "cannot be read" in office.must("reach", "import", file, code=2).err
    assert "cannot be read" in office.must("reach", "import", office.folder / "tiada.csv", code=2).err

"""The evidence bundle: what is in it, that no change goes unseen, and layouts of an office's own."""

from __future__ import annotations

import csv
import hashlib
import io
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))

from kit import echo
from kit.office import Answer, gaung
from kit.reading import POSTS, sheet

from scheduler.errors import GaungError
from scheduler.reports.bundle import layout
from scheduler.reports.bundle.card import Card, _drawable, draw


@pytest.fixture(scope="module")
def office() -> Iterator[echo.Echo]:
    with tempfile.TemporaryDirectory() as folder:
        made = echo.make(Path(folder) / "kantor", accounts=("kominfo-x",))
        yield made
        made.store.close()


def bundled(office: echo.Echo, target: Path, *options: str | Path, code: int = 0) -> Answer:
    answer = gaung(
        "--config", office.config, "bundle", echo.CAMPAIGN, "--as-of", echo.AS_OF, "-o", target, *options
    )
    assert answer.code == code, answer.all
    return answer


@pytest.fixture(scope="module")
def archive(office: echo.Echo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("bukti") / "bukti.zip"
    bundled(office, target)
    return target


def names(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as files:
        return files.namelist()


def content(archive: Path, name: str) -> bytes:
    with zipfile.ZipFile(archive) as files:
        return files.read(next(one for one in files.namelist() if one.endswith(name)))


def test_a_bundle_has_reports_data_approvals_and_a_picture_and_address_of_every_published_post(
    archive: Path,
) -> None:
    found = names(archive)
    for ending in (".xlsx", ".html", "hakordia-2026.csv", "-excel.csv", "-persetujuan.csv", "BACA-DULU.txt"):
        assert any(name.endswith(ending) for name in found), ending
    rows = sheet(content(archive, ".xlsx"), POSTS)
    published = [row for row in rows if row["Link"]]
    pictures = [name for name in found if name.endswith(".png")]
    assert len(pictures) == len(published) == len([name for name in found if name.endswith(".url")])
    assert 0 < len(published) < len(rows), "what was not published has no picture"
    first = published[0]
    assert first["Evidence"] in pictures
    assert first["Link"].encode() in content(archive, Path(first["Evidence"]).stem + ".url")


def test_a_picture_shows_the_post_as_it_was_approved(archive: Path) -> None:
    name = next(one for one in names(archive) if one.endswith(".png"))
    with Image.open(io.BytesIO(content(archive, name))) as card:
        assert card.width == 1080
        assert card.height > 1000, "the text and the picture are on it"


def test_the_manifest_holds_the_hash_of_every_other_file(archive: Path) -> None:
    lines = content(archive, "manifest.sha256").decode().splitlines()
    listed = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    with zipfile.ZipFile(archive) as files:
        assert set(listed) == set(files.namelist()) - {"manifest.sha256"}
        for name, digest in listed.items():
            assert hashlib.sha256(files.read(name)).hexdigest() == digest


def test_the_same_campaign_as_of_the_same_moment_is_the_same_bundle(
    office: echo.Echo, archive: Path, tmp_path: Path
) -> None:
    bundled(office, tmp_path / "noch.zip")
    assert (tmp_path / "noch.zip").read_bytes() == archive.read_bytes()


def test_approvals_name_who_approved_which_version_and_when(archive: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(content(archive, "-persetujuan.csv").decode(), newline="")))
    assert {(row["approver"], row["name"]) for row in rows} == {("budi", "Budi Santoso")}
    assert {row["approved_at"] for row in rows} == {"2026-11-20 15:00:00"}
    assert all(len(row["digest"]) == 64 for row in rows)


def test_an_office_can_lay_its_bundle_out_itself(office: echo.Echo, tmp_path: Path) -> None:
    own = tmp_path / "susunan.toml"
    own.write_text(
        '[[files]]\nwhat = "csv"\npath = "data.csv"\n'
        '[[files]]\nwhat = "picture"\npath = "{agency}/{message}-{no}.png"\n'
        '[[files]]\nwhat = "manifest"\npath = "daftar.txt"\n',
        encoding="utf-8",
    )
    bundled(office, tmp_path / "b.zip", "--layout", own)
    found = names(tmp_path / "b.zip")
    assert {found[0], found[-1]} == {"data.csv", "daftar.txt"}
    assert "Dinas-Komunikasi-dan-Informatika/nilai-01-jujur-1.png" in found


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ('[[files]]\nwhat = "picture"\npath = "{judul}.png"\n', "judul"),
        ('[[files]]\nwhat = "picture"\npath = "{agency.__class__}.png"\n', "__class__"),
        ('[[files]]\nwhat = "picture"\npath = "../{no}.png"\n', "../"),
        ('[[files]]\nwhat = "csv"\npath = "/etc/passwd"\n', "/etc/passwd"),
        ('[[files]]\nwhat = "csv"\npath = "{no}.csv"\n', "no"),
        ('[[files]]\nwhat = "docx"\npath = "a.docx"\n', "docx"),
        ('[[files]]\nwhat = "csv"\npath = "a.csv"\n', "manifest"),
        ('[[files]]\nwhat = "csv"\n', "path"),
        ("files = 1", "files"),
    ],
)
def test_a_layout_that_is_not_sound_is_refused_before_anything_is_written(
    office: echo.Echo, tmp_path: Path, rules: str, named: str
) -> None:
    own = tmp_path / "susunan.toml"
    end = '[[files]]\nwhat = "manifest"\npath = "m"\n' if "manifest" not in named and "=" in rules[:9] else ""
    own.write_text(rules + ("" if named in {"manifest", "files"} else end), encoding="utf-8")
    answer = bundled(office, tmp_path / "b.zip", "--layout", own, code=2)
    assert named in answer.err
    assert not (tmp_path / "b.zip").exists()


def test_two_files_of_one_name_are_refused(office: echo.Echo, tmp_path: Path) -> None:
    own = tmp_path / "susunan.toml"
    own.write_text(
        '[[files]]\nwhat = "picture"\npath = "{platform}.png"\n'
        '[[files]]\nwhat = "manifest"\npath = "m"\n',
        encoding="utf-8",
    )  # fmt: skip
    answer = bundled(office, tmp_path / "b.zip", "--layout", own, code=2)
    assert "x.png" in answer.err
    assert "{no}" in answer.err
    assert not (tmp_path / "b.zip").exists()


def test_what_a_name_stands_for_is_made_fit_for_file_systems() -> None:
    ours = layout.load(None)
    names_ = {"campaign": "a", "no": 7, "date": "2026-12-09", "account": "../..", "message": "a/b:c"}
    path = ours.path("picture", {**names_, "agency": "", "platform": "x", "topic": ""})
    assert path == "4-unggahan/x/007-2026-12-09---a-b-c.png"
    with pytest.raises(GaungError):
        layout.load(Path("/nirgends/susunan.toml"))


def test_what_the_typeface_lacks_is_named_and_nothing_is_lost() -> None:
    assert (
        _drawable("Lapor 📢 di\tsini ✅")
        == "Lapor [public address loudspeaker] di sini [white heavy check mark]"
    )
    long = "https://contoh.example/" + "a" * 300
    card = Card("dinas", "Dinas · x", "9 Desember 2026", [long], [None], ["Poster"], "", "", "d" * 64)
    assert draw(card) == draw(card)

"""Bad input: a clear message (what, where, what next), exit code 2, no traceback, and nothing changed."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kit.office import DEAD, Answer, Office, fingerprint, gaung, gaung_process, picture, soon

AS_ROOT = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
SECRET = "EAABsbCS1iHgBO7rahasia"


@pytest.fixture(autouse=True)
def nobody_calls_through_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_UID", raising=False)
    monkeypatch.delenv("GAUNG_CONFIG", raising=False)


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """An office whose one campaign is in force."""
    office = Office(tmp_path_factory.mktemp("pattern") / "kantor")
    office.campaign("rapat", {"satu": soon(86_400)})
    office.must("apply")
    return office


@pytest.fixture
def office(pattern: Office, tmp_path: Path) -> Office:
    """Such an office of one's own."""
    return pattern.copy(tmp_path / "kantor")


def refused(answer: Answer, *told: str) -> None:
    """A clear message: every part of ``told`` is in it, and nothing that only programmers read."""
    assert answer.code == 2, answer.all
    for part in told:
        assert part in answer.err, f"{part!r} is not in:\n{answer.err}"
    for noise in ("Traceback", "does not know", "Error(", "pydantic", "sqlalchemy", ".py"):
        assert noise not in answer.all
    assert len(answer.err.strip().splitlines()) >= 2, f"nothing says what to do next:\n{answer.err}"


@contextmanager
def rights(path: Path, mode: int) -> Iterator[None]:
    """Take rights away for a while."""
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(before)


# Campaign files


def rewritten(old: str, new: str) -> Callable[[Office], None]:
    def rewrite(office: Office) -> None:
        file = office.folder / "campaigns" / "rapat.toml"
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    return rewrite


def with_picture(draw: Callable[[Path], object]) -> Callable[[Office], None]:
    def add(office: Office) -> None:
        media = '[[messages.media]]\nfile = "gambar.jpg"\nalt = "Poster"'
        office.campaign("rapat", {"satu": soon(86_400)}, extra=media)
        draw(office.folder / "campaigns" / "gambar.jpg")

    return add


def half_a_picture(path: Path) -> None:
    path.write_bytes(picture(path).read_bytes()[:-200])


CAMPAIGN_FILES = {
    "malformed": (rewritten('title = "', "title = "), ["rapat.toml", "not valid TOML", "line 2"]),
    "bytes": (
        lambda office: (office.folder / "campaigns" / "rapat.toml").write_bytes(b'id = "\xff\xfe"'),
        ["rapat.toml", "UTF-8"],
    ),
    "zone": (rewritten('zone = "WIB"', 'zone = "WIBB"'), ["rapat.toml", "zone", "WIBB", "WIB, WITA, WIT"]),
    "end": (
        rewritten("end = ", "end = 2020-01-01 #"),
        ["rapat.toml", "end", "2020-01-01", "before it starts"],
    ),
    "account": (
        rewritten('["dinas"]', '["dinsa"]'),
        ["rapat.toml", "accounts", "dinsa", "Did you mean dinas?"],
    ),
    "key": (rewritten("topic", "topik"), ["rapat.toml", "satu", "topik", "Did you mean topic?"]),
    "missing key": (rewritten("owner", "# owner"), ["rapat.toml", "owner", "missing"]),
    "time outside": (
        rewritten("at = [", "at = [2020-01-01T07:30:00, "),
        ["rapat.toml", "satu", "2020-01-01"],
    ),
    "no picture": (with_picture(lambda path: None), ["rapat.toml", "satu", "gambar.jpg", "does not exist"]),
    "text for a picture": (
        with_picture(lambda path: path.write_text("bukan gambar")),
        ["rapat.toml", "satu", "gambar.jpg is neither a picture nor a video"],
    ),
    "damaged picture": (with_picture(half_a_picture), ["rapat.toml", "satu", "gambar.jpg", "damaged"]),
    "too long": (
        rewritten("tolak gratifikasi.", "tolak gratifikasi. " * 120),
        ["rapat.toml", "satu", "dinas", "2000"],
    ),
}


@pytest.mark.parametrize("command", ["check", "apply"])
@pytest.mark.parametrize("case", CAMPAIGN_FILES)
def test_a_campaign_file_with_a_mistake_is_refused_whole(office: Office, case: str, command: str) -> None:
    spoil, told = CAMPAIGN_FILES[case]
    spoil(office)
    with office.unchanged():
        refused(office.gaung(command), *told)


def test_every_mistake_of_every_file_is_told_at_once(office: Office) -> None:
    rewritten("topic", "topik")(office)
    office.campaign("lain", {"dua": soon(86_400)}, accounts=["hantu"])
    with office.unchanged():
        answer = office.gaung("apply")
    refused(answer, "rapat.toml", "lain.toml", "topik", "hantu", "2 errors")


def test_a_folder_of_campaigns_that_is_not_there_is_told(office: Office) -> None:
    shutil.rmtree(office.folder / "campaigns")
    with office.unchanged():
        refused(office.gaung("plan"), str(office.folder / "campaigns"), "does not exist")


# The configuration

CONFIGURATIONS = {
    "malformed": ('zone = "WIB', ["config.toml", "not valid TOML", "line 1"]),
    "zone": ('zone = "Mars/Kota"', ["config.toml", "zone", "Mars/Kota"]),
    "language": ('language = "jv"', ["config.toml", "language", "jv"]),
    "key": ('bahasa = "id"\nlanguge = "id"', ["config.toml", "languge", "Did you mean language?", "bahasa"]),
    "key of a table": ("[reach]\nage = []", ["config.toml", "reach.age", "Did you mean ages?"]),
    "number": ("[reach]\nages = [7]", ["config.toml", "reach.ages", "7"]),
    "platform": (
        '[accounts.baru]\nplatform = "mastodonn"',
        ["config.toml", "baru", "mastodonn", "practice"],
    ),
    "group": ('[groups]\nsemua = ["dinas", "hantu"]', ["config.toml", "semua", "hantu"]),
    "role": ('[people.ani]\nname = "Ani"\nroles = ["penyetuju"]', ["config.toml", "people.ani", "penyetuju"]),
}


@pytest.mark.parametrize("command", [["apply"], ["run", "--once"]], ids=" ".join)
@pytest.mark.parametrize("case", CONFIGURATIONS)
def test_a_configuration_with_a_mistake_is_refused(office: Office, case: str, command: list[str]) -> None:
    text, told = CONFIGURATIONS[case]
    office.configure(**{"tail" if text.startswith("[") else "head": text})
    with office.unchanged():
        refused(office.gaung(*command), *told)


@pytest.mark.parametrize(
    "secrets",
    [
        f'secrets = "{SECRET}"',
        f'secrets = ["{SECRET}"]',
        f'secrets.token = "{SECRET}"',
        f"secrets.token = {SECRET}",
    ],
)
@pytest.mark.parametrize("command", [["plan"], ["check", "--format", "json"], ["doctor"]], ids=" ".join)
def test_a_secret_pasted_into_the_configuration_is_never_repeated(
    office: Office, secrets: str, command: list[str]
) -> None:
    office.configure(tail=f'[accounts.baru]\nplatform = "practice"\n{secrets}')
    with office.unchanged():
        answer = office.gaung(*command)
    assert answer.code == 2
    assert "config" in answer.all
    assert SECRET not in answer.all


def test_a_key_that_encrypts_pasted_into_the_configuration_is_never_repeated(office: Office) -> None:
    office.configure(head=f'secret_keys = "{SECRET}"')
    answer = office.gaung("plan")
    refused(answer, "config.toml", "secret_keys", "env:NAME")
    assert SECRET not in answer.all


def test_no_configuration_at_all(tmp_path: Path) -> None:
    answer = gaung_process("status", cwd=tmp_path)
    refused(answer, str(tmp_path / "config.toml"), "gaung init", "--config")
    assert list(tmp_path.iterdir()) == []


def test_a_configuration_without_rights(office: Office) -> None:
    with office.unchanged(), rights(office.config, 0o000):
        answer = gaung_process("--config", office.config, "status")
    refused(answer, "config.toml", "administrator")


@pytest.mark.parametrize("command", [["run", "--once"], ["accounts", "check"]], ids=" ".join)
def test_a_secret_file_that_others_can_read(office: Office, command: list[str]) -> None:
    office.configure(tail='[accounts.baru]\nplatform = "practice"\nsecrets.token = "file:rahasia.txt"')
    secret = office.folder / "rahasia.txt"
    secret.write_text(SECRET)
    secret.chmod(0o644)
    with office.unchanged():
        answer = office.gaung(*command)
    refused(answer, str(secret), "644", f"chmod 600 {secret}")
    assert SECRET not in answer.all


# Folders


def test_init_into_a_folder_that_is_not_empty(tmp_path: Path) -> None:
    (tmp_path / "penting.txt").write_text("jangan hilang")
    before = fingerprint(tmp_path)
    refused(gaung("init", tmp_path), str(tmp_path), "not empty", "new folder")
    refused(gaung("init", tmp_path / "penting.txt"), "penting.txt")
    assert fingerprint(tmp_path) == before


def test_init_where_nothing_may_be_made(tmp_path: Path) -> None:
    with rights(tmp_path, 0o500):
        answer = gaung_process("init", tmp_path / "kantor")
    refused(answer, str(tmp_path / "kantor"), "Permission denied")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["apply"], ["run", "--once"], ["db", "upgrade"]], ids=" ".join)
def test_a_state_folder_that_may_not_be_made(tmp_path: Path, command: list[str]) -> None:
    office = Office(tmp_path / "kantor", database=False)
    office.campaign("rapat", {"satu": soon(86_400)})
    with office.unchanged(), rights(office.folder, 0o500):
        answer = gaung_process("--config", office.config, *command)
    refused(answer, "state", "Permission denied")


def test_a_database_that_may_not_be_written(office: Office) -> None:
    post = office.post("satu")["id"]
    with office.unchanged(), rights(office.state / "gaung.db", 0o400), rights(office.state, 0o500):
        answer = gaung_process("--config", office.config, "cancel", post)
    refused(answer, "gaung.db", "rights")


def test_a_report_into_a_folder_without_rights(office: Office, tmp_path: Path) -> None:
    closed = tmp_path / "tertutup"
    closed.mkdir()
    target = closed / "laporan.csv"
    with office.unchanged(), rights(closed, 0o500):
        answer = gaung_process("--config", office.config, "report", "rapat", "-o", target)
    refused(answer, str(target), "Permission denied", "--output")
    assert list(closed.iterdir()) == []


def test_a_report_where_a_file_stands_for_the_folder(office: Office) -> None:
    with office.unchanged():
        refused(
            office.gaung("report", "rapat", "-o", office.config / "laporan.csv"), "laporan.csv", "--output"
        )
        refused(office.gaung("report", "rapat", "-o", office.folder), str(office.folder), "--output")


# The database


def test_a_database_that_is_locked(office: Office) -> None:
    with (
        office.unchanged(but=r"\.db-(wal|shm)$"),
        closing(sqlite3.connect(office.state / "gaung.db")) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        refused(office.gaung("cancel", "--campaign", "rapat"), "gaung.db", "locked", "try again")
    assert office.post("satu")["state"] == "planned"


def newer(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")


def foreign(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE pegawai (nip TEXT)")


def text(file: Path) -> None:
    file.write_text("Ini bukan pangkalan data. " * 100)


def half(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:100] + b"\x00" * (len(content) - 100))


@pytest.mark.parametrize(
    "command",
    [["plan"], ["apply"], ["posts"], ["run", "--once"], ["db", "upgrade"], ["report", "rapat"]],
    ids=" ".join,
)
@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (newer, ["newer Gaung", "Install that version"]),
        (foreign, ["not a Gaung database", "database in the configuration"]),
        (text, ["not a Gaung database", "database in the configuration"]),
        (half, ["not a Gaung database", "restore a backup"]),
    ],
)
def test_a_database_that_is_not_usable_is_left_alone(
    office: Office, spoil: Callable[[Path], None], told: list[str], command: list[str]
) -> None:
    file = office.state / "gaung.db"
    spoil(file)
    with office.unchanged():
        refused(office.gaung(*command), str(file), *told)


@pytest.mark.parametrize("url", ["mysql://root@localhost/gaung", "gaung.db", "sqlite//x"])
def test_a_database_url_that_cannot_be_used(office: Office, url: str) -> None:
    office.configure(head=f'database = "{url}"')
    with office.unchanged():
        refused(office.gaung("status"), "database URL", "sqlite:///")


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A disk of its own; skip where none can be made (that needs root, and a container that allows it)."""
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", folder],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@AS_ROOT
@pytest.mark.parametrize(
    "command", [["apply"], ["cancel", "--campaign", "rapat"], ["report", "rapat"]], ids=" ".join
)
def test_a_full_disk(tmp_path: Path, command: list[str]) -> None:
    with small_disk(tmp_path / "disk", 2_000) as disk:
        office = Office(disk / "kantor", DEAD)
        office.campaign("rapat", {"satu": soon(86_400)})
        office.must("apply")
        media = '[[messages.media]]\nfile = "gambar.png"\nalt = "Poster"'
        office.campaign(
            "lagi", {f"pesan-{n}": soon(90_000) + timedelta(days=n) for n in range(20)}, extra=media
        )
        picture(office.folder / "campaigns" / "gambar.png")
        before = (office.state / "gaung.db").read_bytes()
        with (disk / "penuh").open("wb", buffering=0) as filler:
            try:
                while filler.write(b"\0" * 1024):
                    pass
            except OSError:
                pass
        output = ["-o", str(disk / "laporan.csv")] if command[0] == "report" else []
        answer = office.gaung(*command, *output)
        refused(answer)
        assert "space" in answer.err
        assert not (disk / "laporan.csv").exists()
        (disk / "penuh").unlink()
        assert [post["message"] for post in office.posts()] == ["satu"]
        assert office.post("satu")["state"] == "planned"
        assert (office.state / "gaung.db").read_bytes() == before

"""The commands as an office uses them: the walk of a campaign, deciding about posts, listings, exit codes.

Against a real practice network, a real database and the real clock, in both languages.
"""

from __future__ import annotations

import csv
import io
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

sys.path.insert(0, str(Path(__file__).parent))

from kit.office import (
    DEAD,
    ROOT,
    Office,
    fingerprint,
    gaung,
    gaung_process,
    person,
    picture,
    soon,
    wait_for,
)

from adapters.practice.site import PracticeServer
from adapters.practice.site.server import running
from scheduler.origin import operating_system_user

BROWSER = {"Accept": "text/html,*/*"}
LANGUAGES = pytest.mark.parametrize("lang", ["id", "en"])


def later(days: float = 1) -> datetime:
    """A wall-clock time that will not come during a test."""
    return soon(days * 86_400)


@pytest.fixture(autouse=True)
def nobody_calls_through_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_UID", raising=False)
    monkeypatch.delenv("GAUNG_CONFIG", raising=False)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeServer]:
    with running(tmp_path_factory.mktemp("network") / "practice.db") as server:
        yield server


@pytest.fixture
def office(tmp_path: Path, network: PracticeServer) -> Office:
    """An office of its own in a network that others use too."""
    return Office(tmp_path / "kantor", network.url)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory, network: PracticeServer) -> Office:
    """An office in which everything has happened once; whoever uses it leaves it as it is."""
    office = Office(
        tmp_path_factory.mktemp("office") / "sibuk",
        network.url,
        tail='[accounts.salah]\nplatform = "practice"\nhandle = "bukan nama akun"\n'
        f'api_base = "{network.url}"\n[groups]\nsemua = ["dinas", "camat"]\n',
    )
    office.campaign("nanti", {"besok": later()}, accounts=["semua"])
    office.campaign("lewat", {"terlambat": later()})
    office.must("apply")
    office.must("approve", "nanti", "--yes")
    office.publish("jalan", "satu", "dua", publish_within="1m")
    office.publish("ditolak", "tiga", accounts=["salah"])
    office.must("reach", "jalan", "--now")
    return office


@LANGUAGES
def test_the_whole_walk_from_an_empty_folder_to_the_report(
    lang: str, tmp_path: Path, network: PracticeServer
) -> None:
    place = tmp_path / "kantor baru"
    made = gaung("init", place, lang=lang)
    assert made.code == 0
    assert made.out == ""
    assert "gaung check" in made.err
    config = place / "config.toml"
    assert f'language = "{lang}"' in config.read_text(encoding="utf-8")

    def walk(*arguments: str | Path, code: int = 0) -> Any:
        answer = gaung("--config", config, *arguments, lang=lang)
        assert answer.code == code, answer.all
        return answer

    walk("check")
    moved = config.read_text(encoding="utf-8").replace("http://127.0.0.1:8010", network.url)
    moved = moved.replace('handle = "', f'handle = "{lang}.')
    config.write_text(moved, encoding="utf-8")
    file = place / "campaigns" / "hakordia.toml"
    example = file.read_text(encoding="utf-8")
    (campaign,) = re.findall(r'^id = "(hakordia-\d+)"', example, re.MULTILINE)

    # Only the first message, in two seconds.
    first = re.sub(r"^at = .*\n", "", example, flags=re.MULTILINE).split("[[messages]]\n")[:2]
    for margin in (1.5, 5, 15):
        at = soon(margin)
        text = f"[[messages]]\nat = [{at.isoformat()}]\n".join(first)
        file.write_text(text, encoding="utf-8")
        before = fingerprint(place)
        planned = walk("plan", "--format", "json").json
        assert fingerprint(place) == before, "plan wrote something"
        walk("apply")
        if planned and walk("posts", "--format", "json").json:
            break
    assert [row["account"] for row in planned] == ["latihan-diskominfo", "latihan-kecamatan"]
    assert {row["change"] for row in planned} == {"new"}
    (waiting, nobody) = walk("status", "--format", "json").json[0]["to_do"]
    assert waiting == {"code": "unapproved", "count": 2, "command": f"gaung approve {campaign}"}
    assert nobody["command"] == "gaung run"
    approved = walk("approve", campaign, "--yes")
    assert "│" in approved.out
    assert approved.err.strip()
    wait_for(at)
    walk("run", "--once")

    posts = walk("posts", "--format", "json").json
    assert [post["state"] for post in posts] == ["sent", "sent"]
    shown = walk("posts", "show", posts[0]["id"], "--format", "json").json[0]
    assert [attempt["outcome"] for attempt in shown["attempts"]] == ["accepted"]
    assert requests.get(posts[0]["permalink"], headers=BROWSER, timeout=10).status_code == 200

    (row, other) = walk("reach", campaign, "--now", "--format", "json").json
    assert (row["views"], row["reach"]) == (1, 1)
    assert (other["views"], other["shares"]) == (0, None)
    written = walk("report", campaign, "--output", place / "laporan.csv")
    assert written.out == ""
    with (place / "laporan.csv").open(encoding="utf-8", newline="") as report:
        rows = list(csv.DictReader(report))
    assert [one["permalink"] for one in rows] == [post["permalink"] for post in posts]
    assert rows[0]["views"] == "1"
    assert rows[0]["saves"] == ""
    assert rows[0]["zone"] == "WIB"
    assert rows[0]["approver"] in {"Nama Lengkap Anda", "Your Full Name"}
    assert walk("status").out.startswith({"id": "Semua beres.", "en": "All is well."}[lang])

    # Once more changes nothing.
    assert walk("plan", "--format", "json").json == []
    walk("run", "--once")
    assert len(network.storage.posts(f"{lang}.diskominfo")) == 1


def test_plan_writes_nothing_before_anything_was_applied(tmp_path: Path, network: PracticeServer) -> None:
    office = Office(tmp_path / "kantor", network.url, database=False)
    office.campaign("rapat", {"satu": later()})
    with office.unchanged():
        rows = office.must("plan", "--format", "json").json
        assert office.must("posts").out == ""
        office.must("status")
    assert rows[0]["message"] == "satu"
    assert not office.state.exists()


def test_an_edit_is_shown_by_plan_and_must_be_approved_again(office: Office) -> None:
    file = office.campaign("rapat", {"satu": later(), "dua": later(2)})
    office.must("apply")
    office.must("approve", "rapat", "--yes")
    file.write_text(file.read_text(encoding="utf-8").replace("Pesan satu", "Pesan kesatu"), encoding="utf-8")
    with office.unchanged():
        changes = office.must("plan", "--format", "json").json
    assert [(row["change"], row["message"]) for row in changes] == [("changed", "satu")]
    office.must("apply")
    assert {post["message"]: post["approved"] for post in office.posts()} == {"satu": False, "dua": True}

    office.campaign("rapat", {"dua": later(2)})
    assert {row["change"] for row in office.must("plan", "--format", "json").json} >= {"withdrawn"}


def test_a_campaign_whose_file_is_gone_is_told_and_stays_planned(office: Office) -> None:
    file = office.campaign("rapat", {"satu": later()})
    office.must("apply")
    file.unlink()
    assert "gaung cancel --campaign rapat" in office.must("plan").err
    office.must("apply")
    assert office.post("satu")["state"] == "planned"


# Approving


def test_without_a_terminal_and_without_yes_the_texts_are_shown_and_nothing_is_approved(
    office: Office,
) -> None:
    office.campaign("rapat", {"satu": later()})
    office.must("apply")
    with office.unchanged():
        refused = office.must("approve", "rapat", code=2)
    assert "Pesan satu: tolak gratifikasi." in refused.out
    assert "--yes" in refused.err
    assert not office.post("satu")["approved"]


def test_at_a_terminal_each_text_is_asked_for(office: Office) -> None:
    office.campaign("rapat", {"satu": later(), "dua": later(2), "tiga": later(3)})
    office.must("apply")
    leader, follower = pty.openpty()
    try:
        os.write(leader, b"y\nn\ns\n")  # the third is left for another time
        done = subprocess.run(
            [sys.executable, "-m", "scheduler.cli", "--config", office.config, "approve", "rapat"],
            stdin=follower,
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "GAUNG_LANG": "en", "PYTHONPATH": str(ROOT)},
            timeout=60,
            check=False,
        )
    finally:
        os.close(leader)
        os.close(follower)
    assert done.returncode == 3, done.stdout + done.stderr
    assert {post["message"]: post["approved"] for post in office.posts()} == {
        "satu": True,
        "dua": False,
        "tiga": False,
    }


def test_whoever_applied_cannot_approve_where_two_persons_are_asked_for(office: Office) -> None:
    office.campaign("rapat", {"satu": later()}, approval="two-person")
    office.must("apply")
    with office.unchanged():
        refused = office.must("approve", "rapat", "--yes", code=2)
    assert "Budi Santoso" in refused.err
    assert "two-person" in refused.err
    office.configure(people=person("siti", "Siti Aminah", os_user=operating_system_user()))
    office.must("approve", "rapat", "--yes")
    assert office.post("satu")["approved"]


@pytest.mark.parametrize(
    ("people", "told"),
    [
        pytest.param("", "[people.ID]", id="nobody"),
        pytest.param(
            person("budi", "Budi Santoso", os_user=operating_system_user(), roles=["drafter"]),
            "approver",
            id="without the role",
        ),
    ],
)
def test_somebody_without_the_role_cannot_approve(office: Office, people: str, told: str) -> None:
    office.campaign("rapat", {"satu": later()})
    office.must("apply")
    office.configure(people=people)
    with office.unchanged():
        refused = office.must("approve", "rapat", "--yes", code=2)
    assert told in refused.err
    assert not office.post("satu")["approved"]


@pytest.mark.parametrize("command", ["approve", "reach", "report"])
def test_a_campaign_that_was_never_applied_is_told(office: Office, command: str) -> None:
    with office.unchanged():
        refused = office.must(command, "hantu", code=2)
    assert "hantu" in refused.err
    assert "gaung apply" in refused.err


# Deciding about posts


def test_a_post_that_failed_is_retried_and_one_that_is_published_is_not(busy: Office) -> None:
    with busy.unchanged():
        refused = busy.must("retry", busy.post("satu")["id"], code=2)
        assert "published" in refused.err
        assert "Nothing was changed" in refused.err
        # One that is refused takes the other with it.
        busy.must("retry", busy.post("tiga")["id"], busy.post("satu")["id"], code=2)
        busy.must("cancel", busy.post("satu")["id"], code=2)
        busy.must("resolve", busy.post("satu")["id"], "--absent", code=2)
        busy.must("resolve", busy.post("tiga")["id"], "--posted", "https://contoh.go.id/1", code=2)
    assert busy.post("tiga")["state"] == "failed"


def test_failed_posts_are_retried_with_a_reason_in_the_record(office: Office) -> None:
    office.configure(
        tail=f'[accounts.salah]\nplatform = "practice"\nhandle = "?"\napi_base = "{office.api_base}"'
    )
    (post,) = office.publish("rapat", "satu", accounts=["salah"])
    assert post["state"] == "failed"
    assert office.must("status", code=3).out
    office.must("retry", post["id"], "--reason", "nama akun sudah dibetulkan")
    assert office.post("satu")["state"] == "planned"
    record = office.must("posts", "show", post["id"], "--format", "json").json[0]["record"]
    assert record[-1]["action"] == "retried"
    assert record[-1]["actor"] == "budi"
    assert record[-1]["detail"]["reason"] == "nama akun sudah dibetulkan"
    # What was wrong is right now.
    office.configure(
        tail=f'[accounts.salah]\nplatform = "practice"\nhandle = "benar"\napi_base = "{office.api_base}"'
    )
    office.must("run", "--once")
    assert office.post("satu")["state"] == "sent"


def test_cancelled_posts_stay_out(office: Office) -> None:
    office.campaign("rapat", {"satu": later(), "dua": later(2), "tiga": later(3)})
    office.must("apply")
    first = office.post("satu")["id"]
    office.must("cancel", first, first)  # named twice is meant once
    assert office.post("satu")["state"] == "withdrawn"
    with office.unchanged():
        office.must("cancel", code=2)
        office.must("cancel", first, code=2)
    office.must("cancel", "--campaign", "rapat", "--reason", "rapat batal")
    assert {post["state"] for post in office.posts()} == {"withdrawn"}
    with office.unchanged():
        office.must("cancel", "--campaign", "rapat", code=2)
    office.must("apply")
    assert {post["state"] for post in office.posts()} == {"withdrawn"}
    office.must("report", "rapat", "-o", office.folder / "rapat.html")
    assert "of 0 planned" in (office.folder / "rapat.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("if_missed", ["review", "skip"])
def test_what_was_not_approved_in_time_is_missed_and_can_be_retried(office: Office, if_missed: str) -> None:
    at = office.due_soon("rapat", "satu", publish_within="1s", if_missed=if_missed)
    wait_for(at + timedelta(seconds=1))
    office.must("run", "--once", code=3 if if_missed == "review" else 0)
    post = office.post("satu")
    assert post["state"] == {"review": "review", "skip": "missed"}[if_missed]
    office.must("retry", post["id"])
    assert office.post("satu")["state"] == "planned"


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """The network took a post and its answer was lost; then the network was gone, so nobody could look."""
    place = tmp_path_factory.mktemp("unsure")
    with running(place / "practice.db", lose_answer_every=1) as server:
        office = Office(place / "kantor", server.url)
        (post,) = office.publish("rapat", "satu")
    assert post["state"] == "unsure"
    for _again in range(8):
        wait_for(soon(0.8))
        if office.gaung("run", "--once").code == 3:
            return office
    raise AssertionError("nobody was asked")


@pytest.fixture
def unsure(lost: Office, tmp_path: Path) -> Office:
    """An office of one's own with a post whose outcome nobody knows."""
    return lost.copy(tmp_path / "kantor")


def test_a_person_who_found_an_uncertain_post_gives_its_address(unsure: Office) -> None:
    assert unsure.must("status", "--format", "json", code=3).json[0]["unsure"] == 1
    assert "gaung resolve ID --absent" in unsure.must("posts", "--state", "unsure").err
    post = unsure.post("satu")["id"]
    with unsure.unchanged():
        unsure.must("resolve", post, code=2)
        unsure.must("resolve", post, "--absent", "--posted", "https://contoh.go.id/p/1", code=2)
        unsure.must("resolve", post, "--posted", "contoh.go.id/p/1", code=2)
        unsure.must("resolve", "tidakada", "--absent", code=2)
        unsure.must("resolve", "", "--absent", code=2)
        unsure.must("retry", post, code=2)
    unsure.must("resolve", post, "--posted", "https://contoh.go.id/p/1")
    assert unsure.post("satu")["state"] == "sent"
    assert unsure.post("satu")["permalink"] == "https://contoh.go.id/p/1"
    unsure.must("status")


def test_a_person_who_did_not_find_an_uncertain_post_lets_it_be_sent(unsure: Office, tmp_path: Path) -> None:
    unsure.must("resolve", unsure.post("satu")["id"], "--absent")
    assert unsure.post("satu")["state"] == "planned"
    with running(tmp_path / "baru.db") as server:
        unsure.configure(api_base=server.url)
        unsure.must("run", "--once")
        assert len(server.storage.posts("dinas")) == 1
    assert unsure.post("satu")["state"] == "sent"


def test_an_edit_made_while_nobody_knew_holds_for_what_is_sent_then(unsure: Office, tmp_path: Path) -> None:
    """Given a post of unknown outcome whose text was corrected meanwhile, the old text never goes out."""
    file = unsure.folder / "campaigns" / "rapat.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("gratifikasi", "suap"), encoding="utf-8")
    unsure.must("apply")
    unsure.must("resolve", unsure.post("satu")["id"], "--absent")
    with running(tmp_path / "baru.db") as server:
        unsure.configure(api_base=server.url)
        unsure.must("run", "--once")
        assert not server.storage.posts("dinas")
        unsure.must("approve", "rapat", "--yes")
        unsure.must("run", "--once")
        assert [post.text for post in server.storage.posts("dinas")] == ["Pesan satu: tolak suap."]


# Accounts


def test_accounts_that_cannot_be_reached_are_told_with_exit_code_one(office: Office) -> None:
    office.configure(api_base=DEAD)
    checked = office.must("accounts", "check", "--format", "json", code=1)
    assert [(row["works"], row["code"]) for row in checked.json] == [(False, "transient")] * 2
    assert checked.json[0]["reason"]
    with office.unchanged():
        assert "hantu" in office.must("accounts", "check", "hantu", code=2).err


def test_a_disabled_account_is_enabled_again_once_it_is_checked(
    office: Office, network: PracticeServer
) -> None:
    at = office.due_soon("rapat", "satu")
    office.must("approve", "rapat", "--yes")
    office.configure(accounts=["camat"])  # somebody took it out of the configuration
    wait_for(at)
    office.must("run", "--once", code=3)
    assert office.post("satu")["state"] == "planned"
    assert office.must("status", "--format", "json", code=3).json[0]["accounts_disabled"] == {
        "dinas": "auth_expired"
    }
    office.configure()
    (dinas, camat) = office.must("accounts", "list", "--format", "json").json
    assert (dinas["usable"], dinas["code"], camat["usable"]) == (False, "auth_expired", True)
    office.must("run", "--once", code=3)
    assert office.post("satu")["state"] == "planned"

    office.must("accounts", "check", "dinas")
    (dinas, camat) = office.must("accounts", "list", "--format", "json").json
    assert (dinas["usable"], dinas["identity"]) == (True, "@dinas")
    assert (dinas["checked_at"] is None, camat["checked_at"]) == (False, None)
    office.must("run", "--once")
    assert office.post("satu")["state"] == "sent"


# Listings

LISTINGS = [
    ["posts"],
    ["posts", "--state", "sent", "--account", "dinas"],
    ["posts", "show", "POST"],
    ["status"],
    ["reach", "jalan"],
    ["plan"],
    ["check"],
    ["accounts", "list"],
    ["accounts", "check"],
    ["doctor"],
]


@pytest.mark.parametrize("command", LISTINGS, ids=" ".join)
def test_every_listing_has_the_same_keys_as_table_json_and_csv_in_both_languages(
    busy: Office, command: list[str]
) -> None:
    post = busy.post("satu")["id"]
    arguments = [post if part == "POST" else part for part in command]
    busy.campaign("tambahan", {"baru": later(), "lain": later(2)})
    try:
        keys: dict[str, list[str]] = {}
        values: dict[str, Any] = {}
        for lang in ("id", "en"):
            as_json = busy.gaung(*arguments, "--format", "json", lang=lang)
            as_csv = busy.gaung(*arguments, "--format", "csv", lang=lang)
            table = busy.gaung(*arguments, lang=lang)
            assert as_json.code == as_csv.code == table.code
            assert table.all.strip()
            rows = as_json.json
            header = as_csv.out.splitlines()[0].split(",")
            assert len(list(csv.DictReader(io.StringIO(as_csv.out)))) == len(rows)
            for row in rows:
                assert list(row) == header
            assert all(re.fullmatch(r"[a-z_]+", key) for key in header)
            keys[lang], values[lang] = header, rows
        assert keys["id"] == keys["en"]
        assert bool(values["id"]) is (command != ["check"])
        for words in ("note", "hint", "text") if command in (["doctor"], ["check"]) else ():
            for row in (*values["id"], *values["en"]):
                row.pop(words, None)
        assert values["id"] == values["en"], "what programs read depends on the language"
    finally:
        (busy.folder / "campaigns" / "tambahan.toml").unlink()


def test_problems_are_a_listing_too(office: Office) -> None:
    file = office.campaign("rapat", {"satu": later()})
    file.write_text(file.read_text(encoding="utf-8").replace("topic", "topik"), encoding="utf-8")
    answer = office.must("check", "--format", "json", code=2)
    assert [(one["file"], one["message"], one["code"]) for one in answer.json] == [
        ("rapat.toml", "satu", "unknown-key")
    ]
    assert answer.err == ""
    assert office.must("check", "--format", "csv", code=2).csv[0]["hint"] == "Did you mean topic?"


def test_tables_are_data_and_everything_else_is_narration(busy: Office) -> None:
    for command in (["posts"], ["accounts", "list"], ["status"], ["reach", "jalan"]):
        answer = busy.gaung(*command)
        assert answer.out.strip()
        assert answer.err == ""
    empty = busy.must("posts", "--campaign", "hantu")
    assert (empty.out, empty.err.strip()) == ("", "No posts.")
    assert busy.must("posts", "--campaign", "hantu", "--format", "json").json == []


def test_times_carry_their_zone_and_are_written_as_the_language_does(busy: Office) -> None:
    post = busy.post("satu")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+07:00", post["planned_at"])
    assert re.search(r"\d\d\.\d\d(\.\d\d)? WIB", busy.must("posts", lang="id").out)
    assert re.search(r"\d\d:\d\d(:\d\d)? WIB", busy.must("posts", lang="en").out)


def test_posts_can_be_narrowed(busy: Office) -> None:
    assert {post["message"] for post in busy.posts("--state", "sent")} == {"satu", "dua"}
    both = busy.posts("--state", "sent", "--state", "failed")
    assert {post["message"] for post in both} == {"satu", "dua", "tiga"}
    assert len(busy.posts("--limit", "2")) == 2
    assert {post["account"] for post in busy.posts("--account", "camat")} == {"camat"}
    refused = busy.must("posts", "--state", "terbit", code=2)
    assert "sent" in refused.err


def test_an_id_that_fits_several_posts_or_none_is_refused(busy: Office) -> None:
    ids = [post["id"] for post in busy.posts()]
    assert "There is no post" in busy.must("posts", "show", "zzz", code=2).err
    shared = next((one[0] for one in ids if sum(other[0] == one[0] for other in ids) > 1), None)
    if shared:
        assert "Several" in busy.must("posts", "show", shared, code=2).err
    # What LIKE would take for a wildcard is a character like any other.
    assert "There is no post" in busy.must("posts", "show", "%", code=2).err


# Reports


def test_the_report_for_excel_and_the_one_for_programs(busy: Office, tmp_path: Path) -> None:
    busy.must("report", "jalan", "--output", tmp_path / "tahun" / "laporan.csv")
    busy.must("report", "jalan", "-o", tmp_path / "excel.csv", "--format", "csv-excel")
    plain = (tmp_path / "tahun" / "laporan.csv").read_bytes()
    excel = (tmp_path / "excel.csv").read_bytes()
    assert plain.startswith(b"agency,account,")
    assert excel.startswith("\ufeffagency;account;".encode())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["excel.csv", "tahun"]


def test_reports_that_nobody_has_named_do_not_take_each_others_place(busy: Office, tmp_path: Path) -> None:
    with chdir(tmp_path):
        for form in ("csv-excel", "csv"):
            busy.must("report", "jalan", "--format", form)
    assert (tmp_path / "jalan-excel.csv").read_bytes().startswith("\ufeff".encode())
    assert (tmp_path / "jalan.csv").read_bytes().startswith(b"agency,account,")


# Usage


@LANGUAGES
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["terbitkan"], "terbitkan"),
        (["plan", "--cepat"], "--cepat"),
        (["takedown"], "ID"),
        (["status", "kemarin"], "“kemarin”"),
        (["posts", "--format", "xls"], "--format"),
        (["posts", "--limit", "banyak"], "--limit"),
        (["posts", "--format", "xls"], "'table', 'json', 'csv'"),
        (["schema", "dunia"], "dunia"),
        (["accounts", "hapus"], "hapus"),
    ],
)
def test_wrong_usage_names_what_is_wrong(office: Office, lang: str, arguments: list[str], named: str) -> None:
    with office.unchanged():
        refused = office.must(*arguments, code=2, lang=lang)
    assert refused.out == ""
    assert named in refused.err
    assert "Traceback" not in refused.err
    assert ("See “" in refused.err) is (lang == "en" and arguments[0] != "schema")


def test_without_arguments_the_help_is_shown(office: Office) -> None:
    assert "approve" in gaung().all
    assert "check" in gaung("accounts").all


def test_the_process_speaks_the_language_of_the_environment_the_option_and_the_configuration(
    tmp_path: Path,
) -> None:
    nothing = tmp_path / "config.toml"

    def speaks(*options: str, **environment: str) -> str:
        settings = {"GAUNG_LANG": "", "LANG": "", "LC_ALL": "", **environment}
        answer = gaung_process(*options, "--config", nothing, "posts", environment=settings)
        assert answer.code == 2
        assert answer.out == ""
        return "en" if "There is no configuration" in answer.err else "id"

    assert speaks() == "id"
    assert speaks(LANG="en_US.UTF-8") == "en"
    assert speaks("--lang", "id", GAUNG_LANG="en") == "id"


def test_a_reader_that_goes_away_gets_no_traceback(busy: Office) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m scheduler.cli --config "$0" schema | head -n 1', busy.config],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        timeout=60,
    )
    assert done.stdout == "{\n"
    assert done.stderr == ""


def test_the_schema_describes_campaign_files_and_the_configuration() -> None:
    campaign = gaung("schema").json
    assert campaign["$schema"].startswith("https://json-schema.org/")
    assert campaign["additionalProperties"] is False
    assert set(campaign["required"]) >= {
        "id",
        "title",
        "owner",
        "start",
        "end",
        "messages",
        "accounts",
        "zone",
    }
    assert {"Message", "MediaFile", "Override"} <= set(campaign["$defs"])
    assert campaign["properties"]["messages"]["items"] == {"$ref": "#/$defs/Message"}
    assert "description" in campaign["properties"]["publish_within"]
    config = gaung("schema", "config").json
    assert set(config["properties"]) >= {"zone", "language", "people", "accounts", "groups", "daemon"}


def test_the_example_campaign_uses_only_what_the_schema_knows() -> None:
    import tomllib

    schema = gaung("schema").json
    text = (ROOT / "campaigns" / "examples" / "hakordia" / "hakordia.toml").read_text(encoding="utf-8")

    def check(value: Any, rule: dict[str, Any], place: str) -> None:
        if reference := rule.get("$ref"):
            rule = schema["$defs"][reference.rpartition("/")[2]]
        if choices := rule.get("anyOf"):
            rule = next((one for one in choices if one.get("type") != "null"), {})
            check(value, rule, place)
        elif rule.get("type") == "array":
            assert isinstance(value, list), place
            for number, one in enumerate(value):
                check(one, rule.get("items", {}), f"{place}[{number}]")
        elif rule.get("type") == "object":
            assert isinstance(value, dict), place
            assert set(value) >= set(rule.get("required", ())), place
            known = rule.get("properties", {})
            for key, one in value.items():
                inner = known.get(key) or rule.get("additionalProperties")
                assert inner, f"{place}.{key} is not in the schema"
                check(one, inner if isinstance(inner, dict) else {}, f"{place}.{key}")
        elif pattern := rule.get("pattern"):
            assert re.search(pattern, value), f"{place}: {value} does not fit {pattern}"

    check(tomllib.loads(text), schema, "campaign")


def test_doctor_finds_everything_in_order_and_tells_what_is_not(office: Office) -> None:
    office.campaign("rapat", {"satu": later()})
    good = office.must("doctor", "--format", "json").json
    assert all(row["good"] for row in good)
    office.campaign("rapat", {"satu": later()}, accounts=["hantu"])
    office.configure(people="")
    bad = office.must("doctor", "--format", "json", code=2).json
    assert {row["check"] for row in bad if not row["good"]} == {"campaigns", "approvers"}
    (campaigns,) = (row["note"] for row in bad if row["check"] == "campaigns")
    assert "rapat.toml" in campaigns
    assert "hantu" in campaigns


def test_pictures_go_with_their_post(office: Office, network: PracticeServer) -> None:
    picture(office.folder / "campaigns" / "gambar" / "a.jpg")
    media = '[[messages.media]]\nfile = "gambar/a.jpg"\nalt = "Kotak biru"'
    (post,) = office.publish("bergambar", "satu", extra=media, accounts=["camat"])
    assert post["state"] == "sent"
    (published,) = (one for one in network.storage.posts("camat") if post["permalink"].endswith(f"/{one.id}"))
    assert [one.alt for one in published.pictures] == ["Kotak biru"]
    text = office.must("posts", "show", post["id"]).out
    assert "Kotak biru" in text

    # A database that was moved without the media is noticed: by the doctor, and in the evidence.
    office.campaign("nanti", {"tiga": later()}, extra=media)
    office.must("apply")
    office.must("bundle", "bergambar", "-o", office.folder / "a.zip")
    shutil.rmtree(office.state / "media")
    bad = [row for row in office.must("doctor", "--format", "json", code=2).json if not row["good"]]
    assert [(row["check"], row["note"]) for row in bad] == [("media-of-posts", "not there: gambar/a.jpg")]
    bundled = office.must("bundle", "bergambar", "-o", office.folder / "a.zip", code=1)
    assert "1 approved picture is not at hand" in bundled.err

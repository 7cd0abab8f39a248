"""A folder of campaign files: what loads, and how every mistake in it is told.

Each problem names the file, the message and the key, and says what would be right. Staff correct
their files from these sentences alone, so the tests read the sentences too.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from campaigns.definition import Campaign, Message, Override, Target, ThreadPart, duration, duration_text
from campaigns.files import Audience, load, load_file
from campaigns.media import media_facts
from campaigns.problems import Problem, nearest
from campaigns.validation import read_toml

steady = settings(derandomize=True, deadline=None, database=None, max_examples=100)

AUDIENCE = Audience(
    accounts={
        one.id: one
        for one in (
            Target("kominfo-x", "x", "Diskominfo"),
            Target("kominfo-ig", "instagram", "Diskominfo"),
            Target("kecamatan-x", "x", "Kecamatan"),
        )
    },
    groups={"semua-x": ["kominfo-x", "kecamatan-x"], "kantor": ["kominfo-x", "kominfo-ig"]},
    platforms=("x", "instagram", "threads"),
)

HEAD = """
id = "hakordia"
title = "Hari Antikorupsi Sedunia"
owner = "Diskominfo"
zone = "WIB"
start = 2026-11-23
end = 2026-12-09
accounts = ["kominfo-x"]
slots = ["senin 07:30"]
"""
MESSAGE = """
[[messages]]
id = "jujur"
text = "Jujur itu hebat."
"""
WHOLE = HEAD + MESSAGE


def picture(kind: str = "JPEG", size: tuple[int, int] = (40, 30)) -> bytes:
    """A small picture with enough detail that cutting it short is noticed."""
    noise = Image.frombytes("RGB", size, random.Random(9).randbytes(3 * size[0] * size[1]))
    content = BytesIO()
    noise.save(content, kind)
    return content.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "baik.jpg").write_bytes(picture())
    return tmp_path


def problems(folder: Path, text: str, name: str = "hakordia.toml") -> list[Problem]:
    """The problems of one file with ``text``."""
    (folder / name).write_text(text, encoding="utf-8")
    loaded, found = load_file(folder / name, AUDIENCE)
    assert all(one.file == name for one in found)
    assert loaded is not None or found
    return found


def only(found: list[Problem]) -> tuple[str, str, str, str]:
    """The one problem: its code, message id and field, and all that is said of it in one text."""
    [one] = found
    assert one.severity == "error"
    return one.code, one.item, one.field, told(one)


def told(one: Problem) -> str:
    return " ".join(part.format(**one.values) for part in (one.message, one.hint) if part)


# What loads


def test_a_valid_file_loads_with_its_accounts_and_pictures(folder: Path) -> None:
    media = 'media = [{ file = "baik.jpg", alt = "Timbangan" }]\nlink = "https://jaga.id"\n'
    (folder / "hakordia.toml").write_text(WHOLE + media, encoding="utf-8")
    [loaded], found = load(folder, AUDIENCE)
    assert found == []
    assert loaded.path == folder / "hakordia.toml"
    assert loaded.targets == (AUDIENCE.accounts["kominfo-x"],)
    assert (loaded.campaign.start, loaded.campaign.end) == (date(2026, 11, 23), date(2026, 12, 9))
    [message] = loaded.campaign.messages
    assert (message.id, message.link, message.at, message.cron) == ("jujur", "https://jaga.id", (), None)
    facts = loaded.media["baik.jpg"]
    assert (facts.mime, facts.width, facts.height) == ("image/jpeg", 40, 30)


def test_what_a_file_does_not_say_has_careful_defaults(folder: Path) -> None:
    (folder / "hakordia.toml").write_text(WHOLE, encoding="utf-8")
    [loaded], _ = load(folder, AUDIENCE)
    campaign = loaded.campaign
    assert campaign.publish_within == timedelta(hours=2)
    assert (campaign.if_missed, campaign.approval) == ("review", "two-person")


def test_groups_become_their_accounts_and_each_account_comes_once(folder: Path) -> None:
    text = WHOLE.replace('["kominfo-x"]', '["kecamatan-x", "kantor", "semua-x", "kominfo-ig"]')
    assert problems(folder, text) == []
    [loaded], _ = load(folder, AUDIENCE)
    assert [one.id for one in loaded.targets] == ["kecamatan-x", "kominfo-x", "kominfo-ig"]


def test_only_toml_files_are_read_and_in_the_order_of_their_names(folder: Path) -> None:
    for name in ("b", "a", "c"):
        (folder / f"{name}.toml").write_text(WHOLE.replace("hakordia", name), encoding="utf-8")
    (folder / "catatan.txt").write_text("bukan kampanye", encoding="utf-8")
    loaded, found = load(folder, AUDIENCE)
    assert [one.campaign.id for one in loaded] == ["a", "b", "c"]
    assert found == []


def test_utf8_with_the_mark_that_notepad_puts_before_it_is_read(folder: Path) -> None:
    (folder / "a.toml").write_bytes(b"\xef\xbb\xbf" + WHOLE.replace("hebat", "hebat — dan “berani”").encode())
    [loaded], found = load(folder, AUDIENCE)
    assert found == []
    assert loaded.campaign.messages[0].text == "Jujur itu hebat — dan “berani”."


def test_an_empty_folder_has_neither_campaigns_nor_problems(folder: Path) -> None:
    assert load(folder, AUDIENCE) == ([], [])


# Files that cannot be read


def test_a_folder_that_does_not_exist_is_told_with_the_key_to_correct(tmp_path: Path) -> None:
    loaded, found = load(tmp_path / "kampanye", AUDIENCE)
    code, _, _, words = only(found)
    assert (loaded, code, found[0].file) == ([], "no-folder", str(tmp_path / "kampanye"))
    assert "campaigns in the configuration" in words


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (WHOLE.replace('"WIB"', '"WIB').encode(), "toml", "line 5"),
        (WHOLE.replace("2026-12-09", "2026-12-32").encode(), "toml", "line 7"),
        (f"{WHOLE}at = [2026-12-01 07:30]".encode(), "toml", "with their seconds: 2026-12-09T07:30:00"),
        (WHOLE.replace("id =", "id = 1\nid =", 1).encode(), "toml", "line 3"),
        (
            WHOLE.replace("hebat", "hébat").encode("latin-1"),
            "not-utf8",
            "Save it again with the encoding UTF-8.",
        ),
        (WHOLE.encode("utf-16"), "not-utf8", "Save it again"),
    ],
    ids=["unclosed", "no such date", "no seconds", "key twice", "latin-1", "utf-16"],
)
def test_a_file_that_cannot_be_read_says_why(folder: Path, content: bytes, code: str, says: str) -> None:
    (folder / "rusak.toml").write_bytes(content)
    loaded, found = load(folder, AUDIENCE)
    assert (loaded, found[0].file) == ([], "rusak.toml")
    assert only(found)[0] == code
    assert says in only(found)[3]


def test_a_folder_with_the_name_of_a_campaign_file_is_told(folder: Path) -> None:
    (folder / "map.toml").mkdir()
    _, found = load(folder, AUDIENCE)
    assert (found[0].file, found[0].code) == ("map.toml", "unreadable")


# One mistake at a time: (what to replace, by what) -> code, message, field, words

FORM: dict[str, tuple[str, str, str, str, str, str]] = {
    # what is replaced, by what, code, message, field, words
    "unknown key": ("owner =", 'ownr = "x"\nowner =', "unknown-key", "", "ownr", "Did you mean owner?"),
    "unknown key, far": ("owner =", "zzzz = 1\nowner =", "unknown-key", "", "zzzz", "gaung schema"),
    "unknown key of a message": ("text =", 'txt = "x"\ntext =', "unknown-key", "jujur", "txt", "mean text?"),
    "missing key": ('owner = "Diskominfo"\n', "", "missing", "", "owner", "missing"),
    "missing text": ('text = "Jujur itu hebat."\n', "", "missing", "jujur", "text", "missing"),
    "missing id": ('id = "jujur"\n', "", "missing", "messages[1]", "id", "missing"),
    "bad id": ('"jujur"', '"Jujur!"', "string-pattern-mismatch", "Jujur!", "id", "Jujur! cannot be an id"),
    "empty text": ("Jujur itu hebat.", "  ", "string-too-short", "jujur", "text", "must not be empty"),
    "empty title": ("Hari Antikorupsi Sedunia", "", "string-too-short", "", "title", "must not be empty"),
    "text a number": ('"Jujur itu hebat."', "5", "string-type", "jujur", "text", "quotation marks"),
    "wrong zone": ('"WIB"', '"Asia/Jakata"', "zone", "", "zone", "(Asia/Jakarta?)"),
    "zone in small letters": ('"WIB"', '"wib"', "zone", "", "zone", "(WIB?)"),
    "zone far from any": ('"WIB"', '"###"', "zone", "", "zone", "like Asia/Jakarta."),
    "no date": ("2026-11-23", '"besok"', "date-from-datetime-parsing", "", "start", "like 2026-12-09"),
    "end first": ("2026-12-09", "2026-11-22", "end-before-start", "", "end", "ends on 2026-11-22, before"),
    "no accounts": ('["kominfo-x"]', "[]", "too-short", "", "accounts", "must not be empty"),
    "accounts a text": ('["kominfo-x"]', '"kominfo-x"', "tuple-type", "", "accounts", "square brackets"),
    "bad slot": ("senin 07:30", "senen 07:30", "slot", "", "slots.0", "“senin 07:30” or “setiap hari 12:00”"),
    "bad duration": (
        "slots =",
        'publish_within = "lama"\nslots =',
        "duration",
        "",
        "publish_within",
        "1h30m",
    ),
    "bare duration": (
        "slots =",
        "publish_within = 90\nslots =",
        "duration",
        "",
        "publish_within",
        "like 30m",
    ),
    "vast duration": (
        "slots =",
        'publish_within = "99999999999d"\nslots =',
        "duration",
        "",
        "publish_within",
        "is not a length of time",
    ),
    "bad choice": ("slots =", 'if_missed = "lupa"\nslots =', "literal-error", "", "if_missed", "'review'"),
    "bad hashtag": (
        "slots =",
        'hashtags = ["Hakordia"]\nslots =',
        "string-pattern-mismatch",
        "",
        "hashtags.0",
        "#",
    ),
}

IN_MESSAGE: dict[str, tuple[str, str, str, str]] = {
    # lines added to the message, code, field, words
    "bad cron": ('cron = "0 9 * *"', "cron", "cron", "4 fields. Five fields are needed: minute hour day"),
    "cron out of range": ('cron = "0 25 * * *"', "cron", "cron", "hour 25"),
    "two timings": (
        'at = [2026-12-01T07:30:00]\ncron = "0 9 * * 1"',
        "two-timings",
        "cron",
        "either at or cron, not both",
    ),
    "at with offset": ("at = [2026-12-01T07:30:00+07:00]", "at-offset", "at.0", "Write the local time alone"),
    "at in UTC": ("at = [2026-12-01T00:30:00Z]", "at-offset", "at.0", "the campaign's zone applies"),
    "at twice": (
        "at = [2026-12-01T07:30:00, 2026-12-01T07:30:00]",
        "twice",
        "at",
        "2026-12-01 07:30:00 appears",
    ),
    "at twice but for a moment": (
        "at = [2026-12-01T07:30:00.1, 2026-12-01T07:30:00.2]",
        "twice",
        "at",
        "twice",
    ),
    "at a date": ("at = [2026-12-01]", "datetime-type", "at.0", "like 2026-12-09T07:30:00, not 2026-12-01"),
    "at a date in quotation marks": ('at = ["2026-12-01"]', "datetime-type", "at.0", "local date and time"),
    "at a number": ("at = [20261201]", "datetime-type", "at.0", "local date and time"),
    "at a time": ("at = [07:30:00]", "datetime-type", "at.0", "not 07:30:00"),
    "at no list": ("at = 2026-12-01T07:30:00", "tuple-type", "at", "square brackets"),
    "at before the campaign": (
        "at = [2026-11-22T23:59:59]",
        "at-outside",
        "at",
        "(2026-11-23 to 2026-12-09)",
    ),
    "at after the campaign": ("at = [2026-12-10T00:00:00]", "at-outside", "at", "2026-12-10 00:00:00 lies"),
    "bad link": ('link = "jaga.id"', "string-pattern-mismatch", "link", "begins with https://"),
    "missing alt": ('media = [{ file = "baik.jpg" }]', "missing", "media.0.alt", "missing"),
    "empty alt": (
        'media = [{ file = "baik.jpg", alt = " " }]',
        "string-too-short",
        "media.0.alt",
        "not be empty",
    ),
    "media a text": ('media = ["baik.jpg"]', "model-type", "media.0", "table is expected here, not baik.jpg"),
    "missing picture": (
        'media = [{ file = "tiada.jpg", alt = "x" }]',
        "media",
        "media",
        "tiada.jpg does not exist. Paths are read from the folder of the campaign file.",
    ),
    "picture with a broken name": (
        r'media = [{ file = "a\u0000b", alt = "x" }]',
        "media",
        "media",
        "cannot be",
    ),
    "unknown override": ('overrides.twiter.text = "x"', "unknown-override", "overrides.twiter", "neither"),
    "near override": (
        'overrides.kominfo_x.text = "x"',
        "unknown-override",
        "overrides.kominfo_x",
        "kominfo-x?",
    ),
    "group as override": ('overrides.kantor.text = "x"', "unknown-override", "overrides.kantor", "neither"),
    "empty override": ("overrides.x = {}", "override-empty", "overrides.x", "Give it text, link, media"),
    "unknown key of an override": ('overrides.x.txt = "a"', "unknown-key", "overrides.x.txt", "mean text?"),
    "empty text of an override": ('overrides.x.text = ""', "string-too-short", "overrides.x.text", "empty"),
    "leave_out a number": (
        "overrides.x.leave_out = 5",
        "bool-parsing",
        "overrides.x.leave_out",
        "true or false",
    ),
    "missing picture of a thread": (
        'thread = [{ text = "Kedua", media = [{ file = "tiada.jpg", alt = "x" }] }]',
        "media",
        "media",
        "tiada.jpg does not exist",
    ),
    "unknown key of a thread": (
        'thread = [{ text = "Kedua", medai = [] }]',
        "unknown-key",
        "thread.0.medai",
        "media?",
    ),
    "empty part of a thread": ('thread = [{ text = "" }]', "string-too-short", "thread.0.text", "empty"),
    "bad kind": ('kind = "reels"', "literal-error", "kind", "'reel'"),
    "missing picture of an override": (
        'overrides.x.media = [{ file = "tiada.jpg", alt = "x" }]',
        "media",
        "media",
        "tiada.jpg does not exist",
    ),
}


@pytest.mark.parametrize("mistake", FORM)
def test_a_mistake_is_told_with_its_place_and_what_would_be_right(folder: Path, mistake: str) -> None:
    old, new, code, item, field, words = FORM[mistake]
    assert old in WHOLE
    found = problems(folder, HEAD.replace(old, new) + MESSAGE if old in HEAD else WHOLE.replace(old, new))
    assert only(found)[:3] == (code, item, field)
    assert words in only(found)[3]


@pytest.mark.parametrize("mistake", IN_MESSAGE)
def test_a_mistake_in_a_message_is_told_with_its_id(folder: Path, mistake: str) -> None:
    lines, code, field, words = IN_MESSAGE[mistake]
    found = problems(folder, f"{WHOLE}{lines}\n")
    assert only(found)[:3] == (code, "jujur", field)
    assert words in only(found)[3]


def test_a_campaign_without_messages_is_told(folder: Path) -> None:
    assert only(problems(folder, HEAD))[:3] == ("missing", "", "messages")
    assert only(problems(folder, f"{HEAD}messages = []\n"))[:3] == ("too-short", "", "messages")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("kominfo-z", "Did you mean kominfo-x?"),
        ("kantr", "Did you mean kantor?"),
        ("#", "See “gaung accounts list”."),
    ],
)
def test_an_unknown_account_is_told_with_the_nearest_account_or_group(
    folder: Path, name: str, words: str
) -> None:
    found = problems(folder, WHOLE.replace('"kominfo-x"', f'"kominfo-x", "{name}"'))
    assert only(found)[:3] == ("unknown-account", "", "accounts")
    assert only(found)[3] == f"There is no account or group {name} in the configuration. {words}"


def test_a_message_without_any_time_is_told(folder: Path) -> None:
    found = problems(folder, WHOLE.replace('slots = ["senin 07:30"]', ""))
    assert only(found)[:3] == ("no-timing", "jujur", "at")
    assert "give it at or cron, or give the campaign slots" in only(found)[3]


def test_a_message_id_that_is_used_twice_is_told_once(folder: Path) -> None:
    assert only(problems(folder, WHOLE + MESSAGE + MESSAGE))[:3] == ("message-twice", "jujur", "id")


def test_the_first_and_the_last_day_belong_to_the_campaign(folder: Path) -> None:
    assert problems(folder, f"{WHOLE}at = [2026-11-23T00:00:00, 2026-12-09T23:59:59]\n") == []


# Pictures


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "rusak.jpg is neither a picture nor a video."),
        (b"<html>404</html>", "rusak.jpg is neither a picture nor a video."),
        (picture()[:-300], "rusak.jpg is damaged: image file is truncated"),
        (picture("PNG")[:-1000], "rusak.jpg is damaged"),
    ],
    ids=["empty", "a web page", "cut JPEG", "cut PNG"],
)
def test_a_file_that_is_no_whole_picture_is_told(folder: Path, content: bytes, words: str) -> None:
    (folder / "rusak.jpg").write_bytes(content)
    found = problems(folder, f'{WHOLE}media = [{{ file = "rusak.jpg", alt = "x" }}]\n')
    assert only(found)[:3] == ("media", "jujur", "media")
    assert words in only(found)[3]


def test_a_folder_is_no_picture(folder: Path) -> None:
    (folder / "gambar").mkdir()
    found = problems(folder, f'{WHOLE}media = [{{ file = "gambar", alt = "x" }}]\n')
    assert "gambar cannot be read" in only(found)[3]


@pytest.mark.parametrize(
    ("kind", "mime"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
        # What phones with two lenses write under the name .jpg; every platform takes it as a JPEG.
        ("MPO", "image/jpeg"),
    ],
)
def test_the_type_of_a_picture_comes_from_its_content(tmp_path: Path, kind: str, mime: str) -> None:
    content = BytesIO()
    one = Image.new("RGB", (8, 6))
    one.save(content, kind, **({"save_all": True, "append_images": [one]} if kind == "MPO" else {}))
    (tmp_path / "nama.txt").write_bytes(content.getvalue())
    facts = media_facts(tmp_path / "nama.txt")
    assert not isinstance(facts, tuple)
    assert (facts.mime, facts.width, facts.height) == (mime, 8, 6)


WHOLE_PICTURES = [picture(kind) for kind in ("JPEG", "PNG", "GIF", "WEBP", "TIFF")]


@steady
@given(
    st.sampled_from(WHOLE_PICTURES),
    st.integers(0, 4000),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=5),
)
def test_no_damage_to_a_picture_is_more_than_a_problem(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, cut: int, changes: list[tuple[int, int]]
) -> None:
    damaged = bytearray(content[: len(content) - cut])
    for place, value in changes:
        if place < len(damaged):
            damaged[place] = value
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(damaged)
    media_facts(path)


# Everything at once


def test_all_mistakes_of_all_files_are_told_together(folder: Path) -> None:
    """Mistakes of form in one file, of reference in another, an unreadable third, and a sound fourth."""
    form = """
id = "Bentuk"
title = ""
zone = "WIBB"
start = 2026-12-09
end = 2026-12-01
acounts = ["kominfo-x"]
publish_within = "sebentar"
slots = ["senin 07:30", "senin 25:00"]

[[messages]]
id = "satu"
text = ""
at = [2026-12-01T07:30:00, 2026-12-02T07:30:00+07:00]
cron = "0 9 * * 9"

[[messages]]
id = "dua"
text = "Dua"
at = [2026-12-03T07:30:00]
cron = "0 9 * * 1"
media = [{ file = "baik.jpg" }]
overrides.x = {}
"""
    reference = (
        HEAD.replace('["kominfo-x"]', '["kominfo-y", "kantor", "semua"]').replace(
            'slots = ["senin 07:30"]', ""
        )
        + MESSAGE
        + MESSAGE
        + 'at = [2027-01-01T07:30:00]\nmedia = [{ file = "tiada.jpg", alt = "x" }]\noverrides.y.text = "y"\n'
    )
    files = {
        "1-form.toml": form,
        "2-reference.toml": reference,
        "3-toml.toml": "id = ",
        "4-sound.toml": WHOLE.replace("hakordia", "lain"),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    loaded, found = load(folder, AUDIENCE)
    assert {(one.file, one.item, one.field, one.code) for one in found} == {
        ("1-form.toml", "", "id", "string-pattern-mismatch"),
        ("1-form.toml", "", "title", "string-too-short"),
        ("1-form.toml", "", "owner", "missing"),
        ("1-form.toml", "", "zone", "zone"),
        ("1-form.toml", "", "end", "end-before-start"),
        ("1-form.toml", "", "accounts", "missing"),
        ("1-form.toml", "", "acounts", "unknown-key"),
        ("1-form.toml", "", "publish_within", "duration"),
        ("1-form.toml", "", "slots.1", "slot"),
        ("1-form.toml", "satu", "text", "string-too-short"),
        ("1-form.toml", "satu", "at.1", "at-offset"),
        ("1-form.toml", "satu", "cron", "cron"),
        ("1-form.toml", "dua", "cron", "two-timings"),
        ("1-form.toml", "dua", "media.0.alt", "missing"),
        ("1-form.toml", "dua", "overrides.x", "override-empty"),
        ("2-reference.toml", "", "accounts", "unknown-account"),
        ("2-reference.toml", "jujur", "id", "message-twice"),
        ("2-reference.toml", "jujur", "at", "no-timing"),
        ("2-reference.toml", "jujur", "at", "at-outside"),
        ("2-reference.toml", "jujur", "media", "media"),
        ("2-reference.toml", "jujur", "overrides.y", "unknown-override"),
        ("3-toml.toml", "", "", "toml"),
    }
    assert [one.values["name"] for one in found if one.code == "unknown-account"] == ["kominfo-y", "semua"]
    assert [one.path.name for one in loaded] == ["4-sound.toml"]


def test_a_campaign_id_that_two_files_use_is_told_at_the_second(folder: Path) -> None:
    for name in ("pertama.toml", "kedua.toml"):
        (folder / name).write_text(WHOLE, encoding="utf-8")
    loaded, found = load(folder, AUDIENCE)
    assert [one.path.name for one in loaded] == ["kedua.toml"]
    assert found[0].file == "pertama.toml"
    assert only(found)[:3] == ("campaign-twice", "", "id")
    assert "hakordia is already used in kedua.toml" in only(found)[3]


def test_a_file_with_a_problem_does_not_keep_the_others_from_loading(folder: Path) -> None:
    (folder / "baik.toml").write_text(WHOLE, encoding="utf-8")
    (folder / "buruk.toml").write_text(
        WHOLE.replace("hakordia", "lain").replace("WIB", "?"), encoding="utf-8"
    )
    loaded, found = load(folder, AUDIENCE)
    assert [one.path.name for one in loaded] == ["baik.toml"]
    assert [one.file for one in found] == ["buruk.toml"]


junk = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.dates(), st.datetimes(), st.times()
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(steady, max_examples=30)
@given(
    st.dictionaries(st.sampled_from(list(Campaign.model_fields)), junk, max_size=5),
    st.lists(st.dictionaries(st.sampled_from(list(Message.model_fields)), junk, max_size=4), max_size=2),
)
def test_whatever_a_file_says_is_a_campaign_or_problems_that_can_be_read(
    head: dict[str, Any], messages: list[dict[str, Any]]
) -> None:
    from campaigns.validation import parse

    found = parse(Campaign, {"messages": messages, **head}, "apa.toml")
    if isinstance(found, Campaign):
        return
    assert found
    for one in found:
        assert one.file == "apa.toml"
        assert told(one)


# Words and forms on their own


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30m", timedelta(minutes=30)),
        ("1h30m", timedelta(minutes=90)),
        ("1d 2h", timedelta(hours=26)),
        ("45s", timedelta(seconds=45)),
        ("2 jam 15 menit", timedelta(minutes=135)),
        ("1 hari", timedelta(days=1)),
        ("5 detik", timedelta(seconds=5)),
        ("2 JAM", timedelta(hours=2)),
        ("0m", timedelta()),
    ],
)
def test_a_length_of_time_is_read_in_indonesian_and_english(text: str, length: timedelta) -> None:
    assert duration(text) == length


@pytest.mark.parametrize("text", ["", "30", "-5m", "1.5h", "2 weeks", "m", "1h,30m", "123456d"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a length of time"):
        duration(text)


@steady
@given(st.integers(0, 10_000_000).map(lambda seconds: timedelta(seconds=seconds)))
def test_a_length_of_time_is_written_as_it_is_read(length: timedelta) -> None:
    assert duration(duration_text(length)) == length


def test_the_nearest_name_is_found_whatever_its_case_and_given_as_it_is_known() -> None:
    assert nearest("asia/jakata", ["Asia/Jakarta", "Europe/Paris"]) == "Asia/Jakarta"
    assert nearest("WIBB", ["WIB", "WITA"]) == "WIB"
    assert nearest("zzz", ["WIB"]) == ""


def test_a_definition_cannot_be_changed_after_it_was_read() -> None:
    message = Message(id="jujur", text="Jujur")
    with pytest.raises(ValidationError, match="frozen"):
        message.text = "Lain"  # type: ignore[misc]


def field_names(schema: dict[str, Any]) -> dict[str, set[str]]:
    definitions: dict[str, dict[str, Any]] = {"Campaign": schema, **schema["$defs"]}
    return {name: set(part["properties"]) for name, part in definitions.items()}


@pytest.mark.parametrize(
    "make", [Campaign.model_json_schema, lambda: Campaign.model_json_schema(mode="serialization")]
)
def test_the_json_schema_names_every_field(make: Callable[[], dict[str, Any]]) -> None:
    names = field_names(make())
    assert names["Campaign"] == set(Campaign.model_fields)
    assert names["Message"] == {*Message.model_fields, "class"} - {"message_class"}
    assert names["Override"] == set(Override.model_fields)
    assert names["ThreadPart"] == set(ThreadPart.model_fields)
    assert names["MediaFile"] == {"file", "alt"}


def test_the_json_schema_says_what_staff_may_write() -> None:
    schema = Campaign.model_json_schema()
    assert schema["additionalProperties"] is False
    assert schema["properties"]["publish_within"]["type"] == "string"
    assert schema["properties"]["publish_within"]["default"] == "2h"
    named, stages = schema["properties"]["approval"]["anyOf"]
    assert named["enum"] == ["one-person", "two-person"]
    assert stages["items"]["enum"] == ["reviewer", "approver"]
    described = {**schema["properties"], **schema["$defs"]["Override"]["properties"]}
    assert "leave_out" in described


def test_local_times_keep_to_the_second() -> None:
    message = Message(id="a", text="a", at=(datetime(2026, 12, 1, 7, 30, 0, 999_999),))  # noqa: DTZ001
    assert message.at[0].isoformat() == "2026-12-01T07:30:00"


def test_mistakes_of_form_hide_no_mistakes_of_reference(tmp_path: Path) -> None:
    """Given a file with both kinds, all of them are told at once, each at its message."""
    file = tmp_path / "both.toml"
    file.write_text(
        'id = "both"\ntitle = "T"\nowner = "O"\nzone = "WIBB"\nstart = 2026-12-01\nend = 2026-12-09\n'
        'accounts = ["nobody"]\nslots = ["senin 07:30"]\n'
        '[[messages]]\nid = "a"\ntxt = "x"\nmedia = [{ file = "none.jpg", alt = "x" }]\n'
        '[[messages]]\nid = "a"\ntext = "x"\nat = [2027-01-01T07:00:00]\n'
        '[messages.overrides.nowhere]\ntext = "y"\n',
        encoding="utf-8",
    )
    loaded, problems = load_file(file, Audience({}, {}, ("practice",)))
    assert loaded is None
    assert {(problem.code, problem.item) for problem in problems} == {
        ("zone", ""),
        ("unknown-key", "a"),
        ("missing", "a"),
        ("media", "a"),
        ("message-twice", "a"),
        ("unknown-account", ""),
        ("unknown-override", "a"),
        ("at-outside", "a"),
    }


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("start = 9/12/2026", "year, month, day"),
        ("start = 09-12-2026", "year, month, day"),
        ("at = [2026-12-09 07:30]", "with their seconds"),
        ("at = [2026-12-09T07.30.00]", "with colons"),
        ("title = “Hakordia”", "straight ones"),
        ('title = "Pekan "Jujur" 2026"', "three of them"),
        ("title = Hakordia", "Texts stand in quotation marks"),
        ("kpk_logo = ya", "true and false"),
        ('zone: "WIB"', "equals sign"),
        ('file = "gambar\\jujur.jpg"', "slashes"),
        ('zone = "WIB"\nzone = "WITA"', "stands twice"),
        ('text = "satu\ndua"', "three quotation marks"),
        ('text = """satu', "does not end"),
        ("[[messages]", "at that line"),
    ],
)
def test_what_is_no_toml_is_told_with_its_line_and_what_would_be_right(
    tmp_path: Path, line: str, right: str
) -> None:
    """The lines themselves are not repeated: in a configuration they may hold a secret."""
    file = tmp_path / "rapat.toml"
    file.write_text(f'id = "rapat"\n{line}\n', encoding="utf-8")
    problem = read_toml(file)
    assert isinstance(problem, Problem)
    assert right in problem.hint
    assert set(problem.values) <= {"line", "why"}
    if "line" in problem.values and right != "does not end":
        assert problem.values["line"] in {2, 3}

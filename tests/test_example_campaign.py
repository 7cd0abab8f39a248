"""The campaign that every new office starts from: it loads, fits every platform and shows true pictures."""

from __future__ import annotations

from datetime import date, time, timedelta
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageColor, ImageStat

from campaigns.definition import Message, Target, Variant, variant
from campaigns.examples.hakordia import posters
from campaigns.files import Audience, Loaded, load_file
from campaigns.planning import local_slots
from scheduler.cli.commands.setup import for_coming_year

FOLDER = Path(posters.__file__).parent
PRACTICE = (Target("latihan-diskominfo", "practice"), Target("latihan-kecamatan", "practice"))
ON_X = Target("kominfo-x", "x")
AUDIENCE = Audience(
    accounts={target.id: target for target in PRACTICE},
    groups={"latihan": [target.id for target in PRACTICE]},
    platforms={"practice", "x"},
)


@pytest.fixture(scope="module")
def example() -> Loaded:
    loaded, problems = load_file(FOLDER / "hakordia.toml", AUDIENCE)
    assert problems == []
    assert loaded is not None
    return loaded


def rendered(example: Loaded, target: Target) -> list[tuple[Message, Variant]]:
    """Every message as ``target`` publishes it; the example leaves no message out."""
    variants = [variant(example.campaign, one, target, example.media) for one in example.campaign.messages]
    assert None not in variants
    return [(one, it) for one, it in zip(example.campaign.messages, variants, strict=True) if it]


def test_it_has_twelve_messages_for_the_two_practice_accounts(example: Loaded) -> None:
    assert len(example.campaign.messages) == 12
    assert example.targets == PRACTICE
    assert (example.campaign.start, example.campaign.end) == (date(2026, 11, 23), date(2026, 12, 9))


def test_every_message_goes_out_exactly_once_and_never_during_friday_prayer(example: Loaded) -> None:
    slots = list(local_slots(example.campaign))
    assert sorted(message.id for message, _ in slots) == sorted(one.id for one in example.campaign.messages)
    assert [at for _, at in slots if at.weekday() == 4 and time(11, 30) <= at.time() < time(13)] == []


def test_init_finds_the_two_dates_on_lines_of_their_own() -> None:
    lines = (FOLDER / "hakordia.toml").read_text(encoding="utf-8").splitlines()
    assert lines.count("start = 2026-11-23") == 1
    assert lines.count("end = 2026-12-09") == 1


@pytest.mark.parametrize("day", range(14))
def test_begun_on_any_day_of_the_week_every_message_gets_a_time(tmp_path: Path, day: int) -> None:
    """Given a new working folder, shortly before Hakordia, no message is left without a slot."""
    today = date(2026, 11, 20) + timedelta(days=day)
    file = tmp_path / "hakordia.toml"
    (tmp_path / "gambar").symlink_to(FOLDER / "gambar")
    text = (FOLDER / file.name).read_text(encoding="utf-8")
    file.write_text(for_coming_year(text, today), encoding="utf-8")
    loaded, problems = load_file(file, AUDIENCE)
    assert problems == []
    assert loaded is not None
    times = [message.id for message, _at in local_slots(loaded.campaign)]
    assert len({*times}) == 12
    assert len(times) == 12 or loaded.campaign.end == date(2026, 12, 9), "no longer than need be"


def test_every_variant_for_x_fits_into_280_where_a_link_counts_23(example: Loaded) -> None:
    lengths = {message.id: len(it.text) + len("\n\n") + 23 for message, it in rendered(example, ON_X)}
    assert {one: length for one, length in lengths.items() if length > 280} == {}


@pytest.mark.parametrize("target", [*PRACTICE, ON_X], ids=lambda target: target.id)
def test_every_variant_fits_into_a_telegram_caption(example: Loaded, target: Target) -> None:
    lengths = {one.id: len(f"{it.text}\n\n{it.link}") for one, it in rendered(example, target)}
    assert {one: length for one, length in lengths.items() if length > 1024} == {}


def test_the_subdistrict_speaks_to_its_people_in_its_own_words(example: Loaded) -> None:
    office, subdistrict = (
        {message.id: it.text for message, it in rendered(example, target)} for target in PRACTICE
    )
    assert [one for one in office if office[one] != subdistrict[one]] == ["nilai-03-mandiri"]
    assert "kantor kecamatan" in subdistrict["nilai-03-mandiri"]


def test_every_picture_in_the_folder_is_named_once_and_none_is_missing(example: Loaded) -> None:
    named = [item.file for message in example.campaign.messages for item in message.media]
    there = [path.relative_to(FOLDER).as_posix() for path in (FOLDER / "gambar").iterdir()]
    assert sorted(named) == sorted(there)


@pytest.mark.parametrize("poster", posters.POSTERS, ids=lambda poster: poster.name)
def test_a_picture_is_a_small_upright_jpeg_that_decodes(poster: posters.Poster) -> None:
    file = FOLDER / "gambar" / f"{poster.name}.jpg"
    assert file.stat().st_size < 300_000
    with Image.open(file) as picture:
        picture.load()
        assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (1080, 1350))


def test_the_alt_text_says_every_word_that_is_on_the_picture(example: Loaded) -> None:
    for message, poster in zip(example.campaign.messages, posters.POSTERS, strict=True):
        [picture] = message.media
        assert picture.file == f"gambar/{poster.name}.jpg"
        parts = (poster.label.replace(" · ", " ") + ".", poster.headline.replace("*", ""), poster.below)
        words = " ".join(" ".join(part for part in parts if part).split())
        foot = posters.FOOT_TEXT.replace(" · ", ", ")
        assert picture.alt.endswith(f" Tulisan pada gambar: {words} {foot}.")


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours by WCAG 2.2."""

    def luminance(colour: str) -> float:
        parts = [part / 255 for part in ImageColor.getrgb(colour)[:3]]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("poster", posters.POSTERS, ids=lambda poster: poster.name)
def test_words_stand_out_from_the_ground_as_wcag_aa_asks(poster: posters.Poster) -> None:
    palette = poster.palette
    pairs = [
        (words, ground)
        for words in (palette.text, palette.accent)
        for ground in (palette.ground, palette.ripple)
    ]
    assert min(contrast(*pair) for pair in [*pairs, (posters.INK, posters.PAPER)]) >= 4.5


def test_the_script_draws_the_shipped_picture_again(tmp_path: Path) -> None:
    [again] = posters.make(tmp_path, posters.POSTERS[:1])
    with Image.open(again) as new, Image.open(FOLDER / "gambar" / again.name) as shipped:
        assert new.size == shipped.size
        difference = ImageStat.Stat(ImageChops.difference(new, shipped)).mean
    assert max(difference) < 0.5

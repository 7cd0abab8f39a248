"""The picture of a post as it was published: account and time, text, pictures, link, where it stands.

Drawn from the record, and it says so: it is no screenshot. Everything that is drawn is in the approved
content, so the same post gives the same picture.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from PIL import Image, ImageDraw, ImageFont, ImageOps

from scheduler.i18n import _

WIDTH = 1080
_MARGIN = 64
_INSIDE = WIDTH - 2 * _MARGIN
#: Pixels of the tallest picture; a longer one is made smaller as a whole.
_TALLEST = 1350
INK, SOFT, ACCENT, RULE = "#1d2932", "#5b6b79", "#0f6f86", "#d8e0e5"


@dataclass(frozen=True, slots=True)
class Card:
    """What is drawn."""

    name: str
    """The account."""
    about: str
    """Agency and platform."""
    when: str
    texts: Sequence[str]
    """The text, then further parts of a thread, then the first comment."""
    pictures: Sequence[bytes | None]
    """Approved pictures; None for one that is not at hand."""
    alts: Sequence[str]
    link: str
    permalink: str
    digest: str


def draw(card: Card) -> bytes:
    """Draw a card; return it as PNG."""
    blocks: list[Image.Image] = [_head(card)]
    for number, text in enumerate(card.texts):
        blocks.append(_text(text, 34, 400, INK))
        if number == 0:
            blocks += [_picture(one, alt) for one, alt in zip(card.pictures, card.alts, strict=True)]
            if card.link:
                blocks.append(_text(card.link, 28, 600, ACCENT))
    foot = [
        card.permalink,
        _("Version {digest}", digest=card.digest),
        _("Drawn from the record of the approved content; no screenshot."),
    ]
    blocks.append(_rule())
    blocks += [_text(line, 22, 400, SOFT) for line in foot if line]
    height = sum(block.height for block in blocks) + 28 * (len(blocks) - 1) + 2 * _MARGIN
    page = Image.new("RGB", (WIDTH, height), "#ffffff")
    ImageDraw.Draw(page).rectangle((0, 0, WIDTH, 14), fill=ACCENT)
    y = _MARGIN
    for block in blocks:
        page.paste(block, (_MARGIN, y))
        y += block.height + 28
    content = io.BytesIO()
    page.save(content, "PNG", compress_level=4)  # as small as at 6, in three quarters of the time
    return content.getvalue()


@cache
def _font(size: int, weight: int) -> ImageFont.FreeTypeFont:
    file = resources.files("fontpkg_plus_jakarta_sans") / "files" / "PlusJakartaSans[wght].ttf"
    font = ImageFont.truetype(io.BytesIO(file.read_bytes()), size)
    font.set_variation_by_axes([weight])
    return font


def _head(card: Card) -> Image.Image:
    block = Image.new("RGB", (_INSIDE, 120), "#ffffff")
    pen = ImageDraw.Draw(block)
    pen.ellipse((0, 4, 108, 112), fill=ACCENT)
    letter = next((one for one in card.name.upper() if one.isalnum()), "?")
    pen.text((54, 58), letter, font=_font(52, 700), fill="#ffffff", anchor="mm")
    room = _INSIDE - 136
    for y, text, size, weight, colour in (
        (2, card.name, 34, 700, INK),
        (46, card.about, 25, 400, SOFT),
        (82, card.when, 25, 400, SOFT),
    ):
        line = next(iter(_wrapped(_drawable(text), _font(size, weight), room)), "")
        pen.text((136, y), line, font=_font(size, weight), fill=colour)
    return block


def _text(text: str, size: int, weight: int, colour: str) -> Image.Image:
    font = _font(size, weight)
    lines = _wrapped(_drawable(text), font, _INSIDE)
    step = round(size * 1.42)
    block = Image.new("RGB", (_INSIDE, max(step * len(lines), 1)), "#ffffff")
    pen = ImageDraw.Draw(block)
    for number, line in enumerate(lines):
        pen.text((0, number * step), line, font=font, fill=colour)
    return block


def _picture(content: bytes | None, alt: str) -> Image.Image:
    if content is None:
        return _text(_("[picture not at hand: {alt}]", alt=alt), 28, 400, SOFT)
    with Image.open(io.BytesIO(content)) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    upright.thumbnail((_INSIDE, _TALLEST))
    return upright


def _rule() -> Image.Image:
    return Image.new("RGB", (_INSIDE, 2), RULE)


def _wrapped(text: str, font: ImageFont.FreeTypeFont, room: int) -> list[str]:
    """Lines that fit; a word that is too long for a line (an address) is broken."""
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if font.getlength(longer) <= room:
                line = longer
                continue
            if line:
                lines.append(line)
            line = word
            while font.getlength(line) > room:
                cut = next(end for end in range(len(line) - 1, 0, -1) if font.getlength(line[:end]) <= room)
                lines.append(line[:cut])
                line = line[cut:]
        lines.append(line)
    return lines


def _drawable(text: str) -> str:
    """The text with what the typeface cannot draw (emoji) named in brackets, so that nothing is lost."""
    return "".join(_named(one) for one in text)


@lru_cache(4096)
def _named(character: str) -> str:
    if character in "\n " or unicodedata.category(character) in {"Mn", "Cf", "Cc"}:
        return (
            character if character == "\n" else " " if character == "\t" else character.strip("\u200d\ufe0f")
        )
    mask = _font(34, 400).getmask(character)
    missing = _font(34, 400).getmask("\U000fffff")
    if mask.size == missing.size and bytes(mask) == bytes(missing):
        return f"[{unicodedata.name(character, f'U+{ord(character):04X}').lower()}]"
    return character

"""Draws the twelve posters of the example campaign as JPEG files, 1080 x 1350 pixels, in sRGB.

It holds a small drawing pen, one illustration per message and the layout that the series shares: the
value's name at the top left, a headline, and a light band at the foot whose right third stays empty,
for the office's logo. It refuses to know anything about campaigns, and it draws nobody's logo or
emblem. It is run by hand, when a poster changes: ``python -m campaigns.examples.hakordia.posters``.

The typeface is Plus Jakarta Sans (SIL Open Font License 1.1), read from the installed development
package ``fontpkg-plus-jakarta-sans``; neither the package nor its font is needed to use the pictures.
"""

from __future__ import annotations

import argparse
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from PIL import Image, ImageCms, ImageDraw, ImageFont

WIDTH, HEIGHT = 1080, 1350
#: Everything is drawn this many times larger and then reduced, which makes the edges smooth.
OVERSIZE = 3
MARGIN = 76
#: The light band at the foot begins here; right of x = 740 it stays empty for a logo.
FOOT_TOP = 1214

INK, PAPER = "#10213F", "#FFF8EC"
FOOT_TEXT = "9 Desember · Hari Antikorupsi Sedunia"
MEDIUM, SEMIBOLD, BOLD, EXTRABOLD = 500, 600, 700, 800

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one poster: ``accent`` marks words, ``stage`` lies behind the illustration."""

    ground: str
    ripple: str
    stage: str
    text: str
    accent: str


@dataclass(frozen=True, slots=True)
class Poster:
    """What one poster shows. In ``headline`` a word between asterisks gets the accent colour."""

    name: str
    label: str
    headline: str
    below: str
    palette: Palette
    illustration: Callable[[Pen, Palette], None]


@cache
def _font(size: int, weight: int) -> ImageFont.FreeTypeFont:
    file = resources.files("fontpkg_plus_jakarta_sans") / "files" / "PlusJakartaSans[wght].ttf"
    font = ImageFont.truetype(io.BytesIO(file.read_bytes()), size)
    font.set_variation_by_axes([weight])
    return font


class Pen:
    """Draws shapes in its own coordinates: moved to an origin, scaled, turned clockwise by ``angle``."""

    def __init__(self, image: Image.Image, origin: Point, scale: float, angle: float = 0) -> None:
        self.image, self.origin, self.scale, self.angle = image, origin, scale, angle
        self._draw = ImageDraw.Draw(image)

    def at(self, x: float, y: float, angle: float = 0, scale: float = 1) -> Pen:
        """Return a pen whose origin is this pen's (x, y)."""
        return Pen(self.image, self._point((x, y)), self.scale * scale, self.angle + angle)

    def _point(self, point: Point) -> Point:
        turn = math.radians(self.angle)
        x, y = point[0] * self.scale, point[1] * self.scale
        return (
            self.origin[0] + x * math.cos(turn) - y * math.sin(turn),
            self.origin[1] + x * math.sin(turn) + y * math.cos(turn),
        )

    def shape(self, points: Sequence[Point], fill: str) -> None:
        """Fill the polygon through ``points``."""
        self._draw.polygon([self._point(point) for point in points], fill=fill)

    def disc(self, x: float, y: float, radius: float, fill: str) -> None:
        """Fill a circle."""
        (cx, cy), r = self._point((x, y)), radius * self.scale
        self._draw.ellipse((cx - r, cy - r, cx + r, cy + r), fill=fill)

    def ring(self, x: float, y: float, radius: float, width: float, colour: str) -> None:
        """Draw a circle line whose middle has ``radius``."""
        (cx, cy), r = self._point((x, y)), (radius + width / 2) * self.scale
        self._draw.ellipse((cx - r, cy - r, cx + r, cy + r), outline=colour, width=round(width * self.scale))

    def box(self, left: float, top: float, right: float, bottom: float, fill: str, radius: float = 0) -> None:
        """Fill a rectangle with round corners."""
        corners = (
            (right, top, -1, 1, 270),
            (right, bottom, -1, -1, 0),
            (left, bottom, 1, -1, 90),
            (left, top, 1, 1, 180),
        )
        points = [
            point
            for x, y, inward, down, first in corners
            for point in curve(x + inward * radius, y + down * radius, radius, first, first + 90)
        ]
        self.shape(points, fill)

    def line(self, points: Sequence[Point], width: float, colour: str) -> None:
        """Draw a line with round ends and joints."""
        places = [self._point(point) for point in points]
        self._draw.line(places, fill=colour, width=round(width * self.scale))
        r = width * self.scale / 2
        for x, y in places:
            self._draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)

    def write(self, x: float, y: float, text: str, size: float, colour: str, weight: int = BOLD) -> None:
        """Write ``text`` centred on (x, y) by the height of its capitals, turned as the pen is."""
        font = _font(round(size * self.scale), weight)
        wide = math.ceil(font.getlength(text)) + 8
        mask = Image.new("L", (wide, wide))
        capitals = font.getbbox("H", anchor="ls")
        baseline = wide / 2 - (capitals[1] + capitals[3]) / 2
        ImageDraw.Draw(mask).text((wide / 2, baseline), text, fill=255, font=font, anchor="ms")
        mask = mask.rotate(-self.angle, Image.Resampling.BICUBIC, expand=True)
        cx, cy = self._point((x, y))
        place = (round(cx - mask.width / 2), round(cy - mask.height / 2))
        self.image.paste(colour, place, mask)

    def within(self, radius: float, paint: Callable[[Pen], None]) -> None:
        """Let ``paint`` draw, and keep what lies within ``radius`` of the origin."""
        layer = self.image.copy()
        paint(Pen(layer, self.origin, self.scale, self.angle))
        mask = Image.new("L", self.image.size)
        Pen(mask, self.origin, self.scale).disc(0, 0, radius, "#FFFFFF")
        self.image.paste(layer, (0, 0), mask)


def curve(x: float, y: float, radius: float, first: float, last: float) -> list[Point]:
    """Return points on a circle from angle ``first`` to ``last``, in degrees clockwise from the right."""
    steps = max(2, int(abs(last - first) / 3))
    angles = [math.radians(first + (last - first) * step / steps) for step in range(steps + 1)]
    return [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]


def tick(pen: Pen, x: float, y: float, size: float, colour: str) -> None:
    """Draw a tick mark, ``size`` wide."""
    points = [(x - size / 2, y), (x - size / 8, y + size * 0.36), (x + size / 2, y - size * 0.36)]
    pen.line(points, size * 0.2, colour)


def coin(pen: Pen, radius: float, face: str, rim: str) -> None:
    """Draw a coin that says Rp."""
    pen.disc(0, 0, radius, rim)
    pen.disc(0, 0, radius * 0.86, face)
    pen.ring(0, 0, radius * 0.68, radius * 0.045, rim)
    pen.write(0, 0, "Rp", radius * 0.66, rim, EXTRABOLD)


def receipt_and_change(pen: Pen, palette: Palette) -> None:
    """A receipt with a tick, and a coin that goes back."""
    paper = pen.at(-62, -6, -7)
    teeth = [(130 - step * 26.0, 196.0 if step % 2 else 176.0) for step in range(11)]
    paper.shape([(-130, -214), (130, -214), *teeth], PAPER)
    paper.box(-64, -172, 92, -150, INK, 11)
    for row, length in enumerate((90, 64, 104)):
        y = -104 + row * 46
        paper.box(-92, y, -92 + length, y + 16, "#C9D3D6", 8)
        paper.box(52, y, 92, y + 16, "#C9D3D6", 8)
    paper.box(-92, 44, 92, 50, "#C9D3D6")
    paper.box(-92, 80, -22, 102, INK, 11)
    money = pen.at(108, 96, 8)
    money.disc(0, 0, 112, palette.stage)
    coin(money, 100, "#FFE29A", "#A4541A")
    arrow = curve(108, 96, 138, -22, -98)
    pen.line(arrow, 17, palette.ground)
    tip, level = arrow[-1]
    pen.line([(tip + 30, level - 38), (tip - 6, level), (tip + 36, level + 28)], 17, palette.ground)
    pen.disc(-188, -168, 58, palette.ground)
    tick(pen, -188, -166, 54, palette.stage)


def _bubble(pen: Pen, wide: float, high: float, fill: str, tail: int) -> None:
    radius = min(wide, high) * 0.36
    pen.box(-wide / 2, -high / 2, wide / 2, high / 2, fill, radius)
    x = tail * (wide / 2 - radius - 22)
    pen.shape([(x - 32, high / 2 - 8), (x + 32, high / 2 - 8), (x + tail * 44, high / 2 + 50)], fill)


def one_voice(pen: Pen, palette: Palette) -> None:
    """Two silent speech bubbles and a large one that speaks up."""
    for x, y, wide, high in ((-176, -140, 216, 136), (-192, 92, 190, 124)):
        silent = pen.at(x, y)
        _bubble(silent, wide, high, "#FFB9A3", -1)
        for dot in (-1, 0, 1):
            silent.disc(dot * 44, 0, 13, "#A83C25")
    voice = pen.at(72, -2, 4)
    _bubble(voice, 286, 274, PAPER, 1)
    voice.shape([(-26, -84), (26, -84), (14, 34), (-14, 34)], palette.text)
    voice.disc(0, -84, 26, palette.text)
    voice.disc(0, 34, 14, palette.text)
    voice.disc(0, 88, 25, palette.accent)


def own_errand(pen: Pen, palette: Palette) -> None:
    """A woman in a headscarf who carries her own folder, and her queue ticket."""
    skin, scarf, sleeve, blouse = "#E8B28C", "#F4A93A", "#3342A6", "#4353C4"

    def woman(pen: Pen) -> None:
        pen.shape(
            [*curve(-96, 136, 92, 180, 270), *curve(96, 136, 92, 270, 360), (188, 420), (-188, 420)], blouse
        )
        pen.shape([(-112, -88), (112, -88), (128, 60), (70, 150), (0, 176), (-70, 150), (-128, 60)], scarf)
        pen.disc(0, -88, 112, scarf)
        pen.line(curve(0, -60, 118, 38, 142), 8, "#DB8F22")
        pen.disc(0, -72, 78, skin)
        for side in (-1, 1):
            pen.disc(side * 29, -82, 8, INK)
        pen.line(curve(0, -68, 31, 150, 30), 8, INK)
        folder = pen.at(0, 178, -4)
        folder.box(-128, -92, -10, -20, "#D9452D", 14)
        folder.box(-108, -80, 108, 20, PAPER, 8)
        folder.box(-80, -60, 36, -47, "#B9C3D8", 6)
        folder.box(-128, -32, 128, 200, "#FF7357", 16)
        folder.box(-54, 8, 54, 26, "#D9452D", 9)
        for side in (-1, 1):
            pen.line([(side * 164, 150), (side * 186, 250), (side * 120, 268)], 62, sleeve)
            folder.line([(side * 118, 44), (side * 150, 56)], 44, skin)
            folder.line([(side * 116, 36), (side * 84, 30)], 22, skin)

    pen.within(262, woman)
    ticket = pen.at(212, -142, 9)
    ticket.box(-78, -94, 78, 94, palette.ground, 24)
    ticket.box(-66, -82, 66, 82, PAPER, 16)
    ticket.box(-38, -56, 38, -44, "#B9C3D8", 6)
    ticket.write(0, 4, "12", 74, INK, EXTRABOLD)
    ticket.box(-28, 50, 28, 60, "#B9C3D8", 5)


def eight_o_clock(pen: Pen, palette: Palette) -> None:
    """A clock at eight with an open sign that hangs from it."""
    clock = pen.at(0, -44)
    clock.disc(0, 0, 216, palette.text)
    clock.disc(0, 0, 186, PAPER)
    for hour in range(12):
        mark = clock.at(0, 0, hour * 30)
        long = hour % 3 == 0
        mark.line([(0, -160), (0, -132 if long else -148)], 12 if long else 8, palette.text)
    clock.shape([(0, 0), *curve(0, 0, 112, 150, 270)], "#FFE3A1")
    clock.at(0, 0, 240).line([(0, 0), (0, -92)], 22, palette.text)
    clock.line([(0, 0), (0, -112)], 16, palette.text)
    clock.disc(0, 0, 24, palette.accent)
    sign = pen.at(0, 198, -3)
    sign.box(-156, -42, 156, 60, PAPER, 28)
    sign.box(-144, -30, 144, 48, palette.accent, 20)
    sign.write(0, 9, "BUKA", 50, PAPER, EXTRABOLD)


def every_rupiah(pen: Pen, palette: Palette) -> None:
    """A ledger whose entries are ticked, and a magnifying glass over a coin."""
    ledger = pen.at(-52, -8, -5)
    ledger.box(-166, -226, 166, 226, palette.ground, 26)
    ledger.box(-166, -226, 166, -146, "#2C7A4B", 26)
    ledger.box(-166, -180, 166, -146, "#2C7A4B")
    ledger.box(-154, -150, 154, 214, PAPER, 16)
    ledger.box(-128, -196, 10, -176, PAPER, 10)
    for row, length in enumerate((120, 84, 136, 100)):
        y = -98 + row * 78
        ledger.disc(-106, y, 21, "#2C7A4B")
        tick(ledger, -106, y, 21, PAPER)
        ledger.box(-64, y - 9, -64 + length, y + 9, "#C6D2C4", 9)
    glass = pen.at(118, 56)
    handle = glass.at(0, 0, -45)
    handle.line([(0, 120), (0, 224)], 54, palette.ground)
    handle.line([(0, 110), (0, 222)], 34, "#F2A93B")
    glass.disc(0, 0, 140, palette.ground)
    glass.disc(0, 0, 128, "#F2A93B")
    glass.disc(0, 0, 106, "#EAF6EE")
    coin(glass, 82, "#FFD874", "#9A5210")
    glass.line(curve(0, 0, 94, 195, 240), 7, "#FFFFFF")


def out_at_sea(pen: Pen, _palette: Palette) -> None:
    """A fisher in a small sailing boat at sunrise."""

    def waves(pen: Pen, level: float, shift: float, fill: str) -> None:
        crest = [(x, level + 9 * math.sin((x + shift) / 33)) for x in range(-280, 281, 4)]
        pen.shape([*crest, (280, 300), (-280, 300)], fill)

    def scene(pen: Pen) -> None:
        pen.disc(0, 0, 270, "#FFB25E")
        pen.disc(58, 30, 168, "#FFC978")
        pen.disc(58, 30, 116, "#FFF0C9")
        waves(pen, 62, 0, "#2C7FA6")
        boat = pen.at(-34, 30, -3)
        boat.line([(10, 66), (10, -206)], 11, "#5B2B1C")
        boat.shape([(26, -196), (26, 20), (176, 20)], "#D9442B")
        boat.shape([(26, -120), (26, -50), (127, -50), (79, -120)], PAPER)
        boat.shape([(-6, -150), (-6, 20), (-66, 20)], PAPER)
        boat.box(-148, 8, -92, 90, "#17456B", 26)
        boat.disc(-120, -20, 26, "#B97848")
        boat.shape([(-120, -78), (-66, -24), (-174, -24)], "#F3D48B")
        boat.line([(-104, 30), (-48, 44)], 17, "#B97848")
        boat.shape([(-214, 26), (-168, 52), (170, 52), (226, 14), (176, 118), (-150, 118)], "#5B2B1C")
        boat.shape([(-186, 62), (190, 62), (184, 78), (-178, 78)], "#F3A93B")
        waves(pen, 122, 60, "#1D6389")
        waves(pen, 176, 20, "#134B70")
        waves(pen, 226, 90, "#0F3A5B")

    pen.within(262, scene)
    for x, y in ((-190, -178), (-122, -214)):
        for side in (-1, 1):
            pen.line(curve(x + side * 21, y, 22, 270 - side * 60, 270 + side * 28), 8, "#0F2B4C")


def bicycle(pen: Pen, palette: Palette) -> None:
    """A plain bicycle with a basket."""
    rear, front, crank = (-172.0, 92.0), (176.0, 92.0), (-18.0, 92.0)
    seat, head = (-70.0, -68.0), (120.0, -74.0)
    tube = "#0F5B63"
    for x, y in (rear, front):
        pen.disc(x, y, 126, palette.ground)
        pen.disc(x, y, 110, "#FFE9C7")
        for spoke in range(6):
            wheel = pen.at(x, y, spoke * 30 + 15)
            wheel.line([(-106, 0), (106, 0)], 3, "#D79A63")
        pen.ring(x, y, 114, 7, PAPER)
        pen.disc(x, y, 17, palette.ground)
    pen.line([rear, crank, seat, rear], 17, tube)
    pen.line([crank, head], 17, tube)
    pen.line([seat, (-84, -118)], 15, tube)
    pen.line([(-60, -38), (131, -44)], 17, tube)
    pen.line([front, (106, -122), (98, -146), (52, -156)], 17, tube)
    pen.line([(52, -156), (34, -154)], 24, INK)
    pen.line([(-130, -128), (-86, -124), (-46, -126)], 28, INK)
    pen.line([crank, (-50, 142)], 12, INK)
    pen.line([(-74, 144), (-28, 144)], 16, INK)
    pen.disc(*crank, 32, INK)
    pen.disc(*crank, 15, "#FFD9A8")
    pen.line([front, (206, -50)], 8, INK)
    pen.line([(110, -104), (150, -104)], 12, tube)
    pen.shape([(124, -138), (250, -138), (232, -46), (146, -46)], "#8A4B22")
    for row in (-110, -80):
        pen.line([(138, row), (240, row)], 6, "#D79A63")
    for x, y, r, leaf in ((158, -152, 26, "#2E7D4F"), (196, -168, 34, "#3C9A60"), (228, -150, 22, "#2E7D4F")):
        pen.disc(x, y, r, leaf)
    pen.box(118, -148, 256, -128, "#A55F30", 10)


def refusal(pen: Pen, palette: Palette) -> None:
    """An open hand that turns an envelope away."""
    skin, fold, edge = "#F0B98D", "#CF8A5C", "#D8A544"
    letter = pen.at(-132, 40, -13)
    letter.box(-160, -106, 160, 106, "#FFE3A1", 16)
    letter.line([(-150, 94), (-34, 0)], 6, edge)
    letter.line([(150, 94), (34, 0)], 6, edge)
    letter.shape([(-160, -96), (160, -96), (0, 40)], "#F2C35B")
    letter.line([(-154, -96), (0, 38), (154, -96)], 7, edge)

    def hand(pen: Pen) -> None:
        hand = pen.at(92, 30, 6)
        fingers = ((-66, -128), (-22, -172), (24, -164), (70, -116))
        for thick, grow, colour in ((66, 12, palette.stage), (46, 0, skin)):
            for x, top in fingers:
                hand.line([(x, top), (x * 0.94, 20)], thick, colour)
            hand.line([(-66, 96), (-132, 10)], thick + 4, colour)
            hand.box(-89 - grow, -36 - grow, 89 + grow, 136 + grow, colour, 60)
            hand.box(-58 - grow, 90, 60 + grow, 260, colour)
        hand.line(curve(-70, 92, 66, 296, 352), 7, fold)
        for x, top in ((-43, -118), (1, -150), (45, -108)):
            hand.line([(x, top), (x * 0.96, -24)], 5, fold)
        hand.box(-86, 164, 88, 400, PAPER, 16)
        hand.box(-104, 194, 106, 420, palette.text, 20)

    pen.within(262, hand)


def _ticket(pen: Pen, number: str, paper: str, ink: str, edge: str) -> None:
    pen.box(-116, -166, 116, 166, edge, 30)
    pen.box(-104, -154, 104, 154, paper, 22)
    pen.write(0, -18, number, 196, ink, EXTRABOLD)
    pen.box(-44, -122, 44, -108, ink, 7)
    for x in range(-78, 79, 26):
        pen.disc(x, 96, 5, ink)
    for side in (-1, 1):
        pen.disc(side * 110, 96, 18, edge)


def queue_tickets(pen: Pen, palette: Palette) -> None:
    """The queue tickets 6, 7 and 8 in order; number 6 has been served."""
    _ticket(pen.at(-208, -22, -10, 0.86), "6", "#C9D6EC", "#4A618C", palette.ground)
    _ticket(pen.at(208, -22, 10, 0.86), "8", "#C9D6EC", "#4A618C", palette.ground)
    _ticket(pen.at(0, 16, 0, 1.22), "7", PAPER, palette.ground, palette.stage)
    done = pen.at(-262, -166)
    done.disc(0, 0, 50, palette.ground)
    done.disc(0, 0, 40, "#3DAA7A")
    tick(done, 0, 2, 38, PAPER)


def parcel(pen: Pen, palette: Palette) -> None:
    """A wrapped gift and a calendar leaf that says 30 working days."""
    gift = pen.at(-74, 60)
    gift.box(-152, -62, 152, 186, "#E8573F", 18)
    gift.box(-152, -62, 152, -14, "#C7412B")
    gift.box(-172, -106, 172, -34, "#FF7357", 18)
    gift.box(-30, -106, 30, 186, "#FFD874")
    gift.box(-30, -34, 30, -14, "#E5B64A")
    for side in (-1, 1):
        bow = gift.at(0, -112, side * 24)
        bow.shape([(0, 0), (side * 44, -84), (side * 128, -72), (side * 122, 0)], "#FFD874")
        bow.disc(side * 112, -36, 39, "#FFD874")
        bow.disc(side * 88, -36, 20, "#E5B64A")
    gift.box(-36, -146, 36, -94, "#F2BE4B", 18)
    leaf = pen.at(164, -66, 8)
    leaf.box(-124, -124, 124, 128, palette.stage, 32)
    leaf.box(-112, -112, 112, 116, PAPER, 24)
    leaf.box(-112, -112, 112, -56, palette.text, 24)
    leaf.box(-112, -80, 112, -56, palette.text)
    for side in (-1, 1):
        leaf.line([(side * 56, -134), (side * 56, -92)], 17, "#FFD874")
    leaf.write(0, 12, "30", 112, palette.text, EXTRABOLD)
    leaf.write(0, 84, "hari kerja", 34, palette.text, BOLD)


def report_form(pen: Pen, palette: Palette) -> None:
    """A phone with a filled-in report form, and a paper plane on its way."""
    phone = pen.at(-50, 6, -6)
    phone.box(-140, -254, 140, 254, palette.ground, 46)
    phone.box(-120, -232, 120, 232, PAPER, 30)
    phone.box(-36, -218, 36, -204, palette.ground, 7)
    phone.box(-90, -172, 26, -152, palette.ground, 10)
    for row, length in enumerate((104, 70, 120)):
        y = -124 + row * 76
        phone.box(-94, y, 94, y + 58, "#F3DCE4", 16)
        phone.disc(-66, y + 29, 15, "#C2396B")
        tick(phone, -66, y + 29, 15, PAPER)
        phone.box(-40, y + 22, -40 + length, y + 36, "#C79BAF", 7)
    phone.box(-94, 122, 94, 186, "#C2396B", 32)
    phone.line([(-26, 154), (24, 154)], 10, PAPER)
    phone.line([(6, 136), (26, 154), (6, 172)], 10, PAPER)
    for x, y, r in ((62, 66, 7), (94, 36, 8), (122, 2, 9)):
        pen.disc(x + 40, y, r, palette.ground)
    plane = pen.at(208, -132, -6)
    plane.shape([(108, -96), (-122, -8), (-44, 30)], PAPER)
    plane.shape([(108, -96), (-44, 30), (-34, 96)], "#E8B7C8")
    plane.shape([(108, -96), (-14, 44), (54, 86)], PAPER)


def whole_year(pen: Pen, palette: Palette) -> None:
    """A large 9 in a ring of twelve months, of which December shines."""
    pen.disc(0, 0, 262, palette.stage)
    for month in range(12):
        first = -90 + month * 30 + 3.2
        outer, inner = curve(0, 0, 238, first, first + 23.6), curve(0, 0, 192, first + 23.2, first + 0.4)
        last = month == 11
        pen.shape([*outer, *inner], "#F2A51E" if last else "#F3D3C4")
    pen.disc(0, 0, 168, palette.ground)
    pen.write(0, -28, "9", 236, PAPER, EXTRABOLD)
    pen.write(0, 106, "Desember", 42, PAPER, BOLD)


def _palettes() -> tuple[Palette, ...]:
    return (
        Palette("#0A4F54", "#0D585E", "#F6B93B", PAPER, "#FFC857"),
        Palette("#FFE3D8", "#FFD9CB", "#E4572E", "#3B1220", "#AF3015"),
        Palette("#27307A", "#2D3785", "#7FD1DE", PAPER, "#8FE3EE"),
        Palette("#FFCB52", "#FFC33D", "#FFE3A1", "#2A1E3F", "#8C240F"),
        Palette("#14482F", "#185236", "#BFE0A6", PAPER, "#F9D65C"),
        Palette("#DCEFF6", "#CFE8F2", "#FFB25E", "#0F2B4C", "#B03412"),
        Palette("#86301D", "#903723", "#FFD9A8", PAPER, "#FFCB73"),
        Palette("#E9E3F9", "#E0D8F5", "#5B3CC4", "#23124F", "#5B2FC9"),
        Palette("#11264D", "#162D58", "#F5825F", PAPER, "#FFB199"),
        Palette("#D8F2E4", "#CBECDB", "#12896A", "#073B30", "#0A674E"),
        Palette("#541640", "#5E1C49", "#FF8FA8", PAPER, "#FFB3C4"),
        Palette("#A8141F", "#B11B26", PAPER, PAPER, "#FFD36B"),
    )


#: name, label, headline, line below, illustration; in the order of the campaign file.
_WORDS: tuple[tuple[str, str, str, str, Callable[[Pen, Palette], None]], ...] = (
    (
        "01-jujur",
        "Nilai · Jujur",
        "Kembalian lebih,\nkita *kembalikan.*",
        "Jujur membuat tidur lebih tenang.",
        receipt_and_change,
    ),
    (
        "02-peduli",
        "Nilai · Peduli",
        "Pungli tumbuh subur\nsaat semua *diam.*",
        "Jangan cuma geleng kepala. Laporkan.",
        one_voice,
    ),
    (
        "03-mandiri",
        "Nilai · Mandiri",
        "Urus berkas sendiri,\n*tanpa calo.*",
        "Biaya lebih hemat, celah pungli ikut tertutup.",
        own_errand,
    ),
    (
        "04-disiplin",
        "Nilai · Disiplin",
        "Janji pukul 08.00,\nbuka *pukul 08.00.*",
        "Disiplin itu cara menghormati publik.",
        eight_o_clock,
    ),
    (
        "05-tanggung-jawab",
        "Nilai · Tanggung jawab",
        "Setiap rupiah harus\npunya *penjelasan.*",
        "Pemiliknya: warga yang membayar pajak.",
        every_rupiah,
    ),
    (
        "06-kerja-keras",
        "Nilai · Kerja keras",
        "Laut tidak bisa\n*disuap.*",
        "Hasil kerja keras tidak perlu disembunyikan.",
        out_at_sea,
    ),
    (
        "07-sederhana",
        "Nilai · Sederhana",
        "Merasa cukup itu\n*menenangkan.*",
        "Tidak ada yang perlu ditutupi.",
        bicycle,
    ),
    (
        "08-berani",
        "Nilai · Berani",
        "“Maaf, saya tidak bisa\n*menerima ini.”*",
        "Berani, meski suara sedikit gemetar.",
        refusal,
    ),
    (
        "09-adil",
        "Nilai · Adil",
        "Nomor 7 setelah nomor 6,\n*siapa pun orangnya.*",
        "Adil dimulai dari urutan yang dihormati.",
        queue_tickets,
    ),
    (
        "10-gratifikasi",
        "Aksi · Tolak gratifikasi",
        "Telanjur menerima\nbingkisan? *Laporkan.*",
        "Jika terkait jabatan, lewat UPG atau GOL KPK,\npaling lambat 30 hari kerja sejak diterima.",
        parcel,
    ),
    (
        "11-lapor",
        "Aksi · Lapor",
        "Layanan gratis,\nkok *dimintai uang?*",
        "Catat waktu, tempat, dan bukti, lalu laporkan.",
        report_form,
    ),
    (
        "12-hakordia",
        "Momen · Hakordia",
        "Peringatannya sehari,\npekerjaannya\n*sepanjang tahun.*",
        "",
        whole_year,
    ),
)

POSTERS = tuple(
    Poster(name, label, headline, below, palette, illustration)
    for (name, label, headline, below, illustration), palette in zip(_WORDS, _palettes(), strict=True)
)


def _fitting(lines: Sequence[str], weight: int, largest: int) -> int:
    """Return the largest size, up to ``largest``, at which every line fits between the margins."""
    widest = max((_font(1000, weight).getlength(line.replace("*", "")) for line in lines), default=1)
    return min(largest, int((WIDTH - 2 * MARGIN) * 1000 / widest))


def _words(image: Image.Image, poster: Poster) -> int:
    """Write the headline and the line below it, standing on the foot; return where they begin (pixels)."""
    draw = ImageDraw.Draw(image)
    lines, below = poster.headline.split("\n"), poster.below.split("\n") if poster.below else []
    size, small = _fitting(lines, EXTRABOLD, 104), _fitting(below, MEDIUM, 41)
    leading = round(size * 1.14)
    baseline = FOOT_TOP - 66
    for line in reversed(below):
        font = _font(small * OVERSIZE, MEDIUM)
        place = (MARGIN * OVERSIZE, baseline * OVERSIZE)
        draw.text(place, line, fill=poster.palette.text, font=font, anchor="ls")
        baseline -= 54
    baseline -= 22 if below else 0
    font = _font(size * OVERSIZE, EXTRABOLD)
    for line in reversed(lines):
        # Letters start a little right of their box; without this the large lines look indented.
        x = (MARGIN - size * 0.05) * OVERSIZE
        for number, part in enumerate(line.split("*")):
            colour = poster.palette.accent if number % 2 else poster.palette.text
            draw.text((x, baseline * OVERSIZE), part, fill=colour, font=font, anchor="ls")
            x += font.getlength(part)
        baseline -= leading
    return baseline + leading - round(size * 0.74)


def _frame(image: Image.Image, poster: Poster) -> None:
    """Draw what every poster has: the value's name at the top, the light band at the foot."""
    palette, pen = poster.palette, Pen(image, (0, 0), OVERSIZE)
    font = _font(36 * OVERSIZE, BOLD)
    wide = font.getlength(poster.label) / OVERSIZE
    pen.box(MARGIN, 64, MARGIN + wide + 64, 132, palette.text, 34)
    draw = ImageDraw.Draw(image)
    place = ((MARGIN + 32) * OVERSIZE, 98 * OVERSIZE)
    draw.text(place, poster.label, fill=palette.ground, font=font, anchor="lm")
    pen.box(0, FOOT_TOP, WIDTH, HEIGHT, PAPER)
    foot = (MARGIN * OVERSIZE, (FOOT_TOP + HEIGHT) // 2 * OVERSIZE)
    draw.text(foot, FOOT_TEXT, fill=INK, font=_font(36 * OVERSIZE, SEMIBOLD), anchor="lm")


def draw_poster(poster: Poster) -> Image.Image:
    """Draw one poster and return it, 1080 x 1350 pixels, RGB."""
    palette = poster.palette
    image = Image.new("RGB", (WIDTH * OVERSIZE, HEIGHT * OVERSIZE), palette.ground)
    # The words are written twice: first to learn where they begin, then over the ripples.
    top, bottom = 158, _words(image, poster) - 44
    middle, scale = (top + bottom) / 2, (bottom - top) / 560
    pen = Pen(image, (WIDTH / 2 * OVERSIZE, middle * OVERSIZE), scale * OVERSIZE)
    for ring in range(12, 0, -1):
        pen.disc(0, 0, 262 + ring * 84, palette.ripple if ring % 2 else palette.ground)
    pen.disc(0, 0, 262, palette.stage)
    poster.illustration(pen, palette)
    _words(image, poster)
    _frame(image, poster)
    return image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def _srgb() -> bytes:
    """Return the sRGB profile without the moment of its making, so that the same poster is the same file."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes(12)
    return bytes(profile)


def make(folder: Path, posters: Sequence[Poster] = POSTERS) -> list[Path]:
    """Draw ``posters`` into ``folder``, which is made if need be; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{poster.name}.jpg" for poster in posters]
    for poster, file in zip(posters, files, strict=True):
        picture = draw_poster(poster)
        picture.save(file, "JPEG", quality=88, subsampling=0, optimize=True, icc_profile=_srgb())
    return files


def main() -> None:
    """Draw all posters into the folder given on the command line, by default beside this script."""
    parser = argparse.ArgumentParser(description="Draw the posters of the example campaign.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent / "gambar")
    make(parser.parse_args().folder)


if __name__ == "__main__":
    main()

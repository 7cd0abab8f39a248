"""Pictures as a platform wants them: what is wrong with a file, offline, and a copy that is within bounds.

A copy is only scaled, turned upright and re-encoded as sRGB JPEG; nothing is cropped, and nothing is added
unless a person asked for borders. The same file and bounds give the same bytes, named by their hash. This
module knows Pillow and no platform.
"""

from __future__ import annotations

import hashlib
import io
import math
import struct
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from adapters.contract import N_, Media, Problem
from adapters.errors import Rejected
from adapters.material import content

JPEG = "image/jpeg"
_ORIENTATION, _GPS = 0x0112, 0x8825
_QUALITIES = (92, 85, 75, 60)
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error)
_HEAD = 64
#: The codes of :func:`objections`.
CODES = frozenset(
    {
        *("animated", "aspect-ratio", "enlarged", "media-damaged", "media-too-big", "media-type"),
        *("padded", "pixels"),
    }
)
#: Major brands of the ISO container that QuickTime uses for itself.
_QUICKTIME = b"qt  "


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a platform takes; 0 means no bound. ``ratio`` is width divided by height."""

    types: tuple[str, ...] = (JPEG,)
    max_bytes: int = 0
    min_width: int = 0
    max_width: int = 0
    max_height: int = 0
    max_pixels: int = 0
    min_ratio: float = 0.0
    max_ratio: float = 0.0
    fit: Literal["refuse", "pad"] = "refuse"
    """What happens to a picture outside of the ratios: refused, or given white borders (asked for)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file turned out to be; width and height are those of the upright picture, 0 for videos."""

    mime: str
    size: int
    width: int = 0
    height: int = 0
    animated: bool = False
    plain: bool = True
    """Upright, in sRGB without alpha, and without the place where it was taken."""

    @property
    def ratio(self) -> float:
        return self.width / self.height if self.height else 0.0


def content_type(head: bytes) -> str:
    """Given the first bytes of a file, return its content type, empty if it is none that platforms take."""
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in (b"heic", b"heix", b"mif1", b"avif"):
            return "image/avif" if brand == b"avif" else "image/heic"
        return "video/quicktime" if brand == _QUICKTIME else "video/mp4"
    if head[4:8] in (b"moov", b"mdat", b"wide"):  # QuickTime of before the brands
        return "video/quicktime"
    return "video/webm" if head.startswith(b"\x1a\x45\xdf\xa3") and b"webm" in head else ""


def facts(path: Path) -> Facts:
    """Read what the file is, from its content; raise Rejected if it cannot be read or is damaged."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            mime = content_type(file.read(_HEAD))
    except OSError as error:
        raise Rejected(N_("The file of a picture cannot be read."), code=path.name) from error
    if not mime.startswith("image/") or mime == "image/heic":  # which Pillow cannot read
        return Facts(mime, size)
    with _quiet(), _opened(path) as picture:
        width, height = picture.size
        if _turn(picture) >= 5:  # lies on its side
            width, height = height, width
        animated = bool(getattr(picture, "is_animated", False)) and picture.format != "MPO"
        return Facts(mime, size, width, height, animated, _is_plain(picture))


def objections(item: Media, bounds: Bounds, *, mended: bool = False) -> list[Problem]:
    """Given a picture, return why a platform with ``bounds`` would refuse it; offline.

    With ``mended``, only what :func:`prepared` cannot put right, and warnings of what it will do. A file
    that is not there is not objected to: whoever keeps the files says so.
    """
    if not item.path.exists():
        return []
    name = item.path.name
    try:
        found = facts(item.path)
    except Rejected:
        return [Problem("media-damaged", N_("The picture {file} is damaged."), {"file": name})]
    if not found.mime.startswith("image/") or not found.width:
        return [_wrong_type(name, found.mime or item.mime, bounds)]
    if found.animated and "image/gif" not in bounds.types:
        return [
            Problem("animated", N_("{file} moves; this platform takes only still pictures."), {"file": name})
        ]
    problems = _ratio_problems(name, found, bounds, mended=mended)
    return problems + (_mended_problems if mended else _size_problems)(name, found, bounds)


def prepared(item: Media, bounds: Bounds, folder: Path) -> Media:
    """Return ``item`` as it is if it is within ``bounds``, else a copy in ``folder`` that is.

    Raise Rejected with the reason if scaling and re-encoding cannot bring it there, or if the file is not
    the approved one any more.
    """
    raw = content(item)
    found = facts(item.path)
    if errors := [p for p in objections(item, bounds, mended=True) if p.severity == "error"]:
        raise Rejected(errors[0].message.format(**errors[0].values), code=errors[0].code)
    if found.plain and not _ratio_problems("", found, bounds) and not _size_problems("", found, bounds):
        return replace(item, mime=found.mime, width=found.width, height=found.height)
    made, width, height = _made(raw, bounds)
    digest = hashlib.sha256(made).hexdigest()
    path = folder / f"{digest}.jpg"
    path.write_bytes(made)
    return replace(item, path=path, sha256=digest, mime=JPEG, width=width, height=height)


def _wrong_type(name: str, mime: str, bounds: Bounds) -> Problem:
    return Problem(
        "media-type",
        N_("{file} is {mime}; this platform takes: {known}."),
        {"file": name, "mime": mime or "?", "known": ", ".join(bounds.types)},
    )


def _ratio_problems(name: str, found: Facts, bounds: Bounds, *, mended: bool = False) -> list[Problem]:
    low = bounds.min_ratio and found.ratio < bounds.min_ratio * 0.999
    high = bounds.max_ratio and found.ratio > bounds.max_ratio * 1.001
    if not low and not high:
        return []
    values = {
        "file": name,
        "ratio": f"{found.ratio:.2f}",
        "low": f"{bounds.min_ratio:.2f}",
        "high": f"{bounds.max_ratio:.2f}",
    }
    if mended and bounds.fit == "pad":
        return [Problem("padded", N_("{file} will get white borders, as asked for."), values, "warning")]
    return [
        Problem(
            "aspect-ratio",
            N_(
                "{file} is {ratio} times as wide as high; this platform takes {low} to {high}."
                " Crop it, or give it borders."
            ),
            values,
        )
    ]


def _size_problems(name: str, found: Facts, bounds: Bounds) -> list[Problem]:
    """Type, bytes and pixels of a file that is sent as it is."""
    problems = [] if found.mime in bounds.types else [_wrong_type(name, found.mime, bounds)]
    if bounds.max_bytes and found.size > bounds.max_bytes:
        values = {"file": name, "size": _megabytes(found.size), "limit": _megabytes(bounds.max_bytes)}
        problems.append(
            Problem(
                "media-too-big", N_("{file} has {size} MB; this platform takes at most {limit} MB."), values
            )
        )
    limits = (bounds.max_width, bounds.max_height)
    too_big = any(
        limit and side > limit for limit, side in zip(limits, (found.width, found.height), strict=True)
    )
    too_many = bounds.max_pixels and found.width * found.height > bounds.max_pixels
    if too_big or too_many or found.width < bounds.min_width:
        problems.append(
            Problem(
                "pixels",
                N_("{file} has {width} x {height} pixels; that is outside of what this platform takes."),
                {"file": name, "width": found.width, "height": found.height},
            )
        )
    return problems


def _mended_problems(name: str, found: Facts, bounds: Bounds) -> list[Problem]:
    """What a copy within bounds will look like, where that may disappoint."""
    if JPEG not in bounds.types:
        return _size_problems(name, found, bounds)
    if found.width >= bounds.min_width:
        return []
    values = {"file": name, "width": found.width, "wanted": bounds.min_width}
    return [
        Problem(
            "enlarged",
            N_("{file} is only {width} pixels wide; it is enlarged to {wanted} and may look blurred."),
            values,
            "warning",
        )
    ]


def _made(raw: bytes, bounds: Bounds) -> tuple[bytes, int, int]:
    """Return the JPEG within ``bounds``, with its width and height."""
    from PIL import Image, ImageOps

    with _quiet(), _opened(io.BytesIO(raw)) as picture:
        try:
            upright = ImageOps.exif_transpose(picture) if _turn(picture) > 1 else picture
            plain = _bordered(_srgb(upright), bounds)
        except (*_DAMAGE, Image.DecompressionBombError) as error:
            raise Rejected(N_("The picture is damaged."), code="media-damaged") from error
    size = _scaled(plain.size, bounds)
    while True:
        scaled = plain if size == plain.size else plain.resize(size, Image.Resampling.LANCZOS)
        for quality in _QUALITIES:
            buffer = io.BytesIO()
            scaled.save(buffer, "JPEG", quality=quality, subsampling=0 if quality > 90 else 2, optimize=True)
            if not bounds.max_bytes or buffer.tell() <= bounds.max_bytes:
                return buffer.getvalue(), *size
        size = (size[0] * 3 // 4, size[1] * 3 // 4)
        if size[0] < max(bounds.min_width, 1) or not size[1]:
            raise Rejected(N_("The picture cannot be made small enough for this platform."), code="pixels")


def _srgb(picture: Any) -> Any:
    """Given an upright picture of any mode, return it in sRGB, what is transparent in it on white."""
    from PIL import Image, ImageCms

    profile = picture.info.get("icc_profile")
    if picture.mode.startswith("I"):  # 16 bit grey: Pillow's own conversion would cut, not scale
        picture = picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture).convert("RGB")
    if picture.mode not in ("RGB", "L", "CMYK"):
        picture = picture.convert("RGB")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            picture = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a broken profile, or one for another mode: the colours are taken as they are
    clean = picture.convert("RGB")
    clean.info.clear()  # no EXIF, no comment, no profile goes along
    return clean


def _bordered(picture: Any, bounds: Bounds) -> Any:
    from PIL import Image

    width, height = picture.size
    if bounds.fit != "pad":
        return picture
    if bounds.min_ratio and width < height * bounds.min_ratio:
        width = math.ceil(height * bounds.min_ratio)
    elif bounds.max_ratio and width > height * bounds.max_ratio:
        height = math.ceil(width / bounds.max_ratio)
    if (width, height) == picture.size:
        return picture
    canvas = Image.new("RGB", (width, height), "white")
    canvas.paste(picture, ((width - picture.width) // 2, (height - picture.height) // 2))
    return canvas


def _scaled(size: tuple[int, int], bounds: Bounds) -> tuple[int, int]:
    width, height = size
    factor = min(
        bounds.max_width / width if bounds.max_width else 1.0,
        bounds.max_height / height if bounds.max_height else 1.0,
        1.0,
    )
    factor = max(factor, bounds.min_width / width)
    return max(round(width * factor), 1), max(round(height * factor), 1)


def _is_plain(picture: Any) -> bool:
    profile = picture.info.get("icc_profile")
    return (
        picture.format != "MPO"  # a second picture behind the first
        and picture.mode in ("RGB", "L", "P", "1")
        and not picture.has_transparency_data
        and _turn(picture) == 1
        and not _tells_place(picture)
        and (not profile or _is_srgb(profile))
    )


def _is_srgb(profile: bytes) -> bool:
    from PIL import ImageCms

    try:
        return "srgb" in ImageCms.getProfileDescription(io.BytesIO(profile)).lower()
    except (ImageCms.PyCMSError, OSError, ValueError):
        return False


def _turn(picture: Any) -> int:
    try:
        turn = picture.getexif().get(_ORIENTATION, 1)
    except _DAMAGE:
        return 1  # broken EXIF turns nothing
    return turn if turn in range(1, 9) else 1


def _tells_place(picture: Any) -> bool:
    try:
        return bool(picture.getexif().get_ifd(_GPS))
    except _DAMAGE:
        return True  # whatever it holds, it does not go out


def _opened(source: Path | io.BytesIO) -> Any:
    from PIL import Image

    try:
        return Image.open(source)
    except (*_DAMAGE, Image.DecompressionBombError) as error:
        raise Rejected(N_("The picture is damaged."), code="media-damaged") from error


def _quiet() -> Any:
    """Pillow warns of odd tags; that is no reason to refuse a picture."""
    return warnings.catch_warnings(action="ignore")


def _megabytes(size: int) -> str:
    return f"{size / 1024 / 1024:.1f}"


__all__ = ["CODES", "Bounds", "Facts", "content_type", "facts", "objections", "prepared"]

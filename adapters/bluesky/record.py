"""What Gaung writes into a Bluesky repository: record keys, rich text, pictures brought into bounds.

Facts: the AT Protocol's specification (TID, app.bsky.richtext.facet, app.bsky.feed.post), PLATFORMS.md
(Bluesky), November 2026. It makes no call.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from adapters.contract import N_, Json, Media
from adapters.errors import Rejected
from adapters.material import content

POST = "app.bsky.feed.post"
#: Largest picture of a post, in bytes (app.bsky.embed.images).
PICTURE_BYTES = 2_000_000

_LINK = re.compile(r"https?://[^\s<>\"]+")
_TAG = re.compile(r"(?<![\w&/#])#(\w*[^\W\d]\w*)")
_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
#: Longer side and JPEG quality of the copies that are tried, in this order.
_COPIES = ((0, 90), (2000, 90), (2000, 80), (1600, 80), (1200, 75), (1000, 60))


def tid(moment: datetime, key: str) -> str:
    """The record key for ``moment``: microseconds, and ten bits that belong to ``key``."""
    micros = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    number = micros << 10 | int.from_bytes(hashlib.sha256(key.encode()).digest()[:2]) & 1023
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(60, -5, -5))


def facets(text: str) -> list[Json]:
    """The links and hashtags of ``text``; places are counted in bytes of UTF-8."""
    found = [(at, end, "link", {"uri": text[at:end]}) for at, end in _links(text)]
    taken = [range(at, end) for at, end, *_ in found]
    found += [
        (match.start(), match.end(), "tag", {"tag": match[1]})
        for match in _TAG.finditer(text)
        if len(match[1]) <= 64 and not any(match.start() in place for place in taken)
    ]
    return [
        {
            "index": {"byteStart": len(text[:at].encode()), "byteEnd": len(text[:end].encode())},
            "features": [{"$type": f"app.bsky.richtext.facet#{kind}", **feature}],
        }
        for at, end, kind, feature in sorted(found, key=lambda one: one[0])
    ]


def _links(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each address; what ends a sentence is not part of it."""
    for match in _LINK.finditer(text):
        address = match[0].rstrip(".,;:!?'”’»")
        if address.endswith(")") and address.count("(") < address.count(")"):
            address = address[:-1]
        yield match.start(), match.start() + len(address)


def card(link: str) -> dict[str, Json]:
    """The preview of ``link``: its host, since nobody here reads the page itself."""
    title = urlsplit(link).hostname or link
    external: dict[str, Json] = {"uri": link, "title": title, "description": ""}
    return {"$type": "app.bsky.embed.external", "external": external}


def images(media: tuple[Media, ...], blobs: list[Json]) -> dict[str, Json]:
    """The pictures of a post with their alt texts (which the record must have, be they empty)."""
    found: list[Json] = []
    for item, blob in zip(media, blobs, strict=True):
        image: dict[str, Json] = {"alt": item.alt, "image": blob}
        if item.width and item.height:
            image["aspectRatio"] = {"width": item.width, "height": item.height}
        found.append(image)
    return {"$type": "app.bsky.embed.images", "images": found}


def pictures(record: Mapping[str, object]) -> int:
    """How many pictures a record shows."""
    embed = record.get("embed")
    found = embed.get("images") if isinstance(embed, dict) else None
    return len(found) if isinstance(found, list) else 0


def fitting(item: Media) -> tuple[bytes, str]:
    """Bytes and type of a picture, as it is if it fits, else of a JPEG copy that does.

    The same file always gives the same copy (with the same Pillow), so that a repeated upload is the
    same blob. Raises Rejected if the file is not the approved one or no copy fits.
    """
    original = content(item)
    if len(original) <= PICTURE_BYTES:
        return original, item.mime
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(original)) as opened:
            upright = ImageOps.exif_transpose(opened)
            flat = Image.new("RGB", upright.size, "white")
            flat.paste(upright, mask=upright.convert("RGBA").getchannel("A"))
    except (OSError, ValueError) as error:
        raise Rejected(N_("The picture cannot be read to make it smaller."), code=item.path.name) from error
    for side, quality in _COPIES:
        copy = flat.copy()
        if side:
            copy.thumbnail((side, side), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        copy.save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= PICTURE_BYTES:
            return buffer.getvalue(), "image/jpeg"
    raise Rejected(N_("The picture cannot be made small enough for Bluesky."), code=item.path.name)


__all__ = ["PICTURE_BYTES", "POST", "card", "facets", "fitting", "images", "pictures", "tid"]

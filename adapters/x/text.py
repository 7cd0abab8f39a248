"""How X counts and rewrites a text: weighted length, addresses found in it, t.co links undone.

The rules are those of twitter-text 3 (configuration v3: addresses 23, Chinese/Japanese/Korean and emoji
2, most other characters 1, after NFC). The one library for them on PyPI, twitter-text-parser, has had no
release since May 2023, has no types and needs pkg_resources, which setuptools has dropped; so they stand
here, and count like X's own package for JavaScript (3.1.0, tests/golden/x_lengths.mjs), except that emoji
newer than its table of 2018 count 2 as well. It knows nothing of the network.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import unquote, urlsplit

#: What every address counts, however long it is (PLATFORMS.md, X, c; November 2026).
URL_LENGTH = 23
#: Code points that count 1; all others count 2.
LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
#: Characters that X takes in no text (twitter-text 3: invalid characters).
INVALID = "\ufffe\ufeff\uffff"

_PICTOGRAPH = (
    "(?:[©®\u2122\u265f]\ufe0f|(?:[\u203c\u2049\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf"
    "\u2934\u2935\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001faff]"
    "(?:\ufe0f|[\U0001f3fb-\U0001f3ff]|(?!\ufe0e))))"
)
#: One emoji as people see it: a flag, a keycap, a flag of tags, or pictographs joined by U+200D.
_EMOJI = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}|[0-9#*]\ufe0f?\u20e3"
    f"|\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f|{_PICTOGRAPH}(?:\u200d{_PICTOGRAPH})*"
)

_DIRECTIONS = "\u202a-\u202e\u061c\u200e\u200f\u2066-\u2069"
_LATIN = (
    "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f\u0272"
    "\u0289\u028b\u02bb\u0300-\u036f\u1e00-\u1eff"
)


def weighted_length(text: str) -> int:
    """Given a text, return its length as X counts it; X takes 280."""
    text = _normal(text)
    length, at = 0, 0
    for start, end in _addresses(text):
        length += _weight(text[at:start]) + URL_LENGTH
        at = end
    return length + _weight(text[at:])


def addresses(text: str) -> list[str]:
    """Return what X turns into links in ``text``, also without https:// ("kpk.go.id")."""
    text = _normal(text)
    return [text[start:end] for start, end in _addresses(text)]


def comparable(text: str) -> str:
    """Return ``text`` with each address in the one form that survives X: no scheme, no last slash."""
    return _replace(_normal(text), _plain_address)


def as_sent(item: Mapping[str, Any]) -> str:
    """Given a post as X lists it, return its text as it was sent, comparable.

    X escapes <, > and &, puts a t.co link in place of each address, and appends one for the media
    (PLATFORMS.md, X, d; November 2026).
    """
    entities = item.get("entities")
    urls = entities.get("urls") if isinstance(entities, dict) else None
    text = html.unescape(str(item.get("text") or ""))
    for url in urls if isinstance(urls, list) else ():
        if isinstance(url, dict) and isinstance(short := url.get("url"), str) and short:
            own_media = "media_key" in url or _MEDIA_PAGE.search(str(url.get("expanded_url") or ""))
            text = text.replace(short, "" if own_media else str(url.get("expanded_url") or short))
    return comparable(text)


def shown_media(item: Mapping[str, Any]) -> int:
    """Given a post as X lists it, return how many pictures or videos it carries."""
    attachments, entities = item.get("attachments"), item.get("entities")
    keys = attachments.get("media_keys") if isinstance(attachments, dict) else None
    if isinstance(keys, list):
        return len(keys)
    urls = entities.get("urls") if isinstance(entities, dict) else None
    return len(
        {url["media_key"] for url in urls or () if isinstance(url, dict) and url.get("media_key")}
        if isinstance(urls, list)
        else ()
    )


_MEDIA_PAGE = re.compile(r"^https://(?:x|twitter)\.com/[^/]+/status/\d+/(?:photo|video)/\d+$")


def _normal(text: str) -> str:
    return re.sub(r"\r\n?", "\n", unicodedata.normalize("NFC", text))


def _weight(text: str) -> int:
    total, at = 0, 0
    for emoji in _EMOJI.finditer(text):
        total += _plain_weight(text[at : emoji.start()]) + 2
        at = emoji.end()
    return total + _plain_weight(text[at:])


def _plain_weight(text: str) -> int:
    return sum(1 if any(low <= ord(one) <= high for low, high in LIGHT) else 2 for one in text)


def _plain_address(address: str) -> str:
    parts = urlsplit(address if "://" in address else f"https://{address}")
    rest = (
        parts.path.rstrip("/"),
        parts.query and f"?{parts.query}",
        parts.fragment and f"#{parts.fragment}",
    )
    return unquote(parts.netloc.lower() + "".join(rest))


def _replace(text: str, change: Callable[[str], str]) -> str:
    parts, at = [], 0
    for start, end in _addresses(text):
        parts += [text[at:start], change(text[start:end])]
        at = end
    return "".join([*parts, text[at:]])


def _addresses(text: str) -> Sequence[tuple[int, int]]:
    """Where in ``text`` X sees addresses: start and end of each, in their order."""
    if "." not in text:
        return []
    found: list[tuple[int, int]] = []
    for match in _address().finditer(text):
        start, end = match.span("address")
        if match["scheme"]:
            short = _SHORT.match(match["address"])
            found.append((start, start + short.end() if short else end))
            continue
        if match["before"] in ("-", "_", ".", "/"):
            continue
        # Without a scheme only what is ASCII or accented Latin is linked: "日本語example.com" is example.com.
        domains = [(start + d.start(), start + d.end()) for d in _bare_domain().finditer(match["domain"])]
        if domains and match["path"]:
            domains[-1] = (domains[-1][0], end)
        found += domains
    return found


_QUERY = r"[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[a-z0-9\-_&=#/]"
_SHORT = re.compile(rf"https?://t\.co/[a-z0-9]+(?:\?{_QUERY})?", re.IGNORECASE)


@cache
def _top_levels() -> str:
    lines = files("adapters.x").joinpath("tlds.txt").read_text(encoding="utf-8").splitlines()
    names = [name for line in lines if not line.startswith("#") for name in line.split()]
    longest_first = "|".join(sorted(names, key=len, reverse=True))
    return rf"(?:(?:{longest_first})(?=[^0-9a-zA-Z@+-]|$)|xn--[\-0-9a-z]+)"


@cache
def _bare_domain() -> re.Pattern[str]:
    return re.compile(rf"(?:[\-a-z0-9{_LATIN}]+\.)+{_top_levels()}", re.IGNORECASE)


@cache
def _address() -> re.Pattern[str]:
    """The pattern of twitter-text, read from its published grammar; compiled when first needed."""
    one = rf"[^\s!'#%&()*+,\\\-./:;<=>?@\[\]^_{{|}}~$\u180e{INVALID}{_DIRECTIONS}]"
    # DNS knows labels up to 63 long; without these bounds a text of dots would take minutes.
    label = rf"{one}(?:[_-]|{one}){{0,62}}(?<![_-])\."
    last_label = rf"{one}(?:-|{one}){{0,62}}(?<!-)\."
    general = rf"[a-z\u0400-\u04ff0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&{_LATIN}]"
    balanced = rf"\((?:{general}+|{general}*\({general}+\){general}*)\)"
    path = rf"{general}*(?:{balanced}{general}*)*[+\-a-z\u0400-\u04ff0-9=_#/{_LATIN}]|{balanced}|@{general}+/"
    return re.compile(
        rf"(?P<before>[^A-Za-z0-9@＠$#＃{INVALID}]|[{_DIRECTIONS}]|^)"
        r"(?P<address>(?P<scheme>https?://)?"
        rf"(?P<domain>(?:{label}){{0,12}}{last_label}{_top_levels()})"
        r"(?::[0-9]+)?"
        rf"(?P<path>/(?:{path})*)?"
        rf"(?:\?{_QUERY})?)",
        re.IGNORECASE,
    )


__all__ = ["INVALID", "URL_LENGTH", "addresses", "as_sent", "comparable", "shown_media", "weighted_length"]

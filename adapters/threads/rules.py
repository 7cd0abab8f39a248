"""What Threads takes and what its refusals mean: counting, limits, offline checks, error codes.

Facts: PLATFORMS.md, Threads b, c and f (Meta's Threads documents), November 2026. This module calls nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from adapters.contract import N_, Limits, Media, Post, Problem
from adapters.errors import AdapterError, Rejected, Transient
from adapters.matching import same_text
from adapters.meta import videos
from adapters.meta.containers import moment
from adapters.meta.errors import Codes, Meaning
from adapters.pictures import JPEG, Bounds, objections
from adapters.videos import is_video, video_objections

#: What Unicode counts as emoji and what joins, colours or varies them (UTS #51, Emoji 16).
_EMOJI = re.compile(
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u23cf\u23e9-\u23f3"
    "\u23f8-\u23fa\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u2604\u260e\u2611\u2614\u2615\u2618\u261d"
    "\u2620\u2622\u2623\u2626\u262a\u262e\u262f\u2638-\u263a\u2640\u2642\u2648-\u2653\u265f\u2660\u2663\u2665"
    "\u2666\u2668\u267b\u267e\u267f\u2692-\u2697\u2699\u269b\u269c\u26a0\u26a1\u26a7\u26aa\u26ab\u26b0\u26b1"
    "\u26bd\u26be\u26c4\u26c5\u26c8\u26ce\u26cf\u26d1\u26d3\u26d4\u26e9\u26ea\u26f0-\u26f5\u26f7-\u26fa\u26fd"
    "\u2702\u2705\u2708-\u270d\u270f\u2712\u2714\u2716\u271d\u2721\u2728\u2733\u2734\u2744\u2747\u274c\u274e"
    "\u2753-\u2755\u2757\u2763\u2764\u2795-\u2797\u27a1\u27b0\u27bf\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c\u2b50"
    "\u2b55\u3030\u303d\u3297\u3299\u200d\u20e3\ufe0f\U0001f000-\U0001faff\U000e0020-\U000e007f]"
)
_LINK = re.compile(r"(?:https?://|\bwww\.)[^\s<>\"]+", re.IGNORECASE)
_HASHTAG = re.compile(r"(?<![\w&/])#\w+")


def measure(text: str) -> int:
    """The length of ``text`` as Threads counts it: an emoji counts as the bytes of its UTF-8 form."""
    return sum(len(one.encode()) if _EMOJI.match(one) else 1 for one in text)


LIMITS = Limits(text=500, measure=measure, media=20, alt_text=1000, threads=True, first_comment=True)
REPLY_LIMITS = Limits(text=500, measure=measure)
LINKS, TOPICS = 5, 1
#: 8 MB, at most ten times as wide as high, or as high as wide.
PICTURE = Bounds((JPEG, "image/png"), 8 * 2**20, 320, 1440, min_ratio=0.1, max_ratio=10)
VIDEO = replace(videos.VIDEO, max_bytes=2**30, max_seconds=5 * 60)

CODES: Codes = {
    (24, 4279009): Meaning.TRANSIENT,  # "Media Not Found", even of finished containers (2026)
    (4, 2207051): Meaning.UNCLEAR,  # spam: on Instagram said of posts that went live
    (None, 2207051): Meaning.UNCLEAR,
    (None, 4279013): Meaning.HELD,  # the account is restricted
}
SPAM = "2207051"
#: Codes that say that there is no such post, or no such container.
GONE = ("100/33", "24/4279009")
#: Explicit refusals to publish a container, to be tried again with the same one.
LATER = ("24/4279009",)
#: Beginnings of a container's ``error_message`` that tell a fault of the file or text itself.
_FOR_GOOD = ("INVALID_", "FAILED_PROCESSING_", "THREADS_API__LINK_LIMIT_EXCEEDED")


@dataclass(frozen=True, slots=True)
class Section:
    """One post of a thread: the first, a further part, or the first comment, which is a reply as well."""

    name: str
    text: str
    media: tuple[Media, ...] = ()
    bare: str = field(default="")
    """The text without the link that is attached to it."""
    link: str = ""


def sections(post: Post, wording: str) -> list[Section]:
    """Everything of ``post`` that becomes a post of its own, in order."""
    attached = "" if post.media else post.link  # a preview is given to text posts only
    found = [Section("part0", wording, post.media, post.text, attached)]
    found += [Section(f"part{n}", part.text, part.media) for n, part in enumerate(post.thread, 1)]
    if post.first_comment:
        found.append(Section("comment", post.first_comment))
    return found


def container_refusal(words: str) -> AdapterError | None:
    """What the ``error_message`` of a container in ERROR means; None: make a new one."""
    code = words.strip().partition(" ")[0].rstrip(":,.")[:60]
    if not code or code == "UNKNOWN":
        return None
    kind = Rejected if code.startswith(_FOR_GOOD) else Transient
    return kind(words[:300], code=code)


def problems(parts: Sequence[Section], *, has_store: bool) -> list[Problem]:
    """What Threads would refuse or cripple, beyond the plain limits."""
    found: list[Problem] = []
    for part in parts:
        found += _words(part)
        for item in part.media:
            if is_video(item):
                found += video_objections(item, VIDEO)
            else:
                found += objections(item, PICTURE, mended=True)
    if any(part.media for part in parts) and not has_store:
        found.append(
            Problem(
                "no-public-media",
                N_(
                    "Threads fetches media from a public address, and no public media store is configured."
                    " Fill in [media] in the configuration."
                ),
            )
        )
    return found


def _words(part: Section) -> list[Problem]:
    found: list[Problem] = []
    links = {link.rstrip(".,;:!?)") for link in _LINK.findall(part.text)} | ({part.link} - {""})
    if len(links) > LINKS:
        values: dict[str, object] = {"count": len(links), "limit": LINKS}
        words = N_("{count} different links; Threads takes at most {limit} in one post.")
        found.append(Problem("too-many-links", words, values))
    if len(_HASHTAG.findall(part.text)) > TOPICS:
        words = N_("Threads makes a topic of one hashtag only; the others stay plain text.")
        found.append(Problem("one-topic", words, {}, "warning"))
    length = measure(part.text)
    if part.name == "comment" and length > LIMITS.text:
        words = N_("The first comment is {length} long; Threads takes at most {limit}.")
        found.append(Problem("comment-too-long", words, {"length": length, "limit": LIMITS.text}))
    return found


def fits(item: Mapping[str, Any], part: Section, since: datetime, until: datetime) -> bool:
    """Whether a listed item can be ``part``: its media, text and time."""
    at = moment(item.get("timestamp"))
    if not item.get("id") or at is None or not since <= at <= until:
        return False
    text = str(item.get("text") or "")
    attached = str(item.get("link_attachment_url") or "")
    same = same_text(part.text, text) or (
        bool(part.link) and attached.startswith(part.link) and same_text(part.bare, text)
    )
    return same and _has_media(item, part.media)


def _has_media(item: Mapping[str, Any], media: Sequence[Media]) -> bool:
    kind = item.get("media_type")
    if len(media) > 1:
        children = item.get("children")
        listed = children.get("data") if isinstance(children, dict) else None
        return kind == "CAROUSEL_ALBUM" and (not isinstance(listed, list) or len(listed) == len(media))
    if not media:
        return kind == "TEXT_POST"
    return kind == ("VIDEO" if is_video(media[0]) else "IMAGE")


__all__ = [
    "CODES",
    "LATER",
    "LIMITS",
    "PICTURE",
    "SPAM",
    "Section",
    "container_refusal",
    "fits",
    "is_video",
    "measure",
    "problems",
    "sections",
]

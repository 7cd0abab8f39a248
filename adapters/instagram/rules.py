"""What Instagram takes and what its refusals mean: limits, offline checks, error codes.

Facts: PLATFORMS.md, Instagram b, c and f (Meta's documents), November 2026. This module calls nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from adapters.contract import N_, Limits, Media, Post, Problem
from adapters.errors import AdapterError, Rejected, Transient
from adapters.matching import same_text
from adapters.meta.containers import moment
from adapters.meta.errors import Codes, Meaning
from adapters.meta.videos import VIDEO
from adapters.pictures import JPEG, Bounds, objections
from adapters.videos import is_video, video_objections

MEGABYTE = 2**20

#: A comment: 300 characters (Meta's reference of comments, from memory).
REPLY_LIMITS = Limits(text=300)
LIMITS = Limits(
    text=2200,
    media=10,
    media_required=True,
    alt_text=1000,
    kinds=("post", "reel", "story"),
    first_comment=True,
)
#: 4:5 to 1.91:1, 320 to 1440 wide, 8 MB, JPEG, sRGB.
FEED_PICTURE = Bounds((JPEG,), 8 * MEGABYTE, 320, 1440, min_ratio=0.8, max_ratio=1.91)
#: A story is shown whole, whatever its shape.
STORY_PICTURE = replace(FEED_PICTURE, min_ratio=0.0, max_ratio=0.0)
REEL = replace(VIDEO, max_bytes=300 * MEGABYTE, min_seconds=3, max_seconds=15 * 60)
STORY_VIDEO = replace(VIDEO, max_bytes=100 * MEGABYTE, min_seconds=3, max_seconds=60)
HASHTAGS, HASHTAGS_OF_THE_APP, MENTIONS = 30, 5, 20
#: A rule of Instagram's first interface (2014); today's documents are silent.
LONG_COMMENT = 300

CODES: Codes = {
    (-2, 2207003): Meaning.UNCLEAR,  # too long to download the media
    (-1, 2207001): Meaning.UNCLEAR,  # server error
    (-1, 2207032): Meaning.UNCLEAR,  # could not create the media
    (9004, 2207052): Meaning.UNCLEAR,  # could not fetch the media
    (4, 2207051): Meaning.UNCLEAR,  # "we restrict certain activity": said of posts that went live (2026-07)
    (-2, 2207020): Meaning.TRANSIENT,  # the container has expired
    (-1, 2207053): Meaning.TRANSIENT,  # unknown upload error
    (24, 2207006): Meaning.TRANSIENT,  # media not found
    (24, 2207008): Meaning.TRANSIENT,  # container not found (yet)
    (9007, 2207027): Meaning.TRANSIENT,  # not ready
    (9, 2207042): Meaning.LIMIT,  # the publishing quota
    (25, 2207050): Meaning.HELD,  # the account is inactive, checkpointed or restricted
    (1, 2207057): Meaning.REJECTED,
    (352, 2207026): Meaning.REJECTED,
    (36000, 2207004): Meaning.REJECTED,
    (36001, 2207005): Meaning.REJECTED,
    (36003, 2207009): Meaning.REJECTED,
    (36004, 2207010): Meaning.REJECTED,
    (100, 2207023): Meaning.REJECTED,
    (100, 2207028): Meaning.REJECTED,
    **{(100, subcode): Meaning.REJECTED for subcode in range(2207035, 2207041)},
}
SPAM = "4/2207051"
#: Explicit refusals to publish a container: to be tried again with the same one, or with a new one.
LATER = ("9007/2207027", "24/2207008")
ANEW = ("-2/2207020", "-1/2207053", "24/2207006")

_HASHTAG = re.compile(r"(?<![\w&/])#\w+")
_MENTION = re.compile(r"(?<![\w/.])@[\w.]+")
_LINK = re.compile(r"https?://|\bwww\.", re.IGNORECASE)
_SUBCODE = re.compile(r"\b(2207\d{3})\b")


def container_refusal(words: str) -> AdapterError | None:
    """What the ``status`` text of a container in ERROR means, by the subcode in it; None if it has none.

    The text is the only place where Meta tells the reason: "Error: ... error code 2207026".
    """
    found = _SUBCODE.search(words)
    if not found:
        return None
    meanings = {subcode: meaning for (_, subcode), meaning in CODES.items()}
    kind = Rejected if meanings.get(int(found[1])) is Meaning.REJECTED else None
    return kind(words[:300], code=found[1]) if kind else Transient(words[:300], code=found[1])


def problems(post: Post, wording: str, *, fit: str, has_store: bool, can_upload: bool) -> list[Problem]:
    """What Instagram would refuse or cripple beyond the limits. ``can_upload``: reels need no store."""
    found = _words(post, wording) + _shape(post)
    for item in post.media:
        found += _medium(post, item, fit)
    uploaded = can_upload and len(post.media) == 1 and is_video(post.media[0]) and post.kind != "story"
    if post.media and not has_store and not uploaded:
        found.append(
            Problem(
                "no-public-media",
                N_(
                    "Instagram fetches media from a public address, and no public media store is configured."
                    " Fill in [media] in the configuration."
                ),
            )
        )
    return found


def _words(post: Post, wording: str) -> list[Problem]:
    if post.kind == "story":
        if wording.strip():
            return [
                Problem("no-caption", N_("A story shows no text; put it into the picture."), {}, "warning")
            ]
        return []
    found: list[Problem] = []
    if (count := len(_HASHTAG.findall(wording))) > HASHTAGS:
        found.append(
            Problem(
                "too-many-hashtags",
                N_("{count} hashtags; Instagram takes at most {limit}."),
                {"count": count, "limit": HASHTAGS},
            )
        )
    elif count > HASHTAGS_OF_THE_APP:
        found.append(
            Problem(
                "many-hashtags",
                N_("{count} hashtags; Instagram's app allows {limit}, and may do the same here."),
                {"count": count, "limit": HASHTAGS_OF_THE_APP},
                "warning",
            )
        )
    if (count := len(_MENTION.findall(wording))) > MENTIONS:
        found.append(
            Problem(
                "too-many-mentions",
                N_("{count} mentions; Instagram takes at most {limit}."),
                {"count": count, "limit": MENTIONS},
            )
        )
    if len(post.first_comment) > LONG_COMMENT:
        words = N_("The first comment is longer than {limit}; Instagram has refused such comments before.")
        found.append(Problem("long-comment", words, {"limit": LONG_COMMENT}, "warning"))
    if _LINK.search(wording):
        words = N_("A link in an Instagram caption cannot be clicked; better say where to find it.")
        found.append(Problem("dead-link", words, {}, "warning"))
    return found


def _shape(post: Post) -> list[Problem]:
    """Number and kinds of media, for each kind of post."""
    videos = sum(is_video(item) for item in post.media)
    found: list[Problem] = []
    if post.kind == "reel" and (len(post.media), videos) != (1, 1):
        found.append(Problem("reel-media", N_("A reel is exactly one video.")))
    if post.kind == "story":
        if len(post.media) != 1:
            found.append(Problem("story-media", N_("A story is exactly one picture or video.")))
        if post.first_comment:
            found.append(Problem("story-comment", N_("A story takes no first comment.")))
    bare = [item for item in post.media if item.alt and (post.kind != "post" or is_video(item))]
    if bare:
        words = N_("Instagram has alt texts for pictures in posts only; the others are not shown there.")
        found.append(Problem("no-alt-text", words, {}, "warning"))
    return found


def picture_bounds(post: Post, fit: str) -> Bounds:
    """The bounds for the pictures of ``post``; ``fit`` is "pad" if a person asked for borders."""
    bounds = STORY_PICTURE if post.kind == "story" else FEED_PICTURE
    return replace(bounds, fit="pad") if fit == "pad" else bounds


def _medium(post: Post, item: Media, fit: str) -> list[Problem]:
    if is_video(item):
        return video_objections(item, STORY_VIDEO if post.kind == "story" else REEL)
    return objections(item, picture_bounds(post, fit), mended=True)


def fits(item: Mapping[str, Any], post: Post, caption: str, since: datetime, until: datetime) -> bool:
    """Whether a listed item can be ``post``: its kind, number of media, caption, and time."""
    at = moment(item.get("timestamp"))
    if not item.get("id") or at is None or not since <= at <= until:
        return False
    # Without admin rights on the app, Instagram gives captions back without the @ of mentions.
    texts = [text.replace("@", "") for text in (caption, str(item.get("caption") or ""))]
    return _has_kind(item, post) and (post.kind == "story" or same_text(*texts))


def _has_kind(item: Mapping[str, Any], post: Post) -> bool:
    kind, product = item.get("media_type"), item.get("media_product_type")
    if len(post.media) > 1:
        children = item.get("children")
        listed = children.get("data") if isinstance(children, dict) else None
        same = listed is None or (isinstance(listed, list) and len(listed) == len(post.media))
        return kind == "CAROUSEL_ALBUM" and same
    expected = "VIDEO" if post.media and is_video(post.media[0]) else "IMAGE"
    if post.kind == "story":
        return kind == expected and product in (None, "STORY")
    return kind == expected and product != "STORY"


__all__ = [
    "ANEW",
    "CODES",
    "LATER",
    "LIMITS",
    "SPAM",
    "container_refusal",
    "fits",
    "is_video",
    "picture_bounds",
    "problems",
]

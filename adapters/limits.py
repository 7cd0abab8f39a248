"""What a post may hold on a platform, and what is wrong with one that holds more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from adapters.values import N_, Kind, Media, Post


@dataclass(frozen=True, slots=True)
class Limits:
    """What one post may hold. ``measure`` counts a text the way the platform counts it."""

    text: int
    measure: Callable[[str], int] = len
    media: int = 0
    media_required: bool = False
    alt_text: int = 1000
    """Longest alt text; 0 if the platform has none (what is given then goes nowhere: a warning)."""
    kinds: tuple[Kind, ...] = ("post",)
    threads: bool = False
    first_comment: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a post cannot go (``error``) or may disappoint (``warning``), told before anyone approves.

    ``message`` is an English template for gettext (marked with :func:`N_`), ``values`` its fields.
    """

    code: str
    message: str
    values: Mapping[str, object] = field(default_factory=dict)
    severity: Literal["error", "warning"] = "error"


#: The codes of :func:`check_limits` and of an answer where there are none.
CODES = frozenset(
    {
        *("alt-too-long", "empty-part", "empty-post", "media-required", "no-alt-text", "no-first-comment"),
        *("no-replies", "no-such-kind", "no-threads", "text-too-long", "too-many-media"),
    }
)


def check_limits(limits: Limits, wording: str, post: Post) -> list[Problem]:
    """Given a post, and its text as it will read, return what exceeds ``limits``."""
    problems = _check_text(limits, [wording, *(part.text for part in post.thread)])
    problems += _check_media(limits, post.media)
    for part in post.thread:
        problems += _check_media(limits, part.media)
    if not wording.strip() and not post.media:
        problems.append(Problem("empty-post", N_("The post has neither text nor media.")))
    problems += [
        Problem("empty-part", N_("A part of the thread has neither text nor media."))
        for part in post.thread
        if not part.text.strip() and not part.media
    ]
    if limits.media_required and not post.media:
        problems.append(
            Problem("media-required", N_("This platform takes no post without a picture or video."))
        )
    if post.thread and not limits.threads:
        problems.append(
            Problem("no-threads", N_("This platform has no threads. Give it an override without one."))
        )
    if post.first_comment and not limits.first_comment:
        problems.append(
            Problem("no-first-comment", N_("A first comment cannot be written on this platform."))
        )
    if post.kind not in limits.kinds:
        problems.append(
            Problem(
                "no-such-kind",
                N_("This platform has no {kind}; it takes: {known}."),
                {"kind": post.kind, "known": ", ".join(limits.kinds)},
            )
        )
    return problems


def _check_text(limits: Limits, texts: Sequence[str]) -> list[Problem]:
    return [
        Problem(
            "text-too-long",
            N_(
                "The text is {length} long; this platform takes at most {limit}."
                " Shorten it or give an override."
            ),
            {"length": length, "limit": limits.text},
        )
        for text in texts
        if (length := limits.measure(text)) > limits.text
    ]


def _check_media(limits: Limits, media: Sequence[Media]) -> list[Problem]:
    problems: list[Problem] = []
    if len(media) > limits.media:
        problems.append(
            Problem(
                "too-many-media",
                N_("{count} media; this platform takes at most {limit}."),
                {"count": len(media), "limit": limits.media},
            )
        )
    for item in media:
        values = {"file": item.path.name, "length": len(item.alt), "limit": limits.alt_text}
        if limits.alt_text and len(item.alt) > limits.alt_text:
            problems.append(
                Problem(
                    "alt-too-long",
                    N_("The alt text of {file} is {length} long; this platform takes at most {limit}."),
                    values,
                )
            )
    if media and not limits.alt_text:
        problems.append(
            Problem(
                "no-alt-text", N_("This platform has no alt texts; they are not shown there."), {}, "warning"
            )
        )
    return problems

"""What a post consists of as X bills it. Prices are the office's (``[costs]`` of the configuration).

X has billed by use since February 2026: a post, a post with an address in it, alt text, reading
(PLATFORMS.md, X, a; X's documentation of August 2026). A part of a thread is a post, too; it is counted
by a name of its own, so that it can be priced apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from adapters.contract import N_, Json
from adapters.x.account import Step
from adapters.x.media import VIDEO
from adapters.x.text import addresses

#: Act -> what it is.
ACTS: Mapping[str, str] = {
    "post": N_("post"),
    "post_with_link": N_("post with an address"),
    "reply": N_("part of a thread, or comment, without an address"),
    "summoned_reply": N_("answer to a comment, without an address"),
    "media_metadata": N_("alt text"),
    "delete": N_("deletion of a post"),
    "read": N_("figures of a post, once a day"),
    "comment_read": N_("a comment that is read"),
    "user_read": N_("followers of the account, once a day"),
}
READ, COMMENT = "read", "comment_read"
FOLLOWERS = "user_read"


def whole(steps: Sequence[Step]) -> Mapping[str, int]:
    """The acts of publishing all the steps of a post."""
    alt_texts = sum(bool(item.alt) and item.mime not in VIDEO.types for one in steps for item in one.media)
    return +(Counter(_act(step) for step in steps) + Counter(media_metadata=alt_texts))


def done(steps: Sequence[Step], saved: Mapping[str, Json]) -> Mapping[str, int]:
    """The acts that are certainly done, as far as an attempt saved them: ids of steps, alt texts set.

    A medium that had to be uploaded anew counts once, although X may have billed its alt text twice.
    """
    posts, media = saved.get("posts"), saved.get("media")
    entries = media.values() if isinstance(media, dict) else ()
    alt_texts = sum(isinstance(entry, dict) and entry.get("alt") is True for entry in entries)
    out = steps[: len(posts)] if isinstance(posts, list) else ()
    return +(Counter(_act(step) for step in out) + Counter(media_metadata=alt_texts))


def removal(steps: Sequence[Step], saved: Mapping[str, Json]) -> Mapping[str, int]:
    """The acts of taking a post down: each part that is out is deleted."""
    posts = saved.get("posts")
    return {"delete": len(posts) if isinstance(posts, list) and posts else len(steps)}


def _act(step: Step) -> str:
    if addresses(step.text):
        return "post_with_link"
    if step.answers:
        return "summoned_reply"
    return "post" if step.under is None else "reply"


__all__ = ["ACTS", "COMMENT", "FOLLOWERS", "READ", "done", "removal", "whole"]

"""What X has on the account: its own id, its posts since a moment, and whether one of them is ours.

Reading back is how a lost answer is settled, so it says not only what it saw but also whether it saw
everything. It publishes nothing. Facts: PLATFORMS.md, X, a and d (November 2026).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.contract import N_, Media
from adapters.matching import same_text
from adapters.x.api import XApi
from adapters.x.text import as_sent, comparable, shown_media

#: How far X's clock may be behind ours. X refuses the same text twice in a row, so an older copy cannot
#: hide in these minutes.
SKEW = timedelta(minutes=5)
#: Pages of 100 posts that are read at most; X itself lists no more than the latest 3,200.
PAGES = 10
FIELDS = ["created_at", "entities", "attachments", "referenced_tweets", "conversation_id"]
#: The id of a post begins with its time: milliseconds since this one (X's "snowflake" ids).
EPOCH_MS = 1288834974657


@dataclass(frozen=True, slots=True)
class Step:
    """One post of a chain: the first, a further part of the thread, or the first comment.

    ``under`` is the place in the chain of the post that this one replies to; None for the first, which
    answers nothing, or somebody else's post ``answers``.
    """

    text: str
    media: tuple[Media, ...]
    under: int | None
    answers: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """The account's own posts since a moment, oldest first; ``gap`` says why some may be missing."""

    posts: Sequence[Mapping[str, Any]]
    gap: str = ""

    def match(self, step: Step, parent: str | None, start: datetime) -> Mapping[str, Any] | None:
        """The oldest post that is ``step``: same text, as many media, same parent, not before ``start``."""
        wanted = comparable(step.text)
        for item in self.posts:
            text = as_sent(item)
            if parent is not None and not step.text.startswith("@"):
                while text.startswith("@"):  # X may put the names of those answered in front
                    text = text.partition(" ")[2]
            if (
                same_text(wanted, text)
                and shown_media(item) == len(step.media)
                and parent_of(item) == parent
                and (at := posted_at(item)) is not None
                # No end: the first try may lie days before the one that was accepted (limits, holds).
                and at >= start - SKEW
            ):
                return item
        return None


def list_posts(api: XApi, user_id: str, start: datetime, end: datetime | None = None) -> Listing:
    """Read the account's posts from ``start``, with a margin for clocks, to ``end`` (UTC)."""
    posts: list[Mapping[str, Any]] = []
    page: dict[str, Any] = {"start_time": (start - SKEW).replace(microsecond=0)}
    if end is not None:
        page["end_time"] = end
    for _ in range(PAGES):
        answer = api.ask("get_users_tweets", user_id, max_results=100, tweet_fields=FIELDS, **page)
        data, meta = answer.get("data", []), answer.get("meta")
        if not isinstance(data, list) or not isinstance(meta, dict) or "result_count" not in meta:
            raise api.unclear()  # 200 with errors only: X did not list anything
        posts += [item for item in data if isinstance(item, dict)]
        if answer.get("errors"):
            return Listing(posts[::-1], N_("X left out some posts of the account when it listed them."))
        if not (token := meta.get("next_token")):
            return Listing(posts[::-1])
        page["pagination_token"] = token
    return Listing(posts[::-1], N_("The account has too many posts since then to read them all back."))


def who_am_i(api: XApi, *more: str) -> Mapping[str, Any]:
    """Ask X whose credentials these are: {"id", "name", "username"} and ``more``. X charges for it."""
    me = (api.ask("get_me", user_fields=list(more)) if more else api.ask("get_me")).get("data")
    if isinstance(me, dict) and me.get("id") and me.get("username"):
        return me
    raise api.unclear()


def parent_of(item: Mapping[str, Any]) -> str | None:
    """The id of the post that ``item`` replies to, None if it is no reply."""
    references = item.get("referenced_tweets")
    for one in references if isinstance(references, list) else ():
        if isinstance(one, dict) and one.get("type") == "replied_to":
            return str(one.get("id"))
    return None


def posted_at(item: Mapping[str, Any]) -> datetime | None:
    """When ``item`` was posted (UTC), by its field or else by its id."""
    try:
        moment = datetime.fromisoformat(str(item.get("created_at")))
    except ValueError:
        return time_of(str(item.get("id")))
    return moment.astimezone(UTC) if moment.tzinfo else None


def time_of(remote_id: str) -> datetime | None:
    """When a post was made, by its id; None if the id holds no time."""
    if not (remote_id.isdigit() and remote_id.isascii() and 10 <= len(remote_id) <= 20):
        return None
    return datetime.fromtimestamp(((int(remote_id) >> 22) + EPOCH_MS) / 1000, UTC)


__all__ = [
    "SKEW",
    "Listing",
    "Step",
    "list_posts",
    "parent_of",
    "posted_at",
    "time_of",
    "who_am_i",
]

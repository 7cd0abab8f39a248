"""What others answer to posts on X: asked for sparingly, since X bills every post that it shows.

The recent search shows a conversation for seven days. Who wrote an answer is known by number alone: the
name would be billed as well ($0.010 a user, PLATFORMS.md, X, a, November 2026).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from adapters.contract import Reply
from adapters.x.account import parent_of, posted_at, time_of
from adapters.x.api import XApi

FIELDS = ["created_at", "author_id", "referenced_tweets", "conversation_id"]
#: How many posts one page has at least and at most (X's reference of the recent search).
FEWEST, MOST = 10, 100
#: How far back the search reaches, with a margin.
REACH = timedelta(days=7) - timedelta(minutes=5)


def replies(
    api: XApi, known: Mapping[str, str], own: str, most: int, now: datetime
) -> dict[str, Sequence[Reply]]:
    """The answers under each post that are newer than the one that is known of it, ``most`` in all.

    ``own`` is the account's number. X shows the newest first: if there are more than fit, the oldest of
    the new ones are left out, and stay so.
    """
    told: dict[str, Sequence[Reply]] = {}
    for post, newest in known.items():
        if most < FEWEST:
            break
        found = _page(api, post, newest, min(most, MOST), now)
        most -= len(found)
        told[post] = [
            Reply(
                remote_id=str(one["id"]),
                under=parent_of(one) or post,
                author="",
                text=str(one.get("text") or ""),
                written_at=at,
                url=f"https://x.com/i/status/{one['id']}",
                own=str(one.get("author_id")) == own,
            )
            for one in reversed(found)  # X tells times to the second: the order is what tells the newest
            if one.get("id") != post and (at := posted_at(one))
        ]
    return told


def _page(api: XApi, post: str, newest: str, most: int, now: datetime) -> list[Mapping[str, Any]]:
    after = newest or post
    at = time_of(after)
    since: dict[str, Any] = {"since_id": after}
    if at is None or now - at > REACH:
        since = {"start_time": now - REACH}
    answer = api.ask(
        "search_recent_tweets",
        f"conversation_id:{post}",
        max_results=most,
        tweet_fields=FIELDS,
        **since,
    )
    data, meta = answer.get("data", []), answer.get("meta")
    if not isinstance(data, list) or not isinstance(meta, dict) or "result_count" not in meta:
        raise api.unclear()
    return [one for one in data if isinstance(one, dict) and one.get("id")]


__all__ = ["FEWEST", "replies"]

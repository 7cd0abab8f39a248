"""The figures of posts on X, in batches; what X does not tell stays None.

impression_count counts times shown, never people: X tells no reach. Clicks and other private figures
are told for 30 days, then refused. Facts: PLATFORMS.md, X, e (November 2026).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from adapters.contract import Json, Reach, Why
from adapters.errors import Rejected
from adapters.x.account import time_of
from adapters.x.api import XApi

#: Ours -> X's.
NAMES = {
    "views": "impression_count",
    "likes": "like_count",
    "comments": "reply_count",
    "shares": "retweet_count+quote_count",
    "saves": "bookmark_count",
    "clicks": "url_link_clicks",
    "profile_visits": "user_profile_clicks",
}
#: Ids in one question.
BATCH = 100
#: How long X tells the private figures of a post; what is written down after that.
PRIVATE_FOR = timedelta(days=30)
TOO_OLD = "not-asked: older than 30 days"


def figures(api: XApi, remote_ids: Sequence[str], now: datetime) -> dict[str, Reach]:
    """Return what X tells of each post; a post that X does not have is left out."""
    told: dict[str, Reach] = {}
    # Anything but a number would make X refuse the whole question.
    asked = [id_ for id_ in dict.fromkeys(remote_ids) if id_.isdigit() and id_.isascii()]
    young = [id_ for id_ in asked if (at := time_of(id_)) is not None and now - at < PRIVATE_FOR]
    refused: dict[str, Json] = {}
    for some in _batches(young):
        posts, errors = _ask(api, some, ["public_metrics", "non_public_metrics"])
        told |= {id_: _reach(post, errors.get(id_)) for id_, post in posts.items()}
        refused |= errors
    # X leaves out a post altogether if it refuses one of its fields: ask for those again, without.
    for some in _batches([id_ for id_ in asked if id_ not in young or (id_ in refused and id_ not in told)]):
        posts, errors = _ask(api, some, ["public_metrics"])
        for id_, post in posts.items():
            told[id_] = _reach(post, refused.get(id_) or errors.get(id_) or TOO_OLD)
    return told


def _ask(api: XApi, ids: Sequence[str], fields: Sequence[str]) -> tuple[dict[str, Any], dict[str, Json]]:
    """The posts that X tells of, and by id the code of what it refuses (not: that a post is gone)."""
    try:
        answer = api.ask("get_tweets", list(ids), tweet_fields=list(fields))
    except Rejected as error:
        if "non_public_metrics" not in fields:
            raise
        return {}, dict.fromkeys(ids, error.code)  # the app may not ask for the private ones
    data, errors = answer.get("data", []), answer.get("errors", [])
    if not isinstance(data, list) or not isinstance(errors, list) or not (data or errors):
        raise api.unclear()
    posts = {str(post["id"]): post for post in data if isinstance(post, dict) and "id" in post}
    refusals: dict[str, Json] = {}
    for refusal in errors:
        code = str(refusal.get("type") or "").rpartition("/")[2] if isinstance(refusal, dict) else ""
        if code and code != "resource-not-found":
            refusals[str(refusal.get("resource_id") or refusal.get("value"))] = code
    return posts, refusals


def _batches(ids: Sequence[str]) -> Iterator[list[str]]:
    rest = iter(ids)
    while some := list(islice(rest, BATCH)):
        yield some


def _reach(post: Mapping[str, Any], refused: Json) -> Reach:
    public, private = _numbers(post.get("public_metrics")), _numbers(post.get("non_public_metrics"))
    # The schema of 2026 calls reposts repost_count, the answers retweet_count.
    reposts, quotes = public.get("retweet_count", public.get("repost_count")), public.get("quote_count")
    raw: dict[str, Json] = {"public_metrics": dict(public)}
    if private:
        raw["non_public_metrics"] = dict(private)
    if refused:
        raw["refused"] = {"non_public_metrics": refused}
    return Reach(
        views=public.get("impression_count", private.get("impression_count")),
        likes=public.get("like_count"),
        comments=public.get("reply_count"),
        shares=None if reposts is None or quotes is None else reposts + quotes,
        saves=public.get("bookmark_count"),
        clicks=private.get("url_link_clicks"),
        profile_visits=private.get("user_profile_clicks"),
        raw=raw,
        why=dict.fromkeys(("clicks", "profile_visits"), _why(refused)) if refused else {},
    )


def _why(refused: Json) -> Why:
    return "not-offered" if refused == TOO_OLD else "refused"


def _numbers(metrics: object) -> dict[str, int]:
    if not isinstance(metrics, dict):
        return {}
    return {str(k): v for k, v in metrics.items() if isinstance(v, int) and not isinstance(v, bool)}


__all__ = ["BATCH", "NAMES", "figures"]

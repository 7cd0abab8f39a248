"""The figures of a Page's posts, as far as Facebook gives them.

Facts: PLATFORMS.md, "Facebook Page", e, November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.contract import Json, Reach, Why
from adapters.errors import AdapterError, AuthExpired, RateLimited
from adapters.meta.graph import BATCH, GraphClient, is_missing

#: The figures that Facebook gives since 2026-06-15. Each is asked alone: one unknown name fails its call.
METRICS = {
    "views": "post_media_view",
    "reach": "post_total_media_view_unique",
    "clicks": "post_clicks",
    "video_views": "post_video_views",
}
_COUNTS = {
    "shares": "id,shares",
    "likes": "reactions.limit(0).summary(total_count)",
    "comments": "comments.limit(0).summary(total_count)",
}
#: Ours -> Facebook's.
NAMES = {**METRICS, "shares": "shares", "likes": "reactions", "comments": "comments"}
_CALLS = len(METRICS) + len(_COUNTS)


def figures(client: GraphClient, remote_ids: Sequence[str]) -> dict[str, Reach]:
    """Ask for the figures of posts, several posts in one request, each figure by itself.

    A post that Facebook does not know is left out. A figure that it refuses or leaves empty is None, and
    the refusal's code is in ``raw``. Raise RateLimited or AuthExpired if the token itself is refused.
    """
    found: dict[str, Reach] = {}
    for start in range(0, len(remote_ids), BATCH // _CALLS):
        some = remote_ids[start : start + BATCH // _CALLS]
        calls: list[tuple[str, Mapping[str, object]]] = []
        for post_id in some:
            calls += [(post_id, {"fields": fields}) for fields in _COUNTS.values()]
            calls += [
                (f"{post_id}/insights", {"metric": metric, "period": "lifetime"})
                for metric in METRICS.values()
            ]
        if start:
            client.heed()
        answers = client.batch(calls)
        for error in answers:
            if isinstance(error, RateLimited) or (
                isinstance(error, AuthExpired) and error.code.split("/")[0] in ("190", "102")
            ):
                raise error
        for place, post_id in enumerate(some):
            own = dict(zip((*_COUNTS, *METRICS), answers[place * _CALLS : (place + 1) * _CALLS], strict=True))
            node = own["shares"]
            if not (isinstance(node, AdapterError) and is_missing(node)):
                found[post_id] = _reach(own)
    return found


def _reach(answers: Mapping[str, dict[str, Any] | AdapterError]) -> Reach:
    raw: dict[str, Json] = {}
    values: dict[str, int | None] = {}
    why: dict[str, Why] = {}
    for name, answer in answers.items():
        key = METRICS.get(name, name)
        if isinstance(answer, AdapterError):
            raw[key], values[name], why[name] = {"refused": answer.code or answer.kind}, None, "refused"
        else:
            raw[key] = _value(name, answer)
            values[name] = value if type(value := raw[key]) is int else None
    return Reach(**values, raw=raw, why=why)


def _value(name: str, answer: Mapping[str, Any]) -> Json:
    """The platform's value where it stands; None if the place is empty, which is not zero."""
    try:
        if name == "shares":  # left out by Facebook where nobody shared, and where it does not say
            found: Json = answer["shares"]["count"]
        elif name in _COUNTS:
            found = answer["reactions" if name == "likes" else "comments"]["summary"]["total_count"]
        else:
            (row,) = (row for row in answer["data"] if row["name"] == METRICS[name])
            found = row["values"][0]["value"]
    except (LookupError, TypeError, ValueError):
        return None
    return found

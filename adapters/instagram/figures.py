"""The figures of Instagram posts: which metrics each kind of post has, and what an empty answer means.

``reach`` is unique people, ``views`` times shown; what Instagram does not say stays None. Facts:
PLATFORMS.md, Instagram e, November 2026. This module makes no call itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adapters.contract import Json, Reach, Why
from adapters.errors import AdapterError, AuthExpired, Rejected
from adapters.meta.containers import insight_values

Call = tuple[str, Mapping[str, object]]
#: Makes several reading calls; an AdapterError stands where one was refused.
Many = Callable[[Sequence[Call]], list[dict[str, Any] | AdapterError]]

_COMMON = ("views", "reach", "likes", "comments", "saved", "shares", "total_interactions")
#: media_product_type -> metrics. One wrong name fails the whole call, so these are kept short.
METRICS: Mapping[str, tuple[str, ...]] = {
    "FEED": (*_COMMON, "follows", "profile_visits"),
    "REELS": (*_COMMON, "ig_reels_avg_watch_time", "ig_reels_video_view_total_time"),
    "STORY": ("views", "reach", "shares", "total_interactions", "replies", "navigation"),
}
#: Ours -> Instagram's.
NAMES = {
    "views": "views",
    "reach": "reach",
    "likes": "likes",
    "comments": "comments",
    "shares": "shares",
    "saves": "saved",
    "profile_visits": "profile_visits",
}


def figures(many: Many, remote_ids: Sequence[str]) -> dict[str, Reach]:
    """Given ids of posts, return the figures of those that Instagram knows.

    A metric that is refused is asked for alone, and its code kept in ``raw``. Code 10 on figures means too
    few viewers (stories: under five), not missing rights; ``verify`` tells the rights.
    """
    kinds: dict[str, str] = {}
    for id_, answer in _each(many, remote_ids, {"fields": "id,media_product_type"}):
        if isinstance(answer, AdapterError):
            _raise_unless_about_the_post(answer)
        else:
            kinds[id_] = str(answer.get("media_product_type") or "FEED")
    raw: dict[str, dict[str, Json]] = {id_: {"media_product_type": kind} for id_, kind in kinds.items()}
    refused: dict[str, dict[str, Json]] = {id_: {} for id_ in kinds}
    asked = [(id_, METRICS.get(kind, _COMMON)) for id_, kind in kinds.items()]
    again: list[tuple[str, tuple[str, ...]]] = []
    for id_, names, answer in _insights(many, asked):
        if not isinstance(answer, AdapterError):
            raw[id_] |= insight_values(answer)
        elif _about_few_viewers(answer):
            refused[id_] |= dict.fromkeys(names, answer.code)
        else:
            _raise_unless_about_the_post(answer)
            again += [(id_, (name,)) for name in names]
    for id_, names, answer in _insights(many, again):
        if isinstance(answer, AdapterError):
            if not _about_few_viewers(answer):
                _raise_unless_about_the_post(answer)
            refused[id_][names[0]] = answer.code
        else:
            raw[id_] |= insight_values(answer)
    return {id_: _reach(raw[id_], refused[id_], METRICS.get(kind, _COMMON)) for id_, kind in kinds.items()}


def _each(
    many: Many, ids: Sequence[str], params: Mapping[str, object]
) -> list[tuple[str, dict[str, Any] | AdapterError]]:
    return list(zip(ids, many([(id_, params) for id_ in ids]), strict=True)) if ids else []


def _insights(
    many: Many, asked: Sequence[tuple[str, tuple[str, ...]]]
) -> list[tuple[str, tuple[str, ...], dict[str, Any] | AdapterError]]:
    if not asked:
        return []
    answers = many([(f"{id_}/insights", {"metric": ",".join(names)}) for id_, names in asked])
    return [(id_, names, answer) for (id_, names), answer in zip(asked, answers, strict=True)]


def _about_few_viewers(error: AdapterError) -> bool:
    return isinstance(error, AuthExpired) and error.code.partition("/")[0] == "10"


def _raise_unless_about_the_post(error: AdapterError) -> None:
    """100: no such post, or no such metric of it. Everything else is no answer about this post."""
    if not (error.code.partition("/")[0] == "100" or isinstance(error, Rejected)):
        raise error


def _reach(values: dict[str, Json], refused: dict[str, Json], offered: Sequence[str]) -> Reach:
    def count(name: str) -> int | None:
        value = values.get(NAMES[name])
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    raw: dict[str, Json] = {**values, "refused": refused} if refused else values
    why: dict[str, Why] = {name: "not-offered" for name, own in NAMES.items() if own not in offered}
    for name, own in NAMES.items():
        if own in refused:  # code 10: too few people have seen it so far
            why[name] = "not-yet" if str(refused[own]).partition("/")[0] == "10" else "refused"
    return Reach(**{name: count(name) for name in NAMES}, raw=raw, why=why)


__all__ = ["METRICS", "NAMES", "figures"]

"""The figures of Threads posts. Threads tells how often a post was shown, never how many people saw it.

Facts: PLATFORMS.md, Threads e, November 2026. This module knows no host and no token.
"""

from __future__ import annotations

from typing import Any, Protocol

from adapters.contract import Json, Reach, Why
from adapters.errors import AdapterError, Rejected, Transient
from adapters.meta.containers import insight_values
from adapters.threads.rules import GONE

#: Ours -> those of Threads.
NAMES = {"views": "views", "likes": "likes", "comments": "replies", "shares": "reposts+quotes+shares"}
METRICS = ("views", "likes", "replies", "reposts", "quotes", "shares")


class Read(Protocol):
    """Reads a path with parameters; raises AdapterError."""

    def __call__(self, path: str, **params: object) -> dict[str, Any]: ...


def figures(read: Read, id_: str) -> Reach | None:
    """The figures of one post; None if Threads does not know it."""
    values: dict[str, Json] = {}
    refused: dict[str, Json] = {}
    try:
        values |= insight_values(read(f"{id_}/insights", metric=",".join(METRICS)))
    except (Rejected, Transient) as error:
        if not _is_about_the_post(error):
            raise
        if not exists(read, id_):
            return None
        for name in METRICS:  # one metric that is not known fails the whole call
            try:
                values |= insight_values(read(f"{id_}/insights", metric=name))
            except (Rejected, Transient) as again:
                if not _is_about_the_post(again):
                    raise
                refused[name] = again.code
    return _reach(values, refused)


def exists(read: Read, id_: str) -> bool:
    """Whether Threads knows the post; True as well if it does not say."""
    try:
        read(id_, fields="id")
    except (Rejected, Transient) as error:
        return not is_gone(error)
    return True


def is_gone(error: AdapterError) -> bool:
    """Whether an answer says that there is no such post (or container)."""
    return error.code in GONE


def _is_about_the_post(error: AdapterError) -> bool:
    return is_gone(error) or error.code.partition("/")[0] == "100"


def _reach(values: dict[str, Json], refused: dict[str, Json]) -> Reach:
    def count(name: str) -> int | None:
        value = values.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    passed_on = [count(name) for name in ("reposts", "quotes", "shares")]
    known = [number for number in passed_on if number is not None]
    why: dict[str, Why] = {
        name: "refused" for name, own in NAMES.items() if any(one in refused for one in own.split("+"))
    }
    return Reach(
        views=count("views"),
        likes=count("likes"),
        comments=count("replies"),
        shares=sum(known) if len(known) == len(passed_on) else None,
        raw={**values, "refused": refused} if refused else values,
        why=why,
    )


__all__ = ["METRICS", "NAMES", "exists", "figures", "is_gone"]

"""Reading a Page back: is this post there, is this comment there, which figures does Facebook give?

Nothing here publishes or saves. Facts: PLATFORMS.md, "Facebook Page", d and e, November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from urllib.parse import parse_qs, urlsplit

from adapters.contract import N_, Found, Json, Post, Reach, Reply, Why
from adapters.errors import AdapterError, Ambiguous, AuthExpired, RateLimited
from adapters.hearing import unheard
from adapters.matching import same_text
from adapters.material import understanding
from adapters.meta.graph import BATCH, GraphClient, is_missing

HOME = "https://www.facebook.com"
#: Newest first, a hundred at a time; beyond so many pages the answer is "cannot tell".
PAGES = 10
_FIELDS = (
    "id,message,created_time,permalink_url,"
    "attachments{media_type,target{id},url,unshimmed_url,subattachments.limit(100){media_type,target{id}}}"
)
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


class Likeness(Enum):
    """How a listed post compares with the one that is looked for."""

    SAME = "text and media agree"
    NEAR = "nearly: a person must decide whether it is this one"
    OTHER = "another post"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a search of the listing showed; ``complete`` if it reached back to the start of the window."""

    post: Found | None = None
    near: bool = False
    complete: bool = True


def search(
    client: GraphClient,
    page: str,
    post: Post,
    wording: str,
    media_ids: Sequence[str],
    since: datetime,
    until: datetime,
) -> Seen:
    """Look for ``post`` among what the Page published from ``since`` to ``until`` (UTC).

    ``media_ids`` are those of its own uploads: a listed post that shows one of them is this one.
    The listing takes no ``since`` of its own, so it is read newest first until it is older.
    """
    near, cursor = False, None
    for _ in range(PAGES):
        answer = client.edge(page, "published_posts", fields=_FIELDS, limit=100, after=cursor)
        with understanding():
            items = answer["data"]
            times = [datetime.fromisoformat(item["created_time"]) for item in items]
            for item, at in zip(items, times, strict=True):
                if not since <= at <= until:
                    continue
                likeness = compare(item, post, wording, media_ids)
                if likeness is Likeness.SAME:
                    return Seen(Found(str(item["id"]), address(item), at))
                near = near or likeness is Likeness.NEAR
            cursor = _next(answer)
            if cursor is None or (times and times[-1] < since):
                return Seen(near=near)
    return Seen(near=near, complete=False)


def compare(item: Mapping[str, Any], post: Post, wording: str, media_ids: Sequence[str]) -> Likeness:
    """Compare one listed post (its fields as in ``_FIELDS``) with ``post``, whose text reads ``wording``."""
    shown = list(_attachments(item))
    targets = {str((one.get("target") or {}).get("id", "")) for one in shown}
    if targets & set(media_ids):
        return Likeness.SAME
    if not same_text(wording, str(item.get("message") or "")):
        return Likeness.OTHER
    photos = sum(one.get("media_type") == "photo" for one in shown)
    videos = sum(one.get("media_type") == "video" for one in shown)
    expected = sum(is_video(one.mime) for one in post.media)
    if (photos, videos) != (len(post.media) - expected, expected):
        return Likeness.OTHER
    if not wording.strip():
        return Likeness.NEAR  # pictures without a word: their number alone proves nothing
    if not post.link or post.media:
        return Likeness.SAME
    # Facebook shows the address that the linked page names as its own: another one proves nothing.
    return Likeness.SAME if _bare(post.link) in {_bare(_url(one)) for one in shown} else Likeness.NEAR


def find_comment(client: GraphClient, post_id: str, text: str, page_id: str) -> str | None:
    """Return the id of the Page's own comment ``text`` under a post, None if it is not there.

    Raise AdapterError if reading fails, Ambiguous if it is not among the first thousand, oldest first.
    """
    cursor = None
    for _ in range(PAGES):
        with unheard():
            answer = client.edge(
                post_id,
                "comments",
                fields="id,message,from{id}",
                filter="stream",
                order="chronological",
                limit=100,
                after=cursor,
            )
        with understanding():
            for item in answer["data"]:
                author = str((item.get("from") or {}).get("id", page_id))
                if author == page_id and same_text(text, str(item.get("message") or "")):
                    return str(item["id"])
            cursor = _next(answer)
        if cursor is None:
            return None
    raise Ambiguous(N_("The post has too many comments to look for ours among them."), code="too-many")


def replies(client: GraphClient, post_id: str, page_id: str) -> list[Reply]:
    """The comments under a post and the answers to them, oldest first, at most the first thousand.

    Needs pages_read_user_content; without it Facebook leaves out who wrote a comment, which is "" then.
    """
    told: list[Reply] = []
    cursor = None
    for _ in range(PAGES):
        answer = client.edge(
            post_id,
            "comments",
            fields="id,message,from{id,name},created_time,permalink_url,parent{id}",
            filter="stream",
            order="chronological",
            limit=100,
            after=cursor,
        )
        with understanding():
            for item in answer["data"]:
                author = item.get("from") or {}
                told.append(
                    Reply(
                        remote_id=str(item["id"]),
                        under=str((item.get("parent") or {}).get("id") or post_id),
                        author=str(author.get("name") or ""),
                        text=str(item.get("message") or ""),
                        written_at=datetime.fromisoformat(str(item["created_time"])),
                        url=str(item.get("permalink_url") or ""),
                        own=str(author.get("id") or "") == page_id,
                    )
                )
            cursor = _next(answer)
        if cursor is None:
            break
    return told


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


def is_video(mime: str) -> bool:
    """Whether a medium is a video."""
    return mime.startswith("video/")


def address(item: Mapping[str, Any]) -> str:
    """The public address of a node: videos come without the host; if none is told, the id leads there."""
    link = str(item.get("permalink_url") or item["id"])
    return link if link.startswith("http") else f"{HOME}/{link.lstrip('/')}"


def _attachments(item: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What a post shows, an album as its pictures."""
    for one in (item.get("attachments") or {}).get("data") or []:
        inner = (one.get("subattachments") or {}).get("data") or []
        yield from inner or [one]


def _next(answer: Mapping[str, Any]) -> str | None:
    paging = answer.get("paging") or {}
    return str(paging["cursors"]["after"]) if paging.get("next") else None


def _url(attachment: Mapping[str, Any]) -> str:
    url = str(attachment.get("unshimmed_url") or attachment.get("url") or "")
    parts = urlsplit(url)
    if (parts.hostname or "").endswith("facebook.com") and parts.path == "/l.php":
        return parse_qs(parts.query).get("u", [""])[0]
    return url


def _bare(url: str) -> str:
    """An address without what Facebook adds or drops: scheme, last slash, fragment, its click mark."""
    parts = urlsplit(url)
    query = "&".join(one for one in parts.query.split("&") if one and not one.startswith("fbclid="))
    return f"{(parts.hostname or '').lower()}{parts.path.rstrip('/')}?{query}"


__all__ = [
    "METRICS",
    "NAMES",
    "Likeness",
    "Seen",
    "address",
    "compare",
    "figures",
    "find_comment",
    "is_video",
    "replies",
    "search",
]

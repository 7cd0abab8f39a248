"""Reading a Page back: is this post there?

Nothing here publishes or saves. Facts: PLATFORMS.md, "Facebook Page", d and e, November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from urllib.parse import parse_qs, urlsplit

from adapters.contract import Found, Post
from adapters.matching import same_text
from adapters.material import understanding
from adapters.meta.graph import GraphClient

HOME = "https://www.facebook.com"
#: Newest first, a hundred at a time; beyond so many pages the answer is "cannot tell".
PAGES = 10
_FIELDS = (
    "id,message,created_time,permalink_url,"
    "attachments{media_type,target{id},url,unshimmed_url,subattachments.limit(100){media_type,target{id}}}"
)


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
            cursor = next_page(answer)
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


def next_page(answer: Mapping[str, Any]) -> str | None:
    """Where the next page begins; None after the last."""
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


__all__ = ["Likeness", "Seen", "address", "compare", "is_video", "next_page", "search"]

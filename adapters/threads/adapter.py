"""Threads: text, pictures, videos, carousels and chains of replies.

Threads fetches media from public addresses (``account.public_url``). The walk from container to post is
``adapters.meta.containers``; counting, limits and codes are in ``rules``. Each part of a thread, and the
first comment, is a post of its own that replies to the one before. Facts: PLATFORMS.md, Threads,
November 2026.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from adapters import shortfall
from adapters.answering import comment_gone
from adapters.contract import (
    N_,
    Absent,
    Account,
    Credentials,
    Finding,
    Found,
    Identity,
    Media,
    Post,
    Problem,
    Progress,
    Reach,
    Receipt,
    Reply,
    Unknown,
    counted,
)
from adapters.errors import (
    AccountHeld,
    AdapterError,
    AuthExpired,
    Duplicate,
    Rejected,
    Transient,
)
from adapters.meta.containers import (
    Memory,
    Piece,
    fingerprint,
    insight_values,
    moment,
    spent,
)
from adapters.meta.graph import THREADS, created
from adapters.meta.publisher import ContainerAdapter
from adapters.pictures import prepared
from adapters.threads import rules
from adapters.threads.figures import NAMES, figures
from adapters.threads.rules import Section

VERSION = "v1.0"
_LISTED = "id,text,timestamp,permalink,media_type,children,link_attachment_url"
_NEEDED = (
    "threads_basic",
    "threads_content_publish",
    "threads_manage_insights",
    "threads_manage_replies",
    "threads_read_replies",
    "threads_delete",
)


class ThreadsAdapter(ContainerAdapter):
    """One Threads profile. Option ``user_id`` (the token's own profile, "me", by default)."""

    platform: ClassVar[str] = "threads"
    codes: ClassVar[frozenset[str]] = frozenset(
        {
            *("comment-too-long", "no-public-media"),
            *("one-topic", "too-many-links"),
        }
    )
    metrics: ClassVar[Mapping[str, str]] = NAMES
    follower_metric: ClassVar[str] = "followers_count"
    api_version: ClassVar[str] = VERSION
    limits = rules.LIMITS
    reply_limits = rules.REPLY_LIMITS
    meanings = rules.CODES
    later = rules.LATER
    gone: ClassVar[Collection[str]] = rules.GONE
    first: ClassVar[str] = "part0"
    status_fields: ClassVar[tuple[str, str]] = ("status", "error_message")
    edge: ClassVar[str] = "threads_publish"
    full: ClassVar[str] = N_("Threads' publishing quota has no room: {used} of {total} in 24 hours are used.")
    host = THREADS

    def __init__(self, account: Account, now: Callable[[], datetime], **transport: Any) -> None:
        super().__init__(account, now, **transport)
        self.user = str(account.options.get("user_id") or "me")

    def check(self, post: Post) -> list[Problem]:
        parts = rules.sections(post, self.wording(post))
        return super().check(post) + rules.problems(parts, has_store=self.account.public_url is not None)

    def verify(self) -> Identity:
        me = self._get("me", fields="id,username")
        id_, name = str(me.get("id") or ""), str(me.get("username") or "")
        if not id_ or not name:
            raise Transient(N_("Threads did not say whose token this is. Check api_base of the account."))
        return Identity(id_, name, f"https://www.threads.net/@{name}", self._missing_permissions())

    def _missing_permissions(self) -> tuple[str, ...]:
        try:
            told = self._get("debug_token", input_token=self.account.secret("access_token")).get("data")
        except (AuthExpired, Rejected, Transient):
            return ()
        scopes = told.get("scopes") if isinstance(told, dict) else None
        return tuple(name for name in _NEEDED if name not in scopes) if isinstance(scopes, list) else ()

    def renew(self) -> Credentials | None:
        """The token, prolonged by 60 days."""
        from adapters.threads.login import renewed

        return renewed(self.account, self.now)

    def publish(self, post: Post, progress: Progress) -> Receipt:
        parts = self._wanted(post, progress)
        memories = [Memory(progress, part.name) for part in parts]
        self._ask_room(memories, as_post=post.reply_to is None)
        ids: list[str] = []
        for part, memory in zip(parts, memories, strict=True):
            looked = bool(memory.text("pending"))
            try:
                ids.append(self._walk.publish(self._piece(part, memory, _answered(part, ids, post))))
            except AdapterError as error:
                if post.reply_to is None or not self._is_gone(error, post.reply_to.comment):
                    self._left(error, post, ids, progress, looked=looked)
                    break
                raise comment_gone() from None
        return self._receipt(ids[0], memories[0], progress)

    @staticmethod
    def _left(
        error: AdapterError, post: Post, ids: Sequence[str], progress: Progress, *, looked: bool
    ) -> None:
        """Leave out what is refused for good after the first part; raise ``error`` in every other case."""
        # "Already there" is believed only after a look that did not show it.
        believed = isinstance(error, Rejected) or (isinstance(error, Duplicate) and looked)
        if not ids or not believed:
            raise error
        progress.save(refused=shortfall.sentence(post, len(ids), error))

    def _wanted(self, post: Post, progress: Progress) -> list[Section]:
        """The parts that are to be out: all of them, or those before the one that was refused for good."""
        parts = rules.sections(post, self.wording(post))
        if shortfall.remembered(progress):
            return [part for part in parts if Memory(progress, part.name).text("id")]
        return parts

    def find(self, post: Post, progress: Progress, since: datetime) -> Finding:
        """See :meth:`Adapter.find`. Found only if every part is there, and the first comment; of those that
        Threads did not refuse for good.

        Absent if the first is there and a later one is not, but only for a thread that was begun with this
        progress: publish() then goes on where the thread stops.
        """
        first: Found | None = None
        ids: list[str] = []
        for part in self._wanted(post, progress):
            memory = Memory(progress, part.name)
            found = self._walk.find(self._piece(part, memory, _answered(part, ids, post)), since)
            if isinstance(found, Found):
                first = first or found
                ids.append(found.remote_id)
            elif isinstance(found, Absent) and ids and not Memory(progress, "part0").text("pending"):
                return Unknown(N_("The beginning of the thread is there, but not all of it."))
            else:
                return found
        return replace(first, shortfall=shortfall.remembered(progress)) if first else Absent()

    def reach(self, remote_ids: Sequence[str]) -> Mapping[str, Reach]:
        """One call for each post: Threads has no batches. It knows views but no unique people."""
        told = {id_: figures(self._get, id_) for id_ in remote_ids}
        return {id_: reach for id_, reach in told.items() if reach is not None}

    def followers(self) -> int | None:
        """See :meth:`Adapter.followers`; it needs threads_manage_insights (PLATFORMS.md, Threads, e)."""
        return counted(
            insight_values(self._get("me/threads_insights", metric="followers_count")).get("followers_count")
        )

    def _written_under(self, id_: str) -> Sequence[Reply]:
        """The conversation under a post, which needs threads_manage_replies or threads_read_replies."""
        wanted = "id,text,username,timestamp,permalink,replied_to,is_reply_owned_by_me"
        found, _ = self._listed(f"{id_}/conversation", fields=wanted)
        return [
            Reply(
                str(one["id"]),
                _parent(one) or id_,
                str(one.get("username") or ""),
                str(one.get("text") or ""),
                at,
                str(one.get("permalink") or ""),
                bool(one.get("is_reply_owned_by_me")),
            )
            for one in found
            if one.get("id") and (at := moment(one.get("timestamp")))
        ]

    def remove(self, remote_id: str) -> None:
        """Delete the post and this account's own chain of replies under it, last first."""
        for id_ in [*reversed(self._chain(remote_id)), remote_id]:
            super().remove(id_)

    def _chain(self, root: str) -> list[str]:
        """The parts of a thread after its first; empty if Threads does not let us see them."""
        wanted = "id,replied_to,is_reply_owned_by_me,timestamp"
        try:
            replies, _ = self._listed(f"{root}/conversation", fields=wanted)
        except (AuthExpired, Rejected, Transient):
            return []
        chain = [root]
        for one in sorted(replies, key=lambda one: str(one.get("timestamp"))):
            if one.get("is_reply_owned_by_me") and _parent(one) in chain and one.get("id"):
                chain.append(str(one["id"]))
        return chain[1:]

    # From container to post

    def _piece(self, part: Section, memory: Memory, answered: str) -> Piece:
        media = [(item.sha256, item.alt) for item in part.media]
        return Piece(
            memory,
            fingerprint(part.text, part.link, media, answered),
            make=partial(self._make, part, answered),
            publish=self._publish,
            look=partial(self._look, part, answered),
        )

    def _make(self, part: Section, answered: str, memory: Memory) -> str:
        common: dict[str, object] = {"text": part.text or None, "reply_to_id": answered or None}
        if not part.media:
            link = {"link_attachment": part.link} if part.link else {}
            return self._container(media_type="TEXT", **common, **link)
        with tempfile.TemporaryDirectory(prefix="gaung-threads-") as folder:
            if len(part.media) == 1:
                return self._container(**self._medium(part.media[0], Path(folder)), **common)
            children = self._walk.carousel(
                memory,
                part.media,
                lambda item: self._container(is_carousel_item=True, **self._medium(item, Path(folder))),
                N_("Threads lost a part of the carousel; it is prepared anew later."),
            )
        return self._container(media_type="CAROUSEL", children=children, **common)

    def _medium(self, item: Media, folder: Path) -> dict[str, object]:
        public_url = self.account.public_url
        if public_url is None:
            words = N_(
                "Threads fetches media from a public address, and no public media store is configured."
            )
            raise Rejected(words, code="no-public-media")
        alt = {"alt_text": item.alt} if item.alt else {}
        if rules.is_video(item):
            return {"media_type": "VIDEO", "video_url": public_url(item), **alt}
        ready = prepared(item, rules.PICTURE, folder)
        return {"media_type": "IMAGE", "image_url": public_url(ready), **alt}

    def _container(self, **params: object) -> str:
        try:
            answer = self._post(f"{self.user}/threads", publishing=False, **params)
        except Transient as error:
            if error.code.endswith(rules.SPAM):  # nothing was published yet; asking again makes it worse
                raise AccountHeld(error.reason, code=error.code) from None
            if "LINK_LIMIT_EXCEEDED" in error.reason:  # Threads gives it no code of its own
                raise Rejected(error.reason, code=error.code) from None
            raise
        return created(answer, publishing=False)

    def _refusal(self, words: str) -> AdapterError | None:
        return rules.container_refusal(words)

    def _lost(self, error: AdapterError) -> bool:
        return error.code in self.gone or error.code == "100"  # "nonexisting field (status)"

    def _ask_room(self, memories: Sequence[Memory], *, as_post: bool) -> None:
        """Raise RateLimited unless there is room for everything that was never tried: no half threads."""
        new = [memory for memory in memories if not memory.text("id") and not memory.text("pending")]
        if new:
            posts = int(as_post and new[0] is memories[0])
            self._ask_quota(posts, len(new) - posts)

    def _used_up(self, posts: int = 1, replies: int = 0) -> tuple[int, int] | None:
        fields = "quota_usage,config,reply_quota_usage,reply_config"
        answer = self._get(f"{self.user}/threads_publishing_limit", fields=fields)
        quota = spent(answer, "quota_usage", "config", posts) if posts else None
        return quota or (spent(answer, "reply_quota_usage", "reply_config", replies) if replies else None)

    # Reading back

    def _look(self, part: Section, answered: str, since: datetime, until: datetime, out: bool) -> Finding:
        edge, fields = ("replies", f"{_LISTED},replied_to") if answered else ("threads", _LISTED)
        start = int(min(since, self.now()).timestamp()) - 1
        items, whole = self._listed(f"{self.user}/{edge}", since, fields=fields, since=start)
        found = [
            item
            for item in items
            if rules.fits(item, part, since, until) and (not answered or _parent(item) == answered)
        ]
        if (chosen := self._chosen(found, worded=bool(part.text.strip()), out=out)) is not None:
            return chosen
        return Absent() if whole else Unknown(N_("Threads' listing does not reach back far enough."))

    # Calls

    def _path(self, rest: str) -> str:
        return f"{VERSION}/{rest}"


def _answered(part: Section, ids: Sequence[str], post: Post) -> str:
    """Which post a part replies to: the one before; the first comment replies to the first post.

    What is first replies to nothing, unless it is an answer to a comment.
    """
    if not ids:
        return post.reply_to.comment if post.reply_to else ""
    return ids[0] if part.name == "comment" else ids[-1]


def _parent(item: Mapping[str, Any]) -> str:
    told = item.get("replied_to")
    return str(told.get("id") or "") if isinstance(told, dict) else ""


__all__ = ["ThreadsAdapter"]

"""What Instagram and Threads have in common: an account that publishes by containers over the Graph API.

The base of both adapters: its client, the states of containers, the day's quota, the permalink, comments and
deleting. What a container holds, how a listing is read and which words are said is each platform's own.
The walk from container to post is ``containers``. Facts: PLATFORMS.md, Instagram and Threads, November 2026.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Any, ClassVar

from adapters import shortfall
from adapters.contract import (
    N_,
    Account,
    Adapter,
    Finding,
    Found,
    Progress,
    RatePause,
    Receipt,
    Reply,
    Unknown,
)
from adapters.errors import AdapterError, RateLimited, Rejected, Transient
from adapters.meta.containers import Memory, State, Status, Wait, Walk, moment, pages
from adapters.meta.errors import Codes
from adapters.meta.graph import GraphClient, created
from adapters.transport import CONNECT_TIMEOUT, READ_TIMEOUT

#: The publishing quota counts over a rolling day and nobody says when the oldest post leaves it.
QUOTA_PAUSE = timedelta(hours=1)

Item = Mapping[str, Any]


class ContainerAdapter(Adapter):
    """One account that publishes by containers. ``wait`` takes seconds; tests give one that sleeps not."""

    secrets: ClassVar[tuple[str, ...]] = ("access_token",)
    hears: ClassVar[bool] = True
    has_quota: ClassVar[bool] = True
    #: Meta gives no number; the listings have been seen to follow within seconds.
    listing_lag: ClassVar[timedelta] = timedelta(minutes=5)
    #: Tokens that end live 60 days.
    renew_before: ClassVar[timedelta | None] = timedelta(days=10)

    #: What this platform's error codes mean, where they mean something of their own.
    meanings: ClassVar[Codes]
    #: Codes of explicit refusals at the publishing step: again with the same container, or with a new one.
    later: ClassVar[Collection[str]]
    anew: ClassVar[Collection[str]] = ()
    #: Codes that say that there is no such post.
    gone: ClassVar[Collection[str]] = ("100/33",)
    #: Under which name the first thing that goes out is remembered.
    first: ClassVar[str]
    #: The fields of a container that tell its status, and what is said of an error.
    status_fields: ClassVar[tuple[str, str]]
    #: The edge that publishes a container.
    edge: ClassVar[str]
    #: What is said when the quota is used up; with {used} and {total}.
    full: ClassVar[str]

    #: Where this account's calls go, and the id under which the platform knows it.
    host: str
    user: str

    def __init__(
        self,
        account: Account,
        now: Callable[[], datetime],
        *,
        wait: Wait = time.sleep,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
    ) -> None:
        super().__init__(account, now)
        self._timeouts = (connect_timeout, read_timeout)
        self._walk = Walk(now, wait, self._state, later=self.later, anew=self.anew)

    @cached_property
    def _client(self) -> GraphClient:
        token, (connect, read) = self.account.secret("access_token"), self._timeouts
        return GraphClient(
            self.account,
            self.now,
            token,
            codes=self.meanings,
            connect_timeout=connect,
            read_timeout=read,
            pace=self.heed,
        )

    def room(self) -> RatePause | None:
        if not self._used_up():
            return None
        return RatePause(self.now() + QUOTA_PAUSE, reason=N_("The platform's posts of 24 hours are used up."))

    def begun(self, progress: Progress) -> Receipt | None:
        memory = Memory(progress, self.first)
        id_ = memory.text("id")
        return Receipt(id_, memory.text("permalink")) if id_ else None

    def replies(self, remote_ids: Sequence[str]) -> Mapping[str, Sequence[Reply]]:
        """What was written under each post, and the answers to it; one call for each post."""
        told: dict[str, Sequence[Reply]] = {}
        for id_ in remote_ids:
            try:
                told[id_] = self._written_under(id_)
            except (Rejected, Transient) as error:
                if not self._is_gone(error, id_):
                    raise
        return told

    def remove(self, remote_id: str) -> None:
        try:
            self._client.delete(self.host, self._path(remote_id))
        except (Rejected, Transient) as error:
            if not self._is_gone(error, remote_id):
                raise

    # Each platform's own

    @abstractmethod
    def _used_up(self, posts: int = 1, replies: int = 0) -> tuple[int, int] | None:
        """Ask for the day's quota: (used, total) if it has no room for so many more; None if it has."""

    @abstractmethod
    def _written_under(self, id_: str) -> Sequence[Reply]:
        """The comments under one post."""

    @abstractmethod
    def _refusal(self, words: str) -> AdapterError | None:
        """What the words about a container in ERROR mean; None if they say nothing."""

    def _lost(self, error: AdapterError) -> bool:
        """Whether an answer says that there is no such container any more."""
        return error.code.partition("/")[0] == "100" or error.code in self.gone

    # Shared steps

    def _state(self, container: str) -> State:
        name, words = self.status_fields
        try:
            answer = self._get(container, fields=f"{name},{words}")
        except (Rejected, Transient) as error:
            if self._lost(error):
                return State(Status.UNREADABLE)
            raise
        try:
            status = Status[str(answer.get(name))]
        except KeyError:
            return State(Status.UNREADABLE)
        said = self._client.http.strip(str(answer.get(words) or ""))
        return State(status, self._refusal(said) if status is Status.ERROR else None)

    def _publish(self, container: str) -> str:
        answer = self._post(f"{self.user}/{self.edge}", publishing=True, creation_id=container)
        return created(answer, publishing=True)

    def _receipt(self, id_: str, memory: Memory, progress: Progress) -> Receipt:
        """The receipt of a post that is out, with its address; without one if the platform does not tell."""
        permalink = memory.text("permalink")
        if not permalink and (permalink := self._permalink(id_)):
            memory.note(permalink=permalink)
        return Receipt(id_, permalink, shortfall.remembered(progress))

    def _permalink(self, id_: str) -> str:
        try:
            return str(self._get(id_, fields="permalink").get("permalink") or "")
        except AdapterError:
            return ""

    def _ask_quota(self, posts: int = 1, replies: int = 0) -> None:
        """Raise RateLimited if the quota has no room. Documents disagree on the number: it is read."""
        if quota := self._used_up(posts, replies):
            raise RateLimited(self._full(quota), until=self.now() + QUOTA_PAUSE, code="quota")

    def _full(self, quota: tuple[int, int]) -> str:
        used, total = quota
        return self.full.format(used=used, total=total)

    def _chosen(self, found: Sequence[Item], *, worded: bool, out: bool) -> Finding | None:
        """The one of the listed posts that fit, None without any. ``out``: its container says it is out."""
        listed = sorted(found, key=lambda item: str(item["timestamp"]))
        if not listed:
            return None
        if not worded and not (out and len(listed) == 1):
            return Unknown(N_("Posts without words cannot be told apart; see whether this one is there."))
        one = listed[0]  # oldest first: the first copy is the one that counts
        return Found(str(one["id"]), str(one.get("permalink") or ""), moment(one["timestamp"]))

    def _is_gone(self, error: AdapterError, id_: str) -> bool:
        """Whether a refusal means that there is no such post: it is asked for once more."""
        return error.code in self.gone and not self._exists(id_)

    def _exists(self, id_: str) -> bool:
        """Whether the platform knows a post; True as well if it does not say."""
        try:
            self._get(id_, fields="id")
        except (Rejected, Transient) as error:
            return error.code not in self.gone
        return True

    # Calls

    def _path(self, rest: str) -> str:
        return f"{self._client.version}/{rest}"

    def _get(self, path: str, **params: object) -> dict[str, Any]:
        return self._client.get(self.host, self._path(path), params)

    def _post(self, path: str, *, publishing: bool, **params: object) -> dict[str, Any]:
        return self._client.post(self.host, self._path(path), params, publishing=publishing)

    def _listed(
        self, path: str, back_to: datetime | None = None, /, **params: object
    ) -> tuple[list[Item], bool]:
        """A listing, read back to a time (None: all of it); and whether it was read that far."""
        read = partial(self._get, path, **params)
        return pages(lambda page: read(**page), back_to)


__all__ = ["QUOTA_PAUSE", "ContainerAdapter", "Item"]

"""What worker threads do: one call of one adapter, and an honest answer whatever happens.

Workers never touch the database. Whatever an adapter raises that is not in the taxonomy counts as
"nobody knows" (DESIGN.md section 5).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, NamedTuple, TypeVar, cast

from adapters.contract import (
    NO_REPLIES,
    Absent,
    Adapter,
    Credentials,
    Finding,
    Found,
    Json,
    Kind,
    Media,
    Part,
    Post,
    Progress,
    RatePause,
    Reach,
    Receipt,
    Reply,
    ReplyTo,
    Unknown,
)
from adapters.errors import (
    AdapterError,
    AuthExpired,
    Misconfigured,
    Rejected,
    Stopped,
)
from adapters.hearing import listening
from adapters.matching import EARLIER
from adapters.transport import CONNECT_TIMEOUT, LONGEST_UPLOAD, READ_TIMEOUT, SLOWEST_UPLOAD, fenced
from scheduler.engine import sound
from scheduler.engine.retry import Outcome
from scheduler.store.claiming import Claim
from scheduler.store.content import Stored
from scheduler.store.media import MediaFolder

log = logging.getLogger("gaung.calls")


T = TypeVar("T")


class Told(NamedTuple, Generic[T]):
    """What a call brought: its answer, and the pause that the platform asks for ahead of a refusal."""

    answer: T
    pause: RatePause | None


class Published(NamedTuple):
    """As :class:`Told`, of publishing; and what the platform answered, word for word but for secrets."""

    answer: Outcome
    pause: RatePause | None
    heard: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of every post that was asked for, by remote id, and where they come from."""

    posts: Mapping[str, Reach]
    names: Mapping[str, str]
    """What the platform calls its figures: ours -> its own."""
    api: str = ""
    """The version of its interface."""


@dataclass(frozen=True, slots=True)
class Followers:
    """How many people follow an account, None if the platform did not say; its own name for that."""

    count: int | None
    name: str
    api: str = ""


@dataclass(frozen=True, slots=True)
class _Kept:
    """The progress of attempts that are over: nothing is added to it."""

    saved: Mapping[str, Json]

    def save(self, **facts: Json) -> None:
        """Nobody keeps it."""

    def note(self, **facts: Json) -> None:
        """Nobody keeps it."""


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls, with what they need: adapters by account id, the approved media, the time."""

    adapter: Callable[[str], Adapter]
    """Makes the adapter of an account; raises AuthExpired if its secrets or settings are missing."""
    media: MediaFolder
    now: Callable[[], datetime]

    def publish(self, claim: Claim, progress: Progress, held: Callable[[], bool] = lambda: True) -> Published:
        """Publish a claimed delivery once; as soon as it is no longer ``held``, nothing more is sent."""

        def send(adapter: Adapter) -> Outcome:
            for item in _items(claim):
                if not self.media.intact(item["sha256"], item["name"]):
                    reason = f"the approved file {item['name']} is missing or was changed"
                    raise Rejected(reason, code="media")
            if claim.reply_to and adapter.reply_limits is None:  # it would make a post of it
                raise Rejected(NO_REPLIES, code="no-replies")
            with fenced(held):
                return sound.outcome(adapter.publish(self.post(claim), progress))

        with listening() as heard:
            told = self._told(claim.account_id, "publish", send)
        answer = told.answer
        if isinstance(answer, Stopped):
            answer = self._stopped(claim, progress, answer)
        return Published(answer, told.pause, heard)

    def _stopped(self, claim: Claim, progress: Progress, stop: Stopped) -> Outcome:
        """Ended by a stop at a save, so nothing is in doubt; but that save may have been the last step."""
        match self.find(claim, progress).answer:
            case Found(remote_id, permalink, shortfall=shortfall) if remote_id:
                return Receipt(remote_id, permalink, shortfall)
        if part := self.begun(claim.account_id, progress.saved):
            stop.remote_id, stop.permalink = part.remote_id, part.permalink
        return stop

    def begun(self, account_id: str, saved: Mapping[str, Json]) -> Receipt | None:
        """What is known to be public of a post that did not go out whole, by what its attempts ``saved``."""
        match self._told(account_id, "begun", lambda adapter: adapter.begun(_Kept(saved))).answer:
            case Receipt(remote_id, permalink) if remote_id:
                return Receipt(sound.text(remote_id), sound.text(permalink))
        return None

    def find(self, claim: Claim, progress: Progress) -> Told[Finding | AdapterError]:
        """Look for a delivery whose outcome is unknown; an absence seen too soon proves nothing."""

        def look(adapter: Adapter) -> Finding:
            found = sound.finding(adapter.find(self.post(claim), progress, claim.first_try_at - EARLIER))
            if not isinstance(found, Absent):
                return found
            if claim.at < (listed := claim.last_try_at + adapter.listing_lag):
                return Unknown("the platform may not list it yet", listed)
            if claim.lost_at and claim.at < (over := claim.lost_at + self.longest(claim)):
                return Unknown("the call that was given up may still be under way", over)
            return found

        return self._told(claim.account_id, "find", look)

    def longest(self, claim: Claim) -> timedelta:
        """How long the last request of a lost attempt may go on: what the transport allows for it."""
        size = sum(self.media.size(item["sha256"], item["name"]) for item in _items(claim))
        return timedelta(seconds=CONNECT_TIMEOUT + READ_TIMEOUT + min(size / SLOWEST_UPLOAD, LONGEST_UPLOAD))

    def reach(self, account_id: str, remote_ids: Sequence[str]) -> Told[Figures | AdapterError]:
        """Ask for figures of posts; each post gets an answer, each unknown figure a reason."""

        def ask(adapter: Adapter) -> Figures:
            figures = adapter.explained(remote_ids, sound.figures(adapter.reach(remote_ids)))
            json.dumps([dict(one.raw) for one in figures.values()], allow_nan=False)  # or no store took it
            return Figures(figures, dict(adapter.metrics), adapter.api_version)

        return self._told(account_id, "reach", ask)

    def followers(self, account_id: str) -> Told[Followers | AdapterError | None]:
        """Ask how many people follow an account; None if its platform tells that to nobody."""

        def ask(adapter: Adapter) -> Followers | None:
            if not adapter.follower_metric:
                return None
            return Followers(sound.number(adapter.followers()), adapter.follower_metric, adapter.api_version)

        return self._told(account_id, "followers", ask)

    def room(self, account_id: str) -> Told[RatePause | AdapterError | None]:
        """Ask whether the platform takes another post of an account; None if it does."""

        def ask(adapter: Adapter) -> RatePause | None:
            return sound.pause(adapter.room())

        return self._told(account_id, "room", ask)

    def replies(
        self, account_id: str, remote_ids: Sequence[str], known: Mapping[str, str], most: int | None = None
    ) -> Told[Mapping[str, Sequence[Reply]] | AdapterError | None]:
        """Ask for what people wrote under posts; None if this platform tells that to nobody.

        Where each comment is billed, ``most`` may be told, newer than the one that is ``known`` of each post.
        """

        def ask(adapter: Adapter) -> Mapping[str, Sequence[Reply]] | None:
            if not adapter.hears:
                return None
            if adapter.billed_comment:
                asked = {id_: known.get(id_, "") for id_ in remote_ids}
                told = adapter.replies_since(asked, most or 0)
            else:
                told = adapter.replies(remote_ids)
            return {id_: sound.replies(found) for id_, found in told.items()}

        return self._told(account_id, "replies", ask)

    def remove(self, account_id: str, remote_id: str) -> AdapterError | None:
        """Delete a post; None once it is certainly gone."""
        return self._told(account_id, "remove", lambda adapter: adapter.remove(remote_id)).answer

    def renew_before(self, account_id: str) -> timedelta | None:
        """How long before their end the credentials of an account are renewed; None for never."""
        with suppress(Exception):  # whatever is wrong with it, who uses it is told
            return self.adapter(account_id).renew_before
        return None

    def renew(self, account_id: str) -> Credentials | AdapterError | None:
        """Renew the credentials of an account."""
        return self._told(account_id, "renew", lambda adapter: adapter.renew()).answer

    def _told(self, account_id: str, action: str, call: Callable[[Adapter], T]) -> Told[T | AdapterError]:
        """Make a call of an adapter; whatever it raises is an answer."""
        adapter: Adapter | None = None
        answer: T | AdapterError
        try:
            adapter = self.adapter(account_id)
            answer = call(adapter)
        except Misconfigured as error:
            answer = AuthExpired(str(error), code="misconfigured")
        except BaseException as error:  # a worker that dies without an answer would hold its post for ever
            if not isinstance(error, AdapterError):
                log.exception("unexpected", extra={"action": action, "account": account_id})
            answer = sound.error(error)
        pause: RatePause | None = None
        with suppress(Exception):  # nor may what it says of the next call take away the answer to this one
            pause = sound.pause(adapter.pause) if adapter else None
        return Told(answer, pause)

    def post(self, claim: Claim) -> Post:
        """The post as the adapter is to see it."""
        return stored_post(claim, self.media, claim.key)


def stored_post(content: Stored, folder: MediaFolder, key: str = "") -> Post:
    """A stored content as adapters see it, its media in the folder of what was approved."""

    def media(items: Sequence[Mapping[str, Any]]) -> tuple[Media, ...]:
        return tuple(
            Media(
                path=folder.path(item["sha256"], item["name"]),
                sha256=item["sha256"],
                mime=item["mime"],
                alt=item["alt"],
                width=item["width"],
                height=item["height"],
            )
            for item in items
        )

    return Post(
        key=key,
        text=content.text,
        link=content.link,
        media=media(content.media),
        kind=cast("Kind", content.kind),
        thread=tuple(Part(part["text"], media(part["media"])) for part in content.thread),
        first_comment=content.first_comment,
        reply_to=ReplyTo(**content.reply_to) if content.reply_to else None,
    )


def _items(claim: Claim) -> Sequence[Mapping[str, Any]]:
    """Every file of a post."""
    return (*claim.media, *(item for part in claim.thread for item in part["media"]))

"""The way a post goes out on Instagram and Threads: a container is made, processed, then published.

The container's id is the handle that makes a second try safe: it is saved before it is published, and its
state says afterwards whether it went out. This module knows that walk and what to ask after a crash; what
a container holds, how a listing is read and which host is called is the platform's own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from adapters.contract import N_, Absent, Finding, Found, Json, Media, Progress, Unknown
from adapters.errors import AdapterError, Ambiguous, Rejected, Transient
from adapters.matching import EARLIER, LATER

#: Seconds between looks at a container that is being processed; Meta asks for once a minute, five at most.
PAUSES: tuple[float, ...] = (2, 5, 10, 20, 30, 60, 60, 60, 60)
#: Seconds before a container that was "not ready" or "not found" is published again (Meta: 30 s to 2 min).
PUBLISH_PAUSES: tuple[float, ...] = (30, 60)
#: Containers made in one attempt before the engine's own backoff takes over.
ROUNDS = 3

Wait = Callable[[float], None]


class Status(Enum):
    """Where a container stands, as Instagram (``status_code``) and Threads (``status``) both name it."""

    IN_PROGRESS = "being processed"
    FINISHED = "ready to be published"
    ERROR = "could not be processed"
    EXPIRED = "not published within 24 hours"
    PUBLISHED = "the post is out"
    UNREADABLE = "the platform does not tell (or no longer knows the container)"


@dataclass(frozen=True, slots=True)
class State:
    """The status of a container; ``refusal`` is what an ERROR means, if the platform said why."""

    status: Status
    refusal: AdapterError | None = None


class Memory:
    """What is durably known of one piece of a post: one name in the progress, one object under it.

    ``container``; ``children`` (of a carousel); ``made_of`` (what they hold); ``since`` and ``pending``,
    when the piece was first and last about to be published; ``id`` and ``permalink`` once it is out.
    """

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress = progress
        self._name = name

    @property
    def saved(self) -> Mapping[str, Json]:
        found = self._progress.saved.get(self._name)
        return found if isinstance(found, dict) else {}

    def text(self, name: str) -> str:
        value = self.saved.get(name)
        return value if isinstance(value, str) else ""

    def time(self, name: str) -> datetime | None:
        return datetime.fromisoformat(self.text(name)) if self.text(name) else None

    def children(self) -> dict[str, str]:
        found = self.saved.get("children")
        return {k: str(v) for k, v in found.items()} if isinstance(found, dict) else {}

    def save(self, **facts: Json) -> None:
        self._progress.save(**{self._name: {**self.saved, **facts}})

    def note(self, **facts: Json) -> None:
        """As :meth:`save`, but with the answer of this call: for its last step."""
        self._progress.note(**{self._name: {**self.saved, **facts}})

    def forget_container(self) -> None:
        self.save(container="", children={})


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing to be published: a post, or one part of a thread."""

    memory: Memory
    made_of: str
    make: Callable[[Memory], str]
    """Make the container (what is saved of it in the memory is used again) and return its id."""
    publish: Callable[[str], str]
    """Publish a container and return the id of the post; raises AdapterError."""
    look: Callable[[datetime, datetime, bool], Finding]
    """Look for the piece in the account's listing between two times; True: its container says it is out."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Leads pieces from container to post. ``later`` and ``anew`` are codes of explicit refusals at the
    publishing step: to be tried again with the same container, or with a new one."""

    now: Callable[[], datetime]
    wait: Wait
    state: Callable[[str], State]
    later: Collection[str]
    anew: Collection[str]

    def publish(self, piece: Piece) -> str:
        """Return the id of the published piece; resumes where an earlier attempt stopped.

        Raises Ambiguous where an earlier attempt may have published it and nobody can tell.
        """
        memory = piece.memory
        if known := memory.text("id"):
            return known
        if memory.text("pending") and (known := self._adopt(piece)):
            return known
        if memory.text("made_of") != piece.made_of:
            memory.save(made_of=piece.made_of, container="", children={})
        for _ in range(ROUNDS):
            if known := self._round(piece):
                return known
        raise Transient(N_("The platform lost the prepared post several times; it is prepared anew later."))

    def find(self, piece: Piece, since: datetime) -> Finding:
        """See :meth:`adapters.contract.Adapter.find`, for one piece; saves nothing."""
        memory = piece.memory
        if known := memory.text("id"):
            return Found(known, memory.text("permalink"))
        state = self._saved_state(memory)
        until = self.now() + LATER
        found = piece.look(since, until, state is Status.PUBLISHED)
        if not isinstance(found, Absent):
            return found
        if state is Status.PUBLISHED:
            return Unknown(N_("The platform says that the post is out, but does not list it."))
        if state is Status.UNREADABLE and memory.text("pending"):
            return Unknown(N_("The platform does not list the post, and does not tell what became of it."))
        return found

    def settled(self, container: str) -> State:
        """Wait until the platform has processed a container; raise Transient if it takes too long."""
        for pause in PAUSES:
            state = self.state(container)
            if state.status is not Status.IN_PROGRESS:
                return state
            self.wait(pause)
        state = self.state(container)
        if state.status is Status.IN_PROGRESS:
            raise Transient(
                N_("The platform is still processing the media; the post goes on from there later."),
                code="in-progress",
            )
        return state

    def carousel(
        self, memory: Memory, media: Sequence[Media], make: Callable[[Media], str], lost: str
    ) -> str:
        """The ids of a carousel's parts, joined: made one by one, each saved at once, and all processed.

        ``lost`` is said if the platform has not kept one of them: the next attempt makes them all anew.
        """
        children = memory.children()
        for number, item in enumerate(media):
            if str(number) not in children:
                children[str(number)] = make(item)
                memory.save(children=dict(children))
        ids = [children[str(number)] for number in range(len(media))]
        for id_ in ids:
            state = self.settled(id_)
            if state.status is not Status.FINISHED:
                memory.forget_container()
                raise state.refusal or Transient(lost, code=state.status.name)
        return ",".join(ids)

    def _round(self, piece: Piece) -> str:
        """One container, from making to publishing; empty if a new one is needed."""
        memory = piece.memory
        container = memory.text("container")
        if not container:
            container = piece.make(memory)
            memory.save(container=container)
        state = self.settled(container)
        if state.status is Status.PUBLISHED:
            return self._adopt(piece)
        if state.status is Status.FINISHED:
            return self._put_out(piece, container)
        memory.forget_container()
        if state.refusal is not None:
            raise state.refusal
        return ""

    def _put_out(self, piece: Piece, container: str) -> str:
        """Publish a finished container; empty if the platform refuses that very container."""
        memory = piece.memory
        for pause in (*PUBLISH_PAUSES, None):
            at = self.now().astimezone(UTC).isoformat()
            memory.save(pending=at, since=memory.text("since") or at)
            try:
                known = piece.publish(container)
            except AdapterError as error:
                if isinstance(error, Ambiguous) or error.code not in (*self.later, *self.anew):
                    raise
                # An explicit refusal; but these have come although the post was out, so ask first.
                if adopted := self._adopt(piece, refused=True):
                    return adopted
                if error.code in self.anew or pause is None:
                    break
                self.wait(pause)
            else:
                memory.save(id=known)
                return known
        memory.forget_container()
        return ""

    def _adopt(self, piece: Piece, *, refused: bool = False) -> str:
        """After a try whose end is unknown: the id if the piece is out, empty if it certainly is not.

        ``refused``: the platform has just said no, so a container that it no longer knows is no riddle.
        """
        memory = piece.memory
        try:
            state = self._saved_state(memory)
        except Rejected as error:
            raise _not_seen(error) from None
        if refused and state not in (Status.PUBLISHED, Status.UNREADABLE):
            return ""
        since = memory.time("since") or self.now()
        try:
            found = piece.look(since - EARLIER, self.now() + LATER, state is Status.PUBLISHED)
        except Rejected as error:
            raise _not_seen(error) from None
        match found:
            case Found(remote_id, permalink):
                memory.save(id=remote_id, permalink=permalink)
                return remote_id
            case Unknown(reason):
                raise Ambiguous(reason, code="look-back")
            case _ if state is Status.PUBLISHED:
                words = N_("The platform says that the post is out, but does not list it yet.")
                raise Ambiguous(words, code="not-listed")
            case _ if state is Status.UNREADABLE and not refused:
                words = N_("Nobody knows what became of an earlier try; the platform does not tell.")
                raise Ambiguous(words, code="look-back")
            case _:
                return ""

    def _saved_state(self, memory: Memory) -> Status | None:
        container = memory.text("container")
        return self.state(container).status if container else None


def _not_seen(error: AdapterError) -> Ambiguous:
    """What a refused look means where an earlier try may have published: it proves nothing."""
    return Ambiguous(error.reason, code=error.code)


def fingerprint(*things: object) -> str:
    """A short hash of what a container holds: a container of other content is never published."""
    return hashlib.sha256(json.dumps(things, default=str).encode()).hexdigest()[:16]


def pages(
    read: Callable[[Mapping[str, object]], Mapping[str, Any]], since: datetime | None, most: int = 10
) -> tuple[list[Mapping[str, Any]], bool]:
    """Read a listing, newest first, back to ``since`` (None: all of it), by its items' ``timestamp``.

    Return the items and whether it was read that far within ``most`` pages.
    """
    items: list[Mapping[str, Any]] = []
    after: object = None
    for _ in range(most):
        answer = read({"limit": 50, "after": after})
        some = answer.get("data")
        if not isinstance(some, list):
            raise Transient(N_("The platform's answer was not understood. Try again later."))
        items += [item for item in some if isinstance(item, dict)]
        paging = answer.get("paging")
        cursors = paging.get("cursors") if isinstance(paging, dict) else None
        after = cursors.get("after") if isinstance(cursors, dict) else None
        ended = not some or not isinstance(paging, dict) or not paging.get("next") or not after
        last = moment(some[-1].get("timestamp")) if some and isinstance(some[-1], dict) else None
        if ended or (since is not None and last is not None and last < since):
            return items, True
    return items, False


def moment(value: object) -> datetime | None:
    """Meta's ``2026-12-09T01:00:00+0000``, as UTC; None if it is no time."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None


def spent(answer: Mapping[str, Any], usage: str, config: str, needed: int = 1) -> tuple[int, int] | None:
    """Given a publishing limit, return (used, total) if it has no room for ``needed``; None if it has.

    None, too, if it does not say: the platform will.
    """
    data = answer.get("data")
    entry = data[0] if isinstance(data, list) and data and isinstance(data[0], dict) else {}
    used, told = entry.get(usage), entry.get(config)
    total = told.get("quota_total") if isinstance(told, dict) else None
    if isinstance(used, int) and isinstance(total, int) and used + needed > total:
        return used, total
    return None


def insight_values(answer: Mapping[str, Any]) -> dict[str, Json]:
    """Given an insights answer, return name -> value.

    Empty data, or a metric without a value, is unknown: it is left out, never 0.
    """
    values: dict[str, Json] = {}
    data = answer.get("data")
    for entry in data if isinstance(data, list) else []:
        if not isinstance(entry, dict):
            continue
        total, listed = entry.get("total_value"), entry.get("values")
        value = total.get("value") if isinstance(total, dict) else None
        if value is None and isinstance(listed, list) and listed and isinstance(listed[-1], dict):
            value = listed[-1].get("value")
        if value is not None:
            values[str(entry.get("name"))] = value
    return values


__all__ = [
    "PAUSES",
    "PUBLISH_PAUSES",
    "Memory",
    "Piece",
    "State",
    "Status",
    "Wait",
    "Walk",
    "fingerprint",
    "insight_values",
    "moment",
    "pages",
    "spent",
]

"""How worker threads reach the dispatcher thread: one queue of messages, and answers to some of them."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adapters.contract import Credentials, Finding, Json, RatePause, Reply
from adapters.errors import AdapterError, Ambiguous, Stopped
from scheduler.engine.calls import Figures, Followers
from scheduler.engine.retry import Outcome
from scheduler.i18n import N_
from scheduler.store.claiming import Claim
from scheduler.store.remembering import Saved


@dataclass(frozen=True, slots=True)
class Answered:
    """A publishing call came back."""

    claim: Claim
    outcome: Outcome
    at: datetime
    pause: RatePause | None = None
    heard: Sequence[Mapping[str, Any]] = ()
    """What the platform answered, word for word but for secrets."""
    noted: Mapping[str, Json] | None = None
    """The whole progress, if the adapter has noted something that is not committed yet."""


@dataclass(frozen=True, slots=True)
class Unbegun:
    """A post had waited for a worker for too long: no call was made."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class Looked:
    """A look at the platform came back."""

    claim: Claim
    finding: Finding | AdapterError
    at: datetime
    pause: RatePause | None = None
    noted: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures came back, by remote id; ``asked`` maps remote ids to deliveries."""

    account_id: str
    asked: Mapping[str, int]
    figures: Figures | AdapterError
    at: datetime
    pause: RatePause | None = None


@dataclass(frozen=True, slots=True)
class Renewed:
    """A renewal of credentials of a version came back; None if the platform needs none."""

    account_id: str
    version: int
    answer: Credentials | AdapterError | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Heard:
    """Comments came back, by remote id of the post; None if this platform tells none."""

    account_id: str
    asked: Mapping[str, int]
    replies: Mapping[str, Sequence[Reply]] | AdapterError | None
    at: datetime
    pause: RatePause | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """The followers of an account came back; None if its platform tells them to nobody."""

    account_id: str
    followers: Followers | AdapterError | None
    at: datetime
    pause: RatePause | None = None


@dataclass(frozen=True, slots=True)
class Roomed:
    """Whether a platform takes another post came back: the pause until it does, or None if it does now."""

    account_id: str
    room: RatePause | AdapterError | None
    at: datetime
    pause: RatePause | None = None


@dataclass(frozen=True, slots=True)
class SaveRequest:
    """An adapter wants its progress committed; ``done`` says whether it was, and whether to go on."""

    claim: Claim
    progress: Mapping[str, Json]
    done: Future[Saved] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class Wake:
    """Time to look at the clock: a date was reached, a tick passed, or a signal came."""


Message = Answered | Unbegun | Looked | Measured | Renewed | Heard | Counted | Roomed | SaveRequest | Wake


class Mailbox:
    """The dispatcher's queue. Putting is safe from any thread and from a signal handler."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._closed = False

    def put(self, message: Message) -> None:
        """Leave a message."""
        self._queue.put(message)
        if self._closed:
            self.close()

    def close(self) -> None:
        """Nobody reads any more: refuse every save, so that no worker waits for a commit for ever."""
        self._closed = True
        refuse(self.wait(0))

    def wait(self, seconds: float) -> list[Message]:
        """Wait for a message, at most ``seconds``, and return all that are there."""
        try:
            messages = [self._queue.get(timeout=seconds)] if seconds > 0 else []
        except queue.Empty:
            return []
        while True:
            try:
                messages.append(self._queue.get_nowait())
            except queue.Empty:
                return messages


def refuse(messages: Iterable[Message]) -> None:
    """Answer the saves among ``messages`` that will not be committed."""
    for message in messages:
        if isinstance(message, SaveRequest):
            message.done.set_result(Saved.LOST)


class MailedProgress:
    """The progress of an attempt in a worker thread: every save waits for the dispatcher's commit."""

    def __init__(self, claim: Claim, mailbox: Mailbox) -> None:
        self._claim = claim
        self._mailbox = mailbox
        self._saved: dict[str, Json] = dict(claim.progress)
        self._noted = False

    @property
    def saved(self) -> Mapping[str, Json]:
        """What was saved or noted so far."""
        return dict(self._saved)

    @property
    def noted(self) -> Mapping[str, Json] | None:
        """All of it, if there is something in it that no save has committed."""
        return self._saved if self._noted else None

    def note(self, **facts: Json) -> None:
        """Add facts that are committed with the answer."""
        json.dumps(facts, allow_nan=False)  # what cannot be stored fails here, not in the dispatcher
        self._saved |= facts
        self._noted = True

    def save(self, **facts: Json) -> None:
        """Add facts; raise Ambiguous if the delivery was taken from this attempt meanwhile.

        Raise Stopped, the facts committed, if the office has stopped it: nothing further is sent.
        """
        json.dumps(facts, allow_nan=False)  # what cannot be stored fails here, not in the dispatcher
        self._saved |= facts
        request = SaveRequest(self._claim, dict(self._saved))
        self._mailbox.put(request)
        answer = request.done.result()
        if answer is Saved.LOST:
            raise Ambiguous("the claim on this delivery was lost; the attempt stops here")
        self._noted = False
        if answer is Saved.STOPPED:
            raise Stopped(N_("It was ended between two steps."))

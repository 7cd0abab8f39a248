"""What is asked of platforms by the way: the part that all such errands share.

A call runs in a thread of its own and comes back through the mailbox; what it brings is kept by the
dispatcher's thread, in the order in which it came. No post waits for any of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, TypeVar

from scheduler.engine.mailbox import Counted, Heard, Message, Renewed, Roomed
from scheduler.engine.means import Means

Brought = TypeVar("Brought", Counted, Heard, Renewed, Roomed)


class Every:
    """An interval, by a clock that somebody may set back: then nothing waits for longer than it."""

    def __init__(self, interval: timedelta, at: datetime) -> None:
        """``at`` is the first time."""
        self.interval = interval
        self._at = at

    def reached(self, now: datetime) -> bool:
        """Whether it is time."""
        return now >= self._at or self._at - now > self.interval

    def done(self, now: datetime) -> None:
        """It was done: the next time is one interval later."""
        self._at = now + self.interval

    def at_once(self, now: datetime) -> None:
        """The next time is now."""
        self._at = now


class Errand(ABC, Generic[Brought]):
    """Asks for what is due. Every method is called from the dispatcher's thread."""

    brings: ClassVar[type[Any]]
    """The message in which its answers come."""
    goes_on: ClassVar[bool] = False
    """One call at a time: when it comes back, there may be more to ask for."""

    def __init__(self, means: Means, every: timedelta = timedelta(0)) -> None:
        """``every``: how often it is looked whether something is due."""
        self._means = means
        self._store, self._clock, self._calls = means.store, means.clock, means.calls
        self._treasury, self._node = means.treasury, means.node
        self._every = Every(every, means.clock.now())
        self._asked: list[str] = []
        """The accounts of which a call has not come back, or whose answer is not kept yet."""
        self._unkept: list[Brought] = []

    @property
    def in_flight(self) -> int:
        """Calls that have not come back, or whose answers are not kept yet."""
        return len(self._asked)

    def go(self, now: datetime, *, begin: bool) -> None:
        """Keep what came back, and if it may ``begin``, ask for what is due."""
        if self._unkept and self.goes_on:
            self._every.at_once(now)
        self.settle()
        if begin and self._every.reached(now):
            self.start(now)
            self._every.done(now)

    @abstractmethod
    def start(self, now: datetime) -> None:
        """Begin the calls that are due."""

    def take(self, messages: Sequence[Message]) -> list[Message]:
        """Take the answers that are for here, so that they outlast a failing turn; return the others."""
        self._unkept += [one for one in messages if isinstance(one, self.brings)]
        return [one for one in messages if not isinstance(one, self.brings)]

    def settle(self) -> None:
        """Keep what came back; a database that cannot be used now is asked again at the next turn."""
        while self._unkept:
            self._keep(self._unkept[0])
            self._asked.remove(self._unkept.pop(0).account_id)

    @abstractmethod
    def _keep(self, message: Brought) -> None:
        """Store what a call brought, in transactions of its own."""

    def _ask(self, account_id: str, call: Callable[[], Brought]) -> None:
        """Make a call for an account, in a thread of its own."""
        self._asked.append(account_id)
        self._means.errands.submit(lambda: self._means.mailbox.put(call()))

"""Calls of adapters that run one at a time, one step at a time: threads that are handed control.

The real worker code runs in real threads, as it does in the daemon; but a thread moves only while
:meth:`Strand.step` waits for it, from one pause to the next. So a run depends on nothing but its seed.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import datetime
from typing import Any

from scheduler.engine.mailbox import Mailbox, Message, SaveRequest
from scheduler.store.claiming import Claim


class Killed(BaseException):
    """The process is gone: nothing of it happens any more."""


class Strand(threading.Thread):
    """One call, which runs from pause to pause."""

    def __init__(self, name: str, call: Callable[[], object]) -> None:
        super().__init__(name=name, daemon=True)
        self.future: Future[Any] = Future()
        """As a thread pool gives it: nobody can take the call back once it has begun."""
        self.point = "before the call"
        """Where it stands."""
        self.ready_at: datetime | None = None
        """When it goes on; None for at once."""
        self.awaits: Future[Any] | None = None
        """What it waits for besides."""
        self.in_the_air: Callable[[], None] | None = None
        """What the platform does even if the process that asked for it is gone."""
        self.steps = 0
        self.done = False
        self._call = call
        self._killed = False
        self._mine, self._theirs = threading.Lock(), threading.Lock()
        self._mine.acquire()
        self._theirs.acquire()
        self._started_yet = False

    def ready(self, now: datetime) -> bool:
        """Whether it can go on."""
        if self.awaits is not None:
            return self.awaits.done()
        return self.ready_at is None or self.ready_at <= now

    def step(self) -> None:
        """Let it run to its next pause, or to its end."""
        self.steps += 1
        if not self._started_yet:
            self._started_yet = True
            self.future.set_running_or_notify_cancel()
            self.start()
        else:
            self._mine.release()
        self._theirs.acquire()

    def kill(self) -> None:
        """End it where it stands."""
        self._killed = True
        while self._started_yet and not self.done:
            self.step()

    def run(self) -> None:
        """The thread itself."""
        try:
            self._call()
        except Killed:
            pass
        finally:
            self.done = True
            self._theirs.release()

    def pause(self, point: str, until: datetime | None = None, awaits: Future[Any] | None = None) -> None:
        """Called in the thread: stop here until it is let on."""
        self.point, self.ready_at, self.awaits = point, until, awaits
        if not self._killed:
            self._theirs.release()
            self._mine.acquire()
        if self._killed:
            raise Killed

    @staticmethod
    def current() -> Strand:
        """The strand that runs this code."""
        strand = threading.current_thread()
        assert isinstance(strand, Strand)
        return strand


class Desk(Executor):
    """The executor of one daemon: each call becomes a strand, of which ``workers`` may be under way."""

    def __init__(self, made: Counter[str], workers: int) -> None:
        """``made`` counts the calls by name, over every life of the daemon: no two have the same name."""
        self.calls: list[Strand] = []
        self._made = made
        self._workers = workers

    @property
    def strands(self) -> list[Strand]:
        """What has begun, or finds a worker: calls begin in the order in which they came."""
        return self.calls[: self._workers]

    def forget_cancelled(self) -> int:
        """Forget the calls that were taken back before they began; return how many."""
        before = len(self.calls)
        self.calls = [one for one in self.calls if not one.future.cancelled()]
        return before - len(self.calls)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        about = args[0].key[:8] if args and isinstance(args[0], Claim) else "-"
        name = f"{getattr(fn, '__name__', 'call').strip('_')} {about}"
        self._made[name] += 1
        strand = Strand(f"{name} {self._made[name]}", lambda: fn(*args, **kwargs))
        self.calls.append(strand)
        return strand.future


class StepMailbox(Mailbox):
    """The mailbox of one daemon: who asks for a save stands still until it is answered."""

    def __init__(self) -> None:
        super().__init__()
        self.unread = 0

    def put(self, message: Message) -> None:
        """As :meth:`Mailbox.put`."""
        super().put(message)
        self.unread += 1
        if isinstance(message, SaveRequest):
            Strand.current().pause("in a progress save", awaits=message.done)

    def wait(self, seconds: float) -> list[Message]:
        """As :meth:`Mailbox.wait`."""
        self.unread = 0
        return super().wait(seconds)

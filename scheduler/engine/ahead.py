"""Posts that are claimed a moment before a worker is free for them, so that no worker waits for a commit.

How many: as many as will probably be wanted before the next turn, judged by how many calls came back in the
last second; none where platforms answer slowly. What waits longer than that, or is not to be sent any more,
is taken back before any call is made, and planned again. Used by the dispatcher's thread alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

#: Seconds by which the calls that came back are counted.
WINDOW = 1.0
#: Seconds for which a post may wait for a worker: so much later than planned may it go out, at most, and so
#: long after a stop was committed.
PATIENCE = 0.5


@dataclass(frozen=True, slots=True)
class _Waiting:
    call: Future[Any]
    since: float


class Ahead:
    """The posts of one daemon that wait for a worker. ``steady`` counts seconds."""

    def __init__(self, workers: int, span: float, steady: Callable[[], float]) -> None:
        """As many are wanted as workers come free in ``span`` seconds; never more than ``workers``."""
        self._workers = workers
        self._span = span
        self._steady = steady
        self._came: deque[tuple[float, int]] = deque()
        self._waiting: dict[int, _Waiting] = {}

    def __len__(self) -> int:
        """How many posts wait."""
        self._waiting = {
            id_: one for id_, one in self._waiting.items() if not (one.call.running() or one.call.done())
        }
        return len(self._waiting)

    def came(self, count: int) -> None:
        """So many publishing calls came back just now."""
        now = self._steady()
        if count:
            self._came.append((now, count))
        while self._came and now - self._came[0][0] >= WINDOW:
            self._came.popleft()

    def wanted(self) -> int:
        """How many posts should wait until the next turn."""
        rate = sum(count for _at, count in self._came) / WINDOW
        return min(int(rate * self._span), self._workers)

    def lined_up(self, delivery_id: int, call: Future[Any]) -> None:
        """The call for a post was handed to the workers, all of whom are busy."""
        self._waiting[delivery_id] = _Waiting(call, self._steady())

    def recall(self, *, everything: bool) -> list[int]:
        """Take back what has waited too long, or ``everything`` that waits; of that no call is ever made."""
        before = self._steady() - PATIENCE
        late = [id_ for id_, one in self._waiting.items() if everything or one.since <= before]
        taken = [id_ for id_ in late if self._waiting[id_].call.cancel()]
        for id_ in late:
            del self._waiting[id_]
        return taken

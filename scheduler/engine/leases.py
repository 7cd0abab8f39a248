"""Whose attempts are still alive, judged without trusting a clock that somebody can set.

An attempt is lost when its lease has run out by the database's clock *and* nobody has renewed it for
half a lease by this machine's steady clock: a clock set forward by an hour kills no call that is under
way elsewhere. If the holder's process is known to have ended, there is nothing to wait for. And a node
that could not renew a lease in time knows so itself, and lets its call send nothing more.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from scheduler.store.leases import Lease

#: Renewed so often in the time of one lease; others are looked at twice as often.
RENEWALS = 4


class Leases:
    """The leases of this node and what it has seen of the others'. ``steady`` counts seconds."""

    def __init__(self, lease: timedelta, steady: Callable[[], float], ended: Callable[[Lease], bool]) -> None:
        """``ended`` says whether the process that holds a lease is known to be no more."""
        self.lease = lease
        self._seconds = lease.total_seconds()
        self._steady = steady
        self._ended = ended
        self._until: dict[int, float] = {}
        self._renewed_at: float | None = None
        self._looked_at: float | None = None
        self._seen: dict[int, tuple[Lease, float]] = {}
        self.suspects = False
        """An attempt of another node looks lost, but has not been watched for long enough."""

    # This node's own.

    def taken(self, delivery_ids: Collection[int], at: float) -> None:
        """Leases were given or renewed in a transaction that began at ``at`` and is committed."""
        for delivery_id in delivery_ids:
            self._until[delivery_id] = at + self._seconds

    def given_back(self, delivery_id: int) -> None:
        """The call is over."""
        self._until.pop(delivery_id, None)

    def holds(self, delivery_id: int) -> bool:
        """Whether nobody else can have taken this attempt over yet; asked by worker threads too."""
        return self._steady() < self._until.get(delivery_id, 0.0)

    def must_renew(self) -> bool:
        """Whether a quarter of the lease has passed since the last renewal."""
        return self._due(self._renewed_at, RENEWALS)

    def renewed(self, delivery_ids: Collection[int], at: float) -> None:
        """A renewal of all that is in flight was committed."""
        self.taken(delivery_ids, at)
        self._renewed_at = at

    # The others'.

    def must_look(self) -> bool:
        """Whether it is time to look at the leases of the others."""
        return self._due(self._looked_at, 2 * RENEWALS)

    def look(self, leases: Sequence[Lease], now: datetime) -> tuple[list[Lease], list[Lease]]:
        """Given the leases of all others, return whose process has ended, and who is silent too long."""
        at = self._looked_at = self._steady()
        before = self._seen
        self._seen = {
            one.delivery_id: kept
            if (kept := before.get(one.delivery_id)) is not None and kept[0] == one
            else (one, at)
            for one in leases
        }
        ended = [one for one in leases if self._ended(one)]
        over = [one for one in leases if one not in ended and one.until is not None and one.until < now]
        silent = [one for one in over if at - self._seen[one.delivery_id][1] >= self._seconds / 2]
        self.suspects = len(over) > len(silent)
        return ended, silent

    def _due(self, last: float | None, times: int) -> bool:
        return last is None or self._steady() - last >= self._seconds / times


def place() -> str:
    """A name for where process numbers have one meaning: this boot of this machine, or of this container.

    Empty where that cannot be told; then no process is ever taken for ended.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return sha256(f"{boot} {Path('/proc/self/ns/pid').readlink()}".encode()).hexdigest()[:16]
    except OSError:
        return ""


def process_ended(lease: Lease) -> bool:
    """Whether the process that holds a lease ran here and is certainly no more."""
    if not lease.place or lease.place != place():
        return False
    try:
        status = Path(f"/proc/{lease.pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return True
    except OSError:
        return False
    # proc(5): the state follows the name, which is in parentheses; Z is a zombie, X is dead.
    return status.rpartition(")")[2].split()[0] in {"Z", "X"}


def whereabouts() -> tuple[str, int, str]:
    """Host, process number and :func:`place` of this process."""
    return socket.gethostname(), os.getpid(), place()

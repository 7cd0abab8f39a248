"""What every part of a daemon works with, handed on as one: the store, the clock, the calls, the mailbox."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass

from scheduler.clock import Clock
from scheduler.engine.calls import Calls
from scheduler.engine.mailbox import Mailbox
from scheduler.engine.treasury import Treasury
from scheduler.store.database import Store


@dataclass(frozen=True, slots=True)
class Means:
    """Of one daemon. Calls come back through ``mailbox``."""

    store: Store
    clock: Clock
    calls: Calls
    treasury: Treasury
    executor: Executor
    """Of the workers, who publish, look and measure: what is handed to it may wait for a free one."""
    errands: Executor
    """For what is asked by the way (comments, followers, room, renewals): it never waits for the workers."""
    mailbox: Mailbox
    node: str
    """The name under which it claims: no other daemon has it."""

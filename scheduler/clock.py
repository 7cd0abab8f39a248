"""The clock: the only place where the time of day enters, passed as an argument everywhere."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The current instant, in UTC, timezone-aware. It may be set, back or forward, at any time."""

    def steady(self) -> float:
        """Seconds since some moment in the past: never set, and counted on while the machine sleeps."""


#: CLOCK_MONOTONIC stands still while Linux sleeps (clock_gettime(2)); on macOS and for Python on Windows
#: it does not.
_STEADY: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


class SystemClock:
    """The clock of this computer."""

    def now(self) -> datetime:
        """The current instant by the system clock, in UTC."""
        return datetime.now(UTC)

    def steady(self) -> float:
        """Seconds since this computer was started, sleep included."""
        return time.monotonic() if _STEADY is None else time.clock_gettime(_STEADY)

"""The clock: the only place where the time of day enters, passed as an argument everywhere."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The current instant, in UTC, timezone-aware."""


class SystemClock:
    """The clock of this computer."""

    def now(self) -> datetime:
        """The current instant by the system clock, in UTC."""
        return datetime.now(UTC)

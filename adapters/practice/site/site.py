"""What every answer of the practice network needs: its storage, language, zone, clock and faults.

Held by the Flask app, read through :func:`site`. It answers nothing itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date, format_time
from flask import current_app

from adapters.contract import N_
from adapters.errors import Misconfigured
from adapters.practice.site.storage import Storage

#: The three zones of Indonesia by their everyday names.
_ZONES = {"WIB": "Asia/Jakarta", "WITA": "Asia/Makassar", "WIT": "Asia/Jayapura"}


@dataclass(slots=True)
class Faults:
    """How badly the network behaves, for workshops.

    ``delay``: seconds that every publishing answer takes, after the post is stored.
    ``lose_answer_every``: the answer to every Nth post is lost (a 502) although the post is stored.
    """

    delay: float = 0.0
    lose_answer_every: int = 0
    _count: int = field(default=0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def loses_this_answer(self) -> bool:
        """Count one publishing call; True if its answer is to be lost."""
        with self._lock:
            self._count += 1
            return self.lose_answer_every > 0 and self._count % self.lose_answer_every == 0


@dataclass(frozen=True, slots=True)
class Site:
    """One running practice network."""

    storage: Storage
    translate: Callable[[str], str]
    zone: ZoneInfo
    language: str
    faults: Faults
    now: Callable[[], datetime]
    wait: Callable[[float], object]

    def local(self, moment: datetime) -> str:
        """Date and time as this language writes them, with WIB, WITA or WIT."""
        at = moment.astimezone(self.zone)
        date = format_date(at, format="medium", locale=self.language)
        time = format_time(at, format="short", tzinfo=self.zone, locale=self.language)
        return f"{date}, {time} {at:%Z}"


def zone_named(name: str) -> ZoneInfo:
    """Given WIB, WITA, WIT or an IANA name, return the zone; raise Misconfigured if there is none."""
    try:
        return ZoneInfo(_ZONES.get(name.upper(), name))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Misconfigured(
            N_("There is no time zone called {name}. Write WIB, WITA, WIT or a name like Asia/Jakarta."),
            name=name,
        ) from error


def site() -> Site:
    """The network that the current request came to."""
    return cast("Site", current_app.extensions["practice"])

"""How long planning 100,000 deliveries takes, beside a bare loop over the same instants."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

from bench.figure import Figure, ratio

from campaigns import timetable
from campaigns.definition import Campaign, Target
from campaigns.files import Loaded
from campaigns.planning import local_slots, plan

ACCOUNTS = 100
DELIVERIES = 100_000


@cache
def _campaign() -> Loaded:
    """Three slots a day for 334 days: 1,002 times, on 100 accounts."""
    first = date(2026, 1, 1)
    campaign = Campaign.model_validate(
        {
            "id": "bench",
            "title": "Bench",
            "owner": "Bench",
            "zone": "WIB",
            "start": first,
            "end": first + timedelta(days=333),
            "accounts": ["all"],
            "slots": ["daily 07:30", "daily 12:00", "daily 19:30"],
            "messages": [{"id": f"m{number}", "text": f"Pesan {number}"} for number in range(12)],
        }
    )
    targets = tuple(Target(f"account-{number}", "practice") for number in range(ACCOUNTS))
    return Loaded(Path("bench.toml"), campaign, targets, {})


def planning() -> float:
    """Seconds of planning 100,000 deliveries."""
    loaded = _campaign()
    start = time.perf_counter()
    posts = plan(loaded, datetime(2027, 1, 1, tzinfo=UTC))
    seconds = time.perf_counter() - start
    if len(posts) < DELIVERIES:
        raise RuntimeError(f"only {len(posts)} deliveries")
    return seconds


def bare_loop() -> float:
    """Seconds of a loop over the same instants, one tuple for each account."""
    loaded = _campaign()
    start = time.perf_counter()
    posts = [
        (message.id, target.id, timetable.to_utc(slot, loaded.campaign.zone))
        for message, slot in local_slots(loaded.campaign)
        for target in loaded.targets
    ]
    seconds = time.perf_counter() - start
    if len(posts) < DELIVERIES:
        raise RuntimeError(f"only {len(posts)} instants")
    return seconds


def figures() -> Iterator[Figure]:
    """The ratio of the two."""
    yield ratio("planning 100,000 / bare loop", planning, bare_loop, None)

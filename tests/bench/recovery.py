"""How soon another daemon settles what a killed one had in flight: 64 posts whose answers nobody heard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

from bench import databases, peak, rows, stage
from bench.figure import Figure

POSTS = 64
LEASE = 10
RUNS = 3
#: Longer than the measurement: no answer arrives.
SILENCE = 120.0


def figures() -> Iterator[Figure]:
    """Seconds from the kill until all are settled; the lease must end first."""
    with stage.platform(SILENCE) as platform:
        for kind in databases.KINDS:
            yield Figure(
                f"recovery, {kind}: settled after kill -9",
                [_recovered(kind, platform) for _ in range(RUNS)],
                "s",
                detail=f"(of which the lease is {LEASE} s at most)",
            )


def _recovered(kind: str, platform: stage.Platform) -> float:
    platform.forget()
    with databases.fresh(kind) as place, place.store() as store, ExitStack() as stack:
        config = stage.configure(
            place.folder, platform.url, database=place.url, workers=POSTS, lease=f"{LEASE}s"
        )
        victim = stack.enter_context(stage.daemon(config, "victim"))
        at = stage.in_seconds(3)
        rows.fill(store, [rows.Batch(POSTS, at)])
        stage.until(lambda: len(platform.ledger()) == POSTS)
        stack.enter_context(stage.daemon(config, "heir"))
        victim.popen.kill()
        killed = datetime.now(UTC)
        return stage.until(lambda: peak.settled(store, POSTS, killed))

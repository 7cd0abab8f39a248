"""Whether more daemons publish more: three on one PostgreSQL beside one, the platform being the limit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from bench import databases, peak, rows, stage
from bench.figure import Figure

WORKERS = 16
POSTS = 960
RUNS = 2


def figures() -> Iterator[Figure]:
    """How many times the posts a second."""
    with stage.platform(peak.DELAY) as platform:
        walls = [(_wall(1, platform), _wall(3, platform)) for _ in range(RUNS)]
    yield Figure(
        "nodes, postgresql: three daemons / one",
        [one / three for one, three in walls],
        "x",
        2.5,
        at_least=True,
        detail=f"({POSTS / walls[0][0]:.0f} / {POSTS / walls[0][1]:.0f} posts a second)",
    )


def _wall(nodes: int, platform: stage.Platform) -> float:
    """Seconds until all posts are settled."""
    with databases.fresh("postgresql") as place, place.store() as store, ExitStack() as stack:
        config = stage.configure(place.folder, platform.url, database=place.url, workers=WORKERS)
        for number in range(nodes):
            stack.enter_context(stage.daemon(config, f"daemon-{number}"))
        at = stage.in_seconds(4)
        rows.fill(store, [rows.Batch(POSTS, at)])
        stage.wait_for(at, late=POSTS / WORKERS / nodes * peak.DELAY)
        return stage.until(lambda: peak.settled(store, POSTS, at))

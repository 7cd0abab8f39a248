"""How late a request leaves: one post is due each second for a minute, beside a bare timer's requests."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import databases, rows, stage
from bench.bare import Forgotten
from bench.figure import Figure

from adapters.contract import Post
from scheduler.cli.workplace import Workplace

POSTS = 60


def figures() -> Iterator[Figure]:
    """Median and worst lateness, seen by the platform; both databases and the bare timer at once."""
    with ExitStack() as stack:
        platform = stack.enter_context(stage.platform(0.05))
        running = []
        for kind in databases.KINDS:
            place = stack.enter_context(databases.fresh(kind))
            config = stage.configure(place.folder, f"{platform.url}/{kind}", database=place.url)
            store = stack.enter_context(place.store())
            stack.enter_context(stage.daemon(config))
            running.append(store)
        # Not at full seconds, where whatever else the machine does by the clock would be met.
        first = stage.in_seconds(6).replace(microsecond=370_000)
        times = [first + timedelta(seconds=number) for number in range(POSTS)]
        for store in running:
            rows.fill(store, [rows.Batch(1, at, first=number) for number, at in enumerate(times)])
        timer = threading.Thread(target=_timer, args=(config, f"{platform.url}/bare", times))
        timer.start()
        timer.join()
        time.sleep(3)
        late: dict[str, list[float]] = {name: [] for name in ("bare", *databases.KINDS)}
        due = {f"account_{number}": at for number, at in enumerate(times)}
        for entry in platform.ledger():
            late[entry["by"]].append((entry["arrived"] - due[entry["account"]].timestamp()) * 1000)
        bare = f"bare timer {statistics.median(late['bare']):.0f} ms, worst {max(late['bare']):.0f} ms"
        for kind in databases.KINDS:
            if len(late[kind]) != POSTS:
                raise RuntimeError(f"{len(late[kind])} posts of {POSTS}")
            yield Figure(
                f"punctuality, {kind}: median lateness",
                [statistics.median(late[kind])],
                "ms",
                50,
                detail=f"(worst {max(late[kind]):.0f} ms; {bare})",
            )


def _timer(config: Path, url: str, times: list[datetime]) -> None:
    """The same requests, each sent when a sleep until its time ends."""
    plain = stage.configure(config.parent / "bare", url)
    accounts = Workplace(plain).accounts
    adapters = [accounts.adapter(f"account-{number}") for number in range(len(times))]
    for number, (adapter, at) in enumerate(zip(adapters, times, strict=True)):
        time.sleep(max((at - datetime.now(UTC)).total_seconds(), 0))
        adapter.publish(Post(f"bare-{number}", "Tolak gratifikasi."), Forgotten())

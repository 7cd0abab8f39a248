"""What a daemon costs that has nothing to do: 100,000 deliveries wait, none is due."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

from bench import databases, rows, stage
from bench.figure import Figure

DELIVERIES = 100_000
SECONDS = 20
#: A minute in all.
RUNS = 3
#: What the daemon does after its start is over by then.
CALM = 5


def figures() -> Iterator[Figure]:
    """Processor time, statements and memory; both daemons at once, each costs only itself."""
    with ExitStack() as stack:
        running = []
        for kind in databases.KINDS:
            place = stack.enter_context(databases.fresh(kind))
            tomorrow = stage.in_seconds(86400)
            with place.store() as store:
                days = [tomorrow + timedelta(days=day) for day in range(80)]
                rows.fill(store, [rows.Batch(DELIVERIES // len(days), day, mass=True) for day in days])
            config = stage.configure(place.folder, "http://127.0.0.1:9", database=place.url)
            running.append((kind, stack.enter_context(stage.daemon(config, program="bench.counted"))))
        time.sleep(CALM)
        used: dict[str, list[tuple[float, float]]] = {kind: [] for kind, _ in running}
        for _ in range(RUNS):
            before = [(process.cpu(), _statements(process)) for _, process in running]
            time.sleep(SECONDS)
            for (kind, process), (cpu, statements) in zip(running, before, strict=True):
                share = (process.cpu() - cpu) / SECONDS * 100
                used[kind].append((share, (_statements(process) - statements) * 60 / SECONDS))
        for kind, process in running:
            yield Figure(f"idle, {kind}: processor", [share for share, _ in used[kind]], "% of core", 0.2)
            yield Figure(f"idle, {kind}: statements", [count for _, count in used[kind]], "a minute")
            yield Figure(f"idle, {kind}: resident memory", [process.resident()], "MB", 80)


def _statements(process: stage.Process) -> int:
    heard = len(process.said("counted"))
    process.popen.send_signal(signal.SIGUSR1)
    stage.until(lambda: len(process.said("counted")) > heard)
    return int(process.said("counted")[-1]["statements"])

"""The reference of the peak: a bare thread pool making the adapter calls that the daemon makes.

No database, no bookkeeping: whatever the daemon costs beyond this is the price of never twice, never
lost. Run as a process of its own; prints wall time and processor time in seconds.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from adapters.contract import Json, Post, Receipt
from scheduler.cli.workplace import Workplace


class Forgotten:
    """Progress that nobody keeps."""

    saved: Mapping[str, Json]

    def __init__(self) -> None:
        self.saved = {}

    def save(self, **facts: Json) -> None:
        """Keep nothing."""

    def note(self, **facts: Json) -> None:
        """Keep nothing."""


def main() -> None:
    """Publish one post on every account."""
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("workers", type=int)
    parser.add_argument("posts", type=int)
    chosen = parser.parse_args()
    accounts = Workplace(chosen.config).accounts
    accounts.adapter("account-0")  # what it imports is not measured

    def publish(number: int) -> bool:
        text = f"Tolak gratifikasi, laporkan kepada unit pengendali. Pesan {number}"
        answer = accounts.adapter(f"account-{number}").publish(Post(f"key-{number}", text), Forgotten())
        return isinstance(answer, Receipt)

    with ThreadPoolExecutor(chosen.workers) as pool:
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
        done = sum(pool.map(publish, range(chosen.posts)))
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    if done != chosen.posts:
        raise RuntimeError(f"only {done} posts")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    sys.stdout.write(f"{wall} {cpu}\n")


if __name__ == "__main__":
    main()

"""APScheduler, reduced to what a daemon wants of it: a tick, and a call at one instant.

It keeps its jobs in memory and does nothing but leave messages: the database is the only truth (DESIGN.md
section 2).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from scheduler.engine.mailbox import Mailbox, Wake


class Alarm:
    """Wakes the loop every ``tick``, and at the instant to which it was set."""

    def __init__(self, mailbox: Mailbox, tick: timedelta) -> None:
        from apscheduler.schedulers.background import BackgroundScheduler

        self._tick = tick
        self._wake: Callable[[], None] = lambda: mailbox.put(Wake())
        # misfire_grace_time=None on every job: by default APScheduler silently drops a job that is
        # over a second late (DESIGN.md section 10).
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def __enter__(self) -> Alarm:
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        self._scheduler.start()
        self._scheduler.add_job(self._wake, "interval", seconds=self._tick.total_seconds(), id="tick")
        return self

    def __exit__(self, *_: object) -> None:
        self._scheduler.shutdown(wait=False)

    def set(self, at: datetime | None) -> None:
        """Wake the dispatcher at ``at`` as well; None for no particular instant."""
        if at is None:
            if self._scheduler.get_job("due"):
                self._scheduler.remove_job("due")
            return
        job = self._scheduler.get_job("due")
        if job is None or job.next_run_time != at:
            self._scheduler.add_job(self._wake, "date", run_date=at, id="due", replace_existing=True)

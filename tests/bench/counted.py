"""``gaung`` as it is, except that it counts its SQL statements: SIGUSR1 makes it say how many so far."""

from __future__ import annotations

import signal
import sys
from typing import Any

from sqlalchemy import Engine, event

from scheduler.cli import main

statements = 0


@event.listens_for(Engine, "before_cursor_execute")
def _count(*_: Any) -> None:
    global statements  # noqa: PLW0603 -- one number of one process
    statements += 1


def _tell(*_: Any) -> None:
    sys.stderr.write(f'{{"action": "counted", "statements": {statements}}}\n')
    sys.stderr.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, _tell)
    main()

"""Hearing of changes that others have committed: PostgreSQL's LISTEN, on a connection of its own.

What is heard says nothing but "look": the tables are the only truth, so a word that got lost while the
server was away costs a little time and nothing else.
"""

from __future__ import annotations

import logging
import selectors
import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from scheduler.store.postgres import CHANNEL

log = logging.getLogger("gaung.store")

#: Seconds between two looks whether it is time to end, and before a lost server is tried again.
PATIENCE = 1.0
AGAIN = 3.0


def listen(engine: Engine, heard: Callable[[], None], ended: threading.Event) -> None:
    """Call ``heard`` at every change until ``ended``; a server that goes away is waited for."""
    import psycopg

    while not ended.is_set():
        try:
            with engine.connect() as connection:
                driver: Any = connection.connection.driver_connection
                connection.detach()  # it will not go back to the pool with LISTEN still on it
                driver.autocommit = True
                driver.execute(f"LISTEN {CHANNEL}")
                heard()  # of what was said while nobody listened
                _hear(driver, heard, ended)
        except (psycopg.Error, SQLAlchemyError, OSError) as error:
            log.info("not listening", extra={"action": "not_listening", "reason": str(error).strip()})
            ended.wait(AGAIN)


def _hear(driver: Any, heard: Callable[[], None], ended: threading.Event) -> None:
    """Wait at the connection's socket: psycopg's own waiting looks ten times a second, for most of what an
    idle daemon costs."""
    with selectors.DefaultSelector() as selector:
        selector.register(driver, selectors.EVENT_READ)
        while not ended.is_set():
            for _ in driver.notifies(timeout=0):
                heard()
            while not ended.is_set() and not selector.select(PATIENCE):
                pass

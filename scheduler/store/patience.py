"""A limit for how long a database may leave a transaction unanswered.

A server that is frozen, or a network that swallows packets, answers neither yes nor no, and no time-out
of the server's own will end the waiting. Somebody on this side has to hang up.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Engine, event

log = logging.getLogger("gaung.store")


class Patience:
    """Counts how long transactions have been open, and cuts the connections of one that takes too long.

    The driver then raises its error for a lost connection. Only for drivers that talk over a socket.
    """

    def __init__(self, engine: Engine) -> None:
        self._connections: weakref.WeakSet[Any] = weakref.WeakSet()
        self._since: dict[int, float] = {}
        event.listen(engine, "connect", lambda connection, _record: self._connections.add(connection))

    @contextmanager
    def counted(self) -> Iterator[None]:
        """One transaction of this thread, everything from getting a connection on included."""
        me = threading.get_ident()
        self._since[me] = time.monotonic()
        try:
            yield
        finally:
            self._since.pop(me, None)

    @contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        """No transaction within this block waits longer than about ``seconds``."""
        ended = threading.Event()

        def look() -> None:
            while not ended.wait(min(seconds / 4, 5.0)):
                now = time.monotonic()
                if any(now - since > seconds for since in list(self._since.values())):
                    log.warning("the database does not answer", extra={"action": "database_silent"})
                    self._cut()

        thread = threading.Thread(target=look, name="gaung-patience", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _cut(self) -> None:
        for connection in list(self._connections):
            # A closed connection has no descriptor any more; one that is being closed may lose it here.
            with suppress(OSError, ValueError, RuntimeError), _socket(connection) as end:
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def _socket(connection: Any) -> Iterator[socket.socket]:
    if connection.closed:
        raise OSError
    end = socket.socket(fileno=os.dup(connection.fileno()))
    try:
        yield end
    finally:
        end.close()

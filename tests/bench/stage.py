"""The stage of the measurements: an installation with many accounts, a platform, and daemons as processes."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from bench.databases import Place
from bench.rows import ACCOUNTS

from scheduler.store.database import make_engine

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
#: Of what is measured.
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{TESTS}"}
#: Seconds of processor time in one tick of /proc (proc(5)).
TICK = 1 / os.sysconf("SC_CLK_TCK")
PAGE = resource.getpagesize()
T = TypeVar("T")


@dataclass(frozen=True)
class Platform:
    """A running :mod:`servers.ledger_platform` in a process of its own."""

    url: str

    def ledger(self) -> list[dict[str, Any]]:
        """Every post that it took."""
        with urllib.request.urlopen(f"{self.url}/api/ledger") as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found

    def forget(self) -> None:
        """Empty the ledger."""
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/api/ledger", method="DELETE")).close()


@contextmanager
def platform(delay: float) -> Iterator[Platform]:
    """A platform that answers after ``delay`` seconds."""
    process = subprocess.Popen(
        [sys.executable, "-m", "servers.ledger_platform", "--delay", str(delay)],
        cwd=TESTS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        yield Platform(process.stdout.readline().strip())
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


def configure(
    folder: Path, url: str, *, database: str = "", accounts: int = ACCOUNTS, **daemon: object
) -> Path:
    """Write the configuration of an installation; return its file."""
    lines = [f'database = "{database}"'] if database else []
    lines += ["[people.budi]", 'name = "Budi"', 'os_user = "budi"', 'roles = ["approver"]']
    lines += ["[daemon]", *(f"{key} = {json.dumps(value)}" for key, value in daemon.items())]
    for number in range(accounts):
        lines += [
            f"[accounts.account-{number}]",
            'platform = "practice"',
            f'handle = "account_{number}"',
            f'api_base = "{url}"',
        ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "state").mkdir(exist_ok=True)
    file = folder / "config.toml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


@dataclass
class Process:
    """A running program of which the cost is asked."""

    popen: subprocess.Popen[bytes]
    log: Path

    def cpu(self) -> float:
        """Seconds of processor time so far, in all of its threads (proc(5), fields 14 and 15)."""
        fields = Path(f"/proc/{self.popen.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * TICK

    def resident(self) -> float:
        """Megabytes of resident memory."""
        return int(Path(f"/proc/{self.popen.pid}/statm").read_text().split()[1]) * PAGE / 1e6

    def said(self, action: str) -> list[dict[str, Any]]:
        """The lines of its log with this action."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [
            found for one in lines if one.startswith("{") and (found := json.loads(one))["action"] == action
        ]


@contextmanager
def daemon(config: Path, name: str = "daemon", *, program: str = "scheduler.cli") -> Iterator[Process]:
    """``gaung run`` from the moment at which it works; ``program`` is the module that starts it."""
    log = config.parent / f"{name}.log"
    with log.open("wb") as output:
        popen = subprocess.Popen(
            [sys.executable, "-m", program, "--config", config, "run", "--json-log"],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdout=output,
            stderr=output,
        )
    process = Process(popen, log)
    try:
        until(lambda: process.said("extended") or popen.poll() is not None)
        if popen.poll() is not None:
            raise RuntimeError(log.read_text())
        yield process
    finally:
        if popen.poll() is None:
            popen.terminate()
        popen.wait(60)


def until(what: Callable[[], T], patience: float = 120.0) -> T:
    """Wait for something to be true, and return it."""
    end = time.monotonic() + patience
    while not (found := what()):
        if time.monotonic() > end:
            raise RuntimeError(f"not within {patience} seconds")
        time.sleep(0.1)
    return found


def analyze(place: Place) -> None:
    """Let PostgreSQL look at its tables, as its autovacuum would within a minute."""
    engine = make_engine(place.url)
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
    engine.dispose()


def in_seconds(seconds: float) -> datetime:
    """A moment to come, in UTC."""
    return datetime.now(UTC) + timedelta(seconds=seconds)


def wait_for(at: datetime, *, early: float = 0.0, late: float = 0.0) -> None:
    """Sleep until ``early`` seconds before a moment, or ``late`` seconds after."""
    time.sleep(max((at - datetime.now(UTC)).total_seconds() - early + late, 0.0))

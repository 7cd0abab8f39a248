"""An installation that is mistreated: daemons as processes, a platform with a ledger, and kill -9.

Each node has a configuration of its own that differs only in the address of the platform, so that the
platform knows who called, and a kill can be aimed at a moment in the life of a call.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from kit.engine import rows
from kit.office import ROOT, WIB, Office, wait_for
from servers.ledger_platform import ANSWERED, ARRIVED, TAKEN, Ledger
from sqlalchemy import func, select

from scheduler.states import State
from scheduler.store.database import Store, open_store
from scheduler.store.tables import deliveries

#: How the daemons are set: a lost call is noticed soon, and no number of kills uses up the attempts.
SETTINGS = {
    "workers": "6",
    "lease": '"6s"',
    "attempts": "100",
    "retry_after": '"1s"',
    "retry_at_most": '"1s"',
    "look_after": '["1s", "1s", "2s", "2s", "5s", "5s", "10s", "10s"]',
}
#: Not settled yet.
OPEN = (State.PLANNED, State.SENDING, State.UNSURE)


class Node:
    """One daemon: started, killed and started again under the same name."""

    def __init__(self, name: str, config: Path, log: Path) -> None:
        self.name = name
        self.config = config
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        self.before = 0
        """How long the log was when this life began."""

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Begin ``gaung run``; what an earlier life logged stays."""
        with self.log.open("ab") as output:
            self.before = output.tell()
            self.process = subprocess.Popen(
                [sys.executable, "-m", "scheduler.cli", "--config", self.config, "run", "--json-log"],
                cwd=ROOT,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process
        self.process.kill()  # one that found no database when it started has ended by itself
        self.process.wait()

    def end(self) -> int:
        """Ask it to stop; return its exit code."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        # Started a moment ago after a kill, it had not yet begun to listen to signals, nor anything else.
        starting = code == -signal.SIGTERM and b'"action"' not in self.log.read_bytes()[self.before :]
        return 0 if starting else code


class Steps:
    """What happens in the lives of calls, as the platform sees it, to be waited for."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._seen: Counter[tuple[str, str]] = Counter()

    def note(self, step: str, by: str) -> None:
        """A step of a call of node ``by``; called from the platform's thread."""
        with self._changed:
            self._seen[step, by] += 1
            self._changed.notify_all()

    def wait(self, step: str, by: str, patience: float) -> bool:
        """Wait for the next such step; False if none came."""
        with self._changed:
            before = self._seen[step, by]
            return self._changed.wait_for(lambda: self._seen[step, by] > before, patience)


class Installation:
    """An office of several nodes, and the platform on which it publishes."""

    def __init__(
        self, folder: Path, ledger: Ledger, *, nodes: int = 1, accounts: int = 16, database: str = ""
    ) -> None:
        self.ledger = ledger
        self.steps = Steps()
        ledger.watch = self.steps.note
        self.names = [f"dinas-{number}" for number in range(accounts)]
        self.office = Office(folder / "office", ledger.url)
        head = f'database = "{database}"\n' if database else ""
        self.office.configure(accounts=self.names, head=head)
        self._set()
        self.url = database or f"sqlite:///{self.office.state / 'gaung.db'}"
        self.nodes = [self._node(f"node-{number + 1}") for number in range(nodes)]
        self.planned = 0

    def _set(self) -> None:
        text = self.office.config.read_text(encoding="utf-8")
        before, _, after = text.partition("[daemon]\n")
        rest = after[after.index("[people") :]
        lines = "".join(f"{name} = {value}\n" for name, value in SETTINGS.items())
        self.office.config.write_text(f"{before}[daemon]\n{lines}\n{rest}", encoding="utf-8")

    def _node(self, name: str) -> Node:
        text = self.office.config.read_text(encoding="utf-8")
        config = self.office.folder / f"{name}.toml"
        config.write_text(text.replace(self.ledger.url, f"{self.ledger.url}/{name}"), encoding="utf-8")
        return Node(name, config, self.office.folder / f"{name}.log")

    def plan(self, messages: int) -> None:
        """Apply and approve a campaign of so many messages on every account, due one after the other."""
        # Nothing is planned for a time that has passed, and a busy machine may be slow.
        margin = timedelta(seconds=5 + messages * len(self.names) / 200)
        begin = datetime.now(WIB).replace(tzinfo=None, microsecond=0) + margin
        times = {f"pesan-{number}": begin + timedelta(seconds=number // 10) for number in range(messages)}
        self.office.campaign("hakordia", times, accounts=self.names)
        self.office.must("apply", "hakordia")
        self.planned = len(self.rows(deliveries))
        assert self.planned == messages * len(self.names), "this machine is too slow"
        self.office.must("approve", "hakordia", "--yes")
        wait_for(begin)

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The database, beside the daemons."""
        store = open_store(self.url)
        try:
            yield store
        finally:
            store.close()

    def rows(self, of: Any) -> list[dict[str, Any]]:
        """Every row of a table."""
        with self.store() as store, store.read() as session:
            return rows(session, of)

    def states(self) -> Mapping[State, int]:
        """How many deliveries are in each state."""
        with self.store() as store, store.read() as session:
            counted = session.execute(select(deliveries.c.state, func.count()).group_by(deliveries.c.state))
            return {State(state): count for state, count in counted}

    def settled(self) -> bool:
        """Whether nothing is left that a daemon would do by itself."""
        with self.store() as store, store.read() as session:
            left = select(func.count()).where(deliveries.c.state.in_(OPEN), deliveries.c.asks.is_(False))
            return not session.execute(left).scalar_one()

    @contextmanager
    def running(self) -> Iterator[None]:
        """All nodes, from start to a stop in good order."""
        for node in self.nodes:
            node.start()
        try:
            yield
            codes = {node.name: node.end() for node in self.nodes}
            assert not any(codes.values()), codes
        finally:
            for node in self.nodes:
                if node.alive:
                    node.kill()

    def settle(self, patience: float) -> None:
        """Let the nodes work until nothing is left to do."""
        for node in self.nodes:
            if not node.alive:  # as systemd would
                node.start()
        until(self.settled, patience, lambda: f"{dict(self.states())}; {self.complaints()}")

    def logged(self, action: str) -> int:
        """How many lines of the nodes' logs have this action."""
        return sum(
            node.log.read_text(encoding="utf-8").count(f'"action": "{action}"')
            for node in self.nodes
            if node.log.exists()
        )

    def complaints(self) -> str:
        """The last that each node's log has of errors."""
        found = []
        for node in self.nodes:
            text = node.log.read_text(encoding="utf-8") if node.log.exists() else ""
            found += [line for line in text.splitlines() if "Traceback" in line or "error" in line][-3:]
        return "\n".join(found)


class Reaper:
    """Chooses whom to kill and when: most kills fall into the life of a call."""

    def __init__(self, installation: Installation, seed: int) -> None:
        self.installation = installation
        self.random = random.Random(seed)
        self.kills: Counter[str] = Counter()

    def reap(self) -> None:
        """Kill one node at a random moment, and start it again."""
        node = self.random.choice(self.installation.nodes)
        delay = self.installation.ledger.manners.delay[1]
        # (moment, seconds at most between it and the kill)
        moment, spread = self.random.choice(
            [
                (ARRIVED, delay),  # the platform is thinking
                (TAKEN, 0.005),  # it is public, and the answer is on its way
                (ANSWERED, 0.04),  # heard, but perhaps not written down
                (ANSWERED, 0.04),
                ("running", 0.3),
                ("starting", 1.5),
            ]
        )
        wait = self.random.uniform(0, spread)
        if moment in (ARRIVED, TAKEN, ANSWERED) and not self.installation.steps.wait(moment, node.name, 6):
            moment = "idle"
        time.sleep(wait)
        node.kill()
        self.kills[moment] += 1
        node.start()


def until(what: Callable[[], object], patience: float, why: Callable[[], str]) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + patience
    while not what():
        assert time.monotonic() < end, f"not within {patience:.0f} seconds: {why()}"
        time.sleep(0.2)


__all__ = ["Installation", "Node", "Reaper", "until"]

"""Never twice, never lost: thirty days of trouble, two hundred times, every invariant after every step.

``make soak SEEDS=n`` lives through any number of further worlds, and prints what they covered.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from simulation.broken import BROKEN
from simulation.faults import Deed, Fault
from simulation.node import Variant
from simulation.shrinking import shortest, told
from simulation.world import Run, live

from scheduler.states import TRANSITIONS, Event, State

SEEDS = 200
#: From here on each of the broken variants shows itself within a few worlds.
SOONEST = 60
#: Tests of a suite are shared out to processes: so many seeds are one test.
AT_ONCE = 10

#: Nobody takes a post down here: ``gaung takedown`` asks the platform itself, outside the dispatcher.
#: A stop that falls between two parts of a thread, and an answer that comes after the post was planned
#: again, are too rare to be asked for here (test_stopping.py and test_dispatch.py have them); they count.
ELSEWHERE = frozenset(
    {
        (State.SENT, Event.TAKEN_DOWN),
        (State.REVIEW, Event.TAKEN_DOWN),
        (State.SENDING, Event.STOPPED),
        (State.PLANNED, Event.FOUND),
    }
)


def proved(seed: int, variant: Variant | None = None) -> Run:
    """Live through one world; a breach is told with the shortest history that shows it."""
    run = live(seed, variant)
    if run.breach:
        pytest.fail(told(shortest(run, variant), run), pytrace=False)
    return run


class Covered:
    """What some worlds have met."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self.seeds = self.steps = self.deliveries = 0
        self.faults: Counter[Fault] = Counter()
        self.deeds: Counter[Deed] = Counter()
        self.transitions: Counter[tuple[State, Event]] = Counter()
        for run in runs:
            self.seeds += 1
            self.steps += run.steps
            self.deliveries += run.deliveries
            self.faults += run.faults
            self.deeds += run.deeds
            self.transitions += run.transitions

    def __str__(self) -> str:
        moved, struck = sum(self.transitions.values()), sum(self.faults.values())
        lines = [f"{self.seeds} seeds, {self.deliveries} deliveries, {self.steps} steps, {moved} transitions"]
        lines[0] += f", {struck} faults"
        lines += [f"{n:>9}  {state} -> {event}" for (state, event), n in self.transitions.most_common()]
        lines += [f"{n:>9}  {fault}" for fault, n in self.faults.most_common()]
        lines += [f"{n:>9}  a person {deed}" for deed, n in self.deeds.most_common()]
        return "\n".join(lines)


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_no_trouble_of_thirty_days_sends_a_post_twice_or_loses_it(first: int, testrun_uid: str) -> None:
    """Given daemons that die, platforms that lie and persons who change their minds, all invariants hold."""
    covered = Covered(proved(seed) for seed in range(first, first + AT_ONCE))
    # A proof in which nothing goes wrong is none: whichever process comes last looks at all of them.
    met = {*covered.faults, *(f"{state} {event}" for state, event in covered.transitions)}
    place = Path(tempfile.gettempdir()) / f"gaung-simulation-{testrun_uid}"
    place.mkdir(exist_ok=True)
    (place / str(first)).write_text("\n".join(met), encoding="utf-8")
    files = list(place.iterdir())
    if len(files) == SEEDS // AT_ONCE:
        everything = {line for file in files for line in file.read_text(encoding="utf-8").splitlines()}
        shutil.rmtree(place, ignore_errors=True)
        expected = {f"{state} {event}" for state, event in TRANSITIONS if (state, event) not in ELSEWHERE}
        missing = sorted({*Fault, *expected} - everything)
        assert missing == []


@pytest.mark.parametrize("rule", BROKEN)
def test_an_engine_without_one_of_its_rules_is_caught(rule: str) -> None:
    """Given an engine that breaks one rule, a world among the two hundred shows it, in a history to read."""
    seeds = (*range(SOONEST, SEEDS), *range(SOONEST))
    broken = next((run for seed in seeds if (run := live(seed, BROKEN[rule])).breach), None)
    assert broken is not None
    short = shortest(broken, BROKEN[rule], seconds=2)
    assert short.breach
    assert len(short.history) <= len(broken.history)
    assert "BREACH" in told(short).splitlines()[-1]


def test_the_same_seed_is_the_same_world() -> None:
    """Given one seed twice, the histories agree line by line."""
    assert live(7).history == live(7).history


@pytest.mark.soak
def test_any_number_of_further_worlds(capsys: pytest.CaptureFixture[str]) -> None:
    """As many as SEEDS says, from SEED on; what they covered is printed."""
    first = int(os.environ.get("SEED", "0"))
    number = int(os.environ.get("SEEDS", str(SEEDS)))
    covered = Covered(proved(seed) for seed in range(first, first + number))
    with capsys.disabled():
        print(f"\n{covered}")  # noqa: T201 -- it is the report
    if number >= SEEDS:
        assert set(Fault) == set(covered.faults)
        assert set(covered.transitions) >= set(TRANSITIONS) - ELSEWHERE

"""Never twice, never lost: thirty days of trouble, two hundred times, every invariant after every step.

``make soak SEEDS=n`` lives through any number of further worlds. What they covered stands at the end of the
test run, summed over all processes.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from simulation.broken import BROKEN
from simulation.covering import PROPERTY, WHOLE, Covered, total
from simulation.faults import Deed, Fault
from simulation.node import Variant
from simulation.shrinking import shortest, told
from simulation.world import Run, live

from scheduler.states import TRANSITIONS, Event, State

SEEDS = 200
#: Which of the two hundred is looked at first, since it is known to show a broken variant soon.
TELLING, TELLING_OF = 18, {"no lease": 2, "no gate": 72, "no distance": 11, "budget not asked": 4}
#: Tests of a suite are shared out to processes: so many seeds are one test.
AT_ONCE = 10
#: What ``make soak`` was asked for.
FIRST, NUMBER = int(os.environ.get("SEED", "0")), int(os.environ.get("SEEDS", str(SEEDS)))

#: This takes an answer that comes after a listing has shown, conclusively, that there is no post; the
#: platforms here keep what they promise of their listings (test_dispatch.py has one that does not). And what
#: is out of a post that failed is taken down in test_partly.py.
ELSEWHERE = frozenset(
    {
        (State.PLANNED, Event.FOUND),
        (State.FAILED, Event.TAKEN_DOWN),
        (State.WITHDRAWN, Event.TAKEN_DOWN),
    }
)


def proved(seed: int, variant: Variant | None = None) -> Run:
    """Live through one world; a breach is told with the shortest history that shows it."""
    run = live(seed, variant)
    if run.breach:
        pytest.fail(told(shortest(run, variant), run), pytrace=False)
    return run


def lived(seeds: Iterable[int]) -> Covered:
    """Live through several worlds."""
    covered = Covered()
    for seed in seeds:
        covered.add(proved(seed))
    return covered


def check_whole(covered: Covered, part: int, parts: int, name: str) -> None:
    """A proof in which nothing goes wrong is none: whichever process comes last looks at all of them."""
    place = Path(tempfile.gettempdir()) / f"gaung-simulation-{name}"
    place.mkdir(exist_ok=True)
    (place / str(part)).write_text(covered.as_json(), encoding="utf-8")
    files = list(place.iterdir())
    if len(files) < parts:
        return
    whole = total(file.read_text(encoding="utf-8") for file in files)
    shutil.rmtree(place, ignore_errors=True)
    expected = {f"{state} -> {event}" for state, event in TRANSITIONS if (state, event) not in ELSEWHERE}
    met = whole.transitions.keys() | whole.faults.keys() | whole.deeds.keys()
    missing = sorted(({*map(str, Fault), *map(str, Deed)} | expected) - met)
    assert missing == []


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_no_trouble_of_thirty_days_sends_a_post_twice_or_loses_it(
    first: int, testrun_uid: str, record_property: Callable[[str, object], None]
) -> None:
    """Given daemons that die, platforms that lie and persons who change their minds, all invariants hold."""
    covered = lived(range(first, first + AT_ONCE))
    record_property(PROPERTY, covered.as_json())
    check_whole(covered, first, SEEDS // AT_ONCE, testrun_uid)


@pytest.mark.parametrize("rule", BROKEN)
def test_an_engine_without_one_of_its_rules_is_caught(rule: str) -> None:
    """Given an engine that breaks one rule, a world among the two hundred shows it, in a history to read."""
    seeds = dict.fromkeys((TELLING_OF.get(rule, TELLING), *range(SEEDS)))
    broken = next((run for seed in seeds if (run := live(seed, BROKEN[rule])).breach), None)
    assert broken is not None
    short = shortest(broken, BROKEN[rule], seconds=1)
    assert short.breach
    assert len(short.history) <= len(broken.history)
    assert "BREACH" in told(short).splitlines()[-1]


def test_the_same_seed_is_the_same_world() -> None:
    """Given one seed twice, the histories agree line by line."""
    assert live(7).history == live(7).history


@pytest.mark.soak
@pytest.mark.parametrize("first", range(FIRST, FIRST + NUMBER, AT_ONCE))
def test_any_number_of_further_worlds(
    first: int, testrun_uid: str, record_property: Callable[[str, object], None]
) -> None:
    """As many as SEEDS says, from SEED on; if they are not few, everything happens in them."""
    covered = lived(range(first, min(first + AT_ONCE, FIRST + NUMBER)))
    record_property(WHOLE, covered.as_json())
    if NUMBER >= SEEDS:
        check_whole(covered, first, -(-NUMBER // AT_ONCE), f"soak-{testrun_uid}")

"""``make bench``: every figure is a ratio to a reference that is measured in the same run.

Prints the medians and writes them to ``bench.json``. A goal that is missed is said, not enforced: a
busy machine must not turn a measurement into a failure.
"""

from __future__ import annotations

import json
import platform
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import planning_speed, startup

#: Runs of each measurement; the median counts.
RUNS = 7


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured ratio. ``measured`` and ``reference`` are medians in seconds."""

    name: str
    measured: float
    reference: float
    goal: float | None

    @property
    def ratio(self) -> float:
        """How many times the reference."""
        return self.measured / self.reference


def figures() -> Iterator[Figure]:
    """Measure everything."""
    for name, subject, reference, goal in (*startup.MEASUREMENTS, *planning_speed.MEASUREMENTS):
        measured, referred = interleaved(subject, reference)
        yield Figure(name, measured, referred, goal)


def interleaved(subject: Callable[[], float], reference: Callable[[], float]) -> tuple[float, float]:
    """Measure both in turns, so that a slow moment of the machine hits both; return the medians."""
    subject(), reference()  # the first run pays for cold caches
    pairs = [(subject(), reference()) for _ in range(RUNS)]
    return statistics.median(one for one, _ in pairs), statistics.median(one for _, one in pairs)


def main() -> None:
    """Measure, print and write."""
    found = []
    for figure in figures():
        found.append(figure)
        goal = "" if figure.goal is None else f"goal <= {figure.goal}  "
        verdict = "" if figure.goal is None else ("met" if figure.ratio <= figure.goal else "MISSED")
        sys.stdout.write(
            f"{figure.name:40} {figure.ratio:6.2f} x  "
            f"({figure.measured * 1000:.0f} ms / {figure.reference * 1000:.0f} ms)  {goal}{verdict}\n"
        )
    document = {
        "python": platform.python_version(),
        "runs": RUNS,
        "figures": [{**asdict(figure), "ratio": figure.ratio} for figure in found],
    }
    Path("bench.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

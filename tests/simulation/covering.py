"""What simulated worlds have met, summed over tests and over the processes in which they run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields

from simulation.world import Run

#: The name under which a test leaves what it covered with its report (``record_property``).
PROPERTY, WHOLE = "simulation", "simulation-whole"


@dataclass
class Covered:
    """The sums: how many of what, and how often each fault, deed and transition."""

    seeds: int = 0
    deliveries: int = 0
    steps: int = 0
    processor_seconds: float = 0
    transitions: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    deeds: Counter[str] = field(default_factory=Counter)

    def add(self, run: Run) -> None:
        """Count a world."""
        self.seeds += 1
        self.deliveries += run.deliveries
        self.steps += run.steps
        self.processor_seconds += run.processor_seconds
        self.transitions.update({f"{state} -> {event}": n for (state, event), n in run.transitions.items()})
        self.faults.update({str(fault): n for fault, n in run.faults.items()})
        self.deeds.update({str(deed): n for deed, n in run.deeds.items()})

    def as_json(self) -> str:
        """As it goes from one process to another."""
        return json.dumps({one.name: getattr(self, one.name) for one in fields(self)})

    def __str__(self) -> str:
        def told(counts: Counter[str]) -> str:
            return f"{sum(counts.values())} {{}} of {len(counts)} kinds"

        return (
            f"{self.seeds} worlds of 30 days, {self.deliveries} deliveries, {self.steps} steps, "
            f"{told(self.transitions).format('transitions')}, {told(self.faults).format('faults')}, "
            f"{told(self.deeds).format('deeds of persons')}, "
            f"{self.processor_seconds / max(self.seeds, 1):.2f} s of processor time each"
        )

    def table(self) -> str:
        """Every count on a line."""
        lines = [f"{n:>9}  {what}" for what, n in self.transitions.most_common()]
        lines += [f"{n:>9}  {what}" for what, n in self.faults.most_common()]
        lines += [f"{n:>9}  a person {what}" for what, n in self.deeds.most_common()]
        return "\n".join(lines)


def total(several: Iterable[str]) -> Covered:
    """The sum of what :meth:`Covered.as_json` gave."""
    covered = Covered()
    for text in several:
        for name, value in json.loads(text).items():
            before = getattr(covered, name)
            if isinstance(before, Counter):
                before.update(value)
            else:
                setattr(covered, name, before + value)
    return covered

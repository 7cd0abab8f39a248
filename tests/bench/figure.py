"""One measured figure, and how it is told: with its goal, and whether the goal is met."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """The median of what several runs gave. A goal is a limit, or a least value if ``at_least``."""

    name: str
    samples: Sequence[float]
    unit: str
    goal: float | None = None
    at_least: bool = False
    detail: str = ""

    @property
    def value(self) -> float:
        """The median of the samples."""
        return statistics.median(self.samples)

    @property
    def verdict(self) -> str:
        """Whether the goal is met; empty if there is none."""
        if self.goal is None:
            return ""
        met = self.value >= self.goal if self.at_least else self.value <= self.goal
        return f"goal {'>=' if self.at_least else '<='} {self.goal:g}  {'met' if met else 'MISSED'}"

    def __str__(self) -> str:
        spread = f"[{min(self.samples):.2f} to {max(self.samples):.2f}, {len(self.samples)} runs]"
        told = [f"{self.name:44} {self.value:8.2f} {self.unit:10}", self.verdict]
        told += [spread] if len(self.samples) > 1 else []
        return "  ".join(one for one in (*told, self.detail) if one)

    def document(self) -> dict[str, Any]:
        """The figure for ``bench.json``."""
        return {**asdict(self), "value": self.value, "verdict": self.verdict}


def ratio(
    name: str,
    subject: Callable[[], float],
    reference: Callable[[], float],
    goal: float | None,
    *,
    runs: int = 7,
) -> Figure:
    """Measure both in turns, so that a slow moment of the machine hits both."""
    subject(), reference()  # the first run pays for cold caches
    pairs = [(subject(), reference()) for _ in range(runs)]
    measured, referred = (statistics.median(side) for side in zip(*pairs, strict=True))
    # The ratio of the medians: a single slow reference must not flatter.
    return Figure(
        name,
        [measured / referred],
        "x",
        goal,
        detail=f"({measured * 1000:.0f} ms / {referred * 1000:.0f} ms)",
    )

"""From a history that shows a breach to a short one that shows it as well: what is not needed is left out."""

from __future__ import annotations

import time
from collections.abc import Sequence

from simulation.node import Variant
from simulation.world import Run, live


def shortest(run: Run, variant: Variant | None = None, *, seconds: float = 60) -> Run:
    """Given a run that ended with a breach, leave out decisions as long as some breach stays.

    Delta debugging (Zeller, 2002): halves first, then ever smaller pieces, for at most ``seconds``.
    """
    end = time.monotonic() + seconds
    out: set[str] = set()
    best, pieces = run, 2
    while best.decisions and time.monotonic() < end:
        kept = best.decisions
        size = max(1, len(kept) // pieces)
        for start in range(0, len(kept), size):
            if time.monotonic() >= end:
                break
            tried = live(run.seed, variant, out | set(kept[start : start + size]))
            # Another breach is as good, but not if it takes longer to tell.
            if tried.breach and len(tried.history) <= len(best.history):
                out |= set(kept[start : start + size])
                best, pieces = tried, max(2, pieces - 1)
                break
        else:
            if size == 1:
                break
            pieces = min(len(kept), pieces * 2)
    return best


def told(run: Run, found: Run | None = None) -> str:
    """A run as a text: how to see it again, and what happened."""
    lines = [f"seed {run.seed}: {run.breach}"]
    if found is not None and found is not run:
        lines.append(f"(found as: {found.breach}; {len(found.history)} lines, here {len(run.history)})")
    lines += _history(run)
    return "\n".join(lines)


def _history(run: Run) -> Sequence[str]:
    return [f"  {line}" for line in run.history]

"""``make bench``: what the program costs, each figure beside a reference measured in the same run.

Prints each figure with its goal and writes all to ``bench.json``. A goal that is missed is said, not
enforced: a busy machine must not turn a measurement into a failure. ``make bench ONLY=peak`` measures
one group, ``ONLY="idle growth"`` two.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import (
    databases,
    growth,
    idle,
    nodes,
    peak,
    planning_speed,
    punctuality,
    recovery,
    report_speed,
    startup,
)
from bench.figure import Figure

GROUPS: Mapping[str, Callable[[], Iterator[Figure]]] = {
    "startup": startup.figures,
    "planning": planning_speed.figures,
    "peak": peak.figures,
    "nodes": nodes.figures,
    "idle": idle.figures,
    "punctuality": punctuality.figures,
    "growth": growth.figures,
    "recovery": recovery.figures,
    "reports": report_speed.figures,
}


def main(names: Sequence[str]) -> int:
    """Measure the groups, print and write; return 2 for a name that is no group's."""
    if unknown := set(names) - set(GROUPS):
        sys.stderr.write(f"No such group: {', '.join(unknown)}. Groups: {', '.join(GROUPS)}\n")
        return 2
    found: list[Figure] = []
    began = time.monotonic()
    with closing(databases):
        for name in names or GROUPS:
            for figure in GROUPS[name]():
                found.append(figure)
                sys.stdout.write(f"{figure}\n")
                sys.stdout.flush()
    document = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "figures": [figure.document() for figure in found],
    }
    Path("bench.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    missed = sum("MISSED" in figure.verdict for figure in found)
    sys.stdout.write(
        f"{len(found)} figures in {time.monotonic() - began:.0f} s, {missed} goals missed;"
        f" load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; all in bench.json\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""``demo``: the whole walk of a campaign in a minute, with the real commands on the real engine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scheduler.cli.workplace import Workplace
from scheduler.i18n import _


def demo(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(help=_("Where to work; without it a new temporary folder."))
    ] = None,
) -> int:
    import tempfile

    from scheduler.cli.walk import Walk

    workplace: Workplace = context.obj
    place = (folder or Path(tempfile.mkdtemp(prefix="gaung-demo-")) / "hakordia").absolute()
    walk = Walk(place)
    try:
        return walk.run(workplace)
    finally:
        walk.end()

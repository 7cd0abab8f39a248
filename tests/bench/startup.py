"""How long ``gaung --help`` takes, beside a one-command Typer program."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from bench.figure import Figure, ratio

_TYPER_PROGRAM = """
import typer

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(help="Says hello.")
def hello(name: str = "you") -> None:
    typer.echo(f"Hello {name}")


app(["--help"])
"""


def _timed(*arguments: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def gaung_help() -> float:
    """Seconds of ``gaung --help`` in a process of its own."""
    return _timed("-c", "import sys; from scheduler.cli import main; sys.argv = ['gaung', '--help']; main()")


def typer_help() -> float:
    """Seconds of ``--help`` of the smallest Typer program."""
    return _timed("-c", _TYPER_PROGRAM)


def figures() -> Iterator[Figure]:
    """The ratio of the two."""
    yield ratio("gaung --help / one-command Typer", gaung_help, typer_help, 1.5)

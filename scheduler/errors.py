"""The errors that end a command: what happened, what to do next, and the exit code.

Texts are English templates for gettext; the command line translates and prints them. Exit codes:
0 done, 1 done with failures, 2 usage or configuration, 3 a person is needed (DESIGN.md section 9).
"""

from __future__ import annotations

from collections.abc import Sequence

import campaigns.problems


class GaungError(Exception):
    """A command cannot go on. ``message`` and ``hint`` are templates filled with ``values``."""

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "", **values: object) -> None:
        super().__init__(message.format(**values))
        self.message = message
        self.hint = hint
        self.values = values


class ProblemsError(GaungError):
    """Files have problems; ``problems`` are all of them."""

    def __init__(self, problems: Sequence[campaigns.problems.Problem]) -> None:
        super().__init__("{count} problems", count=len(problems))
        self.problems = tuple(problems)


class StoreError(GaungError):
    """The database cannot be used as it is."""


class ContentionError(StoreError):
    """Another transaction was in the way; the same one may well succeed if it is made again."""

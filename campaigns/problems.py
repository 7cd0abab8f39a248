"""How a mistake in a campaign file is told: what, where, and what would be right.

A problem carries English templates and their values; the command line translates and prints them
(``scheduler.i18n``). Nothing here reads files or knows what is being checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal


def N_(message: str) -> str:
    """Mark ``message`` for the translators; it is translated where it is shown."""
    return message


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. ``message`` and ``hint`` are templates for ``str.format`` with ``values``.

    ``file`` is the file's name, ``item`` the id of the message (or "" for the campaign itself),
    ``field`` the dotted path of the key. ``code`` is stable and language-neutral.
    """

    code: str
    message: str
    values: Mapping[str, object] = field(default_factory=dict)
    hint: str = ""
    file: str = ""
    item: str = ""
    field: str = ""
    severity: Literal["error", "warning"] = "error"


def nearest(word: str, known: Iterable[str], count: int = 1) -> str:
    """Return the known names that are closest to ``word``, or "" if none is close; case does not count."""
    from difflib import get_close_matches

    names = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), names, n=count, cutoff=0.55)
    return ", ".join(names[found] for found in close)

"""Where in a campaign file a message and its keys stand: lines, for programs that show problems in the file.

TOML parsers keep no lines, so the text is looked through; a line that is not found is not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

_HEADER = re.compile(r"^\s*\[{1,2}\s*([^\]]+?)\s*\]{1,2}\s*(?:#.*)?$")
_LIST_OF_MESSAGES = re.compile(r"^\s*\[\[\s*messages\s*\]\]")


def line_of(lines: Sequence[str], item: str, field: str) -> int | None:
    """Given a file, return the line (from 1) of a key of a message, else of the message; None if unknown.

    ``item`` is the message's id, or "" for keys of the campaign itself; ``field`` the dotted key.
    """
    start, end = _block(lines, item)
    if start is None:
        return None
    table, _dot, key = field.rpartition(".")
    header = ""
    for number in range(start, end):
        if found := _HEADER.match(lines[number]):
            header = found[1].removeprefix("messages").lstrip(".").replace('"', "")
            if header == field:
                return number + 1
        elif key and header == table and re.match(rf"\s*{re.escape(key)}\s*=", lines[number]):
            return number + 1
    return start + 1 if item else None


def _block(lines: Sequence[str], item: str) -> tuple[int | None, int]:
    """The lines from a message's header to before the next; without ``item``, those before the first."""
    starts = [number for number, line in enumerate(lines) if _LIST_OF_MESSAGES.match(line)]
    if not item:
        return 0, starts[0] if starts else len(lines)
    own = re.compile(rf"""\s*id\s*=\s*["']{re.escape(item)}["']""")
    for start, end in pairwise([*starts, len(lines)]):
        if any(own.match(line) for line in lines[start:end]):
            return start, end
    return None, 0

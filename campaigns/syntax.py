"""What people write into TOML files that is no TOML, recognised from the line where reading stopped.

The reader's own words are for programmers. Lines are never repeated to the user: in a configuration
they may hold a secret.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence

from campaigns.problems import N_, Problem

#: What the line looks like, or what the reader says, and what would be right; the first that fits counts.
_BY_LINE: Sequence[tuple[str, str]] = (
    (
        r"[=\[,]\s*[“”„‘’]",
        N_('Curly quotation marks, as word processors make them, are not known. Write straight ones: "…".'),
    ),
    (
        r"[=\[,]\s*(\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|\d{4}[/.]\d{1,2}[/.]\d{1,2}|\d{4}-(\d-|\d\d-\d(?!\d)))",
        N_("Write dates as year, month, day: 2026-12-09."),
    ),
    (
        r"\d{4}-\d\d-\d\d[Tt ]\d{1,2}[:.]\d\d(?![:\d])|\d{4}-\d\d-\d\d[Tt ](\d[:.]|\d\d\.)",
        N_("Write times with colons and with their seconds: 2026-12-09T07:30:00."),
    ),
    (r"=\s*\[?\s*\d\d?[:.]\d\d\s*([\],#]|$)", N_("Write times in quotation marks or with their date.")),
    (
        r'=\s*"[^"]+"\s*[^\s#,\]"]',
        N_('Quotation marks inside a text: begin and end the text with three of them, """ … """.'),
    ),
    (r"^\s*[\w-]+\s*:", N_('Between a key and its value stands an equals sign: title = "…".')),
    (
        r"=\s*\[?\s*(?!(true|false|inf|nan)\b)[^\W\d]",
        N_('Texts stand in quotation marks: title = "…". Yes and no are true and false.'),
    ),
)
_BY_REASON: Sequence[tuple[str, str]] = (
    (r"Unescaped", N_("Write places of files with slashes, on Windows too: gambar/01.jpg.")),
    (
        r"Illegal character '\\[rn]'",
        N_('A text of several lines begins and ends with three quotation marks: """ … """.'),
    ),
    (r"Cannot overwrite a value", N_("The same key stands twice in this part. Keep one of them.")),
    (
        r"\(at end of document\)",
        N_("A text or a list further up does not end: a quotation mark or a bracket is missing."),
    ),
)
_ANY = N_(
    "Look at that line and the one before it: often a quotation mark or a bracket is missing, "
    "or the seconds of a time (07:30:00)."
)


def problem(error: tomllib.TOMLDecodeError, text: str, file: str) -> Problem:
    """Given what the reader says of the text of a file, return it as a problem with what to do."""
    said = str(error)
    place = re.search(r"\(at line (\d+), column (\d+)\)", said)
    lines = text.splitlines()
    number = int(place[1]) if place else len(lines)
    here = lines[number - 1] if 0 < number <= len(lines) else ""
    known = [hint for pattern, hint in _BY_REASON if re.search(pattern, said)]
    if place:
        known += [hint for pattern, hint in _BY_LINE if re.search(pattern, here)]
    if not known:
        return Problem("toml", N_("The file is not valid TOML: {why}"), {"why": said}, hint=_ANY, file=file)
    words = N_("The file is not valid TOML from line {line} on.")
    return Problem("toml", words, {"line": number}, hint=known[0], file=file)

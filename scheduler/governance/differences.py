"""What differs between the content that was approved and the one that waits now, for people to read.

Pure: two contents in, differences out. Texts are compared line by line, and changed lines word by
word; pictures by the hash of their bytes, since a file can be swapped under the same name.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


class Comparable(Protocol):
    """A content, stored or planned, as far as it is compared."""

    text: str
    link: str
    media: list[dict[str, Any]]
    kind: str
    thread: list[dict[str, Any]]
    first_comment: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs: ``what`` is a code, ``lines`` are for people.

    A line begins with "-" (was approved), "+" (is now), "~" (a line with its changed words marked as
    [-was-]{+is+}) or a space (unchanged).
    """

    what: str
    before: str
    after: str
    lines: Sequence[str] = field(default_factory=tuple)


def differences(before: Comparable, after: Comparable) -> list[Difference]:
    """Everything that differs, in the order in which a reader sees it."""
    found = [
        _plain("kind", before.kind, after.kind),
        _text("text", before.text, after.text),
        _plain("link", before.link, after.link),
        *_pictures("picture", before.media, after.media),
    ]
    for number in range(max(len(before.thread), len(after.thread))):
        was, now = _part(before.thread, number), _part(after.thread, number)
        found.append(_text(f"part {number + 2}", was["text"], now["text"]))
        found += _pictures(f"part {number + 2}, picture", was["media"], now["media"])
    found.append(_text("first comment", before.first_comment, after.first_comment))
    return [one for one in found if one is not None]


def _part(thread: Sequence[Mapping[str, Any]], number: int) -> Mapping[str, Any]:
    return thread[number] if number < len(thread) else {"text": "", "media": []}


def _plain(what: str, before: str, after: str) -> Difference | None:
    if before == after:
        return None
    lines = [f"{mark} {value}" for mark, value in (("-", before), ("+", after)) if value]
    return Difference(what, before, after, lines)


def _text(what: str, before: str, after: str) -> Difference | None:
    if before == after:
        return None
    lines: list[str] = []
    old, new = before.splitlines(), after.splitlines()
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            lines += [f"  {line}" for line in old[a:b]]
        elif kind == "replace" and b - a == d - c:
            lines += [f"~ {_words(was, now)}" for was, now in zip(old[a:b], new[c:d], strict=True)]
        else:
            lines += [f"- {line}" for line in old[a:b]]
            lines += [f"+ {line}" for line in new[c:d]]
    return Difference(what, before, after, lines)


def _words(before: str, after: str) -> str:
    """A line with what was taken out and what came in marked, as wdiff(1) does."""
    old, new = re.findall(r"\s+|\S+", before), re.findall(r"\s+|\S+", after)
    pieces: list[str] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append("".join(old[a:b]))
            continue
        if b > a:
            pieces.append(f"[-{''.join(old[a:b])}-]")
        if d > c:
            pieces.append(f"{{+{''.join(new[c:d])}+}}")
    return "".join(pieces)


def _pictures(
    what: str, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> list[Difference | None]:
    found: list[Difference | None] = []
    for number in range(max(len(before), len(after))):
        was = before[number] if number < len(before) else None
        now = after[number] if number < len(after) else None
        name = what if max(len(before), len(after)) == 1 else f"{what} {number + 1}"
        if was is None or now is None or was["sha256"] != now["sha256"]:
            found.append(_plain(name, _picture(was), _picture(now)))
        if was and now:
            found.append(_text(f"{name}, alt text", was["alt"], now["alt"]))
    return found


def _picture(one: Mapping[str, Any] | None) -> str:
    if one is None:
        return ""
    text = f"{one['name']} {one['width']}×{one['height']} sha256:{one['sha256'][:16]}"
    return text if one.get("alt") is None else f"{text} “{one['alt']}”"

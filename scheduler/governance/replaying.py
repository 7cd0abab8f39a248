"""What the audit says of every approval, played through again and held against the table of approvals.

Rows whose end was cleared, that were altered, that were written or deleted past the program: each is named.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(slots=True)
class Said:
    """An approval as the audit tells it."""

    digest: str
    approver: str
    facts: dict[str, Any]
    """What must stand in its row: stage, role, completeness, end, how it became void."""


@dataclass(frozen=True, slots=True)
class Difference:
    """``kind``: ``approval`` (the audit knows none such), ``approval-row`` (its row differs) or
    ``approval-gone`` (it has no row)."""

    kind: str
    digest: str
    approver: str
    row: int = 0
    found: str = ""
    said: str = ""


Key = tuple[str, str, str, datetime]
"""Campaign, digest, approver, moment."""


def differences(events: Iterable[Any], rows: Iterable[Any]) -> Iterator[Difference]:
    """Given the audit's events on approvals and the rows of the table, in order, tell where they differ."""
    said = _played(events)
    for row in rows:
        expected = said.get((row.campaign_id, row.digest, row.approver, row.approved_at))
        if not expected:
            yield Difference("approval", row.digest, row.approver, row.id)
            continue
        one = expected.pop(0)
        for name, value in one.facts.items():
            if (found := getattr(row, name)) != value:
                yield Difference(
                    "approval-row",
                    row.digest,
                    row.approver,
                    row.id,
                    f"{name}={_text(found)}",
                    f"{name}={_text(value)}",
                )
                break
    for left in said.values():
        for one in left:
            yield Difference("approval-gone", one.digest, one.approver)


def _played(events: Iterable[Any]) -> dict[Key, list[Said]]:
    given: dict[Key, list[Said]] = defaultdict(list)
    in_force: dict[tuple[str, str], list[Said]] = defaultdict(list)
    for event in events:
        pair = (event.campaign_id, event.digest)
        if event.action == "approved":
            one = Said(event.digest, event.actor, _facts(event.detail))
            given[*pair, event.actor, event.at].append(one)
            in_force[pair].append(one)
            continue
        for one in in_force.pop(pair, ()):
            one.facts |= {"void_at": event.at, "void_reason": event.detail.get("code", "")}
    return given


def _facts(detail: dict[str, Any]) -> dict[str, Any]:
    """Events of the first versions say no stage; their columns got these values when they were added."""
    end = detail.get("expires_at")
    return {
        "void_at": None,
        "void_reason": "",
        "stage": detail.get("stage", 1),
        "role": detail.get("role", "approver"),
        "complete": detail.get("complete", True),
        "expires_at": datetime.fromisoformat(end).astimezone(UTC) if end else None,
        "statement_id": detail.get("statement"),
    }


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else "" if value is None else str(value)

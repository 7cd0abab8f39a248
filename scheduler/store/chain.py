"""How a row of the audit is written down and hashed, and what hangs on it. Pure, and never to be changed:
whoever verifies an old chain must get the same hashes. ``docs/audit.md`` says the same in words, for
inspectors.

The text of a row is JSON (RFC 8259) of all its columns but ``hash``: keys in alphabetical order, no
spaces, everything that is not ASCII as \\uXXXX (what ``jq -cSa`` writes). The time is UTC to the
microsecond, with Z. ``previous`` is the hash of the row before; the first row has 64 zeros there. The
hash is SHA-256 of that text, in lower-case hexadecimal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

#: What the first row has for the hash of the row before.
GENESIS = "0" * 64

#: The columns that the hash covers, besides the number of the row itself (``id``).
COVERED = (
    "at",
    "machine",
    "os_user",
    "actor",
    "action",
    "campaign_id",
    "delivery_id",
    "before",
    "after",
    "digest",
    "detail",
    "previous",
)


def canonical(row: Mapping[str, Any]) -> str:
    """The text of a row that is hashed; ``at`` must have a zone."""
    facts = {name: row[name] for name in ("id", *COVERED)}
    at: datetime = facts["at"]
    facts["at"] = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return _written(facts)


def row_hash(row: Mapping[str, Any]) -> str:
    """The hash of a row."""
    return hashlib.sha256(canonical(row).encode("ascii")).hexdigest()


def answers_hash(attempt_id: int, answers: Sequence[Mapping[str, Any]]) -> str:
    """The hash of what a platform answered to an attempt, by which the audit's row holds it fast."""
    facts = {"attempt": attempt_id, "answers": [dict(one) for one in answers]}
    return hashlib.sha256(_written(facts).encode("ascii")).hexdigest()


def _written(facts: Mapping[str, Any]) -> str:
    return _ENCODER.encode(facts)


#: Made once: to make one costs as much as to use it.
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)

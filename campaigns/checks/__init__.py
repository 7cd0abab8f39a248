"""What an editor objects to before anyone approves: one function a check, one line in the list.

A check is given the desk (a campaign, its posts, the office's settings) and yields findings. Its code,
its severity and whether it is on are the list's and the configuration's business, not its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from campaigns.checks import content, links, personal, repeats, sources
from campaigns.checks.desk import Desk, Finding
from campaigns.problems import Problem


@dataclass(frozen=True, slots=True)
class Check:
    """A check: its stable code, how much it weighs unless the office says otherwise, and its function."""

    code: str
    severity: Literal["error", "warning"]
    find: Callable[[Desk], Iterator[Finding]]


CHECKS = (
    Check("alt-text", "warning", content.empty_alt_texts),
    Check("forbidden-word", "warning", content.forbidden_words),
    Check("kpk-logo", "error", content.logo_without_letter),
    Check("link-domain", "warning", links.foreign_domains),
    Check("nik", "error", personal.identity_numbers),
    Check("phone", "warning", personal.phone_numbers),
    Check("personal-email", "warning", personal.personal_emails),
    Check("repeated", "warning", repeats.same_text),
    Check("too-close", "warning", repeats.too_close),
    Check("recheck", "error", sources.recheck_passed),
    Check("recheck-ahead", "warning", sources.recheck_before_publication),
)


def findings(desk: Desk, off: Collection[str] = ()) -> list[Problem]:
    """Everything that the checks find, those that are ``off`` left out."""
    return [
        Problem(
            check.code,
            found.message,
            found.values,
            hint=found.hint,
            file=desk.loaded.path.name,
            item=found.item,
            field=found.field,
            severity=check.severity,
        )
        for check in CHECKS
        if check.code not in off
        for found in check.find(desk)
    ]

"""What stands between a campaign and its approval: what was sent back, and what differs from what was
approved. Shared by ``plan``, which compares with the files, and ``status``, which compares with the store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from scheduler.cli.output import Format, emit, local_time, say
from scheduler.cli.workplace import Workplace
from scheduler.i18n import _, ngettext

if TYPE_CHECKING:
    from campaigns.planning import Changes
    from scheduler.governance.differences import Difference
    from scheduler.store.approving import Waiting
    from scheduler.store.database import Session

#: Posts whose differences a person is shown at once.
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Changed:
    """A post that is not as it was approved."""

    campaign_id: str
    message_id: str
    account_id: str
    found: Sequence[Difference]


def against_files(session: Session, campaign_id: str, zone: str, changes: Changes) -> list[Changed]:
    """What the files say otherwise than what was approved."""
    from scheduler.governance.differences import Difference, differences
    from scheduler.store import approving, campaigns

    moved = {
        (new.message_id, new.target.id): Difference(
            "time",
            old.planned_at.isoformat(),
            new.planned_at.isoformat(),
            (f"- {local_time(old.planned_at, zone)}", f"+ {local_time(new.planned_at, zone)}"),
        )
        for old, new in changes.changed
        if old.planned_at != new.planned_at
    }
    posts = [*changes.new, *changes.returned, *(new for _old, new in changes.changed)]
    by_place = {(post.message_id, post.target.id): post for post in posts}
    before = approving.approved_before(session, campaign_id, {message for message, _account in by_place})
    changed = []
    for place, post in by_place.items():
        was = before.get(place)
        found = [] if was is None else differences(was, campaigns.content_of(post))
        if was is not None and place in moved:
            found.append(moved[place])
        if found:
            changed.append(Changed(campaign_id, *place, found))
    return changed


def waiting(session: Session, now: datetime) -> dict[str, list[Waiting]]:
    """What waits for approval in each campaign that has something waiting."""
    from scheduler.store import approving
    from scheduler.store import campaigns as stored

    found = {
        version.campaign_id: approving.waiting(session, version.campaign_id, now=now)
        for version in stored.in_force(session)
    }
    return {campaign: texts for campaign, texts in found.items() if texts}


def against_store(session: Session, texts: Mapping[str, Sequence[Waiting]]) -> list[Changed]:
    """What waits for approval otherwise than it was approved before."""
    from scheduler.governance.differences import differences
    from scheduler.store import approving

    changed = []
    for campaign_id, those in texts.items():
        before = approving.approved_before(session, campaign_id, {one.message_id for one in those})
        for one in those:
            was = before.get((one.message_id, one.content.account_id))
            if was is not None and (found := differences(was, one.content)):
                changed.append(Changed(one.campaign_id, one.message_id, one.content.account_id, found))
    return changed


def tell(changed: Sequence[Changed]) -> None:
    """Show people every difference, as far as it fits."""
    from scheduler.cli.showing import show_differences

    if not changed:
        return
    emit(_("Differs from what was approved:"))
    for one in changed[:SHOWN]:
        emit(f"  {one.campaign_id}: {one.message_id} → {one.account_id}")
        show_differences(one.found)
    if len(changed) > SHOWN:
        more = len(changed) - SHOWN
        say(ngettext("  ... and {count} more post", "  ... and {count} more posts", more))
    emit("")


def plain(changed: Sequence[Changed]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            "campaign": one.campaign_id,
            "message": one.message_id,
            "account": one.account_id,
            "differences": [
                {"what": piece.what, "before": piece.before, "after": piece.after} for piece in one.found
            ],
        }
        for one in changed
    ]


def sent_back(workplace: Workplace, session: Session) -> list[dict[str, Any]]:
    """What was sent back to its drafter and is still as it was."""
    from scheduler.reports.rows import LocalTime
    from scheduler.store import returning

    return [
        {
            "campaign": row.campaign_id,
            "message": row.message_id,
            "by": row.sent_by,
            "at": LocalTime(row.sent_at, workplace.config.zone),
            "reason": row.reason,
        }
        for row in returning.returned(session)
    ]


def facts(
    workplace: Workplace, back: Sequence[Mapping[str, Any]], changed: Sequence[Changed], form: Format
) -> dict[str, tuple[str, Any]]:
    """What ``status`` says about both."""
    if form is Format.CSV:
        return {"sent_back": ("", len(back)), "differs": ("", len(changed))}
    if form is Format.JSON:
        return {"sent_back": ("", list(back)), "differs": ("", plain(changed))}
    told = (
        f"{row['campaign']}: {row['message']} ({workplace.person_name(row['by'])}: {row['reason']})"
        for row in back
    )
    lines = list(dict.fromkeys(told))  # a message has a content for every account
    return {"sent_back": (_("Sent back to the drafter"), "\n".join(lines))}

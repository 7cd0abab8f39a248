"""The rule by which a campaign is approved, applied to the person who wants to approve.

Nothing goes out without a recorded approval of exactly that content; here is decided whose counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from scheduler.errors import GaungError
from scheduler.governance.people import Actor, require_role
from scheduler.i18n import N_
from scheduler.store import approving
from scheduler.store.database import Session
from scheduler.store.tables import CampaignVersion


def check_approver(who: Actor, version: CampaignVersion) -> None:
    """Raise GaungError unless ``who`` may approve this version of the campaign."""
    require_role(who, "approver")
    if version.approval == "two-person" and version.applied_by == who.id:
        raise GaungError(
            N_("{name} applied this campaign and cannot approve it as well (approval = two-person)."),
            hint=N_("Ask another person with the role approver."),
            name=who.name,
        )


def approve(
    session: Session, version: CampaignVersion, digests: Sequence[str], who: Actor, now: datetime
) -> None:
    """Record the approval of contents; raise GaungError if this person's approval does not count."""
    check_approver(who, version)
    approving.approve(session, version.campaign_id, digests, approver=who.id, os_user=who.os_user, at=now)

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


def check_approver(session: Session, version: CampaignVersion, digests: Sequence[str], who: Actor) -> None:
    """Raise GaungError unless ``who`` may approve these contents of the campaign.

    Under two-person, neither who put the newest version into force nor who brought one of the contents
    in: a colleague's later apply of a trifle changes nothing about who drafted the text.
    """
    require_role(who, "approver")
    if version.approval != "two-person":
        return
    own = approving.drafted_by(session, version.campaign_id, digests, who.id)
    if own or version.applied_by == who.id:
        raise GaungError(
            N_("{name} applied this campaign and cannot approve it as well (approval = two-person)."),
            hint=N_("Ask another person with the role approver."),
            name=who.name,
        )


def approve(
    session: Session, version: CampaignVersion, digests: Sequence[str], who: Actor, now: datetime
) -> None:
    """Record the approval of contents; raise GaungError if this person's approval does not count."""
    check_approver(session, version, digests, who)
    approving.approve(session, version.campaign_id, digests, approver=who.id, os_user=who.os_user, at=now)

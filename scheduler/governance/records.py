"""How long records are kept, and legal holds. Nothing is deleted here: what is due is only told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from scheduler.errors import GaungError
from scheduler.i18n import N_
from scheduler.store import recording
from scheduler.store.database import Session
from scheduler.store.recording import Kept


@dataclass(frozen=True, slots=True)
class Retained:
    """A campaign's records and when their retention ends; None if none is set."""

    kept: Kept
    due_on: date | None

    def is_due(self, today: date) -> bool:
        """Whether somebody may decide about them now: the time is over and nothing holds them."""
        return self.due_on is not None and self.due_on <= today and self.kept.hold is None


def retained(session: Session, retention: timedelta) -> Sequence[Retained]:
    """Every campaign's records, with the day on which their retention ends."""
    return [
        Retained(one, one.ends + retention if retention else None)
        for one in sorted(recording.kept(session), key=lambda one: (one.ends, one.campaign_id))
    ]


def refuse_if_held(session: Session, campaign_id: str) -> None:
    """Raise GaungError if a legal hold forbids to delete anything of a campaign."""
    held = recording.hold(session, campaign_id)
    if held is not None:
        raise GaungError(
            N_("A legal hold is on the campaign {campaign} ({reason}); nothing of it is deleted."),
            hint=N_("An auditor lifts it with: gaung hold {campaign} --lift --reason …"),
            campaign=campaign_id,
            reason=f"{held.reason}, {held.letter}" if held.letter else held.reason,
        )

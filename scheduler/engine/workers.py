"""The calls of a dispatcher, as worker threads make them: what they bring goes into the mailbox.

Nothing here touches the database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from scheduler.engine.ahead import PATIENCE
from scheduler.engine.calls import Calls
from scheduler.engine.mailbox import Answered, Looked, Mailbox, MailedProgress, Measured, Unbegun
from scheduler.store.claiming import Claim


@dataclass(frozen=True, slots=True)
class Workers:
    """Makes calls; every method runs in a worker thread."""

    calls: Calls
    mailbox: Mailbox
    time: Callable[[], datetime]
    """The time by the database's clock, as far as this machine knows it."""
    steady: Callable[[], float]
    """Seconds of a clock that nobody sets."""
    holds: Callable[[int], bool]
    """Whether nobody else can have taken over the attempt at a delivery."""

    def publish(self, claim: Claim, since: float | None = None) -> None:
        """Publish a post that was claimed; not if it has waited ``since`` then for a worker, for too long."""
        if since is not None and self.steady() - since >= PATIENCE:
            self.mailbox.put(Unbegun(claim))
            return
        progress = MailedProgress(claim, self.mailbox)
        told = self.calls.publish(claim, progress, lambda: self.holds(claim.delivery_id))
        answer = Answered(claim, told.answer, self.time(), told.pause, told.heard, progress.noted)
        self.mailbox.put(answer)

    def look(self, claim: Claim) -> None:
        """Look for a post of unknown outcome."""
        progress = MailedProgress(claim, self.mailbox)
        finding, pause = self.calls.find(claim, progress)
        self.mailbox.put(Looked(claim, finding, self.time(), pause, progress.noted))

    def measure(self, account_id: str, asked: Mapping[str, int]) -> None:
        """Ask for figures; ``asked`` maps remote ids to deliveries."""
        figures, pause = self.calls.reach(account_id, list(asked))
        self.mailbox.put(Measured(account_id, asked, figures, self.time(), pause))

"""What every claim asks before it is made: do these approvals still hold, by the newest configuration,
and are the words in the store still those that were approved?

The database's own conditions (approved, all stages, not at its end) are part of the claim's statement.
Here are those that need the configuration: whoever approved must still have that role, and a signed
approval must still verify. Asked inside the claiming transaction; what no longer holds is made void in
it, so it stays void whatever happens to the configuration later.

The configuration is looked at before every claim and read anew when its file has changed. While it
cannot be read, nothing is claimed: nobody knows then whose approval counts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from scheduler.config import Config
from scheduler.errors import GaungError
from scheduler.governance.contents import own_digest
from scheduler.governance.signing import Signatures
from scheduler.store import consents
from scheduler.store.claiming import Candidate
from scheduler.store.consents import Given, Pair
from scheduler.store.database import Session, Store

log = logging.getLogger("gaung.gate")

#: How often approvals that came to their end are made void; the claim itself looks at the instant.
SWEEP = timedelta(minutes=1)


class Gate:
    """Asked by the dispatcher, from its thread."""

    def __init__(self, config: Config, load: Callable[[Path], Config]) -> None:
        self._config = config
        self._load = load
        self._seen = _stamp(config.file)
        self._readable = True
        self._roles_checked = False
        self._sweep_at: datetime | None = None
        self._signatures = Signatures(config)

    def prepare(self, store: Store, now: datetime) -> None:
        """Verify signatures that will be asked about, outside any transaction."""
        if self._config.approval.signing == "ssh":
            self._signatures.prepare(store, now)

    def open(self, session: Session, now: datetime) -> bool:
        """In the claiming transaction: bring everything up to date; False if nothing may be claimed."""
        self._read_again()
        if not self._readable:
            return False
        if not self._roles_checked:
            self._void_lost_roles(session, now)
            self._roles_checked = True
        if self._sweep_at is None or abs(now - self._sweep_at) >= SWEEP:
            consents.void_expired(session, now)
            self._sweep_at = now
        return True

    def refused(self, session: Session, candidates: Sequence[Candidate], now: datetime) -> Collection[int]:
        """Which of the deliveries that are about to be claimed may not go out; their approvals are void."""
        pairs = list(dict.fromkeys((one.campaign_id, one.digest) for one in candidates))
        given = consents.given(session, pairs, now)
        reasons = {pair: self._reason(pair, given.get(pair, [])) for pair in pairs}
        for one in candidates:
            if own_digest(one) != one.digest:
                reasons[one.campaign_id, one.digest] = "content"
        for pair, reason in reasons.items():
            if reason and reason != "later":
                consents.void(session, [pair], code=reason, actor="daemon", at=now)
                log.warning("approval void", extra={"action": "approval_void", "reason": reason})
        return {one.id for one in candidates if reasons[one.campaign_id, one.digest]}

    def _reason(self, pair: Pair, given: Sequence[Given]) -> str:
        """Why the approvals of a content do not hold; "" if they do."""
        if not all(self._has_role(one.approver, one.role) for one in given):
            return "role"
        if self._config.approval.signing == "ssh":
            return self._signatures.reason(pair, given)
        return ""

    def _has_role(self, person: str, role: str) -> bool:
        known = self._config.people.get(person)
        return known is not None and role in known.roles

    def _void_lost_roles(self, session: Session, now: datetime) -> None:
        for person, role in consents.givers(session):
            if not self._has_role(person, role):
                pairs = consents.given_by(session, person, role)
                count = consents.void(session, pairs, code="role", actor="daemon", at=now, reason=person)
                log.warning(
                    "role taken away",
                    extra={"action": "approval_void", "person": person, "role": role, "count": count},
                )

    def _read_again(self) -> None:
        stamp = _stamp(self._config.file)
        if stamp == self._seen:
            return
        try:
            if stamp is None:
                raise GaungError("the file is gone")
            config = self._load(self._config.file)
        except GaungError as error:
            if self._readable:
                log.error(
                    "configuration unreadable; nothing is sent",
                    extra={"action": "configuration_lost", "reason": str(error)},
                )
            self._readable = False
            self._seen = stamp
            return
        self._config, self._seen, self._readable, self._roles_checked = config, stamp, True, False
        self._signatures.use(config)
        log.info("configuration read again", extra={"action": "configuration_read"})


def _stamp(file: Path) -> tuple[int, ...] | None:
    """What changes when somebody writes the file; None if there is none."""
    try:
        about = file.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_ctime_ns, about.st_size, about.st_ino

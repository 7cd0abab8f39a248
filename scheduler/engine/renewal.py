"""Renewing stored credentials ahead of their end: once, whichever daemon comes first, and keeping it.

The call runs in a worker; what it brings is kept by the dispatcher's thread in one transaction, since
a platform that rotates its refresh tokens accepts the former one no more. Whoever renews holds a lease
on the stored row: no other node begins before it has run out, and an answer is kept only in the place
of exactly what it renewed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from adapters.contract import Credentials
from adapters.errors import AdapterError, AuthExpired, Transient
from scheduler.engine.errand import Errand
from scheduler.engine.mailbox import Answered, Looked, Message, Renewed
from scheduler.engine.means import Means
from scheduler.errors import StoreError
from scheduler.store.claiming import Claim
from scheduler.vault import Vault, VaultError

log = logging.getLogger("gaung.renewal")

#: How soon a renewal that did not succeed is tried again, by whatever node.
AGAIN = timedelta(minutes=10)
_REPLACED = "the credentials were replaced while they were used"
#: How long a node may be at it before another takes over.
LEASE = timedelta(minutes=5)
#: How long the call itself may last (``adapters.transport``: 10 s to connect, 60 s to answer, with room).
CALL = timedelta(minutes=2)


class Renewal(Errand[Renewed]):
    """Renews what is due."""

    brings = Renewed

    def __init__(self, means: Means, vault: Vault, every: timedelta = timedelta(0)) -> None:
        super().__init__(means, every)
        self._vault = vault

    def start(self, now: datetime) -> None:
        """Begin every renewal that is due; read anew what another process may have stored."""
        ends = self._vault.ends()
        if not ends:
            return
        with self._told(""):  # of the accounts whose credentials do open, those go on that are in memory
            self._vault.load()
        for account_id, end in ends.items():
            before = self._calls.renew_before(account_id)
            if end is None or before is None or account_id in self._asked or now < end - before:
                continue
            begun = self._clock.steady()
            with self._told(account_id):
                version = self._vault.lease(account_id, node=self._node, end=end, now=now, lasts=LEASE)
                if version is not None:
                    self._ask(account_id, partial(self._renew, account_id, version, begun))

    def take(self, messages: Sequence[Message]) -> list[Message]:
        """Take the answers that are for here; return the others.

        A platform that refused credentials which somebody has replaced meanwhile did not refuse the
        account: such an answer is returned as one to be tried again.
        """
        return [self._excused(message) for message in super().take(messages)]

    def _excused(self, message: Message) -> Message:
        match message:
            case Answered(claim, AuthExpired()) if self._replaced(claim):
                return replace(message, outcome=Transient(_REPLACED))
            case Looked(claim, AuthExpired()) if self._replaced(claim):
                return replace(message, finding=Transient(_REPLACED))
        return message

    def _replaced(self, claim: Claim) -> bool:
        with suppress(StoreError, VaultError):  # the turn that follows says so
            return self._vault.refreshed(claim.account_id, claim.at)
        return False

    def _keep(self, message: Renewed) -> None:
        answer, account = message.answer, message.account_id
        if not isinstance(answer, Credentials):
            self._vault.postpone(
                account, node=self._node, version=message.version, now=message.at, lasts=AGAIN
            )
            if answer is not None:
                _not_renewed(account, answer.reason)
            return
        with self._told(account):
            kept = self._vault.keep(
                account,
                answer.secrets,
                answer.expires_at,
                now=message.at,
                actor="daemon",
                over=message.version,
            )
            if kept:
                log.info("renewed", extra={"action": "renewed", "account": account})
            else:  # a login, a logout or another node was first, and what that left is the newer one
                log.warning("renewed too late", extra={"action": "renewed_too_late", "account": account})

    @contextmanager
    def _told(self, account_id: str) -> Iterator[None]:
        """Stored credentials that do not open with our keys are told, and end no daemon."""
        try:
            yield
        except VaultError as error:
            _not_renewed(account_id, str(error))

    def _renew(self, account_id: str, version: int, begun: float) -> Renewed:
        answer: Credentials | AdapterError | None
        if self._clock.steady() - begun > (LEASE - CALL).total_seconds():
            answer = Transient("no worker was free in time")  # another node may be at it before we are done
        else:
            answer = self._calls.renew(account_id)
        return Renewed(account_id, version, answer, self._clock.now())


def _not_renewed(account_id: str, reason: str) -> None:
    log.warning("not renewed", extra={"action": "not_renewed", "account": account_id, "reason": reason})

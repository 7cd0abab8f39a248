"""Renewing stored credentials ahead of their end: when, and keeping what comes back.

The call runs in a worker; what it brings is kept by the dispatcher's thread in one transaction, since
a platform that rotates its refresh tokens accepts the former one no more.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Executor
from datetime import datetime, timedelta

from adapters.contract import Credentials
from scheduler.clock import Clock
from scheduler.engine.calls import Calls
from scheduler.engine.mailbox import Mailbox, Message, Renewed
from scheduler.vault import Vault

log = logging.getLogger("gaung.renewal")

#: How soon a renewal that did not succeed is tried again.
AGAIN = timedelta(minutes=10)


class Renewal:
    """Renews what is due. Every method is called from the dispatcher's thread."""

    def __init__(
        self, vault: Vault, clock: Clock, calls: Calls, executor: Executor, mailbox: Mailbox
    ) -> None:
        self._vault = vault
        self._clock = clock
        self._calls = calls
        self._executor = executor
        self._mailbox = mailbox
        self._running: set[str] = set()
        self._not_before: dict[str, datetime] = {}
        self._unkept: list[Renewed] = []

    @property
    def in_flight(self) -> int:
        """Renewals that have not come back."""
        return len(self._running)

    def start(self, now: datetime) -> None:
        """Begin every renewal that is due; read anew what another process may have stored."""
        ends = self._vault.ends()
        if not ends:
            return
        self._vault.load()
        for account_id, end in ends.items():
            before = self._calls.renew_before(account_id)
            if end is None or before is None or account_id in self._running:
                continue
            if now >= max(end - before, self._not_before.get(account_id, end - before)):
                self._running.add(account_id)
                self._executor.submit(self._renew, account_id)

    def settle(self, messages: Sequence[Message]) -> None:
        """Keep what came back; a database that cannot be used now is asked again at the next turn."""
        self._unkept += [message for message in messages if isinstance(message, Renewed)]
        while self._unkept:
            self._keep(self._unkept[0])
            self._unkept.pop(0)

    def _keep(self, message: Renewed) -> None:
        answer, account = message.answer, message.account_id
        if isinstance(answer, Credentials):
            self._vault.keep(account, answer.secrets, answer.expires_at, now=message.at, actor="daemon")
            self._running.discard(account)
            log.info("renewed", extra={"action": "renewed", "account": account})
            return
        self._running.discard(account)
        self._not_before[account] = message.at + AGAIN
        if answer is not None:
            log.warning(
                "not renewed", extra={"action": "not_renewed", "account": account, "reason": answer.reason}
            )

    def _renew(self, account_id: str) -> None:
        self._mailbox.put(Renewed(account_id, self._calls.renew(account_id), self._clock.now()))

"""Credentials that a login or a renewal gave, encrypted in the database.

Encryption is ``cryptography``'s MultiFernet; its keys are references of the configuration
(``secret_keys``): the first encrypts, all decrypt, so that a key can be exchanged. What is decrypted
lives in memory only, and is read anew when another process may have changed it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from scheduler.errors import GaungError
from scheduler.i18n import N_
from scheduler.store import credentials
from scheduler.store.database import Store

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


class VaultError(GaungError):
    """Stored credentials cannot be opened, or there is no key to close them with."""


class Vault:
    """The stored credentials of all accounts. Reading from memory is safe from any thread."""

    def __init__(self, store: Store, keys: Sequence[str]) -> None:
        self._store = store
        self._keys = tuple(keys)
        self._lock = threading.Lock()
        self._open: dict[str, dict[str, str]] | None = None
        self._shut: dict[str, VaultError] = {}
        """Of the accounts whose credentials do not open: why."""

    def load(self) -> None:
        """Read every credential into memory; raise VaultError if one does not open with our keys.

        All others are read even so: the trouble of one account is none of theirs.
        """
        with self._store.read() as session:
            sealed = credentials.every(session)
        opened: dict[str, dict[str, str]] = {}
        shut: dict[str, VaultError] = {}
        for row in sealed:
            try:
                opened[row.account_id] = self._unseal(row.account_id, row.sealed)
            except VaultError as error:
                shut[row.account_id] = error
        with self._lock:
            self._open, self._shut = opened, shut
        if shut:
            raise next(iter(shut.values()))

    def secret(self, account_id: str, name: str) -> str:
        """A secret from memory, read at the first question; "" if there is none.

        Raise VaultError if those of this account do not open with our keys.
        """
        if self._open is None:
            with suppress(VaultError):
                self.load()
        with self._lock:
            known = (self._open or {}).get(account_id)
            if known is None and account_id in self._shut:
                raise self._shut[account_id]
            return (known or {}).get(name, "")

    def refreshed(self, account_id: str, since: datetime) -> bool:
        """Read an account's credentials anew; True if they were replaced since ``since`` (UTC), or are not
        those that this process used.
        """
        with self._store.read() as session:
            row = credentials.of(session, account_id)
        if row is None:
            return False
        opened = self._unseal(account_id, row.sealed)
        with self._lock:
            known = (self._open or {}).get(account_id)
            self._open = {**(self._open or {}), account_id: opened}
        return known != opened or row.updated_at > since

    def ends(self) -> dict[str, datetime | None]:
        """When the credentials of each account end (UTC); None if they do not."""
        with self._store.read() as session:
            return credentials.ends(session)

    def lease(
        self, account_id: str, *, node: str, end: datetime, now: datetime, lasts: timedelta
    ) -> int | None:
        """Take the renewal of what ends at ``end`` upon this node, and read it into memory.

        Return the version that is renewed; None if another node is at it, for which it has as long as
        ``lasts``, or if what is stored is no longer what ends then. ``now`` by this machine's clock.
        """
        with self._store.write() as session:
            at = self._store.moment(session, now)
            row = credentials.lease(session, account_id, node=node, end=end, now=at, until=at + lasts)
        if row is None:
            return None
        opened = self._unseal(account_id, row.sealed)
        with self._lock:
            self._open = {**(self._open or {}), account_id: opened}
        return row.version

    def postpone(self, account_id: str, *, node: str, version: int, now: datetime, lasts: timedelta) -> None:
        """A renewal did not succeed: nobody tries again before ``lasts`` is over."""
        with self._store.write() as session:
            until = self._store.moment(session, now) + lasts
            credentials.postpone(session, account_id, node=node, version=version, until=until)

    def keep(
        self,
        account_id: str,
        secrets: Mapping[str, str],
        expires_at: datetime | None,
        *,
        now: datetime,
        actor: str,
        over: int | None = None,
    ) -> bool:
        """Store credentials in one transaction. An empty value never takes the place of one that is there.

        ``over``: only in the place of this version. False if that is no longer the one that is stored
        (somebody has logged in or out, or renewed it as well): then nothing was changed.
        """
        given = {name: value for name, value in secrets.items() if value}
        with self._store.write() as session:
            row = credentials.locked(session, account_id)
            if over is not None and (row is None or row.version != over):
                return False
            before = self._unseal(account_id, row.sealed) if row else {}
            merged = {**before, **given}
            credentials.put(
                session,
                account_id,
                self._seal(merged),
                names=sorted(given),
                expires_at=expires_at,
                now=now,
                actor=actor,
            )
        with self._lock:
            self._open = {**(self._open or {}), account_id: merged}
        return True

    def require_key(self) -> None:
        """Raise VaultError if there is no usable key."""
        self._fernet()

    def rotate(self, *, now: datetime, actor: str) -> int:
        """Encrypt everything anew with the first key; return how many accounts."""
        with self._store.write() as session:
            rows = credentials.every(session)
            for row in rows:
                sealed = self._seal(self._unseal(row.account_id, row.sealed))
                credentials.reseal(session, row, sealed, now=now, actor=actor)
        return len(rows)

    def _seal(self, secrets: Mapping[str, str]) -> str:
        return self._fernet().encrypt(json.dumps(secrets).encode()).decode()

    def _unseal(self, account_id: str, sealed: str) -> dict[str, str]:
        from cryptography.fernet import InvalidToken

        try:
            opened: dict[str, str] = json.loads(self._fernet().decrypt(sealed.encode()))
        except InvalidToken:
            raise VaultError(
                N_("The stored credentials of {account} do not open with the keys in secret_keys."),
                hint=N_("Put the former key back into secret_keys, after the new one, or log in again."),
                account=account_id,
            ) from None
        return opened

    def _fernet(self) -> MultiFernet:
        from cryptography.fernet import Fernet, MultiFernet

        if not self._keys:
            raise VaultError(
                N_("There is no key for stored credentials."),
                hint=N_("Make one with “gaung secrets new-key FILE” and name it in secret_keys."),
            )
        try:
            return MultiFernet([Fernet(key.encode()) for key in self._keys])
        except ValueError:
            raise VaultError(
                N_("A key in secret_keys is not usable."),
                hint=N_("Make one with “gaung secrets new-key FILE”."),
            ) from None

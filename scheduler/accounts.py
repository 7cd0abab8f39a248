"""From the accounts of the configuration to adapters: settings and secrets are put together here.

Secrets are read at the moment they are needed and go to the adapter alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Protocol

from adapters import registry, scopes
from adapters.contract import Account, Adapter, Media
from adapters.errors import AuthExpired
from scheduler.config import Config
from scheduler.i18n import N_
from scheduler.secrets import SecretError, resolve
from scheduler.vault import VaultError


class _Now(Protocol):
    def now(self) -> datetime: ...


class Accounts:
    """Makes adapters for the configured accounts."""

    def __init__(
        self, config: Config, environment: Mapping[str, str], clock: _Now, stored: Callable[[str, str], str]
    ) -> None:
        """``stored`` gives a secret that a login left, by account and name, or ""."""
        self._config = config
        self._stored = stored
        self._environment = environment
        self._clock = clock
        #: To look a platform up is to read what every installed package brings along.
        self.adapter_class = cache(registry.adapter_class)

    def siblings(self, account_id: str) -> list[str]:
        """The accounts that share an app with this one (platform and option ``app``), itself included."""
        own = self._config.accounts.get(account_id)
        if own is None:
            return [account_id]
        return [
            name
            for name, other in self._config.accounts.items()
            if (other.platform, other.options.get("app")) == (own.platform, own.options.get("app"))
        ]

    def check_secret_files(self) -> None:
        """Raise SecretError if a secret lies in a file that others can read."""
        for settings in self._config.accounts.values():
            for reference in settings.secrets.values():
                if reference.startswith("file:"):
                    resolve(reference, self._config.file.parent, self._environment)

    def _public_url(self) -> Callable[[Media], str] | None:
        media = self._config.media
        if not media.base_url and not media.store:
            return None
        from adapters.media_store import MediaStore

        # A plain folder is meant from the configuration's place; a URL of fsspec stays as it is.
        store = media.store if "://" in media.store else str(self._config.path(Path(media.store)))
        return MediaStore(store, media.base_url, dict(media.options)).url_for

    def adapter(self, account_id: str) -> Adapter:
        """The adapter of an account; raise AuthExpired if the account is not configured any more."""
        account = self.account(account_id)
        return self.adapter_class(self._config.accounts[account_id].platform)(account, self._clock.now)

    def account(self, account_id: str) -> Account:
        """An account as adapters see it; raise AuthExpired if it is not configured any more.

        A secret that cannot be read raises AuthExpired when it is asked for.
        """
        settings = self._config.accounts.get(account_id)
        if settings is None:
            raise AuthExpired(N_("The account is not in the configuration."), code="no-account")

        def kept(name: str) -> str:
            try:
                return self._stored(account_id, name)
            except VaultError as error:
                raise AuthExpired(str(error), code="no-secret") from None

        def secret(name: str) -> str:
            reference = settings.secrets.get(name)
            if reference is None:
                if found := kept(name):
                    return found
                raise AuthExpired(N_("A secret of the account is not configured."), code=name)
            try:
                return resolve(reference, self._config.file.parent, self._environment)
            except SecretError as error:
                raise AuthExpired(str(error), code="no-secret") from None

        return Account(
            id=account_id,
            handle=settings.handle,
            secret=secret,
            api_base=settings.api_base,
            options=dict(settings.options),
            public_url=self._public_url(),
            granted=lambda: kept(scopes.NAME),
        )

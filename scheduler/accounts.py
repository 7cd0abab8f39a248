"""From the accounts of the configuration to adapters: settings and secrets are put together here.

Secrets are read at the moment they are needed and go to the adapter alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from adapters import registry
from adapters.contract import Account, Adapter
from adapters.errors import AuthExpired
from scheduler.config import Config
from scheduler.secrets import SecretError, resolve


class _Now(Protocol):
    def now(self) -> datetime: ...


class Accounts:
    """Makes adapters for the configured accounts."""

    def __init__(self, config: Config, environment: Mapping[str, str], clock: _Now) -> None:
        self._config = config
        self._environment = environment
        self._clock = clock

    def check_secret_files(self) -> None:
        """Raise SecretError if a secret lies in a file that others can read."""
        for settings in self._config.accounts.values():
            for reference in settings.secrets.values():
                if reference.startswith("file:"):
                    resolve(reference, self._config.file.parent, self._environment)

    def adapter(self, account_id: str) -> Adapter:
        """The adapter of an account; raise AuthExpired if the account is not configured any more.

        A secret that cannot be read raises AuthExpired when the adapter asks for it.
        """
        settings = self._config.accounts.get(account_id)
        if settings is None:
            raise AuthExpired(f"the account {account_id} is not in the configuration", code="no-account")

        def secret(name: str) -> str:
            reference = settings.secrets.get(name)
            if reference is None:
                raise AuthExpired(f"the secret {name} of {account_id} is not configured", code="no-secret")
            try:
                return resolve(reference, self._config.file.parent, self._environment)
            except SecretError as error:
                raise AuthExpired(str(error), code="no-secret") from None

        account = Account(
            id=account_id,
            handle=settings.handle,
            secret=secret,
            api_base=settings.api_base,
            options=dict(settings.options),
        )
        return registry.adapter_class(settings.platform)(account, self._clock.now)

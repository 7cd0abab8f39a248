"""When stored credentials end: how many days are left, and for which accounts a person must act in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.cli.workplace import Workplace
from scheduler.i18n import _, ngettext

#: Credentials that no daemon renews are spoken of so long before their end: time to find who can log in.
SOON = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Ending:
    """The stored credentials of an account; ``at`` in UTC, None if they do not end."""

    account_id: str
    at: datetime | None
    left: timedelta | None
    renews: bool
    """The daemon renews them ahead of their end."""
    soon: bool
    """A person must act, or look why they were not renewed."""

    @property
    def days(self) -> int | None:
        """Whole days left, never less than 0; None if they do not end."""
        return None if self.left is None else max(self.left, timedelta()).days

    def words(self) -> str:
        """How much is left, in words."""
        if self.left is None or self.days is None:
            return _("no end")
        if self.left <= timedelta():
            return _("has ended")
        days = ngettext("{count} day", "{count} days", self.days)
        if self.days == 0:
            hours = int(self.left.total_seconds() // 3600)
            days = ngettext("{count} hour", "{count} hours", hours) if hours else _("less than an hour")
        return _("{time}, renewed by itself", time=days) if self.renews and not self.soon else days

    def advice(self) -> str:
        """What is left and what to do, in a line."""
        if self.renews:
            return _(
                "{account}: {time}. It should have been renewed by now; is the daemon running?"
                " Otherwise: gaung accounts login {account}",
                account=self.account_id,
                time=self.words(),
            )
        return _(
            "{account}: {time}. Log in again: gaung accounts login {account}",
            account=self.account_id,
            time=self.words(),
        )


def endings(workplace: Workplace) -> dict[str, Ending]:
    """The stored credentials that are in use, by account."""
    from scheduler.store import credentials

    now = workplace.clock.now()
    with workplace.store().read() as session:
        stored = credentials.ends(session)
    return {
        account_id: _ending(workplace, account_id, at, now)
        for account_id, at in stored.items()
        if account_id in workplace.config.accounts and not shadowed(workplace, account_id)
    }


def shadowed(workplace: Workplace, account_id: str) -> bool:
    """Whether the configuration names all that its platform always needs: what is stored is then not used."""
    from adapters import registry

    settings = workplace.config.accounts[account_id]
    needed = registry.adapter_class(settings.platform).secrets
    return bool(needed) and set(needed) <= set(settings.secrets)


def _ending(workplace: Workplace, account_id: str, at: datetime | None, now: datetime) -> Ending:
    from adapters import registry

    before = registry.adapter_class(workplace.config.accounts[account_id].platform).renew_before
    if at is None:
        return Ending(account_id, None, None, renews=False, soon=False)
    left = at - now
    # It is renewed when ``before`` is left, and tried again every few minutes; by half of that it is late.
    return Ending(
        account_id, at, left, renews=before is not None, soon=left < (before / 2 if before else SOON)
    )

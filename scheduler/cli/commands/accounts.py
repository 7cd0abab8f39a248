"""``accounts list`` and ``accounts check``: which accounts there are, and whether they work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scheduler.cli.options import FormatOption
from scheduler.cli.output import Format, listing, say
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _, ngettext

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from scheduler.cli.endings import Ending
    from scheduler.store.tables import AccountState


def list_accounts(context: typer.Context, form: FormatOption = Format.TABLE) -> None:
    from scheduler.cli.endings import endings
    from scheduler.cli.words import reason_words
    from scheduler.reports.rows import LocalTime
    from scheduler.store import listings

    workplace: Workplace = context.obj
    config = workplace.config
    stored = endings(workplace)
    with workplace.store().read() as session:
        now = workplace.clock.now()
        known = {one.account_id: one for one in listings.standing(session, now).accounts}
    rows: list[dict[str, Any]] = []
    for name, settings in config.accounts.items():
        state = known.get(name)
        rows.append(
            {
                "account": name,
                "platform": settings.platform,
                "handle": settings.handle or None,
                "agency": settings.agency or None,
                "groups": ", ".join(group for group, members in config.groups.items() if name in members),
                "usable": not (state and state.disabled_at),
                "paused_until": LocalTime(state.not_before, config.zone)
                if state and state.not_before and state.not_before > now
                else None,
                "code": state.code if state and state.disabled_at else None,
                "reason": _why(state, now) if state else None,
                "checked_at": LocalTime(state.verified_at, config.zone)
                if state and state.verified_at
                else None,
                "identity": state.identity if state and state.identity else None,
                **_credentials(stored.get(name), config.zone, form),
            }
        )
    headings = {
        "account": _("account"),
        "platform": _("platform"),
        "handle": _("name there"),
        "agency": _("agency"),
        "groups": _("groups"),
        "usable": _("usable"),
        "paused_until": _("pauses until"),
        "code": "",
        "reason": _("reason"),
        "checked_at": _("checked"),
        "identity": _("identity"),
        "credentials_end": _("login ends"),
        "days_left": _("days left"),
    }
    if form is Format.TABLE:
        headings.pop("code")
        headings.pop("days_left")
        if not stored:
            headings.pop("credentials_end")
        if not any(row["paused_until"] for row in rows):
            headings.pop("paused_until")
        rows = [
            {**row, "reason": reason_words(row["code"] or "", row["reason"]) if row["reason"] else None}
            for row in rows
        ]
    listing(rows, headings, form, empty=_("The configuration has no accounts."))
    if form is Format.TABLE:
        for one in stored.values():
            if one.soon:
                say(one.advice())


def _why(state: AccountState, now: datetime) -> str | None:
    """Why the account sends nothing: what a person must see to, or else what it pauses for."""
    if state.disabled_at:
        return state.reason
    return (state.pause_reason or None) if state.not_before and state.not_before > now else None


def _credentials(ending: Ending | None, zone: str, form: Format) -> dict[str, Any]:
    """When the stored login of an account ends: in words, or for programs the instant and the days."""
    from scheduler.reports.rows import LocalTime

    if ending is None:
        return {"credentials_end": None, "days_left": None}
    if form is Format.TABLE:
        return {"credentials_end": ending.words()}
    return {
        "credentials_end": LocalTime(ending.at, zone) if ending.at else None,
        "days_left": ending.days,
    }


def check(
    context: typer.Context,
    account: Annotated[list[str] | None, typer.Argument(help=_("Ids of accounts; without them all."))] = None,
    form: FormatOption = Format.TABLE,
) -> int:
    from adapters.errors import AdapterError, Misconfigured
    from scheduler.store import account_states

    workplace: Workplace = context.obj
    names = account or list(workplace.config.accounts)
    for name in names:
        if name not in workplace.config.accounts:
            raise GaungError(
                N_("There is no account {name}."), hint=N_("See “gaung accounts list”."), name=name
            )
    workplace.accounts.check_secret_files()
    store = workplace.store(create=True)
    rows: list[dict[str, Any]] = []
    for name in names:
        row: dict[str, Any] = {"account": name, "platform": workplace.config.accounts[name].platform}
        try:
            identity = workplace.accounts.adapter(name).verify()
        except AdapterError as error:
            rows.append({**row, "works": False, "code": error.kind, "reason": error.reason})
            continue
        except Misconfigured as error:  # it must not keep the others from being asked
            rows.append({**row, "works": False, "code": "misconfigured", "reason": str(error)})
            continue
        with store.write() as session:
            account_states.enable_account(
                session, name, now=workplace.clock.now(), identity=identity.name or identity.remote_id
            )
        rows.append(
            {
                **row,
                "works": True,
                "identity": identity.name or identity.remote_id,
                "missing": ", ".join(identity.missing_permissions) or None,
                "needless": ", ".join(identity.needless_permissions) or None,
            }
        )
    headings = {
        "account": _("account"),
        "platform": _("platform"),
        "works": _("works"),
        "identity": _("identity"),
        "missing": _("missing permissions"),
        "needless": _("needless permissions"),
        "code": "",
        "reason": _("reason"),
    }
    if form is Format.TABLE:
        headings.pop("code")
        if not any(row.get("needless") for row in rows):
            headings.pop("needless")
        rows = [{**row, "reason": _(row["reason"]) if "reason" in row else None} for row in rows]
    listing(rows, headings, form, empty=_("The configuration has no accounts."))
    return _verdict(rows)


def _verdict(rows: Sequence[dict[str, Any]]) -> int:
    """Tell what is wrong with accounts, and what to do; return the exit code."""
    broken = sum(not row["works"] for row in rows)
    if broken:
        say(_("{count} accounts do not work; see the reason.", count=broken))
    if any(row.get("needless") for row in rows):
        say(
            _(
                "Some secrets allow more than Gaung needs, and would allow it to a thief. Make one with "
                "fewer rights (docs/platforms) and store it with “gaung accounts login ACCOUNT”."
            )
        )
    lacking = sum(bool(row.get("missing")) for row in rows)
    if lacking:
        say(
            ngettext(
                "{count} account lacks permissions; grant them on the platform, then check again.",
                "{count} accounts lack permissions; grant them on the platform, then check again.",
                lacking,
            )
        )
    return 1 if broken else 3 if lacking else 0

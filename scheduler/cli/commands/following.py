"""``followers``: how many people follow each account, day by day, as platforms or persons told it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scheduler.cli.options import FormatOption
from scheduler.cli.output import Format, listing, say
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from scheduler.store.database import Session, Store

#: Days of which the growth is shown.
_DAYS = 30
#: The greatest number that the column holds.
_MOST = 2**31 - 1


def followers(
    context: typer.Context,
    now: Annotated[
        bool, typer.Option("--now", help=_("Ask the platforms now and keep the figures."))
    ] = False,
    form: FormatOption = Format.TABLE,
) -> int:
    if context.invoked_subcommand:
        return 0
    from scheduler.governance import roles

    workplace: Workplace = context.obj
    store = workplace.store()
    if now:
        roles.may("followers --now", workplace.actor)
    failed = _ask(workplace, store) if now else 0
    with store.read() as session:
        rows = standing(workplace, session, workplace.config.accounts, form)
    listing(
        rows,
        {**headings(), "why": _("why unknown"), "source": _("source"), "measured_at": _("measured")},
        form,
        empty=_("The configuration has no accounts."),
    )
    if form is Format.TABLE and rows and not any(row["followers"] is not None for row in rows):
        say(_("Nothing is counted yet. To ask the platforms: gaung followers --now"))
    return 1 if failed else 0


def headings() -> dict[str, str]:
    """What stands above the columns that every listing of followers has."""
    return {
        "account": _("account"),
        "platform": _("platform"),
        "followers": _("followers"),
        "change": _("change in 30 days"),
        "growth": _("growth of followers"),
    }


def standing(
    workplace: Workplace, session: Session, accounts: Collection[str], form: Format
) -> list[dict[str, Any]]:
    """The newest count of each account, how it grew in the last 30 days, and why it is unknown."""
    from adapters import registry
    from scheduler.cli.commands.figures import sparkline
    from scheduler.cli.words import unknown_words
    from scheduler.reports import growth
    from scheduler.reports.rows import LocalTime
    from scheduler.store import followers as store

    now, zone, words = workplace.clock.now(), workplace.config.zone, unknown_words()
    newest = store.latest(session, now)
    known = store.counts(session, now)
    rows = []
    for account_id in accounts:
        settings = workplace.config.accounts.get(account_id)
        counts = known.get(account_id, [])
        lately = [one.followers for one in growth.since(counts, now - timedelta(days=_DAYS))]
        last = counts[-1] if counts else None
        row = newest.get(account_id)
        why = row.why if row else ""
        if not row and settings and not registry.adapter_class(settings.platform).follower_metric:
            why = "not-offered"
        rows.append(
            {
                "account": account_id,
                "platform": settings.platform if settings else None,
                "followers": last.followers if last else None,
                "change": lately[-1] - lately[0] if len(lately) > 1 else None,
                "growth": sparkline(lately, form),
                "why": (words.get(why, why) if form is Format.TABLE else why) or None,
                "source": last.source if last else None,
                "measured_at": LocalTime(last.at, zone) if last else None,
            }
        )
    return rows


def _ask(workplace: Workplace, store: Store) -> int:
    """Ask every account whose platform tells it; return how many did not answer."""
    from adapters import registry
    from adapters.errors import AdapterError
    from scheduler.engine.following import ask_now

    failed = 0
    for account_id, settings in workplace.config.accounts.items():
        if not registry.adapter_class(settings.platform).follower_metric:
            continue
        told = ask_now(store, workplace.clock, workplace.calls, workplace.treasury, account_id).followers
        if isinstance(told, AdapterError):
            failed += 1
            say(_("{account} gave no figures: {why}", account=account_id, why=_(told.reason)))
    return failed


def enter(
    context: typer.Context,
    account: Annotated[str, typer.Argument(help=_("Id of the account."))],
    count: Annotated[int, typer.Argument(min=0, max=_MOST, help=_("How many people follow it."))],
    at: Annotated[
        str, typer.Option(help=_("When it was read off: 2026-12-09 or 2026-12-09T14:30. Left out: now."))
    ] = "",
) -> None:
    from scheduler.store import followers as store
    from scheduler.store import transitions
    from scheduler.store.tables import FollowerCount

    workplace: Workplace = context.obj
    if account not in workplace.config.accounts:
        hint = N_("See “gaung accounts list”.")
        raise GaungError(N_("There is no account {name}."), hint=hint, name=account)
    now = workplace.clock.now()
    taken_at, who = _moment(at, workplace.config.zone, now), workplace.actor.id
    row = FollowerCount(
        account_id=account,
        taken_at=taken_at,
        source="manual",
        followers=count,
        detail={"entered_by": who, "entered_at": now.isoformat()},
    )
    with workplace.store().write() as session:
        if at and store.known(session, row):
            say(_("That was recorded already."))
            return
        store.add(session, row)
        facts = {"account": account, "followers": count, "at": taken_at.isoformat()}
        transitions.record(session, "followers-entered", actor=who, at=now, detail=facts)
    say(_("Recorded, with the source “manual”."))


def _moment(text: str, zone: str, now: datetime) -> datetime:
    """When it was read off; of today alone: now."""
    from scheduler.cli.reports import moment

    given = moment(text, zone, now)
    if given > now and len(text.strip()) > len("2026-12-09"):
        raise GaungError(N_("{text} is in the future."), text=text)
    if given > now + timedelta(days=1):
        raise GaungError(N_("{text} is in the future."), text=text)
    return min(given, now)

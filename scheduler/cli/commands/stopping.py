"""``stop``, ``stops``, ``resume``: the emergency stop, and going on after it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scheduler.cli.choosing import SHOWN
from scheduler.cli.options import FormatOption, ReasonOption
from scheduler.cli.output import Format, listing, local_time, say
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _, ngettext

if TYPE_CHECKING:
    from datetime import datetime

    from scheduler.store.tables import Stop

#: What is out already is listed as far back as this.
LOOK_BACK = timedelta(days=7)


def stop(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help=_("Why; required, and kept in the record."))] = "",
    agency: Annotated[str, typer.Option(help=_("Only the accounts of this agency."))] = "",
    campaign: Annotated[str, typer.Option(help=_("Only this campaign."))] = "",
    platform: Annotated[str, typer.Option(help=_("Only this platform."))] = "",
    account: Annotated[str, typer.Option(help=_("Only this account."))] = "",
    letter: Annotated[str, typer.Option(help=_("Number of the letter that orders it."))] = "",
    until: Annotated[
        str, typer.Option(help=_("When it ends by itself: 6h, 3d, or a local time like 2026-12-10T06:00."))
    ] = "",
    except_urgent: Annotated[
        bool, typer.Option("--except-urgent", help=_("Messages of the class urgent still go out."))
    ] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    from scheduler.governance import stops as governance
    from scheduler.store import stopping

    workplace: Workplace = context.obj
    if not reason.strip():
        raise GaungError(
            N_("The reason is missing, so nothing was stopped."),
            hint=N_('For example: gaung stop --reason "Regional head arrested"'),
        )
    scope, target = _scope(agency=agency, campaign=campaign, platform=platform, account=account)
    if scope != "everything":
        governance.known(scope, target, _names(workplace, scope))
    now = workplace.clock.now()
    order = governance.Order(
        scope,
        target,
        reason.strip(),
        letter,
        governance.end_of_stop(until, now, workplace.config.zone),
        except_urgent,
    )
    store = workplace.store(create=True)
    with store.write() as session:
        made = governance.declare(
            session, order, workplace.actor, now, fresh_approval=workplace.config.stop.fresh_approval
        )
    say(
        _(
            "Stop {id} is in force for {scope}. What is not being sent yet does not go out.",
            id=made.id,
            scope=scope_words(made.scope, made.target),
        )
    )
    with store.read() as session:
        out = stopping.out_already(session, made, now - LOOK_BACK)
    _list_out(out, form)
    if form is Format.TABLE:
        if out:
            say(_('To take one down: gaung takedown ID --reason "…"'))
        say(_("To go on: gaung resume {id}", id=made.id))


def _scope(**named: str) -> tuple[str, str]:
    given = [(scope, target) for scope, target in named.items() if target]
    if len(given) > 1:
        raise GaungError(
            N_("A stop has one scope, but several were given. Nothing was stopped."),
            hint=N_("Give one option, or none to stop everything; several stops may be in force at once."),
        )
    return given[0] if given else ("everything", "")


def _names(workplace: Workplace, scope: str) -> set[str]:
    accounts = workplace.config.accounts
    if scope == "campaign":
        from scheduler.store import campaigns as stored

        with workplace.store().read() as session:
            return {version.campaign_id for version in stored.in_force(session)}
    if scope == "account":
        return set(accounts)
    return {str(getattr(one, scope)) for one in accounts.values()} - {""}


def scope_words(scope: str, target: str) -> str:
    """The scope of a stop, in words."""
    words = {
        "everything": _("everything"),
        "agency": _("the agency {name}", name=target),
        "campaign": _("the campaign {name}", name=target),
        "platform": _("the platform {name}", name=target),
        "account": _("the account {name}", name=target),
    }
    return words[scope]


def _list_out(out: list[Any], form: Format) -> None:
    from scheduler.reports.rows import LocalTime
    from scheduler.states import State

    rows = [
        {
            "id": row.key[:SHOWN],
            "time": LocalTime(row.published_at or row.planned_at, row.zone),
            "campaign": row.campaign_id,
            "message": row.message_id,
            "account": row.account_id,
            "state": State(row.state),
            "permalink": row.permalink or None,
        }
        for row in out
    ]
    if form is Format.TABLE and rows:
        say(_("Already out, on its way, or with a person (last {days} days):", days=LOOK_BACK.days))
    headings = {
        "id": _("id"),
        "time": _("time"),
        "campaign": _("campaign"),
        "message": _("message"),
        "account": _("account"),
        "state": _("state"),
        "permalink": _("address"),
    }
    listing(
        rows,
        headings,
        form,
        empty=_("Nothing of it was published in the last {days} days.", days=LOOK_BACK.days),
    )


def stops(
    context: typer.Context,
    lifted: Annotated[bool, typer.Option("--all", help=_("Those that were lifted as well."))] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    from scheduler.store import stopping

    workplace: Workplace = context.obj
    with workplace.store().read() as session:
        found = stopping.every(session, lifted=lifted)
    headings = {
        "stop": _("id"),
        "scope": _("scope"),
        "target": "",
        "reason": _("reason"),
        "letter": _("letter"),
        "but_urgent": _("urgent goes out"),
        "fresh_approval": _("new approval"),
        "declared_at": _("since"),
        "declared_by": _("by"),
        "until": _("until"),
        "lifted_at": _("lifted"),
        "lifted_by": _("lifted by"),
    }
    rows = [_row(workplace, one) for one in found]
    if form is Format.TABLE:
        rows = [{**row, "scope": scope_words(row["scope"], row["target"])} for row in rows]
        headings.pop("target")
        for key in ("letter", "lifted_at", "lifted_by"):
            if not any(row[key] for row in rows):
                headings.pop(key)
    listing(rows, headings, form, empty=_("No stop is in force."))


def _row(workplace: Workplace, one: Stop) -> dict[str, Any]:
    from scheduler.reports.rows import LocalTime

    def local(at: datetime | None) -> LocalTime | None:
        return LocalTime(at, workplace.config.zone) if at else None

    return {
        "stop": one.id,
        "scope": one.scope,
        "target": one.target,
        "reason": one.reason,
        "letter": one.letter,
        "but_urgent": one.but_urgent,
        "fresh_approval": one.fresh_approval,
        "declared_at": local(one.declared_at),
        "declared_by": one.declared_by,
        "until": local(one.until),
        "lifted_at": local(one.lifted_at),
        "lifted_by": one.lifted_by,
    }


def stop_line(workplace: Workplace, one: Stop) -> str:
    """A stop in one line, for ``status``."""
    since = local_time(one.declared_at, workplace.config.zone)
    line = _(
        "{id}: {scope}, since {since}: {reason}",
        id=one.id,
        scope=scope_words(one.scope, one.target),
        since=since,
        reason=one.reason,
    )
    if one.until:
        line += " " + _("(until {until})", until=local_time(one.until, workplace.config.zone))
    return line


def resume(
    context: typer.Context,
    stop: Annotated[int | None, typer.Argument(help=_("Id of the stop, as “gaung stops” lists it."))] = None,
    every: Annotated[bool, typer.Option("--all", help=_("End every stop in force."))] = False,
    reason: ReasonOption = "",
) -> int:
    from scheduler.store import stopping

    workplace: Workplace = context.obj
    with workplace.store().write() as session:
        chosen = _chosen(stopping.every(session), stop, every=every)
        waiting = sum(
            stopping.lift(session, one, actor=workplace.actor.id, at=workplace.clock.now(), reason=reason)
            for one in chosen
        )
    for one in chosen:
        say(_("Stop {id} is lifted: {scope}.", id=one.id, scope=scope_words(one.scope, one.target)))
    if not waiting:
        say(_("Nothing came due meanwhile."))
        return 0
    say(
        ngettext(
            "{count} post came due meanwhile and now waits for a decision: gaung posts --state review",
            "{count} posts came due meanwhile and now wait for a decision: gaung posts --state review",
            waiting,
        )
    )
    if any(one.fresh_approval for one in chosen):
        say(_("They need a new approval before they can go out: gaung approve CAMPAIGN"))
    return 3


def _chosen(found: list[Stop], wanted: int | None, *, every: bool) -> list[Stop]:
    if not found:
        raise GaungError(N_("No stop is in force."), hint=N_("“gaung stops --all” lists those of the past."))
    if every:
        return found
    if wanted is None and len(found) > 1:
        raise GaungError(
            N_("Several stops are in force: {ids}. Nothing was changed."),
            hint=N_("Name one, or give --all."),
            ids=", ".join(str(one.id) for one in found),
        )
    chosen = [one for one in found if wanted in {None, one.id}]
    if not chosen:
        raise GaungError(
            N_("The stop {id} is not in force. Nothing was changed."),
            hint=N_("“gaung stops” lists those in force."),
            id=wanted,
        )
    return chosen

"""``inbox``: what people wrote under posts, who takes care of it, and how long they waited for an answer."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scheduler.cli.options import FormatOption
from scheduler.cli.output import Format, listing, say
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _, ngettext

if TYPE_CHECKING:
    from scheduler.store.database import Session
    from scheduler.store.inbox import Entry

CommentArgument = Annotated[int, typer.Argument(help=_("Number of the comment."))]


class Which(StrEnum):
    """Which comments are listed."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"
    ALL = "all"


def inbox(
    context: typer.Context,
    campaign: Annotated[str, typer.Option(help=_("Only this campaign."))] = "",
    account: Annotated[str, typer.Option(help=_("Only this account."))] = "",
    assigned_to: Annotated[str, typer.Option(help=_("Only what this person takes care of."))] = "",
    state: Annotated[Which, typer.Option(help=_("Only these: open, answered, closed, or all."))] = Which.OPEN,
    form: FormatOption = Format.TABLE,
) -> None:
    if context.invoked_subcommand:
        return
    from campaigns.checks.masking import mask, shorten_name
    from scheduler.reports.rows import LocalTime
    from scheduler.store import inbox as store

    workplace: Workplace = context.obj
    with workplace.store().read() as session:
        found = store.entries(session, store.Wanted(campaign, account, assigned_to))
    words = {"open": _("open"), "answered": _("answered"), "closed": _("closed")}
    rows: list[dict[str, Any]] = [
        {
            "comment": one.comment.id,
            "written_at": LocalTime(one.comment.written_at, one.zone),
            "campaign": one.campaign_id,
            "message": one.message_id,
            "account": one.comment.account_id,
            "author": shorten_name(one.comment.author) or None,
            "text": mask(one.comment.text),
            "state": words[one.condition] if form is Format.TABLE else one.condition,
            "assigned_to": (one.case.assigned_to if one.case else "") or None,
            "answered_at": LocalTime(one.answered_at, one.zone) if one.answered_at else None,
            "response_seconds": _seconds(one),
            "closed_at": LocalTime(one.case.closed_at, one.zone) if one.case and one.case.closed_at else None,
            "note": (one.case.note if one.case else "") or None,
            "seen_at": LocalTime(one.comment.seen_at, one.zone),
            "url": one.comment.url or None,
        }
        for one in found
        if state in {Which.ALL, one.condition}
    ]
    headings = {
        "comment": _("no."),
        "written_at": _("written"),
        "message": _("message"),
        "account": _("account"),
        "author": _("who"),
        "text": _("text"),
        "state": _("state"),
        "assigned_to": _("cared for by"),
    }
    more = ("campaign", "answered_at", "response_seconds", "closed_at", "note", "seen_at", "url")
    if form is not Format.TABLE:
        headings |= dict.fromkeys(more, "")
    listing(rows, headings, form, empty=_("No comments."))
    if form is Format.TABLE and found:
        _tell_times(found)


def _seconds(entry: Entry) -> int | None:
    if entry.answered_at is None:
        return None
    return max(0, int((entry.answered_at - entry.comment.written_at).total_seconds()))


def _tell_times(found: list[Entry]) -> None:
    """How many wait, and how long those waited that were answered."""
    count = sum(one.condition == "open" for one in found)
    say(ngettext("{count} comment is open.", "{count} comments are open.", count))
    times = [seconds for one in found if (seconds := _seconds(one)) is not None]
    if times:
        minutes = timedelta(seconds=median(times)) // timedelta(minutes=1)
        say(
            ngettext(
                "{count} was answered; median response time: {hours} h {minutes} min.",
                "{count} were answered; median response time: {hours} h {minutes} min.",
                len(times),
                hours=minutes // 60,
                minutes=minutes % 60,
            )
        )


def assign(
    context: typer.Context,
    comment: CommentArgument,
    person: Annotated[str, typer.Argument(help=_("Id of a person of the configuration."))],
) -> None:
    from scheduler.store import inbox as store

    workplace: Workplace = context.obj
    people = workplace.config.people
    if person not in people:
        raise GaungError(
            N_("There is no person {id} in the configuration."),
            hint=N_("Known: {known}."),
            id=person,
            known=", ".join(sorted(people)),
        )
    now = workplace.clock.now()
    with workplace.store().write() as session:
        entry = _unclosed(session, comment)
        store.assign(session, entry, to=person, by=workplace.actor.id, at=now)
    say(_("{name} takes care of comment {number}.", name=people[person].name, number=comment))


def close(
    context: typer.Context,
    comment: CommentArgument,
    note: Annotated[str, typer.Option(help=_("What was done, or why nothing is to be done."))],
) -> None:
    from scheduler.store import inbox as store

    workplace: Workplace = context.obj
    if not note.strip():
        raise GaungError(N_("The note is empty."), hint=N_('For example: --note "answered by phone"'))
    now = workplace.clock.now()
    with workplace.store().write() as session:
        entry = _unclosed(session, comment)
        store.close(session, entry, by=workplace.actor.id, at=now, note=note.strip())
    say(_("Comment {number} is closed.", number=comment))


def _unclosed(session: Session, number: int) -> Entry:
    from scheduler.store import inbox as store

    entry = store.one(session, number)
    if entry is None:
        raise GaungError(
            N_("There is no comment {number}."), hint=N_("“gaung inbox” lists them."), number=number
        )
    if entry.condition == "closed":
        raise GaungError(N_("Comment {number} is closed already."), number=number)
    return entry

"""``inbox``: what people wrote under posts, who takes care of it, and how long they waited for an answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scheduler.cli.choosing import SHOWN
from scheduler.cli.options import FormatOption
from scheduler.cli.output import Format, listing, say
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _, ngettext

if TYPE_CHECKING:
    from scheduler.store.database import Session
    from scheduler.store.inbox import Entry

#: Personal data that is older is told of, as long as the office has not said how long it is kept.
LONG = timedelta(days=365)

CommentArgument = Annotated[int, typer.Argument(help=_("Number of the comment."))]


class Which(StrEnum):
    """Which comments are listed."""

    OPEN = "open"
    REPLYING = "replying"
    ANSWERED = "answered"
    CLOSED = "closed"
    ALL = "all"


def inbox(
    context: typer.Context,
    campaign: Annotated[str, typer.Option(help=_("Only this campaign."))] = "",
    account: Annotated[str, typer.Option(help=_("Only this account."))] = "",
    assigned_to: Annotated[str, typer.Option(help=_("Only what this person takes care of."))] = "",
    state: Annotated[
        Which, typer.Option(help=_("Only these: open, replying, answered, closed, or all."))
    ] = Which.OPEN,
    form: FormatOption = Format.TABLE,
) -> None:
    if context.invoked_subcommand:
        return
    from campaigns.checks.masking import mask, shorten_name
    from scheduler.cli import reading
    from scheduler.reports.rows import LocalTime
    from scheduler.store import inbox as store

    workplace: Workplace = context.obj
    with workplace.store().read() as session:
        found = store.entries(session, store.Wanted(campaign, account, assigned_to))
        unread = reading.used_up(workplace, session, workplace.clock.now())
        old = _old(workplace, session)
    # An answer that did not go out is the first thing to know of a comment.
    chosen = [one for one in found if state in {Which.ALL, one.condition}]
    words = {
        "open": _("open"),
        "replying": _("about to be answered"),
        "answered": _("answered"),
        "closed": _("closed"),
    }
    rows: list[dict[str, Any]] = [
        {
            "comment": one.comment.id,
            "written_at": LocalTime(one.comment.written_at, one.zone),
            "campaign": one.campaign_id,
            "message": one.message_id,
            "account": one.comment.account_id,
            "author": shorten_name(one.comment.author) or None,
            "text": mask(one.comment.text) if one.comment.erased_at is None else None,
            "state": words[one.condition] if form is Format.TABLE else one.condition,
            "assigned_to": (one.case.assigned_to if one.case else "") or None,
            "answered_at": LocalTime(one.answered_at, one.zone) if one.answered_at else None,
            "response_seconds": one.response_seconds,
            "answer": one.answer.key[:SHOWN] if one.answer else None,
            "answer_state": one.answer.state if one.answer else None,
            "answer_reason": _why(one),
            "answered_by": one.answer.drafted_by if one.answer else None,
            "answer_url": (one.answer.permalink or None) if one.answer else None,
            "closed_at": LocalTime(one.case.closed_at, one.zone) if one.case and one.case.closed_at else None,
            "note": (one.case.note if one.case else "") or None,
            "seen_at": LocalTime(one.comment.seen_at, one.zone),
            "erased_at": LocalTime(one.comment.erased_at, one.zone) if one.comment.erased_at else None,
            "url": one.comment.url or None,
        }
        for one in chosen
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
    if any(_why(one) for one in chosen):
        headings["answer_reason"] = _("answer")
    more = (
        *("campaign", "answered_at", "response_seconds", "answer", "answer_state", "answer_reason"),
        *("answered_by", "answer_url", "closed_at", "note", "seen_at", "erased_at", "url"),
    )
    if form is not Format.TABLE:
        headings |= dict.fromkeys(more, "")
    else:
        headings |= _what_became(workplace, rows)
    listing(rows, headings, form, empty=_none(workplace, found))
    if form is Format.TABLE:
        if found:
            _tell_times(found)
        for line in unread.values():
            say(line)
        if names := reading.not_read(workplace):
            accounts = ", ".join(names)
            say(_("Not read, since each is billed: comments of {names}. See read_budget.", names=accounts))
        if old:
            say(old)


def _what_became(workplace: Workplace, rows: list[dict[str, Any]]) -> dict[str, str]:
    """Put into words when, by whom and after how long comments were answered; return the columns it needs."""
    for row in rows:
        seconds = row["response_seconds"]
        row["response"] = None if seconds is None else _hours(timedelta(seconds=seconds))
        row["answered_by"] = workplace.person_name(row["answered_by"]) if row["answered_by"] else None
    columns = {
        "answered_at": _("answered at"),
        "answered_by": _("answered by"),
        "response": _("after"),
        "note": _("note at closing"),
    }
    return {name: heading for name, heading in columns.items() if any(row[name] for row in rows)}


def _none(workplace: Workplace, found: Sequence[Entry]) -> str:
    """What is said if no comment is listed."""
    from campaigns.definition import duration_text

    if found:
        return _("None of these. All comments: gaung inbox --state all")
    ages = workplace.config.inbox.ages
    if not ages:
        return _("No comments.")
    return _(
        "No comments so far. The daemon fetches them from {first} to {last} after a post is published.",
        first=duration_text(ages[0]),
        last=duration_text(ages[-1]),
    )


def _hours(time: timedelta) -> str:
    minutes = time // timedelta(minutes=1)
    return _("{hours} h {minutes} min", hours=minutes // 60, minutes=minutes % 60)


def _old(workplace: Workplace, session: Session) -> str:
    """What is to be said of personal data that is kept for long; "" if nothing."""
    from scheduler.store import inbox as store

    keep = workplace.config.inbox.keep
    if keep:
        return ""
    count = store.erasable(session, workplace.clock.now() - LONG)
    if not count:
        return ""
    return ngettext(
        "{count} comment with personal data is kept for more than a year; set how long: [inbox] keep.",
        "{count} comments with personal data are kept for more than a year; set how long: [inbox] keep.",
        count,
    )


def _why(entry: Entry) -> str | None:
    """Why the answer that was drafted did not go out, or waits; None if there is nothing to tell."""
    from scheduler.cli.words import reason_words, state_word
    from scheduler.states import State

    answer = entry.answer
    if answer is None or answer.state in {State.SENT, State.REMOVED, State.WITHDRAWN}:
        return None
    why = reason_words(answer.code, answer.reason)
    return f"{state_word(answer.state)}: {why}" if why else state_word(answer.state)


def _tell_times(found: list[Entry]) -> None:
    """How many wait, and how long those waited that were answered."""
    count = sum(one.condition == "open" for one in found)
    say(ngettext("{count} comment is open.", "{count} comments are open.", count))
    if count := sum(one.condition == "replying" for one in found):
        say(ngettext("{count} is about to be answered.", "{count} are about to be answered.", count))
    times = [seconds for one in found if (seconds := one.response_seconds) is not None]
    if times:
        say(
            ngettext(
                "{count} was answered; median response time: {time}.",
                "{count} were answered; median response time: {time}.",
                len(times),
                time=_hours(timedelta(seconds=median(times))),
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
        entry = unclosed(session, comment)
        store.assign(session, entry, to=person, by=workplace.actor.id, at=now)
    say(_("{name} takes care of comment {number}.", name=people[person].name, number=comment))


def close(
    context: typer.Context,
    comment: CommentArgument,
    note: Annotated[str, typer.Option(help=_("What was done, or why nothing is to be done."))],
) -> None:
    from campaigns.checks.masking import mask
    from scheduler.store import inbox as store

    workplace: Workplace = context.obj
    if not note.strip():
        raise GaungError(N_("The note is empty."), hint=N_('For example: --note "answered by phone"'))
    if mask(note) != note:
        raise GaungError(
            N_("The note names a number or an address of somebody."),
            hint=N_("It stays in the record for good: say it without them."),
        )
    now = workplace.clock.now()
    with workplace.store().write() as session:
        entry = unclosed(session, comment)
        _refuse_under_way(entry)
        store.close(session, entry, by=workplace.actor.id, at=now, note=note.strip())
    say(_("Comment {number} is closed.", number=comment))


def _refuse_under_way(entry: Entry) -> None:
    if entry.answer and entry.condition == "replying":
        raise GaungError(
            N_("An answer to comment {number} is about to go out."),
            hint=N_("Take it out first: gaung cancel {id} --reason …"),
            number=entry.comment.id,
            id=entry.answer.key[:8],
        )


def unclosed(session: Session, number: int) -> Entry:
    """A comment that is not closed; raise GaungError if there is none."""
    from scheduler.store import inbox as store

    entry = store.one(session, number)
    if entry is None:
        raise GaungError(
            N_("There is no comment {number}."), hint=N_("“gaung inbox” lists them."), number=number
        )
    if entry.condition == "closed":
        raise GaungError(N_("Comment {number} is closed already."), number=number)
    return entry

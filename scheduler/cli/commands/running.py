"""``run`` and ``status``: the daemon, and how everything stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scheduler.cli.choosing import SHOWN
from scheduler.cli.options import FormatOption
from scheduler.cli.output import Format, details, emit, plain, say
from scheduler.cli.workplace import Workplace
from scheduler.i18n import _, ngettext

if TYPE_CHECKING:
    from scheduler.cli.endings import Ending
    from scheduler.cli.pending import Changed
    from scheduler.states import State
    from scheduler.store.listings import Standing
    from scheduler.store.tables import Delivery, RetiredMetric


#: Posts that their campaign skipped are told for so long.
LATELY = timedelta(days=7)
#: Figures that a platform retired are told for so long; "gaung doctor" always tells them.
RETIRED_SHOWN = timedelta(days=30)


def run(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help=_("One pass over what is due now, then end."))] = False,
    json_log: Annotated[bool, typer.Option("--json-log", help=_("Write the log as JSON lines."))] = False,
) -> int:
    from scheduler.cli.logs import start_logging
    from scheduler.engine.daemon import Daemon, Installation

    workplace: Workplace = context.obj
    workplace.accounts.check_secret_files()
    start_logging(as_json=json_log)
    store = workplace.store(create=True)
    installation = Installation(
        workplace.calls,
        workplace.treasury,
        workplace.vault,
        workplace.accounts.siblings,
        workplace.gate,
        anchor=lambda now: workplace.write_anchor_if_due(store, now),
    )
    daemon = Daemon(store, workplace.clock, installation, workplace.daemon_settings())
    if not once:
        say(_("Gaung is running. Stop it with Ctrl-C; what is being sent is finished first."))
        daemon.run()
        return 0
    from scheduler.store import listings

    with store.read() as session:
        before = listings.standing(session, workplace.clock.now())
    daemon.run_once()
    with store.read() as session:
        after = listings.standing(session, workplace.clock.now())
    _tell_pass(before, after)
    return _outcome(before, after)


def _tell_pass(before: Standing, after: Standing) -> None:
    """Say in a sentence what the pass did."""
    from scheduler.states import State

    def more(state: State) -> int:
        return max(after.by_state.get(state, 0) - before.by_state.get(state, 0), 0)

    say(
        _(
            "This pass: {sent} published, {failed} failed, {unsure} with unknown outcome, {missed} missed.",
            sent=more(State.SENT),
            failed=more(State.FAILED),
            unsure=more(State.UNSURE),
            missed=more(State.MISSED) + more(State.REVIEW),
        )
    )


def _outcome(before: Standing, after: Standing) -> int:
    """The exit code of one pass: 3 if a person is needed, 1 if something failed in it."""
    from scheduler.states import State

    if (
        after.asking
        or after.doubles
        or after.over_budget
        or after.by_state.get(State.REVIEW)
        or any(one.disabled_at for one in after.accounts)
    ):
        return 3
    return 1 if after.by_state.get(State.FAILED, 0) > before.by_state.get(State.FAILED, 0) else 0


def status(
    context: typer.Context,
    form: FormatOption = Format.TABLE,
    watch: Annotated[
        bool, typer.Option("--watch", help=_("Stay and show it anew every two seconds, until Ctrl-C."))
    ] = False,
) -> int:
    from scheduler.cli import missed, pending

    workplace: Workplace = context.obj
    if watch:
        from scheduler.cli.watching import watch as stay

        def again() -> Look:
            try:
                return _look(workplace, form)
            finally:
                workplace.close()  # each look opens the database for itself, for days

        return stay(again, form)
    look = _look(workplace, form)
    if form is Format.TABLE:
        for line in (*look.answer, ""):
            emit(line)
    details(look.facts, form)
    if form is Format.TABLE:
        pending.tell(look.changed)
        missed.tell(look.late)
    return look.code


@dataclass(frozen=True, slots=True)
class Look:
    """How everything stands now."""

    answer: Sequence[str]
    """What to do, or that all is well, in words."""
    facts: Mapping[str, tuple[str, Any]]
    code: int
    """The exit code for it."""
    changed: Sequence[Changed]
    """What waits for approval otherwise than it was approved before."""
    late: Sequence[Delivery]
    """Posts that were missed."""


def _look(workplace: Workplace, form: Format) -> Look:
    from scheduler.cli import missed, pending, reading, todo
    from scheduler.cli.endings import endings
    from scheduler.states import State
    from scheduler.store import listings, operations, retiring

    now = workplace.clock.now()
    with workplace.store().read() as session:
        standing = listings.standing(session, now)
        unread = reading.used_up(workplace, session, now)
        retired = retiring.standing(session)
        waiting = pending.waiting(session, now)
        changed = pending.against_store(session, waiting)
        back = pending.sent_back(workplace, session)
        late = operations.passed_over(session, [State.REVIEW])
        late += operations.passed_over(session, [State.MISSED], since=now - LATELY)
    stored = endings(workplace)
    ending = [name for name, one in stored.items() if one.soon]
    # What was sent back waits for its drafter first.
    texts = {name: sum(one.back is None for one in those) for name, those in waiting.items()}
    tasks = todo.tasks(todo.Found(standing, texts, back, ending), now)
    facts = {
        **todo.facts(tasks, form),
        **_stops(workplace, standing, form),
        **_doubles(standing, form),
        **_facts(workplace, standing),
        **_pauses(workplace, standing, now, form),
        **_logins(workplace, stored, form),
        **_unread(unread, form),
        **_retired(workplace, retired, now, form),
        **pending.facts(workplace, back, changed, form),
    }
    if form is not Format.TABLE:
        facts |= _codes(standing, form)
        facts["missed"] = ("", missed.rows(late, form) if form is Format.JSON else len(late))
    code = 3 if _needs_person(standing) or ending or "overdue" in {one.code for one in tasks} else 0
    return Look(todo.lines(tasks, standing), facts, code, changed, late)


def _pauses(
    workplace: Workplace, standing: Standing, now: datetime, form: Format
) -> dict[str, tuple[str, Any]]:
    """Which accounts send nothing for now, because their platform's limits are used up, and until when."""
    from scheduler.reports.rows import LocalTime

    ends = {
        one.account_id: LocalTime(one.not_before, workplace.config.zone)
        for one in standing.accounts
        if one.not_before and one.not_before > now
    }
    if form is Format.JSON:
        return {"accounts_paused": ("", ends)}
    until = _("until") if form is Format.TABLE else ""
    why = {one.account_id: f" ({_(one.pause_reason)})" for one in standing.accounts if one.pause_reason}
    lines = [
        f"{name}: {until} {plain(at)}{why.get(name, '')}".replace("  ", " ") for name, at in ends.items()
    ]
    return {"accounts_paused": (_("Pauses asked for by platforms"), "\n".join(lines))}


def _logins(workplace: Workplace, stored: Mapping[str, Ending], form: Format) -> dict[str, tuple[str, Any]]:
    """When stored logins end. People are spared those that the daemon renews, as long as it does."""
    from scheduler.reports.rows import LocalTime

    ends = {name: LocalTime(one.at, workplace.config.zone) for name, one in stored.items() if one.at}
    if form is Format.JSON:
        return {"credentials_end": ("", ends)}
    if form is Format.CSV:
        return {"credentials_end": ("", ", ".join(f"{name}: {plain(at)}" for name, at in ends.items()))}
    lines = [
        one.advice() if one.soon else f"{name}: {one.words()}"
        for name, one in stored.items()
        if one.soon or (one.at and not one.renews)
    ]
    return {"credentials_end": (_("Logins that end"), "\n".join(lines))}


def _unread(unread: Mapping[str, str], form: Format) -> dict[str, tuple[str, Any]]:
    """The accounts whose money for reading comments is used up."""
    if form is Format.TABLE:
        return {"comments_unread": (_("Comments not read"), "\n".join(unread.values()))}
    return {"comments_unread": ("", list(unread) if form is Format.JSON else ", ".join(unread))}


def _retired(
    workplace: Workplace, retired: Sequence[RetiredMetric], now: datetime, form: Format
) -> dict[str, tuple[str, Any]]:
    """The figures that a platform refuses for every post of every account; people are spared old news."""
    from scheduler.cli.words import retired_line

    if form is Format.TABLE:
        fresh = [one for one in retired if now - one.noticed_at < RETIRED_SHOWN]
        lines = [retired_line(one, workplace.config.zone) for one in fresh]
        return {"figures_retired": (_("Figures no longer told"), "\n".join(lines))}
    facts = [{"figure": one.metric, **one.facts()} for one in retired]
    return {"figures_retired": ("", facts if form is Format.JSON else len(facts))}


def _stops(workplace: Workplace, standing: Standing, form: Format) -> dict[str, tuple[str, Any]]:
    """The stops in force, before anything else: in words, or for programs as their ids and reasons."""
    from scheduler.cli.commands.stopping import stop_line

    if form is Format.TABLE:
        lines = [stop_line(workplace, one) for one in standing.stops]
        return {"stops": (_("STOP IN FORCE"), "\n".join(lines))}
    facts = [{"stop": one.id, "scope": one.scope, "target": one.target} for one in standing.stops]
    return {"stops": ("", facts if form is Format.JSON else len(facts))}


def _doubles(standing: Standing, form: Format) -> dict[str, tuple[str, Any]]:
    """What was accepted twice, with the address that is to be looked at."""
    from scheduler.reports.rows import LocalTime

    if form is Format.CSV:
        return {"doubles": ("", len(standing.doubles))}
    if form is Format.JSON:
        found = [
            {
                "id": one.key[:SHOWN],
                "campaign": one.campaign_id,
                "message": one.message_id,
                "account": one.account_id,
                "at": LocalTime(one.at, one.zone),
                "permalink": one.first or None,
                "second_permalink": one.permalink or None,
                "second_remote_id": one.remote_id,
            }
            for one in standing.doubles
        ]
        return {"doubles": ("", found)}
    lines = [
        _(
            "{message} → {account}: look at {address} and delete it if it is one too many;"
            " then: gaung resolve {id} --double",
            message=one.message_id,
            account=one.account_id,
            address=one.permalink or one.remote_id,
            id=one.key[:SHOWN],
        )
        for one in standing.doubles
    ]
    return {"doubles": (_("ACCEPTED TWICE"), "\n".join(lines))}


def _needs_person(standing: Standing) -> bool:
    from scheduler.states import FOR_A_PERSON

    waiting = sum(standing.by_state.get(state, 0) for state in FOR_A_PERSON)
    held = standing.over_budget
    asked = standing.asking or standing.doubles
    return bool(waiting or asked or held or any(one.disabled_at for one in standing.accounts))


def _posts(standing: Standing) -> Mapping[State, int]:
    """The posts by state; answers to comments are counted apart."""
    return {state: count - standing.replies.get(state, 0) for state, count in standing.by_state.items()}


def _codes(standing: Standing, form: Format) -> dict[str, tuple[str, Any]]:
    """What programs get instead of words that depend on the language."""
    posts = {state.value: count for state, count in sorted(_posts(standing).items()) if count}
    replies = {state.value: count for state, count in sorted(standing.replies.items())}
    disabled = {one.account_id: one.code for one in standing.accounts if one.disabled_at}
    held = standing.over_budget
    heartbeat: dict[str, tuple[str, Any]] = {} if standing.nodes else {"last_heartbeat": ("", None)}
    if form is Format.CSV:
        return {
            "accounts_disabled": ("", ", ".join(f"{name}: {code}" for name, code in disabled.items())),
            "over_budget": ("", ", ".join(f"{name}: {count}" for name, count in held.items())),
            "posts": ("", ", ".join(f"{count} {state}" for state, count in posts.items())),
            "replies": ("", ", ".join(f"{count} {state}" for state, count in replies.items())),
            **heartbeat,
        }
    return {
        "over_budget": ("", held),
        "accounts_disabled": ("", disabled),
        "posts": ("", posts),
        "replies": ("", replies),
        "comments_open": ("", standing.comments_open),
        **heartbeat,
    }


def _held(standing: Standing) -> str:
    return "\n".join(
        ngettext(
            "{account}: {count} post. To decide: gaung budget {account}",
            "{account}: {count} posts. To decide: gaung budget {account}",
            count,
            account=account,
        )
        for account, count in standing.over_budget.items()
    )


def _facts(workplace: Workplace, standing: Standing) -> dict[str, tuple[str, Any]]:
    from scheduler.cli.words import reason_words, state_word
    from scheduler.reports.rows import LocalTime
    from scheduler.states import State

    upcoming = standing.next_due
    heartbeat = standing.nodes[0].node if standing.nodes else None
    alive = [one for one in standing.nodes if one.health == "alive"]
    counts = {state: count for state, count in _posts(standing).items() if count}
    return {
        "next_due": (_("Next post"), LocalTime(upcoming.allowed_at, upcoming.zone) if upcoming else None),
        "next_post": (_("  which"), f"{upcoming.message_id} → {upcoming.account_id}" if upcoming else None),
        "next_approved": (_("  approved"), bool(upcoming.approved) if upcoming else None),
        "overdue": (_("Overdue"), standing.overdue),
        "unapproved": (_("Waiting for approval"), standing.unapproved),
        "unsure": (_("Outcome unknown, a person must look"), standing.asking),
        "handed": (_("Handed to a person, link awaited"), standing.by_state.get(State.HANDED, 0)),
        "review": (_("To be decided"), standing.by_state.get(State.REVIEW, 0)),
        "failed": (_("Failed"), standing.by_state.get(State.FAILED, 0)),
        "over_budget": (_("Held by the budget"), _held(standing)),
        "accounts_disabled": (
            _("Accounts that need a person"),
            "\n".join(
                f"{one.account_id}: {reason_words(one.code, one.reason)}"
                for one in standing.accounts
                if one.disabled_at
            ),
        ),
        "posts": (
            _("Posts"),
            ", ".join(f"{count} {state_word(state)}" for state, count in sorted(counts.items())),
        ),
        "replies": (
            _("Answers to comments"),
            ", ".join(f"{count} {state_word(state)}" for state, count in sorted(standing.replies.items())),
        ),
        "comments_open": (_("Comments that wait for somebody"), standing.comments_open or None),
        "daemons": (_("Daemons running"), len(alive)),
        "last_heartbeat": (
            _("Last heartbeat"),
            LocalTime(heartbeat.seen_at, workplace.config.zone) if heartbeat else _("never"),
        ),
    }

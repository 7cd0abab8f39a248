"""``review``: what did not go out at its time, and deciding about it, one by one or all at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from scheduler.cli import missed, partly
from scheduler.cli.asking import agrees
from scheduler.cli.choosing import one_post, refused
from scheduler.cli.options import FormatOption, ReasonOption
from scheduler.cli.output import Format, listing, local_time, say
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _, ngettext

if TYPE_CHECKING:
    from scheduler.states import State
    from scheduler.store.database import Session
    from scheduler.store.tables import Delivery


def review(
    context: typer.Context,
    post: Annotated[
        list[str] | None, typer.Argument(help=_("Ids of posts, as “gaung posts” lists them."))
    ] = None,
    campaign: Annotated[str, typer.Option(help=_("Those of this campaign."))] = "",
    account: Annotated[str, typer.Option(help=_("Those of this account."))] = "",
    all_: Annotated[bool, typer.Option("--all", help=_("All of them."))] = False,
    skipped: Annotated[
        bool, typer.Option("--skipped", help=_("Also those that their campaign skips when they are late."))
    ] = False,
    publish: Annotated[
        bool, typer.Option("--publish", help=_("Publish from now on, at a distance on each account."))
    ] = False,
    at: Annotated[
        str, typer.Option(help=_("Publish from this local time on, such as “2026-12-10 09:00”."))
    ] = "",
    cancel: Annotated[bool, typer.Option("--cancel", help=_("Take them out for good."))] = False,
    reason: ReasonOption = "",
    yes: Annotated[bool, typer.Option("--yes", help=_("Decide without asking."))] = False,
    form: FormatOption = Format.TABLE,
) -> int:
    from scheduler.governance import roles
    from scheduler.states import State

    workplace: Workplace = context.obj
    decisions = sum([publish, bool(at), cancel])
    if decisions:
        roles.may("cancel" if cancel else "review --publish", workplace.actor)
    if decisions > 1:
        raise GaungError(
            N_("Several decisions are named."), hint=N_("Give one of --publish, --at TIME, --cancel.")
        )
    if decisions and not (post or campaign or account or all_):
        raise GaungError(
            N_("It is not said which posts this decides about."),
            hint=N_("Give ids of posts, --campaign ID, --account ID, or --all."),
        )
    states = [State.REVIEW, State.MISSED] if skipped else [State.REVIEW]
    store = workplace.store()
    with store.read() as session:
        chosen = _chosen(session, post or [], campaign, account, states)
    listing(missed.rows(chosen, form), missed.headings(form), form, empty=_("Nothing was missed."))
    if not decisions:
        return 3 if any(one.state == State.REVIEW for one in chosen) else 0
    if not chosen or not _sure(len(chosen), yes=yes):
        return 0
    now = workplace.clock.now()
    with store.write() as session:
        # Read again: somebody else may have decided while we asked.
        wanted = {one.id for one in chosen}
        posts = [one for one in _chosen(session, post or [], campaign, account, states) if one.id in wanted]
        if cancel:
            _cancel(session, workplace, posts, now, reason)
        else:
            _publish(session, workplace, posts, now, at, reason)
    return 0


def _chosen(
    session: Session, ids: Sequence[str], campaign: str, account: str, states: Sequence[State]
) -> list[Delivery]:
    from scheduler.store import operations

    if not ids:
        return operations.passed_over(session, states, campaign_id=campaign, account_id=account)
    named = {one.id: one for one in (one_post(session, prefix) for prefix in ids)}  # each once
    return sorted(
        (
            one
            for one in named.values()
            if one.campaign_id == (campaign or one.campaign_id)
            and one.account_id == (account or one.account_id)
        ),
        key=lambda one: (one.planned_at, one.id or 0),
    )


def _sure(count: int, *, yes: bool) -> bool:
    """Whether a person agrees; raise GaungError if there is nobody to ask."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise GaungError(
            N_("There is nobody to ask: the input is not a terminal."),
            hint=N_("Read what is shown above, then run the command again with --yes."),
        )
    return agrees(
        ngettext("Decide so about {count} post? [y/N]", "Decide so about {count} posts? [y/N]", count)
    )


def _cancel(
    session: Session, workplace: Workplace, posts: Sequence[Delivery], now: datetime, reason: str
) -> None:
    from scheduler.store import operations

    for one in posts:
        with refused(one):
            operations.cancel(session, one, actor=workplace.actor.id, at=now, reason=reason)
    say(ngettext("{count} post cancelled.", "{count} posts cancelled.", len(posts)))
    partly.tell(workplace, posts)


def _publish(
    session: Session, workplace: Workplace, posts: Sequence[Delivery], now: datetime, at: str, reason: str
) -> None:
    """Give each post a time, those of one account at its distance from each other."""
    from scheduler.store import campaigns as stored
    from scheduler.store import operations

    rules = workplace.daemon_settings().rules
    following: dict[str, datetime] = {}
    for one in posts:
        to = following.get(one.account_id) or _start(at, one.zone, now)
        rule = rules.get(one.account_id)
        gap = max(timedelta(seconds=one.min_gap), rule.min_gap if rule else timedelta(0))
        following[one.account_id] = to + gap
        within = operations.publish_within(stored.current(session, one.campaign_id))
        with refused(one):
            operations.move(
                session,
                one,
                to=to,
                actor=workplace.actor.id,
                at=now,
                publish_within=within,
                reason=reason,
            )
        say(f"{local_time(to, one.zone)}  {one.message_id} → {one.account_id}")
    say(
        ngettext(
            "{count} post is planned again. It goes out once approved, when its account is free.",
            "{count} posts are planned again. Each goes out once approved, when its account is free.",
            len(posts),
        )
    )


def _start(at: str, zone: str, now: datetime) -> datetime:
    from campaigns.timetable import to_utc

    if not at:
        return now
    try:
        local = datetime.fromisoformat(at.strip())
    except ValueError:
        local = None
    if local is None or local.tzinfo is not None:
        raise GaungError(
            N_("{time} is not a local date and time."), hint=N_("Write it like “2026-12-10 09:00”."), time=at
        )
    start = to_utc(local, zone)
    if start < now:
        raise GaungError(N_("{time} has passed."), hint=N_("To publish from now on: --publish."), time=at)
    return start

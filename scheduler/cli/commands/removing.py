"""``takedown``: a published post is taken down from its platform, with somebody's name and reason."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from scheduler.cli.asking import agrees
from scheduler.cli.choosing import SHOWN, one_post, refused
from scheduler.cli.options import PostArgument
from scheduler.cli.output import emit, local_time, say
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _

if TYPE_CHECKING:
    from scheduler.store.tables import Delivery


def takedown(
    context: typer.Context,
    post: PostArgument,
    reason: Annotated[str, typer.Option(help=_("Why; required, and kept in the record."))] = "",
    by_hand: Annotated[
        bool, typer.Option("--by-hand", help=_("You have deleted it yourself: only record it."))
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help=_("Take down what is named without asking."))] = False,
) -> int:
    from scheduler.governance.records import refuse_if_held

    workplace: Workplace = context.obj
    if not reason.strip():
        raise GaungError(
            N_("The reason is missing, so nothing was taken down."), hint=N_("Give it with --reason.")
        )
    with workplace.store().read() as session:
        chosen = list({one.id: one for one in (one_post(session, prefix) for prefix in post)}.values())
        for one in chosen:
            refuse_if_held(session, one.campaign_id)
    for one in chosen:
        with refused(one):
            _find_out(workplace, one)
    if not yes and not sys.stdin.isatty():
        for one in chosen:
            _show(one)
        raise GaungError(
            N_("There is nobody to ask: the input is not a terminal."),
            hint=N_("Read what is shown above, then run the command again with --yes."),
        )
    codes = [0]
    for one in chosen:
        _show(one)
        if yes or agrees(_("Take it down? [y/N]")):
            codes.append(_take_down(workplace, one, reason.strip(), by_hand=by_hand))
    return max(codes)


def _find_out(workplace: Workplace, one: Delivery) -> None:
    """Let a post that did not go out whole name its part; raise RefusedTransitionError if nothing is out."""
    from scheduler.cli.partly import public_part
    from scheduler.states import Event, RefusedTransitionError, State, after

    state = State(one.state)
    after(state, Event.TAKEN_DOWN)
    if state is not State.SENT:
        part = public_part(workplace.calls, one)
        if part is None:
            raise RefusedTransitionError(state, Event.TAKEN_DOWN)
        one.remote_id, one.permalink = part.remote_id, part.permalink


def _show(one: Delivery) -> None:
    at = local_time(one.published_at or one.planned_at, one.zone)
    emit(f"{one.key[:SHOWN]}  {at}  {one.message_id} → {one.account_id}  {one.permalink}")


def _take_down(workplace: Workplace, one: Delivery, reason: str, *, by_hand: bool) -> int:
    from scheduler.engine import removing

    store, clock, actor = workplace.store(), workplace.clock, workplace.actor.id
    shown = one.key[:SHOWN]
    if by_hand:
        with refused(one):
            removing.gone(store, clock, one, actor=actor, reason=reason, by_hand=True)
        say(_("Recorded: {id} was deleted by hand.", id=shown))
        return 0
    with refused(one):
        answer = removing.take_down(
            store, clock, workplace.calls, workplace.treasury, one, actor=actor, reason=reason
        )
    if answer is None:
        say(_("{id} is taken down.", id=shown))
        return 0
    why = _(answer.reason)
    if removing.unclear(answer):
        say(_("{id}: nobody knows whether it is gone ({why}).", id=shown, why=why))
        where = one.permalink or one.account_id
        say("  " + _("Look at {address}. This command may be repeated.", address=where))
        return 3
    say(_("{id} was not taken down: {why}", id=shown, why=why))
    say("  " + _("Delete it on the platform, then: gaung takedown {id} --by-hand --reason …", id=shown))
    return 1

"""``approve``: each post shown as it will be published, and a recorded yes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from scheduler.cli.asking import agrees
from scheduler.cli.output import emit, local_time, say
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _, ngettext

if TYPE_CHECKING:
    from scheduler.store.approving import Waiting


def approve(
    context: typer.Context,
    campaign: Annotated[str, typer.Argument(help=_("Id of the campaign."))],
    message: Annotated[str, typer.Option(help=_("Only this message."))] = "",
    yes: Annotated[bool, typer.Option("--yes", help=_("Approve all that is shown without asking."))] = False,
) -> int:
    from scheduler.governance import approvals
    from scheduler.store import approving
    from scheduler.store import campaigns as stored

    workplace: Workplace = context.obj
    store = workplace.store()
    with store.read() as session:
        version = stored.current(session, campaign)
        if version is None:
            raise GaungError(
                N_("The campaign {id} was never applied."), hint=N_("First: gaung apply"), id=campaign
            )
        waiting = approving.waiting(session, campaign, message)
    if not waiting:
        say(_("Nothing waits for approval."))
        return 0
    with store.read() as session:
        approvals.check_approver(session, version, [one.content.digest for one in waiting], workplace.actor)
    if not yes and not sys.stdin.isatty():
        _show_all(workplace, waiting)
        raise GaungError(
            N_("There is nobody to ask: the input is not a terminal."),
            hint=N_("Read what is shown above, then run the command again with --yes."),
        )
    chosen = []
    for number, one in enumerate(waiting, 1):
        _show(workplace, one, number, len(waiting))
        if yes or agrees(_("Approve? [y/N]")):
            chosen.append(one.content.digest)
        emit("")
    with store.write() as session:
        approvals.approve(session, version, chosen, workplace.actor, workplace.clock.now())
    say(
        ngettext(
            "{count} text approved by {name}.",
            "{count} texts approved by {name}.",
            len(chosen),
            name=workplace.actor.name,
        )
    )
    return 0 if len(chosen) == len(waiting) else 3


def _show_all(workplace: Workplace, waiting: list[Waiting]) -> None:
    for number, one in enumerate(waiting, 1):
        _show(workplace, one, number, len(waiting))
        emit("")


def _show(workplace: Workplace, one: Waiting, number: int, total: int) -> None:
    """Show one content the way its platform will show it."""
    from scheduler.cli.money import acts_words, cost_words
    from scheduler.engine.calls import stored_post

    content = one.content
    adapter = workplace.accounts.adapter(content.account_id)
    post = stored_post(content, workplace.media)
    wording = adapter.wording(post)
    emit(
        _(
            "[{number}/{total}] {message} → {account} ({platform})",
            number=number,
            total=total,
            message=one.message_id,
            account=content.account_id,
            platform=content.platform,
        )
    )
    first = local_time(one.first_at, one.zone)
    others = ngettext(" and {count} more time", " and {count} more times", one.deliveries - 1)
    emit(f"  {first}{others if one.deliveries > 1 else ''}")
    texts = [wording, *(part["text"] for part in content.thread)]
    for position, text in enumerate(texts, 1):
        if len(texts) > 1:
            emit(
                _(
                    "  Part {number} of {total}: {length} of {limit} characters",
                    number=position,
                    total=len(texts),
                    length=adapter.limits.measure(text),
                    limit=adapter.limits.text,
                )
            )
        for line in text.splitlines():
            emit(f"  │ {line}")
    if content.link and content.link not in wording:
        emit(_("  Link: {link}", link=content.link))
    if content.first_comment:
        emit(_("  First comment: {text}", text=content.first_comment))
    for picture in (*content.media, *(item for part in content.thread for item in part["media"])):
        emit(
            _(
                "  Picture {name}, {width}×{height} pixels. Alt text: {alt}",
                name=picture["name"],
                width=picture["width"],
                height=picture["height"],
                alt=picture["alt"],
            )
        )
    if adapter.bills:
        cost = workplace.config.prices.cost(content.platform, adapter.billable(post), one.first_at)
        told = {"cost": cost_words(cost), "acts": acts_words(cost.acts, adapter.bills)}
        once = one.deliveries == 1
        emit(_("  Cost: {cost} ({acts})", **told) if once else _("  Cost each time: {cost} ({acts})", **told))
    emit(
        _(
            "  {length} of {limit} characters · content {digest}",
            length=max(adapter.limits.measure(text) for text in texts),
            limit=adapter.limits.text,
            digest=content.digest[:12],
        )
    )

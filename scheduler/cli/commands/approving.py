"""``approve`` and ``return``: each post shown as it will be published, and a recorded yes or no."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scheduler.cli.asking import Stop, agrees
from scheduler.cli.options import ReasonOption
from scheduler.cli.output import emit, say
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _, ngettext

if TYPE_CHECKING:
    from scheduler.governance.approvals import Choice
    from scheduler.store.approving import Waiting
    from scheduler.store.database import Session, Store
    from scheduler.store.tables import CampaignVersion, Content

#: Approvals that ended like this may be renewed unseen; what a person took back may not.
_RENEWABLE = frozenset({"", "expired", "role", "signature", "stop"})


def approve(
    context: typer.Context,
    campaign: Annotated[str, typer.Argument(help=_("Id of the campaign."))] = "",
    message: Annotated[str, typer.Option(help=_("Only this message."))] = "",
    yes: Annotated[bool, typer.Option("--yes", help=_("Approve all that is shown without asking."))] = False,
    all_unchanged: Annotated[
        bool,
        typer.Option(
            "--all-unchanged", help=_("Approve again, without asking, what is exactly as it was approved.")
        ),
    ] = False,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help=_("Take approvals back; give a reason with --reason."))
    ] = False,
    reason: ReasonOption = "",
    key: Annotated[
        Path | None, typer.Option(help=_("Your SSH key, where approvals are signed."), readable=False)
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(
            help=_("Write what is to be signed into this file, to sign it elsewhere."), readable=False
        ),
    ] = None,
    signer: Annotated[str, typer.Option("--for", help=_("With --export: the id of who will sign."))] = "",
    signed: Annotated[
        Path | None,
        typer.Option(
            "--import", help=_("Take in a signed approval: FILE.sig, with FILE beside it."), readable=False
        ),
    ] = None,
) -> int:
    workplace: Workplace = context.obj
    store = workplace.store()
    if signed is not None:
        from scheduler.cli.commands.signing import take_in

        return take_in(workplace, store, signed)
    if not campaign:
        return _name_campaigns(workplace, store)
    version = _version(store, campaign)
    if withdraw:
        return _withdraw(workplace, store, version, message, reason)
    if export is not None:
        from scheduler.cli.commands.signing import export_for

        return export_for(workplace, store, version, message, export, signer)
    with store.read() as session:
        waiting = _open(session, workplace, version, message)
        if not waiting:
            return 0
        from scheduler.governance import approvals

        choice = approvals.choice(session, version, waiting, workplace.actor)
        before = _before(session, version)
    offered = [one for one in choice.allowed if not all_unchanged or _as_approved(one)]
    _tell_rest(choice)
    check_again(workplace, version, offered)
    if not yes and not all_unchanged and not sys.stdin.isatty():
        _show_all(workplace, offered, before)
        raise GaungError(
            N_("There is nobody to ask: the input is not a terminal."),
            hint=N_("Read what is shown above, then run the command again with --yes."),
        )
    chosen = _ask(workplace, offered, before, yes=yes or all_unchanged)
    complete = _record(workplace, store, version, chosen, key) if chosen else True
    say(
        ngettext(
            "{count} text approved by {name}.",
            "{count} texts approved by {name}.",
            len(chosen),
            name=workplace.actor.name,
        )
    )
    if chosen and not complete:
        say(_("Further stages follow before it goes out."))
    return 0 if complete and len(chosen) == len(waiting) else 3


def _name_campaigns(workplace: Workplace, store: Store) -> int:
    """Say which campaigns have something to approve; approving names one of them."""
    from scheduler.cli import pending

    with store.read() as session:
        waiting = pending.waiting(session, workplace.clock.now())
    if not waiting:
        say(_("Nothing waits for approval."))
        return 0
    hints = [f"gaung approve {name} ({len(texts)})" for name, texts in waiting.items()]
    raise GaungError(
        N_("No campaign is named. These have texts that wait for approval:"),
        hint="{campaigns}",
        campaigns="\n  ".join(hints),
    )


def check_again(workplace: Workplace, version: CampaignVersion, offered: Sequence[Waiting]) -> None:
    """Tell what an editor objects to by now; raise ProblemsError if any of it refuses.

    Between applying and approving a source's day of recheck may pass, or the office's checks change.
    """
    from scheduler.cli.problems import tell_problems
    from scheduler.errors import ProblemsError

    messages = {one.message_id for one in offered}
    problems = [one for one in workplace.objections_today(version) if one.item in messages]
    for one in offered:
        if one.content.reply_to:
            problems += workplace.objections_to_reply(version, one.content, one.message_id)
    if any(problem.severity == "error" for problem in problems):
        raise ProblemsError(problems)
    tell_problems(problems)


def send_back(
    context: typer.Context,
    target: Annotated[str, typer.Argument(help=_("Id of a post, or of a campaign together with --message."))],
    message: Annotated[str, typer.Option(help=_("Every content of this message."))] = "",
    reason: ReasonOption = "",
) -> None:
    from scheduler.cli.choosing import one_post
    from scheduler.governance import approvals
    from scheduler.states import EDITABLE, State
    from scheduler.store import approving, returning

    workplace: Workplace = context.obj
    store = workplace.store()
    if not reason.strip():
        raise GaungError(
            N_("The drafter must know why."), hint=N_('Add a reason: --reason "the date is wrong".')
        )
    with store.write() as session:
        if message:
            chosen = approving.editable(session, target, message)
            campaign = target
        else:
            post = one_post(session, target)
            campaign = post.campaign_id
            chosen = {(campaign, post.digest): post.message_id} if State(post.state) in EDITABLE else {}
        if not chosen:
            raise GaungError(
                N_("There is nothing of {what} that could still be changed."),
                hint=N_("What is published can only be taken down."),
                what=message or target,
            )
        approvals.may_decide(_in_force(session, campaign), workplace.actor)
        returning.send_back(
            session, list(chosen), chosen, by=workplace.actor.id, at=workplace.clock.now(), reason=reason
        )
    say(
        ngettext(
            "{count} text sent back to the drafter; it does not go out.",
            "{count} texts sent back to the drafter; they do not go out.",
            len(chosen),
        )
    )


def _version(store: Store, campaign: str) -> CampaignVersion:
    with store.read() as session:
        return _in_force(session, campaign)


def _in_force(session: Session, campaign: str) -> CampaignVersion:
    from scheduler.store import campaigns as stored

    version = stored.current(session, campaign)
    if version is None:
        raise GaungError(
            N_("The campaign {id} was never applied."), hint=N_("First: gaung apply"), id=campaign
        )
    return version


def _open(session: Session, workplace: Workplace, version: CampaignVersion, message: str) -> list[Waiting]:
    """What waits for a yes; what was sent back waits for its drafter, unless its message is named."""
    from scheduler.store import approving

    waiting = approving.waiting(session, version.campaign_id, message, workplace.clock.now())
    wanted = waiting if message else [one for one in waiting if one.back is None]
    if left := len(waiting) - len(wanted):
        say(
            ngettext(
                "{count} text was sent back to the drafter and is not shown; name it with --message.",
                "{count} texts were sent back to the drafter and are not shown; name them with --message.",
                left,
            )
        )
    if not wanted:
        say(_("Nothing waits for approval."))
    return wanted


def _as_approved(one: Waiting) -> bool:
    return bool(one.before) and one.before <= _RENEWABLE


def _before(session: Session, version: CampaignVersion) -> dict[tuple[str, str], Content]:
    from scheduler.store import approving

    return dict(approving.approved_before(session, version.campaign_id))


def _tell_rest(choice: Choice) -> None:
    if choice.own:
        say(
            ngettext(
                "{count} text is your own draft; somebody else must approve it.",
                "{count} texts are your own drafts; somebody else must approve them.",
                choice.own,
            )
        )
    for role, count in (choice.other_role or {}).items():
        say(
            ngettext(
                "{count} text waits for somebody with the role {role}.",
                "{count} texts wait for somebody with the role {role}.",
                count,
                role=role,
            )
        )
    if choice.twice:
        say(
            ngettext(
                "{count} text has an earlier stage from you; the next must be somebody else's.",
                "{count} texts have an earlier stage from you; the next must be somebody else's.",
                choice.twice,
            )
        )


def _ask(
    workplace: Workplace, offered: Sequence[Waiting], before: dict[tuple[str, str], Content], *, yes: bool
) -> list[Waiting]:
    from scheduler.cli.showing import show

    chosen = []
    for number, one in enumerate(offered, 1):
        show(workplace, one, number, len(offered), before.get(_place(one)))
        try:
            if yes or agrees(_("Approve? [y/N, s: stop here]"), may_stop=True):
                chosen.append(one)
        except Stop:
            break
        except (typer.Abort, KeyboardInterrupt, EOFError):
            say("")
            say(_("Nothing was approved, also not what you said yes to. To keep that, answer s."))
            raise
        emit("")
    return chosen


def _record(
    workplace: Workplace, store: Store, version: CampaignVersion, chosen: Sequence[Waiting], key: Path | None
) -> bool:
    """Write the approvals down, signed if the office wants that; return whether no stage is left."""
    from scheduler.governance import approvals
    from scheduler.governance.approvals import Terms
    from scheduler.store import statements

    terms, signed = Terms(validity(workplace)), {}
    if workplace.config.approval.signing == "ssh":
        from scheduler.cli.commands.signing import sign_here

        signed = sign_here(workplace, version, chosen, key)
    now = workplace.clock.now()
    complete = True
    with store.write() as session:
        for stage, several in by_stage(version, chosen).items():
            if stage in signed:
                terms = replace(terms, statement_id=statements.add(session, signed[stage]))
            complete &= approvals.approve(session, version, several, workplace.actor, now, terms)
    return complete


def by_stage(version: CampaignVersion, chosen: Sequence[Waiting]) -> dict[int, list[Waiting]]:
    """The contents by the stage that each waits for."""
    from scheduler.governance import approvals

    rule = approvals.rule(version.approval)
    found: dict[int, list[Waiting]] = {}
    for one in chosen:
        found.setdefault(approvals.next_stage(rule, one), []).append(one)
    return found


def validity(workplace: Workplace) -> timedelta | None:
    """How long an approval given now holds; None for ever."""
    return workplace.config.approval.valid or None


def _withdraw(workplace: Workplace, store: Store, version: CampaignVersion, message: str, reason: str) -> int:
    from scheduler.governance import approvals
    from scheduler.store import approving, consents

    if not reason.strip():
        raise GaungError(
            N_("An approval is not withdrawn without a reason."),
            hint=N_('Add one: --reason "the minister asked to wait".'),
        )
    approvals.may_decide(version, workplace.actor)
    with store.write() as session:
        chosen = approving.editable(session, version.campaign_id, message)
        count = consents.void(
            session,
            chosen,
            code="withdrawn",
            actor=workplace.actor.id,
            at=workplace.clock.now(),
            reason=reason,
        )
    say(
        ngettext(
            "The approval of {count} text is withdrawn.",
            "The approvals of {count} texts are withdrawn.",
            count,
        )
    )
    return 0


def _place(one: Waiting) -> tuple[str, str]:
    return one.message_id, one.content.account_id


def _show_all(
    workplace: Workplace, waiting: Sequence[Waiting], before: dict[tuple[str, str], Content]
) -> None:
    from scheduler.cli.showing import show

    for number, one in enumerate(waiting, 1):
        show(workplace, one, number, len(waiting), before.get(_place(one)))
        emit("")

"""``retry``, ``cancel``, ``resolve``: what a person decides about posts, recorded with their name."""

from __future__ import annotations

from typing import Annotated

import typer

from scheduler.cli import partly
from scheduler.cli.choosing import SHOWN, one_post, refused
from scheduler.cli.options import PostArgument, ReasonOption
from scheduler.cli.output import say
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _, ngettext


def retry(
    context: typer.Context,
    post: PostArgument,
    reason: ReasonOption = "",
) -> None:
    from scheduler.store import campaigns as stored
    from scheduler.store import operations

    workplace: Workplace = context.obj
    now = workplace.clock.now()
    with workplace.store().write() as session:
        chosen = {one.id: one for one in (one_post(session, prefix) for prefix in post)}  # each once
        for one in chosen.values():
            within = operations.publish_within(stored.current(session, one.campaign_id))
            with refused(one):
                operations.retry(
                    session, one, actor=workplace.actor.id, at=now, publish_within=within, reason=reason
                )
    say(
        ngettext(
            "{count} post is planned again. It goes out once approved, when its account is free.",
            "{count} posts are planned again. Each goes out once approved, when its account is free.",
            len(chosen),
        )
    )


def cancel(
    context: typer.Context,
    post: Annotated[
        list[str] | None, typer.Argument(help=_("Ids of posts, as “gaung posts” lists them."))
    ] = None,
    campaign: Annotated[str, typer.Option(help=_("Every post of this campaign that is not published."))] = "",
    reason: ReasonOption = "",
) -> None:
    from scheduler.states import EDITABLE
    from scheduler.store import operations

    workplace: Workplace = context.obj
    if not post and not campaign:
        raise GaungError(N_("Nothing to cancel is named."), hint=N_("Give ids of posts, or --campaign ID."))
    now = workplace.clock.now()
    with workplace.store().write() as session:
        named = [one_post(session, prefix) for prefix in post or []]
        if campaign:
            named += operations.of_campaign(session, campaign, sorted(EDITABLE))
        chosen = {one.id: one for one in named}  # each once
        if not chosen:
            raise GaungError(
                N_("The campaign {id} has no post that could be cancelled."),
                hint=N_("“gaung posts” lists them."),
                id=campaign,
            )
        for one in chosen.values():
            with refused(one):
                operations.cancel(session, one, actor=workplace.actor.id, at=now, reason=reason)
    say(ngettext("{count} post cancelled.", "{count} posts cancelled.", len(chosen)))
    partly.tell(workplace, chosen.values())


def resolve(
    context: typer.Context,
    post: Annotated[str, typer.Argument(help=_("Id of the post."))],
    posted: Annotated[str, typer.Option(help=_("It is published: its address on the platform."))] = "",
    remote_id: Annotated[
        str, typer.Option(help=_("Its id on the platform; without it, its figures are not measured."))
    ] = "",
    absent: Annotated[
        bool, typer.Option("--absent", help=_("It is not published, and will be sent."))
    ] = False,
    double: Annotated[
        bool,
        typer.Option("--double", help=_("It was accepted twice: you have seen to the second one.")),
    ] = False,
) -> None:
    from scheduler.engine import applying
    from scheduler.engine.retry import Rule
    from scheduler.engine.settlement import next_age
    from scheduler.store import campaigns as stored
    from scheduler.store import operations

    workplace: Workplace = context.obj
    if double and not (posted or absent):
        _seen_to(workplace, post)
        return
    if double or bool(posted) == absent:
        raise GaungError(
            N_("Say either where the post is, or that it is not there."),
            hint=N_("Look at the account first, then: --posted ADDRESS, or --absent."),
        )
    if posted and not posted.startswith(("https://", "http://")):
        raise GaungError(
            N_("{address} is not the address of a post."),
            hint=N_("Copy it from the browser."),
            address=posted,
        )
    now = workplace.clock.now()
    with workplace.store().write() as session:
        one = one_post(session, post)
        with refused(one):
            if absent:
                version = stored.current(session, one.campaign_id)
                within = operations.publish_within(version)
                operations.resolve_absent(
                    session, one, actor=workplace.actor.id, at=now, publish_within=within
                )
                if version is not None:  # its file may have changed while nobody knew
                    horizon = workplace.config.daemon.horizon
                    applying.follow(session, version, now=now, horizon=horizon, actor=workplace.actor.id)
            else:
                operations.resolve_posted(
                    session,
                    one,
                    actor=workplace.actor.id,
                    at=now,
                    remote_id=remote_id or posted,
                    permalink=posted,
                    reach_at=next_age(now, now, workplace.config.reach.ages) if remote_id else None,
                    min_gap=workplace.rules().get(one.account_id, Rule()).min_gap,
                )
    if absent:
        say(
            _(
                "Recorded: it is not published. It is sent again while its campaign allows that"
                " (gaung status)."
            )
        )
    else:
        say(_("Recorded: it is published."))


def _seen_to(workplace: Workplace, post: str) -> None:
    """Record that a person has looked at the second post."""
    from scheduler.store import doubles

    with workplace.store().write() as session:
        one = one_post(session, post)
        found = doubles.doubles(session, one.id)
        if not found:
            raise GaungError(
                N_("Nothing says that the post {id} was accepted twice."),
                hint=N_("“gaung status” lists what was."),
                id=one.key[:SHOWN],
            )
        doubles.seen(session, one, found, actor=workplace.actor.id, at=workplace.clock.now())
    say(_("Recorded."))

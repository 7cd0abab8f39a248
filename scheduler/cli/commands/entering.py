"""``reach enter``: figures that a person read off the platform, kept with the source ``manual``."""

from __future__ import annotations

from typing import Annotated

import typer

from scheduler.cli.choosing import SHOWN, one_post
from scheduler.cli.output import say
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _

Figure = Annotated[
    int | None, typer.Option(min=0, help=_("As the platform shows it; leave out what it does not show."))
]


def enter(
    context: typer.Context,
    post: Annotated[str, typer.Argument(help=_("Id of the post."))],
    views: Figure = None,
    reach: Figure = None,
    likes: Figure = None,
    comments: Figure = None,
    shares: Figure = None,
    saves: Figure = None,
    clicks: Figure = None,
    video_views: Figure = None,
    profile_visits: Figure = None,
) -> None:
    from adapters.contract import Reach
    from scheduler.engine.settlement import entered
    from scheduler.states import State
    from scheduler.store import settling, transitions

    workplace: Workplace = context.obj
    given = (views, reach, likes, comments, shares, saves, clicks, video_views, profile_visits)
    figures = Reach(*given, raw={"entered_by": workplace.actor.id})
    if all(one is None for one in given):
        raise GaungError(N_("No figure is given."), hint=N_("For example: --views 1250 --likes 31"))
    now = workplace.clock.now()
    with workplace.store().write() as session:
        one = one_post(session, post)
        if one.state not in {State.SENT, State.REMOVED}:
            raise GaungError(N_("The post {id} is not published, so it has no figures."), id=one.key[:SHOWN])
        settling.add_snapshots(session, [entered(one.id or 0, figures, now, "manual")])
        transitions.record(
            session,
            "figures-entered",
            actor=workplace.actor.id,
            at=now,
            campaign_id=one.campaign_id,
            delivery_id=one.id,
            digest=one.digest,
        )
    say(_("Recorded, with the source “manual”."))

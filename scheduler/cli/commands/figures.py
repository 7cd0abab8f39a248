"""``reach``: what was measured of published posts, in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scheduler.cli.options import FormatOption
from scheduler.cli.output import Format, listing, say
from scheduler.cli.workplace import Workplace
from scheduler.i18n import _

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scheduler.store.database import Store

CampaignArgument = Annotated[str, typer.Argument(help=_("Id of the campaign."))]


def reach(
    context: typer.Context,
    campaign: CampaignArgument,
    now: Annotated[
        bool, typer.Option("--now", help=_("Ask the platforms now and keep the figures."))
    ] = False,
    form: FormatOption = Format.TABLE,
) -> int:
    from scheduler.cli.commands import following
    from scheduler.cli.reports import must_exist
    from scheduler.governance import roles
    from scheduler.reports import growth
    from scheduler.reports.rows import LocalTime, figures
    from scheduler.states import State
    from scheduler.store import listings, reporting
    from scheduler.store.reporting import Scope

    workplace: Workplace = context.obj
    store = workplace.store()
    with store.read() as session:
        must_exist(session, campaign)
    if now:
        roles.may("reach --now", workplace.actor)
    failed = _measure(workplace, store, campaign) if now else 0
    with store.read() as session:
        sent = listings.posts(
            session, listings.PostFilter(campaign=campaign, states=[State.SENT], replies=False)
        )
        snapshots = listings.latest_snapshots(session, campaign)
        scope = Scope(workplace.clock.now(), campaign)
        grown = dict(growth.by_post(reporting.growth(session, scope), "views"))
    rows: list[dict[str, Any]] = []
    for post in sent:
        snapshot = snapshots.get(post.id)
        rows.append(
            {
                "message": post.message_id,
                "account": post.account_id,
                "published_at": LocalTime(post.published_at, post.zone),
                **figures(snapshot),
                "source": snapshot.source if snapshot else None,
                "measured_at": LocalTime(snapshot.taken_at, post.zone) if snapshot else None,
                "growth": sparkline(curve.values if (curve := grown.get(post.id)) else (), form),
            }
        )
    listing(
        rows,
        {
            "message": _("message"),
            "account": _("account"),
            **_headings(rows, form),
            "growth": _("growth of views"),
            "source": _("source"),
            "published_at": _("published"),
            "measured_at": _("measured"),
        },
        form,
        empty=_("Nothing is published yet."),
    )
    if form is Format.TABLE and rows:
        _totals(sent, snapshots)
        with store.read() as session:
            accounts = following.standing(workplace, session, sorted({one.account_id for one in sent}), form)
        listing(accounts, following.headings(), form)
    return 1 if failed else 0


def _headings(rows: list[dict[str, Any]], form: Format) -> dict[str, str]:
    """The figures; on a screen without those that only few platforms have, if no post knows them."""
    from scheduler.cli.words import figure_headings

    rare = {"video_views", "profile_visits"} if form is Format.TABLE else set()
    return {
        name: heading
        for name, heading in figure_headings().items()
        if name not in rare or any(row[name] is not None for row in rows)
    }


#: From nothing to the most.
_BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[int], form: Format) -> str | list[int] | None:
    """A figure at each time it was measured: as a small curve for people, as numbers for programs."""
    if form is Format.JSON:
        return list(values)
    if not values:
        return None
    if form is Format.CSV:
        return " ".join(map(str, values))
    top = max(values) or 1
    return "".join(_BLOCKS[value * (len(_BLOCKS) - 1) // top] for value in values)


def _totals(sent: list[Any], snapshots: Mapping[int, Any]) -> None:
    """The totals by platform, each with the number of posts that know the figure."""
    from scheduler.reports.rows import figures
    from scheduler.reports.tally import Tally

    unheard = dict.fromkeys(("received", "answered", "response_minutes"))
    tallies: dict[str, Tally] = {}
    for post in sent:
        row = {"state": post.state, **unheard, **figures(snapshots.get(post.id))}
        tallies.setdefault(post.platform, Tally()).add(row)

    def told(tally: Tally, name: str) -> str | None:
        total = tally.sum(name)
        if total is None:
            return None
        return _("{total} ({known} of {count})", total=total, known=tally.known(name), count=tally.posts)

    listing(
        [
            {
                "platform": platform,
                "posts": tally.posts,
                **{name: told(tally, name) for name in ("views", "reach", "engagement")},
            }
            for platform, tally in sorted(tallies.items())
        ],
        {
            "platform": _("platform"),
            "posts": _("posts"),
            "views": _("views (known for)"),
            "reach": _("reach added over posts, not people (known for)"),
            "engagement": _("engagement (known for)"),
        },
        Format.TABLE,
    )


def _measure(workplace: Workplace, store: Store, campaign: str) -> int:
    import sys

    from rich.console import Console
    from rich.progress import Progress

    from scheduler.engine.measuring import measure_now
    from scheduler.states import State
    from scheduler.store import operations

    with store.read() as session:
        total = len(operations.of_campaign(session, campaign, [State.SENT]))
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(_("Asking the platforms"), total=total)
        failed = measure_now(
            store,
            workplace.clock,
            workplace.calls,
            workplace.treasury,
            campaign,
            lambda done: progress.advance(task, done),
        )
    for account_id, error in failed:
        say(_("{account} gave no figures: {why}", account=account_id, why=_(error.reason)))
    return len(failed)

"""``check``, ``schema``, ``plan``, ``apply``: from campaign files to what is going to happen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scheduler.cli.options import FormatOption
from scheduler.cli.output import Format, emit, listing, say
from scheduler.cli.quiet import WINDOW_COLUMNS
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _, ngettext

if TYPE_CHECKING:
    from campaigns.files import Loaded
    from campaigns.planning import Changes, PlannedPost
    from scheduler.cli.pending import Changed

CampaignArgument = Annotated[str, typer.Argument(help=_("Id of a campaign; without it all of them."))]


class CheckFormat(StrEnum):
    """How findings are written: as a listing, or as SARIF for programs that show them in the file."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    SARIF = "sarif"


def check(
    context: typer.Context,
    source: Annotated[
        str, typer.Option(help=_("List the messages to come that cite this source instead."))
    ] = "",
    form: Annotated[
        CheckFormat, typer.Option("--format", "-f", help=_("How the listing is written; sarif for CI."))
    ] = CheckFormat.TABLE,
) -> int:
    from scheduler.cli import ready
    from scheduler.cli.problems import list_problems, tell_problems

    workplace: Workplace = context.obj
    if source:
        _list_citing(workplace, source, form)
        return 0
    loaded, problems = workplace.load_campaigns()
    problems += ready.problems(workplace, loaded)
    failed = any(problem.severity == "error" for problem in problems)
    if form is CheckFormat.SARIF:
        from scheduler.cli.sarif import sarif

        emit(sarif(problems, workplace.config.path(workplace.config.campaigns), workplace.config.file.parent))
    elif form is not CheckFormat.TABLE:
        list_problems(problems, Format(form), workplace.config.path(workplace.config.campaigns))
    else:
        tell_problems(problems)
        for one in loaded:
            say(
                _(
                    "{file}: {title}, {messages} messages, {accounts} accounts, {start} to {end}",
                    file=one.path.name,
                    title=one.campaign.title,
                    messages=len(one.campaign.messages),
                    accounts=len(one.targets),
                    start=one.campaign.start,
                    end=one.campaign.end,
                )
            )
        if not failed:
            say(_("No errors. Next: gaung plan"))
    return 2 if failed else 0


def _list_citing(workplace: Workplace, source: str, form: CheckFormat) -> None:
    """Every message with a post to come that cites a source, in the files and in what is in force."""
    from scheduler.cli.citing import citing

    if form is CheckFormat.SARIF:
        raise GaungError(N_("--source is a listing; it has no SARIF."), hint=N_("Use table, json or csv."))
    headings = {
        "campaign": _("campaign"),
        "message": _("message"),
        "source": _("source"),
        "recheck_by": _("check again by"),
        "next": _("next time"),
        "posts": _("posts to come"),
        "applied": _("in force"),
    }
    nothing = _("No message to come cites {source}.", source=source)
    listing(citing(workplace, source), headings, Format(form), empty=nothing)


def schema(
    what: Annotated[str, typer.Argument(help=_("campaign or config."))] = "campaign",
) -> None:
    import json

    from campaigns.definition import Campaign
    from scheduler.config import Config

    models: Mapping[str, Any] = {"campaign": Campaign, "config": Config}
    if what not in models:
        raise GaungError(N_("There is no schema {what}."), hint=N_("Known: campaign, config."), what=what)
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **models[what].model_json_schema(),
    }
    emit(json.dumps(document, ensure_ascii=False, indent=2))


def plan(
    context: typer.Context,
    campaign: CampaignArgument = "",
    costs: Annotated[
        bool, typer.Option("--costs", help=_("What everything to come will cost, by account and month."))
    ] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    from scheduler.cli import pending
    from scheduler.cli.money import forecasts, list_forecasts, tell_budgets, tell_forecasts
    from scheduler.cli.problems import tell_problems
    from scheduler.engine import applying

    workplace: Workplace = context.obj
    loaded, warnings = workplace.sound_campaigns(campaign)
    if costs:
        list_forecasts(forecasts(workplace, loaded), form)
        return
    store = workplace.store()
    now = workplace.clock.now()
    rows: list[dict[str, Any]] = []
    otherwise: list[Changed] = []
    waiting = 0
    for one in loaded:
        changes = applying.preview(
            store, one, now=now, horizon=workplace.config.daemon.horizon, windows=workplace.windows
        )
        with store.read() as session:
            differing = pending.against_files(session, one.campaign.id, one.campaign.zone, changes)
        otherwise += differing
        rows += _rows(workplace, one, changes, form, differing)
        waiting += bool(changes)
        if form is Format.TABLE:
            _summary(one, changes)
    if form is Format.TABLE:
        tell_problems(warnings)
        _tell_orphans(workplace, [one.campaign.id for one in workplace.sound_campaigns()[0]])
    if form is Format.TABLE:
        words = {
            "new": _("new"),
            "changed": _("changed"),
            "back": _("back"),
            "withdrawn": _("withdrawn"),
            "unchanged": _("unchanged"),
        }
        rows = [{**row, "change": words[row["change"]]} for row in rows]
    headings = _headings(rows, form, several=len(loaded) > 1)
    listing(rows, headings, form, empty=_("Nothing would change."))
    if form is Format.TABLE:
        pending.tell(otherwise)
        coming = forecasts(workplace, loaded)
        tell_forecasts(coming)
        tell_budgets(workplace, coming)
        if waiting:
            say(_("Nothing was written. To put this into force: gaung apply"))


def _headings(rows: list[dict[str, Any]], form: Format, *, several: bool) -> dict[str, str]:
    """The columns of a plan; people get only those that say something."""
    headings = {
        "change": _("change"),
        "time": _("time"),
        "campaign": _("campaign"),
        "message": _("message"),
        "account": _("account"),
        "platform": _("platform"),
        "length": _("length"),
        "limit": _("limit"),
        "parts": _("parts"),
        "media": _("media"),
        "cost": _("cost"),
        "window": _("window"),
        "text": _("text"),
    }
    if form is not Format.TABLE:
        headings.pop("window")
        extra = ("currency", "acts", *WINDOW_COLUMNS, "differences")
        return {**headings, **dict.fromkeys(extra, "")}
    useful = {
        "campaign": several,
        "parts": any(row.get("parts", 1) > 1 for row in rows),
        "cost": any(row.get("cost") for row in rows),
        "window": any(row.get("window") for row in rows),
    }
    return {key: heading for key, heading in headings.items() if useful.get(key, True)}


def apply(context: typer.Context, campaign: CampaignArgument = "") -> None:
    from scheduler.cli.money import forecasts, tell_budgets, tell_forecasts
    from scheduler.cli.problems import tell_problems
    from scheduler.cli.quiet import tell_windows
    from scheduler.engine import applying
    from scheduler.store import windowing

    workplace: Workplace = context.obj
    loaded, warnings = workplace.sound_campaigns(campaign)
    store = workplace.store(create=True)
    now, horizon = workplace.clock.now(), workplace.config.daemon.horizon
    with store.read() as session:
        before = windowing.current(session)
    if applying.put_windows(store, workplace.windows, actor=workplace.actor.id, now=now, horizon=horizon):
        tell_windows(before, workplace.windows)
    for one in loaded:
        changes = applying.apply(
            store,
            workplace.media,
            one,
            actor=workplace.actor.id,
            now=now,
            horizon=horizon,
        )
        _summary(one, changes)
    tell_problems(warnings)
    coming = forecasts(workplace, loaded)
    tell_forecasts(coming)
    tell_budgets(workplace, coming)
    _tell_unapproved(workplace)


def _rows(
    workplace: Workplace, loaded: Loaded, changes: Changes, form: Format, differing: Sequence[Changed]
) -> list[dict[str, Any]]:
    from scheduler.cli.pending import plain
    from scheduler.reports.rows import LocalTime

    zone = loaded.campaign.zone
    named: list[tuple[str, PlannedPost]] = [
        *(("new", post) for post in changes.new),
        *(("changed", post) for _old, post in changes.changed),
        *(("back", post) for post in changes.returned),
        *(("unchanged", post) for post in changes.ruled),
    ]
    rows = [_row(workplace, loaded, change, post, form) for change, post in named]
    if form is not Format.TABLE:
        found = {(one.message_id, one.account_id): plain([one])[0]["differences"] for one in differing}
        for row in rows:
            told = found.get((row["message"], row["account"]), [])
            row["differences"] = told if form is Format.JSON else ", ".join(one["what"] for one in told)
    rows += [
        {
            "change": "withdrawn",
            "time": LocalTime(old.planned_at, zone),
            "campaign": loaded.campaign.id,
            "message": old.message_id,
            "account": old.account_id,
        }
        for old in changes.withdrawn
    ]
    return sorted(rows, key=lambda row: row["time"].instant)


def _row(
    workplace: Workplace, loaded: Loaded, change: str, post: PlannedPost, form: Format
) -> dict[str, Any]:
    from scheduler.checking import as_post, measure
    from scheduler.cli.money import cost_columns
    from scheduler.cli.quiet import window_columns
    from scheduler.reports.rows import LocalTime

    adapter = workplace.accounts.adapter(post.target.id)
    measured = measure(post.variant, post.target, adapter)
    acts = adapter.billable(as_post(loaded, post.variant)) if adapter.bills else {}
    first_line = post.variant.text.splitlines()[0]
    return {
        "change": change,
        "time": LocalTime(post.planned_at, loaded.campaign.zone),
        "campaign": post.campaign_id,
        "message": post.message_id,
        "account": post.target.id,
        "platform": post.target.platform,
        "length": measured.length,
        "limit": measured.limit,
        "parts": 1 + len(post.variant.thread),
        "media": len(post.variant.pictures),
        **cost_columns(workplace.config.prices.cost(post.target.platform, acts, post.planned_at), form),
        **window_columns(post, workplace.windows, loaded.campaign.zone),
        "text": first_line if len(first_line) <= 60 else f"{first_line[:57]}...",
    }


def _summary(loaded: Loaded, changes: Changes) -> None:
    say(
        _(
            "{campaign}: {new} new, {changed} changed, {withdrawn} withdrawn, {unchanged} unchanged",
            campaign=loaded.campaign.id,
            new=len(changes.new) + len(changes.returned),
            changed=len(changes.changed),
            withdrawn=len(changes.withdrawn),
            unchanged=changes.unchanged,
        )
    )
    if changes.passed:
        say(
            ngettext(
                "  {count} time lies in the past and is not planned any more.",
                "  {count} times lie in the past and are not planned any more.",
                len(changes.passed),
            )
        )


def _tell_orphans(workplace: Workplace, known: list[str]) -> None:
    from scheduler.store import campaigns as stored

    with workplace.store().read() as session:
        orphans = [one for one in stored.in_force(session) if one.campaign_id not in known]
    for orphan in orphans:
        say(
            _(
                "The campaign {campaign} is in force, but its file {file} is gone. Its posts stay planned;"
                " to take them out: gaung cancel --campaign {campaign}",
                campaign=orphan.campaign_id,
                file=orphan.source,
            )
        )


def _tell_unapproved(workplace: Workplace) -> None:
    from scheduler.store import approving
    from scheduler.store import campaigns as stored

    with workplace.store().read() as session:
        counts = {
            version.campaign_id: len(
                approving.waiting(session, version.campaign_id, now=workplace.clock.now())
            )
            for version in stored.in_force(session)
        }
    for campaign_id, count in counts.items():
        if count:
            say(
                ngettext(
                    "{count} text waits for approval. Next: gaung approve {campaign}",
                    "{count} texts wait for approval. Next: gaung approve {campaign}",
                    count,
                    campaign=campaign_id,
                )
            )

"""``archive`` and ``hold``: the records of a campaign for the archive, and orders to keep them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from scheduler.cli.options import FormatOption, ReasonOption
from scheduler.cli.output import Format, listing, say
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _, ngettext


def archive(
    context: typer.Context,
    campaign: Annotated[str, typer.Argument(help=_("Id of the campaign."))] = "",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help=_("Where to; without it CAMPAIGN-archive here."), readable=False),
    ] = None,
    as_zip: Annotated[bool, typer.Option("--zip", help=_("As one ZIP file instead of a folder."))] = False,
    due: Annotated[
        bool, typer.Option("--due", help=_("List whose retention has ended; writes and deletes nothing."))
    ] = False,
    form: FormatOption = Format.TABLE,
) -> int:
    from scheduler.reports.records import archive as archives
    from scheduler.store import campaigns as stored
    from scheduler.store.transitions import record

    workplace: Workplace = context.obj
    if due:
        return _list_due(workplace, form)
    if not campaign:
        raise GaungError(
            N_("{name} is missing."),
            hint=N_("See “{command} --help”."),
            name="CAMPAIGN",
            command="gaung archive",
        )
    store = workplace.store()
    target = output or Path(f"{campaign}-archive{'.zip' if as_zip else ''}")
    with store.read() as session:
        if stored.current(session, campaign) is None:
            raise GaungError(
                N_("The campaign {id} was never applied."), hint=N_("First: gaung apply"), id=campaign
            )
        done = archives.write(
            session, campaign, workplace.media, workplace.config.people, target, as_zip=as_zip
        )
    with store.write() as session:
        # Not among the campaign's own events: an archive of the same records stays the same.
        record(
            session,
            "archived",
            actor=workplace.actor.id,
            at=workplace.clock.now(),
            detail={"campaign": campaign, "posts": done.posts, "manifest": done.manifest},
        )
    say(
        ngettext(
            "{count} post archived in {target}, {files} files.",
            "{count} posts archived in {target}, {files} files.",
            done.posts,
            target=target,
            files=done.files,
        )
    )
    say(_("Hash of the manifest: {hash}", hash=done.manifest))
    for place in done.missing:
        say(_("Missing, or not as it was approved: {file}", file=place))
    return 1 if done.missing else 0


def hold(
    context: typer.Context,
    campaign: Annotated[
        str, typer.Argument(help=_("Id of the campaign; without it the holds in force are listed."))
    ] = "",
    reason: ReasonOption = "",
    letter: Annotated[str, typer.Option(help=_("Number of the letter that orders it."))] = "",
    lift: Annotated[bool, typer.Option("--lift", help=_("End the hold."))] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    from scheduler.store import campaigns as stored
    from scheduler.store import recording
    from scheduler.store.tables import LegalHold

    workplace: Workplace = context.obj
    store = workplace.store()
    if not campaign:
        _list_holds(workplace, form)
        return
    if not reason.strip():
        raise GaungError(
            N_("A legal hold is neither placed nor lifted without a reason."),
            hint=N_("Give it with --reason, and the number of the letter with --letter."),
        )
    now = workplace.clock.now()
    with store.write() as session:
        if stored.current(session, campaign) is None:
            raise GaungError(
                N_("The campaign {id} was never applied."), hint=N_("First: gaung apply"), id=campaign
            )
        present = recording.hold(session, campaign)
        if lift == (present is None):
            raise GaungError(
                N_("There is no legal hold on {campaign}.") if lift else N_("{campaign} is held already."),
                hint=N_("“gaung hold” lists them."),
                campaign=campaign,
            )
        if present is not None:
            recording.lift_hold(session, present, by=workplace.actor.id, at=now, reason=reason)
        else:
            recording.place_hold(
                session,
                LegalHold(
                    campaign_id=campaign,
                    reason=reason,
                    letter=letter,
                    placed_by=workplace.actor.id,
                    placed_at=now,
                ),
            )
    say(_("The hold on {campaign} is lifted.", campaign=campaign) if lift else _held(campaign))


def _held(campaign: str) -> str:
    return _("{campaign} is held: nothing of it can be deleted or taken down.", campaign=campaign)


def _list_holds(workplace: Workplace, form: Format) -> None:
    from scheduler.reports.rows import LocalTime
    from scheduler.store import recording

    with workplace.store().read() as session:
        found = recording.holds(session)
    rows: list[dict[str, Any]] = [
        {
            "campaign": one.campaign_id,
            "reason": one.reason,
            "letter": one.letter or None,
            "placed_by": workplace.person_name(one.placed_by) if form is Format.TABLE else one.placed_by,
            "placed_at": LocalTime(one.placed_at, workplace.config.zone),
        }
        for one in found
    ]
    listing(
        rows,
        {
            "campaign": _("campaign"),
            "reason": _("reason"),
            "letter": _("letter"),
            "placed_by": _("who"),
            "placed_at": _("time"),
        },
        form,
        empty=_("Nothing is held."),
    )


def _list_due(workplace: Workplace, form: Format) -> int:
    from campaigns.timetable import to_local
    from scheduler.governance import records

    today = to_local(workplace.clock.now(), workplace.config.zone).date()
    retention = workplace.config.records.retention
    if not retention:
        say(_("No retention is set ([records] retention in config.toml), so nothing is ever due."))
    with workplace.store().read() as session:
        found = records.retained(session, retention)
    rows: list[dict[str, Any]] = [
        {
            "campaign": one.kept.campaign_id,
            "title": one.kept.title,
            "posts": one.kept.posts,
            "ends": one.kept.ends,
            "due_on": one.due_on,
            "held": one.kept.hold is not None,
        }
        for one in found
        if one.is_due(today) or (one.due_on and one.due_on <= today)
    ]
    listing(
        rows,
        {
            "campaign": _("campaign"),
            "title": _("title"),
            "posts": _("posts"),
            "ends": _("last day"),
            "due_on": _("kept until"),
            "held": _("legal hold"),
        },
        form,
        empty=_("The retention of no campaign has ended."),
    )
    if rows and form is Format.TABLE:
        say(_("Nothing is deleted by Gaung; whoever answers for the archive decides."))
    return 0

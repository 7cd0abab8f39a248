"""``audit show``, ``verify``, ``export``, ``anchor``: the record, and whether it is whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scheduler.cli.choosing import one_post
from scheduler.cli.options import FormatOption
from scheduler.cli.output import Format, details, emit, listing, say
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _, ngettext

if TYPE_CHECKING:
    from scheduler.governance.verification import Anchor, Flaw
    from scheduler.store.auditing import Wanted

CampaignOption = Annotated[str, typer.Option(help=_("Only this campaign."))]
PostOption = Annotated[str, typer.Option(help=_("Only this post."))]
ActorOption = Annotated[str, typer.Option(help=_("Only what this person did (the id), or “daemon”."))]
ActionOption = Annotated[str, typer.Option(help=_("Only this action, for example approved."))]
SinceOption = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help=_("From this day on."))]
UntilOption = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help=_("Until this day, included."))
]


class ExportFormat(StrEnum):
    """How the record is written for others."""

    JSONL = "jsonl"
    CSV = "csv"


def show(
    context: typer.Context,
    campaign: CampaignOption = "",
    post: PostOption = "",
    actor: ActorOption = "",
    action: ActionOption = "",
    since: SinceOption = None,
    until: UntilOption = None,
    last: Annotated[int, typer.Option(help=_("Only the newest so many; 0 for all."), min=0)] = 50,
    form: FormatOption = Format.TABLE,
) -> None:
    from scheduler.reports.extracts import COLUMNS
    from scheduler.reports.rows import LocalTime
    from scheduler.store import auditing

    workplace: Workplace = context.obj
    zone = workplace.config.zone
    with workplace.store().read() as session:
        wanted = _wanted(workplace, session, campaign, post, actor, action, since, until, last)
        found = [dict(row._mapping) for row in auditing.events(session, wanted)]
    for row in found:
        row["at"] = LocalTime(row["at"], zone)
    if form is not Format.TABLE:
        if form is Format.CSV:
            found = [{**row, "detail": _text(row["detail"])} for row in found]
        listing(found, dict.fromkeys(COLUMNS, ""), form)
        return
    from scheduler.cli.words import event_word
    from scheduler.states import State

    people = workplace.config.people
    rows = [
        {
            **row,
            "actor": people[row["actor"]].name if row["actor"] in people else row["actor"],
            "where": f"{row['os_user']}@{row['machine']}" if row["machine"] else None,
            "action": event_word(row["action"]),
            "after": State(row["after"]) if row["after"] else None,
            "digest": row["digest"][:12],
            "detail": _pairs(row["detail"]) or None,
        }
        for row in found
    ]
    listing(
        rows,
        {
            "id": _("row"),
            "at": _("time"),
            "actor": _("who"),
            "where": _("from where"),
            "action": _("what"),
            "campaign_id": _("campaign"),
            "delivery_id": _("post no."),
            "after": _("state after it"),
            "digest": _("content"),
            "detail": _("details"),
        },
        form,
        empty=_("Nothing is recorded."),
    )


def verify(
    context: typer.Context,
    head: Annotated[
        list[str] | None,
        typer.Option(help=_("A head as a report prints it, NUMBER:HASH; may be given several times.")),
    ] = None,
    form: FormatOption = Format.TABLE,
) -> int:
    from scheduler.governance import anchoring, verification

    workplace: Workplace = context.obj
    anchors = [*_anchors(workplace), *anchoring.given(head or [])]
    with workplace.store().read() as session:
        verdict = verification.verify(session, anchors)
    _tell_flaws(verdict.flaws)
    facts: dict[str, tuple[str, Any]] = {
        "intact": (_("Whole"), not verdict.flaws),
        "rows": (_("Rows"), verdict.rows),
        "head": (_("Head"), f"{verdict.head.sequence}:{verdict.head.hash}"),
        "anchors": (_("Anchors that agree"), verdict.anchors),
        "flaws": (_("Flaws"), len(verdict.flaws)),
    }
    if form is Format.JSON:
        facts["flaws"] = ("", [{"kind": flaw.kind, **flaw.values} for flaw in verdict.flaws])
    details(facts, form)
    return 1 if verdict.flaws else 0


def export(
    context: typer.Context,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help=_("The file to write; without it stdout."), readable=False),
    ] = None,
    form: Annotated[
        ExportFormat, typer.Option("--format", "-f", help=_("jsonl can be verified with jq and sha256sum."))
    ] = ExportFormat.JSONL,
    campaign: CampaignOption = "",
    post: PostOption = "",
    actor: ActorOption = "",
    action: ActionOption = "",
    since: SinceOption = None,
    until: UntilOption = None,
) -> None:
    from scheduler.reports import extracts, tables
    from scheduler.store import auditing

    workplace: Workplace = context.obj
    with workplace.store().read() as session:
        wanted = _wanted(workplace, session, campaign, post, actor, action, since, until, 0)
        rows = [dict(row._mapping) for row in auditing.events(session, wanted)]
    text = extracts.as_json_lines(rows) if form is ExportFormat.JSONL else extracts.as_csv(rows)
    if output is None:
        emit(text.rstrip("\n"))
        return
    tables.write_file(output, text)
    say(ngettext("{count} row written to {file}.", "{count} rows written to {file}.", len(rows), file=output))


def anchor(context: typer.Context) -> None:
    from scheduler.governance import anchoring

    workplace: Workplace = context.obj
    file, key = workplace.anchor
    if file is None:
        raise GaungError(
            N_("No anchor file is configured."), hint=N_('Add anchor = "FILE" under [audit] in config.toml.')
        )
    head = anchoring.write(workplace.store(), file, workplace.clock.now(), key)
    if head is None:
        say(_("Nothing new since the last anchor in {file}.", file=file))
    else:
        say(_("Row {number} is anchored in {file}.", number=head.sequence, file=file))
        emit(f"{head.sequence}:{head.hash}")


def _anchors(workplace: Workplace) -> Sequence[Anchor]:
    from scheduler.governance import anchoring, ssh

    file, _key = workplace.anchor
    if file is None:
        return []
    anchors = anchoring.read(file)
    signature = file.with_name(f"{file.name}.sig")
    if anchors and signature.exists():
        key = ssh.check(file.read_bytes(), signature.read_text(encoding="utf-8"), anchoring.NAMESPACE)
        say(_("The anchors in {file} are signed by the key {key}.", file=file, key=key))
    return anchors


def _tell_flaws(flaws: Sequence[Flaw]) -> None:
    for flaw in flaws:
        say(_("error") + ": " + _(flaw.message, **flaw.values))
    if flaws:
        say(_("Keep the database as it is, compare it with the newest backup, and tell whoever audits you."))


def _wanted(
    workplace: Workplace,
    session: Any,
    campaign: str,
    post: str,
    actor: str,
    action: str,
    since: datetime | None,
    until: datetime | None,
    last: int,
) -> Wanted:
    from scheduler.store.auditing import Wanted

    return Wanted(
        actor=actor,
        action=action,
        campaign=campaign,
        delivery_id=one_post(session, post).id if post else None,
        since=_instant(workplace, since.date()) if since else None,
        until=_instant(workplace, until.date() + timedelta(days=1)) if until else None,
        last=last,
    )


def _instant(workplace: Workplace, day: date) -> datetime:
    """The beginning of a local day."""
    from campaigns.timetable import to_utc

    return to_utc(datetime.combine(day, datetime.min.time()), workplace.config.zone).astimezone(UTC)


def _text(detail: Any) -> str:
    import json

    return json.dumps(detail, ensure_ascii=False, sort_keys=True)


def _pairs(detail: Mapping[str, Any]) -> str:
    """The details of a row for people: one after the other, by their codes."""
    return "; ".join(f"{name}: {_told(value)}" for name, value in detail.items())


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return value if isinstance(value, str) else _text(value)

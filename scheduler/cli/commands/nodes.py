"""``nodes``: the daemons, on this computer and on others that share the database."""

from __future__ import annotations

import typer

from scheduler.cli.options import FormatOption
from scheduler.cli.output import Format, listing
from scheduler.cli.workplace import Workplace
from scheduler.i18n import N_, _

_HEALTH = {"alive": N_("running"), "silent": N_("not heard of"), "stopped": N_("stopped")}


def nodes(context: typer.Context, form: FormatOption = Format.TABLE) -> None:
    from scheduler.reports.rows import LocalTime
    from scheduler.store import presence

    workplace: Workplace = context.obj
    store, zone = workplace.store(), workplace.config.zone
    with store.read() as session:
        found = presence.every(session, store.moment(session, workplace.clock.now()))
    rows = [
        {
            "node": one.node.name,
            "host": one.node.host,
            "pid": one.node.pid,
            "state": _(_HEALTH[one.health]) if form is Format.TABLE else one.health,
            "in_flight": one.in_flight,
            "version": one.node.version,
            "started_at": LocalTime(one.node.started_at, zone),
            "seen_at": LocalTime(one.node.seen_at, zone),
            "stopped_at": LocalTime(one.node.stopped_at, zone) if one.node.stopped_at else None,
        }
        for one in found
    ]
    headings = {
        "node": _("daemon"),
        "host": _("computer"),
        "pid": _("process"),
        "state": _("state"),
        "in_flight": _("in flight"),
        "version": _("version"),
        "started_at": _("started"),
        "seen_at": _("last heard of"),
        "stopped_at": _("stopped"),
    }
    if form is Format.TABLE:  # the name is made of these
        headings = {key: text for key, text in headings.items() if key not in {"node", "stopped_at"}}
    listing(rows, headings, form, empty=_("No daemon was ever started here. Start one with “gaung run”."))

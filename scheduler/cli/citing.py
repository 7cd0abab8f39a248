"""Which messages to come cite a source: in the campaign files, and in what is in force without a file."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from campaigns.files import Loaded
    from scheduler.cli.workplace import Workplace


def citing(workplace: Workplace, source: str) -> list[dict[str, Any]]:
    """One row for each message that names the source and has a post to come."""
    from pathlib import Path

    from scheduler.engine.applying import restore
    from scheduler.store import campaigns as stored

    loaded, _problems = workplace.load_campaigns()
    with workplace.store().read() as session:
        versions = stored.in_force(session)
    files = {one.campaign.id: one for one in loaded}
    in_force = {one.campaign_id: restore(one.definition, Path(one.source)) for one in versions}
    rows: list[dict[str, Any]] = []
    for campaign_id in dict.fromkeys((*files, *in_force)):
        rows += _rows(workplace, source, files.get(campaign_id), in_force.get(campaign_id))
    return sorted(rows, key=lambda row: row["next"].instant)


def _rows(
    workplace: Workplace, source: str, file: Loaded | None, applied: Loaded | None
) -> list[dict[str, Any]]:
    """The messages of one campaign, as its file says them and, where that differs, as they are in force."""
    from campaigns.checks.sources import cites
    from scheduler.reports.rows import LocalTime

    rows: dict[str, dict[str, Any]] = {}
    for loaded, is_applied in ((file, False), (applied, True)):
        if loaded is None:
            continue
        coming = _coming(workplace, loaded)
        for message in loaded.campaign.messages:
            times = coming.get(message.id, [])
            if not times or not cites(message, source):
                continue
            rows[message.id] = {
                "campaign": loaded.campaign.id,
                "message": message.id,
                "source": message.source,
                "recheck_by": message.recheck_by,
                "next": LocalTime(min(times), loaded.campaign.zone),
                "posts": len(times),
                "applied": is_applied,
            }
    return list(rows.values())


def _coming(workplace: Workplace, loaded: Loaded) -> dict[str, list[datetime]]:
    """The times to come of each message, one for each account, up to the last day of the campaign."""
    from scheduler.engine.applying import to_come

    times: dict[str, list[datetime]] = {}
    now, windows = workplace.clock.now(), workplace.windows
    for post in to_come(workplace.store(), loaded, now=now, windows=windows):
        times.setdefault(post.message_id, []).append(post.planned_at)
    return times

"""``plan`` and ``apply``: what a campaign file would change in the store, and changing it.

Both use the same pure comparison (``campaigns.planning``), so what ``plan`` shows is what ``apply``
does. Applied definitions are stored; the daemon extends them as the horizon moves.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from campaigns.definition import Campaign, MediaFacts, Target
from campaigns.files import Loaded
from campaigns.planning import Changes, PlannedPost, compare, plan
from campaigns.timetable import to_utc
from campaigns.windows import Windows
from scheduler.store import campaigns as stored
from scheduler.store import windowing
from scheduler.store.database import Session, Store
from scheduler.store.media import MediaFolder
from scheduler.store.operations import publish_within
from scheduler.store.tables import CampaignVersion

log = logging.getLogger("gaung.plan")

_EVER = datetime.max.replace(tzinfo=UTC)


def preview(
    store: Store, loaded: Loaded, *, now: datetime, horizon: timedelta, windows: Windows | None = None
) -> Changes:
    """Given a campaign, return what applying it at ``now`` would change; writes nothing.

    ``windows`` are those that would be applied with it; without them those in force count.
    """
    with store.read() as session:
        return _compare(session, loaded, now, horizon, windows)


def apply(
    store: Store, media: MediaFolder, loaded: Loaded, *, actor: str, now: datetime, horizon: timedelta
) -> Changes:
    """Apply a campaign: keep its media, store its definition, and make the deliveries follow it.

    Media come first: a crash after that leaves files too many, never a delivery without its picture.
    """
    for name, facts in loaded.media.items():
        media.add(loaded.path.parent / name, facts.sha256)
    with store.write() as session:
        changes = _compare(session, loaded, now, horizon)
        definition = dump(loaded)
        before = stored.current(session, loaded.campaign.id)
        if before is None or before.definition != definition:
            stored.add_version(session, _version(loaded, definition, before, actor, now))
        _write(session, loaded, changes, actor=actor, now=now)
        stored.set_labels(
            session,
            loaded.campaign.id,
            {message.id: message.topic for message in loaded.campaign.messages},
            {target.id: (target.agency, target.region) for target in loaded.targets},
        )
        if before is not None:
            stored.set_terms(session, loaded.campaign.id, publish_within(before), _terms(loaded.campaign))
        return changes


def to_come(store: Store, loaded: Loaded, *, now: datetime, windows: Windows) -> list[PlannedPost]:
    """Given a campaign, return every post that would still go out if it were applied at ``now``.

    ``windows`` are those that would be applied with it. To the campaign's last day, whatever the horizon;
    what a person cancelled is not among them.
    """
    last = to_utc(datetime.combine(loaded.campaign.end, time.max), loaded.campaign.zone)
    posts = plan(loaded, last + timedelta(days=1), windows)
    with store.read() as session:
        known = {one.key: one for one in stored.stored_posts(session, loaded.campaign.id, _EVER)}

    def goes_out(post: PlannedPost) -> bool:
        old = known.get(post.key)
        return post.planned_at >= now if old is None or old.withdrawn else old.waiting

    return [post for post in posts if goes_out(post)]


def put_windows(store: Store, windows: Windows, *, actor: str, now: datetime, horizon: timedelta) -> bool:
    """Put the windows into force and let the posts of every campaign follow; False if nothing changes."""
    with store.write() as session:
        changed = windowing.put(session, windows, actor=actor, at=now)
    if changed:
        extend(store, now=now, horizon=horizon)
    return changed


def extend(
    store: Store,
    *,
    now: datetime,
    horizon: timedelta,
    wanted: Callable[[Session, datetime], bool] = lambda _session, _now: True,
) -> int:
    """Plan what came within the horizon since the campaigns were applied; return how many deliveries.

    ``wanted`` says whether it is this daemon's turn, by the transaction's own time. A campaign whose stored
    definition this version of Gaung refuses is told in the log and left as it is.
    """
    added = 0
    with store.write() as session:
        now = store.moment(session, now)
        if not wanted(session, now):
            return 0
        windows = windowing.current(session).binding
        for version in stored.in_force(session):
            added += follow(session, version, now=now, horizon=horizon, windows=windows)
    return added


def follow(
    session: Session,
    version: CampaignVersion,
    *,
    now: datetime,
    horizon: timedelta,
    actor: str = "daemon",
    windows: Windows | None = None,
) -> int:
    """Let the deliveries of a campaign follow what was applied last; return how many are new."""
    try:
        loaded = restore(version.definition, Path(version.source))
    except (KeyError, TypeError, ValueError) as error:  # what is planned of it goes out all the same
        facts = {"campaign": version.campaign_id, "reason": f"{type(error).__name__}: {error}"}
        log.error("campaign unreadable", extra={"action": "campaign_unreadable", **facts})
        return 0
    changes = _compare(session, loaded, now, horizon, windows)
    _write(session, loaded, changes, actor=actor, now=now)
    return len(changes.new)


def _compare(
    session: Session, loaded: Loaded, now: datetime, horizon: timedelta, windows: Windows | None = None
) -> Changes:
    until = now + horizon
    rules = windowing.current(session) if windows is None else windows
    return compare(plan(loaded, until, rules), stored.stored_posts(session, loaded.campaign.id, until), now)


def _write(session: Session, loaded: Loaded, changes: Changes, *, actor: str, now: datetime) -> None:
    terms = _terms(loaded.campaign)
    stored.add_contents(session, [*changes.new, *changes.returned, *(new for _, new in changes.changed)])
    stored.add_deliveries(session, changes.new, terms, actor=actor, at=now)
    stored.edit_deliveries(session, changes.changed, terms, actor=actor, at=now)
    stored.bring_back(session, changes.returned, terms, actor=actor, at=now)
    stored.withdraw(session, changes.withdrawn, actor=actor, at=now)


def _terms(campaign: Campaign) -> stored.Terms:
    return stored.Terms(campaign.zone, campaign.publish_within, campaign.if_missed, campaign.min_gap)


def _version(
    loaded: Loaded, definition: dict[str, Any], before: CampaignVersion | None, actor: str, now: datetime
) -> CampaignVersion:
    campaign = loaded.campaign
    return CampaignVersion(
        campaign_id=campaign.id,
        version=before.version + 1 if before else 1,
        title=campaign.title,
        owner=campaign.owner,
        zone=campaign.zone,
        approval=campaign.approval,
        source=loaded.path.name,
        definition=definition,
        applied_at=now,
        applied_by=actor,
    )


def dump(loaded: Loaded) -> dict[str, Any]:
    """A campaign with its accounts and media facts, as JSON."""
    return {
        "campaign": loaded.campaign.model_dump(mode="json"),
        "targets": [asdict(target) for target in loaded.targets],
        "media": {name: asdict(facts) for name, facts in loaded.media.items()},
    }


def restore(definition: Mapping[str, Any], source: Path) -> Loaded:
    """The campaign that :func:`dump` wrote."""
    return Loaded(
        path=source,
        campaign=Campaign.model_validate(definition["campaign"]),
        targets=tuple(Target(**target) for target in definition["targets"]),
        media={name: MediaFacts(**facts) for name, facts in definition["media"].items()},
    )

"""From a campaign to planned posts, and from planned and stored posts to what would change.

Both steps are pure: the same file, accounts and window give the same posts with the same keys, and
comparing them with a store that already holds them gives no change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from campaigns import timetable
from campaigns.definition import Campaign, Message, Picture, Target, Variant, variant
from campaigns.files import Loaded


@dataclass(frozen=True, slots=True)
class PlannedPost:
    """One message on one account at one time: ``slot`` by the wall clock, ``planned_at`` in UTC."""

    key: str
    campaign_id: str
    message_id: str
    topic: str
    target: Target
    slot: datetime
    planned_at: datetime
    variant: Variant
    digest: str


@dataclass(frozen=True, slots=True)
class StoredPost:
    """What the store holds of one delivery, as far as planning may care.

    ``editable``: nothing of it has left the house and it is waiting (planned, failed, missed,
    review). ``waiting``: it is planned. ``withdrawn``: an earlier plan took it out of the file.
    """

    key: str
    message_id: str
    account_id: str
    planned_at: datetime
    digest: str
    waiting: bool
    editable: bool
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """What applying a campaign would do to the store.

    ``returned`` were withdrawn by an earlier version of the file and are back; ``passed`` would be
    new or returned, but their time is over, so they are never published.
    """

    new: list[PlannedPost]
    changed: list[tuple[StoredPost, PlannedPost]]
    returned: list[PlannedPost]
    withdrawn: list[StoredPost]
    passed: list[PlannedPost]
    unchanged: int

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.returned or self.withdrawn)


def delivery_key(campaign_id: str, message_id: str, account_id: str, slot: datetime) -> str:
    """The identity of a delivery: campaign, message, account and wall-clock time, never the text."""
    facts = "\n".join((campaign_id, message_id, account_id, slot.isoformat(timespec="seconds")))
    return hashlib.sha256(facts.encode()).hexdigest()[:32]


def content_digest(target: Target, content: Variant) -> str:
    """The hash of the exact thing that will be published there: texts, link, alt texts, media bytes.

    Media count by the SHA-256 of their bytes. The account is part of it: an approval for one account
    is none for another. So is a class other than regular: nobody makes a message urgent, and so lets
    it pass a stop, after it was approved as a regular one.
    """
    facts: list[object] = [
        target.id,
        target.platform,
        content.text,
        content.link,
        _media_facts(content.media),
        content.kind,
        [[part.text, _media_facts(part.media)] for part in content.thread],
        content.first_comment,
    ]
    if content.message_class != "regular":
        facts.append(content.message_class)
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def _media_facts(media: Sequence[Picture]) -> list[list[str]]:
    return [[picture.facts.sha256, picture.alt] for picture in media]


def local_slots(campaign: Campaign, last: date = date.max) -> Iterator[tuple[Message, datetime]]:
    """Yield every (message, wall-clock time) of the campaign, as far as the local day ``last`` (included).

    Messages without a time of their own fill the weekly slots in order and start again when all had
    their turn; the count begins on the campaign's first day, so it is the same on every later day.
    """
    last = min(last, campaign.end)
    for message in campaign.messages:
        if message.at:
            yield from ((message, at) for at in sorted(message.at) if at.date() <= last)
        elif message.cron:
            rule = timetable.cron(message.cron)
            yield from ((message, at) for at in rule.times(campaign.start, last))
    rotating = [message for message in campaign.messages if not message.at and not message.cron]
    if rotating:
        slots = [timetable.parse_slot(slot) for slot in campaign.slots]
        for turn, at in enumerate(timetable.slot_times(slots, campaign.start, last)):
            yield rotating[turn % len(rotating)], at


def plan(loaded: Loaded, until: datetime) -> list[PlannedPost]:
    """Given a campaign, return its posts from its first day to before ``until``, by time, then file order.

    A missing hour can push one slot of a message onto another (02:30 onto 03:30): that is one post.
    """
    campaign = loaded.campaign
    order = {message.id: number for number, message in enumerate(campaign.messages)}
    contents: dict[str, list[tuple[Target, Variant, str]]] = {
        message.id: [
            (target, content, content_digest(target, content))
            for target in loaded.targets
            if (content := variant(campaign, message, target, loaded.media))
        ]
        for message in campaign.messages
    }
    posts: list[PlannedPost] = []
    # No wall clock is a whole day ahead of UTC: a slot after the next day cannot lie before ``until``.
    for message, slot in local_slots(campaign, until.astimezone(UTC).date() + timedelta(days=1)):
        planned_at = timetable.to_utc(slot, campaign.zone)
        if planned_at >= until:
            continue
        posts += [
            PlannedPost(
                key=delivery_key(campaign.id, message.id, target.id, slot),
                campaign_id=campaign.id,
                message_id=message.id,
                topic=message.topic,
                target=target,
                slot=slot,
                planned_at=planned_at,
                variant=content,
                digest=digest,
            )
            for target, content, digest in contents[message.id]
        ]
    # Slots come in order, so of two that meet the later stays: the one that its wall clock shows.
    unique = {(post.message_id, post.target.id, post.planned_at): post for post in posts}
    return sorted(unique.values(), key=lambda post: (post.planned_at, order[post.message_id]))


def compare(planned: Sequence[PlannedPost], stored: Iterable[StoredPost], now: datetime) -> Changes:
    """Given what a campaign plans and what is stored of it, return what would change.

    What was sent, or may have been, is never touched, and nothing new is planned for a time before
    ``now`` (UTC). A post that became due and still waits (for an approval, say) follows the edits of
    its file like any other.
    """
    changed: list[tuple[StoredPost, PlannedPost]] = []
    passed: list[PlannedPost] = []
    returned: list[PlannedPost] = []
    withdrawn: list[StoredPost] = []
    unchanged = 0
    rest = {post.key: post for post in planned}
    for old in stored:
        new = rest.pop(old.key, None)
        if new is None:
            if old.waiting:
                withdrawn.append(old)
        elif old.withdrawn:
            (returned if new.planned_at >= now else passed).append(new)
        elif old.editable and (old.digest, old.planned_at) != (new.digest, new.planned_at):
            changed.append((old, new))
        else:
            unchanged += 1
    return Changes(
        new=[post for post in rest.values() if post.planned_at >= now],
        changed=changed,
        returned=returned,
        withdrawn=withdrawn,
        passed=passed + [post for post in rest.values() if post.planned_at < now],
        unchanged=unchanged,
    )

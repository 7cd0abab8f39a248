"""From a campaign to planned posts, and from planned and stored posts to what would change.

Both steps are pure: the same file, accounts and window give the same posts with the same keys, and
comparing them with a store that already holds them gives no change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from campaigns import timetable
from campaigns.definition import Campaign, Message, MessageClass, Picture, Target, Variant, variant
from campaigns.files import Loaded
from campaigns.windows import FREE, NONE, Allowed, Place, Rule, Verdict, Windows


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
    allowed_at: datetime
    """When it may go out: ``planned_at``, unless a window moves it. The slot, and so the key, stays."""
    verdict: Verdict = FREE


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
    allowed_at: datetime | None = None
    """When it may go out; None for ``planned_at``."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What applying a campaign would do to the store.

    ``returned`` were withdrawn by an earlier version of the file and are back; ``passed`` would be
    new or returned, but their time is over, so they are never published. ``ruled`` are those of the
    unchanged that still wait, and that a window holds or moves.
    """

    new: list[PlannedPost]
    changed: list[tuple[StoredPost, PlannedPost]]
    returned: list[PlannedPost]
    withdrawn: list[StoredPost]
    passed: list[PlannedPost]
    unchanged: int
    ruled: list[PlannedPost] = field(default_factory=list)

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
    return digest_of(
        target.id,
        target.platform,
        content.text,
        content.link,
        _media_facts(content.media),
        content.kind,
        [(part.text, _media_facts(part.media)) for part in content.thread],
        content.first_comment,
        content.message_class,
    )


#: The SHA-256 of a picture's bytes, and its alt text.
MediaFact = tuple[str, str]


def digest_of(
    account_id: str,
    platform: str,
    text: str,
    link: str,
    media: Sequence[MediaFact],
    kind: str,
    thread: Sequence[tuple[str, Sequence[MediaFact]]],
    first_comment: str,
    message_class: str,
    reply_to: Mapping[str, str] | None = None,
) -> str:
    """The digest of a content by its parts, as it is planned or as it lies in the store.

    ``reply_to``: what it answers, if it is an answer: an approved answer goes under no other comment.
    """
    facts: list[object] = [account_id, platform, text, link, media, kind, thread, first_comment]
    if message_class != "regular":
        facts.append(message_class)
    if reply_to:
        facts.append(sorted(reply_to.items()))
    return hashlib.sha256(_ENCODER.encode(facts).encode()).hexdigest()


#: Made once, since every claim computes the digests of what it claims.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _media_facts(media: Sequence[Picture]) -> list[MediaFact]:
    return [(picture.facts.sha256, picture.alt) for picture in media]


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


def plan(loaded: Loaded, until: datetime, windows: Windows = NONE) -> list[PlannedPost]:
    """Given a campaign, return its posts from its first day to before ``until``, by time, then file order.

    What ``windows`` say of a post goes with it.

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
    verdicts = _Verdicts(loaded, windows)
    # No wall clock is a whole day ahead of UTC: a slot after the next day cannot lie before ``until``.
    for message, slot in local_slots(campaign, until.astimezone(UTC).date() + timedelta(days=1)):
        planned_at = timetable.to_utc(slot, campaign.zone)
        if planned_at >= until:
            continue
        judged = verdicts.of(message, slot)
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
                allowed_at=_moved_to(judged[target.id], campaign.zone) or planned_at,
                verdict=judged[target.id],
            )
            for target, content, digest in contents[message.id]
        ]
    # Slots come in order, so of two that meet the later stays: the one that its wall clock shows.
    unique = {(post.message_id, post.target.id, post.planned_at): post for post in posts}
    return sorted(unique.values(), key=lambda post: (post.planned_at, order[post.message_id]))


def _moved_to(verdict: Verdict, zone: str) -> datetime | None:
    return timetable.to_utc(verdict.moved_to, zone) if verdict.moved_to else None


class _Verdicts:
    """What the windows say, asked once for all accounts that the same rules concern."""

    def __init__(self, loaded: Loaded, windows: Windows) -> None:
        campaign = loaded.campaign
        self._windows = windows
        self._zone = campaign.zone
        self._allowed = Allowed(
            campaign.start, campaign.end, tuple(timetable.parse_slot(slot) for slot in campaign.slots)
        )
        self._accounts: dict[MessageClass, dict[tuple[Rule, ...], list[str]]] = {}
        for kind in {message.message_class for message in campaign.messages}:
            groups = self._accounts[kind] = {}
            for target in loaded.targets:
                rules = windows.of(place_of(campaign.id, target, kind))
                groups.setdefault(rules, []).append(target.id)

    def of(self, message: Message, slot: datetime) -> dict[str, Verdict]:
        """The verdict for a message at a slot, by account."""
        return {
            account: verdict
            for rules, accounts in self._accounts[message.message_class].items()
            for verdict in [self._windows.judge(rules, slot, self._zone, self._allowed)]
            for account in accounts
        }


def place_of(campaign_id: str, target: Target, message_class: MessageClass) -> Place:
    """A post as windows see it."""
    return Place(campaign_id, target.id, target.agency, target.region, target.platform, message_class)


def compare(planned: Sequence[PlannedPost], stored: Iterable[StoredPost], now: datetime) -> Changes:
    """Given what a campaign plans and what is stored of it, return what would change.

    What was sent, or may have been, is never touched, and nothing new is planned for a time before
    ``now`` (UTC). A post that became due and still waits (for an approval, say) follows the edits of
    its file like any other. A window that appears or goes moves only what is still to come, and only to
    a time that is still to come: so none is sent at once, and none is lost, because a rule changed.
    """
    changed: list[tuple[StoredPost, PlannedPost]] = []
    passed: list[PlannedPost] = []
    returned: list[PlannedPost] = []
    withdrawn: list[StoredPost] = []
    ruled: list[PlannedPost] = []
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
            changed.append((old, _not_back(old, new, now)))
        elif _to_be_moved(old, new, now):
            changed.append((old, new))
        else:
            unchanged += 1
            if old.waiting and new.verdict.effect:
                ruled.append(new)
    return Changes(
        new=[post for post in rest.values() if post.planned_at >= now],
        changed=changed,
        returned=returned,
        withdrawn=withdrawn,
        passed=passed + [post for post in rest.values() if post.planned_at < now],
        unchanged=unchanged,
        ruled=ruled,
    )


def _to_be_moved(old: StoredPost, new: PlannedPost, now: datetime) -> bool:
    allowed_at = old.allowed_at or old.planned_at
    return (
        old.editable
        and old.waiting
        and new.allowed_at != allowed_at
        and min(new.allowed_at, allowed_at) > now
    )


def _not_back(old: StoredPost, new: PlannedPost, now: datetime) -> PlannedPost:
    """An edited post that a window had moved to a time to come does not fall back to one that has passed."""
    if old.planned_at == new.planned_at and old.allowed_at and new.allowed_at <= now < old.allowed_at:
        return replace(new, allowed_at=old.allowed_at)
    return new

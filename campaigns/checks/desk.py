"""What lies before an editor: a campaign with every text of it, its posts, and what the office has set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from campaigns.definition import MediaFile, Message, Override, ThreadPart
from campaigns.files import Loaded
from campaigns.planning import PlannedPost

#: Where a citizen is sent: KPK, its JAGA, and the national complaint channel (DOMAIN.md section 5).
OFFICIAL = ("kpk.go.id", "jaga.id", "lapor.go.id")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check objects to; the templates are marked with N_."""

    message: str
    values: Mapping[str, object] = field(default_factory=dict)
    item: str = ""
    field: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the office has set for the checks."""

    domains: tuple[str, ...] = OFFICIAL
    """Links may lead to these and to what lies under them."""
    contacts: tuple[str, ...] = ()
    """Phone numbers and e-mail addresses that are the office's own to give."""
    words: tuple[str, ...] = ()
    """Words that no text may have."""
    repeat_within: timedelta = timedelta(days=7)
    gaps: Mapping[str, timedelta] = field(default_factory=dict)
    """The distance that posts of an account keep, by account."""


@dataclass(frozen=True, slots=True)
class Out:
    """A post of another campaign, out or to come, as far as repetition goes."""

    account: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Desk:
    """One campaign under examination. ``posts`` are its own to come, ``others`` those of other campaigns."""

    loaded: Loaded
    posts: Sequence[PlannedPost]
    others: Sequence[PlannedPost]
    known: Sequence[Out]
    settings: Settings
    now: datetime
    today: date

    @property
    def to_come(self) -> list[PlannedPost]:
        """The posts of the campaign whose time has not passed."""
        return [post for post in self.posts if post.allowed_at >= self.now]

    def pending(self) -> list[Message]:
        """The messages that still have a time to come."""
        ids = {post.message_id for post in self.to_come}
        return [message for message in self.loaded.campaign.messages if message.id in ids]

    def texts(self) -> Iterator[tuple[str, str, str]]:
        """Every text of the campaign: message id, dotted place of the key, the text."""
        for message in self.loaded.campaign.messages:
            for place, text in _texts(message):
                yield message.id, place, text

    def media(self) -> Iterator[tuple[str, str, MediaFile]]:
        """Every picture of the campaign: message id, dotted place, the picture."""
        for message in self.loaded.campaign.messages:
            sources: Iterable[tuple[str, Message | Override]] = [
                ("", message),
                *((f"overrides.{name}.", one) for name, one in message.overrides.items()),
            ]
            for prefix, source in sources:
                for item in source.media or ():
                    yield message.id, f"{prefix}media", item
                for part in source.thread or ():
                    for item in part.media:
                        yield message.id, f"{prefix}thread", item


def _texts(message: Message) -> Iterator[tuple[str, str]]:
    yield from _texts_of(message, "")
    for name, override in message.overrides.items():
        yield from _texts_of(override, f"overrides.{name}.")


def _texts_of(source: Message | Override, prefix: str) -> Iterator[tuple[str, str]]:
    parts: Sequence[ThreadPart] = source.thread or ()
    if source.text:
        yield f"{prefix}text", source.text
    for part in parts:
        yield f"{prefix}thread", part.text
    if source.first_comment:
        yield f"{prefix}first_comment", source.first_comment
    if source.link:
        yield f"{prefix}link", source.link
    for item in (*(source.media or ()), *(item for part in parts for item in part.media)):
        yield f"{prefix}media", item.alt

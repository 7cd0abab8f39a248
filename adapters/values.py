"""What passes between the engine and an adapter: posts go in; answers, figures and replies come out.

Nothing here knows a platform. Times are aware; what is unknown is None, never 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

#: What an adapter may store in a :class:`Progress`: plain JSON values.
Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


def N_(message: str) -> str:
    """Mark ``message`` for the translators; it is translated where it is shown (``scheduler.i18n``)."""
    return message


@dataclass(frozen=True, slots=True)
class Media:
    """One picture or video of a post: a local file whose content has the SHA-256 ``sha256``."""

    path: Path
    sha256: str
    mime: str
    alt: str
    width: int = 0
    height: int = 0


#: Said of an answer to a comment on a platform whose adapter takes none.
NO_REPLIES = N_("Comments cannot be answered through Gaung on this platform.")

#: What a post is on its platform: in the feed, a short vertical video, or gone after 24 hours.
Kind = Literal["post", "reel", "story"]


@dataclass(frozen=True, slots=True)
class Part:
    """A further part of a thread: a reply to the part before it."""

    text: str
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """The comment of somebody else that a post answers, and the account's own post under which it stands.

    Both by their remote ids, as :class:`Reply` and :class:`Receipt` have them.
    """

    comment: str
    post: str


@dataclass(frozen=True, slots=True)
class Post:
    """What is to be published on one account, exactly as it was approved.

    ``key`` is the delivery key: unique for ever, so a platform that accepts idempotency keys or
    client-chosen names gets it (or something derived from it). ``text`` already carries its
    hashtags; ``link`` is separate because platforms place it differently. ``thread`` are the parts
    after the first; ``first_comment`` is written under the post by the account itself.
    With ``reply_to`` it is an answer to a comment: a text and nothing else.
    """

    key: str
    text: str
    link: str = ""
    media: tuple[Media, ...] = ()
    kind: Kind = "post"
    thread: tuple[Part, ...] = ()
    first_comment: str = ""
    reply_to: ReplyTo | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The platform's confirmation: the id of the post there, and its public address if known.

    ``shortfall`` says what is missing although the post is out and stays out: a first comment or a
    later part of a thread that the platform refused for good. Empty if nothing is.
    """

    remote_id: str
    permalink: str = ""
    shortfall: str = ""


@dataclass(frozen=True, slots=True)
class Handed:
    """The post was prepared for a person, who publishes it by hand; ``place`` is where to find it."""

    place: str


class Progress(Protocol):
    """The durable memory of one chain of attempts at one delivery.

    Container ids, upload sessions, keys chosen by us, ids of thread parts that are already out:
    saved *before* the step that they make safe to repeat, read back after a crash.
    """

    @property
    def saved(self) -> Mapping[str, Json]:
        """What earlier steps and earlier attempts saved."""

    def save(self, **facts: Json) -> None:
        """Add ``facts``; return only once they are committed to the database.

        Raise :class:`~adapters.errors.Stopped` (facts are committed) or
        :class:`~adapters.errors.Ambiguous` (they are not): either ends the attempt here.
        """

    def note(self, **facts: Json) -> None:
        """Add ``facts`` that make no further step of this call safe, and do not wait.

        They are committed together with the answer of this call, whatever it is, or with the next save:
        for what the last step brought, which is lost or kept with the answer in any case.
        """


@dataclass(frozen=True, slots=True)
class Found:
    """The post is on the platform; ``shortfall`` as in :class:`Receipt`."""

    remote_id: str
    permalink: str = ""
    published_at: datetime | None = None
    shortfall: str = ""


@dataclass(frozen=True, slots=True)
class Absent:
    """The platform was asked in a way that would have shown the post, and it is not there."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Reading back cannot tell whether the post is there; ``reason`` says why."""

    reason: str
    until: datetime | None = None
    """From this moment on (UTC) it can, as far as is known; None if nothing is known of that."""


Finding = Found | Absent | Unknown


@dataclass(frozen=True, slots=True)
class RatePause:
    """Nothing more is allowed before ``until`` (UTC): said by an answer that itself refused nothing.

    ``app_wide``: for every account of the same app, not for this one alone. ``reason``: what people are told.
    """

    until: datetime
    app_wide: bool = False
    reason: str = ""


#: Why a figure is unknown: the platform has none such, had none yet, refused to tell it, or has the
#: post no more.
Why = Literal["not-offered", "not-yet", "refused", "gone"]


@dataclass(frozen=True, slots=True)
class Reach:
    """The figures of one post at one moment, as the platform gives them; None = it did not say.

    ``views`` counts times shown, ``reach`` counts unique people: never one for the other.
    ``raw`` keeps the platform's own names and values, refusals included, for the inspector.
    ``why`` says by figure why it is None, where that is something else than :meth:`Adapter.explained`
    would say by itself.
    """

    views: int | None = None
    reach: int | None = None
    likes: int | None = None
    comments: int | None = None
    shares: int | None = None
    saves: int | None = None
    clicks: int | None = None
    video_views: int | None = None
    profile_visits: int | None = None
    raw: Mapping[str, Json] = field(default_factory=dict)
    why: Mapping[str, Why] = field(default_factory=dict, compare=False)


#: The figures of a post, as they are called here.
FIGURES = tuple(one.name for one in fields(Reach) if one.name not in {"raw", "why"})


def counted(value: object) -> int | None:
    """A number that a platform told, if it is a whole one from 0 upwards; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


@dataclass(frozen=True, slots=True)
class Reply:
    """What somebody wrote under a post: a comment, or an answer to one.

    ``under`` is the remote id of the post or comment that it answers; ``own`` if the account itself wrote
    it. ``author`` is the name that the platform shows, "" if it does not tell.
    """

    remote_id: str
    under: str
    author: str
    text: str
    written_at: datetime
    url: str = ""
    own: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the credentials speak for, as the platform answers."""

    remote_id: str
    name: str
    url: str = ""
    missing_permissions: tuple[str, ...] = ()
    needless_permissions: tuple[str, ...] = ()
    """Rights over the account that Gaung does not need: whoever gets hold of the secret has them too."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account as an adapter sees it.

    ``secret(name)`` returns a secret or raises AuthExpired. ``public_url(media)`` puts a media file
    where the platform can fetch it and returns its address, or raises NotReady while it cannot be
    reached; None if no public media store is configured.
    """

    id: str
    handle: str
    secret: Callable[[str], str] = field(repr=False)
    api_base: str = ""
    options: Mapping[str, Json] = field(default_factory=dict)
    public_url: Callable[[Media], str] | None = None
    granted: Callable[[], str] = str
    """The scopes that the stored login was granted, between spaces; "" if that is not known."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a login or a renewal gave: secrets by name, and when the one that matters ends (UTC)."""

    secrets: Mapping[str, str] = field(repr=False)
    expires_at: datetime | None = None


class Dialogue(Protocol):
    """Talks with the person at the keyboard during a login; texts are templates marked with :func:`N_`."""

    def tell(self, message: str, **values: object) -> None:
        """Show a text."""

    def ask(self, message: str, *, hidden: bool = False, **values: object) -> str:
        """Ask for a line; ``hidden`` for what must not be seen on the screen. Never empty."""

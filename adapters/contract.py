"""The contract between Gaung and a platform: what goes in, what comes out, what may go wrong.

An adapter turns one :class:`Post` into one post on one account and answers honestly whether it is
there. It knows nothing of campaigns, schedules, approvals or the database. A new platform is a
subclass of :class:`Adapter`, a line in the registry and a subclass of the contract suite.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar, Literal, Protocol

from adapters.errors import AdapterError

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
class Limits:
    """What one post may hold. ``measure`` counts a text the way the platform counts it."""

    text: int
    measure: Callable[[str], int] = len
    media: int = 0
    media_required: bool = False
    alt_text: int = 1000
    """Longest alt text; 0 if the platform has none (what is given then goes nowhere: a warning)."""
    kinds: tuple[Kind, ...] = ("post",)
    threads: bool = False
    first_comment: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a post cannot go (``error``) or may disappoint (``warning``), told before anyone approves.

    ``message`` is an English template for gettext (marked with :func:`N_`), ``values`` its fields.
    """

    code: str
    message: str
    values: Mapping[str, object] = field(default_factory=dict)
    severity: Literal["error", "warning"] = "error"


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


class Adapter(ABC):
    """One account on one platform.

    Made anew for each worker's call or reused, but never used by two threads at once. Every method
    that talks to the platform raises :class:`~adapters.errors.AdapterError` and nothing else.
    """

    #: Name in ``config.toml`` and in the registry.
    platform: ClassVar[str]
    #: Names of the secrets that an account of this platform must configure.
    secrets: ClassVar[tuple[str, ...]] = ()
    limits: Limits
    #: How long a new post may be missing from the platform's own listing: an absence that is seen
    #: sooner after the last attempt proves nothing.
    listing_lag: ClassVar[timedelta] = timedelta(0)

    #: How long before their end credentials are renewed; None if they do not end.
    renew_before: ClassVar[timedelta | None] = None
    #: What the answers so far say of the time before the next call; the engine reads it after each call.
    #: None while calls remain.
    pause: RatePause | None = None

    #: The codes of its :meth:`check` that are its own alone: the office weighs problems by them.
    codes: ClassVar[frozenset[str]] = frozenset()
    #: What the platform bills, act by act: the names by which the configuration prices them, and what
    #: they are in words (marked with :func:`N_`). Empty if publishing costs nothing.
    bills: ClassVar[Mapping[str, str]] = {}
    #: The figures that the platform offers for a post, and what it calls them itself.
    metrics: ClassVar[Mapping[str, str]] = {}
    #: Whether :meth:`replies` asks the platform (:meth:`replies_since` where it bills each comment);
    #: False where it tells none.
    hears: ClassVar[bool] = False
    #: What an answer to a comment may hold; None where :meth:`publish` takes no ``reply_to``.
    reply_limits: Limits | None = None
    #: Whether the platform counts posts and tells when it takes no more: then :meth:`room` asks it.
    has_quota: ClassVar[bool] = False
    #: The version of the platform's interface that is spoken; "" if it has none.
    api_version: ClassVar[str] = ""
    #: The act as which each comment that is read is billed; "" if they are free.
    billed_comment: ClassVar[str] = ""
    #: The act as which asking for the figures of one post is billed, once a UTC day; "" if it is free.
    billed_reading: ClassVar[str] = ""
    #: What the platform calls the number of people who follow an account; "" if it tells none.
    follower_metric: ClassVar[str] = ""
    #: The act as which asking for that number is billed; "" if it is free.
    billed_followers: ClassVar[str] = ""

    def __init__(self, account: Account, now: Callable[[], datetime]) -> None:
        self.account = account
        self.now = now

    def heed(self, pause: RatePause | None) -> None:
        """Remember a pause that an answer's headers ask for; of several, the longest."""
        if pause is not None and (self.pause is None or pause.until > self.pause.until):
            self.pause = pause

    def wording(self, post: Post) -> str:
        """The text as this platform will show it, the link placed where the platform wants it."""
        return f"{post.text}\n\n{post.link}" if post.link else post.text

    def check(self, post: Post) -> list[Problem]:
        """Everything that the platform would refuse or cripple; offline, without credentials."""
        if post.reply_to is None:
            return check_limits(self.limits, self.wording(post), post)
        if self.reply_limits is None:
            return [Problem("no-replies", NO_REPLIES)]
        return check_limits(self.reply_limits, self.wording(post), post)

    def billable(self, post: Post) -> Mapping[str, int]:  # noqa: ARG002 -- for those that bill
        """The acts of which publishing ``post`` consists, as far as they are billed; offline and pure.

        No price is known here: prices change, and are the office's to write down.
        """
        return {}

    def billed(self, post: Post, saved: Mapping[str, Json]) -> Mapping[str, int]:  # noqa: ARG002
        """The part of :meth:`billable` that is done although the post is not (yet) out as a whole.

        ``saved`` is what its attempts saved; offline and pure. Without parts, a refused post costs nothing.
        """
        return {}

    def billed_removal(self, post: Post, saved: Mapping[str, Json]) -> Mapping[str, int]:  # noqa: ARG002
        """The acts of which removing ``post`` consisted; ``saved`` is what its attempts saved."""
        return {}

    @abstractmethod
    def verify(self) -> Identity:
        """Ask the platform, as cheaply as possible, whether the credentials work."""

    def renew(self) -> Credentials | None:
        """New credentials in the place of the present ones; None if this platform's need no renewal."""
        return None

    def room(self) -> RatePause | None:
        """Until when the platform takes no further post of this account; None if it takes one.

        Asked ahead of a post that is soon due, so that no attempt is spent on being refused; reads only.
        """
        return None

    @abstractmethod
    def publish(self, post: Post, progress: Progress) -> Receipt | Handed:
        """Publish ``post`` once. A second call with the same progress resumes, it does not repeat.

        An answer to a comment that is no longer there raises :func:`adapters.answering.comment_gone`.
        """

    @abstractmethod
    def find(self, post: Post, progress: Progress, since: datetime) -> Finding:
        """Read the account back since ``since`` (UTC) and say whether ``post`` is there.

        Absent only where the listing would certainly have shown it; never adopts "the latest post"
        without comparing text, number of media and time.
        """

    def begun(self, progress: Progress) -> Receipt | None:  # noqa: ARG002
        """What a chain of attempts is known to have put out so far: the first part; offline.

        None if nothing is, or if this platform's posts are out whole or not at all. It is what a person
        is shown, and what :meth:`remove` is given, when a post ends between two of its parts.
        """
        return None

    @abstractmethod
    def reach(self, remote_ids: Sequence[str]) -> Mapping[str, Reach]:
        """Figures for each id that the platform knows; an id it does not know is left out."""

    def followers(self) -> int | None:
        """How many people follow the account now; None if the platform does not say this time.

        Asked for only where :attr:`follower_metric` names it.
        """
        return None

    def replies(self, remote_ids: Sequence[str]) -> Mapping[str, Sequence[Reply]]:  # noqa: ARG002
        """What was written under each post that the platform knows, as far as it lets us read."""
        return {}

    def replies_since(self, known: Mapping[str, str], most: int) -> Mapping[str, Sequence[Reply]]:
        """As :meth:`replies`, where each comment that is told is billed: of each post only what is newer than
        the comment that ``known`` has for it ("": all), and no more than ``most`` together.

        A post for which nothing of that is left over is left out.
        """
        raise NotImplementedError(f"{self.platform} bills comments; {known} and {most} are unused")

    def explained(self, remote_ids: Sequence[str], told: Mapping[str, Reach]) -> dict[str, Reach]:
        """What was told of every id that was asked for, with the reason for each figure that is unknown."""
        explained: dict[str, Reach] = {}
        for id_ in remote_ids:
            if (figures := told.get(id_)) is None:
                explained[id_] = Reach(raw={"answer": None}, why=dict.fromkeys(FIGURES, "gone"))
                continue
            unknown = [name for name in FIGURES if getattr(figures, name) is None]
            why: dict[str, Why] = {
                name: figures.why.get(name, "not-yet" if name in self.metrics else "not-offered")
                for name in unknown
            }
            explained[id_] = replace(figures, why=why)
        return explained

    @abstractmethod
    def remove(self, remote_id: str) -> None:
        """Delete the post; done if it is already gone."""


#: The codes of :func:`check_limits` and of an answer where there are none.
CODES = frozenset(
    {
        *("alt-too-long", "empty-part", "empty-post", "media-required", "no-alt-text", "no-first-comment"),
        *("no-replies", "no-such-kind", "no-threads", "text-too-long", "too-many-media"),
    }
)


def check_limits(limits: Limits, wording: str, post: Post) -> list[Problem]:
    """Given a post, and its text as it will read, return what exceeds ``limits``."""
    problems = _check_text(limits, [wording, *(part.text for part in post.thread)])
    problems += _check_media(limits, post.media)
    for part in post.thread:
        problems += _check_media(limits, part.media)
    if not wording.strip() and not post.media:
        problems.append(Problem("empty-post", N_("The post has neither text nor media.")))
    problems += [
        Problem("empty-part", N_("A part of the thread has neither text nor media."))
        for part in post.thread
        if not part.text.strip() and not part.media
    ]
    if limits.media_required and not post.media:
        problems.append(
            Problem("media-required", N_("This platform takes no post without a picture or video."))
        )
    if post.thread and not limits.threads:
        problems.append(
            Problem("no-threads", N_("This platform has no threads. Give it an override without one."))
        )
    if post.first_comment and not limits.first_comment:
        problems.append(
            Problem("no-first-comment", N_("A first comment cannot be written on this platform."))
        )
    if post.kind not in limits.kinds:
        problems.append(
            Problem(
                "no-such-kind",
                N_("This platform has no {kind}; it takes: {known}."),
                {"kind": post.kind, "known": ", ".join(limits.kinds)},
            )
        )
    return problems


def _check_text(limits: Limits, texts: Sequence[str]) -> list[Problem]:
    return [
        Problem(
            "text-too-long",
            N_(
                "The text is {length} long; this platform takes at most {limit}."
                " Shorten it or give an override."
            ),
            {"length": length, "limit": limits.text},
        )
        for text in texts
        if (length := limits.measure(text)) > limits.text
    ]


def _check_media(limits: Limits, media: Sequence[Media]) -> list[Problem]:
    problems: list[Problem] = []
    if len(media) > limits.media:
        problems.append(
            Problem(
                "too-many-media",
                N_("{count} media; this platform takes at most {limit}."),
                {"count": len(media), "limit": limits.media},
            )
        )
    for item in media:
        values = {"file": item.path.name, "length": len(item.alt), "limit": limits.alt_text}
        if limits.alt_text and len(item.alt) > limits.alt_text:
            problems.append(
                Problem(
                    "alt-too-long",
                    N_("The alt text of {file} is {length} long; this platform takes at most {limit}."),
                    values,
                )
            )
    if media and not limits.alt_text:
        problems.append(
            Problem(
                "no-alt-text", N_("This platform has no alt texts; they are not shown there."), {}, "warning"
            )
        )
    return problems


__all__ = [
    "CODES",
    "FIGURES",
    "NO_REPLIES",
    "N_",
    "Absent",
    "Account",
    "Adapter",
    "AdapterError",
    "Credentials",
    "Dialogue",
    "Finding",
    "Found",
    "Handed",
    "Identity",
    "Json",
    "Kind",
    "Limits",
    "Media",
    "Part",
    "Post",
    "Problem",
    "Progress",
    "RatePause",
    "Reach",
    "Receipt",
    "Reply",
    "ReplyTo",
    "Unknown",
    "Why",
    "check_limits",
    "counted",
]

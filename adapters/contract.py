"""The contract between Gaung and a platform: what goes in, what comes out, what may go wrong.

An adapter turns one :class:`Post` into one post on one account and answers honestly whether it is
there. It knows nothing of campaigns, schedules, approvals or the database. A new platform is a
subclass of :class:`Adapter`, a line in the registry and a subclass of the contract suite.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar

from adapters.errors import AdapterError
from adapters.limits import CODES, Limits, Problem, check_limits
from adapters.values import (
    FIGURES,
    N_,
    NO_REPLIES,
    Absent,
    Account,
    Credentials,
    Dialogue,
    Finding,
    Found,
    Handed,
    Identity,
    Json,
    Kind,
    Media,
    Part,
    Post,
    Progress,
    RatePause,
    Reach,
    Receipt,
    Reply,
    ReplyTo,
    Unknown,
    Why,
    counted,
)

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

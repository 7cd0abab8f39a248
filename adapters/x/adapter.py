"""X (formerly Twitter): posts, threads as chains of replies to oneself, figures, reading back.

X knows no idempotency key: what is certain is saved step by step, and a step whose outcome is unknown
is looked for on the account before it is repeated. It is paid by post; asking is paid, too, so no call
is made that is not needed. Facts: PLATFORMS.md, X (November 2026).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from adapters import scopes, shortfall
from adapters.answering import comment_gone
from adapters.contract import (
    N_,
    Absent,
    Account,
    Adapter,
    Credentials,
    Finding,
    Found,
    Identity,
    Json,
    Limits,
    Post,
    Problem,
    Progress,
    Reach,
    Receipt,
    Reply,
    Unknown,
    counted,
)
from adapters.errors import (
    AdapterError,
    Ambiguous,
    AuthExpired,
    Duplicate,
    Misconfigured,
    Rejected,
    Transient,
)
from adapters.matching import EARLIER, LATER
from adapters.transport import READ_TIMEOUT, Transport
from adapters.x import billing, conversation
from adapters.x.account import Listing, Step, list_posts, parent_of, posted_at, time_of, who_am_i
from adapters.x.api import LOGINS, MEDIA_REFUSED, SCOPES, XApi, login_of
from adapters.x.figures import NAMES, figures
from adapters.x.media import AT_MOST, Uploads, media_problems
from adapters.x.text import INVALID, weighted_length

#: What X says of an answer whose post is not there; there is no code for it (403).
_GONE = "deleted or not visible"
_WRONG_ID = N_("The option user_id is not the number of this account on X. Correct or delete it.")
_CASHTAG = re.compile(r"(?<![\w$])\$[A-Za-z]{1,6}(?![\w$])")


class XAdapter(Adapter):
    """One account on X; ``account.handle`` is its @name.

    Options: ``auth`` ("oauth1", the default, or "oauth2") and ``user_id``, the account's number, which
    spares a paid question with OAuth 2.0. ``sleep`` waits while X processes a video.
    """

    platform: ClassVar[str] = "x"
    codes: ClassVar[frozenset[str]] = frozenset(
        {
            *("bad-character", "cashtags", "comment-too-long"),
            *("media-mix", "no-video-alt", "repeated-part"),
        }
    )
    #: Always needed; OAuth 1.0a needs all four of ``LOGINS["oauth1"]``.
    secrets: ClassVar[tuple[str, ...]] = ("access_token",)
    metrics: ClassVar[Mapping[str, str]] = NAMES
    api_version: ClassVar[str] = "2"
    limits = Limits(
        text=280, measure=weighted_length, media=AT_MOST, alt_text=1000, threads=True, first_comment=True
    )
    reply_limits = Limits(text=280, measure=weighted_length)
    #: X's index is seconds behind (from memory; not measured against X).
    listing_lag: ClassVar[timedelta] = timedelta(seconds=90)

    #: An OAuth 2.0 token lives two hours (PLATFORMS.md, X, a).
    renew_before: ClassVar[timedelta | None] = timedelta(minutes=30)

    bills: ClassVar[Mapping[str, str]] = billing.ACTS
    billed_reading: ClassVar[str] = billing.READ
    hears: ClassVar[bool] = True
    billed_comment: ClassVar[str] = billing.COMMENT
    follower_metric: ClassVar[str] = "public_metrics.followers_count"
    billed_followers: ClassVar[str] = billing.FOLLOWERS

    def __init__(
        self,
        account: Account,
        now: Callable[[], datetime],
        *,
        sleep: Callable[[float], object] = time.sleep,
        read_timeout: float = READ_TIMEOUT,
    ) -> None:
        super().__init__(account, now)
        self._login = login_of(account)
        self._configured_id = str(account.options.get("user_id") or "")
        if self._configured_id and not re.fullmatch(r"[0-9]+", self._configured_id):
            raise Misconfigured(
                N_("The option user_id of {account} is {value}. Write the account's number, digits only."),
                account=account.id,
                value=self._configured_id,
            )
        Transport(account.api_base)  # tells now, not at the first post, that api_base cannot be used
        self._sleep = sleep
        self._read_timeout = read_timeout
        self._made: XApi | None = None
        self._asked_id = ""

    def check(self, post: Post) -> list[Problem]:
        problems = super().check(post)
        steps = self._steps(post)
        for number, step in enumerate(steps):
            problems += media_problems(step.media)
            problems += _text_problems(step.text)
            if not step.media and any(s.text == step.text and not s.media for s in steps[:number]):
                problems.append(
                    Problem(
                        "repeated-part",
                        N_("X refuses the same text twice: “{text}”."),
                        {"text": step.text[:40]},
                    )
                )
        if (length := weighted_length(post.first_comment)) > self.limits.text:
            problems.append(
                Problem(
                    "comment-too-long",
                    N_("The first comment is {length} long; X takes at most {limit}."),
                    {"length": length, "limit": self.limits.text},
                )
            )
        return problems

    def billable(self, post: Post) -> Mapping[str, int]:
        return billing.whole(self._steps(post))

    def billed(self, post: Post, saved: Mapping[str, Json]) -> Mapping[str, int]:
        return billing.done(self._steps(post), saved)

    def billed_removal(self, post: Post, saved: Mapping[str, Json]) -> Mapping[str, int]:
        return billing.removal(self._steps(post), saved)

    def verify(self) -> Identity:
        """See :meth:`Adapter.verify`. With OAuth 1.0a, X tells in a header whether the keys may write; with
        OAuth 2.0, what the login was granted.
        """
        api = self._api()
        me = who_am_i(api)
        self._asked_id = str(me["id"])
        missing = scopes.lacking(SCOPES, scopes.granted(self.account)) if self._login == "oauth2" else ()
        if api.http.last_headers.get("x-access-level") == "read":
            missing = ("write",)
        if self._configured_id not in ("", self._asked_id):
            raise AuthExpired(_WRONG_ID, code="user-id")
        name = str(me["username"])
        return Identity(self._asked_id, f"@{name}", f"https://x.com/{name}", missing)

    def renew(self) -> Credentials | None:
        """New OAuth 2.0 tokens; the keys of OAuth 1.0a do not end."""
        if self._login == "oauth1":
            return None
        from adapters.x.login import renewed

        return renewed(self.account, self.now)

    def publish(self, post: Post, progress: Progress) -> Receipt:
        api, steps, ids = self._api(), self._wanted(post, progress), _ids(progress)
        if len(ids) < len(steps) and progress.saved.get("pending"):
            self._adopt(api, steps, ids, progress)
        looked = len(ids) if progress.saved.get("pending") else -1  # the step that is certainly not there
        try:
            self._send_all(api, steps, ids, progress)
        except (Rejected, Duplicate) as error:
            if not ids or (isinstance(error, Duplicate) and looked != len(ids)):
                raise
            progress.save(refused=shortfall.sentence(post, len(ids), error), pending=None)
        return Receipt(ids[0], self._permalink(ids[0]), shortfall.remembered(progress))

    def _send_all(self, api: XApi, steps: Sequence[Step], ids: list[str], progress: Progress) -> None:
        """Publish the steps that are not out yet, and add their ids to ``ids``."""
        uploads = Uploads(api, progress, self.now, self._sleep)
        # Everything is uploaded before anything is said: no thread breaks off for want of a picture.
        media = {n: uploads.all(steps[n].media, str(n)) for n in range(len(ids), len(steps))}
        for number in range(len(ids), len(steps)):
            ids.append(self._send(api, steps, ids, media[number], progress, uploads))
            keep = progress.note if len(ids) == len(steps) else progress.save
            keep(posts=list[Json](ids), pending=None)

    def _send(
        self,
        api: XApi,
        steps: Sequence[Step],
        ids: Sequence[str],
        media: Sequence[str],
        progress: Progress,
        uploads: Uploads,
    ) -> str:
        """Publish the next step and return its id; "pending" stays saved while its outcome is unknown."""
        step = steps[len(ids)]
        fields: dict[str, object] = {"text": step.text or None, "media_ids": list(media) or None}
        if parent := _parent(steps, ids):
            fields["in_reply_to_tweet_id"] = parent
        progress.save(pending={"step": len(ids), "at": self.now().astimezone(UTC).isoformat()})
        try:
            answer = api.ask("create_tweet", publishing=True, **fields)
        except (Ambiguous, Duplicate):
            raise
        except AdapterError as error:  # refused: nothing was accepted
            progress.save(pending=None)
            if error.code == MEDIA_REFUSED and uploads.reused:
                uploads.forget()
                raise Transient(error.reason, code=error.code) from None
            if step.answers and isinstance(error, Rejected) and _GONE in error.reason.lower():
                raise comment_gone() from None
            raise
        data = answer.get("data")
        if isinstance(data, dict) and isinstance(id_ := data.get("id"), str) and id_:
            return id_
        raise api.unclear(publishing=True)

    def _adopt(self, api: XApi, steps: Sequence[Step], ids: list[str], progress: Progress) -> None:
        """Look on the account for the step whose outcome is unknown, and take its id if it is there."""
        try:
            listing, start = self._look(api, progress, self.now())
        except Rejected as error:  # not being able to look proves nothing
            raise Ambiguous(error.reason, code=error.code) from None
        found = listing.match(steps[len(ids)], _parent(steps, ids), start)
        if found is not None:
            ids.append(str(found["id"]))
            progress.save(posts=list[Json](ids), pending=None)
        elif reason := listing.gap or self._stranger(api):
            raise Ambiguous(reason)

    def begun(self, progress: Progress) -> Receipt | None:
        ids = _ids(progress)
        return Receipt(ids[0], self._permalink(ids[0])) if ids else None

    def find(self, post: Post, progress: Progress, since: datetime) -> Finding:
        """See :meth:`Adapter.find`. Found when every part is there; Absent when the next one is not:
        publish goes on after the last part that it knows of or finds. A part that X refused for good is
        not waited for.
        """
        steps, ids = self._wanted(post, progress), _ids(progress)
        if len(ids) >= len(steps):  # X gave all these ids; only the end of the chain was not noted
            missing = shortfall.remembered(progress)
            return Found(ids[0], self._permalink(ids[0]), time_of(ids[0]), missing)
        api = self._api()
        listing, start = self._look(api, progress, since)
        at: datetime | None = None
        while len(ids) < len(steps):
            found = listing.match(steps[len(ids)], _parent(steps, ids), start)
            if found is None:
                reason = listing.gap or self._stranger(api)
                return Unknown(reason) if reason else Absent()
            at = at or (None if ids else posted_at(found))
            ids.append(str(found["id"]))
        return Found(ids[0], self._permalink(ids[0]), at)

    def _look(self, api: XApi, progress: Progress, since: datetime) -> tuple[Listing, datetime]:
        pending = progress.saved.get("pending")
        if isinstance(pending, dict):
            since = min(since, datetime.fromisoformat(str(pending["at"])) - EARLIER)
        return list_posts(api, self._user_id(api), since), since

    def reach(self, remote_ids: Sequence[str]) -> Mapping[str, Reach]:
        return figures(self._api(), remote_ids, self.now())

    def replies_since(self, known: Mapping[str, str], most: int) -> Mapping[str, Sequence[Reply]]:
        api = self._api()
        return conversation.replies(api, known, self._user_id(api), most, self.now())

    def followers(self) -> int | None:
        """See :meth:`Adapter.followers`; X bills it as the reading of a user (PLATFORMS.md, X, a)."""
        metrics = who_am_i(self._api(), "public_metrics").get("public_metrics")
        return counted(metrics.get("followers_count")) if isinstance(metrics, dict) else None

    def remove(self, remote_id: str) -> None:
        """Delete the post and, last one first, the thread that we hung under it within a day."""
        api = self._api()
        for id_ in [*self._thread_under(api, remote_id), remote_id]:
            try:
                answer = api.ask("delete_tweet", id_)
            except Rejected as error:
                if not error.code.startswith("404"):
                    raise
                continue
            data = answer.get("data")
            if not isinstance(data, dict) or data.get("deleted") is not True:
                raise api.unclear()

    def _thread_under(self, api: XApi, remote_id: str) -> list[str]:
        if (at := time_of(remote_id)) is None:
            return []
        end = at + LATER
        listing = list_posts(api, self._user_id(api), at, end if end < self.now() else None)
        thread = [remote_id]
        for item in listing.posts:
            if parent_of(item) in thread and (posted_at(item) or at) <= end:
                thread.append(str(item["id"]))
        return thread[:0:-1]

    def _wanted(self, post: Post, progress: Progress) -> list[Step]:
        """The steps that are to be out: all of them, or those before the one that was refused for good."""
        steps = self._steps(post)
        return steps[: len(_ids(progress))] if shortfall.remembered(progress) else steps

    def _steps(self, post: Post) -> list[Step]:
        steps = [Step(self.wording(post), post.media, None, post.reply_to.comment if post.reply_to else None)]
        steps += [Step(part.text, part.media, number) for number, part in enumerate(post.thread)]
        if post.first_comment:
            steps.append(Step(post.first_comment, (), 0))
        return steps

    def _api(self) -> XApi:
        """The connection, made anew when a secret was replaced (an OAuth 2.0 token lives two hours)."""
        secrets = {name: self.account.secret(name) for name in LOGINS[self._login]}
        if self._made is None or self._made.secrets != secrets:
            self._made = XApi(
                self.account.api_base, self._login, secrets, self.now, self._read_timeout, self.heed
            )
        return self._made

    def _user_id(self, api: XApi) -> str:
        return api.user_id or self._asked_id or self._configured_id or self._ask_id(api)

    def _ask_id(self, api: XApi) -> str:
        self._asked_id = str(who_am_i(api)["id"])
        return self._asked_id

    def _stranger(self, api: XApi) -> str:
        """Why the account that was read may be another one: before absence is concluded from an id that
        a person wrote into the configuration, X is asked once.
        """
        if api.user_id or self._asked_id or self._ask_id(api) == self._configured_id:
            return ""
        return _WRONG_ID

    def _permalink(self, remote_id: str) -> str:
        return f"https://x.com/{self.account.handle.removeprefix('@') or 'i'}/status/{remote_id}"


def _ids(progress: Progress) -> list[str]:
    """The ids of the steps that are certainly out."""
    posts = progress.saved.get("posts")
    return [str(one) for one in posts] if isinstance(posts, list) else []


def _parent(steps: Sequence[Step], ids: Sequence[str]) -> str | None:
    step = steps[len(ids)]
    return step.answers if step.under is None else ids[step.under]


def _text_problems(text: str) -> list[Problem]:
    problems = [
        Problem(
            "bad-character",
            N_("The text has a character that X refuses: {code}. Delete it."),
            {"code": f"U+{ord(one):04X}"},
        )
        for one in sorted({*text} & {*INVALID})
    ]
    if len(tags := _CASHTAG.findall(text)) > 1:
        problems.append(
            Problem("cashtags", N_("X takes one $ tag at most; here are {tags}."), {"tags": ", ".join(tags)})
        )
    return problems


__all__ = ["XAdapter"]

"""Instagram professional accounts: pictures, carousels, reels and stories, by Facebook or Instagram Login.

Instagram fetches media from public addresses (``account.public_url``); reels can also be uploaded. The walk
from container to post is ``adapters.meta.containers``; containers are made in ``making``, limits and codes
are in ``rules``, figures in ``figures``. Facts: PLATFORMS.md, Instagram, November 2026.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Any, ClassVar

from adapters import shortfall
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
    Post,
    Problem,
    Progress,
    Reach,
    Receipt,
    Reply,
    ReplyTo,
    Unknown,
    counted,
)
from adapters.errors import (
    AdapterError,
    Ambiguous,
    AuthExpired,
    Duplicate,
    Misconfigured,
    RateLimited,
    Rejected,
    Transient,
)
from adapters.hearing import unheard
from adapters.instagram import rules
from adapters.instagram.figures import NAMES, figures
from adapters.instagram.making import Maker
from adapters.matching import same_text
from adapters.meta.containers import (
    Memory,
    Piece,
    State,
    Status,
    Wait,
    Walk,
    fingerprint,
    moment,
    pages,
    spent,
)
from adapters.meta.graph import BATCH, FACEBOOK, GRAPH_VERSION, INSTAGRAM, GraphClient, created
from adapters.transport import CONNECT_TIMEOUT, READ_TIMEOUT

#: The publishing quota counts over a rolling day and nobody says when the oldest post leaves it.
QUOTA_PAUSE = timedelta(hours=1)
_LISTED = "id,caption,timestamp,permalink,media_type,media_product_type,children{id}"
_NEEDED = {
    "facebook": (
        "instagram_basic",
        "instagram_content_publish",
        "instagram_manage_comments",
        "instagram_manage_insights",
        "pages_read_engagement",
    ),
    "instagram": (),  # nobody tells which permissions such a token has
}


class InstagramAdapter(Adapter):
    """One Instagram professional account.

    Options: ``login`` ("facebook", the default, or "instagram"), ``user_id`` (the account's Instagram id;
    needed with Facebook Login), ``fit`` ("pad" gives pictures of other shapes white borders), ``upload``
    (true: reels are uploaded even if there is a public media store), ``graph_version``. ``wait`` takes
    seconds; tests give one that does not sleep.
    """

    platform: ClassVar[str] = "instagram"
    codes: ClassVar[frozenset[str]] = frozenset(
        {
            *("dead-link", "long-comment", "many-hashtags", "no-caption", "no-public-media"),
            *("reel-media", "story-comment", "story-media", "too-many-hashtags", "too-many-mentions"),
        }
    )
    secrets: ClassVar[tuple[str, ...]] = ("access_token",)
    hears: ClassVar[bool] = True
    metrics: ClassVar[Mapping[str, str]] = NAMES
    follower_metric: ClassVar[str] = "followers_count"
    api_version: ClassVar[str] = GRAPH_VERSION
    limits = rules.LIMITS
    reply_limits = rules.REPLY_LIMITS
    #: Meta gives no number; the listing has been seen to follow within seconds.
    listing_lag: ClassVar[timedelta] = timedelta(minutes=5)

    #: The token of an Instagram Login lives 60 days.
    renew_before: ClassVar[timedelta | None] = timedelta(days=10)

    def __init__(
        self,
        account: Account,
        now: Callable[[], datetime],
        *,
        wait: Wait = time.sleep,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
    ) -> None:
        super().__init__(account, now)
        self.login = str(account.options.get("login") or "facebook")
        if self.login not in _NEEDED:
            raise Misconfigured(
                N_("login = {login} of {account} is unknown. Use facebook or instagram."),
                login=self.login,
                account=account.id,
            )
        self.user = str(account.options.get("user_id") or ("me" if self.login == "instagram" else ""))
        if not self.user:
            raise Misconfigured(
                N_("The account {account} needs user_id, the id of the Instagram account."),
                account=account.id,
            )
        self.host = INSTAGRAM if self.login == "instagram" else FACEBOOK
        self.fit = str(account.options.get("fit") or "")
        self._timeouts = (connect_timeout, read_timeout)
        self._quota_asked = False
        self._walk = Walk(now, wait, self._state, later=rules.LATER, anew=rules.ANEW)

    @cached_property
    def _client(self) -> GraphClient:
        token = self.account.secret("access_token")
        connect, read = self._timeouts
        return GraphClient(
            self.account,
            self.now,
            token,
            codes=rules.CODES,
            connect_timeout=connect,
            read_timeout=read,
            pace=self.heed,
        )

    def check(self, post: Post) -> list[Problem]:
        if post.reply_to is not None:
            return super().check(post)
        return super().check(post) + rules.problems(
            post,
            self.wording(post),
            fit=self.fit,
            has_store=self.account.public_url is not None,
            can_upload=self.login == "facebook",
        )

    def verify(self) -> Identity:
        own = "user_id,username" if self.user == "me" else "id,username"
        me = self._get(self.user, fields=own)
        name = str(me.get("username") or "")
        id_ = str(me.get("user_id") or me.get("id") or "")
        if not name or not id_:
            raise Transient(N_("Instagram did not say whose token this is. Check api_base and user_id."))
        return Identity(id_, name, f"https://www.instagram.com/{name}/", self._missing_permissions())

    def _missing_permissions(self) -> tuple[str, ...]:
        needed = _NEEDED[self.login]
        try:
            told = self._get("me/permissions").get("data") if needed else None
        except (AuthExpired, Rejected, Transient):
            return ()  # Page and system-user tokens have no such list
        granted = {
            str(entry.get("permission"))
            for entry in (told if isinstance(told, list) else [])
            if isinstance(entry, dict) and entry.get("status") == "granted"
        }
        return tuple(name for name in needed if name not in granted) if granted else ()

    def renew(self) -> Credentials | None:
        """The token of an Instagram Login, prolonged; a Page token (Facebook Login) does not end."""
        if self.login != "instagram":
            return None
        from adapters.instagram.login import renewed

        return renewed(self.account, self.now)

    def publish(self, post: Post, progress: Progress) -> Receipt:
        if post.reply_to is not None:
            return self._answer(post, post.reply_to, progress)
        self._quota_asked = False
        piece = self._piece(post, progress)
        memory = piece.memory
        id_ = self._walk.publish(piece)
        permalink = memory.text("permalink")
        if not permalink and (permalink := self._permalink(id_)):
            memory.save(permalink=permalink)
        if post.first_comment and post.kind != "story":
            self._comment(id_, post, progress)
        return Receipt(id_, permalink, shortfall.remembered(progress))

    def begun(self, progress: Progress) -> Receipt | None:
        memory = Memory(progress, "post")
        id_ = memory.text("id")
        return Receipt(id_, memory.text("permalink")) if id_ else None

    def find(self, post: Post, progress: Progress, since: datetime) -> Finding:
        """See :meth:`Adapter.find`. Stories and posts without words are told by their container alone."""
        if post.reply_to is not None:
            return self._find_answer(post, post.reply_to, progress)
        piece = self._piece(post, progress)
        found = self._walk.find(piece, since)
        if isinstance(found, Found) and (missing := shortfall.remembered(progress)):
            return replace(found, shortfall=missing)
        if not isinstance(found, Found) or not post.first_comment or post.kind == "story":
            return found
        if Memory(progress, "comment").text("id"):
            return found
        comment = self._written(f"{found.remote_id}/comments", post.first_comment)
        if isinstance(comment, Found):
            return found
        if isinstance(comment, Absent) and not piece.memory.text("pending"):
            return Unknown(N_("The post is there, but its first comment is not."))
        return comment  # Absent: publish() adopts the post and writes only what is missing

    def reach(self, remote_ids: Sequence[str]) -> Mapping[str, Reach]:
        return figures(self._many, remote_ids)

    def followers(self) -> int | None:
        return counted(self._get(self.user, fields="followers_count").get("followers_count"))

    def replies(self, remote_ids: Sequence[str]) -> Mapping[str, Sequence[Reply]]:
        """The comments under each post and the answers to them."""
        own = "id,text,username,timestamp"
        told: dict[str, Sequence[Reply]] = {}
        for id_ in remote_ids:
            read = partial(self._get, f"{id_}/comments", fields=f"{own},replies{{{own}}}")
            try:
                found, _ = pages(lambda page: read(**page), None)  # noqa: B023 -- called at once
            except Transient as error:
                if error.code != "100/33" or self._exists(id_):
                    raise
                continue
            told[id_] = [
                reply
                for one in found
                for comment, under in (
                    (one, id_),
                    *(
                        (answer, str(one.get("id")))
                        for answer in (one.get("replies") or {}).get("data") or []
                    ),
                )
                if (reply := self._reply(comment, under))
            ]
        return told

    def _reply(self, comment: Mapping[str, Any], under: str) -> Reply | None:
        at, by = moment(comment.get("timestamp")), str(comment.get("username") or "")
        if at is None or not comment.get("id"):
            return None
        own = by.lower() == self.account.handle.removeprefix("@").lower()
        return Reply(str(comment["id"]), under, by, str(comment.get("text") or ""), at, own=own and bool(by))

    def remove(self, remote_id: str) -> None:
        try:
            self._client.delete(self.host, self._path(remote_id))
        except Transient as error:
            if error.code != "100/33" or self._exists(remote_id):
                raise

    def _exists(self, remote_id: str) -> bool:
        try:
            self._get(remote_id, fields="id")
        except Transient as error:
            return error.code != "100/33"
        return True

    # From container to post

    def _piece(self, post: Post, progress: Progress) -> Piece:
        caption = "" if post.kind == "story" else self.wording(post)
        return Piece(
            Memory(progress, "post"),
            fingerprint(post.kind, caption, [(m.sha256, m.alt) for m in post.media], self.fit, self.login),
            make=partial(self._make, post, caption),
            publish=self._publish,
            look=partial(self._look, post, caption),
        )

    def _make(self, post: Post, caption: str, memory: Memory) -> str:
        self._ask_quota()
        maker = Maker(self._client, self.host, self.user, self.account.public_url, self.fit, self._uploads())
        return maker.make(post, caption, memory, self._walk.settled)

    def _uploads(self) -> bool:
        wanted = bool(self.account.options.get("upload")) or self.account.public_url is None
        return wanted and self.login == "facebook"

    def _state(self, container: str) -> State:
        try:
            answer = self._get(container, fields="status_code,status")
        except (Rejected, Transient) as error:
            if error.code.partition("/")[0] == "100":
                return State(Status.UNREADABLE)
            raise
        try:
            status = Status[str(answer.get("status_code"))]
        except KeyError:
            return State(Status.UNREADABLE)
        refusal = rules.container_refusal(self._client.http.strip(str(answer.get("status") or "")))
        return State(status, refusal if status is Status.ERROR else None)

    def _publish(self, container: str) -> str:
        if not self._quota_asked:  # the container is of an earlier attempt
            self._ask_quota()
        answer = self._post(f"{self.user}/media_publish", publishing=True, creation_id=container)
        return created(answer, publishing=True)

    def _ask_quota(self) -> None:
        """Raise RateLimited if the day's posts are used up. Documents disagree on the number: it is read."""
        answer = self._get(f"{self.user}/content_publishing_limit", fields="config,quota_usage")
        self._quota_asked = True
        if (quota := spent(answer, "quota_usage", "config")) is not None:
            words = N_("Instagram's publishing quota is used up: {used} of {total} posts in 24 hours.")
            used, total = quota
            raise RateLimited(
                words.format(used=used, total=total), until=self.now() + QUOTA_PAUSE, code="quota"
            )

    def _permalink(self, id_: str) -> str:
        """The public address; empty if Instagram does not tell: the post is out all the same."""
        try:
            return str(self._get(id_, fields="permalink").get("permalink") or "")
        except AdapterError:
            return ""

    # The first comment

    def _comment(self, id_: str, post: Post, progress: Progress) -> None:
        """Write the first comment; if Instagram refuses it for good, save that as the post's shortfall."""
        memory, text = Memory(progress, "comment"), post.first_comment
        if memory.text("id") or shortfall.remembered(progress):
            return
        if looked := bool(memory.text("pending")):
            try:
                written = self._written(f"{id_}/comments", text)
            except Rejected as error:  # not being able to look proves nothing
                raise Ambiguous(error.reason, code=error.code) from None
            match written:
                case Found(known):
                    memory.save(id=known)
                    return
                case Unknown(reason):
                    raise Ambiguous(reason, code="look-back")
        memory.save(pending=self.now().isoformat())
        try:
            answer = self._post(f"{id_}/comments", publishing=True, message=text)
        except (Rejected, Duplicate) as error:
            # "Already there" is believed only after a look that did not show it.
            if isinstance(error, Duplicate) and not looked:
                raise
            progress.save(refused=shortfall.sentence(post, 1, error))
            return
        memory.save(id=created(answer, publishing=True))

    def _written(self, edge: str, text: str) -> Finding:
        """Look for the comment ``text`` of this account under a post, or under a comment."""
        read = partial(self._get, edge, fields="id,text,username,timestamp")
        with unheard():
            comments, whole = pages(lambda page: read(**page), None)
        handle = self.account.handle.removeprefix("@").lower()
        for one in comments:
            by = str(one.get("username") or "").lower()
            if one.get("id") and by in ("", handle) and same_text(text, str(one.get("text") or "")):
                return Found(str(one["id"]))
        words = N_("There are too many comments to see whether the first one was written.")
        return Absent() if whole else Unknown(words)

    # Answers to comments

    def _answer(self, post: Post, to: ReplyTo, progress: Progress) -> Receipt:
        """Answer a comment, unless an earlier call may have and the answer is there."""
        memory = Memory(progress, "post")
        if not memory.text("id") and memory.text("pending"):
            try:
                found = self._find_answer(post, to, progress)
            except Rejected as error:  # not being able to look proves nothing
                raise Ambiguous(error.reason, code=error.code) from None
            match found:
                case Found(known):
                    memory.save(id=known)
                case Unknown(reason):
                    raise Ambiguous(reason, code="look-back")
        if not memory.text("id"):
            memory.save(pending=self.now().isoformat())
            try:
                answer = self._post(f"{to.comment}/replies", publishing=True, message=post.text)
            except (Ambiguous, Transient) as error:  # what the code means depends on the call, not the code
                raise comment_gone() if self._comment_gone(error, to) else error from None
            memory.save(id=created(answer, publishing=True))
        return Receipt(memory.text("id"), self._permalink(to.post))

    def _find_answer(self, post: Post, to: ReplyTo, progress: Progress) -> Finding:
        """Look for the answer; Instagram puts an answer to an answer under the comment above both."""
        if known := Memory(progress, "post").text("id"):
            return Found(known, self._permalink(to.post))
        try:
            comment = self._get(to.comment, fields="id,parent_id")
            found = self._written(f"{comment.get('parent_id') or to.comment}/replies", post.text)
        except Transient as error:
            if not self._comment_gone(error, to):
                raise
            return Absent()  # Instagram deletes the answers with their comment
        return replace(found, permalink=self._permalink(to.post)) if isinstance(found, Found) else found

    def _comment_gone(self, error: AdapterError, to: ReplyTo) -> bool:
        return error.code == "100/33" and not self._exists(to.comment)

    # Reading back

    def _look(self, post: Post, caption: str, since: datetime, until: datetime, out: bool) -> Finding:
        edge = "stories" if post.kind == "story" else "media"
        read = partial(self._get, f"{self.user}/{edge}", fields=_LISTED)
        items, whole = pages(lambda page: read(**page), since)
        found = [item for item in items if rules.fits(item, post, caption, since, until)]
        found.sort(key=lambda item: str(item["timestamp"]))
        if found and caption.strip():
            return _found(found[0])  # oldest first: the first copy is the one that counts
        if found and not (out and len(found) == 1):
            return Unknown(N_("Posts without words cannot be told apart; see whether this one is there."))
        if found:
            return _found(found[0])
        if post.kind == "story" and self.now() - since > timedelta(hours=23):
            return Unknown(N_("Stories are listed for 24 hours only."))
        return Absent() if whole else Unknown(N_("Instagram's listing does not reach back far enough."))

    # Calls

    def _path(self, rest: str) -> str:
        return f"{self._client.version}/{rest}"

    def _get(self, path: str, **params: object) -> dict[str, Any]:
        return self._client.get(self.host, self._path(path), params)

    def _post(self, path: str, *, publishing: bool, **params: object) -> dict[str, Any]:
        return self._client.post(self.host, self._path(path), params, publishing=publishing)

    def _many(self, calls: Sequence[tuple[str, Mapping[str, object]]]) -> list[dict[str, Any] | AdapterError]:
        """Several reading calls; graph.facebook.com takes them in batches."""
        answers: list[dict[str, Any] | AdapterError] = []
        if self.login == "facebook":
            for start in range(0, len(calls), BATCH):
                answers += self._client.batch(calls[start : start + BATCH])
            return answers
        for path, params in calls:
            try:
                answers.append(self._get(path, **params))
            except (AuthExpired, Rejected, Transient) as error:
                answers.append(error)
        return answers


def _found(item: Mapping[str, Any]) -> Found:
    return Found(str(item["id"]), str(item.get("permalink") or ""), moment(item.get("timestamp")))


__all__ = ["InstagramAdapter"]

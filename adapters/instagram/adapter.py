"""Instagram professional accounts: pictures, carousels, reels and stories, by Facebook or Instagram Login.

Instagram fetches media from public addresses (``account.public_url``); reels can also be uploaded. The walk
from container to post is ``adapters.meta.containers``; containers are made in ``making``, limits and codes
are in ``rules``, figures in ``figures``. Facts: PLATFORMS.md, Instagram, November 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar

from adapters import shortfall
from adapters.answering import comment_gone
from adapters.contract import (
    N_,
    Absent,
    Account,
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
    fingerprint,
    moment,
    spent,
)
from adapters.meta.graph import BATCH, FACEBOOK, GRAPH_VERSION, INSTAGRAM, created
from adapters.meta.publisher import ContainerAdapter

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


class InstagramAdapter(ContainerAdapter):
    """One Instagram professional account.

    Options: ``login`` ("facebook", the default, or "instagram"), ``user_id`` (the account's Instagram id;
    needed with Facebook Login), ``fit`` ("pad" gives pictures of other shapes white borders), ``upload``
    (true: reels are uploaded even if there is a public media store), ``graph_version``.
    """

    platform: ClassVar[str] = "instagram"
    codes: ClassVar[frozenset[str]] = frozenset(
        {
            *("dead-link", "long-comment", "many-hashtags", "no-caption", "no-public-media"),
            *("reel-media", "story-comment", "story-media", "too-many-hashtags", "too-many-mentions"),
        }
    )
    metrics: ClassVar[Mapping[str, str]] = NAMES
    follower_metric: ClassVar[str] = "followers_count"
    api_version: ClassVar[str] = GRAPH_VERSION
    limits = rules.LIMITS
    reply_limits = rules.REPLY_LIMITS
    meanings = rules.CODES
    later = rules.LATER
    anew = rules.ANEW
    first: ClassVar[str] = "post"
    status_fields: ClassVar[tuple[str, str]] = ("status_code", "status")
    edge: ClassVar[str] = "media_publish"
    full: ClassVar[str] = N_("Instagram's publishing quota is used up: {used} of {total} posts in 24 hours.")

    def __init__(self, account: Account, now: Callable[[], datetime], **transport: Any) -> None:
        super().__init__(account, now, **transport)
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
        self._quota_asked = False

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
        id_ = self._walk.publish(piece)
        receipt = self._receipt(id_, piece.memory, progress)
        if post.first_comment and post.kind != "story":
            self._comment(id_, post, progress)
        return replace(receipt, shortfall=shortfall.remembered(progress))

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

    def _written_under(self, id_: str) -> Sequence[Reply]:
        own = "id,text,username,timestamp"
        found, _ = self._listed(f"{id_}/comments", fields=f"{own},replies{{{own}}}")
        return [
            reply
            for one in found
            for comment, under in (
                (one, id_),
                *((answer, str(one.get("id"))) for answer in (one.get("replies") or {}).get("data") or []),
            )
            if (reply := self._reply(comment, under))
        ]

    def _reply(self, comment: Mapping[str, Any], under: str) -> Reply | None:
        at, by = moment(comment.get("timestamp")), str(comment.get("username") or "")
        if at is None or not comment.get("id"):
            return None
        own = by.lower() == self.account.handle.removeprefix("@").lower()
        return Reply(str(comment["id"]), under, by, str(comment.get("text") or ""), at, own=own and bool(by))

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
        return maker.make(post, caption, memory, self._walk)

    def _uploads(self) -> bool:
        wanted = bool(self.account.options.get("upload")) or self.account.public_url is None
        return wanted and self.login == "facebook"

    def _refusal(self, words: str) -> AdapterError | None:
        return rules.container_refusal(words)

    def _publish(self, container: str) -> str:
        if not self._quota_asked:  # the container is of an earlier attempt
            self._ask_quota()
        return super()._publish(container)

    def _used_up(self, posts: int = 1, replies: int = 0) -> tuple[int, int] | None:  # noqa: ARG002
        answer = self._get(f"{self.user}/content_publishing_limit", fields="config,quota_usage")
        self._quota_asked = True
        return spent(answer, "quota_usage", "config", posts)

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
        with unheard():
            comments, whole = self._listed(edge, fields="id,text,username,timestamp")
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
                raise comment_gone() if self._is_gone(error, to.comment) else error from None
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
            if not self._is_gone(error, to.comment):
                raise
            return Absent()  # Instagram deletes the answers with their comment
        return replace(found, permalink=self._permalink(to.post)) if isinstance(found, Found) else found

    # Reading back

    def _look(self, post: Post, caption: str, since: datetime, until: datetime, out: bool) -> Finding:
        edge = "stories" if post.kind == "story" else "media"
        items, whole = self._listed(f"{self.user}/{edge}", since, fields=_LISTED)
        found = [item for item in items if rules.fits(item, post, caption, since, until)]
        if (chosen := self._chosen(found, worded=bool(caption.strip()), out=out)) is not None:
            return chosen
        if post.kind == "story" and self.now() - since > timedelta(hours=23):
            return Unknown(N_("Stories are listed for 24 hours only."))
        return Absent() if whole else Unknown(N_("Instagram's listing does not reach back far enough."))

    # Calls

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


__all__ = ["InstagramAdapter"]

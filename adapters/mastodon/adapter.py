"""Mastodon: posts with media, threads and first comments on one account of any server.

No SDK: Mastodon.py would take our session, but it adds pauses and repetitions of its own for rate
limits, asks the server for its version, turns dates and ids into its own types, and hides the status
(202, 206) and the headers that decide here. What is needed is eight calls with JSON answers.

Every call that publishes carries an ``Idempotency-Key`` derived from the delivery key and from what was
saved before the first try; a server keeps it for about an hour. Not every server honours it, so a call
whose outcome is unknown is looked for before it is made again. Facts: PLATFORMS.md (Mastodon), November 2026.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from adapters import scopes, shortfall
from adapters.answering import comment_gone
from adapters.contract import (
    N_,
    Absent,
    Account,
    Adapter,
    Finding,
    Found,
    Identity,
    Json,
    Limits,
    Media,
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
from adapters.errors import AdapterError, Ambiguous, Misconfigured, Rejected, Transient
from adapters.hearing import unheard
from adapters.mastodon import text as mastodon_text
from adapters.mastodon.server import MastodonServer, time_of
from adapters.matching import EARLIER
from adapters.material import Piece, content, json_object, pieces, understanding
from adapters.pictures import Bounds, objections
from adapters.transport import READ_TIMEOUT
from adapters.videos import MP4, QUICKTIME, WEBM, VideoBounds, is_video, video_objections

#: What Gaung asks of an account, by its token (docs.joinmastodon.org/api/oauth-scopes).
NEEDED = ("read:accounts", "read:statuses", "write:statuses", "write:media")
TEXT, MEDIA, ALT = 500, 4, 1500
#: Mastodon's own source (``MediaAttachment``, ``Attachmentable``, 4.2 and later): a server may allow less.
PICTURE = Bounds(
    types=("image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"),
    max_bytes=16 * 2**20,
    max_pixels=33_177_600,
)
VIDEO = VideoBounds(types=(MP4, QUICKTIME, WEBM), max_bytes=99 * 2**20, max_fps=120, max_pixels=8_294_400)
#: What is left free in an answer for the name of who is answered: 30 characters at most, @ and space.
MENTION = 32
#: Posts in one call of the figures (Mastodon's own limit).
BATCH = 20

_TOO_MANY = N_("The account has posted so much since that its list does not reach back far enough.")
_LOST_FILE = N_("The Mastodon server lost an uploaded file; it will be uploaded again.")
_FOREIGN = N_("A part of the post is there that no attempt noted. Look at the account.")


#: Ours -> Mastodon's.
METRICS = {"likes": "favourites_count", "comments": "replies_count", "shares": "reblogs_count"}


class MastodonAdapter(Adapter):
    """The account of ``access_token`` on the server at ``api_base``, or else the one in the handle.

    Options: ``visibility`` (public, unlisted, private; else the account's own default), ``language``
    (of the posts, "id"), ``text_limit`` (where the server takes more than 500; ``verify`` asks it).
    """

    platform: ClassVar[str] = "mastodon"
    codes: ClassVar[frozenset[str]] = frozenset({"media-mixed"})
    secrets: ClassVar[tuple[str, ...]] = ("access_token",)
    hears: ClassVar[bool] = True
    metrics: ClassVar[Mapping[str, str]] = METRICS
    follower_metric: ClassVar[str] = "followers_count"
    api_version: ClassVar[str] = "v1"
    limits = Limits(
        text=TEXT,
        measure=mastodon_text.length,
        media=MEDIA,
        alt_text=ALT,
        threads=True,
        first_comment=True,
    )
    #: Large servers answer the listing from replicas of their database.
    listing_lag: ClassVar[timedelta] = timedelta(seconds=30)

    def __init__(
        self,
        account: Account,
        now: Callable[[], datetime],
        *,
        read_timeout: float = READ_TIMEOUT,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(account, now)
        self._limit()
        server = account.handle.strip().lstrip("@").rpartition("@")[2] if "@" in account.handle[1:] else ""
        base = (account.api_base or (server and f"https://{server}")).rstrip("/")
        if not base:
            raise Misconfigured(
                N_("The account {account} needs api_base, or a handle like @name@server."), account=account.id
            )
        self.server = MastodonServer(account, base, now, sleep, read_timeout, self.heed)
        most = account.options.get("text_limit")
        if isinstance(most, int) and most > 0:
            self._limit(text=most)

    def check(self, post: Post) -> list[Problem]:
        problems = super().check(post)
        for piece in pieces(self.wording(post), post):
            problems += _check_media(piece.media)
        return problems

    def verify(self) -> Identity:
        """Ask who the token speaks for, and what the server takes (its own limits then hold)."""
        me = self.server.read("/api/v1/accounts/verify_credentials")
        self._read_limits()
        with understanding():
            name = str(me.get("display_name") or me["username"])
            missing = scopes.lacking(NEEDED, self._granted())
            return Identity(str(me["id"]), name, str(me.get("url") or ""), missing)

    def _granted(self) -> Collection[str]:
        """The scopes of the token; of one that was not given by our login, those of its app.

        No token has more than its app, and one made in the settings of the account has as much. Told since
        4.3 (docs.joinmastodon.org/entities/Application, 2026).
        """
        if stored := scopes.granted(self.account):
            return stored
        try:
            told = self.server.read("/api/v1/apps/verify_credentials").get("scopes")
        except AdapterError:
            return ()
        return [str(one) for one in told] if isinstance(told, list) else ()

    def publish(self, post: Post, progress: Progress) -> Receipt:
        if post.reply_to is not None:
            return self._answer(post, post.reply_to, progress)
        out = _parts(progress)
        wanted = self._wanted(post, progress)
        for number, piece in enumerate(wanted):
            if number < len(out):
                continue
            parent = None if piece.parent is None else out[piece.parent]["id"]
            try:
                status = self._out(post.key, number, piece, parent, progress)
            except Rejected as error:
                if not out:
                    raise
                progress.save(refused=shortfall.sentence(post, len(out), error), pending=None)
                break
            out.append({"id": str(status["id"]), "url": str(status.get("url") or status.get("uri") or "")})
            keep = progress.note if len(out) == len(wanted) else progress.save
            keep(parts=[dict(part) for part in out], pending=None)
        return Receipt(out[0]["id"], out[0]["url"], shortfall.remembered(progress))

    def _answer(self, post: Post, to: ReplyTo, progress: Progress) -> Receipt:
        """Answer a comment, its author's name in front: Mastodon tells nobody of an answer without it."""
        if not (out := _parts(progress)):
            piece = Piece(f"@{self._author(to.comment)} {post.text}")
            try:
                status = self._out(post.key, 0, piece, to.comment, progress)
            except Rejected as error:
                raise comment_gone() if error.code == "404" else error from None
            out = [{"id": str(status["id"]), "url": str(status.get("url") or status.get("uri") or "")}]
            progress.save(parts=[dict(part) for part in out], pending=None)
        return Receipt(out[0]["id"], out[0]["url"])

    def _author(self, id_: str) -> str:
        """Whom an answer to a comment names; kept nowhere. Raise Rejected if the comment is gone."""
        with unheard():
            answer = self.server.send("GET", f"/api/v1/statuses/{id_}")
        if answer.status_code == 404:
            raise comment_gone()
        if answer.status_code != 200:
            raise self.server.refusal(answer, publishing=False)
        with understanding():
            return str(json_object(answer)["account"]["acct"])

    def _find_answer(self, post: Post, to: ReplyTo, progress: Progress, since: datetime) -> Finding:
        if out := _parts(progress):
            return Found(out[0]["id"], out[0]["url"])
        if (listing := self.server.listing(since)) is None:
            return Unknown(_TOO_MANY)
        with understanding():
            for status in listing:
                if _is_answer(status, post.text, to.comment):
                    return Found(str(status["id"]), str(status.get("url") or ""), time_of(status))
        return Absent()

    def _wanted(self, post: Post, progress: Progress) -> list[Piece]:
        """The pieces that are to be out: all of them, or those before the one that was refused for good."""
        wanted = pieces(self.wording(post), post)
        return wanted[: len(_parts(progress))] if shortfall.remembered(progress) else wanted

    def _out(
        self, post_key: str, number: int, piece: Piece, parent: str | None, progress: Progress
    ) -> Mapping[str, Any]:
        """The status of a piece: the one that an earlier attempt made, or a new one."""
        if (status := self._earlier(number, piece, parent, progress)) is not None:
            return status
        media = self._upload_all(number, piece.media, progress)
        if progress.saved.get("pending") != number:
            progress.save(pending=number, pending_since=self.now().astimezone(UTC).isoformat())
        # With the time in it: a post that was taken down and is published anew gets a new key,
        # while the server still answers the old one with "not found".
        key = f"{post_key} {self.account.id} {number} {progress.saved['pending_since']}"
        return self._post(hashlib.sha256(key.encode()).hexdigest(), piece, parent, media)

    def begun(self, progress: Progress) -> Receipt | None:
        out = _parts(progress)
        return Receipt(out[0]["id"], out[0]["url"]) if out else None

    def find(self, post: Post, progress: Progress, since: datetime) -> Finding:
        """Found if every part is there. Absent if one is not: publish then goes on where the chain stopped.

        The listing is the account's own and shows a post at once; it is read back to ``since``. A part
        that the server refused for good is not waited for.
        """
        if post.reply_to is not None:
            return self._find_answer(post, post.reply_to, progress, since)
        wanted, missing = self._wanted(post, progress), shortfall.remembered(progress)
        known = [part["id"] for part in _parts(progress)]
        listing = self.server.listing(since)
        if listing is None:
            return Unknown(_TOO_MANY)
        there = _matching(wanted, known, listing)
        if len(there) < len(wanted):
            # The next publish reads back one pending part. More than that it would send again.
            noted = len(known) + (progress.saved.get("pending") == len(known))
            return Absent() if len(there) <= noted else Unknown(_FOREIGN)
        head = next((s for s in listing if s["id"] == there[0]), None)
        if head is None:  # the chain noted it, but it is older than the listing asked for
            return Found(there[0], _parts(progress)[0]["url"], shortfall=missing)
        return Found(there[0], str(head.get("url") or ""), time_of(head), missing)

    def reach(self, remote_ids: Sequence[str]) -> Mapping[str, Reach]:
        """Favourites, replies and boosts. Mastodon counts no views, by decision of its makers."""
        figures: dict[str, Reach] = {}
        for start in range(0, len(remote_ids), BATCH):
            for status in self.server.statuses(remote_ids[start : start + BATCH]):
                with understanding():
                    figures[str(status["id"])] = _reach(status)
        return figures

    def followers(self) -> int | None:
        return counted(self.server.read("/api/v1/accounts/verify_credentials").get("followers_count"))

    def replies(self, remote_ids: Sequence[str]) -> Mapping[str, Sequence[Reply]]:
        """The whole conversation under each post, as far as the account's server knows it."""
        return {
            id_: [_reply(status, own) for status in descendants]
            for id_ in remote_ids
            for own, descendants in self.server.conversation(id_)
        }

    def remove(self, remote_id: str) -> None:
        """Delete the post and, before it, the account's own replies under it: its parts, its comment."""
        for id_ in [*reversed(self.server.own_replies(remote_id)), remote_id]:
            answer = self.server.send("DELETE", f"/api/v1/statuses/{id_}", repeatable=True)
            if answer.status_code not in (200, 404):
                raise self.server.refusal(answer, publishing=False)

    def _earlier(
        self, number: int, piece: Piece, parent: str | None, progress: Progress
    ) -> Mapping[str, Any] | None:
        """The status that an earlier attempt made of this piece without learning of it."""
        began = progress.saved.get("pending_since")
        if progress.saved.get("pending") != number or not isinstance(began, str):
            return None
        try:
            listing = self.server.listing(datetime.fromisoformat(began) - EARLIER)
        except Rejected as error:  # not being able to look proves nothing
            raise Ambiguous(error.reason, code=error.code) from None
        if listing is None:
            raise Ambiguous(_TOO_MANY)
        with understanding():
            return next((status for status in listing if _is(status, piece, parent)), None)

    def _post(self, key: str, piece: Piece, parent: str | None, media: Sequence[str]) -> Mapping[str, Any]:
        body: dict[str, Json] = {"status": piece.text, "media_ids": list(media)}
        body["language"] = self.account.options.get("language") or "id"
        if visibility := self.account.options.get("visibility"):
            body["visibility"] = visibility
        if parent is not None:
            body["in_reply_to_id"] = parent
        answer = self.server.send("POST", "/api/v1/statuses", json=body, headers={"Idempotency-Key": key})
        status = json_object(answer)
        if answer.status_code == 200 and isinstance(status.get("id"), str) and status["id"]:
            return status
        raise self.server.refusal(answer, publishing=True)

    def _upload_all(self, number: int, media: Sequence[Media], progress: Progress) -> list[str]:
        """Upload what earlier attempts have not; each id is saved at once. Return when all are processed.

        A medium belongs to one status for ever, with its description: the same picture in another part,
        or with another alt text, is another upload.
        """
        saved = progress.saved.get("media")
        known: dict[str, Json] = dict(saved) if isinstance(saved, dict) else {}
        ids: list[str] = []
        for place, item in enumerate(media):
            name = hashlib.sha256(f"{number} {place} {item.sha256} {item.alt}".encode()).hexdigest()[:16]
            # A server throws away what no post used for a day.
            if name not in known or not self.server.processed(str(known[name])):
                known[name], ready = self._upload(item)
                progress.save(media=dict(known))
                if not ready and not self.server.processed(str(known[name])):
                    raise Transient(
                        N_("The Mastodon server lost an uploaded file; it will be uploaded again.")
                    )
            ids.append(str(known[name]))
        return ids

    def _upload(self, item: Media) -> tuple[str, bool]:
        """Upload one medium; return its id, and whether the server is done with it."""
        files = {"file": (f"media.{item.mime.partition('/')[2]}", content(item), item.mime)}
        answer = self.server.send(
            "POST", "/api/v2/media", files=files, data={"description": item.alt}, repeatable=True
        )
        id_ = json_object(answer).get("id")
        if answer.status_code in (200, 202) and isinstance(id_, str) and id_:
            return id_, answer.status_code == 200
        raise self.server.refusal(answer, publishing=False)

    def _read_limits(self) -> None:
        answer = self.server.send("GET", "/api/v2/instance")
        if answer.status_code != 200:  # servers that only resemble Mastodon: the defaults stay
            return
        with understanding():
            told = json_object(answer).get("configuration") or {}
            statuses, media = told.get("statuses") or {}, told.get("media_attachments") or {}
            url_length = int(statuses.get("characters_reserved_per_url") or mastodon_text.URL_LENGTH)
            self._limit(
                text=int(statuses.get("max_characters") or TEXT),
                media=int(statuses.get("max_media_attachments") or MEDIA),
                alt_text=int(media.get("description_limit") or ALT),
                measure=lambda text: mastodon_text.length(text, url_length),
            )

    def _limit(self, **changed: Any) -> None:
        values = {name: getattr(self.limits, name) for name in Limits.__dataclass_fields__}
        self.limits = Limits(**values | changed)
        self.reply_limits = Limits(text=self.limits.text - MENTION, measure=self.limits.measure)


def _parts(progress: Progress) -> list[dict[str, str]]:
    """What this chain knows to be out: id and address of each part."""
    saved = progress.saved.get("parts")
    found = saved if isinstance(saved, list) else []
    return [{"id": str(part["id"]), "url": str(part["url"])} for part in found if isinstance(part, dict)]


def _matching(
    wanted: Sequence[Piece], known: Sequence[str], listing: Sequence[Mapping[str, Any]]
) -> list[str]:
    """The ids of the leading pieces that are there: the known ones, and those that the listing shows."""
    ids = list(known)
    with understanding():
        for piece in wanted[len(known) :]:
            parent = None if piece.parent is None else ids[piece.parent]
            fresh = (s for s in listing if str(s["id"]) not in ids and _is(s, piece, parent))
            if (status := next(fresh, None)) is None:
                break
            ids.append(str(status["id"]))
    return ids


def _is(status: Mapping[str, Any], piece: Piece, parent: str | None) -> bool:
    return (
        status["in_reply_to_id"] == parent
        and len(status["media_attachments"]) == len(piece.media)
        and mastodon_text.same(piece.text, status["content"])
    )


def _is_answer(status: Mapping[str, Any], text: str, comment: str) -> bool:
    """Whether a status is our answer to a comment; one that was deleted since is not named any more."""
    name, _space, words = mastodon_text.plain(str(status["content"])).strip().partition(" ")
    return (
        status["in_reply_to_id"] in (comment, None)
        and name.startswith("@")
        and mastodon_text.same_words(text, words)
    )


def _reach(status: Mapping[str, Any]) -> Reach:
    names = (*METRICS.values(), "quotes_count")
    raw: dict[str, Json] = {name: status[name] for name in names if isinstance(status.get(name), int)}

    def count(name: str) -> int | None:
        value = raw.get(name)
        return value if isinstance(value, int) else None

    return Reach(**{ours: count(name) for ours, name in METRICS.items()}, raw=raw, why={})


def _reply(status: Mapping[str, Any], own: str) -> Reply:
    with understanding():
        return Reply(
            remote_id=str(status["id"]),
            under=str(status["in_reply_to_id"] or ""),
            author=str(status["account"]["acct"]),
            text=mastodon_text.plain(str(status["content"])).strip(),
            written_at=time_of(status),
            url=str(status.get("url") or ""),
            own=str(status["account"]["id"]) == own,
        )


def _check_media(media: Sequence[Media]) -> list[Problem]:
    problems: list[Problem] = []
    for item in media:
        problems += video_objections(item, VIDEO) if is_video(item) else objections(item, PICTURE)
    if len(media) > 1 and any(is_video(item) for item in media):
        problems.append(Problem("media-mixed", N_("Mastodon takes one video, or pictures: not both.")))
    return problems


__all__ = ["MastodonAdapter"]

"""Bluesky: posts with pictures, link cards, threads and first comments on one account of any PDS.

No SDK: the AT Protocol is JSON over HTTP, the Python SDK is httpx, and it hides the record key, which is
what keeps a post from going out twice: key and time of every part are chosen and saved first, and
``putRecord`` with the same key and record changes nothing. (``createRecord`` answers 500 to a used key.)
So whatever became of a call can be asked for by key, and repeating it cannot double the post.

Facts: PLATFORMS.md (Bluesky), November 2026. No video: that is another service with a token of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from adapters import shortfall
from adapters.answering import GONE, comment_gone
from adapters.bluesky.record import POST, card, facets, fitting, images, pictures, tid
from adapters.bluesky.server import BlueskyServer
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
from adapters.errors import Ambiguous, Rejected, Transient
from adapters.hearing import unheard
from adapters.matching import same_text
from adapters.material import NOT_UNDERSTOOD, Piece, graphemes, pieces, understanding
from adapters.pictures import Bounds, objections
from adapters.transport import READ_TIMEOUT

TEXT_BYTES = 3000
#: A larger file becomes a smaller copy (``record.fitting``), so there is no bound of bytes here.
PICTURE = Bounds(types=("image/jpeg", "image/png", "image/webp"))
#: Posts in one call of the figures (app.bsky.feed.getPosts).
BATCH = 25
#: Pages of the account's records that are read to find the parts of a post that is taken down.
ALL_PAGES = 200

_FOREIGN = N_("A part of the post is there that no attempt noted. Look at the account.")


#: What an app password allows, and what lets its holder do more than Gaung needs: the private messages, or
#: the whole account (bluesky-social/atproto, packages/pds/src/auth-scope.ts, 2026).
PLAIN = "com.atproto.appPass"
NEEDLESS = ("com.atproto.appPassPrivileged", "com.atproto.access")
#: Ours -> Bluesky's.
METRICS = {"likes": "likeCount", "comments": "replyCount", "shares": "repostCount", "saves": "bookmarkCount"}


class BlueskyAdapter(Adapter):
    """The account ``account.handle`` on the PDS at ``api_base`` (bsky.social if empty).

    A remote id is the record's address, ``at://did/app.bsky.feed.post/key``. Options: ``language``
    ("id"), ``card`` (true: a link without pictures gets a preview).
    """

    platform: ClassVar[str] = "bluesky"
    secrets: ClassVar[tuple[str, ...]] = ("app_password",)
    hears: ClassVar[bool] = True
    metrics: ClassVar[Mapping[str, str]] = METRICS
    follower_metric: ClassVar[str] = "followersCount"
    limits = Limits(text=300, measure=graphemes, media=4, alt_text=2000, threads=True, first_comment=True)
    reply_limits = Limits(text=300, measure=graphemes)

    def __init__(
        self, account: Account, now: Callable[[], datetime], *, read_timeout: float = READ_TIMEOUT
    ) -> None:
        super().__init__(account, now)
        self.server = BlueskyServer(account, now, read_timeout, self.heed)

    def check(self, post: Post) -> list[Problem]:
        problems = super().check(post)
        for piece in pieces(self.wording(post), post):
            if len(piece.text.encode()) > TEXT_BYTES:
                message = N_("The text has {length} bytes; Bluesky takes at most {limit}. Shorten it.")
                values = {"length": len(piece.text.encode()), "limit": TEXT_BYTES}
                problems.append(Problem("text-too-long", message, values))
            for item in piece.media:
                problems += objections(item, PICTURE)
        return problems

    def verify(self) -> Identity:
        me = self.server.get("com.atproto.server.getSession")
        with understanding():
            did, handle = str(me["did"]), str(me["handle"])
        scope = self.server.session().scope
        return Identity(
            did,
            f"@{handle}",
            f"https://bsky.app/profile/{handle}",
            missing_permissions=(PLAIN,) if scope and scope not in (PLAIN, *NEEDLESS) else (),
            needless_permissions=(scope,) if scope in NEEDLESS else (),
        )

    def publish(self, post: Post, progress: Progress) -> Receipt:
        wanted = self._wanted(post, progress)
        keys = self._keys(post, len(wanted), progress)
        out = _parts(progress)
        answered = None
        if post.reply_to is not None and not out:
            answered = self._answered(post.reply_to, keys[0]["rkey"])
        for number, piece in enumerate(wanted):
            if number < len(out):
                continue
            try:
                record = self._record(piece, keys[number]["at"], out, post.link, progress)
                if answered is not None:
                    record["reply"] = answered
                out.append(self._put(keys[number]["rkey"], record, progress))
            except Rejected as error:
                if not out:
                    raise
                if self._exists(keys[number]["rkey"]):  # by an earlier attempt whose answer was lost
                    raise Ambiguous(error.reason, code=error.code) from None
                progress.save(refused=shortfall.sentence(post, len(out), error))
                break
            keep = progress.note if len(out) == len(wanted) else progress.save
            keep(parts=[dict(part) for part in out])
        return Receipt(out[0]["uri"], self._permalink(out[0]["uri"]), shortfall.remembered(progress))

    def _wanted(self, post: Post, progress: Progress) -> list[Piece]:
        """The pieces that are to be out: all of them, or those before the one that was refused for good."""
        wanted = pieces(self.wording(post), post)
        return wanted[: len(_parts(progress))] if shortfall.remembered(progress) else wanted

    def begun(self, progress: Progress) -> Receipt | None:
        out = _parts(progress)
        if not out:
            return None
        uri = out[0]["uri"]  # at://DID/collection/key; the site knows accounts by their DID as well
        return Receipt(uri, f"https://bsky.app/profile/{uri.split('/')[2]}/post/{uri.rpartition('/')[2]}")

    def find(self, post: Post, progress: Progress, since: datetime) -> Finding:
        """Ask for each record by its key: a server shows its own records at once, so this is conclusive.

        Without saved keys nothing was sent by this chain; then the list of records is compared. A part
        that the server refused for good is not waited for.
        """
        wanted = self._wanted(post, progress)
        keys = _keys(progress)
        if len(keys) < len(wanted):
            return self._search(wanted, since, post.reply_to.comment if post.reply_to else None)
        if not all(self._exists(key["rkey"]) for key in keys[: len(wanted)]):
            return Absent()
        uri = f"at://{self.server.session().did}/{POST}/{keys[0]['rkey']}"
        at = datetime.fromisoformat(keys[0]["at"])
        return Found(uri, self._permalink(uri), at, shortfall.remembered(progress))

    def reach(self, remote_ids: Sequence[str]) -> Mapping[str, Reach]:
        """Likes, replies, reposts and bookmarks; Bluesky tells no views. Quotes are kept in ``raw``."""
        figures: dict[str, Reach] = {}
        # One id that is no address would make the server refuse the others with it.
        uris = [id_ for id_ in remote_ids if id_.startswith("at://")]
        if not uris:
            self.server.session()
        for start in range(0, len(uris), BATCH):
            told = self.server.get("app.bsky.feed.getPosts", uris=uris[start : start + BATCH])
            with understanding():
                figures |= {str(view["uri"]): _reach(view) for view in told["posts"]}
        return figures

    def followers(self) -> int | None:
        profile = self.server.get("app.bsky.actor.getProfile", actor=self.server.session().did)
        return counted(profile.get("followersCount"))

    def replies(self, remote_ids: Sequence[str]) -> Mapping[str, Sequence[Reply]]:
        """The conversation under each post, six levels deep (app.bsky.feed.getPostThread)."""
        told: dict[str, Sequence[Reply]] = {}
        own = self.server.session().did
        for uri in [id_ for id_ in remote_ids if id_.startswith("at://")]:
            try:
                answer = self.server.get("app.bsky.feed.getPostThread", uri=uri, depth=6, parentHeight=0)
            except (Rejected, Transient) as error:
                if "NotFound" not in error.code:
                    raise
                continue
            with understanding():
                told[uri] = [_reply(view, uri, own) for view in _under(answer["thread"])]
        return told

    def remove(self, remote_id: str) -> None:
        """Delete the post and, before it, the account's own replies under it: its parts, its comment."""
        did = self.server.session().did
        rkey = remote_id.removeprefix(f"at://{did}/{POST}/")
        if not rkey.isalnum():
            raise Rejected(N_("This is no post of this Bluesky account."), code=remote_id[:80])
        with understanding():
            chain = [remote_id]
            for record in reversed(list(self.server.records(rkey, ALL_PAGES))):
                if (record["value"].get("reply") or {}).get("parent", {}).get("uri") in chain:
                    chain.append(str(record["uri"]))
        for uri in reversed(chain):
            body: dict[str, Json] = {"repo": did, "collection": POST, "rkey": uri.rpartition("/")[2]}
            self.server.post("com.atproto.repo.deleteRecord", body)

    def _keys(self, post: Post, count: int, progress: Progress) -> list[dict[str, str]]:
        """Key and time of each part, saved before anything is sent; the same for every attempt."""
        keys = _keys(progress)
        if len(keys) < count:
            now = self.now().astimezone(UTC)
            for number in range(len(keys), count):
                # A millisecond apart: readers sort the parts of a thread by time.
                at = now + timedelta(milliseconds=number)
                keys.append({"rkey": tid(at, post.key), "at": at.isoformat(timespec="milliseconds")})
            progress.save(records=[dict(key) for key in keys])
        return keys

    def _record(
        self, piece: Piece, at: str, out: Sequence[Mapping[str, str]], link: str, progress: Progress
    ) -> dict[str, Json]:
        record: dict[str, Json] = {"$type": POST, "text": piece.text, "createdAt": at.replace("+00:00", "Z")}
        record["langs"] = [str(self.account.options.get("language") or "id")]
        if found := facets(piece.text):
            record["facets"] = found
        if piece.media:
            record["embed"] = images(piece.media, self._upload_all(piece.media, progress))
        elif link and piece.parent is None and self.account.options.get("card", True):
            record["embed"] = card(link)
        if piece.parent is not None:
            record["reply"] = {"root": dict(out[0]), "parent": dict(out[piece.parent])}
        return record

    def _answered(self, to: ReplyTo, rkey: str) -> dict[str, Json]:
        """What an answer refers to: the comment, and the head of its conversation.

        Raise Rejected if the comment is gone, unless an earlier attempt has answered it already.
        """
        with unheard():
            told = self.server.get("app.bsky.feed.getPosts", uris=[to.comment, to.post])
        with understanding():
            views = {str(view["uri"]): view for view in told["posts"]}
            if (view := views.get(to.comment)) is None:
                if self._exists(rkey):
                    raise Ambiguous(N_("The comment is gone, but an answer to it is there."), code=GONE)
                raise comment_gone()
            parent: dict[str, Json] = {"uri": str(view["uri"]), "cid": str(view["cid"])}
            known = (view["record"].get("reply") or {}).get("root") or views[to.post]
            root: dict[str, Json] = {"uri": str(known["uri"]), "cid": str(known["cid"])}
        return {"root": root, "parent": parent}

    def _put(self, rkey: str, record: Mapping[str, Json], progress: Progress) -> dict[str, str]:
        """Write the record and return its address and the hash of its content."""
        body: dict[str, Json] = {"repo": self.server.session().did, "collection": POST, "rkey": rkey}
        body["record"] = dict(record)
        try:
            told = self.server.post("com.atproto.repo.putRecord", body, publishes=True)
        except Transient as error:
            if error.code == "BlobNotFound":  # thrown away, for no record used it in time
                progress.save(blobs={})
            raise
        uri, cid = told.get("uri"), told.get("cid")
        if isinstance(uri, str) and isinstance(cid, str) and uri and cid:
            return {"uri": uri, "cid": cid}
        raise Ambiguous(N_("Bluesky answered without the address of the post."))

    def _upload_all(self, media: Sequence[Media], progress: Progress) -> list[Json]:
        """Upload what earlier attempts have not; each blob is saved at once."""
        saved = progress.saved.get("blobs")
        known: dict[str, Json] = dict(saved) if isinstance(saved, dict) else {}
        for item in media:
            if item.sha256 not in known:
                data, mime = fitting(item)
                told = self.server.call(
                    "POST", "com.atproto.repo.uploadBlob", data=data, headers={"Content-Type": mime}
                )
                with understanding():
                    known[item.sha256] = dict(told["blob"])
                progress.save(blobs=dict(known))
        return [known[item.sha256] for item in media]

    def _exists(self, rkey: str) -> bool:
        did = self.server.session().did
        try:
            told = self.server.get("com.atproto.repo.getRecord", repo=did, collection=POST, rkey=rkey)
        except Rejected as error:
            # Servers before 2024 have no name of its own for it.
            if error.code == "RecordNotFound" or "could not locate record" in error.reason.lower():
                return False
            raise
        if str(told.get("uri")).endswith(f"/{rkey}"):
            return True
        raise Transient(NOT_UNDERSTOOD)

    def _search(self, wanted: Sequence[Piece], since: datetime, under: str | None) -> Finding:
        """Look for the post among the account's records since ``since``, without knowing its keys.

        ``under`` is the comment that it answers, None if it is no answer.
        """
        with understanding():
            listing = [
                record
                for record in reversed(list(self.server.records(tid(since.astimezone(UTC), ""))))
                if datetime.fromisoformat(record["value"]["createdAt"]) >= since
            ]
            uris: list[str] = []
            for piece in wanted:
                parent = under if piece.parent is None else uris[piece.parent]
                fresh = (r for r in listing if r["uri"] not in uris and _is(r["value"], piece, parent))
                if (record := next(fresh, None)) is None:
                    break
                uris.append(str(record["uri"]))
            if len(uris) < len(wanted):
                return Unknown(_FOREIGN) if uris else Absent()
            head = next(record for record in listing if record["uri"] == uris[0])
            at = datetime.fromisoformat(head["value"]["createdAt"])
        return Found(uris[0], self._permalink(uris[0]), at)

    def _permalink(self, uri: str) -> str:
        return f"https://bsky.app/profile/{self.server.session().handle}/post/{uri.rpartition('/')[2]}"


def _keys(progress: Progress) -> list[dict[str, str]]:
    saved = progress.saved.get("records")
    found = saved if isinstance(saved, list) else []
    return [{"rkey": str(key["rkey"]), "at": str(key["at"])} for key in found if isinstance(key, dict)]


def _parts(progress: Progress) -> list[dict[str, str]]:
    saved = progress.saved.get("parts")
    found = saved if isinstance(saved, list) else []
    return [{"uri": str(part["uri"]), "cid": str(part["cid"])} for part in found if isinstance(part, dict)]


def _is(record: Mapping[str, Any], piece: Piece, parent: str | None) -> bool:
    reply = (record.get("reply") or {}).get("parent", {}).get("uri")
    return reply == parent and pictures(record) == len(piece.media) and same_text(piece.text, record["text"])


def _under(thread: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The posts under the one at the head of a thread; those that are blocked or gone have none."""
    for reply in thread.get("replies") or []:
        if "post" in reply:
            yield reply["post"]
            yield from _under(reply)


def _reply(view: Mapping[str, Any], root: str, own: str) -> Reply:
    record, handle = view["record"], str(view["author"]["handle"])
    parent = (record.get("reply") or {}).get("parent") or {}
    return Reply(
        remote_id=str(view["uri"]),
        under=str(parent.get("uri") or root),
        author=f"@{handle}",
        text=str(record["text"]),
        # The time in the record is whatever its author's program wrote.
        written_at=datetime.fromisoformat(str(view.get("indexedAt") or record["createdAt"])),
        url=f"https://bsky.app/profile/{handle}/post/{str(view['uri']).rpartition('/')[2]}",
        own=view["author"]["did"] == own,
    )


def _reach(view: Mapping[str, Any]) -> Reach:
    names = (*METRICS.values(), "quoteCount")
    raw: dict[str, Json] = {name: view[name] for name in names if isinstance(view.get(name), int)}

    def count(name: str) -> int | None:
        value = raw.get(name)
        return value if isinstance(value, int) else None

    return Reach(**{ours: count(name) for ours, name in METRICS.items()}, raw=raw, why={})


__all__ = ["BlueskyAdapter"]

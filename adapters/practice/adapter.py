"""The practice platform: a real adapter over real HTTP, for a network that lives on this computer.

It needs no account and no internet, and behaves like any other adapter, faults included. It knows the
HTTP interface of ``adapters.practice.site`` and imports nothing of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar

import requests

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
    counted,
)
from adapters.errors import Ambiguous, Rejected, Transient
from adapters.transport import Transport, adapter_error

DEFAULT_BASE = "http://127.0.0.1:8010"
PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp")
#: Ids asked for in one call of the figures.
BATCH = 50

_NOT_UNDERSTOOD = N_("The answer of the practice network was not understood. Check api_base of the account.")


class PracticeAdapter(Adapter):
    """One account of the practice network at ``account.api_base``; ``account.handle`` is its name there.

    An account comes into being with its first post, so ``verify`` succeeds wherever the network runs.
    """

    platform: ClassVar[str] = "practice"
    limits = Limits(text=2000, media=10, alt_text=1000)
    reply_limits = Limits(text=1000)
    hears: ClassVar[bool] = True
    follower_metric: ClassVar[str] = "followers"
    metrics: ClassVar[Mapping[str, str]] = {
        name: name for name in ("views", "reach", "likes", "comments", "clicks")
    }

    def __init__(self, account: Account, now: Callable[[], datetime]) -> None:
        super().__init__(account, now)
        self.base = (account.api_base or DEFAULT_BASE).rstrip("/")
        self.handle = account.handle.removeprefix("@")
        self.http = Transport(self.base)

    def check(self, post: Post) -> list[Problem]:
        problems = super().check(post)
        problems += [
            Problem(
                "media-type",
                N_("{file} is {mime}; the practice network takes pictures only (JPEG, PNG, GIF, WebP)."),
                {"file": item.path.name, "mime": item.mime},
            )
            for item in post.media
            if item.mime not in PICTURES
        ]
        return problems

    def verify(self) -> Identity:
        me = self._read("/api/me", {"account": self.handle})
        with _understanding():
            return Identity(remote_id=str(me["id"]), name=str(me["name"]), url=str(me["url"]))

    def publish(self, post: Post, progress: Progress) -> Receipt:
        done = progress.saved.get("post")
        if isinstance(done, dict):  # this chain has already succeeded; only its end was not noted
            return Receipt(str(done["id"]), str(done["permalink"]))
        if post.reply_to is not None:
            return self._answer(post, post.reply_to, progress)
        ids = self._upload_all(post.media, progress)
        body = {
            "account": self.handle,
            "text": post.text,
            "link": post.link,
            "media": [{"id": id_, "alt": item.alt} for id_, item in zip(ids, post.media, strict=True)],
        }
        try:
            answer = self.http.post(f"{self.base}/api/posts", json=body)
        except requests.RequestException as error:
            raise adapter_error(error) from error
        if answer.status_code == 201:
            created = _json(answer)
            if isinstance(created.get("id"), str) and isinstance(created.get("url"), str):
                progress.note(post={"id": created["id"], "permalink": created["url"]})
                return Receipt(created["id"], created["url"])
        if (refusal := _refusal(answer)) is None:
            raise Ambiguous(
                N_("The practice network gave no clear answer; nobody knows yet whether it took the post."),
                code=str(answer.status_code),
            )
        if refusal.code == "unknown-media":  # the network began anew: what was uploaded there is gone
            progress.save(media={})
            raise Transient(
                N_("The practice network no longer has the uploaded pictures; they will be uploaded again."),
                code=refusal.code,
            )
        raise refusal

    def find(self, post: Post, progress: Progress, since: datetime) -> Finding:
        """See :meth:`Adapter.find`; the listing is complete and immediate, so absence is certain."""
        done = progress.saved.get("post")
        known = done.get("id") if isinstance(done, dict) else None
        if post.reply_to is not None:
            return self._find_answer(post, post.reply_to, known)
        listing = self._read(f"/api/accounts/{self.handle}/posts", {"since": _iso(since)})
        with _understanding():
            for item in listing["posts"]:  # oldest first: the first copy is the one that counts
                at = datetime.fromisoformat(item["created_at"])
                if at >= since and (item["id"] == known or _same(post, item)):
                    return Found(str(item["id"]), str(item["url"]), at)
        return Absent()

    def reach(self, remote_ids: Sequence[str]) -> Mapping[str, Reach]:
        figures: dict[str, Reach] = {}
        for start in range(0, len(remote_ids), BATCH):
            some = remote_ids[start : start + BATCH]
            answer = self._read("/api/posts/stats", {"ids": ",".join(some)})
            with _understanding():
                figures |= {str(id_): _reach(raw) for id_, raw in answer["posts"].items()}
        return figures

    def followers(self) -> int | None:
        return counted(self._read("/api/me", {"account": self.handle}).get("followers"))

    def replies(self, remote_ids: Sequence[str]) -> Mapping[str, Sequence[Reply]]:
        told: dict[str, Sequence[Reply]] = {}
        for start in range(0, len(remote_ids), BATCH):
            some = remote_ids[start : start + BATCH]
            answer = self._read("/api/posts/comments", {"ids": ",".join(some)})
            with _understanding():
                told |= {
                    str(id_): [
                        Reply(
                            _comment_id(id_, one["id"]),
                            _comment_id(id_, one["under"]) if one["under"] else str(id_),
                            str(one["name"]),
                            str(one["text"]),
                            datetime.fromisoformat(one["created_at"]),
                            str(one["url"]),
                            own=self._is_own(one),
                        )
                        for one in comments
                    ]
                    for id_, comments in answer["posts"].items()
                }
        return told

    def remove(self, remote_id: str) -> None:
        post, _dash, comment = remote_id.partition("-")
        what = f"comments/{comment}" if comment else f"posts/{post}"
        try:
            answer = self.http.delete(f"{self.base}/api/{what}")
        except requests.RequestException as error:
            raise adapter_error(error, repeatable=True) from error
        refusal = _refusal(answer)
        if answer.status_code == 200 or (refusal is not None and refusal.code == "not-found"):
            return
        raise Transient(_NOT_UNDERSTOOD, code=str(answer.status_code))

    def _answer(self, post: Post, to: ReplyTo, progress: Progress) -> Receipt:
        body = {"account": self.handle, "text": post.text}
        number = to.comment.rpartition("-")[2]
        try:
            answer = self.http.post(f"{self.base}/api/comments/{number}/answers", json=body)
        except requests.RequestException as error:
            raise adapter_error(error) from error
        if answer.status_code == 201 and isinstance(id_ := _json(answer).get("id"), str):
            permalink = f"{self.base}/p/{to.post}#comment-{id_}"
            progress.save(post={"id": _comment_id(to.post, id_), "permalink": permalink})
            return Receipt(_comment_id(to.post, id_), permalink)
        if (refusal := _refusal(answer)) is None:
            raise Ambiguous(
                N_("The practice network gave no clear answer; nobody knows yet whether it took the post."),
                code=str(answer.status_code),
            )
        raise comment_gone() if refusal.code == "no-comment" else refusal

    def _find_answer(self, post: Post, to: ReplyTo, known: object) -> Finding:
        """Look among the answers of this account to the comment."""
        for one in self.replies([to.post]).get(to.post, ()):
            same = one.own and one.under == to.comment and one.text == post.text
            if one.remote_id == known or same:
                return Found(one.remote_id, one.url, one.written_at)
        return Absent()

    def _is_own(self, comment: Mapping[str, Any]) -> bool:
        return str(comment["account"] or "").lower() == self.handle.lower()

    def _upload_all(self, media: Sequence[Media], progress: Progress) -> list[str]:
        """Upload what earlier attempts have not; each id is saved before the next step."""
        saved = progress.saved.get("media")
        known: dict[str, Json] = dict(saved) if isinstance(saved, dict) else {}
        for item in media:
            if item.sha256 not in known:
                known[item.sha256] = self._upload(item)
                progress.save(media=dict(known))
        return [str(known[item.sha256]) for item in media]

    def _upload(self, item: Media) -> str:
        """Upload one picture and return its id. A picture that no post uses is seen by nobody."""
        try:
            content = item.path.read_bytes()
        except OSError as error:
            raise Rejected(N_("The file of a picture cannot be read."), code=item.path.name) from error
        if hashlib.sha256(content).hexdigest() != item.sha256:
            raise Rejected(N_("The file of a picture changed after it was approved."), code=item.path.name)
        try:
            answer = self.http.post(
                f"{self.base}/api/media",
                params={"filename": item.path.name},
                data=content,
                headers={"Content-Type": item.mime},
            )
        except requests.RequestException as error:
            raise adapter_error(error, repeatable=True) from error
        if answer.status_code == 201 and isinstance(id_ := _json(answer).get("id"), str):
            return id_
        raise _refusal(answer) or Transient(_NOT_UNDERSTOOD, code=str(answer.status_code))

    def _read(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        try:
            answer = self.http.get(self.base + path, params=dict(query))
        except requests.RequestException as error:
            raise adapter_error(error) from error
        if answer.status_code == 200 and (content := _json(answer)):
            return content
        if (refusal := _refusal(answer)) is not None:
            raise refusal
        raise Transient(_NOT_UNDERSTOOD, code=str(answer.status_code))


@contextmanager
def _understanding() -> Iterator[None]:
    """Turn the surprises of a foreign answer into Transient; only for calls that publish nothing."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise Transient(_NOT_UNDERSTOOD) from error


def _json(answer: requests.Response) -> dict[str, Any]:
    """The object in ``answer``, empty if there is none."""
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _refusal(answer: requests.Response) -> Rejected | None:
    """The network's own refusal, in its words; None if ``answer`` is anything else (a gateway's page)."""
    error = _json(answer).get("error")
    if not 400 <= answer.status_code < 500 or not isinstance(error, dict):
        return None
    return Rejected(str(error.get("message", "")), code=str(error.get("code", "")))


def _same(post: Post, item: Mapping[str, Any]) -> bool:
    alts = [medium["alt"] for medium in item["media"]]
    return item["text"] == post.text and item["link"] == post.link and alts == [m.alt for m in post.media]


def _comment_id(post: object, comment: object) -> str:
    """The remote id of a comment: with that of its post, since the network's numbers of both may meet."""
    return f"{post}-{comment}"


def _reach(raw: Mapping[str, Json]) -> Reach:
    def count(name: str) -> int | None:
        value = raw.get(name)
        return value if isinstance(value, int) else None

    return Reach(
        views=count("views"),
        reach=count("reach"),
        likes=count("likes"),
        comments=count("comments"),
        clicks=count("clicks"),
        raw=dict(raw),
    )


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


__all__ = ["DEFAULT_BASE", "PracticeAdapter"]

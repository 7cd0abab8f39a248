"""A Mastodon server of our own (API of 4.4): statuses as HTML, media that take time, limits, refusals."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from servers.loopback import Answer, Loopback, serving
from werkzeug.wrappers import Request

TOKEN = "token-rahasia-mastodon-contoh"
OWN: dict[str, Any] = {
    "id": "1",
    "username": "diskominfo",
    "acct": "diskominfo",
    "display_name": "Diskominfo Contoh",
    "url": "http://m/@diskominfo",
    "followers_count": 512,
}
STRANGER = {
    "id": "2",
    "username": "warga",
    "acct": "warga@lain.example",
    "display_name": "Warga",
    "url": "http://m/@warga",
}


@dataclass
class Upload:
    """A medium; ``status_id`` once a status has it, ``polls`` until it is processed."""

    id: str
    sha256: str
    description: str
    polls: int = 0
    status_id: str = ""


@dataclass
class Status:
    id: str
    account: dict[str, str]
    text: str
    created_at: datetime
    media: tuple[Upload, ...] = ()
    parent: str | None = None
    visibility: str = "public"
    language: str = ""
    counts: dict[str, int] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        counts = {"favourites_count": 0, "replies_count": 0, "reblogs_count": 0} | self.counts
        return {
            "id": self.id,
            "created_at": self.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "in_reply_to_id": self.parent,
            "account": self.account,
            "content": rendered(self.text),
            "url": f"http://m/@{self.account['username']}/{self.id}",
            "visibility": self.visibility,
            "media_attachments": [{"id": m.id, "description": m.description} for m in self.media],
            **counts,
        }


@dataclass
class Mastodon:
    """The server; ``honours_keys`` says whether it knows Idempotency-Key, ``batch`` whether it is 4.3."""

    statuses: dict[str, Status] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    refuse: list[tuple[str, Answer]] = field(default_factory=list)
    honours_keys: bool = True
    batch: bool = True
    polls: int = 0
    configuration: dict[str, Any] | None = field(
        default_factory=lambda: {
            "statuses": {
                "max_characters": 500, "characters_reserved_per_url": 23, "max_media_attachments": 4,
            },
            "media_attachments": {"description_limit": 1500},
        }
    )  # fmt: skip
    scopes: list[str] | None = None
    """Those of the token's app; servers before 4.3 do not tell."""
    last_id: int = 1000

    def __call__(self, request: Request) -> Answer:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return error(401, "The access token is invalid")
        for name, refusal in self.refuse:
            if request.path.endswith(name):
                self.refuse.remove((name, refusal))
                return refusal
        path = request.path.removeprefix("/api/")
        routes = {
            ("GET", r"v1/accounts/verify_credentials"): lambda: ok(OWN),
            ("GET", r"v1/apps/verify_credentials"): lambda: ok({"name": "Gaung", "scopes": self.scopes}),
            ("GET", r"v2/instance"): self._instance,
            ("GET", r"v1/accounts/(\w+)/statuses"): lambda own: self._listing(request, own),
            ("POST", r"v2/media"): lambda: self._upload(request),
            ("GET", r"v1/media/(\w+)"): self._medium,
            ("POST", r"v1/statuses"): lambda: self._post(request),
            ("GET", r"v1/statuses"): lambda: self._several(request.args.getlist("id[]")),
            ("GET", r"v1/statuses/(\w+)"): self._one,
            ("DELETE", r"v1/statuses/(\w+)"): self.delete,
            ("GET", r"v1/statuses/(\w+)/context"): self._context,
        }
        for (method, pattern), route in routes.items():
            if method == request.method and (match := re.fullmatch(pattern, path)):
                answer: Answer = route(*match.groups())  # type: ignore[operator]
                return answer
        return error(404, "Not Found")

    def add(
        self, text: str, *, account: dict[str, Any] = OWN, parent: str | None = None, **more: Any
    ) -> Status:
        self.last_id += 1
        status = Status(str(self.last_id), account, text, datetime.now(UTC), parent=parent, **more)
        self.statuses[status.id] = status
        return status

    def _instance(self) -> Answer:
        if self.configuration is None:
            return error(404, "Not Found")
        return ok({"version": "4.4.5", "configuration": self.configuration})

    def _listing(self, request: Request, own: str) -> Answer:
        found = [s for s in reversed(self.statuses.values()) if s.account["id"] == own]
        found.sort(key=lambda s: int(s.id), reverse=True)
        if before := request.args.get("max_id"):
            found = [s for s in found if int(s.id) < int(before)]
        return ok([s.shown() for s in found[: min(int(request.args.get("limit", "20")), 40)]])

    def _upload(self, request: Request) -> Answer:
        self.last_id += 1
        sha256 = hashlib.sha256(request.files["file"].read()).hexdigest()
        upload = Upload(str(self.last_id), sha256, request.form["description"], self.polls)
        self.uploads[upload.id] = upload
        return Answer(202 if upload.polls else 200, {"id": upload.id, "url": None})

    def _medium(self, id_: str) -> Answer:
        upload = self.uploads.get(id_)
        if upload is None or upload.status_id:
            return error(404, "Record not found")
        upload.polls = max(upload.polls - 1, 0)
        return Answer(206 if upload.polls else 200, {"id": id_, "url": None})

    def _post(self, request: Request) -> Answer:
        body, key = request.get_json(), request.headers.get("Idempotency-Key", "")
        if self.honours_keys and key in self.keys:
            return self._one(self.keys[key])  # 404 if it was deleted since
        parent = body.get("in_reply_to_id")
        if parent is not None and parent not in self.statuses:
            return error(404, "The status you are trying to reply to does not appear to exist.")
        media = tuple(self.uploads.get(id_) for id_ in body["media_ids"])
        if not body["status"].strip() and not media:
            return error(422, "Validation failed: Text can't be blank")
        if any(m is None or m.status_id or m.polls for m in media):
            return error(422, "Cannot attach files that have not finished processing. Try again in a moment!")
        status = self.add(
            body["status"],
            parent=parent,
            media=media,
            visibility=body.get("visibility", "public"),
            language=body.get("language", ""),
        )
        for upload in status.media:
            upload.status_id = status.id
        self.keys[key] = status.id
        return ok(status.shown())

    def _one(self, id_: str) -> Answer:
        return ok(self.statuses[id_].shown()) if id_ in self.statuses else error(404, "Record not found")

    def _several(self, ids: list[str]) -> Answer:
        if not self.batch:
            return error(404, "Not Found")
        return ok([self.statuses[id_].shown() for id_ in ids[:20] if id_ in self.statuses])

    def delete(self, id_: str) -> Answer:
        answer = self._one(id_)
        self.statuses.pop(id_, None)
        for status in self.statuses.values():
            if status.parent == id_:
                status.parent = None
        return answer

    def _context(self, id_: str) -> Answer:
        chain = [id_]
        for status in self.statuses.values():
            if status.parent in chain:
                chain.append(status.id)
        return ok({"ancestors": [], "descendants": [self.statuses[one].shown() for one in chain[1:]]})


def rendered(text: str) -> str:
    """What Mastodon's TextFormatter makes of a text: paragraphs, cut links, short mentions."""

    def link(match: re.Match[str]) -> str:
        url = html.unescape(match[0])
        scheme, _, rest = url.partition("://")
        shown, hidden = (html.escape(part) for part in (rest[:30], rest[30:]))
        return (
            f'<a href="{html.escape(url)}" rel="nofollow"><span class="invisible">{scheme}://</span>'
            f'<span class="ellipsis">{shown}</span><span class="invisible">{hidden}</span></a>'
        )

    text = html.escape(text.strip(), quote=False)
    text = re.sub(r"https?://\S+", link, text)
    text = re.sub(
        r"(?<![\w/])@(\w+)@[\w.]+", r'<span class="h-card"><a href="#">@<span>\1</span></a></span>', text
    )
    text = re.sub(r"(?<![\w&/])#(\w+)", r'<a href="/tags/\1" class="hashtag">#<span>\1</span></a>', text)
    return "".join(f"<p>{part.replace(chr(10), '<br />')}</p>" for part in text.split("\n\n"))


def ok(body: object) -> Answer:
    return Answer(200, body)


def error(status: int, text: str, **headers: str) -> Answer:
    return Answer(status, {"error": text}, {name.replace("_", "-"): value for name, value in headers.items()})


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@contextmanager
def running() -> Iterator[tuple[Mastodon, Loopback]]:
    mastodon = Mastodon()
    with serving(mastodon) as loopback:
        yield mastodon, loopback


__all__ = ["OWN", "STRANGER", "TOKEN", "Mastodon", "Status", "error", "iso", "ok", "rendered", "running"]

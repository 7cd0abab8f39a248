"""A Bluesky PDS of our own, with the AppView's figures: sessions that expire, records by key, blobs.

It answers as the reference implementation does (PLATFORMS.md, Bluesky): createRecord with a used key is a
500, putRecord with the same record changes nothing, a record may only use blobs that were uploaded.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from servers.loopback import Answer, Loopback, serving
from werkzeug.wrappers import Request

FOLLOWERS = 96
DID = "did:plc:contoh234567abcdefghijkl"
HANDLE = "diskominfo.contoh.test"
PASSWORD = "sandi-aplikasi-rahasia"
POST = "app.bsky.feed.post"


@dataclass
class Bluesky:
    """The server's state; ``refuse`` are answers to give to the next calls of a method."""

    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    blobs: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    others: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Records of other people, by address."""
    figures: dict[str, dict[str, int]] = field(default_factory=dict)
    threads: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """What stands under a record, as views of a thread."""
    refuse: list[tuple[str, Answer]] = field(default_factory=list)
    access: str = ""
    refresh: str = ""
    sessions: int = 0
    session_headers: dict[str, str] = field(default_factory=dict)
    scope: str = ""
    """What the password of the session allows; "" for a token that is no JWT."""
    writes: int = 0

    def __call__(self, request: Request) -> Answer:
        name = request.path.removeprefix("/xrpc/")
        for refused, answer in self.refuse:
            if refused == name:
                self.refuse.remove((refused, answer))
                return answer
        if name == "com.atproto.server.createSession":
            return self._create_session(request.get_json())
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if name == "com.atproto.server.refreshSession":
            return self._session() if token and token == self.refresh else error(400, "ExpiredToken")
        if not token:
            return error(401, "AuthMissing", "Authentication Required")
        if token != self.access:
            return error(400, "ExpiredToken", "Token has expired")
        method = getattr(self, "_" + name.rpartition(".")[2], None)
        if method is None:
            return error(501, "MethodNotImplemented", "Method Not Implemented")
        answer = method(request)
        assert isinstance(answer, Answer)
        return answer

    def expire(self, *, refresh: bool = False) -> None:
        """Two hours later; with ``refresh``, ninety days later."""
        self.access = "expired"
        self.refresh = "expired" if refresh else self.refresh

    def _create_session(self, body: dict[str, Any]) -> Answer:
        if body != {"identifier": HANDLE, "password": PASSWORD}:
            return error(401, "AuthenticationRequired", "Invalid identifier or password")
        return self._session()

    def _session(self) -> Answer:
        self.sessions += 1
        self.access, self.refresh = f"eyJakses{self.sessions}abcdefgh", f"eyJsegar{self.sessions}abcdefgh"
        if self.scope:
            claims = base64.urlsafe_b64encode(json.dumps({"scope": self.scope}).encode()).decode()
            self.access = f"eyJh{self.sessions}.{claims.rstrip('=')}.tandaTangan"
        tokens = {"accessJwt": self.access, "refreshJwt": self.refresh}
        answer = {"did": DID, "handle": HANDLE, "active": True, **tokens}
        return Answer(200, answer, self.session_headers)

    def _getSession(self, request: Request) -> Answer:  # noqa: N802
        return ok({"did": DID, "handle": HANDLE, "active": True})

    def _getProfile(self, request: Request) -> Answer:  # noqa: N802
        assert request.args["actor"] == DID
        return ok({"did": DID, "handle": HANDLE, "followersCount": FOLLOWERS, "postsCount": 4})

    def _uploadBlob(self, request: Request) -> Answer:  # noqa: N802
        content = request.get_data()
        if len(content) > 2_000_000:
            return error(413, "PayloadTooLarge", "request entity too large")
        cid = "bafkrei" + hashlib.sha256(content).hexdigest()[:40]
        self.blobs[cid] = content, request.headers["Content-Type"]
        blob = {"$type": "blob", "ref": {"$link": cid}, "mimeType": request.headers["Content-Type"]}
        return ok({"blob": blob | {"size": len(content)}})

    def _putRecord(self, request: Request) -> Answer:  # noqa: N802
        body = request.get_json()
        assert (body["repo"], body["collection"]) == (DID, POST)
        record, rkey = body["record"], body["rkey"]
        if wrong := self._wrong(record):
            return wrong
        self.writes += self.records.get(rkey) != record
        self.records[rkey] = record
        return ok(self._ref(rkey))

    def _wrong(self, record: dict[str, Any]) -> Answer | None:
        if len(record["text"].encode()) > 3000:
            return error(400, "InvalidRequest", "Invalid app.bsky.feed.post record: text is too long")
        embed = record.get("embed", {})
        for image in embed.get("images", []):
            assert isinstance(image["alt"], str)
            if (cid := image["image"]["ref"]["$link"]) not in self.blobs:
                return error(400, "BlobNotFound", f"Could not find blob: {cid}")
        for ref in record.get("reply", {}).values():
            assert ref == self._ref_of(ref["uri"]), "a reply to nothing, or to another version"
        return None

    def _ref(self, rkey: str) -> dict[str, str]:
        return self._ref_of(uri(rkey))

    def _ref_of(self, address: str) -> dict[str, str]:
        record = self.others.get(address) or self.records[address.rpartition("/")[2]]
        digest = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
        return {"uri": address, "cid": f"bafyrei{digest[:40]}"}

    def comment(self, under: str, text: str) -> str:
        """Let somebody else answer a post; return the address of the answer."""
        address = f"at://did:plc:warga234567abcdefghijklm/{POST}/warga{len(self.others)}"
        ref = self._ref_of(under)
        self.others[address] = {"text": text, "reply": {"root": ref, "parent": ref}}
        return address

    def _getRecord(self, request: Request) -> Answer:  # noqa: N802
        rkey = request.args["rkey"]
        if rkey not in self.records:
            return error(400, "RecordNotFound", f"Could not locate record: {uri(rkey)}")
        return ok(self._ref(rkey) | {"value": self.records[rkey]})

    def _listRecords(self, request: Request) -> Answer:  # noqa: N802
        before = request.args.get("cursor", "~")
        keys = sorted((key for key in self.records if key < before), reverse=True)
        page = keys[: int(request.args["limit"])]
        found = [self._ref(key) | {"value": self.records[key]} for key in page]
        return ok({"records": found} | ({"cursor": page[-1]} if page else {}))

    def _deleteRecord(self, request: Request) -> Answer:  # noqa: N802
        self.records.pop(request.get_json()["rkey"], None)
        return ok({})

    def _getPostThread(self, request: Request) -> Answer:  # noqa: N802
        rkey = request.args["uri"].rpartition("/")[2]
        if rkey not in self.records:
            return error(400, "NotFound", "Post not found")
        under = self.threads.get(rkey) or self._under(uri(rkey))
        return ok({"thread": {"post": self._ref(rkey), "replies": under}})

    def _under(self, address: str) -> list[dict[str, Any]]:
        """What stands under a record, as views."""
        everything = {uri(key): record for key, record in self.records.items()} | self.others
        return [
            {
                "post": self._ref_of(one)
                | {"record": record, "indexedAt": datetime.now(UTC).isoformat()}
                | {"author": {"did": one.split("/")[2], "handle": "warga.contoh.test"}},
                "replies": self._under(one),
            }
            for one, record in everything.items()
            if record.get("reply", {}).get("parent", {}).get("uri") == address
        ]

    def _getPosts(self, request: Request) -> Answer:  # noqa: N802
        uris = request.args.getlist("uris")
        if len(uris) > 25 or not all(one.startswith("at://") for one in uris):
            return error(400, "InvalidRequest", "Error: uris must be a valid at-uri")
        known = {uri(key): record for key, record in self.records.items()} | self.others
        zero: dict[str, Any] = dict.fromkeys(
            ("likeCount", "replyCount", "repostCount", "quoteCount", "bookmarkCount"), 0
        )
        return ok(
            {
                "posts": [
                    self._ref_of(one)
                    | {"record": known[one]}
                    | zero
                    | self.figures.get(one.rpartition("/")[2], {})
                    for one in uris
                    if one in known
                ]
            }
        )


def uri(rkey: str) -> str:
    return f"at://{DID}/{POST}/{rkey}"


def ok(body: object) -> Answer:
    return Answer(200, body)


def error(status: int, name: str, message: str = "", **headers: str) -> Answer:
    body = {"error": name, "message": message or name}
    return Answer(status, body, {key.replace("_", "-"): value for key, value in headers.items()})


@contextmanager
def running() -> Iterator[tuple[Bluesky, Loopback]]:
    bluesky = Bluesky()
    with serving(bluesky) as loopback:
        yield bluesky, loopback


__all__ = ["DID", "HANDLE", "PASSWORD", "Bluesky", "error", "ok", "running", "uri"]

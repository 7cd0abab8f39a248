"""A small X on loopback: OAuth, posts, timelines, media, figures, and its refusals and failures on request.

It follows PLATFORMS.md, X (November 2026). Texts come back as X lists them: escaped, with t.co links.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote

from servers.loopback import Answer, Fault, Loopback, serving
from werkzeug.wrappers import Request

USER_ID = "2244994945"
FOLLOWERS = 15_240
NAME = "diskominfo"
KEYS = {
    "api_key": "kunciAplikasi0001",
    "api_secret": "rahasiaAplikasi0002",
    "access_token": f"{USER_ID}-tokenPengguna0003",
    "access_token_secret": "rahasiaPengguna0004",
}
BEARER = "tokenOAuth2Pengguna0005"
PROBLEMS = "https://api.twitter.com/2/problems"
_ADDRESS = re.compile(r"https?://\S+|\b(?:[a-z-]+\.)+go\.id(?:/\S*)?")


@dataclass
class Upload:
    id: str
    mime: str
    category: str
    content: bytes = b""
    total: int = -1
    segments: dict[int, bytes] = field(default_factory=dict)
    ready: bool = True
    alt: str = ""


@dataclass
class Tweet:
    id: str
    text: str
    at: datetime
    media: tuple[str, ...] = ()
    reply_to: str = ""
    conversation: str = ""
    author: str = USER_ID
    figures: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            (
                "retweet_count",
                "reply_count",
                "like_count",
                "quote_count",
                "bookmark_count",
                "impression_count",
            ),
            0,
        )
    )
    clicks: int = 0


@dataclass
class Instead:
    """Answer this instead of doing what the call asks, after ``skip`` such calls."""

    method: str
    path: str
    answer: Answer
    skip: int = 0


def problem(status: int, detail: str, kind: str = "about:blank", **more: object) -> Answer:
    """An answer in application/problem+json."""
    kind = kind if ":" in kind else f"{PROBLEMS}/{kind}"
    return Answer(status, {"title": "Problem", "detail": detail, "type": kind, "status": status, **more})


class XPlatform:
    """The state behind the server, and the knobs of a test."""

    def __init__(self) -> None:
        self.loopback = Loopback("")
        self.tweets: dict[str, Tweet] = {}
        self.uploads: dict[str, Upload] = {}
        self.instead: list[Instead] = []
        self.after_post: dict[int, Fault] = {}
        """Faults that begin once so many posts were made."""
        self.hidden: set[str] = set()
        """Posts left out of listings, as by an index that is behind."""
        self.listing_errors: list[object] = []
        self.mentions_in_front = False
        self.access_level = "read-write"
        self.rounds = 0
        """How often STATUS answers "in_progress"."""
        self.check_after = 2
        self.processing_error: dict[str, object] | None = None
        self.page = 100
        self.shown_comments = 0
        """How many posts the search has shown: what X bills."""
        self._last_ms = 0

    @property
    def url(self) -> str:
        return self.loopback.url

    def count(self, method: str, path: str) -> int:
        return self.loopback.count(method, path)

    def new_id(self, at: datetime | None = None) -> str:
        ms = int((at or datetime.now(UTC)).timestamp() * 1000)
        if at is None:
            ms = self._last_ms = max(ms, self._last_ms + 1)
        return str((ms - 1288834974657) << 22)

    def put(
        self,
        text: str,
        *,
        at: datetime | None = None,
        reply_to: str = "",
        media: Sequence[str] = (),
        author: str = USER_ID,
    ) -> Tweet:
        """Make a post, also one that came by other ways than the API, or from somebody else."""
        parent, id_ = self.tweets.get(reply_to), self.new_id(at)
        tweet = Tweet(id_, text, at or datetime.now(UTC), tuple(media), reply_to, author=author)
        tweet.conversation = parent.conversation if parent else id_
        self.tweets[id_] = tweet
        if fault := self.after_post.pop(len(self.tweets), None):
            self.loopback.faults.append(fault)
        return tweet

    def __call__(self, request: Request) -> Answer:
        for one in self.instead:
            if one.method == request.method and re.fullmatch(one.path, request.path):
                if not one.skip:
                    self.instead.remove(one)
                    return one.answer
                one.skip -= 1
        if not _authentic(request):
            return problem(401, "Unauthorized")
        for method, pattern, action in self._routes():
            if request.method == method and (match := re.fullmatch(pattern, request.path)):
                answer: Answer = action(request, *match.groups())
                return answer
        return Answer(404, b"")

    def _routes(self) -> list[tuple[str, str, Any]]:
        return [
            ("GET", "/2/users/me", self._me),
            ("POST", "/2/tweets", self._create),
            ("DELETE", r"/2/tweets/(\d+)", self._delete),
            ("GET", "/2/tweets", self._lookup),
            ("GET", "/2/tweets/search/recent", self._search),
            ("GET", r"/2/users/(\d+)/tweets", self._timeline),
            ("POST", "/2/media/upload", self._upload),
            ("GET", "/2/media/upload", self._status),
            ("POST", "/2/media/upload/initialize", self._initialize),
            ("POST", r"/2/media/upload/(\d+)/append", self._append),
            ("POST", r"/2/media/upload/(\d+)/finalize", self._finalize),
            ("POST", "/2/media/metadata", self._metadata),
        ]

    def _me(self, request: Request) -> Answer:
        me: dict[str, Any] = {"id": USER_ID, "name": "Diskominfo Contoh", "username": NAME}
        if "public_metrics" in request.args.get("user.fields", ""):
            me["public_metrics"] = {"followers_count": FOLLOWERS, "following_count": 12, "tweet_count": 90}
        return Answer(200, {"data": me}, {"x-access-level": self.access_level})

    def _create(self, request: Request) -> Answer:
        fields: dict[str, Any] = request.get_json()
        if unknown := set(fields) - {"text", "media", "reply"}:
            return problem(400, f"unknown fields {unknown}", "invalid-request")
        text = fields.get("text", "")
        media = tuple(fields.get("media", {}).get("media_ids", ()))
        reply_to = fields.get("reply", {}).get("in_reply_to_tweet_id", "")
        if any(id_ not in self.uploads or not self.uploads[id_].ready for id_ in media):
            error = {"parameters": {"media.media_ids": list(media)}, "message": "Your media IDs are invalid."}
            return problem(
                400, "One or more parameters to your request was invalid.", "invalid-request", errors=[error]
            )
        if reply_to and reply_to not in self.tweets:
            return problem(403, "You attempted to reply to a Tweet that is deleted or not visible to you.")
        if not media and any(t.text == text and not t.media for t in self.own):
            return problem(403, "You are not allowed to create a Tweet with duplicate content.")
        tweet = self.put(text, reply_to=reply_to, media=media)
        return Answer(201, {"data": {"id": tweet.id, "text": self.shown(tweet)["text"]}})

    @property
    def own(self) -> list[Tweet]:
        """The posts of the account itself."""
        return [tweet for tweet in self.tweets.values() if tweet.author == USER_ID]

    def _delete(self, request: Request, id_: str) -> Answer:
        if self.tweets.pop(id_, None) is None:
            return problem(404, f"Could not find tweet with id: [{id_}].", "resource-not-found")
        return Answer(200, {"data": {"deleted": True}})

    def _lookup(self, request: Request) -> Answer:
        ids = request.args["ids"].split(",")
        fields = request.args.get("tweet.fields", "").split(",")
        assert len(ids) <= 100
        data, errors = [], []
        for id_ in ids:
            tweet = self.tweets.get(id_)
            if tweet is None:
                kind = f"{PROBLEMS}/resource-not-found"
                errors.append({"value": id_, "resource_id": id_, "parameter": "ids", "type": kind})
            elif "non_public_metrics" in fields and datetime.now(UTC) - tweet.at > timedelta(days=30):
                kind = f"{PROBLEMS}/not-authorized-for-field"
                errors.append({"resource_id": id_, "field": "non_public_metrics", "type": kind})
            else:
                one: dict[str, object] = {"id": id_, "text": tweet.text, "public_metrics": tweet.figures}
                if "non_public_metrics" in fields:
                    one["non_public_metrics"] = {"user_profile_clicks": 0, "url_link_clicks": tweet.clicks}
                data.append(one)
        return Answer(200, ({"data": data} if data else {}) | ({"errors": errors} if errors else {}))

    def _search(self, request: Request) -> Answer:
        name, _colon, conversation = request.args["query"].partition(":")
        most = int(request.args["max_results"])
        if name != "conversation_id" or not 10 <= most <= 100:
            return problem(400, "The query or max_results is not valid.", "invalid-request")
        after = int(request.args.get("since_id", 0))
        start = datetime.fromisoformat(request.args.get("start_time", "2000-01-01T00:00:00Z"))
        week_ago = datetime.now(UTC) - timedelta(days=7)
        if ("start_time" in request.args and start < week_ago) or (
            after and after < int(self.new_id(week_ago))
        ):
            return problem(400, "start_time or since_id lies before the last seven days.", "invalid-request")
        found = [
            tweet
            for tweet in self.tweets.values()
            if tweet.conversation == conversation and int(tweet.id) > after and tweet.at >= start
        ]
        found = sorted(found, key=lambda tweet: int(tweet.id), reverse=True)[:most]
        self.shown_comments += len(found)
        body: dict[str, Any] = {"meta": {"result_count": len(found)}}
        if found:
            body["data"] = [self.shown(tweet) | {"author_id": tweet.author} for tweet in found]
        return Answer(200, body)

    def _timeline(self, request: Request, user: str) -> Answer:
        start = datetime.fromisoformat(request.args["start_time"])
        end = datetime.fromisoformat(request.args.get("end_time", "9999-01-01T00:00:00Z"))
        offset = int(request.args.get("pagination_token", "0"))
        own = [t for t in self.own if start <= t.at <= end and t.id not in self.hidden]
        own = sorted(own, key=lambda t: int(t.id), reverse=True) if user == USER_ID else []
        some = own[offset : offset + min(self.page, int(request.args["max_results"]))]
        body: dict[str, Any] = {"meta": {"result_count": len(some)}}
        if some:
            body["data"] = [self.shown(t) for t in some]
        if offset + len(some) < len(own):
            body["meta"]["next_token"] = str(offset + len(some))
        if self.listing_errors:
            body["errors"] = self.listing_errors
        return Answer(200, body)

    def shown(self, tweet: Tweet) -> dict[str, Any]:
        """The post as X lists it."""
        urls: list[dict[str, object]] = []

        def shorten(match: re.Match[str]) -> str:
            url = match[0] if "://" in match[0] else f"http://{match[0]}"
            short = "https://t.co/" + hashlib.sha256(f"{tweet.id}{url}".encode()).hexdigest()[:10]
            urls.append({"url": short, "expanded_url": url, "display_url": url[8:30]})
            return short

        text = html.escape(_ADDRESS.sub(shorten, tweet.text), quote=False)
        if tweet.media:
            page = f"https://x.com/{NAME}/status/{tweet.id}/photo/1"
            text += " https://t.co/m" + tweet.id[-9:]
            urls += [
                {"url": "https://t.co/m" + tweet.id[-9:], "expanded_url": page, "media_key": f"3_{id_}"}
                for id_ in tweet.media
            ]
        if tweet.reply_to and self.mentions_in_front:
            text = f"@{NAME} {text}"
        one: dict[str, Any] = {
            "id": tweet.id,
            "text": text,
            "created_at": tweet.at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "conversation_id": tweet.conversation,
        }
        if urls:
            one["entities"] = {"urls": urls}
        if tweet.media:
            one["attachments"] = {"media_keys": [f"3_{id_}" for id_ in tweet.media]}
        if tweet.reply_to:
            one["referenced_tweets"] = [{"type": "replied_to", "id": tweet.reply_to}]
        return one

    def _upload(self, request: Request) -> Answer:
        assert request.form["media_category"] == "tweet_image"
        upload = Upload(
            self.new_id(), request.form["media_type"], "tweet_image", request.files["media"].read()
        )
        self.uploads[upload.id] = upload
        return Answer(
            200, {"data": {"id": upload.id, "media_key": f"3_{upload.id}", "expires_after_secs": 86400}}
        )

    def _initialize(self, request: Request) -> Answer:
        about = request.get_json()
        upload = Upload(self.new_id(), about["media_type"], about["media_category"], ready=False)
        upload.total = about["total_bytes"]
        self.uploads[upload.id] = upload
        return Answer(202, {"data": {"id": upload.id, "expires_after_secs": 86400}})

    def _append(self, request: Request, id_: str) -> Answer:
        chunk = request.files["media"].read()
        assert len(chunk) <= 5 * 2**20
        self.uploads[id_].segments[int(request.form["segment_index"])] = chunk
        return Answer(204, b"")

    def _finalize(self, request: Request, id_: str) -> Answer:
        upload = self.uploads[id_]
        upload.content = b"".join(upload.segments[n] for n in range(len(upload.segments)))
        assert len(upload.content) == upload.total
        return Answer(
            200, {"data": {"id": id_, "processing_info": {"state": "pending", "check_after_secs": 3}}}
        )

    def _status(self, request: Request) -> Answer:
        upload = self.uploads.get(request.args["media_id"])
        if request.args["command"] != "STATUS" or upload is None:
            return problem(404, "Could not find media.", "resource-not-found")
        info: dict[str, object] = {"state": "in_progress", "check_after_secs": self.check_after}
        if self.rounds > 0:
            self.rounds -= 1
        elif self.processing_error:
            info = {"state": "failed", "error": self.processing_error}
        else:
            upload.ready, info = True, {"state": "succeeded", "progress_percent": 100}
        return Answer(200, {"data": {"id": upload.id, "processing_info": info}})

    def _metadata(self, request: Request) -> Answer:
        about = request.get_json()
        if about["id"] not in self.uploads:
            return problem(400, "The media is not known.", "invalid-request")
        self.uploads[about["id"]].alt = about["metadata"]["alt_text"]["text"]
        return Answer(200, {"data": {"id": about["id"], "associated_metadata": {}}})


def _authentic(request: Request) -> bool:
    authorization = request.headers.get("Authorization", "")
    if authorization.startswith("OAuth "):
        return _signed(request, authorization)
    return authorization == f"Bearer {BEARER}"


def _signed(request: Request, authorization: str) -> bool:
    """Whether the OAuth 1.0a signature is right for one of X's own hosts (RFC 5849, section 3.4)."""
    sent = {unquote(k): unquote(v) for k, v in re.findall(r'([\w%]+)="([^"]*)"', authorization)}
    if sent.get("oauth_consumer_key") != KEYS["api_key"] or sent.get("oauth_token") != KEYS["access_token"]:
        return False
    signature = sent.pop("oauth_signature", "")
    pairs = sorted(
        (quote(k, safe="~"), quote(v, safe="~")) for k, v in [*sent.items(), *request.args.items()]
    )
    normal = "&".join(f"{k}={v}" for k, v in pairs)
    key = f"{KEYS['api_secret']}&{KEYS['access_token_secret']}".encode()
    for host in ("https://api.x.com", "https://api.twitter.com"):
        base = "&".join(quote(part, safe="~") for part in (request.method, host + request.path, normal))
        mine = base64.b64encode(hmac.new(key, base.encode(), hashlib.sha1).digest()).decode()
        if hmac.compare_digest(mine, signature):
            return True
    return False


@contextmanager
def running() -> Iterator[XPlatform]:
    """Run a fresh X on a loopback port."""
    platform = XPlatform()
    with serving(platform) as platform.loopback:
        yield platform

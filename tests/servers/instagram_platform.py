"""An Instagram of our own: one professional account, its containers, posts, comments and figures.

It fetches media from their addresses as Meta does. Shapes, codes and texts as Meta's documents give them
(PLATFORMS.md, Instagram; graph_spec_extract, April 2026).
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from PIL import Image
from servers.loopback import Answer, Loopback, serving
from werkzeug.wrappers import Request

TOKEN = "EAAG-contoh-token-rahasia-instagram"
USER, NAME, VERSION = "17841400000000001", "diskominfo.contoh", "v26.0"
PERMISSIONS = (
    "instagram_basic",
    "instagram_content_publish",
    "instagram_manage_comments",
    "instagram_manage_insights",
    "pages_read_engagement",
)
#: What people did, as the platform counts it after ``engage``.
FIGURES: dict[str, int] = {
    "views": 40,
    "reach": 31,
    "likes": 7,
    "comments": 2,
    "saved": 3,
    "shares": 4,
    "total_interactions": 16,
    "follows": 1,
    "profile_visits": 5,
    "replies": 1,
    "navigation": 6,
    "ig_reels_avg_watch_time": 4200,
    "ig_reels_video_view_total_time": 168000,
}
NOT_FOR_STORIES = ("likes", "comments", "saved")


@dataclass
class Container:
    params: dict[str, str]
    media: tuple[tuple[str, str], ...] = ()
    """(SHA-256, alt text) of what was fetched or uploaded."""
    polls: int = 0
    """How often its status is asked before it is no longer being processed."""
    status: str = "FINISHED"
    words: str = ""
    sizes: tuple[tuple[int, int], ...] = ()
    uploaded: bool = True
    received: bytes = b""


@dataclass
class Media:
    caption: str
    kind: str
    product: str
    media: tuple[tuple[str, str], ...]
    at: datetime
    comments: dict[str, tuple[str, str]] = field(default_factory=dict)
    """id -> (text, username)"""
    answers: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    """id of a comment -> the answers to it"""
    figures: dict[str, int] | None = None
    insights: list[Answer] = field(default_factory=list)
    unsupported: tuple[str, ...] = ()


@dataclass
class Instagram:
    """The platform's state. ``refuse[edge]`` are answers to give instead of obeying the next calls to it;
    ``lies[edge]`` are given after obeying."""

    containers: dict[str, Container] = field(default_factory=dict)
    media: dict[str, Media] = field(default_factory=dict)
    refuse: dict[str, list[Answer]] = field(default_factory=dict)
    lies: dict[str, list[Answer]] = field(default_factory=dict)
    permissions: tuple[str, ...] = PERMISSIONS
    quota: Mapping[str, Any] = field(
        default_factory=lambda: {"quota_usage": 3, "config": {"quota_total": 50, "quota_duration": 86400}}
    )
    polls: int = 0
    breaks_off: int = 0
    """After so many bytes the next upload breaks off."""
    lists: bool = True
    keeps_at: bool = True
    """False: captions come back without the @ of mentions."""
    page: int = 50
    last_id: int = 17900000000000000

    def new_id(self) -> str:
        self.last_id += 1
        return str(self.last_id)

    def __call__(self, request: Request) -> Answer:
        params = {**dict(request.args), **dict(request.form)}
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if TOKEN not in (token, params.pop("access_token", "")):
            return error(400, 190, 463, "Error validating access token: Session has expired")
        path = request.path.strip("/")
        if path.startswith(f"ig-api-upload/{VERSION}/"):
            return self._upload(path.rpartition("/")[2], scheme, request)
        if not path.startswith(VERSION):
            return error(404, 2500, None, "Unknown path components")
        if "batch" in params:
            return Answer(200, [self._in_batch(call) for call in json.loads(params["batch"])])
        return self._call(request.method, path.removeprefix(VERSION).strip("/"), params)

    def _in_batch(self, call: Mapping[str, str]) -> dict[str, object]:
        parts = urlsplit(call["relative_url"])
        answer = self._call(call["method"], parts.path.strip("/"), dict(parse_qsl(parts.query)))
        return {"code": answer.status, "body": json.dumps(answer.body)}

    def _call(self, method: str, path: str, params: dict[str, str]) -> Answer:
        node, _, edge = path.partition("/")
        name = edge or "node"
        if self.refuse.get(name):
            return self.refuse[name].pop(0)
        if node == "me":
            node = USER
        answer = self._edge(method, node, edge, params)
        if self.lies.get(name):
            return self.lies[name].pop(0)
        return answer

    def _edge(self, method: str, node: str, edge: str, params: dict[str, str]) -> Answer:
        if node == USER:
            return self._user(method, edge, params)
        if node in self.containers and not edge:
            return self._container_status(self.containers[node])
        for one in self.media.values():
            if node in one.comments or any(node in some for some in one.answers.values()):
                return self._comment(method, one, node, edge, params)
        if node not in self.media:
            return error(400, 100, 33, f"Unsupported get request. Object with ID '{node}' does not exist")
        if method == "DELETE":
            del self.media[node]
            return Answer(200, {"success": True})
        return self._medium(method, node, edge, params)

    def _user(self, method: str, edge: str, params: dict[str, str]) -> Answer:
        match method, edge:
            case "GET", "":
                me = {"id": USER, "user_id": USER, "username": NAME, "followers_count": 4096}
                asked = params.get("fields", "id").split(",")
                return Answer(200, {name: me[name] for name in ("id", *asked) if name in me})
            case "GET", "permissions":
                data = [{"permission": name, "status": "granted"} for name in self.permissions]
                return Answer(200, {"data": data})
            case "GET", "content_publishing_limit":
                return Answer(200, {"data": [self.quota]})
            case "GET", "media" | "stories":
                return self._listing(edge, params)
            case "POST", "media":
                return self._make(params)
            case "POST", "media_publish":
                return self._publish(params.get("creation_id", ""))
        return error(400, 2500, None, "Unknown path components")

    def _make(self, params: dict[str, str]) -> Answer:
        container = Container(params, polls=self.polls)
        if len(params.get("caption", "")) > 2200:
            return error(400, 36004, 2207010, "The caption is too long.")
        if address := params.get("image_url") or params.get("video_url"):
            fetched = requests.get(address, timeout=5)
            if fetched.status_code != 200:
                return error(400, 9004, 2207052, "The media could not be fetched from this URI.")
            if "image_url" in params:
                with Image.open(io.BytesIO(fetched.content)) as picture:
                    if picture.format != "JPEG":
                        return error(400, 36001, 2207005, "The image format is not supported.")
                    container.sizes = (picture.size,)
            digest = hashlib.sha256(fetched.content).hexdigest()
            container.media = ((digest, params.get("alt_text", "")),)
        elif params.get("media_type") == "CAROUSEL":
            children = params.get("children", "").split(",")
            if not 2 <= len(children) <= 10 or any(child not in self.containers for child in children):
                return error(400, 100, 2207028, "A carousel needs 2 to 10 items.")
            container.media = tuple(self.containers[child].media[0] for child in children)
        elif params.get("upload_type") == "resumable":
            container.uploaded = False
            container.status = "IN_PROGRESS"
        else:
            return error(400, 100, 2207023, "The media type is not one of the expected ones.")
        id_ = self.new_id()
        self.containers[id_] = container
        return Answer(200, {"id": id_, "uri": f"https://rupload.facebook.com/ig-api-upload/{VERSION}/{id_}"})

    def _upload(self, id_: str, scheme: str, request: Request) -> Answer:
        container, offset = self.containers[id_], int(request.headers.get("offset", -1))
        content = container.received[:offset] + request.get_data()
        wrong = offset > len(container.received) or int(request.headers.get("file_size", -1)) != len(content)
        if scheme != "OAuth" or offset < 0 or wrong:
            return Answer(400, {"debug_info": {"retriable": False, "type": "ProcessingFailedError"}})
        if self.breaks_off:
            container.received, self.breaks_off = content[: self.breaks_off], 0
            return Answer(500, {"debug_info": {"retriable": True, "type": "PartialRequestError"}})
        container.received = content
        container.media = ((hashlib.sha256(content).hexdigest(), ""),)
        container.uploaded, container.status = True, "FINISHED"
        return Answer(200, {"success": True, "message": "Upload successful."})

    def _container_status(self, container: Container) -> Answer:
        status = container.status
        if container.polls > 0:
            container.polls -= 1
            status = "IN_PROGRESS"
        uploading = {"status": "complete" if container.uploaded else "in_progress"}
        told = {"uploading_phase": {**uploading, "bytes_transferred": len(container.received)}}
        answer = {"status_code": status, "status": container.words or status.title(), "id": "1"}
        return Answer(200, answer | ({"video_status": told} if "upload_type" in container.params else {}))

    def _publish(self, id_: str) -> Answer:
        container = self.containers.get(id_)
        if container is None:
            return error(400, 24, 2207008, "The media builder with this creation id does not exist.")
        if container.status == "EXPIRED":
            return error(400, -2, 2207020, "The media you are trying to access has expired.")
        if container.status != "FINISHED" or container.polls:
            return error(400, 9007, 2207027, "The media is not ready to be published. Please wait.")
        container.status = "PUBLISHED"
        params = container.params
        kind, product = ("VIDEO", "REELS") if params.get("media_type") == "REELS" else ("IMAGE", "FEED")
        if params.get("media_type") == "CAROUSEL":
            kind = "CAROUSEL_ALBUM"
        if params.get("media_type") == "STORIES":
            kind, product = "VIDEO" if "video_url" in params else "IMAGE", "STORY"
        media_id = self.new_id()
        caption = params.get("caption", "").strip()
        self.media[media_id] = Media(caption, kind, product, container.media, datetime.now(UTC))
        return Answer(200, {"id": media_id})

    def _listing(self, edge: str, params: dict[str, str]) -> Answer:
        shown = [
            (id_, one)
            for id_, one in reversed(self.media.items())
            if self.lists and (one.product == "STORY") == (edge == "stories")
        ]
        start, size = int(params.get("after") or 0), min(int(params.get("limit") or 25), self.page)
        answer: dict[str, Any] = {"data": [self._listed(*item) for item in shown[start : start + size]]}
        if answer["data"]:
            answer["paging"] = {"cursors": {"before": str(start), "after": str(start + size)}}
            if start + size < len(shown):
                answer["paging"]["next"] = f"https://graph.facebook.com/next?access_token={TOKEN}"
        return Answer(200, answer)

    def _listed(self, id_: str, one: Media) -> dict[str, Any]:
        item: dict[str, Any] = {
            "id": id_,
            "timestamp": one.at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
            "permalink": f"https://www.instagram.com/p/{id_}/",
            "media_type": one.kind,
            "media_product_type": one.product,
        }
        if one.caption:
            item["caption"] = one.caption if self.keeps_at else one.caption.replace("@", "")
        if one.kind == "CAROUSEL_ALBUM":
            item["children"] = {"data": [{"id": str(n)} for n in range(len(one.media))]}
        return item

    def _medium(self, method: str, id_: str, edge: str, params: dict[str, str]) -> Answer:
        one = self.media[id_]
        match method, edge:
            case "GET", "":
                return Answer(200, self._listed(id_, one))
            case "GET", "insights":
                return self._insights(one, params["metric"].split(","))
            case "GET", "comments":
                at = "2026-12-09T01:00:00+0000"
                data = [
                    {"id": c, "text": text, "username": by, "timestamp": at}
                    for c, (text, by) in one.comments.items()
                ]
                return Answer(200, {"data": data})
            case "POST", "comments":
                comment = self.new_id()
                one.comments[comment] = (params["message"].strip(), NAME)
                return Answer(200, {"id": comment})
        return error(400, 2500, None, "Unknown path components")

    def _comment(self, method: str, one: Media, id_: str, edge: str, params: dict[str, str]) -> Answer:
        above = next((top for top, some in one.answers.items() if id_ in some), "")
        match method, edge:
            case "GET", "":
                return Answer(200, {"id": id_} | ({"parent_id": above} if above else {}))
            case "DELETE", "":
                one.comments.pop(id_, None)
                one.answers.pop(id_, None)
                for some in one.answers.values():
                    some.pop(id_, None)
                return Answer(200, {"success": True})
            case "GET", "replies":
                at = "2026-12-09T01:00:00+0000"
                data = [
                    {"id": answer, "text": text, "username": by, "timestamp": at}
                    for answer, (text, by) in one.answers.get(id_, {}).items()
                ]
                return Answer(200, {"data": data})
            case "POST", "replies":
                answer = self.new_id()
                one.answers.setdefault(above or id_, {})[answer] = (params["message"].strip(), NAME)
                return Answer(200, {"id": answer})
        return error(400, 2500, None, "Unknown path components")

    def _insights(self, one: Media, names: list[str]) -> Answer:
        if one.insights:
            return one.insights.pop(0)
        wrong = [
            n for n in names if (one.product == "STORY" and n in NOT_FOR_STORIES) or n in one.unsupported
        ]
        if wrong:
            return error(400, 100, 2108006, f"(#100) metric {wrong[0]} is not supported for this media")
        told = one.figures or {}
        return Answer(
            200,
            {
                "data": [
                    {"name": n, "period": "lifetime", "values": [{"value": told[n]}]}
                    for n in names
                    if n in told
                ]
            },
        )


def error(status: int, code: int, subcode: int | None, words: str) -> Answer:
    """An error in the shape of the Graph API."""
    content: dict[str, Any] = {"message": words, "type": "OAuthException", "code": code, "fbtrace_id": "A1b2"}
    if subcode is not None:
        content |= {"error_subcode": subcode, "is_transient": False}
    return Answer(status, {"error": content})


@contextmanager
def instagram() -> Iterator[tuple[Instagram, Loopback]]:
    """Run it; give its state and its address."""
    platform = Instagram()
    with serving(platform) as loopback:
        yield platform, loopback


__all__ = ["FIGURES", "NAME", "TOKEN", "USER", "Container", "Instagram", "Media", "error", "instagram"]

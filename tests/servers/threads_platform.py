"""A Threads of our own: one profile, its containers, posts, replies and figures.

It fetches media from their addresses as Meta does. Shapes, codes and texts as Meta's Threads documents and
public reports give them (PLATFORMS.md, Threads).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import requests
from servers.instagram_platform import error
from servers.loopback import Answer, Loopback, serving
from werkzeug.wrappers import Request

TOKEN = "THAA-contoh-token-rahasia-threads"
FOLLOWERS = 777
USER, NAME = "26000000000000001", "diskominfo.contoh"
SCOPES = (
    "threads_basic",
    "threads_content_publish",
    "threads_manage_insights",
    "threads_manage_replies",
    "threads_read_replies",
    "threads_delete",
)
FIGURES = {"views": 90, "likes": 8, "replies": 3, "reposts": 2, "quotes": 1, "shares": 4}


@dataclass
class Container:
    params: dict[str, str]
    media: tuple[tuple[str, str], ...] = ()
    polls: int = 0
    status: str = "FINISHED"
    words: str = ""


@dataclass
class Thread:
    """One post, or one reply."""

    text: str
    kind: str
    media: tuple[tuple[str, str], ...] = ()
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    reply_to: str = ""
    link: str = ""
    owner: str = NAME
    figures: dict[str, int] | None = None
    unsupported: tuple[str, ...] = ()


@dataclass
class Threads:
    """The platform's state. ``refuse[edge]`` are answers to give instead of obeying the next calls to it;
    ``lies[edge]`` are given after obeying."""

    containers: dict[str, Container] = field(default_factory=dict)
    posts: dict[str, Thread] = field(default_factory=dict)
    refuse: dict[str, list[Answer]] = field(default_factory=dict)
    lies: dict[str, list[Answer]] = field(default_factory=dict)
    scopes: tuple[str, ...] = SCOPES
    used: int = 3
    replies_used: int = 0
    polls: int = 0
    lists: bool = True
    forgets: bool = False
    """True: a published container is no longer known as one (seen in 2026)."""
    last_id: int = 18000000000000000

    def new_id(self) -> str:
        self.last_id += 1
        return str(self.last_id)

    def __call__(self, request: Request) -> Answer:
        params = {**dict(request.args), **dict(request.form)}
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return error(400, 190, 463, "Error validating access token: Session has expired")
        version, _, path = request.path.strip("/").partition("/")
        if version != "v1.0":
            return error(404, 2500, None, "Unknown path components")
        node, _, edge = path.partition("/")
        name = edge or ("debug_token" if node == "debug_token" else "node")
        if self.refuse.get(name):
            return self.refuse[name].pop(0)
        answer = self._edge(request.method, USER if node == "me" else node, edge, params)
        return self.lies[name].pop(0) if self.lies.get(name) else answer

    def _edge(self, method: str, node: str, edge: str, params: dict[str, str]) -> Answer:
        if node == "debug_token":
            return Answer(200, {"data": {"is_valid": True, "user_id": USER, "scopes": list(self.scopes)}})
        if node == USER:
            return self._user(method, edge, params)
        if node in self.containers and not edge:
            return self._container(self.containers[node])
        if node not in self.posts:
            return error(400, 100, 33, f"Unsupported get request. Object with ID '{node}' does not exist")
        if method == "DELETE":
            del self.posts[node]
            return Answer(200, {"success": True, "deleted_id": node})
        if edge == "insights":
            return self._insights(self.posts[node], params["metric"].split(","))
        if edge == "conversation":
            return self._conversation(node)
        return Answer(200, self._listed(node, self.posts[node]))

    def _user(self, method: str, edge: str, params: dict[str, str]) -> Answer:
        match method, edge:
            case "GET", "":
                return Answer(200, {"id": USER, "username": NAME})
            case "GET", "threads_insights":
                # Followers have one total, not a value for each day (Threads API, "Insights").
                assert params["metric"] == "followers_count"
                total = {"name": "followers_count", "period": "day", "total_value": {"value": FOLLOWERS}}
                return Answer(200, {"data": [total]})
            case "GET", "threads_publishing_limit":
                return Answer(
                    200,
                    {
                        "data": [
                            {
                                "quota_usage": self.used,
                                "config": {"quota_total": 250, "quota_duration": 86400},
                                "reply_quota_usage": self.replies_used,
                                "reply_config": {"quota_total": 1000, "quota_duration": 86400},
                            }
                        ]
                    },
                )
            case "GET", "threads" | "replies":
                if int(params["since"]) > datetime.now(UTC).timestamp():
                    return error(400, 100, None, "Param since must not be in the future")
                shown = [
                    self._listed(id_, one)
                    for id_, one in reversed(self.posts.items())
                    if self.lists and one.owner == NAME and bool(one.reply_to) == (edge == "replies")
                ]
                return Answer(200, {"data": shown, "paging": {"cursors": {"before": "a", "after": "b"}}})
            case "POST", "threads":
                return self._make(params)
            case "POST", "threads_publish":
                return self._publish(params.get("creation_id", ""))
        return error(400, 2500, None, "Unknown path components")

    def _make(self, params: dict[str, str]) -> Answer:
        if len(params.get("text", "")) > 500:
            return error(400, 100, None, "Param text must be at most 500 characters long.")
        reply_to = params.get("reply_to_id", "")
        if reply_to and reply_to not in self.posts:
            return error(400, 24, 4279009, "The requested resource does not exist")
        container = Container(params, polls=self.polls)
        kind = params.get("media_type")
        if kind == "CAROUSEL":
            children = params["children"].split(",")
            if not 2 <= len(children) <= 20:
                return error(400, 100, None, "A carousel needs 2 to 20 items.")
            container.media = tuple(self.containers[child].media[0] for child in children)
        elif kind in ("IMAGE", "VIDEO"):
            fetched = requests.get(params[f"{kind.lower()}_url"], timeout=5)
            digest = hashlib.sha256(fetched.content).hexdigest()
            container.media = ((digest, params.get("alt_text", "")),)
        elif kind != "TEXT" or not params.get("text"):
            return error(400, 100, None, "Param text is required for TEXT posts.")
        id_ = self.new_id()
        self.containers[id_] = container
        return Answer(200, {"id": id_})

    def _container(self, container: Container) -> Answer:
        status = container.status
        if container.polls > 0:
            container.polls -= 1
            status = "IN_PROGRESS"
        if status == "PUBLISHED" and self.forgets:
            return error(400, 100, None, "Tried accessing nonexisting field (status)")
        return Answer(200, {"id": "1", "status": status, "error_message": container.words or None})

    def _publish(self, id_: str) -> Answer:
        container = self.containers.get(id_)
        if container is None or container.status != "FINISHED" or container.polls:
            return error(400, 24, 4279009, "The requested resource does not exist")
        container.status = "PUBLISHED"
        params, post_id = container.params, self.new_id()
        kind = {"TEXT": "TEXT_POST", "CAROUSEL": "CAROUSEL_ALBUM"}.get(
            params["media_type"], params["media_type"]
        )
        self.posts[post_id] = Thread(
            params.get("text", "").strip(),
            kind,
            container.media,
            reply_to=params.get("reply_to_id", ""),
            link=params.get("link_attachment", ""),
        )
        return Answer(200, {"id": post_id})

    def _listed(self, id_: str, one: Thread) -> dict[str, Any]:
        item: dict[str, Any] = {
            "id": id_,
            "timestamp": one.at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
            "permalink": f"https://www.threads.net/@{NAME}/post/{id_}",
            "media_type": one.kind,
            "username": one.owner,
            "is_reply_owned_by_me": one.owner == NAME,
        }
        if one.text:
            item["text"] = one.text
        if one.link:
            item["link_attachment_url"] = one.link
        if one.reply_to:
            item["replied_to"] = {"id": one.reply_to}
        if one.kind == "CAROUSEL_ALBUM":
            item["children"] = {"data": [{"id": str(n)} for n in range(len(one.media))]}
        return item

    def _conversation(self, root: str) -> Answer:
        inside = {root}
        for id_, one in self.posts.items():
            if one.reply_to in inside:
                inside.add(id_)
        data = [self._listed(id_, one) for id_, one in self.posts.items() if id_ in inside - {root}]
        return Answer(200, {"data": data})

    def _insights(self, one: Thread, names: list[str]) -> Answer:
        if wrong := [name for name in names if name in one.unsupported]:
            return error(400, 100, None, f"(#100) metric {wrong[0]} is not supported")
        told = one.figures or {}
        data = [{"name": n, "period": "lifetime", "values": [{"value": told[n]}]} for n in names if n in told]
        return Answer(200, {"data": data})


@contextmanager
def threads() -> Iterator[tuple[Threads, Loopback]]:
    """Run it; give its state and its address."""
    platform = Threads()
    with serving(platform) as loopback:
        yield platform, loopback


__all__ = ["FIGURES", "NAME", "TOKEN", "USER", "Container", "Thread", "Threads", "threads"]

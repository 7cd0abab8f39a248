"""A Graph API of our own for one Page: its posts, photos, videos, reels, comments, insights.

Answers and error shapes as Meta documents them (PLATFORMS.md, "Facebook Page").
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from servers.graph_core import APP_TOKEN, TOKEN, VERSION, Graph, Oddity, missing, names, refusal, taken
from servers.loopback import Answer, Loopback, serving
from werkzeug.wrappers import Request

PAGE = "108000000000001"
SCOPES = (
    "pages_manage_posts",
    "pages_read_engagement",
    "pages_manage_engagement",
    "pages_read_user_content",
    "pages_show_list",
    "read_insights",
)


@dataclass
class Photo:
    id: str
    sha256: str
    alt: str
    published: bool


@dataclass
class Video:
    id: str
    reel: bool
    size: int = 0
    session: str = ""
    content: bytes = b""
    uploaded: bool = False
    finished: bool = False
    published: bool = False
    looks: int = 0
    description: str = ""
    post_id: str = ""
    expired: bool = False


@dataclass
class PagePost:
    id: str
    message: str
    link: str = ""
    photos: list[str] = field(default_factory=list)
    video: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    insights: dict[str, Any] = field(default_factory=dict)
    reactions: int = 0
    shares: int = 0


@dataclass
class PagePlatform(Graph):
    """One Page. ``slow`` is how many looks a video stays in processing, ``spoiled`` why it fails there."""

    posts: list[PagePost] = field(default_factory=list)
    photos: dict[str, Photo] = field(default_factory=dict)
    videos: dict[str, Video] = field(default_factory=dict)
    scopes: tuple[str, ...] = SCOPES
    debuggable: bool = True
    slow: int = 0
    spoiled: str = ""
    chunk: int = 2500
    metrics: tuple[str, ...] = (
        "post_media_view",
        "post_total_media_view_unique",
        "post_clicks",
        "post_video_views",
    )
    page_size: int = 100

    def node(self, request: Request, parts: list[str]) -> Answer:
        name, edge = parts[0], (parts[1] if len(parts) > 1 else "")
        if name == "debug_token":
            return self._debug(request)
        if name in (PAGE, "me"):
            handler = getattr(self, f"_{request.method}_page_{edge}".rstrip("_"), None)
            return handler(request) if handler else refusal(400, 100, None, "Unknown path components")
        if (post := next((p for p in self.posts if p.id == name), None)) is not None:
            handler = getattr(self, f"_{request.method}_post_{edge}".rstrip("_"), None)
            return handler(request, post) if handler else refusal(400, 100, None, "Unknown path components")
        for post in self.posts:
            if (comment := next((c for c in post.comments if c["id"] == name), None)) is not None:
                return self._comment(request, post, comment, edge)
        if name in self.videos and request.method == "GET":
            return self._GET_video(request, self.videos[name])
        return missing(name)

    def other(self, request: Request, parts: list[str]) -> Answer:
        if parts[:2] == ["video-upload", VERSION] and parts[2] in self.videos:
            return self._rupload(request, self.videos[parts[2]])
        return super().other(request, parts)

    def _debug(self, request: Request) -> Answer:
        if not self.debuggable or request.args["input_token"] != self.token:
            return refusal(400, 100, None, "(#100) You must provide an app access token")
        return Answer(200, {"data": {"is_valid": True, "type": "PAGE", "scopes": list(self.scopes)}})

    def _GET_page(self, request: Request) -> Answer:  # noqa: N802
        link = f"https://www.facebook.com/{PAGE}"
        page = {"id": PAGE, "name": "Diskominfo Contoh", "link": link, "followers_count": 2048}
        return taken(page, request, {"name", "link", "followers_count"})

    def _POST_page_feed(self, request: Request) -> Answer:  # noqa: N802
        form = request.form
        media = json.loads(form.get("attached_media", "[]"))
        ids = [one["media_fbid"] for one in media]
        if not (form.get("message") or form.get("link") or ids):
            return refusal(400, 100, None, "(#100) Parameter message or link is required")
        if any(id_ not in self.photos or self.photos[id_].published for id_ in ids):
            return refusal(400, 100, None, "(#100) The photo of attached_media cannot be used")
        if ids and form.get("link"):
            return refusal(400, 100, None, "(#100) Only one of link and attached_media may be given")
        for id_ in ids:
            self.photos[id_].published = True
        post = self._add(form.get("message", ""), form.get("link", ""), ids)
        return taken(self._shown(post), request, {"permalink_url"})

    def _POST_page_photos(self, request: Request) -> Answer:  # noqa: N802
        file = request.files["source"]
        content = file.read()
        if file.mimetype not in ("image/jpeg", "image/png") or len(content) > 4_000_000:
            return refusal(400, 100, 1366046, "(#100) Your photos couldn't be uploaded.")
        public = request.form.get("published", "true") == "true"
        digest = hashlib.sha256(content).hexdigest()
        photo = Photo(self.new_id(), digest, request.form.get("alt_text_custom", ""), public)
        self.photos[photo.id] = photo
        if not public:
            return Answer(200, {"id": photo.id})
        post = self._add(request.form.get("message", ""), "", [photo.id])
        return Answer(200, {"id": photo.id, "post_id": post.id})

    def _POST_page_videos(self, request: Request) -> Answer:  # noqa: N802
        form = request.form
        if form["upload_phase"] == "start":
            video = Video(self.new_id(), False, int(form["file_size"]), session=self.new_id())
            self.videos[video.id] = video
            start = {"video_id": video.id, "upload_session_id": video.session}
            return Answer(200, start | self._offsets(video))
        sessions = {one.session: one for one in self.videos.values() if one.session}
        if (found := sessions.get(form["upload_session_id"])) is None or found.expired:
            return refusal(400, 100, 1363033, "(#100) The upload session is not valid any more")
        if form["upload_phase"] == "transfer":
            if int(form["start_offset"]) != len(found.content):
                return refusal(400, 100, 1363037, "(#100) The start offset is wrong")
            found.content += request.files["video_file_chunk"].read()
            found.uploaded = len(found.content) == found.size
            return Answer(200, self._offsets(found))
        return self._finish(found, form)

    def _offsets(self, video: Video) -> dict[str, Any]:
        start = len(video.content)
        return {"start_offset": str(start), "end_offset": str(min(start + self.chunk, video.size))}

    def _POST_page_video_reels(self, request: Request) -> Answer:  # noqa: N802
        form = request.form
        if form["upload_phase"] == "start":
            video = Video(self.new_id(), True)
            self.videos[video.id] = video
            url = f"https://rupload.facebook.com/video-upload/{VERSION}/{video.id}"
            return Answer(200, {"video_id": video.id, "upload_url": url})
        assert form["video_state"] == "PUBLISHED"
        return self._finish(self.videos[form["video_id"]], form)

    def _rupload(self, request: Request, video: Video) -> Answer:
        offset, size = int(request.headers["offset"]), int(request.headers["file_size"])
        if not request.headers["Authorization"].startswith("OAuth ") or offset != len(video.content):
            return Answer(400, {"debug_info": {"retriable": False, "message": "PartialRequestError"}})
        video.content += request.data
        video.size, video.uploaded = size, len(video.content) == size
        return Answer(200, {"success": True})

    def _finish(self, video: Video, form: Mapping[str, str]) -> Answer:
        if not video.uploaded:
            return refusal(400, 100, None, "(#100) The video was not uploaded")
        if video.finished:
            return refusal(400, 100, None, "(#100) The video was published already")
        video.finished, video.description = True, form.get("description", "")
        video.post_id = f"{PAGE}_{self.new_id()}"
        if not self.slow:
            self._process(video)
        answer: dict[str, object] = {"success": True}
        return Answer(200, answer | ({"post_id": video.post_id} if video.reel else {}))

    def _process(self, video: Video) -> None:
        if not self.spoiled and not video.published:
            video.published = True
            self.posts.append(PagePost(video.post_id, video.description, video=video.id))

    def _GET_video(self, request: Request, video: Video) -> Answer:  # noqa: N802
        if video.finished and not video.published:
            video.looks += 1
            if video.looks > self.slow:
                self._process(video)
        spoiled = bool(self.spoiled) and video.finished and video.looks > self.slow
        whole = "processing" if video.finished else "upload_complete" if video.uploaded else "uploading"
        publishing = "in_progress" if video.finished else "not_started"
        processing: dict[str, Any] = {"status": publishing}
        if video.published:
            whole, publishing, processing = "ready", "complete", {"status": "complete"}
        elif spoiled:
            whole, processing = "error", {"status": "error", "error": {"message": self.spoiled}}
        uploading = {
            "status": "complete" if video.uploaded else "in_progress",
            "bytes_transferred": len(video.content),
        }
        shown: dict[str, Any] = {
            "id": video.id,
            "status": {
                "video_status": "expired" if video.expired else whole,
                "uploading_phase": uploading,
                "processing_phase": processing,
                "publishing_phase": {"status": publishing},
            },
        }
        if video.published:
            path = f"reel/{video.id}" if video.reel else f"{PAGE}/videos/{video.id}"
            shown |= {"post_id": video.post_id.partition("_")[2], "permalink_url": f"/{path}/"}
        return taken(shown, request, {"status", "post_id", "permalink_url"})

    def _GET_page_published_posts(self, request: Request) -> Answer:  # noqa: N802
        listed = sorted(self.posts, key=lambda post: post.created, reverse=True)
        start = int(request.args.get("after") or 0)
        end = start + min(int(request.args.get("limit", 25)), self.page_size)
        known = {"message", "created_time", "permalink_url", "attachments"}
        data = [taken(self._shown(post), request, known).body for post in listed[start:end]]
        paging: dict[str, Any] = {"cursors": {"before": str(start), "after": str(end)}}
        if end < len(listed):
            paging["next"] = f"https://graph.facebook.com/{VERSION}/x?access_token={self.token}&after={end}"
        return Answer(200, {"data": data, "paging": paging})

    def _GET_post(self, request: Request, post: PagePost) -> Answer:  # noqa: N802
        shown = self._shown(post) | {
            "reactions": {"data": [], "summary": {"total_count": post.reactions}},
            "comments": {"data": [], "summary": {"total_count": len(post.comments)}},
        }
        if post.shares:
            shown["shares"] = {"count": post.shares}
        known = {"message", "created_time", "permalink_url", "attachments", "reactions", "comments", "shares"}
        return taken(shown, request, known)

    def _DELETE_post(self, request: Request, post: PagePost) -> Answer:  # noqa: N802
        self.posts.remove(post)
        return Answer(200, {"success": True})

    def _POST_post_comments(self, request: Request, post: PagePost) -> Answer:  # noqa: N802
        comment = {"id": f"{post.id.partition('_')[2]}_{self.new_id()}", "message": request.form["message"]}
        post.comments.append(comment | {"from": {"id": PAGE, "name": "Diskominfo Contoh"}})
        return Answer(200, {"id": comment["id"]})

    def _GET_post_comments(self, request: Request, post: PagePost) -> Answer:  # noqa: N802
        return Answer(200, {"data": post.comments})

    def comment(self, post: PagePost, message: str, parent: str = "", by: str = "77") -> str:
        """Let somebody write under a post, or under a comment of it; return the comment's id."""
        id_ = f"{post.id.partition('_')[2]}_{self.new_id()}"
        said = {"id": id_, "message": message, "from": {"id": by, "name": "Warga"}}
        said["created_time"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
        post.comments.append(said | ({"parent": {"id": parent}} if parent else {}))
        return id_

    def _comment(self, request: Request, post: PagePost, comment: dict[str, Any], edge: str) -> Answer:
        answers = [one for one in post.comments if one.get("parent") == {"id": comment["id"]}]
        match request.method, edge:
            case "GET", "":
                shown = {"id": comment["id"], "permalink_url": f"https://www.facebook.com/c/{comment['id']}"}
                return taken(shown, request, {"permalink_url"})
            case "GET", "comments":
                return Answer(200, {"data": answers})
            case "POST", "comments":
                return Answer(200, {"id": self.comment(post, request.form["message"], comment["id"], PAGE)})
            case "DELETE", "":
                post.comments = [one for one in post.comments if one not in (comment, *answers)]
                return Answer(200, {"success": True})
        return refusal(400, 100, None, "Unknown path components")

    def _GET_post_insights(self, request: Request, post: PagePost) -> Answer:  # noqa: N802
        asked = request.args["metric"].split(",")
        if any(metric not in self.metrics for metric in asked):
            return refusal(400, 100, None, "(#100) The value must be a valid insights metric")
        rows = [
            {"name": metric, "period": "lifetime", "values": [{"value": post.insights[metric]}]}
            for metric in asked
            if metric in post.insights
        ]
        return Answer(200, {"data": rows, "paging": {}})

    def _add(self, message: str, link: str, photos: list[str]) -> PagePost:
        post = PagePost(f"{PAGE}_{self.new_id()}", message, link, photos)
        self.posts.append(post)
        return post

    def _shown(self, post: PagePost) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": post.id,
            "created_time": post.created.strftime("%Y-%m-%dT%H:%M:%S+0000"),
            "permalink_url": f"https://www.facebook.com/{PAGE}/posts/{post.id.partition('_')[2]}",
        }
        if post.message:
            shown["message"] = post.message
        if attached := self._attached(post):
            shown["attachments"] = {"data": attached}
        return shown

    def _attached(self, post: PagePost) -> list[dict[str, Any]]:
        photos = [{"media_type": "photo", "target": {"id": id_}} for id_ in post.photos]
        if len(photos) > 1:
            return [{"media_type": "album", "target": {"id": "1"}, "subattachments": {"data": photos}}]
        if post.video:
            return [{"media_type": "video", "target": {"id": post.video}}]
        if photos:
            return list(photos)
        url = post.link or next(iter(re.findall(r"https?://\S+", post.message)), "")
        if not url:
            return []
        marked = url.partition("#")[0] + ("&" if "?" in url else "?") + "fbclid=abc"
        shim = f"https://l.facebook.com/l.php?u={quote(marked, safe='')}&h=AT0"
        return [{"media_type": "link", "url": shim, "target": {"url": shim}}]


@contextmanager
def running_page() -> Iterator[tuple[PagePlatform, Loopback]]:
    """Run a Page's Graph API on loopback."""
    platform = PagePlatform()
    with serving(platform) as loopback:
        yield platform, loopback


__all__ = [
    "APP_TOKEN",
    "PAGE",
    "TOKEN",
    "VERSION",
    "Graph",
    "Oddity",
    "PagePlatform",
    "PagePost",
    "missing",
    "names",
    "refusal",
    "running_page",
    "taken",
]

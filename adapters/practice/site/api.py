"""The practice network's HTTP interface for programs: JSON in, JSON out, UTC times.

A refusal is always ``{"error": {"code", "message"}}`` with a 4xx status, and nothing is stored then.
Calls here never count as views: only people's pages do.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, make_response, request, url_for

from adapters.contract import N_
from adapters.practice.site.site import site
from adapters.practice.site.storage import Comment, StoredPost, Upload

api = Blueprint("api", __name__, url_prefix="/api")

HANDLE = re.compile(r"[A-Za-z0-9_.]{1,50}")
TEXT, COMMENT, LINK, MEDIA, ALT, IDS = 2000, 1000, 2000, 10, 1000, 100
PICTURE_BYTES = 20 * 1024 * 1024
_FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}


class RefusedError(Exception):
    """A request that the network does not accept: what is wrong, for the program and for a person."""

    def __init__(self, code: str, message: str, status: int = 422, **values: object) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.values = code, message, status, values


@api.errorhandler(RefusedError)
def refused(error: RefusedError) -> Response:
    message = site().translate(error.message).format(**error.values)
    return make_response(jsonify(error={"code": error.code, "message": message}), error.status)


@api.get("/me")
def me() -> Response:
    handle = _handle(request.args.get("account"))
    url = url_for("pages.account", handle=handle, _external=True)
    posts, followers = dict(site().storage.accounts()).get(handle, 0), site().storage.followers(handle)
    return jsonify(id=handle.lower(), name=f"@{handle}", url=url, posts=posts, followers=followers)


@api.post("/media")
def upload() -> Response:
    """Take the bytes of one picture; what it is decides the content, not the name."""
    from PIL import Image

    content = request.get_data()
    try:
        with Image.open(io.BytesIO(content)) as picture:
            mime, (width, height) = _FORMATS[picture.format or ""], picture.size
    except (OSError, KeyError, Image.DecompressionBombError) as error:
        raise RefusedError("not-a-picture", N_("Only JPEG, PNG, GIF and WebP pictures are taken.")) from error
    name = request.args.get("filename", "")[:200]
    id_ = site().storage.add_media(Upload(content, mime, name, width, height))
    return make_response(jsonify(id=str(id_), width=width, height=height), 201)


@api.post("/posts")
def publish() -> Response:
    """Store a post, then answer: late, or with a lost answer, if the workshop wants it so."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise RefusedError("not-json", N_("The request is not a JSON object."), 400)
    handle = _handle(body.get("account"))
    text, link = _text(body, "text", TEXT), _link(_text(body, "link", LINK))
    media = _media(body.get("media", []))
    if not text.strip() and not media:
        raise RefusedError("empty-post", N_("A post needs text or a picture."))
    here = site()
    id_ = here.storage.add_post(handle, text, link, media, here.now())
    if id_ is None:
        raise RefusedError("unknown-media", N_("A picture of the post was never uploaded, or is gone."))
    if (lost := _lost_or_late()) is not None:
        return lost
    return make_response(jsonify(id=str(id_), url=_address(id_)), 201)


def _lost_or_late() -> Response | None:
    """Wait as the workshop wants it; a gateway's page if it wants this answer lost."""
    here = site()
    lost = here.faults.loses_this_answer()
    if here.faults.delay > 0:
        here.wait(here.faults.delay)
    if lost:
        return make_response(("<h1>502 Bad Gateway</h1>", 502, {"Content-Type": "text/html"}))
    return None


@api.get("/accounts/<handle>/posts")
def listing(handle: str) -> Response:
    """All posts of an account since a moment, complete, oldest first."""
    since = None
    if value := request.args.get("since"):
        try:
            since = datetime.fromisoformat(value)
        except ValueError as error:
            raise RefusedError(
                "bad-time", N_("{value} is no time like 2026-12-09T01:00:00Z."), 400, value=value
            ) from error
        since = since.replace(tzinfo=UTC) if since.tzinfo is None else since
    return jsonify(posts=[_shown(post) for post in site().storage.posts(_handle(handle), since=since)])


def _asked() -> Iterable[StoredPost]:
    """The posts that are there, of those whose ids were asked for."""
    ids = [id_ for id_ in request.args.get("ids", "").split(",") if id_]
    if len(ids) > IDS:
        raise RefusedError("too-many-ids", N_("At most {limit} ids in one call."), 400, limit=IDS)
    return site().storage.by_id(_number(id_) for id_ in ids)


@api.get("/posts/comments")
def comments() -> Response:
    """The comments under many posts at once; an id that is not there is left out."""
    return jsonify(
        posts={
            str(post.id): [_said(post.id, comment) for comment in site().storage.comments(post.id)]
            for post in _asked()
        }
    )


@api.post("/comments/<id_>/answers")
def answer(id_: str) -> Response:
    """Let an account answer a comment; late, or with a lost answer, as with posts."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise RefusedError("not-json", N_("The request is not a JSON object."), 400)
    handle, text = _handle(body.get("account")), _text(body, "text", COMMENT)
    if not text.strip():
        raise RefusedError("empty-comment", N_("An answer needs a text."))
    here = site()
    if (said := here.storage.add_answer(handle, _number(id_), text, here.now())) is None:
        raise RefusedError("no-comment", N_("There is no such comment."), 404)
    if (lost := _lost_or_late()) is not None:
        return lost
    return make_response(jsonify(id=str(said.id)), 201)


@api.delete("/comments/<id_>")
def delete_comment(id_: str) -> Response:
    if not site().storage.delete_comment(_number(id_)):
        raise RefusedError("not-found", N_("There is no such comment."), 404)
    return jsonify(deleted=True)


@api.get("/posts/stats")
def stats() -> Response:
    """The figures of many posts at once; an id that is not there is left out."""
    posts = _asked()
    names = ("views", "reach", "likes", "comments", "clicks")
    return jsonify(posts={str(post.id): {name: getattr(post, name) for name in names} for post in posts})


@api.delete("/posts/<id_>")
def delete(id_: str) -> Response:
    if not site().storage.delete_post(_number(id_)):
        raise RefusedError("not-found", N_("There is no such post."), 404)
    return jsonify(deleted=True)


@api.route("/", defaults={"_path": ""}, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
@api.route("/<path:_path>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def nothing_here(_path: str) -> Response:
    raise RefusedError("unknown-call", N_("The practice network has no such call."), 404)


def _handle(value: object) -> str:
    if not isinstance(value, str) or not HANDLE.fullmatch(value):
        raise RefusedError(
            "bad-account", N_("An account's name has 1 to 50 letters, digits, dots or underscores."), 400
        )
    return value


def _text(body: dict[str, Any], name: str, limit: int) -> str:
    value = body.get(name, "")
    if not isinstance(value, str):
        raise RefusedError("bad-field", N_("The field {name} is not a text."), 400, name=name)
    if len(value) > limit:
        raise RefusedError(
            f"{name}-too-long",
            N_("The field {name} has {length} characters; at most {limit} are taken."),
            name=name,
            length=len(value),
            limit=limit,
        )
    return value


def _link(value: str) -> str:
    """Only web addresses: the link becomes a target for people's browsers."""
    if not value:
        return value
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and parts.hostname and not re.search(r"[\s\\]", value)
    except ValueError:
        usable = False
    if not usable:
        raise RefusedError("bad-link", N_("The link must begin with https:// or http://."))
    return value


def _media(value: object) -> list[tuple[int, str]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise RefusedError("bad-field", N_("The field media is not a list of objects."), 400)
    if len(value) > MEDIA:
        raise RefusedError("too-many-media", N_("At most {limit} pictures in one post."), limit=MEDIA)
    return [(_number(item.get("id")), _text(item, "alt", ALT)) for item in value]


def _number(value: object) -> int:
    """An id is a number that nobody needs to know about; anything else is simply not there."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _address(id_: int) -> str:
    return url_for("pages.post", id_=id_, _external=True)


def _said(post: int, one: Comment) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.name,
        "text": one.text,
        "created_at": one.created.isoformat(),
        "account": one.account or None,
        "under": one.under,
        "url": url_for("pages.post", id_=post, _external=True, _anchor=f"comment-{one.id}"),
    }


def _shown(post: StoredPost) -> dict[str, object]:
    return {
        "id": str(post.id),
        "url": _address(post.id),
        "account": post.account,
        "text": post.text,
        "link": post.link,
        "created_at": post.created.isoformat(),
        "media": [{"id": str(p.id), "alt": p.alt, "sha256": p.sha256} for p in post.pictures],
    }


__all__ = ["PICTURE_BYTES", "RefusedError", "api"]

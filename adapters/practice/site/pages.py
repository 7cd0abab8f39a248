"""The practice network's pages for people: timeline, account, post; liking, commenting, opening links.

Counting is honest: a view is a page really opened in a browser, reach is the number of distinct
visitors (one random cookie each). No JavaScript, nothing from other hosts, no redirect but to a post's
own link.
"""

from __future__ import annotations

import re
import secrets
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, g, make_response, redirect, render_template, request, url_for
from markupsafe import Markup, escape
from werkzeug.wrappers import Response as AnyResponse

from adapters.contract import N_
from adapters.practice.site.site import site
from adapters.practice.site.storage import StoredPost

pages = Blueprint("pages", __name__)

PER_PAGE = 20
NAME, COMMENT = 60, 1000
VISITOR, RETURNING = "gaung_visitor", "gaung_returning"
_TOKEN = re.compile(r"[\w-]{16}")
_HASHTAG = re.compile(r"(?<![\w&#/])#(?=\w*[^\W\d_])\w+")


@pages.before_request
def know_visitor() -> None:
    """Give every browser a random name; refuse forms that another site sends in a visitor's name."""
    given = request.cookies.get(VISITOR, "")
    g.visitor = given if _TOKEN.fullmatch(given) else secrets.token_urlsafe(12)
    if request.method == "POST" and request.headers.get("Sec-Fetch-Site", "none") not in (
        "same-origin",
        "none",
    ):
        abort(403)


@pages.after_request
def remember_visitor(response: Response) -> Response:
    response.set_cookie(VISITOR, g.visitor, max_age=365 * 86_400, httponly=True, samesite="Lax")
    response.headers["Cache-Control"] = "no-store"  # going back shows the page anew and counts it
    if g.get("shown"):
        response.delete_cookie(RETURNING)
    return response


@pages.get("/")
def timeline() -> str:
    return _timeline(None, "timeline.html", where="pages.timeline")


@pages.get("/@<handle>")
def account(handle: str) -> str:
    name, count = _account(handle)
    storage = site().storage
    return _timeline(
        name,
        "account.html",
        where="pages.account",
        handle=name,
        count=count,
        followers=storage.followers(name),
        following=storage.follows(name, g.visitor),
    )


def _account(handle: str) -> tuple[str, int]:
    """The name of an account as it is written there, and how many posts it has."""
    posts = {name.lower(): (name, count) for name, count in site().storage.accounts()}
    if handle.lower() not in posts:
        abort(404)
    return posts[handle.lower()]


@pages.post("/@<handle>/follow")
def follow(handle: str) -> AnyResponse:
    name, _count = _account(handle)
    site().storage.toggle_follow(name, g.visitor)
    response = redirect(url_for("pages.account", handle=name), 303)
    response.set_cookie(RETURNING, "1", max_age=10, httponly=True, samesite="Lax")
    return response


@pages.get("/p/<int:id_>")
def post(id_: int) -> str:
    _count([_existing(id_).id])
    return render_template(
        "post.html",
        post=_existing(id_),
        comments=site().storage.comments(id_),
        name_limit=NAME,
        limit=COMMENT,
    )


@pages.get("/media/<int:id_>")
def media(id_: int) -> Response:
    upload = site().storage.media(id_)
    if upload is None:
        abort(404)
    response = make_response(upload.content)
    response.mimetype = upload.mime
    response.set_etag(upload.sha256)
    # A new file of the network starts its numbers anew: a browser must ask before using its copy.
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response


@pages.get("/go/<int:id_>")
def go(id_: int) -> AnyResponse:
    """Count a click and send the visitor to the post's own link."""
    link = _existing(id_).link
    if not link:
        abort(404)
    if _by_a_person():
        site().storage.count_click(id_)
    return redirect(link)


@pages.post("/p/<int:id_>/like")
def like(id_: int) -> AnyResponse:
    site().storage.toggle_like(_existing(id_).id, g.visitor)
    return _back(id_)


@pages.post("/p/<int:id_>/comments")
def comment(id_: int) -> AnyResponse:
    name, text = request.form.get("name", "").strip(), request.form.get("text", "").strip()
    if not text or len(text) > COMMENT or len(name) > NAME:
        abort(400)
    site().storage.add_comment(_existing(id_).id, name, text.replace("\r\n", "\n"), site().now())
    return _back(id_, anchor="comments")


def _timeline(account: str | None, template: str, *, where: str, **values: object) -> str:
    number = max(1, request.args.get("page", 1, type=int))
    start = (min(number, 1_000_000) - 1) * PER_PAGE
    storage = site().storage
    ids = [p.id for p in storage.page(account, start=start, count=PER_PAGE)]
    _count(ids)
    posts = sorted(storage.by_id(ids, visitor=g.visitor), key=lambda p: -p.id)
    total = sum(count for name, count in storage.accounts() if account in (None, name))
    return render_template(
        template,
        posts=posts,
        accounts=storage.accounts(),
        number=number,
        newer=url_for(where, page=number - 1, handle=account) if number > 1 else None,
        older=url_for(where, page=number + 1, handle=account) if total > start + PER_PAGE else None,
        **values,
    )


def _existing(id_: int) -> StoredPost:
    posts = site().storage.by_id([id_], visitor=g.visitor)
    if not posts:
        abort(404)
    return posts[0]


def _count(ids: list[int]) -> None:
    g.shown = True
    # Who comes back from the like button was shown the post already: that is not a second view.
    if ids and _by_a_person() and RETURNING not in request.cookies:
        site().storage.count_views(ids, g.visitor)


def _by_a_person() -> bool:
    """A browser opening the page: no HEAD, no prefetching, no program that wants anything but a page."""
    early = request.headers.get("Sec-Purpose", request.headers.get("Purpose", ""))
    wants_page = "text/html" in request.headers.get("Accept", "")
    return request.method == "GET" and wants_page and "prefetch" not in early


def _back(id_: int, anchor: str = "") -> AnyResponse:
    """Return to the page that the form was on; never to an address that a form could smuggle in."""
    back = request.form.get("back", "")
    parts = urlsplit(back) if re.fullmatch(r"/(?![/\\])[\w@./?=&%-]*", back) else urlsplit(f"/p/{id_}")
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    response = redirect(f"{path}#{anchor or f'post-{id_}'}", 303)
    response.set_cookie(RETURNING, "1", max_age=10, httponly=True, samesite="Lax")
    return response


def hashtags(text: str) -> Markup:
    """Escape ``text`` and set its hashtags off."""
    parts: list[Markup] = []
    end = 0
    for tag in _HASHTAG.finditer(text):
        parts += [escape(text[end : tag.start()]), Markup('<span class="tag">{}</span>').format(tag.group())]
        end = tag.end()
    return Markup("").join([*parts, escape(text[end:])])


#: What the pages say when something does not work, by HTTP status.
TROUBLES = {
    400: N_("The form was not complete, or too long."),
    403: N_("This form did not come from the practice network."),
    404: N_("There is nothing at this address. The post may have been deleted."),
    413: N_("This is too large for the practice network."),
    500: N_("Something went wrong on the practice network."),
}

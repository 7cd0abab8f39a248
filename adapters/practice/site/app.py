"""Puts the practice network together: storage, language, JSON interface, pages, protective headers.

It opens no file and no port; ``server`` does.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException, SecurityError

from adapters.contract import N_
from adapters.practice.site.api import PICTURE_BYTES, api
from adapters.practice.site.pages import TROUBLES, hashtags, pages
from adapters.practice.site.site import Faults, Site, site, zone_named
from adapters.practice.site.storage import Storage

#: Nothing from other hosts, no script at all; forms only to this site.
POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(
    storage: Storage,
    translate: Callable[[str], str] = str,
    zone: str = "Asia/Jakarta",
    *,
    language: str = "en",
    faults: Faults | None = None,
    now: Callable[[], datetime] = _utc_now,
    wait: Callable[[float], object] = time.sleep,
) -> Flask:
    """Given an open storage, return the network as a WSGI app.

    ``translate`` turns an English text into the one shown (gettext style), ``language`` is the code of
    that language for the pages and their dates, ``zone`` an IANA name or WIB, WITA, WIT; ``wait`` sleeps
    for the faults' delay. Raise Misconfigured if there is no such zone.
    """
    app = Flask(__name__)
    here = Site(storage, translate, zone_named(zone), language, faults or Faults(), now, wait)
    app.extensions["practice"] = here
    app.config["MAX_CONTENT_LENGTH"] = PICTURE_BYTES
    app.config["TRUSTED_HOSTS"] = ["localhost", "127.0.0.1", "[::1]"]
    app.jinja_env.globals["_"] = translate
    app.jinja_env.globals["language"] = language
    app.jinja_env.filters.update(local=here.local, hashtags=hashtags, shade=_shade)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.register_blueprint(api)
    app.register_blueprint(pages)
    app.register_error_handler(HTTPException, _trouble)
    app.after_request(_protect)
    return app


def _trouble(error: HTTPException) -> Response:
    """Tell a program in JSON and a person in words that something did not work."""
    status = error.code or 500
    message = site().translate(TROUBLES.get(status, N_("This does not work here.")))
    if request.path.startswith("/api/"):
        return make_response(jsonify(error={"code": f"http-{status}", "message": message}), status)
    if isinstance(error, SecurityError):  # a foreign host name: Flask can build no address then
        return make_response((message, status, {"Content-Type": "text/plain; charset=utf-8"}))
    return make_response(render_template("trouble.html", message=message), status)


def _protect(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def _shade(handle: str) -> int:
    """One of eight colours for an account's sign, always the same."""
    return zlib.crc32(handle.lower().encode()) % 8

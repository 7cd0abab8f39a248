"""The Graph client that Meta's platforms share: facebook-sdk, and what it cannot call, over one session.

facebook-sdk speaks to graph.facebook.com; other hosts, Bearer headers and uploads go past it. What a
failure means is in ``errors`` (also importable from here). This module knows no Page, no Instagram
and no Threads. Facts without another source: PLATFORMS.md, "Meta common", November 2026.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import IO, Any
from urllib.parse import urlencode

import requests

from adapters.contract import N_, Account, RatePause
from adapters.errors import AdapterError, RateLimited, Transient
from adapters.meta.errors import (
    META,
    NO_ANSWER,
    NOT_UNDERSTOOD,
    Codes,
    Meaning,
    content_of,
    created,
    exhausted,
    graph_error,
    is_missing,
    pause_ahead,
    pause_until,
    regain,
    usage,
)
from adapters.transport import CONNECT_TIMEOUT, READ_TIMEOUT, Transport

#: Newest version of the Graph API (2026-07-29); v25 lives until 2028-07-29. Option ``graph_version``.
GRAPH_VERSION = "v26.0"
FACEBOOK = "graph.facebook.com"
INSTAGRAM = "graph.instagram.com"
THREADS = "graph.threads.net"
UPLOADS = "rupload.facebook.com"
#: Calls in one batch request (Meta's guide to batch requests, from memory).
BATCH = 50


def form(params: Mapping[str, object]) -> dict[str, Any]:
    """Return ``params`` as Graph reads them: no None, true/false, and lists and objects as JSON.

    requests form-encodes a list of dicts into its keys without an error, so this is never left to it.
    """
    plain: dict[str, Any] = {}
    for name, value in params.items():
        if isinstance(value, bool):
            plain[name] = "true" if value else "false"
        elif isinstance(value, (list, tuple, dict)):
            plain[name] = json.dumps(value, ensure_ascii=False)
        elif value is not None:
            plain[name] = value
    return plain


class GraphClient:
    """Calls to the Graph API with one token; every failure is raised as an AdapterError.

    ``read``, ``edge``, ``put``, ``photo``, ``remove`` and ``batch`` go through facebook-sdk to
    graph.facebook.com; ``get``, ``post``, ``delete`` and ``upload`` to any host. ``publishing`` is the
    caller's word that the call makes something public; see :func:`graph_error`.
    """

    def __init__(
        self,
        account: Account,
        now: Callable[[], datetime],
        token: str,
        *,
        codes: Codes | None = None,
        secrets: Collection[str] = (),
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
        pace: Callable[[RatePause | None], None] = lambda _pause: None,
    ) -> None:
        """``pace`` is told what every answer says of the pause before the next call."""
        self.now = now
        version = str(account.options.get("graph_version") or GRAPH_VERSION)
        self.version = f"v{version.removeprefix('v')}"
        self.http = Transport(
            account.api_base,
            secrets=(token, *secrets),
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            heard=lambda answer: pace(pause_ahead(answer.headers, now())),
        )
        self._token = token
        self._codes = codes or {}

    @cached_property
    def _sdk(self) -> Any:
        from facebook import GraphAPI

        # The constructor knows no version after 3.1; without one it takes 2.8, replaced here.
        graph = GraphAPI(self._token, session=self.http)
        graph.version = self.version
        return graph

    def read(self, node: str, **params: object) -> dict[str, Any]:
        """Read a node of graph.facebook.com (``fields="id,name"``)."""
        return self._object(lambda: self._sdk.get_object(node, **form(params)), publishing=False)

    def edge(self, node: str, edge: str, **params: object) -> dict[str, Any]:
        """Read one page of an edge of a node: ``{"data": [...], "paging": {...}}``."""
        return self._object(lambda: self._sdk.get_connections(node, edge, **form(params)), publishing=False)

    def put(self, node: str, edge: str, *, publishing: bool, **params: object) -> dict[str, Any]:
        """Write to an edge of a node."""
        data = form(params)
        return self._object(lambda: self._sdk.put_object(node, edge, **data), publishing=publishing)

    def photo(self, node: str, image: object, *, publishing: bool, **params: object) -> dict[str, Any]:
        """Upload a picture (what requests takes as a file: ``(name, bytes, type)``) to ``node``/photos."""
        path = f"{node}/photos"
        return self._object(
            lambda: self._sdk.put_photo(image, album_path=path, **form(params)), publishing=publishing
        )

    def remove(self, node: str) -> dict[str, Any]:
        """Delete a node; a repeated call deletes nothing more."""
        return self._object(lambda: self._sdk.delete_object(node), publishing=False)

    def batch(self, calls: Sequence[tuple[str, Mapping[str, object]]]) -> list[dict[str, Any] | AdapterError]:
        """Make up to BATCH reading calls (path, parameters) in one request; each has its own answer."""
        asked = [
            {"method": "GET", "relative_url": f"{path}?{urlencode(form(params))}"} for path, params in calls
        ]
        data = {"batch": json.dumps(asked), "include_headers": "false"}
        answers = self._attempt(
            lambda: self._sdk.request(f"{self.version}/", post_args=data), publishing=False
        )
        if not isinstance(answers, list) or len(answers) != len(calls):
            raise Transient(NOT_UNDERSTOOD, code=str(self.http.last_status or ""))
        return [self._part(answer) for answer in answers]

    def heed(self) -> None:
        """Raise RateLimited if the last answer said that a limit is used up, instead of asking once more."""
        if exhausted(self.http.last_headers):
            until = pause_until(self.http.last_headers, self.now())
            raise RateLimited(N_("The calls that the platform allows are used up."), until=until)

    def _part(self, answer: object) -> dict[str, Any] | AdapterError:
        """One answer of a batch: ``{"code": 200, "body": "{...}"}``; null if Meta ran out of time."""
        try:
            status, content = int(answer["code"]), json.loads(answer["body"])  # type: ignore[index]
        except (LookupError, TypeError, ValueError):
            status, content = 0, None
        if status == 200 and isinstance(content, dict) and not content.get("error"):
            return content
        return self._error(_Refusal(content), publishing=False, status=status)

    def get(
        self, host: str, path: str, params: Mapping[str, object] | None = None, *, bearer: bool = True
    ) -> dict[str, Any]:
        """GET ``https://host/path`` (the path with its version); the token as Bearer, else as parameter."""
        return self._call("GET", host, path, params, bearer=bearer, publishing=False)

    def post(
        self,
        host: str,
        path: str,
        params: Mapping[str, object] | None = None,
        *,
        publishing: bool,
        bearer: bool = True,
        files: Mapping[str, object] | None = None,
    ) -> dict[str, Any]:
        """POST ``params`` as a form to ``https://host/path``, with ``files`` as requests takes them."""
        return self._call("POST", host, path, params, bearer=bearer, publishing=publishing, files=files)

    def delete(
        self, host: str, path: str, params: Mapping[str, object] | None = None, *, bearer: bool = True
    ) -> dict[str, Any]:
        """DELETE ``https://host/path``."""
        return self._call("DELETE", host, path, params, bearer=bearer, publishing=False)

    def upload(
        self, path: str, content: bytes | IO[bytes], headers: Mapping[str, str], *, host: str = UPLOADS
    ) -> dict[str, Any]:
        """POST raw bytes to the upload host with ``Authorization: OAuth``; publishes nothing by itself."""
        return self._request(
            "POST",
            host,
            path,
            publishing=False,
            data=content,
            headers={"Authorization": f"OAuth {self._token}", **headers},
        )

    def _call(
        self,
        method: str,
        host: str,
        path: str,
        params: Mapping[str, object] | None,
        *,
        bearer: bool,
        publishing: bool,
        files: Mapping[str, object] | None = None,
    ) -> dict[str, Any]:
        plain = form(params or {})
        headers = {"Authorization": f"Bearer {self._token}"} if bearer else {}
        if not bearer:
            plain["access_token"] = self._token
        where = {"data" if method == "POST" else "params": plain}
        return self._request(method, host, path, publishing=publishing, headers=headers, files=files, **where)

    def _request(
        self, method: str, host: str, path: str, *, publishing: bool, **content: Any
    ) -> dict[str, Any]:
        address = f"https://{host}/{path.lstrip('/')}"
        response: requests.Response = self._attempt(
            lambda: self.http.request(method, address, **content), publishing=publishing
        )
        answer = content_of(response)
        if response.status_code < 400 and isinstance(answer, dict) and not answer.get("error"):
            return answer
        raise self._error(response, publishing=publishing)

    def _object(self, step: Callable[[], Any], *, publishing: bool) -> dict[str, Any]:
        answer = self._attempt(step, publishing=publishing)
        if isinstance(answer, dict) and (self.http.last_status or 0) < 400:
            return answer
        raise self._error(_Refusal(answer), publishing=publishing, status=self.http.last_status)

    def _attempt(self, step: Callable[[], Any], *, publishing: bool) -> Any:
        from facebook import GraphAPIError

        try:
            return step()
        except (GraphAPIError, requests.RequestException, LookupError, ValueError, TypeError) as error:
            # LookupError: the SDK reads a content type that is not there. ValueError: half an answer.
            failure = self._error(error, publishing=publishing, status=self.http.last_status)
        raise failure  # outside of the handler: the original may hold an answer with tokens in it

    def _error(
        self, failure: Exception | requests.Response, *, publishing: bool, status: int | None = None
    ) -> AdapterError:
        return graph_error(
            failure,
            publishing=publishing,
            now=self.now(),
            status=status,
            headers=self.http.last_headers,
            codes=self._codes,
            strip=self.http.strip,
        )


class _Refusal(Exception):
    """An answer that is no success, in the shape of the SDK's ``GraphAPIError``."""

    def __init__(self, result: object) -> None:
        super().__init__()
        self.result = result


__all__ = [
    "BATCH",
    "FACEBOOK",
    "GRAPH_VERSION",
    "INSTAGRAM",
    "META",
    "NOT_UNDERSTOOD",
    "NO_ANSWER",
    "THREADS",
    "UPLOADS",
    "Codes",
    "GraphClient",
    "Meaning",
    "created",
    "exhausted",
    "form",
    "graph_error",
    "is_missing",
    "pause_until",
    "regain",
    "usage",
]

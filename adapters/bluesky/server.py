"""A Bluesky server (PDS) as the adapter calls it: sessions, XRPC calls, refusals, the own repository.

Sessions are kept in memory for the whole process, since a server makes only 300 a day for an account and
adapters are made anew for each call. Facts: PLATFORMS.md (Bluesky), November 2026.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from adapters.bluesky.record import POST
from adapters.contract import N_, Account, Json, RatePause
from adapters.errors import (
    AccountHeld,
    AdapterError,
    Ambiguous,
    AuthExpired,
    RateLimited,
    Rejected,
    Transient,
)
from adapters.material import NOT_UNDERSTOOD, json_object, understanding
from adapters.transport import Transport, adapter_error

DEFAULT_BASE = "https://bsky.social"
#: Records in one page of a listing, and pages read at most.
PAGE, PAGES = 100, 20
#: Pause where a server that has enough does not say for how long.
PAUSE = timedelta(minutes=5)

_NO_ANSWER = N_("Bluesky gave no clear answer; nobody knows yet whether it took the post.")
_EXPIRED = {"ExpiredToken", "InvalidToken"}
#: The names of errors decide, then the status.
_NAMES: dict[str, type[AdapterError]] = {
    "AccountTakedown": AccountHeld,
    "AccountSuspended": AccountHeld,
    "AccountDeactivated": AccountHeld,
    "AuthenticationRequired": AuthExpired,
    "AuthMissing": AuthExpired,
    "AuthFactorTokenRequired": AuthExpired,
    "ExpiredToken": AuthExpired,
    "InvalidToken": AuthExpired,
    "InvalidRequest": Rejected,
    "RecordNotFound": Rejected,
    "InvalidRecord": Rejected,
    "InvalidMimeType": Rejected,
    "BlobTooLarge": Rejected,
    "PayloadTooLarge": Rejected,
    "BlobNotFound": Transient,
}
_STATUSES: dict[int, type[AdapterError]] = {401: AuthExpired, 403: AccountHeld, 413: Rejected}


@dataclass(frozen=True, slots=True)
class Session:
    """A session that the server gave: two tokens and whose they are."""

    did: str
    handle: str
    access: str
    refresh: str

    def __repr__(self) -> str:
        return f"<Session {self.handle}>"

    @property
    def scope(self) -> str:
        """What the password of the session allows, as the server writes it into its token; "" if it does not.

        The token is read, not verified: it is our own server's word (RFC 7519, 3).
        """
        try:
            claims = self.access.split(".")[1]
            told = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["scope"]
        except (IndexError, ValueError, LookupError, TypeError):
            return ""
        return told if isinstance(told, str) else ""


_sessions: dict[tuple[str, str, str], Session] = {}
_lock = threading.Lock()


class BlueskyServer:
    """Calls to ``base`` in the name of ``account``; its password is read with the first call."""

    def __init__(
        self,
        account: Account,
        now: Callable[[], datetime],
        read_timeout: float,
        pace: Callable[[RatePause | None], None] = lambda _pause: None,
    ) -> None:
        """``pace`` is told what every answer says of the pause before the next call."""
        self._account = account
        self._pace = pace
        self._now = now
        self._read_timeout = read_timeout
        self._base = (account.api_base or DEFAULT_BASE).rstrip("/")
        self._handle = account.handle.strip().removeprefix("@")
        self._http: Transport | None = None
        self._password = ""

    def session(self) -> Session:
        """The session in use, or a new one."""
        self._transport()
        with _lock:
            found = _sessions.get(self._place())
        return found or self._begin()

    def get(self, name: str, **query: Any) -> dict[str, Any]:
        """Call a method that reads; raise Transient if its answer is not understood."""
        return self.call("GET", name, params=query)

    def post(self, name: str, body: Mapping[str, Json], *, publishes: bool = False) -> dict[str, Any]:
        """Call a method that writes; ``publishes`` says that doing it twice is not doing it once."""
        return self.call("POST", name, publishes=publishes, json=dict(body))

    def call(self, method: str, name: str, *, publishes: bool = False, **kwargs: Any) -> dict[str, Any]:
        """Call an XRPC method with the session; renew the session once if the server asks for it.

        A refused token is refused before anything is done, so the renewed call cannot be a second one.
        """
        answer = self._send(method, name, self.session().access, publishes, kwargs)
        if str(json_object(answer).get("error")) in _EXPIRED:
            answer = self._send(method, name, self._renew().access, publishes, kwargs)
        body = json_object(answer)
        # Deleting may answer with nothing; nothing else may, least of all a page of another server.
        if answer.status_code == 200 and (body or (method == "POST" and answer.content in (b"", b"{}"))):
            return body
        raise self._refusal(answer, publishes)

    def records(self, since: str, pages: int = PAGES) -> Iterator[dict[str, Any]]:
        """The account's posts with record keys from ``since`` on, newest first.

        Raises Transient if they are more than ``pages`` hold.
        """
        cursor = ""
        for _ in range(pages):
            query = {"repo": self.session().did, "collection": POST, "limit": PAGE}
            page = self.get("com.atproto.repo.listRecords", **query, **({"cursor": cursor} if cursor else {}))
            with understanding():
                found = [dict(record) for record in page["records"]]
                keys = [str(record["uri"]).rpartition("/")[2] for record in found]
            for key, record in zip(keys, found, strict=True):
                if key < since:
                    return
                yield record
            cursor = str(page.get("cursor") or "")
            if not found or not cursor:
                return
        raise Transient(N_("The account has posted too much since for its list to be read back."))

    def _begin(self) -> Session:
        body = {"identifier": self._handle, "password": self._password}
        return self._keep(self._send("POST", "com.atproto.server.createSession", "", False, {"json": body}))

    def _renew(self) -> Session:
        """Renew the session by its refresh token; begin anew if that has expired too."""
        with _lock:
            old = _sessions.pop(self._place(), None)
        if old is not None:
            answer = self._send("POST", "com.atproto.server.refreshSession", old.refresh, False, {})
            if answer.status_code == 200:
                return self._keep(answer)
        return self._begin()

    def _keep(self, answer: requests.Response) -> Session:
        if answer.status_code != 200:
            raise self._refusal(answer, publishes=False)
        with understanding():
            told = json_object(answer)
            if told.get("active") is False:
                why = self._transport().strip(str(told.get("status") or ""))[:100]
                raise AccountHeld(why or "inactive", code=why)
            session = Session(*(str(told[name]) for name in ("did", "handle", "accessJwt", "refreshJwt")))
        with _lock:
            _sessions[self._place()] = session
        self._http = None  # the next transport knows the new tokens, and keeps them out of every text
        return session

    def _place(self) -> tuple[str, str, str]:
        return self._base, self._handle, hashlib.sha256(self._password.encode()).hexdigest()

    def _send(
        self, method: str, name: str, token: str, publishes: bool, kwargs: Mapping[str, Any]
    ) -> requests.Response:
        headers = dict(kwargs.get("headers") or {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            return self._transport().request(
                method, f"{self._base}/xrpc/{name}", **{**kwargs, "headers": headers}
            )
        except requests.RequestException as error:
            raise adapter_error(error, repeatable=not publishes) from error

    def _transport(self) -> Transport:
        if self._http is None:
            self._password = self._password or self._account.secret("app_password").strip()
            with _lock:
                known = _sessions.get(self._place())
            tokens = (known.access, known.refresh) if known else ()
            self._http = Transport(
                self._account.api_base,
                secrets=(self._password, *tokens),
                read_timeout=self._read_timeout,
                heard=lambda answer: self._pace(_pause_ahead(answer, self._now())),
            )
        return self._http

    def _refusal(self, answer: requests.Response, publishes: bool) -> AdapterError:
        """What an answer means that is not the one hoped for; an unclear one depends on the call."""
        body, status, strip = json_object(answer), answer.status_code, self._transport().strip
        name = strip(body["error"])[:100] if isinstance(body.get("error"), str) else ""
        reason = strip(str(body.get("message") or name))[:300]
        unclear = Ambiguous if publishes else Transient
        if status == 429:  # may come from a proxy before the server, without JSON
            reason = reason or N_("Bluesky asks for a pause.")
            return RateLimited(reason, until=_until(answer, self._now()), code=name or "429")
        if not name:
            return unclear(_NO_ANSWER if publishes else NOT_UNDERSTOOD, code=str(status))
        if status >= 500:
            return unclear(reason, code=name)
        return (_NAMES.get(name) or _STATUSES.get(status) or unclear)(reason, code=name)


def _until(answer: requests.Response, now: datetime) -> datetime:
    """When a rate limit ends."""
    after = answer.headers.get("retry-after", "")
    return _reset(answer, now) or now + (timedelta(seconds=int(after)) if after.isdecimal() else PAUSE)


def _pause_ahead(answer: requests.Response, now: datetime) -> RatePause | None:
    """The pause that an answer asks for after which no points remain. Sessions are counted apart: those
    used up, posts may still go out with the one that there is."""
    about_sessions = "com.atproto.server." in (answer.request.url or "")
    if about_sessions or answer.headers.get("ratelimit-remaining") != "0":
        return None
    reset = _reset(answer, now)
    return RatePause(reset) if reset else None


def _reset(answer: requests.Response, now: datetime) -> datetime | None:
    """When the limit that the answer tells of begins anew: ``ratelimit-reset`` is in seconds since 1970."""
    reset = answer.headers.get("ratelimit-reset", "")
    if reset.isdecimal() and int(reset) < 2**33 and (until := datetime.fromtimestamp(int(reset), UTC)) > now:
        return until
    return None


__all__ = ["DEFAULT_BASE", "BlueskyServer", "Session"]

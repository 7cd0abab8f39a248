"""One Mastodon server as the adapter calls it: requests, refusals, listings, nothing about posts to make.

Facts: PLATFORMS.md (Mastodon), November 2026: errors are ``{"error": text}`` without codes, so the HTTP
status classifies; ``X-RateLimit-Reset`` is an ISO time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from adapters.contract import N_, Account, RatePause
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

#: Posts in one page of the listing, and pages read at most.
PAGE, PAGES = 40, 25
#: How often, and how many seconds apart, a server is asked whether it has processed a medium.
POLLS, POLL_PAUSE = 30, 2.0
#: Pause where a server that has enough does not say for how long.
PAUSE = timedelta(minutes=5)

_NO_ANSWER = N_("The Mastodon server gave no clear answer; nobody knows yet whether it took the post.")
_CLASSES: dict[int, type[AdapterError]] = {
    401: AuthExpired,
    403: AccountHeld,
    404: Rejected,
    413: Rejected,
    422: Rejected,
}


class MastodonServer:
    """Calls to ``base`` in the name of ``account``; its token is read with the first call."""

    def __init__(
        self,
        account: Account,
        base: str,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
        read_timeout: float,
        pace: Callable[[RatePause | None], None] = lambda _pause: None,
    ) -> None:
        """``pace`` is told what every answer says of the pause before the next call."""
        self._account = account
        self._pace = pace
        self._base = base
        self._now = now
        self._sleep = sleep
        self._read_timeout = read_timeout
        self._http: Transport | None = None
        self._own_id = ""

    def send(
        self, method: str, path: str, *, repeatable: bool | None = None, **kwargs: Any
    ) -> requests.Response:
        if self._http is None:
            token = self._account.secret("access_token").strip()
            self._http = Transport(
                self._account.api_base,
                secrets=(token,),
                read_timeout=self._read_timeout,
                heard=lambda answer: self._pace(_pause_ahead(answer, self._now())),
            )
            self._http.headers["Authorization"] = f"Bearer {token}"
        try:
            return self._http.request(method, self._base + path, **kwargs)
        except requests.RequestException as error:
            raise adapter_error(error, repeatable=repeatable) from error

    def read(self, path: str) -> dict[str, Any]:
        answer = self.send("GET", path)
        if answer.status_code == 200 and (found := json_object(answer)):
            return found
        raise self.refusal(answer, publishing=False)

    def read_list(self, path: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        answer = self.send("GET", path, params=dict(query))
        if answer.status_code == 200:
            return _list(answer)
        raise self.refusal(answer, publishing=False)

    def refusal(self, answer: requests.Response, *, publishing: bool) -> AdapterError:
        """What an answer means that is not the one hoped for; an unclear one depends on the call."""
        words = json_object(answer).get("error")
        status, unclear = answer.status_code, Ambiguous if publishing else Transient
        reason = (self._http.strip(words) if self._http else words)[:300] if isinstance(words, str) else ""
        if status == 429:  # may come from a proxy before Mastodon, without JSON
            reason = reason or N_("The Mastodon server asks for a pause.")
            return RateLimited(reason, until=_until(answer, self._now()), code="429")
        if not reason:
            return unclear(_NO_ANSWER if publishing else NOT_UNDERSTOOD, code=str(status))
        return _CLASSES.get(status, unclear)(reason, code=str(status))

    def processed(self, id_: str) -> bool:
        """Wait until an upload is processed; False if the server does not know it (any more)."""
        for _ in range(POLLS):
            answer = self.send("GET", f"/api/v1/media/{id_}")
            if answer.status_code in (200, 404):
                return answer.status_code == 200
            if answer.status_code != 206:
                raise self.refusal(answer, publishing=False)
            self._sleep(POLL_PAUSE)
        raise Transient(N_("The Mastodon server is still processing the media."))

    def listing(self, since: datetime) -> list[dict[str, Any]] | None:
        """The account's own statuses since ``since``, oldest first; None if that is further than we read."""
        if not self._own_id:
            with understanding():
                self._own_id = str(self.read("/api/v1/accounts/verify_credentials")["id"])
        found: list[dict[str, Any]] = []
        query: dict[str, str] = {"limit": str(PAGE), "exclude_reblogs": "true"}
        for _ in range(PAGES):
            page = self.read_list(f"/api/v1/accounts/{self._own_id}/statuses", query)
            with understanding():
                found += [status for status in page if time_of(status) >= since]
                # A pinned or backdated status does not end the reading, only a page wholly before it does.
                if not page or all(time_of(status) < since for status in page):
                    found.reverse()  # posts of the same millisecond stay in their order
                    found.sort(key=time_of)
                    return found
                query["max_id"] = str(page[-1]["id"])
        return None

    def statuses(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """The statuses that exist of ``ids``: in one call, or in one each on a server before 4.3."""
        answer = self.send("GET", "/api/v1/statuses", params={"id[]": list(ids)})
        if answer.status_code == 200:
            return _list(answer)
        if answer.status_code not in (404, 405):
            raise self.refusal(answer, publishing=False)
        found = []
        for id_ in ids:
            answer = self.send("GET", f"/api/v1/statuses/{id_}")
            if answer.status_code == 200 and (status := json_object(answer)):
                found.append(status)
            elif answer.status_code != 404:
                raise self.refusal(answer, publishing=False)
        return found

    def conversation(self, id_: str) -> list[tuple[str, list[dict[str, Any]]]]:
        """Who wrote ``id_`` (an account's id), and all replies under it, oldest first; [] if it is gone."""
        status = self.send("GET", f"/api/v1/statuses/{id_}")
        context = self.send("GET", f"/api/v1/statuses/{id_}/context")
        if 404 in (status.status_code, context.status_code):
            return []
        for answer in (status, context):
            if answer.status_code != 200:
                raise self.refusal(answer, publishing=False)
        with understanding():
            replies = sorted(json_object(context)["descendants"], key=time_of)
            return [(str(json_object(status)["account"]["id"]), replies)]

    def own_replies(self, id_: str) -> list[str]:
        """The chain of replies that begins at ``id_`` and is the account's own, oldest first."""
        chain = [id_]
        with understanding():
            for own, replies in self.conversation(id_):
                for reply in replies:
                    if str(reply["account"]["id"]) == own and reply["in_reply_to_id"] in chain:
                        chain.append(str(reply["id"]))
        return chain[1:]


def time_of(status: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(str(status["created_at"]))


def _list(answer: requests.Response) -> list[dict[str, Any]]:
    try:
        found = answer.json()
    except ValueError:
        found = None
    # Outside of the handler: the original error holds the whole answer.
    if isinstance(found, list) and all(isinstance(one, dict) for one in found):
        return found
    raise Transient(NOT_UNDERSTOOD, code=str(answer.status_code))


def _until(answer: requests.Response, now: datetime) -> datetime:
    """When a rate limit ends; Retry-After (of proxies) is in seconds."""
    after = answer.headers.get("Retry-After", "")
    return _reset(answer, now) or now + (timedelta(seconds=int(after)) if after.isdecimal() else PAUSE)


def _pause_ahead(answer: requests.Response, now: datetime) -> RatePause | None:
    """The pause that an answer asks for after which no calls remain; Mastodon tells its tightest limit."""
    reset = _reset(answer, now) if answer.headers.get("X-RateLimit-Remaining") == "0" else None
    return RatePause(reset) if reset else None


def _reset(answer: requests.Response, now: datetime) -> datetime | None:
    """When the limit that the answer tells of begins anew: X-RateLimit-Reset is an ISO time."""
    try:
        until = datetime.fromisoformat(answer.headers.get("X-RateLimit-Reset", ""))
    except ValueError:
        return None
    return until.astimezone(UTC) if until.tzinfo is not None and until > now else None


__all__ = ["MastodonServer", "time_of"]

"""One account's way to X's API: credentials, tweepy over our transport, and what each refusal means.

Posts go through ``tweepy.Client``; media, which it cannot upload, through :meth:`XApi.send`. It knows
nothing of posts, threads or figures. Facts: PLATFORMS.md, X, a, b and f (November 2026).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast

import requests

from adapters.contract import N_, Account, RatePause
from adapters.errors import (
    AccountHeld,
    AdapterError,
    Ambiguous,
    AuthExpired,
    Duplicate,
    Misconfigured,
    RateLimited,
    Rejected,
    Transient,
)
from adapters.transport import READ_TIMEOUT, Transport, adapter_error, user_agent
from adapters.x.pace import after_refusal, ahead

#: The host that X documents. tweepy still addresses api.twitter.com; both are X (tweepy 4.17, source).
HOST = "https://api.x.com"
#: What a login by OAuth 2.0 is asked to grant.
SCOPES = ("tweet.read", "tweet.write", "users.read", "media.write", "offline.access")
#: The secrets of each way to log in.
LOGINS: Mapping[str, tuple[str, ...]] = {
    "oauth1": ("api_key", "api_secret", "access_token", "access_token_secret"),
    "oauth2": ("access_token",),
}
#: The code of a post that X refused because it does not have (any more) the media that were uploaded.
MEDIA_REFUSED = "400/media.media_ids"
#: Longest reason and code that are stored.
LONGEST_REASON = 300
LONGEST_CODE = 100

_NO_CLEAR_ANSWER = N_("X gave no clear answer; nobody knows yet whether it took the post.")
_FAULT = N_("X has a fault of its own at the moment; this step published nothing.")
_NOT_UNDERSTOOD = N_("The answer of X was not understood. Check api_base of the account, or wait for X.")


def login_of(account: Account) -> str:
    """Return "oauth1" or "oauth2" as the account's option ``auth`` says; raise Misconfigured for another."""
    login = account.options.get("auth", "oauth1")
    if login not in LOGINS:
        raise Misconfigured(
            N_("The option auth of {account} is {value}. Write oauth1 or oauth2."),
            account=account.id,
            value=login,
        )
    return str(login)


class XApi:
    """X for one account with the secrets it has now; ``secrets`` by their names in :data:`LOGINS`.

    Every failure is an :class:`AdapterError`. ``publishing`` tells calls after which a post may exist.
    """

    def __init__(
        self,
        api_base: str,
        login: str,
        secrets: Mapping[str, str],
        now: Callable[[], datetime],
        read_timeout: float = READ_TIMEOUT,
        pace: Callable[[RatePause | None], None] = lambda _pause: None,
    ) -> None:
        """``pace`` is told what every answer says of the pause before the next post."""
        import tweepy

        logging.getLogger("tweepy").setLevel(logging.INFO)  # at DEBUG it prints Authorization headers
        self.secrets = dict(secrets)
        self.user_auth = login == "oauth1"
        self.http = Transport(
            api_base,
            secrets=self.secrets.values(),
            read_timeout=read_timeout,
            heard=lambda answer: pace(ahead(answer, now())),
        )
        # X redirects nothing. A redirected POST goes on as a GET, whose answer says nothing of the post.
        self.http.max_redirects = 0
        self._now = now
        self._broken: tuple[type[Exception], ...] = (
            tweepy.TweepyException,
            requests.RequestException,
            # What tweepy and our reading of answers trip over when these are not X's.
            *(AttributeError, LookupError, TypeError, ValueError),
        )
        token = self.secrets["access_token"]
        if self.user_auth:
            keys = (self.secrets["api_key"], self.secrets["api_secret"])
            self._sign = tweepy.OAuth1UserHandler(
                *keys, token, self.secrets["access_token_secret"]
            ).apply_auth
            self.client = tweepy.Client(
                None, *keys, token, self.secrets["access_token_secret"], return_type=dict
            )
        else:
            self.client = tweepy.Client(bearer_token=token, return_type=dict)
        self.client.session = self.http
        self.client.user_agent = user_agent()

    @property
    def user_id(self) -> str:
        """The account's own id where the token begins with it (OAuth 1.0a), else empty."""
        start, dash, _ = self.secrets["access_token"].partition("-")
        return start if self.user_auth and dash and start.isdigit() else ""

    def ask(self, method: str, *args: object, publishing: bool = False, **fields: object) -> dict[str, Any]:
        """Call ``method`` of tweepy's client and return X's answer."""
        call = getattr(self.client, method)
        return self._do(lambda: call(*args, user_auth=self.user_auth, **fields), publishing)

    def send(self, method: str, path: str, **what: Any) -> dict[str, Any]:
        """Send what tweepy has no call for (media); ``what`` as for requests. Publishes nothing."""
        if self.user_auth:
            what["auth"] = self._sign()
        else:
            what["headers"] = {"Authorization": f"Bearer {self.secrets['access_token']}"}

        def call() -> object:
            answer = self.http.request(method, HOST + path, **what)
            if not 200 <= answer.status_code < 300:
                raise _Refused(answer)
            return answer.json() if answer.content else {}  # APPEND may answer with nothing

        return self._do(call, publishing=False)

    def _do(self, call: Callable[[], object], publishing: bool) -> dict[str, Any]:
        self.http.last_status, self.http.last_headers = None, {}
        try:
            answer = call()
            if isinstance(answer, dict):
                return answer
            failure = self.unclear(publishing)
        except self._broken as error:
            failure = self._meaning(error, publishing)
        raise failure  # outside of the handler: the SDK's exception holds the request with its token

    def unclear(self, publishing: bool = False) -> AdapterError:
        """What an answer means that says neither yes nor no."""
        code = str(self.http.last_status or "")
        if publishing:
            return Ambiguous(_NO_CLEAR_ANSWER, code=code)
        return Transient(_FAULT if code.startswith("5") else _NOT_UNDERSTOOD, code=code)

    def _meaning(self, error: Exception, publishing: bool) -> AdapterError:
        answer = getattr(error, "response", None)
        status = self.http.last_status
        if status is None or (answer is None and isinstance(error, requests.RequestException)):
            if isinstance(error, requests.JSONDecodeError) and status is not None:
                return self.unclear(publishing)  # a page instead of an answer
            return adapter_error(error, repeatable=not publishing)
        problem = _problem(answer)
        reason = self.http.strip(_words(problem))[:LONGEST_REASON]
        code = self.http.strip(_code(status, problem))[:LONGEST_CODE]
        if status == 429 and not code.endswith("usage-capped"):
            pause = after_refusal(self.http.last_headers, self._now())
            words = reason or N_("Too many requests.")
            return RateLimited(words, until=pause.until, code=code, app_wide=pause.app_wide)
        if status == 401:
            return AuthExpired(reason or N_("X refused the credentials."), code=code)
        if status == 402:
            return AccountHeld(reason or N_("The app's credits on X are used up."), code=code)
        if not 400 <= status < 500 or not reason:
            return self.unclear(publishing)
        kind = _kind(status, problem, code)
        return kind(reason, code=code) if kind else self.unclear(publishing)


class _Refused(ValueError):
    """An answer that is no success, to a request of our own; shaped like tweepy's HTTPException."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__(str(response.status_code))
        self.response = response


#: The last part of a problem's ``type`` -> what it means (PLATFORMS.md, X, f).
_BY_TYPE: Mapping[str, type[AdapterError]] = {
    "usage-capped": AccountHeld,
    "credits": AccountHeld,
    "client-forbidden": AccountHeld,
    "client-not-enrolled": AccountHeld,
    "oauth1-permissions": AuthExpired,
    "unsupported-authentication": AuthExpired,
}
#: The numbers of API v1.1, which some answers still carry (X, "Response codes").
_BY_NUMBER: Mapping[int, type[AdapterError]] = {
    187: Duplicate,
    **dict.fromkeys((64, 226, 326), AccountHeld),  # suspended, taken for a machine, locked
    **dict.fromkeys((32, 89, 99, 215), AuthExpired),
}
#: 403 has no code for these; only the words differ (PLATFORMS.md, X, d and f).
_BY_WORDS: tuple[tuple[str, type[AdapterError]], ...] = (
    ("duplicate content", Duplicate),
    ("suspended", AccountHeld),
    ("temporarily locked", AccountHeld),
    ("account is locked", AccountHeld),
)


def _kind(status: int, problem: Mapping[str, Any], code: str) -> type[AdapterError] | None:
    numbers = [n for e in _errors(problem) if isinstance(n := e.get("code"), int)]
    if (by_number := next((_BY_NUMBER[n] for n in numbers if n in _BY_NUMBER), None)) is not None:
        return by_number
    if (by_type := _BY_TYPE.get(code.rpartition("/")[2])) is not None:
        return by_type
    if status == 403:
        words = _words(problem).lower()
        return next((kind for phrase, kind in _BY_WORDS if phrase in words), Rejected)
    # 404 comes also from paths that X does not know: then nothing says that a post was refused.
    known = (400, 413, 415, 422)
    return Rejected if status in known or code.endswith("/resource-not-found") else None


def _problem(answer: object) -> Mapping[str, Any]:
    """The problem+json in ``answer``; empty for a gateway's page."""
    try:
        content = cast("requests.Response", answer).json()
    except (AttributeError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return content


def _errors(problem: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    errors = problem.get("errors")
    return [e for e in errors if isinstance(e, dict)] if isinstance(errors, list) else []


def _words(problem: Mapping[str, Any]) -> str:
    """X's own explanation: the particular one if there is one, then the general one."""
    for one in (*_errors(problem), problem):
        for name in ("message", "detail", "title"):
            if isinstance(words := one.get(name), str) and words:
                return words
    return ""


def _code(status: int, problem: Mapping[str, Any]) -> str:
    """Like "403/client-forbidden", "403/187" or, where X names what it objects to, "400/media.media_ids"."""
    errors = _errors(problem)
    kind = str(problem.get("type") or "").rstrip("/").rpartition("/")[2]
    if kind == "invalid-request":
        named = [p for e in errors if isinstance(p := e.get("parameters"), dict) and p]
        kind = next((str(next(iter(p))) for p in named), kind)
    if kind and kind != "about:blank":
        return f"{status}/{kind}"
    number = next((n for e in errors if isinstance(n := e.get("code"), int)), None)
    return f"{status}/{number}" if number is not None else str(status)


__all__ = ["HOST", "LOGINS", "MEDIA_REFUSED", "XApi", "login_of"]

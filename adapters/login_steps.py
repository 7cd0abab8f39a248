"""What the guided logins share: asking for what is not known yet, choosing, reading a pasted address,
and calling the address where a platform gives tokens. It knows no platform.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from adapters.contract import N_, Account, Dialogue
from adapters.errors import AdapterError, AuthExpired, RateLimited, Transient
from adapters.material import NOT_UNDERSTOOD, json_object
from adapters.transport import Transport, adapter_error

#: Pause where a platform that has enough does not say for how long.
PAUSE = timedelta(minutes=15)
LONGEST_REASON = 300

_TEMPORARY = {"temporarily_unavailable", "server_error"}
_WRONG_ADDRESS = N_(
    "What was pasted is not the address of this login. Begin anew and copy the whole address."
)
_REFUSED = N_("The platform did not accept the code or the keys of the app.")
_WRONG_ACCOUNT = N_(
    "The browser was logged in as another account than the one in the configuration."
    " Log out there, log in as the right account and begin anew, or correct the handle."
)


class Known:
    """The secrets of an account that are known: those it has, and in ``given`` those the person gave now."""

    def __init__(self, account: Account, dialogue: Dialogue) -> None:
        self._account = account
        self._dialogue = dialogue
        self.given: dict[str, str] = {}

    def get(self, name: str) -> str:
        """An option or a secret of the account by this name, or "" if it has none."""
        return str(self._account.options.get(name) or "") or optional(self._account, name)

    def ask(self, name: str, question: str) -> str:
        """What the account has by this name; if it has none, the person is asked, and it is kept."""
        if known := self.get(name):
            return known
        self.given[name] = self._dialogue.ask(question, hidden=True).strip()
        return self.given[name]


def optional(account: Account, name: str) -> str:
    """A secret of the account, "" if it is not configured; raise AuthExpired if it cannot be read."""
    try:
        return account.secret(name).strip()
    except AuthExpired as error:
        if error.code == "no-secret":  # there is a reference: what we stored would never be used
            raise
        return ""


def holding(account: Account, secrets: Mapping[str, str]) -> Account:
    """The account as it will be with these secrets, to try them before anything is stored."""
    return replace(account, secret=lambda name: secrets.get(name) or account.secret(name))


def guide(dialogue: Dialogue, *steps: str, **values: object) -> None:
    """Tell the steps that the person is to take, one a line."""
    for step in steps:
        dialogue.tell(step, **values)


def choose(dialogue: Dialogue, question: str, names: Sequence[str]) -> int:
    """Let the person choose one of ``names``; return its place. One alone needs no question."""
    if len(names) == 1:
        return 0
    for number, name in enumerate(names, 1):
        dialogue.tell("{number}. {name}", number=number, name=name)
    while True:
        answer = dialogue.ask(question).strip()
        if answer.isdecimal() and 1 <= int(answer) <= len(names):
            return int(answer) - 1
        dialogue.tell(N_("Write one of the numbers."))


def expect(dialogue: Dialogue, handle: str, name: str) -> None:
    """Raise AuthExpired if ``name`` logged in where ``handle`` was to: browsers remember who was there."""
    wanted = handle.strip().removeprefix("@")
    if wanted and name and wanted.casefold() != name.casefold():
        dialogue.tell(
            N_("The login is of {name}; the handle in the configuration is {handle}."),
            name=name,
            handle=handle,
        )
        raise AuthExpired(_WRONG_ACCOUNT, code="wrong-account")


def code_in(pasted: str, state: str) -> str:
    """The code in the address to which the platform sent the browser.

    Raises AuthExpired if the person refused there, or if the address belongs to another login.
    """
    query = dict(parse_qsl(urlsplit(pasted.strip()).query))
    if query.get("error"):
        raise AuthExpired(
            N_("The platform says that the access was not granted. Begin anew and allow it."),
            code=query["error"][:40],
        )
    if not query.get("code") or query.get("state") != state:
        raise AuthExpired(_WRONG_ADDRESS, code="wrong-address")
    return query["code"]


def ask_token(
    http: Transport, method: str, address: str, now: Callable[[], datetime], **content: Any
) -> dict[str, Any]:
    """Call the address where a platform gives tokens, and return its answer; raise what a refusal means."""
    try:
        answer = http.request(method, address, **content)
    except requests.RequestException as error:
        failure = adapter_error(error, repeatable=True)
    else:
        body = json_object(answer)
        if answer.status_code < 400 and body and "error" not in body:
            return body
        failure = refusal(answer, http, now())
    raise failure  # outside of the handler, so that nothing of the request is its context


def refusal(answer: requests.Response, http: Transport, now: datetime) -> AdapterError:
    """What an answer means that is not the token hoped for (OAuth 2.0, RFC 6749, section 5.2, and kin)."""
    body, status = json_object(answer), answer.status_code
    if status == 429:
        return RateLimited(N_("The platform asks for a pause."), until=_until(answer, now), code="429")
    told = body.get("error")
    inner = told if isinstance(told, dict) else {}  # Meta's way; OAuth's is a text
    name = http.strip(str(inner.get("code") or told or body.get("error_type") or status))[:40]
    if status >= 500 or name in _TEMPORARY or inner.get("is_transient"):
        return Transient(NOT_UNDERSTOOD, code=name)
    if words := _words(body):
        return AuthExpired(http.strip(words)[:LONGEST_REASON], code=name)
    return AuthExpired(_REFUSED, code="401") if status == 401 else Transient(NOT_UNDERSTOOD, code=str(status))


def _words(body: Mapping[str, Any]) -> str:
    """The platform's own explanation, in the places where X, Meta and Mastodon put it."""
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    for place in (first, body.get("error"), body):
        if isinstance(place, dict):
            for name in ("error_description", "error_message", "message", "detail", "error"):
                if isinstance(words := place.get(name), str) and words:
                    return words
    return ""


def _until(answer: requests.Response, now: datetime) -> datetime:
    after = answer.headers.get("Retry-After", "")
    return now + (timedelta(seconds=int(after)) if after.isdecimal() and len(after) < 7 else PAUSE)


def word(answer: Mapping[str, Any], name: str) -> str:
    """A text that the answer must hold; raise Transient if it does not."""
    found = answer.get(name)
    if not isinstance(found, str) or not found.strip():
        raise Transient(NOT_UNDERSTOOD, code=name)
    return found.strip()


def end(answer: Mapping[str, Any], now: Callable[[], datetime], documented: timedelta) -> datetime:
    """When the token of an answer ends (UTC); after ``documented`` if the answer does not say."""
    try:
        seconds = int(answer.get("expires_in") or 0)
    except (TypeError, ValueError):
        seconds = 0
    return now() + (timedelta(seconds=seconds) if 0 < seconds < 2**31 else documented)


__all__ = [
    "Known",
    "ask_token",
    "choose",
    "code_in",
    "end",
    "expect",
    "guide",
    "holding",
    "optional",
    "refusal",
    "word",
]

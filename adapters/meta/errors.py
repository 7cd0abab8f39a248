"""What a failed Graph call means, and what the rate headers say; shared by Meta's platforms.

Codes decide, not words, wherever a code exists. This module calls nobody and knows no Page, no
Instagram and no Threads: their own subcodes come in as tables. Facts without another source:
PLATFORMS.md, "Meta common", November 2026.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import requests

from adapters.contract import N_, RatePause
from adapters.errors import (
    AccountHeld,
    AdapterError,
    Ambiguous,
    AuthExpired,
    Duplicate,
    RateLimited,
    Rejected,
    Transient,
)
from adapters.transport import adapter_error, strip_secrets

#: The pause if Meta names none: its limits count over one rolling hour.
PAUSE = timedelta(hours=1)
#: The pause ahead of a refusal if Meta names none: the rolling hour frees something all the time, and the
#: next answer says whether it was enough.
BREATH = timedelta(minutes=10)


class Meaning(Enum):
    """What a code of an error says about the call that was refused."""

    UNCLEAR = "may have been accepted all the same, if the call publishes; otherwise try again"
    TRANSIENT = "nothing was accepted, even if the call publishes; try again"
    LIMIT = "too many calls or posts of this account"
    APP_LIMIT = "too many calls of all accounts of the app"
    AUTH = "the token or its permissions are refused"
    HELD = "the account is restricted until a person acts"
    REJECTED = "this content or request is refused for good"
    DUPLICATE = "this content is already there"


#: (code, subcode) -> meaning; None stands for any code, or for any subcode.
Codes = Mapping[tuple[int | None, int | None], Meaning]

META: Codes = {
    (1, None): Meaning.UNCLEAR,
    (2, None): Meaning.UNCLEAR,  # "please retry": has posted each time (koala#699, 2025-08)
    (100, 33): Meaning.UNCLEAR,  # missing or no access; sometimes transient
    (4, None): Meaning.APP_LIMIT,
    (17, None): Meaning.LIMIT,
    (32, None): Meaning.LIMIT,
    (341, None): Meaning.APP_LIMIT,
    (613, None): Meaning.LIMIT,
    (80001, None): Meaning.LIMIT,
    (80002, None): Meaning.LIMIT,
    (102, None): Meaning.AUTH,
    (190, None): Meaning.AUTH,
    (3, None): Meaning.AUTH,
    (10, None): Meaning.AUTH,
    (100, None): Meaning.REJECTED,
    (368, None): Meaning.HELD,
    (506, None): Meaning.DUPLICATE,
    (None, 1609005): Meaning.REJECTED,  # the link
}

NO_ANSWER = N_("The platform gave no clear answer; nobody knows yet whether it accepted the post.")
NOT_UNDERSTOOD = N_("The platform's answer was not understood. Try again later.")
_MOST = 300


def graph_error(
    failure: Exception | requests.Response,
    *,
    publishing: bool,
    now: datetime,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    codes: Codes | None = None,
    strip: Callable[[str], str] = strip_secrets,
) -> AdapterError:
    """Given what a Graph call raised or answered, return what it means.

    ``publishing`` says that the call makes something public: whatever is not a recognised refusal, and
    every 5xx, is then Ambiguous; otherwise it is Transient. ``status`` and ``headers`` are the answer's
    where ``failure`` (a ``GraphAPIError``) has lost them. ``codes`` are a platform's own and win over META.
    """
    if isinstance(failure, requests.Response):
        status, headers = failure.status_code, failure.headers
        content = content_of(failure)
    elif isinstance(failure, requests.RequestException) and not isinstance(
        failure, requests.exceptions.JSONDecodeError
    ):
        return adapter_error(failure, repeatable=not publishing)
    elif isinstance(failure, AdapterError):
        return failure
    else:
        content = getattr(failure, "result", None)
    headers = headers or {}
    error = content.get("error") if isinstance(content, dict) else None
    if not isinstance(error, dict):
        if status == 429:
            return RateLimited(
                N_("The platform asks for a pause."), until=pause_until(headers, now), code="429"
            )
        words = NO_ANSWER if publishing else NOT_UNDERSTOOD
        return _unclear(publishing)(words, code=str(status or ""))
    reason, code, meaning = _words(error, strip), _code(error), _meaning(error, codes or {})
    if publishing and status is not None and status >= 500:
        meaning = Meaning.UNCLEAR  # an error status is no proof of absence, whatever the code
    match meaning:
        case Meaning.LIMIT | Meaning.APP_LIMIT:
            app_wide = meaning is Meaning.APP_LIMIT
            return RateLimited(reason, until=pause_until(headers, now), code=code, app_wide=app_wide)
        case Meaning.UNCLEAR:
            return _unclear(publishing)(reason, code=code)
        case _:
            return _CLASSES[meaning](reason, code=code)


_CLASSES: Mapping[Meaning, type[AdapterError]] = {
    Meaning.TRANSIENT: Transient,
    Meaning.AUTH: AuthExpired,
    Meaning.HELD: AccountHeld,
    Meaning.REJECTED: Rejected,
    Meaning.DUPLICATE: Duplicate,
}


def _unclear(publishing: bool) -> type[AdapterError]:
    return Ambiguous if publishing else Transient


def _meaning(error: Mapping[str, Any], own: Codes) -> Meaning:
    code, subcode = _whole(error.get("code")), _whole(error.get("error_subcode"))
    # The more exact key wins; of two equally exact ones, the platform's own.
    keys = [(code, subcode), (None, subcode)] if subcode is not None else []
    for key in (*keys, (code, None)):
        if key in own:
            return own[key]
        if key in META:
            return _of_meta(error, key)
    return Meaning.AUTH if code is not None and 200 <= code <= 299 else Meaning.UNCLEAR


def _of_meta(error: Mapping[str, Any], key: tuple[int | None, int | None]) -> Meaning:
    if key == (368, None) and _already_posted(error):
        return Meaning.DUPLICATE
    final = META[key] in (Meaning.REJECTED, Meaning.AUTH, Meaning.HELD)
    return Meaning.UNCLEAR if final and error.get("is_transient") is True else META[key]


def _already_posted(error: Mapping[str, Any]) -> bool:
    """368 has no subcode of its own for a repeated post; only its words tell it from a block."""
    return any("already posted" in str(error.get(name, "")).lower() for name in ("message", "error_user_msg"))


def _words(error: Mapping[str, Any], strip: Callable[[str], str]) -> str:
    """The platform's explanation: the one for people if there is one, else the one for programmers."""
    said = strip(" ".join(str(error.get("error_user_msg") or error.get("message") or "").split()))
    if not said:
        return N_("The platform refused the request without saying why.")
    return said if len(said) <= _MOST else said[: _MOST - 1] + "…"


def _code(error: Mapping[str, Any]) -> str:
    numbers = (_whole(error.get("code")), _whole(error.get("error_subcode")))
    return "/".join(str(number) for number in numbers if number is not None)


def _whole(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None


def content_of(response: requests.Response) -> Any:
    """The JSON of an answer; None if it is anything else."""
    try:
        return response.json()
    except ValueError:
        return None


#: One limit for all accounts of the app: an object. One for each business object (a Page, an Instagram
#: account): lists of objects.
APP, OWN = "X-App-Usage", "X-Business-Use-Case-Usage"


def usage(headers: Mapping[str, str]) -> float:
    """Given an answer's headers, return how much of the tightest limit is used, in percent (0 if untold)."""
    return max(_used(headers, APP), _used(headers, OWN))


def _used(headers: Mapping[str, str], name: str) -> float:
    numbers = [
        value
        for entry in _usages(headers, name)
        for count in ("call_count", "total_time", "total_cputime")
        if isinstance(value := entry.get(count), (int, float))
    ]
    return float(max(numbers, default=0))


def pause_ahead(headers: Mapping[str, str], now: datetime) -> RatePause | None:
    """The pause that an answer asks for which says that a limit is used up; None while calls remain."""
    if not exhausted(headers):
        return None
    pause = regain(headers)
    return RatePause(now + (BREATH if pause is None else pause), app_wide=_used(headers, APP) >= 100)


def exhausted(headers: Mapping[str, str]) -> bool:
    """Whether the platform says that a limit is used up (100% or more): the next call would be refused."""
    return usage(headers) >= 100


def regain(headers: Mapping[str, str]) -> timedelta | None:
    """The platform's own estimate of when calls are allowed again; None if it names none."""
    minutes = [
        value
        for entry in (*_usages(headers, APP), *_usages(headers, OWN))
        if isinstance(value := entry.get("estimated_time_to_regain_access"), (int, float)) and value > 0
    ]
    if minutes:
        return timedelta(minutes=max(minutes))
    seconds = _whole(headers.get("Retry-After"))
    return timedelta(seconds=seconds) if seconds is not None and seconds >= 0 else None


def pause_until(headers: Mapping[str, str], now: datetime) -> datetime:
    """When calls are allowed again (UTC): as the headers say, else in an hour."""
    pause = regain(headers)
    return now + (PAUSE if pause is None else pause)


def _usages(headers: Mapping[str, str], name: str) -> list[Mapping[str, Any]]:
    try:
        content = json.loads(headers.get(name) or "null")
    except ValueError:
        return []
    if not isinstance(content, dict):
        return []
    found = [content, *(one for value in content.values() if isinstance(value, list) for one in value)]
    return [entry for entry in found if isinstance(entry, dict)]


def created(answer: Mapping[str, Any], *names: str, publishing: bool) -> str:
    """Return the first id among ``names`` ("id" by default) in an answer; without one there is no success.

    Raise Ambiguous if the call publishes, else Transient.
    """
    for name in names or ("id",):
        if isinstance(value := answer.get(name), (str, int)) and str(value):
            return str(value)
    raise _unclear(publishing)(NO_ANSWER if publishing else NOT_UNDERSTOOD, code="no-id")


def is_missing(error: AdapterError) -> bool:
    """Whether the platform says that it has no such object, or none that this token may see."""
    return error.code in ("100/33", "803")  # 803: an unknown name where an id was expected (from memory)


__all__ = [
    "META",
    "NOT_UNDERSTOOD",
    "NO_ANSWER",
    "Codes",
    "Meaning",
    "content_of",
    "created",
    "exhausted",
    "graph_error",
    "is_missing",
    "pause_ahead",
    "pause_until",
    "regain",
    "usage",
]

"""When X lets an account call again: its rate headers, after a refusal and ahead of one.

``x-rate-limit-*`` is the window of the endpoint that was called; the limits of a day, of the user and of
the whole app, have headers of their own. Resets are in Unix seconds; X sends no Retry-After. Facts:
PLATFORMS.md, X, c (November 2026).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import requests

from adapters.contract import RatePause

#: How long to pause if X says "too many" and not until when: one window of its limits.
WINDOW = timedelta(minutes=15)
_ENDPOINT = "x-rate-limit"
_DAY = {"x-user-limit-24hour": False, "x-app-limit-24hour": True}


def after_refusal(headers: Mapping[str, str], now: datetime) -> RatePause:
    """Until when to pause after "too many requests", and whether every account of the app must."""
    asked = [RatePause(at) for at in _reset(headers, _ENDPOINT)]  # it refused, whatever remains
    pause = _longest([*asked, *_used_up(headers, _DAY)]) or RatePause(now + WINDOW)
    return pause if pause.until > now else RatePause(now + timedelta(seconds=5), pause.app_wide)


def ahead(answer: requests.Response, now: datetime) -> RatePause | None:
    """The pause that an answer asks for which took the last call of a window; None while calls remain.

    Only of calls that publish or upload: one who may not read for a while may still post.
    """
    if answer.request.method == "GET":
        return None
    pause = _longest(_used_up(answer.headers, {_ENDPOINT: False, **_DAY}))
    return pause if pause is not None and pause.until > now else None


def _used_up(headers: Mapping[str, str], limits: Mapping[str, bool]) -> list[RatePause]:
    return [
        RatePause(at, app_wide)
        for name, app_wide in limits.items()
        if headers.get(f"{name}-remaining") == "0"
        for at in _reset(headers, name)
    ]


def _reset(headers: Mapping[str, str], name: str) -> Iterator[datetime]:
    seconds = headers.get(f"{name}-reset", "")
    if seconds.isdecimal() and len(seconds) <= 11:
        yield datetime.fromtimestamp(int(seconds), UTC)


def _longest(pauses: list[RatePause]) -> RatePause | None:
    return max(pauses, key=lambda pause: pause.until, default=None)


__all__ = ["after_refusal", "ahead"]

"""What a platform answered while one thing was done there, word for word but for secrets: for the records.

The transport tells every answer that comes while somebody listens. What an answer means is not known here,
and an answer in which a secret stands is not kept: it is about credentials, not about the post.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from adapters.contract import Json
from adapters.secrecy import HIDDEN

if TYPE_CHECKING:
    import requests

#: Characters kept of one answer, and answers kept of one call: its last ones.
LONGEST = 4000
MOST = 40

Answers = list[dict[str, Json]]

_listening: ContextVar[Answers | None] = ContextVar("listening", default=None)


@contextmanager
def listening() -> Iterator[Answers]:
    """In this block, answers are written down: ``method``, ``address`` (without parameters), ``status``,
    ``body`` (parsed if it is JSON). Of the same question asked again and again, only the last answer."""
    answers: Answers = []
    token = _listening.set(answers)
    try:
        yield answers
    finally:
        _listening.reset(token)


@contextmanager
def unheard() -> Iterator[None]:
    """In this block, nothing is written down: the answers are about other people, not about our post."""
    token = _listening.set(None)
    try:
        yield
    finally:
        _listening.reset(token)


def hear(response: requests.Response, strip: Callable[[str], str]) -> None:
    """Write down an answer, if somebody listens; ``strip`` takes secrets out of a text."""
    answers = _listening.get()
    if answers is None:
        return
    request = response.request
    parts = urlsplit(request.url or "")
    answer: dict[str, Json] = {
        "method": request.method or "",
        "address": strip(f"{parts.hostname}{parts.path}"),
        "status": response.status_code,
        "body": _body(response, strip),
    }
    question = ("method", "address")
    if answers and request.method == "GET" and all(answers[-1][part] == answer[part] for part in question):
        answers.pop()  # whether a video is ready is asked a hundred times
    answers.append(answer)
    del answers[:-MOST]


def _body(response: requests.Response, strip: Callable[[str], str]) -> Json:
    text = response.content.decode("utf-8", "replace")
    if strip(text) != text:
        return HIDDEN
    if len(text) > LONGEST:
        return text[:LONGEST] + "…"
    try:
        body: Json = json.loads(text)
        json.dumps(body, allow_nan=False)  # PostgreSQL takes no NaN
    except (ValueError, RecursionError):
        return text.replace("\0", "")
    return body


__all__ = ["LONGEST", "MOST", "Answers", "hear", "listening", "unheard"]

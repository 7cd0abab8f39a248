"""What adapters answer, as the store can take it.

A stranger's adapter may break the contract, and a platform's own words may hold half a character or a zero
byte: JSON can say both, a database takes neither. None of it may come as far as the dispatcher, where it
would end the daemon.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from adapters.contract import (
    FIGURES,
    Absent,
    Finding,
    Found,
    Handed,
    RatePause,
    Reach,
    Receipt,
    Reply,
    Unknown,
    counted,
)
from adapters.errors import AdapterError, Ambiguous, RateLimited, Stopped
from scheduler.engine.retry import Outcome

#: Characters of a comment that are kept.
LONGEST_COMMENT = 10_000
#: What a column of whole numbers holds at most, in PostgreSQL.
LARGEST = 2**31 - 1


def text(answer: object) -> str:
    """A text without zero bytes and half characters; "" for nothing."""
    said = "" if answer is None else str(answer)
    return said.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def outcome(answer: object) -> Outcome:
    """What publishing brought; whatever is outside the contract is an ambiguity."""
    match answer:
        case Receipt(remote_id, permalink, shortfall):
            return replace(
                answer, remote_id=text(remote_id), permalink=text(permalink), shortfall=text(shortfall)
            )
        case Handed(place):
            return replace(answer, place=text(place))
    return Ambiguous(f"the adapter answered {text(answer)!r}")


def finding(answer: object) -> Finding:
    """What a look brought; whatever is outside the contract proves nothing."""
    match answer:
        case Found(remote_id, permalink, at) if remote_id and (at is None or at.tzinfo is not None):
            found = replace(answer, remote_id=text(remote_id), permalink=text(permalink))
            return replace(found, shortfall=text(answer.shortfall))
        case Absent():
            return answer
        case Unknown(reason, until):
            known = isinstance(until, datetime) and until.tzinfo is not None
            return replace(answer, reason=text(reason), until=until if known else None)
    return Unknown(f"the adapter answered {text(answer)!r}")


def number(answer: object) -> int | None:
    """A figure; None, which is unknown, for what is none or cannot be stored."""
    figure = counted(answer)
    return figure if figure is not None and figure <= LARGEST else None


def figures(answer: Mapping[str, Reach]) -> dict[str, Reach]:
    """The figures of posts; what cannot be stored stays in ``raw`` alone."""
    return {id_: _stored(one) for id_, one in answer.items()}


def _stored(told: Reach) -> Reach:
    known: dict[str, Any] = {name: number(getattr(told, name)) for name in FIGURES}
    return replace(told, **known)


def replies(answer: Iterable[Reply]) -> list[Reply]:
    """Comments as they can be stored, whatever strangers wrote into them."""
    return [
        replace(
            one,
            remote_id=text(one.remote_id),
            under=text(one.under),
            author=text(one.author)[:LONGEST_COMMENT],
            text=text(one.text)[:LONGEST_COMMENT],
            url=text(one.url)[:LONGEST_COMMENT],
        )
        for one in answer
        if one.remote_id and one.written_at.tzinfo is not None
    ]


def error(raised: BaseException) -> AdapterError:
    """The error, its texts made texts. A rate limit that does not say until when is only an ambiguity, and
    so is everything that is not in the taxonomy.
    """
    if not isinstance(raised, AdapterError):
        return Ambiguous(text(f"{type(raised).__name__}: {raised}"))
    raised.reason, raised.code = text(raised.reason), text(raised.code)
    if isinstance(raised, Stopped):
        raised.remote_id, raised.permalink = text(raised.remote_id), text(raised.permalink)
    if isinstance(raised, RateLimited) and getattr(raised.until, "tzinfo", None) is None:
        return Ambiguous(raised.reason, code=raised.code)
    return raised


def pause(answer: object) -> RatePause | None:
    """A pause, if it is one and says until when."""
    if isinstance(answer, RatePause) and getattr(answer.until, "tzinfo", None) is not None:
        return replace(answer, reason=text(answer.reason))
    return None

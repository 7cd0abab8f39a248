"""What several adapters need and none should write again: the bytes of an approved file, an answer's
JSON, a post taken apart into its pieces, a text counted as its readers see it.

It knows no platform. A file that is not the approved one is refused here, before anything is sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from adapters.contract import N_, Media, Post
from adapters.errors import Rejected, Transient

NOT_UNDERSTOOD = N_("The platform's answer was not understood. Check api_base of the account.")


@dataclass(frozen=True, slots=True)
class Piece:
    """One message of a post that is several on its platform; ``parent`` is the piece it replies to."""

    text: str
    media: tuple[Media, ...] = ()
    parent: int | None = None


def pieces(wording: str, post: Post) -> list[Piece]:
    """Given a post and its text as it will read, return its messages in order: the post, its thread,
    each part a reply to the part before it, and last the first comment, a reply to the post.
    """
    found = [Piece(wording, post.media)]
    found += [Piece(part.text, part.media, number) for number, part in enumerate(post.thread)]
    if post.first_comment:
        found.append(Piece(post.first_comment, parent=0))
    return found


def graphemes(text: str) -> int:
    """How many characters a reader sees: a family emoji is one (Unicode Standard Annex 29)."""
    import regex

    return len(regex.findall(r"\X", text))


def content(item: Media) -> bytes:
    """Return the bytes of ``item``; raise Rejected if the file is gone or not the approved one."""
    try:
        found = item.path.read_bytes()
    except OSError as error:
        raise Rejected(N_("The file of a picture cannot be read."), code=item.path.name) from error
    if hashlib.sha256(found).hexdigest() != item.sha256:
        raise Rejected(N_("The file of a picture changed after it was approved."), code=item.path.name)
    return found


def size(item: Media) -> int | None:
    """Return the bytes of ``item``'s file, None if it is not there (the offline checks then say nothing)."""
    try:
        return item.path.stat().st_size
    except OSError:
        return None


def json_object(answer: requests.Response) -> dict[str, Any]:
    """Return the JSON object in ``answer``, empty if there is none: a gateway's page, half an answer."""
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


@contextmanager
def understanding() -> Iterator[None]:
    """Turn the surprises of a foreign answer into Transient; only for calls that publish nothing."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise Transient(NOT_UNDERSTOOD) from error


__all__ = [
    "NOT_UNDERSTOOD",
    "Piece",
    "content",
    "graphemes",
    "json_object",
    "pieces",
    "size",
    "understanding",
]

"""Whether a stored content is still what its digest says: the digest, computed anew from what lies there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from campaigns.planning import digest_of
from scheduler.store.claiming import Candidate


def own_digest(one: Candidate) -> str:
    """The digest that the stored words and pictures of a delivery give."""
    return digest_of(
        one.account_id,
        one.platform,
        one.text,
        one.link,
        _media(one.media),
        one.kind,
        [(part["text"], _media(part["media"])) for part in one.thread],
        one.first_comment,
        one.message_class,
        one.reply_to,
    )


def _media(items: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [(item["sha256"], item["alt"]) for item in items]

"""Of what a content consists, as the store keeps it: its columns, and how a row of them reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from scheduler.store.tables import contents

#: What of a content becomes a post.
WORDING = (
    contents.c.text,
    contents.c.link,
    contents.c.media,
    contents.c.kind,
    contents.c.thread,
    contents.c.first_comment,
    contents.c.reply_to,
)


class Stored(Protocol):
    """A content as the store keeps it: a claim, a candidate for one, or a row of ``content``."""

    @property
    def text(self) -> str: ...
    @property
    def link(self) -> str: ...
    @property
    def media(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def kind(self) -> str: ...
    @property
    def thread(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def first_comment(self) -> str: ...
    @property
    def reply_to(self) -> Mapping[str, str]: ...

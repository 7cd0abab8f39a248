"""Texts on Mastodon: how long one is there, and what became of it when the server lists it as HTML.

Facts: Mastodon's documentation and source (StatusLengthValidator, TextFormatter), PLATFORMS.md
(Mastodon), November 2026. It makes no call.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from adapters.matching import same_text
from adapters.material import graphemes

#: What a link counts, however long it is (``characters_reserved_per_url``).
URL_LENGTH = 23

_LINK = re.compile(r"https?://[^\s<>\"]+")
#: ``@name@server`` counts, and is shown, without its server.
_MENTION = re.compile(r"(?<![\w/])(@[\w.-]*\w)@[\w.-]+\w")


def length(text: str, url_length: int = URL_LENGTH) -> int:
    """What Mastodon counts: visible characters, a link as ``url_length``, a mention without its server."""
    return graphemes(_MENTION.sub(r"\1", _LINK.sub("x" * url_length, text)))


def same(sent: str, html: str) -> bool:
    """Whether the server's ``html`` shows the text that was ``sent``."""
    return same_words(sent, plain(html))


def same_words(sent: str, shown: str) -> bool:
    """The same for what is already text again."""
    return same_text(_MENTION.sub(r"\1", sent), _MENTION.sub(r"\1", shown))


def plain(html: str) -> str:
    """The text of a status: paragraphs and line breaks become white space, links are whole again."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return "".join(reader.pieces)


class _Reader(HTMLParser):
    """Mastodon cuts a link into spans, some invisible; together their texts are the address."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in ("br", "p", "li", "blockquote", "pre"):
            self.pieces.append("\n")


__all__ = ["URL_LENGTH", "length", "plain", "same", "same_words"]

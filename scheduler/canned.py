"""Answers that the office keeps ready for comments: texts with places to be filled in, such as {channel}.

What a place stands for is the office's to say, for all accounts or for those of one agency. Here texts are
filled in; who approves and sends them is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from string import Formatter
from typing import Annotated

from pydantic import AfterValidator, Field

from campaigns.definition import Part
from campaigns.validation import refusal
from scheduler.i18n import N_

#: What every text may name without anybody having written it down.
KNOWN = ("agency", "handle")


def _text(value: str) -> str:
    try:
        names = list(places(value))
    except ValueError:
        names = [""]
    if not all(name.isidentifier() for name in names):
        raise refusal(
            "canned-braces",
            N_("A place to be filled in is written {name}; a brace that is none is written twice."),
            name="{channel}",
        )
    return value


#: A text with places to be filled in.
CannedText = Annotated[str, Field(min_length=1), AfterValidator(_text)]
Values = Mapping[Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")], str]


class CannedReply(Part):
    """An answer that is kept ready."""

    text: CannedText
    platforms: Mapping[str, CannedText] = Field(default_factory=dict, description="Other texts, by platform.")

    def on(self, platform: str) -> str:
        """The text for a platform, its places not filled in."""
        return self.platforms.get(platform, self.text)


def places(text: str) -> Iterator[str]:
    """The names of the places in a text; raise ValueError if its braces do not match."""
    for _words, name, form, conversion in Formatter().parse(text):
        if name is not None:
            yield "" if form or conversion else name


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text with its places filled in; raise LookupError with the name of one that has no value."""
    for name in places(text):
        if not values.get(name):
            raise LookupError(name)
    return text.format_map(values)

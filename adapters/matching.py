"""Is this the post? Comparing what was sent with what a platform lists, after the platform's own rewriting.

Platforms trim, normalise and rewrap texts; what they do to links is each adapter's own business, which
gives both texts here with links already in one form. Never used to take "the latest post" on trust.
"""

from __future__ import annotations

import unicodedata
from datetime import timedelta

#: How far after our own clock a platform may date a post (its clock, its queue).
LATER = timedelta(hours=24)
#: How far before our own clock a platform may date a post: our clock may have been ahead when it was made,
#: by an hour where somebody set it by hand. Too short, and a post that is there is sent again.
EARLIER = timedelta(minutes=90)


def plain_text(text: str) -> str:
    """Given a text, return it in NFC, without invisible marks, every run of white space one space."""
    kept = (one for one in unicodedata.normalize("NFC", text) if unicodedata.category(one) != "Cf")
    return " ".join("".join(kept).split())


def same_text(sent: str, listed: str) -> bool:
    """Whether two texts are the same but for white space, normalisation and invisible marks."""
    return plain_text(sent) == plain_text(listed)

"""The written form of ids, hashtags and links: a pattern for programs, a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping

from campaigns.problems import N_

ID = r"^[a-z0-9][a-z0-9._-]{0,63}$"
HASHTAG = r"^#\w+$"
LINK = r"^(https?://\S+)?$"

#: What is said of a value that does not have the form.
REFUSALS: Mapping[str, str] = {
    ID: N_(
        "{value} cannot be an id. An id has small letters, digits, dots, hyphens and underscores, and"
        " begins with a letter or digit."
    ),
    HASHTAG: N_("{value} is not a hashtag. A hashtag is # and one word without spaces, like #Hakordia."),
    LINK: N_("{value} is not a link. A link begins with https:// or http:// and has no spaces."),
}

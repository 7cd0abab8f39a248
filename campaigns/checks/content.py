"""Alt texts that say nothing, words that the office does not use, the KPK's logo without a letter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath

from campaigns.checks.desk import Desk, Finding
from campaigns.problems import N_

#: Fewer letters than these tell nobody what a picture shows.
SHORTEST = 15


def empty_alt_texts(desk: Desk) -> Iterator[Finding]:
    """Alt texts that are only the name of the file, or a word or two."""
    for item, place, picture in desk.media():
        alt = picture.alt.strip()
        name = PurePath(picture.file)
        if alt.casefold() in {name.name.casefold(), name.stem.casefold()} or len(alt) < SHORTEST:
            yield Finding(
                N_("The alt text “{alt}” does not tell what {file} shows."),
                {"alt": alt, "file": picture.file},
                item,
                place,
                N_("Say in a sentence what somebody sees there, the writing in the picture included."),
            )


def forbidden_words(desk: Desk) -> Iterator[Finding]:
    """Words of the office's list, as whole words, in any case."""
    words = [re.escape(word) for word in desk.settings.words]
    if not words:
        return
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)
    for item, place, text in desk.texts():
        for word in dict.fromkeys(found.group().casefold() for found in pattern.finditer(text)):
            yield Finding(N_("The word “{word}” is on the office's list."), {"word": word}, item, place)


def logo_without_letter(desk: Desk) -> Iterator[Finding]:
    """The KPK's logo outside its own programmes needs its permission (DOMAIN.md section 2)."""
    for message in desk.loaded.campaign.messages:
        if message.kpk_logo and not message.letter:
            yield Finding(
                N_("The message uses the KPK's logo, but names no letter that permits it."),
                {},
                message.id,
                "kpk_logo",
                N_("Write the number of the letter into the key letter."),
            )

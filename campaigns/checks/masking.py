"""Making personal data unreadable where texts of strangers are listed (UU PDP 27/2022).

The same patterns as the check of an office's own posts, but here too much is better than too little.
"""

from __future__ import annotations

import re

from campaigns.checks.personal import EMAIL, PHONE, SIXTEEN

_MASK = "•••"


def mask(text: str) -> str:
    """A text without identity numbers, phone numbers and mail addresses: of each, its beginning stays."""
    text = SIXTEEN.sub(lambda found: found.group()[:4] + _MASK, text)
    text = PHONE.sub(lambda found: found.group()[:4] + _MASK, text)
    return EMAIL.sub(lambda found: f"{found.group()[0]}{_MASK}@{_MASK}", text)


def shorten_name(name: str) -> str:
    """A name of which nobody but who knows the person recognises them: its first letters."""
    return " ".join(re.sub(r"^(@?\w)[^\s]*", rf"\1{_MASK}", part) for part in name.split())

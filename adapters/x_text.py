"""How X counts a text."""

from __future__ import annotations

import re
import unicodedata

_URL = re.compile(r"https?://\S+")


def weighted_length(text: str) -> int:
    """Return the length of ``text`` as X counts it (first version; URLs 23, others by ranges)."""
    text = _URL.sub("x" * 23, unicodedata.normalize("NFC", text))
    light = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
    return sum(1 if any(a <= ord(c) <= b for a, b in light) else 2 for c in text)

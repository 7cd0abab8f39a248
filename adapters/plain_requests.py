"""requests without the library by which it guesses the encoding of a text that does not say its own.

Nothing here asks for a guess: platforms speak JSON, which is UTF-8. The guesser takes 2.7 MB in every daemon.
"""

from __future__ import annotations

import sys
import warnings

__all__ = ["requests"]

_GUESSER = "charset_normalizer"

if _GUESSER not in sys.modules:
    sys.modules[_GUESSER] = None  # type: ignore[assignment]  # to import it fails
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # requests misses it, and will take such a text for UTF-8
    import requests
if sys.modules[_GUESSER] is None:
    del sys.modules[_GUESSER]

"""The language of everything a person reads: gettext catalogs under ``scheduler/locale``.

English source texts, Indonesian translation. The language comes from ``GAUNG_LANG``, then the
configuration, then the locale; Indonesian if none of them says otherwise, since that is who Gaung is
for. JSON keys, state codes, configuration keys and command names are not translated.
"""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from pathlib import Path

LANGUAGES = ("id", "en")
_LOCALE = Path(__file__).with_name("locale")
_translations: gettext.NullTranslations = gettext.NullTranslations()
_language = "en"


def N_(message: str) -> str:
    """Mark ``message`` for the translators; it is translated where it is shown."""
    return message


def choose_language(environment: Mapping[str, str], configured: str = "") -> str:
    """Given the environment and the configured language, return "id" or "en"."""
    candidates = (
        environment.get("GAUNG_LANG", ""),
        configured,
        environment.get("LC_ALL", ""),
        environment.get("LC_MESSAGES", ""),
        environment.get("LANG", ""),
    )
    for candidate in candidates:
        if (code := candidate.lower()[:2]) in LANGUAGES:
            return code
    return "id"


def use_language(language: str) -> None:
    """Speak ``language`` ("id" or "en") from now on, in this process."""
    global _translations, _language  # noqa: PLW0603 -- one process speaks one language
    _language = language
    _translations = gettext.translation("gaung", _LOCALE, languages=[language], fallback=language == "en")


def in_language(language: str, message: str, /, **values: object) -> str:
    """Translate ``message`` into ``language`` ("id" or "en"), whichever is spoken now."""
    catalog = gettext.translation("gaung", _LOCALE, languages=[language], fallback=language == "en")
    translated = catalog.gettext(message) if message else ""
    return translated.format(**values) if values else translated


def make_default() -> None:
    """Make our catalog the one that libraries with gettext texts of their own (Typer) speak from."""
    gettext.bindtextdomain("gaung", _LOCALE)
    gettext.textdomain("gaung")


def language() -> str:
    """The language spoken now: "id" or "en"."""
    return _language


def _(message: str, /, **values: object) -> str:
    """Translate ``message`` and fill in ``values``."""
    translated = _translations.gettext(message) if message else ""
    return translated.format(**values) if values else translated


def ngettext(one: str, many: str, count: int, /, **values: object) -> str:
    """Translate ``one`` or ``many`` as ``count`` requires, and fill in ``values`` and ``count``."""
    return _translations.ngettext(one, many, count).format(count=count, **values)

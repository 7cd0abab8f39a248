"""Keeping secrets out of texts: of errors, of logs, of everything that a person or a file gets to see.

It knows how secrets look and which ones it was told; it knows no platform and stores nothing.
"""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Collection
from functools import lru_cache
from urllib.parse import quote, quote_plus

#: What stands where a secret stood.
HIDDEN = "[secret]"

_NAMES = (
    r"\w*token|\w*jwt|client_secret|app_?secret|appsecret_proof|api_?key|oauth_\w+|password|passwd|signature|sig|"
    r"x-amz-\w+"
)
_SECRET_LOOKS = (
    re.compile(
        r"(\bauthorization[\"']?\s*[:=]\s*(?:b(?=[\"']))?[\"']?(?:(?:bearer|basic|oauth|token)\s+)?)[^\s\"',;]+",
        re.IGNORECASE,
    ),
    re.compile(r"(\b(?:bearer|basic)\s+)[\w.~+/=%-]{16,}", re.IGNORECASE),
    # Only name=value and JSON: "access token: session has expired" is prose that a person needs.
    re.compile(
        rf"(\b(?:{_NAMES})(?:=|%3D|[\"']\s*:\s*(?:b(?=[\"']))?)[\"']?)(?!\[secret\])[^&\s\"'<>#;,)\]}}]+",
        re.IGNORECASE,
    ),
    re.compile(r"(//)[^/\s:@]+:[^/\s@]+(?=@)"),
)

#: A shorter secret is not looked for in base64: so few letters come about by chance.
_ENCODED = 8

#: These write URLs, parameters or headers at DEBUG level.
_TALKATIVE_LOGGERS = (
    "urllib3.connectionpool",
    "requests_oauthlib.oauth1_auth",
    "requests_oauthlib.oauth2_session",
    "oauthlib.oauth1.rfc5849",
    "tweepy.client",
    "tweepy.api",
)


def strip_secrets(text: str, known: Collection[str] = ()) -> str:
    """Given any text, return it without ``known`` secrets and without what looks like one."""
    # Longest first: one secret may be the beginning of another. Shorter than four is no secret.
    for secret in sorted((s for s in known if len(s) >= 4), key=len, reverse=True):
        for form in _written(secret):
            text = text.replace(form, HIDDEN)
    for look in _SECRET_LOOKS:
        text = look.sub(rf"\g<1>{HIDDEN}", text)
    return text


@lru_cache(maxsize=256)
def _written(secret: str) -> tuple[str, ...]:
    """Every way in which ``secret`` is written: as it is, as JSON, in addresses, in base64; longest first."""
    quoted = quote(secret, safe="")
    forms = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    forms |= {quoted, quote_plus(secret), quote(quoted, safe="")}  # OAuth 1.0a quotes twice
    # Other people's programs quote with small letters: %2b.
    forms |= {re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), form) for form in forms}
    if len(secret) >= _ENCODED:
        forms |= _in_base64(secret)
    return tuple(sorted(forms, key=len, reverse=True))


def _in_base64(secret: str) -> set[str]:
    """What base64 makes of ``secret`` wherever it stands (after a name and a colon, say): each three bytes
    are four letters, so there are three ways, of which the letters shared with neighbours are left out."""
    cores: set[str] = set()
    for before in range(3):
        content = b"\0" * before + secret.encode()
        start, end = (0, 2, 3)[before], len(content) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            cores.add(encode(content).decode()[start:end])
    return cores


class _LogFilter(logging.Filter):
    known: set[str] = set()  # noqa: RUF012  (one filter per process, on loggers that are global too)

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if (clean := strip_secrets(text, self.known)) != text:
            record.msg, record.args = clean, ()
        return True


_LOG_FILTER = _LogFilter()


def guard_logs(secrets: Collection[str]) -> None:
    """Keep ``secrets``, and what looks like one, out of the log lines of the HTTP libraries."""
    _LogFilter.known |= {secret for secret in secrets if secret}
    for name in _TALKATIVE_LOGGERS:
        logging.getLogger(name).addFilter(_LOG_FILTER)

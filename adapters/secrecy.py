"""Keeping secrets out of texts: of errors, of logs, of everything that a person or a file gets to see.

It knows how secrets look and which ones it was told; it knows no platform and stores nothing.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection
from urllib.parse import quote, quote_plus

#: What stands where a secret stood.
HIDDEN = "[secret]"

_NAMES = (
    r"\w*token|client_secret|app_?secret|appsecret_proof|api_?key|oauth_\w+|password|passwd|signature|sig|"
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
        rf"(\b(?:{_NAMES})(?:=|%3D|[\"']\s*:\s*(?:b(?=[\"']))?)[\"']?)[^&\s\"'<>#;,)\]}}]+", re.IGNORECASE
    ),
    re.compile(r"(//)[^/\s:@]+:[^/\s@]+(?=@)"),
)

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
        for form in (secret, quote(secret, safe=""), quote_plus(secret)):
            text = text.replace(form, HIDDEN)
    for look in _SECRET_LOOKS:
        text = look.sub(rf"\g<1>{HIDDEN}", text)
    return text


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

"""The log of the daemon on stderr: one line an event, with a stable ``action``; never a secret."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

#: What every log record has; whatever else is on one was given as ``extra``.
_STANDARD = frozenset(vars(logging.makeLogRecord({})))


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD and key != "message"}


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).astimezone()
        facts = " ".join(f"{key}={value}" for key, value in _facts(record).items() if key != "action")
        line = f"{at:%Y-%m-%d %H:%M:%S%z} {record.levelname.lower()} {record.getMessage()} {facts}".rstrip()
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        facts: dict[str, Any] = {
            "at": at.isoformat(),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **_facts(record),
        }
        if record.exc_info:
            facts["traceback"] = self.formatException(record.exc_info)
        return _ENCODER.encode(facts)


#: Made once: to make one costs as much as to use it.
_ENCODER = json.JSONEncoder(ensure_ascii=False, default=str)


def start_logging(*, as_json: bool) -> None:
    """Write the log to stderr. SDKs stay at INFO: tweepy's DEBUG log prints Authorization headers."""
    # Nobody reads from where in the code a line comes: not to ask is cheaper (logging HOWTO, Optimization).
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler()
    handler.setFormatter(_Json() if as_json else _Lines())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("gaung").setLevel(logging.INFO)
    for name in ("tweepy", "urllib3", "facebook"):
        logging.getLogger(name).setLevel(logging.WARNING)

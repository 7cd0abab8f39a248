"""The head of the audit, written down where the database's owner cannot change it unseen.

The file is of the office's choice: one line an anchor, ``TIME SEQUENCE HASH``, only ever appended to.
With a key, ``FILE.sig`` beside it is OpenSSH's signature of the whole file, made anew with every line.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scheduler.errors import GaungError
from scheduler.governance import ssh
from scheduler.governance.verification import Anchor
from scheduler.i18n import N_
from scheduler.store import auditing, routines
from scheduler.store.database import Store

#: The daemon writes an anchor so often.
DAILY = timedelta(days=1)
NAMESPACE = "gaung-audit"


def write(store: Store, file: Path, now: datetime, key: Path | None = None) -> auditing.Head | None:
    """Append the head to ``file``; None if it stands there already. Raise GaungError if it cannot be done."""
    with store.read() as session:
        head = auditing.head(session)
    known = read(file)
    if head.sequence == 0 or (known and known[-1].sequence == head.sequence):
        return None
    line = f"{now.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')} {head.sequence} {head.hash}\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="ascii") as stream:
            stream.write(line)
        if key is not None:
            signature = ssh.sign(file.read_bytes(), key, NAMESPACE)
            file.with_name(f"{file.name}.sig").write_text(signature, encoding="ascii")
    except OSError as error:
        raise _unwritable(file, error) from None
    return head


def write_if_due(store: Store, file: Path, now: datetime, key: Path | None, node: str) -> None:
    """Append the head once a day; of the daemons, one at a time. ``node`` is who does it.

    Whether it is due, the file itself says: each computer that has a file of its own keeps its own
    anchors, and one file that several share gets one line a day. Raise GaungError as :func:`write`.
    """
    if due(file, now):
        with store.for_daemon().write() as session:
            mine = routines.take(session, "anchor", now=now, every=timedelta(0), node=node)
            if mine and due(file, now):  # perhaps another one was faster
                write(store, file, now, key)


def due(file: Path, now: datetime) -> bool:
    """Whether the newest anchor is a day old, or there is none."""
    try:
        written = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except OSError:
        return True
    return abs(now - written) >= DAILY


def read(file: Path) -> list[Anchor]:
    """The anchors of a file, oldest first; none if there is no file."""
    try:
        lines = file.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise _unwritable(file, error) from None
    anchors = []
    for number, line in enumerate(lines, 1):
        parts = line.split()
        if len(parts) != 3 or not parts[1].isdigit():
            raise GaungError(
                N_("Line {number} of {file} is no anchor of the audit."),
                hint=N_("A line is: time, number of the row, hash. Somebody has changed the file."),
                number=number,
                file=file,
            )
        anchors.append(Anchor(int(parts[1]), parts[2], f"{file.name}:{number}"))
    return anchors


def given(texts: Sequence[str]) -> list[Anchor]:
    """Heads as reports print them: ``NUMBER:HASH``, the hash perhaps shortened by nobody."""
    anchors = []
    for text in texts:
        number, _colon, hash_ = text.partition(":")
        if not number.isdigit() or len(hash_) != 64:
            raise GaungError(
                N_("{text} is not a head of the audit."),
                hint=N_("Write it as reports print it: the number, a colon, 64 characters."),
                text=text,
            )
        anchors.append(Anchor(int(number), hash_.lower(), text[:20]))
    return anchors


def _unwritable(file: Path, error: Exception) -> GaungError:
    return GaungError(
        N_("The anchor {file} cannot be used: {why}"),
        hint=N_("Check the key anchor under [audit] in the configuration, and the rights of the folder."),
        file=file,
        why=getattr(error, "strerror", None) or error,
    )

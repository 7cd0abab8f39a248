"""The archive of a campaign: the records of its published posts, its definitions and its audit, with a
manifest of every file's SHA-256. As a folder or a ZIP; the same store gives the same bytes.

``manifest.sha256`` can be checked without Gaung: ``sha256sum -c manifest.sha256``.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scheduler.config import Person
from scheduler.errors import GaungError
from scheduler.i18n import N_
from scheduler.reports import extracts
from scheduler.reports.records.post import as_json, instant, record
from scheduler.store import auditing, recording
from scheduler.store.database import Session
from scheduler.store.media import MediaFolder

FORMAT = "gaung-archive 1"
#: The earliest time that a ZIP can hold; a real one would make every archive another.
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Archived:
    """What came of archiving."""

    posts: int
    files: int
    missing: Sequence[str]
    """Media that are not there as they were approved, by their place in the archive."""
    manifest: str
    """The SHA-256 of ``manifest.sha256``: with it, every file of the archive is fixed."""


def write(
    session: Session,
    campaign_id: str,
    media: MediaFolder,
    people: Mapping[str, Person],
    target: Path,
    *,
    as_zip: bool,
) -> Archived:
    """Write the archive of a campaign whole or not at all; raise GaungError if the place is taken.

    Only one post's files are in memory at a time.
    """
    if target.exists():
        raise GaungError(
            N_("{target} is there already; nothing was written."),
            hint=N_("Name another place with --output."),
            target=target,
        )
    missing: list[str] = []
    posts = 0
    hashes: dict[str, str] = {}
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as place:
            folder = Path(place) / "archive"
            for name, content in _campaign_files(session, campaign_id):
                _put(folder, name, content, hashes)
            for delivery in recording.published(session, campaign_id):
                one = record(recording.traces(session, delivery), media, people)
                posts += 1
                missing += [f"posts/{one.name}/{name}" for name in one.missing]
                for name, content in one.files.items():
                    _put(folder, f"posts/{one.name}/{name}", content, hashes)
            facts = {"format": FORMAT, "campaign": campaign_id, "posts": posts, "missing_media": missing}
            _put(folder, "archive.json", as_json(facts), hashes)
            lines = "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)).encode()
            (folder / "manifest.sha256").write_bytes(lines)
            if as_zip:
                _zip(folder, Path(place) / "archive.zip")
                (Path(place) / "archive.zip").replace(target)
            else:
                folder.replace(target)
    except OSError as error:
        raise GaungError(
            N_("The archive {target} cannot be written: {why}"),
            hint=N_("Check the free space and the rights of that folder."),
            target=target,
            why=error.strerror or error,
        ) from None
    return Archived(posts, len(hashes) + 1, missing, hashlib.sha256(lines).hexdigest())


def _campaign_files(session: Session, campaign_id: str) -> Iterator[tuple[str, bytes]]:
    for version in recording.all_versions(session, campaign_id):
        facts = {
            "version": version.version,
            "title": version.title,
            "owner": version.owner,
            "approval": version.approval,
            "applied_at": instant(version.applied_at),
            "applied_by": version.applied_by,
            "source": version.source,
            "definition": version.definition,
        }
        yield f"campaign/version-{version.version:03d}.json", as_json(facts)
    rows = auditing.events(session, auditing.Wanted(campaign=campaign_id))
    yield "audit.jsonl", extracts.as_json_lines(dict(row._mapping) for row in rows).encode()


def _put(folder: Path, name: str, content: bytes, hashes: dict[str, str]) -> None:
    hashes[name] = hashlib.sha256(content).hexdigest()
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def _zip(folder: Path, target: Path) -> None:
    """Everything stored as it is: media are compressed already, and no two compressors agree on bytes."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _LONG_AGO)
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            with file.open("rb") as source, archive.open(entry, "w") as sink:
                shutil.copyfileobj(source, sink)
    if os.name == "posix":
        target.chmod(0o644)

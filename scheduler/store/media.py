"""The folder of approved media: each file under the hash of its content.

Applying a campaign copies its pictures and videos here, so that a file that is later swapped or deleted
in the office's folder changes nothing of what was approved.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from scheduler.errors import GaungError
from scheduler.i18n import N_


@dataclass(frozen=True, slots=True)
class MediaFolder:
    """The media of one installation, under ``root``."""

    root: Path

    def path(self, sha256: str, name: str) -> Path:
        """Where the file with this content is kept; ``name`` gives only the suffix."""
        return self.root / sha256[:2] / f"{sha256}{Path(name).suffix.lower()}"

    def add(self, source: Path, sha256: str) -> None:
        """Keep a copy of ``source``; raise GaungError if it is no longer what was read, or cannot be kept."""
        target = self.path(sha256, source.name)
        try:
            if target.exists() and _hash(target) == sha256:
                return
            target.parent.mkdir(parents=True, exist_ok=True)
            with source.open("rb") as original, whole_file(target) as copy:
                digest = hashlib.sha256()
                while chunk := original.read(1 << 20):
                    digest.update(chunk)
                    copy.write(chunk)
                if digest.hexdigest() != sha256:
                    raise GaungError(
                        N_("The file {file} was changed while it was read."),
                        hint=N_("Try again."),
                        file=source,
                    )
        except OSError as error:
            raise GaungError(
                N_("The file {file} cannot be copied to {folder}: {why}"),
                hint=N_("Check the free space and the rights of that folder."),
                file=source,
                folder=self.root,
                why=error.strerror or error,
            ) from None

    def intact(self, sha256: str, name: str) -> bool:
        """Whether the kept file is there with exactly the approved content."""
        try:
            return _hash(self.path(sha256, name)) == sha256
        except OSError:
            return False

    def size(self, sha256: str, name: str) -> int:
        """How many bytes the kept file has; none if it is not there."""
        try:
            return self.path(sha256, name).stat().st_size
        except OSError:
            return 0


def write_whole(target: Path, content: bytes) -> None:
    """Write a file so that it is there entirely or not at all, even after a power cut."""
    with whole_file(target) as stream:
        stream.write(content)


@contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """A stream whose content becomes the file ``target`` at the end, entirely; after an error not at all."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w+b") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(target)
        _sync_folder(target.parent)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut. Windows can neither open nor sync a folder."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

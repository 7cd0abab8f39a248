"""A disk that can be full: a small file system of its own, or a limit on what a process may write."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from chaos.installation import Node

SIZE = 16 * 1024 * 1024


class Disk(Protocol):
    """What a test does with a disk."""

    def fill(self) -> None:
        """Leave no room."""

    def free(self) -> None:
        """Give the room back."""


class _Tmpfs:
    """A mounted file system of a few megabytes."""

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        with self._ballast.open("wb", buffering=0) as file:
            for size in (65536, 4096, 1):
                try:
                    while file.write(b"\0" * size) == size:
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        self._ballast.unlink()


class _Quota:
    """Where nothing can be mounted: no file of a node may grow any more (setrlimit(2), RLIMIT_FSIZE)."""

    def __init__(self, nodes: Callable[[], Iterable[Node]]) -> None:
        self._nodes = nodes

    def _limit(self, size: int) -> None:
        for node in self._nodes():
            if node.process and node.alive:
                _, hard = resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE)
                resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (size, hard))

    def fill(self) -> None:
        self._limit(1)

    def free(self) -> None:
        self._limit(resource.RLIM_INFINITY)


@contextmanager
def small_disk(folder: Path, nodes: Callable[[], Iterable[Node]]) -> Iterator[Disk]:
    """``folder`` on a disk that a test can fill."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0770", "tmpfs", str(folder)]
    if os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0:
        try:
            yield _Tmpfs(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=True)
    else:
        yield _Quota(nodes)

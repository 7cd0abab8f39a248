"""Real SSH keys for tests, made by the system's ssh-keygen."""

from __future__ import annotations

import atexit
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp


@cache
def _kept() -> Path:
    folder = Path(mkdtemp(prefix="gaung-test-keys-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def key(name: str) -> Path:
    """The private key of somebody, without a passphrase; the public one lies beside it with ``.pub``."""
    file = _kept() / name
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(file)], check=True, timeout=20
    )
    return file


def public(name: str) -> str:
    """The public key of somebody, as configurations have it."""
    return " ".join(Path(f"{key(name)}.pub").read_text(encoding="ascii").split()[:2])

"""References to secrets, and how they are resolved; a secret itself never stands in the configuration.

``env:NAME`` reads an environment variable, ``file:PATH`` a file that only its owner may read, and
``systemd:NAME`` a credential that systemd hands to the service (LoadCredential=, systemd.exec(5)).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from scheduler.errors import GaungError
from scheduler.i18n import N_

REFERENCE = re.compile(r"^(env|file|systemd):(.+)$")


class SecretError(GaungError):
    """A secret cannot be read, or is kept where others can read it."""


def resolve(reference: str, base: Path, environment: Mapping[str, str]) -> str:
    """Given a reference, return the secret; ``base`` is the folder that relative paths start from.

    Raise SecretError if it is not there, is empty, or lies in a file that others may read.
    """
    match = REFERENCE.match(reference)
    if not match:
        raise SecretError(
            N_("A secret must be given as env:NAME, file:PATH or systemd:NAME."),
            hint=N_("Never write the secret itself into the configuration."),
        )
    kind, name = match.groups()
    if kind == "env":
        value = environment.get(name, "")
    elif kind == "file":
        value = _read(base / Path(name).expanduser(), reference)
    else:
        folder = environment.get("CREDENTIALS_DIRECTORY", "")
        if not folder:
            raise SecretError(
                N_("The secret {reference} needs systemd, and this process was not started by it."),
                hint=N_("Add LoadCredential= to the service, or refer to the secret as env: or file:."),
                reference=reference,
            )
        value = _read(Path(folder) / name, reference)
    if not value.strip():
        raise SecretError(
            N_("The secret {reference} is empty or not set."),
            hint=N_("Set it where the daemon and this command can see it."),
            reference=reference,
        )
    return value.strip()


def _read(path: Path, reference: str) -> str:
    try:
        mode = path.stat().st_mode
        if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SecretError(
                N_("The secret file {path} can be read by others (mode {mode})."),
                hint=N_("Run: chmod 600 {path}"),
                path=path,
                mode=f"{stat.S_IMODE(mode):o}",
            )
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(
            N_("The secret {reference} cannot be read: {why}"),
            reference=reference,
            why=getattr(error, "strerror", "") or getattr(error, "reason", "") or type(error).__name__,
        ) from None

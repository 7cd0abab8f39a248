"""Where an action comes from: this machine, and the real operating-system user of this process.

Neither is taken from an environment variable that anybody can set. Under sudo the calling user counts,
whom sudo names by number (``SUDO_UID``); only root is believed about that, and root owns the database
anyway. Both are recorded.
"""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """What is written beside the actor of every event of the audit."""

    machine: str
    os_user: str
    """The login name; under sudo "siti (sudo: root)"."""


def origin(environment: Mapping[str, str]) -> Origin:
    """Where this process acts from."""
    return Origin(socket.gethostname(), login(environment)[1])


def login(environment: Mapping[str, str]) -> tuple[str, str]:
    """The login name of whoever acts, and how it is recorded; under sudo the calling user's."""
    user = operating_system_user()
    if os.name == "posix" and os.getuid() == 0 and (caller := environment.get("SUDO_UID", "")).isdigit():
        name = _name(int(caller))
        return (user, user) if name == user else (name, f"{name} (sudo: {user})")
    return user, user


def operating_system_user() -> str:
    """The login name of the real user of this process; not taken from the environment on POSIX."""
    return _name(os.getuid()) if os.name == "posix" else getpass.getuser()


def _name(uid: int) -> str:
    """The login name of a user id, or the number itself if the system has no name for it."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)

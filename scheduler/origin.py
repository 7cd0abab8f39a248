"""Where an action comes from: this machine, and the real operating-system user of this process.

Neither is taken from an environment variable that anybody can set. Under sudo the calling user counts,
whom sudo names by number (``SUDO_UID``). Root is believed about that, since root owns the database anyway;
of any other process only what the kernel confirms. Both users are recorded.
"""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Origin:
    """What is written beside the actor of every event of the audit."""

    machine: str
    os_user: str
    """The login name; under sudo "siti (sudo: root)"; "gaung (SUDO_UID: siti)" if that proves nothing."""


def origin(environment: Mapping[str, str]) -> Origin:
    """Where this process acts from."""
    return Origin(socket.gethostname(), login(environment)[1])


def login(environment: Mapping[str, str]) -> tuple[str, str]:
    """The login name of whoever acts, and how it is recorded; under sudo the calling user's.

    A caller whom only the environment names is recorded, and counts for nothing.
    """
    user = operating_system_user()
    if os.name != "posix" or not (caller := environment.get("SUDO_UID", "")).isdigit():
        return user, user
    name = _name(int(caller))
    if name == user:
        return user, user
    if os.getuid() == 0 or _caller_of_sudo() == int(caller):
        return name, f"{name} (sudo: {user})"
    return user, f"{user} (SUDO_UID: {name})"


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


def _caller_of_sudo() -> int | None:
    """The user id of whoever called the sudo under which this process runs, as the kernel knows it.

    It is the real one of sudo itself, which is root's only in effect; where sudo has given that up too, the
    one of the process that started it. Nobody but root can make another process look so. None where there is
    no such process, or no /proc to ask (proc_pid_status(5)).
    """
    process, under_sudo = os.getppid(), False
    while process > 1:
        try:
            status = Path(f"/proc/{process}/status").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        real, effective = facts["Uid"].split()[:2]
        is_sudo = facts["Name"] == "sudo" and effective == "0"
        if (is_sudo and real != "0") or (under_sudo and not is_sudo):
            return int(real)
        process, under_sudo = int(facts["PPid"]), is_sudo
    return None

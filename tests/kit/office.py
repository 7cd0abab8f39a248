"""An office for tests of the command line: a working folder, its campaign files, and ``gaung`` itself.

Commands run in this process with their output caught, unless a process matters; then they run as a
user would start them. Nothing of Gaung is replaced: the clock is the real one, so campaigns that are
to publish have their times in the coming seconds.
"""

from __future__ import annotations

import contextlib
import copy
import csv
import hashlib
import io
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from kit.stores import new_file
from PIL import Image

from scheduler import i18n
from scheduler.cli.failures import run
from scheduler.origin import operating_system_user

ROOT = Path(__file__).parents[2]
WIB = ZoneInfo("Asia/Jakarta")
#: An address on which nobody listens: port 9 is "discard", and nothing on loopback serves it.
DEAD = "http://127.0.0.1:9"
#: Gives up CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH (capabilities(7)), then becomes another program.
_WITHOUT_PRIVILEGES = """
import os, sys
if hasattr(os, "geteuid") and os.geteuid() == 0:
    import ctypes
    for capability in (1, 2):
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
{start}
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@dataclass(frozen=True)
class Answer:
    """What a command left: its exit code, its data, its narration."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        """Everything that a user sees."""
        return self.out + self.err

    @property
    def json(self) -> Any:
        """The data, read as JSON."""
        return json.loads(self.out)

    @property
    def csv(self) -> list[dict[str, str]]:
        """The data, read as CSV."""
        return list(csv.DictReader(io.StringIO(self.out, newline="")))


def gaung(*arguments: str | Path, lang: str = "en") -> Answer:
    """Run one command in this process; its configuration must be named."""
    out, err = io.StringIO(), io.StringIO()
    before, root = i18n.language(), logging.getLogger()
    handlers = list(root.handlers)
    i18n.use_language(lang)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run([str(one) for one in arguments])
    finally:
        i18n.use_language(before)
        root.handlers = handlers  # of "gaung run"
    return Answer(code, out.getvalue(), err.getvalue())


def gaung_process(
    *arguments: str | Path,
    lang: str = "en",
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    start: str = "",
) -> Answer:
    """Run one command as a process of its own, as a user does: if we are root, without root's rights.

    Root then still owns its files, but their modes hold for it as for anybody. ``start`` is Python that
    the process runs first, to give itself less room.
    """
    settings = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ},
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "GAUNG_LANG": lang,
        **(environment or {}),
    }
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            _WITHOUT_PRIVILEGES.format(start=start),
            "-m",
            "scheduler.cli",
            *map(str, arguments),
        ],
        cwd=cwd,
        env=settings,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def soon(seconds: float = 1.0) -> datetime:
    """The next whole second that is at least ``seconds`` away, on a wall clock in Jakarta."""
    moment = datetime.now(WIB).replace(tzinfo=None) + timedelta(seconds=seconds)
    return (moment + timedelta(seconds=1)).replace(microsecond=0) if moment.microsecond else moment


def wait_for(moment: datetime) -> None:
    """Sleep until a wall-clock time in Jakarta has come."""
    left = moment.replace(tzinfo=WIB) - datetime.now(UTC)
    time.sleep(max(left.total_seconds(), 0) + 0.02)


def fingerprint(folder: Path) -> dict[str, str]:
    """Every file under ``folder`` with the hash of its content, and every folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        found[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
    return found


def picture(path: Path, colour: str = "navy") -> Path:
    """Draw a small real picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (320, 400), colour).save(path)
    return path


#: Every role, as whoever works alone has them.
ROLES = ("drafter", "reviewer", "approver", "publisher", "auditor")


class Office:
    """A working folder with two practice accounts, and one person who may approve: whoever runs the tests."""

    def __init__(
        self,
        folder: Path,
        api_base: str = DEAD,
        *,
        lang: str = "en",
        database: bool = True,
        **settings: Any,
    ) -> None:
        """``database``: there is one already, as empty as the first apply makes it."""
        self.folder = folder
        self.api_base = api_base
        self.lang = lang
        self.config = folder / "config.toml"
        (folder / "campaigns").mkdir(parents=True)
        self.configure(**settings)
        if database:
            self.state.mkdir()
            new_file(self.state / "gaung.db")

    def copy(self, folder: Path) -> Office:
        """The same office in another place."""
        shutil.copytree(self.folder, folder)
        other = copy.copy(self)
        other.folder, other.config = folder, folder / "config.toml"
        return other

    def configure(
        self,
        *,
        api_base: str = "",
        accounts: Sequence[str] = ("dinas", "camat"),
        people: str | None = None,
        head: str = "",
        tail: str = "",
    ) -> None:
        """Write the configuration; ``head`` and ``tail`` are TOML of the test's own."""
        self.api_base = api_base or self.api_base
        if people is None:
            people = person("budi", "Budi Santoso", os_user=operating_system_user())
        tables = [
            f'[accounts.{name}]\nplatform = "practice"\nagency = "Dinas {name.title()}"\n'
            f'handle = "{name}"\napi_base = "{self.api_base}"\n'
            for name in accounts
        ]
        self.config.write_text(
            "\n".join(
                [
                    head,
                    '[daemon]\nlook_after = ["2s"]\nretry_after = "1s"\nattempts = 2\n',
                    people,
                    *tables,
                    tail,
                ]
            ),
            encoding="utf-8",
        )

    def campaign(
        self,
        name: str,
        messages: Mapping[str, datetime],
        *,
        extra: str = "",
        accounts: Sequence[str] = ("dinas",),
        approval: str = "one-person",
        **keys: str,
    ) -> Path:
        """Write a campaign file: message id -> time; ``keys`` are further texts of the campaign."""
        times = [*messages.values(), datetime.now(WIB)]
        keys = {"publish_within": "2h", "min_gap": "0s", "zone": "WIB", "approval": approval, **keys}
        lines = [
            f'id = "{name}"',
            f'title = "Kampanye {name}"',
            'owner = "Diskominfo"',
            f"start = {min(time.date() for time in times)}",
            f"end = {max(time.date() for time in times) + timedelta(days=1)}",
            f"accounts = {json.dumps(list(accounts))}",
            *(f'{key} = "{value}"' for key, value in keys.items()),
        ]
        for message, at in messages.items():
            lines += [
                "[[messages]]",
                f'id = "{message}"',
                'topic = "jujur"',
                f'text = "Pesan {message}: tolak gratifikasi."',
                f"at = [{at.isoformat()}]",
            ]
        file = self.folder / "campaigns" / f"{name}.toml"
        file.write_text("\n".join([*lines, extra]) + "\n", encoding="utf-8")
        return file

    @property
    def state(self) -> Path:
        """The state folder; it need not exist."""
        return self.folder / "state"

    def gaung(self, *arguments: str | Path, lang: str = "") -> Answer:
        """Run one command on this office, in this process."""
        return gaung("--config", self.config, *arguments, lang=lang or self.lang)

    def must(self, *arguments: str | Path, code: int = 0, lang: str = "") -> Answer:
        """Run one command that is to end with ``code``."""
        answer = self.gaung(*arguments, lang=lang)
        assert answer.code == code, f"{arguments} ended with {answer.code}:\n{answer.all}"
        return answer

    def due_soon(self, name: str, *messages: str, **keys: Any) -> datetime:
        """Apply a campaign whose messages are due in a second or two; return when.

        Nothing is planned for a time that has passed, and a busy machine may be slow: then once more, later.
        """
        self.must("status")  # by now everything is imported
        for margin in (0.7, 2, 5, 15):
            at = soon(margin)
            self.campaign(name, dict.fromkeys(messages, at), **keys)
            self.must("apply", name)
            if self.posts("--campaign", name):
                return at
        raise AssertionError("this machine is too slow for campaigns in the coming seconds")

    def publish(self, name: str, *messages: str, **keys: Any) -> list[dict[str, Any]]:
        """Take a campaign the whole way: file, apply, approve, its time, one pass; return its posts."""
        at = self.due_soon(name, *messages, **keys)
        self.must("approve", name, "--yes")
        wait_for(at)
        self.gaung("run", "--once")
        return self.posts("--campaign", name)

    def posts(self, *options: str) -> list[dict[str, Any]]:
        """The posts as ``gaung posts`` lists them."""
        found: list[dict[str, Any]] = self.must("posts", *options, "--format", "json").json
        return found

    def post(self, message: str) -> dict[str, Any]:
        """The one post of a message."""
        (only,) = self.posts("--message", message)
        return only

    @contextlib.contextmanager
    def unchanged(self, *, but: str = "") -> Iterator[None]:
        """Nothing in the folder, apart from what matches ``but``, is different after the block."""

        def now() -> dict[str, str]:
            return {
                name: hash_
                for name, hash_ in fingerprint(self.folder).items()
                if not (but and re.search(but, name))
            }

        before = now()
        yield
        assert now() == before


def person(
    id_: str,
    name: str,
    *,
    os_user: str,
    roles: Sequence[str] = ROLES,
) -> str:
    """A table of the configuration for somebody."""
    return f'[people.{id_}]\nname = "{name}"\nos_user = "{os_user}"\nroles = {json.dumps(list(roles))}\n'

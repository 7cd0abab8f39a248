"""The steps of ``gaung demo``: real commands in processes of their own, shown with what they print.

Only the times are moved: the example's slots become the next half minute.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import typer

from scheduler.cli.output import say
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _

CAMPAIGN = re.compile(r'^id = "(hakordia-\d{4})"', re.MULTILINE)
#: Lines of a step's output that are shown; the rest is what the folder is left for.
SHOWN = 3
#: Seconds until the first post, at least; more where commands take long.
AHEAD = 12
#: Seconds between two posts.
PACE = 1
#: Seconds after the first time at which the demo gives up.
PATIENCE = 75


class Walk:
    """The steps, and the two processes that run meanwhile."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.step = 0
        self.longest = 0.0
        """Seconds that the slowest command took so far."""
        self.first = datetime.max.replace(tzinfo=UTC)
        """When the first post is due."""
        self.network: subprocess.Popen[str] | None = None
        self.daemon: subprocess.Popen[str] | None = None

    def run(self, workplace: Workplace) -> int:
        self.title(_("A working folder with a configuration and the example campaign"))
        self.command("init", str(self.place), here=self.place.parent, shown=1)
        self.title(_("The practice network: a small social network on this computer"))
        url = self.start_network()
        self.title(_("For this demo the campaign's times are moved to the next half minute"))
        campaign = self.move_times(workplace.clock.now(), url)
        self.title(_("Check the file, see what would happen, put it into force"))
        self.command("check")
        while self.too_late(workplace.clock.now()):
            say("     " + _("This computer is busy: the times are moved once more."))
            self.move_times(workplace.clock.now(), url)
        self.command("plan", shown=6)
        self.command("apply")
        self.title(_("Approve: somebody's recorded yes to exactly this content"))
        self.command("approve", campaign, "--yes", shown=4)
        self.title(_("The daemon publishes each post at its time"))
        posts = self.publish()
        self.title(_("People open the page: views and visitors are counted, not invented"))
        self.visit(url)
        self.command("reach", campaign, "--now", shown=5)
        self.title(_("The report, one row a post"))
        self.command("report", campaign, "--output", f"{campaign}.csv")
        self.show((self.place / f"{campaign}.csv").read_text(encoding="utf-8"), 3, width=150)
        self.title(_("How everything stands"))
        self.command("status", allowed=(0, 3), shown=12)
        say()
        say(
            _(
                "Done: {count} posts, each published once. Everything is in {folder}",
                count=posts,
                folder=self.place,
            )
        )
        # The accounts of the demo know the network by its port, and make demo leaves no gaung on the path.
        command = f"{_program()} practice serve --port {urlsplit(url).port}"
        say(_("To go on: cd {folder}, then {command}", folder=self.place, command=command))
        return 0

    @property
    def ahead(self) -> float:
        """Seconds that the commands before the first post may take."""
        return max(AHEAD, 8 * self.longest)

    def too_late(self, now: datetime) -> bool:
        """Whether the first time may pass before ``apply``; what is past then would not be planned."""
        return now + timedelta(seconds=max(4 * self.longest, 4)) > self.first

    def title(self, text: str) -> None:
        self.step += 1
        say()
        say(typer.style(f"{self.step}. {text}", bold=True))

    def command(
        self, *arguments: str, here: Path | None = None, shown: int = SHOWN, allowed: tuple[int, ...] = (0,)
    ) -> None:
        self.announce(arguments)
        if here:
            here.mkdir(parents=True, exist_ok=True)
        begun = time.monotonic()
        done = subprocess.run(  # noqa: S603 -- our own program
            self.gaung(*arguments),
            cwd=here or self.place,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        self.longest = max(self.longest, time.monotonic() - begun)
        if done.returncode not in allowed:
            self.show(done.stdout, 1000)
            raise GaungError(
                N_("The step “{step}” ended with code {code}."),
                hint=N_("Everything is left in {folder}."),
                step=" ".join(arguments),
                code=done.returncode,
                folder=self.place,
            )
        self.show(done.stdout, shown)

    def announce(self, arguments: tuple[str, ...]) -> None:
        say(typer.style(f"   $ gaung {' '.join(arguments)}", fg="cyan"))

    def show(self, text: str, shown: int, width: int = 0) -> None:
        width = width or max(shutil.get_terminal_size().columns - 5, 75)
        lines = [line for line in text.splitlines() if line.strip()]
        for line in lines[:shown]:
            say(f"     {line if len(line) <= width else line[: width - 1] + '…'}")
        if len(lines) > shown:
            say("     " + _("... {count} more lines", count=len(lines) - shown))

    def gaung(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "scheduler.cli", *arguments]

    def start_network(self) -> str:
        self.announce(("practice", "serve", "--port", "0"))
        begun = time.monotonic()
        self.network = subprocess.Popen(  # noqa: S603 -- our own program
            self.gaung("practice", "serve", "--port", "0"),
            cwd=self.place,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
        )
        url = self.network.stdout.readline().strip() if self.network.stdout else ""
        if not url:
            raise GaungError(N_("The practice network did not start."))
        self.longest = max(self.longest, time.monotonic() - begun)
        say(f"     {url}")
        return url

    def move_times(self, now: datetime, url: str) -> str:
        """Give every message of the example a time of its own, and point the accounts at the network."""
        from campaigns.timetable import to_local

        config = self.place / "config.toml"
        config.write_text(
            config.read_text(encoding="utf-8").replace("http://127.0.0.1:8010", url), encoding="utf-8"
        )
        file = self.place / "campaigns" / "hakordia.toml"
        text = file.read_text(encoding="utf-8")
        found = CAMPAIGN.search(text)
        if found is None:
            raise GaungError(N_("The example campaign is not as expected."))
        # Check, plan and apply come before the first time, on a slow computer, too.
        self.first = now.replace(microsecond=0) + timedelta(seconds=self.ahead)
        first = to_local(self.first, "WIB").replace(tzinfo=None)
        head, *messages = re.sub(r"^at = .*\n", "", text, flags=re.MULTILINE).split("[[messages]]\n")
        timed = [
            f"at = [{(first + timedelta(seconds=PACE * number)).isoformat()}]\n{message}"
            for number, message in enumerate(messages)
        ]
        last = (first + timedelta(seconds=PACE * len(timed))).date()
        head = re.sub(r"^end = .*$", lambda line: max(line[0], f"end = {last}"), head, flags=re.MULTILINE)
        head = re.sub(r"^min_gap = .*$", 'min_gap = "0s"', head, flags=re.MULTILINE)
        file.write_text("[[messages]]\n".join([head, *timed]), encoding="utf-8")
        self.show("\n".join(line for line in "".join(timed).splitlines() if line.startswith("at = ")), 3)
        return found[1]

    def publish(self) -> int:
        """Run the daemon until every post is published; show its log as it works; return how many."""
        import json

        self.announce(("run",))
        with (self.place / "daemon.log").open("w", encoding="utf-8") as log:
            daemon = subprocess.Popen(  # noqa: S603 -- our own program
                self.gaung("run"), cwd=self.place, stdout=log, stderr=log, encoding="utf-8"
            )
        self.daemon = daemon
        end = time.monotonic() + self.ahead + PATIENCE
        told: set[str] = set()
        while time.monotonic() < end:
            listed = subprocess.run(  # noqa: S603 -- our own program
                self.gaung("posts", "--format", "json"),
                cwd=self.place,
                capture_output=True,
                encoding="utf-8",
                check=True,
            )
            posts = json.loads(listed.stdout)
            for message in dict.fromkeys(post["message"] for post in posts):
                same = [post for post in posts if post["message"] == message]
                if message not in told and all(post["state"] == "sent" for post in same):
                    told.add(message)
                    at, where = same[0]["published_at"][11:19], ", ".join(post["permalink"] for post in same)
                    say(f"     {at}  {message} → {where}")
            if all(post["state"] == "sent" for post in posts):
                daemon.send_signal(signal.SIGTERM)
                daemon.wait(timeout=30)
                return len(posts)
            time.sleep(1)
        raise GaungError(
            N_("Not everything was published in time."),
            hint=N_("Look at {folder}/daemon.log."),
            folder=self.place,
        )

    def visit(self, url: str) -> None:
        """Three people look at the accounts' pages, really; one of them reads both."""
        import requests

        for pages in (("diskominfo",), ("diskominfo", "kecamatan"), ("kecamatan",)):
            person = requests.Session()
            # The network counts whoever wants a page, as a browser does; programs are not people.
            person.headers["Accept"] = "text/html"
            for page in pages:
                person.get(f"{url}/@{page}", timeout=10).raise_for_status()
        say("     " + _("3 people opened {url}, one of them both accounts.", url=url))

    def end(self) -> None:
        for process in (self.daemon, self.network):
            if process and process.poll() is None:
                process.terminate()
                try:
                    process.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    process.kill()


def _program() -> str:
    """How the user starts Gaung: by name where that is on the path, else by its place."""
    beside = Path(sys.executable).with_name("gaung.exe" if sys.platform == "win32" else "gaung")
    found = shutil.which("gaung")
    return "gaung" if (found and Path(found) == beside) or not beside.exists() else str(beside)

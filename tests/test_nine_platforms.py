"""One campaign on all nine platforms at once, by the real daemon, and what then stands on each of them.

Every command is the real one; the platforms are servers on loopback, and what they hold is compared field
by field with what was approved. Credentials are known to the daemon's environment alone.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from kit.office import ROOT, Answer, Office, gaung_process, soon
from kit.sides import SIDES, Side, There
from PIL import Image
from servers.instagram_platform import FIGURES as INSTAGRAM_FIGURES
from servers.loopback import Loopback
from servers.public_folder import public_folder
from servers.threads_platform import FIGURES as THREADS_FIGURES

from adapters.practice.site import PracticeServer
from adapters.practice.site.server import running
from adapters.registry import BUILT_IN

ID = "tolak-parsel"
TAG = "#Hakordia"
LINK = "https://jaga.id/parsel?dari=kampanye&tahun=2026"
TEXT = 'Parsel & "tanda terima kasih" <dari rekanan>? Tolak dengan sopan. 🙏\nLayanan kami gratis.'
SHORT = "Parsel dari rekanan & mitra? Tolak dengan sopan. 🙏"
CAPTION = "Parsel? Tolak dengan sopan. Tautan ada di bio."
SECOND = "Terlanjur diterima? Laporkan paling lambat 30 hari kerja."
THIRD = "Cara melapor ada di situs kami."
COMMENT = "Pertanyaan? Tulis di sini, petugas kami menjawab."
NEWS = "Daftar loket pelaporan sudah terbit."
PICTURES = {
    "satu.jpg": "Poster: keranjang parsel dicoret; tulisan “Tolak dengan sopan”.",
    "dua.png": "Diagram: terima, laporkan, serahkan.",
    "tiga.jpg": "Foto loket pelaporan & petugasnya.",
    "bukti.jpg": "Contoh tanda terima laporan.",
}
#: Seconds after which a test gives up on what must happen.
PATIENCE = 120.0

CAMPAIGN = f"""
id = "{ID}"
title = "Tolak Parsel"
owner = "Diskominfo"
zone = "WIB"
start = DAY
end = DAY_AFTER
accounts = ["semua"]
hashtags = ["{TAG}"]
approval = "one-person"
publish_within = "2h"
min_gap = "0s"

[[messages]]
id = "poster"
topic = "jujur"
at = [WHEN]
text = '''{TEXT}'''
link = "{LINK}"
first_comment = "{COMMENT}"
media = [
  {{ file = "satu.jpg", alt = '''{PICTURES["satu.jpg"]}''' }},
  {{ file = "dua.png", alt = '''{PICTURES["dua.png"]}''' }},
  {{ file = "tiga.jpg", alt = '''{PICTURES["tiga.jpg"]}''' }},
]

[[messages.thread]]
text = "{SECOND}"
media = [{{ file = "bukti.jpg", alt = '''{PICTURES["bukti.jpg"]}''' }}]

[[messages.thread]]
text = "{THIRD}"

[messages.overrides.practice]
thread = []
first_comment = ""
[messages.overrides.x]
text = "{SHORT}"
[messages.overrides.facebook]
thread = []
[messages.overrides.instagram]
text = "{CAPTION}"
link = ""
thread = []
[messages.overrides.telegram]
first_comment = ""
[messages.overrides.langit]
text = "{SHORT}"
hashtags = []

[[messages]]
id = "tautan"
topic = "jujur"
at = [WHEN]
text = "{NEWS}"
link = "{LINK}"

[messages.overrides.instagram]
leave_out = true
"""


@dataclass(frozen=True)
class Is:
    """What is to stand on a platform; ``under`` is the place, in the order of publishing, of what it
    replies to."""

    text: str
    media: Sequence[str] = ()
    under: int | None = None
    link: str = ""


POSTER, PROOF = ("satu.jpg", "dua.png", "tiga.jpg"), ("bukti.jpg",)
WORDS = f"{TEXT}\n\n{TAG}"
LINKED, LINKED_SHORT = f"{WORDS}\n\n{LINK}", f"{SHORT}\n\n{TAG}\n\n{LINK}"
LINKED_NEWS = f"{NEWS}\n\n{TAG}\n\n{LINK}"


def chain(text: str) -> list[Is]:
    """A post, a thread of two more parts, and the first comment under the post itself."""
    return [Is(text, POSTER), Is(SECOND, PROOF, 0), Is(THIRD, (), 1), Is(COMMENT, (), 0)]


#: Platform -> everything that is to be there, and nothing else.
EXPECTED: Mapping[str, Sequence[Is]] = {
    "practice": [Is(WORDS, POSTER, link=LINK), Is(f"{NEWS}\n\n{TAG}", link=LINK)],
    "x": [*chain(LINKED_SHORT), Is(LINKED_NEWS)],
    "facebook": [Is(LINKED, POSTER), Is(COMMENT, (), 0), Is(f"{NEWS}\n\n{TAG}", link=LINK)],
    "instagram": [Is(f"{CAPTION}\n\n{TAG}", POSTER), Is(COMMENT, (), 0)],
    "threads": [*chain(LINKED), Is(LINKED_NEWS, link=LINK)],
    # An album shows its link in the caption; the preview is for messages without pictures.
    "telegram": [*chain(LINKED)[:3], Is(LINKED_NEWS, link=LINK)],
    "mastodon": [*chain(LINKED), Is(LINKED_NEWS)],
    "bluesky": [*chain(f"{SHORT}\n\n{LINK}"), Is(LINKED_NEWS, link=LINK)],
}
ACCOUNTS = {platform: platform for platform in BUILT_IN} | {"bluesky": "langit"}


@dataclass
class World:
    """The nine platforms and the office that publishes on them."""

    folder: Path
    practice: PracticeServer
    sides: Mapping[str, Side]
    public: Path
    office: Office
    environment: Mapping[str, str]
    secrets: Sequence[str]
    said: list[str] = field(default_factory=list)
    """Everything that any command wrote."""
    outcome: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    """The posts, by account and message, as they stood when the daemon had done its work."""

    def must(self, *arguments: str | Path, credentials: bool = False, code: int = 0) -> Answer:
        """Run a command; only with ``credentials`` does it know any."""
        if credentials:
            given = ("--config", self.office.config, *arguments)
            answer = gaung_process(*given, cwd=ROOT, environment=self.environment)
            assert answer.code == code, answer.all
        else:
            answer = self.office.must(*arguments, code=code)
        self.said.append(answer.all)
        return answer

    @property
    def there(self) -> dict[str, list[There]]:
        """What each platform holds."""
        found = {name: side.posts for name, side in self.sides.items()}
        found["practice"] = [
            There(str(post.id), post.text, tuple((p.sha256, p.alt) for p in post.pictures), link=post.link)
            for post in self.practice.storage.posts()
        ]
        return found

    @property
    def states(self) -> dict[tuple[str, str], str]:
        """State by account and message, read from the database itself while the daemon works."""
        with closing(sqlite3.connect(self.office.state / "gaung.db")) as connection:
            rows = connection.execute("SELECT account_id, message_id, state FROM delivery").fetchall()
        return {(account, message): state for account, message, state in rows}

    def search(self, where: str, content: bytes) -> None:
        """Fail if a secret is in ``content``, as it is or as it travels."""
        for secret in self.secrets:
            forms = {secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()}
            assert not [one for one in forms if one.encode() in content], f"{where} holds a secret"

    def search_all(self) -> list[Path]:
        """Search every output and every file of the office, of the kits and of the public folder."""
        for one in self.said:
            self.search("an output", one.encode())
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        for path in files:
            self.search(str(path), path.read_bytes())
        return files


def references(side: Side) -> dict[str, str]:
    """The names of a side's secrets -> the names of their environment variables."""
    return {name: f"RAHASIA_{side.platform}_{name}".upper() for name in side.secrets}


def configured(sides: Mapping[str, Side], practice: str, kits: Path, public: Path, url: str) -> str:
    """The accounts of the nine, as TOML."""
    tables = [
        f'[media]\nstore = "{public}"\nbase_url = "{url}"\n',
        f"[groups]\nsemua = {list(ACCOUNTS.values())}\n",
        f'[accounts.practice]\nplatform = "practice"\nhandle = "dinas"\napi_base = "{practice}"\n',
        f'[accounts.manual]\nplatform = "manual"\nhandle = "Papan"\noptions = {{ folder = "{kits}" }}\n',
    ]
    for side in sides.values():
        secrets = ", ".join(f'{name} = "env:{at}"' for name, at in references(side).items())
        options = ", ".join(f'{name} = "{value}"' for name, value in side.options.items())
        tables.append(
            f'[accounts.{ACCOUNTS[side.platform]}]\nplatform = "{side.platform}"\nagency = "Diskominfo"\n'
            f'handle = "{side.handle}"\napi_base = "{side.loopback.url}"\n'
            f"secrets = {{ {secrets} }}\noptions = {{ {options} }}\n"
        )
    return "\n".join(tables)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("sembilan")
    with ExitStack() as stack:
        practice = stack.enter_context(running(tmp_path_factory.mktemp("latihan") / "practice.db"))
        sides = {name: stack.enter_context(make()) for name, make in SIDES.items()}
        site = stack.enter_context(public_folder(folder / "publik"))
        kits = folder / "paket"
        table = configured(sides, practice.url, kits, site.folder, site.url)
        office = Office(folder / "kantor", accounts=(), tail=table)
        environment = {
            at: side.secrets[name] for side in sides.values() for name, at in references(side).items()
        }
        sessions = ["eyJakses", "eyJsegar"]  # what Bluesky gives for the password
        yield World(
            folder, practice, sides, site.folder, office, environment, [*environment.values(), *sessions]
        )


def draw(folder: Path) -> None:
    """Four real pictures, one of them of a kind that Instagram does not take."""
    for number, name in enumerate(PICTURES):
        Image.new("RGB", (1080, 1350), (40 * number + 20, 90, 160)).save(folder / name)


def write(file: Path, at: datetime) -> None:
    text = CAMPAIGN.replace("DAY_AFTER", str(at.date() + timedelta(days=1))).replace("DAY", str(at.date()))
    file.write_text(text.replace("WHEN", at.isoformat()), encoding="utf-8")


def until(what: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, f"not within {PATIENCE} seconds"
        time.sleep(0.05)


@contextmanager
def daemon(world: World) -> Iterator[subprocess.Popen[bytes]]:
    """``gaung run`` as a process of its own, the only one that knows the credentials."""
    log = world.folder / "daemon.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "scheduler.cli", "--config", world.office.config, "run"],
            cwd=ROOT,
            env={**os.environ, **world.environment, "GAUNG_LANG": "en"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.fixture(scope="module")
def published(world: World) -> World:
    """The campaign, led from its file to the nine platforms by the commands and the daemon."""
    file = world.office.folder / "campaigns" / f"{ID}.toml"
    draw(file.parent)
    world.must("db", "upgrade")
    for margin in (3, 15, 30):  # nothing is planned for a time that has passed
        write(file, soon(margin))
        world.must("check")
        planned = world.must("plan", "--format", "json").json
        assert {row["change"] for row in planned} <= {"new"}
        world.must("apply")
        if world.office.posts():
            break
    assert len(planned) == 2 * len(BUILT_IN) - 1
    approval = world.must("approve", ID, "--yes").out
    for words in (*(TEXT.splitlines()), SHORT, CAPTION, SECOND, THIRD, COMMENT, LINK, *PICTURES.values()):
        assert words in approval, "approved unseen"
    assert not any(world.there.values())

    with daemon(world) as process:
        waits = {"planned", "sending"}
        until(lambda: process.poll() is not None or not waits & set(world.states.values()))
        assert process.poll() is None, (world.folder / "daemon.log").read_text()
        assert any(path.name.endswith("-wal") for path in world.search_all()), "the log of SQLite is read too"
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    world.outcome = {(post["account"], post["message"]): post for post in world.office.posts()}
    return world


def test_all_nine_platforms_have_it(published: World) -> None:
    assert {name: post["state"] for name, post in published.outcome.items()} == {
        (account, message): "handed" if account == "manual" else "sent"
        for account in ACCOUNTS.values()
        for message in ("poster", "tautan")
        if (account, message) != ("instagram", "tautan")
    }
    with closing(sqlite3.connect(published.office.state / "gaung.db")) as connection:
        attempts = connection.execute("SELECT outcome, count(*) FROM attempt GROUP BY outcome").fetchall()
    assert dict(attempts) == {"accepted": 15, "handed_over": 2}, "each at the first attempt"


@pytest.mark.parametrize("platform", EXPECTED)
def test_what_stands_there_is_what_was_approved(published: World, platform: str) -> None:
    """Text, pictures in order by their bytes, alt texts, parts and what they reply to, comment, link."""
    there = published.there[platform]
    places = {one.id: number for number, one in enumerate(there)}
    found = [(one.text, one.media, places[one.under] if one.under else None, one.link) for one in there]
    assert found == [
        (one.text, tuple(shown(published, platform, name) for name in one.media), one.under, one.link)
        for one in EXPECTED[platform]
    ]


def shown(world: World, platform: str, name: str) -> tuple[str, str]:
    """The hash and the alt text that a picture of the campaign has on a platform."""
    file, alt = world.office.folder / "campaigns" / name, PICTURES[name]
    if platform == "instagram" and file.suffix == ".png":
        file = as_jpeg(world, file)
    return hashlib.sha256(file.read_bytes()).hexdigest(), "" if platform == "telegram" else alt


def as_jpeg(world: World, file: Path) -> Path:
    """The one public file that is this PNG as a JPEG."""
    with Image.open(file) as picture:
        size, colour = picture.size, picture.getpixel((5, 5))
    found = []
    for path in world.public.glob("*.jpg"):
        with Image.open(path) as picture:
            other = picture.getpixel((5, 5))
            assert isinstance(colour, tuple)
            assert isinstance(other, tuple)
            near = all(abs(a - b) < 4 for a, b in zip(colour, other, strict=True))
            if (picture.format, picture.size) == ("JPEG", size) and near:
                found.append(path)
    (only,) = found
    return only


def test_bluesky_is_told_where_links_and_hashtags_are(published: World) -> None:
    poster, *_rest, news = [
        record for _key, record in sorted(published.sides["bluesky"].state.records.items())
    ]
    marked = [
        [
            (record["text"].encode()[f["index"]["byteStart"] : f["index"]["byteEnd"]].decode(), f["features"])
            for f in record["facets"]
        ]
        for record in (poster, news)
    ]
    link = (LINK, [{"$type": "app.bsky.richtext.facet#link", "uri": LINK}])
    tag = (TAG, [{"$type": "app.bsky.richtext.facet#tag", "tag": TAG[1:]}])
    assert marked == [[link], [tag, link]]
    assert poster["langs"] == ["id"]


def test_each_address_leads_to_its_own_post(published: World) -> None:
    for platform, there in published.there.items():
        roots = [one.id for one in there if not one.under]
        assert len(roots) == (1 if platform == "instagram" else 2)
        for message, id_ in zip(("poster", "tautan"), roots, strict=False):
            name = id_.rpartition("/")[2].rpartition("_")[2]
            permalink = published.outcome[ACCOUNTS[platform], message]["permalink"]
            assert permalink.rstrip("/").endswith(f"/{name}")
    assert published.outcome["manual", "poster"]["permalink"] is None


def test_the_kit_holds_everything_that_a_person_needs(published: World) -> None:
    """Given the account that a person publishes on, each post is one folder, complete."""
    (poster, news) = sorted(
        (path for path in (published.folder / "paket").iterdir()), key=lambda path: -len(list(path.iterdir()))
    )
    files = {path.name: path.read_bytes() for path in poster.iterdir()}
    page = files.pop("langkah.html").decode()
    alts = files.pop("teks-alternatif.txt").decode()
    campaigns = published.office.folder / "campaigns"
    assert files == {
        "teks.txt": f"{LINKED}\n".encode(),
        "gambar-01.jpg": (campaigns / "satu.jpg").read_bytes(),
        "gambar-02.png": (campaigns / "dua.png").read_bytes(),
        "gambar-03.jpg": (campaigns / "tiga.jpg").read_bytes(),
        "bagian-2-teks.txt": f"{SECOND}\n".encode(),
        "bagian-2-gambar-01.jpg": (campaigns / "bukti.jpg").read_bytes(),
        "bagian-3-teks.txt": f"{THIRD}\n".encode(),
        "komentar-pertama.txt": f"{COMMENT}\n".encode(),
    }
    assert all(alt in alts for alt in PICTURES.values())
    id_ = published.outcome["manual", "poster"]["id"]
    assert f"gaung resolve {id_} --posted" in page
    assert (news / "teks.txt").read_text() == f"{LINKED_NEWS}\n"
    assert {path.name for path in news.iterdir()} == {"teks.txt", "langkah.html"}


def test_a_second_pass_sends_nothing_again(published: World) -> None:
    before = published.there
    calls = {name: writing(side.loopback) for name, side in published.sides.items()}
    published.must("run", "--once", credentials=True)
    assert published.there == before
    assert {name: writing(side.loopback) for name, side in published.sides.items()} == calls


#: Calls that read although their method is POST.
READING = ("getChatMemberCount", "com.atproto.server.createSession")


def writing(loopback: Loopback) -> int:
    return sum(method != "GET" and not path.endswith(READING) for method, path in loopback.calls)


def test_every_account_answers_to_its_credentials(published: World) -> None:
    published.must("accounts", "check", credentials=True)


def test_a_person_completes_what_was_handed_over(measured: World) -> None:
    posts = {post["message"]: post for post in measured.office.posts("--account", "manual")}
    assert posts["poster"]["state"] == "sent"
    assert posts["poster"]["permalink"] == "https://papan.example/1"
    assert posts["tautan"]["state"] == "handed"
    (details,) = measured.must("posts", "show", posts["poster"]["id"], "--format", "json").json
    last = [event for event in details["record"] if event["after"]][-1]
    assert (last["before"], last["after"], last["actor"]) == ("handed", "sent", "budi")


#: What each platform tells of the first message, after people have seen it.
TOLD: Mapping[str, Mapping[str, int]] = {
    # A visit is one view by one person; this network has no shares and no saves.
    "practice": {"views": 1, "reach": 1, "likes": 0, "comments": 0, "clicks": 0, "engagement": 0},
    "x": {
        "views": 70,
        "likes": 6,
        "comments": 1,
        "shares": 5,
        "saves": 2,
        "clicks": 9,
        "engagement": 14,
    },
    # Insights of views were left empty, and shares are left out of the answer: unknown, not 0.
    "facebook": {"reach": 55, "likes": 12, "comments": 1, "engagement": 13},
    "instagram": {
        "views": 40,
        "reach": 31,
        "likes": 7,
        "comments": 2,
        "shares": 4,
        "saves": 3,
        "engagement": 16,
    },
    "threads": {"views": 90, "likes": 8, "comments": 3, "shares": 7, "engagement": 18},
    "telegram": {},
    "mastodon": {"likes": 4, "comments": 3, "shares": 2, "engagement": 9},
    "bluesky": {"likes": 2, "comments": 3, "shares": 1, "saves": 0, "engagement": 6},
    "manual": {"views": 120},
}
FIGURES = ("views", "reach", "likes", "comments", "shares", "saves", "clicks", "engagement")


@pytest.fixture(scope="module")
def measured(published: World) -> World:
    """People saw the posts, a person gave the address of one made by hand, figures were asked for."""
    sides, there = published.sides, published.there
    first = {platform: posts[0].id for platform, posts in there.items()}
    x_figures = {"retweet_count": 4, "reply_count": 1, "like_count": 6, "quote_count": 1}
    tweet = sides["x"].state.tweets[first["x"]]
    tweet.figures, tweet.clicks = x_figures | {"bookmark_count": 2, "impression_count": 70}, 9
    page_post = sides["facebook"].state.posts[0]
    page_post.insights, page_post.reactions = {"post_total_media_view_unique": 55}, 12
    sides["instagram"].state.media[first["instagram"]].figures = INSTAGRAM_FIGURES
    sides["threads"].state.posts[first["threads"]].figures = THREADS_FIGURES
    status = sides["mastodon"].state.statuses[first["mastodon"]]
    status.counts = {"favourites_count": 4, "replies_count": 3, "reblogs_count": 2}
    key = first["bluesky"].rpartition("/")[2]
    sides["bluesky"].state.figures[key] = {"likeCount": 2, "replyCount": 3, "repostCount": 1}
    visited = next(post for post in published.office.posts("--account", "practice"))
    assert visited["message"] == "poster"
    requests.get(visited["permalink"], headers={"Accept": "text/html"}, timeout=10).raise_for_status()

    manual = {post["message"]: post["id"] for post in published.office.posts("--account", "manual")}
    published.must("resolve", manual["poster"], "--posted", "https://papan.example/1")
    published.must("reach", ID, "--now", credentials=True)
    published.must("reach", "enter", manual["poster"], "--views", "120")
    return published


@pytest.mark.parametrize("platform", TOLD)
def test_figures_are_what_the_platform_told_and_nothing_else(measured: World, platform: str) -> None:
    rows = measured.must("reach", ID, "--format", "json").json
    (row,) = [one for one in rows if (one["account"], one["message"]) == (ACCOUNTS[platform], "poster")]
    told = {name: TOLD[platform].get(name) for name in FIGURES}
    assert {name: row[name] for name in FIGURES} == told
    sources = {"manual": "manual", "telegram": None}  # where nothing is known, nobody is named for it
    assert row["source"] == sources.get(platform, "api")


def test_unknown_figures_are_empty_in_the_report(measured: World) -> None:
    target = measured.folder / "laporan.csv"
    measured.must("report", ID, "--output", target)
    with target.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * len(BUILT_IN) - 1
    found = {(row["platform"], row["message"]): row for row in rows}
    for platform, told in TOLD.items():
        row = found[platform, "poster"]
        assert {name: row[name] for name in FIGURES} == {name: str(told.get(name, "")) for name in FIGURES}
    handed = found["manual", "tautan"]
    assert {handed[name] for name in ("permalink", "published_at", "measured_at", *FIGURES)} == {""}
    assert handed["state"] == "handed"
    assert {row["approver"] for row in rows} == {"Budi Santoso"}


def test_no_secret_is_anywhere_but_in_the_environment(measured: World) -> None:
    """Given all that was done, no output, log, database, kit, public file or report holds a secret."""
    measured.must("posts", "--format", "json")
    for post in measured.office.posts():
        measured.must("posts", "show", post["id"])
    names = {path.name for path in measured.search_all()}
    assert {"gaung.db", "daemon.log", "langkah.html", "config.toml", "laporan.csv"} <= names

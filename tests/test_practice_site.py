"""The practice network as people and programs meet it: pages, honest counting, refusals, faults."""

from __future__ import annotations

import io
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from PIL import Image
from werkzeug.test import TestResponse

from adapters.errors import Misconfigured
from adapters.practice.site import Faults, PracticeServer, Storage, create_app
from adapters.practice.site.pages import hashtags
from adapters.practice.site.server import running

#: 09:30 in Jakarta, 10:30 in Makassar, 11:30 in Jayapura.
NOW = datetime(2026, 12, 9, 2, 30, tzinfo=UTC)
BROWSER = {"Accept": "text/html,application/xhtml+xml"}


class CompiledTemplates(BytecodeCache):
    """Every test makes an app of its own; compiling the pages once is enough."""

    def __init__(self) -> None:
        self.code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.code:
            bucket.bytecode_from_string(self.code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.code[bucket.key] = bucket.bytecode_to_string()


COMPILED = CompiledTemplates()


class Network:
    """A network whose clock stands still, and as many browsers as a test needs."""

    def __init__(self, file: Path, **options: Any) -> None:
        self.storage = Storage(file)
        self.waits: list[float] = []
        self.app = create_app(self.storage, **{"now": lambda: NOW, "wait": self.waits.append, **options})
        self.app.jinja_env.bytecode_cache = COMPILED

    def browser(self) -> FlaskClient:
        return self.app.test_client()

    def post(self, text: str = "Tolak suap", account: str = "diskominfo", **fields: Any) -> TestResponse:
        return self.browser().post("/api/posts", json={"account": account, "text": text, **fields})

    def figures(self, id_: int = 1) -> dict[str, int]:
        answer = self.browser().get(f"/api/posts/stats?ids={id_}").get_json()["posts"][str(id_)]
        return {name: int(value) for name, value in answer.items()}


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    network = Network(tmp_path / "practice.db")
    yield network
    network.storage.close()


def see(browser: FlaskClient, path: str, **headers: str) -> str:
    answer = browser.get(path, headers=BROWSER | headers)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def image(kind: str = "PNG", size: tuple[int, int] = (1080, 1350)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (10, 90, 90)).save(buffer, kind)
    return buffer.getvalue()


def upload(network: Network, content: bytes | None = None) -> str:
    answer = network.browser().post("/api/media?filename=poster.png", data=content or image())
    assert answer.status_code == 201
    return str(answer.get_json()["id"])


def code(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["error"]["code"]


# -- pages ---------------------------------------------------------------------------------------


def test_an_empty_network_says_what_to_do(network: Network) -> None:
    assert "Nothing has been posted yet" in see(network.browser(), "/")


def test_a_card_shows_everything_that_was_posted(network: Network) -> None:
    media = [{"id": upload(network), "alt": "Poster: <berani> jujur"}]
    network.post("Baris satu\nBaris dua #Hakordia", link="https://example.go.id/a?b=1&c=2", media=media)
    page = see(network.browser(), "/")
    assert 'Baris satu\nBaris dua <span class="tag">#Hakordia</span>' in page
    assert 'alt="Poster: &lt;berani&gt; jujur"' in page
    assert page.count("Poster: &lt;berani&gt; jujur") == 2, "the alt text is shown below the picture too"
    assert 'width="1080" height="1350"' in page
    assert "https://example.go.id/a?b=1&amp;c=2" in page
    assert "Dec 9, 2026" in page
    assert "WIB" in page
    picture = network.browser().get("/media/1")
    assert (picture.mimetype, picture.get_data()) == ("image/png", image())


def test_a_picture_without_alt_text_is_pointed_out(network: Network) -> None:
    network.post(media=[{"id": upload(network)}])
    assert "No alt text" in see(network.browser(), "/")


@pytest.mark.parametrize(
    ("zone", "language", "shown"),
    [
        ("WITA", "id", "9 Des 2026, 10.30 WITA"),
        ("Asia/Jayapura", "id", "9 Des 2026, 11.30 WIT"),
        ("wib", "id", "9 Des 2026, 09.30 WIB"),
    ],
)
def test_times_are_local_and_name_their_zone(tmp_path: Path, zone: str, language: str, shown: str) -> None:
    network = Network(tmp_path / "practice.db", zone=zone, language=language)
    network.post()
    page = see(network.browser(), "/p/1")
    network.storage.close()
    assert shown in page
    assert f'<html lang="{language}">' in page
    assert '<time datetime="2026-12-09T02:30:00+00:00">' in page


def test_every_text_of_every_page_can_be_translated(tmp_path: Path) -> None:
    """With a translation that marks each text, no English is left on the pages without a mark."""
    network = Network(tmp_path / "practice.db", translate=lambda text: f"«{len(text)}»")
    for number in range(21):
        network.post(f"{number}", media=[{"id": upload(network)}] if number else [], link="https://a.id/")
    network.browser().post("/p/1/comments", data={"text": "7"})
    for path in ("/", "/?page=2", "/@diskominfo", "/p/1", "/p/2", "/p/99"):
        page = network.browser().get(path, headers=BROWSER).get_data(as_text=True)
        words = re.sub(r"<[^>]+>|«\d+»|@diskominfo|https://a\.id/|Dec 9, 2026, 2:30\sAM|9:30\sAM", " ", page)
        words = re.sub(r"\b(Gaung|ALT|Dec|AM|WIB)\b", "", words)
        assert re.findall(r"[A-Za-z]{3,}", words) == [], path
        spoken = re.findall(r'(?:aria-label|title)="([^"]*)"', page)
        assert [text for text in spoken if "«" not in text] == [], path
    network.storage.close()


def test_what_people_and_posts_say_is_never_markup(network: Network) -> None:
    evil = "<script>alert(1)</script>"
    network.post(f"{evil} #tag{evil}", media=[{"id": upload(network), "alt": f'"{evil}'}])
    network.browser().post("/p/1/comments", data={"name": evil, "text": evil})
    for path in ("/", "/@diskominfo", "/p/1"):
        page = see(network.browser(), path)
        assert "<script" not in page
        assert "&lt;script&gt;" in page


def test_hashtags_are_set_off_and_nothing_else() -> None:
    marked = re.findall(
        r'<span class="tag">(.*?)</span>', str(hashtags("#Hakordia, (#jujur_2026) a#b &#39; #1 #ñandú"))
    )
    assert marked == ["#Hakordia", "#jujur_2026", "#ñandú"]


def test_pages_load_nothing_from_elsewhere_and_run_no_script(network: Network) -> None:
    network.post(media=[{"id": upload(network), "alt": "a"}])
    page_answer = network.browser().get("/p/1", headers=BROWSER)
    assert "default-src 'none'" in page_answer.headers["Content-Security-Policy"]
    page = page_answer.get_data(as_text=True)
    for address in re.findall(r'(?:src|action|<link[^>]* href)="([^"]*)"', page):
        assert address.startswith("/"), address
        if not address.startswith("/p/"):
            with network.browser().get(address) as answer:
                assert answer.status_code == 200, address
    assert "<script" not in page
    assert " style=" not in page


def test_the_timeline_is_turned_page_by_page(network: Network) -> None:
    for number in range(25):
        network.post(f"Pesan nomor {number:02}", account="b" if number % 5 else "a")
    first, second = see(network.browser(), "/"), see(network.browser(), "/?page=2")
    assert re.findall(r"Pesan nomor (\d\d)", first) == [f"{n:02}" for n in range(24, 4, -1)]
    assert re.findall(r"Pesan nomor (\d\d)", second) == ["04", "03", "02", "01", "00"]
    assert ("/?page=2" in first, "/?page=1" in second, "/?page=3" in second) == (True, True, False)
    assert re.findall(r"Pesan nomor (\d\d)", see(network.browser(), "/@A")) == ["20", "15", "10", "05", "00"]


@pytest.mark.parametrize(
    "path", ["/p/7", "/@nobody", "/media/7", "/go/7", "/?page=x", "/?page=-3", "/nothing"]
)
def test_an_address_without_content_is_a_friendly_page(network: Network, path: str) -> None:
    network.post()
    answer = network.browser().get(path, headers=BROWSER)
    assert answer.status_code == (200 if "page" in path else 404)
    assert "practice network" in answer.get_data(as_text=True).lower()


# -- counting ------------------------------------------------------------------------------------


def test_views_count_openings_and_reach_counts_people(network: Network) -> None:
    network.post()
    ani, budi = network.browser(), network.browser()
    for browser, path in ((ani, "/"), (ani, "/p/1"), (ani, "/@diskominfo"), (budi, "/p/1")):
        see(browser, path)
    assert network.figures() == {"views": 4, "reach": 2, "likes": 0, "comments": 0, "clicks": 0}


def test_a_visitor_sees_the_own_view_counted(network: Network) -> None:
    network.post()
    assert re.search(r"<dt>Views</dt><dd>1</dd>", see(network.browser(), "/"))


def test_a_post_on_another_page_is_not_viewed(network: Network) -> None:
    for number in range(21):
        network.post(f"{number}")
    see(network.browser(), "/")
    assert (network.figures(1)["views"], network.figures(2)["views"]) == (0, 1)


def test_only_a_browser_that_opens_a_page_counts(network: Network) -> None:
    network.post(link="https://example.go.id/")
    browser = network.browser()
    browser.head("/p/1", headers=BROWSER)
    browser.head("/go/1", headers=BROWSER)
    browser.get("/p/1", headers={"Accept": "*/*"})
    browser.get("/p/1", headers=BROWSER | {"Sec-Purpose": "prefetch;prerender"})
    browser.get("/go/1", headers=BROWSER | {"Purpose": "prefetch"})
    browser.get("/api/accounts/diskominfo/posts", headers=BROWSER)
    browser.get("/media/1", headers=BROWSER)
    assert network.figures() == dict.fromkeys(("views", "reach", "likes", "comments", "clicks"), 0)


def test_an_invented_cookie_is_replaced(network: Network) -> None:
    network.post()
    browser = network.browser()
    browser.set_cookie("gaung_visitor", "' OR 1=1 --")
    see(browser, "/")
    cookie = browser.get_cookie("gaung_visitor")
    assert cookie is not None
    assert re.fullmatch(r"[\w-]{16}", cookie.value)
    assert (cookie.http_only, cookie.same_site) == (True, "Lax")


def test_liking_is_per_visitor_can_be_taken_back_and_is_no_view(network: Network) -> None:
    network.post()
    ani, budi = network.browser(), network.browser()
    see(ani, "/")
    for browser in (ani, budi):
        page = browser.post("/p/1/like", data={"back": "/"}, headers=BROWSER, follow_redirects=True)
    assert 'aria-pressed="true"' in page.get_data(as_text=True)
    assert network.figures() == {"views": 1, "reach": 1, "likes": 2, "comments": 0, "clicks": 0}
    ani.post("/p/1/like")
    assert network.figures()["likes"] == 1
    see(ani, "/p/1")
    see(ani, "/p/1")
    assert network.figures()["views"] == 2, "only the way back from the form is not counted"


@pytest.mark.parametrize(
    ("back", "goes_to"),
    [
        ("/?page=2", "/?page=2#post-1"),
        ("/@diskominfo", "/@diskominfo#post-1"),
        ("https://evil.example/", "/p/1#post-1"),
        ("//evil.example/", "/p/1#post-1"),
        ("/\\evil.example", "/p/1#post-1"),
        ("/\t/evil.example", "/p/1#post-1"),
        ("javascript:alert(1)", "/p/1#post-1"),
        ("", "/p/1#post-1"),
    ],
)
def test_a_form_leads_back_to_where_it_was_and_nowhere_else(
    network: Network, back: str, goes_to: str
) -> None:
    network.post()
    answer = network.browser().post("/p/1/like", data={"back": back})
    assert (answer.status_code, answer.location) == (303, goes_to)


def test_a_form_on_a_foreign_page_is_refused(network: Network) -> None:
    network.post()
    for path in ("/p/1/like", "/p/1/comments"):
        answer = network.browser().post(path, data={"text": "a"}, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403
    assert network.figures()["likes"] == 0


def test_comments_are_shown_named_or_not(network: Network) -> None:
    network.post()
    browser = network.browser()
    browser.post("/p/1/comments", data={"name": " Bu Sari ", "text": "Baris satu\r\nBaris dua"})
    browser.post("/p/1/comments", data={"text": "Setuju"})
    page = see(browser, "/p/1")
    assert "Bu Sari <time" in page
    assert '<p class="text">Baris satu\nBaris dua</p>' in page
    assert "Somebody <time" in page
    assert network.figures()["comments"] == 2


@pytest.mark.parametrize("form", [{"text": " "}, {}, {"text": "a" * 1001}, {"text": "a", "name": "a" * 61}])
def test_a_comment_that_is_empty_or_too_long_is_refused(network: Network, form: dict[str, str]) -> None:
    network.post()
    assert network.browser().post("/p/1/comments", data=form).status_code == 400
    assert network.figures()["comments"] == 0


def test_a_click_is_counted_and_leads_to_the_posts_own_link_only(network: Network) -> None:
    network.post(link="https://example.go.id/lapor?a=b")
    answer = network.browser().get("/go/1?url=https://evil.example/&next=//evil.example", headers=BROWSER)
    assert (answer.status_code, answer.location) == (302, "https://example.go.id/lapor?a=b")
    assert network.figures()["clicks"] == 1
    network.post()
    assert network.browser().get("/go/2", headers=BROWSER).status_code == 404


# -- the interface for programs ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"account": "a b"}, (400, "bad-account")),
        ({"account": None}, (400, "bad-account")),
        ({"text": "a" * 2001}, (422, "text-too-long")),
        ({"text": 5}, (400, "bad-field")),
        ({"text": " \n"}, (422, "empty-post")),
        ({"link": "javascript:alert(1)"}, (422, "bad-link")),
        ({"link": "https://"}, (422, "bad-link")),
        ({"link": "//evil.example"}, (422, "bad-link")),
        ({"link": "https://a.id/\r\nSet-Cookie: x"}, (422, "bad-link")),
        ({"link": "https://[x"}, (422, "bad-link")),
        ({"media": [{"id": "99", "alt": ""}]}, (422, "unknown-media")),
        ({"media": [{"id": "1 OR 1=1"}]}, (422, "unknown-media")),
        ({"media": [{"id": "1"}] * 11}, (422, "too-many-media")),
        ({"media": [{"id": "1", "alt": "a" * 1001}]}, (422, "alt-too-long")),
        ({"media": "1"}, (400, "bad-field")),
    ],
)
def test_what_cannot_be_posted_is_refused_with_a_code_and_not_stored(
    network: Network, fields: dict[str, Any], expected: tuple[int, str]
) -> None:
    answer = network.browser().post("/api/posts", json={"account": "a", "text": "a", **fields})
    assert code(answer) == expected
    assert network.storage.posts() == ()


def test_what_is_no_json_or_no_call_is_refused_in_json(network: Network) -> None:
    browser = network.browser()
    assert code(browser.post("/api/posts", data="text=a")) == (400, "not-json")
    assert code(browser.post("/api/posts", json=[1])) == (400, "not-json")
    assert code(browser.get("/api/nothing")) == (404, "unknown-call")
    assert code(browser.delete("/api/posts/1")) == (404, "not-found")
    assert code(browser.get("/api/accounts/a/posts?since=yesterday")) == (400, "bad-time")
    assert code(browser.get("/api/posts/stats?ids=" + ",".join("1" * 101))) == (400, "too-many-ids")


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"<svg/>", b"%PDF-1.7", image("BMP")])
def test_only_pictures_are_taken(network: Network, content: bytes) -> None:
    assert code(network.browser().post("/api/media", data=content)) == (422, "not-a-picture")


@pytest.mark.parametrize(
    ("kind", "mime"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("GIF", "image/gif"), ("WEBP", "image/webp")],
)
def test_a_picture_is_what_its_bytes_say(network: Network, kind: str, mime: str) -> None:
    id_ = upload(network, image(kind))
    assert network.browser().get(f"/media/{id_}").headers["Content-Type"] == mime


def test_the_listing_is_complete_and_begins_at_the_given_moment(tmp_path: Path) -> None:
    hours = iter(range(10, 20))
    network = Network(tmp_path / "practice.db", now=lambda: NOW.replace(hour=next(hours)))
    media = [{"id": upload(network), "alt": "Poster"}]
    for text in ("satu", "dua", "tiga"):
        network.post(text, link="https://a.id/", media=media)
    network.post("lain", account="lain")
    browser = network.browser()
    listed = browser.get("/api/accounts/DISKOMINFO/posts?since=2026-12-09T18:30:01%2B07:00").get_json()[
        "posts"
    ]
    assert [p["text"] for p in listed] == ["tiga"]
    assert (listed[0]["created_at"], listed[0]["link"]) == ("2026-12-09T12:30:00+00:00", "https://a.id/")
    assert [(m["id"], m["alt"]) for m in listed[0]["media"]] == [("1", "Poster")]
    assert len(browser.get("/api/accounts/diskominfo/posts").get_json()["posts"]) == 3
    assert browser.get("/api/accounts/unborn/posts").get_json() == {"posts": []}
    network.storage.close()


def test_deleting_a_post_deletes_its_pictures_unless_another_post_shows_them(network: Network) -> None:
    shared, own = upload(network), upload(network, image("GIF"))
    network.post("satu", media=[{"id": shared}, {"id": own}])
    network.post("dua", media=[{"id": shared}])
    see(network.browser(), "/")
    network.browser().post("/p/1/comments", data={"text": "a"})
    assert network.browser().delete("/api/posts/1").get_json() == {"deleted": True}
    assert [network.browser().get(f"/media/{id_}").status_code for id_ in (shared, own)] == [200, 404]
    assert network.browser().get("/api/posts/stats?ids=1,2,zwei").get_json()["posts"].keys() == {"2"}


def test_a_network_of_the_first_version_learns_of_answers(tmp_path: Path) -> None:
    Network(tmp_path / "practice.db").storage.close()
    old = sqlite3.connect(tmp_path / "practice.db")
    old.executescript(
        """
        DROP TABLE comment;
        CREATE TABLE comment (
            id INTEGER PRIMARY KEY, post INTEGER NOT NULL REFERENCES post ON DELETE CASCADE,
            name TEXT NOT NULL, text TEXT NOT NULL, created TEXT NOT NULL);
        CREATE INDEX comment_post ON comment (post);
        PRAGMA user_version = 1;
        """
    )
    old.close()
    network = Network(tmp_path / "practice.db")
    network.post("satu")
    network.browser().post("/p/1/comments", data={"name": "Bu Sari", "text": "Lapor ke mana?"})
    answers = "/api/comments/1/answers"
    said = network.browser().post(answers, json={"account": "diskominfo", "text": "Ke lapor.go.id"})
    assert (said.status_code, said.get_json()) == (201, {"id": "2"})
    page = network.browser().get("/p/1").text
    assert page.index("Lapor ke mana?") < page.index("Official answer") < page.index("Ke lapor.go.id")
    nowhere = network.browser().post("/api/comments/9/answers", json={"account": "a", "text": "b"})
    assert nowhere.status_code == 404
    network.browser().delete("/api/comments/1")
    assert "Ke lapor.go.id" not in network.browser().get("/p/1").text
    network.storage.close()


def test_an_id_is_never_used_again(network: Network) -> None:
    network.post("satu")
    network.browser().delete("/api/posts/1")
    assert network.post("dua").get_json()["id"] == "2"


# -- faults --------------------------------------------------------------------------------------


def test_a_slow_network_stores_the_post_before_it_dawdles(tmp_path: Path) -> None:
    seen: list[tuple[float, int]] = []

    def wait(seconds: float) -> None:
        seen.append((seconds, len(slow.storage.posts())))

    slow = Network(tmp_path / "practice.db", faults=Faults(delay=30), wait=wait)
    assert slow.post().status_code == 201
    assert seen == [(30, 1)]
    slow.storage.close()


def test_every_nth_answer_is_lost_although_its_post_is_there(tmp_path: Path) -> None:
    network = Network(tmp_path / "practice.db", faults=Faults(lose_answer_every=3))
    network.post("a" * 3000)  # what is refused is not counted
    assert [network.post(f"{n}").status_code for n in range(7)] == [201, 201, 502, 201, 201, 502, 201]
    assert len(network.storage.posts()) == 7
    network.storage.close()


# -- running -------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.go.id"])
def test_only_this_computer_can_be_listened_on(tmp_path: Path, host: str) -> None:
    with pytest.raises(Misconfigured):
        PracticeServer(tmp_path / "practice.db", host=host, port=0)


def test_a_foreign_database_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "gaung.db"
    with sqlite3.connect(file) as foreign:
        foreign.execute("CREATE TABLE delivery (id)")
    foreign.close()
    before = file.read_bytes()
    with pytest.raises(Misconfigured):
        Storage(file)
    assert file.read_bytes() == before
    file.write_text(
        "this is a campaign, not a database; it has more than a hundred bytes of text in it, see? " * 3
    )
    with pytest.raises(Misconfigured):
        Storage(file)


def test_a_wrong_zone_or_a_taken_port_is_told_and_releases_the_file(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for options in ({"zone": "Jakarta Raya"}, {"port": taken.getsockname()[1]}):
            with pytest.raises(Misconfigured):
                PracticeServer(tmp_path / "practice.db", **{"port": 0, **options})
    (tmp_path / "practice.db").rename(tmp_path / "moved.db")


def test_everything_outlives_a_restart(tmp_path: Path) -> None:
    for expected in (1, 2):
        with running(tmp_path / "practice.db") as server:
            requests.post(f"{server.url}/api/posts", json={"account": "a", "text": "a"})
            assert len(server.storage.posts()) == expected
    assert not list(tmp_path.glob("practice.db-*"))


def test_many_at_once_lose_nothing(tmp_path: Path) -> None:
    with running(tmp_path / "practice.db") as server:

        def visit() -> None:
            for _ in range(5):
                requests.post(f"{server.url}/api/posts", json={"account": "a", "text": "a"})
                requests.get(f"{server.url}/p/1", headers=BROWSER)

        threads = [threading.Thread(target=visit) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        posts = server.storage.posts()
    assert (len(posts), posts[0].views, posts[0].reach) == (30, 30, 30)


def test_a_name_that_only_points_to_this_computer_is_not_answered(tmp_path: Path) -> None:
    """DNS rebinding: a page elsewhere could otherwise read and post here through the visitor's browser."""
    with running(tmp_path / "practice.db") as server:
        answer = requests.get(server.url, headers=BROWSER | {"Host": "evil.example"})
    assert answer.status_code == 400


def test_a_network_is_stopped_while_it_is_busy(tmp_path: Path) -> None:
    """Given clients that come and go at that moment, it ends, and stopping it meets nothing closed."""
    for turn in range(20):
        server = PracticeServer(tmp_path / f"{turn}.db", port=0)
        host, port = server.url.removeprefix("http://").split(":")

        def knock(place: tuple[str, int] = (host, int(port))) -> None:
            with suppress(OSError):  # it is over
                while True:
                    socket.create_connection(place, timeout=5).close()

        with ThreadPoolExecutor(2) as threads:
            ended = [threads.submit(server.run), threads.submit(knock)]
            server.stop()
            server.stop()
        assert [one.exception() for one in ended] == [None, None]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_tells_its_address_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    """Even while a slow answer is still being waited for."""
    code = (
        "import sys; from pathlib import Path; from adapters.practice.site import serve;"
        "serve(Path(sys.argv[1]), port=0, delay=60, on_ready=lambda url: print(url, flush=True));"
        "print('over')"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "practice.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as slow:
            body = b'{"account": "a", "text": "a"}'
            head = f"POST /api/posts HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            slow.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            while not requests.get(f"{url}/api/accounts/a/posts", timeout=5).json()["posts"]:
                pass
            os.kill(process.pid, number)
            out, err = process.communicate(timeout=5)
    assert (process.returncode, out, err) == (0, "over\n", "")
    storage = Storage(tmp_path / "practice.db")
    assert len(storage.posts()) == 1
    storage.close()

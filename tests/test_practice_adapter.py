"""The practice adapter against a real practice network on loopback: the contract, and its own refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest
import requests

pytest.register_assert_rewrite("adapters.contract_suite")

from adapters.answering import GONE  # noqa: E402
from adapters.contract import Absent, Account, Adapter, Found, Post, Reach, Receipt, ReplyTo  # noqa: E402
from adapters.contract_suite import AdapterContract  # noqa: E402
from adapters.contract_tools import Call, MemoryProgress, Remote, RemotePost, picture, relayed  # noqa: E402
from adapters.errors import Ambiguous, Misconfigured, Rejected, Transient  # noqa: E402
from adapters.practice.adapter import PracticeAdapter  # noqa: E402
from adapters.practice.site import PracticeServer  # noqa: E402
from adapters.practice.site.server import running  # noqa: E402

BROWSER = {"Accept": "text/html,*/*"}
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def adapter_at(url: str, handle: str = "diskominfo.contoh") -> PracticeAdapter:
    def no_secret(name: str) -> str:
        raise AssertionError(f"the practice adapter asked for the secret {name}")

    return PracticeAdapter(Account("practice", handle, no_secret, url), lambda: datetime.now(UTC))


class PracticeRemote:
    """The network's own storage, and visitors with browsers of their own."""

    def __init__(self, server: PracticeServer) -> None:
        self.server = server

    def posts(self) -> Sequence[RemotePost]:
        return [
            RemotePost(str(p.id), p.text, p.link, tuple((m.sha256, m.alt) for m in p.pictures))
            for p in self.server.storage.posts("diskominfo.contoh")
        ]

    def engage(self, remote_id: str) -> Reach:
        page = f"{self.server.url}/p/{remote_id}"
        with requests.Session() as first, requests.Session() as second:
            for visitor in (first, first, second):
                visitor.get(page, headers=BROWSER)
            second.post(f"{page}/like", allow_redirects=False)
            second.post(f"{page}/comments", data={"text": "Setuju"}, allow_redirects=False)
            first.get(f"{self.server.url}/go/{remote_id}", headers=BROWSER, allow_redirects=False)
        return Reach(views=3, reach=2, likes=1, comments=1, clicks=1)


class TestContract(AdapterContract):
    followers: ClassVar[int | None] = 0
    publishing_call: ClassVar[Call] = ("POST", "/api/posts")
    upload_call: ClassVar[Call | None] = ("POST", "/api/media")

    @pytest.fixture
    def server(self, tmp_path: Path) -> Iterator[PracticeServer]:
        with running(tmp_path / "practice.db") as server:
            yield server

    @pytest.fixture
    def api_base(self, server: PracticeServer) -> str:
        return server.url

    @pytest.fixture
    def make_adapter(self) -> Callable[[str], Adapter]:
        return adapter_at

    @pytest.fixture
    def remote(self, server: PracticeServer) -> Remote:
        return PracticeRemote(server)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with running(tmp_path / "practice.db") as server:
        yield server.url


def test_a_lost_answer_of_the_workshop_is_ambiguous_and_found(tmp_path: Path) -> None:
    with running(tmp_path / "practice.db", lose_answer_every=1) as server:
        adapter, post = adapter_at(server.url), Post("k", "Tolak suap")
        with pytest.raises(Ambiguous) as raised:
            adapter.publish(post, MemoryProgress())
        assert raised.value.code == "502"
        assert isinstance(adapter.find(post, MemoryProgress(), LONG_AGO), Found)


def test_an_answer_stands_under_its_comment_and_is_found_when_its_receipt_was_lost(tmp_path: Path) -> None:
    with running(tmp_path / "practice.db", lose_answer_every=2) as server:
        adapter = adapter_at(server.url)
        post = adapter.publish(Post("k", "Tolak suap"), MemoryProgress())
        assert isinstance(post, Receipt)
        requests.post(f"{post.permalink}/comments", data={"name": "Ani", "text": "Ke mana?"}, timeout=10)
        (comment,) = adapter.replies([post.remote_id])[post.remote_id]
        answer = Post("j", "Ke lapor.go.id", reply_to=ReplyTo(comment.remote_id, post.remote_id))
        progress = MemoryProgress()
        assert adapter.find(answer, progress, LONG_AGO) == Absent()
        with pytest.raises(Ambiguous):
            adapter.publish(answer, progress)
        found = adapter.find(answer, progress, LONG_AGO)
        _asked, said = adapter.replies([post.remote_id])[post.remote_id]
        assert isinstance(found, Found)
        assert (found.remote_id, said.under, said.own) == (said.remote_id, comment.remote_id, True)
        adapter.remove(comment.remote_id)
        assert adapter.replies([post.remote_id]) == {post.remote_id: []}
        with pytest.raises(Rejected) as refused:
            adapter.publish(replace(answer, key="l"), MemoryProgress())
        assert refused.value.code == GONE


@pytest.mark.parametrize(
    ("text", "link", "code"),
    [("a" * 2001, "", "text-too-long"), ("a", "javascript:alert(1)", "bad-link"), ("  ", "", "empty-post")],
)
def test_a_refusal_is_final_and_in_the_networks_words(url: str, text: str, link: str, code: str) -> None:
    with pytest.raises(Rejected) as raised:
        adapter_at(url).publish(Post("k", text, link), MemoryProgress())
    assert raised.value.code == code
    assert len(raised.value.reason.split()) > 3


def test_a_picture_that_changed_after_approval_is_not_published(url: str, tmp_path: Path) -> None:
    adapter, item = adapter_at(url), picture(tmp_path, 1, "Poster")
    item.path.write_bytes(picture(tmp_path, 2, "Poster lain").path.read_bytes())
    for _ in ("changed", "gone"):
        with pytest.raises(Rejected) as raised:
            adapter.publish(Post("k", "a", media=(item,)), MemoryProgress())
        assert raised.value.code == item.path.name
        item.path.unlink(missing_ok=True)
    assert requests.get(f"{url}/api/accounts/diskominfo.contoh/posts").json() == {"posts": []}


def test_pictures_lost_by_the_network_are_uploaded_again(url: str, tmp_path: Path) -> None:
    """A workshop that deletes the network's file must not make a delivery fail for good."""
    adapter, progress = adapter_at(url), MemoryProgress()
    post = Post("k", "a", media=(picture(tmp_path, 1, "Poster"),))
    progress.save(media={post.media[0].sha256: "777"})
    with pytest.raises(Transient):
        adapter.publish(post, progress)
    assert adapter.publish(post, progress).remote_id == "1"


def test_a_broken_upload_is_transient_because_nothing_was_published(url: str, tmp_path: Path) -> None:
    with relayed(url) as relay:
        relay.breaks = ("POST", "/api/media")
        with pytest.raises(Transient):
            adapter_at(relay.url).publish(
                Post("k", "a", media=(picture(tmp_path, 1, "Poster"),)), MemoryProgress()
            )


def test_find_compares_link_and_alt_texts(url: str, tmp_path: Path) -> None:
    adapter = adapter_at(url)
    post = Post("k", "a", "https://example.go.id/", (picture(tmp_path, 1, "Poster"),))
    adapter.publish(post, MemoryProgress())
    assert isinstance(adapter.find(post, MemoryProgress(), LONG_AGO), Found)
    others = (
        replace(post, link=""),
        replace(post, link="https://example.go.id/x"),
        replace(post, media=(replace(post.media[0], alt="Lain"),)),
        replace(post, media=post.media * 2),
    )
    for other in others:
        assert isinstance(adapter.find(other, MemoryProgress(), LONG_AGO), Absent)


def test_another_account_with_the_same_text_is_another_post(url: str) -> None:
    adapter_at(url, "@dinas.lain").publish(Post("k", "a"), MemoryProgress())
    assert not isinstance(adapter_at(url).find(Post("k", "a"), MemoryProgress(), LONG_AGO), Found)
    assert isinstance(adapter_at(url, "dinas.lain").find(Post("k", "a"), MemoryProgress(), LONG_AGO), Found)


def test_figures_of_many_posts_are_asked_in_batches(url: str) -> None:
    adapter = adapter_at(url)
    ids = [adapter.publish(Post(str(n), f"Pesan {n}"), MemoryProgress()).remote_id for n in range(60)]
    with relayed(url) as relay:
        figures = adapter_at(relay.url).reach(ids)
        assert set(figures) == set(ids)
        assert relay.count(("GET", "/api/posts/stats")) == 2
    assert figures[ids[0]] == Reach(0, 0, 0, 0, None, None, 0, raw=figures[ids[0]].raw)


def test_a_video_is_refused_before_anyone_approves(url: str, tmp_path: Path) -> None:
    item = replace(picture(tmp_path, 1, "Video"), mime="video/mp4")
    assert [p.code for p in adapter_at(url).check(Post("k", "a", media=(item,)))] == ["media-type"]


def test_a_server_that_is_no_practice_network_is_never_believed(url: str) -> None:
    """Pages of any web server: reading is Transient, publishing Ambiguous, and nothing is "found"."""
    adapter = adapter_at(f"{url}/somewhere/else")
    for call in (adapter.verify, lambda: adapter.reach(["1"]), lambda: adapter.remove("1")):
        with pytest.raises(Transient):
            call()
    with pytest.raises(Transient):
        adapter.find(Post("k", "a"), MemoryProgress(), LONG_AGO)
    with pytest.raises(Ambiguous):
        adapter.publish(Post("k", "a"), MemoryProgress())


def test_plain_http_to_another_computer_is_refused() -> None:
    with pytest.raises(Misconfigured):
        adapter_at("http://practice.example.go.id")

"""The Mastodon adapter: the contract on a server of our own and on mastodon-mock, then its own facts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests
from PIL import Image

pytest.register_assert_rewrite("adapters.contract_suite")
sys.path.insert(0, str(Path(__file__).parent))

from kit.films import film  # noqa: E402
from servers import mastodon_platform as platform  # noqa: E402
from servers.loopback import Answer, Fault, Loopback, patience  # noqa: E402

from adapters.contract import Absent, Account, Adapter, Found, Part, Post, Reach, Unknown  # noqa: E402
from adapters.contract_suite import AdapterContract  # noqa: E402
from adapters.contract_tools import (  # noqa: E402
    Call,
    MemoryProgress,
    PowerCutError,
    Refusal,
    Remote,
    RemotePost,
    closed_port,
    picture,
)
from adapters.errors import (  # noqa: E402
    AccountHeld,
    AdapterError,
    Ambiguous,
    AuthExpired,
    Misconfigured,
    RateLimited,
    Rejected,
    Transient,
)
from adapters.mastodon import text as mastodon_text  # noqa: E402
from adapters.mastodon.adapter import MastodonAdapter  # noqa: E402
from adapters.registry import adapter_class  # noqa: E402

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
LINK = "https://example.go.id/lapor?kanal=a&b=c"


def adapter_at(
    url: str,
    *,
    token: str = platform.TOKEN,
    handle: str = "@diskominfo@mastodon.example",
    **options: Any,
) -> MastodonAdapter:
    def secret(name: str) -> str:
        assert name == "access_token"
        return token

    account = Account("mastodon", handle, secret, url, options)
    return MastodonAdapter(
        account, lambda: datetime.now(UTC), read_timeout=patience(url), sleep=lambda seconds: None
    )


class MastodonRemote:
    def __init__(self, mastodon: platform.Mastodon) -> None:
        self.mastodon = mastodon

    def posts(self) -> Sequence[RemotePost]:
        return [
            _remote(s.id, s.text, tuple((m.sha256, m.description) for m in s.media))
            for s in self.mastodon.statuses.values()
        ]

    def engage(self, remote_id: str) -> Reach:
        self.mastodon.statuses[remote_id].counts = {
            "favourites_count": 3, "replies_count": 2, "reblogs_count": 1,
        }  # fmt: skip
        return Reach(likes=3, comments=2, shares=1)


def _remote(id_: str, whole: str, media: tuple[tuple[str, str], ...]) -> RemotePost:
    text, _, link = whole.rpartition("\n\n")
    return (
        RemotePost(id_, text, link, media) if link.startswith("https:") else RemotePost(id_, whole, "", media)
    )


@pytest.fixture
def server() -> Iterator[tuple[platform.Mastodon, Loopback]]:
    with platform.running() as server:
        yield server


@pytest.fixture
def mastodon(server: tuple[platform.Mastodon, Loopback]) -> platform.Mastodon:
    return server[0]


@pytest.fixture
def loopback(server: tuple[platform.Mastodon, Loopback]) -> Loopback:
    return server[1]


class TestContract(AdapterContract):
    followers: ClassVar[int | None] = 512
    publishing_call: ClassVar[Call] = ("POST", "/api/v1/statuses")
    later_call: ClassVar[tuple[Call, int] | None] = (publishing_call, 1)
    refusal: ClassVar[Refusal] = (422, '{"error": "Validation failed"}')
    refusal_words: ClassVar[str] = "Validation failed"
    upload_call: ClassVar[Call | None] = ("POST", "/api/v2/media")
    secrets = {"access_token": platform.TOKEN}  # noqa: RUF012

    @pytest.fixture
    def api_base(self, loopback: Loopback) -> str:
        return loopback.url

    @pytest.fixture
    def make_adapter(self) -> Callable[[str], Adapter]:
        return adapter_at

    @pytest.fixture
    def remote(self, mastodon: platform.Mastodon) -> Remote:
        return MastodonRemote(mastodon)


class TestContractWithoutKeys(TestContract):
    """The same on a server that does not honour Idempotency-Key, and is older than 4.3."""

    @pytest.fixture
    def remote(self, mastodon: platform.Mastodon) -> Remote:
        mastodon.honours_keys = mastodon.batch = False
        return MastodonRemote(mastodon)


class MockRemote:
    """mastodon-mock past the adapter. It keeps no files: which picture it is, its alt text tells."""

    def __init__(self, url: str, sha256: dict[str, str]) -> None:
        self.url = url
        self.sha256 = sha256

    def posts(self) -> Sequence[RemotePost]:
        own = self._ask("accounts/verify_credentials", "alice_token")["id"]
        listing = self._ask(f"accounts/{own}/statuses?limit=40", "alice_token")
        return [self._remote(s) for s in reversed(listing) if not s["content"].startswith("<p>Seed")]

    def engage(self, remote_id: str) -> Reach:
        for verb in ("favourite", "reblog"):
            self._post(f"statuses/{remote_id}/{verb}")
        self._post("statuses", json={"status": "Setuju", "in_reply_to_id": remote_id})
        return Reach(likes=1, comments=1, shares=1)

    def _remote(self, status: dict[str, Any]) -> RemotePost:
        source = self._ask(f"statuses/{status['id']}/source", "alice_token")["text"]
        alts = [medium["description"] for medium in status["media_attachments"]]
        return _remote(status["id"], source, tuple((self.sha256[alt], alt) for alt in alts))

    def _ask(self, path: str, token: str) -> Any:
        return requests.get(
            f"{self.url}/api/v1/{path}", headers={"Authorization": f"Bearer {token}"}, timeout=10
        ).json()

    def _post(self, path: str, **kwargs: Any) -> None:
        answer = requests.post(
            f"{self.url}/api/v1/{path}", headers={"Authorization": "Bearer bob_token"}, timeout=10, **kwargs
        )
        assert answer.status_code == 200


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """mastodon-mock (PyPI), a server by another hand, in a process of its own."""
    folder = tmp_path_factory.mktemp("mock")
    (folder / "config.toml").write_text(
        '[[seed.accounts]]\nusername = "alice"\ndisplay_name = "Alice"\naccess_token = "alice_token"\n'
        '[[seed.accounts]]\nusername = "bob"\naccess_token = "bob_token"\n'
    )
    port = closed_port().rpartition(":")[2]
    command = [sys.executable, "-m", "mastodon_mock", "serve", "--in-memory", "--port", port]
    command += ["--config", str(folder / "config.toml"), "--log-level", "error"]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, env={**os.environ, "HOST": "127.0.0.1"}
        ) as process,
    ):
        try:
            yield _when_up(f"http://127.0.0.1:{port}", folder / "log")
        finally:
            process.terminate()


def _when_up(url: str, log: Path) -> str:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            requests.get(f"{url}/api/v2/instance", timeout=5)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return url
    pytest.fail(f"mastodon-mock did not start: {log.read_text()}")


class TestContractOnMastodonMock(AdapterContract):
    followers: ClassVar[int | None] = 0
    publishing_call: ClassVar[Call] = ("POST", "/api/v1/statuses")
    later_call: ClassVar[tuple[Call, int] | None] = (publishing_call, 1)
    refusal: ClassVar[Refusal] = (422, '{"error": "Validation failed"}')
    refusal_words: ClassVar[str] = "Validation failed"
    upload_call: ClassVar[Call | None] = ("POST", "/api/v2/media")
    secrets = {"access_token": "alice_token"}  # noqa: RUF012

    @pytest.fixture
    def api_base(self, mock: str) -> Iterator[str]:
        yield mock
        adapter, remote = adapter_at(mock, token="alice_token"), MockRemote(mock, _AnyPicture())
        for post in remote.posts():
            adapter.remove(post.remote_id)

    @pytest.fixture
    def make_adapter(self) -> Callable[[str], Adapter]:
        # Somebody else's server, and none of its faults is a time-out: it may take its time.
        return lambda url: adapter_at(url, token="alice_token")

    @pytest.fixture
    def remote(self, mock: str, tmp_path: Path) -> Remote:
        folder = tmp_path / "again"
        folder.mkdir()
        alts = [f"Poster nomor {n}: tolak suap" for n in range(4)]
        return MockRemote(mock, {alt: picture(folder, n, alt).sha256 for n, alt in enumerate(alts)})


class _AnyPicture(dict[str, str]):
    def __missing__(self, alt: str) -> str:
        return alt


def test_the_registry_knows_it() -> None:
    assert adapter_class("mastodon") is MastodonAdapter


def test_the_server_is_named_by_the_handle_or_by_api_base() -> None:
    assert adapter_at("", handle="@dinas@sosial.example.go.id").server._base == "https://sosial.example.go.id"
    with pytest.raises(Misconfigured):
        adapter_at("", handle="@dinas")


@pytest.mark.parametrize(
    ("scopes", "missing"),
    [
        (None, ()),
        (["read", "write:statuses"], ("write:media",)),
        (["read:accounts", "write"], ("read:statuses",)),
        (["read", "write"], ()),
    ],
)
def test_what_the_token_does_not_allow_is_told(
    mastodon: platform.Mastodon, loopback: Loopback, scopes: list[str] | None, missing: tuple[str, ...]
) -> None:
    mastodon.scopes = scopes
    assert adapter_at(loopback.url).verify().missing_permissions == missing


def test_verify_learns_the_servers_own_limits(mastodon: platform.Mastodon, loopback: Loopback) -> None:
    mastodon.configuration = {
        "statuses": {"max_characters": 5000, "characters_reserved_per_url": 10, "max_media_attachments": 8},
        "media_attachments": {"description_limit": 200},
    }
    adapter = adapter_at(loopback.url)
    assert adapter.limits.text == MastodonAdapter.limits.text == 500
    assert adapter.verify().name == "Diskominfo Contoh"
    limits = adapter.limits
    assert (limits.text, limits.media, limits.alt_text, limits.measure(LINK)) == (5000, 8, 200, 10)
    assert MastodonAdapter.limits.text == 500
    mastodon.configuration = None
    adapter = adapter_at(loopback.url, text_limit=1000)
    assert adapter.verify().remote_id == "1"
    assert adapter.limits.text == 1000


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("abc", 3),
        ("👨‍👩‍👧‍👦é", 2),
        ("https://example.go.id/" + "a" * 100, 23),
        ("Lapor ke @kpk@sosial.example.go.id!", len("Lapor ke @kpk!")),
        ("surel humas@kpk.example.go.id", 29),
    ],
)
def test_texts_are_counted_as_mastodon_counts_them(text: str, length: int) -> None:
    assert mastodon_text.length(text) == length


def test_a_thread_with_a_first_comment_resumes_where_it_stopped(
    mastodon: platform.Mastodon, loopback: Loopback, tmp_path: Path
) -> None:
    """Whatever save the process dies after, and whether or not the server knows keys: one chain, once."""
    item = picture(tmp_path, 1, "Poster")
    post = Post(
        "k", "Satu", LINK, (item,), thread=(Part("Dua", (item,)), Part("Tiga")), first_comment="Sumber"
    )
    for honours_keys in (True, False):
        mastodon.honours_keys = honours_keys
        for cut in range(1, 20):
            progress = MemoryProgress(dies_after=cut)
            try:
                receipt = adapter_at(loopback.url).publish(post, progress)
            except PowerCutError:
                assert not isinstance(adapter_at(loopback.url).find(post, progress, LONG_AGO), Unknown)
                receipt = adapter_at(loopback.url).publish(post, progress)
            one, two, three, comment = mastodon.statuses.values()
            assert [s.text for s in (one, two, three, comment)] == [
                f"Satu\n\n{LINK}",
                "Dua",
                "Tiga",
                "Sumber",
            ]
            assert [s.parent for s in (one, two, three, comment)] == [None, one.id, two.id, one.id]
            assert [len(s.media) for s in (one, two, three, comment)] == [1, 1, 0, 0]
            assert receipt.remote_id == one.id
            assert adapter_at(loopback.url).find(post, MemoryProgress(), LONG_AGO) == Found(
                one.id, f"http://m/@diskominfo/{one.id}", _milliseconds(one.created_at)
            )
            adapter_at(loopback.url).remove(receipt.remote_id)
            assert mastodon.statuses == {}
            if progress.saves < cut:
                break
        else:
            pytest.fail("too many saves")


def _milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@pytest.mark.parametrize("part", [0, 1, 2])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_part_whose_answer_was_lost_is_adopted_not_sent_again(
    mastodon: platform.Mastodon, loopback: Loopback, part: int, when: Any
) -> None:
    """On a server without idempotency keys: the pending part is looked for before it is sent again."""
    mastodon.honours_keys = False
    post = Post("k", "Satu", thread=(Part("Dua"), Part("Tiga")))
    progress = MemoryProgress()
    if part:  # what an earlier attempt had done before it was stopped
        adapter_at(loopback.url).publish(replace(post, thread=post.thread[: part - 1]), progress)
    loopback.faults.append(Fault("POST", "/api/v1/statuses", "reset", when))
    with pytest.raises(Ambiguous):
        adapter_at(loopback.url).publish(post, progress)
    found = adapter_at(loopback.url).find(post, progress, LONG_AGO)
    assert isinstance(found, Found if when == "after" and part == 2 else Absent)
    adapter_at(loopback.url).publish(post, progress)
    assert [s.text for s in mastodon.statuses.values()] == ["Satu", "Dua", "Tiga"]
    assert isinstance(adapter_at(loopback.url).find(post, progress, LONG_AGO), Found)


@pytest.mark.parametrize("memory", [True, False])
def test_a_part_that_is_refused_for_good_ends_the_thread_there(
    mastodon: platform.Mastodon, loopback: Loopback, tmp_path: Path, memory: bool
) -> None:
    """Refused by the server, or because the file of its picture is gone: the beginning is out."""
    item = picture(tmp_path, 1, "Poster")
    post = Post("k", "Satu", thread=(Part("Dua", (item,)), Part("Tiga")), first_comment="Sumber")
    progress = MemoryProgress()
    adapter_at(loopback.url).publish(Post("k", "Satu"), progress)
    if memory:
        mastodon.refuse.append(("/v1/statuses", platform.error(422, "Kata server")))
        why = "Kata server"
    else:
        item.path.unlink()
        why = "The file of a picture cannot be read."
    receipt = adapter_at(loopback.url).publish(post, progress)
    assert receipt.shortfall == f"1 of 4 parts are out, the next was refused: {why}"
    assert adapter_at(loopback.url).publish(post, progress) == receipt
    found = adapter_at(loopback.url).find(post, progress, LONG_AGO)
    assert isinstance(found, Found)
    assert (found.remote_id, found.shortfall) == (receipt.remote_id, receipt.shortfall)
    assert len(mastodon.statuses) == 1


def test_a_refused_look_proves_nothing(mastodon: platform.Mastodon, loopback: Loopback) -> None:
    post, progress = Post("k", "Satu", thread=(Part("Dua"),)), MemoryProgress()
    adapter_at(loopback.url).publish(replace(post, thread=()), progress)
    loopback.faults.append(Fault("POST", "/api/v1/statuses", "reset"))
    with pytest.raises(Ambiguous):
        adapter_at(loopback.url).publish(post, progress)
    mastodon.refuse.append(("/1/statuses", platform.error(404, "Record not found")))
    with pytest.raises(Ambiguous):
        adapter_at(loopback.url).publish(post, progress)
    assert adapter_at(loopback.url).publish(post, progress).shortfall == ""
    assert [s.text for s in mastodon.statuses.values()] == ["Satu", "Dua"]


def test_a_part_that_no_attempt_noted_is_a_persons_business(
    mastodon: platform.Mastodon, loopback: Loopback
) -> None:
    """Somebody posted the beginning by hand: publishing from the start would double it."""
    post = Post("k", "Satu", thread=(Part("Dua"),))
    mastodon.add("Satu")
    assert isinstance(adapter_at(loopback.url).find(post, MemoryProgress(), LONG_AGO), Unknown)


def test_find_sees_through_what_mastodon_makes_of_a_text(
    mastodon: platform.Mastodon, loopback: Loopback
) -> None:
    text = "Halo @kpk@sosial.example.go.id, \u201ctolak\u201d <suap> & lapor!\nBaris dua\n\n#Hakordia 🙏  "
    link = "https://example.go.id/jalur/yang/panjang/sekali?kanal=a&b=c#bagian"
    post = Post("k", text, link)
    receipt = adapter_at(loopback.url).publish(post, MemoryProgress())
    found = adapter_at(loopback.url).find(post, MemoryProgress(), LONG_AGO)
    assert isinstance(found, Found)
    assert found.remote_id == receipt.remote_id
    for other in (replace(post, link=link + "x"), replace(post, text=text.replace("suap", "Suap"))):
        assert adapter_at(loopback.url).find(other, MemoryProgress(), LONG_AGO) == Absent()


def test_find_takes_neither_replies_nor_strangers_nor_boosts(
    mastodon: platform.Mastodon, loopback: Loopback
) -> None:
    root = mastodon.add("Pertanyaan", account=platform.STRANGER)
    mastodon.add("Satu", parent=root.id)
    mastodon.add("Satu", account=platform.STRANGER)
    assert adapter_at(loopback.url).find(Post("k", "Satu"), MemoryProgress(), LONG_AGO) == Absent()


def test_find_reads_as_far_back_as_the_first_attempt_and_says_so_if_it_cannot(
    mastodon: platform.Mastodon, loopback: Loopback
) -> None:
    wanted = mastodon.add("Satu")
    for n in range(90):
        mastodon.add(f"Lain {n}")
    found = adapter_at(loopback.url).find(Post("k", "Satu"), MemoryProgress(), LONG_AGO)
    assert isinstance(found, Found)
    assert found.remote_id == wanted.id
    assert loopback.count("GET", "/statuses") == 4
    for n in range(1000):
        mastodon.add(f"Lagi {n}")
    assert isinstance(adapter_at(loopback.url).find(Post("k", "Satu"), MemoryProgress(), LONG_AGO), Unknown)
    recent = datetime.now(UTC) - timedelta(microseconds=1)
    assert adapter_at(loopback.url).find(Post("k", "Satu"), MemoryProgress(), recent) == Absent()


def test_media_are_awaited_and_a_lost_one_is_uploaded_again(
    mastodon: platform.Mastodon, loopback: Loopback, tmp_path: Path
) -> None:
    mastodon.polls = 3
    post = Post("k", "a", media=(picture(tmp_path, 1, "Poster"), picture(tmp_path, 2, "Poster dua")))
    progress = MemoryProgress()
    mastodon.refuse.append(("/v1/statuses", platform.error(422, "Validation failed")))
    with pytest.raises(Rejected):
        adapter_at(loopback.url).publish(post, progress)
    assert loopback.count("GET", r"/media/\d+") == 6
    mastodon.uploads.popitem()  # a day later
    adapter_at(loopback.url).publish(post, progress)
    assert loopback.count("POST", "/v2/media") == 3
    (status,) = mastodon.statuses.values()
    assert [(m.sha256, m.description) for m in status.media] == [(m.sha256, m.alt) for m in post.media]


def test_a_changed_alt_text_is_not_served_by_an_earlier_upload(
    mastodon: platform.Mastodon, loopback: Loopback, tmp_path: Path
) -> None:
    item, progress = picture(tmp_path, 1, "Salah"), MemoryProgress()
    loopback.faults.append(Fault("POST", "/v1/statuses", "reset", "before"))
    with pytest.raises(Ambiguous):
        adapter_at(loopback.url).publish(Post("k", "a", media=(item,)), progress)
    adapter_at(loopback.url).publish(Post("k", "a", media=(replace(item, alt="Benar"),)), progress)
    (status,) = mastodon.statuses.values()
    assert [m.description for m in status.media] == ["Benar"]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, AuthExpired),
        (403, AccountHeld),
        (404, Rejected),
        (413, Rejected),
        (422, Rejected),
        (400, Ambiguous),
        (500, Ambiguous),
        (503, Ambiguous),
    ],
)
def test_refusals_mean_what_their_status_says(
    mastodon: platform.Mastodon, loopback: Loopback, status: int, error: type[AdapterError]
) -> None:
    mastodon.refuse.append(("/v1/statuses", platform.error(status, "Kata server")))
    with pytest.raises(error) as raised:
        adapter_at(loopback.url).publish(Post("k", "a"), MemoryProgress())
    assert type(raised.value) is error
    assert (raised.value.reason, raised.value.code) == ("Kata server", str(status))


def test_a_rate_limit_ends_when_the_server_says(mastodon: platform.Mastodon, loopback: Loopback) -> None:
    until = datetime.now(UTC) + timedelta(minutes=3)
    headers = {"X_RateLimit_Reset": platform.iso(until)}
    for answer, expected in (
        (platform.error(429, "Too many requests", **headers), until),
        (
            platform.error(429, "Too many requests", Retry_After="90"),
            datetime.now(UTC) + timedelta(seconds=90),
        ),
        (Answer(429, b"<html>", {"X-RateLimit-Reset": "kapan"}), datetime.now(UTC) + timedelta(minutes=5)),
    ):
        mastodon.refuse.append(("/v1/statuses", answer))
        with pytest.raises(RateLimited) as raised:
            adapter_at(loopback.url).publish(Post("k", "a"), MemoryProgress())
        assert abs(raised.value.until - expected) < timedelta(seconds=5)


@pytest.mark.parametrize("how", ["reset", "timeout", "truncated", "html", "500"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_whatever_happens_to_the_publishing_call_nobody_knows(
    mastodon: platform.Mastodon, loopback: Loopback, how: Any, when: Any
) -> None:
    loopback.faults.append(Fault("POST", "/v1/statuses", how, when))
    with pytest.raises(Ambiguous):
        adapter_at(loopback.url).publish(Post("k", "a"), MemoryProgress())
    found = adapter_at(loopback.url).find(Post("k", "a"), MemoryProgress(), LONG_AGO)
    assert isinstance(found, Found if when == "after" else Absent)


@pytest.mark.parametrize("how", ["reset", "timeout", "truncated", "html", "500"])
@pytest.mark.parametrize(
    "call", [("POST", "/v2/media"), ("GET", "/verify_credentials"), ("GET", "/statuses")]
)
def test_whatever_happens_to_another_call_is_transient(
    loopback: Loopback, tmp_path: Path, how: Any, call: tuple[str, str]
) -> None:
    loopback.faults.append(Fault(*call, how))
    adapter, post = adapter_at(loopback.url), Post("k", "a", media=(picture(tmp_path, 1, "Poster"),))
    with pytest.raises(Transient):
        adapter.publish(post, MemoryProgress()) if "media" in call[1] else adapter.find(
            post, MemoryProgress(), LONG_AGO
        )


@pytest.mark.parametrize("body", [{}, [], {"id": ""}, {"id": 7}, "ok", {"error": ""}])
def test_an_ok_without_an_id_is_no_success(
    mastodon: platform.Mastodon, loopback: Loopback, body: object
) -> None:
    mastodon.refuse.append(("/v1/statuses", platform.ok(body)))
    with pytest.raises(Ambiguous):
        adapter_at(loopback.url).publish(Post("k", "a"), MemoryProgress())


@pytest.mark.parametrize("body", [{}, [{}], [{"id": "1", "created_at": "kemarin"}], [1], "x"])
def test_a_listing_that_is_not_understood_proves_no_absence(
    mastodon: platform.Mastodon, loopback: Loopback, body: object
) -> None:
    mastodon.refuse.append(("/1/statuses", platform.ok(body)))
    with pytest.raises(Transient):
        adapter_at(loopback.url).find(Post("k", "a"), MemoryProgress(), LONG_AGO)


def test_the_conversation_under_a_post_is_told(mastodon: platform.Mastodon, loopback: Loopback) -> None:
    post = mastodon.add("Pesan")
    reply = mastodon.add("Di mana & kapan?", parent=post.id)
    told = adapter_at(loopback.url).replies([post.id, "999"])
    assert list(told) == [post.id]
    (one,) = told[post.id]
    assert (one.remote_id, one.under, one.text) == (reply.id, post.id, "Di mana & kapan?")
    assert one.written_at.tzinfo is not None


def test_figures_are_asked_in_batches_and_what_is_not_said_is_unknown(
    mastodon: platform.Mastodon, loopback: Loopback
) -> None:
    ids = [mastodon.add(f"Pesan {n}").id for n in range(45)]
    assert set(adapter_at(loopback.url).reach(ids)) == set(ids)
    assert loopback.count("GET", "/api/v1/statuses") == 3
    bare = {"id": "7", "favourites_count": 4, "replies_count": None}
    mastodon.refuse.append(("/v1/statuses", platform.ok([bare])))
    (told,) = adapter_at(loopback.url).reach(["7"]).values()
    assert told == Reach(likes=4, raw={"favourites_count": 4})
    assert (told.views, told.reach, told.comments, told.shares) == (None, None, None, None)


def test_removing_leaves_the_replies_of_others(mastodon: platform.Mastodon, loopback: Loopback) -> None:
    receipt = adapter_at(loopback.url).publish(Post("k", "Satu", thread=(Part("Dua"),)), MemoryProgress())
    theirs = mastodon.add("Setuju", account=platform.STRANGER, parent=receipt.remote_id)
    answer = mastodon.add("Terima kasih", parent=theirs.id)
    adapter_at(loopback.url).remove(receipt.remote_id)
    assert set(mastodon.statuses) == {theirs.id, answer.id}


def test_visibility_and_language_are_the_accounts_choice(
    mastodon: platform.Mastodon, loopback: Loopback
) -> None:
    adapter_at(loopback.url).publish(Post("k", "a"), MemoryProgress())
    adapter_at(loopback.url, visibility="unlisted", language="en").publish(Post("l", "b"), MemoryProgress())
    assert [(s.visibility, s.language) for s in mastodon.statuses.values()] == [
        ("public", "id"), ("unlisted", "en"),
    ]  # fmt: skip


def test_what_mastodon_would_refuse_is_said_before_anyone_approves(tmp_path: Path) -> None:
    def codes(post: Post) -> list[str]:
        return [problem.code for problem in adapter_at("https://m.example", token="").check(post)]

    poster, big = picture(tmp_path, 1, "Poster"), tmp_path / "big.png"
    clip, tiff = film(tmp_path), tmp_path / "a.tiff"
    big.write_bytes(poster.path.read_bytes() + bytes(16 * 2**20))
    Image.new("RGB", (9, 9)).save(tiff)
    assert codes(Post("k", "a" * 475, LINK, (poster,) * 4, thread=(Part("b"),), first_comment="c")) == []
    assert codes(Post("k", "a" * 476, LINK)) == ["text-too-long"]
    assert codes(Post("k", "a", media=(poster,) * 5)) == ["too-many-media"]
    assert codes(Post("k", "a", thread=(Part("b", (clip, poster)),))) == ["media-mixed"]
    assert codes(Post("k", "a", media=(replace(poster, path=tiff),))) == ["media-type"]
    assert codes(Post("k", "a", media=(replace(poster, path=big),))) == ["media-too-big"]
    assert codes(Post("k", "a", media=(replace(poster, alt="a" * 1501),))) == ["alt-too-long"]
    assert codes(Post("k", "a", kind="reel")) == ["no-such-kind"]


def test_an_expired_token_is_a_matter_of_credentials(loopback: Loopback) -> None:
    adapter = adapter_at(loopback.url, token="token-lama-sekali")
    for call in (adapter.verify, lambda: adapter.publish(Post("k", "a"), MemoryProgress())):
        with pytest.raises(AuthExpired):
            call()

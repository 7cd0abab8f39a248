"""The Telegram adapter against a Bot API of our own on loopback: the contract, refusals, lost answers."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from PIL import Image

pytest.register_assert_rewrite("adapters.contract_suite")
sys.path.insert(0, str(Path(__file__).parent))

from kit.films import film  # noqa: E402
from servers import telegram_platform as platform  # noqa: E402
from servers.loopback import Answer, Fault, Loopback, patience  # noqa: E402

from adapters.contract import Account, Adapter, Found, Media, Part, Post, Reach, Unknown  # noqa: E402
from adapters.contract_suite import AdapterContract  # noqa: E402
from adapters.contract_tools import (  # noqa: E402
    Call,
    MemoryProgress,
    PowerCutError,
    Refusal,
    Relay,
    Remote,
    RemotePost,
    picture,
)
from adapters.errors import (  # noqa: E402
    AccountHeld,
    AdapterError,
    Ambiguous,
    AuthExpired,
    RateLimited,
    Rejected,
    Transient,
)
from adapters.registry import adapter_class  # noqa: E402
from adapters.telegram.adapter import TelegramAdapter, length  # noqa: E402

NOW = datetime(2026, 12, 9, 2, 30, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
LINK = "https://example.go.id/lapor?kanal=a&b=c"


def adapter_at(
    url: str, *, handle: str = "@diskominfo_contoh", token: str = platform.TOKEN, **options: bool
) -> TelegramAdapter:
    def secret(name: str) -> str:
        assert name == "bot_token"
        return token

    account = Account("telegram", handle, secret, url, dict(options))
    return TelegramAdapter(account, lambda: NOW, read_timeout=patience(url))


class TelegramRemote:
    """The channel as its followers see it: an album and a chain are one post."""

    def __init__(self, telegram: platform.Telegram) -> None:
        self.telegram = telegram

    def posts(self) -> Sequence[RemotePost]:
        groups: dict[str, list[platform.Message]] = {}
        for message in self.telegram.messages:
            groups.setdefault(message.album or str(message.id), []).append(message)
        return [_remote(messages) for messages in groups.values()]

    def engage(self, remote_id: str) -> Reach:
        return Reach()


def _remote(messages: list[platform.Message]) -> RemotePost:
    text, _, link = messages[0].text.rpartition("\n\n")
    text, link = (text, link) if link.startswith("https:") else (messages[0].text, "")
    ids = ",".join(str(m.id) for m in messages)
    return RemotePost(ids, text, link, tuple((one, "") for m in messages for one in m.media))


@pytest.fixture
def server() -> Iterator[tuple[platform.Telegram, Loopback]]:
    with platform.running() as server:
        yield server


@pytest.fixture
def telegram(server: tuple[platform.Telegram, Loopback]) -> platform.Telegram:
    return server[0]


@pytest.fixture
def loopback(server: tuple[platform.Telegram, Loopback]) -> Loopback:
    return server[1]


class TestContract(AdapterContract):
    followers: ClassVar[int | None] = 341
    publishing_call: ClassVar[Call] = ("POST", "/send[A-Za-z]+")
    later_call: ClassVar[tuple[Call, int] | None] = (publishing_call, 1)
    refusal: ClassVar[Refusal] = (400, '{"ok": false, "error_code": 400, "description": "Bad Request: no"}')
    refusal_words: ClassVar[str] = "Bad Request: no"
    conclusive_absence: ClassVar[bool] = False
    secrets = {"bot_token": platform.TOKEN}  # noqa: RUF012

    @pytest.fixture
    def api_base(self, loopback: Loopback) -> str:
        return loopback.url

    @pytest.fixture
    def make_adapter(self) -> Callable[[str], Adapter]:
        return adapter_at

    @pytest.fixture
    def remote(self, telegram: platform.Telegram) -> Remote:
        return TelegramRemote(telegram)

    @pytest.fixture
    def make_post(self, tmp_path: Path) -> Callable[..., Post]:
        """Telegram has no alt texts: what the suite compares is empty on both sides."""

        def make(text: str = "Berani jujur, hebat! #Hakordia", *, pictures: int = 0, link: str = "") -> Post:
            media = tuple(picture(tmp_path, n, "") for n in range(pictures))
            return Post(hashlib.sha256(text.encode()).hexdigest(), text, link, media)

        return make

    def test_a_published_post_is_found(self, adapter: Adapter, full_post: Post, since: datetime) -> None:
        """Only the chain's own memory knows; without it a person is asked."""
        progress = MemoryProgress()
        receipt = adapter.publish(full_post, progress)
        found = adapter.find(full_post, progress, since)
        assert isinstance(found, Found)
        assert (found.remote_id, found.permalink) == (receipt.remote_id, receipt.permalink)  # type: ignore[union-attr]
        assert isinstance(adapter.find(full_post, MemoryProgress(), since), Unknown)

    def test_figures_of_an_unknown_id_are_left_out(self, adapter: Adapter, full_post: Post) -> None:
        """The Bot API gives no figures of any message: everything is unknown, nothing is 0."""
        told = adapter.reach(["101", "102"])
        assert set(told) == {"101", "102"}
        assert all(replace(one, raw={}) == Reach() and one.raw for one in told.values())

    def test_a_refused_connection_is_transient(
        self, make_adapter: Callable[[str], Adapter], full_post: Post, since: datetime
    ) -> None:
        """As the suite has it, but for reach, which asks nobody."""
        adapter, progress = make_adapter("http://127.0.0.1:9"), MemoryProgress()
        calls: list[Callable[[], object]] = [
            adapter.verify,
            lambda: adapter.publish(full_post, progress),
            lambda: adapter.find(full_post, progress, since),
            lambda: adapter.remove("1"),
        ]
        for call in calls:
            with pytest.raises(Transient) as raised:
                call()
            self._assert_fit_to_show(raised.value)

    def test_a_lost_answer_is_ambiguous_and_the_post_is_found(
        self,
        make_adapter: Callable[[str], Adapter],
        adapter: Adapter,
        relay: Relay,
        remote: Remote,
        full_post: Post,
        since: datetime,
    ) -> None:
        """A lost answer is Ambiguous, and looking says Unknown: a person is asked."""
        progress = MemoryProgress()
        relay.breaks = self.publishing_call
        with pytest.raises(Ambiguous) as raised:
            make_adapter(relay.url).publish(full_post, progress)
        self._assert_fit_to_show(raised.value)
        assert relay.count(self.publishing_call) == 1
        assert len(remote.posts()) == 1
        assert isinstance(adapter.find(full_post, progress, since), Unknown)


def test_the_registry_knows_it() -> None:
    assert adapter_class("telegram") is TelegramAdapter


def test_the_link_is_previewed_unless_the_account_says_no(
    telegram: platform.Telegram, loopback: Loopback
) -> None:
    adapter_at(loopback.url).publish(Post("k", "Lapor", LINK), MemoryProgress())
    adapter_at(loopback.url, link_preview=False, silent=True).publish(
        Post("l", "Lapor", LINK), MemoryProgress()
    )
    first, second = telegram.messages
    assert (first.text, first.preview, first.silent) == (f"Lapor\n\n{LINK}", {"url": LINK}, False)
    assert (second.preview, second.silent) == ({"is_disabled": True}, True)


def test_one_picture_an_album_and_a_video_each_have_their_method(
    telegram: platform.Telegram, loopback: Loopback, tmp_path: Path
) -> None:
    adapter = adapter_at(loopback.url)
    pictures = tuple(picture(tmp_path, n, "Poster") for n in range(3))
    path = tmp_path / "film.mp4"
    path.write_bytes(b"\x00\x00\x00\x18ftypmp42" + b"film" * 20)
    film = Media(path, hashlib.sha256(path.read_bytes()).hexdigest(), "video/mp4", "Film", 1280, 720)
    receipts = [
        adapter.publish(Post(str(n), "Teks", media=media), MemoryProgress())
        for n, media in enumerate([pictures[:1], pictures, (film,), (film, pictures[0])])
    ]
    assert [r.remote_id for r in receipts] == ["101", "102,103,104", "105", "106,107"]
    assert [path.rpartition("/")[2] for _, path in loopback.calls] == [
        "sendPhoto", "sendMediaGroup", "sendVideo", "sendMediaGroup",
    ]  # fmt: skip
    assert [m.text for m in telegram.messages] == ["Teks", "Teks", "", "", "Teks", "Teks", ""]
    assert [m.media for m in telegram.messages[1:4]] == [(p.sha256,) for p in pictures]


def test_a_private_channel_by_number_has_a_permalink_of_its_own(
    telegram: platform.Telegram, loopback: Loopback
) -> None:
    del telegram.chat["username"]
    adapter = adapter_at(loopback.url, handle="-1001234567890")
    assert adapter.publish(Post("k", "a"), MemoryProgress()).permalink == "https://t.me/c/1234567890/101"
    assert adapter.verify().url == ""


def test_a_thread_is_a_chain_of_replies_and_resumes_where_it_stopped(
    telegram: platform.Telegram, loopback: Loopback, tmp_path: Path
) -> None:
    post = Post("k", "Satu", LINK, thread=(Part("Dua", (picture(tmp_path, 1, ""),)), Part("Tiga")))
    for cut in (1, 2, 3):
        progress = MemoryProgress(dies_after=cut)
        with pytest.raises(PowerCutError):
            adapter_at(loopback.url).publish(post, progress)
        assert isinstance(adapter_at(loopback.url).find(post, progress, LONG_AGO), Found) == (cut == 3)
        receipt = adapter_at(loopback.url).publish(post, progress)
        assert [m.text for m in telegram.messages] == [f"Satu\n\n{LINK}", "Dua", "Tiga"]
        first, second, third = (m.id for m in telegram.messages)
        assert [m.reply_to for m in telegram.messages] == [None, first, second]
        assert receipt.remote_id == f"{first},{second},{third}"
        assert receipt.permalink == f"https://t.me/diskominfo_contoh/{first}"
        adapter_at(loopback.url).remove(receipt.remote_id)
        assert telegram.messages == []


NO_RIGHT = (
    "Bad Request: chat not found",
    "Bad Request: not enough rights to send text messages to the chat",
    "Bad Request: need administrator rights in the channel chat",
    "Bad Request: CHAT_ADMIN_REQUIRED",
)


@pytest.mark.parametrize(
    ("code", "description", "error"),
    [
        (401, "Unauthorized", AuthExpired),
        (404, "Not Found", AuthExpired),
        (403, "Forbidden: bot was kicked from the channel chat", AccountHeld),
        *((400, words, AccountHeld) for words in NO_RIGHT),
        (400, "Bad Request: message is too long", Rejected),
        (413, "Request Entity Too Large", Rejected),
        (500, "Internal Server Error", Ambiguous),
        (409, "Conflict: something new", Ambiguous),
    ],
)
def test_refusals_mean_what_their_codes_say(
    telegram: platform.Telegram,
    loopback: Loopback,
    code: int,
    description: str,
    error: type[AdapterError],
) -> None:
    telegram.refuse.append(platform.refusal(code, description))
    with pytest.raises(error) as raised:
        adapter_at(loopback.url).publish(Post("k", "a"), MemoryProgress())
    assert type(raised.value) is error
    assert (raised.value.reason, raised.value.code) == (description, str(code))


@pytest.mark.parametrize(("parameters", "seconds"), [({"retry_after": 35}, 35), (None, 60), ({}, 60)])
def test_too_many_requests_pause_the_account_for_as_long_as_telegram_says(
    telegram: platform.Telegram, loopback: Loopback, parameters: dict[str, Any] | None, seconds: int
) -> None:
    telegram.refuse.append(platform.refusal(429, "Too Many Requests: retry after 35", parameters))
    with pytest.raises(RateLimited) as raised:
        adapter_at(loopback.url).publish(Post("k", "a"), MemoryProgress())
    assert raised.value.until == NOW + timedelta(seconds=seconds)
    assert telegram.messages == []


@pytest.mark.parametrize("how", ["reset", "timeout", "truncated", "html", "500"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_whatever_happens_after_sending_nobody_knows(
    telegram: platform.Telegram, loopback: Loopback, how: Any, when: Any, tmp_path: Path
) -> None:
    for post in (Post("k", "a"), Post("l", "b", media=(picture(tmp_path, 1, ""),))):
        loopback.faults.append(Fault("POST", "/send[A-Za-z]+", how, when))
        with pytest.raises(Ambiguous) as raised:
            adapter_at(loopback.url).publish(post, MemoryProgress())
        assert platform.TOKEN not in str(raised.value) + str(vars(raised.value))
    assert len(telegram.messages) == (2 if when == "after" else 0)


@pytest.mark.parametrize("how", ["reset", "timeout", "truncated", "html", "500"])
def test_a_failed_reading_is_transient(loopback: Loopback, how: Any) -> None:
    loopback.faults.append(Fault("POST", "/getMe", how))
    with pytest.raises(Transient):
        adapter_at(loopback.url).verify()


@pytest.mark.parametrize("result", [True, {}, [], {"message_id": "x"}, None])
def test_an_ok_without_a_message_id_is_no_success(
    telegram: platform.Telegram, loopback: Loopback, result: object
) -> None:
    telegram.refuse.append(platform.ok(result))
    with pytest.raises(Ambiguous):
        adapter_at(loopback.url).publish(Post("k", "a"), MemoryProgress())


def test_a_group_that_became_a_supergroup_is_followed_once(
    telegram: platform.Telegram, loopback: Loopback
) -> None:
    telegram.moved_from = "-4007"
    telegram.chat = {"id": -1009876543210, "type": "supergroup", "title": "Kelompok"}
    telegram.member = {"status": "member"}
    adapter = adapter_at(loopback.url, handle="-4007")
    assert adapter.publish(Post("k", "a"), MemoryProgress()).remote_id == "101"
    assert [m.text for m in telegram.messages] == ["a"]
    identity = adapter_at(loopback.url, handle="-4007").verify()
    assert (identity.remote_id, identity.name, identity.missing_permissions) == (
        "-1009876543210", "Kelompok", (),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "member", "missing"),
    [
        ("channel", {"status": "creator"}, ()),
        ("channel", {"status": "administrator", "can_post_messages": False}, ("can_post_messages",)),
        ("channel", {"status": "member"}, ("can_post_messages",)),
        ("supergroup", {"status": "member"}, ()),
        ("supergroup", {"status": "left"}, ("can_send_messages",)),
        ("supergroup", {"status": "restricted", "is_member": True, "can_send_messages": True}, ()),
        ("supergroup", {"status": "restricted", "is_member": True}, ("can_send_messages",)),
    ],
)
def test_verify_says_which_right_the_bot_lacks(
    telegram: platform.Telegram,
    loopback: Loopback,
    kind: str,
    member: dict[str, Any],
    missing: tuple[str, ...],
) -> None:
    telegram.chat["type"], telegram.member = kind, member
    identity = adapter_at(loopback.url, handle="https://t.me/diskominfo_contoh").verify()
    assert (identity.name, identity.url) == ("Diskominfo Contoh", "https://t.me/diskominfo_contoh")
    assert identity.missing_permissions == missing


def test_a_wrong_or_malformed_token_is_a_matter_of_credentials(loopback: Loopback) -> None:
    for token in ("999:salah_sekali", "bukan token", ""):
        with pytest.raises(AuthExpired) as raised:
            adapter_at(loopback.url, token=token).verify()
        assert not token or token not in raised.value.reason


def test_another_web_server_is_never_believed(telegram: platform.Telegram, loopback: Loopback) -> None:
    telegram.refuse.append(Answer(200, b"<html>Selamat datang</html>", {"Content-Type": "text/html"}))
    with pytest.raises(Ambiguous):
        adapter_at(loopback.url).publish(Post("k", "a"), MemoryProgress())


def test_what_telegram_would_refuse_is_said_before_anyone_approves(tmp_path: Path) -> None:
    def codes(post: Post) -> list[str]:
        return [p.code for p in adapter_at("", token="").check(post) if p.severity == "error"]

    poster = picture(tmp_path, 1, "")
    big = tmp_path / "big.png"
    big.write_bytes(poster.path.read_bytes() + bytes(10_000_000))
    clip, gif = film(tmp_path), tmp_path / "gerak.gif"
    long = film(tmp_path, "long.mp4", size=50_000_001)
    Image.new("P", (50, 50)).save(gif)
    assert codes(Post("k", "a" * 4096)) == []
    assert codes(Post("k", "a" * 4097)) == ["text-too-long"]
    assert codes(Post("k", "🙏" * 2049)) == ["text-too-long"]
    assert codes(Post("k", "a" * 1024, media=(poster,))) == []
    assert codes(Post("k", "a" * 1000, LINK, media=(poster,))) == ["caption-too-long"]
    assert codes(Post("k", "a", thread=(Part("b" * 1025, (poster,)),))) == ["caption-too-long"]
    assert codes(Post("k", "a", media=(poster,) * 11)) == ["too-many-media"]
    assert codes(Post("k", "a", media=(clip,))) == []
    assert codes(Post("k", "a", media=(replace(poster, path=gif),))) == ["media-type"]
    assert codes(Post("k", "a", media=(film(tmp_path, "a.mov", container="mov"),))) == ["media-type"]
    assert codes(Post("k", "a", media=(replace(poster, path=big),))) == ["media-too-big"]
    assert codes(Post("k", "a", media=(long,))) == ["media-too-big"]
    assert codes(Post("k", "a", media=(replace(poster, width=9000, height=1001),))) == ["media-pixels"]
    assert codes(Post("k", "a", media=(replace(poster, width=2100, height=100),))) == ["media-pixels"]
    assert codes(Post("k", "a", first_comment="b")) == ["no-first-comment"]
    assert codes(Post("k", "a", kind="story")) == ["no-such-kind"]
    warned = adapter_at("").check(Post("k", "a", media=(replace(poster, alt="Poster"),)))
    assert [(p.code, p.severity) for p in warned] == [("no-alt-text", "warning")]
    assert length("🙏a") == 3


def test_a_picture_that_changed_after_approval_is_not_published(loopback: Loopback, tmp_path: Path) -> None:
    item = picture(tmp_path, 1, "")
    item.path.write_bytes(b"lain")
    for _ in ("changed", "gone"):
        with pytest.raises(Rejected) as raised:
            adapter_at(loopback.url).publish(Post("k", "a", media=(item,)), MemoryProgress())
        assert raised.value.code == item.path.name
        item.path.unlink(missing_ok=True)
    assert loopback.calls == []

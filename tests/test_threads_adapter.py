"""The Threads adapter against a Threads of our own that really fetches the pictures."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

sys.path.insert(0, str(Path(__file__).parent))
pytest.register_assert_rewrite("adapters.contract_suite")

from servers.instagram_platform import error  # noqa: E402
from servers.loopback import Answer, Fault, Loopback, patience  # noqa: E402
from servers.public_folder import PublicFolder, public_folder  # noqa: E402
from servers.threads_platform import (  # noqa: E402
    FIGURES,
    NAME,
    TOKEN,
    Thread,
    Threads,
    threads,
)

from adapters.contract import Absent, Account, Adapter, Found, Media, Part, Post, Reach, Unknown  # noqa: E402
from adapters.contract_suite import AdapterContract  # noqa: E402
from adapters.contract_tools import Call, MemoryProgress, PowerCutError, Refusal, Remote, RemotePost, picture  # noqa: E402
from adapters.errors import (  # noqa: E402
    AccountHeld,
    AdapterError,
    Ambiguous,
    AuthExpired,
    RateLimited,
    Rejected,
    Transient,
)
from adapters.media_store import MediaStore  # noqa: E402
from adapters.threads.adapter import ThreadsAdapter  # noqa: E402
from adapters.threads.rules import measure  # noqa: E402

PUBLISH, MAKE = ("POST", "/me/threads_publish"), ("POST", "/me/threads")


@dataclass
class Desk:
    """Everything around one profile: the platform, the web server, an adapter that never sleeps."""

    platform: Threads
    loopback: Loopback
    web: PublicFolder
    folder: Path
    waits: list[float] = field(default_factory=list)

    def adapter(self, base: str = "", *, store: bool = True, token: str = TOKEN) -> ThreadsAdapter:
        public_url = MediaStore(str(self.web.folder), self.web.url).url_for if store else None
        account = Account("th", NAME, lambda _: token, base or self.loopback.url, {}, public_url)
        return ThreadsAdapter(
            account,
            lambda: datetime.now(UTC),
            wait=self.waits.append,
            read_timeout=patience(self.loopback.url),
        )

    def post(self, text: str = "Tolak suap! #Hakordia", pictures: int = 0, **more: Any) -> Post:
        media = tuple(picture(self.folder, n, f"Poster {n}") for n in range(pictures))
        return Post("k", text, media=more.pop("media", media), **more)

    def chain(self, parts: int = 4, **more: Any) -> Post:
        thread = tuple(Part(f"Bagian {n}") for n in range(2, parts + 1))
        return self.post("Bagian 1", thread=thread, **more)

    def texts(self) -> list[str]:
        return [one.text for one in self.platform.posts.values()]

    def since(self) -> datetime:
        return datetime.now(UTC) - timedelta(minutes=1)

    def fault(self, call: Call, how: Any, when: Any = "after") -> None:
        self.loopback.faults.append(Fault(*call, how, when))

    def count(self, call: Call) -> int:
        return self.loopback.count(*call)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with threads() as (platform, loopback), public_folder(tmp_path / "www") as web:
        yield Desk(platform, loopback, web, tmp_path)


class ThreadsRemote:
    def __init__(self, platform: Threads) -> None:
        self.platform = platform

    def posts(self) -> Sequence[RemotePost]:
        found = []
        for id_, one in self.platform.posts.items():
            text, _, link = one.text.rpartition("\n\n")
            plain = (text, link) if link.startswith("https://") else (one.text, "")
            found.append(RemotePost(id_, *plain, one.media))
        return found

    def engage(self, remote_id: str) -> Reach:
        self.platform.posts[remote_id].figures = dict(FIGURES)
        return Reach(views=90, likes=8, comments=3, shares=7)


class TestContract(AdapterContract):
    followers: ClassVar[int | None] = 777
    publishing_call: ClassVar[Call] = PUBLISH
    later_call: ClassVar[tuple[Call, int] | None] = (PUBLISH, 1)
    refusal: ClassVar[Refusal] = (400, '{"error": {"message": "Not like this.", "code": 100}}')
    refusal_words: ClassVar[str] = "Not like this."
    secrets: ClassVar[dict[str, str]] = {"access_token": TOKEN}

    @pytest.fixture
    def api_base(self, desk: Desk) -> str:
        return desk.loopback.url

    @pytest.fixture
    def make_adapter(self, desk: Desk) -> Callable[[str], Adapter]:
        return desk.adapter

    @pytest.fixture
    def remote(self, desk: Desk) -> Remote:
        return ThreadsRemote(desk.platform)


def codes(adapter: Adapter, post: Post, severity: str = "error") -> list[str]:
    return [p.code for p in adapter.check(post) if p.severity == severity]


# Counting


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("Tolak suap", 10),
        ("é", 1),
        ("腐敗", 2),
        ("→", 1),
        ("🙏", 4),
        ("❤️", 6),
        ("🇮🇩", 8),
        ("👨‍👩‍👧", 18),
        ("1️⃣", 7),
        ("👍🏽", 8),
    ],
)
def test_an_emoji_counts_as_its_bytes(text: str, length: int) -> None:
    assert measure(text) == length


def test_the_limit_counts_so(desk: Desk) -> None:
    assert codes(desk.adapter(), desk.post("a" * 496 + "🙏")) == []
    assert codes(desk.adapter(), desk.post("a" * 497 + "🙏")) == ["text-too-long"]


# What is refused before anyone approves


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"text": "x", "thread": (Part("a" * 501),)}, "text-too-long"),
        ({"text": "x", "thread": (Part(" "),)}, "empty-part"),
        ({"first_comment": "a" * 501}, "comment-too-long"),
        ({"text": " ".join(f"https://a{n}.go.id" for n in range(6))}, "too-many-links"),
        (
            {"text": " ".join(f"https://a{n}.go.id" for n in range(5)), "link": "https://b.go.id"},
            "too-many-links",
        ),
        ({"pictures": 21}, "too-many-media"),
        ({"text": ""}, "empty-post"),
        ({"kind": "story"}, "no-such-kind"),
    ],
)
def test_refused_offline(desk: Desk, change: dict[str, Any], code: str) -> None:
    assert codes(desk.adapter(), desk.post(**change)) == [code]
    assert desk.loopback.calls == []


def test_the_same_link_twice_is_one_link(desk: Desk) -> None:
    text = " ".join(["https://a.go.id"] * 9)
    assert codes(desk.adapter(), desk.post(text, link="https://a.go.id")) == []


def test_a_second_hashtag_is_only_text(desk: Desk) -> None:
    assert codes(desk.adapter(), desk.post("#Hakordia #KPK"), "warning") == ["one-topic"]


def test_without_a_public_store_only_text_goes(desk: Desk) -> None:
    adapter = desk.adapter(store=False)
    assert codes(adapter, desk.post(pictures=1)) == ["no-public-media"]
    assert codes(adapter, desk.post()) == []
    with pytest.raises(Rejected, match="public media store"):
        adapter.publish(desk.post(pictures=1), MemoryProgress())


# Kinds of posts


def test_a_text_with_a_link_gets_its_preview(desk: Desk) -> None:
    desk.adapter().publish(desk.post("Lapor", link="https://lapor.go.id"), MemoryProgress())
    (one,) = desk.platform.posts.values()
    assert (one.kind, one.link, one.text) == (
        "TEXT_POST",
        "https://lapor.go.id",
        "Lapor\n\nhttps://lapor.go.id",
    )


def test_one_picture_and_a_video(desk: Desk) -> None:
    desk.adapter().publish(desk.post(pictures=1), MemoryProgress())
    path = desk.folder / "a.mp4"
    path.write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0")
    item = Media(path, hashlib.sha256(path.read_bytes()).hexdigest(), "video/mp4", "Video")
    desk.adapter().publish(desk.post(media=(item,)), MemoryProgress())
    assert [(one.kind, one.media[0][1]) for one in desk.platform.posts.values()] == [
        ("IMAGE", "Poster 0"),
        ("VIDEO", "Video"),
    ]


def test_each_part_replies_to_the_one_before_and_the_comment_to_the_first(desk: Desk) -> None:
    post = desk.chain(3, first_comment="Laporkan!")
    post = replace(
        post, thread=(*post.thread[:1], replace(post.thread[1], media=desk.post(pictures=2).media))
    )
    receipt = desk.adapter().publish(post, MemoryProgress())
    ids = list(desk.platform.posts)
    assert desk.texts() == ["Bagian 1", "Bagian 2", "Bagian 3", "Laporkan!"]
    assert [one.reply_to for one in desk.platform.posts.values()] == ["", ids[0], ids[1], ids[0]]
    assert desk.platform.posts[ids[2]].kind == "CAROUSEL_ALBUM"
    assert receipt.remote_id == ids[0]


# Threads that stop half way


@pytest.mark.parametrize("cut", range(1, 18))
def test_a_chain_that_dies_anywhere_ends_complete_and_single(desk: Desk, cut: int) -> None:
    post, progress = desk.chain(4, first_comment="Laporkan!"), MemoryProgress(dies_after=cut)
    try:
        desk.adapter().publish(post, progress)
    except PowerCutError:
        desk.adapter().find(post, progress, desk.since())
        desk.adapter().publish(post, progress)
    assert desk.texts() == ["Bagian 1", "Bagian 2", "Bagian 3", "Bagian 4", "Laporkan!"]


@pytest.mark.parametrize("part", [1, 2, 4, 5])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_part_whose_end_is_unknown_is_looked_for_and_never_doubled(
    desk: Desk, part: int, when: str
) -> None:
    post, progress = desk.chain(4, first_comment="Laporkan!"), MemoryProgress()
    seen: list[int] = []

    class Nth(Fault):
        def hits(self, method: str, path: str) -> bool:
            if super().hits(method, path):
                seen.append(1)
                return len(seen) == part
            return False

    desk.loopback.faults.append(Nth(*PUBLISH, "reset", "after" if when == "after" else "before"))
    with pytest.raises(Ambiguous):
        desk.adapter().publish(post, progress)
    found = desk.adapter().find(post, progress, desk.since())
    complete = part == 5 and when == "after"
    assert isinstance(found, Found if complete else Absent)
    receipt = desk.adapter().publish(post, progress)
    assert desk.texts() == ["Bagian 1", "Bagian 2", "Bagian 3", "Bagian 4", "Laporkan!"]
    assert desk.adapter().find(post, progress, desk.since()) == Found(receipt.remote_id, receipt.permalink)


def test_a_part_that_is_refused_for_good_ends_the_thread_there(desk: Desk) -> None:
    """Given a refusal while the third part is prepared, two are out, and no attempt goes on from there."""
    progress, adapter = MemoryProgress(), desk.adapter()
    adapter.publish(desk.chain(2), progress)
    desk.platform.refuse["threads"] = [error(400, 100, None, "Not like this.")]
    receipt = adapter.publish(desk.chain(4), progress)
    assert receipt.shortfall == "2 of 4 parts are out, the next was refused: Not like this."
    assert adapter.publish(desk.chain(4), progress) == receipt
    assert desk.texts() == ["Bagian 1", "Bagian 2"]
    found = adapter.find(desk.chain(4), progress, desk.since())
    assert found == Found(receipt.remote_id, receipt.permalink, None, receipt.shortfall)


def test_a_part_that_is_held_goes_on_when_a_person_has_acted(desk: Desk) -> None:
    post, progress = desk.chain(2), MemoryProgress()
    desk.loopback.faults.append(Fault(*PUBLISH, "reset", "before"))
    with pytest.raises(Ambiguous):
        desk.adapter().publish(post, progress)
    desk.platform.refuse["threads_publish"] = [error(400, 10, 4279013, "Restricted.")]
    with pytest.raises(AccountHeld):
        desk.adapter().publish(post, progress)
    assert desk.adapter().publish(post, progress).shortfall == ""
    assert desk.texts() == ["Bagian 1", "Bagian 2"]


def test_a_refused_look_proves_nothing(desk: Desk) -> None:
    """Given a part of unknown outcome, a refusal to list the replies is not taken for the part's refusal."""
    post, progress = desk.chain(2), MemoryProgress()
    desk.adapter().publish(desk.chain(1), progress)
    desk.fault(PUBLISH, "reset")
    with pytest.raises(Ambiguous):
        desk.adapter().publish(post, progress)
    desk.platform.refuse["replies"] = [error(400, 100, None, "No listing.")]
    with pytest.raises(Ambiguous):
        desk.adapter().publish(post, progress)
    assert desk.adapter().publish(post, progress).shortfall == ""
    assert desk.texts() == ["Bagian 1", "Bagian 2"]


def test_half_a_thread_of_unknown_origin_asks_a_person(desk: Desk) -> None:
    desk.adapter().publish(desk.chain(2), MemoryProgress())
    assert isinstance(desk.adapter().find(desk.chain(2), MemoryProgress(), desk.since()), Found)
    assert isinstance(desk.adapter().find(desk.chain(3), MemoryProgress(), desk.since()), Unknown)


def test_a_reply_elsewhere_with_the_same_words_is_not_ours(desk: Desk) -> None:
    desk.adapter().publish(desk.chain(1), MemoryProgress())
    desk.platform.posts["1"] = Thread("Bagian 2", "TEXT_POST", reply_to="99")
    assert isinstance(desk.adapter().find(desk.chain(2), MemoryProgress(), desk.since()), Unknown)


# Refusals


@pytest.mark.parametrize(
    ("code", "subcode", "kind"),
    [
        (1, None, Ambiguous),
        (2, None, Ambiguous),
        (4, 2207051, Ambiguous),
        (368, 2207051, Ambiguous),
        (100, 33, Ambiguous),
        (987, None, Ambiguous),
        (4, None, RateLimited),
        (613, None, RateLimited),
        (190, 463, AuthExpired),
        (10, None, AuthExpired),
        (10, 4279013, AccountHeld),
        (100, None, Rejected),
    ],
)
def test_what_a_refusal_to_publish_means(
    desk: Desk, code: int, subcode: int | None, kind: type[AdapterError]
) -> None:
    desk.platform.refuse["threads_publish"] = [error(400, code, subcode, "Kata-kata Meta sendiri.")]
    progress = MemoryProgress()
    with pytest.raises(kind) as raised:
        desk.adapter().publish(desk.post(), progress)
    assert (type(raised.value), raised.value.reason) == (kind, "Kata-kata Meta sendiri.")
    assert desk.count(PUBLISH) == 1
    desk.adapter().publish(desk.post(), progress)
    assert len(desk.platform.posts) == 1


def test_media_not_found_is_waited_for_then_made_anew(desk: Desk) -> None:
    missing = error(400, 24, 4279009, "The requested resource does not exist")
    desk.platform.refuse["threads_publish"] = [missing] * 2
    desk.adapter().publish(desk.post(), MemoryProgress())
    assert (desk.waits, desk.count(MAKE)) == ([30, 60], 1)
    desk.waits.clear()
    desk.platform.refuse["threads_publish"] = [missing] * 3
    desk.adapter().publish(desk.post("Lain"), MemoryProgress())
    assert (desk.waits, desk.count(MAKE), len(desk.platform.posts)) == ([30, 60], 3, 2)


@pytest.mark.parametrize("forgets", [False, True])
@pytest.mark.parametrize(
    "lie",
    [
        error(400, 24, 4279009, "The requested resource does not exist"),
        error(500, 2, None, "Please retry"),
        error(400, 4, 2207051, "We restrict certain activity."),
        Answer(200, {}),
    ],
)
def test_an_error_answered_for_a_post_that_is_live_posts_once(desk: Desk, lie: Answer, forgets: bool) -> None:
    desk.platform.forgets = forgets
    desk.platform.lies["threads_publish"] = [lie]
    progress = MemoryProgress()
    try:
        receipt = desk.adapter().publish(desk.post(), progress)
    except Ambiguous:
        found = desk.adapter().find(desk.post(), progress, desk.since())
        assert isinstance(found, Found)
        receipt = desk.adapter().publish(desk.post(), progress)
        assert receipt.remote_id == found.remote_id
    assert list(desk.platform.posts) == [receipt.remote_id]


@pytest.mark.parametrize("forgets", [False, True])
def test_out_but_not_listed_asks_a_person(desk: Desk, forgets: bool) -> None:
    desk.platform.forgets, desk.platform.lists = forgets, False
    desk.fault(PUBLISH, "reset")
    progress = MemoryProgress()
    for _ in range(2):
        with pytest.raises(Ambiguous):
            desk.adapter().publish(desk.post(), progress)
        assert isinstance(desk.adapter().find(desk.post(), progress, desk.since()), Unknown)
    assert len(desk.platform.posts) == 1


@pytest.mark.parametrize("how", ["reset", "timeout", "truncated", "html", "500"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_fault_at_the_publishing_step_is_ambiguous_and_never_doubles(
    desk: Desk, how: str, when: str
) -> None:
    desk.fault(PUBLISH, how, when)
    progress = MemoryProgress()
    with pytest.raises(Ambiguous):
        desk.adapter().publish(desk.post(), progress)
    found = desk.adapter().find(desk.post(), progress, desk.since())
    assert isinstance(found, Found if when == "after" else Absent)
    desk.adapter().publish(desk.post(), progress)
    assert len(desk.platform.posts) == 1


@pytest.mark.parametrize("how", ["reset", "timeout", "truncated", "html", "500"])
@pytest.mark.parametrize("call", [MAKE, ("GET", "/threads_publishing_limit"), ("GET", r"/v1.0/\d+")])
def test_a_fault_while_preparing_is_transient(desk: Desk, how: str, call: Call) -> None:
    desk.fault(call, how)
    progress = MemoryProgress()
    with pytest.raises(Transient):
        desk.adapter().publish(desk.post(), progress)
    desk.adapter().publish(desk.post(), progress)
    assert len(desk.platform.posts) == 1


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("FAILED_DOWNLOADING_VIDEO", Transient),
        ("INVALID_DURATION", Rejected),
        ("FAILED_PROCESSING_AUDIO", Rejected),
        ("Something else happened", Transient),
        ("UNKNOWN", Transient),
    ],
)
def test_a_container_in_error(desk: Desk, words: str, kind: type[AdapterError]) -> None:
    broken = Answer(200, {"id": "1", "status": "ERROR", "error_message": words})
    desk.platform.refuse["node"] = [broken] * (3 if words == "UNKNOWN" else 1)
    progress = MemoryProgress()
    with pytest.raises(kind):
        desk.adapter().publish(desk.post(), progress)
    desk.adapter().publish(desk.post(), progress)
    assert len(desk.platform.posts) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(400, 4, 2207051, "We restrict certain activity."), AccountHeld),
        (error(500, -1, None, "THREADS_API__LINK_LIMIT_EXCEEDED: too many links"), Rejected),
        (error(400, 100, None, "Param text must be at most 500 characters long."), Rejected),
    ],
)
def test_refusals_while_preparing(desk: Desk, answer: Answer, kind: type[AdapterError]) -> None:
    desk.platform.refuse["threads"] = [answer]
    with pytest.raises(kind):
        desk.adapter().publish(desk.post(), MemoryProgress())


def test_the_children_of_a_carousel_are_kept(desk: Desk) -> None:
    post = desk.post(pictures=3)
    with pytest.raises(PowerCutError):
        desk.adapter().publish(post, cut := MemoryProgress(dies_after=3))
    progress = MemoryProgress()
    progress.save(**dict(cut.saved))
    desk.platform.polls = 2
    desk.adapter().publish(post, progress)
    assert desk.count(MAKE) == 4


def test_an_expired_child_makes_the_carousel_anew(desk: Desk) -> None:
    post, progress = desk.post(pictures=2), MemoryProgress(dies_after=3)
    with pytest.raises(PowerCutError):
        desk.adapter().publish(post, progress)
    for container in desk.platform.containers.values():
        container.status = "EXPIRED"
    with pytest.raises(Transient):
        desk.adapter().publish(post, progress)
    desk.adapter().publish(post, progress)
    assert len(desk.platform.posts) == 1


# Quota


def test_no_half_thread_for_want_of_quota(desk: Desk) -> None:
    desk.platform.replies_used = 998
    with pytest.raises(RateLimited, match="998 of 1000") as raised:
        desk.adapter().publish(desk.chain(4), MemoryProgress())
    assert raised.value.until > datetime.now(UTC) + timedelta(minutes=50)
    assert desk.platform.posts == {}
    desk.adapter().publish(desk.chain(3), MemoryProgress())


def test_a_used_up_quota_holds_posts(desk: Desk) -> None:
    desk.platform.used = 250
    with pytest.raises(RateLimited, match="250 of 250"):
        desk.adapter().publish(desk.post(), MemoryProgress())
    assert desk.count(MAKE) == 0
    assert desk.adapter().room() is not None, "asked beforehand, it says the same"


# Reading back


def test_white_space_and_invisible_marks_do_not_matter(desk: Desk) -> None:
    post = desk.post("  Tolak\u200b  suap \n\n hari ini  ")
    desk.adapter().publish(post, MemoryProgress())
    assert isinstance(desk.adapter().find(post, MemoryProgress(), desk.since()), Found)


def test_a_link_that_is_shown_as_preview_only_is_recognised(desk: Desk) -> None:
    post = desk.post("Lapor", link="https://lapor.go.id")
    desk.platform.posts["1"] = Thread("Lapor", "TEXT_POST", link="https://lapor.go.id/")
    assert isinstance(desk.adapter().find(post, MemoryProgress(), desk.since()), Found)
    desk.platform.posts["1"].link = ""
    assert isinstance(desk.adapter().find(post, MemoryProgress(), desk.since()), Absent)


def test_pictures_without_words_are_told_by_their_container(desk: Desk) -> None:
    post, progress = desk.post("", pictures=1), MemoryProgress()
    desk.fault(PUBLISH, "reset")
    with pytest.raises(Ambiguous):
        desk.adapter().publish(post, progress)
    assert isinstance(desk.adapter().find(post, progress, desk.since()), Found)
    assert isinstance(desk.adapter().find(post, MemoryProgress(), desk.since()), Unknown)


# Figures, removal, the account


def test_unknown_is_not_zero_and_views_are_not_reach(desk: Desk) -> None:
    id_ = desk.adapter().publish(desk.post(), MemoryProgress()).remote_id
    (told,) = desk.adapter().reach([id_]).values()
    assert told == Reach()
    desk.platform.posts[id_].figures = {"views": 5, "shares": 2}
    (told,) = desk.adapter().reach([id_]).values()
    assert replace(told, raw={}) == Reach(views=5)
    assert told.raw == {"views": 5, "shares": 2}


def test_the_conversation_under_a_post_is_told(desk: Desk) -> None:
    id_ = desk.adapter().publish(desk.post(), MemoryProgress()).remote_id
    desk.platform.posts["901"] = Thread("Di mana?", "TEXT_POST", reply_to=id_, owner="warga")
    desk.platform.posts["902"] = Thread("Silakan", "TEXT_POST", reply_to="901")
    told = desk.adapter().replies([id_, "1234567"])
    assert list(told) == [id_]
    assert [(one.author, one.text, one.under, one.own) for one in told[id_]] == [
        ("warga", "Di mana?", id_, False),
        (desk.platform.posts[id_].owner, "Silakan", "901", True),
    ]


def test_one_refused_metric_does_not_hide_the_others(desk: Desk) -> None:
    id_ = desk.adapter().publish(desk.post(), MemoryProgress()).remote_id
    desk.platform.posts[id_].figures = dict(FIGURES)
    desk.platform.posts[id_].unsupported = ("shares",)
    (told,) = desk.adapter().reach([id_]).values()
    assert replace(told, raw={}) == Reach(views=90, likes=8, comments=3)
    assert told.raw["refused"] == {"shares": "100"}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(400, 190, None, "Session has expired"), AuthExpired),
        (error(400, 10, None, "Permission denied"), AuthExpired),
        (error(500, 2, None, "Service unavailable"), Transient),
    ],
)
def test_an_answer_that_is_not_about_the_post(desk: Desk, answer: Answer, kind: type[AdapterError]) -> None:
    id_ = desk.adapter().publish(desk.post(), MemoryProgress()).remote_id
    desk.platform.refuse["insights"] = [answer]
    with pytest.raises(kind):
        desk.adapter().reach([id_])


def test_a_thread_is_removed_with_its_own_parts_and_nobody_elses(desk: Desk) -> None:
    id_ = desk.adapter().publish(desk.chain(3), MemoryProgress()).remote_id
    desk.platform.posts["1"] = Thread("Setuju!", "TEXT_POST", reply_to=id_, owner="warga")
    desk.platform.posts["2"] = Thread("Terima kasih", "TEXT_POST", reply_to="1")
    desk.adapter().remove(id_)
    assert list(desk.platform.posts) == ["1", "2"]


def test_a_conversation_that_is_not_shown_does_not_keep_the_post(desk: Desk) -> None:
    id_ = desk.adapter().publish(desk.post(), MemoryProgress()).remote_id
    desk.platform.refuse["conversation"] = [error(400, 10, None, "Permission denied")]
    desk.adapter().remove(id_)
    assert desk.platform.posts == {}


def test_missing_permissions_are_named(desk: Desk) -> None:
    desk.platform.scopes = ("threads_basic", "threads_content_publish")
    assert "threads_manage_insights" in desk.adapter().verify().missing_permissions
    desk.platform.refuse["debug_token"] = [error(400, 100, None, "Unsupported")]
    assert desk.adapter().verify().missing_permissions == ()


def test_a_refused_token_asks_for_a_new_one(desk: Desk) -> None:
    with pytest.raises(AuthExpired):
        desk.adapter(token="another-token").verify()

"""The Facebook Page adapter against a Graph API of our own on loopback: contract, refusals, lost answers."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest

pytest.register_assert_rewrite("adapters.contract_suite")
sys.path.insert(0, str(Path(__file__).parent))

from kit.films import film  # noqa: E402
from servers.graph_platform import (  # noqa: E402
    APP_TOKEN,
    PAGE,
    TOKEN,
    Oddity,
    PagePlatform,
    PagePost,
    Video,
    refusal,
    running_page,
)
from servers.loopback import Answer, Fault, Loopback, patience  # noqa: E402

from adapters.contract import Absent, Account, Adapter, Found, Media, Part, Post, Reach, Receipt, Unknown  # noqa: E402
from adapters.contract_suite import AdapterContract  # noqa: E402
from adapters.contract_tools import Call, MemoryProgress, PowerCutError, Refusal, Remote, RemotePost, picture  # noqa: E402
from adapters.errors import (  # noqa: E402
    AccountHeld,
    AdapterError,
    Ambiguous,
    AuthExpired,
    Duplicate,
    RateLimited,
    Rejected,
    Transient,
)
from adapters.facebook.adapter import FacebookPageAdapter  # noqa: E402
from adapters.registry import adapter_class  # noqa: E402

# facebook-sdk 3.1.0 has "\d" in a plain string: a warning wherever no .pyc of it is kept.
pytestmark = pytest.mark.filterwarnings("ignore:.*invalid escape sequence")

How = Literal["reset", "timeout", "truncated", "html", "500"]
LINK = "https://example.go.id/lapor?kanal=a&b=c"
FEED, PHOTOS, COMMENTS = f"/{PAGE}/feed", f"/{PAGE}/photos", "/comments"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
Place = tuple[PagePlatform, Loopback]


def now() -> datetime:
    return datetime.now(UTC)


def adapter_at(
    url: str,
    *,
    handle: str = PAGE,
    token: str = TOKEN,
    waits: list[float] | None = None,
    **options: str,
) -> FacebookPageAdapter:
    secrets = {"page_token": token, "app_secret": APP_TOKEN.partition("|")[2]}
    account = Account("fb", handle, secrets.__getitem__, url, dict(options))
    waited = waits if waits is not None else []
    return FacebookPageAdapter(account, now, wait=waited.append, read_timeout=patience(url))


class PageRemote:
    """The Page's own storage."""

    def __init__(self, platform: PagePlatform) -> None:
        self.platform = platform

    def posts(self) -> Sequence[RemotePost]:
        return [self._post(post) for post in self.platform.posts]

    def _post(self, post: PagePost) -> RemotePost:
        text, link = post.message, post.link
        if post.photos and (match := re.fullmatch(r"(.*)\n\n(https?://\S+)", text, re.DOTALL)):
            text, link = match.groups()
        photos = (self.platform.photos[id_] for id_ in post.photos)
        return RemotePost(post.id, text, link, tuple((p.sha256, p.alt) for p in photos))

    def engage(self, remote_id: str) -> Reach:
        (post,) = (post for post in self.platform.posts if post.id == remote_id)
        post.insights = {"post_media_view": 31, "post_total_media_view_unique": 17, "post_clicks": 0}
        post.reactions, post.shares = 5, 2
        post.comments.append({"id": "1_2", "message": "Setuju", "from": {"id": "77"}})
        return Reach(views=31, reach=17, likes=5, comments=1, shares=2, saves=None, clicks=0)


class TestContract(AdapterContract):
    followers: ClassVar[int | None] = 2048
    publishing_call: ClassVar[Call] = ("POST", FEED)
    later_call: ClassVar[tuple[Call, int] | None] = (("POST", COMMENTS), 0)
    refusal: ClassVar[Refusal] = (400, '{"error": {"message": "Not like this.", "code": 100}}')
    refusal_words: ClassVar[str] = "Not like this."
    upload_call: ClassVar[Call | None] = ("POST", PHOTOS)
    secrets: ClassVar[Mapping[str, str]] = {"page_token": TOKEN, "part of it": "rahasia"}

    @pytest.fixture
    def api_base(self, place: Place) -> str:
        return place[1].url

    @pytest.fixture
    def make_adapter(self) -> Callable[[str], Adapter]:
        return adapter_at

    @pytest.fixture
    def remote(self, place: Place) -> Remote:
        return PageRemote(place[0])


class TestContractWithOnePicture(TestContract):
    """One picture goes up with its post, in one call."""

    publishing_call: ClassVar[Call] = ("POST", PHOTOS)
    upload_call: ClassVar[Call | None] = None
    pictures: ClassVar[int] = 1


@pytest.fixture
def place() -> Iterator[Place]:
    with running_page() as running:
        yield running


def video(folder: Path, size: int = 0, alt: str = "", **how: Any) -> Media:
    """A short film, upright and small unless ``how`` says otherwise."""
    return film(folder, f"video-{sum(1 for _ in folder.iterdir())}.mp4", alt=alt, size=size, **how)


def clip(folder: Path) -> Media:
    """A film of a few bytes: three chunks for the platform of these tests."""
    return video(folder, 7500, seconds=3, fps=24)


def odd(place: Place, path: str, answer: Answer, *, accepted: bool = False, method: str = "POST") -> None:
    place[0].odd.append(Oddity(method, path, answer, accepted))


def sent(place: Place, post: Post, progress: MemoryProgress | None = None) -> Receipt:
    return adapter_at(place[1].url).publish(post, progress or MemoryProgress())


def test_the_registry_knows_it() -> None:
    assert adapter_class("facebook") is FacebookPageAdapter


# --- what is posted -----------------------------------------------------------------------------------


def test_a_link_is_the_attachment_unless_there_are_pictures(place: Place, tmp_path: Path) -> None:
    sent(place, Post("a", "Tolak suap", LINK))
    sent(place, Post("b", "Tolak suap", LINK, (picture(tmp_path, 1, "Poster"),)))
    first, second = place[0].posts
    assert (first.message, first.link) == ("Tolak suap", LINK)
    assert (second.message, second.link) == (f"Tolak suap\n\n{LINK}", "")


def test_the_same_picture_twice_is_two_photos_with_their_own_alt_texts(place: Place, tmp_path: Path) -> None:
    one = picture(tmp_path, 1, "Satu")
    sent(place, Post("a", "x", media=(one, one, replace(one, alt="Dua"))))
    (post,) = place[0].posts
    assert len(set(post.photos)) == 3
    assert [place[0].photos[id_].alt for id_ in post.photos] == ["Satu", "Satu", "Dua"]


def test_the_page_is_asked_for_when_nobody_configured_its_id(place: Place) -> None:
    adapter = adapter_at(place[1].url, handle="@diskominfo")
    receipt = adapter.publish(Post("a", "x", first_comment="y"), MemoryProgress())
    assert receipt.remote_id.startswith(f"{PAGE}_")
    assert receipt.permalink == f"https://www.facebook.com/{PAGE}/posts/{receipt.remote_id.split('_')[1]}"


def test_a_post_whose_address_cannot_be_read_is_published_all_the_same(place: Place, tmp_path: Path) -> None:
    place[1].faults.append(Fault("GET", f"{PAGE}_[0-9]+", "html"))
    receipt = sent(place, Post("a", "x", media=(picture(tmp_path, 1, "Poster"),)))
    assert receipt == Receipt(place[0].posts[0].id, f"https://www.facebook.com/{place[0].posts[0].id}")


def test_a_changed_file_is_refused_before_anything_is_sent(place: Place, tmp_path: Path) -> None:
    item = picture(tmp_path, 1, "Poster")
    item.path.write_bytes(b"lain")
    clip = video(tmp_path)
    clip.path.write_bytes(b"lain")
    for kind, media in (("post", item), ("reel", clip), ("post", clip)):
        with pytest.raises(Rejected):
            sent(place, Post("a", "x", media=(media,), kind=kind))  # type: ignore[arg-type]
    assert place[0].posts == []


def test_nothing_of_a_post_is_left_out_silently(place: Place, tmp_path: Path) -> None:
    item, clip = picture(tmp_path, 1, "Poster"), video(tmp_path)
    for post in (
        Post("a", "x", media=(item, clip)),
        Post("a", "x", thread=(Part("lanjutan"),)),
        Post("a", "x", media=(item,), kind="story"),
    ):
        with pytest.raises(Rejected):
            sent(place, post)
    assert place[1].calls == []


# --- refusals and lost answers ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (refusal(400, 506), Duplicate),
        (refusal(400, 368, None, "You already posted this."), Duplicate),
        (refusal(400, 100, 1366051), Duplicate),
        (refusal(400, 368), AccountHeld),
        (refusal(400, 368, 1390008), RateLimited),
        (refusal(400, 368, 1346003), Rejected),
        (refusal(400, 200, 1404102), Rejected),
        (refusal(400, 200, 1404006), AccountHeld),
        (refusal(400, 200, 4854002), AccountHeld),
        (refusal(400, 200, 1404078), AccountHeld),
        (refusal(400, 200, 1404112), AccountHeld),
        (refusal(400, 100, 1609005), Rejected),
        (refusal(400, 100, 1609008), Rejected),
        (refusal(400, 100, 1366046), Rejected),
        (refusal(403, 200), AuthExpired),
        (refusal(400, 190, 463), AuthExpired),
        (refusal(403, 32), RateLimited),
        (refusal(400, 2), Ambiguous),
        (refusal(400, 1), Ambiguous),
        (refusal(500, 2, None, "An unexpected error. Please retry your request later."), Ambiguous),
        (refusal(400, 99999), Ambiguous),
    ],
    ids=lambda value: str(value.body)[-70:-25] if isinstance(value, Answer) else value.__name__,
)
def test_each_refusal_of_a_post_means_one_thing(
    place: Place, answer: Answer, expected: type[AdapterError]
) -> None:
    odd(place, FEED, answer)
    progress = MemoryProgress()
    with pytest.raises(expected):
        sent(place, Post("a", "x"), progress)
    # Only where something may be out there does the chain look before it posts again.
    assert bool(progress.saved.get("pending")) == (expected in (Ambiguous, Duplicate))
    sent(place, Post("a", "x"), progress)
    assert len(place[0].posts) == 1


@pytest.mark.parametrize("pictures", [0, 1, 2])
def test_please_retry_was_posted_and_is_found_not_repeated(
    place: Place, tmp_path: Path, pictures: int
) -> None:
    """HTTP 500 with code 2 "please retry" has posted each time: seven copies (PEERS.md)."""
    media = tuple(picture(tmp_path, n, "Poster") for n in range(pictures))
    post, progress = Post("a", "Tolak suap", media=media), MemoryProgress()
    path = PHOTOS if pictures == 1 else FEED
    odd(place, path, refusal(500, 2, None, "Please retry your request later."), accepted=True)
    with pytest.raises(Ambiguous):
        sent(place, post, progress)
    (there,) = place[0].posts
    found = adapter_at(place[1].url).find(post, progress, now() - timedelta(minutes=1))
    assert isinstance(found, Found)
    assert found.remote_id == there.id
    assert sent(place, post, progress).remote_id == there.id
    assert len(place[0].posts) == 1


@pytest.mark.parametrize("how", ["reset", "timeout", "truncated", "html", "500"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_no_fault_loses_or_doubles_a_post(place: Place, how: How, when: Literal["before", "after"]) -> None:
    post, progress = Post("a", "Tolak suap", LINK, first_comment="Lapor di sini"), MemoryProgress()
    for path in (FEED, COMMENTS):
        place[1].faults.append(Fault("POST", path, how, when))
        with pytest.raises(Ambiguous):
            sent(place, post, progress)
        # Without all of it there, find lets publish go on; publish looks and completes.
        finding = adapter_at(place[1].url).find(post, progress, now() - timedelta(minutes=1))
        whole = path == COMMENTS and when == "after"
        assert isinstance(finding, Found if whole else Absent)
    receipt = sent(place, post, progress)
    assert [p.id for p in place[0].posts] == [receipt.remote_id]
    assert [c["message"] for c in place[0].posts[0].comments] == ["Lapor di sini"]


def test_a_lost_upload_publishes_nothing_and_is_made_again(place: Place, tmp_path: Path) -> None:
    post = Post("a", "x", media=(picture(tmp_path, 1, "Satu"), picture(tmp_path, 2, "Dua")))
    for how in ("reset", "html"):
        place[1].faults.append(Fault("POST", PHOTOS, how))
        with pytest.raises(Transient):
            sent(place, post, MemoryProgress())
    assert place[0].posts == []


def test_an_unknown_outcome_that_cannot_be_read_back_stays_unknown(place: Place) -> None:
    post, progress = Post("a", "x"), MemoryProgress()
    place[1].faults.append(Fault("POST", FEED, "reset"))
    with pytest.raises(Ambiguous):
        sent(place, post, progress)
    for answer in (refusal(400, 100), refusal(400, 2), Answer(502, b"<html>")):
        odd(place, "/published_posts", answer, method="GET")
        with pytest.raises(Ambiguous):
            sent(place, post, progress)
    assert len(place[0].posts) == 1


def test_a_post_of_another_delivery_is_not_adopted_after_a_clear_refusal(place: Place) -> None:
    progress = MemoryProgress()
    odd(place, FEED, refusal(403, 32))
    with pytest.raises(RateLimited):
        sent(place, Post("a", "Sama"), progress)
    other = sent(place, Post("b", "Sama"))
    assert sent(place, Post("a", "Sama"), progress).remote_id != other.remote_id


# --- the first comment --------------------------------------------------------------------------------


def test_a_refused_comment_is_written_later_and_the_post_not_repeated(place: Place) -> None:
    post, progress = Post("a", "x", first_comment="Lapor"), MemoryProgress()
    odd(place, COMMENTS, refusal(403, 32))
    with pytest.raises(RateLimited):
        sent(place, post, progress)
    assert isinstance(adapter_at(place[1].url).find(post, progress, LONG_AGO), Absent)
    sent(place, post, progress)
    sent(place, post, progress)
    (there,) = place[0].posts
    assert len(there.comments) == 1


def test_a_comment_that_is_refused_for_good_is_missing_and_the_post_is_out(place: Place) -> None:
    post, progress = Post("a", "x", first_comment="Lapor"), MemoryProgress()
    odd(place, COMMENTS, refusal(400, 100, 1346003, "Against our standards"))
    receipt = sent(place, post, progress)
    assert receipt.shortfall == "The post is out, but its first comment was refused: Against our standards"
    assert sent(place, post, progress) == receipt
    found = adapter_at(place[1].url).find(post, progress, LONG_AGO)
    assert found == Found(receipt.remote_id, receipt.permalink, None, receipt.shortfall)
    assert place[0].posts[0].comments == []


def test_a_comment_waits_for_the_person_who_frees_the_account(place: Place) -> None:
    post, progress = Post("a", "x", first_comment="Lapor"), MemoryProgress()
    odd(place, COMMENTS, refusal(400, 200, 1404006))
    with pytest.raises(AccountHeld):
        sent(place, post, progress)
    assert sent(place, post, progress).shortfall == ""
    assert len(place[0].posts[0].comments) == 1


def test_a_comment_that_is_said_to_be_there_is_looked_for_before_that_is_believed(place: Place) -> None:
    post, progress = Post("a", "x", first_comment="Lapor"), MemoryProgress()
    for _ in range(2):
        odd(place, COMMENTS, refusal(400, 506, None, "Duplicate status message"))
    with pytest.raises(Duplicate):
        sent(place, post, progress)
    assert isinstance(adapter_at(place[1].url).find(post, progress, LONG_AGO), Absent)
    assert "Duplicate status message" in sent(place, post, progress).shortfall


def test_somebody_elses_comment_is_not_ours(place: Place) -> None:
    post, progress = Post("a", "x", first_comment="Lapor"), MemoryProgress()
    place[1].faults.append(Fault("POST", COMMENTS, "reset", "before"))
    with pytest.raises(Ambiguous):
        sent(place, post, progress)
    place[0].posts[0].comments.append({"id": "1", "message": "Lapor", "from": {"id": "77"}})
    sent(place, post, progress)
    assert [c["from"]["id"] for c in place[0].posts[0].comments] == ["77", PAGE]


def test_more_comments_than_can_be_read_prove_nothing(place: Place) -> None:
    post, progress = Post("a", "x", first_comment="Lapor"), MemoryProgress()
    place[1].faults.append(Fault("POST", COMMENTS, "reset", "before"))
    with pytest.raises(Ambiguous):
        sent(place, post, progress)
    more = {"data": [], "paging": {"cursors": {"after": "x"}, "next": "https://graph.facebook.com/x"}}
    for _ in range(10):
        odd(place, COMMENTS, Answer(200, more), method="GET")
    with pytest.raises(Ambiguous):
        sent(place, post, progress)
    assert place[0].posts[0].comments == []


def test_a_post_without_its_comment_that_nobody_remembers_asks_a_person(place: Place) -> None:
    sent(place, Post("a", "x"))
    found = adapter_at(place[1].url).find(Post("a", "x", first_comment="y"), MemoryProgress(), _lately())
    assert isinstance(found, Unknown)


@pytest.mark.parametrize("cut", range(1, 8))
def test_a_power_cut_at_any_save_leaves_one_post_and_one_comment(
    place: Place, tmp_path: Path, cut: int
) -> None:
    post = Post(
        "a", "x", media=(picture(tmp_path, 1, "Satu"), picture(tmp_path, 2, "Dua")), first_comment="y"
    )
    progress = MemoryProgress(dies_after=cut)
    try:
        sent(place, post, progress)
    except PowerCutError:
        if not isinstance(adapter_at(place[1].url).find(post, progress, _lately()), Found):
            sent(place, post, progress)
    (there,) = place[0].posts
    assert [comment["message"] for comment in there.comments] == ["y"]


# --- reading back -------------------------------------------------------------------------------------


def _lately() -> datetime:
    return now() - timedelta(minutes=1)


def test_find_reads_as_many_pages_as_the_window_has(place: Place) -> None:
    post = Post("a", "Dicari")
    there = sent(place, post)
    for n in range(7):
        sent(place, Post(str(n), f"Lain {n}"))
    place[0].page_size = 2
    adapter = adapter_at(place[1].url)
    assert adapter.find(post, MemoryProgress(), _lately()) == Found(
        there.remote_id, there.permalink, place[0].posts[0].created.replace(microsecond=0)
    )
    assert isinstance(adapter.find(Post("b", "Tidak ada"), MemoryProgress(), _lately()), Absent)
    for one in place[0].posts[:5]:
        one.created = LONG_AGO
    place[1].calls.clear()
    assert isinstance(adapter.find(post, MemoryProgress(), _lately()), Absent)
    assert place[1].count("GET", "/published_posts") == 2


def test_find_says_when_there_is_too_much_to_read(place: Place) -> None:
    place[0].posts = [PagePost(f"{PAGE}_{n}", f"Pesan {n}") for n in range(11)]
    place[0].page_size = 1
    adapter = adapter_at(place[1].url)
    assert isinstance(adapter.find(Post("a", "x"), MemoryProgress(), _lately()), Unknown)


def test_find_knows_its_own_pictures_whatever_the_text_became(place: Place, tmp_path: Path) -> None:
    post = Post("a", "x", media=(picture(tmp_path, 1, "Satu"), picture(tmp_path, 2, "Dua")))
    progress = MemoryProgress()
    odd(place, FEED, refusal(500, 2), accepted=True)
    with pytest.raises(Ambiguous):
        sent(place, post, progress)
    place[0].posts[0].message = "x, disunting seseorang"
    assert isinstance(adapter_at(place[1].url).find(post, progress, _lately()), Found)
    assert isinstance(adapter_at(place[1].url).find(post, MemoryProgress(), _lately()), Absent)


@pytest.mark.parametrize(
    ("listed", "wanted", "expected"),
    [
        (PagePost("1", "Tolak  suap\n#Hakordia "), Post("a", "Tolak suap\n#Hakordia"), Found),
        (PagePost("1", "Tolak suap", "https://example.go.id/lapor/"), Post("a", "Tolak suap", LINK), Unknown),
        (PagePost("1", "Tolak suap"), Post("a", "Tolak suap", LINK), Unknown),
        (PagePost("1", "Tolak suap", LINK + "#x"), Post("a", "Tolak suap", LINK), Found),
        (PagePost("1", f"Lihat {LINK}"), Post("a", f"Lihat {LINK}"), Found),
        (PagePost("1", "Tolak suap", photos=["9"]), Post("a", "Tolak suap"), Absent),
        (PagePost("1", "Tolak suap", video="9"), Post("a", "Tolak suap"), Absent),
        (PagePost("1", "", LINK), Post("a", "", LINK), Unknown),
    ],
)
def test_what_counts_as_the_same_post(
    place: Place, listed: PagePost, wanted: Post, expected: type[object]
) -> None:
    listed.created = now()
    place[0].posts = [listed]
    adapter = adapter_at(place[1].url)
    assert isinstance(adapter.find(wanted, MemoryProgress(), _lately()), expected)


def test_a_near_miss_keeps_publish_from_posting_again(place: Place) -> None:
    post, progress = Post("a", "Tolak suap", LINK), MemoryProgress()
    odd(place, FEED, refusal(500, 2), accepted=True)
    with pytest.raises(Ambiguous):
        sent(place, post, progress)
    place[0].posts[0].link = "https://example.go.id/kanonik"
    with pytest.raises(Ambiguous):
        sent(place, post, progress)
    assert len(place[0].posts) == 1


def test_a_post_that_a_person_deleted_is_not_published_again(place: Place) -> None:
    post, progress = Post("a", "x"), MemoryProgress()
    receipt = sent(place, post, progress)
    place[0].posts.clear()
    assert isinstance(adapter_at(place[1].url).find(post, progress, _lately()), Absent)
    assert sent(place, post, progress) == receipt
    assert place[0].posts == []


# --- videos and reels ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["post", "reel"])
def test_a_video_is_published_once_it_is_processed(
    place: Place, tmp_path: Path, kind: Literal["post", "reel"]
) -> None:
    platform, waits, item = place[0], list[float](), clip(tmp_path)
    platform.slow = 3
    post = Post("a", "Tolak suap", LINK, (item,), kind, first_comment="Lapor")
    receipt = adapter_at(place[1].url, waits=waits).publish(post, MemoryProgress())
    (made,), (there,) = platform.videos.values(), platform.posts
    assert (made.content, made.reel) == (item.path.read_bytes(), kind == "reel")
    assert made.description == f"Tolak suap\n\n{LINK}"
    assert receipt.remote_id == there.id
    assert receipt.permalink.startswith("https://www.facebook.com/")
    assert waits == [2.0, 3.0, 5.0]
    assert [comment["message"] for comment in there.comments] == ["Lapor"]
    found = adapter_at(place[1].url).find(replace(post, first_comment=""), MemoryProgress(), _lately())
    assert isinstance(found, Found)
    assert place[1].count("POST", f"/{PAGE}/videos") == (0 if kind == "reel" else 5)


@pytest.mark.parametrize("kind", ["post", "reel"])
@pytest.mark.parametrize("cut", range(1, 8))
def test_a_video_resumes_after_a_power_cut_at_any_save(
    place: Place, tmp_path: Path, kind: Literal["post", "reel"], cut: int
) -> None:
    post, progress = Post("a", "x", media=(clip(tmp_path),), kind=kind), MemoryProgress(dies_after=cut)
    try:
        sent(place, post, progress)
    except PowerCutError:
        if not isinstance(adapter_at(place[1].url).find(post, progress, _lately()), Found):
            sent(place, post, progress)
    assert len(place[0].videos) == 1
    assert len(place[0].posts) == 1


@pytest.mark.parametrize("kind", ["post", "reel"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("how", ["reset", "html", "truncated"])
def test_a_lost_answer_to_finishing_is_settled_by_the_videos_id(
    place: Place,
    tmp_path: Path,
    kind: Literal["post", "reel"],
    how: How,
    when: Literal["before", "after"],
) -> None:
    post, progress = Post("a", "x", media=(clip(tmp_path),), kind=kind), MemoryProgress()
    place[0].chunk = 10_000
    path = "/video_reels" if kind == "reel" else "/videos"
    uploads = 1 if kind == "reel" else 2  # start (and transfer) pass; only the last call is broken
    place[1].faults.append(_LastCall("POST", path, how, when, calls=uploads))
    with pytest.raises(Ambiguous):
        sent(place, post, progress)
    finding = adapter_at(place[1].url).find(post, progress, _lately())
    assert isinstance(finding, Found if when == "after" else Absent)
    receipt = sent(place, post, progress)
    assert [p.id for p in place[0].posts] == [receipt.remote_id]


class _LastCall(Fault):
    """A fault that lets so many calls pass first."""

    def __init__(self, *args: str, calls: int) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.calls = calls

    def hits(self, method: str, path: str) -> bool:
        if super().hits(method, path):
            self.calls -= 1
            return self.calls < 0
        return False


def test_a_video_that_takes_long_is_unknown_until_it_is_there(place: Place, tmp_path: Path) -> None:
    place[0].slow = 12
    post, progress = Post("a", "x", media=(clip(tmp_path),), kind="reel"), MemoryProgress()
    with pytest.raises(Ambiguous):
        sent(place, post, progress)
    adapter = adapter_at(place[1].url)
    assert isinstance(adapter.find(post, progress, _lately()), Unknown)
    assert isinstance(adapter.find(post, progress, _lately()), Found)
    assert sent(place, post, progress).remote_id == place[0].posts[0].id
    assert place[1].count("POST", "/video_reels") == 2


def test_a_video_that_cannot_be_processed_is_refused_in_facebooks_words(place: Place, tmp_path: Path) -> None:
    place[0].spoiled = "The video is shorter than 3 seconds."
    post, progress = Post("a", "x", media=(clip(tmp_path),), kind="reel"), MemoryProgress()
    with pytest.raises(Rejected) as raised:
        sent(place, post, progress)
    assert raised.value.reason == "The video is shorter than 3 seconds."
    place[0].spoiled = ""
    sent(place, post, progress)  # a person retries: another upload, not the broken one
    assert len(place[0].videos) == 2


def test_an_upload_that_expired_is_made_again(place: Place, tmp_path: Path) -> None:
    post, progress = Post("a", "x", media=(clip(tmp_path),)), MemoryProgress(dies_after=2)
    with pytest.raises(PowerCutError):
        sent(place, post, progress)
    (old,) = place[0].videos.values()
    old.expired = True
    sent(place, post, progress)
    assert [clip.published for clip in place[0].videos.values()] == [False, True]


def test_an_upload_session_that_is_refused_is_begun_anew(place: Place, tmp_path: Path) -> None:
    post, progress = Post("a", "x", media=(clip(tmp_path),)), MemoryProgress(dies_after=2)
    with pytest.raises(PowerCutError):
        sent(place, post, progress)
    odd(place, "/videos", refusal(400, 100, 1363033))
    with pytest.raises(Transient):
        sent(place, post, progress)
    sent(place, post, progress)
    odd(place, "/video_reels", refusal(400, 100, None, "A reel must be vertical"))
    with pytest.raises(Rejected):
        sent(place, replace(post, kind="reel"), MemoryProgress())


def test_a_reel_goes_on_from_the_bytes_that_arrived(place: Place, tmp_path: Path) -> None:
    post, progress = Post("a", "x", media=(clip(tmp_path),), kind="reel"), MemoryProgress()
    whole = post.media[0].path.read_bytes()
    place[0].videos["55"] = Video("55", True, content=whole[:400])
    progress.save(video={"id": "55"})
    sent(place, post, progress)
    assert place[0].videos["55"].content == whole


def test_a_video_that_vanished_after_finishing_is_not_published_again(place: Place, tmp_path: Path) -> None:
    post, progress = Post("a", "x", media=(clip(tmp_path),), kind="reel"), MemoryProgress()
    progress.save(video={"id": "404404", "finishing": True})
    with pytest.raises(Ambiguous):
        sent(place, post, progress)
    assert isinstance(adapter_at(place[1].url).find(post, progress, _lately()), Unknown)


# --- figures ------------------------------------------------------------------------------------------


def test_an_invalid_metric_does_not_take_the_others_with_it(place: Place) -> None:
    platform, loopback = place
    receipt = sent(place, Post("a", "x"))
    PageRemote(platform).engage(receipt.remote_id)
    platform.metrics = ("post_total_media_view_unique", "post_clicks")
    (told,) = adapter_at(loopback.url).reach([receipt.remote_id]).values()
    assert (told.views, told.reach, told.clicks, told.likes) == (None, 17, 0, 5)
    assert told.raw["post_media_view"] == {"refused": "100"}
    assert told.why["views"] == "refused"


def test_what_facebook_leaves_out_is_unknown_not_zero(place: Place) -> None:
    receipt = sent(place, Post("a", "x"))
    place[0].posts[0].insights = {"post_clicks": {"link": 3}}
    (told,) = adapter_at(place[1].url).reach([receipt.remote_id]).values()
    assert told == Reach(likes=0, comments=0, raw=told.raw)
    assert told.raw["post_clicks"] == {"link": 3}
    assert told.raw["post_media_view"] is None


def test_too_few_rights_for_one_figure_are_not_a_refused_token(place: Place) -> None:
    receipt = sent(place, Post("a", "x"))
    PageRemote(place[0]).engage(receipt.remote_id)
    odd(place, "/insights", refusal(400, 10), method="GET")
    (told,) = adapter_at(place[1].url).reach([receipt.remote_id]).values()
    assert (told.views, told.reach) == (None, 17)


def test_figures_of_many_posts_are_asked_in_batches(place: Place) -> None:
    ids = [sent(place, Post(str(n), f"Pesan {n}")).remote_id for n in range(17)]
    place[1].calls.clear()
    assert list(adapter_at(place[1].url).reach(ids)) == ids
    assert len(place[1].calls) == 3
    assert adapter_at(place[1].url).reach([]) == {}


def test_the_comments_under_a_post_are_told(place: Place) -> None:
    """Given a comment without a name (a right is missing) and the Page's answer to it."""
    id_ = sent(place, Post("a", "Pesan")).remote_id
    at = "2026-12-09T01:00:00+0000"
    own = {"id": PAGE, "name": "Diskominfo Contoh"}
    place[0].posts[0].comments += [
        {"id": "1_1", "message": "Di mana?", "created_time": at},
        {"id": "1_2", "message": "Silakan", "created_time": at, "from": own, "parent": {"id": "1_1"}},
    ]
    ((question, answer),) = adapter_at(place[1].url).replies([id_]).values()
    assert (question.author, question.text, question.under, question.own) == ("", "Di mana?", id_, False)
    assert (answer.author, answer.under, answer.own) == ("Diskominfo Contoh", "1_1", True)


def test_a_limit_that_is_used_up_is_not_overdrawn(place: Place) -> None:
    ids = [sent(place, Post(str(n), f"Pesan {n}")).remote_id for n in range(8)]
    place[0].usage = {"X-App-Usage": '{"call_count":100,"total_time":2,"total_cputime":2}'}
    place[1].calls.clear()
    assert len(adapter_at(place[1].url).reach(ids[:7])) == 7
    with pytest.raises(RateLimited):
        adapter_at(place[1].url).reach(ids)
    assert len(place[1].calls) == 2


def test_a_refused_token_or_a_used_up_limit_ends_the_asking(place: Place) -> None:
    receipt = sent(place, Post("a", "x"))
    for answer, expected in ((refusal(400, 190), AuthExpired), (refusal(403, 32), RateLimited)):
        odd(place, "/insights", answer, method="GET")
        with pytest.raises(expected):
            adapter_at(place[1].url).reach([receipt.remote_id])
    with pytest.raises(AuthExpired):
        adapter_at(place[1].url, token="EAABlama").reach([receipt.remote_id])


# --- who, and taking down -----------------------------------------------------------------------------


def test_verify_names_the_missing_permissions(place: Place) -> None:
    place[0].scopes = ("pages_manage_posts", "pages_read_engagement")
    missing = ("pages_manage_engagement", "pages_read_user_content", "read_insights")
    app_id = APP_TOKEN.partition("|")[0]
    for adapter in (adapter_at(place[1].url), adapter_at(place[1].url, app_id=app_id)):
        identity = adapter.verify()
        assert (identity.remote_id, identity.name) == (PAGE, "Diskominfo Contoh")
        assert identity.missing_permissions == missing


def test_verify_works_where_facebook_does_not_tell_permissions(place: Place) -> None:
    place[0].debuggable = False
    assert adapter_at(place[1].url).verify().missing_permissions == ()


def test_a_token_of_another_page_is_refused(place: Place) -> None:
    for adapter in (
        adapter_at(place[1].url, page_id="109"),
        adapter_at(place[1].url, token="EAABkedaluwarsa"),
    ):
        with pytest.raises(AuthExpired):
            adapter.verify()


def test_taking_down_without_the_right_to_is_no_success(place: Place) -> None:
    receipt = sent(place, Post("a", "x"))
    odd(place, receipt.remote_id, refusal(400, 100, 33), method="DELETE")
    with pytest.raises(Transient):
        adapter_at(place[1].url).remove(receipt.remote_id)
    odd(place, receipt.remote_id, Answer(200, {"success": False}), method="DELETE")
    with pytest.raises(Transient):
        adapter_at(place[1].url).remove(receipt.remote_id)
    assert len(place[0].posts) == 1


# --- before anyone approves ---------------------------------------------------------------------------


def test_what_facebook_takes_is_not_objected_to(tmp_path: Path) -> None:
    adapter = FacebookPageAdapter(Account("fb", "x", _no_secret), now)
    items = tuple(picture(tmp_path, n, "a" * 1000) for n in range(10))
    clip = video(tmp_path)
    for post in (
        Post("a", "x" * 63206, LINK, first_comment="y" * 8000),
        Post("a", "", LINK),
        Post("a", "x", media=items),
        Post("a", "x", media=(clip,)),
        Post("a", "x", media=(clip,), kind="reel"),
        Post("a", "x", media=(video(tmp_path, seconds=95, pixels=(192, 108)),)),
    ):
        assert adapter.check(post) == []


def test_what_facebook_would_refuse_is_told_beforehand(tmp_path: Path) -> None:
    adapter = FacebookPageAdapter(Account("fb", "x", _no_secret), now)
    item, mute, clip = picture(tmp_path, 1, "Poster"), video(tmp_path), video(tmp_path, alt="Klip")
    big, gif, odd_name = tmp_path / "big.jpg", tmp_path / "gif.jpg", tmp_path / "film.mp4"
    big.write_bytes(item.path.read_bytes() + bytes(4_000_000))
    gif.write_bytes(b"GIF89a" + item.path.read_bytes())
    odd_name.write_bytes(item.path.read_bytes())
    for post, codes in (
        (Post("a", "x" * 63207), ["text-too-long"]),
        (Post("a", "  "), ["empty-post"]),
        (Post("a", "x", first_comment="y" * 8001), ["first-comment-too-long"]),
        (Post("a", "x", media=(item,) * 11), ["too-many-media"]),
        (Post("a", "x", media=(replace(item, alt="a" * 1001),)), ["alt-too-long"]),
        (Post("a", "x", media=(replace(item, path=big),)), ["media-too-big"]),
        (Post("a", "x", media=(replace(item, path=gif),)), ["media-damaged"]),
        (Post("a", "x", media=(replace(item, path=mute.path),)), ["media-type"]),
        (Post("a", "x", media=(replace(mute, path=odd_name),)), ["media-type"]),
        (Post("a", "x", media=(item, mute)), ["video-alone"]),
        (Post("a", "x", media=(clip,)), ["video-alt"]),
        (Post("a", "x", kind="reel"), ["reel-is-a-video"]),
        (Post("a", "x", media=(item,), kind="reel"), ["reel-is-a-video"]),
        (Post("a", "x", media=(video(tmp_path, pixels=(640, 360)),), kind="reel"), ["reel-shape"]),
        (Post("a", "x", media=(video(tmp_path, pixels=(270, 480)),), kind="reel"), ["reel-shape"]),
        (
            Post("a", "x", media=(video(tmp_path, seconds=91, fps=24, pixels=(90, 160)),), kind="reel"),
            ["duration", "reel-shape"],
        ),
        (Post("a", "x", media=(video(tmp_path, seconds=2),), kind="reel"), ["duration"]),
        (Post("a", "x", kind="story"), ["no-such-kind"]),
    ):
        problems = adapter.check(post)
        assert [problem.code for problem in problems] == codes
        assert all(problem.message.format(**problem.values) for problem in problems)


def _no_secret(name: str) -> str:
    raise AssertionError(f"an offline check asked for {name}")

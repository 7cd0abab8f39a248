"""The Instagram adapter against an Instagram of our own that really fetches the pictures."""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))
pytest.register_assert_rewrite("adapters.contract_suite")

from kit.films import film  # noqa: E402
from servers.instagram_platform import (  # noqa: E402
    FIGURES,
    NAME,
    TOKEN,
    USER,
    Container,
    Instagram,
    error,
    instagram,
)
from servers.instagram_platform import Media as Listed  # noqa: E402
from servers.loopback import Answer, Fault, Loopback, patience  # noqa: E402
from servers.public_folder import PublicFolder, public_folder  # noqa: E402

from adapters.contract import (  # noqa: E402
    Absent,
    Account,
    Adapter,
    Found,
    Media,
    Post,
    Reach,
    Receipt,
    Unknown,
)
from adapters.contract_suite import AdapterContract  # noqa: E402
from adapters.contract_tools import Call, MemoryProgress, PowerCutError, Refusal, Remote, RemotePost, picture  # noqa: E402
from adapters.errors import (  # noqa: E402
    AccountHeld,
    AdapterError,
    Ambiguous,
    AuthExpired,
    Duplicate,
    Misconfigured,
    RateLimited,
    Rejected,
    Transient,
)
from adapters.instagram.adapter import InstagramAdapter  # noqa: E402
from adapters.instagram.rules import CODES  # noqa: E402
from adapters.media_store import MediaStore  # noqa: E402

PUBLISH, MAKE = ("POST", "/media_publish"), ("POST", f"/{USER}/media")


@dataclass
class Desk:
    """Everything around one account: the platform, the web server, an adapter that never sleeps."""

    platform: Instagram
    loopback: Loopback
    web: PublicFolder
    folder: Path
    waits: list[float] = field(default_factory=list)

    def adapter(self, base: str = "", *, store: bool = True, **options: Any) -> InstagramAdapter:
        public_url = MediaStore(str(self.web.folder), self.web.url).url_for if store else None
        account = Account(
            "ig", NAME, lambda _: TOKEN, base or self.loopback.url, {"user_id": USER, **options}, public_url
        )
        return InstagramAdapter(
            account,
            lambda: datetime.now(UTC),
            wait=self.waits.append,
            read_timeout=patience(self.loopback.url),
        )

    def post(self, text: str = "Tolak suap! #Hakordia", pictures: int = 1, **more: Any) -> Post:
        media = tuple(picture(self.folder, n, f"Poster {n}") for n in range(pictures))
        return Post("k", text, media=more.pop("media", media), **more)

    def video(self, seconds: int = 10, alt: str = "") -> Media:
        return film(self.folder, "video.mp4", alt=alt, seconds=seconds, fps=24, pixels=(108, 192))

    def since(self) -> datetime:
        return datetime.now(UTC) - timedelta(minutes=1)

    def fault(self, call: Call, how: Any, when: Any = "after") -> None:
        self.loopback.faults.append(Fault(*call, how, when))

    def count(self, call: Call) -> int:
        return self.loopback.count(*call)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with instagram() as (platform, loopback), public_folder(tmp_path / "www") as web:
        yield Desk(platform, loopback, web, tmp_path)


class InstagramRemote:
    def __init__(self, platform: Instagram) -> None:
        self.platform = platform

    def posts(self) -> Sequence[RemotePost]:
        found = []
        for id_, one in self.platform.media.items():
            text, _, link = one.caption.rpartition("\n\n")
            plain = (text, link) if link.startswith("https://") else (one.caption, "")
            found.append(RemotePost(id_, *plain, one.media))
        return found

    def engage(self, remote_id: str) -> Reach:
        self.platform.media[remote_id].figures = dict(FIGURES)
        return Reach(views=40, reach=31, likes=7, comments=2, shares=4, saves=3, profile_visits=5)


class Contract(AdapterContract):
    followers: ClassVar[int | None] = 4096
    publishing_call: ClassVar[Call] = PUBLISH
    later_call: ClassVar[tuple[Call, int] | None] = (("POST", "/comments"), 0)
    refusal: ClassVar[Refusal] = (400, '{"error": {"message": "Not like this.", "code": 100}}')
    refusal_words: ClassVar[str] = "Not like this."
    secrets: ClassVar[dict[str, str]] = {"access_token": TOKEN}
    options: ClassVar[dict[str, Any]] = {}

    @pytest.fixture
    def api_base(self, desk: Desk) -> str:
        return desk.loopback.url

    @pytest.fixture
    def make_adapter(self, desk: Desk) -> Callable[[str], Adapter]:
        return lambda base: desk.adapter(base, **self.options)

    @pytest.fixture
    def remote(self, desk: Desk) -> Remote:
        return InstagramRemote(desk.platform)


class TestFacebookLogin(Contract):
    pass


class TestInstagramLogin(Contract):
    options: ClassVar[dict[str, Any]] = {"login": "instagram", "user_id": ""}


def errors(adapter: Adapter, post: Post) -> list[str]:
    return [p.code for p in adapter.check(post) if p.severity == "error"]


def warnings(adapter: Adapter, post: Post) -> list[str]:
    return [p.code for p in adapter.check(post) if p.severity == "warning"]


# Kinds of posts


def test_one_picture_is_a_post_with_its_alt_text(desk: Desk) -> None:
    post = desk.post()
    receipt = desk.adapter().publish(post, MemoryProgress())
    assert isinstance(receipt, Receipt)
    (one,) = desk.platform.media.values()
    assert (one.kind, one.product, one.media) == ("IMAGE", "FEED", ((post.media[0].sha256, "Poster 0"),))
    assert receipt.permalink == f"https://www.instagram.com/p/{receipt.remote_id}/"


def test_a_png_goes_out_as_jpeg(desk: Desk) -> None:
    path = desk.folder / "poster.png"
    Image.new("RGBA", (2000, 2000), (200, 30, 30, 128)).save(path)
    item = Media(path, hashlib.sha256(path.read_bytes()).hexdigest(), "image/png", "Poster")
    desk.adapter().publish(desk.post(media=(item,)), MemoryProgress())
    (container,) = desk.platform.containers.values()
    assert container.sizes == ((1440, 1440),)


def test_a_reel_is_fetched_from_its_address(desk: Desk) -> None:
    post = desk.post(media=(desk.video(),), kind="reel")
    assert errors(desk.adapter(), post) == []
    desk.adapter().publish(post, MemoryProgress())
    (one,) = desk.platform.media.values()
    assert (one.kind, one.product, one.media[0][0]) == ("VIDEO", "REELS", post.media[0].sha256)


def test_a_reel_is_uploaded_where_there_is_no_public_store(desk: Desk) -> None:
    post = desk.post(media=(desk.video(),), kind="reel")
    adapter = desk.adapter(store=False)
    assert errors(adapter, post) == []
    desk.fault(("POST", r"/ig-api-upload/v26.0/\d+"), "reset")
    with pytest.raises(Transient):
        adapter.publish(post, progress := MemoryProgress())
    adapter.publish(post, progress)
    (one,) = desk.platform.media.values()
    assert one.media == ((post.media[0].sha256, ""),)


def test_an_upload_that_broke_off_goes_on_with_the_bytes_that_are_missing(desk: Desk) -> None:
    """The container is not made twice, and what arrived is not sent again."""
    post, progress = desk.post(media=(desk.video(),), kind="reel"), MemoryProgress()
    desk.platform.breaks_off = 1000
    for _ in range(2):
        try:
            desk.adapter(store=False).publish(post, progress)
        except Transient:
            (broken,) = desk.platform.containers.values()
            assert len(broken.received) == 1000
    (container,), (one,) = desk.platform.containers.values(), desk.platform.media.values()
    assert container.received == post.media[0].path.read_bytes()
    assert one.media[0][0] == post.media[0].sha256
    assert desk.count(("POST", r"/ig-api-upload/v26.0/\d+")) == 2


@pytest.mark.parametrize("fate", ["EXPIRED", "gone"])
def test_an_upload_whose_container_is_of_no_use_begins_anew(desk: Desk, fate: str) -> None:
    post, progress = desk.post(media=(desk.video(),), kind="reel"), MemoryProgress()
    desk.platform.breaks_off = 1000
    with pytest.raises(Transient):
        desk.adapter(store=False).publish(post, progress)
    (id_,) = desk.platform.containers
    if fate == "gone":
        del desk.platform.containers[id_]
    else:
        desk.platform.containers[id_].status = fate
    desk.adapter(store=False).publish(post, progress)
    (one,) = desk.platform.media.values()
    assert one.media[0][0] == post.media[0].sha256


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_power_cut_while_a_reel_is_uploaded_leaves_one_reel(desk: Desk, cut: int) -> None:
    post, progress = desk.post(media=(desk.video(),), kind="reel"), MemoryProgress(dies_after=cut)
    for _ in range(2):
        with contextlib.suppress(PowerCutError):
            desk.adapter(store=False).publish(post, progress)
    assert len(desk.platform.media) == 1
    assert len(desk.platform.containers) == 1


def test_with_instagram_login_a_reel_cannot_be_uploaded(desk: Desk) -> None:
    adapter = desk.adapter(store=False, login="instagram")
    post = desk.post(media=(desk.video(),), kind="reel")
    assert errors(adapter, post) == ["no-public-media"]
    with pytest.raises(Rejected, match="public media store"):
        adapter.publish(post, MemoryProgress())


def test_a_single_video_in_the_feed_is_a_reel_shown_there_too(desk: Desk) -> None:
    desk.adapter().publish(desk.post(media=(desk.video(),)), MemoryProgress())
    (container,) = desk.platform.containers.values()
    assert container.params["media_type"] == "REELS"
    assert container.params["share_to_feed"] == "true"


def test_a_carousel_may_mix_pictures_and_videos(desk: Desk) -> None:
    media = (picture(desk.folder, 1, "Poster"), desk.video())
    desk.adapter().publish(desk.post(media=media), MemoryProgress())
    kinds = [c.params.get("media_type") for c in desk.platform.containers.values()]
    assert kinds == [None, "VIDEO", "CAROUSEL"]


def test_a_story_has_no_caption_and_no_comment(desk: Desk) -> None:
    post = desk.post("", kind="story")
    desk.adapter().publish(post, MemoryProgress())
    (one,) = desk.platform.media.values()
    assert (one.product, one.caption) == ("STORY", "")


def test_the_first_comment_is_written_once(desk: Desk) -> None:
    post, progress = desk.post(first_comment="Laporkan di lapor.go.id"), MemoryProgress()
    for _ in range(2):
        desk.adapter().publish(post, progress)
    (one,) = desk.platform.media.values()
    assert [text for text, _ in one.comments.values()] == ["Laporkan di lapor.go.id"]


# What is refused before anyone approves


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"text": "a" * 2201}, "text-too-long"),
        ({"text": " ".join(f"#a{n}" for n in range(31))}, "too-many-hashtags"),
        ({"text": " ".join(f"@a{n}" for n in range(21))}, "too-many-mentions"),
        ({"pictures": 0}, "media-required"),
        ({"pictures": 11}, "too-many-media"),
        ({"kind": "reel"}, "reel-media"),
        ({"kind": "story", "pictures": 2}, "story-media"),
        ({"kind": "story", "first_comment": "a"}, "story-comment"),
    ],
)
def test_refused_offline(desk: Desk, change: dict[str, Any], code: str) -> None:
    assert errors(desk.adapter(), desk.post(**change)) == [code]
    assert desk.loopback.calls == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"text": " ".join(f"#a{n}" for n in range(6))}, "many-hashtags"),
        ({"link": "https://kpk.go.id"}, "dead-link"),
        ({"text": "lihat www.kpk.go.id"}, "dead-link"),
        ({"text": "ada", "kind": "story"}, "no-caption"),
    ],
)
def test_warned_offline(desk: Desk, change: dict[str, Any], code: str) -> None:
    assert code in warnings(desk.adapter(), desk.post(**change))
    assert errors(desk.adapter(), desk.post(**change)) == []


def test_hashes_in_links_are_no_hashtags(desk: Desk) -> None:
    text = " ".join(f"https://a.go.id/#b{n} orang@kpk.go.id" for n in range(31))
    assert errors(desk.adapter(), desk.post(text)) == []


def test_media_are_judged_by_their_content(desk: Desk) -> None:
    narrow = desk.folder / "narrow.jpg"
    Image.new("RGB", (500, 1000)).save(narrow)
    text = desk.folder / "text.jpg"
    text.write_text("bukan gambar")
    for path, code in ((narrow, "aspect-ratio"), (text, "media-type")):
        item = Media(path, "0" * 64, "image/jpeg", "a")
        assert errors(desk.adapter(), desk.post(media=(item,))) == [code]
    asked = desk.adapter(fit="pad")
    item = Media(narrow, hashlib.sha256(narrow.read_bytes()).hexdigest(), "image/jpeg", "a")
    assert warnings(asked, desk.post(media=(item,))) == ["padded"]
    asked.publish(desk.post(media=(item,)), MemoryProgress())
    (container,) = desk.platform.containers.values()
    assert container.sizes == ((800, 1000),)
    for seconds in (2, 901):
        assert errors(desk.adapter(), desk.post(media=(desk.video(seconds),), kind="reel")) == ["duration"]


def test_without_a_public_store_pictures_are_refused_with_the_reason(desk: Desk) -> None:
    adapter = desk.adapter(store=False)
    assert errors(adapter, desk.post()) == ["no-public-media"]
    with pytest.raises(Rejected) as raised:
        adapter.publish(desk.post(), MemoryProgress())
    assert raised.value.code == "no-public-media"


def test_an_unreachable_store_makes_the_post_wait(desk: Desk) -> None:
    desk.web.status = 403
    with pytest.raises(Transient, match="403"):
        desk.adapter().publish(desk.post(), MemoryProgress())
    assert desk.count(MAKE) == 0


@pytest.mark.parametrize("options", [{"login": "google"}, {"user_id": ""}])
def test_options_that_cannot_work_are_refused(desk: Desk, options: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured):
        desk.adapter(**options)


# Containers


def test_a_container_is_waited_for(desk: Desk) -> None:
    desk.platform.polls = 3
    desk.adapter().publish(desk.post(), MemoryProgress())
    assert len(desk.waits) == 3


def test_a_container_that_takes_too_long_is_used_by_the_next_attempt(desk: Desk) -> None:
    desk.platform.polls = 12
    progress = MemoryProgress()
    with pytest.raises(Transient, match="processing"):
        desk.adapter().publish(desk.post(), progress)
    assert sum(desk.waits) <= 310
    desk.adapter().publish(desk.post(), progress)
    assert desk.count(MAKE) == 1


def test_an_expired_container_is_replaced(desk: Desk) -> None:
    progress = MemoryProgress()
    desk.fault(PUBLISH, "reset", "before")
    with pytest.raises(Ambiguous):
        desk.adapter().publish(desk.post(pictures=2), progress)
    for container in desk.platform.containers.values():
        container.status = "EXPIRED"
    desk.adapter().publish(desk.post(pictures=2), progress)
    assert len(desk.platform.media) == 1
    assert desk.count(MAKE) == 6


def test_a_container_of_other_content_is_not_published(desk: Desk) -> None:
    progress = MemoryProgress()
    desk.platform.refuse["media_publish"] = [error(400, 9, 2207042, "You reached the maximum.")]
    with pytest.raises(RateLimited):
        desk.adapter().publish(desk.post("Lama"), progress)
    desk.adapter().publish(desk.post("Baru"), progress)
    assert [one.caption for one in desk.platform.media.values()] == ["Baru"]


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Error: Media upload has failed with error code 2207026", Rejected),
        ("Error: 2207052 could not fetch", Transient),
        ("Error", Transient),
    ],
)
def test_a_container_in_error(desk: Desk, words: str, kind: type[AdapterError]) -> None:
    progress = MemoryProgress()
    desk.platform.containers["77"] = Container({}, status="ERROR", words=words)
    progress.save(post={"container": "77", "made_of": ""})
    adapter, post = desk.adapter(), desk.post()
    desk.platform.polls = 0
    made_of = adapter._piece(post, progress).made_of
    progress.save(post={"container": "77", "made_of": made_of})
    if words == "Error":  # no reason: a new one is made at once
        adapter.publish(post, progress)
        return
    with pytest.raises(kind):
        adapter.publish(post, progress)
    assert desk.platform.media == {}
    adapter.publish(post, progress)


# Refusals at the publishing step

REFUSALS = [
    (1, None, Ambiguous),
    (2, None, Ambiguous),
    (-1, 2207001, Ambiguous),
    (-1, 2207032, Ambiguous),
    (-2, 2207003, Ambiguous),
    (9004, 2207052, Ambiguous),
    (4, 2207051, Ambiguous),
    (100, 33, Ambiguous),
    (123456, None, Ambiguous),
    (4, None, RateLimited),
    (9, 2207042, RateLimited),
    (80002, None, RateLimited),
    (190, 460, AuthExpired),
    (10, None, AuthExpired),
    (25, 2207050, AccountHeld),
    (368, None, AccountHeld),
    (352, 2207026, Rejected),
    (36000, 2207004, Rejected),
    (36001, 2207005, Rejected),
    (36003, 2207009, Rejected),
    (36004, 2207010, Rejected),
    (100, 2207023, Rejected),
    (100, 2207040, Rejected),
]


@pytest.mark.parametrize(("code", "subcode", "kind"), REFUSALS)
def test_what_a_refusal_to_publish_means(
    desk: Desk, code: int, subcode: int | None, kind: type[AdapterError]
) -> None:
    desk.platform.refuse["media_publish"] = [error(400, code, subcode, "Kata-kata Meta sendiri.")]
    progress = MemoryProgress()
    with pytest.raises(kind) as raised:
        desk.adapter().publish(desk.post(), progress)
    assert type(raised.value) is kind
    assert raised.value.reason == "Kata-kata Meta sendiri."
    assert raised.value.code == (f"{code}/{subcode}" if subcode else str(code))
    assert desk.count(PUBLISH) == 1
    desk.adapter().publish(desk.post(), progress)
    assert len(desk.platform.media) == 1


def test_every_code_of_the_table_is_tested_or_tried_again() -> None:
    tested = {(code, subcode) for code, subcode, _ in REFUSALS}
    again = {(9007, 2207027), (24, 2207008), (-2, 2207020), (-1, 2207053), (24, 2207006)}
    rest = {key for key in CODES if key not in tested | again}
    assert {subcode for _, subcode in rest} <= {2207057, 2207028, *range(2207035, 2207041)}


@pytest.mark.parametrize(("code", "subcode"), [(9007, 2207027), (24, 2207008)])
def test_not_ready_is_waited_for_with_the_same_container(desk: Desk, code: int, subcode: int) -> None:
    desk.platform.refuse["media_publish"] = [error(400, code, subcode, "Not yet.")] * 2
    desk.adapter().publish(desk.post(), MemoryProgress())
    assert desk.waits == [30, 60]
    assert (desk.count(MAKE), len(desk.platform.media)) == (1, 1)


@pytest.mark.parametrize(("code", "subcode"), [(-2, 2207020), (-1, 2207053), (24, 2207006)])
def test_a_container_that_is_of_no_use_is_replaced_at_once(desk: Desk, code: int, subcode: int) -> None:
    desk.platform.refuse["media_publish"] = [error(400, code, subcode, "Generate a new container.")]
    desk.adapter().publish(desk.post(), MemoryProgress())
    assert (desk.waits, desk.count(MAKE), len(desk.platform.media)) == ([], 2, 1)


def test_containers_that_are_refused_for_ever_end_the_attempt(desk: Desk) -> None:
    desk.platform.refuse["media_publish"] = [error(400, 24, 2207008, "Not yet.")] * 50
    with pytest.raises(Transient):
        desk.adapter().publish(desk.post(), MemoryProgress())
    assert desk.count(MAKE) == 3


@pytest.mark.parametrize(
    "lie",
    [
        error(400, 4, 2207051, "We restrict certain activity to protect our community."),
        error(500, 2, None, "Please retry your request later."),
        error(400, 24, 2207008, "The media builder does not exist."),
        error(400, -2, 2207020, "The media has expired."),
        Answer(200, {"success": True}),
        Answer(200, b"<html>ok</html>", {"Content-Type": "text/html"}),
    ],
)
def test_an_error_answered_for_a_post_that_is_live_posts_once(desk: Desk, lie: Answer) -> None:
    """Instagram 4/2207051 and its like: the container says that it is out, the listing gives its id."""
    desk.platform.lies["media_publish"] = [lie]
    progress = MemoryProgress()
    try:
        receipt = desk.adapter().publish(desk.post(), progress)
    except Ambiguous:
        found = desk.adapter().find(desk.post(), progress, desk.since())
        assert isinstance(found, Found)
        receipt = desk.adapter().publish(desk.post(), progress)
        assert receipt.remote_id == found.remote_id
    assert list(desk.platform.media) == [receipt.remote_id]


def test_spam_block_while_preparing_holds_the_account(desk: Desk) -> None:
    desk.platform.refuse["media"] = [error(400, 4, 2207051, "We restrict certain activity.")]
    with pytest.raises(AccountHeld):
        desk.adapter().publish(desk.post(), MemoryProgress())


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
    assert len(desk.platform.media) == 1
    assert desk.count(MAKE) == 1


@pytest.mark.parametrize("how", ["reset", "timeout", "truncated", "html", "500"])
@pytest.mark.parametrize("call", [MAKE, ("GET", "/content_publishing_limit"), ("GET", r"/v26.0/\d+")])
def test_a_fault_while_preparing_is_transient(desk: Desk, how: str, call: Call) -> None:
    desk.fault(call, how)
    progress = MemoryProgress()
    with pytest.raises(Transient):
        desk.adapter().publish(desk.post(), progress)
    desk.adapter().publish(desk.post(), progress)
    assert len(desk.platform.media) == 1


def test_a_permalink_that_is_not_told_does_not_undo_the_post(desk: Desk) -> None:
    desk.platform.polls = 0
    progress = MemoryProgress()
    adapter = desk.adapter()
    progress.save(post={"id": "17900000000000099"})
    assert adapter.publish(desk.post(), progress) == Receipt("17900000000000099", "")


def test_the_children_of_a_carousel_are_kept(desk: Desk) -> None:
    progress, post = MemoryProgress(), desk.post(pictures=3)
    desk.platform.refuse["media"] = []
    with pytest.raises(PowerCutError):
        desk.adapter().publish(post, cut := MemoryProgress(dies_after=3))
    progress.save(**dict(cut.saved))
    desk.adapter().publish(post, progress)
    assert desk.count(MAKE) == 4
    (one,) = desk.platform.media.values()
    assert [sha for sha, _ in one.media] == [item.sha256 for item in post.media]


# Quota


def test_a_used_up_quota_is_seen_before_anything_is_made(desk: Desk) -> None:
    desk.platform.quota = {"quota_usage": 50, "config": {"quota_total": 50, "quota_duration": 86400}}
    with pytest.raises(RateLimited, match="50 of 50") as raised:
        desk.adapter().publish(desk.post(), MemoryProgress())
    assert timedelta(minutes=50) < raised.value.until - datetime.now(UTC) < timedelta(hours=2)
    assert desk.count(MAKE) == 0
    room = desk.adapter().room()
    assert room is not None, "asked beforehand, it says the same"
    assert room.until > datetime.now(UTC)


def test_a_quota_that_is_not_told_is_no_obstacle(desk: Desk) -> None:
    desk.platform.quota = {}
    assert desk.adapter().room() is None
    desk.adapter().publish(desk.post(), MemoryProgress())


def test_the_quota_does_not_keep_a_post_that_is_out_from_being_adopted(desk: Desk) -> None:
    desk.fault(PUBLISH, "reset")
    progress = MemoryProgress()
    with pytest.raises(Ambiguous):
        desk.adapter().publish(desk.post(), progress)
    desk.platform.quota = {"quota_usage": 50, "config": {"quota_total": 50}}
    desk.adapter().publish(desk.post(), progress)


def test_a_kept_container_is_not_published_over_the_quota(desk: Desk) -> None:
    progress = MemoryProgress()
    desk.platform.refuse["media_publish"] = [error(400, 190, 463, "Session has expired")]
    with pytest.raises(AuthExpired):
        desk.adapter().publish(desk.post(), progress)
    desk.platform.quota = {"quota_usage": 50, "config": {"quota_total": 50}}
    with pytest.raises(RateLimited):
        desk.adapter().publish(desk.post(), progress)
    assert desk.count(PUBLISH) == 1


# Reading back


def test_a_post_that_is_out_but_not_listed_asks_a_person(desk: Desk) -> None:
    desk.fault(PUBLISH, "reset")
    desk.platform.lists = False
    progress = MemoryProgress()
    with pytest.raises(Ambiguous):
        desk.adapter().publish(desk.post(), progress)
    assert isinstance(desk.adapter().find(desk.post(), progress, desk.since()), Unknown)
    with pytest.raises(Ambiguous):
        desk.adapter().publish(desk.post(), progress)
    assert len(desk.platform.media) == 1


def test_a_container_nobody_knows_any_more_asks_a_person(desk: Desk) -> None:
    desk.fault(PUBLISH, "reset")
    progress = MemoryProgress()
    with pytest.raises(Ambiguous):
        desk.adapter().publish(desk.post(), progress)
    desk.platform.containers.clear()
    desk.platform.lists = False
    assert isinstance(desk.adapter().find(desk.post(), progress, desk.since()), Unknown)
    with pytest.raises(Ambiguous):
        desk.adapter().publish(desk.post(), progress)


def test_captions_without_the_at_sign_are_recognised(desk: Desk) -> None:
    desk.platform.keeps_at = False
    post = desk.post("  Bersama @KPK.RI\u200b,  tolak suap  ")
    desk.adapter().publish(post, MemoryProgress())
    assert isinstance(desk.adapter().find(post, MemoryProgress(), desk.since()), Found)


def test_another_kind_or_number_of_media_is_another_post(desk: Desk) -> None:
    desk.adapter().publish(desk.post(pictures=2), MemoryProgress())
    for other in (desk.post(pictures=1), desk.post(pictures=3), desk.post(media=(desk.video(),))):
        assert isinstance(desk.adapter().find(other, MemoryProgress(), desk.since()), Absent)


def test_the_listing_is_read_page_by_page(desk: Desk) -> None:
    desk.platform.page = 2
    receipt = desk.adapter().publish(desk.post(), MemoryProgress())
    for n in range(7):
        desk.platform.media[str(n)] = Listed(f"Lain {n}", "IMAGE", "FEED", (), datetime.now(UTC))
    found = desk.adapter().find(desk.post(), MemoryProgress(), desk.since())
    assert isinstance(found, Found)
    assert found.remote_id == receipt.remote_id


def test_a_listing_without_end_proves_nothing(desk: Desk) -> None:
    desk.platform.page = 1
    for n in range(30):
        desk.platform.media[str(n)] = Listed(f"Lain {n}", "IMAGE", "FEED", (), datetime.now(UTC))
    assert isinstance(desk.adapter().find(desk.post(), MemoryProgress(), desk.since()), Unknown)


def test_a_story_is_told_by_its_container(desk: Desk) -> None:
    post, progress = desk.post("", kind="story"), MemoryProgress()
    desk.fault(PUBLISH, "reset")
    with pytest.raises(Ambiguous):
        desk.adapter().publish(post, progress)
    assert isinstance(desk.adapter().find(post, progress, desk.since()), Found)
    # Without the container's word, a story of that time may be anybody's; and two cannot be told apart.
    assert isinstance(desk.adapter().find(post, MemoryProgress(), desk.since()), Unknown)
    desk.platform.media["1"] = Listed("", "IMAGE", "STORY", (), datetime.now(UTC))
    assert isinstance(desk.adapter().find(post, progress, desk.since()), Unknown)
    assert isinstance(desk.adapter().find(post, progress, datetime.now(UTC) - timedelta(hours=30)), Unknown)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_first_comment_whose_end_is_unknown_is_written_once(desk: Desk, when: str) -> None:
    post, progress = desk.post(first_comment="Laporkan!"), MemoryProgress()
    desk.fault(("POST", "/comments"), "reset", when)
    with pytest.raises(Ambiguous):
        desk.adapter().publish(post, progress)
    found = desk.adapter().find(post, progress, desk.since())
    assert isinstance(found, Found if when == "after" else Absent)
    receipt = desk.adapter().publish(post, progress)
    assert list(desk.platform.media) == [receipt.remote_id]
    assert len(desk.platform.media[receipt.remote_id].comments) == 1
    assert desk.adapter().find(post, progress, desk.since()) == Found(receipt.remote_id, receipt.permalink)


def test_a_comment_that_is_refused_for_good_is_missing_and_the_post_is_out(desk: Desk) -> None:
    desk.platform.refuse["comments"] = [error(400, 100, None, "Too many hashtags.")]
    post, progress = desk.post(first_comment="Laporkan!"), MemoryProgress()
    receipt = desk.adapter().publish(post, progress)
    assert receipt.shortfall == "The post is out, but its first comment was refused: Too many hashtags."
    assert desk.adapter().publish(post, progress) == receipt
    found = desk.adapter().find(post, progress, desk.since())
    assert found == Found(receipt.remote_id, receipt.permalink, None, receipt.shortfall)
    (one,) = desk.platform.media.values()
    assert one.comments == {}


@pytest.mark.parametrize(
    ("code", "subcode", "kind"),
    [(4, None, RateLimited), (190, 463, AuthExpired), (368, None, AccountHeld), (2, None, Ambiguous)],
)
def test_a_comment_that_may_still_come_is_written_later(
    desk: Desk, code: int, subcode: int | None, kind: type[AdapterError]
) -> None:
    desk.platform.refuse["comments"] = [error(400, code, subcode, "Not now.")]
    post, progress = desk.post(first_comment="Laporkan!"), MemoryProgress()
    with pytest.raises(kind):
        desk.adapter().publish(post, progress)
    assert desk.adapter().publish(post, progress).shortfall == ""
    (one,) = desk.platform.media.values()
    assert len(one.comments) == 1


def test_a_comment_that_is_said_to_be_there_is_looked_for_before_that_is_believed(desk: Desk) -> None:
    again = error(400, 506, None, "Duplicate status message.")
    post, progress = desk.post(first_comment="Laporkan!"), MemoryProgress()
    desk.platform.refuse["comments"] = [again]
    with pytest.raises(Duplicate):
        desk.adapter().publish(post, progress)
    assert isinstance(desk.adapter().find(post, progress, desk.since()), Absent)
    desk.fault(("GET", "/comments"), "500")
    with pytest.raises(Transient):
        desk.adapter().publish(post, progress)
    desk.platform.refuse["comments"] = [error(400, 100, None, "No listing.")]
    with pytest.raises(Ambiguous):
        desk.adapter().publish(post, progress)
    desk.platform.lies["comments"] = [Answer(200, {"data": []}), again]
    assert "Duplicate status message." in desk.adapter().publish(post, progress).shortfall


def test_a_post_of_unknown_origin_without_its_comment_asks_a_person(desk: Desk) -> None:
    desk.adapter().publish(desk.post(), MemoryProgress())
    wanted = desk.post(first_comment="Laporkan!")
    assert isinstance(desk.adapter().find(wanted, MemoryProgress(), desk.since()), Unknown)


def test_somebody_elses_comment_of_the_same_words_is_not_ours(desk: Desk) -> None:
    post, progress = desk.post(first_comment="Laporkan!"), MemoryProgress()
    desk.fault(("POST", "/comments"), "reset", "before")
    with pytest.raises(Ambiguous):
        desk.adapter().publish(post, progress)
    (one,) = desk.platform.media.values()
    one.comments["1"] = ("Laporkan!", "warga.biasa")
    assert isinstance(desk.adapter().find(post, progress, desk.since()), Absent)


# Figures


def published(desk: Desk, **post: Any) -> Listed:
    receipt = desk.adapter().publish(desk.post(**post), MemoryProgress())
    return desk.platform.media[receipt.remote_id]


def test_the_comments_under_a_post_are_told(desk: Desk) -> None:
    one = published(desk)
    one.comments["77"] = ("Di mana?", "warga")
    (id_,) = desk.platform.media
    ((comment,),) = desk.adapter().replies([id_, "999"]).values()
    assert (comment.remote_id, comment.under, comment.author, comment.text) == (
        "77",
        id_,
        "warga",
        "Di mana?",
    )
    assert (comment.own, comment.written_at.hour) == (False, 1)


@pytest.mark.parametrize("login", ["facebook", "instagram"])
def test_no_figures_yet_is_unknown_not_zero(desk: Desk, login: str) -> None:
    published(desk)
    (told,) = desk.adapter(login=login).reach(list(desk.platform.media)).values()
    assert replace(told, raw={}) == Reach()


@pytest.mark.parametrize("login", ["facebook", "instagram"])
def test_one_refused_metric_does_not_hide_the_others(desk: Desk, login: str) -> None:
    one = published(desk)
    one.figures, one.unsupported = dict(FIGURES), ("saved",)
    (told,) = desk.adapter(login=login).reach(list(desk.platform.media)).values()
    assert replace(told, raw={}) == Reach(views=40, reach=31, likes=7, comments=2, shares=4, profile_visits=5)
    assert told.why == {"saves": "refused"}
    assert told.raw["refused"] == {"saved": "100/2108006"}


def test_a_story_with_few_viewers_is_unknown_and_no_matter_of_rights(desk: Desk) -> None:
    one = published(desk, text="", kind="story")
    one.insights = [error(400, 10, None, "(#10) Not enough viewers for the media to show insights")]
    (told,) = desk.adapter().reach(list(desk.platform.media)).values()
    assert replace(told, raw={}) == Reach()
    assert isinstance(refused := told.raw["refused"], dict)
    assert refused["reach"] == "10"


def test_story_figures(desk: Desk) -> None:
    published(desk, text="", kind="story").figures = dict(FIGURES)
    (told,) = desk.adapter().reach(list(desk.platform.media)).values()
    assert replace(told, raw={}) == Reach(views=40, reach=31, shares=4)


def test_figures_of_many_posts_are_asked_in_batches(desk: Desk) -> None:
    for n in range(60):
        desk.platform.media[str(n)] = Listed("a", "IMAGE", "FEED", (), datetime.now(UTC), figures=FIGURES)
    assert len(desk.adapter().reach(list(desk.platform.media))) == 60
    assert len(desk.loopback.calls) == 4
    assert desk.adapter().reach([]) == {}


@pytest.mark.parametrize("login", ["facebook", "instagram"])
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(400, 190, 463, "Session has expired"), AuthExpired),
        (error(400, 4, None, "Application request limit reached"), RateLimited),
        (error(500, 2, None, "Service temporarily unavailable"), Transient),
    ],
)
def test_an_answer_that_is_not_about_the_post_is_no_figure(
    desk: Desk, login: str, answer: Answer, kind: type[AdapterError]
) -> None:
    published(desk).insights = [answer]
    with pytest.raises(kind):
        desk.adapter(login=login).reach(list(desk.platform.media))


# The account


def test_missing_permissions_are_named(desk: Desk) -> None:
    desk.platform.permissions = ("instagram_basic", "instagram_content_publish", "pages_read_engagement")
    missing = desk.adapter().verify().missing_permissions
    assert missing == ("instagram_manage_comments", "instagram_manage_insights")


def test_a_token_without_a_list_of_permissions_is_accepted(desk: Desk) -> None:
    desk.platform.refuse["permissions"] = [error(400, 100, None, "Tried accessing nonexisting field")]
    assert desk.adapter().verify().missing_permissions == ()


def test_a_refused_token_asks_for_a_new_one(desk: Desk) -> None:
    account = Account("ig", NAME, lambda _: "another", desk.loopback.url, {"user_id": USER})
    with pytest.raises(AuthExpired) as raised:
        InstagramAdapter(account, lambda: datetime.now(UTC)).verify()
    assert raised.value.code == "190/463"


def test_the_token_travels_in_headers_only(desk: Desk) -> None:
    desk.adapter().publish(desk.post(), MemoryProgress())
    assert all(TOKEN not in path for _, path in desk.loopback.calls)

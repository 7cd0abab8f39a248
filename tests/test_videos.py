"""Videos, real ones: what is wrong with a file is told before anyone approves, and what is right goes out.

The films are made by PyAV (``kit.films``). That PyAV is not there, as with a plain install, is shown in a
process of its own that cannot import it.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kit.films import coded, film
from kit.house import LATER, House
from kit.office import Office, soon
from PIL import Image

from adapters import registry
from adapters.contract import Account, Kind, Media, Part, Post
from adapters.videos import VideoBounds, video_facts, video_objections
from scheduler.states import State


def found(item: Media, **bounds: Any) -> list[str]:
    return [problem.code for problem in video_objections(item, VideoBounds(**bounds))]


# One file


def test_a_film_says_what_it_is(tmp_path: Path) -> None:
    facts = video_facts(film(tmp_path, seconds=4, fps=25, pixels=(540, 960)).path)
    assert (facts.mime, facts.seconds, facts.width, facts.height) == ("video/mp4", 4.0, 540, 960)
    assert (facts.codec, facts.sound, facts.fps, facts.inspected) == ("h264", ("aac",), 25.0, True)


def test_a_film_made_lying_down_counts_as_it_is_shown(tmp_path: Path) -> None:
    """Phones film 960 by 540 and write "turn it" beside; every player shows 540 by 960."""
    facts = video_facts(film(tmp_path, pixels=(960, 540), turned=True).path)
    assert (facts.width, facts.height) == (540, 960)


@pytest.mark.parametrize(
    ("how", "bounds", "codes"),
    [
        ({}, {"min_seconds": 3, "max_seconds": 4}, []),
        ({}, {"max_seconds": 3.9}, ["duration"]),
        ({}, {"min_seconds": 4.1}, ["duration"]),
        ({}, {"max_bytes": 1000}, ["media-too-big"]),
        ({}, {"types": ("video/quicktime",)}, ["media-type"]),
        ({"container": "mov"}, {}, []),
        ({}, {"codecs": ("h264", "hevc"), "sound": ("aac",)}, []),
        ({"codec": "mpeg4"}, {"codecs": ("h264", "hevc")}, ["video-codec"]),
        ({"sound": "libmp3lame"}, {"sound": ("aac",)}, ["sound-codec"]),
        ({"sound": ""}, {"sound": ("aac",)}, []),
        ({"fps": 12}, {"min_fps": 23, "max_fps": 60}, ["frame-rate"]),
        ({"fps": 75, "seconds": 1}, {"max_fps": 60}, ["frame-rate"]),
        ({"fps": 60, "seconds": 1}, {"min_fps": 60, "max_fps": 60}, []),
        ({}, {"min_ratio": 0.5, "max_ratio": 0.6}, []),
        ({"pixels": (640, 160)}, {"min_ratio": 1 / 3, "max_ratio": 3}, ["aspect-ratio"]),
        ({"pixels": (160, 640)}, {"min_ratio": 1 / 3, "max_ratio": 3}, ["aspect-ratio"]),
        ({"pixels": (640, 160)}, {"max_width": 639}, ["pixels"]),
        ({"pixels": (640, 160)}, {"max_pixels": 640 * 160 - 1}, ["pixels"]),
        (
            {"codec": "mpeg4", "fps": 12, "pixels": (640, 160)},
            {"codecs": ("h264",), "min_fps": 23, "max_fps": 60, "max_width": 320, "max_seconds": 1},
            ["duration", "pixels", "video-codec", "frame-rate"],
        ),
    ],
)  # fmt: skip
def test_everything_out_of_bounds_is_told_at_once(
    tmp_path: Path, how: Mapping[str, Any], bounds: Mapping[str, Any], codes: list[str]
) -> None:
    assert found(film(tmp_path, **how), **bounds) == codes


def test_half_a_film_is_told(tmp_path: Path) -> None:
    """A file cut off in copying has its boxes in the beginning or none; either way its end is missing."""
    whole = film(tmp_path)
    content = whole.path.read_bytes()
    for cut in (len(content) // 2, len(content) - 1, 100):
        whole.path.write_bytes(content[:cut])
        assert found(whole) == ["media-damaged"]


def test_a_film_with_rubbish_in_it_is_told(tmp_path: Path) -> None:
    item = film(tmp_path)
    content = bytearray(item.path.read_bytes())
    start = content.index(b"mdat") + 4
    content[start : start + 4000] = bytes(4000)
    item.path.write_bytes(content)
    assert found(item) == ["media-damaged"]


def test_without_pyav_the_length_is_checked_and_a_warning_says_what_was_not(tmp_path: Path) -> None:
    """Given an install without the extra ``video``: no refusal is invented, and none is kept silent."""
    item = film(tmp_path, codec="mpeg4", fps=12, seconds=4)
    program = """
import json, sys
sys.modules["av"] = None  # what import finds where nothing is installed
from pathlib import Path
from adapters.contract import Media
from adapters.videos import VideoBounds, video_objections
bounds = VideoBounds(codecs=("h264",), min_fps=23, max_fps=60, max_seconds=3)
problems = video_objections(Media(Path(sys.argv[1]), "", "video/mp4", ""), bounds)
print(json.dumps([(problem.code, problem.severity) for problem in problems]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(item.path)], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == [["duration", "error"], ["video-unchecked", "warning"]]


# Each platform and kind of post (PLATFORMS.md, November 2026)

GIF = "image/gif"


def still(folder: Path, kind: str, *, moves: bool = False) -> Media:
    path = folder / f"gambar.{kind.lower()}"
    frames = [Image.new("RGB", (400, 400), colour) for colour in ("red", "white")[: 1 + moves]]
    frames[0].save(path, kind, **({"save_all": True, "append_images": frames[1:]} if moves else {}))
    content = path.read_bytes()
    return Media(path, hashlib.sha256(content).hexdigest(), f"image/{kind.lower()}", "", 400, 400)


def platform_codes(folder: Path, platform: str, kind: Kind, item: Media) -> list[str]:
    """The errors that an account of the platform tells of a post with this medium."""
    options: dict[str, Any] = {"user_id": "17841400000000001"} if platform == "instagram" else {}
    options |= {"folder": str(folder)} if platform == "manual" else {}
    base = "http://127.0.0.1:9" if platform in ("practice", "mastodon") else ""
    account = Account("a", "diskominfo", _no_secret, base, options, lambda _media: "https://x.example/a")
    adapter = registry.adapter_class(platform)(account, lambda: datetime.now(UTC))
    problems = adapter.check(Post("k", "Tolak suap.", media=(item,), kind=kind))
    assert all(problem.message.format(**problem.values) for problem in problems)
    return [problem.code for problem in problems if problem.severity == "error"]


def _no_secret(name: str) -> str:
    raise AssertionError(f"an offline check asked for {name}")


GOOD: Mapping[str, Any] = {"seconds": 4, "fps": 25, "pixels": (540, 960)}
#: platform, kind, what is odd about the film, what is told
FILMS: list[tuple[str, Kind, Mapping[str, Any], list[str]]] = [
    ("x", "post", {}, []),
    ("x", "post", {"seconds": 141, "fps": 24, "pixels": (90, 160)}, ["duration"]),
    ("x", "post", {"seconds": 0.4}, ["duration"]),
    ("x", "post", {"codec": "mpeg4"}, ["video-codec"]),
    ("x", "post", {"sound": "libmp3lame"}, ["sound-codec"]),
    ("x", "post", {"fps": 75, "seconds": 1}, ["frame-rate"]),
    ("x", "post", {"pixels": (640, 160)}, ["aspect-ratio"]),
    ("facebook", "post", {"pixels": (640, 360), "codec": "mpeg4", "fps": 12}, []),
    ("facebook", "reel", {}, []),
    ("facebook", "reel", {"pixels": (960, 540), "turned": True}, []),
    ("facebook", "reel", {"pixels": (960, 540)}, ["reel-shape"]),
    ("facebook", "reel", {"fps": 12}, ["frame-rate"]),
    ("facebook", "reel", {"codec": "mpeg4"}, ["video-codec"]),
    ("facebook", "reel", {"seconds": 91, "fps": 24, "pixels": (90, 160)}, ["duration", "reel-shape"]),
    ("instagram", "reel", {}, []),
    ("instagram", "reel", {"fps": 12}, ["frame-rate"]),
    ("instagram", "reel", {"codec": "libvpx-vp9", "fps": 24, "seconds": 3}, ["video-codec"]),
    ("instagram", "reel", {"sound": "libmp3lame"}, ["sound-codec"]),
    ("instagram", "reel", {"seconds": 2}, ["duration"]),
    ("instagram", "reel", {"pixels": (1936, 160), "seconds": 3}, ["pixels", "aspect-ratio"]),
    ("instagram", "story", {"seconds": 61, "fps": 24, "pixels": (90, 160)}, ["duration"]),
    ("threads", "post", {"fps": 24, "seconds": 1}, []),
    ("threads", "post", {"codec": "mpeg4"}, ["video-codec"]),
    ("threads", "post", {"seconds": 301, "fps": 24, "pixels": (90, 160)}, ["duration"]),
    ("telegram", "post", {}, []),
    ("telegram", "post", {"container": "mov"}, ["media-type"]),
    ("mastodon", "post", {"container": "mov"}, []),
    ("mastodon", "post", {"container": "webm", "codec": "libvpx-vp9", "sound": "libopus", "seconds": 1}, []),
    ("mastodon", "post", {"fps": 130, "seconds": 1, "pixels": (64, 64)}, ["frame-rate"]),
    ("bluesky", "post", {}, ["media-type"]),
    ("manual", "reel", {"codec": "mpeg4", "container": "mov"}, []),
    ("practice", "post", {}, ["media-type"]),
]  # fmt: skip


@pytest.mark.parametrize(("platform", "kind", "how", "codes"), FILMS)
def test_each_platform_takes_its_own_films(
    tmp_path: Path, platform: str, kind: Kind, how: Mapping[str, Any], codes: list[str]
) -> None:
    assert platform_codes(tmp_path, platform, kind, film(tmp_path, **{**GOOD, **how})) == codes


@pytest.mark.parametrize("platform", sorted(registry.BUILT_IN))
def test_half_a_film_is_told_by_whoever_takes_films(tmp_path: Path, platform: str) -> None:
    item = film(tmp_path)
    item.path.write_bytes(item.path.read_bytes()[:-500])
    told = platform_codes(tmp_path, platform, "post", item)
    assert told == (["media-type"] if platform in ("bluesky", "practice") else ["media-damaged"])


#: platform -> what it says of a still GIF, a moving GIF, a WebP, a moving WebP, a TIFF
PICTURES = {
    "x": ([], [], [], ["animated"], ["media-type"]),
    "facebook": (["media-type"], ["animated"], ["media-type"], ["animated"], ["media-type"]),
    "instagram": ([], ["animated"], [], ["animated"], ["media-type"]),
    "threads": ([], ["animated"], [], ["animated"], ["media-type"]),
    "telegram": (["media-type"], ["animated"], [], ["animated"], ["media-type"]),
    "mastodon": ([], [], [], [], ["media-type"]),
    "bluesky": (["media-type"], ["animated"], [], ["animated"], ["media-type"]),
    "manual": ([], [], [], [], ["media-type"]),
    "practice": ([], [], [], [], ["media-type"]),
}


@pytest.mark.parametrize("platform", sorted(registry.BUILT_IN))
def test_each_platform_takes_its_own_pictures(tmp_path: Path, platform: str) -> None:
    items = (
        still(tmp_path, "GIF"),
        still(tmp_path, "GIF", moves=True),
        still(tmp_path, "WEBP"),
        still(tmp_path, "WEBP", moves=True),
        still(tmp_path, "TIFF"),
    )
    told = []
    for kind, moves in (("GIF", False), ("GIF", True), ("WEBP", False), ("WEBP", True), ("TIFF", False)):
        told.append(platform_codes(tmp_path, platform, "post", still(tmp_path, kind, moves=moves)))
    assert tuple(told) == PICTURES[platform], items


# From a campaign file to the platforms


def test_a_campaign_with_a_film_is_checked_and_applied(tmp_path: Path) -> None:
    """Given a film that X would refuse, check and apply name it with its reason; mended, it is applied."""
    tail = '[accounts.x-dinas]\nplatform = "x"\nagency = "Dinas"\nhandle = "@dinas"\n'
    secrets = ("api_key", "api_secret", "access_token", "access_token_secret")
    tail += "[accounts.x-dinas.secrets]\n" + "".join(f'{name} = "env:X"\n' for name in secrets)
    office = Office(tmp_path / "kantor", tail=tail)
    film(office.folder / "campaigns", "klip.mp4", codec="mpeg4", fps=75, seconds=1)
    media = 'media = [{ file = "klip.mp4", alt = "Klip" }]'
    office.campaign("klip", {"jujur": soon(3600)}, accounts=["x-dinas"], extra=media)
    office.must("db", "upgrade")
    for command in ("check", "apply"):
        answer = office.must(command, code=2)
        assert "MPEG-4" in answer.all
        assert "75 pictures a second" in answer.all
    film(office.folder / "campaigns", "klip.mp4")
    office.must("apply")
    assert [post["account"] for post in office.posts()] == ["x-dinas"]


TAKES_FILMS = ("x", "facebook", "instagram", "threads", "telegram", "mastodon")


@pytest.mark.parametrize("platform", TAKES_FILMS)
def test_a_film_of_a_campaign_arrives_whole(house: Callable[..., House], platform: str) -> None:
    """From the office's folder over approval and dispatch to the platform: the same bytes, once."""
    home = house(platform)
    item = film(home.engine.folder, alt="Klip")
    home.engine.apply(home.campaign(files=(item.path.name,)))
    item.path.unlink()  # what was applied is kept
    home.work()
    for _ in range(6):
        if home.row["state"] != State.SENT:
            home.work(LATER)
    (root,) = home.side.roots
    assert (home.row["state"], root.text) == (State.SENT, "Tolak suap, laporkan.")
    assert [sha256 for sha256, _alt in root.media] == [item.sha256]


def test_a_film_that_changed_after_approval_is_not_sent(house: Callable[..., House]) -> None:
    home = house("x")
    item = film(home.engine.folder, alt="Klip")
    home.engine.apply(home.campaign(files=(item.path.name,)))
    kept = home.engine.media.path(item.sha256, item.path.name)
    kept.write_bytes(coded(seconds=1))
    home.work()
    assert (home.row["state"], home.side.tries) == (State.FAILED, 0)


def test_parts_of_a_thread_are_checked_as_well(tmp_path: Path) -> None:
    account = Account("a", "@diskominfo", _no_secret, "http://127.0.0.1:9")
    item = film(tmp_path, fps=130, seconds=1, pixels=(64, 64))
    for platform in ("mastodon", "x"):
        adapter = registry.adapter_class(platform)(account, lambda: datetime.now(UTC))
        post = Post("k", "a", thread=(Part("b", (replace(item, alt=""),)),))
        assert [problem.code for problem in adapter.check(post)] == ["frame-rate"]

"""What Facebook would refuse of a Page's post, told before anyone approves: offline and pure.

Facts: PLATFORMS.md, "Facebook Page", c, November 2026.
"""

from __future__ import annotations

from adapters.contract import N_, Media, Post, Problem
from adapters.facebook.reading import is_video
from adapters.pictures import JPEG, Bounds, objections
from adapters.videos import VideoBounds, video_facts, video_objections

#: 4 MB by the words of refusal 1366046, which do not say which MB: the smaller one is safe.
PICTURES = Bounds(types=(JPEG, "image/png"), max_bytes=4_000_000)
VIDEO = VideoBounds()
#: Meta's guide to publishing reels, "Video Specifications" (updated 2026-07-30).
REEL = VideoBounds(
    min_seconds=3,
    max_seconds=90,
    codecs=("h264", "hevc", "vp9", "av1"),
    sound=("aac",),
    min_fps=24,
    max_fps=60,
)
#: Characters (from memory; Meta publishes no number).
LONGEST_COMMENT = 8000
#: Pixels of the smallest reel, 9:16.
SMALLEST_REEL = (540, 960)


def check_page_post(post: Post) -> list[Problem]:
    """Given a post, return what Facebook objects to beyond the common limits."""
    problems = _check_set(post)
    for item in post.media:
        problems += _check_item(item, post)
    if len(post.first_comment) > LONGEST_COMMENT:
        problems.append(
            Problem(
                "first-comment-too-long",
                N_("The first comment is {length} long; this platform takes at most {limit}."),
                {"length": len(post.first_comment), "limit": LONGEST_COMMENT},
            )
        )
    return problems


def _check_set(post: Post) -> list[Problem]:
    """What is wrong with the media together."""
    videos = sum(is_video(item.mime) for item in post.media)
    if post.kind == "reel" and (videos, len(post.media)) != (1, 1):
        return [Problem("reel-is-a-video", N_("A reel is exactly one video."))]
    if videos and len(post.media) > 1:
        return [
            Problem(
                "video-alone", N_("A Facebook post takes one video, or pictures, but not both or several.")
            )
        ]
    return []


def _check_item(item: Media, post: Post) -> list[Problem]:
    """What is wrong with one medium: type by content, size, and of a reel its length and shape."""
    if not is_video(item.mime):
        return objections(item, PICTURES)
    problems = video_objections(item, REEL if post.kind == "reel" else VIDEO)
    if item.alt:
        problems.append(
            Problem(
                "video-alt",
                N_("Facebook has no alt text for videos; that of {file} is not shown."),
                {"file": item.path.name},
                "warning",
            )
        )
    return problems + (_check_shape(item) if post.kind == "reel" else [])


def _check_shape(item: Media) -> list[Problem]:
    width, height = item.width, item.height
    try:
        found = video_facts(item.path)
        width, height = found.width or width, found.height or height
    except OSError:  # whoever keeps the files says so
        pass
    small = width < SMALLEST_REEL[0] or height < SMALLEST_REEL[1]
    if not (width and height) or not (small or abs(width * 16 - height * 9) > height * 0.1):
        return []
    return [
        Problem(
            "reel-shape",
            N_("{file} is {width} by {height} pixels; a reel is 9:16 and at least 540 by 960."),
            {"file": item.path.name, "width": width, "height": height},
        )
    ]


__all__ = ["PICTURES", "check_page_post"]

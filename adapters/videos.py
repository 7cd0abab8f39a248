"""Videos as a platform wants them: what a file is, by its content and offline, and what is wrong with it.

Length and pixels come from the container's own boxes (``mp4``); codecs and frame rate from PyAV, which is
the extra ``video``. Without it they are not checked, and a warning says so. This module knows no platform.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.contract import N_, Media, Problem
from adapters.mp4 import Movie, read_movie
from adapters.pictures import content_type

if TYPE_CHECKING:
    from av.container import InputContainer

MP4, QUICKTIME, WEBM = "video/mp4", "video/quicktime", "video/webm"
#: Names of codecs for people; the others are their own.
_CODECS = {
    "h264": "H.264",
    "hevc": "H.265",
    "vp8": "VP8",
    "vp9": "VP9",
    "av1": "AV1",
    "mpeg4": "MPEG-4",
    "aac": "AAC",
    "mp3": "MP3",
    "opus": "Opus",
}
#: The codes of :func:`video_objections`.
CODES = frozenset(
    {
        *("aspect-ratio", "duration", "frame-rate", "media-damaged", "media-too-big", "media-type", "pixels"),
        *("sound-codec", "video-codec", "video-unchecked"),
    }
)
#: How far a frame rate may be off: film is 23.976 a second where documents write 24.
_FRAMES = 0.05


@dataclass(frozen=True, slots=True)
class VideoBounds:
    """What a platform takes; 0 or empty means no bound. ``ratio`` is width divided by height, as shown.

    ``codecs`` and ``sound`` are FFmpeg's names of codecs. A video without sound is taken everywhere.
    """

    types: tuple[str, ...] = (MP4, QUICKTIME)
    max_bytes: int = 0
    min_seconds: float = 0.0
    max_seconds: float = 0.0
    codecs: tuple[str, ...] = ()
    sound: tuple[str, ...] = ()
    min_fps: float = 0.0
    max_fps: float = 0.0
    min_ratio: float = 0.0
    max_ratio: float = 0.0
    max_width: int = 0
    max_pixels: int = 0


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What a file turned out to be; None where it does not say, or where nobody could look."""

    mime: str
    size: int
    seconds: float | None = None
    width: int | None = None
    height: int | None = None
    whole: bool = True
    """False if the end of the file is missing, or nothing in it can be played."""
    codec: str | None = None
    sound: tuple[str, ...] | None = None
    fps: float | None = None
    inspected: bool = False
    """Whether PyAV was there to look at codecs and frame rate."""


def is_video(item: Media) -> bool:
    """Whether the file is a video, by its content; by its declared type if it is not there."""
    try:
        with item.path.open("rb") as file:
            return content_type(file.read(64)).startswith("video/")
    except OSError:
        return item.mime.startswith("video/")


def video_facts(path: Path) -> VideoFacts:
    """Read the facts of a video; raise OSError if the file cannot be read."""
    size = path.stat().st_size
    with path.open("rb") as file:
        mime = content_type(file.read(64))
        if not mime.startswith("video/"):
            return VideoFacts(mime, size)
        movie = read_movie(file, size) if mime != WEBM else Movie()
    found = VideoFacts(mime, size, movie.seconds, movie.width, movie.height, movie.whole)
    return _inspected(path, found) if found.whole else found


def video_objections(item: Media, bounds: VideoBounds) -> list[Problem]:
    """Given a video, return why a platform with ``bounds`` would refuse it; nothing for a missing file."""
    try:
        found = video_facts(item.path)
    except OSError:
        return []
    name = item.path.name
    if found.mime not in bounds.types:
        return [
            Problem(
                "media-type",
                N_("{file} is {mime}; this platform takes: {known}."),
                {"file": name, "mime": found.mime or item.mime or "?", "known": ", ".join(bounds.types)},
            )
        ]
    if not found.whole:
        return [
            Problem(
                "media-damaged",
                N_("The video {file} is damaged, or its end is missing. Copy it anew."),
                {"file": name},
            )
        ]
    return [*_measures(name, found, bounds), *_shape(name, found, bounds), *_coding(name, found, bounds)]


def _inspected(path: Path, found: VideoFacts) -> VideoFacts:
    """The facts with what PyAV sees; as they are without PyAV."""
    try:
        import av
    except ImportError:
        return found
    try:
        with av.open(str(path)) as container:
            return _streams(container, found)
    except (av.FFmpegError, ValueError, StopIteration, IndexError):
        return replace(found, whole=False, inspected=True)


def _streams(container: InputContainer, found: VideoFacts) -> VideoFacts:
    video = container.streams.video[0]
    next(container.decode(video))  # a file may list a codec and hold rubbish
    seconds = container.duration / 1_000_000 if container.duration else None
    return replace(
        found,
        seconds=seconds if found.seconds is None else found.seconds,
        width=found.width or video.codec_context.width,
        height=found.height or video.codec_context.height,
        codec=video.codec_context.codec.canonical_name,
        sound=tuple(stream.codec_context.codec.canonical_name for stream in container.streams.audio),
        fps=float(video.average_rate) if video.average_rate else None,
        inspected=True,
    )


def _measures(name: str, found: VideoFacts, bounds: VideoBounds) -> Iterator[Problem]:
    """Bytes and seconds."""
    if bounds.max_bytes and found.size > bounds.max_bytes:
        megabytes = {"size": f"{found.size / 2**20:.1f}", "limit": f"{bounds.max_bytes / 2**20:.1f}"}
        yield Problem(
            "media-too-big",
            N_("{file} has {size} MB; this platform takes at most {limit} MB."),
            {"file": name, **megabytes},
        )
    if found.seconds is not None and not _within(found.seconds, bounds.min_seconds, bounds.max_seconds):
        seconds = {"seconds": f"{found.seconds:.1f}"}
        if bounds.max_seconds:
            words = N_("{file} is {seconds} seconds long; this platform takes {low} to {high}.")
        else:
            words = N_("{file} is {seconds} seconds long; this platform takes {low} and more.")
        seconds |= {"low": f"{bounds.min_seconds:g}", "high": f"{bounds.max_seconds:g}"}
        yield Problem("duration", words, {"file": name, **seconds})


def _shape(name: str, found: VideoFacts, bounds: VideoBounds) -> Iterator[Problem]:
    """Pixels and aspect ratio, as the video is shown."""
    if not found.width or not found.height:
        return
    sides: dict[str, object] = {"file": name, "width": found.width, "height": found.height}
    too_wide = bounds.max_width and found.width > bounds.max_width
    if too_wide or (bounds.max_pixels and found.width * found.height > bounds.max_pixels):
        yield Problem(
            "pixels",
            N_("{file} has {width} x {height} pixels; that is outside of what this platform takes."),
            sides,
        )
    if not _within(found.width / found.height, bounds.min_ratio, bounds.max_ratio):
        ratios = {"low": f"{bounds.min_ratio:.2f}", "high": f"{bounds.max_ratio:.2f}"}
        yield Problem(
            "aspect-ratio",
            N_(
                "The video {file} has {width} x {height} pixels; this platform takes {low} to {high}"
                " times as wide as high."
            ),
            {**sides, **ratios},
        )


def _coding(name: str, found: VideoFacts, bounds: VideoBounds) -> Iterator[Problem]:
    """Codecs and frame rate; a warning where nobody could look."""
    asks = bounds.codecs or bounds.sound or bounds.min_fps or bounds.max_fps
    if asks and not found.inspected:
        yield Problem(
            "video-unchecked",
            N_("Codecs and frame rate of {file} were not checked: that takes the extra gaung[video]."),
            {"file": name},
            "warning",
        )
    if bounds.codecs and found.codec and found.codec not in bounds.codecs:
        yield Problem(
            "video-codec",
            N_("The pictures of {file} are coded as {codec}; this platform takes: {known}. Export it anew."),
            {"file": name, "codec": _named((found.codec,)), "known": _named(bounds.codecs)},
        )
    other = [codec for codec in found.sound or () if codec not in bounds.sound] if bounds.sound else []
    if other:
        yield Problem(
            "sound-codec",
            N_("The sound of {file} is coded as {codec}; this platform takes: {known}. Export it anew."),
            {"file": name, "codec": _named(other), "known": _named(bounds.sound)},
        )
    if found.fps is not None and not _within(
        found.fps, bounds.min_fps - _FRAMES, bounds.max_fps and bounds.max_fps + _FRAMES
    ):
        rates = {"fps": f"{found.fps:g}", "low": f"{bounds.min_fps:g}", "high": f"{bounds.max_fps:g}"}
        yield Problem(
            "frame-rate",
            N_("{file} has {fps} pictures a second; this platform takes {low} to {high}. Export it anew."),
            {"file": name, **rates},
        )


def _within(value: float, low: float, high: float) -> bool:
    return value >= low and (not high or value <= high)


def _named(codecs: Sequence[str]) -> str:
    return ", ".join(_CODECS.get(codec, codec) for codec in codecs)


__all__ = [
    "CODES",
    "MP4",
    "QUICKTIME",
    "WEBM",
    "VideoBounds",
    "VideoFacts",
    "is_video",
    "video_facts",
    "video_objections",
]

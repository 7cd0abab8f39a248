"""What a video file is, offline: type, size, length and pixels, read from its container's own boxes.

MP4 and QuickTime say this in their ``moov`` box, so no codec library is needed; codecs and frame rates
are not read. This module knows no platform.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from adapters.contract import N_, Media, Problem
from adapters.pictures import content_type

MP4, QUICKTIME = "video/mp4", "video/quicktime"


@dataclass(frozen=True, slots=True)
class VideoBounds:
    """What a platform takes; 0 means no bound."""

    types: tuple[str, ...] = (MP4, QUICKTIME)
    max_bytes: int = 0
    min_seconds: float = 0.0
    max_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What a file turned out to be; None where its container does not say."""

    mime: str
    size: int
    seconds: float | None = None
    width: int | None = None
    height: int | None = None


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
        if mime not in (MP4, QUICKTIME):
            return VideoFacts(mime, size)
        seconds, width, height = None, None, None
        try:
            for kind, start, end in _boxes(file, 0, size):
                if kind == b"moov":
                    seconds, width, height = _movie(file, start, end)
        except (struct.error, ValueError):
            pass  # cut off or odd: the platform will say more than we can
    return VideoFacts(mime, size, seconds, width, height)


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
    problems = []
    if bounds.max_bytes and found.size > bounds.max_bytes:
        megabytes = {"size": f"{found.size / 2**20:.1f}", "limit": f"{bounds.max_bytes / 2**20:.1f}"}
        problems.append(
            Problem(
                "media-too-big",
                N_("{file} has {size} MB; this platform takes at most {limit} MB."),
                {"file": name, **megabytes},
            )
        )
    if found.seconds is not None and not _fits(found.seconds, bounds):
        problems.append(
            Problem(
                "duration",
                N_("{file} is {seconds} seconds long; this platform takes {low} to {high}."),
                {
                    "file": name,
                    "seconds": f"{found.seconds:.1f}",
                    "low": f"{bounds.min_seconds:.0f}",
                    "high": f"{bounds.max_seconds:.0f}",
                },
            )
        )
    return problems


def _fits(seconds: float, bounds: VideoBounds) -> bool:
    return seconds >= bounds.min_seconds and (not bounds.max_seconds or seconds <= bounds.max_seconds)


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes between two offsets: kind, and where their content begins and ends (ISO 14496-12)."""
    while start + 8 <= end:
        file.seek(start)
        size, kind = struct.unpack(">I4s", file.read(8))
        head = 8
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            head = 16
        elif size == 0:
            size = end - start
        if size < head:
            raise ValueError("a box that is smaller than its own head")
        yield kind, start + head, min(start + size, end)
        start += size


def _movie(file: BinaryIO, start: int, end: int) -> tuple[float | None, int | None, int | None]:
    seconds, width, height = None, None, None
    for kind, inner, stop in _boxes(file, start, end):
        if kind == b"mvhd":
            seconds = _seconds(_read(file, inner, stop))
        elif kind == b"trak":
            for name, a, b in _boxes(file, inner, stop):
                if name == b"tkhd":
                    # The last eight bytes: width and height as 16.16 fixed point; sound has none.
                    wide, high = struct.unpack(">II", _read(file, a, b)[-8:])
                    width, height = (wide >> 16 or width), (high >> 16 or height)
    return seconds, width, height


def _seconds(header: bytes) -> float | None:
    scale, length = (
        struct.unpack(">IQ", header[20:32]) if header[0] == 1 else struct.unpack(">II", header[12:20])
    )
    return length / scale if scale else None


def _read(file: BinaryIO, start: int, end: int) -> bytes:
    file.seek(start)
    content = file.read(min(end - start, 4096))
    if len(content) < 32:
        raise ValueError("a box that is cut off")
    return content


__all__ = ["MP4", "QUICKTIME", "VideoBounds", "VideoFacts", "is_video", "video_facts", "video_objections"]

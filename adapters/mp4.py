"""What an MP4 or QuickTime file says of itself: length, pixels as they are shown, and whether it is whole.

Read from the container's own boxes (ISO 14496-12), so no codec library is needed, and a file of any size
costs a few reads. This module knows no codec, no platform and no limit.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Movie:
    """None where the file does not say; ``whole`` is False if its end is missing."""

    seconds: float | None = None
    width: int | None = None
    height: int | None = None
    whole: bool = True


def read_movie(file: BinaryIO, size: int) -> Movie:
    """Given an open file of ``size`` bytes, return what its boxes say."""
    movie, whole = Movie(), False
    try:
        for kind, start, end in _boxes(file, 0, size):
            whole = end <= size
            if kind == b"moov":
                movie = _movie(file, start, min(end, size))
    except (struct.error, ValueError):
        pass  # odd: the platform will say more than we can
    # Without a moov box nothing can be played, wherever it was cut off.
    return Movie(movie.seconds, movie.width, movie.height, whole and movie.seconds is not None)


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes that begin between two offsets: kind, and where their content begins and ends."""
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
        yield kind, start + head, start + size
        start += size


def _movie(file: BinaryIO, start: int, end: int) -> Movie:
    seconds, width, height = None, None, None
    for kind, inner, stop in _boxes(file, start, end):
        if kind == b"mvhd":
            seconds = _seconds(_read(file, inner, stop))
        elif kind == b"trak":
            for name, a, b in _boxes(file, inner, stop):
                if name == b"tkhd":
                    wide, high = _sides(_read(file, a, b))
                    width, height = (wide or width), (high or height)
    return Movie(seconds, width, height)


def _seconds(header: bytes) -> float | None:
    scale, length = (
        struct.unpack(">IQ", header[20:32]) if header[0] == 1 else struct.unpack(">II", header[12:20])
    )
    return length / scale if scale else None


def _sides(header: bytes) -> tuple[int, int]:
    """Width and height of a track as it is shown (0 for sound): its last eight bytes, 16.16 fixed point.

    Phones film lying down and write into the matrix before them that the picture is to be turned.
    """
    wide, high = (side >> 16 for side in struct.unpack(">II", header[-8:]))
    a, b, _u, c, d = struct.unpack(">5i", header[-44:-24]) if len(header) >= 44 else (1, 0, 0, 0, 1)
    lies = not a and not d and b and c
    return (high, wide) if lies else (wide, high)


def _read(file: BinaryIO, start: int, end: int) -> bytes:
    file.seek(start)
    content = file.read(min(end - start, 4096))
    if len(content) < 32:
        raise ValueError("a box that is cut off")
    return content


__all__ = ["Movie", "read_movie"]

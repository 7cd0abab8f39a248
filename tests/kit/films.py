"""Real videos, made by PyAV: small, black, and exactly as long, fast, wide and coded as a test asks."""

from __future__ import annotations

import hashlib
import io
import struct
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import av
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from adapters.contract import Media

RATE = 48_000


def film(folder: Path, name: str = "film.mp4", *, alt: str = "", size: int = 0, **how: Any) -> Media:
    """A video in ``folder``; ``how`` as for :func:`coded`. A ``size`` in bytes is reached by a free box."""
    content = coded(**how)
    if size:
        rest = size - len(content)
        content += struct.pack(">I4s", rest, b"free") + (bytes(range(251)) * (rest // 251 + 1))[: rest - 8]
    path = folder / name
    path.write_bytes(content)
    return Media(path, hashlib.sha256(content).hexdigest(), "video/mp4", alt)


@lru_cache(maxsize=64)
def coded(
    *,
    seconds: float = 4,
    fps: int = 25,
    pixels: tuple[int, int] = (540, 960),
    codec: str = "libx264",
    sound: str = "aac",
    container: str = "mp4",
    turned: bool = False,
) -> bytes:
    """The bytes of a video; ``turned``: filmed lying down and shown upright, as phones do."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream = cast("VideoStream", out.add_stream(codec, rate=fps))
        stream.width, stream.height, stream.pix_fmt = *pixels, "yuv420p"
        if codec == "libx264":
            stream.options = {"preset": "ultrafast"}
        track = cast("AudioStream", out.add_stream(sound, rate=RATE)) if sound else None
        if track is not None:
            track.layout = "mono"
        frame = av.VideoFrame(*pixels, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        for number in range(round(fps * seconds)):
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
        if track is not None:
            out.mux(track.encode(_silence(track.format.name)))
            out.mux(track.encode())
    content = file.getvalue()
    return _turned(content) if turned else content


def _silence(kind: str) -> av.AudioFrame:
    frame = av.AudioFrame(format=kind, layout="mono", samples=1024)
    frame.sample_rate, frame.pts = RATE, 0
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame


def _turned(content: bytes) -> bytes:
    """The film with the matrix of a quarter turn in the header of its first track (the pictures)."""
    at = content.index(b"tkhd") - 4
    (length,) = struct.unpack(">I", content[at : at + 4])
    matrix = at + length - 44
    quarter = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    return content[:matrix] + quarter + content[matrix + 36 :]


__all__ = ["coded", "film"]

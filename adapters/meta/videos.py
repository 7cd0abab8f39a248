"""What Instagram and Threads take of a video, whatever kind of post it is in.

Meta's documents of both (2026): MP4 or MOV, H.264 or H.265, AAC, 23 to 60 pictures a second, at most 1920
pixels wide, 0.01:1 to 10:1. Lengths and bytes are each platform's own.
"""

from __future__ import annotations

from adapters.videos import VideoBounds

VIDEO = VideoBounds(
    codecs=("h264", "hevc"),
    sound=("aac",),
    min_fps=23,
    max_fps=60,
    min_ratio=0.01,
    max_ratio=10,
    max_width=1920,
)

__all__ = ["VIDEO"]

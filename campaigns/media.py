"""What the media files of a campaign are: read by content, never by name. Pure but for reading the file.

A picture is decoded whole: one that was cut off in copying must not be noticed only by the platform. A
video is only recognised here; what is in it matters to the platforms alone, which take very different ones.
"""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
from pathlib import Path

from campaigns.definition import MediaFacts
from campaigns.problems import N_

_HEAD = 64
#: Brands of the ISO container that hold a still picture.
_STILLS = (b"heic", b"heix", b"mif1", b"avif")


def media_facts(path: Path) -> MediaFacts | tuple[str, str]:
    """Given a media file, return its facts, or a template and the reason why it cannot be used.

    Width and height are those of a picture, and 0 for a video.
    """
    try:
        with path.open("rb") as file:
            video = _video_type(file.read(_HEAD))
            if video:
                file.seek(0)
                return MediaFacts(hashlib.file_digest(file, "sha256").hexdigest(), video, 0, 0)
            file.seek(0)
            return _picture_facts(file.read())
    except FileNotFoundError:
        return N_("The file {file} does not exist."), ""
    except (OSError, ValueError) as error:
        return N_("The file {file} cannot be read: {why}"), getattr(error, "strerror", "") or str(error)


def _picture_facts(content: bytes) -> MediaFacts | tuple[str, str]:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # An odd tag is no reason to refuse a picture, nor to show staff a warning of Python.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content)) as picture:
                picture.load()
                width, height = picture.size
                # MPO is a JPEG with a second picture behind it; many phones write it.
                mime = Image.MIME.get("JPEG" if picture.format == "MPO" else picture.format or "", "")
    except UnidentifiedImageError:
        return N_("{file} is neither a picture nor a video."), ""
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError) as error:
        return N_("The picture {file} is damaged: {why}"), str(error)
    return MediaFacts(hashlib.sha256(content).hexdigest(), mime, width, height)


def _video_type(head: bytes) -> str:
    """The content type of a video that begins like this; empty for anything else."""
    if head[4:8] == b"ftyp" and head[8:12] not in _STILLS:
        return "video/quicktime" if head[8:12] == b"qt  " else "video/mp4"
    if head[4:8] in (b"moov", b"mdat", b"wide"):  # QuickTime of before the brands
        return "video/quicktime"
    return "video/webm" if head.startswith(b"\x1a\x45\xdf\xa3") and b"webm" in head else ""


__all__ = ["media_facts"]

"""Pictures and videos judged by their content, and copies that a platform takes."""

from __future__ import annotations

import hashlib
import io
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from adapters.contract import Media
from adapters.contract_tools import picture
from adapters.errors import Rejected
from adapters.instagram.rules import FEED_PICTURE
from adapters.pictures import Bounds, content_type, facts, objections, prepared
from adapters.videos import VideoBounds, video_facts, video_objections

RED = (200, 30, 30)


def media(folder: Path, image: Image.Image, name: str = "a.png", kind: str = "PNG", **how: Any) -> Media:
    path = folder / name
    image.save(path, kind, **how)
    return of(path)


def of(path: Path) -> Media:
    return Media(path, hashlib.sha256(path.read_bytes()).hexdigest(), "image/unknown", "alt")


def opened(item: Media) -> Image.Image:
    image = Image.open(item.path)
    image.load()
    return image


def near(pixel: Any, colour: tuple[int, int, int], by: int = 6) -> bool:
    return all(abs(a - b) <= by for a, b in zip(pixel, colour, strict=True))


def codes(item: Media, bounds: Bounds = FEED_PICTURE, *, mended: bool = False) -> list[str]:
    return [problem.code for problem in objections(item, bounds, mended=mended)]


def test_a_picture_within_bounds_is_sent_as_it_is(tmp_path: Path) -> None:
    item = picture(tmp_path, 1, "Poster")
    assert prepared(item, FEED_PICTURE, tmp_path / "unused") == item


def test_a_copy_is_named_by_its_hash_and_always_the_same(tmp_path: Path) -> None:
    item = media(tmp_path, Image.effect_noise((900, 900), 60).convert("RGB"))
    first = prepared(item, FEED_PICTURE, tmp_path)
    assert first.path.name == f"{hashlib.sha256(first.path.read_bytes()).hexdigest()}.jpg"
    assert first.sha256 == first.path.stem
    again = tmp_path / "again"
    again.mkdir()
    assert replace(prepared(item, FEED_PICTURE, again), path=first.path) == first
    assert (first.mime, first.width, first.height, first.alt) == ("image/jpeg", 900, 900, "alt")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1", "L", "I;16", "RGB"])
def test_every_mode_becomes_an_rgb_jpeg_on_white(tmp_path: Path, mode: str) -> None:
    if mode == "I;16":
        image = Image.new(mode, (400, 400), 40000)
    elif mode == "P":
        image = Image.new("RGBA", (400, 400), (*RED, 0)).quantize()
    elif mode in ("RGBA", "LA"):
        image = Image.new("RGBA", (400, 400), (*RED, 0)).convert(mode)
    else:
        image = Image.new("RGB", (400, 400), RED).convert(mode)
    made = opened(prepared(media(tmp_path, image), FEED_PICTURE, tmp_path))
    assert (made.format, made.mode) == ("JPEG", "RGB")
    if mode in ("RGBA", "LA", "P"):
        assert near(made.getpixel((9, 9)), (255, 255, 255))
    if mode == "I;16":  # grey of 16 bit is scaled to 8, not cut off to white
        assert near(made.getpixel((9, 9)), (156, 156, 156))


def test_half_transparent_is_mixed_with_white(tmp_path: Path) -> None:
    made = prepared(media(tmp_path, Image.new("RGBA", (400, 400), (200, 0, 0, 128))), FEED_PICTURE, tmp_path)
    assert near(opened(made).getpixel((9, 9)), (227, 127, 127))


def test_webp_and_a_still_gif_become_jpeg(tmp_path: Path) -> None:
    for kind in ("WEBP", "GIF", "BMP"):
        item = media(tmp_path, Image.new("RGB", (400, 400), RED), f"a.{kind}", kind)
        if kind == "BMP":
            assert codes(item, mended=True) == ["media-type"]
            continue
        assert prepared(item, FEED_PICTURE, tmp_path).mime == "image/jpeg"


def test_a_phone_picture_is_turned_upright(tmp_path: Path) -> None:
    image = Image.new("RGB", (800, 400), RED)
    image.paste((0, 0, 255), (0, 0, 400, 400))  # left half blue: the top, once turned by a quarter
    exif = Image.Exif()
    exif[0x0112] = 6
    item = media(tmp_path, image, "a.jpg", "JPEG", exif=exif, quality=95)
    assert (facts(item.path).width, facts(item.path).height) == (400, 800)
    bounds = replace(FEED_PICTURE, min_ratio=0.4)
    made = opened(prepared(item, bounds, tmp_path))
    assert made.size == (400, 800)
    assert near(made.getpixel((200, 100)), (0, 0, 255), 30)
    assert made.getexif() == {}


def test_the_place_where_it_was_taken_does_not_go_out(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x8825] = {1: "S", 2: (6.0, 12.0, 0.0)}
    item = media(tmp_path, Image.new("RGB", (400, 400), RED), "a.jpg", "JPEG", exif=exif)
    assert opened(item).getexif().get_ifd(0x8825)
    made = prepared(item, FEED_PICTURE, tmp_path)
    assert made.sha256 != item.sha256
    assert not opened(made).getexif().get_ifd(0x8825)


def test_other_colour_spaces_become_srgb(tmp_path: Path) -> None:
    wide = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()  # stands for a broken match
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.new("RGB", (400, 400), RED)
    odd = media(tmp_path, image, "odd.jpg", "JPEG", icc_profile=wide, quality=95)
    made = opened(prepared(odd, FEED_PICTURE, tmp_path))
    assert "icc_profile" not in made.info
    assert near(made.getpixel((9, 9)), RED)
    same = media(tmp_path, image, "same.jpg", "JPEG", icc_profile=srgb)
    assert prepared(same, FEED_PICTURE, tmp_path).sha256 == same.sha256
    print_ = media(tmp_path, image.convert("CMYK"), "print.jpg", "JPEG", quality=95)
    assert opened(prepared(print_, FEED_PICTURE, tmp_path)).mode == "RGB"


def test_a_profile_is_applied_not_dropped(tmp_path: Path) -> None:
    """A profile whose red and blue are exchanged: after conversion, what was sent as red is seen as blue."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    at = profile.find(b"s\0R\0G\0B")
    while at >= 0:  # it must not call itself sRGB
        profile[at : at + 8] = b"q\0R\0G\0B\0"
        at = profile.find(b"s\0R\0G\0B")
    item = media(
        tmp_path, Image.new("RGB", (400, 400), (255, 0, 0)), "a.jpg", "JPEG", icc_profile=bytes(profile)
    )
    made = opened(prepared(item, FEED_PICTURE, tmp_path))
    assert near(made.getpixel((9, 9)), (0, 0, 255), 20)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((2880, 2000), (1440, 1000)), ((160, 200), (320, 400)), ((1440, 1800), (1440, 1800))],
)
def test_sizes_are_scaled_into_bounds(
    tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    made = prepared(media(tmp_path, Image.new("RGB", size, RED)), FEED_PICTURE, tmp_path)
    assert opened(made).size == (made.width, made.height) == expected


def test_too_many_bytes_are_brought_down(tmp_path: Path) -> None:
    bounds = replace(FEED_PICTURE, max_bytes=60_000)
    image = Image.merge("RGB", [Image.effect_noise((900, 900), 90)] * 3)
    made = prepared(media(tmp_path, image), bounds, tmp_path)
    assert made.path.stat().st_size <= 60_000
    assert made.width >= 320
    with pytest.raises(Rejected, match="small enough"):
        prepared(media(tmp_path, image), replace(bounds, max_bytes=2000), tmp_path)


@pytest.mark.parametrize("size", [(700, 1000), (2000, 1000)])
def test_another_shape_is_refused_with_the_reason_never_cropped(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    item = media(tmp_path, Image.new("RGB", size, RED))
    assert codes(item, mended=True) == ["aspect-ratio"]
    with pytest.raises(Rejected, match=r"0\.80 to 1\.91"):
        prepared(item, FEED_PICTURE, tmp_path)


@pytest.mark.parametrize(
    ("size", "expected"), [((700, 1000), (800, 1000)), ((1910, 500), (1440, 754)), ((500, 500), (500, 500))]
)
def test_borders_are_given_only_if_asked_for(
    tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    asked = replace(FEED_PICTURE, fit="pad")
    item = media(tmp_path, Image.new("RGB", size, RED))
    made = prepared(item, asked, tmp_path)
    assert (made.width, made.height) == expected
    image = opened(made)
    assert near(image.getpixel((expected[0] // 2, expected[1] // 2)), RED, 10)
    if size != expected:
        assert near(image.getpixel((0, 0)), (255, 255, 255))
        assert codes(item, asked, mended=True) == ["padded"]
    assert codes(made, FEED_PICTURE) == []


def test_a_moving_picture_is_refused(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (400, 400), (n, 0, 0)) for n in (0, 200)]
    for kind in ("GIF", "WEBP", "PNG"):
        item = media(tmp_path, frames[0], f"a.{kind}", kind, save_all=True, append_images=frames[1:])
        assert codes(item, mended=True) == ["animated"]
        with pytest.raises(Rejected):
            prepared(item, FEED_PICTURE, tmp_path)


def test_what_is_wrong_with_a_file_that_is_sent_as_it_is(tmp_path: Path) -> None:
    assert codes(picture(tmp_path, 1, "a")) == []
    assert codes(media(tmp_path, Image.new("RGB", (400, 400)))) == ["media-type"]
    big = media(tmp_path, Image.new("RGB", (1500, 1500)), "b.jpg", "JPEG")
    assert codes(big) == ["pixels"]
    assert codes(big, mended=True) == []
    small = media(tmp_path, Image.new("RGB", (300, 300)), "s.jpg", "JPEG")
    assert (codes(small), codes(small, mended=True)) == (["pixels"], ["enlarged"])
    assert codes(small, Bounds(max_bytes=100)) == ["media-too-big"]
    assert codes(small, Bounds(max_height=200)) == ["pixels"]


def test_damaged_and_missing_files(tmp_path: Path) -> None:
    item = picture(tmp_path, 1, "a")
    item.path.write_bytes(b"\xff\xd8\xff\xe0 half a head")
    assert codes(item) == ["media-damaged"]
    whole = media(tmp_path, Image.effect_noise((900, 900), 50), "w.png")
    whole.path.write_bytes(whole.path.read_bytes()[:5000])
    with pytest.raises(Rejected, match="damaged"):
        prepared(of(whole.path), FEED_PICTURE, tmp_path)
    item.path.unlink()
    assert codes(item) == []
    with pytest.raises(Rejected):
        prepared(item, FEED_PICTURE, tmp_path)


def test_a_file_that_changed_after_approval_is_not_prepared(tmp_path: Path) -> None:
    item = picture(tmp_path, 1, "a")
    item.path.write_bytes(picture(tmp_path, 2, "b").path.read_bytes())
    with pytest.raises(Rejected, match="approved"):
        prepared(item, FEED_PICTURE, tmp_path)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"\0\0\0\x18ftypisom", "video/mp4"),
        (b"\0\0\0\x14ftypqt  ", "video/quicktime"),
        (b"\0\0\0\x08wide\0\0", "video/quicktime"),
        (b"\0\0\0\x18ftypheic", "image/heic"),
        (b"<html>", ""),
        (b"", ""),
    ],
)
def test_types_are_told_by_content(head: bytes, expected: str) -> None:
    assert content_type(head) == expected


def test_heic_is_named_and_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"\0\0\0\x18ftypheic" + bytes(60))
    (problem,) = objections(of(path), FEED_PICTURE, mended=True)
    assert (problem.code, problem.values["mime"]) == ("media-type", "image/heic")


# Videos


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def movie(seconds: float, *, version: int = 0, brand: bytes = b"isom", wide: bool = False) -> bytes:
    if version:
        header = struct.pack(">IQQIQ", 1 << 24, 0, 0, 600, int(seconds * 600)) + bytes(80)
    else:
        header = struct.pack(">IIIII", 0, 0, 0, 600, int(seconds * 600)) + bytes(80)
    tracks = box(b"trak", box(b"tkhd", bytes(76) + struct.pack(">II", 1080 << 16, 1920 << 16)))
    tracks += box(b"trak", box(b"tkhd", bytes(84)))  # sound
    data = struct.pack(">I4sQ", 1, b"mdat", 116) + bytes(100) if wide else box(b"mdat", bytes(100))
    return box(b"ftyp", brand + bytes(4)) + data + box(b"moov", box(b"mvhd", header) + tracks)


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("wide", [True, False])
def test_length_and_pixels_of_a_video(tmp_path: Path, version: int, wide: bool) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(movie(12.5, version=version, wide=wide))
    found = video_facts(path)
    assert (found.mime, found.seconds, found.width, found.height) == ("video/mp4", 12.5, 1080, 1920)


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_half_a_video_never_raises(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(movie(5)[:cut])
    assert video_facts(path).seconds in (None, 5)
    assert {p.code for p in video_objections(of(path), VideoBounds())} <= {"media-type", "media-damaged"}
    path.unlink()
    assert video_objections(Media(path, "", "video/mp4", ""), VideoBounds()) == []


def test_rubbish_in_the_boxes_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    content = io.BytesIO(movie(5)).getvalue().replace(b"mvhd", b"\0\0\0\0")
    path.write_bytes(content + struct.pack(">I4s", 3, b"free"))
    assert video_facts(path).seconds is None

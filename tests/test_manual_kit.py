"""The manual kit: what a person finds in the folder, and that a folder is whole, one, and kept up to date.

It does not subclass the contract suite, which is about platforms that answer over HTTP and give receipts.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from kit.films import film

from adapters.contract import Account, Handed, Media, Part, Post, Reach, Unknown
from adapters.contract_tools import MemoryProgress, picture
from adapters.errors import Misconfigured, Rejected, Transient
from adapters.manual.adapter import ManualAdapter
from adapters.registry import adapter_class

NOW = datetime(2026, 12, 8, 23, 30, tzinfo=UTC)
KEY = hashlib.sha256(b"hakordia").hexdigest()
LINK = "https://example.go.id/lapor?a=1&b=2"


def no_secret(name: str) -> str:
    raise AssertionError(f"the manual kit asked for the secret {name}")


def adapter_in(folder: Path | str, *, now: datetime = NOW, **options: Any) -> ManualAdapter:
    account = Account("wa-dinas", "Kanal Dinas", no_secret, options={"folder": str(folder), **options})
    return ManualAdapter(account, lambda: now)


def publish(adapter: ManualAdapter, post: Post) -> Path:
    handed = adapter.publish(post, MemoryProgress())
    assert isinstance(handed, Handed)
    return Path(handed.place)


@pytest.fixture
def post(tmp_path: Path) -> Post:
    source = tmp_path / "media"
    source.mkdir()
    media = tuple(picture(source, n, f"Poster {n}: “tolak” <suap>") for n in range(2))
    return Post(KEY, "Berani jujur, hebat! <b> & 🙏\n\n#Hakordia", LINK, media)


class Page(HTMLParser):
    """What a browser finds in the page: its words, its pictures, what it would load."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(file.read_text(encoding="utf-8"))
        self.close()
        self.text = " ".join("".join(self.words).split())

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.tags if name == tag)


def test_a_kit_holds_text_media_alt_texts_and_a_checklist(tmp_path: Path, post: Post) -> None:
    place = publish(adapter_in(tmp_path / "kit", kind="whatsapp"), post)
    assert place.parent == tmp_path / "kit"
    assert place.name.startswith("2026-12-09-berani-jujur-hebat-")  # in WIB it is the next day already
    assert sorted(f.name for f in place.iterdir()) == [
        "gambar-01.jpg", "gambar-02.jpg", "langkah.html", "teks-alternatif.txt", "teks.txt",
    ]  # fmt: skip
    assert (place / "teks.txt").read_text(encoding="utf-8") == f"{post.text}\n\n{LINK}\n"
    for n, item in enumerate(post.media, 1):
        assert hashlib.sha256((place / f"gambar-0{n}.jpg").read_bytes()).hexdigest() == item.sha256
    assert (place / "teks-alternatif.txt").read_text(encoding="utf-8") == (
        "gambar-01.jpg\nPoster 0: “tolak” <suap>\n\ngambar-02.jpg\nPoster 1: “tolak” <suap>\n"
    )


def test_the_checklist_says_everything_and_loads_nothing_from_elsewhere(tmp_path: Path, post: Post) -> None:
    page = Page(publish(adapter_in(tmp_path, kind="whatsapp"), post) / "langkah.html")
    for words in (
        "WhatsApp channel",
        "Kanal Dinas",
        "Prepared 2026-12-09 06.30 WIB",
        "Berani jujur, hebat! <b> & 🙏",
        LINK,
        "Add the files in this order: gambar-01.jpg, gambar-02.jpg.",
        "Poster 1: “tolak” <suap>",
        f"gaung resolve {KEY[:8]} --posted https://…",
    ):
        assert words in page.text
    assert [image["src"] for image in page.all("img")] == ["gambar-01.jpg", "gambar-02.jpg"]
    assert [image["alt"] for image in page.all("img")] == [item.alt for item in post.media]
    assert next(page.all("html"))["lang"] == "en"
    assert not {"script", "link", "b "} & {tag for tag, _ in page.tags}


def test_the_checklist_speaks_the_language_it_is_given(tmp_path: Path, post: Post) -> None:
    asked: list[str] = []

    def translate(text: str) -> str:
        asked.append(text)
        return {"Steps": "Langkah", "Post to publish by hand": "Unggahan manual"}.get(text, text)

    account = Account("opd", "", no_secret, options={"folder": str(tmp_path)})
    adapter = ManualAdapter(account, lambda: NOW, translate=translate)
    page = Page(publish(adapter, replace(post, thread=(Part("Dua"),))) / "langkah.html")
    assert "Unggahan manual" in page.text
    assert "Langkah" in page.text
    assert next(page.all("html"))["lang"] == "id"
    assert post.text not in asked


def test_a_thread_a_film_and_a_first_comment_have_files_of_their_own(tmp_path: Path, post: Post) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"film")
    medium = Media(film, hashlib.sha256(b"film").hexdigest(), "video/mp4", "Film pendek")
    whole = replace(post, media=(), thread=(Part("Bagian dua", (medium,)),), first_comment="Sumber: KPK")
    place = publish(adapter_in(tmp_path / "kit"), whole)
    assert sorted(f.name for f in place.iterdir()) == [
        "bagian-2-teks.txt", "bagian-2-video-01.mp4", "komentar-pertama.txt", "langkah.html",
        "teks-alternatif.txt", "teks.txt",
    ]  # fmt: skip
    assert (place / "komentar-pertama.txt").read_text(encoding="utf-8") == "Sumber: KPK\n"
    page = Page(place / "langkah.html")
    assert "bagian-2-teks.txt (part 2)" in page.text
    assert "Write the first comment under it from komentar-pertama.txt." in page.text
    assert [video["src"] for video in page.all("video")] == ["bagian-2-video-01.mp4"]


def test_the_same_key_has_one_folder_for_ever(tmp_path: Path, post: Post) -> None:
    """A second attempt, days later, with another text: the folder that a person may have open is renewed."""
    first = publish(adapter_in(tmp_path / "kit"), post)
    (first / "sisa.txt").write_text("dari percobaan lama")
    later = adapter_in(tmp_path / "kit", now=datetime(2026, 12, 12, tzinfo=UTC))
    second = publish(later, replace(post, text="Teks baru", media=post.media[:1]))
    assert second == first
    assert list((tmp_path / "kit").iterdir()) == [first]
    assert (first / "teks.txt").read_text(encoding="utf-8") == f"Teks baru\n\n{LINK}\n"
    assert not (first / "sisa.txt").exists()
    assert not (first / "gambar-02.jpg").exists()
    other = publish(adapter_in(tmp_path / "kit"), replace(post, key="lain"))
    assert other != first


def test_a_kit_that_cannot_be_written_leaves_the_old_one_and_no_rest(tmp_path: Path, post: Post) -> None:
    folder = tmp_path / "kit"
    place = publish(adapter_in(folder), post)
    before = {f.name: f.read_bytes() for f in place.iterdir()}
    post.media[1].path.write_bytes(b"diubah")
    with pytest.raises(Rejected) as raised:
        publish(adapter_in(folder), replace(post, text="Baru"))
    assert raised.value.code == "picture-1.jpg"
    assert {f.name: f.read_bytes() for f in place.iterdir()} == before
    assert list(folder.iterdir()) == [place]


def test_what_a_power_cut_left_is_swept_away(tmp_path: Path, post: Post) -> None:
    place = publish(adapter_in(tmp_path / "kit"), post)
    left = place.parent / f".gaung-{place.name[-12:]}-abc"
    left.mkdir()
    (left / "teks.txt").write_text("setengah")
    publish(adapter_in(tmp_path / "kit"), post)
    assert list(place.parent.iterdir()) == [place]


def test_a_folder_that_cannot_be_used_is_transient(tmp_path: Path, post: Post) -> None:
    blocked = tmp_path / "berkas"
    blocked.write_text("bukan folder")
    for call in (adapter_in(blocked / "kit").verify, lambda: publish(adapter_in(blocked / "kit"), post)):
        with pytest.raises(Transient) as raised:
            call()
        assert raised.value.code in {"ENOTDIR", "EEXIST"}


def test_a_colleague_may_read_the_kit(tmp_path: Path, post: Post) -> None:
    place = publish(adapter_in(tmp_path), post)
    if os.name == "posix":
        assert place.stat().st_mode & 0o055 == 0o055


def test_verify_makes_the_folder_and_leaves_it_empty(tmp_path: Path) -> None:
    identity = adapter_in(tmp_path / "bagian" / "kit").verify()
    assert (identity.remote_id, identity.name) == ("wa-dinas", "Kanal Dinas")
    assert list((tmp_path / "bagian" / "kit").iterdir()) == []


def test_nothing_is_known_that_a_person_has_not_said(tmp_path: Path, post: Post) -> None:
    adapter = adapter_in(tmp_path)
    publish(adapter, post)
    assert isinstance(adapter.find(post, MemoryProgress(), NOW), Unknown)
    assert adapter.reach(["https://whatsapp.com/channel/x/1"]) == {
        "https://whatsapp.com/channel/x/1": Reach()
    }
    with pytest.raises(Rejected):
        adapter.remove("https://whatsapp.com/channel/x/1")


def test_each_kind_of_kit_has_its_own_limits(tmp_path: Path, post: Post) -> None:
    def codes(adapter: ManualAdapter, post: Post) -> list[str]:
        return [problem.code for problem in adapter.check(post)]

    clip = film(tmp_path)
    tiktok, whatsapp = adapter_in(tmp_path, kind="tiktok"), adapter_in(tmp_path, kind="whatsapp")
    assert codes(tiktok, post) == []
    assert codes(tiktok, replace(post, media=())) == ["media-required"]
    assert codes(tiktok, replace(post, media=(clip, post.media[1]))) == ["media-mixed"]
    assert codes(tiktok, replace(post, text="🙏" * 1101, link="")) == ["text-too-long"]
    assert codes(whatsapp, replace(post, first_comment="a")) == ["no-first-comment"]
    assert codes(whatsapp, replace(post, thread=(Part("a"),))) == ["no-threads"]
    assert codes(adapter_in(tmp_path, text_limit=20), post) == ["text-too-long"]
    assert (
        codes(adapter_in(tmp_path), replace(post, thread=(Part("a"),), first_comment="b", kind="story")) == []
    )
    assert (adapter_in(tmp_path, text_limit=20).limits.text, adapter_in(tmp_path).limits.text) == (20, 65_536)


@pytest.mark.parametrize(
    "options",
    [
        {"folder": ""},
        {"folder": "paket"},
        {"kind": "sinyal"},
        {"text_limit": 0},
        {"text_limit": "dua ratus"},
        {"zone": "WIX"},
    ],
)
def test_settings_that_cannot_work_are_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured):
        adapter_in(**{"folder": tmp_path, **options})


def test_the_registry_knows_it() -> None:
    assert adapter_class("manual") is ManualAdapter

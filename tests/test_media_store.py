"""The public media store: whole files under the hash of their content, and no address that does not work."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

sys.path.insert(0, str(Path(__file__).parent))

from kit.house import House
from servers.public_folder import PublicFolder, public_folder

from adapters.contract import Media
from adapters.contract_tools import closed_port, picture
from adapters.errors import Misconfigured, NotReady, Rejected
from adapters.media_store import MediaStore
from scheduler.states import State


@pytest.fixture
def web(tmp_path: Path) -> Iterator[PublicFolder]:
    with public_folder(tmp_path / "www") as web:
        yield web


@pytest.fixture
def item(tmp_path: Path) -> Media:
    return picture(tmp_path, 1, "Poster")


def store_of(web: PublicFolder) -> MediaStore:
    return MediaStore(str(web.folder), f"{web.url}/")


def files(web: PublicFolder) -> list[str]:
    return sorted(one.name for one in web.folder.iterdir())


def test_a_picture_gets_an_address_that_answers_with_it(web: PublicFolder, item: Media) -> None:
    assert store_of(web).url_for(item) == f"{web.url}/{item.sha256}.jpg"
    assert (web.folder / f"{item.sha256}.jpg").read_bytes() == item.path.read_bytes()
    assert files(web) == [f"{item.sha256}.jpg"]


def test_the_suffix_follows_the_content_not_the_name(web: PublicFolder, item: Media) -> None:
    odd = replace(item, path=item.path.rename(item.path.with_suffix(".PNG")), mime="image/png")
    assert store_of(web).url_for(odd).endswith(".jpg")


def test_a_file_is_written_once(web: PublicFolder, item: Media) -> None:
    store_of(web).url_for(item)
    kept = web.folder / f"{item.sha256}.jpg"
    os.utime(kept, (1, 1))
    store_of(web).url_for(item)
    assert kept.stat().st_mtime == 1


def test_half_a_file_of_an_earlier_crash_is_replaced(web: PublicFolder, item: Media) -> None:
    kept = web.folder / f"{item.sha256}.jpg"
    kept.write_bytes(item.path.read_bytes()[:100])
    store_of(web).url_for(item)
    assert kept.read_bytes() == item.path.read_bytes()


def test_the_web_server_may_read_it_whatever_the_umask(web: PublicFolder, item: Media) -> None:
    before = os.umask(0o077)
    try:
        store_of(web).url_for(item)
    finally:
        os.umask(before)
    assert (web.folder / f"{item.sha256}.jpg").stat().st_mode & 0o777 == 0o644


class FullPlace(MemoryFileSystem):  # type: ignore[misc]
    """A place that breaks at the last step of writing, as a full disk does."""

    protocol = "full"
    store: ClassVar[dict[str, Any]] = {}

    def mv(self, *args: Any, **kwargs: Any) -> None:
        raise OSError("No space left on device: https://user:kata-sandi@host/")


def test_a_write_that_fails_leaves_nothing_and_makes_the_post_wait(web: PublicFolder, item: Media) -> None:
    fsspec.register_implementation("full", FullPlace, clobber=True)
    with pytest.raises(NotReady, match="No space left") as raised:
        MediaStore("full://media", web.url).url_for(item)
    assert raised.value.code == "media-store"
    assert "kata-sandi" not in raised.value.reason
    assert FullPlace.store == {}
    assert web.calls == []


def test_a_store_below_a_file_makes_the_post_wait(web: PublicFolder, item: Media) -> None:
    with pytest.raises(NotReady):
        MediaStore(f"{item.path}/deeper", web.url).url_for(item)


def test_threads_do_not_disturb_each_other(web: PublicFolder, item: Media) -> None:
    store, found = store_of(web), []
    threads = [threading.Thread(target=lambda: found.append(store.url_for(item))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [f"{web.url}/{item.sha256}.jpg"] * 8
    assert files(web) == [f"{item.sha256}.jpg"]


def test_any_fsspec_place_will_do(web: PublicFolder, item: Media) -> None:
    """Here a store in memory; its web server answers with the file because it lies in its folder too."""
    (web.folder / f"{item.sha256}.jpg").write_bytes(item.path.read_bytes())
    MediaStore("memory://public/media", web.url).url_for(item)
    names = fsspec.filesystem("memory").ls("/public/media", detail=False)
    assert names == [f"/public/media/{item.sha256}.jpg"]


@pytest.mark.parametrize("change", ["changed", "gone"])
def test_only_the_approved_file_becomes_public(web: PublicFolder, item: Media, change: str) -> None:
    if change == "gone":
        item.path.unlink()
    else:
        item.path.write_bytes(item.path.read_bytes() + b"other")
    with pytest.raises(Rejected):
        store_of(web).url_for(item)
    assert files(web) == []


def test_other_files_never_become_public(web: PublicFolder, item: Media) -> None:
    content = b"<html><script>"
    item.path.write_bytes(content)
    with pytest.raises(Rejected):
        store_of(web).url_for(replace(item, sha256=hashlib.sha256(content).hexdigest()))
    assert files(web) == []


@pytest.mark.parametrize(("status", "code"), [(404, "media-unreachable"), (401, "media-unreachable")])
def test_an_address_that_does_not_answer_makes_the_post_wait(
    web: PublicFolder, item: Media, status: int, code: str
) -> None:
    web.status = status
    with pytest.raises(NotReady, match=str(status)) as raised:
        store_of(web).url_for(item)
    assert raised.value.code == code


def test_a_redirect_is_no_address(web: PublicFolder, item: Media) -> None:
    web.status = 301
    with pytest.raises(NotReady, match="redirects") as raised:
        store_of(web).url_for(item)
    assert raised.value.code == "media-redirect"


def test_a_wrong_content_type_makes_the_post_wait(web: PublicFolder, item: Media) -> None:
    web.types[".jpg"] = "application/octet-stream"
    with pytest.raises(NotReady, match="application/octet-stream"):
        store_of(web).url_for(item)


def test_a_content_type_with_parameters_is_the_same(web: PublicFolder, item: Media) -> None:
    web.types[".jpg"] = "Image/JPEG; charset=binary"
    store_of(web).url_for(item)


def test_a_file_that_was_changed_on_the_way_makes_the_post_wait(web: PublicFolder, item: Media) -> None:
    web.appends = b"<!-- cache -->"
    with pytest.raises(NotReady) as raised:
        store_of(web).url_for(item)
    assert raised.value.code == "media-length"


@pytest.mark.parametrize("mistake", ["head_allowed", "tells_length"])
def test_where_head_says_too_little_the_file_is_fetched(web: PublicFolder, item: Media, mistake: str) -> None:
    setattr(web, mistake, False)
    store_of(web).url_for(item)
    assert web.calls[-1][0] == "GET"
    web.replaces = b"something of the same length"
    with pytest.raises(NotReady) as raised:
        store_of(web).url_for(item)
    assert raised.value.code == "media-length"


def test_a_web_server_that_is_down_makes_the_post_wait(tmp_path: Path, item: Media) -> None:
    with pytest.raises(NotReady, match="refused") as raised:
        MediaStore(str(tmp_path / "www"), closed_port()).url_for(item)
    assert raised.value.code == "media-unreachable"


@pytest.mark.parametrize(
    ("store", "base"),
    [
        ("/srv/media", "ftp://example.go.id"),
        ("/srv/media", "media.example.go.id"),
        ("/srv/media", "https://10.1.2.3/media"),
        ("/srv/media", "https://192.168.0.9/"),
        ("/srv/media", "http://intranet/media"),
        ("/srv/media", "https://example.go.id/?x=1"),
        (" ", "https://example.go.id/media"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(store: str, base: str) -> None:
    with pytest.raises(Misconfigured):
        MediaStore(store, base)


def test_a_kind_of_place_that_is_not_known_is_said_plainly(item: Media) -> None:
    with pytest.raises(Misconfigured, match="nowhere"):
        MediaStore("nowhere://bucket", "https://example.go.id").url_for(item)


def test_a_password_in_the_place_is_not_told(web: PublicFolder, item: Media) -> None:
    with pytest.raises(Misconfigured) as raised:
        MediaStore("nowhere://user:kata-sandi@host/x", web.url).url_for(item)
    assert "kata-sandi" not in str(raised.value)


@pytest.mark.parametrize("platform", ["instagram", "threads"])
def test_a_post_waits_for_the_offices_web_server_however_long_it_is_down(
    house: Callable[..., House], platform: str
) -> None:
    """Given an hour without it: the platform gets no picture, no attempt is spent, the reason is told."""
    home = house(platform)
    home.site.status = 503
    home.publish()
    for _ in range(12):
        home.work(timedelta(minutes=5))
        assert (home.row["state"], home.row["attempts"], home.row["code"]) == (State.PLANNED, 0, "not_ready")
        assert "answers 503 instead of the picture" in home.row["reason"]
    assert home.side.calls(home.side.upload) == 0
    home.site.status = 200
    home.work(timedelta(minutes=5))
    assert home.row["state"] == State.SENT
    home.whole(home.side)

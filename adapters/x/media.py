"""Media for X: what it takes, and the upload of pictures, GIFs and videos with their alt texts.

An uploaded medium that no post uses is seen by nobody, so every step here may be repeated. It knows
nothing of posts. Facts: PLATFORMS.md, X, b and c (November 2026); pixels of a GIF: docs.x.com, "Media:
best practices" (2026), which also speaks of 20 minutes and 8 GB for videos: the older limits are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.contract import N_, Json, Media, Problem, Progress
from adapters.errors import Rejected, Transient
from adapters.material import content, size
from adapters.pictures import Bounds, objections
from adapters.videos import VideoBounds, video_objections
from adapters.x.api import XApi

MB = 2**20
#: How many pictures one post takes; a GIF or a video stands alone.
AT_MOST = 4
PICTURE = Bounds(types=("image/jpeg", "image/png", "image/webp"), max_bytes=5 * MB)
GIF = Bounds(types=("image/gif",), max_bytes=15 * MB, max_width=1280, max_height=1080)
VIDEO = VideoBounds(
    max_bytes=512 * MB,
    min_seconds=0.5,
    max_seconds=140,
    codecs=("h264",),
    sound=("aac",),
    max_fps=60,
    min_ratio=1 / 3,
    max_ratio=3,
)
#: Bytes of one APPEND: X takes 5 MB, and 1000 of them.
CHUNK = 4 * MB
#: How long one attempt waits for X to process a video; the next attempt goes on waiting.
PATIENCE = timedelta(minutes=5)
#: Ids are used at most this long, whatever X says: they live for about a day.
KEPT = timedelta(hours=20)

_CATEGORIES = {
    **dict.fromkeys(PICTURE.types, "tweet_image"),
    **dict.fromkeys(GIF.types, "tweet_gif"),
    **dict.fromkeys(VIDEO.types, "tweet_video"),
}


def media_problems(media: Sequence[Media]) -> list[Problem]:
    """Given the media of one post, return what X would refuse or lose of them; offline."""
    problems: list[Problem] = []
    alone = [item for item in media if item.mime not in PICTURE.types]
    if alone and len(media) > 1:
        problems.append(
            Problem(
                "media-mix",
                N_("X takes up to {limit} pictures, or one GIF, or one video; {file} must stand alone."),
                {"limit": AT_MOST, "file": alone[0].path.name},
            )
        )
    for item in media:
        problems += _item_problems(item)
    return problems


def _item_problems(item: Media) -> list[Problem]:
    if item.mime not in _CATEGORIES:
        values = {"file": item.path.name, "mime": item.mime or "?", "known": ", ".join(_CATEGORIES)}
        return [Problem("media-type", N_("{file} is {mime}; this platform takes: {known}."), values)]
    if item.mime not in VIDEO.types:
        return objections(item, GIF if item.mime in GIF.types else PICTURE)
    problems = video_objections(item, VIDEO)
    if item.alt:
        values = {"file": item.path.name}
        problems.append(
            Problem("no-video-alt", N_("X shows no alt text for a video ({file})."), values, "warning")
        )
    return problems


class Uploads:
    """The uploads of one chain of attempts; what is done is saved under "media" and not done again."""

    def __init__(
        self,
        api: XApi,
        progress: Progress,
        now: Callable[[], datetime],
        sleep: Callable[[float], object],
    ) -> None:
        self.api = api
        self._progress = progress
        self._now = now
        self._sleep = sleep
        saved = progress.saved.get("media")
        self._known: dict[str, Json] = dict(saved) if isinstance(saved, dict) else {}
        self.reused = False
        """True if an id of an earlier attempt was used, which X may have forgotten meanwhile."""

    def all(self, media: Sequence[Media], place: str) -> list[str]:
        """Upload what is not yet there, wait until X has processed it, set the alt texts; return the ids.

        ``place`` distinguishes parts of a thread. Raise Rejected if a file cannot be read or changed.
        """
        return [self._one(item, f"{place}.{number}") for number, item in enumerate(media)]

    def forget(self) -> None:
        """Upload everything anew next time."""
        self._known = {}
        self._progress.save(media={})

    def _one(self, item: Media, place: str) -> str:
        alt = "" if item.mime in VIDEO.types else item.alt
        name = f"{place}:{hashlib.sha256(f'{item.sha256} {alt}'.encode()).hexdigest()[:24]}"
        entry = self._known.get(name)
        known = dict(entry) if isinstance(entry, dict) else {}
        if known and datetime.fromisoformat(str(known["until"])) <= self._now():
            known = {}
        reused = bool(known)
        if not reused:
            known = self._upload(item)
            self._save(name, known)
        try:
            self._finish(name, known, alt)
        except Rejected as error:
            if not reused:
                raise
            self.forget()  # X no longer knows what an earlier attempt uploaded
            raise Transient(error.reason, code=error.code) from None
        self.reused = self.reused or reused
        return str(known["id"])

    def _finish(self, name: str, known: dict[str, Json], alt: str) -> None:
        if not known["ready"]:
            self._wait(str(known["id"]))
            self._save(name, known := known | {"ready": True})
        if alt and not known["alt"]:
            metadata = {"id": known["id"], "metadata": {"alt_text": {"text": alt}}}
            answer = self.api.send("POST", "/2/media/metadata", json=metadata)
            if not isinstance(answer.get("data"), dict):
                raise self.api.unclear()
            self._save(name, known | {"alt": True})

    def _save(self, name: str, entry: dict[str, Json]) -> None:
        self._known[name] = entry
        self._progress.save(media=dict(self._known))

    def _upload(self, item: Media) -> dict[str, Json]:
        if item.mime not in _CATEGORIES:
            raise Rejected(N_("X does not take this type of file."), code=item.path.name)
        data = self._simply(item) if item.mime in PICTURE.types else self._in_chunks(item)
        lives = data.get("expires_after_secs")
        seconds = lives if isinstance(lives, int) and lives > 0 else KEPT.total_seconds()
        until = self._now().astimezone(UTC) + min(timedelta(seconds=seconds) * 0.9, KEPT)
        return {
            "id": str(data["id"]),
            "until": until.isoformat(),
            "ready": "processing_info" not in data,
            "alt": False,
        }

    def _simply(self, item: Media) -> Mapping[str, Any]:
        return self._data(
            self.api.send(
                "POST",
                "/2/media/upload",
                data={"media_category": _CATEGORIES[item.mime], "media_type": item.mime},
                files={"media": ("media", content(item), item.mime)},
            )
        )

    def _in_chunks(self, item: Media) -> Mapping[str, Any]:
        about = {
            "media_type": item.mime,
            "total_bytes": size(item) or 0,
            "media_category": _CATEGORIES[item.mime],
        }
        started = self._data(self.api.send("POST", "/2/media/upload/initialize", json=about))
        place = f"/2/media/upload/{started['id']}"
        for index, chunk in enumerate(_read(item)):
            self.api.send(
                "POST",
                f"{place}/append",
                data={"segment_index": str(index)},
                files={"media": ("media", chunk, "application/octet-stream")},
            )
        return {**started, **self._data(self.api.send("POST", f"{place}/finalize"))}

    def _wait(self, id_: str) -> None:
        """Ask until X has processed the medium; raise Transient if that takes longer than PATIENCE."""
        waited = 0.0
        while True:
            query = {"command": "STATUS", "media_id": id_}
            data = self._data(self.api.send("GET", "/2/media/upload", params=query))
            info = data.get("processing_info")
            state = info.get("state") if isinstance(info, dict) else "succeeded"
            if not isinstance(info, dict) or state == "succeeded":
                return
            if state == "failed":
                self._failed(info)
            pause = info.get("check_after_secs")
            pause = min(max(float(pause), 1.0), 30.0) if isinstance(pause, (int, float)) else 5.0
            if waited + pause > PATIENCE.total_seconds():
                raise Transient(N_("X is still processing a video; it will be asked again."), code=str(state))
            self._sleep(pause)
            waited += pause

    def _failed(self, info: Mapping[str, Any]) -> None:
        error = info.get("error")
        error = error if isinstance(error, dict) else {}
        name, words = str(error.get("name") or "failed"), str(error.get("message") or "")
        if name == "InternalError":
            self.forget()
            raise Transient(N_("X could not process a video; it will be uploaded again."), code=name)
        raise Rejected(self.api.http.strip(words) or N_("X could not process a video."), code=name)

    def _data(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        data = answer.get("data")
        if isinstance(data, dict) and data.get("id"):
            return data
        raise self.api.unclear()


def _read(item: Media) -> Iterator[bytes]:
    """The file in chunks; raise Rejected before the last one if it is not what was approved."""
    digest = hashlib.sha256()
    try:
        with item.path.open("rb") as file:
            chunk = file.read(CHUNK)
            while chunk:
                digest.update(chunk)
                following = file.read(CHUNK)
                if not following and digest.hexdigest() != item.sha256:
                    raise Rejected(N_("The video changed after it was approved."), code=item.path.name)
                yield chunk
                chunk = following
    except OSError as error:
        raise Rejected(N_("The file of a video cannot be read."), code=item.path.name) from error


__all__ = ["AT_MOST", "Uploads", "media_problems"]

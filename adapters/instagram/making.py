"""From a post to an Instagram container: media brought within bounds and to their public addresses.

Nothing here is seen by anybody: a container that is not published disappears after 24 hours. Facts:
PLATFORMS.md, Instagram b, November 2026.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from adapters.contract import N_, Media, Post
from adapters.errors import AccountHeld, Rejected, Transient
from adapters.instagram import rules
from adapters.meta.containers import Memory, Walk
from adapters.meta.graph import GraphClient, created
from adapters.pictures import prepared

#: Under this name the container of a begun upload is kept among the children, to vanish with them.
UPLOAD = "upload"


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the containers of one account. ``uploads``: reels are sent, not fetched (Facebook Login only)."""

    client: GraphClient
    host: str
    user: str
    public_url: Callable[[Media], str] | None
    fit: str
    uploads: bool

    def make(self, post: Post, caption: str, memory: Memory, walk: Walk) -> str:
        """Return the id of a new container; the children of a carousel are saved one by one."""
        with tempfile.TemporaryDirectory(prefix="gaung-instagram-") as folder:
            if len(post.media) == 1:
                return self._single(post, caption, memory, Path(folder))
            children = walk.carousel(
                memory,
                post.media,
                lambda item: self._container(is_carousel_item=True, **self._medium(post, item, Path(folder))),
                N_("Instagram lost a part of the carousel; it is prepared anew later."),
            )
        return self._container(media_type="CAROUSEL", caption=caption, children=children)

    def _single(self, post: Post, caption: str, memory: Memory, folder: Path) -> str:
        if not post.media:
            raise Rejected(N_("Instagram takes no post without a picture or video."), code="media-required")
        (item,) = post.media
        if post.kind == "story":
            return self._container(**{**self._medium(post, item, folder), "media_type": "STORIES"})
        if not rules.is_video(item):
            return self._container(caption=caption, **self._medium(post, item, folder))
        # A single video in the feed is a reel, too: Instagram has no other.
        reel: dict[str, object] = {"media_type": "REELS", "caption": caption}
        if post.kind == "post":
            reel["share_to_feed"] = True
        if self.uploads:
            return self._uploaded(item, reel, memory)
        return self._container(**{**self._medium(post, item, folder), **reel})

    def _medium(self, post: Post, item: Media, folder: Path) -> dict[str, object]:
        """The parameters for one medium, which is then at its public address."""
        if self.public_url is None:
            words = N_(
                "Instagram fetches media from a public address, and no public media store is configured."
            )
            raise Rejected(words, code="no-public-media")
        if rules.is_video(item):
            return {"media_type": "VIDEO", "video_url": self.public_url(item)}
        ready = prepared(item, rules.picture_bounds(post, self.fit), folder)
        alt = {"alt_text": item.alt} if item.alt and post.kind == "post" else {}
        return {"image_url": self.public_url(ready), **alt}

    def _uploaded(self, item: Media, reel: dict[str, object], memory: Memory) -> str:
        """Make a reel's container and send the video, or go on where an earlier upload broke off."""
        try:
            with item.path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != item.sha256:
                    words = N_("The file of a video changed after it was approved.")
                    raise Rejected(words, code=item.path.name)
                size = file.tell()
                id_ = memory.children().get(UPLOAD, "")
                arrived = self._arrived(id_, size) if id_ else None
                if arrived is None:
                    id_, arrived = self._container(upload_type="resumable", **reel), 0
                    memory.save(children={UPLOAD: id_})
                if arrived < size:
                    file.seek(arrived)
                    path = f"ig-api-upload/{self.client.version}/{id_}"
                    self.client.upload(path, file, {"offset": str(arrived), "file_size": str(size)})
        except OSError as error:
            raise Rejected(N_("The file of a video cannot be read."), code=item.path.name) from error
        return id_

    def _arrived(self, id_: str, size: int) -> int | None:
        """How many bytes of an upload Instagram has; None if its container is of no use any more."""
        try:
            answer = self.client.get(
                self.host, f"{self.client.version}/{id_}", {"fields": "status_code,video_status"}
            )
        except (Rejected, Transient) as error:
            if error.code.partition("/")[0] == "100":  # no such container
                return None
            raise
        if answer.get("status_code") in ("EXPIRED", "ERROR"):
            return None
        told = answer.get("video_status")
        phase = told.get("uploading_phase") if isinstance(told, dict) else None
        phase = phase if isinstance(phase, dict) else {}
        if answer.get("status_code") == "FINISHED" or phase.get("status") == "complete":
            return size
        bytes_ = phase.get("bytes_transferred")
        return min(bytes_, size) if isinstance(bytes_, int) and bytes_ > 0 else 0

    def _container(self, **params: object) -> str:
        path = f"{self.client.version}/{self.user}/media"
        try:
            answer = self.client.post(self.host, path, params, publishing=False)
        except Transient as error:
            if error.code == rules.SPAM:  # nothing was published yet, and asking again makes it worse
                raise AccountHeld(error.reason, code=error.code) from None
            raise
        return created(answer, publishing=False)


__all__ = ["Maker"]

"""Videos and reels of a Page: started, uploaded, finished, waited for; each step safe to repeat.

A video has an id before anything is public, so an unknown outcome is settled by asking for that id.
Facts: PLATFORMS.md, "Facebook Page", b; the phases of ``status`` as Meta's guide to publishing reels
shows them (updated 2026-07-30).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any

from adapters.contract import N_, Json, Media, Progress, Receipt
from adapters.errors import AdapterError, Ambiguous, Rejected, Transient
from adapters.facebook.reading import address
from adapters.material import understanding
from adapters.meta.graph import NOT_UNDERSTOOD, UPLOADS, GraphClient, created, is_missing

#: Meta's host for the phases of /videos (its publishing guide, v24).
VIDEOS = "graph-video.facebook.com"
#: Seconds between looks at a video that is being processed: two minutes in all, then find goes on looking.
POLLS = (2.0, 3.0, 5.0, 10.0, 10.0, 15.0, 15.0, 20.0, 20.0, 20.0)
_FIELDS = "id,status,post_id,permalink_url"

_PROCESSING = N_("Facebook has the video and is still processing it; it is not yet public.")


@dataclass(frozen=True, slots=True)
class VideoState:
    """Where a video stands on Facebook."""

    uploaded: bool = False
    transferred: int = 0
    """Bytes that have arrived (reels)."""
    working: bool = False
    """It was finished and is being processed or published."""
    published: bool = False
    failed: str = ""
    """Why it can never be published, in Facebook's words."""
    gone: bool = False
    """Facebook has no such upload (any more)."""
    post_id: str = ""
    permalink: str = ""


def saved_video(progress: Progress) -> Mapping[str, Json]:
    """What is saved of the video of this chain: ``id``, ``session``, ``finishing`` ...; empty if none."""
    saved = progress.saved.get("video")
    return saved if isinstance(saved, dict) else {}


def video_state(client: GraphClient, video_id: str) -> VideoState:
    """Ask Facebook where a video stands; raise AdapterError if it cannot be asked."""
    try:
        answer = client.read(video_id, fields=_FIELDS)
    except AdapterError as error:
        if is_missing(error):
            return VideoState(gone=True)
        if isinstance(error, Rejected):  # the question was refused, which says nothing about the video
            raise Ambiguous(error.reason, code=error.code) from None
        raise
    with understanding():
        return _state(answer)


def _state(answer: Mapping[str, Any]) -> VideoState:
    status = answer.get("status") or {}
    phases = {name: status.get(f"{name}_phase") or {} for name in ("uploading", "processing", "publishing")}
    said = {name: str(phase.get("status", "")).lower() for name, phase in phases.items()}
    whole = str(status.get("video_status", "")).lower()
    published = said["publishing"] == "complete" or (whole == "ready" and not phases["publishing"])
    broken = "error" in said.values() or whole in ("error", "upload_failed")
    return VideoState(
        uploaded=said["uploading"] == "complete" or whole in ("upload_complete", "processing", "ready"),
        transferred=int(phases["uploading"].get("bytes_transferred") or 0),
        working=not published and said["publishing"] == "in_progress",
        published=published,
        failed=_why(phases) if broken and not published else "",
        gone=whole == "expired",
        post_id=str(answer.get("post_id") or ""),
        permalink=address(answer) if answer.get("permalink_url") else "",
    )


def _why(phases: Mapping[str, Mapping[str, Any]]) -> str:
    for phase in phases.values():
        for error in (phase.get("error"), *(phase.get("errors") or [])):
            if isinstance(error, dict) and error.get("message"):
                return str(error["message"])[:300]
    return N_("Facebook could not process the video. Check its length, size and codecs.")


@dataclass(frozen=True, slots=True)
class VideoPublisher:
    """Publishes one video of a Page; ``page`` is the Page's id, ``wait`` sleeps for so many seconds."""

    client: GraphClient
    page: str
    reel: bool
    wait: Callable[[float], None]

    def publish(self, item: Media, caption: str, progress: Progress) -> Receipt:
        """Upload and publish ``item``, or go on where an earlier attempt stopped.

        Raise Ambiguous while Facebook is still processing: the video may become public by itself.
        """
        state = VideoState(gone=True)
        if video_id := str(saved_video(progress).get("id") or ""):
            state = video_state(self.client, video_id)
        if state.gone and saved_video(progress).get("finishing"):
            raise Ambiguous(
                N_("Facebook does not show the video that it was told to publish."), code="video-gone"
            )
        if not (state.published or state.working):
            if state.failed:
                self._give_up(state.failed, progress)
            if state.gone or not state.uploaded:
                self._upload(item, state, progress)
            state = self._finish(caption, progress)
        return self._receipt(state, progress)

    def _upload(self, item: Media, state: VideoState, progress: Progress) -> None:
        try:
            with item.path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != item.sha256:
                    raise Rejected(
                        N_("The file of a video changed after it was approved."), code=item.path.name
                    )
                size = file.tell()
                (self._upload_reel if self.reel else self._upload_video)(file, size, state, progress)
        except OSError as error:
            raise Rejected(N_("The file of a video cannot be read."), code=item.path.name) from error

    def _upload_reel(self, file: IO[bytes], size: int, state: VideoState, progress: Progress) -> None:
        if state.gone:
            answer = self.client.put(self.page, "video_reels", publishing=False, upload_phase="start")
            progress.save(video={"id": created(answer, "video_id", publishing=False)})
        file.seek(min(state.transferred, size))
        headers = {"offset": str(file.tell()), "file_size": str(size)}
        path = f"/video-upload/{self.client.version}/{saved_video(progress)['id']}"
        answer = self.client.upload(path, file, headers, host=UPLOADS)
        if answer.get("success") is not True:
            raise Transient(NOT_UNDERSTOOD, code="upload")

    def _upload_video(self, file: IO[bytes], size: int, state: VideoState, progress: Progress) -> None:
        fresh = state.gone
        if fresh:
            answer = self._videos(publishing=False, upload_phase="start", file_size=size)
            self._keep(answer, created(answer, "video_id", publishing=False), progress)
        while True:
            saved = saved_video(progress)
            start, end = int(str(saved["start"])), int(str(saved["end"]))
            if start >= end:
                return
            file.seek(start)
            chunk = {"video_file_chunk": ("chunk", file.read(end - start), "application/octet-stream")}
            session = saved["session"]
            try:
                answer = self._videos(
                    chunk,
                    publishing=False,
                    upload_phase="transfer",
                    upload_session_id=session,
                    start_offset=start,
                )
            except Rejected as error:
                if fresh:
                    raise
                progress.save(video=None)  # an old session: begin anew
                raise Transient(error.reason, code=error.code) from None
            self._keep(answer, str(saved["id"]), progress, str(session))

    def _keep(self, answer: Mapping[str, Any], video_id: str, progress: Progress, session: str = "") -> None:
        with understanding():
            start, end = int(answer["start_offset"]), int(answer["end_offset"])
            session = session or str(answer["upload_session_id"])
        progress.save(video={"id": video_id, "session": session, "start": start, "end": end})

    def _finish(self, caption: str, progress: Progress) -> VideoState:
        saved = dict(saved_video(progress))
        again = bool(saved.get("finishing"))
        progress.save(video=saved | {"finishing": True})
        try:
            if self.reel:
                answer = self.client.put(
                    self.page,
                    "video_reels",
                    publishing=True,
                    upload_phase="finish",
                    video_id=saved["id"],
                    video_state="PUBLISHED",
                    description=caption,
                )
            else:
                answer = self._videos(
                    publishing=True,
                    upload_phase="finish",
                    upload_session_id=saved["session"],
                    description=caption,
                )
        except Rejected:
            # Finishing a second time may be refused because the first time was accepted after all.
            if again and (state := video_state(self.client, str(saved["id"]))).published:
                return state
            raise
        if answer.get("success") is not True:
            raise Ambiguous(_PROCESSING, code="finish")
        return VideoState(working=True, post_id=str(answer.get("post_id") or ""))

    def _receipt(self, state: VideoState, progress: Progress) -> Receipt:
        video_id, post_id = str(saved_video(progress)["id"]), state.post_id
        for pause in (0.0, *POLLS):
            if pause and not state.published:
                self.wait(pause)
            if not (state.published and state.permalink):
                state = self._look(video_id)
            if state.failed:
                self._give_up(state.failed, progress)
            if state.published:
                return Receipt(
                    self.remote_id(state.post_id or post_id or video_id, video_id),
                    state.permalink or address({"id": video_id}),
                )
        raise Ambiguous(_PROCESSING, code="processing")

    def _look(self, video_id: str) -> VideoState:
        """After finishing, no failure to look says that nothing was published."""
        try:
            return video_state(self.client, video_id)
        except Transient as error:
            raise Ambiguous(_PROCESSING, code=error.code) from None

    def remote_id(self, post_id: str, video_id: str) -> str:
        """The id of the post that shows a video, as the listing names it; the video's own if none is told."""
        return post_id if "_" in post_id or post_id == video_id else f"{self.page}_{post_id}"

    def _give_up(self, reason: str, progress: Progress) -> None:
        """Forget a video that Facebook will not publish, so that a corrected one can be uploaded."""
        progress.save(video=None)
        raise Rejected(self.client.http.strip(reason), code="video")

    def _videos(
        self, files: Mapping[str, object] | None = None, *, publishing: bool, **params: object
    ) -> dict[str, Any]:
        path = f"/{self.client.version}/{self.page}/videos"
        return self.client.post(VIDEOS, path, params, publishing=publishing, bearer=False, files=files)


__all__ = ["POLLS", "VideoPublisher", "VideoState", "saved_video", "video_state"]

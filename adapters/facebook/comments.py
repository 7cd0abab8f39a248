"""Comments on a Page: reading them, writing the first one under a post, answering one of somebody else.

Facebook takes no key of ours for a comment either: before one may have been written twice, it is looked for.
Facts: PLATFORMS.md, "Facebook Page", d, November 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from adapters import shortfall
from adapters.answering import comment_gone
from adapters.contract import N_, Post, Progress, Reply
from adapters.errors import AdapterError, Ambiguous, Duplicate, Rejected, Transient
from adapters.facebook.reading import PAGES, next_page
from adapters.hearing import unheard
from adapters.matching import same_text
from adapters.material import understanding
from adapters.meta.graph import GraphClient, created, is_missing


def _pages(
    client: GraphClient, under: str, fields: str
) -> Iterator[tuple[Sequence[Mapping[str, Any]], bool]]:
    """The comments under a post or a comment, oldest first, a hundred at a time; and whether none follow.

    At most the first thousand.
    """
    cursor = None
    for _ in range(PAGES):
        answer = client.edge(
            under, "comments", fields=fields, filter="stream", order="chronological", limit=100, after=cursor
        )
        with understanding():
            comments, cursor = list(answer["data"]), next_page(answer)
        yield comments, cursor is None
        if cursor is None:
            return


def find_comment(client: GraphClient, under: str, text: str, page_id: str) -> str | None:
    """Return the id of the Page's own comment ``text`` there, None if it is not.

    Raise AdapterError if reading fails, Ambiguous if it is not among the first thousand, oldest first.
    """
    with unheard():
        for comments, last in _pages(client, under, "id,message,from{id}"):
            with understanding():
                for item in comments:
                    author = str((item.get("from") or {}).get("id", page_id))
                    if author == page_id and same_text(text, str(item.get("message") or "")):
                        return str(item["id"])
            if last:
                return None
    raise Ambiguous(N_("The post has too many comments to look for ours among them."), code="too-many")


def replies(client: GraphClient, post_id: str, page_id: str) -> list[Reply]:
    """The comments under a post and the answers to them, oldest first, at most the first thousand.

    Needs pages_read_user_content; without it Facebook leaves out who wrote a comment, which is "" then.
    """
    fields = "id,message,from{id,name},created_time,permalink_url,parent{id}"
    told: list[Reply] = []
    for comments, _last in _pages(client, post_id, fields):
        with understanding():
            told += [_reply(item, post_id, page_id) for item in comments]
    return told


def _reply(item: Mapping[str, Any], post_id: str, page_id: str) -> Reply:
    author = item.get("from") or {}
    return Reply(
        remote_id=str(item["id"]),
        under=str((item.get("parent") or {}).get("id") or post_id),
        author=str(author.get("name") or ""),
        text=str(item.get("message") or ""),
        written_at=datetime.fromisoformat(str(item["created_time"])),
        url=str(item.get("permalink_url") or ""),
        own=str(author.get("id") or "") == page_id,
    )


@dataclass(frozen=True, slots=True)
class Comments:
    """Writes comments as a Page, each once."""

    client: GraphClient
    page: str
    now: Callable[[], datetime]
    gone: Callable[[str], bool]
    """Whether nothing of this id is there; raises AdapterError if Facebook does not say."""

    def first(self, post: Post, post_id: str, progress: Progress) -> None:
        """Write the first comment, unless an earlier call may have and the post shows that it did.

        If Facebook refuses it for good, that is saved as the post's shortfall.
        """
        if progress.saved.get("comment") or shortfall.remembered(progress):
            return
        made, looked = None, bool(progress.saved.get("comment_pending"))
        if looked:
            try:
                made = find_comment(self.client, post_id, post.first_comment, self.page)
            except (Transient, Rejected) as error:
                raise Ambiguous(error.reason, code=error.code) from None
        if made is None:
            progress.save(comment_pending=True)
            try:
                answer = self.client.put(post_id, "comments", publishing=True, message=post.first_comment)
                made = created(answer, publishing=True)
            except Ambiguous:
                raise
            except (Rejected, Duplicate) as error:
                # "Already there" is believed only after a look that did not show it.
                if isinstance(error, Duplicate) and not looked:
                    raise
                progress.save(refused=shortfall.sentence(post, 1, error), comment_pending=None)
                return
            except AdapterError:
                progress.save(comment_pending=None)
                raise
        progress.note(comment=made, comment_pending=None)

    def answer(self, text: str, comment: str, progress: Progress) -> str:
        """Write ``text`` under a comment, unless an earlier call may have and it is there; return its id."""
        made = None
        if progress.saved.get("pending"):
            try:
                made = find_comment(self.client, comment, text, self.page)
            except (Transient, Rejected) as error:
                if not self._missing(error, comment):
                    raise Ambiguous(error.reason, code=error.code) from None
        return made if made is not None else self._write(text, comment, progress)

    def find_answer(self, text: str, comment: str) -> str | None:
        """The id of ``text`` under a comment, None if it is not there."""
        try:
            return find_comment(self.client, comment, text, self.page)
        except (Transient, Rejected) as error:
            if not self._missing(error, comment):
                raise
            return None  # Facebook deletes the answers with their comment

    def _write(self, text: str, comment: str, progress: Progress) -> str:
        progress.save(pending={"at": self.now().astimezone(UTC).isoformat()})
        try:
            answer = self.client.put(comment, "comments", publishing=True, message=text)
            return created(answer, publishing=True)
        except AdapterError as error:
            gone = self._missing(error, comment)
            if not gone and isinstance(error, Ambiguous | Duplicate):
                raise
            progress.save(pending=None)  # refused: nothing of this chain is out there
            raise comment_gone() if gone else error from None

    def _missing(self, error: AdapterError, comment: str) -> bool:
        return is_missing(error) and self.gone(comment)

"""A Facebook Page: text, link, pictures, video, reel, and a first comment by the Page itself.

Facebook takes no key of ours for a post, so an intent is saved before each publishing call and the Page
is read back before it is made again. Facts: PLATFORMS.md, "Facebook Page", November 2026.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from adapters import material, shortfall
from adapters.contract import (
    N_,
    Absent,
    Account,
    Adapter,
    Finding,
    Found,
    Identity,
    Json,
    Limits,
    Media,
    Post,
    Problem,
    Progress,
    Reach,
    Receipt,
    Reply,
    ReplyTo,
    Unknown,
    counted,
)
from adapters.errors import AdapterError, Ambiguous, AuthExpired, Duplicate, Rejected, Transient
from adapters.facebook.checks import LONGEST_COMMENT, check_page_post
from adapters.facebook.comments import Comments, find_comment, replies
from adapters.facebook.figures import NAMES, figures
from adapters.facebook.reading import HOME, address, is_video, search
from adapters.facebook.video import VideoPublisher, saved_video, video_state
from adapters.matching import EARLIER, LATER
from adapters.meta.graph import (
    GRAPH_VERSION,
    NOT_UNDERSTOOD,
    Codes,
    GraphClient,
    Meaning,
    created,
    is_missing,
)
from adapters.transport import CONNECT_TIMEOUT, READ_TIMEOUT

#: What this adapter needs; ``pages_show_list`` is needed only to get the token.
PERMISSIONS = (
    "pages_manage_posts",
    "pages_read_engagement",
    "pages_manage_engagement",
    "pages_read_user_content",
    "read_insights",
)

#: Subcodes of Page publishing (PLATFORMS.md, "Facebook Page", d and f).
CODES: Codes = {
    (None, 1390008): Meaning.LIMIT,  # too fast
    (None, 1346003): Meaning.REJECTED,  # community standards
    (None, 1404102): Meaning.REJECTED,
    (None, 1404006): Meaning.HELD,  # security check
    (None, 4854002): Meaning.HELD,
    (None, 1404078): Meaning.HELD,  # the Page must be authorised to publish
    (None, 1404112): Meaning.HELD,  # restricted
    (None, 1609008): Meaning.REJECTED,  # the link
    (None, 1366046): Meaning.REJECTED,  # the picture
    (None, 1366051): Meaning.DUPLICATE,  # pictures already posted
}


class FacebookPageAdapter(Adapter):
    """One Page; its id is the option ``page_id``, or a numeric handle, or what the token says.

    Optional: option ``app_id`` with the secret ``app_secret`` asks for permissions as the app itself.
    ``wait`` sleeps for so many seconds while Facebook processes a video.
    """

    platform: ClassVar[str] = "facebook"
    codes: ClassVar[frozenset[str]] = frozenset(
        {
            *("first-comment-too-long", "reel-is-a-video", "reel-shape"),
            *("video-alone", "video-alt"),
        }
    )
    secrets: ClassVar[tuple[str, ...]] = ("page_token",)
    hears: ClassVar[bool] = True
    metrics: ClassVar[Mapping[str, str]] = NAMES
    follower_metric: ClassVar[str] = "followers_count"
    api_version: ClassVar[str] = GRAPH_VERSION
    # 63,206 characters: PLATFORMS.md, c. Meta names no number of pictures nor a length of alt texts: ours.
    limits = Limits(text=63206, media=10, alt_text=1000, kinds=("post", "reel"), first_comment=True)
    reply_limits = Limits(text=LONGEST_COMMENT)
    # "Lag seconds" (PLATFORMS.md, d, from memory): a generous few.
    listing_lag: ClassVar[timedelta] = timedelta(seconds=30)

    def __init__(
        self,
        account: Account,
        now: Callable[[], datetime],
        *,
        wait: Callable[[float], None] = time.sleep,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
    ) -> None:
        super().__init__(account, now)
        self._wait = wait
        self._timeouts = (connect_timeout, read_timeout)
        self._client: GraphClient | None = None
        handle = account.handle.removeprefix("@")
        self._page = str(account.options.get("page_id") or (handle if handle.isdigit() else ""))

    @property
    def client(self) -> GraphClient:
        """The Graph with the Page's token; raise AuthExpired if the token cannot be read."""
        if self._client is None:
            token, app_secret = self.account.secret("page_token"), ""
            if self.account.options.get("app_id"):
                app_secret = self.account.secret("app_secret")
            self._client = GraphClient(
                self.account,
                self.now,
                token,
                codes=CODES,
                secrets=(app_secret,),
                connect_timeout=self._timeouts[0],
                read_timeout=self._timeouts[1],
                pace=self.heed,
            )
        return self._client

    @property
    def page(self) -> str:
        """The Page's id; asked for once if nobody configured it ("me" of a Page token is the Page)."""
        if not self._page:
            self._page = created(self.client.read("me", fields="id"), publishing=False)
        return self._page

    def wording(self, post: Post) -> str:
        """The text; the link follows it only where it cannot be the post's attachment."""
        return super().wording(post) if post.media else post.text

    def check(self, post: Post) -> list[Problem]:
        problems = super().check(post)
        if post.link and not post.text.strip() and not post.media:  # a bare link is a post here
            problems = [problem for problem in problems if problem.code != "empty-post"]
        return problems + check_page_post(post)

    def verify(self) -> Identity:
        """Name the Page of the token, and what the token may not do.

        Facebook may refuse to be asked for permissions; then none counts as missing.
        """
        me = self.client.read("me", fields="id,name,link")
        with material.understanding():
            page_id, name, url = str(me["id"]), str(me["name"]), str(me.get("link") or f"{HOME}/{me['id']}")
        if self._page and self._page != page_id:
            raise AuthExpired(
                N_("The token belongs to another Page than the configured one."), code="other-page"
            )
        return Identity(page_id, name, url, self._missing())

    def publish(self, post: Post, progress: Progress) -> Receipt:
        if post.reply_to is not None:
            return self._answer(post, post.reply_to, progress)
        if not progress.saved:
            self._refuse_what_would_be_dropped(post)
        receipt = self._published(progress) or self._publish(post, progress)
        if post.first_comment:
            self._comments().first(post, receipt.remote_id, progress)
        return replace(receipt, shortfall=shortfall.remembered(progress))

    def find(self, post: Post, progress: Progress, since: datetime) -> Finding:
        """See :meth:`Adapter.find`.

        Where the post is there without its first comment, the answer is Found if Facebook refused the
        comment for good; Absent if this chain is known to have made the post (publish then only adds the
        comment), else Unknown.
        """
        if post.reply_to is not None:
            return self._find_answer(post, post.reply_to, progress)
        finding = self._find(post, progress, since)
        if isinstance(finding, Found) and (missing := shortfall.remembered(progress)):
            return replace(finding, shortfall=missing)
        if not post.first_comment or not isinstance(finding, Found) or progress.saved.get("comment"):
            return finding
        if find_comment(self.client, finding.remote_id, post.first_comment, self.page):
            return finding
        if any(progress.saved.get(name) for name in ("post", "pending")) or saved_video(progress):
            return Absent()
        return Unknown(N_("The post is there, but not its first comment."))

    def reach(self, remote_ids: Sequence[str]) -> Mapping[str, Reach]:
        return figures(self.client, remote_ids)

    def followers(self) -> int | None:
        return counted(self.client.read("me", fields="followers_count").get("followers_count"))

    def replies(self, remote_ids: Sequence[str]) -> Mapping[str, Sequence[Reply]]:
        told: dict[str, Sequence[Reply]] = {}
        for id_ in remote_ids:
            try:
                told[id_] = replies(self.client, id_, self.page)
            except AdapterError as error:
                if not (is_missing(error) and self._gone(id_)):
                    raise
        return told

    def remove(self, remote_id: str) -> None:
        try:
            answer = self.client.remove(remote_id)
        except AdapterError as error:
            # The same code says "not there" and "not allowed": only reading tells them apart.
            if not (is_missing(error) and self._gone(remote_id)):
                raise
            return
        if answer.get("success") is not True:
            raise Transient(NOT_UNDERSTOOD, code="remove")

    def _missing(self) -> tuple[str, ...]:
        app_id = self.account.options.get("app_id")
        asking = {"access_token": f"{app_id}|{self.account.secret('app_secret')}"} if app_id else {}
        try:
            token = self.account.secret("page_token")
            told = self.client.read("debug_token", input_token=token, **asking)["data"]["scopes"]
        except (AdapterError, LookupError, TypeError):
            return ()
        return tuple(one for one in PERMISSIONS if one not in told) if isinstance(told, list) else ()

    def _refuse_what_would_be_dropped(self, post: Post) -> None:
        """A post that Facebook cannot take whole is not begun: no picture or part is left out silently."""
        for problem in self.check(post):
            if problem.severity == "error":
                raise Rejected(problem.message.format(**problem.values), code=problem.code)

    def begun(self, progress: Progress) -> Receipt | None:
        return self._published(progress)

    def _published(self, progress: Progress) -> Receipt | None:
        done = progress.saved.get("post")
        return Receipt(str(done["id"]), str(done["permalink"])) if isinstance(done, dict) else None

    def _publish(self, post: Post, progress: Progress) -> Receipt:
        if any(is_video(item.mime) for item in post.media):
            receipt = self._videos(post).publish(post.media[0], self.wording(post), progress)
        else:
            receipt = self._adopted(post, progress) or self._publish_now(post, progress)
        keep = progress.save if post.first_comment else progress.note
        keep(post={"id": receipt.remote_id, "permalink": receipt.permalink}, pending=None)
        return receipt

    def _comments(self) -> Comments:
        return Comments(self.client, self.page, self.now, self._gone)

    def _videos(self, post: Post) -> VideoPublisher:
        return VideoPublisher(self.client, self.page, post.kind == "reel", self._wait)

    def _adopted(self, post: Post, progress: Progress) -> Receipt | None:
        """The post that an earlier call made whose answer is not known; None if it made none."""
        pending = progress.saved.get("pending")
        if not isinstance(pending, dict):
            return None
        at = datetime.fromisoformat(str(pending["at"]))
        ids = _photo_ids(progress)
        try:
            seen = search(
                self.client, self.page, post, self.wording(post), ids, at - EARLIER, self.now() + LATER
            )
        except (Transient, Rejected) as error:  # not being able to look proves nothing
            raise Ambiguous(error.reason, code=error.code) from None
        if seen.post is not None:
            return Receipt(seen.post.remote_id, seen.post.permalink)
        if seen.near or not seen.complete:
            raise Ambiguous(_NEAR if seen.near else _TOO_MANY, code="cannot-tell")
        return None

    def _publish_now(self, post: Post, progress: Progress) -> Receipt:
        text = self.wording(post)
        # One picture goes up with its post; its file is read before the intent is noted.
        picture = _file(post.media[0]) if len(post.media) == 1 else None
        photos = self._upload_all(post.media, progress) if picture is None else []
        progress.save(pending={"at": self.now().astimezone(UTC).isoformat()})
        try:
            if picture is not None:
                alt = post.media[0].alt or None
                answer = self.client.photo(
                    self.page, picture, publishing=True, message=text, alt_text_custom=alt, published=True
                )
                return self._with_address(created(answer, "post_id", publishing=True))
            answer = self.client.put(
                self.page,
                "feed",
                publishing=True,
                message=text or None,
                link=post.link if not post.media and post.link else None,
                attached_media=[{"media_fbid": id_} for id_ in photos] or None,
                published=True,
                fields="id,permalink_url",
            )
            return Receipt(created(answer, publishing=True), address(answer))
        except (Ambiguous, Duplicate):
            raise
        except AdapterError:
            progress.save(pending=None)  # refused: nothing of this chain is out there
            raise

    def _with_address(self, post_id: str) -> Receipt:
        """The post is out: not learning its address must not lose its id."""
        try:
            answer = self.client.read(post_id, fields="id,permalink_url")
        except AdapterError:
            answer = {}
        return Receipt(post_id, address({"id": post_id} | answer))

    def _upload_all(self, media: Sequence[Media], progress: Progress) -> list[str]:
        """Upload unpublished what earlier attempts have not; each id is saved before the next step."""
        saved = progress.saved.get("photos")
        known: dict[str, Json] = dict(saved) if isinstance(saved, dict) else {}
        keys = [_key(place, item) for place, item in enumerate(media)]
        for key, item in zip(keys, media, strict=True):
            if key not in known:
                answer = self.client.photo(
                    self.page,
                    _file(item),
                    publishing=False,
                    published=False,
                    alt_text_custom=item.alt or None,
                )
                known[key] = created(answer, publishing=False)
                progress.save(photos=dict(known))
        return [str(known[key]) for key in keys]

    def _answer(self, post: Post, to: ReplyTo, progress: Progress) -> Receipt:
        """Write a comment under a comment."""
        if (done := self._published(progress)) is not None:
            return done
        receipt = self._with_address(self._comments().answer(post.text, to.comment, progress))
        progress.save(post={"id": receipt.remote_id, "permalink": receipt.permalink}, pending=None)
        return receipt

    def _find_answer(self, post: Post, to: ReplyTo, progress: Progress) -> Finding:
        if (done := self._published(progress)) is not None:
            return Found(done.remote_id, done.permalink)
        made = self._comments().find_answer(post.text, to.comment)
        if made is None:
            return Absent()
        receipt = self._with_address(made)
        return Found(receipt.remote_id, receipt.permalink)

    def _find(self, post: Post, progress: Progress, since: datetime) -> Finding:
        if (done := self._published(progress)) is not None and not self._gone(done.remote_id):
            return Found(done.remote_id, done.permalink)
        if video_id := str(saved_video(progress).get("id") or ""):
            return self._find_video(post, video_id, progress)
        ids = _photo_ids(progress)
        seen = search(self.client, self.page, post, self.wording(post), ids, since, self.now() + LATER)
        if seen.post is not None:
            return seen.post
        if seen.near:
            return Unknown(_NEAR)
        return Absent() if seen.complete else Unknown(_TOO_MANY)

    def _find_video(self, post: Post, video_id: str, progress: Progress) -> Finding:
        state = video_state(self.client, video_id)
        if state.published:
            remote_id = self._videos(post).remote_id(state.post_id or video_id, video_id)
            return Found(remote_id, state.permalink or address({"id": video_id}))
        if not saved_video(progress).get("finishing") or state.failed:
            return Absent()
        if state.working:
            return Unknown(N_("Facebook is still processing the video."))
        # It waits there, uploaded and not published: finishing it once more cannot make a second one.
        return Unknown(N_("Facebook does not show the video.")) if state.gone else Absent()

    def _gone(self, remote_id: str) -> bool:
        try:
            self.client.read(remote_id, fields="id")
        except AdapterError as error:
            if is_missing(error):
                return True
            raise
        return False


_NEAR = N_("A post there is nearly the same (same text, other link): a person must compare them.")
_TOO_MANY = N_("The Page has published too much since then to be read back.")


def _photo_ids(progress: Progress) -> list[str]:
    saved = progress.saved.get("photos")
    return [str(id_) for id_ in saved.values()] if isinstance(saved, dict) else []


def _key(place: int, item: Media) -> str:
    """One upload: the same picture twice is two photos there, and an alt text belongs to its photo."""
    return hashlib.sha256(f"{place}\n{item.sha256}\n{item.alt}".encode()).hexdigest()[:16]


def _file(item: Media) -> tuple[str, bytes, str]:
    return item.path.name, material.content(item), item.mime


__all__ = ["CODES", "PERMISSIONS", "FacebookPageAdapter"]

# ruff: noqa: S101
"""What every adapter must do, as tests: ours pass them, a stranger's adapter can too.

Subclass :class:`AdapterContract` in a test module, declare what the platform can do, and override the
three fixtures that raise NotImplementedError with a server that really answers HTTP on loopback. The
suite speaks to the adapter only through the contract; it patches nothing and skips nothing.
"""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from adapters import registry
from adapters.contract import FIGURES, Absent, Adapter, Found, Limits, Part, Post, Progress, Receipt, Unknown
from adapters.contract_tools import (
    Call,
    MemoryProgress,
    PowerCutError,
    Refusal,
    Relay,
    Remote,
    RemotePost,
    closed_port,
    picture,
    relayed,
)
from adapters.errors import AdapterError, Ambiguous, Transient


class AdapterContract:
    """Subclass, declare, override ``api_base``, ``make_adapter`` and ``remote``; pytest does the rest."""

    #: The call that makes a post public.
    publishing_call: ClassVar[Call]
    #: The call that uploads one medium; None if the platform fetches media itself or takes none.
    upload_call: ClassVar[Call | None] = None
    #: The call that makes a first comment or a later part of a thread public, where the platform has such,
    #: and how many of these calls the post itself needs.
    later_call: ClassVar[tuple[Call, int] | None] = None
    #: What the platform answers when it refuses that call for good; its explanation has ``refusal_words``.
    refusal: ClassVar[Refusal] = (400, "{}")
    refusal_words: ClassVar[str] = ""
    #: How many pictures the posts of these tests carry.
    pictures: ClassVar[int] = 2
    #: False if a platform's listing may lack a fresh post: find then answers Unknown, never Absent.
    conclusive_absence: ClassVar[bool] = True
    #: False if the platform's interface cannot delete; remove then raises AdapterError.
    removable: ClassVar[bool] = True
    #: How many people follow the account, as that server tells it; None if the platform tells nobody.
    followers: ClassVar[int | None] = None
    #: What the account's secrets are in these tests; none of them may appear in any text.
    secrets: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture
    def api_base(self) -> str:
        """The address of a server that stands in for the platform."""
        raise NotImplementedError

    @pytest.fixture
    def make_adapter(self) -> Callable[[str], Adapter]:
        """Make the adapter of one account for any ``api_base``."""
        raise NotImplementedError

    @pytest.fixture
    def remote(self) -> Remote:
        """The other side of ``api_base``."""
        raise NotImplementedError

    @pytest.fixture
    def adapter(self, make_adapter: Callable[[str], Adapter], api_base: str) -> Adapter:
        return make_adapter(api_base)

    @pytest.fixture
    def relay(self, api_base: str) -> Iterator[Relay]:
        with relayed(api_base) as relay:
            yield relay

    @pytest.fixture
    def since(self) -> datetime:
        return datetime.now(UTC) - timedelta(minutes=1)

    @pytest.fixture
    def make_post(self, tmp_path: Path) -> Callable[..., Post]:
        """Make a post that the platform accepts."""

        def make(text: str = "Berani jujur, hebat! #Hakordia", *, pictures: int = 0, link: str = "") -> Post:
            media = tuple(picture(tmp_path, n, f"Poster nomor {n}: tolak suap") for n in range(pictures))
            return Post(key=hashlib.sha256(text.encode()).hexdigest(), text=text, link=link, media=media)

        return make

    @pytest.fixture
    def full_post(self, make_post: Callable[..., Post]) -> Post:
        """A post with everything that the platform takes."""
        text = "Baris satu: «tolak suap» & lapor.\n\nBaris tiga 🙏 #Hakordia"
        return make_post(text, pictures=self.pictures, link="https://example.go.id/lapor?kanal=a&b=c")

    def test_verify_says_who_the_account_is(self, adapter: Adapter) -> None:
        """Given working credentials, verify names the account and misses no permission."""
        identity = adapter.verify()
        assert identity.remote_id
        assert identity.name
        assert identity.missing_permissions == ()

    def test_what_is_objected_to_has_a_code_that_the_office_knows(
        self, adapter: Adapter, make_post: Callable[..., Post]
    ) -> None:
        """Given a post beyond the limits, check tells codes that ``[checks]`` of a configuration may name."""
        post = make_post("a" * (adapter.limits.text + 1), pictures=1, link="https://kpk.go.id")
        codes = {one.code for one in adapter.check(replace(post, media=post.media * 50))}
        assert "text-too-long" in codes or "caption-too-long" in codes
        assert codes <= registry.codes() | adapter.codes

    def test_a_text_is_published(
        self, adapter: Adapter, remote: Remote, make_post: Callable[..., Post]
    ) -> None:
        """Given a text within the limits, publish returns the id under which the platform holds it."""
        post = make_post(pictures=1 if adapter.limits.media_required else 0)
        assert [p for p in adapter.check(post) if p.severity == "error"] == []
        receipt = _publish(adapter, post, MemoryProgress())
        assert [(p.remote_id, p.text) for p in remote.posts()] == [(receipt.remote_id, post.text)]
        assert receipt.permalink.startswith("http")

    def test_every_field_arrives(self, adapter: Adapter, remote: Remote, full_post: Post) -> None:
        """Given text, link and pictures, each arrives unchanged, alt texts with their own pictures."""
        receipt = _publish(adapter, full_post, MemoryProgress())
        (there,) = remote.posts()
        assert there == RemotePost(receipt.remote_id, full_post.text, full_post.link, _media(full_post))

    def test_a_finished_chain_is_not_repeated(
        self, adapter: Adapter, remote: Remote, full_post: Post
    ) -> None:
        """Given a chain that has published, a second publish gives the same receipt and posts nothing."""
        progress = MemoryProgress()
        first = _publish(adapter, full_post, progress)
        assert _publish(adapter, full_post, progress) == first
        assert len(remote.posts()) == 1

    def test_uploads_are_not_repeated(
        self, make_adapter: Callable[[str], Adapter], relay: Relay, remote: Remote, full_post: Post
    ) -> None:
        """Given a chain that broke after its uploads, the next attempt uses them."""
        progress = MemoryProgress()
        relay.breaks, relay.when = self.publishing_call, "before"
        with pytest.raises(AdapterError):
            make_adapter(relay.url).publish(full_post, progress)
        relay.breaks = None
        assert remote.posts() == []
        _publish(make_adapter(relay.url), full_post, progress)
        assert [p.media for p in remote.posts()] == [_media(full_post)]
        if self.upload_call is not None:
            assert relay.count(self.upload_call) == len(full_post.media)

    def test_a_power_cut_after_any_save_never_doubles(
        self, make_adapter: Callable[[str], Adapter], api_base: str, remote: Remote, full_post: Post
    ) -> None:
        """Given a process that dies after its Nth save, looking and resuming leaves exactly one post."""
        for cut in range(1, 50):
            since = datetime.now(UTC) - timedelta(minutes=1)
            progress = MemoryProgress(dies_after=cut)
            try:
                receipt = _publish(make_adapter(api_base), full_post, progress)
            except PowerCutError:
                found = make_adapter(api_base).find(full_post, progress, since)
                if isinstance(found, Found):
                    receipt = Receipt(found.remote_id)
                else:
                    receipt = _publish(make_adapter(api_base), full_post, progress)
            assert [(p.remote_id, p.media) for p in remote.posts()] == [
                (receipt.remote_id, _media(full_post))
            ]
            if progress.saves < cut:  # it lived through every save: all places are tried
                return
            self._clear(make_adapter(api_base), remote)
        pytest.fail("The adapter saves more than 49 times for one post.")

    def test_a_published_post_is_found(self, adapter: Adapter, full_post: Post, since: datetime) -> None:
        """Given a chain that lost its memory of the answer, find returns the post's id and time."""
        receipt = _publish(adapter, full_post, MemoryProgress())
        found = adapter.find(full_post, MemoryProgress(), since)
        assert isinstance(found, Found)
        assert found.remote_id == receipt.remote_id
        assert found.published_at is None or found.published_at >= since

    def test_an_unpublished_post_is_not_found(
        self, adapter: Adapter, full_post: Post, since: datetime
    ) -> None:
        """Given nothing published, find says Absent only where the platform's listing is conclusive."""
        self._assert_not_there(adapter.find(full_post, MemoryProgress(), since))

    def test_another_post_of_the_account_is_not_taken(
        self, adapter: Adapter, make_post: Callable[..., Post], since: datetime
    ) -> None:
        """Given other posts, one with the same pictures and one with the same text, find takes neither."""
        n = max(self.pictures, 1)
        _publish(adapter, make_post("Yang lain #Hakordia", pictures=n), MemoryProgress())
        if self.pictures and not adapter.limits.media_required:
            _publish(adapter, make_post("Yang dicari #Hakordia"), MemoryProgress())
        wanted = make_post("Yang dicari #Hakordia", pictures=n)
        self._assert_not_there(adapter.find(wanted, MemoryProgress(), since))

    def test_an_older_post_is_not_taken(self, adapter: Adapter, full_post: Post) -> None:
        """Given the same post from before the window (last week's, say), find does not take it."""
        _publish(adapter, full_post, MemoryProgress())
        later = datetime.now(UTC) + timedelta(hours=1)
        self._assert_not_there(adapter.find(full_post, MemoryProgress(), later))

    def test_what_is_out_stays_out_when_a_later_piece_is_refused(
        self,
        make_adapter: Callable[[str], Adapter],
        relay: Relay,
        make_post: Callable[..., Post],
        since: datetime,
    ) -> None:
        """Given a first comment or a further part that is refused for good, the post is out: publish returns
        its id and says what is missing in the platform's words; it never tries again; find says the same.
        """
        limits = make_adapter(relay.url).limits
        assert (self.later_call is not None) == (limits.first_comment or limits.threads), "declare later_call"
        if self.later_call is None:
            return
        post, progress = self._with_more(make_post, limits), MemoryProgress()
        relay.breaks, relay.spared = self.later_call
        relay.answer = self.refusal
        receipt = _publish(make_adapter(relay.url), post, progress)
        assert receipt.remote_id
        assert self.refusal_words in receipt.shortfall
        asked = relay.count(self.later_call[0])
        assert _publish(make_adapter(relay.url), post, progress) == receipt
        assert relay.count(self.later_call[0]) == asked
        found = make_adapter(relay.url).find(post, progress, since)
        assert isinstance(found, Found)
        assert (found.remote_id, found.shortfall) == (receipt.remote_id, receipt.shortfall)

    def test_what_may_still_come_is_no_shortfall(
        self,
        make_adapter: Callable[[str], Adapter],
        relay: Relay,
        make_post: Callable[..., Post],
        since: datetime,
    ) -> None:
        """Given a lost line before a later piece, the piece is added later, once, and nothing is missing."""
        if self.later_call is None:
            return
        post, progress = self._with_more(make_post, make_adapter(relay.url).limits), MemoryProgress()
        (relay.breaks, relay.spared), relay.when = self.later_call, "before"
        with pytest.raises(AdapterError):
            make_adapter(relay.url).publish(post, progress)
        relay.breaks = None
        self._assert_not_there(make_adapter(relay.url).find(post, progress, since))
        receipt = _publish(make_adapter(relay.url), post, progress)
        assert receipt.shortfall == ""
        found = make_adapter(relay.url).find(post, progress, since)
        assert isinstance(found, Found)
        assert (found.remote_id, found.shortfall) == (receipt.remote_id, "")

    def test_figures_are_counted_or_unknown(self, adapter: Adapter, remote: Remote, full_post: Post) -> None:
        """Given people who saw a post, reach tells what the platform counted, None for the rest."""
        receipt = _publish(adapter, full_post, MemoryProgress())
        expected = remote.engage(receipt.remote_id)
        (told,) = adapter.reach([receipt.remote_id]).values()
        for name in FIGURES:
            assert (name, getattr(told, name)) == (name, getattr(expected, name))
        counted = {name for name in FIGURES if getattr(told, name) is not None}
        assert counted <= set(adapter.metrics), "a figure that is told has the platform's own name, too"

    def test_figures_of_an_unknown_id_are_left_out(self, adapter: Adapter, full_post: Post) -> None:
        """Given an id that is gone among others, reach answers for the others."""
        kept = _publish(adapter, full_post, MemoryProgress())
        assert set(adapter.reach([kept.remote_id, "999999999"])) == {kept.remote_id}

    def test_followers_are_told_or_unknown(self, adapter: Adapter) -> None:
        """Followers are the number that the platform tells; where it tells none, the adapter says so."""
        assert adapter.followers() == self.followers
        assert bool(adapter.follower_metric) == (self.followers is not None)

    def test_removing_twice_is_removing(self, adapter: Adapter, remote: Remote, full_post: Post) -> None:
        """Given a published post, remove deletes it; a second remove is content that it is gone."""
        receipt = _publish(adapter, full_post, MemoryProgress())
        if self.removable:
            adapter.remove(receipt.remote_id)
            assert remote.posts() == []
            adapter.remove(receipt.remote_id)
        else:
            with pytest.raises(AdapterError):
                adapter.remove(receipt.remote_id)
            assert len(remote.posts()) == 1

    def test_a_refused_connection_is_transient(
        self, make_adapter: Callable[[str], Adapter], full_post: Post, since: datetime
    ) -> None:
        """Given a platform that cannot be reached, every call says Transient: nothing was accepted."""
        adapter, progress = make_adapter(closed_port()), MemoryProgress()
        calls: list[Callable[[], object]] = [
            adapter.verify,
            lambda: adapter.publish(full_post, progress),
            lambda: adapter.find(full_post, progress, since),
            lambda: adapter.reach(["1"]),
        ]
        for call in calls:
            with pytest.raises(Transient) as raised:
                call()
            self._assert_fit_to_show(raised.value)

    def test_a_lost_answer_is_ambiguous_and_the_post_is_found(
        self,
        make_adapter: Callable[[str], Adapter],
        adapter: Adapter,
        relay: Relay,
        remote: Remote,
        full_post: Post,
        since: datetime,
    ) -> None:
        """Given a platform that takes the post and hangs up, publish says Ambiguous and find finds it."""
        progress = MemoryProgress()
        relay.breaks = self.publishing_call
        with pytest.raises(Ambiguous) as raised:
            make_adapter(relay.url).publish(full_post, progress)
        self._assert_fit_to_show(raised.value)
        assert relay.count(self.publishing_call) == 1, "the transport sent it again"
        (there,) = remote.posts()
        found = adapter.find(full_post, progress, since)
        assert isinstance(found, Found)
        assert found.remote_id == there.remote_id

    def _with_more(self, make_post: Callable[..., Post], limits: Limits) -> Post:
        """A post with a first comment, or with a second part where there are no first comments."""
        post = make_post(pictures=self.pictures)
        if limits.first_comment:
            return replace(post, first_comment="Sumber: data terbuka")
        return replace(post, thread=(Part("Bagian dua"),))

    def _assert_not_there(self, finding: object) -> None:
        assert isinstance(finding, Absent if self.conclusive_absence else Unknown)

    def _assert_fit_to_show(self, error: AdapterError) -> None:
        """The reason is a sentence for a person; neither it nor a traceback holds a secret."""
        assert len(error.reason.split()) > 2
        texts = "".join(traceback.format_exception(error)) + repr(error) + str(vars(error))
        for name, secret in self.secrets.items():
            assert secret not in texts, f"the secret {name} is in the error's texts"

    def _clear(self, adapter: Adapter, remote: Remote) -> None:
        """Empty the account between two rounds; override where the platform cannot delete."""
        for post in remote.posts():
            adapter.remove(post.remote_id)


def _publish(adapter: Adapter, post: Post, progress: Progress) -> Receipt:
    receipt = adapter.publish(post, progress)
    assert isinstance(receipt, Receipt)
    return receipt


def _media(post: Post) -> tuple[tuple[str, str], ...]:
    return tuple((item.sha256, item.alt) for item in post.media)


__all__ = ["AdapterContract"]

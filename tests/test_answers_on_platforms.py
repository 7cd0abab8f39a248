"""Answers to comments on every platform that takes them: under their comment, once, whatever happens."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kit.sides import SIDES, Call, Side, adapter_of
from servers.loopback import Fault

from adapters.answering import GONE
from adapters.contract import Absent, Adapter, Found, Post, Receipt, ReplyTo
from adapters.contract_tools import MemoryProgress, PowerCutError
from adapters.errors import Ambiguous, Rejected
from adapters.hearing import listening

TEXT = "Terima kasih. Sampaikan laporan lewat https://www.lapor.go.id"
ASKED = "Ke mana saya melapor?"
#: The call by which each platform takes an answer.
CALLS: dict[str, Call] = {
    "x": ("POST", "/2/tweets"),
    "facebook": ("POST", "/comments"),
    "instagram": ("POST", "/replies"),
    "threads": ("POST", "/threads_publish"),
    "mastodon": ("POST", "/v1/statuses"),
    "bluesky": ("POST", "com.atproto.repo.putRecord"),
}


@dataclass
class Talk:
    """A platform with a post of the account, a comment of somebody else under it, and an answer to be."""

    side: Side
    post: str
    comment: str
    answer: Post
    since: datetime

    def adapter(self) -> Adapter:
        return adapter_of(self.side, "dinas", lambda: datetime.now(UTC), lambda _media: "", 20)

    @property
    def there(self) -> list[tuple[str, str]]:
        """The answers under the comment, as the platform has them: id and text."""
        return [(one.id, one.text) for one in self.side.posts if one.under == self.comment]


@pytest.fixture(params=sorted(CALLS))
def talk(request: pytest.FixtureRequest) -> Iterator[Talk]:
    with SIDES[request.param]() as side:
        post = _head(side)
        comment = side.comment(post, ASKED)
        answer = Post("kunci", TEXT, reply_to=ReplyTo(comment, post))
        yield Talk(side, post, comment, answer, datetime.now(UTC) - timedelta(minutes=1))


def _head(side: Side) -> str:
    """Publish a post; Instagram, which fetches pictures from an address, just has one."""
    if side.platform == "instagram":
        from servers.instagram_platform import Media

        side.state.media["17"] = Media("Kiriman", "IMAGE", "FEED", (), datetime.now(UTC))
        return "17"
    adapter = adapter_of(side, "dinas", lambda: datetime.now(UTC), lambda _media: "", 20)
    receipt = adapter.publish(Post("kepala", "Tolak suap"), MemoryProgress())
    assert isinstance(receipt, Receipt)
    return receipt.remote_id


def test_an_answer_stands_under_its_comment_once(talk: Talk) -> None:
    adapter, progress = talk.adapter(), MemoryProgress()
    assert adapter.check(talk.answer) == []
    receipt = adapter.publish(talk.answer, progress)
    assert isinstance(receipt, Receipt)
    ((id_, text),) = talk.there
    assert (receipt.remote_id, text.removeprefix("@warga@lain.example ")) == (id_, TEXT)
    assert talk.adapter().publish(talk.answer, progress) == receipt
    assert len(talk.there) == 1
    adapter = talk.adapter()
    if adapter.billed_comment:
        heard = adapter.replies_since({talk.post: ""}, 20)[talk.post]
        assert adapter.replies_since({talk.post: max(one.remote_id for one in heard)}, 20) == {talk.post: []}
        assert adapter.replies_since({talk.post: ""}, 9) == {}
    else:
        heard = adapter.replies([talk.post])[talk.post]
    assert {(one.remote_id, one.own) for one in heard} >= {(talk.comment, False)}
    assert all(one.own == (one.remote_id == id_) for one in heard)


def test_an_answer_whose_receipt_was_lost_is_found_and_not_repeated(talk: Talk) -> None:
    progress = MemoryProgress()
    talk.side.loopback.faults.append(Fault(*CALLS[talk.side.platform], "reset"))
    with pytest.raises(Ambiguous):
        talk.adapter().publish(talk.answer, progress)
    ((id_, _text),) = talk.there
    found = talk.adapter().find(talk.answer, progress, talk.since)
    assert isinstance(found, Found)
    assert found.remote_id == id_
    talk.adapter().publish(talk.answer, progress)
    assert len(talk.there) == 1


def test_a_power_cut_at_any_save_leaves_one_answer(talk: Talk) -> None:
    for cut in range(1, 20):
        progress = MemoryProgress(dies_after=cut)
        answer = replace(talk.answer, text=f"{TEXT}/{cut}", key=f"kunci{cut}")
        try:
            talk.adapter().publish(answer, progress)
        except PowerCutError:
            if isinstance(talk.adapter().find(answer, progress, talk.since), Absent):
                talk.adapter().publish(answer, progress)
        assert len(talk.there) == cut
        if progress.saves < cut:
            return
    pytest.fail("too many saves")


def test_the_answer_to_a_comment_that_was_deleted_is_refused_for_good(talk: Talk) -> None:
    talk.side.uncomment(talk.comment)
    with pytest.raises(Rejected) as refused:
        talk.adapter().publish(talk.answer, MemoryProgress())
    assert refused.value.code == GONE
    assert talk.there == []
    assert talk.adapter().find(talk.answer, MemoryProgress(), talk.since) == Absent()


def test_an_answer_can_be_taken_down_and_leaves_the_comment(talk: Talk) -> None:
    receipt = talk.adapter().publish(talk.answer, MemoryProgress())
    assert isinstance(receipt, Receipt)
    for _ in range(2):
        talk.adapter().remove(receipt.remote_id)
    assert talk.there == []
    assert talk.adapter().publish(replace(talk.answer, key="lain"), MemoryProgress())


def test_not_even_after_a_lost_answer_when_the_comments_are_looked_through(talk: Talk) -> None:
    progress = MemoryProgress()
    talk.side.loopback.faults.append(Fault(*CALLS[talk.side.platform], "reset"))
    with listening() as heard:
        with pytest.raises(Ambiguous):
            talk.adapter().publish(talk.answer, progress)
        talk.side.comment(talk.comment, ASKED)
        talk.adapter().publish(talk.answer, progress)
    assert ASKED not in json.dumps(heard)
    assert len(talk.there) == 1


def test_what_others_wrote_is_not_among_the_answers_that_are_kept(talk: Talk) -> None:
    with listening() as heard:
        talk.adapter().publish(talk.answer, MemoryProgress())
    assert heard
    assert ASKED not in json.dumps(heard)


@pytest.mark.parametrize("platform", sorted({*SIDES} - {*CALLS}))
def test_a_platform_without_answers_says_so_before_anyone_approves(platform: str) -> None:
    with SIDES[platform]() as side:
        adapter = adapter_of(side, "dinas", lambda: datetime.now(UTC), lambda _media: "", 20)
        (problem,) = adapter.check(Post("kunci", TEXT, reply_to=ReplyTo("1", "2")))
    assert (problem.code, problem.severity) == ("no-replies", "error")

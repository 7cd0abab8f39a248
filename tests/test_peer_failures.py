"""The failures of other publishing tools (PEERS.md), each as a test: what becomes of it here.

The real dispatcher, database and adapters, in real threads, against servers on loopback that fail as the
platforms were seen to fail. Only the clock is moved by hand. What is counted is what the platform holds.

Rows of PEERS.md that are shown elsewhere: recurrence counted from the start, one hour off (test_timetable,
test_planning); refresh token overwritten (credentials); no CSV export and no history (test_reports,
test_nine_platforms); schema pushed with data loss (test_database); approvals (test_dispatch, test_cli);
a stop that misses posts, bulk import (governance).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from datetime import timedelta
from typing import Any

import pytest
from kit.engine import HOUR, MINUTE, campaign
from kit.house import ALTS, FILES, LATER, TEXT, House, pictures
from kit.sides import SIDES
from servers import graph_platform, instagram_platform
from servers.loopback import Answer, Fault

from adapters.contract import Media, Post
from scheduler.states import State
from scheduler.store import operations
from scheduler.store.tables import Delivery, accounts, audit

ALL = pytest.mark.parametrize("platform", SIDES)
#: Longer than the lease of an attempt.
LEASE = timedelta(minutes=3)


# "Connection reset after the platform accepted: re-sent up to five times."


@ALL
def test_connection_reset_after_the_platform_accepted(house: Callable[..., House], platform: str) -> None:
    """Given a lost answer, the account is read back and the post adopted: it is there once."""
    home = house(platform)
    home.side.loopback.faults = [Fault(*home.side.publishing, "reset")]
    home.publish()
    home.is_unsure()
    home.work(LATER)
    home.settled(found=True)


@pytest.mark.parametrize("how", ["timeout", "truncated", "html", "500"])
def test_any_other_lost_answer_of_a_facebook_feed(house: Callable[..., House], how: Any) -> None:
    home = house("facebook")
    home.read_timeout = 1.0 if how == "timeout" else home.read_timeout
    home.side.loopback.faults = [Fault(*home.side.publishing, how)]
    home.publish()
    home.is_unsure()
    home.work(LATER)
    home.settled(found=True)


def test_reading_back_that_fails_too_proves_nothing(house: Callable[..., House]) -> None:
    """Given a listing that is broken as well, Gaung looks again later and still sends nothing."""
    home = house("facebook")
    home.side.loopback.faults = [
        Fault(*home.side.publishing, "reset"),
        Fault("GET", "/published_posts", "html", "before"),
    ]
    home.publish()
    home.is_unsure()
    home.work(10 * timedelta(seconds=1))
    home.is_unsure("cannot-tell")
    home.work(LATER)
    home.settled(found=True)


# "The HTTP layer re-sends POSTs on 429/500 beneath the handshake."


@ALL
@pytest.mark.parametrize("status", [429, 500])
def test_no_layer_below_sends_a_post_again(house: Callable[..., House], platform: str, status: int) -> None:
    """Given 429 or 500, one attempt is one request, whatever SDK makes it."""
    home = house(platform)
    if status == 500:
        home.side.loopback.faults = [Fault(*home.side.publishing, "500", "before")]
    else:
        home.side.instead(home.side.publishing, Answer(429, b"slow down", {"Retry-After": "1"}))
    home.publish()
    assert home.side.tries == 1
    assert home.side.posts == []
    assert len(home.engine.attempts) == 1
    assert home.row["state"] in {State.PLANNED, State.UNSURE}


# "'Please retry' (Graph code 2) posted seven copies."


@pytest.mark.parametrize("status", [400, 500])
def test_please_retry_is_not_taken_at_its_word(house: Callable[..., House], status: int) -> None:
    """Given Graph code 2 to a post that went live, there is one copy, and not seven."""
    home = house("facebook")
    words = "An unexpected error has occurred. Please retry your request later."
    answer = graph_platform.refusal(status, 2, None, words, is_transient=True)
    home.side.state.odd = [graph_platform.Oddity("POST", "/feed", answer, accepted=True)] * 7
    home.publish()
    home.is_unsure()
    home.work(LATER)
    home.settled(found=True)


# "Error answered, post live (Instagram 400, 4/2207051)."

SPAM = instagram_platform.error(400, 4, 2207051, "We restrict certain activity to protect our community.")


def test_an_instagram_post_that_is_live_in_spite_of_an_error_is_adopted(house: Callable[..., House]) -> None:
    home = house("instagram")
    home.side.state.lies = {"media_publish": [SPAM]}
    home.publish()
    home.is_unsure()
    home.work(LATER)
    home.settled(found=True)


def test_the_same_error_without_a_post_costs_no_post(house: Callable[..., House]) -> None:
    """Given 4/2207051 and nothing live, the post goes out later, once."""
    home = house("instagram")
    home.side.instead(home.side.publishing, SPAM)
    home.publish()
    home.is_unsure()
    home.work(LATER)
    home.work(MINUTE)
    home.settled(found=False)


# "Start of the job fails silently; user sees 'scheduled'."


class Refusing(Executor):
    """A pool that starts nothing."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        raise RuntimeError("can't start new thread")


def test_a_start_that_fails_is_not_the_end_of_a_post(house: Callable[..., House]) -> None:
    """Given a daemon that cannot start its call, it fails aloud, and the row brings the post out."""
    home = house("mastodon")
    home.engine.apply(home.campaign())
    with pytest.raises(RuntimeError):
        home.node("rusak", Refusing()).turn()
    assert home.row["state"] == State.SENDING
    assert home.side.loopback.calls == []
    home.engine.ended.add("rusak")
    for by in (LEASE, MINUTE, MINUTE):
        home.work(by)
    assert home.row["state"] == State.SENT
    home.whole(home.side)


# "Job redelivered after a crash posts again"; "stuck 'publishing' forever".


def dies(home: House, when: Any) -> None:
    """A daemon that dies while the platform's answer to its call is on the way (or the call itself)."""
    home.side.loopback.faults = [Fault(*home.side.publishing, "timeout", when)]
    dying = home.node("mati")
    home.engine.apply(home.campaign())
    dying.turn()
    for _ in range(500):
        if home.side.tries:
            break
        dying.turn(dying.mailbox.wait(0.02))
    assert home.side.tries == 1


@ALL
def test_a_crash_after_the_platform_accepted_does_not_post_again(
    house: Callable[..., House], platform: str
) -> None:
    home = house(platform)
    dies(home, "after")
    home.work()
    assert home.row["state"] == State.SENDING
    home.work(LEASE)
    home.work(LATER)
    home.settled(found=True)
    assert [one["outcome"] for one in home.engine.attempts] == ["lost"]


@ALL
def test_a_crash_before_the_platform_heard_of_it_leaves_nothing_stuck(
    house: Callable[..., House], platform: str
) -> None:
    home = house(platform)
    dies(home, "before")
    home.work()  # who holds it is watched from now on
    home.work(LEASE)
    assert home.row["state"] != State.SENDING
    assert home.side.tries == 1
    home.work(LATER)
    home.work(MINUTE)
    home.settled(found=False)


# "No error recorded -> marked published, nothing sent."


@ALL
def test_no_error_and_no_id_is_no_success(house: Callable[..., House], platform: str) -> None:
    """Given 200 and an empty object, the post is not "sent"; it goes out once it is seen to be missing."""
    home = house(platform)
    home.side.instead(home.side.publishing, Answer(200, {}))
    home.publish()
    home.is_unsure()
    home.work(LATER)
    home.work(MINUTE)
    home.settled(found=False)


# "Everything overdue goes out however late after downtime"; "old queued posts silently dropped".


@pytest.mark.parametrize(("if_missed", "state"), [("skip", State.MISSED), ("review", State.REVIEW)])
def test_after_a_downtime_nothing_late_goes_out_and_nothing_disappears(
    house: Callable[..., House], if_missed: str, state: State
) -> None:
    """Given three days without a daemon, only what is still allowed goes out; the rest is on record."""
    home = house("mastodon")
    start = home.engine.clock.at
    hours = {f"jam-{n}": [start + n * HOUR] for n in (0, 10, 40, 71)}
    home.engine.apply(campaign(home.engine.folder, hours, accounts=["mastodon"], if_missed=if_missed))
    home.work(72 * HOUR)
    assert [one.text for one in home.side.posts] == ["Pesan jam-71"]
    late = {"jam-0", "jam-10", "jam-40"}
    assert home.engine.states == {"jam-71": State.SENT} | dict.fromkeys(late, state)
    for name in late:
        row = home.engine.row_of(name)
        assert row["code"] == "too-late"
        assert home.engine.events(row["id"])[-1] == ("missed" if if_missed == "skip" else "held")


# "Edit during publishing starts a second publisher."


def test_an_edit_in_mid_publish_starts_no_second_publisher(house: Callable[..., House]) -> None:
    """Given a new text while the old one is on its way, the old one is out once and the new one never."""
    home = house("mastodon")
    dies(home, "after")
    home.engine.apply(home.campaign("Teks yang lain."))
    home.work()
    assert home.side.tries == 1
    home.work(LEASE)
    home.work(LATER)
    home.settled(found=True)
    home.engine.apply(home.campaign("Teks yang lain lagi."))
    home.work(HOUR)
    assert [one.text for one in home.side.posts] == [TEXT]


# "Partial success = whole post failed; retry reposts everywhere."


def test_a_retry_reposts_only_where_the_post_is_missing(house: Callable[..., House]) -> None:
    """Given one account of three that refused, the other two are never asked again."""
    home = house("facebook", "mastodon", "bluesky")
    refusal = graph_platform.refusal(400, 100, 1346003, "This content goes against our standards.")
    home.sides["facebook"].instead(("POST", "/feed"), refusal)
    home.publish()
    assert home.engine.states == {
        "jujur/facebook": State.FAILED,
        "jujur/mastodon": State.SENT,
        "jujur/bluesky": State.SENT,
    }
    (failed,) = [row for row in home.engine.rows() if row["state"] == State.FAILED]
    assert "standards" in failed["reason"]
    with home.engine.store.write() as session:
        post = session.get(Delivery, failed["id"])
        assert post is not None
        at = home.engine.clock.at
        operations.retry(session, post, actor="budi", at=at, publish_within=HOUR, reason="")
    home.work(MINUTE)
    assert set(home.engine.states.values()) == {State.SENT}
    assert {name: side.tries for name, side in home.sides.items()} == {
        "facebook": 2,
        "mastodon": 1,
        "bluesky": 1,
    }
    for side in home.sides.values():
        home.whole(side)


# "Backoff defeated by the main poll."


def test_the_poll_does_not_defeat_the_pause(house: Callable[..., House]) -> None:
    """Given a failure, no turn before its time calls the platform; a pause named by it holds likewise."""
    home = house("bluesky")
    home.side.loopback.faults = [Fault(*home.side.upload, "500", "before")]
    limit = Answer(429, {"error": "RateLimitExceeded", "message": "Slow down"}, {"retry-after": "600"})
    home.side.instead(home.side.publishing, limit)
    home.publish()
    assert home.row["state"] == State.PLANNED
    assert home.row["due_at"] > home.engine.clock.at
    for _ in range(10):
        home.work(timedelta(seconds=2))
    assert home.side.calls(home.side.upload) == 1

    home.work(MINUTE)
    (account,) = home.engine.rows(accounts)
    assert account["not_before"] == home.engine.clock.at + 10 * MINUTE
    for _ in range(9):
        home.work(MINUTE)
    assert home.side.tries == 1
    home.work(MINUTE)
    assert home.row["state"] == State.SENT
    assert home.side.tries == 2
    home.whole(home.side)


# "Failed image dropped, post goes out without it."

#: Telegram takes pictures with the post itself, in one call.
UPLOADED = [(name, "500") for name in SIDES if name != "telegram"]


@pytest.mark.parametrize(("platform", "how"), [*UPLOADED, ("facebook", "reset"), ("mastodon", "html")])
def test_a_picture_that_fails_is_not_left_out(house: Callable[..., House], platform: str, how: Any) -> None:
    """Given an upload that fails, nothing is published; later the post goes out with all its pictures."""
    home = house(platform)
    home.side.loopback.faults = [Fault(*home.side.upload, how, "before")]
    home.publish()
    assert home.side.posts == []
    assert home.side.tries == 0
    assert home.row["state"] == State.PLANNED
    home.work(MINUTE)
    assert home.row["state"] == State.SENT
    assert home.side.tries == 1
    home.whole(home.side)


REFUSALS: Mapping[str, Answer] = {
    "x": Answer(400, {"title": "Invalid Request", "detail": "The media is invalid.", "type": "about:blank"}),
    "facebook": graph_platform.refusal(400, 100, 1366046, "Your photos couldn't be uploaded."),
    "instagram": instagram_platform.error(400, 36001, 2207005, "The image format is not supported."),
    "threads": instagram_platform.error(400, 100, None, "The image format is not supported."),
    "telegram": Answer(
        400, {"ok": False, "error_code": 400, "description": "Bad Request: IMAGE_PROCESS_FAILED"}
    ),
    "mastodon": Answer(422, {"error": "Validation failed: File content type is invalid"}),
    "bluesky": Answer(413, {"error": "PayloadTooLarge", "message": "request entity too large"}),
}


@ALL
def test_a_picture_that_is_refused_for_good_stops_the_post(
    house: Callable[..., House], platform: str
) -> None:
    home = house(platform)
    home.side.instead(home.side.upload, REFUSALS[platform])
    home.publish()
    home.work(LATER)
    assert home.side.posts == []
    assert home.row["state"] == State.FAILED
    assert home.row["reason"]


# "Alt text not sent, or only on some platforms."


@ALL
def test_alt_texts_are_sent_wherever_there_are_any(house: Callable[..., House], platform: str) -> None:
    """Given one picture (for several, see ``whole``), its alt text is there; or check says that it cannot."""
    home = house(platform)
    home.publish(files=FILES[:1])
    (root,) = home.side.roots
    assert root.media == pictures(home.engine.folder, platform)[:1]
    post = Post("k", TEXT, media=tuple(_media(home)))
    warned = [problem.code for problem in home.adapter(platform).check(post)]
    assert ("no-alt-text" in warned) == (platform == "telegram")


def _media(home: House) -> Iterator[Media]:
    for name, alt in zip(FILES, ALTS, strict=True):
        path = home.engine.folder / name
        yield Media(path, hashlib.sha256(path.read_bytes()).hexdigest(), "image/jpeg", alt, 320, 400)


# "Metrics fetched when looked at, never stored; 0 for unknown; invented series."


@ALL
def test_figures_are_stored_at_their_ages_and_unknown_is_not_zero(
    house: Callable[..., House], platform: str
) -> None:
    """Given a fresh post, each age has its snapshot; no platform here tells a number of people for it."""
    home = house(platform)
    home.publish()
    for by in (HOUR, 5 * HOUR, 100 * HOUR):
        home.work(by)
    start = home.row["published_at"]
    snapshots = home.engine.snapshots
    assert [one["taken_at"] - start >= age for one, age in zip(snapshots, (HOUR, 6 * HOUR), strict=True)] == [
        True,
        True,
    ]
    assert {one["reach"] for one in snapshots} == {None}
    assert {one["source"] for one in snapshots} == {"api"}
    # X and the like count these openly, and a 0 that was told is a 0.
    told = {"x": 0, "mastodon": 0, "bluesky": 0, "facebook": 0}
    assert {one["likes"] for one in snapshots} == {told.get(platform)}


# "Retired metric names kept; daily figures frozen at first value."


def test_a_retired_metric_is_refused_alone_and_on_record(house: Callable[..., House]) -> None:
    """Given a metric that Facebook no longer knows, the others are told, and the refusal is recorded."""
    home = house("facebook")
    home.side.state.metrics = ("post_total_media_view_unique", "post_clicks")
    home.publish()
    (post,) = home.side.state.posts
    post.insights, post.reactions = {"post_total_media_view_unique": 55, "post_clicks": 0}, 12
    home.work(HOUR)
    post.insights |= {"post_total_media_view_unique": 80}
    home.work(6 * HOUR)
    first, second = home.engine.snapshots
    assert (first["views"], first["reach"], first["clicks"], first["likes"]) == (None, 55, 0, 12)
    assert first["raw"]["post_media_view"] == {"refused": "100"}
    assert (first["reach"], second["reach"]) == (55, 80), "frozen at the first value"


@pytest.mark.parametrize(("platform", "gone"), [("instagram", "views"), ("threads", "views")])
def test_a_retired_metric_of_the_other_graph_platforms(
    house: Callable[..., House], platform: str, gone: str
) -> None:
    home = house(platform)
    home.publish()
    state = home.side.state
    (post,) = (state.media if platform == "instagram" else state.posts).values()
    post.figures, post.unsupported = {"likes": 7, "views": 40}, (gone,)
    home.work(HOUR)
    (snapshot,) = home.engine.snapshots
    assert (snapshot["views"], snapshot["likes"]) == (None, 7)
    assert gone in snapshot["raw"]["refused"]


# "Tokens stored in clear text": the fixture looks for them after every test here, also in what is refused.


@ALL
def test_a_refused_token_stops_the_account_and_is_not_quoted(
    house: Callable[..., House], platform: str
) -> None:
    """Given an answer that repeats the token, the account waits for a person and the token is nowhere."""
    home = house(platform)
    secrets = " ".join(home.side.secrets.values())
    home.side.instead(home.side.publishing, unauthorised(platform, f"Bad token {secrets}"))
    home.publish()
    (account,) = home.engine.rows(accounts)
    assert account["disabled_at"] is not None
    assert home.side.posts == []
    for _ in range(3):
        home.work(HOUR / 4)
    assert home.side.tries == 1
    assert [row["action"] for row in home.engine.rows(audit) if "account" in row["action"]]


def unauthorised(platform: str, words: str) -> Answer:
    """How each platform says that a token is not (any more) good."""
    bodies: Mapping[str, Sequence[Any]] = {
        "x": (401, {"title": "Unauthorized", "detail": words, "type": "about:blank", "status": 401}),
        "telegram": (401, {"ok": False, "error_code": 401, "description": words}),
        "mastodon": (401, {"error": words}),
        "bluesky": (401, {"error": "AuthenticationRequired", "message": words}),
    }
    if platform in bodies:
        return Answer(*bodies[platform])
    return instagram_platform.error(400, 190, 463, words)

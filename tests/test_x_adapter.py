"""The X adapter against an X of our own on loopback: the contract, threads, media, refusals, lost answers."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from PIL import Image

pytest.register_assert_rewrite("adapters.contract_suite")
sys.path.insert(0, str(Path(__file__).parent))

from kit import films  # noqa: E402
from servers import x_platform as x  # noqa: E402
from servers.loopback import HTML, Answer, Fault, patience  # noqa: E402

from adapters.contract import (  # noqa: E402
    Absent,
    Account,
    Adapter,
    Found,
    Json,
    Media,
    Part,
    Post,
    Reach,
    Unknown,
)
from adapters.contract_suite import AdapterContract  # noqa: E402
from adapters.contract_tools import Call, MemoryProgress, PowerCutError, Refusal, Remote, RemotePost, picture  # noqa: E402
from adapters.errors import (  # noqa: E402
    AccountHeld,
    AdapterError,
    Ambiguous,
    AuthExpired,
    Duplicate,
    Misconfigured,
    RateLimited,
    Rejected,
    Transient,
)
from adapters.x.adapter import XAdapter  # noqa: E402
from adapters.x.text import addresses, weighted_length  # noqa: E402

POST = ("POST", "/2/tweets")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
THREAD = Post(
    "k",
    "Bagian satu",
    link="https://kpk.go.id/lapor",
    thread=(Part("Bagian dua & <tiga>"), Part("Bagian penutup kpk.go.id")),
    first_comment="Sumber: https://example.go.id/data?a=1&b=2",
)


def adapter_at(
    url: str,
    *,
    oauth2: bool = False,
    naps: list[float] | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    **options: Json,
) -> XAdapter:
    secrets = {"access_token": x.BEARER} if oauth2 else x.KEYS
    if oauth2:
        options["auth"] = "oauth2"
    account = Account("x-1", f"@{x.NAME}", secrets.__getitem__, url, options)
    pauses = [] if naps is None else naps
    return XAdapter(account, now, sleep=pauses.append, read_timeout=patience(url))


@pytest.fixture
def server() -> Iterator[x.XPlatform]:
    with x.running() as platform:
        yield platform


@pytest.fixture
def adapter(server: x.XPlatform) -> XAdapter:
    return adapter_at(server.url)


class XRemote:
    def __init__(self, server: x.XPlatform) -> None:
        self.server = server

    def posts(self) -> Sequence[RemotePost]:
        return [self._post(tweet) for tweet in self.server.tweets.values()]

    def _post(self, tweet: x.Tweet) -> RemotePost:
        text, _, link = tweet.text.rpartition("\n\n")
        if not link.startswith("http"):
            text, link = tweet.text, ""
        uploads = [self.server.uploads[id_] for id_ in tweet.media]
        media = tuple((hashlib.sha256(one.content).hexdigest(), one.alt) for one in uploads)
        return RemotePost(tweet.id, text, link, media)

    def engage(self, remote_id: str) -> Reach:
        tweet = self.server.tweets[remote_id]
        tweet.figures |= {"impression_count": 31, "like_count": 5, "reply_count": 2, "bookmark_count": 1}
        tweet.figures |= {"retweet_count": 3, "quote_count": 1}
        tweet.clicks = 7
        return Reach(views=31, likes=5, comments=2, shares=4, saves=1, clicks=7, profile_visits=0)


class TestContract(AdapterContract):
    followers: ClassVar[int | None] = 15240
    publishing_call: ClassVar[Call] = POST
    later_call: ClassVar[tuple[Call, int] | None] = (POST, 1)
    refusal: ClassVar[Refusal] = (403, '{"title": "Forbidden", "detail": "Not like this.", "status": 403}')
    refusal_words: ClassVar[str] = "Not like this."
    upload_call: ClassVar[Call | None] = ("POST", "/2/media/upload")
    secrets = x.KEYS

    @pytest.fixture
    def api_base(self, server: x.XPlatform) -> str:
        return server.url

    @pytest.fixture
    def make_adapter(self) -> Callable[[str], Adapter]:
        return adapter_at

    @pytest.fixture
    def remote(self, server: x.XPlatform) -> Remote:
        return XRemote(server)


class TestContractWithOAuth2(TestContract):
    secrets: ClassVar[dict[str, str]] = {"access_token": x.BEARER}

    @pytest.fixture
    def make_adapter(self) -> Callable[[str], Adapter]:
        return lambda url: adapter_at(url, oauth2=True)


# Credentials and configuration


def test_making_and_checking_asks_for_no_secret_and_imports_no_sdk() -> None:
    code = (
        "import sys, datetime\n"
        "from adapters.contract import Account, Post\n"
        "from adapters.x.adapter import XAdapter\n"
        "def no(name): raise SystemExit('asked for ' + name)\n"
        "a = XAdapter(Account('x', '@a', no), datetime.datetime.now)\n"
        "a.check(Post('k', 'Tolak suap kpk.go.id')); a.wording(Post('k', 'a'))\n"
        "print('tweepy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("options", [{"auth": "bearer"}, {"user_id": "@diskominfo"}])
def test_an_option_that_cannot_work_is_told_at_once(options: dict[str, Json]) -> None:
    with pytest.raises(Misconfigured):
        XAdapter(Account("x-1", "", str, "", options), lambda: datetime.now(UTC))


def test_plain_http_to_another_computer_is_refused() -> None:
    with pytest.raises(Misconfigured):
        adapter_at("http://x.example.go.id")


@pytest.mark.parametrize(
    ("granted", "missing"),
    [("tweet.read users.read offline.access tweet.write", ("media.write",)), ("", ())],
)
def test_what_an_oauth2_login_was_not_granted_is_told(
    server: x.XPlatform, granted: str, missing: tuple[str, ...]
) -> None:
    """Given the scopes stored at login; a token that came without them is not guessed at."""
    options: dict[str, Json] = {"auth": "oauth2"}
    account = Account("x-1", "", lambda _: x.BEARER, server.url, options, granted=lambda: granted)
    assert XAdapter(account, lambda: datetime.now(UTC)).verify().missing_permissions == missing


def test_keys_that_may_only_read_are_told(server: x.XPlatform, adapter: XAdapter) -> None:
    """Given an app set to "Read", X shows it in the header x-access-level."""
    server.access_level = "read"
    identity = adapter.verify()
    assert identity.missing_permissions == ("write",)
    assert (identity.remote_id, identity.name, identity.url) == (
        x.USER_ID,
        "@diskominfo",
        "https://x.com/diskominfo",
    )


def test_a_new_token_is_used_as_soon_as_it_is_there(server: x.XPlatform) -> None:
    """Given OAuth 2.0, whose tokens live two hours, an adapter in use follows the secret."""
    tokens = ["sudahLewat0009"]
    account = Account("x-1", "", lambda _: tokens[-1], server.url, {"auth": "oauth2"})
    adapter = XAdapter(account, lambda: datetime.now(UTC))
    with pytest.raises(AuthExpired):
        adapter.publish(Post("k", "a"), MemoryProgress())
    tokens.append(x.BEARER)
    assert adapter.publish(Post("k", "a"), MemoryProgress()).permalink.startswith("https://x.com/i/status/")


def test_the_own_id_is_known_from_the_token_and_costs_nothing(server: x.XPlatform, adapter: XAdapter) -> None:
    assert isinstance(adapter.find(Post("k", "a"), MemoryProgress(), LONG_AGO), Absent)
    assert server.count("GET", "/2/users/me") == 0


def test_with_oauth2_the_own_id_is_asked_once(server: x.XPlatform) -> None:
    adapter = adapter_at(server.url, oauth2=True)
    for _ in range(3):
        assert isinstance(adapter.find(Post("k", "a"), MemoryProgress(), LONG_AGO), Absent)
    assert server.count("GET", "/2/users/me") == 1


def test_a_configured_id_spares_the_question_when_the_post_is_there(server: x.XPlatform) -> None:
    adapter = adapter_at(server.url, oauth2=True, user_id=x.USER_ID)
    adapter.publish(Post("k", "a"), MemoryProgress())
    assert isinstance(adapter.find(Post("k", "a"), MemoryProgress(), LONG_AGO), Found)
    assert server.count("GET", "/2/users/me") == 0
    assert isinstance(adapter.find(Post("k", "b"), MemoryProgress(), LONG_AGO), Absent)


def test_absence_is_not_concluded_from_a_mistyped_id(server: x.XPlatform) -> None:
    """Given user_id of another account, what is not listed there may well be out: never Absent."""
    adapter = adapter_at(server.url, oauth2=True, user_id="999")
    progress = MemoryProgress()
    server.loopback.faults.append(Fault(*POST, "reset"))
    with pytest.raises(Ambiguous):
        adapter.publish(Post("k", "a"), progress)
    assert isinstance(adapter.find(Post("k", "a"), progress, LONG_AGO), Unknown)
    with pytest.raises(Ambiguous):
        adapter_at(server.url, oauth2=True, user_id="999").publish(Post("k", "a"), progress)
    assert len(server.tweets) == 1
    with pytest.raises(AuthExpired):
        adapter_at(server.url, oauth2=True, user_id="999").verify()


# Threads


def chain(server: x.XPlatform) -> list[tuple[str, str]]:
    """(text, text of the parent) of every post."""
    return [(t.text, server.tweets[t.reply_to].text if t.reply_to else "") for t in server.tweets.values()]


FIRST = "Bagian satu\n\nhttps://kpk.go.id/lapor"
WHOLE = [
    (FIRST, ""),
    ("Bagian dua & <tiga>", FIRST),
    ("Bagian penutup kpk.go.id", "Bagian dua & <tiga>"),
    ("Sumber: https://example.go.id/data?a=1&b=2", FIRST),
]


def test_a_thread_is_a_chain_and_the_first_comment_hangs_under_the_first_post(
    server: x.XPlatform, adapter: XAdapter
) -> None:
    receipt = adapter.publish(THREAD, MemoryProgress())
    assert chain(server) == WHOLE
    assert receipt.remote_id == next(iter(server.tweets))
    assert receipt.permalink == f"https://x.com/diskominfo/status/{receipt.remote_id}"


@pytest.mark.parametrize("mentions", [False, True])
def test_a_thread_is_found_part_by_part(server: x.XPlatform, adapter: XAdapter, mentions: bool) -> None:
    receipt = adapter.publish(THREAD, MemoryProgress())
    server.mentions_in_front = mentions
    found = adapter.find(THREAD, MemoryProgress(), datetime.now(UTC))
    assert isinstance(found, Found)
    assert found.remote_id == receipt.remote_id


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_thread_that_lost_an_answer_is_completed_and_nothing_is_doubled(
    server: x.XPlatform, adapter: XAdapter, number: int, when: str
) -> None:
    """Given a lost answer at any part, find does not say Found, and publish adopts what is there."""
    progress = MemoryProgress()
    fault = Fault(*POST, "reset", "before" if when == "before" else "after")
    if number:
        server.after_post[number] = fault
    else:
        server.loopback.faults.append(fault)
    with pytest.raises(Ambiguous):
        adapter.publish(THREAD, progress)
    finding = adapter.find(THREAD, progress, datetime.now(UTC))
    if (number, when) == (3, "after"):
        assert isinstance(finding, Found)
        assert finding.remote_id == next(iter(server.tweets))
    else:
        assert isinstance(finding, Absent)
    receipt = adapter_at(server.url).publish(THREAD, progress)
    assert chain(server) == WHOLE
    assert receipt.remote_id == next(iter(server.tweets))
    assert adapter.publish(THREAD, progress) == receipt


def test_a_thread_survives_a_power_cut_after_any_save(server: x.XPlatform, tmp_path: Path) -> None:
    post = replace(THREAD, media=(picture(tmp_path, 1, "Poster"),))
    for cut in range(1, 40):
        server.tweets.clear()
        progress = MemoryProgress(dies_after=cut)
        try:
            adapter_at(server.url).publish(post, progress)
            return
        except PowerCutError:
            if not isinstance(adapter_at(server.url).find(post, progress, datetime.now(UTC)), Found):
                adapter_at(server.url).publish(post, progress)
        assert chain(server) == WHOLE
    pytest.fail("it never got through")


def test_a_part_that_is_refused_for_good_ends_the_thread_there(
    server: x.XPlatform, adapter: XAdapter
) -> None:
    """Given a refusal in the middle, the beginning is out; no attempt goes on, and nothing is paid again."""
    words = "Reply to this conversation is not allowed because you have not been mentioned by the author."
    server.instead.append(x.Instead(*POST, x.problem(403, words), skip=2))
    progress = MemoryProgress()
    receipt = adapter.publish(THREAD, progress)
    assert receipt.shortfall == f"2 of 4 parts are out, the next was refused: {words}"
    asked = len(server.loopback.calls)
    assert adapter.publish(THREAD, progress) == receipt
    found = adapter.find(THREAD, progress, datetime.now(UTC))
    assert isinstance(found, Found)
    assert (found.remote_id, found.shortfall) == (receipt.remote_id, receipt.shortfall)
    assert len(server.loopback.calls) == asked
    assert chain(server) == WHOLE[:2]


def test_a_part_that_x_calls_a_duplicate_is_looked_for_before_that_is_believed(
    server: x.XPlatform, adapter: XAdapter
) -> None:
    """Given a part whose very words the account posted last year, X refuses it; a look shows no part."""
    server.put("Bagian dua & <tiga>", at=datetime.now(UTC) - timedelta(days=300))
    progress = MemoryProgress()
    with pytest.raises(Duplicate):
        adapter.publish(THREAD, progress)
    assert isinstance(adapter.find(THREAD, progress, datetime.now(UTC)), Absent)
    receipt = adapter.publish(THREAD, progress)
    assert receipt.shortfall.startswith("1 of 4 parts are out, the next was refused: You are not allowed")
    assert isinstance(adapter.find(THREAD, progress, datetime.now(UTC)), Found)
    assert len(server.tweets) == 2


def test_a_refused_look_proves_nothing(server: x.XPlatform, adapter: XAdapter) -> None:
    """Given a part of unknown outcome, a refusal to list the posts is not taken for the part's refusal."""
    server.after_post[1] = Fault(*POST, "reset")
    progress = MemoryProgress()
    with pytest.raises(Ambiguous):
        adapter.publish(THREAD, progress)
    server.instead.append(x.Instead("GET", r"/2/users/\d+/tweets", x.problem(403, "No listing.")))
    with pytest.raises(Ambiguous):
        adapter.publish(THREAD, progress)
    assert adapter.publish(THREAD, progress).shortfall == ""
    assert chain(server) == WHOLE


def test_credits_that_are_used_up_in_the_middle_are_no_refusal_for_good(
    server: x.XPlatform, adapter: XAdapter
) -> None:
    server.instead.append(x.Instead(*POST, x.problem(402, "Credits depleted.", "credits"), skip=1))
    progress = MemoryProgress()
    with pytest.raises(AccountHeld):
        adapter.publish(THREAD, progress)
    assert adapter.publish(THREAD, progress).shortfall == ""
    assert chain(server) == WHOLE


def test_after_a_pause_a_thread_goes_on_without_reading_back(server: x.XPlatform, adapter: XAdapter) -> None:
    """Given a limit hit in the middle, nothing is unknown, so nothing is asked (and paid) for."""
    progress = MemoryProgress()
    server.instead.append(x.Instead(*POST, x.problem(429, "Too Many Requests"), skip=1))
    with pytest.raises(RateLimited):
        adapter.publish(THREAD, progress)
    adapter.publish(THREAD, progress)
    assert chain(server) == WHOLE
    assert server.count("GET", "/tweets") == 0


def test_no_thread_begins_before_all_of_its_pictures_are_there(
    server: x.XPlatform, adapter: XAdapter, tmp_path: Path
) -> None:
    missing = picture(tmp_path, 2, "Hilang")
    missing.path.unlink()
    post = Post("k", "Satu", thread=(Part("Dua", (picture(tmp_path, 1, "Ada"),)), Part("Tiga", (missing,))))
    with pytest.raises(Rejected):
        adapter.publish(post, MemoryProgress())
    assert not server.tweets


def test_removing_a_thread_removes_what_hangs_under_it(server: x.XPlatform, adapter: XAdapter) -> None:
    """Given a take-down, the parts go too, last one first; other posts of the account stay."""
    other = server.put("Yang lain")
    receipt = adapter.publish(THREAD, MemoryProgress())
    late = server.put(
        "Sebulan kemudian", at=datetime.now(UTC) + timedelta(days=30), reply_to=receipt.remote_id
    )
    adapter.remove(receipt.remote_id)
    assert list(server.tweets) == [other.id, late.id]
    gone = [path.rpartition("/")[2] for method, path in server.loopback.calls if method == "DELETE"]
    assert gone == sorted(gone, key=int, reverse=True)
    adapter.remove(receipt.remote_id)


# What a refusal means

MEDIA_ERROR = {"parameters": {"media.media_ids": ["1"]}, "message": "Your media IDs are invalid."}
REFUSALS: list[tuple[Answer, type[AdapterError], str]] = [
    (x.problem(400, "Text is too long.", "invalid-request"), Rejected, "400/invalid-request"),
    (x.problem(400, "Bad", "invalid-request", errors=[MEDIA_ERROR]), Rejected, "400/media.media_ids"),
    (x.problem(401, "Unauthorized"), AuthExpired, "401"),
    (Answer(401, b""), AuthExpired, "401"),
    (
        Answer(402, {"title": "CreditsDepleted", "detail": "no credits", "type": f"{x.PROBLEMS}/credits"}),
        AccountHeld,
        "402/credits",
    ),
    (Answer(402, b""), AccountHeld, "402"),
    (x.problem(403, "You are not allowed to create a Tweet with duplicate content."), Duplicate, "403"),
    (Answer(403, {"errors": [{"code": 187, "message": "Status is a duplicate."}]}), Duplicate, "403/187"),
    (x.problem(403, "Your account is suspended and is not permitted."), AccountHeld, "403"),
    (Answer(403, {"errors": [{"code": 326, "message": "Please log in."}]}), AccountHeld, "403/326"),
    (x.problem(403, "You have been blocked from replying to this post."), Rejected, "403"),
    (x.problem(403, "You are not permitted to perform this action."), Rejected, "403"),
    (x.problem(403, "No project", "client-forbidden"), AccountHeld, "403/client-forbidden"),
    (x.problem(403, "Read only", "oauth1-permissions"), AuthExpired, "403/oauth1-permissions"),
    (x.problem(403, "App-only", "unsupported-authentication"), AuthExpired, "403/unsupported-authentication"),
    (x.problem(403, "Cap", "usage-capped"), AccountHeld, "403/usage-capped"),
    (x.problem(429, "Monthly cap", "usage-capped"), AccountHeld, "429/usage-capped"),
    (x.problem(429, "Too Many Requests"), RateLimited, "429"),
    (Answer(429, HTML), RateLimited, "429"),
    (x.problem(404, "No such post.", "resource-not-found"), Rejected, "404/resource-not-found"),
    # Not recognised, so nobody knows.
    (Answer(404, b""), Ambiguous, "404"),
    (Answer(403, HTML), Ambiguous, "403"),
    (Answer(400, HTML), Ambiguous, "400"),
    (Answer(403, ["odd"]), Ambiguous, "403"),
    (x.problem(409, "Conflict"), Ambiguous, "409"),
    (Answer(500, {"title": "Internal Server Error", "detail": "Something is broken"}), Ambiguous, "500"),
    (x.problem(503, "Over capacity"), Ambiguous, "503"),
    (Answer(502, HTML), Ambiguous, "502"),
    (Answer(200, HTML), Ambiguous, "200"),
    (Answer(201, {"data": {}}), Ambiguous, "201"),
    (Answer(200, {"errors": [{"detail": "partial"}]}), Ambiguous, "200"),
    (Answer(201, ["odd"]), Ambiguous, "201"),
    (Answer(302, b"", {"Location": "https://example.go.id/"}), Ambiguous, "302"),
    (Answer(303, b"", {"Location": "/2/users/me"}), Ambiguous, "303"),
]


@pytest.mark.parametrize(("answer", "kind", "code"), REFUSALS, ids=lambda v: v if isinstance(v, str) else "")
def test_each_answer_to_a_post_has_its_meaning(
    server: x.XPlatform, adapter: XAdapter, answer: Answer, kind: type[AdapterError], code: str
) -> None:
    progress = MemoryProgress()
    server.instead.append(x.Instead(*POST, answer))
    with pytest.raises(AdapterError) as raised:
        adapter.publish(Post("k", "Tolak suap"), progress)
    assert (type(raised.value), raised.value.code) == (kind, code)
    assert raised.value.reason
    assert bool(progress.saved["pending"]) == (kind in (Ambiguous, Duplicate))


@pytest.mark.parametrize(
    "answer", [Answer(404, b""), Answer(403, HTML), Answer(502, HTML), Answer(200, HTML), Answer(200, [])]
)
def test_a_page_instead_of_an_answer_is_transient_where_nothing_is_published(
    server: x.XPlatform, adapter: XAdapter, tmp_path: Path, answer: Answer
) -> None:
    photo = Post("k", "a", media=(picture(tmp_path, 1, "Poster"),))
    for method, path, call in (
        ("GET", "/2/users/me", adapter.verify),
        ("GET", "/2/users/.*/tweets", lambda: adapter.find(photo, MemoryProgress(), LONG_AGO)),
        ("GET", "/2/tweets", lambda: adapter.reach(["1"])),
        ("DELETE", "/2/tweets/1", lambda: adapter.remove("1")),
        ("POST", "/2/media/upload", lambda: adapter.publish(photo, MemoryProgress())),
        ("POST", "/2/media/metadata", lambda: adapter.publish(photo, MemoryProgress())),
    ):
        server.instead.append(x.Instead(method, path, answer))
        with pytest.raises(Transient):
            call()
        assert not server.instead
    assert not server.tweets


@pytest.mark.parametrize(
    ("headers", "seconds", "app_wide"),
    [
        ({"x-rate-limit-reset": "1795500900"}, 900, False),
        (
            {
                "x-rate-limit-reset": "1795500900",
                "x-app-limit-24hour-remaining": "0",
                "x-app-limit-24hour-reset": "1795507200",
            },
            7200,
            True,
        ),
        (
            {
                "x-rate-limit-reset": "1795500900",
                "x-user-limit-24hour-remaining": "0",
                "x-user-limit-24hour-reset": "1795503600",
            },
            3600,
            False,
        ),
        (
            {
                "x-rate-limit-reset": "1795500900",
                "x-app-limit-24hour-remaining": "7",
                "x-app-limit-24hour-reset": "1795507200",
            },
            900,
            False,
        ),
        ({}, 900, False),
        ({"x-rate-limit-reset": "soon"}, 900, False),
        ({"x-rate-limit-reset": "1795499000"}, 5, False),
    ],
)
def test_a_limit_lasts_until_the_platform_says(
    server: x.XPlatform, headers: dict[str, str], seconds: int, app_wide: bool
) -> None:
    now = datetime.fromtimestamp(1795500000, UTC)
    answer = replace(x.problem(429, "Too Many Requests"), headers=headers)
    server.instead.append(x.Instead(*POST, answer))
    with pytest.raises(RateLimited) as raised:
        adapter_at(server.url, now=lambda: now).publish(Post("k", "a"), MemoryProgress())
    assert raised.value.until == now + timedelta(seconds=seconds)
    assert raised.value.app_wide is app_wide


@pytest.mark.parametrize("how", ["reset", "timeout", "truncated", "html", "500"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_whatever_breaks_while_posting_is_ambiguous_and_settled_by_looking(
    server: x.XPlatform, tmp_path: Path, how: str, when: str
) -> None:
    """Given a fault before or after acceptance, the post is there once in the end, never twice."""
    post = Post("k", "Tolak & lapor: kpk.go.id", "https://kpk.go.id", (picture(tmp_path, 1, "Poster"),))
    progress = MemoryProgress()
    server.loopback.faults.append(Fault(*POST, how, when))  # type: ignore[arg-type]
    with pytest.raises(Ambiguous):
        adapter_at(server.url).publish(post, progress)
    assert server.count(*POST) == 1, "it was sent again"
    adapter = adapter_at(server.url)
    finding = adapter.find(post, progress, datetime.now(UTC))
    if when == "after":
        assert isinstance(finding, Found)
    else:
        assert isinstance(finding, Absent)
        adapter.publish(post, progress)
    assert len(server.tweets) == 1


def test_no_failure_tells_a_secret(server: x.XPlatform) -> None:
    """Given answers that repeat what they were sent, no text and no traceback holds a key."""
    for oauth2 in (False, True):
        adapter = adapter_at(server.url, oauth2=oauth2)
        keys = [x.BEARER] if oauth2 else list(x.KEYS.values())
        for status in (400, 401, 403, 429, 500):
            server.instead.append(x.Instead(*POST, x.problem(status, f"you sent {' '.join(keys)}")))
            with pytest.raises(AdapterError) as raised:
                adapter.publish(Post("k", "a"), MemoryProgress())
            texts = "".join(traceback.format_exception(raised.value)) + str(vars(raised.value))
            assert not [key for key in keys if key in texts]


# Media


def moving(folder: Path) -> Media:
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (40, 30), (n * 60, 0, 0)) for n in range(3)]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return stored(folder / "gerak.gif", buffer.getvalue(), "image/gif")


def film(folder: Path, size: int = 9 * 2**20) -> Media:
    return stored(folder / "film.mp4", b"\0\0\0\x18ftypmp42" + bytes(size), "video/mp4", alt="")


def stored(path: Path, content: bytes, mime: str, alt: str = "Animasi") -> Media:
    path.write_bytes(content)
    return Media(path, hashlib.sha256(content).hexdigest(), mime, alt, 40, 30)


def test_a_video_goes_up_in_chunks_and_is_waited_for(server: x.XPlatform, tmp_path: Path) -> None:
    naps: list[float] = []
    server.rounds = 3
    adapter, item = adapter_at(server.url, naps=naps), film(tmp_path)
    adapter.publish(Post("k", "Film", media=(item,)), MemoryProgress())
    (upload,) = server.uploads.values()
    assert upload.content == item.path.read_bytes()
    assert (upload.category, len(upload.segments)) == ("tweet_video", 3)
    assert naps == [2.0, 2.0, 2.0]
    assert server.count("POST", "/2/media/metadata") == 0


def test_a_gif_goes_up_with_its_alt_text(server: x.XPlatform, adapter: XAdapter, tmp_path: Path) -> None:
    adapter.publish(Post("k", "Gerak", media=(moving(tmp_path),)), MemoryProgress())
    (upload,) = server.uploads.values()
    assert (upload.category, upload.alt) == ("tweet_gif", "Animasi")


def test_a_video_that_takes_long_is_waited_for_by_the_next_attempt(
    server: x.XPlatform, tmp_path: Path
) -> None:
    naps: list[float] = []
    server.rounds, server.check_after = 12, 30
    adapter, progress = adapter_at(server.url, naps=naps), MemoryProgress()
    post = Post("k", "Film", media=(film(tmp_path, 1000),))
    with pytest.raises(Transient):
        adapter.publish(post, progress)
    assert sum(naps) <= 300
    adapter.publish(post, progress)
    assert server.count("POST", "/2/media/upload/initialize") == 1
    assert len(server.tweets) == 1


def test_a_video_that_x_cannot_process_is_refused_in_its_words(
    server: x.XPlatform, adapter: XAdapter, tmp_path: Path
) -> None:
    post, progress = Post("k", "Film", media=(film(tmp_path, 1000),)), MemoryProgress()
    server.processing_error = {"code": 1, "name": "InternalError", "message": "Internal Error"}
    with pytest.raises(Transient):
        adapter.publish(post, progress)
    server.processing_error = {"code": 1, "name": "InvalidMedia", "message": "Unsupported video format"}
    with pytest.raises(Rejected, match="Unsupported video format") as raised:
        adapter.publish(post, progress)
    assert raised.value.code == "InvalidMedia"
    assert server.count("POST", "/2/media/upload/initialize") == 2


@pytest.mark.parametrize(
    "make", [lambda folder: picture(folder, 1, "Poster"), lambda folder: film(folder, 99)]
)
def test_a_file_that_changed_after_approval_is_not_published(
    server: x.XPlatform, adapter: XAdapter, tmp_path: Path, make: Callable[[Path], Media]
) -> None:
    item = make(tmp_path)
    for change in (lambda: item.path.write_bytes(b"lain"), item.path.unlink):
        change()
        with pytest.raises(Rejected):
            adapter.publish(Post("k", "a", media=(item,)), MemoryProgress())
    assert server.count("POST", "finalize") == 0
    assert not server.tweets


@pytest.mark.parametrize("path", ["/2/media/upload", "/2/media/metadata"])
@pytest.mark.parametrize("how", ["reset", "truncated", "500"])
def test_a_broken_upload_is_transient_because_nobody_saw_it(
    server: x.XPlatform, adapter: XAdapter, tmp_path: Path, path: str, how: str
) -> None:
    post, progress = Post("k", "a", media=(picture(tmp_path, 1, "Poster"),)), MemoryProgress()
    server.loopback.faults.append(Fault("POST", path, how))  # type: ignore[arg-type]
    with pytest.raises(Transient):
        adapter.publish(post, progress)
    adapter.publish(post, progress)
    assert [server.uploads[t.media[0]].alt for t in server.tweets.values()] == ["Poster"]


def test_uploads_that_x_forgot_are_made_again(server: x.XPlatform, adapter: XAdapter, tmp_path: Path) -> None:
    """Given ids of an earlier attempt that have died, the delivery does not fail for good."""
    post, progress = Post("k", "a", media=(picture(tmp_path, 1, "Poster"),)), MemoryProgress()
    server.instead.append(x.Instead(*POST, x.problem(429, "Too Many Requests")))
    with pytest.raises(RateLimited):
        adapter.publish(post, progress)
    server.uploads.clear()
    with pytest.raises(Transient):
        adapter.publish(post, progress)
    adapter.publish(post, progress)
    assert len(server.tweets) == 1


def test_a_dead_upload_in_processing_is_made_again(server: x.XPlatform, tmp_path: Path) -> None:
    post, progress = Post("k", "Film", media=(film(tmp_path, 1000),)), MemoryProgress()
    server.rounds, server.check_after = 1000, 30
    with pytest.raises(Transient):
        adapter_at(server.url).publish(post, progress)
    server.uploads.clear()
    server.rounds = 0
    with pytest.raises(Transient):
        adapter_at(server.url).publish(post, progress)
    adapter_at(server.url).publish(post, progress)
    assert len(server.tweets) == 1


def test_uploads_past_their_time_are_not_used(server: x.XPlatform, tmp_path: Path) -> None:
    post, progress = Post("k", "a", media=(picture(tmp_path, 1, "Poster"),)), MemoryProgress()
    server.instead.append(x.Instead(*POST, x.problem(429, "Too Many Requests")))
    with pytest.raises(RateLimited):
        adapter_at(server.url).publish(post, progress)
    later = datetime.now(UTC) + timedelta(hours=21)
    adapter_at(server.url, now=lambda: later).publish(post, progress)
    assert server.count("POST", "/2/media/upload") == 2


def test_media_refused_at_once_are_refused_for_good(
    server: x.XPlatform, adapter: XAdapter, tmp_path: Path
) -> None:
    answer = x.problem(400, "Bad", "invalid-request", errors=[MEDIA_ERROR])
    server.instead.append(x.Instead(*POST, answer))
    with pytest.raises(Rejected, match="Your media IDs are invalid"):
        adapter.publish(Post("k", "a", media=(picture(tmp_path, 1, "Poster"),)), MemoryProgress())


# Reading back


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("Tolak <suap> & lapor « ya »", ""),
        ("Lapor di kpk.go.id, lalu https://example.go.id/a?b=c&d=e.", "https://kpk.go.id/"),
        ("  Spasi \r\n\r\n ganda   dan e\u0301  ", "https://example.go.id/x#bagian"),
        ("&amp; tetap &amp;", ""),
        ("", "https://kpk.go.id"),
    ],
)
def test_a_text_is_known_again_after_what_x_did_to_it(
    server: x.XPlatform, adapter: XAdapter, text: str, link: str
) -> None:
    post = Post("k", text, link)
    server.put(adapter.wording(post).strip())
    assert isinstance(adapter.find(post, MemoryProgress(), datetime.now(UTC)), Found)
    for other in (replace(post, text=text + " lain"), replace(post, link=link + "https://bpk.go.id")):
        assert isinstance(adapter.find(other, MemoryProgress(), datetime.now(UTC)), Absent)


def test_a_reply_with_the_same_text_is_not_the_post(server: x.XPlatform, adapter: XAdapter) -> None:
    parent = server.put("Pertanyaan warga")
    server.put("Terima kasih", reply_to=parent.id)
    assert isinstance(adapter.find(Post("k", "Terima kasih"), MemoryProgress(), datetime.now(UTC)), Absent)


def test_many_posts_are_read_page_by_page_and_the_first_copy_counts(
    server: x.XPlatform, adapter: XAdapter
) -> None:
    server.page = 2
    first = server.put("Sama")
    for n in range(7):
        server.put(f"Lain {n}")
    server.put("Sama")
    found = adapter.find(Post("k", "Sama"), MemoryProgress(), datetime.now(UTC))
    assert isinstance(found, Found)
    assert found.remote_id == first.id
    assert server.count("GET", "/tweets") == 5


def test_a_listing_with_gaps_proves_no_absence(server: x.XPlatform, adapter: XAdapter) -> None:
    progress = MemoryProgress()
    progress.save(pending={"step": 0, "at": datetime.now(UTC).isoformat()})
    server.listing_errors = [{"title": "Authorization Error", "resource_id": "1"}]
    assert isinstance(adapter.find(Post("k", "a"), progress, datetime.now(UTC)), Unknown)
    with pytest.raises(Ambiguous):
        adapter.publish(Post("k", "a"), progress)
    server.listing_errors, server.page = [], 1
    for n in range(11):
        server.put(f"Lain {n}")
    assert isinstance(adapter.find(Post("k", "a"), progress, datetime.now(UTC)), Unknown)
    assert isinstance(adapter.find(Post("k", "Lain 10"), progress, datetime.now(UTC)), Found)


def test_errors_instead_of_a_listing_prove_nothing(server: x.XPlatform, adapter: XAdapter) -> None:
    answer = Answer(
        200, {"errors": [{"title": "Not Found Error", "type": f"{x.PROBLEMS}/resource-not-found"}]}
    )
    server.instead.append(x.Instead("GET", "/2/users/.*/tweets", answer))
    with pytest.raises(Transient):
        adapter.find(Post("k", "a"), MemoryProgress(), datetime.now(UTC))


def test_a_clock_that_is_ahead_does_not_hide_the_post(server: x.XPlatform, adapter: XAdapter) -> None:
    server.put("Tolak suap", at=datetime.now(UTC) - timedelta(minutes=3))
    assert isinstance(adapter.find(Post("k", "Tolak suap"), MemoryProgress(), datetime.now(UTC)), Found)


def test_a_post_that_went_out_days_after_the_first_try_is_found(
    server: x.XPlatform, adapter: XAdapter
) -> None:
    """Given a first try, a hold of three days, and a lost answer, the window reaches that far."""
    server.put("Tolak suap")
    since = datetime.now(UTC) - timedelta(days=3)
    assert isinstance(adapter.find(Post("k", "Tolak suap"), MemoryProgress(), since), Found)


def test_a_finished_chain_is_found_without_asking(server: x.XPlatform, adapter: XAdapter) -> None:
    progress = MemoryProgress()
    receipt = adapter.publish(Post("k", "a"), progress)
    found = adapter.find(Post("k", "a"), progress, datetime.now(UTC))
    assert isinstance(found, Found)
    assert found.remote_id == receipt.remote_id
    assert server.count("GET", ".*") == 0


# Figures


def test_figures_are_asked_by_the_hundred_and_private_ones_only_while_x_tells_them(
    server: x.XPlatform, adapter: XAdapter
) -> None:
    now = datetime.now(UTC)
    young = [server.put(f"Baru {n}", at=now - timedelta(hours=n + 1)) for n in range(120)]
    old = [server.put(f"Lama {n}", at=now - timedelta(days=31, hours=n)) for n in range(3)]
    told = adapter.reach([t.id for t in [*young, *old]])
    assert set(told) == set(server.tweets)
    assert told[young[0].id].clicks == 0
    assert told[old[0].id].clicks is None
    assert told[old[0].id].raw["refused"] == {"non_public_metrics": "not-asked: older than 30 days"}
    assert server.count("GET", "/2/tweets") == 3


def test_a_post_whose_private_figures_are_refused_still_has_its_public_ones(
    server: x.XPlatform, adapter: XAdapter
) -> None:
    """Given a post that X counts as older than we do, the refusal is kept and the rest is told."""
    tweet = server.put("Batas", at=datetime.now(UTC) - timedelta(days=29, hours=23))
    tweet.at -= timedelta(hours=2)
    tweet.figures["like_count"] = 4
    (told,) = adapter.reach([tweet.id]).values()
    assert (told.likes, told.clicks, told.reach) == (4, None, None)
    assert told.raw["refused"] == {"non_public_metrics": "not-authorized-for-field"}


def test_an_app_without_private_figures_gets_the_public_ones(server: x.XPlatform, adapter: XAdapter) -> None:
    tweet = server.put("Publik")
    server.instead.append(x.Instead("GET", "/2/tweets", x.problem(403, "Not allowed for this app.")))
    (told,) = adapter.reach([tweet.id]).values()
    assert (told.views, told.clicks) == (0, None)


def test_figures_that_x_does_not_tell_are_unknown_and_never_nought(
    server: x.XPlatform, adapter: XAdapter
) -> None:
    tweet = server.put("Setengah")
    tweet.figures = {"like_count": 2, "repost_count": 1}
    (told,) = adapter.reach([tweet.id]).values()
    assert (told.likes, told.views, told.comments, told.shares, told.saves) == (2, None, None, None, None)
    tweet.figures = {"repost_count": 1, "quote_count": 2}
    assert adapter.reach([tweet.id])[tweet.id].shares == 3
    server.instead.append(x.Instead("GET", "/2/tweets", Answer(200, {})))
    with pytest.raises(Transient):
        adapter.reach([tweet.id])


def test_ids_of_something_else_are_left_out(server: x.XPlatform, adapter: XAdapter) -> None:
    assert adapter.reach(["", "abc", "١٢٣"]) == {}
    assert server.loopback.calls == []


# Limits and counting


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("Tolak suap", 10),
        ("e\u0301", 1),
        ("baris\r\ndua", 9),
        ("日本語", 6),
        ("“kutipan” — titik…", 19),
        ("🙏", 2),
        ("👍🏽", 2),
        ("👨‍👩‍👧‍👦", 2),
        ("🇮🇩", 2),
        ("1️⃣", 2),
        ("❤️", 2),
        ("©", 1),
        ("https://example.go.id/lapor?kanal=a&b=c", 23),
        ("kpk.go.id", 23),
        ("Lapor (kpk.go.id/lapor).", 6 + 1 + 23 + 2),
        ("admin@kpk.go.id", 15),
        ("Pukul 08.00 WIB, Rp1.000.000", 28),
        ("日本語example.com中国語", 6 + 23 + 6),
        ("https://t.co/abc123xyz.", 24),
        ("....." * 800, 4000),
        ("a." * 1000, 2000),
    ],
)
def test_a_text_is_counted_as_x_counts_it(text: str, length: int) -> None:
    """Given the rules of twitter-text 3, configuration v3."""
    assert weighted_length(text) == length


def test_texts_are_as_long_as_by_the_code_of_x_itself() -> None:
    """Given texts counted by X's own twitter-text 3.1.0 (golden/x_lengths.mjs), ours counts the same."""
    counted = json.loads(
        Path(__file__).with_name("golden").joinpath("x_lengths.json").read_text(encoding="utf-8")
    )
    assert len(counted) > 250
    assert {text: weighted_length(text) for text in counted} == counted


def test_addresses_are_seen_where_x_links_them() -> None:
    text = "Buka kpk.go.id/lapor, https://a.id/x_(y) atau WWW.LAPOR.GO.ID! bukan suap.nihil #a.id x@b.id"
    assert addresses(text) == ["kpk.go.id/lapor", "https://a.id/x_(y)", "WWW.LAPOR.GO.ID"]


def codes(post: Post) -> list[str]:
    return sorted(problem.code for problem in adapter_at("").check(post))


def test_a_link_of_any_length_counts_23(adapter: XAdapter) -> None:
    link = "https://example.go.id/" + "a" * 300
    assert codes(Post("k", "a" * 255, link)) == []
    assert codes(Post("k", "a" * 256, link)) == ["text-too-long"]


def test_what_x_would_refuse_is_told_before_anyone_approves(tmp_path: Path) -> None:
    photos = tuple(picture(tmp_path, n, "Poster") for n in range(5))
    gif, video = moving(tmp_path), films.film(tmp_path)
    assert codes(Post("k", "a", media=photos[:4])) == []
    assert codes(Post("k", "a", media=photos)) == ["too-many-media"]
    assert codes(Post("k", "a", media=(gif,))) == []
    assert codes(Post("k", "a", media=(photos[0], gif))) == ["media-mix"]
    assert codes(Post("k", "a", thread=(Part("b", (video, video)),))) == ["media-mix"]
    assert codes(Post("k", "a", media=(replace(video, alt="Film"),))) == ["no-video-alt"]
    assert codes(Post("k", "a", media=(films.film(tmp_path, pixels=(640, 160)),))) == ["aspect-ratio"]
    assert codes(Post("k", "a", media=(replace(photos[0], mime="image/tiff"),))) == ["media-type"]
    assert codes(Post("k", "a", media=(replace(photos[0], mime="image/gif"),))) == ["media-type"], (
        "by content"
    )
    assert codes(Post("k", "a", media=(replace(photos[0], alt="a" * 1001),))) == ["alt-too-long"]
    assert codes(Post("k", "a", kind="story")) == ["no-such-kind"]


def test_a_picture_over_five_megabytes_is_refused(tmp_path: Path) -> None:
    item = picture(tmp_path, 1, "Poster")
    with item.path.open("ab") as file:
        file.write(bytes(5 * 2**20))
    assert codes(Post("k", "a", media=(item,))) == ["media-too-big"]


def test_every_part_of_a_thread_is_checked() -> None:
    long = "a" * 281
    assert codes(THREAD) == []
    assert codes(replace(THREAD, thread=(Part(long), Part(" ")))) == ["empty-part", "text-too-long"]
    assert codes(replace(THREAD, first_comment=long)) == ["comment-too-long"]
    assert codes(replace(THREAD, thread=(Part("Sama"), Part("Sama")))) == ["repeated-part"]
    assert codes(replace(THREAD, thread=(Part("a\ufeffb"),))) == ["bad-character"]
    assert codes(Post("k", "Saham $BBCA dan $TLKM")) == ["cashtags"]
    assert codes(Post("k", "Kerugian $100 dan US$5, $BBCA")) == []

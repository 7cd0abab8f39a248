"""The Bluesky adapter against a PDS of our own on loopback: the contract, keys, rich text, sessions."""

from __future__ import annotations

import hashlib
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from PIL import Image

pytest.register_assert_rewrite("adapters.contract_suite")
sys.path.insert(0, str(Path(__file__).parent))

from kit.films import film  # noqa: E402
from servers import bluesky_platform as platform  # noqa: E402
from servers.loopback import Answer, Fault, Loopback, patience  # noqa: E402

from adapters.bluesky import server as bluesky_server  # noqa: E402
from adapters.bluesky.adapter import BlueskyAdapter  # noqa: E402
from adapters.bluesky.record import facets, fitting, tid  # noqa: E402
from adapters.contract import Absent, Account, Adapter, Found, Media, Part, Post, Reach, Unknown  # noqa: E402
from adapters.contract_suite import AdapterContract  # noqa: E402
from adapters.contract_tools import (  # noqa: E402
    Call,
    MemoryProgress,
    PowerCutError,
    Refusal,
    Remote,
    RemotePost,
    picture,
)
from adapters.errors import (  # noqa: E402
    AccountHeld,
    AdapterError,
    Ambiguous,
    AuthExpired,
    RateLimited,
    Rejected,
    Transient,
)
from adapters.registry import adapter_class  # noqa: E402

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
LINK = "https://example.go.id/lapor?kanal=a&b=c"
PUT = ("POST", "com.atproto.repo.putRecord")


def adapter_at(url: str, *, password: str = platform.PASSWORD, **options: Any) -> BlueskyAdapter:
    def secret(name: str) -> str:
        assert name == "app_password"
        return password

    account = Account("bluesky", f"@{platform.HANDLE}", secret, url, options)
    return BlueskyAdapter(account, lambda: datetime.now(UTC), read_timeout=patience(url))


class BlueskyRemote:
    def __init__(self, bluesky: platform.Bluesky) -> None:
        self.bluesky = bluesky

    def posts(self) -> Sequence[RemotePost]:
        return [self._post(rkey, self.bluesky.records[rkey]) for rkey in sorted(self.bluesky.records)]

    def engage(self, remote_id: str) -> Reach:
        self.bluesky.figures[remote_id.rpartition("/")[2]] = {
            "likeCount": 5, "replyCount": 4, "repostCount": 3, "quoteCount": 2, "bookmarkCount": 1,
        }  # fmt: skip
        return Reach(likes=5, comments=4, shares=3, saves=1)

    def _post(self, rkey: str, record: dict[str, Any]) -> RemotePost:
        text, _, link = record["text"].rpartition("\n\n")
        text, link = (text, link) if link.startswith("https:") else (record["text"], "")
        media = tuple(
            (hashlib.sha256(self.bluesky.blobs[one["image"]["ref"]["$link"]][0]).hexdigest(), one["alt"])
            for one in record.get("embed", {}).get("images", [])
        )
        return RemotePost(platform.uri(rkey), text, link, media)


@pytest.fixture
def server() -> Iterator[tuple[platform.Bluesky, Loopback]]:
    bluesky_server._sessions.clear()  # of an earlier server that had the same port
    with platform.running() as server:
        yield server


@pytest.fixture
def bluesky(server: tuple[platform.Bluesky, Loopback]) -> platform.Bluesky:
    return server[0]


@pytest.fixture
def loopback(server: tuple[platform.Bluesky, Loopback]) -> Loopback:
    return server[1]


class TestContract(AdapterContract):
    followers: ClassVar[int | None] = 96
    publishing_call: ClassVar[Call] = ("POST", r"com\.atproto\.repo\.putRecord")
    later_call: ClassVar[tuple[Call, int] | None] = (publishing_call, 1)
    refusal: ClassVar[Refusal] = (400, '{"error": "InvalidRequest", "message": "Not like this."}')
    refusal_words: ClassVar[str] = "Not like this."
    upload_call: ClassVar[Call | None] = ("POST", r"com\.atproto\.repo\.uploadBlob")
    secrets = {"app_password": platform.PASSWORD}  # noqa: RUF012

    @pytest.fixture
    def api_base(self, loopback: Loopback) -> str:
        return loopback.url

    @pytest.fixture
    def make_adapter(self) -> Callable[[str], Adapter]:
        return adapter_at

    @pytest.fixture
    def remote(self, bluesky: platform.Bluesky) -> Remote:
        return BlueskyRemote(bluesky)


@pytest.mark.parametrize(
    ("scope", "missing", "needless"),
    [
        ("com.atproto.appPass", (), ()),
        ("com.atproto.appPassPrivileged", (), ("com.atproto.appPassPrivileged",)),
        ("com.atproto.access", (), ("com.atproto.access",)),
        ("com.atproto.takendown", ("com.atproto.appPass",), ()),
        ("", (), ()),
    ],
)
def test_what_the_password_allows_is_told(
    bluesky: platform.Bluesky,
    loopback: Loopback,
    scope: str,
    missing: tuple[str, ...],
    needless: tuple[str, ...],
) -> None:
    """Given the scope in the session's token, a privileged password and the account's own allow too much."""
    bluesky.scope = scope
    identity = adapter_at(loopback.url).verify()
    assert (identity.missing_permissions, identity.needless_permissions) == (missing, needless)


def test_the_registry_knows_it() -> None:
    assert adapter_class("bluesky") is BlueskyAdapter


def test_a_record_is_what_readers_expect(
    bluesky: platform.Bluesky, loopback: Loopback, tmp_path: Path
) -> None:
    adapter = adapter_at(loopback.url)
    receipt = adapter.publish(Post("k", "Lapor 🙏 #Hakordia", LINK), MemoryProgress())
    (rkey, record), *rest = bluesky.records.items()
    assert rest == []
    assert receipt.remote_id == platform.uri(rkey)
    assert receipt.permalink == f"https://bsky.app/profile/{platform.HANDLE}/post/{rkey}"
    assert record["text"] == f"Lapor 🙏 #Hakordia\n\n{LINK}"
    assert record["langs"] == ["id"]
    assert record["createdAt"].endswith("Z")
    assert record["embed"] == {
        "$type": "app.bsky.embed.external",
        "external": {"uri": LINK, "title": "example.go.id", "description": ""},
    }
    assert [facet["features"][0] for facet in record["facets"]] == [
        {"$type": "app.bsky.richtext.facet#tag", "tag": "Hakordia"},
        {"$type": "app.bsky.richtext.facet#link", "uri": LINK},
    ]
    adapter_at(loopback.url, card=False, language="en").publish(Post("l", "Lapor", LINK), MemoryProgress())
    plain = bluesky.records[max(bluesky.records)]
    assert ("embed" in plain, plain["langs"]) == (False, ["en"])
    adapter.publish(Post("m", "Lapor", LINK, (picture(tmp_path, 1, "Poster"),)), MemoryProgress())
    shown = bluesky.records[max(bluesky.records)]["embed"]
    assert shown["$type"] == "app.bsky.embed.images"
    assert shown["images"][0]["aspectRatio"] == {"width": 320, "height": 400}


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("Lihat https://a.go.id/x, lalu lapor.", ["https://a.go.id/x"]),
        ("(https://a.go.id/x_(y))", ["https://a.go.id/x_(y)"]),
        ("“https://a.go.id/é?q=1#bagian”", ["https://a.go.id/é?q=1#bagian"]),
        ("#Hakordia #2026 #Hari9 a#b &#39; ##c (#KPK)", ["#Hakordia", "#Hari9", "#KPK"]),
        ("🙏🙏 #Berani_Jujur! 👨‍👩‍👧 http://b.id.", ["#Berani_Jujur", "http://b.id"]),
        ("#" + "a" * 65, []),
        ("tanpa apa-apa", []),
    ],
)
def test_facets_mark_the_right_bytes(text: str, marked: list[str]) -> None:
    places: list[Any] = [facet["index"] for facet in facets(text)]  # type: ignore[index,call-overload]
    assert [text.encode()[at["byteStart"] : at["byteEnd"]].decode() for at in places] == marked


def test_record_keys_are_tids_in_order() -> None:
    at = datetime(2026, 12, 9, 2, 30, tzinfo=UTC)
    keys = [tid(at + timedelta(milliseconds=n), "k") for n in range(3)]
    assert keys == sorted(set(keys))
    assert all(len(key) == 13 and key[0] in "234567abcdefghij" for key in keys)
    assert tid(datetime(1970, 1, 1, tzinfo=UTC), "k")[:11] == "2" * 11
    assert tid(at, "k") == tid(at, "k") != tid(at, "l")


def test_a_thread_with_a_first_comment_resumes_where_it_stopped(
    bluesky: platform.Bluesky, loopback: Loopback, tmp_path: Path
) -> None:
    item = picture(tmp_path, 1, "Poster")
    post = Post(
        "k", "Satu", LINK, (item,), thread=(Part("Dua", (item,)), Part("Tiga")), first_comment="Sumber"
    )
    for cut in range(1, 20):
        progress = MemoryProgress(dies_after=cut)
        try:
            receipt = adapter_at(loopback.url).publish(post, progress)
        except PowerCutError:
            found = adapter_at(loopback.url).find(post, progress, LONG_AGO)
            assert isinstance(found, Found if len(bluesky.records) == 4 else Absent)
            receipt = adapter_at(loopback.url).publish(post, progress)
        one, two, *_ = (platform.uri(rkey) for rkey in sorted(bluesky.records))
        records = [bluesky.records[rkey] for rkey in sorted(bluesky.records)]
        assert [record["text"] for record in records] == [f"Satu\n\n{LINK}", "Dua", "Tiga", "Sumber"]
        parents = [record.get("reply", {}).get("parent", {}).get("uri") for record in records]
        assert parents == [None, one, two, one]
        assert {record["reply"]["root"]["uri"] for record in records[1:]} == {one}
        assert receipt.remote_id == one
        assert bluesky.writes == 4
        for memory in (progress, MemoryProgress()):
            found = adapter_at(loopback.url).find(post, memory, LONG_AGO)
            assert isinstance(found, Found)
            assert (found.remote_id, found.permalink) == (one, receipt.permalink)
        adapter_at(loopback.url).remove(one)
        assert bluesky.records == {}
        bluesky.writes = 0
        if progress.saves < cut:
            return
    pytest.fail("too many saves")


@pytest.mark.parametrize("how", ["reset", "timeout", "truncated", "html", "500"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("part", [0, 1])
def test_whatever_happens_to_the_publishing_call_the_key_settles_it(
    bluesky: platform.Bluesky, loopback: Loopback, how: Any, when: Any, part: int
) -> None:
    """Found or Absent, never Unknown; and even a blind repetition writes nothing twice."""
    post, progress = Post("k", "Satu", thread=(Part("Dua"),)), MemoryProgress()
    if part:
        adapter_at(loopback.url).publish(replace(post, thread=()), progress)
    loopback.faults.append(Fault(*PUT, how, when))
    with pytest.raises(Ambiguous):
        adapter_at(loopback.url).publish(post, progress)
    found = adapter_at(loopback.url).find(post, progress, LONG_AGO)
    assert isinstance(found, Found if when == "after" and part else Absent)
    adapter_at(loopback.url).publish(post, progress)
    assert (len(bluesky.records), bluesky.writes) == (2, 2)


def test_a_part_that_is_refused_for_good_ends_the_thread_there(
    bluesky: platform.Bluesky, loopback: Loopback
) -> None:
    post, progress = Post("k", "Satu", thread=(Part("Dua"), Part("Tiga"))), MemoryProgress()
    adapter_at(loopback.url).publish(replace(post, thread=()), progress)
    bluesky.refuse.append(("com.atproto.repo.putRecord", platform.error(400, "InvalidRecord", "Kata server")))
    receipt = adapter_at(loopback.url).publish(post, progress)
    assert receipt.shortfall == "1 of 3 parts are out, the next was refused: Kata server"
    assert adapter_at(loopback.url).publish(post, progress) == receipt
    found = adapter_at(loopback.url).find(post, progress, LONG_AGO)
    assert isinstance(found, Found)
    assert (found.remote_id, found.shortfall) == (receipt.remote_id, receipt.shortfall)
    assert len(bluesky.records) == 1


def test_a_part_that_is_there_is_not_called_refused(bluesky: platform.Bluesky, loopback: Loopback) -> None:
    """Given a part whose answer was lost, the refusal of its repetition does not make it missing."""
    post, progress = Post("k", "Satu", thread=(Part("Dua"),)), MemoryProgress()
    adapter_at(loopback.url).publish(replace(post, thread=()), progress)
    loopback.faults.append(Fault(*PUT, "reset"))
    with pytest.raises(Ambiguous):
        adapter_at(loopback.url).publish(post, progress)
    bluesky.refuse.append(("com.atproto.repo.putRecord", platform.error(400, "InvalidRecord", "Kata server")))
    with pytest.raises(Ambiguous):
        adapter_at(loopback.url).publish(post, progress)
    found = adapter_at(loopback.url).find(post, progress, LONG_AGO)
    assert isinstance(found, Found)
    assert found.shortfall == ""


def test_a_part_that_no_attempt_noted_is_a_persons_business(
    bluesky: platform.Bluesky, loopback: Loopback
) -> None:
    adapter_at(loopback.url).publish(Post("lain", "Satu"), MemoryProgress())
    post = Post("k", "Satu", thread=(Part("Dua"),))
    assert isinstance(adapter_at(loopback.url).find(post, MemoryProgress(), LONG_AGO), Unknown)


def test_find_without_keys_reads_all_pages(bluesky: platform.Bluesky, loopback: Loopback) -> None:
    receipt = adapter_at(loopback.url).publish(Post("k", "Satu"), MemoryProgress())
    later = datetime.now(UTC) + timedelta(seconds=1)
    for n in range(250):
        at = later + timedelta(milliseconds=n)
        record = {"text": f"Lain {n}", "createdAt": at.isoformat().replace("+00:00", "Z")}
        bluesky.records[tid(at, "")] = record
    found = adapter_at(loopback.url).find(Post("k", "Satu"), MemoryProgress(), LONG_AGO)
    assert isinstance(found, Found)
    assert found.remote_id == receipt.remote_id
    assert adapter_at(loopback.url).find(Post("k", "Satu"), MemoryProgress(), later) == Absent()


def test_a_large_picture_is_made_smaller_always_in_the_same_way(
    bluesky: platform.Bluesky, loopback: Loopback, tmp_path: Path
) -> None:
    path = tmp_path / "besar.png"
    Image.effect_noise((1500, 1200), 90).convert("RGBA").save(path)
    content = path.read_bytes()
    assert len(content) > 2_000_000
    item = Media(path, hashlib.sha256(content).hexdigest(), "image/png", "Poster besar", 1500, 1200)
    assert fitting(item) == fitting(item)
    assert adapter_at(loopback.url).check(Post("k", "a", media=(item,))) == []
    adapter_at(loopback.url).publish(Post("k", "a", media=(item,)), MemoryProgress())
    ((stored, mime),) = bluesky.blobs.values()
    with Image.open(io.BytesIO(stored)) as copy:
        assert (copy.format, mime) == ("JPEG", "image/jpeg")
        assert abs(copy.width / copy.height - 1500 / 1200) < 0.01
    assert len(stored) <= 2_000_000


def test_blobs_that_were_thrown_away_are_uploaded_again(
    bluesky: platform.Bluesky, loopback: Loopback, tmp_path: Path
) -> None:
    post, progress = Post("k", "a", media=(picture(tmp_path, 1, "Poster"),)), MemoryProgress()
    loopback.faults.append(Fault(*PUT, "reset", "before"))
    with pytest.raises(Ambiguous):
        adapter_at(loopback.url).publish(post, progress)
    bluesky.blobs.clear()
    with pytest.raises(Transient) as raised:
        adapter_at(loopback.url).publish(post, progress)
    assert raised.value.code == "BlobNotFound"
    adapter_at(loopback.url).publish(post, progress)
    assert len(bluesky.records) == 1


def test_a_session_serves_all_adapters_until_it_expires(
    bluesky: platform.Bluesky, loopback: Loopback
) -> None:
    for n in range(3):
        adapter_at(loopback.url).publish(Post(str(n), f"Pesan {n}"), MemoryProgress())
    assert loopback.count("POST", "createSession") == 1
    bluesky.expire()
    adapter_at(loopback.url).publish(Post("l", "Lagi"), MemoryProgress())
    assert loopback.count("POST", "refreshSession") == 1
    bluesky.expire(refresh=True)
    adapter_at(loopback.url).verify()
    assert loopback.count("POST", "createSession") == 2
    assert len(bluesky.records) == 4


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (platform.error(401, "AuthenticationRequired", "Invalid identifier or password"), AuthExpired),
        (platform.error(401, "AuthFactorTokenRequired", "A sign in code has been sent"), AuthExpired),
        (platform.error(401, "AccountTakedown", "Account has been taken down"), AccountHeld),
        (platform.error(429, "RateLimitExceeded", "Rate Limit Exceeded"), RateLimited),
        (platform.error(500, "InternalServerError", "Internal Server Error"), Transient),
        (Answer(200, b"<html>Selamat datang</html>"), Transient),
        (platform.ok({"did": platform.DID}), Transient),
        (platform.ok({"active": False, "status": "deactivated"}), AccountHeld),
    ],
)
def test_no_session_no_post(
    bluesky: platform.Bluesky, loopback: Loopback, answer: Answer, error: type[AdapterError]
) -> None:
    """Signing in publishes nothing: whatever happens to it is never Ambiguous."""
    bluesky.refuse.append(("com.atproto.server.createSession", answer))
    with pytest.raises(AdapterError) as raised:
        adapter_at(loopback.url).publish(Post("k", "a"), MemoryProgress())
    assert type(raised.value) is error
    assert loopback.count(*PUT) == 0


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (platform.error(400, "InvalidRequest", "Invalid app.bsky.feed.post record"), Rejected),
        (platform.error(413, "PayloadTooLarge", "request entity too large"), Rejected),
        (platform.error(401, "AuthMissing", "Authentication Required"), AuthExpired),
        (platform.error(401, "AccountSuspended", "Account is suspended"), AccountHeld),
        (platform.error(403, "Forbidden", "Not allowed"), AccountHeld),
        (platform.error(400, "SomethingNew", "What is this"), Ambiguous),
        (platform.error(500, "InvalidRequest", "Internal Server Error"), Ambiguous),
        (platform.error(502, "UpstreamFailure", "pds gone"), Ambiguous),
        (platform.ok({}), Ambiguous),
        (platform.ok({"uri": "at://x/y/z"}), Ambiguous),
    ],
)
def test_refusals_mean_what_their_names_say(
    bluesky: platform.Bluesky, loopback: Loopback, answer: Answer, error: type[AdapterError]
) -> None:
    bluesky.refuse.append(("com.atproto.repo.putRecord", answer))
    with pytest.raises(AdapterError) as raised:
        adapter_at(loopback.url).publish(Post("k", "a"), MemoryProgress())
    assert type(raised.value) is error


def test_a_rate_limit_ends_when_the_server_says(bluesky: platform.Bluesky, loopback: Loopback) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=20)
    for headers, expected in (
        ({"ratelimit_reset": str(int(until.timestamp()))}, until),
        ({"retry_after": "90"}, datetime.now(UTC) + timedelta(seconds=90)),
        ({"ratelimit_reset": "9" * 30}, datetime.now(UTC) + timedelta(minutes=5)),
    ):
        answer = platform.error(429, "RateLimitExceeded", "Rate Limit Exceeded", **headers)
        bluesky.refuse.append(("com.atproto.repo.putRecord", answer))
        with pytest.raises(RateLimited) as raised:
            adapter_at(loopback.url).publish(Post("k", "a"), MemoryProgress())
        assert abs(raised.value.until - expected) < timedelta(seconds=5)


@pytest.mark.parametrize("how", ["reset", "timeout", "truncated", "html", "500"])
@pytest.mark.parametrize("name", ["createSession", "uploadBlob", "getRecord"])
def test_whatever_happens_to_another_call_is_transient(
    loopback: Loopback, tmp_path: Path, how: Any, name: str
) -> None:
    post, progress = Post("k", "a", media=(picture(tmp_path, 1, "Poster"),)), MemoryProgress()
    if name == "getRecord":
        adapter_at(loopback.url).publish(post, progress)
    loopback.faults.append(Fault("GET" if name == "getRecord" else "POST", name, how))
    adapter = adapter_at(loopback.url)
    publish: Callable[[], object] = lambda: adapter.publish(post, progress)  # noqa: E731
    find: Callable[[], object] = lambda: adapter.find(post, progress, LONG_AGO)  # noqa: E731
    with pytest.raises(Transient):
        (find if name == "getRecord" else publish)()


@pytest.mark.parametrize("answer", [platform.ok({}), platform.ok([]), Answer(200, b"<html>")])
@pytest.mark.parametrize("name", ["getRecord", "listRecords", "getPosts"])
def test_another_web_server_is_never_believed(
    bluesky: platform.Bluesky, loopback: Loopback, answer: Answer, name: str
) -> None:
    adapter, progress = adapter_at(loopback.url), MemoryProgress()
    receipt = adapter.publish(Post("k", "a"), progress)
    space = "app.bsky.feed" if name == "getPosts" else "com.atproto.repo"
    bluesky.refuse.append((f"{space}.{name}", answer))
    calls: dict[str, Callable[[], object]] = {
        "getPosts": lambda: adapter.reach([receipt.remote_id]),
        "getRecord": lambda: adapter.find(Post("k", "a"), progress, LONG_AGO),
        "listRecords": lambda: adapter.find(Post("k", "a"), MemoryProgress(), LONG_AGO),
    }
    with pytest.raises(Transient):
        calls[name]()


def test_the_conversation_under_a_post_is_told_whole(bluesky: platform.Bluesky, loopback: Loopback) -> None:
    """Given a reply, the account's own answer to it, and one that is blocked: the first two are told."""
    rkey = tid(datetime.now(UTC), "")
    bluesky.records[rkey] = {"text": "Pesan"}
    root, at = platform.uri(rkey), "2026-12-09T01:00:00Z"

    def view(key: str, did: str, text: str, parent: str, replies: Sequence[Any] = ()) -> dict[str, Any]:
        record = {"text": text, "createdAt": at, "reply": {"parent": {"uri": parent}}}
        author = {"did": did, "handle": f"{key}.test"}
        uri = f"at://{did}/app.bsky.feed.post/{key}"
        return {"post": {"uri": uri, "author": author, "record": record}, "replies": list(replies)}

    asked = "at://did:plc:warga/app.bsky.feed.post/tanya"
    own = view("jawab", platform.DID, "Silakan", asked)
    bluesky.threads[rkey] = [view("tanya", "did:plc:warga", "Di mana?", root, [own]), {"blocked": True}]
    told = adapter_at(loopback.url).replies([root, platform.uri("gone"), "12345"])
    assert list(told) == [root]
    question, answer = told[root]
    assert (question.author, question.text, question.under, question.own) == (
        "@tanya.test",
        "Di mana?",
        root,
        False,
    )
    assert (answer.under, answer.own) == (question.remote_id, True)


def test_figures_are_asked_in_batches_and_what_is_not_said_is_unknown(
    bluesky: platform.Bluesky, loopback: Loopback
) -> None:
    keys = [tid(datetime.now(UTC) + timedelta(milliseconds=n), "") for n in range(60)]
    bluesky.records |= {key: {"text": key} for key in keys}
    told = adapter_at(loopback.url).reach([*map(platform.uri, keys), "12345"])
    assert set(told) == set(map(platform.uri, keys))
    assert loopback.count("GET", "getPosts") == 3
    bare = platform.ok({"posts": [{"uri": "at://a/b/c", "likeCount": 4, "replyCount": None}]})
    bluesky.refuse.append(("app.bsky.feed.getPosts", bare))
    assert adapter_at(loopback.url).reach(["at://a/b/c"]) == {
        "at://a/b/c": Reach(likes=4, raw={"likeCount": 4})
    }


def test_removing_leaves_other_posts_and_refuses_those_of_others(
    bluesky: platform.Bluesky, loopback: Loopback
) -> None:
    adapter = adapter_at(loopback.url)
    first = adapter.publish(Post("k", "Satu", thread=(Part("Dua"),)), MemoryProgress())
    second = adapter.publish(Post("l", "Lain"), MemoryProgress())
    for foreign in ("at://did:plc:orang/app.bsky.feed.post/3abc", "3abc/../x", ""):
        with pytest.raises(Rejected):
            adapter.remove(foreign)
    adapter.remove(first.remote_id)
    assert [platform.uri(rkey) for rkey in bluesky.records] == [second.remote_id]


def test_what_bluesky_would_refuse_is_said_before_anyone_approves(tmp_path: Path) -> None:
    def codes(post: Post) -> list[str]:
        return [problem.code for problem in adapter_at("", password="").check(post)]

    poster = picture(tmp_path, 1, "Poster")
    family = "👨‍👩‍👧‍👦"
    assert codes(Post("k", "a" * 300, media=(poster,) * 4, thread=(Part("b"),), first_comment="c")) == []
    assert codes(Post("k", "a" * 301)) == ["text-too-long"]
    assert codes(Post("k", family * 120)) == []
    assert codes(Post("k", family * 121)) == ["text-too-long"]
    assert codes(Post("k", "a", thread=(Part("a" * 301),))) == ["text-too-long"]
    assert codes(Post("k", "a", media=(poster,) * 5)) == ["too-many-media"]
    assert codes(Post("k", "a", media=(film(tmp_path),))) == ["media-type"]
    assert codes(Post("k", "a", media=(replace(poster, alt="a" * 2001),))) == ["alt-too-long"]
    assert codes(Post("k", "a", kind="story")) == ["no-such-kind"]

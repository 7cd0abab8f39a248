"""What Meta's platforms share: the meaning of errors, rate headers, the client over facebook-sdk."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
import requests

sys.path.insert(0, str(Path(__file__).parent))

from servers.graph_core import TOKEN, Graph, Oddity, missing, refusal
from servers.loopback import Answer, Fault, Loopback, patience, serving
from werkzeug.wrappers import Request

from adapters.contract import Account
from adapters.errors import (
    AccountHeld,
    AdapterError,
    Ambiguous,
    AuthExpired,
    Duplicate,
    RateLimited,
    Rejected,
    Transient,
)
from adapters.meta.graph import (
    INSTAGRAM,
    THREADS,
    GraphClient,
    Meaning,
    created,
    exhausted,
    form,
    graph_error,
    is_missing,
    regain,
    usage,
)

# facebook-sdk 3.1.0 has "\d" in a plain string: a warning wherever no .pyc of it is kept.
pytestmark = pytest.mark.filterwarnings("ignore:.*invalid escape sequence")

NOW = datetime(2026, 12, 9, 2, 30, tzinfo=UTC)
BUSY = {
    "X-Business-Use-Case-Usage": json.dumps(
        {
            "108": [
                {"type": "pages", "call_count": 100, "total_time": 3, "estimated_time_to_regain_access": 17},
                {"type": "other", "call_count": 1, "estimated_time_to_regain_access": 0},
            ]
        }
    )
}


How = Literal["reset", "timeout", "truncated", "html", "500"]
When = Literal["before", "after"]


class SdkError(Exception):
    """In the shape of facebook-sdk's GraphAPIError."""

    def __init__(self, **error: object) -> None:
        super().__init__()
        self.result = {"error": error}


def meaning(publishing: bool = True, status: int = 400, **error: Any) -> AdapterError:
    return graph_error(SdkError(**error), publishing=publishing, now=NOW, status=status)


@pytest.mark.parametrize(
    ("code", "subcode", "publishing", "reading"),
    [
        (1, None, Ambiguous, Transient),
        (2, None, Ambiguous, Transient),
        (2, 1363042, Ambiguous, Transient),
        (4, None, RateLimited, RateLimited),
        (17, None, RateLimited, RateLimited),
        (32, None, RateLimited, RateLimited),
        (341, None, RateLimited, RateLimited),
        (613, None, RateLimited, RateLimited),
        (80001, None, RateLimited, RateLimited),
        (80002, None, RateLimited, RateLimited),
        (102, None, AuthExpired, AuthExpired),
        (190, None, AuthExpired, AuthExpired),
        (190, 460, AuthExpired, AuthExpired),
        (190, 492, AuthExpired, AuthExpired),
        (3, None, AuthExpired, AuthExpired),
        (10, None, AuthExpired, AuthExpired),
        (200, None, AuthExpired, AuthExpired),
        (299, None, AuthExpired, AuthExpired),
        (100, None, Rejected, Rejected),
        (100, 33, Ambiguous, Transient),
        (100, 1609005, Rejected, Rejected),
        (368, None, AccountHeld, AccountHeld),
        (506, None, Duplicate, Duplicate),
        (506, 1455006, Duplicate, Duplicate),
        (777777, None, Ambiguous, Transient),
        (None, None, Ambiguous, Transient),
    ],
)
def test_the_code_decides(
    code: int | None, subcode: int | None, publishing: type[AdapterError], reading: type[AdapterError]
) -> None:
    error: dict[str, Any] = {"message": "Words of the platform.", "code": code, "error_subcode": subcode}
    assert type(meaning(True, **error)) is publishing
    assert type(meaning(False, **error)) is reading
    assert meaning(True, **error).code == "/".join(str(n) for n in (code, subcode) if n is not None)


def test_an_error_status_is_no_proof_of_absence_whatever_the_code() -> None:
    for code in (2, 100, 190, 368, 4):
        assert type(meaning(True, status=500, message="No.", code=code)) is Ambiguous
    assert type(meaning(False, status=500, message="No.", code=190)) is AuthExpired


def test_what_the_platform_calls_transient_is_no_refusal() -> None:
    assert type(meaning(True, message="No.", code=100, is_transient=True)) is Ambiguous
    assert type(meaning(False, message="No.", code=190, is_transient=True)) is Transient
    assert type(meaning(True, message="No.", code=100, is_transient=False)) is Rejected


def test_a_block_and_a_repetition_share_a_code() -> None:
    assert type(meaning(message="The action has been deemed abusive.", code=368)) is AccountHeld
    repeated = meaning(message="Blocked.", error_user_msg="It looks like you already posted this.", code=368)
    assert type(repeated) is Duplicate


def test_a_platforms_own_subcodes_win() -> None:
    own = {(4, 2207051): Meaning.UNCLEAR, (None, 1390008): Meaning.LIMIT, (24, None): Meaning.TRANSIENT}
    for code, subcode, expected in (
        (4, 2207051, Ambiguous),
        (368, 1390008, RateLimited),
        (24, 2207008, Transient),
        (4, 1, RateLimited),
    ):
        failure = SdkError(message="No.", code=code, error_subcode=subcode)
        assert type(graph_error(failure, publishing=True, now=NOW, status=400, codes=own)) is expected


def test_the_reason_is_short_and_in_the_words_for_people() -> None:
    error = meaning(message="(#100) Invalid", error_user_msg="Pilih  gambar\nlain.", code=100)
    assert error.reason == "Pilih gambar lain."
    assert len(meaning(message="x" * 5000, code=100).reason) == 300
    assert meaning(code=100).reason


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (BUSY, NOW + timedelta(minutes=17)),
        ({"Retry-After": "90"}, NOW + timedelta(seconds=90)),
        ({}, NOW + timedelta(hours=1)),
        ({"X-App-Usage": "no JSON", "X-Business-Use-Case-Usage": "[]"}, NOW + timedelta(hours=1)),
    ],
)
def test_a_pause_lasts_until_the_platform_says(headers: Mapping[str, str], expected: datetime) -> None:
    for code, app_wide in ((32, False), (4, True)):
        failure = SdkError(message="Slow down.", code=code)
        error = graph_error(failure, publishing=True, now=NOW, status=403, headers=headers)
        assert isinstance(error, RateLimited)
        assert (error.until, error.app_wide) == (expected, app_wide)


def test_the_usage_headers_tell_when_a_limit_is_used_up() -> None:
    assert usage({}) == 0
    assert usage({"X-App-Usage": '{"call_count":28,"total_time":99,"total_cputime":3}'}) == 99
    assert not exhausted({"X-App-Usage": '{"call_count":28,"total_time":99,"total_cputime":3}'})
    assert exhausted({"X-App-Usage": '{"call_count":101,"total_time":1,"total_cputime":1}'})
    assert exhausted(BUSY)
    assert regain(BUSY) == timedelta(minutes=17)
    assert regain({}) is None


def test_parameters_arrive_as_graph_reads_them() -> None:
    made = form({"a": [{"media_fbid": "1"}], "b": True, "c": None, "d": "x", "e": 3, "f": {"k": "é"}})
    assert made == {"a": '[{"media_fbid": "1"}]', "b": "true", "d": "x", "e": 3, "f": '{"k": "é"}'}


def test_without_an_id_there_is_no_success() -> None:
    assert created({"id": 12}, publishing=True) == "12"
    assert created({"id": "a", "post_id": "b"}, "post_id", "id", publishing=True) == "b"
    with pytest.raises(Ambiguous):
        created({"success": True}, publishing=True)
    with pytest.raises(Transient):
        created({"id": ""}, publishing=False)


def test_importing_the_module_imports_no_sdk() -> None:
    code = "import sys, adapters.meta.graph, adapters.facebook.adapter; print('facebook' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


class Echo(Graph):
    """Answers with what it was asked; ``node`` "gone" is not there."""

    def node(self, request: Request, parts: list[str]) -> Answer:
        if parts == ["gone"]:
            return missing("gone")
        return self.other(request, ["v26.0", *parts])

    def other(self, request: Request, parts: list[str]) -> Answer:
        shown: dict[str, Any] = {"id": "1", "path": "/".join(parts), "method": request.method}
        shown["values"] = {k: v for k, v in request.values.items() if k != "access_token"}
        shown["bearer"] = request.headers.get("Authorization", "").partition(" ")[0]
        shown["in_url"] = "access_token" in request.args
        return Answer(200, shown | {"length": len(request.data)})


@pytest.fixture
def graph() -> Iterator[tuple[Graph, Loopback]]:
    platform = Echo()
    with serving(platform) as loopback:
        yield platform, loopback


def client_at(url: str, token: str = TOKEN, **options: str) -> GraphClient:
    account = Account("fb", "contoh", lambda name: token, url, dict(options))
    return GraphClient(account, lambda: NOW, token, read_timeout=patience(url))


def test_the_sdk_is_used_at_the_configured_version(graph: tuple[Graph, Loopback]) -> None:
    client = client_at(graph[1].url)
    assert client.read("12", fields="id")["path"] == "v26.0/12"
    assert client.edge("12", "comments", limit=5)["values"] == {"limit": "5"}
    put = client.put("12", "feed", publishing=True, message="a", attached_media=[{"media_fbid": "7"}])
    assert put["values"] == {"message": "a", "attached_media": '[{"media_fbid": "7"}]'}
    assert put["in_url"] is False
    assert (
        client.photo("12", ("a.jpg", b"x", "image/jpeg"), publishing=False, published=False)["in_url"]
        is False
    )
    assert client.remove("12")["method"] == "DELETE"
    assert client_at(graph[1].url, graph_version="24.0").read("12")["path"] == "v24.0/12"


def test_other_hosts_are_called_with_the_token_where_they_want_it(graph: tuple[Graph, Loopback]) -> None:
    client = client_at(graph[1].url)
    assert client.get(THREADS, "/v1.0/me", {"fields": "id"})["bearer"] == "Bearer"
    plain = client.get(INSTAGRAM, "/v26.0/me", bearer=False)
    assert (plain["bearer"], plain["in_url"]) == ("", True)
    assert client.post(THREADS, "v1.0/me/threads", {"a": ["x"]}, publishing=True)["values"] == {"a": '["x"]'}
    assert client.delete(THREADS, "/v1.0/5")["method"] == "DELETE"
    up = client.upload("/ig-api-upload/v26.0/9", b"12345", {"offset": "0", "file_size": "5"})
    assert (up["bearer"], up["length"]) == ("OAuth", 5)


def test_each_call_of_a_batch_has_its_own_answer(graph: tuple[Graph, Loopback]) -> None:
    platform, loopback = graph
    platform.odd.append(Oddity("GET", "/busy", refusal(400, 32)))
    answers = client_at(loopback.url).batch(
        [("12", {"fields": "a,b"}), ("gone", {}), ("busy", {}), ("13/insights", {"metric": "m"})]
    )
    first, second, third, last = answers
    assert isinstance(first, dict)
    assert isinstance(last, dict)
    assert (first["values"], last["path"]) == ({"fields": "a,b"}, "v26.0/13/insights")
    assert isinstance(second, Transient)
    assert is_missing(second)
    assert isinstance(third, RateLimited)
    assert len(loopback.calls) == 1


def test_a_batch_that_is_no_list_says_nothing(graph: tuple[Graph, Loopback]) -> None:
    platform, loopback = graph
    bodies: tuple[object, ...] = ({}, [], [None], [{"code": 200, "body": "{"}])
    for body in bodies:
        platform.odd.append(Oddity("POST", "/v26.0/", Answer(200, body)))
    client = client_at(loopback.url)
    for _ in range(2):
        with pytest.raises(Transient):
            client.batch([("12", {})])
    for _ in range(2):
        assert [type(one) for one in client.batch([("12", {})])] == [Transient]


CALLS: dict[str, Callable[[GraphClient, bool], object]] = {
    "sdk": lambda client, publishing: client.put("12", "feed", publishing=publishing, message="a"),
    "own": lambda client, publishing: client.post(
        INSTAGRAM, "/v26.0/12/feed", {"a": "b"}, publishing=publishing
    ),
}


FAULTS: tuple[tuple[How, When], ...] = (
    ("reset", "before"),
    ("reset", "after"),
    ("timeout", "after"),
    ("truncated", "after"),
    ("html", "before"),
    ("html", "after"),
    ("500", "after"),
)


@pytest.mark.parametrize("way", CALLS)
@pytest.mark.parametrize(("how", "when"), FAULTS)
def test_a_broken_answer_is_ambiguous_only_where_something_may_be_public(
    graph: tuple[Graph, Loopback], way: str, how: How, when: When
) -> None:
    for publishing, expected in ((True, Ambiguous), (False, Transient)):
        graph[1].faults.append(Fault("POST", "/feed", how, when))
        with pytest.raises(expected) as raised:
            CALLS[way](client_at(graph[1].url), publishing)
        assert len(raised.value.reason.split()) > 3


@pytest.mark.parametrize("way", CALLS)
@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"{", {"Content-Type": "application/json"}),
        Answer(200, b"null", {"Content-Type": "application/json"}),
        Answer(200, b"[]", {"Content-Type": "application/json"}),
        Answer(200, b"ok", {"Content-Type": "text/plain"}),
        Answer(403, b"<html>", {"Content-Type": "text/html"}),
        Answer(404, {"strange": 1}),
    ],
    ids=lambda answer: f"{answer.status}-{answer.body!r}"[:24],
)
def test_what_is_no_graph_answer_is_never_success(
    graph: tuple[Graph, Loopback], way: str, answer: Answer
) -> None:
    graph[0].odd += [Oddity("POST", "/feed", answer), Oddity("POST", "/feed", answer)]
    with pytest.raises(Ambiguous):
        CALLS[way](client_at(graph[1].url), True)
    with pytest.raises(Transient):
        CALLS[way](client_at(graph[1].url), False)


@pytest.mark.parametrize("way", CALLS)
def test_refusals_are_understood_whichever_way_they_come(graph: tuple[Graph, Loopback], way: str) -> None:
    platform, loopback = graph
    platform.usage = BUSY
    client = client_at(loopback.url)
    for code, expected in ((190, AuthExpired), (506, Duplicate), (100, Rejected), (32, RateLimited)):
        for status in (400, 200):  # Graph has also answered 200 with an error in it
            platform.odd.append(Oddity("POST", "/feed", refusal(status, code)))
            with pytest.raises(expected) as raised:
                CALLS[way](client, True)
    assert isinstance(raised.value, RateLimited)
    assert raised.value.until == NOW + timedelta(minutes=17)
    platform.odd.append(Oddity("POST", "/feed", Answer(429, b"slow", {"Content-Type": "text/plain"})))
    with pytest.raises(RateLimited):
        CALLS[way](client, True)


def test_no_text_holds_the_token(graph: tuple[Graph, Loopback], caplog: pytest.LogCaptureFixture) -> None:
    """Tokens stand in addresses, in error texts of the platform and in half answers; none comes out."""
    platform, loopback = graph
    caplog.set_level(logging.DEBUG)
    client = client_at(loopback.url)
    page = b'{"data":[],"paging":{"next":"https://graph.facebook.com/x?access_token=' + TOKEN.encode()
    for answer in (
        refusal(400, 190, None, f"Malformed access token {TOKEN}"),
        Answer(200, page, {"Content-Type": "application/json"}),
    ):
        platform.odd.append(Oddity("GET", "/12", answer))
        _assert_clean(lambda: client.read("12"))
    for how, when in FAULTS:
        loopback.faults.append(Fault("GET", "/12", how, when))
        _assert_clean(lambda: client_at(loopback.url).read("12"))
    _assert_clean(lambda: client_at("http://127.0.0.1:9").remove("12"))
    assert TOKEN not in caplog.text
    assert "rahasia" not in caplog.text


def _assert_clean(call: Callable[[], object]) -> None:
    with pytest.raises(AdapterError) as raised:
        call()
    error: BaseException | None = raised.value
    texts = "".join(traceback.format_exception(raised.value)) + str(vars(raised.value))
    while error is not None:
        texts += repr(error) + str(vars(error))
        error = error.__cause__ or error.__context__
    assert "rahasia" not in texts


def test_an_answer_of_another_session_is_classified_too() -> None:
    answer = requests.Response()
    answer.status_code, answer._content = 400, json.dumps(refusal(400, 190).body).encode()
    assert type(graph_error(answer, publishing=True, now=NOW)) is AuthExpired
    answer._content = b"<html>"
    assert type(graph_error(answer, publishing=True, now=NOW)) is Ambiguous
    kept = Rejected("as it was")
    assert graph_error(kept, publishing=True, now=NOW) is kept

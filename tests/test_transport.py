"""The one HTTP session, against small servers on loopback that misbehave in the ways that networks do."""

from __future__ import annotations

import logging
import socket
import ssl
import struct
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import requests

from adapters.contract_tools import closed_port
from adapters.errors import Ambiguous, Misconfigured, Transient
from adapters.transport import LONGEST_UPLOAD, Transport, adapter_error, strip_secrets, user_agent

SECRET = "EAAB+s3cr3t/t0ken=="
Behaviour = Callable[[socket.socket, bytes], None]


@contextmanager
def server(*behaviours: Behaviour, reads: bool = True) -> Iterator[tuple[str, list[bytes]]]:
    """Accept one connection per behaviour; yield the address and the request heads that came."""
    heads: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    listener.settimeout(5)

    def run() -> None:
        with listener:
            for behave in behaviours:
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(5)
                    head = _head(connection) if reads else b""
                    heads.append(head)
                    behave(connection, head)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{address[1]}", heads
    finally:
        for _ in behaviours:  # whoever still waits in accept() is let go
            with socket.socket() as waker:
                waker.connect_ex(address)
        thread.join()


def _head(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            break
        data += more
    return data


def answers(status: str = "200 OK", body: bytes = b"{}", *headers: str) -> Behaviour:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return lambda connection, _head: connection.sendall("\r\n".join(lines).encode() + body)


def hangs_up(_connection: socket.socket, _head: bytes) -> None:
    """Take the request and close: the client sees RemoteDisconnected."""


def resets(connection: socket.socket, _head: bytes) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def truncates(connection: socket.socket, _head: bytes) -> None:
    connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n{")


def babbles(connection: socket.socket, _head: bytes) -> None:
    connection.sendall(b"this is no HTTP\r\n\r\n")


def keeps_silent(connection: socket.socket, _head: bytes) -> None:
    while connection.recv(65536):  # ends when the client gives up
        pass


def failure(transport: Transport, method: str, url: str, **options: object) -> requests.RequestException:
    with pytest.raises(requests.RequestException) as raised:
        transport.request(method, url, **options)
    return raised.value


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (hangs_up, "broken"),
        (resets, "broken"),
        (truncates, "broken"),
        (babbles, "broken"),
        (keeps_silent, "timeout"),
    ],
)
def test_whatever_breaks_after_sending_is_ambiguous_for_a_post_and_transient_for_a_get(
    behaviour: Behaviour, kind: str
) -> None:
    with server(behaviour, behaviour) as (url, heads):
        transport = Transport(read_timeout=0.2 if behaviour is keeps_silent else 20)
        posted, read = failure(transport, "POST", url, json={"a": 1}), failure(transport, "GET", url)
    assert len(heads) == 2, "sent again"
    assert isinstance(adapter_error(posted), Ambiguous)
    assert isinstance(adapter_error(read), Transient)
    assert isinstance(adapter_error(posted, repeatable=True), Transient)
    assert adapter_error(posted).code == adapter_error(read).code == kind


def test_a_refused_connection_is_transient_for_any_method() -> None:
    error = adapter_error(failure(Transport(), "POST", closed_port(), data=b"x"))
    assert (type(error), error.code) == (Transient, "refused")


def test_a_name_that_does_not_resolve_is_transient() -> None:
    error = adapter_error(failure(Transport(), "POST", "https://tidak-ada.invalid/feed", data=b"x"))
    assert (type(error), error.code) == (Transient, "name")


def test_a_connect_time_out_is_transient() -> None:
    """A listener whose queue is full answers no call to connect."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for sock in (first, second):
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        error = adapter_error(failure(Transport(connect_timeout=0.1), "POST", url, data=b"x"))
    assert (type(error), error.code) == (Transient, "connect-timeout")


def test_a_server_without_tls_is_transient_because_nothing_was_sent() -> None:
    with server(babbles, reads=False) as (url, _heads):
        error = adapter_error(failure(Transport(), "POST", url.replace("http:", "https:"), data=b"x"))
    assert (type(error), error.code) == (Transient, "tls")


def test_a_request_that_cannot_be_built_was_not_sent_and_shows_no_header() -> None:
    error = failure(Transport(secrets=[SECRET]), "POST", "http://127.0.0.1:9/", headers={"X": f"{SECRET}\n"})
    assert isinstance(adapter_error(error), Transient)
    assert SECRET not in str(error)


def test_a_proxy_that_cannot_be_reached_is_transient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", closed_port())
    error = adapter_error(failure(Transport(), "POST", "https://graph.facebook.com/feed", data=b"x"))
    assert (type(error), error.code) == (Transient, "proxy")


@pytest.mark.parametrize("answer", [answers("403 Forbidden"), hangs_up])
def test_a_proxy_that_refuses_the_tunnel_heard_nothing_of_the_request(
    answer: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server(answer) as (proxy, heads):
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        error = failure(Transport(), "POST", "https://graph.facebook.com/feed?access_token=x", data=b"x")
    assert heads[0].startswith(b"CONNECT graph.facebook.com:443")
    assert isinstance(adapter_error(error), Transient)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (requests.ConnectTimeout("x"), Transient),
        (requests.ConnectionError("x"), Ambiguous),
        (requests.ReadTimeout("x"), Ambiguous),
        (requests.exceptions.SSLError(ssl.SSLCertVerificationError("x")), Transient),
        (requests.exceptions.SSLError(ssl.SSLEOFError("x")), Ambiguous),
        (requests.exceptions.InvalidURL("x"), Transient),
        (RuntimeError("x"), Ambiguous),
    ],
)
def test_an_error_of_another_session_is_judged_by_its_class_and_doubt_is_ambiguous(
    error: Exception, expected: type[Exception]
) -> None:
    assert type(adapter_error(error)) is expected


def test_no_secret_is_in_any_text_of_an_error() -> None:
    """requests puts the whole URL, with the token in its query, into the text of a ConnectionError."""
    transport = Transport(secrets=[SECRET, "", "abc"])
    query = {"access_token": SECRET, "pass": SECRET}
    for url, method in ((closed_port(), "GET"), ("http://[", "POST"), (f"nonsense://{SECRET}", "GET")):
        error = failure(transport, method, url, params=query, headers={"Authorization": f"Bearer {SECRET}"})
        texts = "".join(traceback.format_exception(error)) + repr(error) + str(vars(error)) + repr(transport)
        assert SECRET not in texts
        assert "EAAB%2Bs3cr3t" not in texts
        assert (error.request, error.__cause__, error.__context__) == (None, None, None)
        shown = "".join(traceback.format_exception(adapter_error(error)))
        assert "s3cr3t" not in shown


def test_an_unknown_token_is_hidden_too_and_raise_for_status_leaks_nothing() -> None:
    with server(answers("400 Bad Request")) as (url, heads):
        answer = Transport().get(f"{url}/me?access_token=EAABunknown&fields=id")
    assert b"access_token=EAABunknown" in heads[0]
    with pytest.raises(requests.HTTPError) as raised:
        answer.raise_for_status()
    assert "EAABunknown" not in str(raised.value)
    assert "fields=id" in str(raised.value)


def test_debug_logs_of_the_http_library_hold_no_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")  # the command line turns it down
    with server(answers()) as (url, _heads):
        Transport(secrets=["botSECRETpath"]).get(f"{url}/botSECRETpath/x?access_token=EAABunknown")
    assert "/x?access_token=" in caplog.text
    assert "botSECRETpath" not in caplog.text
    assert "EAABunknown" not in caplog.text


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("url: /v24.0/me?access_token=EAAB1&x=1", "EAAB1"),
        ("redirect=https%3A%2F%2Fx%3Faccess_token%3DEAAB2", "EAAB2"),
        ("{'Authorization': 'Bearer AAAA3'}", "AAAA3"),
        ("Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ('OAuth oauth_consumer_key="k4", oauth_signature="s4"', "s4"),
        ('{"refresh_token": "r5", "expires_in": 3600}', "r5"),
        ("appsecret_proof=p6", "p6"),
        ("http://user:w0rd7@proxy.example.go.id:3128/", "w0rd7"),
        ("sent Bearer AAAAAAAAAAAAAAAAAAAA8 along", "AAAAAAAAAAAAAAAAAAAA8"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, hidden: str) -> None:
    assert hidden not in strip_secrets(text)


@pytest.mark.parametrize(
    "text",
    [
        "Error validating access token: Session has expired on Monday.",
        "The token is not valid for Basic display.",
        "GET /2/tweets/12345?max_results=10&code=190",
    ],
)
def test_a_platforms_explanation_stays_readable(text: str) -> None:
    assert strip_secrets(text) == text


def test_a_longer_secret_is_hidden_whole_even_if_it_contains_another() -> None:
    assert strip_secrets("abcd-efgh", ["abcd", "abcd-efgh"]) == "[secret]"


def test_one_base_stands_in_for_every_host_and_keeps_path_and_query() -> None:
    with server(answers(), answers()) as (url, heads):
        transport = Transport(f"{url}/graph/")
        transport.get("https://graph.facebook.com/v24.0/me?fields=id")
        transport.get(f"{url}/already/there")
    assert heads[0].startswith(b"GET /graph/v24.0/me?fields=id HTTP/1.1\r\n")
    assert heads[1].startswith(b"GET /already/there HTTP/1.1\r\n")
    assert f"Host: {url.removeprefix('http://')}".encode() in heads[0]


def test_a_mapping_sends_each_host_to_its_own_place_and_leaves_others_alone() -> None:
    transport = Transport(
        {"api.x.com": "http://127.0.0.1:1/x", "upload.x.com": "https://gw.example.go.id:8443"}
    )
    assert transport.rewritten("https://API.x.com/2/tweets?a=b") == "http://127.0.0.1:1/x/2/tweets?a=b"
    assert transport.rewritten("https://upload.x.com/m") == "https://gw.example.go.id:8443/m"
    assert transport.rewritten("https://example.com/m?x") == "https://example.com/m?x"


def test_a_stand_in_on_loopback_is_not_asked_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_PROXY names the host that is called, not the one that the SDK wrote down."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, closed_port())
        monkeypatch.setenv(name.lower(), closed_port())
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with server(answers()) as (url, _heads):
        assert Transport(url).get("https://graph.facebook.com/me").status_code == 200


@pytest.mark.parametrize(
    "base",
    [
        "http://graph.example.go.id",
        "ftp://127.0.0.1",
        "127.0.0.1:8010",
        "https://u:p4ss@host",
        "https://h:x",
        "https://h?q",
    ],
)
def test_a_bad_base_is_refused_in_words(base: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        Transport(base)
    assert "api_base" in str(raised.value)
    assert "p4ss" not in str(raised.value)


@pytest.mark.parametrize(
    "base", ["http://localhost:1", "http://127.0.0.9:1", "http://[::1]:1", "https://gw.go.id/x"]
)
def test_a_good_base_is_taken(base: str) -> None:
    assert base in repr(Transport(base))


def test_the_last_status_and_headers_are_kept_and_forgotten_when_there_is_no_answer() -> None:
    with server(answers("429 Too Many", b"{}", "x-rate-limit-reset: 1790000000"), hangs_up) as (url, _heads):
        transport = Transport()
        assert transport.last_status is None
        transport.post(url)
        assert vars(transport)["last_status"] == 429
        assert transport.last_headers["X-Rate-Limit-Reset"] == "1790000000"
        failure(transport, "POST", url)
    assert dict(transport.last_headers) == {}
    assert transport.last_status is None


def test_a_redirected_read_is_followed_and_its_last_answer_kept() -> None:
    with (
        server(answers("200 OK", b"here")) as (there, _),
        server(answers("302 Found", b"", f"Location: {there}/x")) as (url, _),
    ):
        transport = Transport()
        assert transport.get(url).text == "here"
        assert transport.last_status == 200


@pytest.mark.parametrize("status", ["302 Found", "303 See Other", "307 Temporary Redirect"])
def test_a_redirected_post_goes_to_no_other_host(status: str) -> None:
    with (
        server(answers()) as (there, elsewhere),
        server(answers(status, b"", f"Location: {there}/x")) as (url, _),
    ):
        transport = Transport()
        assert transport.post(url, data=b"secret post").status_code == int(status[:3])
    assert elsewhere in ([], [b""])


def test_a_redirected_post_is_not_turned_into_a_read_on_the_same_host_either() -> None:
    with server(answers("303 See Other", b"", "Location: /done")) as (url, heads):
        assert Transport().post(f"{url}/feed", data=b"x").status_code == 303
    assert len(heads) == 1


def test_requests_say_who_sends_them_and_netrc_replaces_no_authorization(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with server(answers()) as (url, heads):
        Transport().get(url, headers={"Authorization": "Bearer mine"})
    assert f"User-Agent: {user_agent()}".encode() in heads[0]
    assert user_agent().startswith("gaung/")
    assert b"Authorization: Bearer mine" in heads[0]


def test_time_outs_grow_with_the_upload_and_yield_to_the_caller() -> None:
    transport = Transport()

    def times(size: int, asked: object = None) -> tuple[float, float]:
        request = requests.Request("POST", "http://127.0.0.1/", headers={"Content-Length": str(size)})
        return transport._time(request.prepare(), asked)

    assert times(0) == (10, 60)
    assert times(3_200 * 1024) == (10, 160)
    assert times(10**12) == (10, 60 + LONGEST_UPLOAD)
    assert times(0, 5) == (5, 5)
    assert times(0, (1, None)) == (1, 60)


def test_an_upload_over_a_slow_line_is_not_cut_off_by_the_connect_time_out() -> None:
    """urllib3 leaves the connect time-out on the socket while it sends the whole body."""
    size = 24 * 1024 * 1024

    def reads_late(connection: socket.socket, head: bytes) -> None:
        time.sleep(0.15)  # the network's slowness is the subject here
        missing = size - len(head.split(b"\r\n\r\n", 1)[1])
        while missing > 0 and (got := len(connection.recv(1 << 20))):
            missing -= got
        answers()(connection, head)

    with server(reads_late) as (url, _heads):
        assert Transport(connect_timeout=0.05, read_timeout=20).post(url, data=bytes(size)).status_code == 200

"""The one HTTP session that every platform SDK is given: time-outs, other hosts, no leaked secrets.

It knows whether the first byte of a request was handed to the network, which is what separates "send
it again" from "look first". It knows no platform, no status code's meaning, and never retries.
"""

from __future__ import annotations

import http.client
import ipaddress
import ssl
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

from urllib3 import exceptions as wire_errors

from adapters.contract import N_
from adapters.errors import AdapterError, Ambiguous, Misconfigured, Transient
from adapters.hearing import hear
from adapters.plain_requests import requests
from adapters.secrecy import HIDDEN, guard_logs, strip_secrets
from adapters.wire import NotingAdapter, wire

#: Seconds. An upload gets one more second for each ``SLOWEST_UPLOAD`` bytes, up to ``LONGEST_UPLOAD``.
CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 60.0
SLOWEST_UPLOAD = 32 * 1024
LONGEST_UPLOAD = 1800.0
#: The methods that change nothing.
READING = frozenset({"GET", "HEAD", "OPTIONS"})


_held: ContextVar[Callable[[], bool]] = ContextVar("held")


@contextmanager
def fenced(held: Callable[[], bool]) -> Iterator[None]:
    """In this block, a request that writes is sent only while ``held()`` is true; it is asked each time.

    For an attempt that may have been given up meanwhile and made again elsewhere, since this machine
    slept or lost its database. Such a request fails as one of which nothing was sent.
    """
    token = _held.set(held)
    try:
        yield
    finally:
        _held.reset(token)


def may_write() -> bool:
    """Whether a request that writes may leave now; for adapters that send without :class:`Transport`."""
    return _held.get(lambda: True)()


class Transport(requests.Session):
    """A ``requests.Session`` to hand to any SDK; used by one thread at a time.

    ``api_base`` sends requests elsewhere: one base for every host, or a mapping of host name to base
    ("graph.facebook.com" -> "http://127.0.0.1:9000/graph"). ``secrets`` are kept out of every text.
    ``last_status`` and ``last_headers`` are those of the last answer, None and empty if there was none;
    ``heard`` is told every answer, whatever an SDK makes of it: rate limits are in the headers.

    Raises :class:`Misconfigured` for a base that is no http(s) address, or plain http beyond loopback.
    Requests raise only ``requests.RequestException``, rebuilt without request, URL and cause, because
    all of these may carry a token; what is worth knowing of them is read by :func:`adapter_error`.
    """

    def __init__(
        self,
        api_base: str | Mapping[str, str] = "",
        *,
        secrets: Collection[str] = (),
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
        heard: Callable[[requests.Response], object] = lambda _response: None,
    ) -> None:
        super().__init__()
        self._heard = heard
        bases = {"*": api_base} if isinstance(api_base, str) else dict(api_base)
        self._bases = {host.lower(): _base(base) for host, base in bases.items() if base}
        self._secrets = frozenset(secret for secret in secrets if secret)
        self._timeouts = (connect_timeout, read_timeout)
        self._busy = False
        self.last_status: int | None = None
        self.last_headers: Mapping[str, str] = {}
        self.headers["User-Agent"] = user_agent()
        # Without this, a netrc file of the machine silently replaces an SDK's Authorization header.
        self.auth = _keep_headers
        adapter = NotingAdapter(max_retries=0)
        self.mount("https://", adapter)
        self.mount("http://", adapter)
        guard_logs(self._secrets)

    def __repr__(self) -> str:
        places = ", ".join(f"{host} -> {urlunsplit(base)}" for host, base in self._bases.items())
        return f"<Transport {user_agent()} {places or 'as addressed'}>"

    def strip(self, text: str) -> str:
        """Return ``text`` (of a platform's answer, say) without this account's secrets."""
        return strip_secrets(text, self._secrets)

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        try:  # preparing can fail too, with a header's value or the URL in the text
            return super().request(method, url, *args, **kwargs)
        except (OSError, ValueError, http.client.HTTPException, wire_errors.HTTPError) as error:
            clean = self._clean(error, method if isinstance(method, str) else method.decode())
        raise clean  # outside of the handler, so that the original is not its context

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        if self._busy:  # a further hop of a redirect: what was sent stays sent
            return self._hop(request, **kwargs)
        if request.method not in READING and not may_write():
            raise _unsent(request.method or "")
        self._busy, wire.sent, wire.blind = True, False, False
        self.last_status, self.last_headers = None, {}
        try:
            return self._hop(request, **kwargs)
        except (OSError, ValueError, http.client.HTTPException, wire_errors.HTTPError) as error:
            clean = self._clean(error, request.method or "")
        finally:
            self._busy, wire.send_timeout = False, None
        raise clean

    def _hop(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        request.url = self.rewritten(request.url or "")
        kwargs["timeout"] = timeouts = self._time(request, kwargs.get("timeout"))
        wire.send_timeout = timeouts[1]
        response = super().send(request, **kwargs)
        if not response.history:  # after redirects, the last hop has already written these
            self.last_status, self.last_headers = response.status_code, response.headers
            self._heard(response)
            if not kwargs.get("stream"):  # that is read piece by piece, elsewhere
                hear(response, self.strip)
        response.url = self.strip(response.url)  # raise_for_status() prints it
        return response

    def rewritten(self, url: str) -> str:
        """Return where a request for ``url`` really goes."""
        parts = urlsplit(url)
        base = self._bases.get((parts.hostname or "").lower()) or self._bases.get("*")
        if base is None or (parts.scheme, parts.netloc) == (base.scheme, base.netloc):
            return url
        path = base.path.rstrip("/") + (parts.path or "/")
        return urlunsplit((base.scheme, base.netloc, path, parts.query, ""))

    def merge_environment_settings(self, url: Any, *args: Any, **kwargs: Any) -> Any:
        # NO_PROXY must be judged by the host that is really called.
        return super().merge_environment_settings(self.rewritten(str(url)), *args, **kwargs)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Follow no redirect of a writing call: requests would make a GET of it, and the answer to that
        would pass for the answer to the publishing."""
        reads = resp.request.method in READING
        target: str | None = super().get_redirect_target(resp) if reads else None
        return target

    def _time(self, request: requests.PreparedRequest, asked: Any) -> tuple[float, float]:
        if isinstance(asked, (int, float)):
            return float(asked), float(asked)
        connect, read = asked if isinstance(asked, tuple) else (None, None)
        size = int(request.headers.get("Content-Length") or 0)
        patience = self._timeouts[1] + min(size / SLOWEST_UPLOAD, LONGEST_UPLOAD)
        return connect or self._timeouts[0], read or patience

    def _clean(self, error: Exception, method: str) -> requests.RequestException:
        if "kind" in vars(error) and isinstance(error, requests.RequestException):
            return error  # from a nested call
        cls = type(error) if isinstance(error, requests.RequestException) else requests.RequestException
        clean = cls(self.strip(str(error) or type(error).__name__))
        sent = self._busy and (wire.sent or (None if wire.blind else False))
        vars(clean).update(kind=_kind(error), sent=sent, method=method.upper())
        return clean


def adapter_error(error: Exception, *, repeatable: bool | None = None) -> AdapterError:
    """Given what a request raised, return what it means: Transient or Ambiguous.

    ``repeatable`` says that making the call again can publish nothing (reading, uploading a medium that
    no post uses yet, deleting); by default the reading methods are. Such a call is Transient whatever
    happened. Any other is Transient only if no byte of it can have been sent. ``code`` names the failure.
    """
    if isinstance(error, AdapterError):
        return error
    facts = vars(error)
    kind: str = facts.get("kind") or _kind(error)
    sent: bool | None = facts.get("sent")
    if sent is None:
        sent = kind not in _BEFORE_SENDING
    if repeatable is None:
        repeatable = facts.get("method") in READING
    if not sent:
        return Transient(_NOT_SENT.get(kind, N_("The request could not be sent.")), code=kind)
    if repeatable and kind == "timeout":
        return Transient(N_("The platform did not answer in time."), code=kind)
    if repeatable:
        return Transient(N_("The connection broke before the platform's answer was complete."), code=kind)
    if kind == "timeout":
        return Ambiguous(
            N_("The platform did not answer in time; nobody knows yet whether it accepted the post."),
            code=kind,
        )
    return Ambiguous(
        N_("The connection broke after sending; nobody knows yet whether the platform accepted the post."),
        code=kind,
    )


def _unsent(method: str) -> requests.RequestException:
    error = requests.RequestException("the claim on this post has run out")
    vars(error).update(kind="not-held", sent=False, method=method.upper())
    return error


_NOT_SENT = {
    "not-held": N_("The claim on this post could not be renewed in time; nothing more was sent."),
    "proxy": N_("The proxy of this network did not let the connection through; nothing was sent."),
    "name": N_("The platform's address was not found; nothing was sent. Check the internet connection."),
    "tls": N_(
        "No secure connection could be made; nothing was sent. Check this computer's clock and network."
    ),
    "refused": N_("The platform cannot be reached; nothing was sent. Check the internet connection."),
    "connect-timeout": N_("The platform did not answer the call to connect in time; nothing was sent."),
}
_KINDS: tuple[tuple[str, tuple[type[BaseException], ...]], ...] = (
    ("proxy", (wire_errors.ProxyError, requests.exceptions.ProxyError)),
    ("name", (wire_errors.NameResolutionError,)),
    ("certificate", (ssl.SSLCertVerificationError, ssl.CertificateError)),
    ("tls", (ssl.SSLError, wire_errors.SSLError, requests.exceptions.SSLError)),
    ("refused", (wire_errors.NewConnectionError,)),
    ("connect-timeout", (wire_errors.ConnectTimeoutError, requests.ConnectTimeout)),
    ("timeout", (wire_errors.TimeoutError, requests.Timeout, TimeoutError)),
    (
        "broken",
        (wire_errors.ProtocolError, ConnectionError, http.client.HTTPException, requests.ConnectionError),
    ),
    ("unsendable", (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)),
    ("unsendable", (requests.exceptions.MissingSchema, requests.exceptions.InvalidHeader)),
)
#: Used where nobody noted what was sent (another session, SOCKS). A TLS error can also come later.
_BEFORE_SENDING = {"proxy", "name", "certificate", "refused", "connect-timeout", "unsendable"}
_NOT_SENT["certificate"] = _NOT_SENT["tls"]


def _kind(error: BaseException) -> str:
    found = list(_chain(error))
    return next((kind for kind, classes in _KINDS if any(isinstance(e, classes) for e in found)), "unknown")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Everything that ``error`` wraps: requests puts urllib3's error into args, urllib3 into ``reason``."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]


def _base(base: str) -> SplitResult:
    parts = urlsplit(base)
    try:
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:  # a port that is no number
        usable = False
    if not usable or "@" in parts.netloc or parts.query or parts.fragment:
        raise Misconfigured(
            N_("{base} is no usable address for api_base. Write it like https://host:port/path."),
            base=strip_secrets(base),
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise Misconfigured(
            N_(
                "api_base {base} would send secrets over the network unencrypted. Write https:// instead of http://."
            ),
            base=base,
        )
    return parts


def is_loopback(host: str) -> bool:
    """True if ``host`` names this computer itself."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


@cache
def user_agent() -> str:
    """The name and version under which Gaung speaks to platforms."""
    try:
        return f"gaung/{version('gaung')}"
    except PackageNotFoundError:  # run from a source tree
        return "gaung/0"


__all__ = ["HIDDEN", "Transport", "adapter_error", "is_loopback", "strip_secrets", "user_agent"]

"""No secret in anything that a person, a log or the database gets to see, whatever a platform answers.

Each platform's own server is broken at each of its calls, in each way, in each operation; it also answers
with refusals that hold the very secret that it was given, in every form in which secrets are written.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import re
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from servers import bluesky_platform, mastodon_platform, telegram_platform, x_platform
from servers.graph_core import APP_TOKEN
from servers.graph_core import TOKEN as PAGE_TOKEN
from servers.graph_platform import PAGE, PagePlatform, refusal
from servers.instagram_platform import TOKEN as INSTAGRAM_TOKEN
from servers.instagram_platform import USER, Instagram
from servers.loopback import Answer, Fault, Loopback, serving
from servers.public_folder import PublicFolder, public_folder
from servers.threads_platform import TOKEN as THREADS_TOKEN
from servers.threads_platform import Threads
from werkzeug.wrappers import Request

from adapters.bluesky import server as bluesky_server
from adapters.bluesky.adapter import BlueskyAdapter
from adapters.contract import Account, Adapter, Credentials, Media, Part, Post
from adapters.contract_tools import MemoryProgress, closed_port, picture
from adapters.errors import AdapterError
from adapters.facebook.adapter import FacebookPageAdapter
from adapters.hearing import listening
from adapters.instagram.adapter import InstagramAdapter
from adapters.mastodon.adapter import MastodonAdapter
from adapters.media_store import MediaStore
from adapters.secrecy import strip_secrets
from adapters.telegram.adapter import TelegramAdapter
from adapters.threads.adapter import ThreadsAdapter
from adapters.transport import Transport
from adapters.x.adapter import XAdapter

# facebook-sdk 3.1.0 has "\d" in a plain string: a warning wherever no .pyc of it is kept.
pytestmark = pytest.mark.filterwarnings("ignore:.*invalid escape sequence")

Platform = Callable[[Request], Answer]
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
#: Seconds.
PATIENCE = 0.02


def now() -> datetime:
    return datetime.now(UTC)


def forms(secret: str) -> list[str]:
    """A secret as it is, as addresses hold it, and in base64: alone, and after two names and a colon."""
    plain = [secret, quote(secret, safe=""), quote_plus(secret)]
    return plain + [base64.b64encode((name + secret).encode()).decode() for name in ("", "u:", "id:")]


def traces(secret: str) -> set[str]:
    """What betrays a secret in a text: its forms, those in base64 without what stands before and after."""
    found = set(forms(secret)[:3])
    for shift in range(3):
        start, end = (0, 2, 3)[shift], -4
        found.add(base64.b64encode(b"\0" * shift + secret.encode()).decode()[start:end])
    return found


# The platforms


@dataclass(frozen=True)
class Side:
    """One platform, or one way to log in to it. ``refuse`` makes one of its refusals around given words."""

    platform: Callable[[], Platform]
    make: Callable[..., Adapter]
    secrets: Mapping[str, str]
    refuse: Mapping[str, Callable[[str], Answer]]
    handle: str = "diskominfo"
    options: Mapping[str, Any] = field(default_factory=dict)
    threads: bool = False
    comments: bool = False
    issued: tuple[str, ...] = ()
    """Secrets that the platform gives out during a session."""
    stores: bool = False
    pictures: int = 1
    parts: tuple[str, ...] = ()
    """Parts of a secret that are secret themselves."""

    @property
    def hidden(self) -> list[str]:
        return [*self.secrets.values(), *self.issued, *self.parts]


def graph(secret: str, *codes: tuple[int, int, int | None]) -> dict[str, Callable[[str], Answer]]:
    """Refusals of Meta: (status, code, subcode)."""
    return {
        f"{status}-{code}-{subcode}": lambda words, s=status, c=code, b=subcode: refusal(  # type: ignore[misc]
            s, c, b, words, error_user_msg=words, error_user_title=words, error_data={"token": secret}
        )
        for status, code, subcode in codes
    }


META = (
    (400, 1, None),
    (400, 2, None),
    (400, 4, None),
    (400, 10, None),
    (400, 100, None),
    (400, 100, 33),
    (400, 190, 463),
    (400, 368, None),
    (400, 506, None),
    (500, 2, None),
)
STATUSES = (400, 401, 402, 403, 404, 413, 422, 429, 500, 503)


def x_refusals() -> dict[str, Callable[[str], Answer]]:
    def plain(words: str, status: int) -> Answer:
        return x_platform.problem(status, words, title=words, errors=[{"message": words, "code": words}])

    def typed(words: str, kind: str) -> Answer:
        named = {"parameters": {words: [words]}, "message": words}
        return x_platform.problem(400, words, kind or f"{x_platform.PROBLEMS}/{words}", errors=[named])

    found: dict[str, Callable[[str], Answer]] = {str(s): partial(plain, status=s) for s in STATUSES}
    return found | {kind or "type": partial(typed, kind=kind) for kind in ("invalid-request", "")}


def telegram_refusals() -> dict[str, Callable[[str], Answer]]:
    def plain(words: str, status: int) -> Answer:
        return telegram_platform.refusal(status, words, {"retry_after": words})

    return {str(status): partial(plain, status=status) for status in STATUSES}


def mastodon_refusals() -> dict[str, Callable[[str], Answer]]:
    return {
        str(status): lambda words, s=status: mastodon_platform.error(s, words, Retry_After="kapan")  # type: ignore[misc]
        for status in STATUSES
    }


def bluesky_refusals() -> dict[str, Callable[[str], Answer]]:
    names = ("InvalidRequest", "AuthenticationRequired", "ExpiredToken", "AccountTakedown", "RecordNotFound")
    found: dict[str, Callable[[str], Answer]] = {
        name: lambda words, n=name: bluesky_platform.error(400, n, words)  # type: ignore[misc]
        for name in names
    }
    for status in (400, 401, 403, 429, 500):
        found[f"name-{status}"] = lambda words, s=status: bluesky_platform.error(s, words, words)  # type: ignore[misc]
    found["inactive"] = lambda words: bluesky_platform.ok({"active": False, "status": words})
    return found


GRAPH_SECRETS = {"page_token": PAGE_TOKEN, "app_secret": APP_TOKEN.partition("|")[2]}
SIDES: dict[str, Side] = {
    "x-oauth1": Side(
        x_platform.XPlatform,
        partial(XAdapter, now=now, sleep=lambda _: None),
        x_platform.KEYS,
        x_refusals(),
        threads=True,
        comments=True,
    ),
    "x-oauth2": Side(
        x_platform.XPlatform,
        partial(XAdapter, now=now, sleep=lambda _: None),
        {"access_token": x_platform.BEARER},
        x_refusals(),
        options={"auth": "oauth2"},
        threads=True,
    ),
    "facebook": Side(
        PagePlatform,
        partial(FacebookPageAdapter, now=now, wait=lambda _: None),
        GRAPH_SECRETS,
        graph(PAGE_TOKEN, *META),
        handle=PAGE,
        options={"app_id": "4455"},
        comments=True,
        pictures=2,
    ),
    "instagram": Side(
        Instagram,
        partial(InstagramAdapter, now=now, wait=lambda _: None),
        {"access_token": INSTAGRAM_TOKEN},
        graph(INSTAGRAM_TOKEN, *META),
        options={"user_id": USER},
        comments=True,
        stores=True,
        pictures=2,
    ),
    "instagram-login": Side(
        Instagram,
        partial(InstagramAdapter, now=now, wait=lambda _: None),
        {"access_token": INSTAGRAM_TOKEN},
        graph(INSTAGRAM_TOKEN, *META[:6]),
        options={"login": "instagram"},
        stores=True,
    ),
    "threads": Side(
        Threads,
        partial(ThreadsAdapter, now=now, wait=lambda _: None),
        {"access_token": THREADS_TOKEN},
        graph(THREADS_TOKEN, *META),
        comments=True,
        stores=True,
    ),
    "telegram": Side(
        telegram_platform.Telegram,
        partial(TelegramAdapter, now=now),
        {"bot_token": telegram_platform.TOKEN},
        telegram_refusals(),
        handle="@diskominfo_contoh",
        threads=True,
        parts=(telegram_platform.TOKEN.partition(":")[2],),
    ),
    "mastodon": Side(
        mastodon_platform.Mastodon,
        partial(MastodonAdapter, now=now, sleep=lambda _: None),
        {"access_token": mastodon_platform.TOKEN},
        mastodon_refusals(),
        threads=True,
    ),
    "bluesky": Side(
        bluesky_platform.Bluesky,
        partial(BlueskyAdapter, now=now),
        {"app_password": bluesky_platform.PASSWORD},
        bluesky_refusals(),
        handle=bluesky_platform.HANDLE,
        threads=True,
        issued=tuple(f"eyJ{kind}{n}abcdefgh" for kind in ("akses", "segar") for n in (1, 2)),
    ),
}


# What goes wrong


class Endless(list[Fault]):
    """Faults that come again and again."""

    def remove(self, fault: Fault) -> None:
        pass


@dataclass
class From(Fault):
    """Every call from a certain one on goes wrong."""

    skip: int = 0

    def hits(self, method: str, path: str) -> bool:
        self.skip -= 1
        return self.skip < 0


@dataclass
class Saboteur:
    """A platform that obeys ``skip`` more calls and then only answers ``instead``."""

    platform: Platform
    instead: Answer | None = None
    skip: int = 0

    def __call__(self, request: Request) -> Answer:
        if self.instead is not None:
            self.skip -= 1
            if self.skip < 0:
                return self.instead
        return self.platform(request)


BREAKS = [
    (how, when) for how in ("reset", "timeout", "truncated", "html", "500") for when in ("before", "after")
]
#: Answers of no platform in particular: other servers, gateways, redirects.
ANYWHERE: dict[str, Callable[[str], Answer]] = {
    "page": lambda words: Answer(200, f"<p>{words}</p>".encode(), {"Content-Type": "text/html"}),
    "gateway": lambda words: Answer(502, words.encode(), {"Content-Type": "text/html", "Via": quote(words)}),
    "pause": lambda words: Answer(429, words.encode(), {"Retry-After": quote(words)}),
    "object": lambda words: Answer(200, {words: words, "id": {}, "data": words, "error": words}),
    "list": lambda words: Answer(200, [words]),
    "error-text": lambda words: Answer(400, {"error": words, "message": words, "description": words}),
    "error-deep": lambda words: Answer(403, {"error": {words: words}, "errors": {words: [words]}}),
    "redirect": lambda words: Answer(
        302, b"", {"Location": f"https://example.go.id/?access_token={quote(words)}"}
    ),
    "redirect-nowhere": lambda words: Answer(301, b"", {"Location": f"https://[{quote(words)}"}),
    "redirect-odd": lambda words: Answer(307, b"", {"Location": f"ftp://user:{quote(words)}@example.go.id/"}),
    "no-json": lambda words: Answer(200, f'{{"token": "{words}"'.encode()),
    "odd-encoding": lambda words: Answer(200, words.encode(), {"Content-Encoding": "gzip"}),
}


# Watching


class Watch(logging.Handler):
    """Collects what every logger says at DEBUG."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(message)s %(args)s"))
        self.said = io.StringIO()

    def emit(self, record: logging.LogRecord) -> None:
        self.said.write(self.format(record) + f" {record.msg} {vars(record)}\n")


@contextmanager
def watching() -> Iterator[Watch]:
    """Every logger at DEBUG, those of the SDKs too, whatever level an adapter gives to their parents."""
    watch, root = Watch(), logging.getLogger()
    sdks = ("tweepy", "oauthlib", "requests_oauthlib", "requests", "urllib3", "facebook", "httpx")
    known = [name for name in root.manager.loggerDict if name.partition(".")[0] in sdks]
    named = [root, *(logging.getLogger(name) for name in {*known, *TALKERS})]
    levels = [(logger, logger.level) for logger in named]
    root.addHandler(watch)
    try:
        for logger in named:
            logger.setLevel(logging.DEBUG)
        yield watch
    finally:
        root.removeHandler(watch)
        for logger, level in levels:
            logger.setLevel(level)


TALKERS = (
    "tweepy.client",
    "tweepy.api",
    "urllib3.connectionpool",
    "requests_oauthlib.oauth1_auth",
    "oauthlib.oauth1.rfc5849",
    "oauthlib.oauth1.rfc5849.signature",
)


def texts_of(error: BaseException) -> Iterator[str]:
    """Everything that an exception and those behind it say, also where only a debugger looks."""
    yield "".join(traceback.format_exception(error))
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, BaseException):
            yield f"{one} {one!r} {one.args!r}"
            waiting += [*one.args, *vars(one).values(), one.__cause__, one.__context__]
        else:
            yield repr(one)
            if hasattr(one, "__dict__") and type(one).__module__.partition(".")[0] in ("requests", "urllib3"):
                yield repr(vars(one))  # an answer or a request that went along


# Operations


@dataclass
class Desk:
    """One platform running, one adapter on it, a post."""

    side: Side
    loopback: Loopback
    saboteur: Saboteur
    media: tuple[Media, ...]
    public_url: Callable[[Media], str] | None
    number: int = 0
    """Of the post: no two of one account have the same text."""

    def account(self, base: str = "") -> Account:
        return Account(
            "akun",
            self.side.handle,
            self.side.secrets.__getitem__,
            base or self.loopback.url,
            self.side.options,
            self.public_url,
        )

    def adapter(self, base: str = "", patience: float = 10) -> Adapter:
        return self.side.make(self.account(base), read_timeout=patience)

    def victim(self, fault: str | tuple[str, str]) -> Adapter:
        """An adapter for a call that goes wrong; only a silent platform is not waited for."""
        silent = isinstance(fault, tuple) and fault[0] == "timeout"
        return self.adapter(closed_port() if fault == "refused" else "", PATIENCE if silent else 10)

    @property
    def post(self) -> Post:
        text = f"Tolak suap {self.number}"
        thread = (Part(f"{text}: bagian dua"),) if self.side.threads else ()
        comment = f"{text}: sumber" if self.side.comments else ""
        return Post(
            text, text, "https://example.go.id/lapor", self.media, thread=thread, first_comment=comment
        )

    def heal(self) -> None:
        """All is well again, and the next post is another one."""
        self.loopback.faults, self.saboteur.instead = [], None
        self.number += 1

    def spoil(self, fault: str | tuple[str, str], number: int) -> None:
        """Let the call ``number`` and all after it go wrong in this way."""
        if isinstance(fault, tuple):
            how, when = fault
            self.loopback.faults = Endless([From("", "", how, when, skip=number)])  # type: ignore[arg-type]
        elif fault != "refused":
            answers, secrets = {**ANYWHERE, **self.side.refuse}, self.told()
            turn = number + list(answers).index(fault)  # each secret has its turn
            self.saboteur.instead = answers[fault](" ".join(forms(secrets[turn % len(secrets)])))
            self.saboteur.skip = number

    def told(self) -> list[str]:
        """The secrets that the platform can repeat: those that it was given or has given out by now."""
        platform = self.saboteur.platform
        issued = [platform.access, platform.refresh] if isinstance(platform, bluesky_platform.Bluesky) else []
        return [*self.side.secrets.values(), *(one for one in issued if one)]

    def published(self) -> tuple[str, MemoryProgress]:
        progress = MemoryProgress()
        receipt = self.adapter().publish(self.post, progress)
        return str(getattr(receipt, "remote_id", "")), progress

    def lost(self) -> MemoryProgress:
        """A chain whose last publishing call got no answer."""
        progress, self.loopback.faults = MemoryProgress(), Endless([From("", "", "reset", "after", skip=2)])
        with suppress(AdapterError):
            self.adapter().publish(self.post, progress)
        self.loopback.faults = []
        return progress


Step = Callable[[Adapter], object]


def verify(desk: Desk) -> Step:
    return lambda adapter: adapter.verify()


def publish(desk: Desk) -> Step:
    return lambda adapter: _published(adapter, desk.post, MemoryProgress())


def resume(desk: Desk) -> Step:
    progress = desk.lost()
    return lambda adapter: _published(adapter, desk.post, progress)


def _published(adapter: Adapter, post: Post, progress: MemoryProgress) -> object:
    """What publishing returns or raises, and what stays in the database."""
    try:
        return adapter.publish(post, progress), progress.saved
    except AdapterError as error:
        error.add_note(repr(progress.saved))
        raise


def find(desk: Desk) -> Step:
    progress = desk.lost()
    return lambda adapter: (
        adapter.find(desk.post, progress, LONG_AGO),
        adapter.find(desk.post, MemoryProgress(), LONG_AGO),
    )


def reach(desk: Desk) -> Step:
    remote_id, _ = desk.published()
    return lambda adapter: adapter.reach([remote_id, "999"])


def remove(desk: Desk) -> Step:
    remote_id, _ = desk.published()
    return lambda adapter: adapter.remove(remote_id)


OPERATIONS: dict[str, Callable[[Desk], Step]] = {
    one.__name__: one for one in (verify, publish, resume, find, reach, remove)
}


#: Those that find another platform after each time.
CHANGING = ("publish", "resume", "remove")


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublicFolder]:
    with public_folder(tmp_path_factory.mktemp("www") / "public") as web:
        yield web


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> tuple[Media, ...]:
    folder = tmp_path_factory.mktemp("media")
    return (picture(folder, 1, "Poster satu"), picture(folder, 2, "Poster dua"))


@pytest.fixture
def open_desk(web: PublicFolder, media: tuple[Media, ...]) -> Callable[[Side], Any]:
    store = MediaStore(str(web.folder), web.url)

    @contextmanager
    def opened(side: Side) -> Iterator[Desk]:
        bluesky_server._sessions.clear()  # of an earlier server that had the same port
        platform = side.platform()
        saboteur = Saboteur(platform)
        with serving(saboteur) as loopback:
            if isinstance(platform, x_platform.XPlatform):
                platform.loopback = loopback
            yield Desk(
                side, loopback, saboteur, media[: side.pictures], store.url_for if side.stores else None
            )

    return opened


@pytest.fixture(scope="module")
def places() -> Callable[[Callable[[], Any], str, str], list[int]]:
    """Where the calls of an operation are that differ from those before them; looked for once."""
    known: dict[tuple[str, str], list[int]] = {}

    def find_out(open_one: Callable[[], Any], name: str, operation: str) -> list[int]:
        if (name, operation) not in known:
            with open_one() as desk:
                step, begin = OPERATIONS[operation](desk), len(desk.loopback.calls)
                step(desk.adapter())
                seen: dict[tuple[str, str], int] = {}
                for number, (method, path) in enumerate(desk.loopback.calls[begin:]):
                    seen.setdefault((method, re.sub(r"\d{3,}|[a-z2-7]{13}", "#", path)), number)
                known[name, operation] = list(seen.values())
        return known[name, operation]

    return find_out


def assert_silent(side: Side, texts: Sequence[str]) -> None:
    for text in texts:
        for secret in side.hidden:
            for trace in traces(secret):
                at = text.find(trace)
                assert at < 0, f"{trace} (of {secret}) is in: {text[max(at - 200, 0) : at + 200]}"


def attempt(desk: Desk, step: Step, adapter: Adapter) -> list[str]:
    """Do it; return everything that could be seen of it."""
    texts = []
    with listening() as heard:  # what goes into the records
        try:
            texts.append(repr(step(adapter)))
        except AdapterError as error:
            texts += texts_of(error)
    texts.append(json.dumps(heard))
    post = desk.post
    texts += [repr(adapter), repr(adapter.account), repr(adapter.limits), repr(adapter.check(post))]
    return texts + [repr(one) for thing in vars(adapter).values() for one in _inside(thing)]


def _inside(thing: object) -> list[object]:
    """A transport, or a part of the adapter that holds one."""
    if isinstance(thing, tuple):
        return [one for one in thing if isinstance(one, Transport)]
    inner = [one for one in getattr(thing, "__dict__", {}).values() if isinstance(one, Transport)]
    return [thing, *inner] if inner or isinstance(thing, Transport) else []


#: Every fault of every platform in every operation. Every day each fault of each platform is tried in one
#: operation, on the next platform in the next one; ``make soak`` tries them in all.
CASES = [
    pytest.param(side, operation, fault, marks=[] if (a + c) % len(OPERATIONS) == b else pytest.mark.soak)
    for a, (side, one) in enumerate(SIDES.items())
    for b, operation in enumerate(OPERATIONS)
    for c, fault in enumerate(("refused", *BREAKS, *ANYWHERE, *one.refuse))
]


def _named(case: object) -> str:
    return "-".join(case) if isinstance(case, tuple) else str(case)


@pytest.mark.parametrize(("name", "operation", "fault"), CASES, ids=_named)
def test_no_secret_gets_out(
    name: str,
    operation: str,
    fault: str | tuple[str, str],
    open_desk: Callable[[Side], Any],
    places: Callable[[Callable[[], Any], str, str], list[int]],
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Given any fault at any call of an operation, no secret is in errors, answers, logs or output."""
    side, texts = SIDES[name], []
    open_one = partial(open_desk, side)
    with watching() as watch, ExitStack() as stack:
        numbers = places(open_one, name, operation) if fault != "refused" else [0]
        desk, step = None, None
        for number in numbers:
            if desk is None or side.issued:  # a session outlives its adapter: each call needs a new one
                desk, step = stack.enter_context(open_one()), None
            desk.heal()
            if step is None or operation in CHANGING:
                step = OPERATIONS[operation](desk)
            desk.spoil(fault, number)
            texts += attempt(desk, step, desk.victim(fault))
        texts.append(watch.said.getvalue())
    texts += capfd.readouterr()
    assert_silent(side, texts)


def test_the_watch_sees_what_the_sdk_says(open_desk: Callable[[Side], Any]) -> None:
    """Given that tweepy prints Authorization headers at DEBUG, its line is seen here, without them."""
    with watching() as watch, open_desk(SIDES["x-oauth2"]) as desk:
        adapter = desk.adapter()
        adapter.verify()
        logging.getLogger("tweepy.client").setLevel(logging.DEBUG)
        adapter.verify()
    said = watch.said.getvalue()
    assert "tweepy.client" in said
    assert "[secret]" in said
    assert_silent(SIDES["x-oauth2"], [said])


@pytest.mark.parametrize(
    "secret", ["rahasia+123/|panjang=", "kunci-biasa-0001", "ñandú & «kutip»", "a:b:c:d:e"]
)
def test_every_form_of_a_secret_is_hidden(secret: str) -> None:
    """As it is, in addresses (once and twice quoted, in either case), in JSON and in base64."""
    quoted = quote(secret, safe="")
    lower = re.sub("%..", lambda match: match[0].lower(), quoted)
    written = [*forms(secret), quote(quoted, safe=""), lower, json.dumps(secret)[1:-1]]
    for form in written:
        for text in (form, f"<{form}>", f"Invalid {form}.", f"x{form}y"):
            clean = strip_secrets(text, {secret})
            assert "[secret]" in clean
            assert all(trace not in clean for trace in traces(secret))
            assert form not in clean


def test_what_holds_secrets_does_not_show_them() -> None:
    """Given an account whose secrets come from a bound function, or fresh credentials, repr is silent."""

    def get(vault: Mapping[str, str], name: str) -> str:
        return vault[name]

    secret = "rahasia-sekali-0001"
    account = Account("a", "@a", partial(get, {"token": secret}))
    assert account.secret("token") == secret
    for holder in (account, Credentials({"token": secret}), Transport(secrets=[secret])):
        assert secret not in repr(holder)


def test_each_platform_with_secrets_is_watched(tmp_path: Path) -> None:
    """Given the registry, whatever platform has secrets is in the sweep."""
    from adapters import registry

    watched = {type(side.make(_bare(side))).platform for side in SIDES.values()}
    assert watched == {name for name in registry.names() if registry.adapter_class(name).secrets}


def _bare(side: Side) -> Account:
    return Account("a", side.handle, str, "http://127.0.0.1:9", dict(side.options))

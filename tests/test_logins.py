"""The guided logins, step by step as a person walks them, and the renewal and keeping of what they give.

Against the platforms' token servers on loopback, a real vault and a real database.
"""

from __future__ import annotations

import logging
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from cryptography.fernet import Fernet
from werkzeug.wrappers import Request

sys.path.insert(0, str(Path(__file__).parent))

from kit.office import ROOT, Office
from servers import bluesky_platform, mastodon_platform, telegram_platform
from servers.graph_core import refusal
from servers.logins_platform import MastodonLogin, MetaLogin, XLogin, oauth_error, query_of
from servers.loopback import Answer, Fault, Loopback, serving
from sqlalchemy import text

from adapters import registry
from adapters.contract import Account, Credentials
from adapters.errors import AccountHeld, AdapterError, AuthExpired, Misconfigured, RateLimited, Transient
from adapters.instagram.adapter import InstagramAdapter
from adapters.threads.adapter import ThreadsAdapter
from adapters.x.adapter import XAdapter
from scheduler.store.database import Store, open_store
from scheduler.vault import Vault, VaultError

# facebook-sdk 3.1.0 has "\d" in a plain string: a warning wherever no .pyc of it is kept.
pytestmark = pytest.mark.filterwarnings("ignore:.*invalid escape sequence")

NOW = datetime(2026, 11, 9, 3, 0, tzinfo=UTC)
TWO_HOURS, SIXTY_DAYS = timedelta(hours=2), timedelta(days=60)
ADDRESS = re.compile(r"https://\S*/oauth\S*|http://127\.0\.0\.1:\d+/oauth\S*")


def now() -> datetime:
    return NOW


class Person:
    """Somebody at the keyboard with answers in the order of the questions; remembers all that was shown."""

    def __init__(self, *answers: str | Callable[[str], str]) -> None:
        self._answers = list(answers)
        self.told: list[str] = []
        self.asked: list[tuple[str, bool]] = []

    def tell(self, message: str, **values: object) -> None:
        self.told.append(message.format(**values) if values else message)

    def ask(self, message: str, *, hidden: bool = False, **values: object) -> str:
        self.asked.append((message.format(**values) if values else message, hidden))
        answer = self._answers.pop(0)
        return answer if isinstance(answer, str) else answer(self.address)

    @property
    def address(self) -> str:
        """The address that the person was last told to open."""
        shown = [found[0] for line in self.told if (found := ADDRESS.search(line))]
        return shown[-1] if shown else ""

    @property
    def questions(self) -> list[str]:
        return [question for question, _ in self.asked]


def account(
    url: str,
    handle: str = "@diskominfo",
    secrets: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Account:
    kept = secrets or {}

    def secret(name: str) -> str:
        if name not in kept:
            raise AuthExpired("A secret of the account is not configured.", code=name)
        return kept[name]

    return Account("akun", handle, secret, url, options or {})


def log_in(platform: str, which: Account, person: Person) -> Credentials:
    login = registry.login(platform)
    assert login is not None
    return login(which, now, person)


@contextmanager
def refused(kind: type[AdapterError], words: str | None = None) -> Iterator[None]:
    with pytest.raises(kind, match=words) as raised:
        yield
    assert type(raised.value) is kind


@pytest.fixture
def x() -> Iterator[tuple[XLogin, str]]:
    platform = XLogin()
    with serving(platform) as loopback:
        yield platform, loopback.url


@pytest.fixture
def meta() -> Iterator[tuple[MetaLogin, str]]:
    platform = MetaLogin()
    with serving(platform) as loopback:
        yield platform, loopback.url


def test_every_platform_of_the_issue_has_a_login_that_can_be_imported() -> None:
    assert sorted(registry.LOGINS) == [
        *("bluesky", "facebook", "instagram", "mastodon", "telegram", "threads", "x")
    ]
    assert all(callable(registry.login(name)) for name in registry.LOGINS)
    assert registry.login("manual") is None


def test_no_login_imports_an_sdk_before_it_is_used() -> None:
    code = (
        "import sys; from adapters import registry; [registry.login(n) for n in registry.LOGINS];"
        "print([m for m in ('tweepy', 'facebook', 'requests_oauthlib', 'oauthlib') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout.strip() == "[]"


# X by PIN


def test_x_gives_keys_that_do_not_end_for_a_pin(x: tuple[XLogin, str]) -> None:
    platform, url = x
    person = Person(*platform.keys, platform.allow)
    given = log_in("x", account(url), person)
    assert given.expires_at is None
    assert given.secrets == {
        "api_key": platform.keys[0],
        "api_secret": platform.keys[1],
        "access_token": f"2244994945-{platform.issued[2]}",
        "access_token_secret": platform.issued[3],
    }
    assert person.asked == [("API key", True), ("API secret", True), ("PIN", False)]
    assert [line[:2] for line in person.told[1:]] == ["1.", "2.", "3."]


def test_keys_that_the_account_has_are_neither_asked_for_nor_stored_again(x: tuple[XLogin, str]) -> None:
    platform, url = x
    person = Person(platform.allow)
    kept = dict(zip(("api_key", "api_secret"), platform.keys, strict=True))
    given = log_in("x", account(url, secrets=kept), person)
    assert sorted(given.secrets) == ["access_token", "access_token_secret"]
    assert person.questions == ["PIN"]


def test_x_refuses_a_wrong_pin(x: tuple[XLogin, str]) -> None:
    platform, url = x

    def mistyped(address: str) -> str:
        platform.allow(address)
        return "1234567"

    with refused(AuthExpired):
        log_in("x", account(url), Person(*platform.keys, mistyped))


def test_x_refuses_wrong_keys_in_its_own_words(x: tuple[XLogin, str]) -> None:
    platform, url = x
    with refused(AuthExpired, "Could not authenticate you"):
        log_in("x", account(url), Person(platform.keys[0], "rahasiaYangSalah"))


def test_a_browser_that_is_logged_in_as_somebody_else_is_noticed(x: tuple[XLogin, str]) -> None:
    platform, url = x
    platform.name = "pribadi_budi"
    person = Person(*platform.keys, platform.allow)
    with refused(AuthExpired, "another account"):
        log_in("x", account(url), person)
    assert "pribadi_budi" in person.told[-1]
    platform.name = "DiskomInfo"  # X's names know no case
    log_in("x", account(url), Person(*platform.keys, platform.allow))


# X by address


def by_address(url: str, secrets: Mapping[str, str] | None = None, **options: Any) -> Account:
    return account(url, secrets=secrets, options={"auth": "oauth2", **options})


def test_x_gives_two_tokens_for_the_address_that_the_browser_was_sent_to(x: tuple[XLogin, str]) -> None:
    platform, url = x
    person = Person(*platform.client, platform.allow)
    given = log_in("x", by_address(url), person)
    assert given.expires_at == NOW + TWO_HOURS
    assert given.secrets == {
        "client_id": platform.client[0],
        "client_secret": platform.client[1],
        "access_token": platform.access,
        "refresh_token": platform.refresh,
        "scope": "tweet.read tweet.write users.read media.write offline.access",
    }
    assert set(query_of(person.address)["scope"].split()) == {
        *("tweet.read", "tweet.write", "users.read", "media.write", "offline.access")
    }
    assert all(hidden for _, hidden in person.asked)
    assert "2244994945" in person.told[-1]  # spares paid questions


def test_an_app_without_a_secret_logs_in_by_its_id_alone(x: tuple[XLogin, str]) -> None:
    platform, url = x
    platform.public = True
    given = log_in("x", by_address(url), Person(platform.client[0], "-", platform.allow))
    assert "client_secret" not in given.secrets
    renewed = XAdapter(by_address(url, given.secrets), now).renew()
    assert renewed is not None
    assert renewed.secrets["refresh_token"] == platform.refresh


def test_the_redirect_address_can_be_another_one_even_plain_http(x: tuple[XLogin, str]) -> None:
    platform, url = x
    person = Person(*platform.client, platform.allow)
    log_in("x", by_address(url, redirect_uri="http://127.0.0.1:8080/kembali"), person)
    assert query_of(person.address)["redirect_uri"] == "http://127.0.0.1:8080/kembali"


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        ("https://127.0.0.1/?error=access_denied&state=s", "not granted"),
        ("https://127.0.0.1/?code=kodeOrangLain&state=bukanPunyaKita", "not the address of this login"),
        ("https://127.0.0.1/?state=s", "not the address of this login"),
        ("kode saja", "not the address of this login"),
    ],
)
def test_what_is_not_the_address_of_this_login_is_refused_before_anything_is_sent(
    x: tuple[XLogin, str], pasted: str, words: str
) -> None:
    platform, url = x
    with refused(AuthExpired, words):
        log_in("x", by_address(url), Person(*platform.client, pasted))
    assert platform.issued == []


def test_x_refuses_a_code_that_is_not_its_own(x: tuple[XLogin, str]) -> None:
    platform, url = x

    def spoiled(address: str) -> str:
        return platform.allow(address).replace("code=kode", "code=salah")

    with refused(AuthExpired, "authorization code was invalid"):
        log_in("x", by_address(url), Person(*platform.client, spoiled))


@pytest.mark.parametrize("change", [{"granted": "tweet.read users.read"}, {"keep_quiet": True}])
def test_a_login_without_every_scope_is_refused(x: tuple[XLogin, str], change: dict[str, Any]) -> None:
    platform, url = x
    for name, value in change.items():
        setattr(platform, name, value)
    with refused(AuthExpired, "did not grant everything"):
        log_in("x", by_address(url), Person(*platform.client, platform.allow))


# X, renewal


def stored(platform: XLogin) -> dict[str, str]:
    """The secrets of an account that has logged in by address."""
    platform.access, platform.refresh = "aksesLama0000", "segarLama0000"
    names = ("client_id", "client_secret", "access_token", "refresh_token")
    return dict(zip(names, (*platform.client, platform.access, platform.refresh), strict=True))


def test_renewing_replaces_both_tokens(x: tuple[XLogin, str]) -> None:
    platform, url = x
    old = stored(platform)
    renewed = XAdapter(by_address(url, old), now).renew()
    assert renewed == Credentials(
        {"access_token": platform.access, "refresh_token": platform.refresh, "scope": "tweet.read"},
        NOW + TWO_HOURS,
    )
    assert old["refresh_token"] in platform.spent
    with refused(AuthExpired, "token was invalid"):  # it worked once
        XAdapter(by_address(url, old), now).renew()


def test_a_renewal_that_tells_no_refresh_token_does_not_bring_an_empty_one(x: tuple[XLogin, str]) -> None:
    platform, url = x
    secrets, platform.blank = stored(platform), True
    renewed = XAdapter(by_address(url, secrets), now).renew()
    assert renewed is not None
    assert sorted(renewed.secrets) == ["access_token", "scope"]


def test_keys_of_oauth1_and_page_tokens_are_not_renewed(x: tuple[XLogin, str]) -> None:
    assert XAdapter(account(x[1]), now).renew() is None
    assert InstagramAdapter(account(x[1], options={"user_id": "17841"}), now).renew() is None
    assert XAdapter.renew_before == timedelta(minutes=30)
    assert ThreadsAdapter.renew_before == InstagramAdapter.renew_before == timedelta(days=10)
    others = ("bluesky", "facebook", "mastodon", "telegram", "manual")
    assert [registry.adapter_class(name).renew_before for name in others] == [None] * 5


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (oauth_error(400, "invalid_grant", "The refresh token was revoked."), AuthExpired),
        (oauth_error(503, "temporarily_unavailable", "Later."), Transient),
        (oauth_error(400, "temporarily_unavailable", "Later."), Transient),
        (Answer(200, {"token_type": "bearer"}), Transient),
        (Answer(200, {"access_token": "", "refresh_token": "baru"}), Transient),
        (Answer(200, b"<html>masuk</html>"), Transient),
        (Answer(404, b"<html>tidak ada</html>"), Transient),
        (Answer(401, b""), AuthExpired),
        (Answer(429, {"title": "Too Many Requests"}, {"Retry-After": "120"}), RateLimited),
    ],
)
def test_what_a_refused_renewal_means(answer: Answer, kind: type[AdapterError]) -> None:
    platform = XLogin()
    with serving(lambda request: answer) as loopback:
        adapter = XAdapter(by_address(loopback.url, stored(platform)), now)
        with pytest.raises(kind) as raised:
            adapter.renew()
    if isinstance(raised.value, RateLimited):
        assert raised.value.until == NOW + timedelta(seconds=120)


# Facebook


def test_facebook_gives_the_token_of_the_page_that_is_chosen(meta: tuple[MetaLogin, str]) -> None:
    platform, url = meta
    person = Person(*platform.app, platform.user_token, "empat", "9", "2")
    given = log_in("facebook", account(url, "@kecamatan"), person)
    assert given == Credentials(
        {
            "app_id": platform.app[0],
            "app_secret": platform.app[1],
            "page_token": "EAABtokenHalaman3tiga",
        }
    )
    assert person.asked[:3] == [("App id", True), ("App secret", True), ("User token", True)]
    # The Page on which the person may do nothing has no token, so it cannot be chosen.
    assert [line for line in person.told if re.match(r"\d\. .*\(1080", line)] == [
        "1. Diskominfo Contoh (108000000000001)",
        "2. Kecamatan (108000000000003)",
        "3. Dinas Lain (108000000000004)",
    ]
    assert person.told.count("Write one of the numbers.") == 2


@pytest.mark.parametrize(
    ("handle", "options"),
    [
        ("@dinas", {"page_id": "108000000000004"}),
        ("108000000000004", {}),
        ("x", {"page_id": 108000000000004}),
    ],
)
def test_a_page_that_is_configured_needs_no_choice(
    meta: tuple[MetaLogin, str], handle: str, options: dict[str, Any]
) -> None:
    platform, url = meta
    options = {**options, "app_id": platform.app[0]}
    which = account(url, handle, {"app_secret": platform.app[1]}, options)
    person = Person(platform.user_token)
    given = log_in("facebook", which, person)
    assert given.secrets == {"page_token": "EAABtokenHalaman4empat"}
    assert "Dinas Lain" in person.told[-1]


def test_the_end_of_a_page_token_is_what_facebook_says(meta: tuple[MetaLogin, str]) -> None:
    platform, url = meta
    platform.page_token_ends = int((NOW + SIXTY_DAYS).timestamp())
    person = Person(*platform.app, platform.user_token)
    given = log_in("facebook", account(url, "108000000000003"), person)
    assert given.expires_at == NOW + SIXTY_DAYS


def test_a_user_without_the_page_is_told(meta: tuple[MetaLogin, str]) -> None:
    platform, url = meta
    with refused(AuthExpired, "manages no such Page"):
        log_in("facebook", account(url, "999"), Person(*platform.app, platform.user_token))


def test_facebook_refuses_a_wrong_user_token(meta: tuple[MetaLogin, str]) -> None:
    platform, url = meta
    with refused(AuthExpired, "Invalid OAuth access token"):
        log_in("facebook", account(url), Person(*platform.app, "EAABtokenSalah12345"))


# Instagram


def test_instagram_through_facebook_gives_the_page_token_of_the_linked_account(
    meta: tuple[MetaLogin, str],
) -> None:
    platform, url = meta
    person = Person(*platform.app, platform.user_token, "1")
    given = log_in("instagram", account(url, "@diskominfo.contoh"), person)
    assert given.secrets["access_token"] == "EAABtokenHalaman1satu"
    assert given.expires_at is None
    assert person.told[-1].endswith('options = { user_id = "17841400000000001" }')
    assert "1. @diskominfo.contoh (Diskominfo Contoh)" in person.told


def test_the_instagram_account_that_is_configured_needs_no_choice(meta: tuple[MetaLogin, str]) -> None:
    platform, url = meta
    which = account(url, "@dinas.lain", options={"user_id": "17841400000000004"})
    given = log_in("instagram", which, Person(*platform.app, platform.user_token))
    assert given.secrets["access_token"] == "EAABtokenHalaman4empat"


def test_the_wrong_instagram_account_is_noticed(meta: tuple[MetaLogin, str]) -> None:
    platform, url = meta
    with refused(AuthExpired, "another account"):
        log_in("instagram", account(url, "@dinas"), Person(*platform.app, platform.user_token, "1"))


@dataclass(frozen=True)
class Long:
    """A platform whose token of 60 days comes from a pasted address."""

    platform: str
    lists: bool
    options: Mapping[str, Any] = field(default_factory=dict)

    def at(self, url: str, secrets: Mapping[str, str] | None = None) -> Account:
        return account(url, "@diskominfo.contoh", secrets, self.options)

    def renew(self, which: Account) -> Credentials | None:
        return registry.adapter_class(self.platform)(which, now).renew()


LONG = pytest.mark.parametrize(
    "door",
    [Long("instagram", lists=True, options={"login": "instagram"}), Long("threads", lists=False)],
    ids=["instagram", "threads"],
)


@LONG
def test_a_pasted_address_becomes_a_token_of_sixty_days(meta: tuple[MetaLogin, str], door: Long) -> None:
    platform, url = meta
    platform.lists = door.lists
    person = Person(*platform.app, platform.allow)
    given = log_in(door.platform, door.at(url), person)
    assert given.secrets["access_token"] in platform.long
    assert given.expires_at == NOW + timedelta(seconds=5_184_000)
    assert sorted(given.secrets) == ["access_token", "app_id", "app_secret"]
    assert all(hidden for _, hidden in person.asked)
    assert query_of(person.address)["redirect_uri"] == "https://localhost/"


@LONG
def test_where_no_end_is_told_the_documented_sixty_days_count(
    meta: tuple[MetaLogin, str], door: Long
) -> None:
    platform, url = meta
    platform.lists, platform.expires_in = door.lists, None
    given = log_in(door.platform, door.at(url), Person(*platform.app, platform.allow))
    assert given.expires_at == NOW + SIXTY_DAYS


@LONG
def test_a_pasted_token_is_exchanged_or_if_it_is_long_lived_already_prolonged(
    meta: tuple[MetaLogin, str], door: Long
) -> None:
    platform, url = meta
    platform.short.add("THpendekDariSetelan1")
    given = log_in(door.platform, door.at(url), Person(*platform.app, "THpendekDariSetelan1"))
    assert given.secrets["access_token"] in platform.long
    platform.long.add("THpanjangDariSetelan1")
    given = log_in(door.platform, door.at(url), Person(*platform.app, "THpanjangDariSetelan1"))
    assert given.secrets["access_token"] in platform.long - {"THpanjangDariSetelan1"}
    platform.day_old = False
    with refused(AuthExpired, "Cannot parse access token"):
        log_in(door.platform, door.at(url), Person(*platform.app, "THpanjangDariSetelan1"))


@LONG
def test_a_code_counts_once(meta: tuple[MetaLogin, str], door: Long) -> None:
    platform, url = meta
    platform.lists = door.lists

    def used(address: str) -> str:
        pasted = platform.allow(address)
        platform.codes.clear()
        return pasted

    with pytest.raises(AdapterError, match=r"(?i)authorization code"):
        log_in(door.platform, door.at(url), Person(*platform.app, used))


@LONG
def test_somebody_else_in_the_browser_is_noticed(meta: tuple[MetaLogin, str], door: Long) -> None:
    platform, url = meta
    platform.lists, platform.name = door.lists, "budi.pribadi"
    with refused(AuthExpired, "another account"):
        log_in(door.platform, door.at(url), Person(*platform.app, platform.allow))


@LONG
def test_a_token_is_prolonged_once_it_is_a_day_old(meta: tuple[MetaLogin, str], door: Long) -> None:
    platform, url = meta
    platform.long.add("IGlama0000rahasia")
    which = door.at(url, {"access_token": "IGlama0000rahasia"})
    platform.day_old = False
    with pytest.raises(AdapterError, match="24 hours"):
        door.renew(which)
    platform.day_old = True
    renewed = door.renew(which)
    assert renewed == Credentials({"access_token": platform.issued[-1]}, NOW + timedelta(seconds=5_184_000))
    platform.long.clear()
    with refused(AuthExpired):
        door.renew(which)


# Telegram


def test_telegram_takes_the_token_of_a_bot_that_may_write() -> None:
    with telegram_platform.running() as (_, loopback):
        person = Person(telegram_platform.TOKEN)
        given = log_in("telegram", account(loopback.url, "@diskominfo_contoh"), person)
    assert given == Credentials({"bot_token": telegram_platform.TOKEN})
    assert person.asked == [("Bot token", True)]


@pytest.mark.parametrize(
    "member", [{"status": "left"}, {"status": "administrator", "can_post_messages": False}]
)
def test_the_person_is_guided_until_the_bot_may_write(member: dict[str, Any]) -> None:
    with telegram_platform.running() as (platform, loopback):
        platform.member = member

        def done(_: str) -> str:
            platform.member = {"status": "administrator", "can_post_messages": True}
            return "ok"

        person = Person(telegram_platform.TOKEN, "ok", done)
        given = log_in("telegram", account(loopback.url, "@diskominfo_contoh"), person)
    assert given.secrets == {"bot_token": telegram_platform.TOKEN}
    assert sum("may not write" in line for line in person.told) == 2


def test_a_bot_that_never_may_write_ends_the_login() -> None:
    with telegram_platform.running() as (_, loopback), refused(AccountHeld, "may not write"):
        log_in("telegram", account(loopback.url, "@lain"), Person(telegram_platform.TOKEN, "ok", "ok", "ok"))


@pytest.mark.parametrize("token", ["bukan token", "123456789:AAH-kunci-yang-salah"])
def test_telegram_refuses_a_wrong_token(token: str) -> None:
    with telegram_platform.running() as (_, loopback), refused(AuthExpired):
        log_in("telegram", account(loopback.url, "@diskominfo_contoh"), Person(token))


# Mastodon


def test_mastodon_registers_gaung_and_takes_a_code() -> None:
    platform = MastodonLogin()
    with serving(platform) as loopback:
        person = Person(platform.allow)
        given = log_in("mastodon", account(loopback.url, "@diskominfo@sosial.example"), person)
    told = "read:accounts read:statuses write:statuses write:media"
    assert given == Credentials({"access_token": mastodon_platform.TOKEN, "scope": told})
    assert person.asked == [("Code", True)]
    ((_, app),) = platform.apps.values()
    assert app["client_name"] == "Gaung"


def test_mastodon_refuses_a_wrong_code_and_another_account() -> None:
    platform = MastodonLogin()
    with serving(platform) as loopback:
        with refused(AuthExpired, "grant is invalid"):
            log_in("mastodon", account(loopback.url), Person("kodeSalah"))
        with refused(AuthExpired, "another account"):
            log_in("mastodon", account(loopback.url, "@camat@sosial.example"), Person(platform.allow))
    with pytest.raises(Misconfigured):
        log_in("mastodon", account("", "diskominfo"), Person())


# Bluesky


def test_bluesky_takes_an_app_password_that_begins_a_session() -> None:
    with bluesky_platform.running() as (platform, loopback):
        person = Person(bluesky_platform.PASSWORD)
        given = log_in("bluesky", account(loopback.url, bluesky_platform.HANDLE), person)
        assert platform.sessions == 1
    assert given == Credentials({"app_password": bluesky_platform.PASSWORD})
    assert person.asked == [("App password", True)]


def test_bluesky_refuses_a_wrong_password() -> None:
    with bluesky_platform.running() as (_, loopback), refused(AuthExpired, "Invalid identifier"):
        log_in("bluesky", account(loopback.url, bluesky_platform.HANDLE), Person("sandi-yang-salah"))


@pytest.mark.parametrize("platform", ["telegram", "bluesky"])
def test_a_login_that_needs_a_handle_says_so(platform: str) -> None:
    with pytest.raises(Misconfigured, match="needs a handle"):
        log_in(platform, account("", ""), Person())


def test_a_reference_that_cannot_be_read_is_told_instead_of_asked_for(x: tuple[XLogin, str]) -> None:
    """What is stored would never be used: the configuration goes first."""

    def secret(name: str) -> str:
        raise AuthExpired("The environment variable X_API_KEY is not set.", code="no-secret")

    with refused(AuthExpired, "X_API_KEY"):
        log_in("x", Account("akun", "@diskominfo", secret, x[1]), Person())


# No secret in errors, whatever goes wrong


@dataclass
class Walk:
    """One way through a login or a renewal, made anew for each thing that goes wrong."""

    platform: Callable[[Request], Answer]
    go: Callable[[str], object]
    hidden: Callable[[], Sequence[str]]


def x_pin() -> Walk:
    platform = XLogin()
    person = Person(*platform.keys, platform.allow)
    return Walk(
        platform,
        lambda url: log_in("x", account(url), person),
        lambda: [*platform.keys, *platform.issued, *(pin for _, pin in platform.requests.values() if pin)],
    )


def x_address() -> Walk:
    platform = XLogin()
    person = Person(*platform.client, platform.allow)
    return Walk(
        platform,
        lambda url: log_in("x", by_address(url), person),
        lambda: [platform.client[1], *platform.issued],
    )


def x_renewal() -> Walk:
    platform = XLogin()
    secrets = stored(platform)
    return Walk(
        platform,
        lambda url: XAdapter(by_address(url, secrets), now).renew(),
        lambda: [*list(secrets.values())[1:], *platform.issued],
    )


def facebook() -> Walk:
    platform = MetaLogin()
    person = Person(*platform.app, platform.user_token, "1")
    return Walk(
        platform, lambda url: log_in("facebook", account(url), person), lambda: meta_secrets(platform)
    )


def meta_secrets(platform: MetaLogin) -> list[str]:
    pages = [page["access_token"] for page in platform.pages if "access_token" in page]
    return [platform.app[1], platform.user_token, *platform.issued, *platform.long, *pages]


def long_lived(door: Long) -> Walk:
    platform = MetaLogin(lists=door.lists)
    person = Person(*platform.app, platform.allow)
    return Walk(
        platform, lambda url: log_in(door.platform, door.at(url), person), lambda: meta_secrets(platform)
    )


def prolonged(door: Long) -> Walk:
    platform = MetaLogin()
    old = platform.new("IGlama")
    platform.long.add(old)
    return Walk(
        platform,
        lambda url: door.renew(door.at(url, {"access_token": old})),
        lambda: meta_secrets(platform),
    )


def telegram() -> Walk:
    token, key = telegram_platform.TOKEN, telegram_platform.TOKEN.partition(":")[2]
    person = Person(token, "ok", "ok", "ok")
    return Walk(
        telegram_platform.Telegram(),
        lambda url: log_in("telegram", account(url, "@diskominfo_contoh"), person),
        lambda: [token, key],
    )


def mastodon() -> Walk:
    platform = MastodonLogin()
    return Walk(
        platform,
        lambda url: log_in("mastodon", account(url), Person(platform.allow)),
        lambda: [
            mastodon_platform.TOKEN,
            *(secret for secret, _ in platform.apps.values()),
            *(f"kodeMastodon{n}" for n in range(2)),
        ],
    )


def bluesky() -> Walk:
    return Walk(
        bluesky_platform.Bluesky(),
        lambda url: log_in(
            "bluesky", account(url, bluesky_platform.HANDLE), Person(bluesky_platform.PASSWORD)
        ),
        lambda: [bluesky_platform.PASSWORD, "eyJakses1abcdefgh", "eyJsegar1abcdefgh"],
    )


INSTAGRAM = Long("instagram", lists=True, options={"login": "instagram"})
WALKS: Mapping[str, Callable[[], Walk]] = {
    "x-pin": x_pin,
    "x-address": x_address,
    "x-renewal": x_renewal,
    "facebook": facebook,
    "instagram": lambda: long_lived(INSTAGRAM),
    "instagram-renewal": lambda: prolonged(INSTAGRAM),
    "threads": lambda: long_lived(Long("threads", lists=False)),
    "telegram": telegram,
    "mastodon": mastodon,
    "bluesky": bluesky,
}
HOW: tuple[Literal["reset", "truncated", "html", "500"], ...] = ("reset", "truncated", "html", "500")


class Parrot:
    """A platform whose ``call``-th answer is a refusal that repeats everything that it was sent."""

    def __init__(
        self, platform: Callable[[Request], Answer], call: int, shape: Callable[[str], Answer]
    ) -> None:
        self._platform = platform
        self._left = call
        self._shape = shape

    def __call__(self, request: Request) -> Answer:
        self._left -= 1
        if self._left != 0:
            return self._platform(request)
        sent = [request.url, request.get_data(as_text=True), str(dict(request.headers))]
        sent += [*request.values.values(), request.headers.get("Authorization", "")]
        return self._shape(" ".join(sent))


SHAPES: Sequence[Callable[[str], Answer]] = (
    lambda words: oauth_error(400, "invalid_request", words),
    lambda words: Answer(400, {"error": words}),
    lambda words: Answer(403, {"errors": [{"code": 32, "message": words}]}),
    lambda words: Answer(400, {"error_type": words, "code": 400, "error_message": words}),
    lambda words: refusal(400, 190, None, words),
    lambda words: telegram_platform.refusal(400, words),
    lambda words: Answer(200, words.encode()),
    lambda words: Answer(401, words.encode()),
)


def leaks(walk: Walk, url: str, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Go the way; whatever comes of it, return the secrets that it betrayed."""
    caplog.clear()
    told = ""
    try:
        walk.go(url)
    except AdapterError as error:
        told = "".join(traceback.format_exception(error)) + repr(error) + error.code
    told += caplog.text
    return [secret for secret in walk.hidden() if secret in told]


@pytest.mark.parametrize("name", WALKS)
def test_nothing_that_goes_wrong_tells_a_secret(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    current: list[Callable[[Request], Answer]] = []

    def platform(request: Request) -> Answer:
        return current[-1](request)

    with serving(platform) as loopback:
        walk = WALKS[name]()
        current.append(walk.platform)
        assert leaks(walk, loopback.url, caplog) == []
        calls = list(loopback.calls)
        assert walk.hidden()
        for number, (method, path) in enumerate(calls, 1):
            for how in HOW:
                walk = WALKS[name]()
                current.append(walk.platform)
                loopback.faults.append(Fault(method, re.escape(path), how))
                assert leaks(walk, loopback.url, caplog) == [], (path, how)
                loopback.faults.clear()
            for shape in SHAPES:
                walk = WALKS[name]()
                current.append(Parrot(walk.platform, number, shape))
                assert leaks(walk, loopback.url, caplog) == [], path


# Keeping


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path}/gaung.db", create=True)
    yield store
    store.close()


def key() -> str:
    return Fernet.generate_key().decode()


def keep(vault: Vault, given: Credentials, which: str = "dinas-x") -> None:
    vault.keep(which, given.secrets, given.expires_at, now=NOW, actor="budi")


def audit(store: Store) -> list[str]:
    with store.read() as session:
        rows = session.connection().execute(text("SELECT * FROM audit_event"))
        return [str(tuple(row)) for row in rows]


def test_a_renewal_is_kept_whole_and_read_by_others(x: tuple[XLogin, str], store: Store) -> None:
    platform, url = x
    keys = [key()]
    vault, other = Vault(store, keys), Vault(store, keys)
    keep(vault, log_in("x", by_address(url), Person(*platform.client, platform.allow)))
    assert other.secret("dinas-x", "refresh_token") == platform.refresh
    assert vault.ends() == {"dinas-x": NOW + TWO_HOURS}
    before = {name: vault.secret("dinas-x", name) for name in ("access_token", "refresh_token")}
    renewed = XAdapter(account_of(vault, url), now).renew()
    assert renewed is not None
    keep(vault, renewed)
    after = {name: vault.secret("dinas-x", name) for name in before}
    assert after == {"access_token": platform.access, "refresh_token": platform.refresh}
    assert not set(after.values()) & set(before.values())
    assert vault.secret("dinas-x", "client_secret") == platform.client[1]
    other.load()
    assert other.secret("dinas-x", "access_token") == platform.access


def account_of(vault: Vault, url: str, which: str = "dinas-x") -> Account:
    def secret(name: str) -> str:
        if kept := vault.secret(which, name):
            return kept
        raise AuthExpired("A secret of the account is not configured.", code=name)

    return Account(which, "@diskominfo", secret, url, {"auth": "oauth2"})


def test_an_empty_refresh_token_never_takes_the_place_of_one_that_works(
    x: tuple[XLogin, str], store: Store
) -> None:
    platform, url = x
    vault = Vault(store, [key()])
    keep(vault, Credentials(stored(platform), NOW))
    platform.blank = True
    for _ in range(2):
        renewed = XAdapter(account_of(vault, url), now).renew()
        assert renewed is not None
        keep(vault, renewed)
        assert vault.secret("dinas-x", "refresh_token") == "segarLama0000"
        assert vault.secret("dinas-x", "access_token") == platform.access
    # Even if an adapter brought it:
    keep(vault, Credentials({"access_token": "", "refresh_token": ""}, NOW))
    vault.load()
    assert vault.secret("dinas-x", "refresh_token") == "segarLama0000"
    assert vault.secret("dinas-x", "access_token") == platform.access


def test_the_database_holds_no_secret_in_clear_and_the_audit_no_value(
    x: tuple[XLogin, str], store: Store, tmp_path: Path
) -> None:
    platform, url = x
    vault = Vault(store, [key()])
    keep(vault, log_in("x", by_address(url), Person(*platform.client, platform.allow)))
    for _ in range(3):
        renewed = XAdapter(account_of(vault, url), now).renew()
        assert renewed is not None
        keep(vault, renewed)
    vault.rotate(now=NOW, actor="budi")
    hidden = [platform.client[1], *platform.issued]
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert {"gaung.db", "gaung.db-wal"} <= {path.name for path in files}
    for path in files:
        content = path.read_bytes()
        assert [one for one in hidden if one.encode() in content] == [], path.name
    events = [event for event in audit(store) if "credentials-" in event]
    assert len(events) == 5
    assert [event for event in events for one in hidden if one in event] == []
    assert "refresh_token" in events[0]


def test_keys_can_be_exchanged(store: Store) -> None:
    old, new = key(), key()
    keep(Vault(store, [old]), Credentials({"access_token": "lama-rahasia"}))
    both = Vault(store, [new, old])
    assert both.secret("dinas-x", "access_token") == "lama-rahasia"
    with pytest.raises(VaultError, match="do not open"):
        Vault(store, [new]).load()
    assert both.rotate(now=NOW, actor="budi") == 1
    assert Vault(store, [new]).secret("dinas-x", "access_token") == "lama-rahasia"
    with pytest.raises(VaultError):
        Vault(store, [old]).load()


def test_one_account_that_does_not_open_is_named_and_no_secret_is(store: Store) -> None:
    keep(Vault(store, [key()]), Credentials({"access_token": "lama-rahasia"}))
    with pytest.raises(VaultError) as raised:
        Vault(store, [key()]).load()
    told = "".join(traceback.format_exception(raised.value))
    assert "dinas-x" in told
    assert "lama-rahasia" not in told


def test_without_a_key_or_with_a_broken_one_nothing_is_kept(store: Store) -> None:
    for keys in ([], ["bukan kunci"]):
        vault = Vault(store, keys)
        with pytest.raises(VaultError) as raised:
            keep(vault, Credentials({"access_token": "rahasia-akses"}))
        assert "bukan kunci" not in str(raised.value)
    assert Vault(store, [key()]).ends() == {}


# At the command line


@pytest.fixture
def office(tmp_path: Path) -> Iterator[tuple[Office, Loopback]]:
    """An office with a key and a Telegram channel to which nobody has logged in."""
    with telegram_platform.running() as (_, loopback):
        office = Office(tmp_path / "kantor")
        made = office.must("secrets", "new-key", office.folder / "satu.key")
        assert 'secret_keys = ["file:' in made.err
        configure(office, loopback.url, "satu.key")
        yield office, loopback


def configure(office: Office, url: str, *keys: str, more: str = "") -> None:
    names = ", ".join(f'"file:{name}"' for name in keys)
    office.configure(
        head=f"secret_keys = [{names}]",
        tail=f'[accounts.kanal]\nplatform = "telegram"\nhandle = "@diskominfo_contoh"\napi_base = "{url}"\n'
        + more,
    )


def at_the_keyboard(office: Office, typed: str, *arguments: str) -> tuple[int, str]:
    """Run a command at a terminal of its own; return its exit code and all that the screen showed."""
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "scheduler.cli", "--config", office.config, *arguments],
        env={**os.environ, "GAUNG_LANG": "en", "PYTHONPATH": str(ROOT)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,  # not the terminal of whoever runs the tests
    )
    os.close(theirs)
    screen, sent = b"", False
    with process:
        while read := _shown(terminal):
            screen += read
            if not sent and b"Bot token" in screen:
                wait_until_hidden(terminal)  # what is typed before that is thrown away
                os.write(terminal, typed.encode() + b"\n")
                sent = True
    os.close(terminal)
    return process.returncode, screen.decode()


def _shown(terminal: int) -> bytes:
    ready, _, _ = select.select([terminal], [], [], 60)
    assert ready, "the command says nothing any more"
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux says so when the other side is closed
        return b""


def wait_until_hidden(terminal: int) -> None:
    """Until the terminal shows no more what is typed."""
    end = time.monotonic() + 30
    while termios.tcgetattr(terminal)[3] & termios.ECHO:
        assert time.monotonic() < end, "what is typed stays visible"
        time.sleep(0.005)


def test_a_login_at_a_terminal_is_kept_works_and_survives_an_exchange_of_keys(
    office: tuple[Office, Loopback],
) -> None:
    place, loopback = office
    assert place.gaung("accounts", "check", "kanal").code == 1
    code, screen = at_the_keyboard(place, telegram_platform.TOKEN, "accounts", "login", "kanal")
    assert code == 0, screen
    assert "is logged in as Diskominfo Contoh" in screen
    assert "@BotFather" in screen
    assert telegram_platform.TOKEN not in screen
    place.must("accounts", "check", "kanal")

    place.must("secrets", "new-key", place.folder / "dua.key")
    configure(place, loopback.url, "dua.key", "satu.key")
    assert "1 account" in place.must("secrets", "rotate").err
    configure(place, loopback.url, "dua.key")
    place.must("accounts", "check", "kanal")
    configure(place, loopback.url, "satu.key")
    refusal = place.gaung("accounts", "check", "kanal")
    assert (refusal.code, "secret_keys" in refusal.all) == (1, True)
    configure(place, loopback.url, "dua.key")
    place.must("accounts", "logout", "kanal")
    assert place.gaung("accounts", "check", "kanal").code == 1
    secret = telegram_platform.TOKEN.encode()
    assert [path for path in place.folder.rglob("*") if path.is_file() and secret in path.read_bytes()] == []


def test_a_login_that_a_reference_puts_in_the_shade_says_so_and_the_reference_is_used(
    office: tuple[Office, Loopback],
) -> None:
    """What stands in the configuration goes before what is stored, and whoever logs in is told."""
    place, loopback = office
    reference = place.folder / "token"
    reference.write_text("999999999:AAH-token-lama-dari-berkas", encoding="utf-8")
    reference.chmod(0o600)
    configure(place, loopback.url, "satu.key", more='secrets = { bot_token = "file:token" }\n')
    code, screen = at_the_keyboard(place, telegram_platform.TOKEN, "accounts", "login", "kanal")
    assert "The configuration still names bot_token" in screen
    assert (code, "does not work yet" in screen) == (1, True), "the one from the file, which is refused"
    assert place.gaung("accounts", "check", "kanal").code == 1
    assert "AAH-token-lama" not in screen
    configure(place, loopback.url, "satu.key")
    place.must("accounts", "check", "kanal")
    reference.write_text(telegram_platform.TOKEN, encoding="utf-8")
    configure(place, loopback.url, "satu.key", more='secrets = { bot_token = "file:token" }\n')
    place.must("accounts", "check", "kanal")


def test_a_login_that_is_refused_ends_with_words_and_keeps_nothing(office: tuple[Office, Loopback]) -> None:
    place, _ = office
    wrong = "123456789:AAH-kunci-yang-salah"
    code, screen = at_the_keyboard(place, wrong, "accounts", "login", "kanal")
    assert code == 2
    assert "did not succeed" in screen
    assert wrong not in screen
    assert "no stored credentials" in place.must("accounts", "logout", "kanal").err


def test_a_login_without_a_key_is_refused_before_anything_is_asked(office: tuple[Office, Loopback]) -> None:
    place, loopback = office
    configure(place, loopback.url)
    answer = place.must("accounts", "login", "kanal", code=2)
    assert "secrets new-key" in answer.err
    assert loopback.calls == []

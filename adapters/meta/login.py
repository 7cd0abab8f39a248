"""What the logins of Meta's platforms share: the app, pasted tokens and addresses, Pages, renewals.

Facts: PLATFORMS.md, "Facebook Page", Instagram and Threads, a (November 2026). The addresses where a browser
asks for access, and those that turn a code into a token, are Meta's documented ones from memory.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from adapters.contract import N_, Account, Credentials, Dialogue
from adapters.errors import AdapterError, AuthExpired, Rejected, Transient
from adapters.login_steps import Known, ask_token, choose, code_in, end, guide, word
from adapters.meta.graph import NOT_UNDERSTOOD, GraphClient
from adapters.transport import Transport

#: A long-lived token, where the answer does not say.
LIFE = timedelta(days=60)
#: Where Meta sends the browser, unless the option ``redirect_uri`` says otherwise; nobody listens there.
REDIRECT = "https://localhost/"
#: Pages are listed by a hundred, so many times at most.
LISTINGS = 20

_NO_PAGE = N_("This user manages no such Page that the app may see. Begin anew and choose the Page there.")


@dataclass(frozen=True, slots=True)
class App:
    """The app that asks; its secret is in no repr."""

    id: str
    secret: str

    def __repr__(self) -> str:
        return f"<App {self.id}>"


@dataclass(frozen=True, slots=True)
class Door:
    """Where Instagram and Threads log in by themselves: their addresses and the names of their grants."""

    authorize: str
    code: str
    host: str
    scopes: tuple[str, ...]
    prefix: str
    """Of the grants: "ig" or "th"."""
    first: str
    """Where the app's id and secret stand."""


def the_app(known: Known) -> App:
    """The app's id (also an option) and secret, asked for where the account has none."""
    return App(known.ask("app_id", N_("App id")), known.ask("app_secret", N_("App secret")))


def ask_facebook_app(known: Known, dialogue: Dialogue) -> App:
    """The app of a login through Facebook, with a word on where its id and secret stand."""
    if not (known.get("app_id") and known.get("app_secret")):
        guide(
            dialogue,
            N_(
                "App id and app secret stand at https://developers.facebook.com, in the app's basic settings."
            ),
        )
    return the_app(known)


# Facebook Login: user token -> 60 days -> Page tokens


def managed_pages(
    account: Account, now: Callable[[], datetime], app: App, user_token: str, fields: str
) -> list[dict[str, Any]]:
    """Exchange a user's short token for one of 60 days, and list the Pages with their own tokens."""
    client = GraphClient(account, now, user_token, secrets=(app.secret,))
    answer = client.read(
        "oauth/access_token",
        grant_type="fb_exchange_token",
        client_id=app.id,
        client_secret=app.secret,
        fb_exchange_token=user_token,
    )
    client = GraphClient(account, now, word(answer, "access_token"), secrets=(app.secret, user_token))
    found: list[dict[str, Any]] = []
    after: str | None = None
    for _ in range(LISTINGS):
        page = client.edge("me", "accounts", fields=f"id,name,access_token,{fields}", limit=100, after=after)
        data, paging = page.get("data"), page.get("paging")
        found += [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []
        cursors = paging.get("cursors") if isinstance(paging, dict) and paging.get("next") else None
        after = cursors.get("after") if isinstance(cursors, dict) else None
        if not after:
            break
    # Without a token of its own there is no way to write there: the user has no task on that Page.
    return [one for one in found if one.get("access_token")]


def ask_user_token(dialogue: Dialogue, app: App, permissions: tuple[str, ...]) -> str:
    """Guide a person to a short-lived token of a Facebook user."""
    guide(
        dialogue,
        N_("1. Open https://developers.facebook.com/tools/explorer/ as a person who manages the Page."),
        N_("2. Under “Meta App”, choose the app {app}."),
        N_("3. Under “Permissions”, add: {permissions}"),
        N_("4. Press “Generate Access Token”, and choose the Page when Facebook asks."),
        N_("5. Copy the token from the field above."),
        app=app.id,
        permissions=" ".join(permissions),
    )
    return dialogue.ask(N_("User token"), hidden=True).strip()


def choose_page(
    dialogue: Dialogue, pages: list[dict[str, Any]], name: Callable[[dict[str, Any]], str]
) -> dict[str, Any]:
    """Let the person choose; raise AuthExpired if there is nothing to choose."""
    if not pages:
        raise AuthExpired(_NO_PAGE, code="no-page")
    return pages[choose(dialogue, N_("Number of the account"), [name(page) for page in pages])]


def end_of(account: Account, now: Callable[[], datetime], app: App, token: str) -> datetime | None:
    """When a token ends, as Facebook says; None if never, or if Facebook does not say."""
    client = GraphClient(account, now, f"{app.id}|{app.secret}", secrets=(app.secret, token))
    try:
        data = client.read("debug_token", input_token=token).get("data")
    except AdapterError:
        return None
    seconds = data.get("expires_at") if isinstance(data, dict) else None
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) and 0 < seconds < 2**33 else None


# Instagram Login and Threads: address or token -> 60 days -> renewed


def enter(
    door: Door, account: Account, now: Callable[[], datetime], dialogue: Dialogue
) -> tuple[Known, Credentials]:
    """Lead a person through a door; return what was asked for and the long-lived token."""
    known = Known(account, dialogue)
    if not (known.get("app_id") and known.get("app_secret")):
        guide(dialogue, door.first)
    app = the_app(known)
    redirect, state = str(account.options.get("redirect_uri") or REDIRECT), secrets.token_urlsafe(16)
    query = {
        "client_id": app.id,
        "redirect_uri": redirect,
        "response_type": "code",
        "scope": ",".join(door.scopes),
        "state": state,
    }
    guide(
        dialogue,
        N_("1. In the app's settings, {redirect} must stand as redirect address."),
        N_("2. Open this address in a browser that is logged in as the account: {address}"),
        N_("3. Allow everything. The browser then shows a page that does not open: that is right."),
        N_("4. Copy the whole address of that page from the browser's address line."),
        N_("A token from the app's settings, at least a day old, can be pasted instead."),
        redirect=redirect,
        address=f"{door.authorize}?{urlencode(query)}",
    )
    pasted = dialogue.ask(N_("The copied address"), hidden=True).strip()
    if "://" not in pasted:
        return known, _from_token(door, account, now, app, pasted)
    short = _from_code(door, account, now, app, redirect, code_in(pasted, state))
    return known, exchanged(door, account, now, app, short)


def _from_code(
    door: Door, account: Account, now: Callable[[], datetime], app: App, redirect: str, code: str
) -> str:
    form = {
        "client_id": app.id,
        "client_secret": app.secret,
        "grant_type": "authorization_code",
        "redirect_uri": redirect,
        "code": code,
    }
    http = Transport(account.api_base, secrets=(app.secret, code))
    answer = ask_token(http, "POST", door.code, now, data=form)
    inner = answer.get("data")  # Instagram answers with a list of one
    return word(inner[0] if isinstance(inner, list) and inner else answer, "access_token")


def _from_token(
    door: Door, account: Account, now: Callable[[], datetime], app: App, token: str
) -> Credentials:
    """A pasted token is short-lived, or long-lived already: that one cannot be exchanged, only renewed."""
    try:
        return exchanged(door, account, now, app, token)
    except (AuthExpired, Rejected) as error:
        refused = error
    try:
        return renewed(door, account, now, token)
    except (AuthExpired, Rejected):
        pass
    raise refused


def exchanged(door: Door, account: Account, now: Callable[[], datetime], app: App, token: str) -> Credentials:
    """The token of 60 days for a short-lived one."""
    client = GraphClient(account, now, token, secrets=(app.secret,))
    grant = {"grant_type": f"{door.prefix}_exchange_token", "client_secret": app.secret}
    return _credentials(client.get(door.host, "access_token", grant, bearer=False), now)


def renewed(door: Door, account: Account, now: Callable[[], datetime], token: str) -> Credentials:
    """A long-lived token that is at least 24 hours old, prolonged by 60 days."""
    client = GraphClient(account, now, token)
    grant = {"grant_type": f"{door.prefix}_refresh_token"}
    return _credentials(client.get(door.host, "refresh_access_token", grant, bearer=False), now)


def profile(
    door: Door, account: Account, now: Callable[[], datetime], token: str, path: str, fields: str
) -> Mapping[str, Any]:
    """Whose token it is; raise Transient if the platform does not say."""
    client = GraphClient(account, now, token)
    me = client.get(door.host, path or f"{client.version}/me", {"fields": fields})
    if not me.get("username"):
        raise Transient(NOT_UNDERSTOOD, code="username")
    return me


def _credentials(answer: Mapping[str, Any], now: Callable[[], datetime]) -> Credentials:
    return Credentials({"access_token": word(answer, "access_token")}, end(answer, now, LIFE))


__all__ = [
    "App",
    "Door",
    "ask_facebook_app",
    "ask_user_token",
    "choose_page",
    "end_of",
    "enter",
    "managed_pages",
    "profile",
    "renewed",
]

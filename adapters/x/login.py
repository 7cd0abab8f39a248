"""Logging in to X: OAuth 1.0a by PIN, or OAuth 2.0 with PKCE by a pasted address; and its renewal.

The steps are tweepy's, sent through our transport. An OAuth 2.0 token lives two hours and is renewed by a
refresh token that X replaces each time. Facts: PLATFORMS.md, X, a (November 2026); addresses: tweepy 4.17.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from adapters import scopes
from adapters.contract import N_, Account, Credentials, Dialogue
from adapters.errors import AdapterError, AuthExpired
from adapters.login_steps import Known, ask_token, code_in, end, expect, guide, optional, refusal, word
from adapters.transport import Transport, adapter_error
from adapters.x.account import who_am_i
from adapters.x.api import HOST, SCOPES, XApi, login_of
from adapters.x.through import Through

ACCESS_TOKEN = f"{HOST}/oauth/access_token"
TOKEN = f"{HOST}/2/oauth2/token"
#: Where X sends the browser, unless the option ``redirect_uri`` says otherwise; nobody listens there.
REDIRECT = "https://127.0.0.1/"
LIFE = timedelta(hours=2)
#: What is written where an app has no client secret (a "Native App").
NONE = "-"

_NOT_GRANTED = N_("X did not grant everything that Gaung needs. Check the permissions of the app on X.")
_UNUSABLE = N_("X gave no usable token. Begin anew.")


def login(account: Account, now: Callable[[], datetime], dialogue: Dialogue) -> Credentials:
    """Guide a person through the login that the option ``auth`` asks for."""
    by_pin = login_of(account) == "oauth1"
    return _pin(account, now, dialogue) if by_pin else _address(account, now, dialogue)


def renewed(account: Account, now: Callable[[], datetime]) -> Credentials:
    """New OAuth 2.0 tokens for the refresh token that the account has.

    X replaces the refresh token with each renewal; if it gives none, the one we have stays.
    """
    old, client_id = account.secret("refresh_token"), account.secret("client_id")
    client_secret = optional(account, "client_secret")
    http = Transport(account.api_base, secrets=(old, client_secret, optional(account, "access_token")))
    form = {"grant_type": "refresh_token", "refresh_token": old}
    proof: dict[str, Any] = {"auth": (client_id, client_secret)} if client_secret else {}
    if not client_secret:
        form["client_id"] = client_id
    return _credentials(ask_token(http, "POST", TOKEN, now, data=form, **proof), now)


def _pin(account: Account, now: Callable[[], datetime], dialogue: Dialogue) -> Credentials:
    import tweepy

    known = Known(account, dialogue)
    if not (known.get("api_key") and known.get("api_secret")):
        guide(dialogue, N_("The keys of the app stand at https://console.x.com, under “Keys and tokens”."))
    keys = known.ask("api_key", N_("API key")), known.ask("api_secret", N_("API secret"))
    handler = tweepy.OAuth1UserHandler(*keys, callback="oob")
    http = Transport(account.api_base, secrets=keys)
    address = _step(handler.get_authorization_url, Through(handler.oauth, http), http, now)
    guide(
        dialogue,
        N_("1. Open this address in a browser that is logged in to X as the account: {address}"),
        N_("2. Press “Authorize app”."),
        N_("3. X shows a number, the PIN. Copy it."),
        address=address,
    )
    pin = dialogue.ask(N_("PIN")).strip()
    http = Transport(account.api_base, secrets=(*keys, *map(str, handler.request_token.values()), pin))
    # The handler's own get_access_token() opens a session that nobody else can reach, and forgets the name.
    token = _step(
        lambda: handler.oauth.fetch_access_token(ACCESS_TOKEN, verifier=pin),
        Through(handler.oauth, http),
        http,
        now,
    )
    secrets = {
        "access_token": word(token, "oauth_token"),
        "access_token_secret": word(token, "oauth_token_secret"),
    }
    expect(dialogue, account.handle, str(token.get("screen_name") or ""))
    return Credentials({**known.given, **secrets})


def _address(account: Account, now: Callable[[], datetime], dialogue: Dialogue) -> Credentials:
    import tweepy

    known = Known(account, dialogue)
    if not known.get("client_id"):
        guide(
            dialogue,
            N_("The client id stands at https://console.x.com, under “OAuth 2.0 keys”."),
        )
    client_id = known.ask("client_id", N_("Client id"))
    client_secret = known.ask("client_secret", N_("Client secret (write - if the app has none)"))
    if client_secret == NONE:
        known.given.pop("client_secret", None)
        client_secret = ""
    redirect = str(account.options.get("redirect_uri") or REDIRECT)
    handler = tweepy.OAuth2UserHandler(
        client_id=client_id, client_secret=client_secret or None, redirect_uri=redirect, scope=[*SCOPES]
    )
    address = handler.get_authorization_url()
    guide(
        dialogue,
        N_("1. In the app's settings at https://console.x.com, {redirect} must stand as callback address."),
        N_("2. Open this address in a browser that is logged in to X as the account: {address}"),
        N_("3. Press “Authorize app”. The browser then shows a page that does not open: that is right."),
        N_("4. Copy the whole address of that page from the browser's address line."),
        redirect=redirect,
        address=address,
    )
    pasted = dialogue.ask(N_("The copied address"), hidden=True).strip()
    code = code_in(pasted, parse_qs(urlsplit(address).query)["state"][0])
    http = Transport(account.api_base, secrets=(client_secret, code))
    answer = f"https://{pasted.partition('://')[2]}"  # oauthlib takes no http, not even to oneself
    token = _step(lambda: handler.fetch_token(answer), Through(handler, http), http, now)
    given = _credentials(token, now)
    if "refresh_token" not in given.secrets:
        raise AuthExpired(_NOT_GRANTED, code="no-refresh-token")
    _check_identity(account, given.secrets["access_token"], now, dialogue)
    return Credentials({**known.given, **given.secrets}, given.expires_at)


def _check_identity(account: Account, token: str, now: Callable[[], datetime], dialogue: Dialogue) -> None:
    """Compare whose token it is; X charges for the question, which tells the id that spares later ones."""
    try:
        me = who_am_i(XApi(account.api_base, "oauth2", {"access_token": token}, now))
    except AdapterError:
        return  # the code is spent and the token good; who asks next is told what X has against it
    expect(dialogue, account.handle, str(me["username"]))
    if not account.options.get("user_id"):
        dialogue.tell(
            N_("The number of the account is {id}. As user_id among its options, it spares paid questions."),
            id=me["id"],
        )


def _credentials(answer: dict[str, Any], now: Callable[[], datetime]) -> Credentials:
    secrets = {"access_token": word(answer, "access_token")}
    if isinstance(fresh := answer.get("refresh_token"), str) and fresh.strip():
        secrets["refresh_token"] = fresh.strip()
    return Credentials({**secrets, **scopes.told(answer)}, end(answer, now, LIFE))


def _step(call: Callable[[], Any], way: Through, http: Transport, now: Callable[[], datetime]) -> Any:
    """Do one step of tweepy's; whatever it trips over is told by what X answered."""
    import tweepy
    from oauthlib.oauth2 import OAuth2Error  # type: ignore[import-untyped]

    try:
        return call()
    except Warning:  # raised, not warned: the token has other scopes than were asked for
        failure: AdapterError = AuthExpired(_NOT_GRANTED, code="scope")
    except (tweepy.TweepyException, OAuth2Error, requests.RequestException, LookupError, ValueError):
        failure = _meaning(way, http, now())
    raise failure  # outside of the handler: what the libraries raise holds answers with tokens


def _meaning(way: Through, http: Transport, now: datetime) -> AdapterError:
    if way.failure is not None:
        return adapter_error(way.failure, repeatable=True)
    if way.answer is not None:
        return refusal(way.answer, http, now)
    return AuthExpired(_UNUSABLE)


__all__ = ["login", "renewed"]

"""Logging in to a Mastodon server: Gaung registers itself there, and the person pastes a code.

The token does not end by itself (PLATFORMS.md, Mastodon, November 2026). The registration is not kept: it
costs nothing, and a server forgets those that nobody uses.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode

from adapters import scopes
from adapters.contract import N_, Account, Credentials, Dialogue
from adapters.login_steps import ask_token, expect, guide, holding, word
from adapters.transport import Transport

#: The server shows the code on a page instead of sending the browser somewhere.
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"


def login(account: Account, now: Callable[[], datetime], dialogue: Dialogue) -> Credentials:
    """Guide a person to a token of the account on its server."""
    from adapters.mastodon.adapter import NEEDED, MastodonAdapter

    wanted = " ".join(NEEDED)
    MastodonAdapter(account, now)  # tells if neither api_base nor handle names a server
    base = (account.api_base or f"https://{account.handle.strip().rpartition('@')[2]}").rstrip("/")
    form = {"client_name": "Gaung", "redirect_uris": OUT_OF_BAND, "scopes": wanted}
    app = ask_token(Transport(account.api_base), "POST", f"{base}/api/v1/apps", now, data=form)
    client = {"client_id": word(app, "client_id"), "redirect_uri": OUT_OF_BAND, "scope": wanted}
    guide(
        dialogue,
        N_("1. Open this address in a browser that is logged in there as the account: {address}"),
        N_("2. Press “Authorize”."),
        N_("3. The server shows a code. Copy it."),
        address=f"{base}/oauth/authorize?{urlencode({**client, 'response_type': 'code'})}",
    )
    code, client_secret = dialogue.ask(N_("Code"), hidden=True).strip(), word(app, "client_secret")
    grant = {**client, "grant_type": "authorization_code", "client_secret": client_secret, "code": code}
    http = Transport(account.api_base, secrets=(client_secret, code))
    given = ask_token(http, "POST", f"{base}/oauth/token", now, data=grant)
    token = word(given, "access_token")
    server = MastodonAdapter(holding(account, {"access_token": token}), now).server
    me = server.read("/api/v1/accounts/verify_credentials")
    expect(
        dialogue, account.handle.strip().removeprefix("@").partition("@")[0], str(me.get("username") or "")
    )
    return Credentials({"access_token": token, **scopes.told(given)})


__all__ = ["login"]

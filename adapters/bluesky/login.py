"""Logging in to Bluesky: an app password, tried by beginning a session with it.

App passwords do not end (PLATFORMS.md, Bluesky, November 2026).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from adapters.contract import N_, Account, Credentials, Dialogue
from adapters.errors import Misconfigured
from adapters.login_steps import guide, holding


def login(account: Account, now: Callable[[], datetime], dialogue: Dialogue) -> Credentials:
    """Ask for an app password of the account that ``handle`` names."""
    from adapters.bluesky.adapter import BlueskyAdapter

    if not account.handle.strip():
        raise Misconfigured(
            N_("The account {account} needs a handle, like name.bsky.social."), account=account.id
        )
    guide(
        dialogue,
        N_("1. Log in to Bluesky as {handle}, and open https://bsky.app/settings/app-passwords"),
        N_("2. Press “Add App Password”, call it Gaung, and do not allow direct messages."),
        N_("3. Copy the password that Bluesky shows. Never paste the account's own password here."),
        handle=account.handle,
    )
    password = dialogue.ask(N_("App password"), hidden=True).strip()
    BlueskyAdapter(holding(account, {"app_password": password}), now).server.session()
    return Credentials({"app_password": password})


__all__ = ["login"]

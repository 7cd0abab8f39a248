"""Logging in to Threads: a pasted address or token becomes a token of 60 days; and its renewal.

Facts: PLATFORMS.md, Threads, a (November 2026).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from adapters.contract import N_, Account, Credentials, Dialogue
from adapters.login_steps import expect
from adapters.meta import login as meta
from adapters.meta.graph import THREADS

DOOR = meta.Door(
    authorize="https://threads.net/oauth/authorize",
    code=f"https://{THREADS}/oauth/access_token",
    host=THREADS,
    scopes=(
        "threads_basic",
        "threads_content_publish",
        "threads_manage_insights",
        "threads_manage_replies",
        "threads_read_replies",
        "threads_delete",
    ),
    prefix="th",
    first=N_(
        "The Threads app id and secret stand at https://developers.facebook.com, in the app,"
        " “Access the Threads API → Settings”."
    ),
)


def login(account: Account, now: Callable[[], datetime], dialogue: Dialogue) -> Credentials:
    """Guide a person to a long-lived token of the profile."""
    known, given = meta.enter(DOOR, account, now, dialogue)
    me = meta.profile(DOOR, account, now, given.secrets["access_token"], "v1.0/me", "id,username")
    expect(dialogue, account.handle, str(me["username"]))
    return Credentials({**known.given, **given.secrets}, given.expires_at)


def renewed(account: Account, now: Callable[[], datetime]) -> Credentials:
    """Prolong the token by 60 days; Threads refuses it on the token's first day."""
    return meta.renewed(DOOR, account, now, account.secret("access_token"))


__all__ = ["login", "renewed"]

"""Logging in to Instagram: through the linked Facebook Page, or by Instagram Login; and its renewal.

Facts: PLATFORMS.md, Instagram, a (November 2026).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from adapters.contract import N_, Account, Credentials, Dialogue
from adapters.login_steps import Known, expect
from adapters.meta import login as meta
from adapters.meta.graph import INSTAGRAM

DOOR = meta.Door(
    authorize="https://www.instagram.com/oauth/authorize",
    code="https://api.instagram.com/oauth/access_token",
    host=INSTAGRAM,
    scopes=(
        "instagram_business_basic",
        "instagram_business_content_publish",
        "instagram_business_manage_comments",
        "instagram_business_manage_insights",
    ),
    prefix="ig",
    first=N_(
        "The Instagram app id and secret stand at https://developers.facebook.com, in the app,"
        " “API setup with Instagram login”."
    ),
)
PERMISSIONS = (
    "pages_show_list",
    "pages_read_engagement",
    "instagram_basic",
    "instagram_content_publish",
    "instagram_manage_comments",
    "instagram_manage_insights",
)


def login(account: Account, now: Callable[[], datetime], dialogue: Dialogue) -> Credentials:
    """Guide a person through the login that the option ``login`` asks for."""
    if account.options.get("login") == "instagram":
        return _by_instagram(account, now, dialogue)
    return _by_facebook(account, now, dialogue)


def renewed(account: Account, now: Callable[[], datetime]) -> Credentials:
    """Prolong the token of an Instagram Login by 60 days."""
    return meta.renewed(DOOR, account, now, account.secret("access_token"))


def _by_instagram(account: Account, now: Callable[[], datetime], dialogue: Dialogue) -> Credentials:
    known, given = meta.enter(DOOR, account, now, dialogue)
    me = meta.profile(DOOR, account, now, given.secrets["access_token"], "", "user_id,username")
    expect(dialogue, account.handle, str(me["username"]))
    return Credentials({**known.given, **given.secrets}, given.expires_at)


def _by_facebook(account: Account, now: Callable[[], datetime], dialogue: Dialogue) -> Credentials:
    known = Known(account, dialogue)
    app = meta.ask_facebook_app(known, dialogue)
    token = meta.ask_user_token(dialogue, app, PERMISSIONS)
    pages = meta.managed_pages(account, now, app, token, "instagram_business_account{id,username}")
    linked = [page for page in pages if _linked(page)]
    if wanted := str(account.options.get("user_id") or ""):
        linked = [page for page in linked if str(_linked(page).get("id")) == wanted]
    page = meta.choose_page(
        dialogue, linked, lambda one: f"@{_linked(one).get('username')} ({one.get('name')})"
    )
    profile, page_token = _linked(page), str(page["access_token"])
    expect(dialogue, account.handle, str(profile.get("username") or ""))
    if not wanted:
        dialogue.tell(
            N_('Write the number of the account into the configuration: options = {{ user_id = "{id}" }}'),
            id=profile.get("id"),
        )
    return Credentials(
        {**known.given, "access_token": page_token}, meta.end_of(account, now, app, page_token)
    )


def _linked(page: dict[str, Any]) -> dict[str, Any]:
    """The Instagram account that is linked to a Page; empty if there is none."""
    found = page.get("instagram_business_account")
    return found if isinstance(found, dict) and found.get("id") else {}


__all__ = ["login", "renewed"]

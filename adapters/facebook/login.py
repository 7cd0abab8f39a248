"""Logging in to a Facebook Page: a user's token, exchanged for 60 days, gives the Page's own token.

A Page token got in this way does not end by itself (PLATFORMS.md, "Facebook Page", a, November 2026).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from adapters.contract import N_, Account, Credentials, Dialogue
from adapters.facebook.adapter import PERMISSIONS
from adapters.login_steps import Known
from adapters.meta.login import ask_facebook_app, ask_user_token, choose_page, end_of, managed_pages


def login(account: Account, now: Callable[[], datetime], dialogue: Dialogue) -> Credentials:
    """Guide a person to the token of the Page that ``page_id`` (or a numeric handle) names, or is chosen."""
    known = Known(account, dialogue)
    app = ask_facebook_app(known, dialogue)
    token = ask_user_token(dialogue, app, ("pages_show_list", *PERMISSIONS))
    pages = managed_pages(account, now, app, token, "category")
    handle = account.handle.strip().removeprefix("@")
    if wanted := str(account.options.get("page_id") or (handle if handle.isdigit() else "")):
        pages = [page for page in pages if str(page.get("id")) == wanted]
    page = choose_page(dialogue, pages, lambda one: f"{one.get('name')} ({one.get('id')})")
    dialogue.tell(N_("The Page is {name}, number {id}."), name=page.get("name"), id=page.get("id"))
    page_token = str(page["access_token"])
    return Credentials({**known.given, "page_token": page_token}, end_of(account, now, app, page_token))


__all__ = ["login"]

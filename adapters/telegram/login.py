"""Logging in to a Telegram channel: the bot's token, and whether the bot may write there.

The token does not end (PLATFORMS.md, Telegram channel, November 2026).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from adapters.contract import N_, Account, Credentials, Dialogue
from adapters.errors import AccountHeld, Misconfigured
from adapters.login_steps import guide, holding

#: How often the person may say that the bot is administrator now.
TRIES = 3


def login(account: Account, now: Callable[[], datetime], dialogue: Dialogue) -> Credentials:
    """Ask for the bot's token, then wait until the bot may write in the channel."""
    from adapters.telegram.adapter import TelegramAdapter

    if not account.handle.strip():
        raise Misconfigured(
            N_("The account {account} needs a handle: the @name or number of the channel."),
            account=account.id,
        )
    guide(
        dialogue,
        N_("1. In Telegram, write to @BotFather."),
        N_("2. Send /newbot and answer its questions; for a bot that exists, send /token."),
        N_("3. Copy the token that it sends: a number, a colon and a key."),
    )
    token = dialogue.ask(N_("Bot token"), hidden=True).strip()
    adapter = TelegramAdapter(holding(account, {"bot_token": token}), now)
    for _ in range(TRIES):
        try:
            if not adapter.verify().missing_permissions:
                return Credentials({"bot_token": token})
        except AccountHeld:  # the bot is not in the channel; a refused token is AuthExpired
            pass
        guide(
            dialogue,
            N_("The token is good, but the bot may not write in {channel} yet."),
            N_("1. Open the channel, then “Administrators → Add administrator”."),
            N_("2. Choose the bot, and leave only “Post messages” on."),
            channel=account.handle,
        )
        dialogue.ask(N_("Write ok when that is done"))
    raise AccountHeld(N_("The bot may not write in the channel. Make it administrator and begin anew."))


__all__ = ["login"]

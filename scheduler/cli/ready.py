"""Answers that are kept ready, as they read on an account, and what is objected to in them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from scheduler.cli.workplace import Workplace
from scheduler.i18n import N_

if TYPE_CHECKING:
    from campaigns.files import Loaded
    from campaigns.problems import Problem


def reading(workplace: Workplace, name: str, account: str) -> str:
    """An answer as it reads on an account; raise LookupError with the name of a place without a value."""
    from scheduler.canned import filled

    inbox, settings = workplace.config.inbox, workplace.config.accounts[account]
    own = {"agency": settings.agency, "handle": settings.handle}
    values = {**own, **inbox.values, **inbox.agencies.get(settings.agency, {})}
    return filled(workplace.config.replies[name].on(settings.platform), values)


def problems(workplace: Workplace, loaded: Sequence[Loaded]) -> list[Problem]:
    """What platforms and editor would object to, told before anyone needs the answer.

    Asked once for a text and a platform; on accounts of platforms that take no answers, nothing is asked.
    """
    from adapters.contract import Post, ReplyTo
    from adapters.errors import Misconfigured
    from campaigns.problems import Problem
    from scheduler.checking import reply_problems

    if not loaded or not workplace.config.replies:
        return []
    # Problems name files from the folder of the campaigns.
    folder = workplace.config.path(workplace.config.campaigns)
    file = Path(os.path.relpath(workplace.config.file, folder.resolve())).as_posix()
    found: list[Problem] = []
    seen: set[tuple[str, str, str]] = set()
    for account, settings in workplace.config.accounts.items():
        try:
            adapter = workplace.accounts.adapter(account)
        except Misconfigured:  # which is told where the account is used
            continue
        if adapter.reply_limits is None:
            continue
        for name in workplace.config.replies:
            item = f"replies.{name}"
            try:
                text = reading(workplace, name, account)
            except LookupError as error:
                words = N_("The place {place} has no value on this account.")
                values = {"place": "{" + str(error.args[0]) + "}"}
                found.append(Problem("canned-place", words, values, file=file, item=item, field=account))
                continue
            if (name, settings.platform, text) in seen:
                continue
            seen.add((name, settings.platform, text))
            objections = reply_problems(
                loaded[0],
                Post(key="", text=text, reply_to=ReplyTo("", "")),
                adapter,
                workplace.config,
                item=item,
                account=account,
                now=workplace.clock.now(),
            )
            found += [replace(one, file=file) for one in objections]
    return found

"""What a person has to do now, the most urgent first, each with the command that does it.

``status`` begins with it. What is only worth knowing is said below it, not here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from scheduler.cli.output import Format, local_time
from scheduler.i18n import _, ngettext

if TYPE_CHECKING:
    from scheduler.store.listings import Standing


#: Without a daemon, cron runs one pass after the other; so long after the last, nobody is there.
LATELY = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Found:
    """What is looked at."""

    standing: Standing
    waiting: Mapping[str, int]
    """Texts that wait for approval, by campaign."""
    sent_back: Sequence[Mapping[str, Any]]
    ending: Sequence[str]
    """Accounts whose login ends soon."""


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do; the code is for programs."""

    code: str
    count: int
    words: str
    command: str


def unattended(standing: Standing, now: datetime) -> bool:
    """Whether posts are to come and nothing is there to publish them, nor was until lately (UTC)."""
    from scheduler.states import State

    there = any(one.health == "alive" or now - one.node.seen_at < LATELY for one in standing.nodes)
    return bool(standing.by_state.get(State.PLANNED)) and not there


def tasks(found: Found, now: datetime) -> list[Task]:
    """Given what was found, what to do about it."""
    nobody = unattended(found.standing, now)
    return [
        *_urgent(found.standing, late=nobody and found.standing.overdue > 0),
        *_decisions(found.standing),
        *_everyday(found),
        *([Task("no-daemon", 1, _("No daemon is running"), "gaung run")] if nobody else []),
    ]


def _urgent(standing: Standing, *, late: bool) -> Iterator[Task]:
    for stop in standing.stops:
        yield Task("stop", 1, _("An emergency stop is in force"), f"gaung resume {stop.id}")
    if count := len(standing.doubles):
        said = ngettext("{count} post was accepted twice", "{count} posts were accepted twice", count)
        yield Task("doubles", count, said, "gaung resolve ID --double")
    if late:
        said = ngettext(
            "{count} post is past its time, and no daemon is running",
            "{count} posts are past their time, and no daemon is running",
            standing.overdue,
        )
        yield Task("overdue", standing.overdue, said, "gaung run")
    for account in standing.accounts:
        if account.disabled_at:
            said = _("The account {account} does not work", account=account.account_id)
            yield Task("account", 1, said, f"gaung accounts check {account.account_id}")


def _decisions(standing: Standing) -> Iterator[Task]:
    from scheduler.states import State

    if count := standing.asking:
        said = ngettext(
            "{count} post may be published: look at its account",
            "{count} posts may be published: look at their accounts",
            count,
        )
        yield Task("unsure", count, said, "gaung posts --state unsure")
    if count := standing.by_state.get(State.HANDED, 0):
        said = ngettext(
            "{count} post is to be published by hand", "{count} posts are to be published by hand", count
        )
        yield Task("handed", count, said, "gaung posts --state handed")
    if count := standing.by_state.get(State.REVIEW, 0):
        said = ngettext("{count} post waits for a decision", "{count} posts wait for a decision", count)
        yield Task("review", count, said, "gaung review")
    if count := standing.by_state.get(State.FAILED, 0):
        said = ngettext("{count} post has failed", "{count} posts have failed", count)
        yield Task("failed", count, said, "gaung posts --state failed")
    for account, count in standing.over_budget.items():
        said = ngettext(
            "{account}: {count} post is held by the budget",
            "{account}: {count} posts are held by the budget",
            count,
            account=account,
        )
        yield Task("over-budget", count, said, f"gaung budget {account}")


def _everyday(found: Found) -> Iterator[Task]:
    for account in found.ending:
        said = _("The login of {account} ends soon", account=account)
        yield Task("login", 1, said, f"gaung accounts login {account}")
    if count := len({(row["campaign"], row["message"]) for row in found.sent_back}):
        said = ngettext(
            "{count} message was sent back; when it is mended",
            "{count} messages were sent back; when they are mended",
            count,
        )
        yield Task("sent-back", count, said, "gaung apply")
    for campaign, count in found.waiting.items():
        if not count:
            continue
        said = ngettext("{count} text waits for approval", "{count} texts wait for approval", count)
        yield Task("unapproved", count, said, f"gaung approve {campaign}")
    if count := found.standing.comments_open:
        said = ngettext("{count} comment waits for somebody", "{count} comments wait for somebody", count)
        yield Task("comments", count, said, "gaung inbox")


def facts(found: Sequence[Task], form: Format) -> dict[str, tuple[str, Any]]:
    """The same for programs; people are told before anything else (``lines``)."""
    if form is Format.JSON:
        told = [{"code": one.code, "count": one.count, "command": one.command} for one in found]
        return {"to_do": ("", told)}
    if form is Format.CSV:
        return {"to_do": ("", ", ".join(one.code for one in found))}
    return {}


def lines(found: Sequence[Task], standing: Standing) -> list[str]:
    """The answer to "is all well?": what to do, or that there is nothing."""
    if found:
        return [_("To do:"), *(f"  {one.words}: {one.command}" for one in found)]
    if late := standing.overdue:
        return [
            ngettext(
                "Nothing to decide, but {count} post is past its time: gaung posts --state planned",
                "Nothing to decide, but {count} posts are past their time: gaung posts --state planned",
                late,
            )
        ]
    if upcoming := standing.next_due:
        at = local_time(upcoming.allowed_at, upcoming.zone)
        return [_("All is well. The next post goes out on {time}.", time=at)]
    if not standing.by_state:
        return [_("Nothing is planned yet. To begin: {command}", command="gaung apply")]
    return [_("All is well. Nothing further is planned.")]

"""The same text on an account too soon again, and posts of an account too close to each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from campaigns.checks.desk import Desk, Finding
from campaigns.planning import PlannedPost
from campaigns.problems import N_
from campaigns.timetable import to_local


def same_text(desk: Desk) -> Iterator[Finding]:
    """Messages whose text an account has, or will have, said shortly before; the first time of each."""
    within = desk.settings.repeat_within
    said: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for out in desk.known:
        said[out.account, _plain(out.text)].append(out.at)
    for post in (*desk.posts, *desk.others):
        said[post.target.id, _plain(post.variant.text)].append(post.allowed_at)
    told: set[tuple[str, str]] = set()
    for post in desk.to_come:
        if (post.message_id, post.target.id) in told:
            continue
        before = [
            at
            for at in said[post.target.id, _plain(post.variant.text)]
            if timedelta(0) < post.allowed_at - at < within
        ]
        if before:
            told.add((post.message_id, post.target.id))
            yield Finding(
                N_("{account} says the same on {first} and again on {second}."),
                {"account": post.target.id, "first": _shown(max(before), desk), "second": _at(post, desk)},
                post.message_id,
                "text",
            )


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def too_close(desk: Desk) -> Iterator[Finding]:
    """Posts of an account that are planned closer to each other than it keeps them apart."""
    own = {post.key for post in desk.posts}
    by_account: dict[str, list[PlannedPost]] = defaultdict(list)
    for post in (*desk.to_come, *(one for one in desk.others if one.allowed_at >= desk.now)):
        by_account[post.target.id].append(post)
    told: set[tuple[str, str]] = set()
    for account, posts in by_account.items():
        posts.sort(key=lambda post: (post.allowed_at, post.key))
        for earlier, later in pairwise(posts):
            gap = max(desk.loaded.campaign.min_gap, desk.settings.gaps.get(account, timedelta(0)))
            mine = later if later.key in own else earlier
            if later.allowed_at - earlier.allowed_at >= gap or mine.key not in own:
                continue
            if (mine.message_id, account) in told:
                continue
            told.add((mine.message_id, account))
            other = earlier if mine is later else later
            yield Finding(
                N_(
                    "On {account} it is less than {minutes} min from {other} ({at}); the later one will wait."
                ),
                {
                    "account": account,
                    "minutes": int(gap.total_seconds() // 60),
                    "other": other.message_id,
                    "at": _at(later, desk),
                },
                mine.message_id,
                "at",
            )


def _at(post: PlannedPost, desk: Desk) -> str:
    return _shown(post.allowed_at, desk)


def _shown(at: datetime, desk: Desk) -> str:
    return f"{to_local(at, desk.loaded.campaign.zone):%Y-%m-%d %H:%M}"

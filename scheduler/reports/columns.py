"""The columns of a report: code, heading, kind of value, and what the figure means.

Codes are language-neutral and never change; headings and meanings are translated where they are shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from scheduler.i18n import N_, in_language
from scheduler.store.reporting import FIGURES

#: What a cell holds. ``code`` is a text of which no character may be lost (an id, a hash, an address).
Kind = Literal["text", "code", "count", "rate", "time", "day", "clock"]
Headers = Literal["codes", "id", "en"]
GroupBy = Literal["post", "message", "topic", "platform", "account", "agency", "day"]

#: What people did with a post; what a platform does not tell is left out of the sum.
ENGAGEMENT = ("likes", "comments", "shares", "saves")
#: The figures of a row: what was measured, and what is reckoned from it.
MEASURED = (*FIGURES, "engagement")
#: What is added up over posts: these, and the comments that were heard and answered.
COUNTED = (*MEASURED, "received", "answered")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    code: str
    heading: str
    kind: Kind = "text"
    width: int = 14
    """Characters, for formats that set a width."""
    free: bool = False
    """People or platforms wrote it, so it may hold anything; the rest are codes and numbers of ours."""


ALL: Mapping[str, Column] = {
    column.code: column
    for column in (
        Column("no", N_("No."), "count", 6),
        Column("date", N_("Date"), "day", 13),
        Column("time", N_("Time"), "clock", 8),
        Column("zone", N_("Zone"), width=7),
        Column("agency", N_("Agency"), width=24, free=True),
        Column("account", N_("Account"), "code", 22),
        Column("platform", N_("Platform"), width=12),
        Column("campaign", N_("Campaign"), "code", 18),
        Column("message", N_("Message"), "code", 20),
        Column("topic", N_("Topic"), width=16, free=True),
        Column("title", N_("Title"), width=38, free=True),
        Column("kind", N_("Kind of content"), width=12),
        Column("planned_at", N_("Planned"), "time", 18),
        Column("published_at", N_("Published"), "time", 18),
        Column("state", N_("State"), width=16),
        Column("permalink", N_("Link"), "code", 28, free=True),
        Column("views", N_("Views"), "count", 11),
        Column("reach", N_("Reach"), "count", 11),
        Column("likes", N_("Likes"), "count", 9),
        Column("comments", N_("Comments"), "count", 11),
        Column("shares", N_("Shares"), "count", 9),
        Column("saves", N_("Saves"), "count", 9),
        Column("clicks", N_("Clicks"), "count", 9),
        Column("video_views", N_("Video views"), "count", 11),
        Column("profile_visits", N_("Profile visits"), "count", 11),
        Column("engagement", N_("Engagement"), "count", 11),
        Column("engagement_rate", N_("Engagement rate"), "rate", 11),
        Column("received", N_("Comments received"), "count", 11),
        Column("answered", N_("Comments answered"), "count", 11),
        Column("response_minutes", N_("Response time (minutes)"), "count", 11),
        Column("followers", N_("Followers"), "count", 11),
        Column("followers_change", N_("Change in followers"), "count", 11),
        Column("followers_at", N_("Followers counted"), "time", 18),
        Column("source", N_("Source"), width=10),
        Column("measured_at", N_("Measured"), "time", 18),
        Column("drafter", N_("Drafter"), width=24, free=True),
        Column("approver", N_("Approver"), width=24, free=True),
        Column("approved_at", N_("Approved"), "time", 18),
        Column("digest", N_("Version (hash)"), "code", 12),
        Column("evidence", N_("Evidence"), "code", 30, free=True),
        Column("note", N_("Note"), width=34, free=True),
    )
}

#: For programs: what came first stays first, what is new comes last.
DATA = (
    *("agency", "account", "platform", "campaign", "message", "topic", "planned_at", "published_at"),
    *("zone", "state", "permalink", "views", "reach", "likes", "comments", "shares", "saves", "clicks"),
    *("engagement", "source", "measured_at", "approver", "digest"),
    *("title", "kind", "engagement_rate", "drafter", "approved_at", "evidence", "note"),
    *("video_views", "profile_visits", "received", "answered", "response_minutes"),
)
#: For offices: the columns of a monthly recap (DOMAIN.md section 1), and where each figure comes from.
OFFICE = (
    *("no", "date", "time", "zone", "agency", "account", "platform", "campaign", "topic", "title"),
    *("kind", "permalink", "state", *FIGURES, "engagement", "engagement_rate"),
    *("received", "answered", "response_minutes", "source", "measured_at"),
    *("drafter", "approver", "approved_at", "digest", "evidence", "note"),
)

#: Of accounts alone: people follow an account, not a post.
FOLLOWING = ("followers", "followers_change", "followers_at")

#: What each figure is, word for word as every report prints it.
MEANINGS: Mapping[str, str] = {
    "views": N_("How often the post was shown. One person may be counted several times."),
    "reach": N_(
        "How many different people saw the post, as the platform itself reckons it. Whoever saw two posts is"
        " in the figure of both: the sum over posts is not a number of people."
    ),
    "likes": N_("Likes and other reactions."),
    "comments": N_("Comments and replies."),
    "shares": N_("How often the post was passed on: shares, reposts, quotes."),
    "saves": N_("How often the post was saved or bookmarked."),
    "clicks": N_("Clicks on the post or its link, as the platform reckons them."),
    "video_views": N_("How often the video of the post was played, as the platform reckons it."),
    "profile_visits": N_("How often people went on from the post to the profile of the account."),
    "engagement": N_(
        "Likes, comments, shares and saves added up. What a platform does not tell is left out of the sum."
    ),
    "engagement_rate": N_("Engagement divided by reach; empty if either is unknown."),
    "received": N_(
        "Comments and replies of others under the post that Gaung has read; empty if it has read none."
    ),
    "answered": N_("How many of them the account has answered."),
    "response_minutes": N_(
        "How many minutes it took the account on average to answer, over the comments that it answered."
    ),
    "followers": N_(
        "How many people follow the account, as last counted in the time of the report; the change is that"
        " since the last count before it, or else since the first count in it."
    ),
}

#: Columns of a grouped report: how many posts, then each figure with the number of posts that know it.
_GROUP_HEADINGS: Mapping[str, str] = {
    "views": N_("Views, sum"),
    "reach": N_("Reach added over posts (not people)"),
    "likes": N_("Likes, sum"),
    "comments": N_("Comments, sum"),
    "shares": N_("Shares, sum"),
    "saves": N_("Saves, sum"),
    "clicks": N_("Clicks, sum"),
    "video_views": N_("Video views, sum"),
    "profile_visits": N_("Profile visits, sum"),
    "engagement": N_("Engagement, sum"),
    "received": N_("Comments received"),
    "answered": N_("Comments answered"),
}
_GROUP_KNOWN = N_("{figure}: known for posts")
_GROUP_DAY = Column("day", N_("Day"), "day", 13)


def grouped(by: GroupBy) -> Sequence[Column]:
    """The columns of a report with one row for each ``by``."""
    columns = [
        _GROUP_DAY if by == "day" else ALL[by],
        Column("posts", N_("Posts"), "count", 9),
        Column("published", N_("Posts published"), "count", 11),
    ]
    for name in COUNTED:
        columns.append(Column(f"{name}_sum", _GROUP_HEADINGS[name], "count", 14))
        columns.append(Column(f"{name}_known", _GROUP_KNOWN, "count", 12))
    columns.append(ALL["response_minutes"])
    return [*columns, *(ALL[name] for name in FOLLOWING)] if by == "account" else columns


def heading(column: Column, headers: Headers) -> str:
    """What stands above a column: its code, or its heading in a language."""
    if headers == "codes":
        return column.code
    if column.heading == _GROUP_KNOWN:
        figure = in_language(headers, ALL[column.code.removesuffix("_known")].heading)
        return in_language(headers, column.heading, figure=figure)
    return in_language(headers, column.heading)

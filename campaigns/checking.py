"""What an editor would object to in a campaign before anyone approves it; nothing here refuses anything.

Public holidays come from the package ``holidays`` with the categories public and government: its
default leaves out joint leave (DOMAIN.md section 3). Dates that it only estimates are told as such.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from campaigns.files import Loaded
from campaigns.planning import local_slots
from campaigns.problems import N_, Problem

#: How much of a long campaign is looked at.
LOOK_AHEAD = timedelta(days=800)
#: How the package marks a date that awaits its official announcement.
_ESTIMATED = ("perkiraan", "estimated")


def objections(loaded: Loaded) -> list[Problem]:
    """Given a campaign, return warnings: messages that never get a time, posts on public holidays."""
    campaign = loaded.campaign
    times: dict[str, list[date]] = {message.id: [] for message in campaign.messages}
    for message, slot in local_slots(campaign, campaign.start + LOOK_AHEAD):
        times[message.id].append(slot.date())
    file = loaded.path.name
    problems = [
        Problem(
            "never",
            N_("The message is never published: its rule names no time between {start} and {end}."),
            {"start": campaign.start, "end": campaign.end},
            file=file,
            item=message_id,
            severity="warning",
        )
        for message_id, days in times.items()
        if not days
    ]
    names = holiday_names({day for days in times.values() for day in days})
    for message_id, days in times.items():
        for day in dict.fromkeys(one for one in days if one in names):
            estimated = any(mark in names[day].lower() for mark in _ESTIMATED)
            problems.append(
                Problem(
                    "holiday",
                    N_("{day} is probably a public holiday ({name}); the date is not official yet.")
                    if estimated
                    else N_("{day} is a public holiday ({name})."),
                    {"day": day.isoformat(), "name": names[day]},
                    file=file,
                    item=message_id,
                    severity="warning",
                )
            )
    return problems


def holiday_names(days: Iterable[date]) -> dict[date, str]:
    """Given days, return the names of those that are public holidays or joint leave in Indonesia."""
    wanted = set(days)
    if not wanted:
        return {}
    from holidays import country_holidays

    calendar = country_holidays(
        "ID",
        years=sorted({day.year for day in wanted}),
        categories=("public", "government"),
        language="id",
    )
    return {day: calendar[day] for day in sorted(wanted) if day in calendar}

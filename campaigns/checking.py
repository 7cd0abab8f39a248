"""What an editor would object to in the times of a campaign before anyone approves it.

Nothing here refuses anything: messages that never get a time, and posts at times that a window moves,
holds or warns of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from campaigns import holidays
from campaigns.files import Loaded
from campaigns.planning import local_slots, place_of
from campaigns.problems import N_, Problem
from campaigns.windows import Rule, Windows, combined

#: How much of a long campaign is looked at.
LOOK_AHEAD = timedelta(days=800)


#: The codes of :func:`objections`.
CODES = frozenset({"never", "holiday", "window", "window-holds", "window-moves"})


def objections(loaded: Loaded, windows: Windows | None = None) -> list[Problem]:
    """Given a campaign, return warnings: messages that never get a time, posts that fall into a window."""
    campaign = loaded.campaign
    times: dict[str, list[datetime]] = {message.id: [] for message in campaign.messages}
    for message, slot in local_slots(campaign, campaign.start + LOOK_AHEAD):
        times[message.id].append(slot)
    problems = [
        Problem(
            "never",
            N_("The message is never published: its rule names no time between {start} and {end}."),
            {"start": campaign.start, "end": campaign.end},
            file=loaded.path.name,
            item=message_id,
            severity="warning",
        )
        for message_id, slots in times.items()
        if not slots
    ]
    rules = windows or combined(())
    for message in campaign.messages:
        places = [place_of(campaign.id, target, message.message_class) for target in loaded.targets]
        concerned = dict.fromkeys(rule for place in places for rule in rules.of(place))
        problems += _in_windows(loaded.path.name, message.id, times[message.id], tuple(concerned), rules)
    return problems


def _in_windows(
    file: str, item: str, slots: Sequence[datetime], concerned: Sequence[Rule], windows: Windows
) -> list[Problem]:
    """A warning for each day off, and one for each other rule into which times of the message fall."""
    inside: dict[Rule, list[datetime]] = {}
    for slot in slots:
        for rule in windows.at(slot, concerned):
            inside.setdefault(rule, []).append(slot)
    problems: list[Problem] = []
    for rule, found in inside.items():
        if rule.kind in {"holiday", "joint-leave"} and rule.effect == "warn" and rule.start is None:
            problems += _days_off(file, item, found)
            continue
        values = {"count": len(found), "rule": rule.title or rule.id, "first": f"{found[0]:%Y-%m-%d %H:%M}"}
        code, words = _WORDS[rule.effect]
        problems.append(Problem(code, words, values, file=file, item=item, severity="warning"))
    return problems


_WORDS: Mapping[str, tuple[str, str]] = {
    "hold": (
        "window-holds",
        N_("{count} of its times fall into the window {rule}, which holds them (first: {first})."),
    ),
    "move": (
        "window-moves",
        N_("{count} of its times fall into the window {rule}, which moves them (first: {first})."),
    ),
    "warn": ("window", N_("{count} of its times fall into the window {rule} (first: {first}).")),
}


def _days_off(file: str, item: str, slots: Sequence[datetime]) -> list[Problem]:
    return [
        Problem(
            "holiday",
            N_("{day} is probably a public holiday ({name}); the date is not official yet.")
            if off.estimated
            else N_("{day} is a public holiday ({name})."),
            {"day": day.isoformat(), "name": off.name},
            file=file,
            item=item,
            severity="warning",
        )
        for day, off in holidays.among(slot.date() for slot in slots).items()
    ]

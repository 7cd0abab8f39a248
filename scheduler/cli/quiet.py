"""What windows say of a post, as columns of a listing; and the names of windows in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scheduler.cli.output import say
from scheduler.i18n import N_, _, language

if TYPE_CHECKING:
    from campaigns.planning import PlannedPost
    from campaigns.windows import Rule, Windows

#: What programs get of a window.
WINDOW_COLUMNS = ("effect", "rule", "allowed_at", "next_slot", "warned_by")

KINDS = {
    "quiet-hours": N_("quiet hours"),
    "friday-prayer": N_("Friday prayer"),
    "ramadan": N_("Ramadan hours"),
    "holiday": N_("public holiday"),
    "joint-leave": N_("joint leave"),
    "election": N_("election quiet period"),
    "mourning": N_("mourning"),
    "office": N_("dates of the office"),
    "working-day": N_("working day"),
}

EFFECTS = {
    "hold": N_("holds"),
    "move": N_("moves"),
    "warn": N_("warns"),
    "off": N_("off"),
}


def tell_windows(before: Windows, after: Windows) -> None:
    """Tell that other windows are in force than before; those that come with Gaung are no news."""
    from campaigns.windows import USUAL

    own = [rule for rule in after.active if rule not in USUAL]
    if own:
        rules = ", ".join(f"{rule_words(rule)} ({_(EFFECTS[rule.effect])})" for rule in own)
        say(_("Rules about time in force from now on: {rules}. Posts to come follow them.", rules=rules))
    elif any(rule not in USUAL for rule in before.active):
        say(_("The office's own rules about time are no longer in force. Posts to come follow their plan."))


def rule_words(rule: Rule) -> str:
    """A window as people call it: its own title, or else the name of its kind."""
    return rule.title or _(KINDS[rule.kind])


def week_words(rule: Rule) -> str:
    """The weekdays and times of a window, as they are written in the language in use."""
    return ", ".join(part for part in (day_words(rule), time_words(rule)) if part)


def day_words(rule: Rule) -> str:
    """The weekdays of a window; none if it is for all of them."""
    from babel.dates import get_day_names

    from campaigns.timetable import weekdays

    names = get_day_names("wide", context="stand-alone", locale=language())
    days = sorted({number for day in rule.days for number in weekdays(day)})
    return ", ".join(names[number] for number in days if len(days) < 7)


def time_words(rule: Rule) -> str:
    """The times of a window."""
    return ", ".join(
        one.replace(":", ".").replace("-", "–") if language() == "id" else one for one in rule.times
    )


def window_columns(post: PlannedPost, windows: Windows, zone: str) -> dict[str, Any]:
    """What moves, holds or warns of a post, in words (``window``) and for programs."""
    from campaigns.timetable import to_utc
    from scheduler.reports.rows import LocalTime

    verdict = post.verdict
    by_id = {rule.id: rule for rule in windows.rules}
    slot = LocalTime(to_utc(verdict.slot, zone), zone) if verdict.slot else None
    return {
        "window": _words(verdict.effect, verdict.rule, verdict.warns, by_id, slot),
        "effect": verdict.effect or ("warn" if verdict.warns else ""),
        "rule": verdict.rule,
        "allowed_at": LocalTime(post.allowed_at, zone),
        "next_slot": slot,
        "warned_by": ", ".join(verdict.warns),
    }


def _words(effect: str, rule: str, warns: tuple[str, ...], by_id: dict[str, Rule], slot: Any) -> str:
    from scheduler.cli.output import human

    name = rule_words(by_id[rule]) if rule in by_id else rule
    if effect == "move":
        return _("moves to {time} ({rule})", time=human(slot), rule=name)
    if effect == "hold" and slot:
        return _("held ({rule}); next slot: {time}", time=human(slot), rule=name)
    if effect == "hold":
        return _("held ({rule}); no slot is left", rule=name)
    names = ", ".join(rule_words(by_id[one]) if one in by_id else one for one in warns)
    return _("falls into: {rules}", rules=names) if names else ""

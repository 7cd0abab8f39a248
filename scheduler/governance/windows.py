"""The windows of the office: those of the configuration, and those of its file of signed-off dates.

Dates that a government announces are data with a source, never computed; here they are only read and
put together. What is in force for the daemon is what was applied (``scheduler.store.windowing``).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pydantic import Field

from campaigns.definition import Part
from campaigns.problems import Problem
from campaigns.validation import parse, read_toml
from campaigns.windows import Rule, SignedRule, Windows, combined
from scheduler.config import Config
from scheduler.errors import ProblemsError
from scheduler.i18n import N_


class SignedDates(Part):
    """What the file of the office's own dates says."""

    dates: tuple[SignedRule, ...] = Field(min_length=1)


def of_config(config: Config) -> Windows:
    """The windows as the files say them; raise ProblemsError with everything that is wrong in them."""
    signed = _signed(config.path(Path(config.windows.dates))) if config.windows.dates else ()
    rules = (*config.windows.rules, *signed)
    ids = [rule.id for rule in rules]
    problems = [
        Problem(
            "window-twice",
            N_("The window id {id} is used twice."),
            {"id": one},
            file=config.file.name,
            item=one,
            field="id",
        )
        for one in dict.fromkeys(ids)
        if ids.count(one) > 1
    ]
    problems += _unknown_names(config, rules)
    if problems:
        raise ProblemsError(problems)
    return combined(rules)


def _signed(path: Path) -> tuple[Rule, ...]:
    raw = read_toml(path)
    if isinstance(raw, Problem):
        raise ProblemsError([replace(raw, file=path.name)])
    dates = parse(SignedDates, raw, path.name)
    if isinstance(dates, list):
        raise ProblemsError(dates)
    return dates.dates


def _unknown_names(config: Config, rules: tuple[Rule, ...]) -> list[Problem]:
    """A rule for a misspelt account would hold nothing. Campaigns come and go, so those are not looked up."""
    accounts = config.accounts
    known = {
        "accounts": set(accounts),
        "agencies": {one.agency for one in accounts.values()},
        "regions": {one.region for one in accounts.values()},
        "platforms": {one.platform for one in accounts.values()},
    }
    return [
        Problem(
            "window-scope",
            N_("The window {id} names {name}, which no account of the configuration has."),
            {"id": rule.id, "name": name},
            file=config.file.name,
            item=rule.id,
            field=field,
        )
        for rule in rules
        for field, names in known.items()
        for name in getattr(rule, field)
        if name not in names
    ]

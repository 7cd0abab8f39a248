"""A folder of TOML files -> campaigns, or every problem of all of them at once with its place.

Reads the files and their media; decides nothing about times. What it returns is ready to plan:
the definition, the accounts it reaches and the facts of each media file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from campaigns.definition import (
    Campaign,
    MediaFacts,
    MediaFile,
    Message,
    Override,
    Target,
    ThreadPart,
    media_files,
)
from campaigns.media import media_facts
from campaigns.problems import N_, Problem, nearest
from campaigns.validation import parse, read_toml


@dataclass(frozen=True, slots=True)
class Audience:
    """What the configuration offers to campaigns: its accounts, groups of accounts, and platforms."""

    accounts: Mapping[str, Target]
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    platforms: Collection[str] = ()

    def targets(self, names: Sequence[str]) -> tuple[Target, ...]:
        """The accounts behind ids and groups, each once, in the order named; unknown names are skipped."""
        ids = [one for name in names for one in self.groups.get(name, (name,))]
        return tuple(self.accounts[one] for one in dict.fromkeys(ids) if one in self.accounts)


@dataclass(frozen=True, slots=True)
class Loaded:
    """One campaign, complete: its file, definition, accounts, and the facts of its media by name."""

    path: Path
    campaign: Campaign
    targets: tuple[Target, ...]
    media: Mapping[str, MediaFacts]


def load(folder: Path, audience: Audience) -> tuple[list[Loaded], list[Problem]]:
    """Given a folder, return its campaigns and every problem. A campaign with a problem is not returned.

    Mistakes of form and mistakes of reference (accounts, pictures, ids used twice) are told together.
    """
    if not folder.is_dir():
        return [], [
            Problem(
                "no-folder",
                N_("The campaign folder does not exist."),
                hint=N_("Create it, or correct the key campaigns in the configuration."),
                file=str(folder),
            )
        ]
    loaded: list[Loaded] = []
    problems: list[Problem] = []
    owners: dict[str, Path] = {}
    for path in sorted(folder.glob("*.toml")):
        result, found = load_file(path, audience)
        if result and (first := owners.setdefault(result.campaign.id, path)) != path:
            found.append(
                Problem(
                    "campaign-twice",
                    N_("The campaign id {id} is already used in {other}."),
                    {"id": result.campaign.id, "other": first.name},
                    hint=N_("Give each campaign an id of its own; an id is never used again."),
                    file=path.name,
                    field="id",
                )
            )
        problems += found
        if result and not found:
            loaded.append(result)
    return loaded, problems


def load_file(path: Path, audience: Audience) -> tuple[Loaded | None, list[Problem]]:
    """Given one campaign file, return the campaign and the problems in it (either may be empty)."""
    raw = read_toml(path)
    if isinstance(raw, Problem):
        return None, [replace(raw, file=path.name)]
    campaign = parse(Campaign, raw, path.name)
    if isinstance(campaign, list):
        rough = _rough(raw)
        found = [*_media(path, rough)[1], *_ids(path, rough), *_names(path, rough, audience)]
        if type(raw.get("start")) is type(raw.get("end")) is date and raw["start"] <= raw["end"]:
            found += [one for one in _timing(path, rough) if one not in campaign]
        return None, [*campaign, *found]
    media, problems = _media(path, campaign)
    problems += [*_ids(path, campaign), *_timing(path, campaign), *_names(path, campaign, audience)]
    return Loaded(path, campaign, audience.targets(campaign.accounts), media), problems


def _rough(raw: Mapping[str, Any]) -> Campaign:
    """What can be read of a campaign whose file has mistakes of form: the names that it refers to.

    Not validated, and only for looking those names up: so that both kinds of mistakes are told at once.
    """

    def entries(value: object) -> list[dict[str, Any]]:
        return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []

    def media(source: Mapping[str, Any]) -> tuple[MediaFile, ...]:
        files = [one.get("file") for one in entries(source.get("media"))]
        return tuple(_unchecked(MediaFile, file=file) for file in files if isinstance(file, str) and file)

    def thread(source: Mapping[str, Any]) -> tuple[ThreadPart, ...]:
        return tuple(_unchecked(ThreadPart, media=media(one)) for one in entries(source.get("thread")))

    def overrides(source: Mapping[str, Any]) -> dict[str, Override]:
        tables = source.get("overrides")
        given = tables.items() if isinstance(tables, dict) else ()
        return {
            name: _unchecked(Override, media=media(one), thread=thread(one))
            for name, one in given
            if isinstance(one, dict)
        }

    def moments(source: Mapping[str, Any]) -> tuple[datetime, ...]:
        at = source.get("at")
        return tuple(one for one in at if isinstance(one, datetime)) if isinstance(at, list) else ()

    def timing(source: Mapping[str, Any]) -> str | None:
        return "?" if source.get("cron") or source.get("at") else None

    accounts = raw.get("accounts")
    rough: Campaign = _unchecked(
        Campaign,
        start=raw.get("start"),
        end=raw.get("end"),
        slots=raw.get("slots") or (),
        accounts=tuple(one for one in accounts if isinstance(one, str)) if isinstance(accounts, list) else (),
        messages=tuple(
            _unchecked(
                Message,
                id=str(one["id"]),
                media=media(one),
                thread=thread(one),
                overrides=overrides(one),
                at=moments(one),
                cron=timing(one),
            )
            for one in entries(raw.get("messages"))
            if one.get("id")
        ),
    )
    return rough


def _unchecked(model: Any, **values: Any) -> Any:
    return model.model_construct(**values)


def _ids(path: Path, campaign: Campaign) -> list[Problem]:
    ids = [message.id for message in campaign.messages]
    return [
        Problem(
            "message-twice", N_("The message id {id} is used twice."), {"id": one}, "", path.name, one, "id"
        )
        for one in dict.fromkeys(ids)
        if ids.count(one) > 1
    ]


def _timing(path: Path, campaign: Campaign) -> list[Problem]:
    problems: list[Problem] = []
    for message in campaign.messages:
        if not (message.at or message.cron or campaign.slots):
            problems.append(
                Problem(
                    "no-timing",
                    N_("The message has no time: give it at or cron, or give the campaign slots."),
                    {},
                    "",
                    path.name,
                    message.id,
                    "at",
                )
            )
        problems += [
            Problem(
                "at-outside",
                N_("{at} lies outside the campaign ({start} to {end})."),
                {"at": at.isoformat(sep=" "), "start": campaign.start, "end": campaign.end},
                "",
                path.name,
                message.id,
                "at",
            )
            for at in message.at
            if not campaign.start <= at.date() <= campaign.end
        ]
    return problems


def _names(path: Path, campaign: Campaign, audience: Audience) -> list[Problem]:
    known = [*audience.accounts, *audience.groups]
    keys = [*audience.accounts, *audience.platforms]

    def unknown(code: str, template: str, name: str, near: str, item: str, place: str) -> Problem:
        hint = N_("Did you mean {near}?") if near else N_("See “gaung accounts list”.")
        return Problem(code, template, {"name": name, "near": near}, hint, path.name, item, place)

    problems = [
        unknown(
            "unknown-account",
            N_("There is no account or group {name} in the configuration."),
            name,
            nearest(name, known),
            "",
            "accounts",
        )
        for name in campaign.accounts
        if name not in known
    ]
    problems += [
        unknown(
            "unknown-override",
            N_("{name} is neither a platform nor an account."),
            name,
            nearest(name, keys),
            message.id,
            f"overrides.{name}",
        )
        for message in campaign.messages
        for name in message.overrides
        if name not in keys
    ]
    return problems


def _media(path: Path, campaign: Campaign) -> tuple[dict[str, MediaFacts], list[Problem]]:
    facts: dict[str, MediaFacts] = {}
    problems: dict[tuple[str, str], Problem] = {}
    for message, item in media_files(campaign):
        if item.file in facts or (message.id, item.file) in problems:
            continue
        found = media_facts(path.parent / item.file)
        if isinstance(found, MediaFacts):
            facts[item.file] = found
        else:
            template, why = found
            problems[message.id, item.file] = Problem(
                "media",
                template,
                {"file": item.file, "why": why},
                N_("Paths are read from the folder of the campaign file."),
                path.name,
                message.id,
                "media",
            )
    return facts, list(problems.values())

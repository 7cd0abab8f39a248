"""The layout of a bundle: which files it has and what they are called, from a TOML file of the office's.

A path is a template of names in braces. What a name stands for is made fit for every file system; a
path that leaves the bundle, an unknown name or an unknown kind of file is refused before anything is
written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path, PurePosixPath
from string import Formatter
from typing import Any

from pydantic import Field

from campaigns.definition import Part
from campaigns.problems import Problem
from campaigns.validation import parse, read_toml
from scheduler.errors import GaungError, ProblemsError
from scheduler.i18n import N_
from scheduler.reports import formats

#: One file each.
REPORTS = tuple(formats.FORMATS)
ONCE = (*REPORTS, "readme", "approvals", "manifest")
#: One file for every published post.
EACH = ("picture", "permalink")
_NAMES = ("campaign",)
_NAMES_OF_A_POST = (*_NAMES, "no", "date", "agency", "account", "platform", "topic", "message")
_UNFIT = re.compile(r"[^\w.-]+")


class FileRule(Part):
    """One kind of file, and its path in the bundle."""

    what: str
    path: str = Field(min_length=1)


class LayoutFile(Part):
    """A layout as it stands in its file."""

    files: tuple[FileRule, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout that was found to be sound."""

    rules: Sequence[FileRule]

    def path(self, what: str, names: Mapping[str, Any]) -> str | None:
        """The path of a file of this kind; None if the layout has none."""
        rule = next((one for one in self.rules if one.what == what), None)
        return _filled(rule.path, names) if rule else None


def load(file: Path | None) -> Layout:
    """Given an office's file, or None for ours, return the layout; raise GaungError if it is not sound."""
    if file is None:
        with resources.as_file(resources.files(__package__) / "layout.toml") as ours:
            return load(ours)
    raw = read_toml(file)
    if isinstance(raw, Problem):
        raise ProblemsError([raw])
    layout = parse(LayoutFile, raw, file.name)
    if isinstance(layout, list):
        raise ProblemsError(layout)
    for rule in layout.files:
        _check(rule, file)
    if layout.files[-1].what != "manifest":
        raise GaungError(
            N_("The layout {file} does not end with the manifest."),
            hint=N_("The last [[files]] must be what = “manifest”: it lists all the others."),
            file=file,
        )
    return Layout(layout.files)


def _check(rule: FileRule, file: Path) -> None:
    if rule.what not in (*ONCE, *EACH):
        raise GaungError(
            N_("The layout {file} wants {what}, which does not exist. Known: {known}."),
            file=file,
            what=rule.what,
            known=", ".join((*ONCE, *EACH)),
        )
    names = _NAMES_OF_A_POST if rule.what in EACH else _NAMES
    sample: dict[str, Any] = {name: 1 if name == "no" else "a" for name in names}
    try:
        asked = [name for _text, name, _form, _conversion in Formatter().parse(rule.path) if name is not None]
        # Only plain names: {agency.__class__} and {0} are refused as unknown.
        if unknown := [name for name in asked if name not in names]:
            raise KeyError(unknown[0])
        path = PurePosixPath(_filled(rule.path, sample))
    except (KeyError, ValueError, IndexError) as error:
        raise GaungError(
            N_("The layout {file} has a path that cannot be filled in: {path} ({why})"),
            hint=N_("Names in braces that may stand there: {known}."),
            file=file,
            path=rule.path,
            why=error,
            known=", ".join(names),
        ) from None
    if path.is_absolute() or ".." in path.parts or "\\" in rule.path or ":" in rule.path.split("{")[0]:
        raise GaungError(
            N_("The layout {file} has a path that leaves the bundle: {path}"), file=file, path=rule.path
        )


def _filled(path: str, names: Mapping[str, Any]) -> str:
    fit = {
        name: value if isinstance(value, int) else _UNFIT.sub("-", str(value)).strip("-.") or "-"
        for name, value in names.items()
    }
    return path.format(**fit)

"""From a TOML file to a model, or to every problem in it at once, in words a staff member can use.

Used for campaign files and for the configuration alike. Reading and parsing happen here; what a
file may say is the model's business.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from campaigns import forms, syntax
from campaigns.problems import N_, Problem, nearest

Model = TypeVar("Model", bound=BaseModel)

#: pydantic's error types that files can cause, in groups -> what is said about them.
_BUILT_IN: Mapping[str, tuple[str, ...]] = {
    N_("This key is missing."): ("missing",),
    N_("{value} is not allowed here; the form is {pattern}."): ("string_pattern_mismatch",),
    N_("This must not be empty."): ("string_too_short", "too_short"),
    N_("A text in quotation marks is expected here, not {value}."): ("string_type",),
    N_("A list in square brackets is expected here, not {value}."): ("tuple_type", "list_type"),
    N_("true or false is expected here, not {value}."): ("bool_type", "bool_parsing"),
    N_("A whole number is expected here, not {value}."): ("int_type", "int_parsing", "int_from_float"),
    N_("The smallest value allowed is {limit}, not {value}."): ("greater_than_equal", "greater_than"),
    N_("The largest value allowed is {limit}, not {value}."): ("less_than_equal", "less_than"),
    N_("A date is expected here, like 2026-12-09, not {value}."): (
        "date_type",
        "date_parsing",
        "date_from_datetime_parsing",
        "date_from_datetime_inexact",
    ),
    N_("A local date and time is expected here, like 2026-12-09T07:30:00, not {value}."): (
        "datetime_type",
        "datetime_parsing",
        "datetime_from_date_parsing",
        "datetime_object_invalid",
    ),
    N_("{value} is not one of {choices}."): ("literal_error", "enum"),
    N_("A table is expected here, not {value}."): (
        "model_type",
        "dataclass_type",
        "dict_type",
        "mapping_type",
    ),
}
#: In a model, in a dataclass.
_UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")
_WORDS = {kind: template for template, kinds in _BUILT_IN.items() for kind in kinds}


def read_toml(path: Path) -> dict[str, Any] | Problem:
    """Given a file, return what it says as TOML, or the one problem that kept it from being read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return Problem("no-file", N_("The file does not exist."), file=str(path))
    except PermissionError:
        return Problem(
            "no-rights",
            N_("The file may not be read by this user."),
            hint=N_("Ask the administrator for read rights, or run Gaung as the user that owns it."),
            file=str(path),
        )
    except OSError as error:
        return Problem(
            "unreadable",
            N_("The file cannot be read: {why}"),
            {"why": error.strerror or error},
            file=str(path),
        )
    except UnicodeDecodeError:
        return Problem(
            "not-utf8",
            N_("The file is not UTF-8 text."),
            hint=N_("Save it again with the encoding UTF-8."),
            file=str(path),
        )
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return syntax.problem(error, text, str(path))


def parse(model: type[Model], raw: Mapping[str, Any], file: str) -> Model | list[Problem]:
    """Given the content of ``file``, return the model, or every problem in it."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        return [_problem(model, raw, file, details) for details in errors if not _echo(details, errors)]


def _echo(details: ErrorDetails, errors: Sequence[ErrorDetails]) -> bool:
    """Whether a list is called too short only because pydantic left out the entries that are wrong."""
    place = details["loc"]
    return details["type"] == "too_short" and any(
        other["loc"][: len(place)] == place and len(other["loc"]) > len(place) for other in errors
    )


def refusal(code: str, template: str, **values: object) -> PydanticCustomError:
    """Make the error with which a validator of ours refuses a value; ``template`` is marked with N_."""
    return PydanticCustomError(code, template, {**values, "template": template})


def _problem(model: type[BaseModel], raw: Mapping[str, Any], file: str, details: ErrorDetails) -> Problem:
    place = [step for step in details["loc"] if step != "[key]"]
    item, rest = _item(raw, place)
    code, context = details["type"], details.get("ctx", {})
    problem = partial(Problem, file=file, item=item, field=".".join(str(step) for step in rest))
    if code in _UNKNOWN_KEY:
        near = nearest(str(place[-1]), _known_keys(model, place))
        return problem(
            "unknown-key",
            N_("The key {key} is unknown."),
            {"key": place[-1], "near": near},
            hint=N_("Did you mean {near}?")
            if near
            else N_("Remove it, or see “gaung schema” for the known keys."),
        )
    if template := context.get("template"):
        return problem(code, str(template), {key: context[key] for key in context if key != "template"})
    values = {
        "value": _shown(details["input"]),
        "pattern": context.get("pattern", ""),
        "choices": context.get("expected", ""),
        "limit": next((context[key] for key in ("ge", "gt", "le", "lt") if key in context), ""),
        "why": details["msg"],
    }
    words = forms.REFUSALS.get(str(values["pattern"])) or _WORDS.get(code)
    return problem(code.replace("_", "-"), words or N_("{value} cannot be used here: {why}"), values)


def _item(raw: Mapping[str, Any], place: list[str | int]) -> tuple[str, list[str | int]]:
    """Split a place into the message (or account ...) it lies in, by name, and the field there."""
    if len(place) >= 2 and isinstance(place[1], int):
        entries = raw.get(str(place[0]))
        entry = entries[place[1]] if isinstance(entries, list) and place[1] < len(entries) else None
        if isinstance(entry, dict):
            return str(entry.get("id") or f"{place[0]}[{place[1] + 1}]"), place[2:]
    return "", place


def _known_keys(model: type[BaseModel], place: list[str | int]) -> list[str]:
    fields: Mapping[str, FieldInfo] = model.model_fields
    for step in place[:-1]:
        if isinstance(step, str) and step in fields:
            fields = _fields_in(fields[step].annotation) or fields
    return [about.alias or name for name, about in fields.items()]


def _fields_in(annotation: Any) -> Mapping[str, FieldInfo] | None:
    """Of the model, or dataclass, that a key holds."""
    if isinstance(annotation, type):
        fields: Mapping[str, FieldInfo] | None = getattr(annotation, "__pydantic_fields__", None)
        return fields
    return next((found for part in get_args(annotation) if (found := _fields_in(part))), None)


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

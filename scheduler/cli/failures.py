"""Running a command and telling what went wrong: what happened, where, what to do next.

No traceback reaches a user; of an error nobody foresaw, the details go into a file that can be sent
to whoever maintains Gaung. Exit codes: 0 done, 1 done with failures, 2 usage or configuration, 3 a
person is needed (DESIGN.md section 9).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from adapters.errors import Misconfigured
from scheduler.cli.output import say
from scheduler.errors import GaungError, ProblemsError
from scheduler.i18n import N_, _

#: What Typer's own usage errors mean, by class name; their English text is not translated there.
_USAGE: Mapping[str, str] = {
    "NoSuchOption": N_("There is no option {name}."),
    "NoSuchCommand": N_("There is no command {name}."),
    "MissingParameter": N_("{name} is missing."),
    "BadParameter": N_("The value of {name} cannot be used: {why}"),
    "BadOptionUsage": N_("The option {name} is used wrongly: {why}"),
}


def run(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code."""
    from scheduler.cli.app import build, wanted

    try:
        command = typer.main.get_command(build(wanted(arguments)))
        result = command.main(list(arguments), prog_name="gaung", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except typer.Exit as leaving:
        return leaving.exit_code
    except (typer.Abort, KeyboardInterrupt, EOFError):
        say(_("Stopped; nothing further was done."))
        return 2
    except BrokenPipeError:
        os.close(1)  # the reader of our output (head, less) has gone; nothing to tell
        return 0
    except GaungError as error:
        tell(error)
        return error.exit_code
    except Misconfigured as error:
        say(_("Error: {what}", what=_(error.message, **error.values)))
        return 2
    except Exception as error:  # noqa: BLE001 -- whatever it is, a user sees words
        if hasattr(error, "format_message"):
            _tell_usage(error)
            return 2
        return _tell_unforeseen(error)


def tell(error: GaungError) -> None:
    """Print an error: what happened, and what to do next."""
    if isinstance(error, ProblemsError):
        from scheduler.cli.problems import tell_problems

        tell_problems(error.problems)
        return
    say(_("Error: {what}", what=_(error.message, **error.values)))
    if error.hint:
        say(f"  {_(error.hint, **error.values)}")


def _tell_usage(error: Any) -> None:
    from campaigns.problems import nearest
    from scheduler.cli.app import COMMANDS
    from scheduler.cli.helping import argument

    kind = type(error).__name__
    if kind == "NoArgsIsHelpError":  # its message is the help
        say(error.format_message())
        return
    parameter = getattr(error, "param", None)
    name = getattr(error, "option_name", "") or getattr(error, "param_hint", "") or ""
    if not name and parameter is not None:
        name = parameter.opts[0] if parameter.opts[0].startswith("-") else argument(parameter.name)
    message = error.format_message()
    if "No such command" in message:
        kind, name = "NoSuchCommand", message.split("'")[1]
    template = _USAGE.get(kind)
    why = _why(getattr(error, "message", "").removeprefix("Value error, "))
    what = _(template, name=name, why=why) if template else _why(message)
    say(_("Error: {what}", what=what))
    if kind == "NoSuchCommand" and (near := nearest(name, COMMANDS)):
        say("  " + _("Did you mean {near}?", near=near))
    path = error.ctx.command_path if getattr(error, "ctx", None) else "gaung"
    say("  " + _("See “{command} --help”.", command=path))


#: Why a value cannot be used, as Typer and pydantic say it, and as a person is told.
_REASONS: Sequence[tuple[str, str]] = (
    (r"'(?P<value>.*)' is not one of (?P<choices>.*?)\.?", N_("{value} is not one of {choices}.")),
    (r"Input should be a valid integer.*", N_("a whole number is wanted, like 1250.")),
    (r"Input should be a valid (number|decimal).*", N_("a number is wanted, like 2.5.")),
    (r"Input should be greater than or equal to (?P<limit>.*)", N_("it must be {limit} or more.")),
    (r"Input should be less than or equal to (?P<limit>.*)", N_("it must be {limit} or less.")),
    (r"Option '.*' requires (an|\d+) arguments?\.", N_("its value is missing.")),
    (r"Got unexpected extra argument\(?s?\)? \((?P<value>.*)\)\.?", N_("there is no place for “{value}”.")),
    (r"'(?P<value>.*)' does not match the formats? .*", N_("{value} is not a date like 2026-12-09.")),
)


def _why(said: str) -> str:
    for pattern, template in _REASONS:
        if found := re.fullmatch(pattern, said):
            return _(template, **found.groupdict())
    return said


def _tell_unforeseen(error: Exception) -> int:
    import tempfile
    import traceback

    details = "".join(traceback.format_exception(error))
    if os.environ.get("GAUNG_DEBUG"):
        say(details)
    handle, name = tempfile.mkstemp(prefix="gaung-error-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(details)
    say(
        _(
            "Error: {what}",
            what=_("something happened that Gaung does not know ({kind}).", kind=type(error).__name__),
        )
    )
    say("  " + _("The details are in {file}. Please send that file to whoever maintains Gaung.", file=name))
    return 2

"""The command line: the composition root, and the only place that prints.

Data goes to stdout, narration to stderr. Nothing heavy is imported before a command needs it, so
that ``gaung --help`` answers at once.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from scheduler import i18n


def main() -> None:
    """Run the command line and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        # Office PCs run Windows, whose console encoding would fail on “quotes” and on many names.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    choose_language(sys.argv[1:])
    from scheduler.cli.failures import run

    sys.exit(run(sys.argv[1:]))


def choose_language(arguments: list[str]) -> None:
    """Set the language before any command is defined, since help texts are translated as they are made."""
    given = _option(arguments, "--lang")
    language = given if given in i18n.LANGUAGES else i18n.choose_language(os.environ, _configured(arguments))
    i18n.use_language(language)
    # Typer's own words ("Usage", "Options") come from gettext's default domain and these variables.
    os.environ["LANGUAGE"] = language
    i18n.make_default()


def _configured(arguments: list[str]) -> str:
    """The language in the configuration, read without building the models; "" if there is none."""
    from scheduler.location import find_file

    named = _option(arguments, "--config")
    try:
        text = find_file(Path(named) if named else None, os.environ).read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        return ""
    import tomllib

    # The key stands before the first table; the rest may be thousands of accounts. "[" may begin a line of
    # a value as well: then that part is no TOML.
    for part in (text.partition("\n[")[0], text):
        with suppress(ValueError):
            return str(tomllib.loads(part).get("language", ""))
    return ""


def _option(arguments: list[str], name: str) -> str:
    for position, argument in enumerate(arguments):
        if argument == name and position + 1 < len(arguments):
            return arguments[position + 1]
        if argument.startswith(f"{name}="):
            return argument.partition("=")[2]
    return ""

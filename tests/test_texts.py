"""What people read: help for everything in both languages, and a catalog that lacks nothing.

The catalog must be what ``make messages`` would leave behind, complete.
"""

from __future__ import annotations

import ast
import io
import json
import os
import re
import shlex
import string
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po

sys.path.insert(0, str(Path(__file__).parent))

from kit.office import ROOT, gaung_process

from scheduler.cli.app import COMMANDS
from scheduler.cli.words import EVENTS

CATALOG = ROOT / "scheduler" / "locale" / "id" / "LC_MESSAGES" / "gaung.po"

#: Builds the command line with every command, and tells everything it says in help pages.
RUNNER = """
import json, os, sys, typer
from scheduler.cli import choose_language

choose_language([])
from scheduler.cli.app import EVERYTHING, build

def told(command, path, found):
    context = typer.Context(command, info_name=path[-1], max_content_width=1000, terminal_width=1000)
    found[" ".join(path)] = {
        "help": command.help,
        "short": command.short_help,
        "page": command.get_help(context),
        "parameters": {
            one.opts[0]: getattr(one, "help", None) or "" for one in command.get_params(context)
        },
    }
    for name, child in getattr(command, "commands", {}).items():
        told(child, [*path, name], found)
    return found

print(json.dumps(told(typer.main.get_command(build(EVERYTHING)), ["gaung"], {})))
"""


#: Reads the arguments of every example as its command would; what is refused gets a question mark.
EXAMPLES = """
import json, shlex, typer
from scheduler.cli import choose_language

choose_language([])
from scheduler.cli.app import build, wanted
from scheduler.cli.helping import EXAMPLES
from scheduler.i18n import _

def read(command, name, arguments, parent=None):
    context = command.make_context(name, list(arguments), parent=parent)
    if rest := [*getattr(context, "_protected_args", ()), *context.args]:
        name, member, rest = command.resolve_command(context, rest)
        read(member, name, rest, context)

def understood(line):
    arguments = shlex.split(line.partition(" > ")[0])[1:]
    try:
        read(typer.main.get_command(build(wanted(arguments))), "gaung", arguments)
    except Exception as error:
        return f"{line} {error}?"
    return line

print(json.dumps({name: [understood(_(one)) for one in lines] for name, lines in EXAMPLES.items()}))
"""


@cache
def helps(lang: str) -> dict[str, dict[str, Any]]:
    """Everything that help pages say, by command."""
    done = subprocess.run(
        [sys.executable, "-c", RUNNER],
        env={**os.environ, "GAUNG_LANG": lang, "PYTHONPATH": str(ROOT)},
        cwd=ROOT.anchor,
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=60,
    )
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


@cache
def catalog() -> Catalog:
    with CATALOG.open("rb") as file:
        return read_po(file, locale="id")


def messages() -> list[Message]:
    return [message for message in catalog() if message.id]


def texts(value: str | tuple[str, ...] | list[str] | None) -> list[str]:
    """A message or a translation as a list: one text, or one for each form of the plural."""
    return [value] if isinstance(value, str) else list(value or [""])


def fields(text: str) -> set[str]:
    """The placeholders in a text."""
    named = {name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name is not None}
    return named | set(re.findall(r"%\(\w+\)[sd]", text))


# Help


@pytest.mark.parametrize("lang", ["id", "en"])
def test_every_command_and_every_option_has_help(lang: str) -> None:
    found = helps(lang)
    assert len(found) > 20
    for command, says in found.items():
        assert says["help"], command
        assert says["help"].endswith("."), command
        for name, text in says["parameters"].items():
            assert text, f"{command} {name} has no help"


def test_the_commands_and_options_are_the_same_in_both_languages() -> None:
    assert {command: list(says["parameters"]) for command, says in helps("id").items()} == {
        command: list(says["parameters"]) for command, says in helps("en").items()
    }


def test_no_help_text_is_left_in_english() -> None:
    indonesian, english = helps("id"), helps("en")
    same = [command for command in english if english[command]["help"] == indonesian[command]["help"]]
    same += [
        f"{command} {name}"
        for command, says in english.items()
        for name, text in says["parameters"].items()
        if text == indonesian[command]["parameters"][name]
    ]
    assert same == []


def test_no_line_of_a_help_page_is_left_in_english() -> None:
    def lines(lang: str, command: str) -> set[str]:
        page = helps(lang)[command]["page"]
        told = {line.strip() for line in page.splitlines() if line.strip()}
        # A long option stands on a line of its own, its help below.
        # A long option stands on a line of its own, its help below; examples without words are the same.
        same = re.compile(r"(-\w, )?-\S+( <[^>]*>)?|gaung .*")
        return {line for line in told if not same.fullmatch(line)}

    for command in helps("en"):
        assert lines("id", command) & lines("en", command) == set(), command


@pytest.mark.parametrize("lang", ["id", "en"])
def test_every_command_has_examples_that_it_understands(lang: str) -> None:
    examples = json.loads(
        subprocess.run(
            [sys.executable, "-c", EXAMPLES],
            env={**os.environ, "GAUNG_LANG": lang, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            encoding="utf-8",
            check=True,
            timeout=60,
        ).stdout
    )
    assert {command for command, (place, _text) in COMMANDS.items() if place} == set(examples)
    assert [line for lines in examples.values() for line in lines if line.endswith("?")] == []


def test_the_help_that_a_user_sees_is_in_the_language_of_the_user(tmp_path: Path) -> None:
    english = gaung_process("--help", lang="en", cwd=tmp_path).out
    indonesian = gaung_process("--help", lang="id", cwd=tmp_path).out
    words = {line.strip() for line in english.splitlines() if len(line.split()) > 2}
    assert len(words) > 20
    assert [line for line in indonesian.splitlines() if line.strip() in words] == []


def test_no_text_hides_in_an_f_string_where_extraction_does_not_see_it() -> None:
    """Before Python 3.12 an f-string is one token, and what is translated in it is found by nobody."""
    hidden = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for package in ("campaigns", "adapters", "scheduler")
        for path in (ROOT / package).rglob("*.py")
        for text in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", "") in {"_", "N_", "ngettext"}
        and isinstance(call.args[0], ast.Constant)
    ]
    assert hidden == []


# The catalog


def test_every_message_is_translated() -> None:
    missing = [message.id for message in messages() if not all(texts(message.string))]
    assert missing == []


def test_no_translation_is_a_guess() -> None:
    assert [message.id for message in messages() if message.fuzzy] == []


def test_nothing_obsolete_is_kept() -> None:
    assert list(catalog().obsolete) == []


def test_indonesian_has_one_form_for_any_number() -> None:
    assert catalog().num_plurals == 1


def test_translations_have_the_placeholders_of_their_message() -> None:
    wrong = []
    for message in messages():
        wanted = fields(texts(message.id)[-1])  # of the plural, whose form Indonesian has
        wrong += [(message.id, text) for text in texts(message.string) if text and fields(text) != wanted]
    assert wrong == []


def test_translations_begin_and_end_like_their_message() -> None:
    """Leading spaces and closing marks are layout; a translation that drops them breaks the page."""

    def edges(text: str) -> tuple[str, str]:
        return text[: len(text) - len(text.lstrip())], (text[-1:] if text[-1:] in ".:?\n " else "")

    wrong = [
        (message.id, text)
        for message in messages()
        for text in texts(message.string)
        if text and edges(text) != edges(texts(message.id)[-1])
    ]
    assert wrong == []


def test_the_compiled_catalog_is_that_of_the_text() -> None:
    def said(compiled: Catalog) -> dict[Any, Any]:
        return {texts(one.id)[0]: texts(one.string) for one in compiled if one.id}

    fresh = io.BytesIO()
    write_mo(fresh, catalog())
    fresh.seek(0)
    with CATALOG.with_suffix(".mo").open("rb") as file:
        assert said(read_mo(file)) == said(read_mo(fresh)), "run: make messages"


def test_the_catalog_has_every_message_of_the_source_and_no_other(tmp_path: Path) -> None:
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    (line,) = re.findall(r"^\t\$\(BIN\)/pybabel (.*extract .*)$", recipe, re.MULTILINE)
    template = tmp_path / "gaung.pot"
    options = shlex.split(line.replace("$(VENV)/gaung.pot", str(template)))
    subprocess.run(
        [sys.executable, "-c", "from babel.messages.frontend import main; main()", *options],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=60,
    )
    with template.open("rb") as file:
        source = {texts(message.id)[0] for message in read_po(file) if message.id}
    known = {texts(message.id)[0] for message in messages()}
    assert (source - known, known - source) == (set(), set()), "run: make messages"


def test_everything_that_is_recorded_has_words() -> None:
    """``gaung audit show`` names no code of ours where a person reads it."""
    recorded = set()
    for file in (ROOT / "scheduler").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            place = {"record": 1, "auditing.Event": 2}.get(called, len(node.args))
            what = node.args[place] if place < len(node.args) else None
            if isinstance(what, ast.Constant):
                recorded.add(what.value)
    assert len(recorded) > 10
    assert recorded <= EVENTS.keys()

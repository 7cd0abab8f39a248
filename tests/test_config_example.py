"""``config.example.toml`` and the templates of ``gaung init`` say what the configuration's models say."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kit.office import ROOT

from adapters import registry
from scheduler import config
from scheduler.config import Config

EXAMPLE = ROOT / "config.example.toml"
TEMPLATES = sorted((ROOT / "scheduler" / "cli" / "templates").glob("config.*.toml"))

#: A comment that is a key with its value, the head of a table, or the rest of a list.
SWITCHED_OFF = re.compile(
    r"""^\#\s?(
        \[\[?[\w.@"-]+\]\]?\s*(\#.*)?      # a table
        | [\w."-]+\s*=\s*\S.*              # a key
        | \s+["\d{].*,\s*(\#.*)?           # a line of a list
        | \]                               # its end
    )$""",
    re.VERBOSE,
)


def switched_on(text: str) -> str:
    """The example with every key in force."""
    return "\n".join(
        re.sub(r"^#\s?", "", line) if SWITCHED_OFF.match(line) else line for line in text.splitlines()
    )


def models_in(annotation: Any) -> Iterator[Any]:
    """The models, and the dataclasses of pydantic, in the type of a key."""
    if isinstance(annotation, type) and hasattr(annotation, "__pydantic_fields__"):
        yield annotation
    for part in get_args(annotation):
        yield from models_in(part)


def missing(model: Any, tables: list[Mapping[str, Any]], place: str = "") -> list[str]:
    """Every key of the model, and of the models in it, that no table of ``tables`` has."""
    found: list[str] = []
    for name, about in model.__pydantic_fields__.items():
        having = [table[name] for table in tables if name in table]
        if not having:
            found.append(f"{place}{name}")
            continue
        for inner in models_in(about.annotation):
            # A table or a list of tables (accounts, prices): what one of them lacks, another may have.
            several = inner is not about.annotation
            below = [one for table in having for one in (tables_in(table) if several else [table])]
            found += missing(inner, below, f"{place}{name}.")
    return found


def tables_in(table: Mapping[str, Any] | list[Any]) -> Iterator[Mapping[str, Any]]:
    yield from table.values() if isinstance(table, Mapping) else table


@pytest.fixture
def everything(tmp_path: Path) -> Path:
    """The example with every key switched on, in a folder of its own."""
    file = tmp_path / "config.toml"
    file.write_text(switched_on(EXAMPLE.read_text(encoding="utf-8")), encoding="utf-8")
    return file


def test_the_example_as_it_stands_is_a_configuration(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(EXAMPLE.read_bytes())
    assert isinstance(config.load(file, registry.names()), Config)


def test_the_example_is_a_configuration_with_every_key_switched_on(everything: Path) -> None:
    loaded = config.load(everything, registry.names())
    assert loaded.accounts
    assert loaded.people


def test_the_example_has_every_key_of_the_models(everything: Path) -> None:
    raw = tomllib.loads(everything.read_text(encoding="utf-8"))
    assert missing(Config, [raw]) == []


def test_the_example_has_an_account_of_every_platform(everything: Path) -> None:
    raw = tomllib.loads(everything.read_text(encoding="utf-8"))
    shown = {account["platform"] for account in raw["accounts"].values()}
    assert set(registry.BUILT_IN) - shown == set()


def test_the_example_holds_no_secret(everything: Path) -> None:
    raw = tomllib.loads(everything.read_text(encoding="utf-8"))
    for account in raw["accounts"].values():
        for reference in account.get("secrets", {}).values():
            assert re.match(r"^(env|file|systemd):", reference)


def test_there_is_a_template_for_every_language() -> None:
    assert [template.name for template in TEMPLATES] == ["config.en.toml", "config.id.toml"]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_is_a_configuration_for_whoever_runs_init(template: Path, tmp_path: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert text.count("@USER@") == 1
    file = tmp_path / "config.toml"
    file.write_text(text.replace("@USER@", "budi"), encoding="utf-8")
    loaded = config.load(file, registry.names())
    assert loaded.language == template.name.split(".")[1]
    assert [person.os_user for person in loaded.people.values()] == ["budi"]
    assert {account.platform for account in loaded.accounts.values()} == {"practice"}
    assert "latihan" in loaded.groups, "the example campaign names this group"


def test_the_templates_differ_in_language_alone(tmp_path: Path) -> None:
    (english, indonesian) = (tomllib.loads(path.read_text(encoding="utf-8")) for path in TEMPLATES)
    assert english["accounts"] == indonesian["accounts"]
    assert english["groups"] == indonesian["groups"]
    assert list(english) == list(indonesian)


def test_the_keys_that_are_missing_are_found() -> None:
    """The walk itself: a table of tables needs each key once, a table of its own every key."""
    raw = {"zone": "WIB", "daemon": {"workers": 2}, "people": {"a": {"name": "A"}, "b": {"title": "B"}}}
    found = missing(Config, [raw])
    assert "language" in found
    assert "daemon.lease" in found
    assert "people.roles" in found
    assert not {"zone", "daemon.workers", "people.name", "people.title"} & set(found)


def test_only_keys_and_tables_are_switched_on() -> None:
    text = '# Zona: WIB.\n# zone = "WIB"\n#[accounts.x]\n# ages = [\n#   "1h",\n# ]\n#\n# ## Bagian = judul'
    assert switched_on(text) == (
        '# Zona: WIB.\nzone = "WIB"\n[accounts.x]\nages = [\n  "1h",\n]\n#\n# ## Bagian = judul'
    )

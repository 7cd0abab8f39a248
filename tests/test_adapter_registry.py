"""Platforms by name: imported late, strangers welcome, no name twice."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters import registry
from adapters.contract import Adapter
from adapters.errors import Misconfigured


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed distribution of a stranger, whose entry points a test writes."""
    info = tmp_path / "stranger-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (tmp_path / "stranger_adapter.py").write_text(
        "from adapters.practice.adapter import PracticeAdapter\n"
        "class Kampung(PracticeAdapter):\n    platform = 'kampung'\n"
        "class Nothing:\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield info / "entry_points.txt"
    sys.modules.pop("stranger_adapter", None)


def test_every_built_in_name_leads_to_an_adapter_of_that_name() -> None:
    assert "practice" in registry.BUILT_IN
    for name in registry.BUILT_IN:
        cls = registry.adapter_class(name)
        assert issubclass(cls, Adapter)
        assert cls.platform == name


def test_every_code_of_an_objection_is_declared_and_none_that_no_longer_is() -> None:
    """``[checks]`` of a configuration may name declared codes only."""
    folder, used = Path(registry.__file__).parent, set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Problem":
                assert isinstance(node.args[0], ast.Constant), f"{file.name}:{node.lineno}"
                used.add(node.args[0].value)
    assert registry.codes(*registry.names()) == used


def test_knowing_the_names_imports_no_adapter_and_no_http() -> None:
    """``gaung --help`` lists platforms; it must not wait for an SDK."""
    code = (
        "import sys, adapters.registry as r; r.names();"
        "print([m for m in sys.modules if m.split('.')[0] in ('requests', 'flask', 'tweepy', 'facebook')"
        " or m == 'adapters.practice.adapter'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_name_is_told_with_the_nearest_ones() -> None:
    with pytest.raises(Misconfigured) as raised:
        registry.adapter_class("Practise")
    assert raised.value.values["near"] == "practice"
    assert "Practise" in str(raised.value)


def test_a_name_like_nothing_is_told_with_all_names() -> None:
    with pytest.raises(Misconfigured) as raised:
        registry.adapter_class("zzzzzz")
    assert raised.value.values["near"] == ", ".join(registry.names())


def test_a_strangers_platform_is_known_by_its_entry_point(stranger: Path) -> None:
    stranger.write_text("[gaung.adapters]\nkampung = stranger_adapter:Kampung\n")
    assert "kampung" in registry.names()
    assert registry.adapter_class("kampung").platform == "kampung"


def test_nobody_can_take_a_name_that_exists(stranger: Path) -> None:
    stranger.write_text("[gaung.adapters]\npractice = stranger_adapter:Kampung\n")
    for call in (registry.names, lambda: registry.adapter_class("practice")):
        with pytest.raises(Misconfigured) as raised:
            call()
        assert raised.value.values["second"] == "stranger_adapter:Kampung"


@pytest.mark.parametrize(
    "place", ["stranger_adapter:Gone", "no_such_module:Kampung", "stranger_adapter:Nothing"]
)
def test_a_broken_registration_names_its_place(stranger: Path, place: str) -> None:
    stranger.write_text(f"[gaung.adapters]\nkampung = {place}\n")
    with pytest.raises(Misconfigured) as raised:
        registry.adapter_class("kampung")
    assert raised.value.values["place"] == place

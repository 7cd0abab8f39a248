"""Where the configuration file is found; importing this costs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

FILE_NAME = "config.toml"


def find_file(given: Path | None, environment: Mapping[str, str]) -> Path:
    """The configuration file: as given, else ``GAUNG_CONFIG``, else ``config.toml`` here or above."""
    if given:
        return given
    if named := environment.get("GAUNG_CONFIG"):
        return Path(named)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    return here / FILE_NAME

"""Long proofs say what they went through, whether or not the output of tests is shown."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Write a line to the terminal, with the seconds since the test began."""
    began = time.monotonic()

    def tell(text: str) -> None:
        with capsys.disabled():
            os.write(2, f"\n{text} in {time.monotonic() - began:.0f} s\n".encode())

    return tell

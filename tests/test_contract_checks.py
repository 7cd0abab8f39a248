"""What every platform's checks say before anyone approves, whatever the platform."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.contract import Limits, Media, Part, Post, check_limits

LIMITS = Limits(text=100, media=4, threads=True, first_comment=True)
POST = Post("k", "Tolak suap")
MEDIUM = Media(Path("poster.jpg"), "0" * 64, "image/jpeg", "Poster")


def codes(post: Post, limits: Limits = LIMITS) -> list[tuple[str, str]]:
    return [(problem.code, problem.severity) for problem in check_limits(limits, post.text, post)]


@pytest.mark.parametrize("text", ["", "  \n"])
def test_a_part_of_a_thread_says_or_shows_something(text: str) -> None:
    """Given a part without text and media, the post cannot go: each such part is a problem of its own."""
    empty, full = Part(text), Part("Lapor")
    assert codes(replace(POST, thread=(full, empty, full, empty))) == [("empty-part", "error")] * 2
    assert codes(replace(POST, thread=(full, Part(text, (MEDIUM,))))) == []


def test_an_empty_post_is_not_called_an_empty_part() -> None:
    assert codes(replace(POST, text="", thread=(Part("Lapor"),))) == [("empty-post", "error")]

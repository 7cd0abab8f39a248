"""Everything that chance decides in a simulated world, from one seed.

Each decision has a name and depends on the seed and on that name alone, so that leaving one out
changes no other: this is what lets a failing history be made shorter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import TypeVar

T = TypeVar("T")


class Fate:
    """Decides. ``left_out`` are names of decisions that go the ordinary way: nothing happens."""

    def __init__(self, seed: int, left_out: Collection[str] = ()) -> None:
        self.seed = seed
        self.left_out = frozenset(left_out)
        self.taken: dict[str, None] = {}
        """Names of the decisions by which something out of the ordinary happened, in order."""

    def number(self, name: str) -> float:
        """A number in [0, 1)."""
        digest = hashlib.blake2b(f"{self.seed} {name}".encode(), digest_size=7).digest()
        return int.from_bytes(digest, "big") / (1 << 56)

    def between(self, name: str, low: timedelta, high: timedelta) -> timedelta:
        """A length of time."""
        return low + (high - low) * self.number(name)

    def whether(self, name: str, probability: float) -> bool:
        """Whether something out of the ordinary happens here."""
        if self.number(name) >= probability or name in self.left_out:
            return False
        self.taken[name] = None
        return True

    def choose(self, name: str, weights: Mapping[T, float]) -> T | None:
        """One of several things with these probabilities, or None for the ordinary course."""
        number = self.number(name)
        for thing, weight in weights.items():
            number -= weight
            if number < 0:
                if name in self.left_out:
                    return None
                self.taken[name] = None
                return thing
        return None

"""X (formerly Twitter). First version: limits, wording and counting; publishing follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from adapters.contract import Adapter, Finding, Handed, Identity, Limits, Post, Progress, Reach, Receipt
from adapters.errors import AccountHeld
from adapters.x_text import weighted_length


class XAdapter(Adapter):
    """One account on X."""

    platform: ClassVar[str] = "x"
    secrets: ClassVar[tuple[str, ...]] = ("access_token",)
    limits: ClassVar[Limits] = Limits(
        text=280, measure=weighted_length, media=4, alt_text=1000, threads=True, first_comment=True
    )

    def verify(self) -> Identity:
        raise AccountHeld("Publishing to X is not yet built.")

    def publish(self, post: Post, progress: Progress) -> Receipt | Handed:
        raise AccountHeld("Publishing to X is not yet built.")

    def find(self, post: Post, progress: Progress, since: datetime) -> Finding:
        raise AccountHeld("Publishing to X is not yet built.")

    def reach(self, remote_ids: Sequence[str]) -> Mapping[str, Reach]:
        raise AccountHeld("Publishing to X is not yet built.")

    def remove(self, remote_id: str) -> None:
        raise AccountHeld("Publishing to X is not yet built.")


__all__ = ["XAdapter"]

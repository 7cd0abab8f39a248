"""What a daemon is told: the settings of the office, and how often it does what no post waits for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from scheduler.engine.retry import Rule

#: Seconds from one turn to the next, at least: what comes in meanwhile is written down together.
PACE = 0.025
#: The same while no worker waits for a turn, since posts are claimed ahead: each turn costs processor time.
CALM_PACE = 0.1


@dataclass(frozen=True, slots=True)
class Settings:
    """What the daemon takes from the configuration."""

    workers: int
    lease: timedelta
    horizon: timedelta
    attempts: int
    retry_after: timedelta
    retry_at_most: timedelta
    look_after: tuple[timedelta, ...]
    reach_ages: tuple[timedelta, ...]
    replies_ages: tuple[timedelta, ...] = ()
    """Ages of a post at which its comments are asked for; none for never."""
    comments_kept: timedelta = timedelta(0)
    """After so long, personal data is taken out of comments; 0 for never."""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """What holds for single accounts."""
    counted: Sequence[str] = ()
    """Accounts whose followers are asked for once a day."""
    zone: str = "WIB"
    """In which their days begin."""
    limited: Sequence[str] = ()
    """Accounts whose platform counts posts and is asked for room beforehand."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a daemon does by the way what no post waits for. Simulated months do with less of it."""

    heartbeat: timedelta = timedelta(seconds=15)
    """Saying that it lives, by the steady clock."""
    plan_on: timedelta = timedelta(hours=6)
    """Planning what came within the horizon: goes through every campaign, for a horizon of weeks."""
    renew: timedelta = timedelta(minutes=1)
    """Looking for credentials that end soon."""
    listen: timedelta = timedelta(seconds=30)
    """Looking for posts whose comments are due."""
    count: timedelta = timedelta(minutes=1)
    """Looking for accounts whose followers were not counted today."""
    room: timedelta = timedelta(minutes=1)
    """Looking for posts that are soon due on platforms that count them."""
    retire: timedelta = timedelta(hours=1)
    """Looking for figures that a platform refuses everywhere."""
    ahead: timedelta = timedelta(seconds=1.5 * CALM_PACE)
    """Posts are claimed for workers that come free within so long."""
    anchor: timedelta = timedelta(minutes=1)
    """Looking whether the head of the audit is to be written down."""

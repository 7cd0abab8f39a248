"""The proof after the havoc: both sides of an installation, compared, and told in a line."""

from __future__ import annotations

import os
import random
from collections import Counter

from chaos.agreement import Story
from chaos.installation import Installation, Reaper
from servers.ledger_platform import Manners

from scheduler.store.tables import attempts, audit, contents, deliveries

#: Told on failure; ``CHAOS_SEED`` chooses it.
SEED = int(os.environ.get("CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
#: One answer in ten is lost or garbled, and one request in ten is not taken though it was heard.
RUDE = Manners(delay=(0.05, 0.5), at_once=0.5, lost=0.05, garbled=0.05, dropped=0.05, broken=0.05)


def prove(installation: Installation, reaper: Reaper) -> str:
    """Fail if a post is there twice or lost, or a record does not hold together; else say what happened."""
    story = Story(
        installation.ledger.entries,
        installation.rows(deliveries),
        installation.rows(attempts),
        installation.rows(audit),
        {row["digest"]: row["text"] for row in installation.rows(contents)},
    )
    assert story.disagreements() == [], f"seed {SEED}"
    assert Counter(row["state"] for row in story.deliveries) == {"sent": installation.planned}
    sources = Counter(row["source"] for row in story.deliveries)
    outcomes = Counter(row["outcome"] for row in story.attempts)
    return (
        f"{sum(reaper.kills.values())} kills {dict(reaper.kills)}, {installation.planned} posts"
        f" {dict(sources)}, {len(story.attempts)} attempts {dict(outcomes)}: 0 twice, 0 lost (seed {SEED})"
    )

"""What the simulated office has laid down besides its campaigns: windows, budgets, and who may approve.

The daemons read it as they do everywhere: windows from the database, roles from the configuration through
the real gate, budgets through the real treasury. The proof reads it here, where it is written down plainly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from adapters.contract import Adapter
from campaigns.windows import Rule, Windows
from scheduler.config import Config, Person
from scheduler.costs import PriceList, Prices
from scheduler.engine.treasury import Payer, Treasury
from scheduler.governance.gate import Gate
from scheduler.store.media import MediaFolder

#: Who applies files, and who approves; any of them may lose the role.
APPROVERS = ("budi", "cici")
#: One part of a post costs one unit of money.
_PRICES = PriceList(platform="simulated", since=date(2026, 1, 1), currency="USD", acts={"part": Decimal(1)})


@dataclass(frozen=True, slots=True)
class Span:
    """A window: nothing that it concerns is claimed from ``begin`` to before ``end`` (UTC, full minutes)."""

    begin: datetime
    end: datetime
    moves: bool
    account: str = ""
    campaign: str = ""

    def holds(self, account: str, campaign: str, at: datetime) -> bool:
        """Whether it keeps something back at an instant."""
        concerned = self.account in {"", account} and self.campaign in {"", campaign}
        return concerned and self.begin <= at < self.end

    def rule(self, number: int) -> Rule:
        """The rule of Gaung that says this."""
        return Rule(
            id=f"w{number}",
            kind="office",
            effect="move" if self.moves else "hold",
            start=self.begin.date(),
            times=(f"{self.begin:%H:%M}-{self.end:%H:%M}",),
            accounts=(self.account,) if self.account else (),
            campaigns=(self.campaign,) if self.campaign else (),
        )


@dataclass
class Rules:
    """What is in force."""

    file: Path
    """The configuration, as far as daemons notice that it changes."""
    budgets: Mapping[str, int]
    """Parts of posts that an account may pay for in a month."""
    spans: tuple[Span, ...] = ()
    approvers: frozenset[str] = frozenset(APPROVERS)
    raised: Counter[str] = field(default_factory=Counter)
    """By how much persons have raised budgets of the first month."""
    _changes: int = 0

    def set_approvers(self, approvers: frozenset[str]) -> None:
        """From now on these may approve."""
        self.approvers = approvers
        self._changes += 1
        self.file.write_text("#" * self._changes, encoding="utf-8")

    def windows(self) -> Windows:
        """The windows as Gaung has them."""
        return Windows(rules=tuple(span.rule(number) for number, span in enumerate(self.spans)))

    def held(self, account: str, campaign: str, at: datetime) -> bool:
        """Whether a window keeps something back."""
        return any(span.holds(account, campaign, at) for span in self.spans)

    def gate(self) -> Gate:
        """The gate of a daemon."""
        return Gate(self._config(), lambda _file: self._config())

    def _config(self) -> Config:
        people = {
            name: Person(name=name, roles=("approver",) if name in self.approvers else ())
            for name in APPROVERS
        }
        config = Config(people=people)
        config._file = self.file
        return config

    def treasury(self, adapter: Callable[[str], Adapter], media: MediaFolder) -> Treasury:
        """The treasury of a daemon, or of a person's command."""
        payers = {name: Payer("simulated", Decimal(budget)) for name, budget in self.budgets.items()}
        return Treasury(payers, Prices((_PRICES,), "UTC"), adapter, media)

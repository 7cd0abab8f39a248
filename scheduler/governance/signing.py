"""Signed approvals: the text that is signed, and whether a signature still makes an approval hold.

The text lists the digests of what is approved, so whoever reads it later needs nothing else; it is
signed with the approver's SSH key under a namespace of ours (``ssh-keygen -Y sign -n gaung-approval``).
It names campaign, stage and approver, so it cannot be used for another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from scheduler.config import Config
from scheduler.errors import GaungError
from scheduler.governance import ssh
from scheduler.i18n import N_
from scheduler.store import statements
from scheduler.store.consents import Given, Pair
from scheduler.store.database import Store
from scheduler.store.tables import SignedStatement

NAMESPACE = "gaung-approval"
FORMAT = "gaung-approval 1"


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody signs: "I approve these contents of this campaign, in this stage"."""

    campaign_id: str
    stage: int
    stages: int
    role: str
    approver: str
    at: datetime
    digests: tuple[str, ...]

    @property
    def text(self) -> str:
        """The canonical text: a head, then the digests in order, one a line."""
        head = [
            FORMAT,
            f"campaign {self.campaign_id}",
            f"stage {self.stage}/{self.stages} {self.role}",
            f"approver {self.approver}",
            f"at {self.at.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}",
            f"contents {len(self.digests)}",
        ]
        return "\n".join([*head, *sorted(self.digests)]) + "\n"


def parse(text: str) -> Statement:
    """The statement that :attr:`Statement.text` wrote; raise GaungError if it is not exactly one."""
    lines = text.splitlines()
    try:
        if lines[0] != FORMAT:
            raise ValueError(lines[0])
        facts = dict(line.split(" ", 1) for line in lines[1:6])
        number, role = facts["stage"].split(" ")
        stage, stages = number.split("/")
        statement = Statement(
            campaign_id=facts["campaign"],
            stage=int(stage),
            stages=int(stages),
            role=role,
            approver=facts["approver"],
            at=datetime.strptime(facts["at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
            digests=tuple(lines[6:]),
        )
        if statement.text != text or int(facts["contents"]) != len(set(statement.digests)):
            raise ValueError(text)
    except (KeyError, ValueError, IndexError):
        raise GaungError(
            N_("The file is not an approval that Gaung exported, or it was changed."),
            hint=N_("Export it again with gaung approve CAMPAIGN --export FILE."),
        ) from None
    return statement


def allowed_signers(config: Config) -> str:
    """The allowed-signers file of the configuration: the keys of its people, then the office's own file."""
    lines = [
        f'{person_id} namespaces="{NAMESPACE}" {" ".join(key.split()[:2])}'
        for person_id, person in config.people.items()
        for key in person.ssh_keys
    ]
    if config.approval.allowed_signers:
        file = config.path(Path(config.approval.allowed_signers))
        try:
            lines.append(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise GaungError(
                N_("The file of allowed signers {file} cannot be read: {why}"),
                hint=N_("Correct the key allowed_signers under [approval]."),
                file=file,
                why=getattr(error, "strerror", None) or error,
            ) from None
    return "\n".join(lines) + "\n"


def check(config: Config, statement: Statement, document: str, signature: str) -> None:
    """Raise SignatureError unless the approver named in the statement signed exactly this document."""
    ssh.verify(document.encode(), signature, allowed_signers(config), statement.approver, NAMESPACE)


def stored(statement: Statement, document: str, signature: str, now: datetime) -> SignedStatement:
    """The row in which a verified statement is kept."""
    sha256 = hashlib.sha256(document.encode()).hexdigest()
    return SignedStatement(
        sha256=sha256, document=document, signature=signature, signer=statement.approver, stored_at=now
    )


class Signatures:
    """Which stored statements verify, remembered by everything that the answer depends on.

    Verifying starts a process, so it is done once for each text, signature and list of keys, and never
    inside a transaction.
    """

    def __init__(self, config: Config) -> None:
        self._verified: dict[tuple[str, str], Statement | None] = {}
        self._by_id: dict[int, tuple[str, str, str]] = {}
        self.use(config)

    def use(self, config: Config) -> None:
        """Go by another configuration."""
        self._config = config

    def prepare(self, store: Store, now: datetime) -> None:
        """Verify the statements behind what is due, as far as that is not known."""
        with store.read() as session:
            due = statements.due(session, now)
            rows = statements.by_id(session, due) if due else {}
        if not rows:
            self._by_id = {}
            return
        try:
            allowed = allowed_signers(self._config)
        except GaungError:
            self._by_id = {}
            return
        signers = hashlib.sha256(allowed.encode()).hexdigest()
        self._by_id = {}
        for number, row in rows.items():
            place = (hashlib.sha256(f"{row.document}\0{row.signature}".encode()).hexdigest(), signers)
            if place not in self._verified:
                self._verified[place] = self._verify(row, allowed)
            self._by_id[number] = (*place, row.document)

    def _verify(self, row: SignedStatement, allowed: str) -> Statement | None:
        try:
            statement = parse(row.document)
            ssh.verify(row.document.encode(), row.signature, allowed, statement.approver, NAMESPACE)
        except GaungError:
            return None
        return statement

    def reason(self, pair: Pair, given: Sequence[Given]) -> str:
        """Why approvals do not hold: ``signature``; ``later`` if they must be verified first; or ""."""
        complete = False
        for one in given:
            if one.statement_id is None:
                return "signature"
            place = self._by_id.get(one.statement_id)
            if place is None:
                return "later"
            statement = self._verified[place[0], place[1]]
            if statement is None or not _covers(statement, one, pair):
                return "signature"
            complete |= statement.stage == statement.stages
        return "" if complete else "signature"


def _covers(statement: Statement, given: Given, pair: Pair) -> bool:
    campaign_id, digest = pair
    return (
        statement.campaign_id == campaign_id
        and digest in statement.digests
        and statement.approver == given.approver
        and (statement.stage, statement.role) == (given.stage, given.role)
    )

"""Whether the audit is whole: its chain, the heads that were anchored elsewhere, and what it says of posts.

Each flaw names the rows that it concerns. A chain alone cannot tell that its newest rows were cut off,
or that everything was written anew: for that there are anchors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scheduler.governance.contents import own_digest
from scheduler.governance.replaying import differences
from scheduler.i18n import N_
from scheduler.store import auditing
from scheduler.store.chain import GENESIS, answers_hash, row_hash
from scheduler.store.database import Session

#: How far from its place a row is looked for.
NEAR = 50

MESSAGES: Mapping[str, str] = {
    "changed": N_("Row {first} was changed: its content does not give its hash."),
    "replaced": N_("Row {first} was replaced by another: the row after it followed a different one."),
    "missing": N_("Rows {first} to {last} are missing."),
    "inserted": N_("Row {first} was inserted: the rows beside it follow each other directly."),
    "moved": N_("Rows {first} to {last} were moved: they were written elsewhere in the order."),
    "anchor": N_("Row {first} is not what was anchored in {where}."),
    "cut": N_(
        "The newest rows are missing: the anchor in {where} knows row {last}, the last here is {first}."
    ),
    "post": N_("The post {where} stands as “{found}” in its table, but the audit says “{said}”."),
    "words": N_("The content {where} was changed in its table: it does not give its digest any more."),
    "approval": N_("The approval of the content {where} by {found} is not in the audit."),
    "approval-row": N_(
        "Row {first} of the approvals (content {where}) was changed: “{found}” there, "
        "the audit says “{said}”."
    ),
    "approval-gone": N_(
        "The approval of the content {where} by {found} is in the audit, but not in its table."
    ),
    "answer": N_(
        "What the platform answered to attempt {first} (post {where}) was changed in its table: "
        "it does not give the hash that the audit has."
    ),
    "answer-gone": N_(
        "What the platform answered to attempt {first} is in the audit, but no longer in its table."
    ),
    "answer-new": N_(
        "What the platform is said to have answered to attempt {first} (post {where}) is not in the audit."
    ),
    "content": N_("The post {where} has another content in its table than the audit says."),
}


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that is not as it was written: ``kind`` is a key of :data:`MESSAGES`."""

    kind: str
    first: int = 0
    last: int = 0
    where: str = ""
    found: str = ""
    said: str = ""

    @property
    def message(self) -> str:
        """The sentence, untranslated, with its places."""
        return MESSAGES[self.kind]

    @property
    def values(self) -> dict[str, Any]:
        """What goes into the sentence."""
        return {name: getattr(self, name) for name in ("first", "last", "where", "found", "said")}


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head that was written down elsewhere, and where."""

    sequence: int
    hash: str
    where: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a verification."""

    rows: int
    head: auditing.Head
    flaws: Sequence[Flaw]
    anchors: int
    """How many anchors agree."""


def verify(session: Session, anchors: Sequence[Anchor] = ()) -> Verdict:
    """Go through the whole audit; ``session`` must see one moment throughout."""
    wanted = {anchor.sequence for anchor in anchors}
    hashes: dict[int, str] = {0: GENESIS}
    heard: dict[int, str] = {}
    counted = 0

    def rows() -> Iterator[Mapping[str, Any]]:
        nonlocal counted
        for row in auditing.events(session):
            counted += 1
            if "answers" in row.detail:
                heard[row.detail["attempt"]] = row.detail["answers"]
            if row.id in wanted:
                hashes[row.id] = row.hash
            yield dict(row._mapping)

    flaws = joined(chain_flaws(rows()))
    head = auditing.head(session)
    off = [flaw for anchor in anchors if (flaw := _anchor_flaw(anchor, hashes, head))]
    flaws += off
    flaws += _post_flaws(session)
    flaws += [Flaw("words", where=one.digest[:12]) for one in contents_changed(session)]
    flaws += _approval_flaws(session)
    flaws += _answer_flaws(session, heard)
    return Verdict(counted, head, flaws, len(anchors) - len(off))


def chain_flaws(rows: Iterable[Mapping[str, Any]]) -> Iterator[Flaw]:
    """Given all rows by number, yield every place at which the chain is broken."""
    before: Mapping[str, Any] = {"id": 0, "hash": GENESIS}
    linked_to = GENESIS
    for row, following in _pairs(rows):
        number = row["id"]
        gap = number > before["id"] + 1
        if gap:
            yield Flaw("missing", before["id"] + 1, number - 1)
        next_skips = following is not None and following["previous"] == before["hash"]
        if row_hash(row) != row["hash"]:
            if _place_of(row) is not None:
                yield Flaw("moved", number, number)
            elif next_skips:
                yield Flaw("inserted", number, number)
            else:
                yield Flaw("changed", number, number)
        elif next_skips:
            yield Flaw("inserted", number, number)
        elif not gap and row["previous"] != linked_to:
            # This row is whole, but followed another: the one before it was exchanged.
            yield Flaw("replaced", before["id"], before["id"])
        if next_skips:
            before = {"id": number, "hash": before["hash"]}
            linked_to = before["hash"]
        else:
            before = row
            linked_to = row["hash"]


def _pairs(
    rows: Iterable[Mapping[str, Any]],
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any] | None]]:
    iterator = iter(rows)
    row = next(iterator, None)
    while row is not None:
        following = next(iterator, None)
        yield row, following
        row = following


def _place_of(row: Mapping[str, Any]) -> int | None:
    """The number near its own under which a row was written; None if it never was."""
    number = row["id"]
    for other in range(max(1, number - NEAR), number + NEAR + 1):
        if other != number and row_hash({**row, "id": other}) == row["hash"]:
            return other
    return None


def joined(flaws: Iterable[Flaw]) -> list[Flaw]:
    """Flaws of a kind in rows that follow each other, told as one."""
    result: list[Flaw] = []
    for flaw in flaws:
        last = result[-1] if result else None
        if last and flaw.kind == last.kind == "moved" and flaw.first <= last.last + 1:
            result[-1] = Flaw(flaw.kind, last.first, flaw.last)
        elif flaw not in result:
            result.append(flaw)
    return result


def _anchor_flaw(anchor: Anchor, hashes: Mapping[int, str], head: auditing.Head) -> Flaw | None:
    if anchor.sequence > head.sequence:
        return Flaw("cut", head.sequence, anchor.sequence, anchor.where)
    if hashes.get(anchor.sequence) != anchor.hash:
        return Flaw("anchor", anchor.sequence, anchor.sequence, anchor.where)
    return None


def contents_changed(session: Session) -> Iterator[Any]:
    """Contents in use whose words and pictures no longer give their digest."""
    for row in auditing.contents_in_use(session):
        if own_digest(row) != row.digest:
            yield row


def _approval_flaws(session: Session) -> Iterator[Flaw]:
    """Approvals that are not as the audit tells them."""
    for one in differences(auditing.about_approvals(session), auditing.approval_rows(session)):
        found = one.found if one.kind == "approval-row" else one.approver
        yield Flaw(one.kind, one.row, one.row, one.digest[:12], found, one.said)


def _answer_flaws(session: Session, heard: Mapping[int, str]) -> Iterator[Flaw]:
    """Answers of platforms that are not as the audit has their hashes, by attempt.

    The audit has them since Gaung writes them there: of answers that are older it says nothing.
    """
    left, since = dict(heard), min(heard, default=0)
    for row in auditing.answer_rows(session):
        said = left.pop(row.attempt_id, None)
        if said is None:
            if since and row.attempt_id > since:
                yield Flaw("answer-new", row.attempt_id, row.attempt_id, row.key[:8])
        elif answers_hash(row.attempt_id, row.answers) != said:
            yield Flaw("answer", row.attempt_id, row.attempt_id, row.key[:8])
    for attempt in left:
        yield Flaw("answer-gone", attempt, attempt)


def _post_flaws(session: Session) -> Iterator[Flaw]:
    """Posts that were changed in their table past the program: the audit says another state or content."""
    for post in auditing.contradictions(session):
        if post.state != post.said_state:
            yield Flaw("post", where=post.key[:8], found=post.state, said=post.said_state or "")
        else:
            yield Flaw("content", where=post.key[:8])

"""The rule by which a campaign is approved, applied to the person who wants to approve.

Nothing goes out without a recorded approval of exactly that content; here is decided whose counts, and
for which stage.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.errors import GaungError
from scheduler.governance.people import Actor, require_role
from scheduler.i18n import N_
from scheduler.store import approving
from scheduler.store.approving import Waiting
from scheduler.store.database import Session
from scheduler.store.tables import CampaignVersion


@dataclass(frozen=True, slots=True)
class Rule:
    """How a campaign is approved: the roles of its stages, in order, and whether by different persons."""

    stages: tuple[str, ...]
    separate: bool
    """Nobody approves what they drafted, nor a second stage."""


def rule(approval: str) -> Rule:
    """The rule that a campaign's ``approval`` names."""
    if approval in {"one-person", "two-person"}:
        return Rule(("approver",), approval == "two-person")
    return Rule(tuple(approval.split(",")), True)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person may approve now, and why not the rest."""

    allowed: Sequence[Waiting]
    own: int = 0
    """Contents that the person drafted, or brought into force."""
    twice: int = 0
    """Contents of which the person gave an earlier stage."""
    other_role: Mapping[str, int] | None = None
    """Contents that wait for somebody with another role, by role."""


def next_stage(approval: Rule, waiting: Waiting) -> int:
    """The number of the stage that a content waits for, from 1."""
    given = {one.stage for one in waiting.given}
    return next((number for number in range(1, len(approval.stages) + 1) if number not in given), 1)


def choice(session: Session, version: CampaignVersion, waiting: Sequence[Waiting], who: Actor) -> Choice:
    """What of the waiting contents this person may approve; raise GaungError if nothing, and why.

    Neither who put the newest version into force nor who brought one of the contents in: a colleague's
    later apply of a trifle changes nothing about who drafted the text. An answer to a comment stands in no
    version: of it, only its drafter is kept out.
    """
    how = rule(version.approval)
    if who.person is None or not set(how.stages) & set(who.person.roles):
        require_role(who, how.stages[-1])
    roles = who.person.roles if who.person else ()
    drafted = set()
    if how.separate:
        drafted = approving.drafted_by(
            session, version.campaign_id, [one.content.digest for one in waiting], who.id
        )
    allowed, own, twice = [], 0, 0
    other: dict[str, int] = defaultdict(int)
    for one in waiting:
        role = how.stages[next_stage(how, one) - 1]
        if role not in roles:
            other[role] += 1
        elif how.separate and (
            one.content.digest in drafted or (version.applied_by == who.id and not one.content.reply_to)
        ):
            own += 1
        elif how.separate and any(given.approver == who.id for given in one.given):
            twice += 1
        else:
            allowed.append(one)
    if waiting and not allowed:
        raise _refusal(version, who, own, twice, other)
    return Choice(allowed, own, twice, other)


def _refusal(
    version: CampaignVersion, who: Actor, own: int, twice: int, other: Mapping[str, int]
) -> GaungError:
    if own:
        return GaungError(
            N_("{name} applied this campaign and cannot approve it as well (approval = {approval})."),
            hint=N_("Ask another person with the role {role}."),
            name=who.name,
            approval=version.approval,
            role=rule(version.approval).stages[-1],
        )
    if twice:
        return GaungError(
            N_("{name} has given an earlier stage and cannot give the next one as well."),
            hint=N_("Ask another person with the role {role}."),
            name=who.name,
            role=rule(version.approval).stages[-1],
        )
    return GaungError(
        N_("What waits here waits for somebody with the role {role}, which {name} does not have."),
        hint=N_("Ask somebody who has it, or have the role added in the configuration."),
        role=", ".join(other),
        name=who.name,
    )


@dataclass(frozen=True, slots=True)
class Terms:
    """What goes for every approval that is given now."""

    valid: timedelta | None
    """How long an approval holds; None for ever."""
    statement_id: int | None = None
    given_at: datetime | None = None
    """When it was signed, if that was earlier than now."""


def approve(
    session: Session,
    version: CampaignVersion,
    chosen: Sequence[Waiting],
    who: Actor,
    now: datetime,
    terms: Terms,
) -> bool:
    """Record the next stage of each content; return whether that completes all of them.

    Raise GaungError if this person's approval does not count. What a row carries as its end is the
    earliest end of all stages.
    """
    checked = choice(session, version, chosen, who)
    if len(checked.allowed) < len(chosen):
        raise _refusal(version, who, checked.own, checked.twice, checked.other_role or {})
    how = rule(version.approval)
    by_stage: dict[int, dict[str, Waiting]] = defaultdict(dict)
    for one in chosen:
        by_stage[next_stage(how, one)].setdefault(one.content.digest, one)  # two messages may share a text
    end = (terms.given_at or now) + terms.valid if terms.valid is not None else None
    for stage, several in by_stage.items():
        ends: dict[str, datetime] = {}
        for digest, one in several.items():
            all_ends = [given.expires_at for given in one.given if given.expires_at]
            if end:
                all_ends.append(end)
            if all_ends:
                ends[digest] = min(all_ends)
        approving.approve(
            session,
            version.campaign_id,
            list(several),
            approver=who.id,
            os_user=who.os_user,
            at=now,
            stage=stage,
            role=how.stages[stage - 1],
            complete=stage == len(how.stages),
            expires_at=ends,
            statement_id=terms.statement_id,
        )
    return all(stage == len(how.stages) for stage in by_stage)


def may_decide(version: CampaignVersion, who: Actor) -> None:
    """Raise GaungError unless this person has a role in approving the campaign: who may also say no."""
    if who.person is None or not set(rule(version.approval).stages) & set(who.person.roles):
        require_role(who, rule(version.approval).stages[-1])

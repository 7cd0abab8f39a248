"""The signed side of ``approve``: signing here, writing down what is signed elsewhere, taking it in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scheduler.cli.commands.approving import by_stage, check_again, validity
from scheduler.cli.output import emit, say
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _, ngettext

if TYPE_CHECKING:
    from scheduler.governance.people import Actor
    from scheduler.governance.signing import Statement
    from scheduler.store.approving import Waiting
    from scheduler.store.database import Store
    from scheduler.store.tables import CampaignVersion, SignedStatement

#: Where people have their keys, best first (ssh-keygen(1)).
KEYS = ("id_ed25519_sk", "id_ed25519", "id_ecdsa_sk", "id_ecdsa", "id_rsa")


def sign_here(
    workplace: Workplace, version: CampaignVersion, chosen: Sequence[Waiting], key: Path | None
) -> dict[int, SignedStatement]:
    """Have this person sign what they approve, with their key on this computer: stage -> what is kept."""
    from scheduler.governance import signing, ssh

    found = {}
    for stage, several in by_stage(version, chosen).items():
        statement = _statement(workplace, version, stage, several, workplace.actor.id)
        signature = ssh.sign(statement.text.encode(), key or _own_key(), signing.NAMESPACE)
        signing.check(workplace.config, statement, statement.text, signature)
        found[stage] = signing.stored(statement, statement.text, signature, workplace.clock.now())
    return found


def export_for(
    workplace: Workplace, store: Store, version: CampaignVersion, message: str, file: Path, signer: str
) -> int:
    """Show what waits and write it down for somebody to sign on their own computer."""
    from scheduler.cli.showing import show
    from scheduler.governance import approvals
    from scheduler.reports.tables import write_file
    from scheduler.store import approving

    who = _person(workplace, signer) if signer else workplace.actor
    with store.read() as session:
        waiting = [
            one
            for one in approving.waiting(session, version.campaign_id, message, workplace.clock.now())
            if message or one.back is None
        ]
        if not waiting:
            say(_("Nothing waits for approval."))
            return 0
        choice = approvals.choice(session, version, waiting, who)
        before = approving.approved_before(session, version.campaign_id)
    stages = by_stage(version, choice.allowed)
    stage = min(stages)
    check_again(workplace, version, stages[stage])
    for number, one in enumerate(stages[stage], 1):
        show(workplace, one, number, len(stages[stage]), before.get((one.message_id, one.content.account_id)))
        emit("")
    statement = _statement(workplace, version, stage, stages[stage], who.id)
    write_file(file, statement.text)
    say(
        ngettext(
            "{count} text is written to {file}. {name} signs it with:",
            "{count} texts are written to {file}. {name} signs it with:",
            len(stages[stage]),
            file=file,
            name=who.name,
        )
    )
    say(f"  ssh-keygen -Y sign -f ~/.ssh/id_ed25519 -n gaung-approval {file}")
    say(_("Then: {command}", command=f"gaung approve --import {file}.sig"))
    return 0


def take_in(workplace: Workplace, store: Store, signature_file: Path) -> int:
    """Take in what somebody signed elsewhere; it counts as theirs, whoever brings it."""
    from scheduler.governance import approvals, signing
    from scheduler.governance.approvals import Terms
    from scheduler.store import approving, statements
    from scheduler.store import campaigns as stored

    document, signature = _read(signature_file.with_suffix("")), _read(signature_file)
    statement = signing.parse(document)
    who = _person(workplace, statement.approver)
    now = workplace.clock.now()
    _fresh(workplace, statement)
    signing.check(workplace.config, statement, document, signature)
    row = signing.stored(statement, document, signature, now)
    with store.write() as session:
        version = stored.current(session, statement.campaign_id)
        if version is None:
            raise GaungError(
                N_("The campaign {id} was never applied."),
                hint=N_("First: gaung apply"),
                id=statement.campaign_id,
            )
        if statements.known(session, row.sha256):
            raise GaungError(
                N_("This signed approval was taken in before; it counts once."),
                hint=N_("Export what waits now, and have that signed."),
            )
        rule = approvals.rule(version.approval)
        waiting = [
            one
            for one in approving.waiting(session, version.campaign_id, now=now)
            if one.content.digest in statement.digests
            and approvals.next_stage(rule, one) == statement.stage
            and rule.stages[statement.stage - 1 : statement.stage] == (statement.role,)
            and len(rule.stages) == statement.stages
        ]
        if not waiting:
            raise GaungError(
                N_("Nothing that waits now is in this approval: it was changed or approved meanwhile."),
                hint=N_("Export what waits now, and have that signed."),
            )
        terms = Terms(validity(workplace), statements.add(session, row), statement.at)
        complete = approvals.approve(session, version, waiting, who, now, terms)
    say(
        ngettext(
            "{count} text approved by {name}.",
            "{count} texts approved by {name}.",
            len(waiting),
            name=who.name,
        )
    )
    left = len(statement.digests) - len(waiting)
    if left:
        say(
            ngettext(
                "{count} text of it does not wait any more.",
                "{count} texts of it do not wait any more.",
                left,
            )
        )
    if not complete:
        say(_("Further stages follow before it goes out."))
    return 3 if left or not complete else 0


def _fresh(workplace: Workplace, statement: Statement) -> None:
    valid = validity(workplace)
    now = workplace.clock.now()
    if valid is not None and not now - valid < statement.at <= now + (valid / 10):
        raise GaungError(
            N_("This approval was written at another time than now ({at}) and does not hold any more."),
            hint=N_("Export what waits now, and have that signed."),
            at=statement.at.strftime("%Y-%m-%d %H:%M UTC"),
        )


def _statement(
    workplace: Workplace, version: CampaignVersion, stage: int, several: Sequence[Waiting], approver: str
) -> Statement:
    from scheduler.governance import approvals
    from scheduler.governance.signing import Statement

    rule = approvals.rule(version.approval)
    return Statement(
        campaign_id=version.campaign_id,
        stage=stage,
        stages=len(rule.stages),
        role=rule.stages[stage - 1],
        approver=approver,
        at=workplace.clock.now().replace(microsecond=0),
        digests=tuple(sorted({one.content.digest for one in several})),
    )


def _person(workplace: Workplace, person_id: str) -> Actor:
    """Somebody of the configuration in whose name a signature stands; who brings it is recorded too."""
    from scheduler.governance.people import Actor

    person = workplace.config.people.get(person_id)
    if person is None:
        raise GaungError(
            N_("There is no person {id} in the configuration."),
            hint=N_("Known: {known}."),
            id=person_id,
            known=", ".join(workplace.config.people) or "–",
        )
    return Actor(person_id, workplace.actor.os_user, person)


def _own_key() -> Path:
    folder = Path.home() / ".ssh"
    for name in KEYS:
        if (folder / name).exists():
            return folder / name
        if (folder / f"{name}.pub").exists():  # the private part is in an agent
            return folder / f"{name}.pub"
    raise GaungError(
        N_("Approvals are signed here, and you have no SSH key in {folder}."),
        hint=N_("Name it with --key, or make one: ssh-keygen -t ed25519"),
        folder=folder,
    )


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GaungError(
            N_("{file} cannot be read: {why}"),
            hint=N_("Name the file FILE.sig that ssh-keygen made; FILE itself must lie beside it."),
            file=file,
            why=getattr(error, "strerror", None) or error,
        ) from None

"""Which roles may run which command: one table, looked at before the command begins.

Reading is open, so that every colleague sees what is going on; whatever changes something needs a
person of the configuration with one of the roles named here. What a command asks beyond that (the
stage of an approval, say) it asks itself.

- drafter: brings campaign files into force, and takes posts out again
- reviewer, approver: say yes or no to contents, in the stages that a campaign names
- publisher: runs the daemon, decides about posts that need a person, looks after accounts
- auditor: reads the record, hands it over, places legal holds
"""

from __future__ import annotations

from collections.abc import Mapping

from scheduler.config import Role
from scheduler.errors import GaungError
from scheduler.governance.people import Actor
from scheduler.i18n import N_

Roles = frozenset[Role] | None

EVERYBODY: Roles = None
_DECIDING: frozenset[Role] = frozenset({"reviewer", "approver"})
_PUBLISHING: Roles = frozenset({"publisher"})
_ANSWERING: Roles = frozenset({"approver", "publisher"})
_WORKING: frozenset[Role] = frozenset({"drafter", "reviewer", "approver", "publisher"})

ANY_ROLE: Roles = frozenset({"drafter", "reviewer", "approver", "publisher", "auditor"})

#: By command; None is open to everybody. A command that is not here needs a known person with any role.
ROLES: Mapping[str, Roles] = {
    "init": EVERYBODY,
    "check": EVERYBODY,
    "schema": EVERYBODY,
    "plan": EVERYBODY,
    "apply": frozenset({"drafter"}),
    "approve": _DECIDING | frozenset({"drafter", "publisher", "auditor"}),
    "return": _DECIDING,
    "run": _PUBLISHING,
    "status": EVERYBODY,
    "posts": EVERYBODY,
    "nodes": EVERYBODY,
    "review": EVERYBODY,
    "review --publish": _ANSWERING,
    "bundle": EVERYBODY,
    "posts show": EVERYBODY,
    "retry": _ANSWERING,
    "cancel": frozenset({"drafter", "approver", "publisher"}),
    "resolve": _PUBLISHING,
    "stop": _WORKING,
    "stops": EVERYBODY,
    "resume": _ANSWERING,
    "takedown": _ANSWERING,
    "reach": EVERYBODY,
    "reach --now": _WORKING | frozenset({"auditor"}),
    "reach enter": frozenset({"drafter", "publisher"}),
    "reach import": frozenset({"drafter", "publisher"}),
    "followers": EVERYBODY,
    "followers --now": _WORKING | frozenset({"auditor"}),
    "followers enter": frozenset({"drafter", "publisher"}),
    "inbox": ANY_ROLE,
    "inbox reply": _WORKING,
    "inbox canned": ANY_ROLE,
    "inbox assign": _WORKING,
    "inbox close": _WORKING,
    "report": EVERYBODY,
    "audit show": frozenset({"auditor", "approver"}),
    "audit verify": EVERYBODY,
    "audit export": frozenset({"auditor"}),
    "audit anchor": frozenset({"auditor"}),
    "archive": frozenset({"auditor", "approver", "publisher"}),
    "hold": frozenset({"auditor"}),
    "accounts list": EVERYBODY,
    "accounts check": _PUBLISHING,
    "accounts login": _PUBLISHING,
    "accounts logout": _PUBLISHING,
    "secrets new-key": EVERYBODY,
    "secrets rotate": _PUBLISHING,
    "budget": EVERYBODY,
    "calendar": EVERYBODY,
    "windows": EVERYBODY,
    "doctor": EVERYBODY,
    "db upgrade": EVERYBODY,
    "practice serve": EVERYBODY,
    "demo": EVERYBODY,
}
#: What a user of the system who is no person may do all the same: the daemon runs as one. It decides
#: nothing; whatever it sends was approved by somebody.
SERVICE = frozenset({"run"})


def may(command: str, who: Actor) -> None:
    """Raise GaungError unless this person may run the command."""
    roles = ROLES.get(command, ANY_ROLE)
    if roles is None or (who.person is None and command in SERVICE):
        return
    if who.person is None:
        raise GaungError(
            N_("The user {user} is not among the people of the configuration, so “{command}” did nothing."),
            hint=N_('Add a table [people.ID] with os_user = "{user}" and one of the roles {roles}.'),
            user=who.os_user,
            command=command,
            roles=", ".join(sorted(roles)),
        )
    if not roles & set(who.person.roles):
        raise GaungError(
            N_("{name} has none of the roles that “{command}” needs: {roles}. Nothing was changed."),
            hint=N_("Ask somebody who has it, or have the role added in the configuration."),
            name=who.person.name,
            command=command,
            roles=", ".join(sorted(roles)),
        )

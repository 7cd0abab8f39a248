"""Who is acting: the real user of this process, and the person of the configuration behind that user.

The user is read from the operating system, not from an environment variable that anybody can set;
under sudo the calling user counts, and both are recorded (``scheduler.origin``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scheduler.config import Config, Person
from scheduler.errors import GaungError
from scheduler.i18n import N_
from scheduler.origin import login


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. ``id`` goes into the audit: the person's id, or ``os:USER`` for a user without one."""

    id: str
    os_user: str
    person: Person | None

    @property
    def name(self) -> str:
        """The name to show."""
        return self.person.name if self.person else self.os_user


def actor(config: Config, environment: Mapping[str, str]) -> Actor:
    """Given the configuration, return who acts."""
    user, shown = login(environment)
    for person_id, person in config.people.items():
        if person.os_user == user:
            return Actor(person_id, shown, person)
    return Actor(f"os:{user}", shown, None)


def require_role(who: Actor, role: str) -> None:
    """Raise GaungError unless the actor is a known person with this role."""
    if who.person is None:
        raise GaungError(
            N_(
                "The user {user} is not among the people of the configuration, so the approval would"
                " have no name."
            ),
            hint=N_('Add a table [people.ID] with os_user = "{user}" and the role {role}.'),
            user=who.os_user,
            role=role,
        )
    if role not in who.person.roles:
        raise GaungError(
            N_("{name} does not have the role {role}."),
            hint=N_("Ask somebody who has it, or have the role added in the configuration."),
            name=who.person.name,
            role=role,
        )

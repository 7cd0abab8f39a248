"""Finding the post that a person means by the beginning of its id, and refusing what its state forbids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.errors import GaungError
from scheduler.i18n import N_

if TYPE_CHECKING:
    from scheduler.store.database import Session
    from scheduler.store.tables import Delivery

#: Characters of the delivery key that are shown as the id of a post.
SHOWN = 8


def one_post(session: Session, prefix: str) -> Delivery:
    from scheduler.store import operations

    found = operations.by_key(session, prefix) if prefix else []
    if not found:
        raise GaungError(N_("There is no post {id}."), hint=N_("“gaung posts” lists them."), id=prefix)
    if len(found) > 1:
        raise GaungError(N_("Several posts begin with {id}."), hint=N_("Give more of the id."), id=prefix)
    return found[0]


class refused:  # noqa: N801 -- reads as a clause: with refused(post)
    """Turn a refused transition into words; the transaction is rolled back, so nothing changed."""

    def __init__(self, post: Delivery) -> None:
        self._post = post

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: object, _trace: object) -> None:
        from scheduler.cli.words import state_word
        from scheduler.states import RefusedTransitionError, State
        from scheduler.store.transitions import StaleStateError

        if isinstance(error, RefusedTransitionError | StaleStateError):
            raise GaungError(
                N_(
                    "The post {id} is in the state “{state}”, which does not allow this. Nothing was changed."
                ),
                hint=N_("“gaung posts show {id}” tells what happened to it."),
                id=self._post.key[:SHOWN],
                state=state_word(State(self._post.state)),
            ) from None

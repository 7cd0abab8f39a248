"""The words for codes: states and reasons as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping

from scheduler.i18n import N_, _
from scheduler.states import State

STATES: Mapping[State, str] = {
    State.PLANNED: N_("planned"),
    State.SENDING: N_("being sent"),
    State.SENT: N_("published"),
    State.HANDED: N_("handed to a person"),
    State.UNSURE: N_("outcome unknown"),
    State.FAILED: N_("failed"),
    State.MISSED: N_("missed"),
    State.REVIEW: N_("missed, to be decided"),
    State.WITHDRAWN: N_("withdrawn"),
    State.REMOVED: N_("taken down"),
}

REASONS: Mapping[str, str] = {
    "too-late": N_("Its time passed before it could be sent."),
    "not-approved": N_("Its time passed before it was approved."),
    "lease-expired": N_("The program stopped while it was being sent."),
    "ambiguous": N_("The platform's answer does not tell whether the post was accepted."),
    "duplicate": N_("The platform says that this content is already there."),
    "transient": N_("The platform could not be reached."),
    "rate_limited": N_("The platform asks for a pause."),
    "auth_expired": N_("The platform refuses the credentials of the account."),
    "account_held": N_("The platform restricts the account."),
    "rejected": N_("The platform refused the post."),
    "cannot-tell": N_("The platform's listing does not tell whether the post is there."),
    "absent": N_("The post is not on the platform."),
    "handed": N_("Prepared for a person to publish."),
    "withdrawn": N_("No longer in the campaign file."),
    "cancelled": N_("Cancelled by a person."),
    "returned": N_("In the campaign file again."),
}


def state_word(state: State) -> str:
    """A state in words."""
    return _(STATES[state])


def reason_words(code: str, reason: str) -> str:
    """A reason in words, with what the platform itself said after it, translated if it is a text of ours."""
    known = _(REASONS[code]) if code in REASONS else code
    reason = _(reason)
    return f"{known} ({reason})" if known and reason else known or reason


def figure_headings() -> dict[str, str]:
    """The headings of the figures of a post, by column."""
    return {
        "views": _("views"),
        "reach": _("reach"),
        "likes": _("likes"),
        "comments": _("comments"),
        "shares": _("shares"),
        "saves": _("saves"),
        "clicks": _("clicks"),
        "engagement": _("engagement"),
    }

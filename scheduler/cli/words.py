"""The words for codes: states and reasons as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from scheduler.i18n import N_, _
from scheduler.states import State

if TYPE_CHECKING:
    from scheduler.store.tables import RetiredMetric

STATES: Mapping[State, str] = {
    State.PLANNED: N_("planned"),
    State.SENDING: N_("being sent"),
    State.SENT: N_("published"),
    State.HANDED: N_("handed to a person"),
    State.UNSURE: N_("outcome unknown"),
    State.FAILED: N_("failed"),
    State.MISSED: N_("missed"),
    State.REVIEW: N_("to be decided"),
    State.WITHDRAWN: N_("withdrawn"),
    State.REMOVED: N_("taken down"),
}

#: Events of a delivery, and what else is recorded of one.
EVENTS: Mapping[str, str] = {
    "planned": N_("planned"),
    "edited": N_("changed by an edit of the file"),
    "claimed": N_("sending begun"),
    "missed": N_("missed"),
    "held": N_("put to a person"),
    "withdrawn": N_("withdrawn"),
    "returned": N_("back in the file"),
    "cancelled": N_("cancelled"),
    "accepted": N_("accepted by the platform"),
    "handed_over": N_("handed to a person"),
    "postponed": N_("not accepted, to be tried again"),
    "rate_limited": N_("the platform asks for a pause"),
    "account_refused": N_("the account does not work"),
    "rejected": N_("refused by the platform"),
    "exhausted": N_("attempts are spent"),
    "lost": N_("outcome unknown"),
    "found": N_("found on the platform"),
    "absent": N_("not on the platform"),
    "undecided": N_("the platform cannot tell"),
    "completed": N_("published by hand"),
    "retried": N_("planned again by a person"),
    "taken_down": N_("taken down"),
    "stopped": N_("ended by a stop"),
    "late_answer": N_("an answer that came too late"),
    "double_seen": N_("accepted twice, seen to by a person"),
    "takedown_begun": N_("takedown begun"),
    "takedown_failed": N_("not taken down"),
    "figures-entered": N_("figures entered by hand"),
    "comment-assigned": N_("comment given into somebody's care"),
    "comment-closed": N_("comment closed"),
    "comments-erased": N_("personal data taken out of comments"),
    "followers-entered": N_("followers entered by hand"),
    "applied": N_("campaign file put into force"),
    "approved": N_("approved"),
    "approval_void": N_("approval void"),
    "sent_back": N_("sent back to the drafter"),
    "archived": N_("archived"),
    "stop_declared": N_("emergency stop declared"),
    "stop_lifted": N_("emergency stop ended"),
    "windows_applied": N_("rules about time put into force"),
    "hold_placed": N_("legal hold placed"),
    "hold_lifted": N_("legal hold lifted"),
    "credentials-stored": N_("credentials stored"),
    "credentials-forgotten": N_("credentials deleted"),
    "credentials-sealed-anew": N_("credentials encrypted with the new key"),
    "budget-raised": N_("budget of a month raised"),
    "budget-lifted": N_("budget of a month lifted"),
}

REASONS: Mapping[str, str] = {
    "too-late": N_("Its time passed before it could be sent."),
    "over-budget": N_("Its time passed while the monthly budget of its account held it."),
    "not-approved": N_("Its time passed before it was approved."),
    "stopped": N_("Held back by a stop."),
    "window": N_("Held back by a window for longer than the campaign allows."),
    "takedown-unclear": N_("Nobody knows whether it was taken down."),
    "lease-expired": N_("The program was not heard of any more while it was being sent."),
    "process-ended": N_("The program stopped while it was being sent."),
    "not-begun": N_("No worker was free in time, or the database answered too late; nothing was sent."),
    "not-held": N_("The database could not be reached in time; nothing more was sent."),
    "ambiguous": N_("The platform's answer does not tell whether the post was accepted."),
    "duplicate": N_("The platform says that this content is already there."),
    "transient": N_("The platform could not be reached."),
    "not_ready": N_("Something of your own is not ready; the post waits."),
    "rate_limited": N_("The platform asks for a pause."),
    "auth_expired": N_("The platform refuses the credentials of the account."),
    "account_held": N_("The platform restricts the account."),
    "rejected": N_("The platform refused the post."),
    "cannot-tell": N_("The platform's listing does not tell whether the post is there."),
    "absent": N_("The post is not on the platform."),
    "incomplete": N_("The post is out, but a part of it is missing."),
    "handed": N_("Prepared for a person to publish."),
    "withdrawn": N_("No longer in the campaign file."),
    "cancelled": N_("Cancelled by a person."),
    "returned": N_("In the campaign file again."),
}


def state_word(state: State) -> str:
    """A state in words."""
    return _(STATES[state])


def event_word(code: str) -> str:
    """An event or recorded action in words; one that is not known stays as it is."""
    return _(EVENTS[code]) if code in EVENTS else code


def reason_words(code: str, reason: str) -> str:
    """A reason in words, with what the platform itself said after it, translated if it is a text of ours."""
    known = _(REASONS[code]) if code in REASONS else code
    reason = _(reason)
    return f"{known} ({reason})" if known and reason else known or reason


def retired_line(one: RetiredMetric, zone: str) -> str:
    """A figure that a platform refuses everywhere, in a sentence."""
    from scheduler.cli.output import local_time

    return _(
        "{platform} refuses {metric} for every post since {since}: it is retired, or the accounts lack"
        " a right (gaung accounts check). The figure “{figure}” stays unknown.",
        platform=one.platform,
        metric=f"{one.name} ({one.api})" if one.api else one.name,
        since=local_time(one.since.replace(second=0), zone),
        figure=figure_headings()[one.metric],
    )


def unknown_words() -> dict[str, str]:
    """Why a figure is unknown, by the code that a snapshot keeps."""
    return {
        "not-offered": _("The platform has no such figure"),
        "not-yet": _("The platform had no figure yet"),
        "refused": _("The platform refused to tell"),
        "gone": _("The platform no longer has the post"),
    }


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
        "video_views": _("video views"),
        "profile_visits": _("profile visits"),
        "engagement": _("engagement"),
    }

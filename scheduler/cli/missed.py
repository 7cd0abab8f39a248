"""Posts that did not go out at their time, as ``status`` and ``review`` show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from scheduler.cli.choosing import SHOWN
from scheduler.cli.output import Format, emit, listing, say
from scheduler.i18n import _

if TYPE_CHECKING:
    from scheduler.store.tables import Delivery


#: So many are shown by ``status``; ``review`` shows all.
AT_ONCE = 20


def tell(posts: Sequence[Delivery]) -> None:
    """Show what was missed, for people."""
    if not posts:
        return
    emit("")
    emit(_("Missed"))
    listing(rows(posts[:AT_ONCE], Format.TABLE), headings(Format.TABLE), Format.TABLE)
    if len(posts) > AT_ONCE:
        say(_("{count} more: gaung review --skipped", count=len(posts) - AT_ONCE))
    say(_("Decide with: gaung review --publish, --at TIME or --cancel"))


def rows(posts: Sequence[Delivery], form: Format) -> list[dict[str, Any]]:
    """One row a post; reasons in words for people, as codes for programs."""
    from scheduler.cli.words import reason_words
    from scheduler.reports.rows import LocalTime
    from scheduler.states import State

    return [
        {
            "id": one.key[:SHOWN],
            "planned_at": LocalTime(one.planned_at, one.zone),
            "campaign": one.campaign_id,
            "message": one.message_id,
            "account": one.account_id,
            "state": State(one.state),
            "code": one.code,
            "reason": reason_words(one.code, one.reason) if form is Format.TABLE else one.reason,
        }
        for one in posts
    ]


def headings(form: Format) -> Mapping[str, str]:
    """The columns of :func:`rows`."""
    named = {
        "id": _("id"),
        "planned_at": _("time"),
        "campaign": _("campaign"),
        "message": _("message"),
        "account": _("account"),
        "state": _("state"),
        "code": _("code"),
        "reason": _("reason"),
    }
    if form is Format.TABLE:
        del named["code"]
    return named

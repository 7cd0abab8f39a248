"""``posts`` and ``posts show``: every post with where it stands, and one with all that is recorded of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scheduler.cli.choosing import SHOWN, one_post
from scheduler.cli.options import FormatOption
from scheduler.cli.output import Format, details, emit, listing, say
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _
from scheduler.states import State

if TYPE_CHECKING:
    from scheduler.store.listings import PostDetails
    from scheduler.store.tables import Approval, Delivery


def posts(
    context: typer.Context,
    campaign: Annotated[str, typer.Option(help=_("Only this campaign."))] = "",
    account: Annotated[str, typer.Option(help=_("Only this account."))] = "",
    message: Annotated[str, typer.Option(help=_("Only this message."))] = "",
    state: Annotated[
        list[str] | None, typer.Option(help=_("Only this state; may be given several times."))
    ] = None,
    limit: Annotated[int, typer.Option(help=_("At most so many; 0 for all."), min=0)] = 0,
    form: FormatOption = Format.TABLE,
) -> None:
    if context.invoked_subcommand:
        return
    from scheduler.reports.rows import LocalTime
    from scheduler.store import listings

    workplace: Workplace = context.obj
    wanted = listings.PostFilter(
        campaign, account, message, _states(state or []), limit=limit, now=workplace.clock.now()
    )
    with workplace.store().read() as session:
        found = listings.posts(session, wanted)
    rows = [
        {
            "id": post.key[:SHOWN],
            "planned_at": LocalTime(post.planned_at, post.zone),
            "campaign": post.campaign_id,
            "message": post.message_id,
            "account": post.account_id,
            "platform": post.platform,
            "state": State(post.state),
            "approved": bool(post.approved),
            "published_at": LocalTime(post.published_at, post.zone) if post.published_at else None,
            "permalink": post.permalink or None,
        }
        for post in found
    ]
    headings = {
        "id": _("id"),
        "planned_at": _("time"),
        "campaign": _("campaign"),
        "message": _("message"),
        "account": _("account"),
        "platform": _("platform"),
        "state": _("state"),
        "approved": _("approved"),
        "published_at": _("published"),
        "permalink": _("address"),
    }
    if form is Format.TABLE:  # what a person knows anyway makes the table too wide
        headings.pop("platform")
        headings.pop("published_at")
        if campaign or len({row["campaign"] for row in rows}) < 2:
            headings.pop("campaign")
    listing(rows, headings, form, empty=_("No posts."))
    if form is Format.TABLE and rows:
        for one in wanted.states:  # whoever asks for these has something to do
            if one in _NEXT:
                say(_(_NEXT[one]))


#: What follows for posts of a state, told to whoever lists that state.
_NEXT: Mapping[State, str] = {
    State.HANDED: N_(
        "gaung posts show ID says where the kit lies. When it is published: gaung resolve ID --posted ADDRESS"
    ),
    State.UNSURE: N_(
        "Look at the account. If the post is there: gaung resolve ID --posted ADDRESS;"
        " if it is not: gaung resolve ID --absent"
    ),
    State.FAILED: N_("gaung posts show ID says why. When it is mended: gaung retry ID"),
}


def show(
    context: typer.Context,
    post: Annotated[str, typer.Argument(help=_("Id of the post."))],
    form: FormatOption = Format.TABLE,
) -> None:
    from scheduler.cli.partly import public_part
    from scheduler.cli.words import event_word, reason_words
    from scheduler.reports.rows import LocalTime
    from scheduler.store import listings

    workplace: Workplace = context.obj
    with workplace.store().read() as session:
        chosen = one_post(session, post)
        found = listings.details(session, chosen)
        held = listings.is_over_budget(session, chosen, workplace.clock.now())
    one = found.delivery
    part = None if one.permalink else public_part(workplace.calls, one)
    zone = one.zone
    facts: dict[str, tuple[str, Any]] = {
        "id": (_("id"), one.key),
        "campaign": (_("campaign"), one.campaign_id),
        "message": (_("message"), one.message_id),
        "comment": (_("answers comment"), one.comment_id),
        "account": (_("account"), f"{one.account_id} ({one.platform})"),
        "planned_at": (_("time"), LocalTime(one.planned_at, zone)),
        "allowed_at": (_("goes out at"), _moved_to(one, form)),
        "window": (_("window"), one.window_rule),
        "state": (_("state"), State(one.state)),
        "reason": (_("reason"), reason_words(one.code, one.reason)),
        "waits_for": (_("waits for"), _budget_words(one.account_id) if held else None),
        "cost": (_("cost"), _cost(workplace, found)),
        "published_at": (_("published"), LocalTime(one.published_at, zone) if one.published_at else None),
        "permalink": (_("address"), one.permalink),
        "part": (_("public part"), (part.permalink or part.remote_id) if part else None),
        "remote_id": (_("id on the platform"), one.remote_id),
        "approvals": (
            _("approved by"),
            "\n".join(_approval_words(workplace, one, zone) for one in found.approvals),
        ),
        "digest": (_("content"), one.digest),
        "text": (_("text"), found.content.text),
        "link": (_("link"), found.content.link),
        "media": (_("media"), "\n".join(f"{item['name']}: {item['alt']}" for item in found.content.media)),
    }
    if form is not Format.TABLE:  # programs get codes, not words that depend on the language
        given = [
            {
                "approver": approval.approver,
                "approved_at": LocalTime(approval.approved_at, zone),
                "stage": approval.stage,
                "role": approval.role,
                "complete": approval.complete,
            }
            for approval in found.approvals
        ]
        facts["account"] = ("", one.account_id)
        facts["platform"] = ("", one.platform)
        facts["code"] = ("", one.code)
        facts["waits_for"] = ("", "budget" if held else None)
        facts["cost"] = ("", _charges(found))
        facts["reason"] = ("", one.reason)
        facts["approvals"] = ("", given)
        facts["media"] = ("", [dict(item) for item in found.content.media])
        facts["attempts"] = ("", _attempts(found))
        facts["snapshots"] = ("", _snapshots(found))
        facts["record"] = ("", _events(found))
        if form is Format.CSV:
            for key in ("approvals", "cost", "media", "attempts", "snapshots", "record"):
                facts[key] = ("", len(facts[key][1]))
        details(facts, form)
        return
    details(facts, form)
    emit("")
    emit(_("Attempts"))
    listing(
        [
            {
                **row,
                "outcome": event_word(row["outcome"]),
                "reason": reason_words(row["code"], row["reason"]),
            }
            for row in _attempts(found)
        ],
        {
            "started_at": _("began"),
            "finished_at": _("ended"),
            "outcome": _("outcome"),
            "reason": _("reason"),
            "node": _("by"),
        },
        form,
        empty=_("None so far."),
    )
    if found.answers:
        emit(_("What the platform answered"))
        listing(
            _answers(found),
            {"address": _("asked for"), "status": _("status"), "body": _("answer")},
            form,
        )
    if found.snapshots:
        emit(_("Figures"))
        headings = {"taken_at": _("time"), **_figure_headings(), "source": _("source")}
        listing(_snapshots(found), headings, form)
        _tell_unknown(found)
    emit(_("Record"))
    listing(
        [
            {
                **row,
                "actor": _person(workplace, row["actor"]),
                "action": event_word(row["action"]),
                "after": State(row["after"]) if row["after"] else None,
            }
            for row in _events(found)
        ],
        {"at": _("time"), "actor": _("who"), "action": _("what"), "after": _("state after it")},
        form,
    )


def _budget_words(account: str) -> str:
    return _(
        "a decision: the monthly budget of {account} does not suffice. See: gaung budget", account=account
    )


def _cost(workplace: Workplace, found: PostDetails) -> str | None:
    """What the post has cost, or what is set aside for it, in words."""
    from functools import reduce

    from scheduler.cli.money import cost_words
    from scheduler.costs import Cost

    if not found.charges:
        return None
    currency = workplace.config.prices.currency(found.delivery.platform)
    costs = [Cost(one.acts, one.amount, currency, one.unpriced) for one in found.charges]
    words = cost_words(reduce(Cost.__add__, costs))
    return words if all(one.closed_at for one in found.charges) else _("{cost}, set aside", cost=words)


def _charges(found: PostDetails) -> list[dict[str, Any]]:
    return [
        {
            "month": one.month,
            "acts": dict(one.acts),
            "amount": None if one.unpriced else one.amount,
            "unpriced": dict(one.unpriced),
            "settled": one.closed_at is not None,
        }
        for one in found.charges
    ]


def _moved_to(one: Delivery, form: Format) -> Any:
    """When the post may go out; people are only told if that is not its own time."""
    from scheduler.reports.rows import LocalTime

    moved = one.allowed_at != one.planned_at
    return LocalTime(one.allowed_at, one.zone) if moved or form is not Format.TABLE else ""


def _states(names: list[str]) -> list[State]:
    from scheduler.states import State

    known = [state.value for state in State]
    for name in names:
        if name not in known:
            raise GaungError(
                N_("There is no state {name}."), hint=N_("Known: {known}."), name=name, known=", ".join(known)
            )
    return [State(name) for name in names]


def _person(workplace: Workplace, name: str) -> str:
    person = workplace.config.people.get(name)
    return person.name if person else name


def _approval_words(workplace: Workplace, one: Approval, zone: str) -> str:
    """Who said yes, at which stage, when."""
    return _(
        "{name}, stage {stage} ({role}), {at}",
        name=_person(workplace, one.approver),
        stage=one.stage,
        role=one.role,
        at=_when(one.approved_at, zone),
    )


#: So much of an answer is shown in a table; all that was kept is in the JSON.
_SHORT = 300


def _answers(found: PostDetails) -> list[dict[str, Any]]:
    """What the platform answered to all attempts, in order, shortened."""
    return [
        {
            "address": f"{one['method']} {one['address']}",
            "status": one["status"],
            "body": _short(one["body"]),
        }
        for attempt in found.attempts
        for one in found.answers.get(attempt.id or 0, [])
    ]


def _short(body: Any) -> str:
    import json

    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return text if len(text) <= _SHORT else text[:_SHORT] + "…"


def _when(at: Any, zone: str) -> str:
    from scheduler.cli.output import local_time

    return local_time(at, zone)


def _attempts(found: PostDetails) -> list[dict[str, Any]]:
    from scheduler.reports.rows import LocalTime

    zone = found.delivery.zone
    return [
        {
            "started_at": LocalTime(attempt.started_at, zone),
            "finished_at": LocalTime(attempt.finished_at, zone) if attempt.finished_at else None,
            "outcome": attempt.outcome,
            "code": attempt.code,
            "reason": attempt.reason,
            "remote_id": attempt.remote_id,
            "digest": attempt.digest,
            "node": attempt.node,
            "answers": found.answers.get(attempt.id or 0, []),
        }
        for attempt in found.attempts
    ]


def _snapshots(found: PostDetails) -> list[dict[str, Any]]:
    from scheduler.reports.rows import LocalTime, figures

    return [
        {
            "taken_at": LocalTime(snapshot.taken_at, found.delivery.zone),
            "source": snapshot.source,
            **figures(snapshot),
            "video_views": snapshot.video_views,
            "profile_visits": snapshot.profile_visits,
            "unknown": snapshot.why,
            "names": snapshot.names,
            "api_version": snapshot.api,
        }
        for snapshot in found.snapshots
    ]


def _tell_unknown(found: PostDetails) -> None:
    """Why figures of the last snapshot are unknown, reason by reason."""
    from scheduler.cli.words import unknown_words

    names = _figure_headings()
    why = found.snapshots[-1].why
    for reason, words in unknown_words().items():
        figures = [names[figure] for figure, given in why.items() if given == reason and figure in names]
        if figures:
            emit(f"  {words}: {', '.join(figures)}")


def _events(found: PostDetails) -> list[dict[str, Any]]:
    from scheduler.reports.rows import LocalTime

    return [
        {
            "at": LocalTime(event.at, found.delivery.zone),
            "actor": event.actor,
            "action": event.action,
            "before": event.before,
            "after": event.after,
            "detail": event.detail,
        }
        for event in found.events
    ]


def _figure_headings() -> dict[str, str]:
    from scheduler.cli.words import figure_headings

    return figure_headings()

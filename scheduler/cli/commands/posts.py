"""``posts``, ``retry``, ``cancel``, ``resolve``: looking at single posts, and deciding about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scheduler.cli.options import FormatOption, ReasonOption
from scheduler.cli.output import Format, details, emit, listing, say
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _, ngettext

if TYPE_CHECKING:
    from scheduler.states import State
    from scheduler.store.database import Session
    from scheduler.store.listings import PostDetails
    from scheduler.store.tables import Delivery

PostArgument = Annotated[list[str], typer.Argument(help=_("Ids of posts, as “gaung posts” lists them."))]

#: Characters of the delivery key that are shown as the id of a post.
SHOWN = 8


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
    from scheduler.states import State
    from scheduler.store import listings

    workplace: Workplace = context.obj
    wanted = listings.PostFilter(campaign, account, message, _states(state or []), limit=limit)
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


def show(
    context: typer.Context,
    post: Annotated[str, typer.Argument(help=_("Id of the post."))],
    form: FormatOption = Format.TABLE,
) -> None:
    from scheduler.cli.words import reason_words
    from scheduler.reports.rows import LocalTime
    from scheduler.states import State
    from scheduler.store import listings

    workplace: Workplace = context.obj
    with workplace.store().read() as session:
        found = listings.details(session, _one(session, post))
    one = found.delivery
    zone = one.zone
    facts: dict[str, tuple[str, Any]] = {
        "id": (_("id"), one.key),
        "campaign": (_("campaign"), one.campaign_id),
        "message": (_("message"), one.message_id),
        "account": (_("account"), f"{one.account_id} ({one.platform})"),
        "planned_at": (_("time"), LocalTime(one.planned_at, zone)),
        "state": (_("state"), State(one.state)),
        "reason": (_("reason"), reason_words(one.code, one.reason)),
        "published_at": (_("published"), LocalTime(one.published_at, zone) if one.published_at else None),
        "permalink": (_("address"), one.permalink),
        "remote_id": (_("id on the platform"), one.remote_id),
        "approvals": (
            _("approved by"),
            "\n".join(f"{_person(workplace, name)}, {_when(at, zone)}" for name, at in found.approvals),
        ),
        "digest": (_("content"), one.digest),
        "text": (_("text"), found.content.text),
        "link": (_("link"), found.content.link),
        "media": (_("media"), "\n".join(f"{item['name']}: {item['alt']}" for item in found.content.media)),
    }
    if form is not Format.TABLE:
        facts["attempts"] = ("", _attempts(found))
        facts["snapshots"] = ("", _snapshots(found))
        facts["record"] = ("", _events(found))
        if form is Format.CSV:
            for key in ("attempts", "snapshots", "record"):
                facts[key] = ("", len(facts[key][1]))
        details(facts, form)
        return
    details(facts, form)
    emit("")
    emit(_("Attempts"))
    listing(
        [{**row, "reason": reason_words(row["code"], row["reason"])} for row in _attempts(found)],
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
    if found.snapshots:
        emit(_("Figures"))
        listing(_snapshots(found), {"taken_at": _("time"), **_figure_headings(), "source": _("source")}, form)
    emit(_("Record"))
    listing(
        [{**row, "actor": _person(workplace, row["actor"])} for row in _events(found)],
        {"at": _("time"), "actor": _("who"), "action": _("what"), "before": _("from"), "after": _("to")},
        form,
    )


def retry(
    context: typer.Context,
    post: PostArgument,
    reason: ReasonOption = "",
) -> None:
    from scheduler.store import campaigns as stored
    from scheduler.store import operations

    workplace: Workplace = context.obj
    now = workplace.clock.now()
    with workplace.store().write() as session:
        for prefix in post:
            one = _one(session, prefix)
            within = operations.publish_within(stored.current(session, one.campaign_id))
            with _refused(one):
                operations.retry(
                    session, one, actor=workplace.actor.id, at=now, publish_within=within, reason=reason
                )
    say(
        ngettext(
            "{count} post is planned again. It goes out once approved, when its account is free.",
            "{count} posts are planned again. Each goes out once approved, when its account is free.",
            len(post),
        )
    )


def cancel(
    context: typer.Context,
    post: Annotated[
        list[str] | None, typer.Argument(help=_("Ids of posts, as “gaung posts” lists them."))
    ] = None,
    campaign: Annotated[str, typer.Option(help=_("Every post of this campaign that is not published."))] = "",
    reason: ReasonOption = "",
) -> None:
    from scheduler.states import EDITABLE
    from scheduler.store import operations

    workplace: Workplace = context.obj
    if not post and not campaign:
        raise GaungError(N_("Nothing to cancel is named."), hint=N_("Give ids of posts, or --campaign ID."))
    now = workplace.clock.now()
    with workplace.store().write() as session:
        chosen = [_one(session, prefix) for prefix in post or []]
        if campaign:
            chosen += operations.of_campaign(session, campaign, sorted(EDITABLE))
        for one in chosen:
            with _refused(one):
                operations.cancel(session, one, actor=workplace.actor.id, at=now, reason=reason)
    say(ngettext("{count} post cancelled.", "{count} posts cancelled.", len(chosen)))


def resolve(
    context: typer.Context,
    post: Annotated[str, typer.Argument(help=_("Id of the post."))],
    posted: Annotated[str, typer.Option(help=_("It is published: its address on the platform."))] = "",
    remote_id: Annotated[
        str, typer.Option(help=_("Its id on the platform, if known: then its figures are measured."))
    ] = "",
    absent: Annotated[
        bool, typer.Option("--absent", help=_("It is not published, and may be sent."))
    ] = False,
) -> None:
    from scheduler.engine.settlement import next_age
    from scheduler.store import campaigns as stored
    from scheduler.store import operations

    workplace: Workplace = context.obj
    if bool(posted) == absent:
        raise GaungError(
            N_("Say either where the post is, or that it is not there."),
            hint=N_("Look at the account first, then: --posted ADDRESS, or --absent."),
        )
    if posted and not posted.startswith(("https://", "http://")):
        raise GaungError(
            N_("{address} is not the address of a post."),
            hint=N_("Copy it from the browser."),
            address=posted,
        )
    now = workplace.clock.now()
    with workplace.store().write() as session:
        one = _one(session, post)
        with _refused(one):
            if absent:
                within = operations.publish_within(stored.current(session, one.campaign_id))
                operations.resolve_absent(
                    session, one, actor=workplace.actor.id, at=now, publish_within=within
                )
            else:
                operations.resolve_posted(
                    session,
                    one,
                    actor=workplace.actor.id,
                    at=now,
                    remote_id=remote_id or posted,
                    permalink=posted,
                    reach_at=next_age(now, now, workplace.config.reach.ages) if remote_id else None,
                )
    say(_("Recorded."))


def _states(names: list[str]) -> list[State]:
    from scheduler.states import State

    known = [state.value for state in State]
    for name in names:
        if name not in known:
            raise GaungError(
                N_("There is no state {name}."), hint=N_("Known: {known}."), name=name, known=", ".join(known)
            )
    return [State(name) for name in names]


def _one(session: Session, prefix: str) -> Delivery:
    from scheduler.store import operations

    found = operations.by_key(session, prefix) if prefix else []
    if not found:
        raise GaungError(N_("There is no post {id}."), hint=N_("“gaung posts” lists them."), id=prefix)
    if len(found) > 1:
        raise GaungError(N_("Several posts begin with {id}."), hint=N_("Give more of the id."), id=prefix)
    return found[0]


class _refused:  # noqa: N801 -- reads as a clause: with _refused(post)
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


def _person(workplace: Workplace, name: str) -> str:
    person = workplace.config.people.get(name)
    return person.name if person else name


def _when(at: Any, zone: str) -> str:
    from scheduler.cli.output import local_time

    return local_time(at, zone)


def _attempts(found: PostDetails) -> list[dict[str, Any]]:
    from scheduler.cli.output import plain
    from scheduler.reports.rows import LocalTime

    zone = found.delivery.zone
    return [
        {
            "started_at": plain(LocalTime(attempt.started_at, zone)),
            "finished_at": plain(LocalTime(attempt.finished_at, zone)) if attempt.finished_at else None,
            "outcome": attempt.outcome,
            "code": attempt.code,
            "reason": attempt.reason,
            "remote_id": attempt.remote_id,
            "digest": attempt.digest,
            "node": attempt.node,
        }
        for attempt in found.attempts
    ]


def _snapshots(found: PostDetails) -> list[dict[str, Any]]:
    from scheduler.cli.output import plain
    from scheduler.reports.rows import LocalTime, figures

    return [
        {
            "taken_at": plain(LocalTime(snapshot.taken_at, found.delivery.zone)),
            "source": snapshot.source,
            **figures(snapshot),
        }
        for snapshot in found.snapshots
    ]


def _events(found: PostDetails) -> list[dict[str, Any]]:
    from scheduler.cli.output import plain
    from scheduler.reports.rows import LocalTime

    return [
        {
            "at": plain(LocalTime(event.at, found.delivery.zone)),
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

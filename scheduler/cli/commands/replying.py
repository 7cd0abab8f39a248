"""``inbox reply`` and ``inbox canned``: answers to comments, drafted from what the office keeps ready.

A draft is approved with ``gaung approve`` and sent by the daemon, like any post.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scheduler.cli.commands.inbox import CommentArgument, unclosed
from scheduler.cli.options import FormatOption
from scheduler.cli.output import Format, emit, listing, say
from scheduler.cli.ready import reading
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError, ProblemsError
from scheduler.i18n import N_, _

if TYPE_CHECKING:
    from campaigns.problems import Problem
    from scheduler.store.database import Session
    from scheduler.store.inbox import Entry
    from scheduler.store.tables import Delivery


def reply(
    context: typer.Context,
    comment: CommentArgument,
    canned: Annotated[
        str,
        typer.Option("--canned", help=_("Name of an answer that is kept ready; see “gaung inbox canned”.")),
    ] = "",
    text: Annotated[str, typer.Option(help=_("The answer in words of its own."))] = "",
) -> None:
    from scheduler.cli.choosing import SHOWN
    from scheduler.cli.problems import tell_problems
    from scheduler.store import replying
    from scheduler.store.tables import Delivery

    workplace: Workplace = context.obj
    if bool(canned) == bool(text.strip()):
        raise GaungError(
            N_("An answer needs either --canned or --text."),
            hint=N_(
                "For example: gaung inbox reply {number} --canned NAME; “gaung inbox canned” lists them."
            ),
            number=comment,
        )
    store, now = workplace.store(), workplace.clock.now()
    with store.write() as session:
        entry = unclosed(session, comment)
        post = session.get_one(Delivery, entry.comment.delivery_id)
        words = _canned(workplace, post, canned) if canned else text.strip()
        problems = _problems(workplace, session, entry, post, words)
        if any(one.severity == "error" for one in problems):
            raise ProblemsError(problems)
        draft = replying.draft(
            session,
            entry,
            post,
            words,
            by=workplace.actor.id,
            at=now,
            within=workplace.config.inbox.reply_within,
        )
        shown, message, campaign = draft.delivery.key[:SHOWN], draft.delivery.message_id, post.campaign_id
    tell_problems(problems)
    for line in words.splitlines():
        emit(f"  │ {line}")
    if draft.replaced is not None:
        say(_("It replaces the draft {id}.", id=draft.replaced.key[:SHOWN]))
    say(_("The answer to comment {number} is drafted: {id}.", number=comment, id=shown))
    say(
        _(
            'It goes out once it is approved: gaung approve {campaign} --message "{message}"',
            campaign=campaign,
            message=message,
        )
    )


def _problems(
    workplace: Workplace, session: Session, entry: Entry, post: Delivery, words: str
) -> list[Problem]:
    """What is objected to in the answer."""
    from scheduler.store import campaigns, replying

    if (version := campaigns.current(session, post.campaign_id)) is None:
        raise LookupError(post.campaign_id)
    item = replying.message_id(post, entry.comment.id or 0)
    return workplace.objections_to_reply(version, replying.content(entry, post, words), item)


def _canned(workplace: Workplace, post: Delivery, name: str) -> str:
    """An answer that is kept ready, as it reads on the account of a post."""
    replies = workplace.config.replies
    if name not in replies:
        raise GaungError(
            N_("There is no answer {name} among those that are kept ready."),
            hint=N_("Known: {known}.") if replies else N_("Write some under [replies] in config.toml."),
            name=name,
            known=", ".join(sorted(replies)),
        )
    try:
        return reading(workplace, name, post.account_id)
    except LookupError as error:
        raise GaungError(
            N_("The answer {name} has a place {place} that has no value for the agency {agency}."),
            hint=N_("Write one under [inbox.values] or [inbox.agencies] in config.toml."),
            name=name,
            place="{" + str(error.args[0]) + "}",
            agency=post.agency or "–",
        ) from None


def canned(
    context: typer.Context,
    account: Annotated[str, typer.Option(help=_("As they would read on this account."))] = "",
    form: FormatOption = Format.TABLE,
) -> None:
    workplace: Workplace = context.obj
    accounts = workplace.config.accounts
    if account and account not in accounts:
        raise GaungError(
            N_("There is no account {id} in the configuration."),
            hint=N_("Known: {known}."),
            id=account,
            known=", ".join(sorted(accounts)),
        )
    rows: list[dict[str, Any]] = []
    for name, one in sorted(workplace.config.replies.items()):
        readings = {"": one.text, **one.platforms}
        if account:
            platform = accounts[account].platform
            try:
                readings = {platform: reading(workplace, name, account)}
            except LookupError:
                readings = {platform: one.on(platform)}
        rows += [
            {"name": name, "platform": platform or None, "text": text} for platform, text in readings.items()
        ]
    headings = {"name": _("name"), "platform": _("platform"), "text": _("text")}
    listing(
        rows, headings, form, empty=_("No answers are kept ready. Write some under [replies] in config.toml.")
    )

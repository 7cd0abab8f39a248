"""``budget``: what accounts may spend in a month, what they did, and a person's decision to allow more."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scheduler.cli.options import FormatOption, ReasonOption
from scheduler.cli.output import Format, amount, listing, say
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _, ngettext

if TYPE_CHECKING:
    from scheduler.costs import Cost
    from scheduler.store.tables import Spending


def budget(
    context: typer.Context,
    account: Annotated[str, typer.Argument(help=_("Id of an account; without it all that are billed."))] = "",
    month: Annotated[str, typer.Option(help=_("The month, like 2026-12; without it this one."))] = "",
    allow: Annotated[
        str, typer.Option(help=_("Let the account spend so much more in that month, like 12.50."))
    ] = "",
    no_limit: Annotated[
        bool, typer.Option("--no-limit", help=_("Let the account spend without a limit in that month."))
    ] = False,
    reason: ReasonOption = "",
    form: FormatOption = Format.TABLE,
) -> None:
    from scheduler.store import listings, spending

    workplace: Workplace = context.obj
    treasury, now = workplace.treasury, workplace.clock.now()
    month = _month(month) if month else treasury.prices.month(now)
    if account and account not in treasury.payers:
        raise _not_billed(workplace, account)
    if allow or no_limit:
        _allow(workplace, account, month, allow, reason, no_limit=no_limit)
    with workplace.store().read() as session:
        known = spending.month(session, month)
        held = listings.over_budget(session, now) if month == treasury.prices.month(now) else {}
    coming = _coming(workplace, month)
    rows = [
        _row(
            workplace, known.get(name) or treasury.row(name, month), coming.get(name), held.get(name, 0), form
        )
        for name in ([account] if account else treasury.payers)
    ]
    headings = {
        "account": _("account"),
        "platform": _("platform"),
        "month": _("month"),
        "currency": _("currency"),
        "budget": _("budget"),
        "allowed": _("allowed besides"),
        "unlimited": _("no limit"),
        "spent": _("spent"),
        "reserved": _("set aside"),
        "left": _("left"),
        "coming": _("to come"),
        "held": _("posts held"),
        "unpriced": _("acts without a price"),
    }
    if form is Format.TABLE:  # what is nothing everywhere would only make it wide
        for key in ("platform", "unlimited", "unpriced"):
            if key == "platform" or not any(row[key] for row in rows):
                headings.pop(key)
    listing(rows, headings, form, empty=_("None of these accounts is billed by the post."))
    waiting = sum(row["held"] for row in rows)
    if waiting and form is Format.TABLE:
        say(
            ngettext(
                "{count} post is held. To let it go out: gaung budget ACCOUNT --allow AMOUNT --reason …",
                "{count} posts are held. To let them go out: gaung budget ACCOUNT --allow AMOUNT --reason …",
                waiting,
            )
        )


def _not_billed(workplace: Workplace, account: str) -> GaungError:
    if account not in workplace.config.accounts:
        return GaungError(
            N_("There is no account {name}."), hint=N_("See “gaung accounts list”."), name=account
        )
    platform = workplace.config.accounts[account].platform
    return GaungError(
        N_("Publishing on {platform} costs nothing, so {name} has no budget."),
        name=account,
        platform=platform,
    )


def _month(text: str) -> str:
    from datetime import date

    try:
        return date.fromisoformat(f"{text}-01").strftime("%Y-%m")
    except ValueError:
        raise GaungError(
            N_("{text} is not a month."), hint=N_("Write year and month, like 2026-12."), text=text
        ) from None


def _allow(
    workplace: Workplace, account: str, month: str, allow: str, reason: str, *, no_limit: bool
) -> None:
    from scheduler.governance.people import require_role
    from scheduler.store import spending

    if not account:
        raise GaungError(
            N_("Say for which account."), hint=N_("For example: gaung budget x-dinas --allow 12.50")
        )
    if workplace.treasury.payers[account].budget is None:
        raise GaungError(N_("{name} has no budget in the configuration, so nothing is held."), name=account)
    require_role(workplace.actor, "approver")
    more = _amount(allow) if allow else Decimal(0)
    with workplace.store(create=True).write() as session:
        row = workplace.treasury.row(account, month)
        spending.open_month(session, row)
        spending.allow(
            session,
            row,
            amount=more,
            unlimited=no_limit,
            actor=workplace.actor.id,
            at=workplace.clock.now(),
            reason=reason,
        )
    if no_limit:
        say(_("{name} may spend without a limit in {month}.", name=account, month=month))
    else:
        say(
            _(
                "{name} may spend {amount} more in {month}.",
                name=account,
                amount=amount(more, row.currency),
                month=month,
            )
        )


def _amount(text: str) -> Decimal:
    """An amount as a person types it, with a decimal point or an Indonesian decimal comma."""
    from pydantic_core import PydanticCustomError

    from scheduler.costs import money

    try:
        found = money(text.strip().replace(",", "."))
    except PydanticCustomError:
        found = Decimal(0)
    if not found:
        raise GaungError(
            N_("{text} is not an amount that can be allowed."),
            hint=N_("Write it like 25 or 12.50."),
            text=text,
        )
    return found


def _coming(workplace: Workplace, month: str) -> dict[str, Cost]:
    """What the posts that are planned until the end of a month will cost in it, by account."""
    from scheduler.cli.money import stored_forecasts

    _starts_at, ends_at = workplace.treasury.prices.bounds(month)
    return {one.account_id: one.total for one in stored_forecasts(workplace, ends_at) if one.month == month}


def _row(
    workplace: Workplace, known: Spending, coming: Cost | None, held: int, form: Format
) -> dict[str, Any]:
    from scheduler.cli.money import cost_words
    from scheduler.costs import Cost

    coming = coming or Cost(currency=known.currency)
    limit = None if known.budget is None or known.unlimited else known.budget + known.allowed
    return {
        "account": known.account_id,
        "platform": workplace.treasury.payers[known.account_id].platform,
        "month": known.month,
        "currency": known.currency or None,
        "budget": known.budget,
        "allowed": known.allowed,
        "unlimited": known.unlimited,
        "spent": known.spent,
        "reserved": known.reserved,
        "left": None if limit is None else limit - known.spent - known.reserved,
        "coming": cost_words(coming) if form is Format.TABLE else coming.total,
        "held": held,
        "unpriced": known.unpriced,
    }

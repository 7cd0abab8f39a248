"""Costs as people read them: amounts with their currency, what is unknown called so, forecasts by month."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from scheduler.cli.output import Format, amount, listing, say
from scheduler.cli.workplace import Workplace
from scheduler.i18n import _, ngettext

if TYPE_CHECKING:
    from campaigns.files import Loaded
    from scheduler.costs import Cost
    from scheduler.forecast import Forecast


def cost_words(cost: Cost) -> str:
    """A cost in words: what is known of it, and what is not."""
    if not cost.unpriced:
        return amount(cost.amount, cost.currency) if cost.acts else _("nothing")
    unknown = _("the price of {acts} is unknown", acts=acts_words(cost.unpriced))
    return f"{amount(cost.amount, cost.currency)} + {unknown}" if cost.amount else unknown


def acts_words(acts: Mapping[str, int], words: Mapping[str, str] | None = None) -> str:
    """Acts in an adapter's ``words``, else by their keys in ``[costs]``: "12 post, 3 media_metadata"."""
    return ", ".join(f"{count} {_(words[act]) if words else act}" for act, count in acts.items())


def forecasts(workplace: Workplace, loaded: Sequence[Loaded]) -> list[tuple[str, Forecast]]:
    """What everything that campaigns still have to publish will cost: campaign id, account and month."""
    from scheduler.checking import as_post
    from scheduler.engine.applying import to_come
    from scheduler.forecast import Outgoing, forecast

    found: list[tuple[str, Forecast]] = []
    for one in loaded:
        billed = {target.id for target in one.targets if workplace.accounts.adapter(target.id).bills}
        now, windows = workplace.clock.now(), workplace.windows
        posts = to_come(workplace.store(), one, now=now, windows=windows) if billed else []
        outgoing = (
            Outgoing(post.target.id, post.target.platform, post.allowed_at, as_post(one, post.variant))
            for post in posts
            if post.target.id in billed
        )
        found += [
            (one.campaign.id, row)
            for row in forecast(
                outgoing, workplace.accounts.adapter, workplace.config.prices, workplace.config.reach.ages
            )
        ]
    return found


def stored_forecasts(workplace: Workplace, until: datetime, but: Collection[str] = ()) -> list[Forecast]:
    """What the posts planned before ``until`` will cost, without those of the campaigns ``but``."""
    from scheduler.engine.calls import stored_post
    from scheduler.forecast import Outgoing, forecast
    from scheduler.store import spending

    treasury = workplace.treasury
    with workplace.store().read() as session:
        rows = spending.coming(session, list(treasury.payers), until, but)
    outgoing = (
        Outgoing(row.account_id, row.platform, row.allowed_at, stored_post(row, workplace.media))
        for row in rows
    )
    return forecast(outgoing, workplace.accounts.adapter, treasury.prices, workplace.config.reach.ages)


def list_forecasts(rows: Sequence[tuple[str, Forecast]], form: Format) -> None:
    """List forecasts, and their sum, in which account and month stay empty."""
    from scheduler.forecast import totals

    total = _("total") if form is Format.TABLE else None
    sums = [(total, one) for one in totals(one for _campaign, one in rows)]
    listed: list[dict[str, Any]] = [
        {
            "campaign": campaign,
            "account": one.account_id or None,
            "platform": one.platform or None,
            "month": one.month or None,
            "posts": one.posts,
            "publishing": one.publishing.total,
            "figures": one.figures.total,
            **cost_columns(one.total, form),
        }
        for campaign, one in [*rows, *sums]
    ]
    headings = {
        "campaign": _("campaign"),
        "account": _("account"),
        "platform": _("platform"),
        "month": _("month"),
        "posts": _("posts"),
        "publishing": _("publishing"),
        "figures": _("figures"),
        "cost": _("cost"),
        "currency": "",
        "acts": "",
        "unpriced": "",
    }
    if form is Format.TABLE:
        for key in ("currency", "acts", "unpriced"):
            headings.pop(key)
    listing(listed, headings, form, empty=_("None of these accounts is billed by the post."))


def cost_columns(cost: Cost, form: Format) -> dict[str, Any]:
    """The columns of a cost in a listing: in words, or for programs with the acts it is made of."""
    if form is Format.TABLE:
        return {"cost": cost_words(cost) if cost.acts else None}
    acts, unpriced = (
        (dict(cost.acts), dict(cost.unpriced))
        if form is Format.JSON
        else (acts_words(cost.acts), acts_words(cost.unpriced))
    )
    return {"cost": cost.total, "currency": cost.currency or None, "acts": acts, "unpriced": unpriced}


def tell_forecasts(rows: Sequence[tuple[str, Forecast]]) -> None:
    """Say what is to come in a sentence for each currency; nothing if nothing is billed."""
    from scheduler.forecast import totals

    for one in totals(one for _campaign, one in rows):
        say(
            ngettext(
                "Forecast cost of {count} post to come: {cost}. By account and month: gaung plan --costs",
                "Forecast cost of {count} posts to come: {cost}. By account and month: gaung plan --costs",
                one.posts,
                cost=cost_words(one.total),
            )
        )
    missing = sorted({one.platform for _campaign, one in rows if one.total.unpriced})
    for platform in missing:
        say(_("Prices of {platform} are missing in [costs]; see config.example.toml.", platform=platform))


def tell_budgets(workplace: Workplace, rows: Sequence[tuple[str, Forecast]]) -> None:
    """Say for which accounts and months all that is to come, of whatever campaign, exceeds the budget."""
    from scheduler.costs import Cost
    from scheduler.store import spending

    treasury = workplace.treasury
    limited = {name for name, payer in treasury.payers.items() if payer.budget is not None}
    mine: dict[tuple[str, str], Cost] = {}
    for _campaign, one in rows:
        if one.account_id in limited:
            mine[one.account_id, one.month] = mine.get((one.account_id, one.month), Cost()) + one.total
    if not mine:
        return
    _starts_at, until = treasury.prices.bounds(max(month for _account, month in mine))
    others = {
        (one.account_id, one.month): one.total
        for one in stored_forecasts(workplace, until, {campaign for campaign, _one in rows})
    }
    for (account, month), cost in sorted(mine.items()):
        with workplace.store().read() as session:
            known = spending.month(session, month).get(account) or treasury.row(account, month)
        if known.budget is None or known.unlimited:
            continue
        limit = known.budget + known.allowed
        total = known.spent + known.reserved + (cost + others.get((account, month), Cost())).amount
        if total > limit:
            say(
                _(
                    "The budget of {account} for {month} is {budget}; spent and to come, all campaigns"
                    " together: {total}. Posts beyond it will be held until a person decides.",
                    account=account,
                    month=month,
                    budget=amount(limit, known.currency),
                    total=amount(total, known.currency),
                )
            )

"""A content as it will be published, and how it differs from what was approved: for eyes, on stdout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from scheduler.cli.layout import wrapped
from scheduler.cli.output import emit, local_time, window
from scheduler.cli.workplace import Workplace
from scheduler.i18n import N_, _, ngettext

if TYPE_CHECKING:
    from adapters.contract import Limits
    from scheduler.governance.differences import Difference
    from scheduler.store.approving import Waiting
    from scheduler.store.tables import Content

#: What can differ, as a person reads it; parts and pictures of several carry a number.
WORDS = {
    "kind": N_("kind"),
    "text": N_("text"),
    "link": N_("link"),
    "picture": N_("picture"),
    "part": N_("part"),
    "first comment": N_("first comment"),
    "alt text": N_("alt text"),
    "time": N_("time"),
}


def show(workplace: Workplace, one: Waiting, number: int, total: int, before: Content | None = None) -> None:
    """Show one content the way its platform will show it, and what is new in it since its approval."""
    from scheduler.engine.calls import stored_post

    content = one.content
    adapter = workplace.accounts.adapter(content.account_id)
    post = stored_post(content, workplace.media)
    wording = adapter.wording(post)
    emit(
        _(
            "[{number}/{total}] {message} → {account} ({platform})",
            number=number,
            total=total,
            message=one.message_id,
            account=content.account_id,
            platform=content.platform,
        )
    )
    if content.reply_to:
        _show_comment(workplace, content)
    limits = (adapter.reply_limits if content.reply_to else None) or adapter.limits
    first = local_time(one.first_at, one.zone)
    others = ngettext(" and {count} more time", " and {count} more times", one.deliveries - 1)
    emit(f"  {first}{others if one.deliveries > 1 else ''}")
    texts = [wording, *(part["text"] for part in content.thread)]
    _show_texts(texts, limits)
    if content.link and content.link not in wording:
        emit(_("  Link: {link}", link=content.link))
    if content.first_comment:
        emit(_("  First comment: {text}", text=content.first_comment))
    for picture in (*content.media, *(item for part in content.thread for item in part["media"])):
        facts = {"name": picture["name"], "size": _size(workplace, picture), "alt": picture["alt"]}
        if picture["mime"].startswith("video/"):
            _emit(_("  Video {name}, {size}. Alt text: {alt}", **facts), "", "    ")
            continue
        facts |= {"width": picture["width"], "height": picture["height"]}
        _emit(_("  Picture {name}, {width}×{height} pixels, {size}. Alt text: {alt}", **facts), "", "    ")
    if adapter.bills:
        _show_cost(workplace, one, adapter.billable(post), adapter.bills)
    emit(
        _(
            "  {length} of {limit} characters · content {digest}",
            length=max(limits.measure(text) for text in texts),
            limit=limits.text,
            digest=content.digest[:12],
        )
    )
    _show_history(workplace, one)
    if before is not None and before.digest != content.digest:
        from scheduler.governance.differences import differences

        emit(_("  Differs from what was approved:"))
        show_differences(differences(before, content))


def _show_texts(texts: Sequence[str], limits: Limits) -> None:
    for position, text in enumerate(texts, 1):
        if len(texts) > 1:
            emit(
                _(
                    "  Part {number} of {total}: {length} of {limit} characters",
                    number=position,
                    total=len(texts),
                    length=limits.measure(text),
                    limit=limits.text,
                )
            )
        for line in text.splitlines():
            _emit(line, "  │ ")


def _emit(line: str, first: str, rest: str = "") -> None:
    """Write a line; in a window it is wrapped behind its margin."""
    for piece in wrapped(line, window(), first, rest or first):
        emit(piece)


def _show_comment(workplace: Workplace, content: Content) -> None:
    """What an answer answers, without personal data: whoever approves must see both."""
    from campaigns.checks.masking import mask, shorten_name
    from scheduler.store import replying

    with workplace.store().read() as session:
        comment = replying.answered_by(session, content)
    if comment is None or comment.erased_at is not None:
        emit(_("  Answers a comment whose text is no longer kept."))
        return
    emit(
        _(
            "  Answers comment {number} by {author}:",
            number=comment.id,
            author=shorten_name(comment.author) or "?",
        )
    )
    for line in mask(comment.text).splitlines():
        _emit(line, "  ┊ ")


def _show_cost(workplace: Workplace, one: Waiting, acts: Mapping[str, int], bills: Mapping[str, str]) -> None:
    from scheduler.cli.money import acts_words, cost_words

    cost = workplace.config.prices.cost(one.content.platform, acts, one.first_at)
    told = {"cost": cost_words(cost), "acts": acts_words(cost.acts, bills)}
    once = one.deliveries == 1
    emit(_("  Cost: {cost} ({acts})", **told) if once else _("  Cost each time: {cost} ({acts})", **told))


def _show_history(workplace: Workplace, one: Waiting) -> None:
    for given in one.given:
        emit(
            _(
                "  Stage {stage}, {role}: approved by {name}, {time}",
                stage=given.stage,
                role=given.role,
                name=workplace.person_name(given.approver),
                time=local_time(given.approved_at, one.zone),
            )
        )
    if one.back:
        emit(
            _(
                "  Sent back by {name}, {time}: {reason}",
                name=workplace.person_name(one.back.sent_by),
                time=local_time(one.back.sent_at, one.zone),
                reason=one.back.reason,
            )
        )


def show_differences(found: Sequence[Difference]) -> None:
    """Each difference with its lines: "-" was approved, "+" is now, "~" has the changed words marked."""
    for one in found:
        emit(f"    {word(one.what)}")
        for line in one.lines:
            emit(f"      {line}")


def word(what: str) -> str:
    """A code like "part 2, picture 1" in words."""
    pieces = []
    for piece in what.split(", "):
        name, _space, number = piece.rpartition(" ")
        if number.isdigit():
            pieces.append(f"{_(WORDS[name])} {number}")
        else:
            pieces.append(_(WORDS[piece]))
    return ", ".join(pieces)


def _size(workplace: Workplace, picture: dict[str, Any]) -> str:
    """The size of the kept file; it is of the approved copy, whatever lies in the campaign's folder."""
    try:
        size = workplace.media.path(picture["sha256"], picture["name"]).stat().st_size
    except OSError:
        return _("missing")
    return f"{max(round(size / 1024), 1)} KiB"

"""``reach import``: a table of figures that people read off the platforms, taken whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from campaigns.problems import Problem
from scheduler.cli.choosing import SHOWN
from scheduler.cli.output import say
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError, ProblemsError
from scheduler.i18n import N_, _, ngettext

if TYPE_CHECKING:
    from scheduler.cli.sheets import Numbered
    from scheduler.store.database import Session
    from scheduler.store.tables import Delivery

#: Digits, or digits in groups of three as Indonesian (1.250) or English (1,250) writes them.
_COUNT = re.compile(r"\d+|\d{1,3}(\.\d{3})+|\d{1,3}(,\d{3})+|\d{1,3}( \d{3})+")
#: Unknown, as tables write it.
_UNKNOWN = frozenset({"", "-", "–", "—"})
_DAYS_FIRST = ("%d/%m/%Y %H:%M", "%d/%m/%Y %H.%M", "%d-%m-%Y %H:%M", "%d-%m-%Y %H.%M", "%d/%m/%Y", "%d-%m-%Y")
#: The greatest figure that a column holds.
_MOST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    post: Delivery
    figures: Mapping[str, int]
    at: datetime


def import_figures(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            help=_("CSV or XLSX with the columns id or permalink, time, and figures: views, reach, likes …")
        ),
    ],
) -> None:
    from adapters.contract import Reach
    from scheduler.cli import sheets
    from scheduler.engine.settlement import entered
    from scheduler.store import settling, transitions

    workplace: Workplace = context.obj
    table = sheets.rows(file)
    now = workplace.clock.now()
    who = workplace.actor.id
    with workplace.store().write() as session:
        read = _Reading(session, file.name, now)
        rows = read.all(table)
        if read.problems:
            raise ProblemsError(read.problems)
        fresh = [row for row in rows if not _recorded(session, row)]
        for row in fresh:
            facts = {"entered_by": who, "entered_at": now.isoformat(), "file": file.name, "row": row.number}
            figures = Reach(**row.figures, raw=facts)  # type: ignore[arg-type]
            settling.add_snapshots(session, [entered(row.post.id or 0, figures, row.at, "manual")])
            transitions.record(
                session,
                "figures-entered",
                actor=who,
                at=now,
                campaign_id=row.post.campaign_id,
                delivery_id=row.post.id,
                digest=row.post.digest,
                detail={"file": file.name, "row": row.number},
            )
    say(
        ngettext(
            "{count} row recorded, with the source “manual”.",
            "{count} rows recorded, with the source “manual”.",
            len(fresh),
        )
    )
    if known := len(rows) - len(fresh):
        say(ngettext("{count} row was recorded already.", "{count} rows were recorded already.", known))


def _recorded(session: Session, row: _Row) -> bool:
    """Whether the same figures of the same moment were entered before, so that importing twice is once."""
    from scheduler.store import listings

    return any(
        one.source == "manual"
        and one.taken_at == row.at
        and all(getattr(one, name) == count for name, count in row.figures.items())
        for one in listings.details(session, row.post).snapshots
    )


class _Reading:
    """Reads rows and collects everything that is wrong with them."""

    def __init__(self, session: Session, file: str, now: datetime) -> None:
        self._session = session
        self._file = file
        self._now = now
        self.problems: list[Problem] = []

    def all(self, table: list[Numbered]) -> list[_Row]:
        from adapters.contract import FIGURES

        columns = set(table[0][1]) if table else set()
        if not table:
            raise GaungError(N_("The file {file} has headings but no rows."), file=self._file)
        if not columns & {"id", "permalink"} or not columns & set(FIGURES):
            raise GaungError(
                N_("The file {file} lacks the column id or permalink, or every column of a figure."),
                hint=N_("Columns: id or permalink, time, and any of {names}."),
                file=self._file,
                names=", ".join(FIGURES),
            )
        for name in sorted(columns - {"id", "permalink", "time", *FIGURES}):
            self._wrong(1, name, "unknown-column", N_("There is no figure {name}."), name=name)
        rows = [row for number, cells in table if (row := self._row(number, cells, FIGURES))]
        seen: dict[tuple[int | None, datetime], int] = {}
        for row in rows:
            first = seen.setdefault((row.post.id, row.at), row.number)
            if first != row.number:
                text = N_("Row {first} already has the same post at the same time.")
                self._wrong(row.number, "time", "twice", text, first=first)
        return rows

    def _row(self, number: int, cells: Mapping[str, Any], names: tuple[str, ...]) -> _Row | None:
        post = self._post(number, cells)
        figures = {
            name: count
            for name in names
            if name in cells and (count := self._count(number, name, cells[name])) is not None
        }
        at = self._time(number, cells.get("time"), post) if post else None
        if not any(str(cells.get(name) or "").strip() not in _UNKNOWN for name in names) and not any(
            cells.get(name) == 0 for name in names
        ):
            self._wrong(number, "", "no-figure", N_("The row has no figure."))
        return _Row(number, post, figures, at) if post and at and figures else None

    def _post(self, number: int, cells: Mapping[str, Any]) -> Delivery | None:
        from scheduler.states import State
        from scheduler.store import operations

        id_, link = (str(cells.get(name) or "").strip() for name in ("id", "permalink"))
        name, given = ("id", id_) if id_ else ("permalink", link)
        if not given:
            self._wrong(number, "id", "no-post", N_("Neither id nor permalink is given."))
            return None
        found = operations.by_key(self._session, id_) if id_ else operations.by_permalink(self._session, link)
        if len(found) != 1:
            text = N_("Several posts fit {given}.") if found else N_("There is no post {given}.")
            self._wrong(number, name, "no-post", text, given=given)
            return None
        if id_ and link and found[0].permalink.rstrip("/") != link.rstrip("/"):
            self._wrong(
                number, "permalink", "two-posts", N_("The post {given} has another permalink."), given=id_
            )
        if found[0].state not in {State.SENT, State.REMOVED}:
            self._wrong(
                number,
                name,
                "not-published",
                N_("The post {id} is not published, so it has no figures."),
                id=found[0].key[:SHOWN],
            )
            return None
        return found[0]

    def _count(self, number: int, name: str, cell: Any) -> int | None:
        text = "" if cell is None else str(cell).strip()
        if isinstance(cell, float) and cell.is_integer():
            text = str(int(cell))
        if text in _UNKNOWN:
            return None
        digits = re.sub(r"\D", "", text)
        if isinstance(cell, bool) or not _COUNT.fullmatch(text) or int(digits) > _MOST:
            self._wrong(
                number, name, "no-count", N_("“{text}” is no whole number from 0 upwards."), text=text
            )
            return None
        return int(digits)

    def _time(self, number: int, cell: Any, post: Delivery) -> datetime | None:
        if cell is None or str(cell).strip() == "":
            return self._now
        moment = _moment(cell)
        if moment is None:
            text = N_("“{text}” is no time. Write it like 2026-12-09 14:30 or 09/12/2026 14:30.")
            self._wrong(number, "time", "no-time", text, text=cell)
            return None
        if moment.tzinfo is None:
            from campaigns.timetable import zone

            moment = moment.replace(tzinfo=zone(post.zone))
        if moment > self._now or (post.published_at and moment < _minute(post.published_at)):
            text = N_("{text} is not between the publication of the post and now.")
            self._wrong(number, "time", "time", text, text=cell)
            return None
        return moment

    def _wrong(self, number: int, field: str, code: str, message: str, **values: object) -> None:
        place = _("row {number}", number=number)
        self.problems.append(Problem(code, message, values, file=self._file, item=place, field=field))


def _minute(moment: datetime) -> datetime:
    """The minute that holds a moment: people write no seconds."""
    return moment.replace(second=0, microsecond=0)


def _moment(cell: Any) -> datetime | None:
    """A time as a spreadsheet or a person writes it; None if it is none. A day alone is its beginning."""
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, time())
    text = str(cell).strip()
    for form in _DAYS_FIRST:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 -- the zone of the post is put in
        except ValueError:
            continue
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None

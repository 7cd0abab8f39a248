"""The cover of a workbook: of what it speaks, the headline figures, what is known, and who signs."""

from __future__ import annotations

from scheduler.i18n import _
from scheduler.reports import about
from scheduler.reports.columns import ALL
from scheduler.reports.formats.xlsx_sheet import ACCENT, INK, LINE, PALE, Sheet
from scheduler.reports.report import Report

#: Columns of the cover.
_WIDE = 6


def fill(report: Report, sheet: Sheet) -> None:
    """Write the cover, from top to bottom."""
    page, style = sheet.sheet, sheet.book.style
    page.set_column(0, _WIDE - 1, 15)
    page.set_portrait()
    page.center_horizontally()
    page.fit_to_pages(1, 1)
    row = 0
    for text, size, height in (
        (report.office.name, 12, 26),
        (_("Report on publications"), 24, 40),
        (about.title(report), 15, 26),
        (about.period(report), 11, 24),
    ):
        page.set_row(row, height)
        band = style(font_size=size, bold=size > 12, font_color="#ffffff", bg_color=ACCENT, valign="vcenter",
                     indent=1)  # fmt: skip
        _across(sheet, row, text, band)
        row += 1
    row = _headlines(report, sheet, row + 1)
    label = style(font_color="#5b6b79", bottom=1, bottom_color=LINE)
    plain = style(bottom=1, bottom_color=LINE, text_wrap=True)
    for what, says in _facts(report):
        page.set_row(row, 15 * (1 + len(says) // 72))
        page.merge_range(row, 0, row, 1, what, label)
        page.merge_range(row, 2, row, _WIDE - 1, says, plain)
        row += 1
    _signatures(report, sheet, row + 2)


def _across(sheet: Sheet, row: int, text: str, style: object) -> None:
    sheet.sheet.merge_range(row, 0, row, _WIDE - 1, text, style)


def _headlines(report: Report, sheet: Sheet, row: int) -> int:
    """Three large figures, each with the number of posts that know it."""
    page, style = sheet.sheet, sheet.book.style
    total = report.summary.total
    boxes = [
        (_("Posts published"), total.published, _("of {count} planned", count=report.summary.planned)),
        *(
            (title, total.sum(name), _("known for {known} of {published} posts", known=total.known(name),
                                       published=total.published))
            for name, title in (("views", _("Views")), ("engagement", _("Engagement")))
        ),
    ]  # fmt: skip
    looks = (
        style(font_color="#5b6b79", bg_color=PALE, indent=1, valign="vcenter"),
        style(font_size=22, bold=True, font_color=ACCENT, bg_color=PALE, num_format="#,##0", align="left",
              indent=1, valign="vcenter"),
        style(font_size=8, font_color="#5b6b79", bg_color=PALE, indent=1, valign="vcenter"),
    )  # fmt: skip
    for line, height in enumerate((20, 34, 18)):
        page.set_row(row + line, height)
        for box, texts in enumerate(boxes):
            value = texts[line]
            cell = "–" if value is None else value
            page.merge_range(row + line, box * 2, row + line, box * 2 + 1, cell, looks[line])
    return row + 4


def _facts(report: Report) -> list[tuple[str, str]]:
    total = report.summary.total
    scope = report.scope
    facts = [
        (_("Campaign"), scope.campaign),
        (_("Agency"), scope.agency),
        (_("As known on"), about.moment(report.as_of)),
        *(
            (
                _("Coverage") if number == 0 else "",
                _(
                    about.COVERAGE,
                    figure=_(ALL[name].heading),
                    known=total.known(name),
                    published=total.published,
                ),
            )
            for number, name in enumerate(("views", "reach", "engagement"))
        ),
        (_("Sources"), about.capture(report)),
        (_("Sums"), _(about.SUMS)),
        (_("Record"), about.record(report)),
    ]
    return [(what, says) for what, says in facts if says]


def _signatures(report: Report, sheet: Sheet, row: int) -> None:
    """Who signs: two columns each, the last on the right."""
    page, style = sheet.sheet, sheet.book.style
    signatures = report.office.signatures
    first = _WIDE - 2 * len(signatures)
    plain = style(align="center")
    name = style(align="center", bold=True, underline=1)
    today = about.day(report.as_of.wall.date())
    blocks = [
        [
            (f"{one.place}, {today}" if one.place else "", plain),
            (one.heading, plain),
            (one.position, plain),
            *[("", plain)] * 4,
            (one.name or "." * 40, name if one.name else plain),
            (f"NIP {one.employee_number or '.' * 30}", plain),
        ]
        for one in signatures
    ]
    for line in range(len(blocks[0]) if blocks else 0):
        for number, block in enumerate(blocks):
            text, look = block[line]
            column = first + 2 * number
            page.merge_range(row + line, column, row + line, column + 1, text, look)
    if not blocks:
        page.write_blank(row, 0, None, style(font_color=INK))

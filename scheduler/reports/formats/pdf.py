"""``pdf``: the page of ``html``, set for A4 by WeasyPrint (the extra ``pdf``, which needs Pango)."""

from __future__ import annotations

import hashlib
import logging
from typing import BinaryIO

from scheduler.errors import GaungError
from scheduler.i18n import N_
from scheduler.reports.formats.html import render
from scheduler.reports.report import Report


def write(report: Report, stream: BinaryIO) -> None:
    """Write the PDF; raise GaungError if WeasyPrint, or the libraries that it needs, are not installed."""
    from PIL import ImageFile

    strict = ImageFile.LOAD_TRUNCATED_IMAGES
    try:
        from weasyprint import HTML
    except (ImportError, OSError) as error:  # OSError: the package is there, but no Pango
        raise GaungError(
            N_("A PDF cannot be made here: {why}"),
            hint=N_(
                "Install gaung[pdf], and Pango (Debian, Ubuntu: apt install libpango-1.0-0"
                " libpangoft2-1.0-0 libharfbuzz-subset0). Or print the html report as PDF in a browser."
            ),
            why=str(error).splitlines()[0],
        ) from None
    finally:
        # WeasyPrint lets Pillow take pictures that are cut off, in the whole process; our checks refuse them.
        ImageFile.LOAD_TRUNCATED_IMAGES = strict
    logging.getLogger("weasyprint").setLevel(logging.ERROR)  # it names every rule meant for screens
    page = render(report, paper=True)
    # WeasyPrint would take a random one, and the same report would never be the same file.
    identifier = hashlib.sha256(page.encode()).digest()[:16]
    HTML(string=page).write_pdf(stream, pdf_identifier=identifier, pdf_tags=True)

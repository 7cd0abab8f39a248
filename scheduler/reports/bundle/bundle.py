"""Writing a bundle: report, data, approvals, a picture of each published post, and a manifest of it all.

The manifest can be checked without Gaung: ``sha256sum -c manifest.sha256``. The same campaign as of the
same moment gives the same bytes.
"""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from scheduler.errors import GaungError
from scheduler.i18n import N_, _
from scheduler.reports import about, formats
from scheduler.reports.bundle.card import Card, draw
from scheduler.reports.bundle.layout import EACH, REPORTS, Layout
from scheduler.reports.columns import Headers
from scheduler.reports.report import Office, Report, Shape
from scheduler.reports.rows import PUBLISHED, Row, wall
from scheduler.store import reporting
from scheduler.store.database import Session
from scheduler.store.reporting import Scope

#: The earliest time that a ZIP can hold; a real one would make every bundle another.
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(slots=True)
class Bundle:
    """A bundle while it is written."""

    archive: zipfile.ZipFile
    hashes: dict[str, str] = field(default_factory=dict)
    posts: int = 0
    missing: int = 0
    """Approved pictures that are not at hand; in their place stands their alt text."""

    def put(self, path: str, content: bytes) -> None:
        """Add a file; raise GaungError if there is one of that name."""
        if path in self.hashes:
            raise GaungError(
                N_("Two files of the bundle would both be called {path}."),
                hint=N_("Let the path in the layout hold {{no}}."),
                path=path,
            )
        self.hashes[path] = hashlib.sha256(content).hexdigest()
        entry = zipfile.ZipInfo(path, _LONG_AGO)
        entry.external_attr = 0o644 << 16
        entry.create_system = 3
        # What is compressed already is stored, and two compressors need not agree about the rest.
        self.archive.writestr(entry, content, zipfile.ZIP_STORED)


def write(
    session: Session, scope: Scope, office: Office, layout: Layout, stream: BinaryIO, headers: Headers
) -> Bundle:
    """Write the bundle of a campaign; one post's picture is in memory at a time."""
    names = {"campaign": scope.campaign}
    given = {one.what: layout.path(one.what, names) for one in layout.rules if one.what not in EACH}

    def report(what: str) -> Report:
        people = what in formats.FOR_PEOPLE or what == "csv-excel"
        shape = Shape(columns="office" if people else "data", headers=headers if people else "codes")
        made = Report(session, scope, office, shape)
        made.evidence = lambda number, row: layout.path("picture", _names(names, number, row))
        return made

    makers: dict[str, Callable[[], bytes]] = {
        **{what: lambda what=what: _report(report(what), what) for what in REPORTS},  # type: ignore[misc]
        "approvals": lambda: _approvals(session, scope, office),
    }
    with zipfile.ZipFile(stream, "w") as archive:
        bundle = Bundle(archive)
        for what, path in given.items():
            if path and what in makers:
                bundle.put(path, makers[what]())
        for path, content in _posts(report("json"), layout, names, bundle):
            bundle.put(path, content)
        bundle.posts = report("json").coverage.total.published
        if readme := given.get("readme"):
            bundle.put(readme, _readme(report("json"), bundle))
        if manifest := given.get("manifest"):
            lines = "".join(f"{bundle.hashes[name]}  {name}\n" for name in sorted(bundle.hashes))
            bundle.put(manifest, lines.encode())
        return bundle


def _report(report: Report, what: str) -> bytes:
    content = io.BytesIO()
    formats.writer(what).write(report, content)
    return content.getvalue()


def _names(names: dict[str, str], number: int, row: Row) -> dict[str, Any]:
    when = row["published_at"] or row["planned_at"]
    facts = {name: row[name] for name in ("agency", "account", "platform", "topic", "message")}
    return {**names, **facts, "no": number, "date": when.date().isoformat()}


def _posts(
    report: Report, layout: Layout, names: dict[str, str], bundle: Bundle
) -> Iterator[tuple[str, bytes]]:
    """The files of every published post: its picture, and beside it a shortcut to where it stands."""
    for number, row in enumerate(report.rows(), 1):
        if row["state"] not in PUBLISHED:
            continue
        own = _names(names, number, row)
        if path := layout.path("picture", own):
            card = _card(report, row)
            bundle.missing += card.pictures.count(None)
            yield path, draw(card)
        if row["permalink"] and (path := layout.path("permalink", own)):
            yield path, f"[InternetShortcut]\r\nURL={row['permalink']}\r\n".encode()


def _card(report: Report, row: Row) -> Card:
    content = report.contents([row["digest"]])[row["digest"]]
    media = [one for one in content.media if one["mime"].startswith("image/")]
    at = row["published_at"]
    texts = [content.text, *(part["text"] for part in content.thread), content.first_comment]
    return Card(
        name=row["account"],
        about=" · ".join(one for one in (row["agency"], row["platform"]) if one),
        when=f"{about.day(at.date())} {about.clock(at)} {row['zone']}",
        texts=[text for text in texts if text],
        pictures=[report.office.picture(one) for one in media],
        alts=[one["alt"] for one in media],
        link=content.link,
        permalink=row["permalink"] or "",
        digest=row["digest"],
    )


def _approvals(session: Session, scope: Scope, office: Office) -> bytes:
    """Every approval that had been given by then, also one that was void by then."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("message", "account", "approver", "name", "os_user", "approved_at", "void_at", "digest"))
    for row in reporting.approvals_given(session, scope):
        void = row.void_at if row.void_at and row.void_at <= scope.as_of else None
        times = [wall(at, office.zone).isoformat(sep=" ") if at else "" for at in (row.approved_at, void)]
        name = office.words.names.get(row.approver, row.approver)
        writer.writerow((row.message_id, row.account_id, row.approver, name, row.os_user, *times, row.digest))
    return text.getvalue().encode()


def _readme(report: Report, bundle: Bundle) -> bytes:
    lines = [f"{what}: {says}" for what, says in about.lines(report)]
    listed = [f"  {name}" for name in sorted(bundle.hashes)]
    parts = [
        _("Evidence bundle"),
        "",
        *lines,
        "",
        _("Files:"),
        *listed,
        "",
        _("To check that no file was changed: sha256sum -c manifest.sha256 in this folder."),
        _("Pictures of posts are drawn from the approved content. The .url files open the posts themselves."),
    ]
    return "\r\n".join([*parts, ""]).encode("utf-8-sig")

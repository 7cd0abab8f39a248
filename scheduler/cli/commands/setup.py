"""``init``, ``doctor``, ``db upgrade``: a working folder, and whether everything is in order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scheduler import i18n
from scheduler.cli.options import FormatOption
from scheduler.cli.output import Format, emit, listing, say
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from scheduler.config import Config

#: The three packages have generic names: another distribution may have brought its own (DESIGN.md section 1).
PACKAGES = ("campaigns", "adapters", "scheduler")


def init(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help=_("The folder to make; it must be new or empty."))],
) -> None:
    from importlib import resources

    from campaigns.timetable import to_local
    from scheduler.origin import login

    workplace: Workplace = context.obj
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise GaungError(
            N_("{folder} is not empty; nothing was changed."), hint=N_("Name a new folder."), folder=folder
        )
    today = to_local(workplace.clock.now(), "WIB").date()
    template = resources.files("scheduler.cli") / "templates" / f"config.{i18n.language()}.toml"
    user, _shown = login(os.environ)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.toml").write_text(
            template.read_text(encoding="utf-8").replace("@USER@", user), encoding="utf-8"
        )
        _copy(resources.files("campaigns") / "examples" / "hakordia", folder / "campaigns", today)
    except OSError as error:
        raise GaungError(
            N_("The folder {folder} cannot be filled: {why}"),
            hint=N_("Check the free space and the rights of that folder."),
            folder=folder,
            why=error.strerror or error,
        ) from None
    say(
        _(
            "The working folder {folder} is ready. In a window of its own, start the practice network:",
            folder=folder,
        )
    )
    say(f"  cd {folder}")
    say("  gaung practice serve")
    say(_("Then, in this window:"))
    say(f"  cd {folder}")
    for line in ("check", "plan", "apply", f"approve {_example_id(folder)}", "run"):
        say(f"  gaung {line}")


def _example_id(folder: Path) -> str:
    import tomllib

    text = (folder / "campaigns" / "hakordia.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text)["id"])


def _copy(source: Traversable, target: Path, today: date) -> None:
    """Copy the example campaign; its dates become those of the coming Hakordia."""
    target.mkdir(exist_ok=True)
    for entry in source.iterdir():
        if entry.is_dir() and entry.name == "gambar":
            _copy(entry, target / entry.name, today)
        elif entry.name.endswith(".jpg"):
            (target / entry.name).write_bytes(entry.read_bytes())
        elif entry.name.endswith(".toml"):
            (target / entry.name).write_text(
                for_coming_year(entry.read_text(encoding="utf-8"), today), encoding="utf-8"
            )


def for_coming_year(text: str, today: date) -> str:
    """Given the example's text, return it beginning today and ending not before the next 9 December.

    It lasts until each of its messages without a time of its own has a weekly slot.
    """
    import tomllib

    from campaigns.timetable import parse_slot, slot_times

    hakordia = date(today.year, 12, 9)
    if today > hakordia:
        hakordia = date(today.year + 1, 12, 9)
    example = tomllib.loads(text)
    slots = [parse_slot(one) for one in example["slots"]]
    end, wanting = hakordia, sum("at" not in message for message in example["messages"])
    while sum(1 for _at in slot_times(slots, today, end)) < wanting:
        end += timedelta(days=1)
    dates = {"start = ": today, "end = ": end}
    lines = [
        next(
            (f"{key}{day}" for key, day in dates.items() if line.startswith(key)),
            line.replace("2026", str(hakordia.year)),
        )
        for line in text.splitlines()
    ]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class _Finding:
    code: str
    """Stays the same in every language."""
    what: str
    good: bool
    note: str


def doctor(
    context: typer.Context,
    form: FormatOption = Format.TABLE,
) -> int:
    findings = [*_check_packages(), *_check_workplace(context.obj)]
    rows = [
        {
            "check": one.what if form is Format.TABLE else one.code,
            "good": one.good,
            "note": one.note or None,
        }
        for one in findings
    ]
    listing(rows, {"check": _("check"), "good": _("in order"), "note": _("note")}, form)
    return 0 if all(one.good for one in findings) else 2


def _check_packages() -> Iterator[_Finding]:
    import platform
    from importlib import resources
    from importlib.metadata import packages_distributions, version

    yield _Finding("python", _("Python"), True, platform.python_version())
    yield _Finding("gaung", _("Gaung"), True, version("gaung"))
    owners = packages_distributions()
    here = Path(__file__).resolve().parents[3]
    for name in PACKAGES:
        package = resources.files(name)
        strangers = sorted(set(owners.get(name, [])) - {"gaung"})
        good = Path(str(package)).resolve() == here / name
        note = _("also in {names}: install Gaung with pipx", names=", ".join(strangers)) if strangers else ""
        what = _("Package {name} is Gaung's own", name=name)
        yield _Finding(f"package-{name}", what, good and not strangers, note)


def _check_workplace(workplace: Workplace) -> Iterator[_Finding]:
    try:
        config = workplace.config
    except GaungError as error:
        yield _Finding("configuration", _("Configuration"), False, _in_words(error))
        return
    yield _Finding("configuration", _("Configuration"), True, str(workplace.config_file))
    for code, what, step in (
        ("secrets", _("Secrets are kept from others"), workplace.accounts.check_secret_files),
        ("database", _("Database"), lambda: workplace.store(create=True).close()),
        ("media", _("Approved media can be written"), lambda: _probe(config.path(config.state))),
        ("campaigns", _("Campaign files"), workplace.sound_campaigns),
    ):
        try:
            step()
        except GaungError as error:
            yield _Finding(code, what, False, _in_words(error))
        else:
            yield _Finding(code, what, True, "")
    if (found := _approved_media(workplace)) is not None:
        yield found
    yield _Finding("approvers", _("People who may approve"), *_approvers(workplace))
    if config.approval.signing == "ssh":
        yield _Finding("signing", _("Approvals can be signed"), *_signing(config))
    yield from _retired(workplace)
    if workplace.treasury.payers:
        yield _Finding("prices", _("Prices of paid platforms"), *_prices(workplace))


def _retired(workplace: Workplace) -> Iterator[_Finding]:
    """The figures that platforms no longer tell: nothing that the office could put in order."""
    from scheduler.cli.words import retired_line
    from scheduler.store import retiring

    try:
        with workplace.store().read() as session:
            lines = [retired_line(one, workplace.config.zone) for one in retiring.standing(session)]
    except GaungError:
        return  # said where the database is looked at
    if lines:
        yield _Finding("figures", _("Figures that platforms tell"), True, "\n".join(lines))


def _approved_media(workplace: Workplace) -> _Finding | None:
    """Whether the media of posts to come are there: whoever moves a database may leave them behind."""
    from scheduler.states import State
    from scheduler.store import listings

    try:
        with workplace.store().read() as session:
            coming = listings.posts(session, listings.PostFilter(states=[State.PLANNED]))
    except GaungError:
        return None  # said where the database is looked at
    files = {(one["sha256"], one["name"]) for post in coming for one in post.media}
    gone = sorted({name for sha256, name in files if not workplace.media.path(sha256, name).is_file()})
    note = _("not there: {names}", names=", ".join(gone)) if gone else ""
    return _Finding("media-of-posts", _("Media of the posts to come are there"), not gone, note)


def _in_words(error: GaungError) -> str:
    """What is wrong; of several problems the first, since “gaung check” tells them all."""
    from scheduler.cli.problems import sentence
    from scheduler.errors import ProblemsError

    if not isinstance(error, ProblemsError):
        return _(error.message, **error.values)
    first = next(one for one in error.problems if one.severity == "error")
    place = " › ".join(part for part in (first.file, first.item, first.field) if part)
    return f"{place}: {sentence(first)}"


def _approvers(workplace: Workplace) -> tuple[bool, str]:
    able = [person.name for person in workplace.config.people.values() if "approver" in person.roles]
    return bool(able), ", ".join(able) or _("nobody has the role approver, so nothing can be published")


def _signing(config: Config) -> tuple[bool, str]:
    """Whether signatures can be verified here, and everybody who approves has a key."""
    from shutil import which

    from campaigns.definition import STAGES
    from scheduler.governance.signing import allowed_signers

    if which("ssh-keygen") is None:
        return False, _("There is no ssh-keygen on this computer.")
    try:
        known = {line.split()[0] for line in allowed_signers(config).splitlines() if line.strip()}
    except GaungError as error:
        return False, _in_words(error)
    keyless = [
        person.name
        for name, person in config.people.items()
        if set(person.roles) & set(STAGES) and name not in known
    ]
    return not keyless, _("without a key: {names}", names=", ".join(keyless)) if keyless else ""


def _acts(workplace: Workplace, platform: str) -> list[str]:
    """What of the billed acts of a platform this office does: comments are read only where it allows that."""
    from adapters import registry

    adapter = registry.adapter_class(platform)
    reads = any(
        payer.platform == platform and payer.read_budget is not None
        for payer in workplace.treasury.payers.values()
    )
    return [act for act in adapter.bills if reads or act != adapter.billed_comment]


def _prices(workplace: Workplace) -> tuple[bool, str]:
    """Whether every price belongs to an act that its platform bills; which acts have no price today."""
    from adapters import registry

    treasury, notes, good = workplace.treasury, [], True
    for platform in sorted({payer.platform for payer in treasury.payers.values()}):
        bills = registry.adapter_class(platform).bills
        known = {act for one in workplace.config.costs.prices if one.platform == platform for act in one.acts}
        missing = treasury.prices.cost(
            platform, dict.fromkeys(_acts(workplace, platform), 1), workplace.clock.now()
        ).unpriced
        if strange := sorted(known - set(bills)):
            good = False
            notes.append(
                _(
                    "{platform} bills no {acts}; known: {known}",
                    platform=platform,
                    acts=", ".join(strange),
                    known=", ".join(bills),
                )
            )
        if missing:
            notes.append(_("unknown for {platform}: {acts}", platform=platform, acts=", ".join(missing)))
    return good, "; ".join(notes)


def _probe(folder: Path) -> None:
    import tempfile

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise GaungError(
            N_("The folder {folder} cannot be written: {why}"),
            hint=N_("Check the free space and the rights of that folder."),
            folder=folder,
            why=error.strerror or error,
        ) from None


def upgrade(context: typer.Context) -> None:

    from scheduler.store.database import upgrade as bring_up

    workplace: Workplace = context.obj
    done = bring_up(workplace.config.database_url(os.environ))
    if done:
        say(_("The database was upgraded: {revisions}", revisions=", ".join(done)))
        emit(", ".join(done))
    else:
        say(_("The database is up to date."))

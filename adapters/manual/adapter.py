"""The manual kit: a folder from which a person publishes by hand. For WhatsApp channels (which have no
official publishing API), TikTok (private until audited), and agencies without tokens (PLATFORMS.md,
WhatsApp and TikTok, November 2026).

It talks to no network. A kit is written whole or not at all, and the same post has one folder for ever.
"""

from __future__ import annotations

import errno
import gettext
import hashlib
import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adapters.contract import (
    N_,
    Account,
    Adapter,
    Finding,
    Handed,
    Identity,
    Kind,
    Limits,
    Media,
    Post,
    Problem,
    Progress,
    Reach,
    Unknown,
)
from adapters.errors import Misconfigured, Rejected, Transient
from adapters.manual.page import Page, Sheet, Translate, checklist
from adapters.material import content
from adapters.pictures import Bounds, objections
from adapters.videos import VideoBounds, is_video, video_objections

TEXT_FILE, ALT_FILE, CHECKLIST = "teks.txt", "teks-alternatif.txt", "langkah.html"
ZONES = {"WIB": "Asia/Jakarta", "WITA": "Asia/Makassar", "WIT": "Asia/Jayapura"}
_NAMES = {name: short for short, name in ZONES.items()} | {"Asia/Pontianak": "WIB"}
_SUFFIXES = {
    "image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/gif": ".gif",
    "video/mp4": ".mp4", "video/quicktime": ".mov", "video/webm": ".webm",
}  # fmt: skip
#: Whatever phones and browsers show: what an app makes of it, the person sees there.
PICTURE = Bounds(types=tuple(mime for mime in _SUFFIXES if mime.startswith("image/")))
VIDEO = VideoBounds(types=tuple(mime for mime in _SUFFIXES if mime.startswith("video/")))
#: A kit that is being written; what a power cut leaves of one is swept away by the next.
_UNFINISHED = ".gaung-"

_NOT_WRITTEN = N_("The kit cannot be written into its folder; nothing was handed over.")
_ALL_KINDS: tuple[Kind, ...] = ("post", "reel", "story")


def utf16(text: str) -> int:
    """UTF-16 units, in which TikTok measures texts."""
    return len(text.encode("utf-16-le")) // 2


#: What the apps take (PLATFORMS.md for TikTok; WhatsApp publishes no figures: set ``text_limit``).
KINDS: Mapping[str, Limits] = {
    "whatsapp": Limits(text=4096, media=30, alt_text=10_000, kinds=("post", "story")),
    "tiktok": Limits(text=2200, measure=utf16, media=35, media_required=True, alt_text=10_000,
                     kinds=("post", "reel"), first_comment=True),
    "other": Limits(text=65_536, media=35, alt_text=10_000, kinds=_ALL_KINDS,
                    threads=True, first_comment=True),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Options:
    folder: Path
    kind: str
    zone: ZoneInfo
    limits: Limits


class ManualAdapter(Adapter):
    """Writes kits into the folder that the options name.

    Options: ``folder`` (absolute), ``kind`` (whatsapp, tiktok, other), ``text_limit``, ``zone`` (of the
    times shown). ``translate`` gives the checklist its language; by default the catalog of the process
    (``gettext.textdomain``) does.
    """

    platform: ClassVar[str] = "manual"
    codes: ClassVar[frozenset[str]] = frozenset({"media-mixed"})
    limits = KINDS["other"]

    def __init__(
        self, account: Account, now: Callable[[], datetime], *, translate: Translate = gettext.gettext
    ) -> None:
        super().__init__(account, now)
        self._translate = translate
        self._options = options = _read(account)
        self.limits = options.limits

    def check(self, post: Post) -> list[Problem]:
        problems = super().check(post)
        films = [item for item in post.media if is_video(item)]
        for item in (*post.media, *(item for part in post.thread for item in part.media)):
            problems += video_objections(item, VIDEO) if is_video(item) else objections(item, PICTURE)
        if self._options.kind == "tiktok" and films and len(post.media) > 1:
            problems.append(
                Problem("media-mixed", N_("TikTok takes one video, or pictures: not several, and not both."))
            )
        return problems

    def verify(self) -> Identity:
        """Write and remove an empty folder where the kits go."""
        with _writing():
            self._options.folder.mkdir(parents=True, exist_ok=True)
            Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self._options.folder)).rmdir()
        return Identity(remote_id=self.account.id, name=self._name)

    def publish(self, post: Post, progress: Progress) -> Handed:  # noqa: ARG002 -- the folder is the memory
        """Write the kit of ``post``, in place of the one that an earlier attempt left."""
        sheets, files = self._sheets(post)
        folder = self._options.folder
        mark = hashlib.sha256(post.key.encode()).hexdigest()[:12]
        now = self.now().astimezone(self._options.zone)
        zone = _NAMES.get(self._options.zone.key, self._options.zone.key)
        page = Page(
            kind=self._options.kind,
            account=self._name,
            prepared=f"{now:%Y-%m-%d %H.%M} {zone}",
            post_id=post.key[:8],
            sheets=sheets,
            post_kind=post.kind,
        )
        files[CHECKLIST] = checklist(page, self._translate).encode()
        with _writing():
            folder.mkdir(parents=True, exist_ok=True)
            _sweep(folder, mark)
            earlier = sorted(folder.glob(f"*-{mark}"))
            target = earlier[0] if earlier else folder / f"{now:%Y-%m-%d}-{_slug(post.text)}-{mark}"
            _write(folder, target, mark, files)
        return Handed(str(target))

    def find(self, post: Post, progress: Progress, since: datetime) -> Finding:  # noqa: ARG002
        """A person publishes, and only a person knows."""
        return Unknown(N_("The post is published by hand; ask the person who does it."))

    def reach(self, remote_ids: Sequence[str]) -> Mapping[str, Reach]:
        """Nobody is asked: the figures of a hand-made post are entered by hand."""
        return dict.fromkeys(remote_ids, Reach())

    def remove(self, remote_id: str) -> None:  # noqa: ARG002
        raise Rejected(N_("What was published by hand must be deleted by hand."))

    @property
    def _name(self) -> str:
        return self.account.handle or self.account.id

    def _sheets(self, post: Post) -> tuple[list[Sheet], dict[str, bytes]]:
        """The texts of the kit, and every file of it but the checklist."""
        files: dict[str, bytes] = {}
        texts = [("post", self.wording(post), post.media)]
        texts += [("part", part.text, part.media) for part in post.thread]
        texts += [("comment", post.first_comment, ())] if post.first_comment else []
        sheets: list[Sheet] = []
        for number, (role, text, media) in enumerate(texts, 1):
            before = "" if number == 1 else f"bagian-{number}-"
            text_file = "komentar-pertama.txt" if role == "comment" else f"{before}{TEXT_FILE}"
            if text:
                files[text_file] = (text + "\n").encode()
            named = [(f"{before}{_media_name(item, n)}", item) for n, item in enumerate(media, 1)]
            files |= {name: content(item) for name, item in named}
            shown = tuple((name, item.mime, item.alt) for name, item in named)
            sheets.append(Sheet(text, text_file, shown, role))
        alts = [f"{name}\n{alt}\n" for sheet in sheets for name, _, alt in sheet.media if alt]
        if alts:
            files[ALT_FILE] = "\n".join(alts).encode()
        return sheets, files


def _read(account: Account) -> _Options:
    """Given the account's options, return what they mean; raise Misconfigured if they cannot work."""
    options = account.options
    folder = Path(str(options.get("folder") or "")).expanduser()
    if not folder.is_absolute():
        raise Misconfigured(
            N_(
                'The account {account} needs options = {{ folder = "…" }} with an absolute path for its kits.'
            ),
            account=account.id,
        )
    kind = str(options.get("kind") or "other")
    if kind not in KINDS:
        raise Misconfigured(
            N_("{kind} is no kind of manual kit. Known: {known}."), kind=kind, known=", ".join(KINDS)
        )
    name = str(options.get("zone") or "WIB")
    try:
        zone = ZoneInfo(ZONES.get(name, name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Misconfigured(N_("{zone} is no time zone. Write WIB, WITA or WIT."), zone=name) from None
    limits, most = KINDS[kind], options.get("text_limit")
    if most is not None:
        if not isinstance(most, int) or most < 1:
            raise Misconfigured(N_("text_limit must be a whole number of characters, 1 or more."))
        limits = Limits(
            text=most,
            measure=limits.measure,
            media=limits.media,
            media_required=limits.media_required,
            alt_text=limits.alt_text,
            kinds=limits.kinds,
            threads=limits.threads,
            first_comment=limits.first_comment,
        )
    return _Options(folder, kind, zone, limits)


@contextmanager
def _writing() -> Iterator[None]:
    """A full disk or a share that is not there: nothing was handed over, and later it may work."""
    try:
        yield
    except OSError as error:
        raise Transient(_NOT_WRITTEN, code=errno.errorcode.get(error.errno or 0, "")) from error


def _write(folder: Path, target: Path, mark: str, files: Mapping[str, bytes]) -> None:
    """Write ``files`` beside ``target`` and put them in its place in one step.

    A power cut leaves the old kit, the new one, or (between the two renames) none; never half of one.
    """
    new = Path(tempfile.mkdtemp(prefix=f"{_UNFINISHED}{mark}-", dir=folder))
    try:
        new.chmod(0o755)  # mkdtemp keeps it from the colleague who is to publish
        for name, data in files.items():
            with (new / name).open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        _sync(new)
        old = folder / f"{new.name}-old"
        if target.exists():
            target.rename(old)
        try:
            new.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
        _sync(folder)
    finally:
        _sweep(folder, mark)


def _sweep(folder: Path, mark: str) -> None:
    for left in folder.glob(f"{_UNFINISHED}{mark}-*"):
        shutil.rmtree(left, ignore_errors=True)


def _sync(folder: Path) -> None:
    """Make the names in ``folder`` durable; Windows cannot open folders, and needs not."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _slug(text: str) -> str:
    """The first words of a post as a name that every file system takes."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain)[:5])[:40].strip("-") or "unggahan"


def _media_name(item: Media, number: int) -> str:
    kind = "video" if item.mime.startswith("video/") else "gambar"
    return f"{kind}-{number:02d}{_SUFFIXES.get(item.mime, item.path.suffix.lower())}"


__all__ = ["ALT_FILE", "CHECKLIST", "KINDS", "TEXT_FILE", "ManualAdapter"]

"""An office whose Hakordia campaign is over: the example's texts and pictures on five accounts, published
and measured. Everything follows from fixed times and simple formulas, so two makings are the same.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kit.engine import HORIZON, ManualClock
from kit.office import ROOT
from kit.stores import new_store

from adapters import registry
from campaigns import files
from scheduler import config
from scheduler.engine import applying
from scheduler.origin import operating_system_user
from scheduler.states import Event, State
from scheduler.store import approving
from scheduler.store.database import Session, Store
from scheduler.store.media import MediaFolder
from scheduler.store.tables import Comment, Delivery, FollowerCount, Snapshot
from scheduler.store.transitions import Change, apply_changes

CAMPAIGN = "hakordia-2026"
APPLIED = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
#: When the office hands its report in.
AS_OF = "2026-12-31"
AGES = (1, 6, 24, 72, 168)

#: id -> platform, agency, how widely it is heard; Telegram tells no reach, the manual channel nothing at all.
ACCOUNTS = {
    "kominfo-instagram": ("instagram", "Dinas Komunikasi dan Informatika", 9),
    "kominfo-x": ("x", "Dinas Komunikasi dan Informatika", 5),
    "pendidikan-facebook": ("facebook", "Dinas Pendidikan", 7),
    "kesehatan-telegram": ("telegram", "Dinas Kesehatan", 3),
    "kecamatan-whatsapp": ("manual", "Kecamatan Sukamaju", 0),
}
SETTINGS = """
zone = "WIB"
language = "id"

[report]
office = "Dinas Komunikasi dan Informatika Kabupaten Contoh"

[[report.signatures]]
heading = "Mengetahui,"
position = "Kepala Dinas"
name = "Dra. Ratna Wulandari, M.Si."
employee_number = "197104121996032003"
place = "Contoh"

[report.targets]
"Dinas Komunikasi dan Informatika" = 12
"*" = 6

[people.siti]
name = "Siti Rahma"
roles = ["drafter"]

[people.budi]
name = "Budi Santoso"
os_user = "{user}"
roles = ["drafter", "approver"]

[accounts.kepolisian]
platform = "practice"
agency = "Satuan Polisi Pamong Praja"
handle = "satpolpp"
"""


@dataclass(frozen=True)
class Echo:
    """The folder, its configuration and its open store."""

    folder: Path
    config: Path
    store: Store
    media: MediaFolder


def make(folder: Path, accounts: Sequence[str] = tuple(ACCOUNTS)) -> Echo:
    """Make the office; its campaign was applied, approved, published (but for a few) and measured."""
    folder.mkdir(parents=True, exist_ok=True)
    example = ROOT / "campaigns" / "examples" / "hakordia"
    shutil.copytree(example, folder / "campaigns", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    file = folder / "campaigns" / "hakordia.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        re.sub(r"^accounts = .*$", f"accounts = {[*accounts]}", text, flags=re.MULTILINE), encoding="utf-8"
    )
    tables = [
        f'[accounts.{name}]\nplatform = "{platform}"\nagency = "{agency}"\nhandle = "@{name}"\n'
        for name, (platform, agency, _size) in ACCOUNTS.items()
    ]
    settings = folder / "config.toml"
    settings.write_text(
        "\n".join([SETTINGS.replace("{user}", operating_system_user()), *tables]), encoding="utf-8"
    )
    (folder / "state").mkdir()
    store = new_store(folder / "state")
    media = MediaFolder(folder / "state" / "media")
    loaded, _problems = files.load_file(
        file, config.load(settings, registry.names()).audience(registry.names())
    )
    assert loaded, _problems
    clock = ManualClock(APPLIED)
    applying.apply(store, media, loaded, actor="siti", now=clock.now(), horizon=HORIZON)
    with store.write() as session:
        waiting = approving.waiting(session, CAMPAIGN)
        approving.approve(
            session,
            CAMPAIGN,
            [one.content.digest for one in waiting],
            approver="budi",
            os_user="budi",
            at=APPLIED + timedelta(hours=5),
        )
    with store.write() as session:
        _publish(session)
        _listen(session)
        _count(session)
    return Echo(folder, settings, store, media)


def _publish(session: Session) -> None:
    from sqlalchemy import select

    posts = session.execute(select(Delivery).order_by(Delivery.planned_at, Delivery.id)).scalars()  # type: ignore[arg-type]
    for number, post in enumerate(posts):
        at = post.planned_at + timedelta(seconds=20 + number)
        if number % 17 == 9:
            _move(session, post, State.PLANNED, Event.HELD, post.expires_at, code="too-late")
            continue
        _move(session, post, State.PLANNED, Event.CLAIMED, at)
        if number % 23 == 11:
            why = {"code": "rejected", "reason": "Ukuran gambar tidak didukung"}
            _move(session, post, State.SENDING, Event.REJECTED, at, **why)
            continue
        url = f"https://{post.platform}.example/{post.account_id}/{1000 + number}"
        facts: dict[str, Any] = {"permalink": url, "remote_id": f"17{number:016}", "published_at": at}
        _move(session, post, State.SENDING, Event.ACCEPTED, at + timedelta(seconds=2), source="api", **facts)
        _measure(session, post, number, at)


def _listen(session: Session) -> None:
    """Two comments under every fourth post that Instagram or Facebook has; the first is answered."""
    from sqlalchemy import select

    heard = [
        post
        for post in session.execute(select(Delivery).order_by(Delivery.id)).scalars()  # type: ignore[arg-type]
        if post.platform in {"instagram", "facebook"} and post.published_at
    ]
    for number, post in enumerate(heard[::4]):
        at = (post.published_at or APPLIED) + timedelta(minutes=10)
        facts = {"delivery_id": post.id, "account_id": post.account_id, "seen_at": at + timedelta(hours=12)}
        for order in (1, 2):
            session.add(
                Comment(
                    remote_id=f"k{number}-{order}", under=post.remote_id, author="Warga", url="", own=False,
                    text="Di mana melapornya?", written_at=at, **facts,
                )
            )  # fmt: skip
        session.add(
            Comment(
                remote_id=f"j{number}", under=f"k{number}-1", author="", url="", own=True,
                text="Lewat SP4N-LAPOR!, Kak.", written_at=at + timedelta(minutes=25 + number), **facts,
            )
        )  # fmt: skip


def _count(session: Session) -> None:
    """Followers day by day, but of the channel of which no platform tells them: that was read off once."""
    for account, (platform, _agency, size) in ACCOUNTS.items():
        manual = platform == "manual"
        for day in range(24 if manual else 0, 25):
            session.add(
                FollowerCount(
                    account_id=account,
                    taken_at=datetime(2026, 11, 23, 17, 5, tzinfo=UTC) + timedelta(days=day),
                    source="manual" if manual else "api",
                    followers=2150 if manual else 1000 * size + day * (size - 4),
                    name="" if manual else "followers_count",
                )
            )


def _move(session: Session, post: Delivery, before: State, event: Event, at: datetime, **values: Any) -> None:
    change = Change(post.id or 0, before, event, post.campaign_id, post.digest, values)
    apply_changes(session, [change], actor="daemon", at=at)


def _measure(session: Session, post: Delivery, number: int, at: datetime) -> None:
    size = ACCOUNTS[post.account_id][2]
    if not size:
        return
    for step, hours in enumerate(AGES, 1):
        views = size * (37 + 11 * (number % 7)) * step
        told = post.platform != "telegram"
        session.add(
            Snapshot(
                delivery_id=post.id or 0,
                taken_at=at + timedelta(hours=hours),
                source="api",
                views=views,
                reach=views * 4 // 5 if told else None,
                likes=(size + number % 5) * step,
                comments=number % 4,
                shares=(number % 6) if told else None,
                saves=number % 3 if post.platform == "instagram" else None,
                clicks=None,
            )
        )

"""An office with real platforms: the engine of the tests, its accounts on loopback servers.

The real dispatcher, database and adapters, in real threads; only the clock is moved by hand. What is
counted is what the platforms hold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from kit.engine import HOUR, MINUTE, Engine, Node, campaign
from kit.sides import SIDES, Side, There, adapter_of
from PIL import Image
from servers.public_folder import public_folder

from adapters.contract import Adapter
from adapters.media_store import MediaStore
from campaigns.files import Loaded
from scheduler.states import State
from scheduler.store import operations
from scheduler.store.tables import Delivery

#: Longer than any platform's listing may be behind.
LATER = timedelta(minutes=10)
FILES = ("satu.jpg", "dua.jpg")
ALTS = ("Poster: tolak suap.", "Diagram & cara melapor.")
TEXT = "Tolak suap, laporkan."


class House:
    """An engine whose accounts are on real servers; each account is called like its platform."""

    def __init__(self, folder: Path, stack: ExitStack, *platforms: str) -> None:
        self.engine = Engine(folder)
        # The servers date their posts by the real clock; slots are exact to the second.
        self.start = self.engine.clock.at = datetime.now(UTC).replace(microsecond=0)
        self.sides: Mapping[str, Side] = {name: stack.enter_context(SIDES[name]()) for name in platforms}
        site = stack.enter_context(public_folder(folder / "publik"))
        self.site = site
        """The office's own web server, from which platforms fetch pictures."""
        self._public_url = MediaStore(str(site.folder), site.url).url_for
        self._stack = stack
        self.read_timeout = 20.0  # a busy machine is no platform that does not answer
        self.siblings = list(platforms)[:1]
        """The accounts that share an app with the first one, itself included."""
        self.main = self.node("rumah")

    def node(self, name: str, executor: Executor | None = None) -> Node:
        """A further daemon's dispatcher."""
        executor = executor or self._stack.enter_context(ThreadPoolExecutor(4))
        return self.engine.node(
            name,
            executor=executor,
            adapter=cast("Any", self._adapter),
            siblings=lambda account: self.siblings if account in self.siblings else [account],
        )

    def _adapter(self, account: Any, *_: object) -> Adapter:
        return self.adapter(account.id)

    def adapter(self, name: str) -> Adapter:
        now = self.engine.clock.now
        return adapter_of(self.sides[name], name, now, self._public_url, self.read_timeout)

    @property
    def side(self) -> Side:
        """The only platform."""
        (only,) = self.sides.values()
        return only

    def campaign(
        self, text: str = TEXT, *, files: Sequence[str] = FILES, id_: str = "hakordia", **more: Any
    ) -> Loaded:
        """One message for the beginning, on every account; ``more`` are keys of the message."""
        for number, name in enumerate(FILES):
            picture = Image.new("RGB", (320, 400), (90 * number + 20, 90, 160))
            picture.save(self.engine.folder / name)
        made = campaign(
            self.engine.folder,
            {"jujur": [self.start]},
            id_=id_,
            accounts=list(self.sides),
            texts={"jujur": text},
            media={"jujur": files},
        )
        (message,) = made.campaign.model_dump()["messages"]
        media = [{"file": file, "alt": alt} for file, alt in zip(files, ALTS, strict=False)]
        message |= {"media": media, **more}
        definition = made.campaign.model_dump() | {"messages": [message]}
        return replace(made, campaign=type(made.campaign).model_validate(definition))

    def work(self, by: timedelta = timedelta(0)) -> None:
        """Let ``by`` pass, then work until nothing is in flight."""
        self.engine.clock.forward(by)
        self.main.serve()

    def publish(self, **more: Any) -> None:
        """Apply and approve the message, and work once."""
        self.engine.apply(self.campaign(**more))
        self.work()

    @property
    def row(self) -> dict[str, Any]:
        return self.engine.row

    def is_unsure(self, reason: str = "") -> None:
        """Nobody knows yet; and as long as nobody has looked, nothing is sent, however often it is tried."""
        assert (self.row["state"], self.row["code"]) == (State.UNSURE, reason or "ambiguous")
        for _ in range(2):
            self.work()
        assert self.side.tries == 1

    def settled(self, *, found: bool) -> There:
        """The post was looked for and is out, once and whole; return it."""
        if self.side.platform == "telegram":
            self._ask_a_person(found)
        root = self.whole(self.side)
        assert (self.row["state"], self.row["source"]) == (
            State.SENT,
            "api" if not found else "manual" if self.side.platform == "telegram" else "found",
        )
        assert self.row["remote_id"].split(",")[0] == root.id
        assert self.side.tries == (1 if found else 2)
        return root

    def _ask_a_person(self, found: bool) -> None:
        """A bot cannot read its channel: Gaung asks, and a person says what is there."""
        for _ in range(5):
            self.work(LATER)
        assert (self.row["state"], self.row["asks"]) == (State.UNSURE, True)
        assert self.side.tries == 1
        with self.engine.store.write() as session:
            post = session.get(Delivery, self.row["id"])
            assert post is not None
            if found:
                (root,) = self.side.roots
                values: dict[str, Any] = {
                    "remote_id": root.id,
                    "permalink": "https://t.me/x",
                    "reach_at": None,
                }
                operations.resolve_posted(session, post, actor="budi", at=self.engine.clock.at, **values)
            else:
                operations.resolve_absent(
                    session, post, actor="budi", at=self.engine.clock.at, publish_within=HOUR
                )
        self.work(MINUTE)

    def whole(self, side: Side) -> There:
        """The only post on ``side``, with its text, every picture and every alt text."""
        (root,) = side.roots
        assert root.text == TEXT
        assert root.media == pictures(self.engine.folder, side.platform)
        return root


def pictures(folder: Path, platform: str) -> tuple[tuple[str, str], ...]:
    hashes = [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES]
    alts = ("", "") if platform == "telegram" else ALTS
    return tuple(zip(hashes, alts, strict=True))

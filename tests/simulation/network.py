"""The simulated platform: what it holds, what it lists when, and how it answers each call.

It keeps its own ledger of every post that it made public and for which delivery, which no one else
can know: the proof compares it with the database. A call is a sequence of steps with pauses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar

from simulation.fate import Fate
from simulation.faults import Fault
from simulation.strands import Strand

from adapters.contract import (
    Absent,
    Account,
    Adapter,
    Finding,
    Found,
    Handed,
    Identity,
    Json,
    Limits,
    Post,
    Progress,
    Reach,
    Receipt,
    Unknown,
)
from adapters.errors import (
    AccountHeld,
    Ambiguous,
    AuthExpired,
    Duplicate,
    RateLimited,
    Rejected,
    Transient,
)
from adapters.matching import EARLIER
from adapters.transport import may_write

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)

#: Nothing that a platform accepts after it broke off takes longer; nor does it list later than this.
LATE = 25 * SECOND
#: What the late platform promises: within this a new post is listed.
LAG = 60 * SECOND

#: How a publication goes wrong, and how often.
PUBLISHING: Mapping[Fault, float] = {
    Fault.TRANSIENT: 0.08,
    Fault.RATE_LIMITED: 0.03,
    Fault.RATE_LIMITED_APP: 0.015,
    Fault.CREDENTIALS: 0.015,
    Fault.HELD: 0.015,
    Fault.REJECTED: 0.03,
    Fault.AMBIGUOUS: 0.05,
    Fault.AMBIGUOUS_ACCEPTED: 0.04,
    Fault.ACCEPTED_LATER: 0.03,
    Fault.ERROR_ACCEPTED: 0.03,
    Fault.DUPLICATE: 0.015,
    Fault.DUPLICATE_ACCEPTED: 0.015,
    Fault.NO_ID: 0.02,
    Fault.NO_ID_ACCEPTED: 0.02,
    Fault.OTHER_ID: 0.03,
    Fault.OTHER_ID_ACCEPTED: 0.03,
    Fault.NONSENSE: 0.015,
    Fault.SLOW: 0.06,
}

#: How a look goes wrong, and how often.
LOOKING: Mapping[Fault, float] = {
    Fault.LISTING_UNKNOWN: 0.15,
    Fault.LISTING_LIMITED: 0.04,
    Fault.LISTING_REFUSED: 0.03,
    Fault.LISTING_ERROR: 0.05,
    Fault.LISTING_NO_ID: 0.03,
    Fault.LISTING_OTHER: 0.06,
    Fault.LISTING_NONSENSE: 0.02,
}

#: How a removal goes wrong, and how often.
REMOVING: Mapping[Fault, float] = {
    Fault.REMOVAL_REFUSED: 0.1,
    Fault.REMOVAL_LOST: 0.1,
    Fault.REMOVAL_LOST_DONE: 0.1,
}

_BEFORE = frozenset(
    {
        Fault.TRANSIENT,
        Fault.RATE_LIMITED,
        Fault.RATE_LIMITED_APP,
        Fault.CREDENTIALS,
        Fault.HELD,
        Fault.REJECTED,
        Fault.AMBIGUOUS,
        Fault.DUPLICATE,
        Fault.NO_ID,
        Fault.OTHER_ID,
    }
)


@dataclass(slots=True)
class Public:
    """A post, or a part of one, that the platform made public."""

    remote_id: str
    account: str
    key: str
    part: int
    parts: int
    """How many parts the whole has."""
    text: str
    parent: str
    at: datetime
    listed_at: datetime
    removed: bool = False


@dataclass
class Network:
    """The other side."""

    fate: Fate
    now: Callable[[], datetime]
    met: Callable[[Fault, str], None]
    wrong: Callable[[str], None]
    """Called when something happened that never may."""
    later: Callable[[datetime, Callable[[], None]], None]
    styles: Mapping[str, type[SimulatedAdapter]]
    """The accounts, and the way of the platform each is on."""
    leaving: Callable[[str], None] = lambda key: None
    """Told the key of every delivery that is about to be made public."""
    known: Callable[[], Collection[tuple[str, str]]] = frozenset
    """The posts (account, id) that the database has as some delivery's own."""
    posts: list[Public] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)

    def accept(self, account: str, post: Post, part: int, parent: str = "") -> str:
        """Make a post public; return its id."""
        self.leaving(post.key)
        held = [one for one in self.posts if (one.key, one.part) == (post.key, part)]
        late = self.fate.between(f"listed {post.key} {part}", timedelta(0), LATE)
        made = Public(
            remote_id=f"p{len(self.posts) + 1}",
            account=account,
            key=post.key,
            part=part,
            parts=1 + len(post.thread),
            text=post.text if part == 0 else post.thread[part - 1].text,
            parent=parent,
            at=self.now(),
            listed_at=self.now() + (late if self.styles[account].listing_lag else timedelta(0)),
        )
        others = [one for one in self.posts if one.parent == made.parent and one.key != post.key]
        if post.reply_to and any(not one.removed for one in others):
            self.wrong(f"{post.reply_to.comment} is answered by {others[0].remote_id} and {made.remote_id}")
        self.posts.append(made)
        if held:
            self.wrong(f"{post.key[:8]} is public twice: {held[0].remote_id} and {made.remote_id}")
        return made.remote_id

    def by_hand(self, account: str, post: Post) -> None:
        """A person has published it."""
        self.accept(account, post, 0)

    def of(self, key: str) -> list[Public]:
        """What was made public of a delivery, in the order of its parts."""
        return sorted((one for one in self.posts if one.key == key), key=lambda one: one.part)

    def holds(self, key: str) -> list[Public]:
        """The same without what was removed."""
        return [one for one in self.of(key) if not one.removed]

    def remove(self, key: str) -> None:
        """Delete all parts of a delivery."""
        for one in self.of(key):
            one.removed = True

    def listed(self, account: str, post: Post, part: int, parent: str, since: datetime) -> Public | None:
        """What the account's own listing shows of a text now.

        Threads are told apart by more than their text: half a thread of another delivery with the same text
        is beyond what a listing can decide, and beyond this proof.
        """
        text = post.text if part == 0 else post.thread[part - 1].text
        for one in self.posts:
            if one.removed or (post.thread and one.key != post.key):
                continue
            if (one.account, one.text, one.parent) == (account, text, parent) and one.at >= since:
                if one.listed_at <= self.now():
                    return one
                self.met(Fault.LISTING_LATE, one.key)
        return None

    def another(self, account: str, key: str) -> str:
        """The id of a post that is known to be another delivery's; "" if there is none."""
        others = [one for one in self.posts if one.account == account and one.key != key and not one.part]
        known = self.known()
        return next((one.remote_id for one in reversed(others) if (account, one.remote_id) in known), "")


class SimulatedAdapter(Adapter):
    """A platform that lists what it took at once, and takes a post in one request."""

    platform: ClassVar[str] = "simulated"
    limits: Limits = Limits(text=1000, threads=True)
    reply_limits: Limits | None = Limits(text=1000)
    sees: ClassVar[bool] = True
    """Whether its listing can show a post at all."""
    prepares: ClassVar[bool] = False
    """Whether a post is prepared (a container, an upload) before it is made public."""
    by_hand: ClassVar[bool] = False

    def __init__(self, account: Account, now: Callable[[], datetime], network: Network) -> None:
        super().__init__(account, now)
        self.network = network

    def verify(self) -> Identity:
        """Works, once a person has seen to it."""
        return Identity(self.account.id, self.account.handle)

    def publish(self, post: Post, progress: Progress) -> Receipt | Handed:
        """Part by part; at one of them may come what ``PUBLISHING`` has drawn for this call."""
        network = self.network
        call = f"{post.key} {network.calls[post.key]}"
        network.calls[post.key] += 1
        fault = network.fate.choose(f"call {call}", PUBLISHING)
        if fault is Fault.ACCEPTED_LATER and not self.listing_lag:
            fault = Fault.AMBIGUOUS  # a platform that is late warns of it
        self._pause("before the request", call, 0.05, 2)
        if fault is Fault.SLOW:
            network.met(fault, post.key)
            for step in range(4):
                self._pause("in a slow upload", f"{call} {step}", 30, 60)
        if self.by_hand:
            return self._refusal(fault, post) if fault in _BEFORE else Handed(f"outbox/{post.key}")
        if self.prepares and "container" not in progress.saved:
            progress.save(container=f"c-{post.key}")
        saved = progress.saved.get("ids")
        ids = [str(one) for one in saved] if isinstance(saved, list) else []
        parts = 1 + len(post.thread)
        struck = len(ids) + int(network.fate.number(f"part {call}") * (parts - len(ids)))
        for part in range(len(ids), parts):
            parent = ids[-1] if ids else _under(post)
            if fault is Fault.REJECTED and part == struck and part:  # what is out stays out
                network.met(fault, post.key)
                return Receipt(ids[0], f"https://simulated.example/{ids[0]}", "a part was refused")
            answer = self._part(post, part, parent, progress, call, fault if part == struck else None)
            if not isinstance(answer, str):
                return answer
            ids.append(answer)
            if post.thread:  # what the last part brought goes with the answer
                keep = progress.note if part == parts - 1 else progress.save
                keep(ids=list(ids))
        return Receipt(ids[0], f"https://simulated.example/{ids[0]}")

    def _part(
        self, post: Post, part: int, parent: str, progress: Progress, call: str, fault: Fault | None
    ) -> str | Receipt:
        """Bring out one part; return its id, or the answer that ends the call."""
        network, strand = self.network, Strand.current()
        if post.thread and (known := self._pending(post, progress, part, parent)):
            return known
        if not may_write():
            raise Transient("the lease is over: nothing was sent")
        accepted = partial(self._accepted, post, part, parent)
        strand.in_the_air = None if fault in _BEFORE else accepted
        self._pause("in the request", f"{call} {part}", 0.1, 3)
        strand.in_the_air = None
        if fault in _BEFORE:
            return self._refusal(fault, post)
        if fault is Fault.ACCEPTED_LATER:
            network.met(fault, post.key)
            network.later(network.now() + network.fate.between(f"later {call}", SECOND, LATE), accepted)
            raise Ambiguous("time-out")
        remote_id = network.accept(self.account.id, post, part, parent)
        self._pause("after acceptance", f"{call} {part}", 0.1, 2)
        return remote_id if fault in {None, Fault.SLOW} else self._lie(fault, post)

    def _accepted(self, post: Post, part: int, parent: str) -> None:
        self.network.accept(self.account.id, post, part, parent)

    def _pending(self, post: Post, progress: Progress, part: int, parent: str) -> str:
        """Note that a part is about to go out; its id if an earlier attempt has already brought it out."""
        pending = progress.saved.get("pending")
        if isinstance(pending, dict) and pending["part"] == part:
            since = datetime.fromisoformat(str(pending["at"])) - EARLIER
            found = self.network.listed(self.account.id, post, part, parent, since)
            return found.remote_id if found else ""
        progress.save(pending={"part": part, "at": self.now().isoformat()})
        return ""

    def _pause(self, point: str, name: str, low: float, high: float) -> None:
        took = self.network.fate.between(f"{point} {name}", low * SECOND, high * SECOND)
        Strand.current().pause(point, until=self.network.now() + took)

    def _refusal(self, fault: Fault | None, post: Post) -> Receipt:
        assert fault is not None
        self.network.met(fault, post.key)
        now = self.network.now()
        match fault:
            case Fault.TRANSIENT:
                raise Transient("connection refused")
            case Fault.RATE_LIMITED | Fault.RATE_LIMITED_APP:
                pause = self.network.fate.between(f"limit {post.key}", MINUTE, 40 * MINUTE)
                app = fault is Fault.RATE_LIMITED_APP
                raise RateLimited("too many", until=now + pause, app_wide=app)
            case Fault.CREDENTIALS:
                raise AuthExpired("token expired")
            case Fault.HELD:
                raise AccountHeld("billing")
            case Fault.REJECTED:
                raise Rejected("against the rules")
            case Fault.DUPLICATE:
                raise Duplicate("already there")
            case Fault.NO_ID:
                return Receipt("")
            case Fault.OTHER_ID:
                return Receipt(self.network.another(self.account.id, post.key))
        raise Ambiguous("connection reset")

    def _lie(self, fault: Fault | None, post: Post) -> Receipt:
        assert fault is not None
        self.network.met(fault, post.key)
        match fault:
            case Fault.ERROR_ACCEPTED:
                raise RuntimeError("the platform said something new")
            case Fault.DUPLICATE_ACCEPTED:
                raise Duplicate("already there")
            case Fault.NO_ID_ACCEPTED:
                return Receipt("")
            case Fault.OTHER_ID_ACCEPTED:
                return Receipt(self.network.another(self.account.id, post.key))
            case Fault.NONSENSE:
                return None  # type: ignore[return-value]  # a stranger's adapter
        raise Ambiguous("connection reset")

    def find(self, post: Post, progress: Progress, since: datetime) -> Finding:
        """Compares texts and times, as adapters have to."""
        network = self.network
        call = f"{post.key} {network.calls['look ' + post.key]}"
        network.calls["look " + post.key] += 1
        self._pause("before the look", call, 0.1, 3)
        fault = network.fate.choose(f"look {call}", LOOKING)
        if fault and not (fault is Fault.LISTING_OTHER and not network.another(self.account.id, post.key)):
            network.met(fault, post.key)
            return self._mislead(fault, post)
        if not self.sees:
            return Unknown("this platform has no listing")
        parent, root = _under(post), None
        for part in range(1 + len(post.thread)):
            found = network.listed(self.account.id, post, part, parent, since)
            if found is None:
                return Absent()
            root, parent = root or found, found.remote_id
        assert root is not None
        return Found(root.remote_id, f"https://simulated.example/{root.remote_id}", root.at)

    def _mislead(self, fault: Fault, post: Post) -> Finding:
        network = self.network
        match fault:
            case Fault.LISTING_LIMITED:
                raise RateLimited("too many", until=network.now() + 5 * MINUTE)
            case Fault.LISTING_REFUSED:
                raise AuthExpired("token expired")
            case Fault.LISTING_ERROR:
                raise Transient("no connection")
            case Fault.LISTING_NO_ID:
                return Found("")
            case Fault.LISTING_OTHER:
                return Found(network.another(self.account.id, post.key))
            case Fault.LISTING_NONSENSE:
                return None  # type: ignore[return-value]  # a stranger's adapter
        return Unknown("the listing is incomplete")

    def begun(self, progress: Progress) -> Receipt | None:
        """The first part of a thread, once it is known to be out."""
        ids = progress.saved.get("ids")
        return Receipt(str(ids[0])) if isinstance(ids, list) and ids else None

    def reach(self, remote_ids: Sequence[str]) -> Mapping[str, Reach]:
        """Figures are not what is simulated here."""
        return {}

    def remove(self, remote_id: str) -> None:
        """Delete a post with all its parts; one that is gone already is as good."""
        network = self.network
        call = f"{remote_id} {network.calls['remove ' + remote_id]}"
        network.calls["remove " + remote_id] += 1
        fault = network.fate.choose(f"removal {call}", REMOVING)
        if fault:
            network.met(fault, remote_id)
        if fault is Fault.REMOVAL_REFUSED:
            raise Transient("no connection")
        if fault is not Fault.REMOVAL_LOST:
            network.remove(next(one.key for one in network.posts if one.remote_id == remote_id))
        if fault:
            raise Ambiguous("time-out")

    def billable(self, post: Post) -> Mapping[str, int]:
        """Every part costs something, for accounts that pay."""
        return {"part": 1 + len(post.thread)}

    def billed(self, post: Post, saved: Mapping[str, Json]) -> Mapping[str, int]:
        """The parts that are out."""
        ids = saved.get("ids")
        return {"part": len(ids)} if post.thread and isinstance(ids, list) and ids else {}


def _under(post: Post) -> str:
    """What a post stands under: a comment, or nothing."""
    return post.reply_to.comment if post.reply_to else ""


class LateAdapter(SimulatedAdapter):
    """Lists a new post only after a while, as it warns, and prepares a post before it is public."""

    listing_lag: ClassVar[timedelta] = LAG
    prepares: ClassVar[bool] = True


class BlindAdapter(SimulatedAdapter):
    """Cannot tell what it holds."""

    sees: ClassVar[bool] = False


class ManualAdapter(SimulatedAdapter):
    """Prepares a post for a person."""

    by_hand: ClassVar[bool] = True
    reply_limits: Limits | None = None
    sees: ClassVar[bool] = False

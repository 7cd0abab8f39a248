"""The Bluesky adapter against a real PDS (npm ``@atproto/dev-env``), if it is installed.

``tests/servers/pds/install`` brings it (node 18 or newer, a C++ compiler), as ``.ci/run`` does; without it
these tests are skipped, unless GAUNG_REQUIRE_PDS is set. The PDS has no AppView, so its figures are not
tested here.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests

pytest.register_assert_rewrite("adapters.contract_suite")

from adapters.bluesky.adapter import BlueskyAdapter  # noqa: E402
from adapters.contract import Absent, Account, Adapter, Found, Part, Post, Reach  # noqa: E402
from adapters.contract_suite import AdapterContract  # noqa: E402
from adapters.contract_tools import Call, MemoryProgress, Refusal, Remote, RemotePost, picture, relayed  # noqa: E402
from adapters.errors import AdapterError, Ambiguous, AuthExpired, Rejected  # noqa: E402

PDS = Path(__file__).parent / "servers" / "pds"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

#: Written last by the build of the one package that has to be compiled.
BUILT = PDS / "node_modules" / "better-sqlite3" / "build" / "Release" / "better_sqlite3.node"

if not os.environ.get("GAUNG_REQUIRE_PDS"):
    if shutil.which("node") is None:
        pytest.skip("node is not installed: see tests/servers/pds/install", allow_module_level=True)
    if not BUILT.is_file():
        pytest.skip("the PDS is not installed: run tests/servers/pds/install", allow_module_level=True)


class RunningPds:
    """The account on the PDS, and what the PDS holds of it, asked without credentials."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.url = f"http://localhost:{facts['port']}"
        self.handle, self.password = str(facts["handle"]), str(facts["password"])

    def adapter(self, url: str = "", password: str = "") -> BlueskyAdapter:
        account = Account("bluesky", self.handle, lambda name: password or self.password, url or self.url)
        return BlueskyAdapter(account, lambda: datetime.now(UTC))

    def records(self) -> list[dict[str, Any]]:
        query = {"repo": self.handle, "collection": "app.bsky.feed.post", "limit": "100"}
        answer = requests.get(f"{self.url}/xrpc/com.atproto.repo.listRecords", params=query, timeout=10)
        return list(reversed(answer.json()["records"]))


@pytest.fixture(scope="module")
def pds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPds]:
    environment = os.environ | {"TMPDIR": str(tmp_path_factory.mktemp("pds"))}
    with subprocess.Popen(
        ["node", str(PDS / "server.mjs")],
        cwd=PDS,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = next((line for line in process.stdout if line.startswith(b'{"port"')), b"")
            if not line:
                pytest.fail("The PDS did not start: run node server.mjs in tests/servers/pds")
            yield RunningPds(json.loads(line))
        finally:
            process.stdin.close()
            process.terminate()


@pytest.fixture(autouse=True)
def _empty(pds: RunningPds) -> Iterator[None]:
    yield
    for record in pds.records():
        pds.adapter().remove(record["uri"])


class PdsRemote:
    def __init__(self, pds: RunningPds) -> None:
        self.pds = pds

    def posts(self) -> Sequence[RemotePost]:
        return [_remote(record["uri"], record["value"]) for record in self.pds.records()]

    def engage(self, remote_id: str) -> Reach:
        raise AssertionError("a PDS alone counts nothing")


def _remote(uri: str, record: dict[str, Any]) -> RemotePost:
    text, _, link = record["text"].rpartition("\n\n")
    text, link = (text, link) if link.startswith("https:") else (record["text"], "")
    images = record.get("embed", {}).get("images", [])
    media = tuple((_sha256(one["image"]["ref"]["$link"]), one["alt"]) for one in images)
    return RemotePost(uri, text, link, media)


def _sha256(cid: str) -> str:
    """The hash in a CID: base32 without padding, after four bytes that say what it is a hash of."""
    raw = cid.removeprefix("b").upper()
    return base64.b32decode(raw + "=" * (-len(raw) % 8))[4:].hex()


class TestContract(AdapterContract):
    publishing_call: ClassVar[Call] = ("POST", r"com\.atproto\.repo\.putRecord")
    later_call: ClassVar[tuple[Call, int] | None] = (publishing_call, 1)
    refusal: ClassVar[Refusal] = (400, '{"error": "InvalidRequest", "message": "Not like this."}')
    refusal_words: ClassVar[str] = "Not like this."
    upload_call: ClassVar[Call | None] = ("POST", r"com\.atproto\.repo\.uploadBlob")

    @pytest.fixture
    def api_base(self, pds: RunningPds) -> str:
        return pds.url

    @pytest.fixture
    def make_adapter(self, pds: RunningPds) -> Callable[[str], Adapter]:
        return pds.adapter

    @pytest.fixture
    def remote(self, pds: RunningPds) -> Remote:
        return PdsRemote(pds)

    def test_figures_are_counted_or_unknown(self, adapter: Adapter, remote: Remote, full_post: Post) -> None:
        """A PDS without an AppView tells no figures: refused, not zero."""
        self._assert_no_figures(adapter, full_post)

    def test_figures_of_an_unknown_id_are_left_out(self, adapter: Adapter, full_post: Post) -> None:
        """See above."""
        self._assert_no_figures(adapter, full_post)

    def test_followers_are_told_or_unknown(self, adapter: Adapter) -> None:
        """See above."""
        with pytest.raises(AdapterError):
            adapter.followers()

    def _assert_no_figures(self, adapter: Adapter, post: Post) -> None:
        receipt = adapter.publish(post, MemoryProgress())
        with pytest.raises(AdapterError):
            adapter.reach([receipt.remote_id])  # type: ignore[union-attr]


def test_a_thread_is_accepted_found_and_taken_down(pds: RunningPds, tmp_path: Path) -> None:
    item = picture(tmp_path, 1, "Poster")
    post = Post(
        "k", "Satu #Hakordia", "https://example.go.id/a", (), "post", (Part("Dua", (item,)),), "Sumber"
    )
    progress = MemoryProgress()
    receipt = pds.adapter().publish(post, progress)
    assert pds.adapter().publish(post, MemoryProgress()).remote_id != receipt.remote_id
    for memory in (progress, MemoryProgress()):
        found = pds.adapter().find(post, memory, LONG_AGO)
        assert isinstance(found, Found)
        assert found.remote_id == receipt.remote_id
    pds.adapter().remove(receipt.remote_id)
    assert len(pds.records()) == 3
    assert pds.adapter().find(post, progress, LONG_AGO) == Absent()


def test_a_lost_answer_in_the_middle_of_a_thread_is_settled_by_its_key(pds: RunningPds) -> None:
    post, progress = Post("k", "Satu", thread=(Part("Dua"), Part("Tiga"))), MemoryProgress()
    pds.adapter().publish(Post("k", "Satu"), progress)
    with relayed(pds.url) as relay:
        relay.breaks = ("POST", r"com\.atproto\.repo\.putRecord")
        with pytest.raises(Ambiguous):
            pds.adapter(relay.url).publish(post, progress)
    cids = {record["uri"]: record["cid"] for record in pds.records()}
    assert len(cids) == 2
    pds.adapter().publish(post, progress)
    after = {record["uri"]: record["cid"] for record in pds.records()}
    assert len(after) == 3
    assert cids.items() <= after.items(), "a record that was there was written anew"


def test_the_servers_own_refusals_are_understood(pds: RunningPds) -> None:
    with pytest.raises(Rejected):
        pds.adapter().publish(Post("k", "a" * 3001), MemoryProgress())
    with pytest.raises(AuthExpired):
        pds.adapter(password="salah-salah-salah").verify()
    assert pds.records() == []

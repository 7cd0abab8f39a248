"""People, roles and approvals: nobody goes round them, not by accident and not by a trick.

Each test is one way around, walked on a real office: real files, real database, real commands.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kit.engine import HOUR, MINUTE, NOON, Engine, campaign, draw
from kit.office import ROLES, Office, person, picture
from kit.ssh import key, public

from adapters import registry
from scheduler import config as configuration
from scheduler.cli.app import COMMANDS
from scheduler.governance import roles, verification
from scheduler.governance.gate import Gate
from scheduler.origin import operating_system_user
from scheduler.states import State
from scheduler.store import approving

ME = operating_system_user()


def people(*acting: str, os_user: str = ME, **others: str) -> str:
    """The person who runs the tests has the roles ``acting``; others are known by name -> roles."""
    own = person("budi", "Budi Santoso", os_user=os_user, roles=acting)
    rest = [
        person(name, name.title(), os_user=f"user-{name}", roles=had.split()) for name, had in others.items()
    ]
    return "\n".join([own, *rest])


def later(hours: float = 5) -> datetime:
    from kit.office import WIB

    return (datetime.now(WIB).replace(tzinfo=None) + timedelta(hours=hours)).replace(microsecond=0)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path / "kantor")
    office.campaign("hakordia", {"jujur": later(), "adil": later(6)})
    office.must("apply")
    return office


# Roles.


def test_every_command_has_its_place_in_the_table_of_roles() -> None:
    groups = {name for name, (place, _text) in COMMANDS.items() if not place}
    assert set(COMMANDS) - groups - set(roles.ROLES) == set()


#: A call that would change something, or show the record, for every command that is not open.
CALLS: dict[str, list[str]] = {
    "apply": [],
    "approve": ["hakordia", "--yes"],
    "return": ["hakordia", "--message", "jujur", "--reason", "salah"],
    "run": ["--once"],
    "retry": ["0"],
    "cancel": ["--campaign", "hakordia"],
    "review --publish": ["--all", "--yes"],
    "resolve": ["0", "--absent"],
    "stop": ["--reason", "bencana"],
    "resume": ["--all", "--reason", "selesai"],
    "takedown": ["0", "--reason", "salah"],
    "reach enter": ["0", "--views", "1"],
    "archive": ["hakordia"],
    "hold": ["hakordia", "--reason", "surat"],
    "audit show": [],
    "audit export": [],
    "audit anchor": [],
    "accounts check": [],
    "accounts login": ["dinas"],
    "accounts logout": ["dinas"],
    "secrets rotate": [],
}


@pytest.mark.parametrize("command", CALLS)
def test_a_command_that_the_role_does_not_allow_changes_nothing(office: Office, command: str) -> None:
    """Given somebody with every role but those that the command needs, it ends with 2."""
    needed = roles.ROLES[command]
    assert needed
    office.configure(people=people(*(role for role in ROLES if role not in needed)))
    with office.unchanged():
        refused = office.must(*command.split(), *CALLS[command], code=2)
    assert "Budi Santoso" in refused.err or command == "approve"


@pytest.mark.parametrize("command", [command for command in CALLS if command != "run"])
def test_somebody_who_is_no_person_changes_nothing(office: Office, command: str) -> None:
    office.configure(people=people(*ROLES, os_user="orang-lain"))
    with office.unchanged():
        refused = office.must(*command.split(), *CALLS[command], code=2)
    assert ME in refused.err


def test_an_office_without_people_can_check_and_plan_and_nothing_else(tmp_path: Path) -> None:
    office = Office(tmp_path / "kantor", people="")
    office.campaign("hakordia", {"jujur": later()})
    office.must("check")
    office.must("plan")
    with office.unchanged():
        office.must("apply", code=2)


# Stages.


def test_stages_are_given_in_order_by_different_persons(tmp_path: Path) -> None:
    """Given reviewer, then approver: both must say yes, neither the drafter, no one twice."""
    office = Office(tmp_path / "kantor", people=people("drafter", os_user=ME))
    file = office.campaign("hakordia", {"jujur": later()}, approval="one-person")
    stages = 'approval = ["reviewer", "approver"]'
    file.write_text(file.read_text(encoding="utf-8").replace('approval = "one-person"', stages))
    office.must("apply")
    office.configure(people=people(*ROLES))
    assert "applied this campaign" in office.must("approve", "hakordia", "--yes", code=2).err  # own draft

    def as_person(name: str, *had: str) -> None:
        office.configure(people=person(name, name.title(), os_user=ME, roles=had))

    as_person("rina", "approver")
    assert "role reviewer" in office.must("approve", "hakordia", "--yes", code=2).err  # too early
    as_person("siti", "reviewer", "approver")
    first = office.must("approve", "hakordia", "--yes", code=3)
    assert "Further stages follow" in first.err
    assert not office.post("jujur")["approved"]
    assert "earlier stage" in office.must("approve", "hakordia", "--yes", code=2).err  # not twice
    as_person("rina", "approver")
    shown = office.must("approve", "hakordia", "--yes")
    assert "Stage 1, reviewer: approved by siti" in shown.out
    assert office.post("jujur")["approved"]


def test_nobody_approves_what_they_drafted_though_a_colleague_applied_since(tmp_path: Path) -> None:
    """Given a text of Budi's and a later apply of Siti's, Budi still cannot approve the text."""
    office = Office(tmp_path / "kantor")
    at, then = later(), later(8)
    office.campaign("hakordia", {"jujur": at}, approval="two-person")
    office.must("apply")
    office.configure(people=person("siti", "Siti", os_user=ME))
    office.campaign("hakordia", {"jujur": at, "adil": then}, approval="two-person")
    office.must("apply")
    office.configure()
    with office.unchanged():
        refused = office.must("approve", "hakordia", "--message", "jujur", "--yes", code=2)
    assert "applied this campaign" in refused.err
    assert "your own draft" in office.must("approve", "hakordia", "--yes", code=3).err
    assert (office.post("jujur")["approved"], office.post("adil")["approved"]) == (False, True)


# What an approval binds to.


def test_an_edit_after_approval_is_shown_word_by_word_and_waits(office: Office) -> None:
    office.must("approve", "hakordia", "--yes")
    file = office.folder / "campaigns" / "hakordia.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("Pesan jujur: tolak", "Pesan jujur: terima"))
    planned = office.must("plan")
    assert "~ Pesan jujur: [-tolak-]{+terima+} gratifikasi." in planned.out
    (row,) = office.must("plan", "--format", "json").json
    assert row["differences"] == [
        {
            "what": "text",
            "before": "Pesan jujur: tolak gratifikasi.",
            "after": "Pesan jujur: terima gratifikasi.",
        }
    ]
    office.must("apply")
    assert office.post("jujur")["approved"] is False
    assert office.post("adil")["approved"] is True
    assert "[-tolak-]{+terima+}" in office.must("status").out
    (status,) = office.must("status", "--format", "json").json
    assert [one["message"] for one in status["differs"]] == ["jujur"]
    assert "Differs from what was approved" in office.must("approve", "hakordia", "--yes").out
    assert office.must("status", "--format", "json").json[0]["differs"] == []


def test_a_picture_swapped_after_approval_is_named_by_its_hash(office: Office) -> None:
    """Given another picture under the same name, plan tells both hashes."""
    image = picture(office.folder / "campaigns" / "poster.png")
    media = '[[messages.media]]\nfile = "poster.png"\nalt = "Poster"\n'
    office.campaign("poster", {"gambar": later()}, extra=media)
    office.must("apply", "poster")
    shown = office.must("approve", "poster", "--yes").out
    assert "poster.png, 320×400 pixels, 1 KiB. Alt text: Poster" in shown
    picture(image, "red")
    assert office.must("plan", "poster").out.count("sha256:") == 2
    office.must("apply")
    assert office.post("gambar")["approved"] is False


def test_a_kept_picture_swapped_on_the_server_does_not_go_out(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    draw(tmp_path / "poster.png")
    engine.apply(campaign(tmp_path, {"jujur": [NOON]}, media={"jujur": ["poster.png"]}))
    (kept,) = (tmp_path / "media").rglob("*.png")
    kept.chmod(0o644)
    draw(kept, "red")
    engine.work()
    assert engine.platform.posts == []
    assert (engine.row["state"], "was changed" in engine.row["reason"]) == (State.FAILED, True)


# Sending back, withdrawing, expiring.


def test_what_is_sent_back_waits_for_its_drafter(office: Office) -> None:
    office.must("approve", "hakordia", "--yes")
    assert "must know why" in office.must("return", "hakordia", "--message", "jujur", code=2).err
    office.must("return", office.post("jujur")["id"], "--reason", "tanggalnya salah")
    assert office.post("jujur")["approved"] is False
    assert "jujur (Budi Santoso: tanggalnya salah)" in office.must("status").out
    office.must("approve", "hakordia", "--yes")  # does not offer it
    assert office.post("jujur")["approved"] is False
    file = office.folder / "campaigns" / "hakordia.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("Pesan jujur", "Naskah jujur"))
    office.must("apply")
    assert office.must("status", "--format", "json").json[0]["sent_back"] == []
    office.must("approve", "hakordia", "--yes")
    assert office.post("jujur")["approved"] is True


def test_what_is_sent_back_can_be_approved_after_all_by_its_name(office: Office) -> None:
    office.must("return", "hakordia", "--message", "jujur", "--reason", "ragu")
    office.must("approve", "hakordia", "--message", "jujur", "--yes")
    assert office.post("jujur")["approved"] is True
    assert office.must("status", "--format", "json").json[0]["sent_back"] == []


def test_an_approval_is_withdrawn_with_a_reason_and_not_renewed_unseen(office: Office) -> None:
    office.must("approve", "hakordia", "--yes")
    assert office.gaung("approve", "hakordia", "--withdraw").code == 2
    office.must("approve", "hakordia", "--withdraw", "--message", "jujur", "--reason", "tunggu pimpinan")
    assert (office.post("jujur")["approved"], office.post("adil")["approved"]) == (False, True)
    office.must("approve", "hakordia", "--all-unchanged", code=3)
    assert office.post("jujur")["approved"] is False


class Gated:
    """An engine behind the gate of a real configuration file."""

    def __init__(self, folder: Path, text: str) -> None:
        self.file = folder / "config.toml"
        self.file.write_text(text, encoding="utf-8")
        self.engine = Engine(folder)
        self.restart()

    def restart(self) -> None:
        loaded = configuration.load(self.file, registry.names())
        gate = Gate(loaded, lambda file: configuration.load(file, registry.names()))
        self.engine.first.dispatcher._gate = gate

    def write(self, text: str) -> None:
        self.file.write_text(text, encoding="utf-8")

    def approve(self, **how: Any) -> None:
        with self.engine.store.write() as session:
            digests = [one.content.digest for one in approving.waiting(session, "hakordia")]
            approving.approve(
                session,
                "hakordia",
                digests,
                approver="budi",
                os_user="budi",
                at=self.engine.clock.now(),
                expires_at=dict.fromkeys(digests, how["until"]) if "until" in how else None,
            )

    @property
    def void(self) -> list[str]:
        from scheduler.store.tables import approvals

        return [row["void_reason"] for row in self.engine.rows(approvals)]


APPROVER = person("budi", "Budi", os_user="budi", roles=["approver"])
NO_LONGER = person("budi", "Budi", os_user="budi", roles=["drafter"])


@pytest.fixture
def gated(tmp_path: Path) -> Gated:
    gated = Gated(tmp_path, APPROVER)
    gated.engine.apply(campaign(tmp_path, {"jujur": [NOON + HOUR]}), approve=False)
    return gated


def test_what_somebody_with_the_role_approved_goes_out(gated: Gated) -> None:
    gated.approve(until=NOON + 2 * HOUR)
    gated.engine.work(HOUR)
    assert gated.engine.states == {"jujur": State.SENT}


@pytest.mark.parametrize("change", ["text = 'Terima suap'", "link = 'https://x.id'", "platform = 'x'"])
def test_a_content_changed_in_the_database_by_hand_does_not_go_out(gated: Gated, change: str) -> None:
    """Given words that no longer give the digest that was approved, the approval is void; verify names it."""
    gated.approve()
    with closing(sqlite3.connect(gated.engine.folder / "gaung.db", isolation_level=None)) as connection:
        connection.execute(f"UPDATE content SET {change}")
    gated.engine.work(HOUR)
    assert (gated.engine.platform.posts, gated.void) == ([], ["content"])
    with gated.engine.store.read() as session:
        assert [flaw.kind for flaw in verification.verify(session).flaws] == ["words"]


def test_an_approval_written_into_the_database_by_hand_is_named(gated: Gated) -> None:
    with closing(sqlite3.connect(gated.engine.folder / "gaung.db", isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO approval (campaign_id, digest, approver, os_user, approved_at)"
            " SELECT campaign_id, digest, 'budi', 'budi', '2026-12-09 11:00:00.000000' FROM delivery"
        )
    with gated.engine.store.read() as session:
        assert [flaw.kind for flaw in verification.verify(session).flaws] == ["approval"]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("UPDATE approval SET void_at = NULL, void_reason = ''", "approval-row"),
        ("UPDATE approval SET expires_at = '2099-01-01 00:00:00.000000'", "approval-row"),
        ("UPDATE approval SET role = 'reviewer'", "approval-row"),
        ("UPDATE approval SET approver = 'siti'", "approval"),
        ("DELETE FROM approval", "approval-gone"),
    ],
)
def test_an_approval_changed_by_hand_is_named(gated: Gated, change: str, kind: str) -> None:
    """Given an approval that expired, verify names the row in which that was undone, or anything else was."""
    gated.approve(until=NOON + HOUR)
    gated.engine.work(HOUR)
    assert gated.void == ["expired"]
    with gated.engine.store.read() as session:
        assert verification.verify(session).flaws == []
    with closing(sqlite3.connect(gated.engine.folder / "gaung.db", isolation_level=None)) as connection:
        connection.execute(change)
    with gated.engine.store.read() as session:
        flaw = verification.verify(session).flaws[0]
    assert (flaw.kind, flaw.first) == (kind, 0 if kind == "approval-gone" else 1)


def test_an_expired_approval_does_not_go_out_and_a_clock_set_back_does_not_revive_it(gated: Gated) -> None:
    gated.approve(until=NOON + HOUR)
    gated.engine.work(HOUR)
    gated.engine.clock.forward(-2 * HOUR)
    gated.engine.work()
    gated.engine.work(2 * HOUR - MINUTE)
    gated.engine.work(MINUTE)
    assert (gated.engine.platform.posts, gated.void) == ([], ["expired"])


def test_a_clock_set_back_sends_nothing_twice_and_nothing_early(gated: Gated) -> None:
    gated.approve()
    gated.engine.work(HOUR)
    gated.engine.work(-3 * HOUR)
    gated.engine.work(3 * HOUR)
    assert [at for _account, _post, at in gated.engine.platform.posts] == [NOON + HOUR]


@pytest.mark.parametrize("text", [NO_LONGER, ""], ids=["without the role", "not a person any more"])
def test_a_role_taken_away_between_approval_and_sending_stops_the_post(gated: Gated, text: str) -> None:
    """Given a running daemon, the newest configuration counts at the claim; given back, the yes is not."""
    gated.approve()
    gated.engine.work()
    gated.write(text)
    gated.engine.work(HOUR)
    assert (gated.engine.platform.posts, gated.void) == ([], ["role"])
    gated.write(APPROVER)
    gated.engine.work(MINUTE)
    assert gated.engine.platform.posts == []
    gated.approve()
    gated.engine.work(MINUTE)
    assert gated.engine.states == {"jujur": State.SENT}


def test_a_role_taken_away_while_no_daemon_ran_counts_as_well(gated: Gated) -> None:
    gated.approve()
    gated.write(NO_LONGER)
    gated.restart()
    gated.engine.work(HOUR)
    assert (gated.engine.platform.posts, gated.void) == ([], ["role"])


def test_while_the_configuration_cannot_be_read_nothing_goes_out(gated: Gated) -> None:
    gated.approve()
    gated.write("people = [")
    gated.engine.work(HOUR)
    assert gated.engine.states == {"jujur": State.PLANNED}
    gated.write(APPROVER)
    gated.engine.work(MINUTE)
    assert gated.engine.states == {"jujur": State.SENT}


def test_all_that_is_unchanged_is_approved_again_after_its_end(tmp_path: Path) -> None:
    office = Office(tmp_path / "kantor", tail='[approval]\nvalid = "1h"\n')
    office.campaign("hakordia", {"jujur": later(), "adil": later(6)})
    office.must("apply")
    office.must("approve", "hakordia", "--yes")
    with closing(sqlite3.connect(office.state / "gaung.db", isolation_level=None)) as connection:
        connection.execute("UPDATE approval SET expires_at = '2026-01-01 00:00:00.000000'")
    file = office.folder / "campaigns" / "hakordia.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("Pesan adil", "Naskah adil"))
    office.must("apply")
    assert (office.post("jujur")["approved"], office.post("adil")["approved"]) == (False, False)
    office.must("approve", "hakordia", "--all-unchanged", code=3)
    assert (office.post("jujur")["approved"], office.post("adil")["approved"]) == (True, False)


# Signed approvals.

SIGNED = '[approval]\nsigning = "ssh"\n'


def keyed(name: str, *had: str, os_user: str = ME, of: str = "") -> str:
    return person(name, name.title(), os_user=os_user, roles=had or ROLES) + (
        f"ssh_keys = [{json.dumps(public(of or name))}]\n"
    )


@pytest.fixture
def signing(tmp_path: Path) -> Office:
    office = Office(tmp_path / "kantor", people=keyed("budi"), tail=SIGNED)
    office.campaign("hakordia", {"jujur": later()})
    office.must("apply")
    return office


def test_an_approval_is_a_signature_where_the_office_wants_that(signing: Office) -> None:
    wrong = signing.must("approve", "hakordia", "--yes", "--key", str(key("siti")), code=2)
    assert "not among the allowed ones" in wrong.err
    assert signing.post("jujur")["approved"] is False
    signing.must("approve", "hakordia", "--yes", "--key", str(key("budi")))
    assert signing.post("jujur")["approved"] is True


def sign(file: Path, name: str) -> Path:
    import subprocess

    target = file.with_name(f"{file.name}.sig")
    target.unlink(missing_ok=True)
    subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key(name)), "-n", "gaung-approval", str(file)],
        check=True,
        capture_output=True,
        timeout=20,
    )
    return target


def test_an_approver_signs_on_their_own_computer(signing: Office) -> None:
    """Given the drafter's server, who exports and brings back does not matter; whose key it is does."""
    drafter = person("ani", "Ani", os_user=ME, roles=["drafter"])
    signing.configure(people=drafter + keyed("budi", "approver", os_user="budi"), tail=SIGNED)
    file = signing.folder / "setuju"
    shown = signing.must("approve", "hakordia", "--export", file, "--for", "budi")
    assert "Pesan jujur: tolak gratifikasi." in shown.out
    assert "ssh-keygen -Y sign" in shown.err

    sign(file, "siti")
    assert "not among the allowed" in signing.must("approve", "--import", f"{file}.sig", code=2).err
    sign(file, "budi")
    text = file.read_text()
    file.write_text(text.replace("approver budi", "approver ani"))
    assert signing.gaung("approve", "--import", f"{file}.sig").code == 2
    file.write_text(text.replace("campaign hakordia", "campaign lain"))
    assert "does not fit" in signing.must("approve", "--import", f"{file}.sig", code=2).err
    assert signing.post("jujur")["approved"] is False

    file.write_text(text)
    signing.must("approve", "--import", f"{file}.sig")
    assert signing.post("jujur")["approved"] is True
    shown = signing.must("audit", "show", "--action", "approved", "--format", "json", code=2)
    signing.configure(people=keyed("budi"), tail=SIGNED)
    (event,) = signing.must("audit", "show", "--action", "approved", "--format", "json").json
    assert (event["actor"], event["os_user"]) == ("budi", ME)

    signing.must("approve", "hakordia", "--withdraw", "--reason", "tunggu")
    assert "counts once" in signing.must("approve", "--import", f"{file}.sig", code=2).err


def test_the_key_of_another_person_is_named(signing: Office) -> None:
    signing.configure(
        people=keyed("budi", "approver") + keyed("siti", "approver", os_user="siti"), tail=SIGNED
    )
    file = signing.folder / "setuju"
    signing.must("approve", "hakordia", "--export", file)
    sign(file, "siti")
    assert "by the key of siti, not of budi" in signing.must("approve", "--import", f"{file}.sig", code=2).err


FORGERIES = {
    "a row without a signature": "UPDATE approval SET statement_id = NULL",
    "an altered signature": "UPDATE signed_statement SET signature = replace(signature, 'A', 'B')",
    "an altered text": "UPDATE signed_statement SET document = replace(document, 'jujur', 'adil') || 'x'",
    "another approver": "UPDATE approval SET approver = 'siti'",
    "another content": "UPDATE signed_statement SET document = 'gaung-approval 1'",
}


@pytest.mark.parametrize("forgery", [None, *FORGERIES, "a key taken away"])
def test_a_forged_signature_does_not_go_out(tmp_path: Path, forgery: str | None) -> None:
    """Given whoever has only the server and its database, the claim verifies once more."""
    office = Office(tmp_path / "kantor", people=keyed("budi") + keyed("siti", os_user="siti"), tail=SIGNED)
    office.due_soon("hakordia", "jujur")
    office.must("approve", "hakordia", "--yes", "--key", str(key("budi")))
    if forgery in FORGERIES:
        with closing(sqlite3.connect(office.state / "gaung.db", isolation_level=None)) as connection:
            connection.execute(FORGERIES[forgery or ""])
    elif forgery:
        office.configure(people=keyed("budi", of="lain") + keyed("siti", os_user="siti"), tail=SIGNED)
    from scheduler.store.database import open_store

    store = open_store(f"sqlite:///{office.state / 'gaung.db'}")
    engine = Engine(tmp_path, store=store)
    loaded = configuration.load(office.config, registry.names())
    engine.first.dispatcher._gate = Gate(loaded, lambda file: configuration.load(file, registry.names()))
    (post,) = engine.rows()
    engine.clock.at = post["planned_at"]
    engine.work()
    assert engine.row["state"] == (State.PLANNED if forgery else State.SENT)
    assert bool(engine.platform.posts) is not bool(forgery)
    store.close()


def test_the_chain_is_whole_after_all_of_it(office: Office) -> None:
    office.must("approve", "hakordia", "--yes")
    office.must("return", "hakordia", "--message", "jujur", "--reason", "ragu")
    office.must("approve", "hakordia", "--withdraw", "--reason", "tunggu")
    (verdict,) = office.must("audit", "verify", "--format", "json").json
    assert verdict["intact"] is True

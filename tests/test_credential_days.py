"""How many days stored credentials have left: listed, and spoken of in time for a person to act."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kit.office import Office
from servers import x_platform

from scheduler.store.database import open_store
from scheduler.vault import Vault

ACCOUNTS = """
[accounts.halaman]
platform = "facebook"
handle = "dinas"
options = { page_id = "1" }

[accounts.utas]
platform = "threads"
handle = "dinas"

[accounts.x-dinas]
platform = "x"
handle = "@dinas"
options = { auth = "oauth2" }
"""
#: A little more than whole days, so that a slow machine does not make it one day less.
MARGIN = timedelta(minutes=10)
Keep = Callable[..., None]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path / "o", tail=ACCOUNTS)
    office.must("secrets", "new-key", office.folder / "gaung.key")
    office.configure(head='secret_keys = ["file:gaung.key"]', tail=ACCOUNTS)
    office.must("db", "upgrade")
    return office


@pytest.fixture
def keep(office: Office) -> Keep:
    """Store credentials of an account that last so long; None for ever."""

    def keep(account: str, lasts: timedelta | None) -> None:
        store = open_store(f"sqlite:///{office.state / 'gaung.db'}")
        now = datetime.now(UTC)
        key = (office.folder / "gaung.key").read_text(encoding="utf-8").strip()
        ends = None if lasts is None else now + lasts + MARGIN
        Vault(store, [key]).keep(account, {"access_token": "rahasia-8812"}, ends, now=now, actor="budi")
        store.close()

    return keep


def days(office: Office) -> dict[str, int | None]:
    rows = office.must("accounts", "list", "--format", "json").json
    return {row["account"]: row["days_left"] for row in rows if row["credentials_end"]}


def test_accounts_list_says_how_many_days_are_left(office: Office, keep: Keep) -> None:
    assert "login ends" not in office.must("accounts", "list").out, "nobody has logged in"
    keep("halaman", timedelta(days=45))
    keep("utas", timedelta(days=59))
    listed = office.must("accounts", "list")
    assert "45 days" in listed.out
    assert "59 days, renewed by itself" in listed.out
    assert listed.err == ""
    assert days(office) == {"halaman": 45, "utas": 59}
    rows = office.must("accounts", "list", "--format", "csv").csv
    (end,) = [row["credentials_end"] for row in rows if row["account"] == "halaman"]
    left = datetime.fromisoformat(end) - datetime.now(UTC)
    assert timedelta(days=45) < left < timedelta(days=46)


def test_credentials_without_an_end_are_called_so(office: Office, keep: Keep) -> None:
    keep("halaman", None)
    assert "no end" in office.must("accounts", "list").out
    assert days(office) == {}
    assert "Logins that end" not in office.must("status").out


def test_status_warns_two_weeks_before_a_person_must_log_in_again(office: Office, keep: Keep) -> None:
    keep("halaman", timedelta(days=14))
    assert "halaman: 14 days" in office.must("status").out
    keep("halaman", timedelta(days=13))
    status = office.must("status", code=3)
    assert "halaman: 13 days. Log in again: gaung accounts login halaman" in status.out
    assert "gaung accounts login halaman" in office.must("accounts", "list").err
    ends = office.must("status", "--format", "json", code=3).json[0]["credentials_end"]
    assert datetime.fromisoformat(ends["halaman"]) - datetime.now(UTC) < timedelta(days=14)


def test_what_the_daemon_renews_is_spoken_of_only_when_it_was_not_renewed(office: Office, keep: Keep) -> None:
    keep("utas", timedelta(days=9))  # renewed from ten days before the end on
    keep("x-dinas", timedelta(minutes=80))
    assert "Logins that end" not in office.must("status").out
    assert "1 hour, renewed by itself" in office.must("accounts", "list").out
    keep("utas", timedelta(days=4))
    status = office.must("status", code=3)
    assert "utas: 4 days. It should have been renewed by now" in status.out


@pytest.mark.parametrize(
    ("lang", "words"), [("en", "halaman: has ended."), ("id", "halaman: sudah berakhir.")]
)
def test_what_has_ended_is_called_so(office: Office, keep: Keep, lang: str, words: str) -> None:
    keep("halaman", timedelta(days=-1))
    assert words in office.must("status", code=3, lang=lang).out
    assert days(office) == {"halaman": 0}


def test_a_login_that_the_configuration_puts_out_of_use_is_not_counted(office: Office, keep: Keep) -> None:
    keep("utas", timedelta(days=1))
    office.must("status", code=3)
    head = 'secret_keys = ["file:gaung.key"]'
    named = ACCOUNTS.replace(
        'platform = "threads"', 'platform = "threads"\nsecrets = { access_token = "env:T" }'
    )
    office.configure(head=head, tail=named)
    assert days(office) == {}
    office.must("status")


def test_no_secret_is_needed_to_know_the_days(office: Office, keep: Keep) -> None:
    """Whoever looks at the status need not be able to read the key."""
    keep("halaman", timedelta(days=45))
    (office.folder / "gaung.key").unlink()
    assert days(office) == {"halaman": 45}
    shown = office.must("status").all + office.must("accounts", "list").all
    assert "rahasia-8812" not in shown


# What permission is missing


def test_accounts_check_names_missing_permissions_and_asks_for_a_person(tmp_path: Path) -> None:
    """X tells in a header whether the keys may only read; Meta and Telegram have answers of their own."""
    with x_platform.running() as platform:
        platform.access_level = "read"
        for name, value in x_platform.KEYS.items():
            (tmp_path / name).write_text(value, encoding="utf-8")
            (tmp_path / name).chmod(0o600)
        secrets = ", ".join(f'{name} = "file:{tmp_path / name}"' for name in x_platform.KEYS)
        tail = (
            f'[accounts.x-dinas]\nplatform = "x"\nhandle = "@diskominfo"\napi_base = "{platform.url}"\n'
            f"secrets = {{ {secrets} }}\n"
            '[accounts.salah]\nplatform = "x"\noptions = { user_id = "diskominfo" }\n'  # not a number
        )
        office = Office(tmp_path / "o", accounts=(), tail=tail)
        checked = office.must("accounts", "check", "x-dinas", code=3)
        assert "write" in checked.out
        assert "1 account lacks permissions" in checked.err
        rows = office.must("accounts", "check", "--format", "json", code=1).json
        found = {row["account"]: (row["works"], row["missing"], row["code"]) for row in rows}
        assert found == {"x-dinas": (True, "write", None), "salah": (False, None, "misconfigured")}
        platform.access_level = "read-write"
        office.must("accounts", "check", "x-dinas")

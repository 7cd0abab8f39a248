"""The models of ``config.toml``, which holds references to secrets, never secrets.

Every key is explained in ``config.example.toml``, which a test compares with these models.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, model_validator
from pydantic.dataclasses import dataclass

from campaigns.checks.desk import OFFICIAL
from campaigns.definition import Duration, Id, Part, Target, Zone
from campaigns.files import Audience
from campaigns.problems import Problem, nearest
from campaigns.validation import parse, read_toml, refusal
from campaigns.windows import Rule
from scheduler.canned import KNOWN, CannedReply, Values, places
from scheduler.costs import Amount, CostSettings, Prices
from scheduler.errors import GaungError, ProblemsError
from scheduler.i18n import N_
from scheduler.location import FILE_NAME
from scheduler.secrets import REFERENCE, resolve

Role = Literal["drafter", "reviewer", "approver", "publisher", "auditor"]


def _reference(value: object) -> object:
    if not isinstance(value, str) or not REFERENCE.match(value):
        # The value is not repeated: somebody may have pasted the secret itself, quoted or not.
        raise refusal(
            "secret",
            N_("A secret must be given as env:NAME, file:PATH or systemd:NAME, never as itself."),
        )
    return value


def _only(kind: type) -> BeforeValidator:
    """What is not even of this kind is not repeated either."""
    return BeforeValidator(lambda value: value if isinstance(value, kind) else _reference(None))


SecretReference = Annotated[str, BeforeValidator(_reference)]
SecretReferences = Annotated[Mapping[str, SecretReference], _only(dict)]


def _ssh_key(value: str) -> str:
    if len(value.split()) < 2 or not value.startswith(("ssh-", "ecdsa-", "sk-")):
        raise refusal(
            "ssh-key",
            N_("This is no public SSH key. It begins like “ssh-ed25519 AAAA…” and stands in a file .pub."),
        )
    return value


SshKey = Annotated[str, AfterValidator(_ssh_key)]


_NOTHING: Mapping[str, Any] = MappingProxyType({})


def _nothing() -> Mapping[str, Any]:
    """One for all accounts."""
    return _NOTHING


class Person(Part):
    """Somebody who acts on campaigns."""

    name: str = Field(min_length=1)
    employee_number: str = Field(default="", description="NIP, as text: it has 18 digits.")
    title: str = ""
    roles: tuple[Role, ...] = ()
    os_user: str = Field(default="", description="The operating-system user by which the person is known.")
    ssh_keys: tuple[SshKey, ...] = Field(default=(), description="Public keys that sign in this name.")


# A dataclass, since thousands of models take three times the memory.
@dataclass(slots=True, kw_only=True, config=Part.model_config)
class AccountSettings:
    """One account on one platform."""

    platform: str
    agency: str = ""
    region: str = Field(default="", description="The region it speaks for; windows may name it.")
    handle: str = ""
    secrets: SecretReferences = Field(default_factory=_nothing)
    api_base: str = Field(default="", description="Another address for the platform's API.")
    options: Mapping[str, str | int | float | bool] = Field(default_factory=_nothing)
    look_after: tuple[Duration, ...] = Field(
        default=(),
        description="When an uncertain post is looked for; empty: as on its platform.",
    )
    min_gap: Duration = Field(
        default=timedelta(0), description="The least time between two posts, whatever campaigns say."
    )
    pass_unsure: bool = Field(
        default=False, description="Later posts may go out while the outcome of an earlier one is unknown."
    )
    budget: Amount | None = Field(
        default=None,
        description="The most that publishing may cost in a month, in the currency of the prices.",
    )
    read_budget: Amount | None = Field(
        default=None,
        description="The most that comments may cost in a month where each one is billed; none: not read.",
    )


class PlatformSettings(Part):
    """What holds for every account of one platform."""

    look_after: tuple[Duration, ...] = Field(
        default=(), description="When an uncertain post is looked for; empty: as the daemon's."
    )
    min_gap: Duration = Field(
        default=timedelta(0), description="The least time between two posts of an account."
    )


class DaemonSettings(Part):
    """How the daemon works."""

    workers: int = Field(default=8, ge=1, le=256, description="Posts in flight at once.")
    horizon: Duration = Field(default=timedelta(days=90), description="How far ahead posts are planned.")
    lease: Duration = Field(
        default=timedelta(minutes=2), description="An attempt unheard of for so long counts as lost."
    )
    attempts: int = Field(default=6, ge=1, le=100, description="Tries before a post counts as failed.")
    retry_after: Duration = Field(default=timedelta(seconds=30), description="Pause after the first failure.")
    retry_at_most: Duration = Field(default=timedelta(minutes=30), description="Longest pause between tries.")
    look_after: tuple[Duration, ...] = Field(
        min_length=1,
        default=(
            timedelta(seconds=5),
            timedelta(seconds=30),
            timedelta(minutes=2),
            timedelta(minutes=10),
        ),
        description="When an uncertain post is looked for on the platform; then a person is asked.",
    )


class ReachSettings(Part):
    """When the figures of a post are taken."""

    ages: tuple[Duration, ...] = Field(
        default=(
            timedelta(hours=1),
            timedelta(hours=6),
            timedelta(days=1),
            timedelta(days=3),
            timedelta(days=7),
            timedelta(days=30),
            timedelta(days=90),
        ),
        description="Ages of a post at which a snapshot of its figures is taken.",
    )


class InboxSettings(Part):
    """When comments under posts are asked for, how they are answered, and how long they are kept."""

    ages: tuple[Duration, ...] = Field(
        default=(
            timedelta(minutes=15),
            timedelta(hours=1),
            timedelta(hours=3),
            timedelta(hours=8),
            timedelta(days=1),
            timedelta(days=2),
            timedelta(days=4),
            timedelta(days=7),
            timedelta(days=14),
        ),
        description="Ages of a post at which its comments are asked for; [] for never.",
    )
    reply_within: Duration = Field(
        default=timedelta(days=3),
        description="An answer that has not gone out for so long since it was drafted waits for a person.",
    )
    keep: Duration = Field(
        default=timedelta(),
        description="When names and texts are taken out of comments, from when they came; 0s: never.",
    )
    values: Values = Field(
        default_factory=dict, description="What stands for the places of canned replies: {channel}."
    )
    agencies: Mapping[str, Values] = Field(
        default_factory=dict, description="The same for the accounts of one agency; these win."
    )


class Signature(Part):
    """Who signs a report."""

    heading: str = Field(default="Mengetahui,", description="What stands above the signature.")
    position: str = Field(description="Position, such as Kepala Dinas.")
    name: str = Field(default="", description="Name; empty leaves a line for it.")
    employee_number: str = Field(default="", description="NIP, as text: it has 18 digits.")
    place: str = Field(default="", description="Place that stands before the date.")


class ReportSettings(Part):
    """What reports say of the office, and what they hold its figures against."""

    office: str = Field(default="", description="Name of the office, as it stands on the cover.")
    layout: Path | None = Field(default=None, description="Layout of evidence bundles; empty: ours.")
    signatures: tuple[Signature, ...] = Field(default=(), max_length=3, description="Left to right.")
    targets: Mapping[str, Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict,
        description="Posts a month that an agency is to publish; * for every agency that is not named.",
    )


class MediaSettings(Part):
    """Where platforms that fetch pictures by address find them (Instagram, Threads)."""

    store: str = Field(default="", description="A folder behind the agency's web server, or any fsspec URL.")
    base_url: str = Field(default="", description="The public address of that place.")
    options: Mapping[str, str | int | float | bool] = Field(
        default_factory=dict, description="Passed to fsspec as they are."
    )


class WindowSettings(Part):
    """When posts wait, move or are warned of."""

    dates: str = Field(default="", description="File of the office's own signed-off dates; empty: none.")
    rules: tuple[Rule, ...] = ()


class CheckSettings(Part):
    """What is objected to before anyone approves, and how much it weighs."""

    off: tuple[str, ...] = Field(default=(), description="Codes of checks that are switched off.")
    errors: tuple[str, ...] = Field(default=(), description="Codes that refuse, though they only warn.")
    warnings: tuple[str, ...] = Field(default=(), description="Codes that only warn, though they refuse.")
    domains: tuple[str, ...] = Field(default=OFFICIAL, description="Where links may lead.")
    contacts: tuple[str, ...] = Field(
        default=("198",), description="Phone numbers and e-mail addresses that posts may give."
    )
    repeat_within: Duration = Field(
        default=timedelta(days=7), description="The same text on one account sooner than this is told."
    )
    forbidden_words: str = Field(default="", description="File with one word or phrase a line; empty: none.")


class ApprovalSettings(Part):
    """How long an approval holds, and whether it must be signed."""

    valid: Duration = Field(
        default=timedelta(days=90), description="How long an approval holds; 0s for ever."
    )
    signing: Literal["none", "ssh"] = Field(
        default="none", description="ssh: an approval is a signature by the approver's SSH key."
    )
    allowed_signers: str = Field(
        default="", description="A further file of keys in OpenSSH's form; principals are ids of people."
    )


class StopSettings(Part):
    """What follows from a stop."""

    fresh_approval: bool = Field(
        default=False, description="What came due during a stop needs a new approval before it goes out."
    )


class RecordSettings(Part):
    """How long records are kept. Nothing is deleted by itself: what is due is told, people decide."""

    retention: Duration = Field(
        default=timedelta(), description="From the end of a campaign; 0s: no retention is set."
    )


class AuditSettings(Part):
    """Where the head of the audit is written down, so that nobody can write the whole of it anew unseen."""

    anchor: str = Field(default="", description="A file outside the database's reach; empty: none.")
    signing_key: str = Field(default="", description="The SSH key that signs the anchors; empty: unsigned.")


class Config(Part):
    """What ``config.toml`` says."""

    zone: Zone = Field(default="WIB", description="Zone for times that belong to no campaign.")
    language: Literal["id", "en"] = "id"
    campaigns: Path = Field(default=Path("campaigns"), description="Folder of the campaign files.")
    state: Path = Field(default=Path("state"), description="Folder of the database and the approved media.")
    database: str = Field(
        default="", description="SQLAlchemy URL, or a reference to one; empty: SQLite in the state folder."
    )
    secret_keys: Annotated[tuple[SecretReference, ...], _only(list)] = Field(
        default=(), description="Keys that encrypt stored credentials; the first is used for new ones."
    )
    daemon: DaemonSettings = DaemonSettings()
    reach: ReachSettings = ReachSettings()
    inbox: InboxSettings = InboxSettings()
    media: MediaSettings = MediaSettings()
    approval: ApprovalSettings = ApprovalSettings()
    report: ReportSettings = ReportSettings()
    stop: StopSettings = StopSettings()
    records: RecordSettings = RecordSettings()
    windows: WindowSettings = WindowSettings()
    checks: CheckSettings = CheckSettings()
    audit: AuditSettings = AuditSettings()
    costs: CostSettings = CostSettings()
    platforms: Mapping[Id, PlatformSettings] = Field(default_factory=dict)
    people: Mapping[Id, Person] = Field(default_factory=dict)
    accounts: Mapping[Id, AccountSettings] = Field(default_factory=dict)
    groups: Mapping[Id, tuple[str, ...]] = Field(default_factory=dict)
    replies: Mapping[Id, CannedReply] = Field(default_factory=dict)

    _file: Path = PrivateAttr(default=Path(FILE_NAME))

    @model_validator(mode="after")
    def _groups_name_accounts(self) -> Self:
        for group, members in self.groups.items():
            if group in self.accounts:
                raise refusal(
                    "group-account", N_("{name} is both an account and a group; rename one."), name=group
                )
            for member in members:
                if member not in self.accounts:
                    raise refusal(
                        "group-member",
                        N_("The group {group} names the account {name}, which does not exist."),
                        group=group,
                        name=member,
                    )
        return self

    @model_validator(mode="after")
    def _budgets_have_prices(self) -> Self:
        priced = {one.platform for one in self.costs.prices}
        for name, account in self.accounts.items():
            limited = account.budget is not None or account.read_budget is not None
            if limited and account.platform not in priced:
                raise refusal(
                    "budget-prices",
                    N_("The account {name} has a budget, but [costs] has no prices of {platform}."),
                    name=name,
                    platform=account.platform,
                )
        return self

    @model_validator(mode="after")
    def _places_have_values(self) -> Self:
        inbox = self.inbox
        known = {*KNOWN, *inbox.values, *(name for one in inbox.agencies.values() for name in one)}
        for name, reply in self.replies.items():
            for text in (reply.text, *reply.platforms.values()):
                for place in places(text):
                    if place not in known:
                        raise refusal(
                            "canned-place",
                            N_("The reply {name} has the place {place}, of which [inbox.values] is silent."),
                            name=name,
                            place="{" + place + "}",
                        )
        return self

    @property
    def prices(self) -> Prices:
        """The prices, their days and months counted in the zone of the configuration."""
        return Prices(self.costs.prices, self.zone)

    @property
    def file(self) -> Path:
        """Where this configuration was read from."""
        return self._file

    def path(self, relative: Path) -> Path:
        """A path of the configuration, taken from the folder of its file."""
        return self._file.parent / relative.expanduser()

    def database_url(self, environment: Mapping[str, str]) -> str:
        """The SQLAlchemy URL of the database; raise SecretError if it is a reference that fails."""
        if not self.database:
            return f"sqlite:///{(self.path(self.state) / 'gaung.db').as_posix()}"
        if REFERENCE.match(self.database):
            return resolve(self.database, self._file.parent, environment)
        return self.database

    def audience(self, platforms: tuple[str, ...]) -> Audience:
        """The accounts and groups as campaign files may name them."""
        return Audience(
            {name: Target(name, one.platform, one.agency, one.region) for name, one in self.accounts.items()},
            self.groups,
            platforms,
        )


def load(path: Path, platforms: tuple[str, ...]) -> Config:
    """Given a file, return the configuration; raise a GaungError that tells every problem in it."""
    raw = read_toml(path)
    if isinstance(raw, Problem):
        if raw.code == "no-file":
            raise GaungError(
                N_("There is no configuration {file}."),
                hint=N_("Make a working folder with “gaung init FOLDER”, or name the file with --config."),
                file=path,
            )
        raise ProblemsError([raw])
    config = parse(Config, raw, path.name)
    if isinstance(config, list):
        raise ProblemsError(config)
    config._file = path.resolve()
    if problems := [*_unknown_platforms(config, platforms), *_unknown_codes(config)]:
        raise ProblemsError(problems)
    return config


def _unknown_platforms(config: Config, platforms: tuple[str, ...]) -> list[Problem]:
    named = [(name, "platform", account.platform) for name, account in config.accounts.items()]
    named += [("costs", "prices", prices.platform) for prices in config.costs.prices]
    named += [("platforms", platform, platform) for platform in config.platforms]
    named += [
        ("replies", f"{name}.platforms", platform)
        for name, reply in config.replies.items()
        for platform in reply.platforms
    ]
    return [
        Problem(
            "unknown-platform",
            N_("There is no platform {name}. Known: {known}."),
            {"name": platform, "known": ", ".join(platforms)},
            file=config.file.name,
            item=item,
            field=field,
        )
        for item, field, platform in named
        if platform not in platforms
    ]


def _unknown_codes(config: Config) -> list[Problem]:
    """A misspelt code would switch nothing off, and nobody would notice. Adapters are looked at only then."""
    from adapters import registry
    from campaigns import checking
    from campaigns.checks import CHECKS

    checks = config.checks
    named = {key: getattr(checks, key) for key in ("off", "errors", "warnings")}
    known = checking.CODES.union(check.code for check in CHECKS)
    if known.issuperset(code for codes in named.values() for code in codes):
        return []
    known |= registry.codes(*registry.names())
    return [
        Problem(
            "unknown-check",
            N_("There is no check with the code {code}."),
            {"code": code, "near": near, "known": ", ".join(sorted(known))},
            hint=N_("Did you mean {near}?") if near else N_("The codes are: {known}."),
            file=config.file.name,
            item="checks",
            field=key,
        )
        for key, codes in named.items()
        for code in codes
        if code not in known
        for near in [nearest(code, known, 3)]
    ]

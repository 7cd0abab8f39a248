"""The models of a campaign file: what may stand in it, what it means, what is refused.

A campaign is what one TOML file says; a message is one thing to say; a variant is a message as it
reads on one account, with the overrides of that platform and account applied. Nothing here opens a
file, knows the time of day, or has heard of a database.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticKnownError

from campaigns import forms, timetable
from campaigns.problems import N_, nearest
from campaigns.validation import refusal

#: How people write the three zones of Indonesia by their distance from Greenwich.
_OFFSETS = {
    f"{name}+{sign}{hours}": zone
    for name in ("GMT", "UTC")
    for sign in ("", "0")
    for hours, zone in ((7, "WIB"), (8, "WITA"), (9, "WIT"))
}


def _zone(value: str) -> str:
    try:
        timetable.zone(value)
    except timetable.NoSuchZoneError:
        near = _OFFSETS.get(value.upper().replace(" ", "")) or nearest(value, timetable.zone_names())
        raise refusal(
            "zone",
            N_("There is no time zone {zone}. Use WIB, WITA, WIT or a name like Asia/Jakarta.{near}"),
            zone=value,
            near=f" ({near}?)" if near else "",
        ) from None
    return value


# Long names first: "detik" must not be read as "d" with a rest. Five digits: sums stay in the calendar.
_DURATION = re.compile(r"(?<!\d)(\d{1,5})\s*(hari|jam|menit|detik|d|h|m|s)", re.IGNORECASE)
_UNIT = {
    **dict.fromkeys(("d", "hari"), "days"),
    **dict.fromkeys(("h", "jam"), "hours"),
    **dict.fromkeys(("m", "menit"), "minutes"),
    **dict.fromkeys(("s", "detik"), "seconds"),
}


def duration(value: object) -> timedelta:
    """Given "90m", "1h30m", "2 jam" or "1 hari", return the length of time; raise if it is none."""
    if isinstance(value, timedelta):
        return value
    text = str(value).strip()
    parts = _DURATION.findall(text)
    if not parts or _DURATION.sub("", text).strip():
        raise refusal(
            "duration",
            N_("{value} is not a length of time. Write it like 30m, 2h, 1h30m or 1d."),
            value=value,
        )
    return sum((timedelta(**{_UNIT[unit.lower()]: int(number)}) for number, unit in parts), timedelta())


def duration_text(value: timedelta) -> str:
    """Return ``value``, to the second, the way :func:`duration` reads it ("1d2h30m"; "0s" for none)."""
    seconds = value.seconds
    parts = ((value.days, "d"), (seconds // 3600, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"


def _slot(value: str) -> str:
    try:
        timetable.parse_slot(value)
    except ValueError:
        raise refusal(
            "slot",
            N_(
                "{value} is not a weekly slot. Write a day and a time, like “senin 07:30” or"
                " “setiap hari 12:00”."
            ),
            value=value,
        ) from None
    return value


def _cron(value: str) -> str:
    try:
        timetable.cron(value)
    except ValueError as error:
        raise refusal(
            "cron",
            N_("{value} is not a cron rule: {why}. Five fields are needed: minute hour day month weekday."),
            value=value,
            why=str(error),
        ) from None
    return value


def _with_time(value: object) -> object:
    # pydantic would take a bare date for midnight, and a number for seconds since 1970.
    if isinstance(value, datetime) or (isinstance(value, str) and ":" in value):
        return value
    raise PydanticKnownError("datetime_type")


def _local(value: datetime) -> datetime:
    if value.tzinfo is not None:
        raise refusal(
            "at-offset",
            N_("{at} carries an offset. Write the local time alone; the campaign's zone applies."),
            at=value.isoformat(sep=" "),
        )
    # Slots, and so the keys of deliveries, are exact to the second.
    return value.replace(microsecond=0)


#: Ways to approve that have a name: one stage in both; with two persons, not by whoever drafted it.
NAMED_APPROVALS = ("one-person", "two-person")
#: The roles that a stage can ask for.
STAGES = ("reviewer", "approver")


def _approval(value: object) -> str:
    """A name, or stages in order; kept as text, the stages with commas."""
    stages = value.split(",") if isinstance(value, str) else value
    if value in NAMED_APPROVALS:
        return str(value)
    if (
        not isinstance(stages, list | tuple)
        or not stages
        or any(stage not in STAGES for stage in stages)
        or len(set(stages)) < len(stages)
    ):
        raise refusal(
            "approval",
            N_(
                "approval is one-person, two-person, or a list of stages, each once:"
                ' ["reviewer", "approver"].'
            ),
        )
    return ",".join(stages)


Id = Annotated[str, Field(pattern=forms.ID)]
Zone = Annotated[str, AfterValidator(_zone)]
Duration = Annotated[
    timedelta,
    BeforeValidator(duration),
    PlainSerializer(duration_text, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["30m", "2h", "1d"]}),
]
WeeklySlot = Annotated[
    str, AfterValidator(_slot), Field(examples=["senin 07:30", "friday 19:30", "daily 12:00"])
]
Cron = Annotated[str, AfterValidator(_cron), Field(examples=["30 7 * * 1-5"])]
Approval = Annotated[
    str,
    BeforeValidator(_approval),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "enum": list(NAMED_APPROVALS)},
                {"type": "array", "items": {"enum": list(STAGES)}, "minItems": 1, "uniqueItems": True},
            ]
        }
    ),
]
LocalTime = Annotated[datetime, BeforeValidator(_with_time), AfterValidator(_local)]
Hashtag = Annotated[str, Field(pattern=forms.HASHTAG, examples=["#Hakordia"])]
Link = Annotated[str, Field(pattern=forms.LINK, examples=["https://jaga.id"])]


def _readable_defaults(schema: dict[str, Any], model: type[BaseModel]) -> None:
    # pydantic writes a default timedelta as PT2H, which no file may say.
    for name, about in model.__pydantic_fields__.items():  # of models and of dataclasses
        if isinstance(about.default, timedelta):
            schema["properties"][name]["default"] = duration_text(about.default)


class Part(BaseModel):
    """What every part of a campaign file has in common: unknown keys are errors, nothing changes later."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        str_strip_whitespace=True,
        serialize_by_alias=True,
        json_schema_extra=_readable_defaults,
    )


class MediaFile(Part):
    """A picture that goes with a message."""

    file: str = Field(min_length=1, description="Path of the picture, from the folder of the campaign file.")
    alt: str = Field(min_length=1, description="What the picture shows, for people who cannot see it.")


#: What a post is on its platform: in the feed, a short vertical video, or gone after 24 hours.
Kind = Literal["post", "reel", "story"]


#: What stops and windows ask for: an urgent message may pass them, a candidate's is held before elections.
MessageClass = Literal["regular", "urgent", "candidate"]


class ThreadPart(Part):
    """A further part of a message on platforms that have threads: a reply to the part before it."""

    text: str = Field(min_length=1)
    media: tuple[MediaFile, ...] = ()


class Override(Part):
    """What one platform or one account gets instead; what is not given stays as the message has it."""

    text: str | None = Field(default=None, min_length=1)
    link: Link | None = Field(default=None, description='Another link; "" for none.')
    hashtags: tuple[Hashtag, ...] | None = None
    media: tuple[MediaFile, ...] | None = None
    kind: Kind | None = None
    thread: tuple[ThreadPart, ...] | None = None
    first_comment: str | None = None
    leave_out: bool | None = Field(
        default=None,
        description="true: not published there; false: published, though the platform's says true.",
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self == Override.model_construct():
            raise refusal(
                "override-empty",
                N_(
                    "The override changes nothing. Give it text, link, media, hashtags, kind, thread,"
                    " first_comment or leave_out."
                ),
            )
        return self


class Message(Part):
    """One thing to say, and when."""

    id: Id
    topic: str = Field(default="", description="The value or subject, for reports.")
    message_class: MessageClass = Field(
        default="regular",
        alias="class",
        description="urgent: information in a disaster; candidate: about a candidate of an election.",
    )
    source: str = Field(default="", description="What its facts rest on, like “Perkom 1/2026”.")
    recheck_by: date | None = Field(default=None, description="By when its facts are to be checked again.")
    kpk_logo: bool = Field(default=False, description="A picture of it shows the KPK's logo.")
    letter: str = Field(default="", description="Number of the letter that permits what needs a permission.")
    text: str = Field(min_length=1)
    link: Link = ""
    hashtags: tuple[Hashtag, ...] | None = Field(
        default=None, description="Instead of the campaign's default hashtags; [] for none."
    )
    media: tuple[MediaFile, ...] = ()
    kind: Kind = Field(default="post", description="post, reel or story, where the platform has it.")
    thread: tuple[ThreadPart, ...] = Field(default=(), description="Further parts, where there are threads.")
    first_comment: str = Field(default="", description="A comment of the account's own under its post.")
    at: tuple[LocalTime, ...] = Field(
        default=(), description="Local dates and times, in the campaign's zone."
    )
    cron: Cron | None = Field(default=None, description="A rule as in crontab(5), in the campaign's zone.")
    overrides: Mapping[str, Override] = Field(
        default_factory=dict, description="By platform or by account id; the account's wins."
    )

    @field_validator("at")
    @classmethod
    def _no_time_twice(cls, at: tuple[datetime, ...]) -> tuple[datetime, ...]:
        for moment in at:
            if at.count(moment) > 1:
                raise refusal("twice", N_("{value} appears twice."), value=moment.isoformat(sep=" "))
        return at

    # Checks of two fields stand at the later one: a check of the whole model would be silent as long as
    # any other field is wrong, and every mistake is to be told at once.
    @field_validator("cron")
    @classmethod
    def _one_timing(cls, cron: str | None, info: ValidationInfo) -> str | None:
        if cron and info.data.get("at"):
            raise refusal("two-timings", N_("A message has either at or cron, not both."))
        return cron


class Campaign(Part):
    """What one campaign file says."""

    id: Id
    title: str = Field(min_length=1)
    owner: str = Field(min_length=1, description="The unit that answers for the campaign.")
    zone: Zone = Field(description="WIB, WITA, WIT or an IANA name.")
    start: date = Field(description="First day, local.")
    end: date = Field(description="Last day, local, included.")
    accounts: tuple[str, ...] = Field(min_length=1, description="Ids of accounts or of groups.")
    hashtags: tuple[Hashtag, ...] = Field(default=(), description="For every message that names none.")
    publish_within: Duration = Field(
        default=timedelta(hours=2), description="How late a post may still go out by itself."
    )
    if_missed: Literal["skip", "review"] = Field(
        default="review", description="What becomes of a post that is later: skipped, or put to a person."
    )
    min_gap: Duration = Field(
        default=timedelta(minutes=1),
        description="After a post of this campaign its account sends nothing for so long.",
    )
    approval: Approval = Field(
        default="two-person",
        description="two-person: whoever applied the file cannot approve it. Or a list of stages.",
    )
    slots: tuple[WeeklySlot, ...] = Field(
        default=(), description="Weekly times that messages without a time of their own fill in order."
    )
    targets: Mapping[str, Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict,
        description="Posts that each agency is to publish in the campaign; * for every other agency.",
    )
    messages: tuple[Message, ...] = Field(min_length=1)

    @field_validator("end")
    @classmethod
    def _dates_in_order(cls, end: date, info: ValidationInfo) -> date:
        start = info.data.get("start", end)
        if end < start:
            raise refusal(
                "end-before-start",
                N_("The campaign ends on {end}, before it starts on {start}."),
                start=start,
                end=end,
            )
        return end


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What a media file turned out to be: content hash, type, size in pixels (0 for a video)."""

    sha256: str
    mime: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Target:
    """An account as planning sees it."""

    id: str
    platform: str
    agency: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A media file of a variant, with the facts of its content."""

    file: str
    alt: str
    facts: MediaFacts


@dataclass(frozen=True, slots=True)
class VariantPart:
    """A further part of a thread, with the facts of its pictures."""

    text: str
    media: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """A message exactly as it is to be published on one account."""

    text: str
    link: str
    media: tuple[Picture, ...]
    kind: Kind = "post"
    thread: tuple[VariantPart, ...] = ()
    first_comment: str = ""
    message_class: MessageClass = "regular"

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every picture of the post and of its thread."""
        return (*self.media, *(picture for part in self.thread for picture in part.media))


def variant(
    campaign: Campaign, message: Message, target: Target, facts: Mapping[str, MediaFacts]
) -> Variant | None:
    """Given a message and an account, return what will be published there, or None if it is left out.

    The account's override wins over the platform's, and each field falls through by itself.
    ``facts`` holds the facts of every media file by the name that the campaign file gives it.
    """
    layers = [message.overrides[key] for key in (target.id, target.platform) if key in message.overrides]
    if next((layer.leave_out for layer in layers if layer.leave_out is not None), False):
        return None
    chosen = {
        name: next(
            (value for layer in layers if (value := getattr(layer, name)) is not None), getattr(message, name)
        )
        for name in ("text", "link", "media", "hashtags", "kind", "thread", "first_comment")
    }
    hashtags = campaign.hashtags if chosen["hashtags"] is None else chosen["hashtags"]

    def pictures(media: Sequence[MediaFile]) -> tuple[Picture, ...]:
        return tuple(Picture(item.file, item.alt, facts[item.file]) for item in media)

    return Variant(
        text="\n\n".join(part for part in (chosen["text"], " ".join(hashtags)) if part),
        link=chosen["link"],
        media=pictures(chosen["media"]),
        kind=chosen["kind"],
        thread=tuple(VariantPart(part.text, pictures(part.media)) for part in chosen["thread"]),
        first_comment=chosen["first_comment"],
        message_class=message.message_class,
    )


def media_files(campaign: Campaign) -> Sequence[tuple[Message, MediaFile]]:
    """Every media file that the campaign names, overrides included, with the message that names it."""
    found: list[tuple[Message, MediaFile]] = []
    for message in campaign.messages:
        sources: list[Message | Override] = [message, *message.overrides.values()]
        for source in sources:
            parts = (source.media or (), *(part.media for part in source.thread or ()))
            found += [(message, item) for media in parts for item in media]
    return found

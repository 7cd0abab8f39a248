"""From a campaign to planned posts, and from planned and stored posts to what applying would change.

The properties hold for whole campaigns of any shape: every kind of timing, zones that change their
clocks, overrides, several messages and accounts. A list of StoredPost stands for the store.
"""

# Wall-clock times have no zone until their campaign gives them one.
# ruff: noqa: DTZ001

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from campaigns import timetable
from campaigns.definition import (
    Campaign,
    MediaFacts,
    MediaFile,
    Message,
    Override,
    Target,
    ThreadPart,
    Variant,
    VariantPart,
    variant,
)
from campaigns.files import Loaded
from campaigns.planning import (
    Changes,
    PlannedPost,
    StoredPost,
    compare,
    content_digest,
    delivery_key,
    local_slots,
    plan,
)

steady = settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)

EVER = datetime(2100, 1, 1, tzinfo=UTC)
NEVER = datetime(2000, 1, 1, tzinfo=UTC)
FACTS = {
    "a.jpg": MediaFacts("a" * 64, "image/jpeg", 1080, 1350),
    "b.png": MediaFacts("b" * 64, "image/png", 800, 600),
}
ON_X, ON_INSTAGRAM, ALSO_X = (
    Target("kominfo-x", "x"),
    Target("kominfo-ig", "instagram"),
    Target("desa-x", "x"),
)
TARGETS = (ON_X, ON_INSTAGRAM, ALSO_X)


def campaign(*messages: Message, **changes: Any) -> Campaign:
    """Two weeks in Jakarta, from Monday to Sunday, unless ``changes`` say otherwise."""
    facts: dict[str, Any] = {
        "id": "hakordia",
        "title": "Hakordia",
        "owner": "Diskominfo",
        "zone": "WIB",
        "start": date(2026, 6, 1),
        "end": date(2026, 6, 14),
        "accounts": ("kominfo-x",),
        "messages": messages or (Message(id="jujur", text="Jujur itu hebat."),),
    }
    return Campaign(**{**facts, **changes})


def loaded(one: Campaign, *targets: Target) -> Loaded:
    return Loaded(Path("hakordia.toml"), one, targets or (ON_X,), FACTS)


def said(message: Message, target: Target, **changes: Any) -> Variant:
    """What ``target`` publishes of ``message``."""
    content = variant(campaign(message, **changes), message, target, FACTS)
    assert content is not None
    return content


def stored(post: PlannedPost, state: str = "planned") -> StoredPost:
    """The row that the store holds of a post, in a state."""
    return StoredPost(
        key=post.key,
        message_id=post.message_id,
        account_id=post.target.id,
        planned_at=post.planned_at,
        digest=post.digest,
        waiting=state == "planned",
        editable=state in {"planned", "failed", "missed", "review"},
        withdrawn=state == "withdrawn",
    )


def applied(rows: Sequence[StoredPost], changes: Changes) -> list[StoredPost]:
    """The rows of a store after ``changes`` were applied to it."""
    kept = {row.key: row for row in rows}
    for row in changes.withdrawn:
        kept[row.key] = replace(row, waiting=False, editable=False, withdrawn=True)
    for old, new in changes.changed:
        kept[old.key] = replace(old, digest=new.digest, planned_at=new.planned_at)
    for post in [*changes.returned, *changes.new]:
        kept[post.key] = stored(post)
    return list(kept.values())


def keys(posts: Sequence[PlannedPost | StoredPost]) -> set[str]:
    return {post.key for post in posts}


# Slots


def test_messages_without_a_time_fill_the_slots_in_order_and_start_again_until_the_end() -> None:
    messages = [Message(id=name, text=name) for name in ("a", "b", "c")]
    one = campaign(*messages, slots=("senin 07:30", "kamis 19:30"))
    assert [(message.id, at) for message, at in local_slots(one)] == [
        ("a", datetime(2026, 6, 1, 7, 30)),
        ("b", datetime(2026, 6, 4, 19, 30)),
        ("c", datetime(2026, 6, 8, 7, 30)),
        ("a", datetime(2026, 6, 11, 19, 30)),
    ]


def test_messages_with_a_time_of_their_own_take_no_turn() -> None:
    one = campaign(
        Message(id="a", text="a"),
        Message(id="pinned", text="p", at=(datetime(2026, 6, 2, 9),)),
        Message(id="ruled", text="r", cron="0 9 * * 3"),
        Message(id="b", text="b"),
        slots=("senin 07:30",),
    )
    assert [(message.id, at.day) for message, at in sorted(local_slots(one), key=lambda it: it[1])] == [
        ("a", 1),
        ("pinned", 2),
        ("ruled", 3),
        ("b", 8),
        ("ruled", 10),
    ]


def test_the_turns_are_counted_from_the_first_day_however_little_is_planned() -> None:
    messages = [Message(id=name, text=name) for name in ("a", "b", "c")]
    whole = plan(loaded(campaign(*messages, slots=("daily 07:30",))), EVER)
    until = whole[5].planned_at
    assert plan(loaded(campaign(*messages, slots=("daily 07:30",))), until) == whole[:5]


def test_a_campaign_without_an_end_in_sight_is_planned_no_further_than_asked() -> None:
    one = campaign(
        Message(id="a", text="a"),
        Message(id="b", text="b", cron="*/5 * * * *"),
        end=date(9999, 12, 31),
        slots=("daily 07:30",),
    )
    posts = plan(loaded(one), datetime(2026, 6, 1, 20, tzinfo=UTC))
    # From 1 June 00:00 to 2 June 03:00 in Jakarta, which is a day ahead of UTC by then.
    assert len(posts) == 27 * 12 + 1


def test_times_are_of_the_zone_of_the_campaign() -> None:
    message = Message(id="a", text="a", at=(datetime(2026, 6, 2, 7, 30),))
    for zone, hour in (("WIB", 0), ("WITA", -1), ("WIT", -2)):
        [post] = plan(loaded(campaign(message, zone=zone)), EVER)
        assert post.slot == datetime(2026, 6, 2, 7, 30)
        assert post.planned_at == datetime(2026, 6, 2, 0, 30, tzinfo=UTC) + timedelta(hours=hour)


def test_posts_of_one_moment_come_in_the_order_of_the_file_and_of_the_accounts() -> None:
    one = campaign(
        Message(id="turn", text="t"),
        Message(id="named", text="n", at=(datetime(2026, 6, 1, 7, 30),)),
        slots=("senin 07:30",),
        end=date(2026, 6, 5),
    )
    posts = plan(loaded(one, ON_X, ON_INSTAGRAM), EVER)
    assert [(post.message_id, post.target) for post in posts] == [
        ("turn", ON_X),
        ("turn", ON_INSTAGRAM),
        ("named", ON_X),
        ("named", ON_INSTAGRAM),
    ]


SPRING = {"zone": "Europe/Amsterdam", "start": date(2026, 3, 29), "end": date(2026, 3, 29)}


def test_a_message_that_a_missing_hour_pushes_onto_itself_is_one_post() -> None:
    """02:30 does not exist and moves to 03:30, where the rule fires anyway: not the same text twice."""
    posts = plan(loaded(campaign(Message(id="a", text="a", cron="30 1-4 * * *"), **SPRING)), EVER)
    assert [post.slot.hour for post in posts] == [1, 3, 4]
    assert [post.planned_at.hour for post in posts] == [0, 1, 2]


def test_different_messages_that_a_missing_hour_pushes_together_are_both_posted() -> None:
    messages = (Message(id="a", text="a"), Message(id="b", text="b"))
    posts = plan(loaded(campaign(*messages, slots=("daily 02:30", "daily 03:30"), **SPRING)), EVER)
    assert [(post.message_id, post.planned_at.hour) for post in posts] == [("a", 1), ("b", 1)]


# Identity


def test_the_key_depends_on_campaign_message_account_and_slot() -> None:
    slot = datetime(2026, 6, 1, 7, 30)
    keys = {
        delivery_key("c", "m", "a", slot),
        delivery_key("C", "m", "a", slot),
        delivery_key("c", "M", "a", slot),
        delivery_key("c", "m", "A", slot),
        delivery_key("c", "m", "a", slot + timedelta(seconds=1)),
        delivery_key("cm", "", "a", slot),
        delivery_key("c", "ma", "", slot),
    }
    assert len(keys) == 7


def test_the_key_of_a_delivery_is_the_same_in_every_version_of_gaung() -> None:
    # Another value here means that an update posts everything that was sent once more.
    assert delivery_key("hakordia", "jujur", "kominfo-x", datetime(2026, 6, 1, 7, 30)) == (
        "8469d24e3f2d45538f60d8cd849abe29"
    )


@pytest.mark.parametrize(
    "changes",
    [{"text": "Lain"}, {"link": "https://jaga.id"}, {"hashtags": ("#Jujur",)}, {"topic": "jujur"}],
    ids=lambda changes: next(iter(changes)),
)
def test_the_key_does_not_depend_on_what_is_said(changes: dict[str, Any]) -> None:
    message = Message(id="jujur", text="Jujur", at=(datetime(2026, 6, 1, 7, 30),))
    before = plan(loaded(campaign(message)), EVER)
    after = plan(loaded(campaign(message.model_copy(update=changes), title="Lain", zone="WIT")), EVER)
    assert keys(before) == keys(after)


CONTENT = said(
    Message(id="a", text="Jujur", link="https://jaga.id", media=(MediaFile(file="a.jpg", alt="Timbangan"),)),
    ON_X,
)
PICTURE = CONTENT.media[0]


@pytest.mark.parametrize(
    ("target", "content"),
    [
        (ON_X, replace(CONTENT, text="Jujur ")),
        (ON_X, replace(CONTENT, text="jujur")),
        (ON_X, replace(CONTENT, link="https://jaga.id/")),
        (ON_X, replace(CONTENT, link="")),
        (ON_X, replace(CONTENT, text="Jujurhttps://jaga.id", link="")),
        (ON_X, replace(CONTENT, media=())),
        (ON_X, replace(CONTENT, media=(PICTURE, PICTURE))),
        (ON_X, replace(CONTENT, media=(replace(PICTURE, alt="Timbangan."),))),
        (ON_X, replace(CONTENT, media=(replace(PICTURE, facts=FACTS["b.png"]),))),
        (ON_X, replace(CONTENT, kind="story")),
        (ON_X, replace(CONTENT, first_comment="Sumber: jaga.id")),
        (ON_X, replace(CONTENT, thread=(VariantPart("Kedua", ()),))),
        (ALSO_X, CONTENT),
        (Target("kominfo-x", "threads"), CONTENT),
    ],
)
def test_the_digest_changes_with_everything_that_is_published(target: Target, content: Variant) -> None:
    assert content_digest(target, content) != content_digest(ON_X, CONTENT)


def test_the_digest_changes_with_every_part_of_a_thread() -> None:
    one, two = VariantPart("Kedua", ()), VariantPart("Ketiga", (PICTURE,))
    threads = [
        (one, two),
        (two, one),
        (one,),
        (one, replace(two, text="Ketiga.")),
        (one, replace(two, media=())),
        (one, replace(two, media=(replace(PICTURE, alt="Lain"),))),
    ]
    assert len({content_digest(ON_X, replace(CONTENT, thread=thread)) for thread in threads}) == len(threads)


def test_the_digest_changes_with_nothing_else() -> None:
    renamed = replace(CONTENT, media=(replace(PICTURE, file="gambar/lain.jpg"),))
    assert content_digest(ON_X, renamed) == content_digest(ON_X, CONTENT)
    assert content_digest(replace(ON_X, agency="Diskominfo"), CONTENT) == content_digest(ON_X, CONTENT)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
pictures = st.lists(
    st.sampled_from([PICTURE, replace(PICTURE, alt="x", facts=FACTS["b.png"])]), max_size=2
).map(tuple)
variants = st.builds(
    Variant,
    text=texts,
    link=texts,
    media=pictures,
    kind=st.sampled_from(["post", "reel", "story"]),
    thread=st.lists(st.builds(VariantPart, text=texts, media=pictures), max_size=2).map(tuple),
    first_comment=texts,
)


@settings(steady, max_examples=200)
@given(variants, variants)
def test_different_contents_have_different_digests(one: Variant, other: Variant) -> None:
    assert (content_digest(ON_X, one) == content_digest(ON_X, other)) == (one == other)


# Overrides


def overridden(**overrides: Override) -> Message:
    return Message(
        id="a",
        text="Umum",
        link="https://jaga.id",
        media=(MediaFile(file="a.jpg", alt="Timbangan"),),
        overrides={name.replace("_", "-"): override for name, override in overrides.items()},
    )


def test_an_account_without_an_override_gets_the_message_as_it_is() -> None:
    message = overridden(x=Override(text="Khusus X"))
    assert said(message, ON_INSTAGRAM).text == "Umum"


def test_the_override_of_the_account_wins_over_that_of_the_platform_field_by_field() -> None:
    message = overridden(x=Override(text="Untuk X", link="https://x.id"), desa_x=Override(text="Untuk desa"))
    assert (said(message, ON_X).text, said(message, ON_X).link) == ("Untuk X", "https://x.id")
    assert (said(message, ALSO_X).text, said(message, ALSO_X).link) == ("Untuk desa", "https://x.id")
    assert said(message, ALSO_X).media == said(message, ON_INSTAGRAM).media


def test_an_empty_link_or_list_takes_the_link_or_the_list_away() -> None:
    message = overridden(x=Override(link="", media=(), hashtags=()))
    content = said(message, ON_X, hashtags=("#Hakordia",))
    assert (content.link, content.media, content.text) == ("", (), "Umum")


def test_kind_thread_and_first_comment_are_overridden_like_the_rest() -> None:
    message = Message(
        id="a",
        text="Umum",
        thread=(ThreadPart(text="Kedua", media=(MediaFile(file="b.png", alt="Lain"),)),),
        first_comment="Sumber: jaga.id",
        overrides={
            "x": Override(thread=(), first_comment=""),
            "instagram": Override(kind="story"),
            "desa-x": Override(first_comment="Dari desa"),
        },
    )
    x, instagram, desa = (said(message, target) for target in TARGETS)
    assert (x.kind, x.thread, x.first_comment) == ("post", (), "")
    assert (desa.kind, desa.thread, desa.first_comment) == ("post", (), "Dari desa")
    assert (instagram.kind, instagram.first_comment) == ("story", "Sumber: jaga.id")
    assert [(part.text, part.media[0].facts) for part in instagram.thread] == [("Kedua", FACTS["b.png"])]


def test_hashtags_come_from_the_nearest_that_names_them_and_follow_the_text() -> None:
    plain = Message(id="a", text="Umum")
    own = plain.model_copy(update={"hashtags": ("#Jujur", "#Adil")})
    assert said(plain, ON_X).text == "Umum"
    assert said(plain, ON_X, hashtags=("#Hakordia",)).text == "Umum\n\n#Hakordia"
    assert said(own, ON_X, hashtags=("#Hakordia",)).text == "Umum\n\n#Jujur #Adil"
    assert said(plain.model_copy(update={"hashtags": ()}), ON_X, hashtags=("#Hakordia",)).text == "Umum"
    special = own.model_copy(update={"overrides": {"x": Override(hashtags=("#X",))}})
    assert said(special, ON_X).text == "Umum\n\n#X"
    assert said(special, ON_INSTAGRAM).text == "Umum\n\n#Jujur #Adil"


def test_a_message_can_be_left_out_on_a_platform_or_an_account() -> None:
    def reached(message: Message) -> set[Target]:
        posts = plan(loaded(campaign(message, slots=("senin 07:30",)), *TARGETS), EVER)
        return {post.target for post in posts}

    out, back = Override(leave_out=True), Override(leave_out=False)
    assert reached(overridden(x=out)) == {ON_INSTAGRAM}
    assert reached(overridden(desa_x=out)) == {ON_X, ON_INSTAGRAM}
    assert reached(overridden(x=out, desa_x=back)) == {ALSO_X, ON_INSTAGRAM}
    # A text for one account does not bring back what its platform leaves out.
    assert reached(overridden(x=out, desa_x=Override(text="Desa"))) == {ON_INSTAGRAM}


# Whole campaigns of any shape


ZONES = [
    "WIB",
    "WITA",
    "WIT",
    "Europe/Amsterdam",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
]
#: Days on and around which some of those zones change their clocks.
STARTS = [
    date(2026, 3, 28),
    date(2026, 10, 24),
    date(2026, 3, 7),
    date(2026, 4, 3),
    date(2026, 9, 5),
    date(2026, 6, 1),
]

overrides = st.dictionaries(
    st.sampled_from(["x", "instagram", "kominfo-x", "desa-x"]),
    st.sampled_from(
        [
            Override(text="Khusus"),
            Override(link=""),
            Override(hashtags=()),
            Override(media=(MediaFile(file="b.png", alt="Lain"),)),
            Override(kind="story"),
            Override(thread=(ThreadPart(text="Khusus"),)),
            Override(leave_out=True),
            Override(leave_out=False),
        ]
    ),
    max_size=2,
)


@st.composite
def messages(draw: st.DrawFn, name: str, first: date, last: date) -> Message:
    timing: dict[str, Any] = draw(
        st.one_of(
            st.just({}),
            st.fixed_dictionaries(
                {
                    "cron": st.sampled_from(
                        ["30 2 * * *", "*/30 1-3 * * *", "0 9 * * 1-5", "15 0 1,15 * 0", "45 1 * * sat-sun"]
                    )
                }
            ),
            st.fixed_dictionaries(
                {
                    "at": st.lists(
                        st.datetimes(
                            datetime(first.year, first.month, first.day),
                            datetime(last.year, last.month, last.day, 23, 59, 59),
                        ).map(lambda moment: moment.replace(microsecond=0)),
                        min_size=1,
                        max_size=3,
                        unique=True,
                    ).map(tuple)
                }
            ),
        )
    )
    return Message(
        id=name,
        text=draw(st.sampled_from(["Jujur itu hebat.", "Tolak gratifikasi.", "Lapor!"])),
        link=draw(st.sampled_from(["", "https://jaga.id"])),
        hashtags=draw(st.sampled_from([None, (), ("#Jujur",)])),
        media=draw(st.sampled_from([(), (MediaFile(file="a.jpg", alt="Timbangan"),)])),
        thread=draw(st.sampled_from([(), (ThreadPart(text="Kedua"),)])),
        first_comment=draw(st.sampled_from(["", "Sumber: jaga.id"])),
        overrides=draw(overrides),
        **timing,
    )


@st.composite
def campaigns(draw: st.DrawFn) -> Loaded:
    start = draw(st.sampled_from(STARTS))
    end = start + timedelta(days=draw(st.integers(0, 9)))
    names = ["a", "b", "c", "d"][: draw(st.integers(1, 4))]
    slots = st.sampled_from(["daily 02:30", "daily 03:30", "minggu 01:45", "sabtu 00:15", "hari kerja 07:30"])
    one = campaign(
        *(draw(messages(name, start, end)) for name in names),
        zone=draw(st.sampled_from(ZONES)),
        start=start,
        end=end,
        hashtags=draw(st.sampled_from([(), ("#Hakordia",)])),
        publish_within=draw(st.sampled_from(["30m", "2 jam", "1d1h1s"])),
        slots=tuple(draw(st.lists(slots, min_size=1, max_size=3, unique=True))),
    )
    return loaded(one, *TARGETS[: draw(st.integers(1, 3))])


def moment_in(whole: Loaded, part: float) -> datetime:
    """A moment between a day before the campaign and a day after it."""
    start = datetime.combine(whole.campaign.start, datetime.min.time(), UTC) - timedelta(days=1)
    return start + part * timedelta(days=(whole.campaign.end - whole.campaign.start).days + 3)


def edited(whole: Loaded, name: str) -> Loaded:
    """The campaign with another text for one message, wherever it may be said."""

    def other(message: Message) -> Message:
        if message.id != name:
            return message
        special = {
            key: override.model_copy(update={"text": f"{override.text} Baru."}) if override.text else override
            for key, override in message.overrides.items()
        }
        return message.model_copy(update={"text": f"{message.text} Baru.", "overrides": special})

    changed = tuple(other(message) for message in whole.campaign.messages)
    return replace(whole, campaign=whole.campaign.model_copy(update={"messages": changed}))


def without(whole: Loaded, name: str) -> Loaded:
    """The campaign without a message that has a time of its own, so that no turn of another moves."""
    rest = tuple(message for message in whole.campaign.messages if message.id != name)
    return replace(whole, campaign=whole.campaign.model_copy(update={"messages": rest}))


moments = st.floats(0, 1)


@steady
@given(campaigns())
def test_a_plan_is_the_same_every_time_and_in_order_and_no_key_comes_twice(whole: Loaded) -> None:
    posts = plan(whole, EVER)
    assert plan(whole, EVER) == posts
    assert len(keys(posts)) == len(posts)
    assert [post.planned_at for post in posts] == sorted(post.planned_at for post in posts)
    # Nor does one account say one message twice at one moment.
    assert len({(post.message_id, post.target, post.planned_at) for post in posts}) == len(posts)


@steady
@given(campaigns())
def test_every_post_lies_in_the_local_days_of_its_campaign(whole: Loaded) -> None:
    one = whole.campaign
    for post in plan(whole, EVER):
        assert one.start <= post.slot.date() <= one.end
        local = timetable.to_local(post.planned_at, one.zone).replace(tzinfo=None)
        # Only a time in a gap is moved, by at most its hour; none of these gaps ends a day.
        assert timedelta() <= local - post.slot <= timedelta(hours=1)
        assert one.start <= local.date() <= one.end


@steady
@given(campaigns(), moments)
def test_a_plan_to_some_moment_is_the_beginning_of_the_whole_plan(whole: Loaded, part: float) -> None:
    until = moment_in(whole, part)
    assert plan(whole, until) == [post for post in plan(whole, EVER) if post.planned_at < until]


@steady
@given(campaigns(), moments)
def test_applying_twice_changes_nothing(whole: Loaded, part: float) -> None:
    now, posts = moment_in(whole, part), plan(whole, EVER)
    first = compare(posts, [], now)
    again = compare(posts, applied([], first), now)
    assert not again
    assert again.unchanged == len(first.new)
    assert again.passed == first.passed


@steady
@given(campaigns(), moments, moments)
def test_nothing_new_is_planned_for_a_time_that_is_over(whole: Loaded, part: float, later: float) -> None:
    now, posts = moment_in(whole, part), plan(whole, EVER)
    changes = compare(posts, [], now)
    assert bool(changes) == bool(changes.new)
    assert keys(changes.new) == {post.key for post in posts if post.planned_at >= now}
    assert keys(changes.passed) == {post.key for post in posts if post.planned_at < now}
    # What was planned in time stays, however late it is looked at again.
    assert not compare(posts, applied([], changes), max(now, moment_in(whole, later)))


@steady
@given(campaigns(), moments, st.data())
def test_editing_a_text_changes_exactly_the_rows_of_that_message(
    whole: Loaded, part: float, data: st.DataObject
) -> None:
    now, name = (
        moment_in(whole, part),
        data.draw(st.sampled_from([one.id for one in whole.campaign.messages])),
    )
    rows = applied([], compare(plan(whole, EVER), [], NEVER))
    posts = plan(edited(whole, name), EVER)
    changes = compare(posts, rows, now)
    assert {old.key for old, _ in changes.changed} == {row.key for row in rows if row.message_id == name}
    assert all(old.key == new.key and old.digest != new.digest for old, new in changes.changed)
    assert not changes.new
    assert not changes.withdrawn
    assert not changes.returned
    assert changes.unchanged == len(rows) - len(changes.changed)
    assert not compare(posts, applied(rows, changes), now)


@steady
@given(campaigns(), moments, moments, st.data())
def test_removing_a_message_withdraws_its_waiting_rows_and_putting_it_back_returns_them(
    whole: Loaded, part: float, later: float, data: st.DataObject
) -> None:
    timed = [one.id for one in whole.campaign.messages if one.at or one.cron]
    assume(timed)
    name, now = data.draw(st.sampled_from(timed)), moment_in(whole, part)
    posts = plan(whole, EVER)
    states = st.sampled_from(
        ["planned", "planned", "sending", "sent", "failed", "review", "unsure", "cancelled"]
    )
    rows = [stored(post, data.draw(states)) for post in posts]

    removed = compare(plan(without(whole, name), EVER), rows, now)
    expected = {row.key for row in rows if row.message_id == name and row.waiting}
    assert keys(removed.withdrawn) == expected
    assert not removed.new
    assert not removed.changed
    assert not removed.returned
    rows = applied(rows, removed)
    assert not compare(plan(without(whole, name), EVER), rows, now)

    now = max(now, moment_in(whole, later))
    back = compare(posts, rows, now)
    assert keys(back.returned) == {
        post.key for post in posts if post.key in expected and post.planned_at >= now
    }
    assert keys(back.passed) == {post.key for post in posts if post.key in expected and post.planned_at < now}
    assert not back.new
    assert not back.changed
    assert not back.withdrawn
    assert not compare(posts, applied(rows, back), now)


@steady
@given(campaigns(), moments, st.data())
def test_what_was_sent_or_may_have_been_is_never_touched(
    whole: Loaded, part: float, data: st.DataObject
) -> None:
    """Whatever became of the file: edited, shortened, moved to another zone, or emptied."""
    now, posts = moment_in(whole, part), plan(whole, EVER)
    rows = [
        stored(post, data.draw(st.sampled_from(["sending", "sent", "planned", "failed"]))) for post in posts
    ]
    name = whole.campaign.messages[0].id
    moved = replace(whole, campaign=whole.campaign.model_copy(update={"zone": "Asia/Tokyo"}))
    for other in (edited(whole, name), without(whole, name), moved, replace(whole, targets=(ON_X,))):
        changes = compare(plan(other, EVER), rows, now)
        touched = (
            keys(changes.new)
            | keys(changes.returned)
            | keys(changes.withdrawn)
            | {old.key for old, _ in changes.changed}
        )
        left = {row.key for row in rows if not row.editable}
        assert not touched & left
        assert keys(changes.withdrawn) <= {row.key for row in rows if row.waiting}


@steady
@given(campaigns())
def test_a_campaign_survives_being_stored_as_json(whole: Loaded) -> None:
    """Recurring messages are extended from the stored definition: the same keys, the same digests."""
    text = json.dumps({"campaign": whole.campaign.model_dump(mode="json"), "media": _facts(whole)})
    kept = json.loads(text)
    again = Campaign.model_validate(kept["campaign"])
    assert again == whole.campaign
    assert [message.at for message in again.messages] == [message.at for message in whole.campaign.messages]
    assert again.model_dump(mode="json") == kept["campaign"]
    media = {name: MediaFacts(**facts) for name, facts in kept["media"].items()}
    assert plan(replace(whole, campaign=again, media=media), EVER) == plan(whole, EVER)


def _facts(whole: Loaded) -> dict[str, dict[str, Any]]:
    return {name: asdict(facts) for name, facts in whole.media.items()}


# Comparing, by example


def test_a_campaign_moved_to_another_zone_moves_its_waiting_posts() -> None:
    message = Message(id="a", text="a", at=(datetime(2026, 6, 1, 7, 30), datetime(2026, 6, 2, 7, 30)))
    first, second = plan(loaded(campaign(message)), EVER)
    moved = plan(loaded(campaign(message, zone="WIT")), EVER)
    changes = compare(moved, [stored(first, "sent"), stored(second)], NEVER)
    assert [(old.key, new.planned_at - old.planned_at) for old, new in changes.changed] == [
        (second.key, timedelta(hours=-2))
    ]
    assert changes.unchanged == 1


@pytest.mark.parametrize("state", ["failed", "missed", "review"])
def test_what_failed_or_was_missed_follows_an_edit_but_is_not_withdrawn(state: str) -> None:
    before = loaded(campaign(Message(id="a", text="a", at=(datetime(2026, 6, 1, 7, 30),))))
    [post] = plan(before, EVER)
    rows = [stored(post, state)]
    after = compare(plan(edited(before, "a"), EVER), rows, EVER)
    assert [old.key for old, _ in after.changed] == [post.key]
    assert not compare([], rows, EVER)


def test_a_post_that_is_due_and_still_waits_follows_the_edits_of_its_file() -> None:
    before = loaded(campaign(Message(id="a", text="a", at=(datetime(2026, 6, 1, 7, 30),))))
    [post] = plan(before, EVER)
    late = post.planned_at + timedelta(minutes=30)
    assert compare(plan(edited(before, "a"), EVER), [stored(post)], late).changed
    assert compare([], [stored(post)], late).withdrawn == [stored(post)]


def test_a_post_exactly_now_is_new_and_one_before_now_has_passed() -> None:
    [post] = plan(loaded(campaign(Message(id="a", text="a", at=(datetime(2026, 6, 1, 7, 30),)))), EVER)
    assert compare([post], [], post.planned_at).new == [post]
    late = compare([post], [], post.planned_at + timedelta(seconds=1))
    assert (late.passed, bool(late)) == ([post], False)


def test_what_comes_back_after_its_time_has_passed() -> None:
    [post] = plan(loaded(campaign(Message(id="a", text="a", at=(datetime(2026, 6, 1, 7, 30),)))), EVER)
    rows = [stored(post, "withdrawn")]
    assert compare([post], rows, post.planned_at).returned == [post]
    late = compare([post], rows, post.planned_at + timedelta(seconds=1))
    assert (late.returned, late.passed, bool(late)) == ([], [post], False)


def test_what_a_person_cancelled_stays_cancelled() -> None:
    [post] = plan(loaded(campaign(Message(id="a", text="a", at=(datetime(2026, 6, 1, 7, 30),)))), EVER)
    changes = compare([post], [stored(post, "cancelled")], NEVER)
    assert (bool(changes), changes.unchanged) == (False, 1)

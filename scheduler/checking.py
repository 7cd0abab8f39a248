"""What is objected to before anyone approves: by the platforms, offline, and by the office's own checks.

Which checks are on, and how much each weighs, is the office's to say (``[checks]``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from adapters.contract import Adapter, Media, Part, Post
from campaigns.checks import findings
from campaigns.checks.desk import Desk, Out, Settings
from campaigns.definition import Message, Picture, Target, Variant, variant
from campaigns.files import Loaded
from campaigns.planning import plan
from campaigns.problems import Problem
from campaigns.timetable import to_local
from campaigns.windows import Windows
from scheduler.config import CheckSettings, Config
from scheduler.errors import GaungError
from scheduler.i18n import N_


@dataclass(frozen=True, slots=True)
class Measured:
    """How long a text is on its platform, and how long it may be there."""

    length: int
    limit: int


def as_post(loaded: Loaded, content: Variant, key: str = "") -> Post:
    """A variant as adapters see it, its media still in the office's folder."""

    def media(pictures: Sequence[Picture]) -> tuple[Media, ...]:
        return tuple(
            Media(
                path=loaded.path.parent / picture.file,
                sha256=picture.facts.sha256,
                mime=picture.facts.mime,
                alt=picture.alt,
                width=picture.facts.width,
                height=picture.facts.height,
            )
            for picture in pictures
        )

    return Post(
        key=key,
        text=content.text,
        link=content.link,
        media=media(content.media),
        kind=content.kind,
        thread=tuple(Part(part.text, media(part.media)) for part in content.thread),
        first_comment=content.first_comment,
    )


def platform_problems(loaded: Loaded, adapter: Callable[[str], Adapter]) -> list[Problem]:
    """Given a campaign, return what the platforms would refuse or cripple, once per message and account."""
    problems: list[Problem] = []
    for message in loaded.campaign.messages:
        for target in loaded.targets:
            content = variant(loaded.campaign, message, target, loaded.media)
            if content is None:
                continue
            problems += [
                Problem(
                    found.code,
                    found.message,
                    found.values,
                    file=loaded.path.name,
                    item=message.id,
                    field=target.id,
                    severity=found.severity,
                )
                for found in adapter(target.id).check(as_post(loaded, content))
            ]
    return problems


def measure(content: Variant, target: Target, adapter: Adapter) -> Measured:
    """The length of a variant as its platform counts it; of a thread, that of its longest part."""
    post = Post(key=target.id, text=content.text, link=content.link)
    texts = [adapter.wording(post), *(part.text for part in content.thread)]
    return Measured(max(adapter.limits.measure(text) for text in texts), adapter.limits.text)


def editorial_problems(
    loaded: Sequence[Loaded],
    config: Config,
    windows: Windows,
    gaps: Mapping[str, timedelta],
    known: Sequence[Out],
    now: datetime,
) -> list[Problem]:
    """Given every campaign, return what an editor objects to.

    ``known`` are posts of other campaigns that are out or to come; ``gaps`` the distance that the posts
    of an account keep. Looked at is what lies within the horizon. Raise GaungError if the file of words
    cannot be read.
    """
    checks = config.checks
    settings = Settings(checks.domains, checks.contacts, _words(config), checks.repeat_within, gaps)
    until = now + config.daemon.horizon
    posts = {one.campaign.id: plan(one, until, windows) for one in loaded}
    problems: list[Problem] = []
    for one in loaded:
        desk = Desk(
            one,
            posts[one.campaign.id],
            [post for other, some in posts.items() if other != one.campaign.id for post in some],
            known,
            settings,
            now,
            to_local(now, one.campaign.zone).date(),
        )
        problems += findings(desk, checks.off)
    return problems


def reply_problems(
    loaded: Loaded, post: Post, adapter: Adapter, config: Config, *, item: str, account: str, now: datetime
) -> list[Problem]:
    """What platform and editor object to in an answer to a comment; ``loaded`` is the campaign it belongs to.

    An answer has no time of its own and may say what another has said: only its words are looked at.
    """
    found = [
        Problem(one.code, one.message, one.values, item=item, field=account, severity=one.severity)
        for one in adapter.check(post)
    ]
    checks = config.checks
    message = Message(id="reply", text=post.text) if post.text.strip() else None
    if message is not None:
        campaign = loaded.campaign.model_copy(update={"messages": (message,)})
        settings = Settings(checks.domains, checks.contacts, _words(config), checks.repeat_within)
        today = to_local(now, loaded.campaign.zone).date()
        desk = Desk(replace(loaded, campaign=campaign), (), (), (), settings, now, today)
        found += [replace(one, file="", item=item, field=account) for one in findings(desk, checks.off)]
    return weighed(found, checks)


def _words(config: Config) -> tuple[str, ...]:
    name = config.checks.forbidden_words
    if not name:
        return ()
    try:
        text = config.path(Path(name)).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise GaungError(
            N_("The file of forbidden words, {file}, cannot be read: {why}"),
            hint=N_("Correct the key forbidden_words under [checks], or save the file as UTF-8 text."),
            file=name,
            why=getattr(error, "strerror", None) or error,
        ) from None
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return tuple(line for line in lines if line)


def weighed(problems: Sequence[Problem], checks: CheckSettings) -> list[Problem]:
    """The problems as the office weighs them: those that are off left out, severities as it says."""

    def severity(problem: Problem) -> Literal["error", "warning"]:
        if problem.code in checks.errors:
            return "error"
        return "warning" if problem.code in checks.warnings else problem.severity

    return [
        replace(problem, severity=severity(problem)) for problem in problems if problem.code not in checks.off
    ]

"""What the platforms would object to in a campaign: each variant, asked of its account's adapter, offline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adapters.contract import Adapter, Media, Part, Post
from campaigns.definition import Picture, Target, Variant, variant
from campaigns.files import Loaded
from campaigns.problems import Problem


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

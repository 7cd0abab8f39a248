"""The other sides: each platform as a server on loopback, and what it holds, in one shape for all.

What a test reads here is the server's own memory, past every adapter. Telegram has no alt texts, so they
are empty there; WhatsApp and the like (``manual``) have no other side: their kits are files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from servers import (
    bluesky_platform,
    instagram_platform,
    mastodon_platform,
    telegram_platform,
    threads_platform,
    x_platform,
)
from servers import graph_platform as page_platform
from servers.loopback import Answer, Loopback

from adapters import registry
from adapters.contract import Account, Adapter, Media

Call = tuple[str, str]
"""A method and the end of a path."""


@dataclass(frozen=True)
class There:
    """One post, comment or reply as its platform holds it."""

    id: str
    text: str
    media: tuple[tuple[str, str], ...] = ()
    """SHA-256 of the bytes and alt text of each picture, in order."""
    under: str = ""
    """The id of what it replies to."""
    link: str = ""
    """The link, where the platform has it apart from the text."""


@dataclass(frozen=True)
class Side:
    """A running platform and the account on it; ``state`` is the server's own object."""

    platform: str
    handle: str
    secrets: Mapping[str, str]
    loopback: Loopback
    state: Any
    read: Callable[[], list[There]]
    instead: Callable[[Call, Answer], None]
    """Let the next such call be answered like this, and not obeyed."""
    publishing: Call
    """The call that makes a post of several pictures public."""
    upload: Call
    """The call that hands over a picture."""
    comment: Callable[[str, str], str] = lambda _post, _text: ""
    """Let somebody else write under a post or a comment; give the remote id of the comment."""
    uncomment: Callable[[str], object] = lambda _comment: None
    """Let them delete it."""
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def posts(self) -> list[There]:
        """Everything that the account has there, oldest first."""
        return self.read()

    @property
    def roots(self) -> list[There]:
        """The posts that reply to nothing."""
        return [one for one in self.posts if not one.under]

    @property
    def tries(self) -> int:
        """How often the platform was asked to publish."""
        return self.calls(self.publishing)

    def calls(self, call: Call) -> int:
        """How often the server was called like this."""
        return self.loopback.count(*call)


@contextmanager
def x() -> Iterator[Side]:
    with x_platform.running() as state:

        def read() -> list[There]:
            return [
                There(
                    tweet.id,
                    tweet.text,
                    tuple(
                        (_sha256(state.uploads[id_].content), state.uploads[id_].alt) for id_ in tweet.media
                    ),
                    tweet.reply_to,
                )
                for tweet in state.own
            ]

        yield Side(
            "x",
            f"@{x_platform.NAME}",
            x_platform.KEYS,
            state.loopback,
            state,
            read,
            lambda call, answer: state.instead.append(x_platform.Instead(*call, answer)),
            ("POST", "/2/tweets"),
            ("POST", "/2/media/upload"),
            lambda post, text: state.put(text, reply_to=post, author="77").id,
            state.tweets.pop,
        )


@contextmanager
def facebook() -> Iterator[Side]:
    with page_platform.running_page() as (state, loopback):

        def read() -> list[There]:
            found = []
            for post in state.posts:
                photos = [state.photos[id_] for id_ in post.photos]
                assert all(photo.published for photo in photos)
                media = tuple((photo.sha256, photo.alt) for photo in photos)
                if post.video:
                    media += ((_sha256(state.videos[post.video].content), ""),)
                found.append(There(post.id, post.message, media, link=post.link))
                found += [
                    There(one["id"], one["message"], under=one.get("parent", {}).get("id", post.id))
                    for one in post.comments
                    if one["from"]["id"] == page_platform.PAGE
                ]
            return found

        def comment(under: str, text: str) -> str:
            (post,) = [one for one in state.posts if under in (one.id, *(c["id"] for c in one.comments))]
            return state.comment(post, text, "" if under == post.id else under)

        def uncomment(comment: str) -> None:
            for post in state.posts:
                post.comments = [one for one in post.comments if one["id"] != comment]

        yield Side(
            "facebook",
            "diskominfo",
            {"page_token": page_platform.TOKEN},
            loopback,
            state,
            read,
            lambda call, answer: state.odd.append(page_platform.Oddity(*call, answer)),
            ("POST", "/feed"),
            ("POST", "/photos"),
            comment,
            uncomment,
            {"page_id": page_platform.PAGE},
        )


@contextmanager
def instagram() -> Iterator[Side]:
    with instagram_platform.instagram() as (state, loopback):

        def read() -> list[There]:
            found = []
            for id_, one in state.media.items():
                found.append(There(id_, one.caption, one.media))
                for comments, under in ((one.comments, id_), *((v, k) for k, v in one.answers.items())):
                    found += [
                        There(c, text, under=under)
                        for c, (text, by) in comments.items()
                        if by == instagram_platform.NAME
                    ]
            return found

        def comment(post: str, text: str) -> str:
            id_ = state.new_id()
            if post in state.media:
                state.media[post].comments[id_] = (text, "warga")
            else:
                (one,) = [one for one in state.media.values() if post in one.comments]
                one.answers.setdefault(post, {})[id_] = (text, "warga")
            return id_

        def uncomment(id_: str) -> None:
            for one in state.media.values():
                one.comments.pop(id_, None)
                one.answers.pop(id_, None)

        yield Side(
            "instagram",
            instagram_platform.NAME,
            {"access_token": instagram_platform.TOKEN},
            loopback,
            state,
            read,
            lambda call, answer: state.refuse.setdefault(call[1].strip("/"), []).append(answer),
            ("POST", "/media_publish"),
            ("POST", "/media"),
            comment,
            uncomment,
            {"user_id": instagram_platform.USER},
        )


@contextmanager
def threads() -> Iterator[Side]:
    with threads_platform.threads() as (state, loopback):

        def read() -> list[There]:
            return [
                There(id_, one.text, one.media, one.reply_to, one.link)
                for id_, one in state.posts.items()
                if one.owner == threads_platform.NAME
            ]

        def comment(post: str, text: str) -> str:
            id_ = state.new_id()
            state.posts[id_] = threads_platform.Thread(text, "TEXT_POST", reply_to=post, owner="warga")
            return id_

        yield Side(
            "threads",
            threads_platform.NAME,
            {"access_token": threads_platform.TOKEN},
            loopback,
            state,
            read,
            lambda call, answer: state.refuse.setdefault(call[1].strip("/"), []).append(answer),
            ("POST", "/threads_publish"),
            ("POST", "/threads"),
            comment,
            state.posts.pop,
        )


@contextmanager
def telegram() -> Iterator[Side]:
    with telegram_platform.running() as (state, loopback):

        def read() -> list[There]:
            albums: dict[str, list[telegram_platform.Message]] = {}
            for message in state.messages:
                albums.setdefault(message.album or str(message.id), []).append(message)
            return [_post(messages) for messages in albums.values()]

        def _post(messages: Sequence[telegram_platform.Message]) -> There:
            first = messages[0]
            assert not any(one.text for one in messages[1:])
            media = tuple((sha256, "") for one in messages for sha256 in one.media)
            under = "" if first.reply_to is None else str(first.reply_to)
            return There(str(first.id), first.text, media, under, str((first.preview or {}).get("url", "")))

        handle = f"@{telegram_platform.CHANNEL['username']}"
        yield Side(
            "telegram",
            handle,
            {"bot_token": telegram_platform.TOKEN},
            loopback,
            state,
            read,
            lambda _call, answer: state.refuse.append(answer),
            ("POST", "/send(Message|Photo|MediaGroup)"),
            ("POST", "/send(Photo|MediaGroup)"),
        )


@contextmanager
def mastodon() -> Iterator[Side]:
    with mastodon_platform.running() as (state, loopback):

        def read() -> list[There]:
            return [
                There(
                    one.id,
                    one.text,
                    tuple((medium.sha256, medium.description) for medium in one.media),
                    one.parent or "",
                )
                for one in state.statuses.values()
                if one.account is mastodon_platform.OWN
            ]

        def comment(post: str, text: str) -> str:
            return state.add(text, account=mastodon_platform.STRANGER, parent=post).id

        yield Side(
            "mastodon",
            "@diskominfo",
            {"access_token": mastodon_platform.TOKEN},
            loopback,
            state,
            read,
            lambda call, answer: state.refuse.append((call[1], answer)),
            ("POST", "/v1/statuses"),
            ("POST", "/v2/media"),
            comment,
            state.delete,
        )


@contextmanager
def bluesky() -> Iterator[Side]:
    with bluesky_platform.running() as (state, loopback):

        def read() -> list[There]:
            return [_post(rkey, record) for rkey, record in sorted(state.records.items())]

        def _post(rkey: str, record: Mapping[str, Any]) -> There:
            embed = record.get("embed", {})
            media = tuple(
                (_sha256(state.blobs[image["image"]["ref"]["$link"]][0]), image["alt"])
                for image in embed.get("images", [])
            )
            under = record.get("reply", {}).get("parent", {}).get("uri", "")
            link = embed.get("external", {}).get("uri", "")
            return There(bluesky_platform.uri(rkey), record["text"], media, under, link)

        yield Side(
            "bluesky",
            bluesky_platform.HANDLE,
            {"app_password": bluesky_platform.PASSWORD},
            loopback,
            state,
            read,
            lambda call, answer: state.refuse.append((call[1], answer)),
            ("POST", "com.atproto.repo.putRecord"),
            ("POST", "com.atproto.repo.uploadBlob"),
            state.comment,
            state.others.pop,
        )


#: Platform -> its server. ``practice`` has one of its own (``adapters.practice.site``).
SIDES: Mapping[str, Callable[[], AbstractContextManager[Side]]] = {
    "x": x,
    "facebook": facebook,
    "instagram": instagram,
    "threads": threads,
    "telegram": telegram,
    "mastodon": mastodon,
    "bluesky": bluesky,
}


#: The name under which an adapter's constructor takes what waits in place of ``time.sleep``.
_WAITS = {"facebook": "wait", "instagram": "wait", "threads": "wait", "x": "sleep", "mastodon": "sleep"}


def adapter_of(
    side: Side,
    account_id: str,
    now: Callable[[], datetime],
    public_url: Callable[[Media], str],
    read_timeout: float,
) -> Adapter:
    """The real adapter of the account on ``side``; it does not wait between its questions."""
    account = Account(
        account_id, side.handle, side.secrets.__getitem__, side.loopback.url, side.options, public_url
    )
    quick: dict[str, Any] = {"read_timeout": read_timeout}
    if name := _WAITS.get(side.platform):
        quick[name] = lambda _seconds: None
    made: Adapter = registry.adapter_class(side.platform)(account, now, **quick)
    return made


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

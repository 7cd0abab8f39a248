"""Telegram channels (and groups) by the Bot API: text, photo, video, albums, reply chains.

No SDK: the Bot API is one HTTP call per method with a JSON answer, and python-telegram-bot is asyncio
over httpx, which could not be given our transport. A bot cannot read what a channel holds, so what
became of a lost call only a person can say; nor does the Bot API count views.

Facts: PLATFORMS.md (Telegram channel, Bot API 10.0), November 2026. They were read in the documentation
and in a client's source, not tried against Telegram itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import requests

from adapters import shortfall
from adapters.contract import (
    N_,
    Account,
    Adapter,
    Finding,
    Found,
    Identity,
    Limits,
    Media,
    Part,
    Post,
    Problem,
    Progress,
    Reach,
    Receipt,
    Unknown,
    counted,
)
from adapters.errors import (
    AccountHeld,
    AdapterError,
    Ambiguous,
    AuthExpired,
    RateLimited,
    Rejected,
    Transient,
)
from adapters.material import NOT_UNDERSTOOD, content, json_object, understanding
from adapters.pictures import Bounds, objections
from adapters.transport import READ_TIMEOUT, Transport, adapter_error
from adapters.videos import VideoBounds, is_video, video_facts, video_objections

HOST = "https://api.telegram.org"
TEXT, CAPTION = 4096, 1024
PHOTOS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
VIDEOS = {"video/mp4": "mp4"}
PHOTO = Bounds(types=tuple(PHOTOS), max_bytes=10_000_000)
VIDEO = VideoBounds(types=tuple(VIDEOS), max_bytes=50_000_000)
#: Width and height of a photo together, and the longer side for each pixel of the shorter one.
PHOTO_SIDES, PHOTO_RATIO = 10_000, 20
#: Messages that one call deletes.
BATCH = 100

_TOKEN = re.compile(r"\d+:[\w-]{4,}")
_NO_ANSWER = N_("Telegram gave no clear answer; nobody knows yet whether it took the post.")
_UNREADABLE = N_("A Telegram bot cannot read back what a channel holds. Look in the channel yourself.")
#: Telegram has no codes finer than 400: these words say that the bot may not write in the chat.
_NO_RIGHT = re.compile(
    r"chat not found|CHAT_ADMIN_REQUIRED|CHAT_WRITE_FORBIDDEN|not enough rights|administrator rights|"
    r"have no rights|CHANNEL_PRIVATE|member list is inaccessible|user not found",
    re.IGNORECASE,
)


def length(text: str) -> int:
    """UTF-16 units, in which Telegram measures texts; never fewer than its other count, characters."""
    return len(text.encode("utf-16-le")) // 2


class TelegramAdapter(Adapter):
    """The chat ``account.handle`` (``@name`` or number), written to by the bot of ``bot_token``.

    A remote id is the id of every message of the post, joined by commas: an album and a chain are
    several messages, and what cannot be read back must be known to be deleted. Options:
    ``link_preview`` (true) and ``silent`` (false: followers are notified).
    """

    platform: ClassVar[str] = "telegram"
    codes: ClassVar[frozenset[str]] = frozenset({"caption-too-long", "media-pixels"})
    secrets: ClassVar[tuple[str, ...]] = ("bot_token",)
    limits = Limits(text=TEXT, measure=length, media=10, alt_text=0, threads=True)
    follower_metric: ClassVar[str] = "getChatMemberCount"

    def __init__(
        self, account: Account, now: Callable[[], datetime], *, read_timeout: float = READ_TIMEOUT
    ) -> None:
        super().__init__(account, now)
        self._read_timeout = read_timeout
        self._connected: tuple[Transport, str] | None = None
        handle = account.handle.strip().removeprefix("https://t.me/")
        self.chat: str = handle if re.fullmatch(r"-?\d+", handle) else "@" + handle.removeprefix("@")

    def check(self, post: Post) -> list[Problem]:
        problems = super().check(post)
        for text, media in self._parts(post):
            if media and CAPTION < length(text) <= TEXT:
                problems.append(
                    Problem(
                        "caption-too-long",
                        N_(
                            "The text is {length} long; under pictures Telegram takes at most {limit}."
                            " Shorten it or give an override."
                        ),
                        {"length": length(text), "limit": CAPTION},
                    )
                )
            for item in media:
                problems += _check_medium(item)
        return problems

    def verify(self) -> Identity:
        me = self._ask("getMe")
        with understanding():
            bot = int(me["id"])
        chat = self._ask("getChat", chat_id=self.chat)
        member = self._ask("getChatMember", chat_id=self.chat, user_id=bot)
        with understanding():
            name, username = str(chat.get("title") or chat["id"]), chat.get("username")
            return Identity(
                remote_id=str(chat["id"]),
                name=name,
                url=f"https://t.me/{username}" if username else "",
                missing_permissions=_missing(chat["type"], member),
            )

    def publish(self, post: Post, progress: Progress) -> Receipt:
        sent = _sent(progress)
        permalink = str(progress.saved.get("permalink") or "")
        for text, media in self._wanted(post, progress)[len(sent) :]:
            try:
                messages = self._send(text, media, post.link, sent[-1][0] if sent else None)
            except Rejected as error:
                if not sent:
                    raise
                progress.save(refused=shortfall.sentence(post, len(sent), error))
                break
            sent.append([int(message["message_id"]) for message in messages])
            permalink = permalink or _permalink(messages[0])
            progress.save(messages=[[*ids] for ids in sent], permalink=permalink)
        return _receipt(sent, permalink, shortfall.remembered(progress))

    def begun(self, progress: Progress) -> Receipt | None:
        sent = _sent(progress)
        return _receipt(sent, str(progress.saved.get("permalink") or "")) if sent else None

    def find(self, post: Post, progress: Progress, since: datetime) -> Finding:  # noqa: ARG002
        """Found only if this chain noted that every part was accepted, or refused for good; nothing else
        can be looked up."""
        sent = _sent(progress)
        if len(sent) == len(self._wanted(post, progress)):
            receipt = _receipt(sent, str(progress.saved.get("permalink") or ""))
            return Found(receipt.remote_id, receipt.permalink, shortfall=shortfall.remembered(progress))
        self._ask("getMe")  # so that a dead line or token is not mistaken for a question to a person
        return Unknown(_UNREADABLE)

    def reach(self, remote_ids: Sequence[str]) -> Mapping[str, Reach]:
        """Nothing is known: the Bot API tells neither views nor reactions of a channel's messages."""
        return {id_: Reach(raw={"bot_api": "gives no figures"}) for id_ in remote_ids}

    def followers(self) -> int | None:
        """The subscribers of the channel, the only figure that the Bot API tells (getChatMemberCount)."""
        return counted(self._call("getChatMemberCount", {"chat_id": self.chat}))

    def remove(self, remote_id: str) -> None:
        """Delete every message of the post; Telegram skips those that are gone already."""
        ids = [int(one) for one in remote_id.split(",")]
        for start in range(0, len(ids), BATCH):
            self._call("deleteMessages", {"chat_id": self.chat, "message_ids": ids[start : start + BATCH]})

    def _wanted(self, post: Post, progress: Progress) -> list[tuple[str, tuple[Media, ...]]]:
        """The parts that are to be out: all of them, or those before the one that was refused for good."""
        parts = self._parts(post)
        return parts[: len(_sent(progress))] if shortfall.remembered(progress) else parts

    def _parts(self, post: Post) -> list[tuple[str, tuple[Media, ...]]]:
        parts = (Part(self.wording(post), post.media), *post.thread)
        return [(part.text, part.media) for part in parts]

    def _send(
        self, text: str, media: Sequence[Media], link: str, reply_to: int | None
    ) -> list[Mapping[str, Any]]:
        """Send one message or album and return the messages that Telegram made of it."""
        fields: dict[str, Any] = {"chat_id": self.chat}
        if self.account.options.get("silent"):
            fields["disable_notification"] = True
        if reply_to is not None:
            fields["reply_parameters"] = {"message_id": reply_to}
        files: dict[str, tuple[str, bytes, str]] = {}
        if not media:
            method = "sendMessage"
            fields |= {"text": text, "link_preview_options": self._preview(link if link in text else "")}
        elif len(media) == 1:
            name = "photo" if media[0].mime in PHOTOS else "video"
            method = f"send{name.title()}"
            fields |= {"caption": text, **_frame(media[0])}
            files[name] = _file(media[0], name)
        else:
            method = "sendMediaGroup"
            fields["media"] = [_album_item(item, n, text) for n, item in enumerate(media)]
            files = {f"file{n}": _file(item, f"file{n}") for n, item in enumerate(media)}
        result = self._call(method, fields, files, publishes=True)
        messages = result if isinstance(result, list) else [result]
        try:
            complete = len(messages) == max(len(media), 1) and all(int(m["message_id"]) for m in messages)
        except (LookupError, TypeError, ValueError):
            complete = False
        if not complete:
            raise Ambiguous(_NO_ANSWER)
        return messages

    def _preview(self, link: str) -> dict[str, Any]:
        if not self.account.options.get("link_preview", True):
            return {"is_disabled": True}
        return {"url": link} if link else {"is_disabled": False}

    def _ask(self, method: str, **fields: Any) -> dict[str, Any]:
        """Call a method that changes nothing."""
        found = self._call(method, fields)
        if not isinstance(found, dict):
            raise Transient(NOT_UNDERSTOOD)
        return found

    def _call(
        self,
        method: str,
        fields: Mapping[str, Any],
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        *,
        publishes: bool = False,
    ) -> Any:
        """Call the Bot API and return its ``result``; raise what its refusal means."""
        http, address = self._line()
        try:
            if files:
                # Multipart fields are texts; what is no text is written as JSON (Bot API, "Making requests").
                data = {name: v if isinstance(v, str) else json.dumps(v) for name, v in fields.items()}
                answer = http.post(f"{address}/{method}", data=data, files=dict(files))
            else:
                answer = http.post(f"{address}/{method}", json=dict(fields))
        except requests.RequestException as error:
            raise adapter_error(error, repeatable=not publishes) from error
        body = json_object(answer)
        if body.get("ok") is True and "result" in body:
            return body["result"]
        if (moved := _moved_to(body)) and fields.get("chat_id") == self.chat != moved:
            # The group became a supergroup with a new number: refused, so nothing was sent (Bot API,
            # ResponseParameters). Its old number is answered like this for ever.
            self.chat = moved
            return self._call(method, {**fields, "chat_id": moved}, files, publishes=publishes)
        raise self._refusal(answer, body, http, publishes)

    def _refusal(
        self, answer: requests.Response, body: Mapping[str, Any], http: Transport, publishes: bool
    ) -> AdapterError:
        code, words = body.get("error_code"), http.strip(str(body.get("description") or ""))[:300]
        unclear = Ambiguous if publishes else Transient
        if body.get("ok") is not False or not isinstance(code, int) or not words:
            return unclear(_NO_ANSWER if publishes else NOT_UNDERSTOOD, code=str(answer.status_code))
        if code == 429:
            parameters = body.get("parameters")
            wait = parameters.get("retry_after") if isinstance(parameters, dict) else None
            seconds = wait if isinstance(wait, int) and wait > 0 else 60
            return RateLimited(words, until=self.now() + timedelta(seconds=seconds), code="429")
        if code in (401, 404):  # an unknown token is "Not Found", since it is part of the path
            return AuthExpired(words, code=str(code))
        if code == 403 or (code == 400 and _NO_RIGHT.search(words)):
            return AccountHeld(words, code=str(code))
        if code in (400, 413):
            return Rejected(words, code=str(code))
        return unclear(words, code=str(code))

    def _line(self) -> tuple[Transport, str]:
        """The transport and the bot's address; made when first used, since the address is the secret."""
        if self._connected is None:
            token = self.account.secret("bot_token").strip()
            if not _TOKEN.fullmatch(token):
                raise AuthExpired(N_("This is no bot token: it has a number, a colon and a key."))
            # The key alone is secret too: a library may quote the colon before it.
            known = (token, token.partition(":")[2])
            http = Transport(self.account.api_base, secrets=known, read_timeout=self._read_timeout)
            self._connected = http, f"{HOST}/bot{token}"
        return self._connected


def _sent(progress: Progress) -> list[list[int]]:
    """The message ids of each part that this chain knows to be out."""
    saved = progress.saved.get("messages")
    parts = saved if isinstance(saved, list) else []
    return [[one for one in ids if isinstance(one, int)] for ids in parts if isinstance(ids, list)]


def _receipt(sent: Sequence[Sequence[int]], permalink: str, missing: str = "") -> Receipt:
    return Receipt(",".join(str(id_) for ids in sent for id_ in ids), permalink, missing)


def _permalink(message: Mapping[str, Any]) -> str:
    chat = message.get("chat")
    if not isinstance(chat, dict):
        return ""
    if username := chat.get("username"):
        return f"https://t.me/{username}/{message['message_id']}"
    number = str(chat.get("id", ""))
    return f"https://t.me/c/{number[4:]}/{message['message_id']}" if number.startswith("-100") else ""


def _moved_to(body: Mapping[str, Any]) -> str:
    parameters = body.get("parameters")
    moved = parameters.get("migrate_to_chat_id") if isinstance(parameters, dict) else None
    return str(moved) if isinstance(moved, int) else ""


def _missing(kind: str, member: Mapping[str, Any]) -> tuple[str, ...]:
    status = member["status"]
    if kind == "channel":
        able = status == "creator" or (status == "administrator" and member.get("can_post_messages"))
        return () if able else ("can_post_messages",)
    barred = status in ("left", "kicked") or (
        status == "restricted" and not (member.get("is_member") and member.get("can_send_messages"))
    )
    return ("can_send_messages",) if barred else ()


def _frame(item: Media) -> dict[str, Any]:
    """What Telegram is told of a video, so that it has its shape while it loads."""
    if item.mime in PHOTOS:
        return {}
    try:
        found = video_facts(item.path)
    except OSError as error:
        raise Rejected(N_("The file of a video cannot be read."), code=item.path.name) from error
    sides = {"width": found.width, "height": found.height} if found.width and found.height else {}
    seconds = {"duration": round(found.seconds)} if found.seconds else {}
    return {"supports_streaming": True, **sides, **seconds}


def _album_item(item: Media, number: int, caption: str) -> dict[str, Any]:
    kind = "photo" if item.mime in PHOTOS else "video"
    words = {"caption": caption} if number == 0 and caption else {}
    return {"type": kind, "media": f"attach://file{number}", **words, **_frame(item)}


def _file(item: Media, name: str) -> tuple[str, bytes, str]:
    """Name, bytes and type of an upload; the office's own file name stays in the office."""
    return f"{name}.{(PHOTOS | VIDEOS).get(item.mime, 'bin')}", content(item), item.mime


def _check_medium(item: Media) -> list[Problem]:
    if is_video(item):
        return video_objections(item, VIDEO)
    problems = objections(item, PHOTO)
    short, long = sorted((item.width, item.height))
    if short and (short + long > PHOTO_SIDES or long > PHOTO_RATIO * short):
        message = N_(
            "{file} has {width} × {height} pixels; Telegram takes at most {sides} for both sides"
            " together, and no side over {ratio} times the other."
        )
        values = {"file": item.path.name, "width": item.width, "height": item.height}
        values |= {"sides": PHOTO_SIDES, "ratio": PHOTO_RATIO}
        problems.append(Problem("media-pixels", message, values))
    return problems


__all__ = ["TelegramAdapter", "length"]

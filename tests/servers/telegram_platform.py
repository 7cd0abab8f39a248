"""A Bot API of our own: one bot, its channel, its messages, its refusals (Bot API 10.0).

Error texts as Telegram documents or clients record them (PLATFORMS.md, Telegram channel).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from servers.loopback import Answer, Loopback, serving
from werkzeug.wrappers import Request

TOKEN = "123456789:AAH-contoh_kunci-rahasia-bot"
CHANNEL: dict[str, Any] = {
    "id": -1001234567890,
    "type": "channel",
    "title": "Diskominfo Contoh",
    "username": "diskominfo_contoh",
}


@dataclass
class Message:
    """A message of the channel as Telegram holds it."""

    id: int
    text: str
    media: tuple[str, ...] = ()
    """SHA-256 of what was uploaded; an album is several messages."""
    album: str = ""
    reply_to: int | None = None
    preview: dict[str, Any] | None = None
    silent: bool = False


@dataclass
class Telegram:
    """The platform's state; ``refuse`` are answers to give to the next publishing calls."""

    chat: dict[str, Any] = field(default_factory=lambda: dict(CHANNEL))
    member: dict[str, Any] = field(
        default_factory=lambda: {"status": "administrator", "can_post_messages": True}
    )
    messages: list[Message] = field(default_factory=list)
    refuse: list[Answer] = field(default_factory=list)
    moved_from: str = ""
    last_id: int = 100

    def __call__(self, request: Request) -> Answer:
        _, bot, method = request.path.split("/")
        if bot != f"bot{TOKEN}":
            return refusal(401 if bot.startswith("bot") else 404, "Unauthorized")
        fields: dict[str, Any] = request.get_json() if request.is_json else dict(request.form)
        for name in ("media", "reply_parameters"):
            if isinstance(fields.get(name), str):
                fields[name] = json.loads(fields[name])
        files = {name: hashlib.sha256(file.read()).hexdigest() for name, file in request.files.items()}
        if method == "getMe":
            return ok({"id": 123456789, "is_bot": True, "first_name": "Gaung", "username": "gaung_bot"})
        if self.moved_from and fields.get("chat_id") == self.moved_from:
            moved = {"migrate_to_chat_id": self.chat["id"]}
            return refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", moved)
        if fields.get("chat_id") not in (f"@{self.chat.get('username')}", str(self.chat["id"])):
            return refusal(400, "Bad Request: chat not found")
        if method.startswith("send") and self.refuse:
            return self.refuse.pop(0)
        answer: Answer = getattr(self, f"_{method}")(fields, files)
        return answer

    def _getChat(self, fields: dict[str, Any], files: dict[str, str]) -> Answer:  # noqa: N802
        return ok(self.chat)

    def _getChatMemberCount(self, fields: dict[str, Any], files: dict[str, str]) -> Answer:  # noqa: N802
        return ok(341)

    def _getChatMember(self, fields: dict[str, Any], files: dict[str, str]) -> Answer:  # noqa: N802
        assert fields["user_id"] == 123456789
        return ok({"user": {"id": 123456789}, **self.member})

    def _sendMessage(self, fields: dict[str, Any], files: dict[str, str]) -> Answer:  # noqa: N802
        if not fields["text"].strip():
            return refusal(400, "Bad Request: message text is empty")
        if len(fields["text"]) > 4096:
            return refusal(400, "Bad Request: message is too long")
        return self._add(fields, [fields["text"]], [()])

    def _sendPhoto(self, fields: dict[str, Any], files: dict[str, str]) -> Answer:  # noqa: N802
        if len(fields["caption"]) > 1024:
            return refusal(400, "Bad Request: message caption is too long")
        return self._add(fields, [fields["caption"]], [(files["photo"],)])

    def _sendVideo(self, fields: dict[str, Any], files: dict[str, str]) -> Answer:  # noqa: N802
        assert fields["supports_streaming"] == "true"
        return self._add(fields, [fields["caption"]], [(files["video"],)])

    def _sendMediaGroup(self, fields: dict[str, Any], files: dict[str, str]) -> Answer:  # noqa: N802
        items = fields["media"]
        if not 2 <= len(items) <= 10:
            return refusal(400, "Bad Request: wrong number of media")
        captions = [item.get("caption", "") for item in items]
        media: list[tuple[str, ...]] = [(files[item["media"].removeprefix("attach://")],) for item in items]
        return self._add(fields, captions, media, album=f"album{self.last_id}")

    def _deleteMessages(self, fields: dict[str, Any], files: dict[str, str]) -> Answer:  # noqa: N802
        assert 1 <= len(fields["message_ids"]) <= 100
        self.messages = [m for m in self.messages if m.id not in fields["message_ids"]]
        return ok(True)

    def _add(
        self, fields: dict[str, Any], texts: list[str], media: list[tuple[str, ...]], album: str = ""
    ) -> Answer:
        reply_to = (fields.get("reply_parameters") or {}).get("message_id")
        if reply_to is not None and reply_to not in [m.id for m in self.messages]:
            return refusal(400, "Bad Request: message to be replied not found")
        made: list[dict[str, Any]] = []
        for text, hashes in zip(texts, media, strict=True):
            self.last_id += 1
            preview, silent = fields.get("link_preview_options"), bool(fields.get("disable_notification"))
            self.messages.append(Message(self.last_id, text, hashes, album, reply_to, preview, silent))
            made.append({"message_id": self.last_id, "date": 1, "chat": self.chat})
        return ok(made if album else made[0])


def ok(result: object) -> Answer:
    return Answer(200, {"ok": True, "result": result})


def refusal(code: int, description: str, parameters: dict[str, Any] | None = None) -> Answer:
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
    return Answer(code, body | ({"parameters": parameters} if parameters else {}))


@contextmanager
def running() -> Iterator[tuple[Telegram, Loopback]]:
    telegram = Telegram()
    with serving(telegram) as loopback:
        yield telegram, loopback


__all__ = ["CHANNEL", "TOKEN", "Message", "Telegram", "ok", "refusal", "running"]

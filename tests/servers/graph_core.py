"""What every Graph call goes through, on a server of our own: token, version, fields, batches, refusals.

Answers and error shapes as Meta documents them (PLATFORMS.md, "Meta common"). Knows no Page and no other
platform of Meta: those subclass :class:`Graph`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from servers.loopback import Answer
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

TOKEN = "EAABcontohTokenHalaman|rahasia+123"
APP_TOKEN = "4455|rahasia-aplikasi"
VERSION = "v26.0"


def refusal(status: int, code: int, subcode: int | None = None, message: str = "", **more: object) -> Answer:
    """A Graph error as Meta shapes it."""
    words = message or f"(#{code}) The request was refused for a reason of its own."
    error: dict[str, object] = {"message": words, "type": "OAuthException", "code": code, **more}
    if subcode is not None:
        error["error_subcode"] = subcode
    return Answer(status, {"error": {**error, "fbtrace_id": "Atrace"}})


MISSING = (
    "Unsupported get request. Object with ID '%s' does not exist, cannot be loaded due to missing permissions"
)


def missing(node: str) -> Answer:
    """What Graph says of an object that is not there, or not for this token."""
    return refusal(400, 100, 33, MISSING % node)


def names(fields: str) -> list[str]:
    """The names at the top level of a ``fields`` parameter: ``a,b.limit(1){c,d}`` -> a, b."""
    flat, before = fields, ""
    while flat != before:
        before, flat = flat, re.sub(r"\{[^{}]*\}|\([^()]*\)", "", flat)
    return [one.split(".")[0] for one in flat.split(",") if one]


def taken(whole: Mapping[str, Any], request: Request, known: set[str]) -> Answer:
    """The asked fields of a node; a field that the node does not have fails the call."""
    asked = names(request.values.get("fields", "id"))
    for name in asked:
        if name not in known | {"id"}:
            return refusal(400, 100, None, f"(#100) Tried accessing nonexisting field ({name})")
    return Answer(200, {name: whole[name] for name in ("id", *asked) if name in whole})


@dataclass
class Oddity:
    """The next call to ``method`` and such a path gets ``answer``; ``accepted``: it counts all the same."""

    method: str
    path: str
    answer: Answer
    accepted: bool = False


@dataclass
class Graph:
    """What every call goes through: token, version, oddities, batches."""

    token: str = TOKEN
    odd: list[Oddity] = field(default_factory=list)
    usage: dict[str, str] = field(default_factory=dict)
    """Headers of every answer."""
    last_id: int = 122000000000000

    def __call__(self, request: Request) -> Answer:
        answer = self.answer(request)
        return Answer(answer.status, answer.body, {**self.usage, **answer.headers})

    def answer(self, request: Request) -> Answer:
        """Answer one call, which may be one of a batch."""
        for odd in self.odd:
            if request.method == odd.method and re.search(f"(?:{odd.path})$", request.path):
                self.odd.remove(odd)
                if odd.accepted:
                    self._admitted(request)
                return odd.answer
        return self._admitted(request)

    def _admitted(self, request: Request) -> Answer:
        given = (
            request.values.get("access_token") or request.headers.get("Authorization", "").partition(" ")[2]
        )
        if given not in (self.token, APP_TOKEN):
            return refusal(401, 190, 463, "Error validating access token: Session has expired on Friday.")
        parts = [part for part in request.path.split("/") if part]
        if parts[:1] == [VERSION]:
            if "batch" in request.values:
                return self._batch(json.loads(request.values["batch"]), given)
            return self.node(request, parts[1:])
        return self.other(request, parts)

    def _batch(self, calls: list[dict[str, str]], token: str) -> Answer:
        if len(calls) > 50:
            return refusal(400, 100, None, "(#100) Too many requests in batch message.")
        answers: list[object] = []
        for call in calls:
            url = urlsplit(f"/{VERSION}/{call['relative_url']}")
            query = f"{url.query}&access_token={quote(token)}"
            builder = EnvironBuilder(url.path, method=call["method"], query_string=query)
            answer = self.answer(Request(builder.get_environ()))
            builder.close()
            answers.append({"code": answer.status, "body": json.dumps(answer.body)})
        return Answer(200, answers)

    def node(self, request: Request, parts: list[str]) -> Answer:
        """Answer a versioned call: node, or node and edge."""
        raise NotImplementedError

    def other(self, request: Request, parts: list[str]) -> Answer:
        """Answer a call to another host of Meta, or without a version."""
        return refusal(404, 2500, None, "Unknown path components")

    def new_id(self) -> str:
        self.last_id += 7
        return str(self.last_id)

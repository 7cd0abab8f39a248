"""The record of one published post: files by name, with everything that was written down of it.

``record.json`` is for programs and stays English; the text, the media, what was signed and the rows of
the audit lie beside it as files of their own. The same store gives the same bytes. Archives and
evidence bundles are both made of this.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from campaigns.timetable import to_local
from scheduler.config import Person
from scheduler.reports import extracts
from scheduler.store.media import MediaFolder
from scheduler.store.recording import Traces
from scheduler.store.reporting import FIGURES
from scheduler.store.tables import Approval, Content, Delivery

FORMAT = "gaung-record 1"


@dataclass(frozen=True, slots=True)
class Record:
    """One post's files: name -> content. ``missing`` names media that are not there as they were approved."""

    name: str
    files: Mapping[str, bytes]
    missing: Sequence[str]


def record(traces: Traces, media: MediaFolder, people: Mapping[str, Person]) -> Record:
    """Given what is recorded of a post, return its record; ``people`` gives names to ids."""
    post, content = traces.details.delivery, traces.details.content
    files: dict[str, bytes] = {"text.txt": _words(content).encode()}
    missing = []
    named = _media_names(content)
    for place, item in named.items():
        if media.intact(item["sha256"], item["name"]):
            files[place] = media.path(item["sha256"], item["name"]).read_bytes()
        else:
            missing.append(place)
    for statement in traces.statements:
        files[f"approval-{statement.id}.txt"] = statement.document.encode()
        files[f"approval-{statement.id}.txt.sig"] = statement.signature.encode()
    files["audit.jsonl"] = extracts.as_json_lines(traces.events).encode()
    facts = {
        "format": FORMAT,
        "post": _post(post),
        "content": _content(content, named),
        "approvals": [_approval(one, people) for one in traces.approvals],
        "platform_response": _response(traces),
        "snapshots": _snapshots(traces),
        "missing_media": missing,
    }
    files["record.json"] = as_json(facts)
    day = to_local(post.published_at or post.planned_at, post.zone).strftime("%Y-%m-%d")
    return Record(f"{day}-{post.message_id}-{post.account_id}-{post.key[:8]}", files, missing)


def as_json(facts: Any) -> bytes:
    """JSON as records have it: sorted, readable, in UTF-8, ending with a line end."""
    return (json.dumps(facts, ensure_ascii=False, sort_keys=True, indent=2) + "\n").encode()


def instant(at: datetime | None) -> str | None:
    """An instant in UTC, ISO 8601."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


def _words(content: Content) -> str:
    """Everything that is read of a post, in order."""
    parts = [content.text, content.link, *(part["text"] for part in content.thread), content.first_comment]
    return "\n\n".join(part for part in parts if part) + "\n"


def _media_names(content: Content) -> dict[str, Mapping[str, Any]]:
    """Where each medium lies in the record: numbered, since two may have one name."""
    items = (*content.media, *(item for part in content.thread for item in part["media"]))
    return {
        f"media/{number:02d}-{PurePosixPath(item['name'].replace(chr(92), '/')).name}": item
        for number, item in enumerate(items, 1)
    }


def _post(post: Delivery) -> dict[str, Any]:
    return {
        "key": post.key,
        "campaign": post.campaign_id,
        "message": post.message_id,
        "topic": post.topic,
        "account": post.account_id,
        "platform": post.platform,
        "agency": post.agency,
        "slot": post.slot,
        "zone": post.zone,
        "planned_at": instant(post.planned_at),
        "published_at": instant(post.published_at),
        "state": post.state,
        "code": post.code,
        "reason": post.reason,
        "permalink": post.permalink,
    }


def _content(content: Content, named: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "digest": content.digest,
        "text": content.text,
        "link": content.link,
        "kind": content.kind,
        "thread": content.thread,
        "first_comment": content.first_comment,
        "reply_to": content.reply_to or None,
        "media": [{"file": place, **item} for place, item in named.items()],
    }


def _approval(one: Approval, people: Mapping[str, Person]) -> dict[str, Any]:
    person = people.get(one.approver)
    return {
        "stage": one.stage,
        "role": one.role,
        "approver": one.approver,
        "name": person.name if person else None,
        "employee_number": (person.employee_number or None) if person else None,
        "title": (person.title or None) if person else None,
        "os_user": one.os_user,
        "approved_at": instant(one.approved_at),
        "expires_at": instant(one.expires_at),
        "void_at": instant(one.void_at),
        "void_reason": one.void_reason or None,
        "signed": f"approval-{one.statement_id}.txt" if one.statement_id else None,
    }


def _response(traces: Traces) -> dict[str, Any]:
    """What the platform said to each attempt, word for word in ``answers``, and where the post is there."""
    post = traces.details.delivery
    return {
        "remote_id": post.remote_id,
        "permalink": post.permalink,
        "source": post.source,
        "progress": post.progress,
        "attempts": [
            {
                "started_at": instant(attempt.started_at),
                "finished_at": instant(attempt.finished_at),
                "outcome": attempt.outcome,
                "code": attempt.code,
                "reason": attempt.reason,
                "remote_id": attempt.remote_id,
                "digest": attempt.digest,
                "answers": traces.details.answers.get(attempt.id or 0, []),
            }
            for attempt in traces.details.attempts
        ],
    }


def _snapshots(traces: Traces) -> list[dict[str, Any]]:
    return [
        {
            "taken_at": instant(snapshot.taken_at),
            "source": snapshot.source,
            **{name: getattr(snapshot, name) for name in FIGURES},
            "video_views": snapshot.video_views,
            "profile_visits": snapshot.profile_visits,
            "unknown": snapshot.why,
            "names": snapshot.names,
            "api_version": snapshot.api,
            "raw": snapshot.raw,
        }
        for snapshot in traces.details.snapshots
    ]

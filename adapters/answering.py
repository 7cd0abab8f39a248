"""What adapters share that answer comments. It makes no call."""

from __future__ import annotations

from adapters.contract import N_, Post, ReplyTo
from adapters.errors import Rejected

#: The code of an answer whose comment is not there any more.
GONE = "comment-gone"


def comment_gone() -> Rejected:
    """What an answer meets whose comment was deleted meanwhile, or hidden from the account."""
    return Rejected(N_("The comment that it answers is no longer there."), code=GONE)


def target(post: Post) -> ReplyTo:
    """What an answer answers; for code that is reached by answers only."""
    if post.reply_to is None:
        raise ValueError("this post answers nothing")
    return post.reply_to


__all__ = ["GONE", "comment_gone", "target"]

"""What is missing of a post that is out and stays out: said in a sentence, remembered in its progress.

Only a piece that the platform refused for good is a shortfall. A pause, a token, an account that a person
must see to: publishing goes on from there later. This module decides nothing and knows no platform.
"""

from __future__ import annotations

from adapters.contract import N_, Post, Progress
from adapters.errors import AdapterError

#: Under this name the sentence is saved in the progress: no further attempt is made at what it names.
SAVED = "refused"


def remembered(progress: Progress) -> str:
    """The sentence that an earlier attempt saved; empty if nothing was refused for good."""
    return str(progress.saved.get(SAVED) or "")


def sentence(post: Post, out: int, error: AdapterError) -> str:
    """Given how many pieces of ``post`` are out, and why the next one is refused, say what is missing.

    Pieces are the post, the parts of its thread, and last its first comment.
    """
    all_ = 1 + len(post.thread) + bool(post.first_comment)
    if post.first_comment and out == all_ - 1:
        return N_("The post is out, but its first comment was refused: {why}").format(why=error.reason)
    words = N_("{count} of {all} parts are out, the next was refused: {why}")
    return words.format(count=out, all=all_, why=error.reason)


__all__ = ["SAVED", "remembered", "sentence"]

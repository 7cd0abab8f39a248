"""What a login was granted, kept beside its tokens, held against what is needed. Knows no platform.

A scope that stands for several, like "write" for "write:statuses", counts for each of them (OAuth 2.0 calls
them scopes: RFC 6749, 3.3; the colon is Mastodon's).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from adapters.contract import Account

#: Under this name the granted scopes are stored with the secrets of a login.
NAME = "scope"


def told(answer: Mapping[str, Any]) -> dict[str, str]:
    """What is to be stored of a token's answer: the scopes, if it names them."""
    scopes = answer.get("scope")
    scopes = " ".join(map(str, scopes)) if isinstance(scopes, list) else scopes
    return {NAME: scopes.strip()} if isinstance(scopes, str) and scopes.strip() else {}


def granted(account: Account) -> frozenset[str]:
    """The scopes that the stored login of an account was granted; none if that is not known."""
    return frozenset(account.granted().split())


def lacking(needed: Collection[str], granted: Collection[str]) -> tuple[str, ...]:
    """What is needed and was not granted; nothing if it is not known what was granted."""
    if not granted:
        return ()
    return tuple(one for one in needed if one not in granted and one.partition(":")[0] not in granted)


__all__ = ["NAME", "granted", "lacking", "told"]

"""Which platforms there are: names here, classes only when one is used.

``gaung --help`` must not import an SDK, so importing this module imports no adapter. Strangers add
theirs through the entry-point group ``gaung.adapters``; nobody can replace a name that is taken.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from functools import lru_cache
from importlib import import_module
from importlib.metadata import entry_points

from adapters.contract import N_, Account, Adapter, Credentials, Dialogue
from adapters.errors import Misconfigured

GROUP = "gaung.adapters"

#: Name in the configuration -> "module:Class".
BUILT_IN: Mapping[str, str] = {
    "bluesky": "adapters.bluesky.adapter:BlueskyAdapter",
    "facebook": "adapters.facebook.adapter:FacebookPageAdapter",
    "instagram": "adapters.instagram.adapter:InstagramAdapter",
    "manual": "adapters.manual.adapter:ManualAdapter",
    "mastodon": "adapters.mastodon.adapter:MastodonAdapter",
    "practice": "adapters.practice.adapter:PracticeAdapter",
    "telegram": "adapters.telegram.adapter:TelegramAdapter",
    "threads": "adapters.threads.adapter:ThreadsAdapter",
    "x": "adapters.x.adapter:XAdapter",
}


def places() -> dict[str, str]:
    """Return every platform's name and its "module:Class"; raise Misconfigured if a name is taken twice."""
    known = dict(BUILT_IN)
    for name, place in _of_strangers(tuple(sys.path)):
        # The same distribution can be found twice on sys.path; only a different class is a clash.
        if known.setdefault(name, place) != place:
            raise Misconfigured(
                N_(
                    "Two adapters are called {name}: {first} and {second}."
                    " Uninstall the package that brings one of them."
                ),
                name=name,
                first=known[name],
                second=place,
            )
    return known


@lru_cache(maxsize=4)
def _of_strangers(path: tuple[str, ...]) -> Sequence[tuple[str, str]]:  # noqa: ARG001 -- what it depends on
    """Name and "module:Class" of what installed distributions register: to look goes through all of them."""
    return [(point.name, point.value) for point in entry_points(group=GROUP)]


#: Platforms that have a guided login -> "module:function" (account, now, dialogue) -> Credentials.
LOGINS: Mapping[str, str] = {
    "bluesky": "adapters.bluesky.login:login",
    "facebook": "adapters.facebook.login:login",
    "instagram": "adapters.instagram.login:login",
    "mastodon": "adapters.mastodon.login:login",
    "telegram": "adapters.telegram.login:login",
    "threads": "adapters.threads.login:login",
    "x": "adapters.x.login:login",
}


def login(platform: str) -> Callable[[Account, Callable[[], datetime], Dialogue], Credentials] | None:
    """Return the guided login of a platform, imported now; None if it has none."""
    if platform not in LOGINS:
        return None
    module, _, name = LOGINS[platform].partition(":")
    guide: Callable[[Account, Callable[[], datetime], Dialogue], Credentials] = getattr(
        import_module(module), name
    )
    return guide


def names() -> tuple[str, ...]:
    """Return the names of all platforms, sorted, without importing any adapter."""
    return tuple(sorted(places()))


def codes(*platforms: str) -> frozenset[str]:
    """Return the codes of everything to which the offline checks of these platforms may object."""
    from adapters import contract, pictures, videos

    own = (adapter_class(name).codes for name in platforms)
    return contract.CODES.union(pictures.CODES, videos.CODES, *own)


def adapter_class(platform: str) -> type[Adapter]:
    """Given a platform's name, import and return its adapter; raise Misconfigured if there is none."""
    known = places()
    if platform not in known:
        near = get_close_matches(platform.lower(), known, n=3, cutoff=0.5) or sorted(known)
        raise Misconfigured(
            N_("There is no platform called {name}. Did you mean: {near}?"),
            name=platform,
            near=", ".join(near),
        )
    module, _, attribute = known[platform].partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise Misconfigured(
            N_("The adapter of {name} ({place}) cannot be loaded: {error}. Reinstall its package."),
            name=platform,
            place=known[platform],
            error=error,
        ) from error
    if not (isinstance(found, type) and issubclass(found, Adapter)):
        raise Misconfigured(
            N_("{place}, registered for {name}, is not an adapter class."),
            name=platform,
            place=known[platform],
        )
    return found


__all__ = ["BUILT_IN", "GROUP", "adapter_class", "codes", "names", "places"]

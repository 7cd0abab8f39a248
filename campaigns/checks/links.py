"""Links lead only where the office has said that they may."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from campaigns.checks.desk import Desk, Finding
from campaigns.problems import N_

_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"'“”]+", re.IGNORECASE)


def foreign_domains(desk: Desk) -> Iterator[Finding]:
    """Links whose host is neither an allowed domain nor one under it."""
    allowed = tuple(domain.casefold().strip(".") for domain in desk.settings.domains)
    for item, place, text in desk.texts():
        hosts = [host for link in _LINK.findall(text) if (host := _host(link))]
        for host in dict.fromkeys(hosts):
            if not any(host == domain or host.endswith(f".{domain}") for domain in allowed):
                yield Finding(
                    N_("The link leads to {host}, which is none of the allowed domains: {allowed}."),
                    {"host": host, "allowed": ", ".join(allowed)},
                    item,
                    place,
                    N_("If it is right, add the domain under [checks] domains in the configuration."),
                )


def _host(link: str) -> str:
    try:
        host = urlsplit(link if "://" in link else f"https://{link}").hostname or ""
        return host.rstrip(".,;:!?)")  # of the sentence, not of the address
    except ValueError:
        return link

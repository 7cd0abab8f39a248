"""Sends what another library's own HTTP session prepared through our transport.

tweepy's login handlers bring sessions of their own (requests-oauthlib), which cannot be exchanged, but
take adapters like any ``requests.Session``: so time-outs, ``api_base`` and clean errors hold there too.
"""

from __future__ import annotations

import logging
from typing import Any

import requests
from requests.adapters import BaseAdapter

from adapters.transport import Transport, user_agent


class Through(BaseAdapter):
    """The way of one foreign session through ``http``; ``answer`` and ``failure`` are of the last call."""

    def __init__(self, session: requests.Session, http: Transport) -> None:
        super().__init__()
        self._http = http
        self.answer: requests.Response | None = None
        self.failure: requests.RequestException | None = None
        session.mount("https://", self)
        session.mount("http://", self)
        session.trust_env = False  # netrc; proxies and certificates are the transport's
        session.headers["User-Agent"] = user_agent()
        # At DEBUG these print tokens as they come in.
        for name in ("tweepy", "requests_oauthlib", "oauthlib"):
            logging.getLogger(name).setLevel(logging.INFO)

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        self.answer, self.failure = None, None
        settings = self._http.merge_environment_settings(request.url, {}, None, None, None)
        try:
            self.answer = self._http.send(request, **settings)
        except requests.RequestException as error:
            self.failure = error
            raise
        return self.answer

    def close(self) -> None:
        self._http.close()


__all__ = ["Through"]

"""HTTP connections that note whether a request began to leave this computer.

That one fact separates "send it again" from "look first". Only ``transport`` uses this module; it
knows urllib3's connections and nothing of platforms, URLs or errors.
"""

from __future__ import annotations

import threading
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class Wire(threading.local):
    """What the connection of this thread's current request did; the pool gives no other way to ask."""

    sent = False
    blind = False
    """True if the request went through connections that note nothing (a SOCKS proxy)."""
    send_timeout: float | None = None


wire = Wire()


class _Noting:
    """A connection that notes the first byte of a request, and gives an upload the time it needs.

    urllib3 (2.x) sends with the *connect* time-out still on the socket, and ``sendall`` counts it for
    the whole body: a 5 MB picture over a slow line would die after ten seconds.
    """

    _connecting = False
    sock: Any

    def connect(self) -> None:
        self._connecting = True
        try:
            super().connect()  # type: ignore[misc]
        finally:
            self._connecting = False

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        if not self._connecting:  # a CONNECT to a proxy is not yet the request
            wire.sent = True
            if wire.send_timeout is not None:
                self.sock.settimeout(wire.send_timeout)
        super().send(data)  # type: ignore[misc]


class _HTTPNoting(_Noting, HTTPConnection):
    pass


class _HTTPSNoting(_Noting, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPNoting


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSNoting


class NotingAdapter(HTTPAdapter):
    """requests' adapter over noting connections; urllib3's SOCKS connections stay as they are."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        if proxy.lower().startswith("socks"):
            wire.blind = True
        else:
            manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
        return manager

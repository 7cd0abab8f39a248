"""A small social network on this computer, for trying everything without an account.

Made for workshops: it shows posts as people would see them, counts real openings, and can behave like
a poor connection. It is reached over HTTP like any platform; adapters import nothing of it.
"""

from adapters.practice.site.app import create_app
from adapters.practice.site.server import PracticeServer, serve
from adapters.practice.site.site import Faults
from adapters.practice.site.storage import Storage

__all__ = ["Faults", "PracticeServer", "Storage", "create_app", "serve"]

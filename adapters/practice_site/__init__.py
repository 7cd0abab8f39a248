"""A small social network on this computer, for trying everything without an account.

Made for workshops: it shows posts as people would see them, counts real openings, and can behave like
a poor connection. It is reached over HTTP like any platform; adapters import nothing of it.
"""

from adapters.practice_site.app import create_app
from adapters.practice_site.server import PracticeServer, serve
from adapters.practice_site.site import Faults
from adapters.practice_site.storage import Storage

__all__ = ["Faults", "PracticeServer", "Storage", "create_app", "serve"]

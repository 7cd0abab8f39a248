"""The error taxonomy of the adapters: what a platform's refusal means for the next step.

Every failure of a platform call becomes exactly one of these classes, and the engine decides by
class alone. Anything that an adapter does not recognise must become :class:`Ambiguous`: an error
answer is not proof that nothing was published (DESIGN.md sections 5 and 10).
"""

from __future__ import annotations

from datetime import datetime


class AdapterError(Exception):
    """A platform call did not succeed.

    ``reason`` is the platform's own explanation, in the platform's words, without secrets; ``code``
    its error code where it has one ("403", "190/463").
    """

    #: Stable name of the class in the database, in logs and in JSON.
    kind = "error"

    def __init__(self, reason: str, *, code: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class Transient(AdapterError):
    """Nothing can have been accepted, and trying again later may succeed.

    Only for a connection that was refused, a name that did not resolve, or an explicit refusal
    before publication. A time-out after the request was sent is not transient but ambiguous.
    """

    kind = "transient"


class NotReady(Transient):
    """Something of ours stands in the way that a person can mend, such as the office's own web server.

    The platform was not asked to publish. The post waits, however often that has to be found out.
    """

    kind = "not_ready"


class RateLimited(AdapterError):
    """The platform asks for a pause until ``until`` (UTC); nothing was accepted."""

    kind = "rate_limited"

    def __init__(self, reason: str, *, until: datetime, code: str = "", app_wide: bool = False) -> None:
        super().__init__(reason, code=code)
        self.until = until
        self.app_wide = app_wide
        """True if the limit counts for every account of the same app, not for this one alone."""


class AuthExpired(AdapterError):
    """The credentials were refused: a person must renew them before the account is used again."""

    kind = "auth_expired"


class AccountHeld(AdapterError):
    """The platform restricts the account (billing, security check, suspension); a person must act."""

    kind = "account_held"


class Rejected(AdapterError):
    """The platform refused this content for good; sending the same again cannot succeed."""

    kind = "rejected"


class Duplicate(AdapterError):
    """The platform says that this content is already there: a hint that an earlier try was accepted."""

    kind = "duplicate"

    def __init__(self, reason: str, *, remote_id: str | None = None, code: str = "") -> None:
        super().__init__(reason, code=code)
        self.remote_id = remote_id


class Ambiguous(AdapterError):
    """Nobody knows whether the post was accepted: never send again before looking."""

    kind = "ambiguous"


class Stopped(AdapterError):
    """The office stopped what is under way: raised by ``Progress.save`` alone, never by a platform.

    What was saved is committed. Whoever sees it ends the attempt there: nothing further is sent.
    ``remote_id`` and ``permalink`` tell of what is out already, if anything is.
    """

    kind = "stopped"
    remote_id = ""
    permalink = ""


class Misconfigured(ValueError):
    """What a person configured cannot work; raised before any platform is called.

    Not an :class:`AdapterError`: no attempt was made. ``message`` is an English template for gettext
    (marked with ``N_``), ``values`` its fields, so that the face can show it in the person's language.
    """

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message.format(**values))
        self.message = message
        self.values = values

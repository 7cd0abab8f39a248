"""What goes wrong in a simulated world, and what persons do in it: the names that are counted."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """Something that goes wrong."""

    # Of a daemon.
    CRASH_BEFORE_CALL = "a crash before the call"
    CRASH_IN_THE_AIR = "a crash while the request was on its way, which came to nothing"
    CRASH_ACCEPTED_LATER = "a crash while the request was on its way, which was accepted all the same"
    CRASH_AFTER_ACCEPTANCE = "a crash after acceptance, before the answer was noted"
    CRASH_BEFORE_SETTLE = "a crash before the answer was settled"
    CRASH_IN_SAVE = "a crash in a progress save"
    CRASH_BEFORE_COMMIT = "a crash within a transaction"
    CRASH_AFTER_COMMIT = "a crash after a commit, before what it allows"
    POWER_CUT = "a crash of every daemon at once"
    OUTAGE = "a crash with hours or days until the next start"
    DATABASE_AWAY = "a database that cannot be reached"
    COMMIT_UNCONFIRMED = "a commit that was done and answered with an error"
    CLOCK_FORWARD = "a clock an hour ahead"
    CLOCK_BACK = "a clock an hour behind"
    CLOCK_STEP = "a clock set by seconds"
    NO_WORKER = "no worker free in time for what was claimed ahead"

    # In the answer to a publication.
    TRANSIENT = "refused for now"
    RATE_LIMITED = "a rate limit"
    RATE_LIMITED_APP = "a rate limit of the whole app"
    CREDENTIALS = "credentials refused"
    HELD = "an account held"
    REJECTED = "refused for good"
    AMBIGUOUS = "no answer, not accepted"
    AMBIGUOUS_ACCEPTED = "no answer, accepted"
    ACCEPTED_LATER = "no answer, accepted after it"
    ERROR_ACCEPTED = "an error nobody knows, accepted"
    DUPLICATE = "called a duplicate, not accepted"
    DUPLICATE_ACCEPTED = "called a duplicate, accepted"
    NO_ID = "success without an id, not accepted"
    NO_ID_ACCEPTED = "success without an id, accepted"
    OTHER_ID = "success with the id of another post, not accepted"
    OTHER_ID_ACCEPTED = "success with the id of another post, accepted"
    NONSENSE = "an answer that is none"
    SLOW = "a call of several minutes"

    # In the answer to a removal.
    REMOVAL_REFUSED = "a removal refused for now"
    REMOVAL_LOST = "a removal without an answer, not done"
    REMOVAL_LOST_DONE = "a removal without an answer, done"

    # In the answer to a look.
    LISTING_LATE = "a listing that did not show the post yet"
    LISTING_UNKNOWN = "a listing that cannot tell"
    LISTING_LIMITED = "a listing under a rate limit"
    LISTING_REFUSED = "a listing that refuses the credentials"
    LISTING_ERROR = "a listing that answers with an error"
    LISTING_NO_ID = "a listing that finds it without an id"
    LISTING_OTHER = "a listing that finds another post"
    LISTING_NONSENSE = "a listing whose answer is none"


class Deed(StrEnum):
    """Something that a person does."""

    APPROVE = "approves what waits"
    ATTEND = "decides what asks for a person"
    EDIT = "changes a text"
    MOVE = "moves a message to another time"
    REMOVE = "takes a message out of the file"
    PUT_BACK = "puts a message back into the file"
    TERMS = "changes how late posts may go out"
    CANCEL = "cancels a post"
    WITHDRAW = "withdraws an approval"
    STOP = "stops"
    RESUME = "lifts the stops"
    STOP_AMID = "stops what is under way"
    WINDOW = "puts a window into force"
    OPEN = "lifts the windows"
    BUDGET = "raises a budget"
    ROLE = "takes an approver's role away, or gives it back"
    TAKE_DOWN = "takes a post down"
    DELETE = "deletes a post by hand, and says so"
    REPLY = "drafts an answer to a comment"

    RESOLVED_POSTED = "says that a post is there"
    RESOLVED_ABSENT = "says that a post is not there"
    COMPLETED = "publishes by hand and gives the link"
    RETRIED = "plans a post again"
    GAVE_UP = "cancels a post that asked"
    ENABLED = "checks an account, and it works"

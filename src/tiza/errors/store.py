"""The store: what is not in it, and when it cannot be used."""

from tiza.errors.base import TizaError
from tiza.errors.requests import RequestError
from tiza.translation import N_


class ConversationNotFound(RequestError):
    """It does not exist, or is another person's: nobody is told which."""

    status, code, title = 404, "not_found", N_("Not found")
    what = N_("You have no such conversation.")
    hint = N_("It may have been deleted.")


class MessageNotFound(RequestError):
    """It does not exist, or is another person's: nobody is told which."""

    status, code, title = 404, "not_found", N_("Not found")
    what = N_("You have no such message.")
    hint = N_("It may have been deleted.")


class ForeignOrigin(RequestError):
    """A page of another site tried to use the cookie of this one."""

    status, code, title = 403, "forbidden", N_("Not allowed")
    what = N_("Another site may not do this in your name.")
    hint = N_("The operator lists the sites that may in CORS_ORIGINS.")


class KeyReused(RequestError):
    """The same Idempotency-Key came with another request."""

    status, code, title = 422, "key_reused", N_("The key was used before")
    what = N_("This Idempotency-Key belongs to another request.")
    hint = N_("Make a new key for every new request.")


class CursorInvalid(RequestError):
    """It was not given out by this list, or was changed on the way."""

    status, code, title = 422, "invalid_request", N_("The request is not valid")
    what = N_("The cursor leads nowhere.")
    hint = N_("Take it as the page before gave it, or begin without one.")


class StoreUnavailable(RequestError):
    """Data: `reason`, for the log. The database does not answer."""

    status, code, title = 503, "store_unavailable", N_("The conversations are away")
    what = N_("The database of the conversations does not answer.")
    hint = N_("Nothing is lost: try again in a few seconds.")
    retryable, retry_after = True, 5


class StoreBusy(RequestError):
    """Data: `reason`, for the log. Others have kept the database locked for too long."""

    status, code, title = 503, "store_busy", N_("The conversations are busy")
    what = N_("Another program keeps the database of the conversations locked.")
    hint = N_("Try again in a few seconds.")
    retryable, retry_after = True, 2


class StoreFull(RequestError):
    """Data: `reason`, for the log. The disk has no room."""

    status, code, title = 503, "store_full", N_("No room for conversations")
    what = N_("The disk is full: nothing new can be kept.")
    hint = N_("What was kept before is safe. The operator has to make room.")
    retryable, retry_after = True, 30


class StoreNewer(TizaError):
    """Data: `revision`."""

    what = N_("The database was written by a newer Tiza (revision {revision}).")
    hint = N_("Update Tiza, or name another database in DATABASE_URL.")


class StoreNotEmpty(TizaError):
    """Data: `where`, without a password."""

    what = N_("The database {where} is not empty.")
    hint = N_("A backup is restored into an empty one: name it in DATABASE_URL.")


class StoreBroken(TizaError):
    """Data: `reason`."""

    what = N_("The database cannot be used: {reason}")
    hint = N_("Put it back from a backup, or name another one in DATABASE_URL.")

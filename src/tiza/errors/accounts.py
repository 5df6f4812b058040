"""Accounts: who is not known, what they may not do, and what is already taken or over."""

from typing import ClassVar

from tiza.errors.base import TizaError
from tiza.errors.requests import RequestError
from tiza.translation import N_


class Unauthenticated(RequestError):
    """There are no credentials, or they are worth nothing: nobody is told why."""

    status, code, title = 401, "unauthenticated", N_("Sign in first")
    what = N_("This needs a session or a valid key.")
    hint = N_("Sign in, or send a key of yours as a Bearer token.")
    scheme: ClassVar[str] = 'Bearer realm="tiza"'

    def headers(self) -> dict[str, str]:
        """Return the challenge that RFC 9110 asks for."""
        return {"WWW-Authenticate": self.scheme}


class SignInFailed(Unauthenticated):
    """Nobody is told whether the name or the password was wrong."""

    title = N_("You are not signed in")
    what = N_("The name or the password is wrong.")
    hint = N_("Whoever forgot the password can ask the teacher for a new link.")


class LinkWorthless(RequestError):
    """An invitation or a link that has expired, was used, or never existed."""

    status, code, title = 401, "link_worthless", N_("The link is not valid")
    what = N_("This link has expired or has been used.")
    hint = N_("Ask whoever gave it to you for a new one.")


class ProviderRefused(RequestError):
    """Data: `reason`, for the log. A sign-in at the OpenID provider did not succeed."""

    status, code, title = 401, "unauthenticated", N_("You are not signed in")
    what = N_("Signing in at your school's page did not work.")
    hint = N_("Try again; if it stays so, tell the operator.")


class ProviderAway(RequestError):
    """Data: `reason`, for the log. The OpenID provider does not answer."""

    status, code, title = 503, "provider_unreachable", N_("Your school's sign-in page is away")
    what = N_("The page where your school signs you in does not answer.")
    hint = N_("Try again in a few seconds.")
    retryable, retry_after = True, 5


class Forbidden(RequestError):
    """They are known, but may not do this."""

    status, code, title = 403, "forbidden", N_("Not allowed")
    what = N_("Your role or your key does not allow this.")
    hint = N_("Ask an administrator.")


class SignInLocked(RequestError):
    """Too many wrong passwords for a name, or from an address. Data: `seconds`."""

    status, code, title = 429, "rate_limited", N_("Too many attempts")
    what = N_("There were too many wrong passwords.")
    hint = N_("Try again in {seconds} seconds.")
    retryable = True

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds=seconds)
        self.retry_after = seconds


class NameTaken(RequestError):
    """Data: `name`."""

    status, code, title = 409, "name_taken", N_("The name is taken")
    what = N_("Somebody here is called {name} already.")
    hint = N_("Choose another name.")


class AccountNotFound(RequestError):
    """Data: `name`."""

    status, code, title = 404, "not_found", N_("Not found")
    what = N_("There is no account called {name}.")
    hint = N_("Admins see the list at /users, operators with: tiza user list")


class KeyNotFound(RequestError):
    """It does not exist, or is another person's: nobody is told which."""

    status, code, title = 404, "not_found", N_("Not found")
    what = N_("You have no such key.")
    hint = N_("It may have been revoked.")


class InvitationNotFound(RequestError):
    """It does not exist, or is another person's: nobody is told which."""

    status, code, title = 404, "not_found", N_("Not found")
    what = N_("You have no such invitation.")
    hint = N_("It may have expired.")


class SecretUnreadable(TizaError):
    """Data: `path`, `reason`."""

    what = N_("The server's secret in {path} cannot be used: {reason}")
    hint = N_("Make the file readable, or set SECRET_KEY.")

"""Cookies that scripts cannot read and other sites do not send, left with whatever is answered."""

from collections.abc import Mapping

from starlette.requests import cookie_parser
from starlette.types import Scope

SET_COOKIES = "set_cookies"  # under this name in the request's state
HOST_ONLY = "__Host-"  # what browsers accept over HTTPS from this very host only (RFC 6265bis)


def cookies_of(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return the cookies of a request."""
    return cookie_parser(headers["cookie"]) if "cookie" in headers else {}


def secured(scope: Scope, name: str) -> str:
    """Return the name of a cookie that no other host of the same domain can set, if over HTTPS."""
    return f"{HOST_ONLY}{name}" if scope["scheme"] == "https" else name


def leave(scope: Scope, name: str, value: str, seconds: int | None) -> None:
    """Give the client a cookie with the answer to this request, whatever that will be.

    `seconds`: how long it lasts; 0 takes it back, None is until the browser is closed.
    """
    age = "" if seconds is None else f"; Max-Age={seconds}"
    secure = "; Secure" if scope["scheme"] == "https" else ""
    cookie = f"{name}={value}; HttpOnly; SameSite=Lax; Path=/{age}{secure}"
    scope.setdefault("state", {}).setdefault(SET_COOKIES, {})[name] = cookie

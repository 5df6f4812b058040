"""Cookies that scripts cannot read and other sites do not send, left with whatever is answered."""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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


class LeavesCookies:
    """Adds the cookies that a route left; pure ASGI, as answers may be streams."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and look at the start of its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        notes = scope.setdefault("state", {})

        async def send_with_cookies(message: Message) -> None:
            if message["type"] == "http.response.start" and SET_COOKIES in notes:
                headers = MutableHeaders(raw=list(message["headers"]))
                for cookie in notes[SET_COOKIES].values():
                    headers.append("Set-Cookie", cookie)
                message = {**message, "headers": headers.raw}
            await send(message)

        await self.app(scope, receive, send_with_cookies)

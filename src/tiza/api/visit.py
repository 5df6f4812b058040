"""A request for an answer, as limits and sharing see it, and the headers that are left for it.

Knows no limits and no answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tiza.api.callers import Caller, caller_of
from tiza.api.cookies import SET_COOKIES

HEADERS = "headers"  # under this name in the request's state
UNSHARED = ("no-cache", "no-store")


@dataclass(frozen=True)
class Visit:
    """Who asks; whether only an answer of their own will do; what the answer's headers will say."""

    caller: Caller
    fresh: bool = False
    headers: dict[str, str] = field(default_factory=dict)


async def visit_of(request: Request) -> Visit:
    """Read a request. `Cache-Control: no-cache` asks for an answer of one's own (RFC 9111)."""
    wish = request.headers.get("cache-control", "").lower()
    left = request.scope["state"].setdefault(HEADERS, {})
    return Visit(await caller_of(request), any(word in wish for word in UNSHARED), left)


VisitDep = Annotated[Visit, Depends(visit_of)]


class LeavesHeaders:
    """Adds headers and cookies that were left to the start of the answer, whatever that will be."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and look at the start of its answer; pure ASGI, as it may be long."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        notes = scope.setdefault("state", {})

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start" and (more := _left(notes)):
                message = {**message, "headers": [*message.get("headers", []), *more]}
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _left(notes: Mapping[str, Mapping[str, str]]) -> list[tuple[bytes, bytes]]:
    headers = list(notes.get(HEADERS, {}).items())
    headers += [("Set-Cookie", cookie) for cookie in notes.get(SET_COOKIES, {}).values()]
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]

"""A request for an answer, as limits and sharing see it, and the headers they leave for it.

Knows no limits and no answers.
"""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tiza.api.callers import Caller, caller_of

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
    """Adds what was left to the start of the answer, whatever that will be; pure ASGI."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and look at the start of its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        left: dict[str, str] = scope.setdefault("state", {}).setdefault(HEADERS, {})

        async def send_with_headers(message: Message) -> None:
            if left and message["type"] == "http.response.start":
                more = [(name.lower().encode(), value.encode()) for name, value in left.items()]
                message = {**message, "headers": [*message.get("headers", []), *more]}
            await send(message)

        await self.app(scope, receive, send_with_headers)

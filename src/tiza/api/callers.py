"""Who is behind a request, for everything that treats callers differently.

Knows the address from the connection; who a person is, `identity` adds where it is asked.
"""

from dataclasses import dataclass
from typing import Literal, cast

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from tiza.store.records import NOBODY, Person

Role = Literal["guest", "student", "teacher", "admin"]
CALLER = "caller"  # under this name in the request's state


@dataclass(frozen=True)
class Caller:
    """One request's sender. `key_id` is empty unless an API key was used."""

    person: Person = NOBODY
    role: Role = "guest"
    key_id: str = ""
    address: str = ""

    @property
    def is_known(self) -> bool:
        """Whether they have an account: anybody can have any number of anonymous cookies."""
        return self.role != "guest"


class Callers:
    """Notes the caller of each request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its caller."""
        if scope["type"] == "http":
            client = scope.get("client")
            scope.setdefault("state", {})[CALLER] = Caller(address=client[0] if client else "")
        await self.app(scope, receive, send)


async def caller_of(request: Request) -> Caller:
    """Return who sent the request."""
    return cast(Caller, request.scope["state"][CALLER])

"""Who is behind a request, for everything that treats callers differently.

Knows the address from the connection; who a person is, `identity` adds where it is asked.
"""

from dataclasses import dataclass
from typing import Literal, cast

from starlette.types import ASGIApp, Receive, Scope, Send

from tiza.store.records import NOBODY, Person

Role = Literal["student", "teacher", "admin"]
CALLER = "caller"  # under this name in the request's state


@dataclass(frozen=True)
class Caller:
    """One request's sender. `key_id` is empty unless an API key was used."""

    person: Person = NOBODY
    role: Role = "student"
    key_id: str = ""
    address: str = ""

    @property
    def is_known(self) -> bool:
        """Tell a person from a stranger."""
        return self.person != NOBODY


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


def caller_of(scope: Scope) -> Caller:
    """Return the caller of a request."""
    return cast(Caller, scope["state"][CALLER])

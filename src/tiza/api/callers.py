"""Who calls: found out once a request, before its body is read, and kept in the request's state.

Every route finds it there, also those that keep nothing. How it is found out is `accounts`' affair.
"""

from dataclasses import dataclass
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from tiza.api.problems import answer
from tiza.errors import RequestError
from tiza.store.credentials import By, Role
from tiza.store.records import NOBODY, Person

CALLER = "caller"  # under this name in the request's state
SCOPES = ("chat", "conversations", "stats", "users")
EVERY_SCOPE = frozenset(SCOPES)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent a request.

    `person` is NOBODY for a stranger. `key_id` is empty unless an API key was used, or a token made
    with one (`is_token`); `scopes` are then the key's. `address` is the client's, as far as trusted
    proxies tell it.
    """

    person: Person = NOBODY
    role: Role = "guest"
    key_id: str = ""
    address: str = ""
    name: str = ""
    scopes: frozenset[str] = EVERY_SCOPE
    is_token: bool = False

    @property
    def is_known(self) -> bool:
        """Whether they have an account: anybody can have any number of anonymous cookies."""
        return self.role != "guest"


async def caller_of(request: Request) -> Caller:
    """Return who sent the request."""
    return cast(Caller, request.scope["state"][CALLER])


def by(caller: Caller) -> By:
    """Return who does something, as the audit log knows them."""
    return By(caller.person, caller.address)


CallerDep = Annotated[Caller, Depends(caller_of)]


class Gate(Protocol):
    """Finds out who calls, and lets them in or not."""

    async def admit(self, scope: Scope) -> Caller:
        """Return who calls.

        Raises:
            RequestError: they may not go there, or it cannot be found out now.

        """


class Callers:
    """Asks the gate about every request; pure ASGI, and not called for the pieces of an answer."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self.app, self.gate = app, gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its caller, or refuse it."""
        if scope["type"] == "http":
            try:
                scope.setdefault("state", {})[CALLER] = await self.gate.admit(scope)
            except RequestError as exc:
                await answer(exc, scope)(scope, receive, send)
                return
        await self.app(scope, receive, send)

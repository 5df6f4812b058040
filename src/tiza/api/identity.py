"""Who asks: an anonymous person, known by a cookie that scripts cannot read.

Only routes that name `PersonDep` or `WelcomedDep` look at the cookie, and only the latter make a
person of somebody new. A cookie is worth nothing in a request that another site's page has made.
"""

from dataclasses import replace
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tiza.api.callers import CALLER
from tiza.api.state import StateDep, StoreDep
from tiza.errors import ForeignOrigin
from tiza.store.records import NOBODY, Person

COOKIE = "tiza_person"
LONGEST = 128  # characters of a token that are looked at
AGE_SECONDS = 400 * 24 * 3600  # the longest that browsers grant
READING = frozenset({"GET", "HEAD", "OPTIONS"})
SET_COOKIE = "set_cookie"  # under this name in the request's state


async def person_of(request: Request, state: StateDep, store: StoreDep) -> Person:
    """Return who asks; NOBODY if the request has no cookie, or one that is unknown.

    Raises:
        ForeignOrigin: another site asks for a change.

    """
    token = request.cookies.get(COOKIE, "")[:LONGEST]
    if not token:
        return NOBODY
    _check_origin(request, state.settings.cors_origins)
    return _noted(await store.people.find(token) or NOBODY, request)


PersonDep = Annotated[Person, Depends(person_of)]


async def welcomed(person: PersonDep, request: Request, state: StateDep, store: StoreDep) -> Person:
    """Return who asks, or make a person of them. Their cookie lasts anew from now.

    Raises:
        ForeignOrigin: another site asks.

    """
    _check_origin(request, state.settings.cors_origins)
    token = request.cookies.get(COOKIE, "")
    if person == NOBODY:
        person, token = await store.people.welcome()
        _noted(person, request)
    leave_cookie(request, token, AGE_SECONDS)
    return person


WelcomedDep = Annotated[Person, Depends(welcomed)]


def _noted(person: Person, request: Request) -> Person:
    """Let everybody know who the caller is."""
    notes = request.scope["state"]
    notes[CALLER] = replace(notes[CALLER], person=person)
    return person


def leave_cookie(request: Request, token: str, seconds: int) -> None:
    """Give the client the cookie with the answer to this request, whatever that will be."""
    forwarded = request.headers.get("x-forwarded-proto", request.url.scheme)
    secure = "; Secure" if forwarded == "https" else ""
    value = f"{COOKIE}={token}; HttpOnly; SameSite=Lax; Path=/; Max-Age={seconds}{secure}"
    request.scope.setdefault("state", {})[SET_COOKIE] = value


class LeavesCookie:
    """Adds the cookie that a route left; pure ASGI, as answers may be streams."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and look at the start of its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        notes = scope.setdefault("state", {})

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and SET_COOKIE in notes:
                headers = MutableHeaders(raw=list(message["headers"]))
                headers.append("Set-Cookie", notes[SET_COOKIE])
                message = {**message, "headers": headers.raw}
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def _check_origin(request: Request, friends: list[str]) -> None:
    """Refuse a change that a page of another site asks for; programs send neither header."""
    if request.method in READING:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if origin in friends or site in ("same-origin", "none"):
        return
    ours = origin is not None and urlsplit(origin).netloc == request.headers.get("host")
    if site is not None or not (origin is None or ours):
        raise ForeignOrigin

"""Whose conversations a request is about: who has signed in, or whoever has the anonymous cookie.

Only routes that name `PersonDep` or `WelcomedDep` ask, and only the latter make a person of
somebody new, in `open` mode. A cookie is worth nothing in a request that another site's page made.
"""

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request

from tiza.api.accounts.gates import ANONYMOUS, LONGEST
from tiza.api.callers import CALLER, Caller, CallerDep
from tiza.api.cookies import leave
from tiza.api.origins import is_foreign
from tiza.api.state import StateDep, StoreDep
from tiza.errors import Forbidden, ForeignOrigin
from tiza.store.records import NOBODY, Person

AGE_SECONDS = 400 * 24 * 3600  # the longest that browsers grant


async def person_of(
    request: Request,
    state: StateDep,
    store: StoreDep,  # noqa: ARG001  # before it is open nobody can be told that they are unknown
    caller: CallerDep,
) -> Person:
    """Return who asks; NOBODY if the request has no cookie, or one that is unknown.

    Raises:
        ForeignOrigin: another site asks for a change.
        Forbidden: the key that is used is not for conversations.

    """
    if "conversations" not in caller.scopes:
        raise Forbidden
    token = request.cookies.get(ANONYMOUS, "")[:LONGEST]
    if caller.person != NOBODY or not token or state.settings.auth_mode != "open":
        return caller.person
    if is_foreign(request.method, request.headers, state.settings.cors_origins):
        raise ForeignOrigin
    return _noted(request, caller, await state.access.open_gate.person(token))


PersonDep = Annotated[Person, Depends(person_of)]


async def welcomed(
    person: PersonDep, request: Request, state: StateDep, store: StoreDep, caller: CallerDep
) -> Person:
    """Return who asks, or make a person of them. Their cookie lasts anew from now.

    Raises:
        ForeignOrigin: another site asks.

    """
    if caller.is_known:
        return person
    if is_foreign(request.method, request.headers, state.settings.cors_origins):
        raise ForeignOrigin
    token = request.cookies.get(ANONYMOUS, "")
    if person == NOBODY:
        person, token = await store.people.welcome()
        _noted(request, caller, person)
    leave(request.scope, ANONYMOUS, token, AGE_SECONDS)
    return person


WelcomedDep = Annotated[Person, Depends(welcomed)]


def _noted(request: Request, caller: Caller, person: Person) -> Person:
    """Let everybody know who the caller is, where that was found out only here."""
    request.scope["state"][CALLER] = replace(caller, person=person)
    return person

"""Coming in and going out: by password, by an invitation, by a link; and who one is.

Every way in begins a session of a new token, so that one which somebody had planted before is worth
nothing.
"""

import contextlib
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from tiza.api.accounts import passwords
from tiza.api.accounts.gates import ANONYMOUS, LONGEST, SESSION
from tiza.api.accounts.schemas import (
    Entrance,
    JoinRequest,
    Me,
    PasswordChange,
    ResetRequest,
    SignInRequest,
    Standing,
)
from tiza.api.callers import CallerDep, by, caller_of
from tiza.api.conversations import NO_CONTENT
from tiza.api.cookies import leave, secured
from tiza.api.origins import is_foreign
from tiza.api.problems import documented
from tiza.api.state import State, StateDep, StoreDep
from tiza.api.strict_json import StrictRoute
from tiza.api.visit import VisitDep
from tiza.errors import ForeignOrigin, LimitsUnavailable, NotFound, SignInFailed, Unauthenticated
from tiza.store.credentials import LONGEST_SESSION, Account
from tiza.store.store import Store
from tiza.translation import N_

PROBLEMS = documented(401, 403, 404, 409, 413, 422, 429, 500, 503)


async def own_page(request: Request, state: StateDep) -> None:
    """Refuse pages of other sites, which could sign somebody in under another name.

    Raises:
        NotFound: nobody signs in where everybody is let in.
        ForeignOrigin: another site asks.

    """
    if state.settings.auth_mode == "open":
        raise NotFound(path=request.url.path)
    if is_foreign(request.method, request.headers, state.settings.cors_origins):
        raise ForeignOrigin


OwnPage = Depends(own_page)

router = APIRouter(route_class=StrictRoute, tags=["accounts"], responses=PROBLEMS)


@router.get("/auth", summary=N_("Tell how one gets in here."))
async def entrance(state: StateDep) -> Entrance:
    """Tell the page what to show."""
    mode = state.settings.auth_mode
    return Entrance(mode=mode, sign_in="/auth/oidc" if mode == "oidc" else "")


@router.get(
    "/me", summary=N_("Tell who you are, and what is left of your requests, tokens and answers.")
)
async def me(state: StateDep, caller: CallerDep, visit: VisitDep) -> Standing:
    """Tell it to a session, a key or a guest, also while nobody can count for guests."""
    quota: Mapping[str, Mapping[str, int]] | None = None
    with contextlib.suppress(LimitsUnavailable):
        quota = await state.limits.standing(visit)
    mode = state.settings.auth_mode
    return Standing(mode=mode, role=caller.role, name=caller.name, quota=quota)


@router.post("/auth/sign-in", summary=N_("Sign in by name and password."), dependencies=[OwnPage])
async def sign_in(body: SignInRequest, request: Request, state: StateDep, store: StoreDep) -> Me:
    """Begin a session."""
    address = (await caller_of(request)).address
    account = await state.access.sign_in.account(store, body.name, body.password, address)
    return await begin(request, state, store, account)


@router.post(
    "/auth/join", summary=N_("Make an account with an invitation."), dependencies=[OwnPage]
)
async def join(body: JoinRequest, request: Request, state: StateDep, store: StoreDep) -> Me:
    """Make an account, which keeps what the anonymous cookie had, and begin a session."""
    await store.invitations.check(body.token)
    kept = await state.access.passwords.hash(passwords.check(body.password, body.name))
    account = await store.invitations.join(
        body.token, (await caller_of(request)).address, body.name, kept, anonymous_of(request)
    )
    return await begin(request, state, store, account)


@router.post("/auth/reset", summary=N_("Set a new password with a link."), dependencies=[OwnPage])
async def reset(body: ResetRequest, request: Request, state: StateDep, store: StoreDep) -> Me:
    """Set the password, end the sessions of the old one, and begin a new one."""
    name = await store.invitations.check(body.token)
    kept = await state.access.passwords.hash(passwords.check(body.password, name))
    address = (await caller_of(request)).address
    account = await store.invitations.reset(body.token, address, kept)
    state.access.forget()
    return await begin(request, state, store, account)


@router.post("/auth/sign-out", status_code=NO_CONTENT, summary=N_("Sign out."))
async def sign_out(
    request: Request,
    state: StateDep,
    store: StoreDep,
    caller: CallerDep,
    everywhere: Annotated[bool, Query()] = False,
) -> Response:
    """End the session, or all that this person has."""
    if not caller.is_known:
        raise Unauthenticated
    if everywhere:
        await store.sessions.end_all(caller.person, by(caller))
        state.access.forget()
    await _end(request, state, store)
    leave(request.scope, secured(request.scope, SESSION), "", 0)
    return Response(status_code=NO_CONTENT)


@router.put("/me/password", summary=N_("Change your password."))
async def change_password(
    body: PasswordChange, request: Request, state: StateDep, store: StoreDep, caller: CallerDep
) -> Me:
    """Set a new password, end every session, and begin a new one."""
    if not caller.is_known:
        raise Unauthenticated
    access = state.access
    account = await access.sign_in.account(store, caller.name, body.password, caller.address)
    if account.person != caller.person:
        raise SignInFailed
    kept = await access.passwords.hash(
        passwords.check(body.new_password, caller.name, "new_password")
    )
    await store.accounts.set_password(by(caller), caller.person, kept)
    access.forget()
    return await begin(request, state, store, account)


async def begin(request: Request, state: State, store: Store, account: Account) -> Me:
    """Begin a session in place of whatever the client had before."""
    await _end(request, state, store)
    token = await store.sessions.begin(account, (await caller_of(request)).address)
    seconds = int(LONGEST_SESSION.total_seconds())
    leave(request.scope, secured(request.scope, SESSION), token, seconds)
    if anonymous_of(request):
        leave(request.scope, ANONYMOUS, "", 0)
    return Me(mode=state.settings.auth_mode, role=account.role, name=account.name)


def anonymous_of(request: Request) -> str:
    """Return the cookie by which somebody was known without an account."""
    return request.cookies.get(ANONYMOUS, "")[:LONGEST]


async def _end(request: Request, state: State, store: Store) -> None:
    if old := request.cookies.get(secured(request.scope, SESSION), "")[:LONGEST]:
        await store.sessions.end(old, by(await caller_of(request)))
        state.access.forget(old)

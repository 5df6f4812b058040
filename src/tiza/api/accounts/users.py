"""Other people's accounts: for admins; and invitations, which teachers make for their classes."""

from collections.abc import Sequence
from datetime import timedelta

from fastapi import APIRouter
from starlette.responses import Response

from tiza.api.accounts import links
from tiza.api.accounts.entering import PROBLEMS
from tiza.api.accounts.schemas import InvitationRequest, NewLink, NewUser, User, UserChange
from tiza.api.callers import Caller, CallerDep, by
from tiza.api.conversations import CREATED, NO_CONTENT
from tiza.api.state import StateDep, StoreDep
from tiza.api.strict_json import StrictRoute
from tiza.errors import Forbidden, Unauthenticated
from tiza.store.credentials import Account, Invitation, Role
from tiza.store.records import Person
from tiza.translation import N_

router = APIRouter(route_class=StrictRoute, tags=["accounts"], responses=PROBLEMS)


@router.get("/users", summary=N_("List all accounts (admins)."))
async def list_users(caller: CallerDep, store: StoreDep) -> list[User]:
    """List them by name."""
    _must_be(caller, "admin")
    return [_user(account) for account in await store.accounts.list()]


@router.post(
    "/users",
    status_code=CREATED,
    summary=N_("Make an account, with a link for its owner."),
)
async def add_user(body: NewUser, caller: CallerDep, state: StateDep, store: StoreDep) -> NewLink:
    """Make an account; whoever gets the link sets its password."""
    _must_be(caller, "admin")
    account = await store.accounts.create(by(caller), body.name, body.role)
    token = await store.invitations.for_password(by(caller), account)
    return NewLink(link=links.password(state.settings, token))


@router.patch("/users/{name}", summary=N_("Change a role, or shut somebody out."))
async def change_user(
    name: str, body: UserChange, caller: CallerDep, state: StateDep, store: StoreDep
) -> User:
    """Change what is given; it holds from the next request on."""
    _must_be(caller, "admin")
    account = await store.accounts.named(name)
    if body.role is not None:
        account = await store.accounts.give_role(by(caller), name, body.role)
    if body.disabled is not None:
        account = await store.accounts.disable(by(caller), name, disabled=body.disabled)
    state.access.forget()
    return _user(account)


@router.post(
    "/users/{name}/reset",
    status_code=CREATED,
    summary=N_("Make a link with which somebody sets a new password (admins)."),
)
async def reset_user(name: str, caller: CallerDep, state: StateDep, store: StoreDep) -> NewLink:
    """Make a link; the old password works until it is used."""
    _must_be(caller, "admin")
    account = await store.accounts.named(name)
    token = await store.invitations.for_password(by(caller), account)
    return NewLink(link=links.password(state.settings, token))


@router.get("/invitations", summary=N_("List your open invitations (teachers; admins: all)."))
async def list_invitations(caller: CallerDep, store: StoreDep) -> Sequence[Invitation]:
    """List them; their links cannot be read again."""
    _must_be(caller, "teacher", "admin")
    return await store.invitations.list(_inviter(caller))


@router.post(
    "/invitations", status_code=CREATED, summary=N_("Invite a class (teachers: students only).")
)
async def invite(
    body: InvitationRequest, caller: CallerDep, state: StateDep, store: StoreDep
) -> NewLink:
    """Make a link with which so many make an account."""
    _must_be(caller, "teacher", "admin")
    if body.role != "student":
        _must_be(caller, "admin")
    made, token = await store.invitations.create(
        by(caller), body.role, timedelta(days=body.days), body.uses, body.label
    )
    link = links.invitation(state.settings, token)
    return NewLink(link=link, id=made.id, expires_at=made.expires_at)


@router.delete(
    "/invitations/{invitation_id}", status_code=NO_CONTENT, summary=N_("Take an invitation back.")
)
async def revoke_invitation(invitation_id: str, caller: CallerDep, store: StoreDep) -> Response:
    """Take it back; who has joined with it stays."""
    _must_be(caller, "teacher", "admin")
    await store.invitations.revoke(by(caller), invitation_id, _inviter(caller))
    return Response(status_code=NO_CONTENT)


def _must_be(caller: Caller, *roles: Role) -> None:
    if not caller.is_known:
        raise Unauthenticated
    if caller.role not in roles:
        raise Forbidden


def _inviter(caller: Caller) -> Person | None:
    return None if caller.role == "admin" else caller.person


def _user(account: Account) -> User:
    return User(
        name=account.name,
        role=account.role,
        disabled=account.disabled,
        created_at=account.created_at,
    )

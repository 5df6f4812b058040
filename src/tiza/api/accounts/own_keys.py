"""API keys of whoever asks, and the short-lived tokens that services make with them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter
from starlette.responses import Response

from tiza.api.accounts import api_keys
from tiza.api.accounts.entering import PROBLEMS
from tiza.api.accounts.schemas import (
    AccessToken,
    KeyRequest,
    NewKey,
    TokenRequest,
    TokenRevocation,
)
from tiza.api.accounts.tokens import LIFETIME
from tiza.api.callers import Caller, CallerDep, by
from tiza.api.conversations import CREATED, NO_CONTENT
from tiza.api.state import StateDep, StoreDep
from tiza.api.strict_json import StrictRoute
from tiza.errors import Forbidden, Unauthenticated
from tiza.store.credentials import Key
from tiza.translation import N_

router = APIRouter(route_class=StrictRoute, tags=["accounts"], responses=PROBLEMS)


@router.get("/me/keys", summary=N_("List your API keys; nobody can read them again."))
async def list_keys(caller: CallerDep, store: StoreDep) -> Sequence[Key]:
    """List what is known of them."""
    return await store.keys.list(caller.person)


@router.post("/me/keys", status_code=CREATED, summary=N_("Make an API key; it is shown once."))
async def make_key(body: KeyRequest, caller: CallerDep, state: StateDep, store: StoreDep) -> NewKey:
    """Make a key of some scopes."""
    _known(caller)
    end = datetime.now(UTC) + timedelta(days=body.days) if body.days else None
    scopes = sorted(set(body.scopes))
    key, secret_hash, text = api_keys.make(state.access.secret, body.name, scopes, end)
    await store.keys.add(by(caller), caller.person, key, secret_hash)
    return NewKey(id=key.id, key=text, scopes=scopes, expires_at=end)


@router.delete("/me/keys/{key_id}", status_code=NO_CONTENT, summary=N_("Revoke an API key."))
async def revoke_key(key_id: str, caller: CallerDep, state: StateDep, store: StoreDep) -> Response:
    """Revoke it, and every token that was made with it."""
    await store.keys.revoke(by(caller), caller.person, key_id)
    state.access.forget()
    return Response(status_code=NO_CONTENT)


@router.post("/auth/token", summary=N_("Make a token of ten minutes with an API key."))
async def make_token(
    body: TokenRequest, caller: CallerDep, state: StateDep, store: StoreDep
) -> AccessToken:
    """Make a token that has the key's scopes, or fewer. A token cannot make another."""
    _known(caller)
    if not caller.key_id or caller.is_token or not caller.scopes.issuperset(body.scopes or ()):
        raise Forbidden
    scopes = body.scopes or caller.scopes
    token = await state.access.tokens.make(store, caller.key_id, set(scopes))
    seconds = int(LIFETIME.total_seconds())
    return AccessToken(access_token=token, expires_in=seconds, scope=" ".join(sorted(scopes)))


@router.post(
    "/auth/token/revoke", status_code=NO_CONTENT, summary=N_("Revoke a token before its end.")
)
async def revoke_token(
    body: TokenRevocation, caller: CallerDep, state: StateDep, store: StoreDep
) -> Response:
    """Revoke a token of the same key; of any other nothing is said (RFC 7009)."""
    _known(caller)
    claims = await state.access.tokens.read(store, body.token)
    if claims and claims.key_id == caller.key_id:
        await store.signing.revoke(by(caller), claims.id, claims.expires_at)
        state.access.forget()
    return Response(status_code=NO_CONTENT)


@router.get("/auth/jwks", summary=N_("List the public keys with which tokens can be checked."))
async def public_keys(state: StateDep, store: StoreDep) -> dict[str, list[dict[str, str]]]:
    """Return a JSON Web Key Set (RFC 7517)."""
    return await state.access.tokens.public_keys(store)


def _known(caller: Caller) -> None:
    if not caller.is_known:
        raise Unauthenticated

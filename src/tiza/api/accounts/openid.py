"""Signing in at the school's OpenID provider: there and back, and to an account here.

What has to come back the same travels in a cookie that only this server can read or make, so that
it belongs to this browser and nothing has to be kept here meanwhile.
"""

import time
from typing import Any

import orjson
import structlog
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from tiza.api.accounts.entering import PROBLEMS, anonymous_of, begin
from tiza.api.accounts.provider import Provider, Trip
from tiza.api.accounts.secret import derived
from tiza.api.callers import CallerDep, by
from tiza.api.cookies import leave, secured
from tiza.api.state import State, StateDep, StoreDep
from tiza.api.strict_json import StrictRoute
from tiza.errors import NotFound, ProviderAway, ProviderRefused
from tiza.store.names import CHARS
from tiza.translation import N_

COOKIE = "tiza_trip"
SECONDS = 600  # for signing in at the provider
SEE_OTHER = 303
NAMES = ("preferred_username", "name", "email", "sub")  # of claims, the best first

log = structlog.get_logger("tiza.api")
router = APIRouter(route_class=StrictRoute, tags=["accounts"], responses=PROBLEMS)


@router.get(
    "/auth/oidc",
    status_code=SEE_OTHER,
    response_class=Response,
    summary=N_("Go to the school's page to sign in."),
)
async def leave_for_provider(request: Request, state: StateDep) -> Response:
    """Send the browser to the provider."""
    provider, trip = _provider(request, state), Trip()
    page = await provider.page(trip)
    sealed = _seal(trip, state.access.secret)
    leave(request.scope, secured(request.scope, COOKIE), sealed, SECONDS)
    return RedirectResponse(page, SEE_OTHER)


@router.get(
    "/auth/oidc/callback",
    status_code=SEE_OTHER,
    response_class=Response,
    summary=N_("Come back from the school's page."),
)
async def return_from_provider(
    request: Request, state: StateDep, store: StoreDep, caller: CallerDep
) -> Response:
    """Begin a session for whom the provider names; whoever is new gets an account."""
    provider, name = _provider(request, state), secured(request.scope, COOKIE)
    trip = _opened(request.cookies.get(name, ""), state.access.secret)
    leave(request.scope, name, "", 0)  # it works once
    try:
        claims = await provider.claims(trip, request.query_params)
    except (ProviderRefused, ProviderAway) as exc:
        log.warning("sign-in at the provider failed", reason=exc.data["reason"])
        raise
    issuer, subject = state.settings.oidc_issuer, str(claims["sub"])
    account = await store.accounts.external(
        by(caller), issuer, subject, _name(claims), anonymous_of(request)
    )
    if account is None:
        raise ProviderRefused(reason="the account is disabled")
    await begin(request, state, store, account)
    return RedirectResponse(f"{state.settings.page_url}/", SEE_OTHER)


def _provider(request: Request, state: State) -> Provider:
    if state.access.provider is None:
        raise NotFound(path=request.url.path)
    return state.access.provider


def _name(claims: Any) -> str:
    found = next(str(claims[each]) for each in NAMES if claims.get(each))
    plain = "".join(each if each.isprintable() and each != "/" else " " for each in found)
    return " ".join(plain.split())[:CHARS].strip() or "?"


def _seal(trip: Trip, secret: bytes) -> str:
    from joserfc import jwe

    plain = orjson.dumps(vars(trip) | {"end": time.time() + SECONDS})
    return jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, plain, _key(secret))


def _opened(sealed: str, secret: bytes) -> Trip:
    """Return what a cookie has. Raises ProviderRefused."""
    from joserfc import jwe
    from joserfc.errors import JoseError

    try:
        found = orjson.loads(jwe.decrypt_compact(sealed, _key(secret)).plaintext or b"")
    except (JoseError, ValueError) as exc:
        raise ProviderRefused(reason="no cookie of this browser") from exc
    if found.pop("end") < time.time():
        raise ProviderRefused(reason="it took too long")
    return Trip(**found)


def _key(secret: bytes) -> Any:
    from joserfc.jwk import OctKey

    return OctKey.import_key(derived(secret, "OpenID sign-in"))

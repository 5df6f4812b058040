"""`GET /me/quota`: what is left for whoever asks."""

from collections.abc import Mapping

from fastapi import APIRouter, Request

from tiza.api.accounts.gates import ANONYMOUS
from tiza.api.callers import CallerDep
from tiza.api.identity import person_of
from tiza.api.routes import PROBLEMS
from tiza.api.state import StateDep
from tiza.api.strict_json import StrictRoute
from tiza.api.visit import visit_of
from tiza.translation import N_

router = APIRouter(tags=["service"], route_class=StrictRoute)


@router.get(
    "/me/quota",
    summary=N_("Tell what is left of your requests, tokens and answers at the same time."),
    responses=PROBLEMS,
)
async def quota(
    request: Request, state: StateDep, caller: CallerDep
) -> Mapping[str, Mapping[str, int]]:
    """Tell limits and what remains of them, by name; nothing where none hold."""
    if ANONYMOUS in request.cookies:  # strangers need no store
        await person_of(request, state, await state.opening.get(), caller)
    return await state.limits.standing(await visit_of(request))

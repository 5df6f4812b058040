"""`GET /suggestions`: questions to begin with."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from tiza.api.routes import PROBLEMS
from tiza.api.state import StateDep
from tiza.api.strict_json import StrictRoute
from tiza.api.suggester import Language
from tiza.errors import RequestError
from tiza.translation import N_

router = APIRouter(route_class=StrictRoute, tags=["chat"], responses=PROBLEMS)


class Suggestions(BaseModel):
    """Questions to begin with; none where no lesson is known."""

    questions: list[str]


@router.get("/suggestions", summary=N_("Suggest questions to begin with, out of the lessons."))
async def suggestions(
    state: StateDep, language: Annotated[Language, Query()] = "en"
) -> Suggestions:
    """Suggest; while the engine is away, for the model that is expected."""
    try:
        model = (await state.engines.models())[0].model
    except RequestError:
        model = state.engines.expected_model
    return Suggestions(questions=await state.suggester.questions(model, language))

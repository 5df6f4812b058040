"""Answers: `POST /chat`, and those in conversations, which are kept. Each plain or streamed."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from tiza.api.asking import Asking
from tiza.api.callers import caller_of
from tiza.api.chat import ChatEvents, Generation
from tiza.api.identity import PersonDep, person_of
from tiza.api.problems import language_of
from tiza.api.routes import GENERATION
from tiza.api.schemas import (
    Answered,
    AnswerRequest,
    ChatRequest,
    ChatResponse,
    EditRequest,
    QuestionRequest,
)
from tiza.api.state import State, StateDep, StoreDep
from tiza.api.streaming import EventStream, while_connected
from tiza.api.streams.log import Log
from tiza.api.streams.routes import streamed
from tiza.api.strict_json import StrictRoute
from tiza.api.visit import VisitDep, visit_of
from tiza.errors import InvalidRequest
from tiza.translation import N_

MAX_KEY_CHARS = 200

IdempotencyKey = Annotated[
    str,
    Header(
        max_length=MAX_KEY_CHARS,
        description=N_("The same request with the same key is answered once."),
    ),
]


async def asking_of(
    request: Request,
    state: StateDep,
    store: StoreDep,
    person: PersonDep,
    idempotency_key: IdempotencyKey = "",
) -> Asking:
    """Return what asks for this request's person."""
    return Asking(state, store, person, await visit_of(request), idempotency_key)


AskingDep = Annotated[Asking, Depends(asking_of)]

TWO_HISTORIES = N_(
    "A conversation has its own history: send conversation_id or conversation_history, not both."
)

router = APIRouter(route_class=StrictRoute)


@router.post(
    "/chat",
    response_model=ChatResponse | Answered,
    response_model_exclude_unset=True,
    responses=GENERATION,
    summary=N_("Answer a question, whole or as a stream of events."),
    tags=["chat"],
)
async def chat(body: ChatRequest, request: Request, state: StateDep, visit: VisitDep) -> Response:
    """Answer a question, whole or as a stream of events (`"stream": true`).

    Nothing is kept unless `conversation_id` says where.
    """
    if body.conversation_id is not None:
        return await _chat_in_conversation(body.conversation_id, body, request, state)
    generation = Generation(body, state, visit)
    if body.stream:
        language = language_of(request.scope)
        return EventStream(ChatEvents(generation, lambda error: error.message(language)))
    return JSONResponse(await while_connected(request.receive, generation.whole()))


async def _chat_in_conversation(
    conversation_id: str, body: ChatRequest, request: Request, state: State
) -> Response:
    """Answer as `POST /conversations/{id}/messages` does. Without it nobody's cookie is read."""
    if body.conversation_history:
        raise InvalidRequest(TWO_HISTORIES)
    store = await state.opening.get()
    person = await person_of(request, state, store, await caller_of(request))
    key = request.headers.get("idempotency-key", "")
    asking = Asking(state, store, person, await visit_of(request), key)
    return await answered(await asking.ask(conversation_id, body), body, request)


@router.post(
    "/conversations/{conversation_id}/messages",
    summary=N_("Ask a question in a conversation."),
    response_model=Answered,
    response_model_exclude_unset=True,
    responses=GENERATION,
    tags=["conversations"],
)
async def ask(
    conversation_id: str, body: QuestionRequest, request: Request, asking: AskingDep
) -> Response:
    """Keep a question, then answer it, whole or as a stream that can be gone on with."""
    return await answered(await asking.ask(conversation_id, body, body.parent_id), body, request)


@router.post(
    "/messages/{message_id}/regenerate",
    summary=N_("Ask for another answer to the same question."),
    response_model=Answered,
    response_model_exclude_unset=True,
    responses=GENERATION,
    tags=["conversations"],
)
async def regenerate(
    message_id: str, body: AnswerRequest, request: Request, asking: AskingDep
) -> Response:
    """Write another answer beside the first."""
    return await answered(await asking.regenerate(message_id, body), body, request)


@router.post(
    "/messages/{message_id}/edit",
    summary=N_("Ask a question in other words."),
    response_model=Answered,
    response_model_exclude_unset=True,
    responses=GENERATION,
    tags=["conversations"],
)
async def edit(message_id: str, body: EditRequest, request: Request, asking: AskingDep) -> Response:
    """Keep other words beside the first, and answer them."""
    return await answered(await asking.edit(message_id, body), body, request)


@router.post(
    "/messages/{message_id}/continue",
    summary=N_("Have an interrupted answer gone on with."),
    response_model=Answered,
    response_model_exclude_unset=True,
    responses=GENERATION,
    tags=["conversations"],
)
async def resume(
    message_id: str, body: AnswerRequest, request: Request, asking: AskingDep
) -> Response:
    """Write on where it was cut off, in the same message; any other answer is told as it is."""
    return await answered(await asking.resume(message_id, body), body, request)


async def answered(log: Log, body: AnswerRequest, request: Request) -> Response:
    """Answer with a log as the request wants it: whole, or as a stream."""
    if body.stream:
        return streamed(log, request)
    return JSONResponse(await while_connected(request.receive, log.whole()))

"""OpenAI's endpoints, so that any OpenAI client works.

The body for the engine is made of the fields that a request may have, never of what a client sent
as it sent it. Streamed events are passed on as the engine wrote them once they were understood.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from tiza.api import sse
from tiza.api.assembly import Assembly
from tiza.api.bounds import check_generation
from tiza.api.engine import Engine
from tiza.api.engine_client import Frame, Json
from tiza.api.problems import language_of, openai_error
from tiza.api.routes import GENERATION, PROBLEMS
from tiza.api.routing import beginning_of
from tiza.api.schemas import ChatCompletionRequest, CompletionRequest
from tiza.api.sharing.sharing import Frames
from tiza.api.state import State, StateDep
from tiza.api.stats import Answer
from tiza.api.streaming import EventStream, while_connected
from tiza.api.strict_json import StrictRoute
from tiza.api.visit import Visit, VisitDep
from tiza.errors import RequestError
from tiza.translation import N_

Body = ChatCompletionRequest | CompletionRequest

CHAT, TEXT = "/v1/chat/completions", "/v1/completions"
BEGINNING_CHARS = 500  # of a text, that tell it from others
DONE = sse.message(b"[DONE]")

router = APIRouter(prefix="/v1", tags=["OpenAI"], route_class=StrictRoute)


@router.get("/models", summary=N_("List the models that are served."), responses=PROBLEMS)
async def models(state: StateDep) -> dict[str, Any]:
    """Name the models."""
    entries = [
        {"id": served.model, "object": "model", "created": 0, "owned_by": "tiza"}
        for served in await state.engines.models()
    ]
    return {"object": "list", "data": entries}


@router.post(
    "/chat/completions",
    summary=N_("Answer a conversation, whole or streamed."),
    responses=GENERATION,
)
async def chat_completions(
    body: ChatCompletionRequest, request: Request, state: StateDep, visit: VisitDep
) -> Response:
    """Answer a conversation."""
    wanted = body.max_completion_tokens or body.max_tokens
    engine_body = body.allowed() | {"messages": [message.plain() for message in body.messages]}
    if body.response_format is not None:
        engine_body["response_format"] = body.response_format.model_dump()
    return await _generate(CHAT, body, wanted, engine_body, request, state, visit)


@router.post(
    "/completions", summary=N_("Continue a text, whole or streamed."), responses=GENERATION
)
async def completions(
    body: CompletionRequest, request: Request, state: StateDep, visit: VisitDep
) -> Response:
    """Continue a text."""
    engine_body = body.allowed() | {"prompt": body.prompt}
    return await _generate(TEXT, body, body.max_tokens, engine_body, request, state, visit)


async def _generate(  # noqa: PLR0917  # one call site a route
    path: str,
    body: Body,
    max_tokens: int | None,
    engine_body: Json,
    request: Request,
    state: State,
    visit: Visit,
) -> Response:
    check_generation(body, state.settings)
    engine_body["max_tokens"] = max_tokens or state.settings.default_max_tokens
    events = _Events(path, body, engine_body, state, visit, language_of(request.scope))
    if body.stream:
        return EventStream(events)
    document = await while_connected(request.receive, events.whole())
    return Response(orjson.dumps(document), media_type="application/json")


class _Events:
    """An answer told as OpenAI tells it: chunks, then `[DONE]` or an error."""

    def __init__(  # noqa: PLR0917  # one call site
        self, path: str, body: Body, engine_body: Json, state: State, visit: Visit, language: str
    ) -> None:
        self._path, self._model, self._state, self._language = path, body.model, state, language
        self._visit, self._alone = visit, visit.fresh or not _is_sharable(body)
        self._engine_body = engine_body | {
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        self._wants_usage = body.stream_options is not None and body.stream_options.include_usage
        self._answer = Answer()

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[Frames]:
        """Take what the limits allow and ask; leaving the block stops it."""
        state, answer = self._state, self._answer
        with state.stats.count(answer):
            ticket = await state.limits.take(self._visit, self._engine_body["max_tokens"])
            shared = state.sharing.stream(
                self._path, self._prepare, answer, self._beginning, alone=self._alone
            )
            with ticket.charging(answer):
                async with shared as stream:
                    self._visit.headers["X-Cache"] = answer.cache
                    yield stream

    @property
    def _beginning(self) -> str:
        body = self._engine_body
        if "messages" in body:
            return beginning_of(body["messages"])
        return str(body["prompt"][:BEGINNING_CHARS])

    async def _prepare(self, engine: Engine) -> Json:
        served = await engine.model(self._model)
        self._answer.model = served.model
        if "messages" not in self._engine_body:
            return {**self._engine_body, **served.more}
        messages, more = served.addressed(self._engine_body["messages"])
        return {**self._engine_body, "messages": messages, **more}

    async def whole(self) -> Json:
        """Read the answer to its end and return it as one document."""
        assembly = Assembly(chat=self._path == CHAT)

        def add(frames: list[Frame]) -> None:
            for _, event in frames:
                self._is_for_client(event)
                assembly.add(event)

        async with self.answering() as stream:
            await stream.read(add)
        return assembly.document() | {"model": self._answer.model}

    def opening(self) -> bytes:
        """Write nothing: the first chunk opens."""
        return b""

    def event(self, frames: list[Frame]) -> bytes:
        """Pass the chunks on, all but the token counts that the client did not ask for."""
        return b"".join([self._message(f) for f in frames if self._is_for_client(f[1])])

    def _message(self, frame: Frame) -> bytes:
        """Pass a chunk on as it came, unless it names the base where an adapter answers."""
        raw, event = frame
        if event.get("model", self._answer.model) != self._answer.model:
            raw = orjson.dumps(event | {"model": self._answer.model})
        return sse.message(raw)

    def _is_for_client(self, event: Json) -> bool:
        if usage := event.get("usage"):
            self._answer.take_usage(usage)
        if event["choices"]:
            self._answer.saw_token()
            return True
        return self._wants_usage

    def ending(self) -> bytes:
        """Write `[DONE]`."""
        return DONE

    def failure(self, error: RequestError) -> bytes:
        """Write an event that OpenAI's clients raise as an APIError."""
        problem = openai_error(error, error.message(self._language))
        return sse.message(orjson.dumps({"error": problem}))


def _is_sharable(body: Body) -> bool:
    """Tell whether another's answer to the same will do: one question, nothing before it.

    A program that names a temperature draws on purpose; without one it takes the engine's way.
    """
    if isinstance(body, CompletionRequest) or body.temperature:
        return False
    roles = [message.role for message in body.messages]
    return roles.count("user") == 1 and roles[-1] == "user" and "assistant" not in roles

"""OpenAI's endpoints, so that any OpenAI client works.

The body for the engine is made of the fields that a request may have, never of what a client sent
as it sent it. Streamed events are passed on as the engine wrote them once they were understood.
"""

from collections.abc import AsyncGenerator
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from tiza.api import sse
from tiza.api.bounds import check_generation
from tiza.api.engine_client import Frame, Json
from tiza.api.problems import language_of, openai_error
from tiza.api.routes import PROBLEMS
from tiza.api.schemas import ChatCompletionRequest, CompletionRequest
from tiza.api.state import State, StateDep
from tiza.api.stats import Answer
from tiza.api.streaming import EventStream, while_connected
from tiza.errors import EngineError, RequestError

DONE = sse.message(b"[DONE]")

router = APIRouter(prefix="/v1", tags=["OpenAI"])


@router.get("/models", responses=PROBLEMS)
async def models(state: StateDep) -> dict[str, Any]:
    """List the models that are served."""
    entries = [
        {"id": served.model, "object": "model", "created": 0, "owned_by": "tiza"}
        for served in await state.models()
    ]
    return {"object": "list", "data": entries}


@router.post("/chat/completions", responses=PROBLEMS)
async def chat_completions(
    body: ChatCompletionRequest, request: Request, state: StateDep
) -> Response:
    """Answer a conversation, whole or streamed."""
    wanted = body.max_completion_tokens or body.max_tokens
    engine_body = body.allowed() | {"messages": [message.plain() for message in body.messages]}
    if body.response_format is not None:
        engine_body["response_format"] = body.response_format.model_dump()
    return await _generate("/v1/chat/completions", body, wanted, engine_body, request, state)


@router.post("/completions", responses=PROBLEMS)
async def completions(body: CompletionRequest, request: Request, state: StateDep) -> Response:
    """Continue a text, whole or streamed."""
    engine_body = body.allowed() | {"prompt": body.prompt}
    return await _generate("/v1/completions", body, body.max_tokens, engine_body, request, state)


async def _generate(  # noqa: PLR0917  # one call site a route
    path: str,
    body: ChatCompletionRequest | CompletionRequest,
    max_tokens: int | None,
    engine_body: Json,
    request: Request,
    state: State,
) -> Response:
    check_generation(body, state.settings)
    engine_body["max_tokens"] = max_tokens or state.settings.default_max_tokens
    if not body.stream:
        document = await while_connected(
            request.receive, _whole(path, body.model, engine_body, state)
        )
        return Response(orjson.dumps(document), media_type="application/json")
    engine_body |= {"stream": True, "stream_options": {"include_usage": True}}
    wants_usage = body.stream_options is not None and body.stream_options.include_usage

    def failure(error: RequestError) -> bytes:
        detail = error.message(language_of(request.scope))
        return sse.message(orjson.dumps({"error": openai_error(error, detail)}))

    events = _events(path, body.model, engine_body, state, wants_usage=wants_usage)
    return EventStream(events, lambda: b"", failure)


async def _whole(path: str, model: str, body: Json, state: State) -> Json:
    answer = Answer()
    with state.stats.count(answer):
        async with state.admission.place():
            answer.model = (await state.model(model)).model
            document = await state.engine.complete(path, body)
            if not isinstance(document.get("choices"), list):
                raise EngineError(reason="an answer without choices")
            answer.take_usage(document.get("usage"))
            return document


async def _events(
    path: str, model: str, body: Json, state: State, *, wants_usage: bool
) -> AsyncGenerator[bytes]:
    answer = Answer()
    with state.stats.count(answer):
        async with state.admission.place():
            answer.model = (await state.model(model)).model
            async with await state.engine.stream(path, body) as stream:
                async for frames in stream:
                    if passed := _pass_on(frames, answer, wants_usage=wants_usage):
                        yield passed
        yield DONE


def _pass_on(frames: list[Frame], answer: Answer, *, wants_usage: bool) -> bytes:
    """Return the frames for the client: all but the token counts that it did not ask for."""
    passed = []
    for frame in frames:
        if usage := frame.json.get("usage"):
            answer.take_usage(usage)
        if frame.json["choices"]:
            answer.saw_token()
        elif not wants_usage:
            continue
        passed.append(sse.message(frame.raw))
    return b"".join(passed)

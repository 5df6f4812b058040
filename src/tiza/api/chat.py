"""From a chat request to an answer: the prompt, the generation, and its events.

One path for both forms: a plain answer is a stream that was read to its end. Knows the engine's
protocol and the words of our events; knows nothing of HTTP.
"""

import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson

from tiza.api import sse
from tiza.api.bounds import check_chat
from tiza.api.context import Message, Prompt, fit
from tiza.api.engine import Engine
from tiza.api.engine_client import Frame, Json
from tiza.api.limits.limits import Ticket
from tiza.api.schemas import ChatRequest, Turn
from tiza.api.sharing.sharing import Frames
from tiza.api.state import State
from tiza.api.stats import Answer
from tiza.api.visit import Visit
from tiza.errors import EngineError, RequestError

CHAT = "/v1/chat/completions"
ANSWER_IN = {"en": "Answer in English.", "es": "Responde en español."}


def now() -> str:
    """Return the time in UTC as the contract writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def _nobody(_state: Mapping[str, Any]) -> None:
    pass


class Generation:
    """One answer in the making, for one visit.

    `ticket`: permission that was taken before. `fresh`: another's answer will not do.
    """

    def __init__(
        self,
        request: ChatRequest,
        state: State,
        visit: Visit,
        ticket: Ticket | None = None,
        *,
        fresh: bool = False,
    ) -> None:
        self._request, self._state, self._visit = request, state, visit
        self._ticket, self._fresh = ticket, fresh or visit.fresh
        self._answer = Answer()
        self._texts: list[str] = []
        self._finish_reason = "stop"
        self._truncated = False
        self._begun = ""
        self.tell: Callable[[Mapping[str, Any]], None] = (
            _nobody  # what is known of an answer before its text
        )

    @property
    def is_cached(self) -> bool:
        """Tell whether it was not generated for this visit."""
        return self._answer.cache != "miss"

    @property
    def model(self) -> str:
        """The model that answers; until the engine was asked, the one that is expected to."""
        return self._answer.model or self._request.model or self._state.engines.expected_model

    def remember(self, turns: list[Turn], *, complete: bool, begun: str = "") -> None:
        """Take the history from elsewhere than the request; not `complete`: it was cut.

        The answer goes on after what was `begun` of it.
        """
        self._request = self._request.model_copy(update={"conversation_history": turns})
        self._truncated = not complete
        self._begun = begun
        self._texts = [begun] if begun else []

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[Frames]:
        """Take what the limits allow, fit the conversation, ask; leaving the block stops it.

        Raises:
            RequestError: the request cannot be answered, or the engine failed on the way.

        """
        request, state, answer = self._request, self._state, self._answer
        with state.stats.count(answer):
            check_chat(request, state.settings)
            ticket = self._ticket or await state.limits.take(self._visit, self._most_tokens)
            alone = bool(self._fresh or self._begun or request.conversation_history)
            shared = state.sharing.stream(
                CHAT,
                self._prepare,
                answer,
                self._beginning,
                alone=alone,
                told=lambda place: self.tell({"queue": place}),
            )
            with ticket.charging(answer):
                async with shared as stream:
                    self._visit.headers["X-Cache"] = answer.cache
                    if self.is_cached:
                        self.tell({"shared": True})
                    yield stream

    def settle(self) -> None:
        """Give back what an answer that never began had taken."""
        if self._ticket is not None:
            self._ticket.settle(self._answer.charged)

    @property
    def _beginning(self) -> str:
        history = self._request.conversation_history
        return history[0].content if history else self._request.message

    @property
    def _most_tokens(self) -> int:
        return self._request.max_tokens or self._state.settings.default_max_tokens

    async def whole(self) -> dict[str, Any]:
        """Read the answer to its end and return the body of the plain response."""
        async with self.answering() as stream:
            await stream.read(self._keep)
        return self.response()

    def _keep(self, frames: list[Frame]) -> None:
        self.take(frames)

    def response(self) -> dict[str, Any]:
        """Return the body of the plain answer, which is also the data of `done`."""
        prompt = self._answer.prompt_tokens
        completion = self._answer.completion_tokens or len(self._texts)
        document: dict[str, Any] = {
            "response": "".join(self._texts),
            "model": self.model,
            "tokens_used": prompt + completion,
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "latency_seconds": round(self._answer.seconds, 3),
            "timestamp": now(),
            "finish_reason": self._finish_reason,
        }
        truncated = {"truncated": True} if self._truncated else {}
        return document | truncated | ({"cached": True} if self.is_cached else {})

    async def _prepare(self, engine: Engine) -> Json:
        """Ask the engine what it serves, fit the conversation, and return the engine's body."""
        request, settings = self._request, self._state.settings
        served = await engine.model(request.model)
        self._answer.model = served.model
        messages, more = served.addressed(messages_of(request, settings.system_prompt))
        prompt: Prompt = await fit(engine.client, served, messages, self._most_tokens, self._begun)
        self._truncated = self._truncated or prompt.truncated
        warmth = request.temperature
        return {
            **prompt.more,
            "model": served.model,
            **more,
            "messages": prompt.messages,
            "max_tokens": prompt.max_tokens,
            "temperature": settings.default_temperature if warmth is None else warmth,
            "stream": True,
            "stream_options": {"include_usage": True},
        }

    def take(self, frames: list[Frame]) -> str:
        """Add what the frames bring and return their text."""
        if len(frames) == 1:
            text = self._text(frames[0][1])
        else:
            text = "".join([self._text(event) for _, event in frames])
            self._answer.pieces += len(frames) - 1
        if text:
            self._answer.saw_token()
            self._texts.append(text)
        return text

    def _text(self, event: Json) -> str:
        if usage := event.get("usage"):
            self._answer.take_usage(usage)
        if not event["choices"]:
            return ""
        choice = event["choices"][0]
        try:
            self._finish_reason = choice.get("finish_reason") or self._finish_reason
            text = choice["delta"].get("content") or ""
        except (AttributeError, KeyError, TypeError) as exc:
            raise EngineError(reason="a choice without delta") from exc
        if not isinstance(text, str):
            raise EngineError(reason="content that is not text")
        return text


class ChatEvents:
    """A generation told as `start`, `token`…, and one `done` or `error`, with ids that count up."""

    def __init__(self, generation: Generation, describe: Callable[[RequestError], str]) -> None:
        self._generation, self._describe = generation, describe
        self.answering = generation.answering
        self._id = 0

    def opening(self) -> bytes:
        """Write `start`."""
        document = {"model": self._generation.model, "stream_id": secrets.token_hex(16)}
        return sse.event(1, b"start", orjson.dumps(document))

    def event(self, frames: list[Frame]) -> bytes:
        """Write `token`, if the frames have text."""
        text = self._generation.take(frames)
        return self._next(b"token", {"text": text}) if text else b""

    def ending(self) -> bytes:
        """Write `done`."""
        return self._next(b"done", self._generation.response())

    def failure(self, error: RequestError) -> bytes:
        """Write `error`."""
        detail = self._describe(error)
        document = {"code": error.code, "detail": detail, "retryable": error.retryable}
        return self._next(b"error", document)

    def _next(self, name: bytes, document: dict[str, Any]) -> bytes:
        self._id += 1
        return sse.event(self._id + 1, name, orjson.dumps(document))  # 1 is the start


def messages_of(request: ChatRequest, system_prompt: str) -> list[Message]:
    """Return the whole conversation, the server's system prompt first."""
    if request.language:
        system_prompt = f"{system_prompt} {ANSWER_IN[request.language]}"
    history = [{"role": t.role, "content": t.content} for t in request.conversation_history]
    question = {"role": "user", "content": request.message}
    return [{"role": "system", "content": system_prompt}, *history, question]

"""One answer being generated, whoever listens: from the engine into its log, to exactly one end.

Knows how an answer can end and what that means to its readers and to the store; knows neither.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Literal

import structlog

from tiza.api.problems import note
from tiza.api.streams.log import Document, End, Log
from tiza.api.streams.told import names_of, start_of
from tiza.errors import (
    Draining,
    InternalError,
    Interrupted,
    RequestError,
    StoreBusy,
    StoreFull,
    StoreUnavailable,
)
from tiza.store.records import Message, Outcome

if TYPE_CHECKING:
    from tiza.api.chat import Generation  # it knows the state, which knows the streams

Remember = Callable[["Generation"], Awaitable[None]]  # tells a generation what was said before
STORE_AWAY = (StoreUnavailable, StoreBusy, StoreFull)
STORE_TRIES, STORE_RETRY_SECONDS = 30, 1.0
Cut = Literal["stopped", "interrupted"]

log = structlog.get_logger("tiza.api")


class Answering:
    """Generates into a log from the moment it is made; `cut` ends it early.

    `saved` is how much of the text the store has, `heard` when somebody last listened
    (`time.monotonic`).
    """

    def __init__(
        self, person_id: int, answer: Message, generation: "Generation", remember: Remember
    ) -> None:
        self.person_id, self.answer = person_id, answer
        self.log = Log(start_of(answer))
        self.log.add_missing(answer.text)  # where it is gone on with
        self.saved, self.heard = self.log.length, time.monotonic()
        self._generation, self._remember = generation, remember
        generation.tell = self.log.tell
        self._cut: Cut = "interrupted"
        self._work = asyncio.create_task(self._generate())

    def cut(self, how: Cut) -> None:
        """Stop generating. An answer that has just become whole stays whole."""
        if not self._work.done():
            self._cut = how
            self._work.cancel()

    async def result(self) -> tuple[Outcome, End]:
        """Wait for the end; return it as the store and as the readers are told."""
        await asyncio.wait({self._work})
        self._generation.settle()
        facts = {**self._generation.response(), **names_of(self.answer)}
        if self._work.cancelled():
            if self._cut == "stopped":
                facts["finish_reason"] = "stopped"
                return _outcome("stopped", facts), End(facts)
            return _outcome("interrupted", facts), End(error=Interrupted())
        error = self._work.exception()
        if error is None:
            return _outcome("complete", facts), End(facts)
        if not isinstance(error, RequestError):
            log.error("bug", exc_info=error)
            error = InternalError()
        return self._failed(error, facts)

    async def _generate(self) -> None:
        await self._remember_patiently()
        take, append = self._generation.take, self.log.append
        async with self._generation.answering() as stream:
            while frames := await stream.read():
                if text := take(frames):
                    append(text)

    async def _remember_patiently(self) -> None:
        """Wait for a store that has gone since it took the question."""
        for _ in range(STORE_TRIES):
            try:
                return await self._remember(self._generation)
            except STORE_AWAY:
                await asyncio.sleep(STORE_RETRY_SECONDS)
        return await self._remember(self._generation)

    def _failed(self, error: RequestError, facts: Document) -> tuple[Outcome, End]:
        """Tell what was begun, which can be gone on with, from what never began."""
        note(error)
        begun = self.log.length > 0
        if begun and isinstance(error, Draining):
            error = Interrupted()
        state: Literal["interrupted", "failed"] = "interrupted" if begun else "failed"
        return _outcome(state, facts, error.code), End(error=error)


def _outcome(
    state: Literal["complete", "stopped", "interrupted", "failed"],
    facts: Document,
    error: str = "",
) -> Outcome:
    return Outcome(
        state=state,
        text=facts["response"],
        model=facts["model"],
        prompt_tokens=facts["prompt_tokens"],
        completion_tokens=facts["completion_tokens"],
        latency_seconds=facts["latency_seconds"],
        finish_reason=facts["finish_reason"] if state in ("complete", "stopped") else "",
        truncated=facts.get("truncated", False),
        cached=facts.get("cached", False),
        error=error,
    )

"""A faulty engine in a thread of its own; tests dictate its answers while a browser reads them."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from tests.api.faulty_engine import (
    DONE,
    MODEL,
    Exchange,
    Fault,
    FaultyEngine,
    Json,
    frame,
    well_behaved,
)

PATIENCE = 10.0

Step = Callable[[Exchange], Awaitable[None]]


class Script:
    """An answer in the test's hands: every piece leaves when the test says so."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._steps: asyncio.Queue[Step | None] = asyncio.Queue()

    async def fault(self, exchange: Exchange) -> None:
        """Answer as dictated."""
        await exchange.head()
        while step := await self._steps.get():
            await step(exchange)

    def say(self, *pieces: str) -> None:
        """Send pieces of text."""
        self._add(lambda exchange: send_pieces(exchange, pieces))

    def finish(self) -> None:
        """End the answer in good manners."""
        self._add(send_end)
        self._add(None)

    def breaks_off(self) -> None:
        """Tear the connection down."""
        self._add(reset)
        self._add(None)

    def _add(self, step: Step | None) -> None:
        self._loop.call_soon_threadsafe(self._steps.put_nowait, step)


async def send_pieces(exchange: Exchange, pieces: Sequence[str]) -> None:
    """Send each piece as a token, one chunk each."""
    for piece in pieces:
        choice = {"index": 0, "delta": {"content": piece}, "finish_reason": None}
        await exchange.chunk(frame({"choices": [choice]}))


async def send_end(exchange: Exchange) -> None:
    """Send what follows the last token."""
    for event in [*exchange.frames([]), DONE, b""]:
        await exchange.chunk(event)


async def reset(exchange: Exchange) -> None:
    """Reset the connection."""
    exchange.reset()


def says(*pieces: str) -> Fault:
    """Answer with these tokens, well-behaved."""

    async def fault(exchange: Exchange) -> None:
        await exchange.head()
        await send_pieces(exchange, pieces)
        await send_end(exchange)

    return fault


def refuses(status: int, **headers: str) -> Fault:
    """Answer with an error status."""

    async def fault(exchange: Exchange) -> None:
        await exchange.reply({"error": {"message": "no"}}, status, **headers)

    return fault


async def hangs(exchange: Exchange) -> None:
    """Take the request and say nothing."""
    await asyncio.Event().wait()


class ScriptedEngine:
    """Runs until `close`; `will` and `script` decide how it answers the next questions."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._engine = FaultyEngine()
        self.comes()

    @property
    def url(self) -> str:
        """The address for VLLM_API_URL."""
        return self._engine.url

    @property
    def generating(self) -> int:
        """How many answers it is writing now."""
        return self._engine.generating

    def bodies(self) -> list[Json]:
        """Return the generation requests so far."""
        return self._engine.bodies()

    def will(self, fault: Fault) -> None:
        """Answer the next questions in this way."""
        self._engine.fault = fault

    def is_named(self, model: str) -> None:
        """Serve under this name from now on."""
        self._engine.model = model

    def script(self) -> Script:
        """Answer the next question as the test dictates."""
        script = Script(self._loop)
        self.will(script.fault)
        return script

    def goes(self) -> None:
        """Close port and connections, as a process does that ends."""
        self._run(self._engine.stop())

    def comes(self) -> None:
        """Listen, on the same port as before."""
        self._run(self._engine.listen())

    def forget(self) -> None:
        """Be as at the beginning: well-behaved, without a memory."""
        self.will(well_behaved)
        self.is_named(MODEL)
        self._engine.requests.clear()

    def close(self) -> None:
        """End the engine and its thread."""
        self.goes()
        self._run(_cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)

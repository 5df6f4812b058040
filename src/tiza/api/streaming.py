"""Answers that outlive one `await`: event streams, and work that ends when its client leaves.

Written to ASGI directly (no BaseHTTPMiddleware, no task per event). Knows nothing of chats.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tiza.api.sse import PING
from tiza.errors import InternalError, RequestError

PING_SECONDS = 15.0
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]

T = TypeVar("T")
Events = AsyncGenerator[bytes]


async def while_connected(receive: Receive, work: Awaitable[T]) -> T | None:
    """Do the work; if the client leaves, cancel it and return None."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        return await task if task.done() else None
    finally:
        for pending in (task, gone):
            pending.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class EventStream(Response):
    """Sends events as they come, with pings in silence, and exactly one end.

    `opening` is sent with the status, once there is a first event or after PING_SECONDS of waiting:
    an error before that is an ordinary answer with its own status; one after it is the event that
    `failure` writes.
    """

    def __init__(
        self, events: Events, opening: Callable[[], bytes], failure: Callable[[RequestError], bytes]
    ) -> None:
        super().__init__()
        self._events, self._opening, self._failure = events, opening, failure
        self._started = self._sending = False
        self._last = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI
        """Stream to the client until the events end or the client leaves."""
        await while_connected(receive, self._stream(send))

    async def _stream(self, send: Send) -> None:
        self._last = asyncio.get_running_loop().time()
        pings = asyncio.create_task(self._ping(send))
        try:
            async with aclosing(self._events) as events:
                async for event in events:
                    await self._write(send, event)
        except RequestError as exc:
            if not self._started:
                raise
            await self._write(send, self._failure(exc))
        except Exception:
            if self._started:
                await self._write(send, self._failure(InternalError()))
            raise
        finally:
            pings.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _write(self, send: Send, event: bytes) -> None:
        self._sending = True
        if not self._started:
            self._started = True
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            event = self._opening() + event
        await send({"type": "http.response.body", "body": event, "more_body": True})
        self._last = asyncio.get_running_loop().time()
        self._sending = False

    async def _ping(self, send: Send) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._last + PING_SECONDS - loop.time())
            if not self._sending and loop.time() >= self._last + PING_SECONDS:
                await self._write(send, PING)

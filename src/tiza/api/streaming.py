"""Answers that outlive one `await`: event streams, and work that ends when its client leaves.

Written to ASGI directly: a token is sent from where it arrives, without a turn of the event loop;
only where the client is slow, it waits. Knows nothing of chats.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Generic, Protocol, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tiza.api.problems import note
from tiza.api.sse import PING
from tiza.errors import InternalError, RequestError

PING_SECONDS = 15.0
STALLED_SECONDS = 60.0  # for how long a client may leave what was sent to it unread
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
LAST = {"type": "http.response.body", "body": b"", "more_body": False}
DIRECT_SEND = "tiza.direct_send"

T = TypeVar("T")
Taken = TypeVar("Taken")
Portion = TypeVar("Portion")
Portion_co = TypeVar("Portion_co", covariant=True)


class Portions(Protocol[Portion_co]):
    """What is read of an answer, portion by portion."""

    async def read(self, take: Callable[[Portion_co], Taken]) -> Taken | None:
        """Hand portions to `take` in the moment in which they come.

        Returns what `take` returns, as soon as that is true, and None at the end.
        """


class Events(Protocol[Portion]):
    """How an answer is told as events. `answering` holds all that the answer needs."""

    def answering(self) -> AbstractAsyncContextManager[Portions[Portion]]:
        """Begin to read the answer; leaving the block ends that."""

    def opening(self) -> bytes:
        """Write what comes before everything."""

    def event(self, portion: Portion, /) -> bytes:
        """Write what the portion means to the client; may be nothing."""

    def ending(self) -> bytes:
        """Write the end of an answer that is whole."""

    def failure(self, error: RequestError) -> bytes:
        """Write the end of an answer that is not."""


async def while_connected(receive: Receive, work: Awaitable[T]) -> T | None:
    """Do the work; if the client leaves, cancel it and return None."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() and not task.cancelled() else None
    finally:
        for pending in (task, gone):
            pending.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class EventStream(Response, Generic[Portion]):
    """Sends events as they come, with pings in silence, and exactly one end.

    The status goes out with the first event, or after PING_SECONDS of waiting: an error before that
    is an ordinary answer with its own status, one after it is an event. With `at_once` it waits for
    nothing.
    """

    def __init__(self, events: Events[Portion], *, at_once: bool = False) -> None:
        super().__init__()
        self._events, self._at_once = events, at_once
        self._started = self._sending = False
        self._last = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream to the client until the events end or the client leaves."""
        self._send, self._direct = send, scope.get(DIRECT_SEND, send)
        await while_connected(receive, self._stream())

    async def _stream(self) -> None:
        loop, events = asyncio.get_running_loop(), self._events
        self._last = loop.time()
        pings = asyncio.create_task(self._ping(asyncio.current_task()))
        try:
            async with events.answering() as stream:
                if self._at_once:
                    await self._write(b"")
                while event := await stream.read(self._pass_on):
                    await self._write(event)
                    self._last = loop.time()
            await self._write(events.ending())
        except RequestError as exc:
            if not self._started:
                raise
            note(exc)
            await self._write(events.failure(exc))
        except Exception:
            if self._started:
                await self._write(events.failure(InternalError()))
                await self._send(LAST)
            raise
        finally:
            pings.cancel()
        await self._send(LAST)

    def _pass_on(self, portion: Portion) -> bytes:
        """Send what a portion means; return what of it has to wait."""
        event = self._events.event(portion)
        return b"" if not event or self._write_now(event) else event

    async def _write(self, event: bytes) -> None:
        """Send an event; past the first, around the middlewares, which only look at the start."""
        self._sending = True
        if not self._started:
            self._started = True
            event = self._events.opening() + event
            await self._send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await self._direct({"type": "http.response.body", "body": event, "more_body": True})
        self._sending = False

    def _write_now(self, event: bytes) -> bool:
        """Send an event from where it is made, or say that it has to wait.

        uvicorn's `send` waits for a slow client before it writes, so nothing is sent by halves.
        """
        if self._sending or not self._started:
            return False
        sending = self._direct({"type": "http.response.body", "body": event, "more_body": True})
        try:
            sending.send(None)
        except StopIteration:
            self._last = asyncio.get_running_loop().time()
            return True
        except Exception:  # noqa: BLE001  # it happens again where it belongs: in the reader's task
            return False
        sending.close()
        return False

    async def _ping(self, stream: "asyncio.Task[None] | None") -> None:
        """Break the silence; give up on a client that no longer reads, for it holds a place."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(max(self._last + PING_SECONDS - loop.time(), PING_SECONDS / 10))
            silence = loop.time() - self._last
            if not self._sending and silence >= PING_SECONDS:
                await self._write(PING)
                self._last = loop.time()
            elif self._sending and silence >= STALLED_SECONDS and stream is not None:
                stream.cancel()

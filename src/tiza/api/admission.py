"""How many answers may be in progress at once: places, a bounded queue, and draining.

Knows nothing of HTTP or of the engine.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tiza.errors import Draining, Overloaded


class Admission:
    """At most `places` holders at once, at most `queue` waiting, each at most `seconds`."""

    def __init__(self, places: int, queue: int, seconds: float) -> None:
        self._places = asyncio.Semaphore(places)
        self._queue, self._seconds = queue, seconds
        self._holders: set[asyncio.Timeout] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self.waiting = 0
        self.draining = False

    @property
    def active(self) -> int:
        """The number of answers in progress."""
        return len(self._holders)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place for the length of the block, which `drain` may cut short.

        Raises:
            Overloaded: the queue is full, or the wait took too long.
            Draining: the process is stopping, or stopped waiting for this block.

        """
        await self._acquire()
        timeout = asyncio.timeout(None)
        try:
            async with timeout:
                self._holders.add(timeout)
                self._empty.clear()
                yield
        except TimeoutError as exc:
            if timeout.expired():
                raise Draining from exc
            raise
        finally:
            self._holders.discard(timeout)
            self._places.release()
            if not self._holders:
                self._empty.set()

    async def drain(self, seconds: float) -> None:
        """Take no new holders, wait for the present ones, and cut off those still there after."""
        self.draining = True
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            for holder in list(self._holders):
                holder.reschedule(0)
            await self._empty.wait()

    async def _acquire(self) -> None:
        if self.draining:
            raise Draining
        if self._places.locked() and self.waiting >= self._queue:
            raise Overloaded
        self.waiting += 1
        try:
            async with asyncio.timeout(self._seconds):
                await self._places.acquire()
        except TimeoutError as exc:
            raise Overloaded from exc
        finally:
            self.waiting -= 1
        if self.draining:
            self._places.release()
            raise Draining

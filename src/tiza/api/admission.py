"""How many answers may be in progress at once: places, a bounded queue, and draining.

Knows nothing of HTTP or of the engine.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from tiza.errors import Draining, Overloaded, RequestError

Told = Callable[[int], None]  # of one's place in the queue, from 1; of 0 when it is one's turn


def untold(_place: int) -> None:
    """Tell nobody."""


class Admission:
    """At most `places` holders at once, at most `queue` waiting, each at most `seconds`."""

    def __init__(self, places: int, queue: int, seconds: float) -> None:
        self._places = asyncio.Semaphore(places)
        self._queue, self._seconds = queue, seconds
        self._holders: set[asyncio.Timeout] = set()
        self._waiters: dict[asyncio.Timeout, Told] = {}  # in the order of their turns
        self._empty = asyncio.Event()
        self._empty.set()
        self.draining = False

    @property
    def active(self) -> int:
        """The number of answers in progress."""
        return len(self._holders)

    @property
    def waiting(self) -> int:
        """The number of questions in the queue."""
        return len(self._waiters)

    @asynccontextmanager
    async def place(self, told: Told = untold) -> AsyncIterator[None]:
        """Hold a place for the length of the block, which `drain` may cut short.

        Whoever has to wait is told how many go before, and whenever that changes.

        Raises:
            Overloaded: the queue is full, or the wait took too long.
            Draining: the process is stopping, or stopped waiting for this block.

        """
        await self._acquire(told)
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
        """Send away who waits, wait for the present holders, and cut off those there after that."""
        self.draining = True
        _expire(self._waiters)
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            _expire(self._holders)
            await self._empty.wait()

    def check(self) -> None:
        """Raise what `place` would raise at once."""
        if self.draining:
            raise Draining
        if self._places.locked() and self.waiting >= self._queue:
            raise Overloaded

    async def _acquire(self, told: Told) -> None:
        self.check()
        timeout = asyncio.timeout(self._seconds)
        waits = self._places.locked()
        self._waiters[timeout] = told if waits else untold
        self._waiters[timeout](self.waiting)
        try:
            async with timeout:
                await self._places.acquire()
        except TimeoutError as exc:
            raise self._refusal() from exc
        finally:
            self._waiters.pop(timeout)(0)
            for place, each in enumerate(self._waiters.values(), 1):
                each(place)
        if self.draining:
            self._places.release()
            raise Draining

    def _refusal(self) -> RequestError:
        return Draining() if self.draining else Overloaded()


def _expire(timeouts: Iterable[asyncio.Timeout]) -> None:
    for timeout in timeouts:
        if not timeout.expired():
            timeout.reschedule(0)

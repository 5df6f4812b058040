"""A clock for tests: whoever waits is called back at once, and the clock says it took as long."""

import asyncio
import heapq
from collections.abc import Callable


class HurriedClock:
    """Goes forward only when somebody waits; those who wait are called in the order of time."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._count = 0
        self._watched: list[tuple[float, asyncio.Event]] = []

    def time(self) -> float:
        """Return the seconds since it was made."""
        return self.now

    def call_later(self, delay: float, callback: Callable[[], object], /) -> None:
        """Call back soon."""
        self._count += 1
        heapq.heappush(self._due, (self.now + delay, self._count, callback))
        asyncio.get_running_loop().call_soon(self._next)

    async def reached(self, moment: float) -> None:
        """Wait until it is so late, without making it later."""
        passed = asyncio.Event()
        self._watched.append((moment, passed))
        await passed.wait()

    def _next(self) -> None:
        due, _, callback = heapq.heappop(self._due)
        self.now = max(self.now, due)
        for moment, passed in self._watched:
            if self.now >= moment:
                passed.set()
        callback()

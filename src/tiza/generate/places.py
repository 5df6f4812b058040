"""Where thousands of tasks wait for their turn at the teacher.

`rate` says how many may go at once. Knows nothing of what they ask.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from tiza.generate.rate import Place, Rate


class Clock(Protocol):
    """What is used of the event loop's clock; tests have one that does not make them wait."""

    def time(self) -> float:
        """Return the seconds since some moment."""

    def call_later(self, delay: float, callback: Callable[[], object], /) -> object:
        """Call back after that many seconds."""


class Places:
    """Hands out places in the order in which they were asked for; nobody polls."""

    def __init__(self, clock: Clock) -> None:
        self.rate = Rate()
        self._clock = clock
        self._waiting: deque[asyncio.Future[Place]] = deque()
        self._wakes_at = 0.0

    async def take(self, *, again: bool = False) -> Place:
        """Wait for a place; who asks `again`, after a failure, goes before those who are new."""
        turn: asyncio.Future[Place] = asyncio.get_running_loop().create_future()
        if again:
            self._waiting.appendleft(turn)
        else:
            self._waiting.append(turn)
        self._hand_out()
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.drop()
            raise

    def answer(self, place: Place) -> None:
        """Give a place back after an answer."""
        self.rate.answered(place, self._clock.time())
        self._hand_out()

    def refuse(self, place: Place, pause: float) -> None:
        """Give a place back after a refusal; nobody is sent for `pause` seconds."""
        self.rate.refused(place, self._clock.time(), pause)
        self._hand_out()

    def lose(self, place: Place) -> None:
        """Give a place back after a time-out or a broken connection."""
        self.rate.lost(place, self._clock.time())
        self._hand_out()

    def drop(self) -> None:
        """Give a place back that tells nothing about the teacher."""
        self.rate.dropped()
        self._hand_out()

    async def pause(self, seconds: float) -> None:
        """Wait without a place."""
        over = asyncio.Event()
        self._clock.call_later(seconds, over.set)
        await over.wait()

    def _hand_out(self) -> None:
        now = self._clock.time()
        while self._waiting and self.rate.free(now):
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(self.rate.send(now))
        if self._waiting and now < self.rate.held_until != self._wakes_at:
            self._wakes_at = self.rate.held_until
            self._clock.call_later(self._wakes_at - now, self._hand_out)

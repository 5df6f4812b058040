"""A teacher of known capacity in a simulated world, where an hour takes a second."""

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from tiza.generate.rate import Place, Rate

ON_THE_WAY = 0.001  # seconds, each way


@dataclass
class World:
    """Sends requests whenever `rate` has a place; answers them as a teacher would.

    `capacity` maps seconds to a number at once. What is beyond it queues, or, where the teacher
    `refuses`, gets a 429 with `pause` in Retry-After. `spread`: sigma of the answers' times, which
    are lognormal.
    """

    capacity: Callable[[float], int]
    delay: float = 0.5
    refuses: bool = False
    pause: float = 0.0
    spread: float = 0.0
    rate: Rate = field(default_factory=Rate)
    now: float = 0.0
    busy_seconds: float = 0.0
    queue_seconds: float = 0.0
    answers: int = 0
    refusals: int = 0

    def __post_init__(self) -> None:
        self._events: list[tuple[float, int, str, Place | None]] = []
        self._numbers, self._random = count(), random.Random(1)  # noqa: S311  # no secret
        self._queue: deque[Place | None] = deque()
        self._working = 0
        self._after(0, "wake", None)

    def run(self, seconds: float) -> tuple[float, float]:
        """Go on for so long; return the busy share of the capacity, and the mean queue."""
        begun, end, busy, queued = (
            self.now,
            self.now + seconds,
            self.busy_seconds,
            self.queue_seconds,
        )
        room = 0.0
        while self._events[0][0] < end:
            then, _, event, place = heapq.heappop(self._events)
            passed, capacity = then - self.now, self.capacity(self.now)
            self.busy_seconds += min(self._working, capacity) * passed
            self.queue_seconds += len(self._queue) * passed
            room += capacity * passed
            self.now = then
            self._happen(event, place)
        return (self.busy_seconds - busy) / room, (self.queue_seconds - queued) / (self.now - begun)

    def _happen(self, event: str, place: Place | None) -> None:
        if event == "arrive":
            self._arrive(place)
        elif event == "done":
            self._working -= 1
            self._after(ON_THE_WAY, "answer", place)
            while self._queue and self._working < self.capacity(self.now):
                self._work(self._queue.popleft())
        elif event == "answer" and place is not None:
            self.answers += 1
            self.rate.answered(place, self.now)
        elif event == "refusal" and place is not None:
            self.refusals += 1
            self.rate.refused(place, self.now, self.pause)
        self._send()

    def _arrive(self, place: Place | None) -> None:
        if self._working < self.capacity(self.now):
            self._work(place)
        elif self.refuses:
            self._after(ON_THE_WAY, "refusal", place)
        else:
            self._queue.append(place)

    def _work(self, place: Place | None) -> None:
        self._working += 1
        sigma = self.spread
        self._after(self.delay * self._random.lognormvariate(-(sigma**2) / 2, sigma), "done", place)

    def _send(self) -> None:
        while self.rate.free(self.now):
            self._after(ON_THE_WAY, "arrive", self.rate.send(self.now))
        if self.rate.held_until > self.now:
            self._after(self.rate.held_until - self.now, "wake", None)

    def _after(self, seconds: float, event: str, place: Place | None) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._numbers), event, place))

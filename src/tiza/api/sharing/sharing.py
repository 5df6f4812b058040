"""Where answers come from: the engine, another's answer that is being written, or the cache.

Whatever it is, it is read like the engine's own stream, so nobody above needs to know. Only
questions without anything before them are shared; see `question` for when two are the same.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from tiza.api.admission import Admission, Told, untold
from tiza.api.engine_client import EngineStream, Frame, Json
from tiza.api.engines import Engine, Engines, Prepare
from tiza.api.sharing.cache import Cache
from tiza.api.sharing.flight import Flight
from tiza.api.sharing.question import key_of
from tiza.api.stats import Answer
from tiza.api.streaming import Portions
from tiza.errors import Draining

Frames = Portions[list[Frame]]


class Sharing:
    """The answers of one process that more than one may read. Use as an async context manager."""

    def __init__(self, seconds: float, admission: Admission, engines: Engines) -> None:
        self._admission, self._engines = admission, engines
        self._cache = Cache(seconds)
        self._flights: dict[bytes, Flight] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await asyncio.gather(*[flight.stop() for flight in self._flights.values()])

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        prepare: Prepare,
        answer: Answer,
        *,
        alone: bool,
        told: Told = untold,
    ) -> AsyncIterator[Frames]:
        """Read the answer to what `prepare` makes; note in `answer` whose it is.

        `alone`: nothing but an answer of one's own will do. `told`: of the place in the queue.
        """
        if alone:
            async with self._asked(path, prepare, told) as stream:
                yield stream
            return
        if self._admission.draining:
            raise Draining
        engine, body = await self._engines.prepared(prepare)
        key = key_of(engine.serving, path, body)
        if frames := self._cache.get(key):
            answer.cache, answer.pays = "hit", False
            yield _Whole(frames)
            return
        if flight := self._flights.get(key):
            answer.cache, answer.pays = "shared", False
        else:
            flight = self._begin(key, path, _Prepared(engine, body, prepare))
        reader = flight.join(told)
        try:
            yield reader
        finally:
            answer.pays = flight.leave(reader)
            if flight.is_deserted:
                self._forget(key, flight)

    def _begin(self, key: bytes, path: str, prepared: "_Prepared") -> Flight:
        def landed(flight: Flight) -> None:
            self._forget(key, flight)
            if flight.is_whole and prepared.as_expected:
                self._cache.put(key, [frame for piece in flight.pieces for frame in piece])

        def told(place: int) -> None:
            flight.waits(place)

        flight = Flight(self._asked(path, prepared, told), landed)
        self._flights[key] = flight
        return flight

    def _forget(self, key: bytes, flight: Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    @asynccontextmanager
    async def _asked(self, path: str, prepare: Prepare, told: Told) -> AsyncIterator[EngineStream]:
        """Ask the engine, in a place of its own."""
        async with self._admission.place(told), self._engines.stream(path, prepare) as stream:
            yield stream


class _Prepared:
    """A body for the engine that it was made for; for another, one that is made anew.

    Another comes only where the first has gone in that moment; what it says is not kept, as the
    key speaks of the first.
    """

    def __init__(self, engine: Engine, body: Json, prepare: Prepare) -> None:
        self._engine, self._body, self._prepare = engine, body, prepare
        self.as_expected = True

    async def __call__(self, engine: Engine) -> Json:
        """Return the body."""
        if engine is self._engine:
            return self._body
        self.as_expected = False
        return await self._prepare(engine)


class _Whole:
    """An answer that is there, read like one that comes."""

    def __init__(self, frames: list[Frame]) -> None:
        self._frames = frames

    async def read(self) -> list[Frame]:
        """Return all of it, then nothing."""
        frames, self._frames = self._frames, []
        return frames

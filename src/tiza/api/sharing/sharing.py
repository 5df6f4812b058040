"""Where answers come from: the engine, another's answer that is being written, or the cache.

Whatever it is, it is read like the engine's own stream, so nobody above needs to know. Only
questions without anything before them are shared; see `question` for when two are the same.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Self, TypeVar

from tiza.api.admission import Admission, Told, untold
from tiza.api.engine import Engine, Prepare
from tiza.api.engine_client import EngineStream, Frame, Json
from tiza.api.engines import Engines
from tiza.api.sharing.cache import Cache
from tiza.api.sharing.flight import Flight
from tiza.api.sharing.question import key_of
from tiza.api.stats import Answer
from tiza.api.streaming import Portions
from tiza.errors import Draining
from tiza.settings import Settings

if TYPE_CHECKING:
    from tiza.api.sharing.shared import Shared  # loads redis, which is needed only with REDIS_URL

T = TypeVar("T")
Frames = Portions[list[Frame]]


class Sharing:
    """The answers of one process that more than one may read. Use as an async context manager."""

    def __init__(self, settings: Settings, admission: Admission, engines: Engines) -> None:
        self._settings, self._admission, self._engines = settings, admission, engines
        self._cache = Cache(settings.response_cache_ttl)
        self._flights: dict[bytes, Flight] = {}
        self._shared: Shared | None = None
        self._keeping: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        settings = self._settings
        if settings.response_cache_ttl and (url := settings.redis_url.get_secret_value()):
            from tiza.api.sharing.shared import Shared

            self._shared = Shared(url, settings.response_cache_ttl)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await asyncio.gather(*[flight.stop() for flight in self._flights.values()])
        await asyncio.gather(*self._keeping)
        if self._shared is not None:
            await self._shared.close()

    @property
    def cached_bytes(self) -> int:
        """The size of what is kept."""
        return self._cache.size

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        prepare: Prepare,
        answer: Answer,
        beginning: str,
        *,
        alone: bool,
        told: Told = untold,
    ) -> AsyncIterator[Frames]:
        """Read the answer to what `prepare` makes; note in `answer` whose it is.

        `beginning`: of the conversation, see `routing`. `alone`: nothing but an answer of one's own
        will do. `told`: of the place in the queue.
        """
        if self._admission.draining:
            raise Draining
        if alone:
            key, flight = b"", Flight(self._asked(path, prepare, beginning, told), _landed)
        else:
            engine, body = await self._engines.prepared(prepare, beginning)
            key = key_of(engine.serving, path, body)
            if frames := self._cache.get(key) or await self._kept_elsewhere(key):
                answer.cache, answer.pays = "hit", False
                yield _Whole(frames)
                return
            if flying := self._flights.get(key):
                answer.cache, answer.pays = "shared", False
            flight = flying or self._begin(key, path, _Prepared(engine, body, prepare), beginning)
        reader = flight.join(told)
        try:
            yield reader
        finally:
            answer.pays = flight.leave(reader)
            if flight.is_deserted:
                self._forget(key, flight)

    def _begin(self, key: bytes, path: str, prepared: "_Prepared", beginning: str) -> Flight:
        def landed(flight: Flight) -> None:
            self._forget(key, flight)
            if flight.is_whole and prepared.as_expected:
                self._keep(key, flight.pieces)

        def told(place: int) -> None:
            flight.waits(place)

        asked = self._asked(path, prepared, beginning, told, prepared.engine)
        flight = Flight(asked, landed)
        self._flights[key] = flight
        return flight

    async def _kept_elsewhere(self, key: bytes) -> list[Frame]:
        """Return what another process has kept, unless it is being written here."""
        if self._shared is None or key in self._flights:
            return []
        return await self._shared.get(key)

    def _keep(self, key: bytes, raws: list[bytes]) -> None:
        self._cache.put(key, raws)
        if self._shared is not None:
            task = asyncio.create_task(self._shared.put(key, raws))
            self._keeping.add(task)
            task.add_done_callback(self._keeping.discard)

    def _forget(self, key: bytes, flight: Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    @asynccontextmanager
    async def _asked(  # two call sites
        self,
        path: str,
        prepare: Prepare,
        beginning: str,
        told: Told,
        first: Engine | None = None,
    ) -> AsyncIterator[EngineStream]:
        """Ask an engine, in a place of its own."""
        asked = self._engines.stream(path, prepare, beginning, first)
        async with self._admission.place(told), asked as stream:
            yield stream


def _landed(_flight: Flight) -> None:
    """Keep nothing: it was one person's alone."""


class _Prepared:
    """A body for the engine that it was made for; for another, one that is made anew.

    Another comes only where the first has gone in that moment; what it says is not kept, as the
    key speaks of the first.
    """

    def __init__(self, engine: Engine, body: Json, prepare: Prepare) -> None:
        self.engine, self._body, self._prepare = engine, body, prepare
        self.as_expected = True

    async def __call__(self, engine: Engine) -> Json:
        """Return the body."""
        if engine is self.engine:
            return self._body
        self.as_expected = False
        return await self._prepare(engine)


class _Whole:
    """An answer that is there, read like one that comes."""

    def __init__(self, frames: list[Frame]) -> None:
        self._frames = frames

    async def read(self, take: Callable[[list[Frame]], T]) -> T | None:
        """Hand all of it over, then nothing."""
        frames, self._frames = self._frames, []
        return take(frames) if frames else None

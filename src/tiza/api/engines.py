"""The engines of now, and those that still write answers which began with them.

Where they are, and which models they serve, comes from VLLM_API_URL, which may name several that
serve the same, or from a file that names one and may change at any time (`engines.serving`).
Without a file an engine tells of its adapters itself, and MODEL_PATH or the store which one is
active. Each request looks once, at its beginning, and keeps the engine it found. Knows no chat.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Self

import structlog

from tiza.api.context import Served
from tiza.api.engine import Engine, Prepare
from tiza.api.engine_client import EngineClient, EngineStream, Json
from tiza.api.routing import ranked
from tiza.api.tracing import UNTRACED, Tracing
from tiza.api.turns import Turns
from tiza.engines.serving import Serving
from tiza.errors import EngineUnreachable
from tiza.settings import Settings

CHECK_SECONDS = 2.0  # how often each of several engines is asked how it is
HEALTH_SECONDS = 2.0  # patience for who asks about all of them

log = structlog.get_logger("tiza.api")


class Engines:
    """Where to ask. Use as an async context manager."""

    def __init__(self, settings: Settings, file: Path | None, tracing: Tracing = UNTRACED) -> None:
        self._settings, self._file, self._tracing = settings, file, tracing
        self._stamp: tuple[int, ...] = ()
        self._users: Counter[Engine] = Counter()
        self._now: Sequence[Engine] = ()
        self._away: set[EngineClient] = set()
        self._watching: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._now = [self._engine(Serving(0, url)) for url in self._settings.engine_urls]
        if len(self._now) > 1:
            self._watching = [asyncio.create_task(self._watch(each)) for each in self._now]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        for client in {engine.client for engine in (*self._now, *self._users)}:
            client.close()

    @property
    def expected_model(self) -> str:
        """The active model as last known; empty if nobody told."""
        known = (engine.expected_model for engine in self._now)
        return next((name for name in known if name), "")

    async def healthy(self) -> bool:
        """Tell whether an engine can answer questions now."""
        return any((await self.standing()).values())

    async def standing(self) -> dict[str, bool]:
        """Tell which engines of now answer, by address."""
        engines = await self._newest()
        well = await asyncio.gather(*map(self._is_well, engines))
        return {each.serving.url: up for each, up in zip(engines, well, strict=True)}

    async def models(self) -> list[Served]:
        """Return what the engine serves now; see `Engine.models`."""
        async with self._first("") as engine:
            return await engine.models()

    async def prepared(self, prepare: Prepare, beginning: str) -> tuple[Engine, Json]:
        """Return the engine for a conversation with this beginning and what it would be asked."""
        tried: list[Engine] = []
        while True:
            async with self._first(beginning, tried) as engine:
                try:
                    return engine, await prepare(engine)
                except EngineUnreachable:
                    tried.append(engine)
                    if not await self._another(engine, tried):
                        raise

    @asynccontextmanager
    async def stream(
        self, path: str, prepare: Prepare, beginning: str, first: Engine | None = None
    ) -> AsyncIterator[EngineStream]:
        """Send the body that `prepare` makes, and hold the engine's stream.

        An engine that has gone before it answered is followed by the next, or by the one that came
        after it. `first`: the engine that `prepared` has found.
        """
        tried: list[Engine] = []
        while True:
            async with self._first(beginning, tried, first) as engine, AsyncExitStack() as held:
                try:
                    stream = await engine.open(path, prepare, held)
                except EngineUnreachable:
                    tried.append(engine)
                    if not await self._another(engine, tried):
                        raise
                else:
                    yield stream
                    return

    async def as_json(self) -> Json:
        """Tell the number of the engine of now, and how many requests depend on which engine."""
        number = (await self._newest())[0].serving.number
        users = Counter(str(engine.serving.number) for engine in self._users.elements())
        return {"engine": number, "requests_by_engine": users}

    def users(self) -> dict[str, int]:
        """Tell how many requests each engine of now works on, by address."""
        return {engine.serving.url: self._users[engine] for engine in self._now}

    async def _order(self, beginning: str, tried: Sequence[Engine]) -> list[Engine]:
        """Return whom to ask, best first; who seems to be away comes last."""
        gone = {engine.client for engine in tried}
        left = [engine for engine in await self._newest() if engine.client not in gone]
        if len(left) < 2:  # noqa: PLR2004  # no choice
            return left
        order = ranked(left, beginning, self._users)
        return sorted(order, key=lambda engine: engine.client in self._away)

    @asynccontextmanager
    async def _first(
        self, beginning: str, tried: Sequence[Engine] = (), wish: Engine | None = None
    ) -> AsyncIterator[Engine]:
        """Use the first engine in order, or the wish if it is still one of now."""
        order = await self._order(beginning, tried)
        async with self._using(wish if wish is not None and wish in order else order[0]) as engine:
            yield engine

    @asynccontextmanager
    async def _using(self, engine: Engine) -> AsyncIterator[Engine]:
        """Keep an engine's client open, for the length of the block."""
        self._users[engine] += 1
        try:
            yield engine
        finally:
            self._users[engine] -= 1
            if not self._users[engine]:
                del self._users[engine]
            self._close_unused(engine.client)

    async def _another(self, gone: Engine, tried: Sequence[Engine]) -> bool:
        """Note who cannot be reached; tell whether there is somebody else to ask."""
        if self._watching:
            self._is_now(gone, away=True)
        return bool(await self._order("", tried))

    async def _watch(self, engine: Engine) -> None:
        """Find out when one of several engines goes and comes back; runs until cancelled."""
        while True:
            self._is_now(engine, away=not await engine.client.healthy())
            await asyncio.sleep(CHECK_SECONDS)

    def _is_now(self, engine: Engine, *, away: bool) -> None:
        if away == (engine.client in self._away):
            return
        (self._away.add if away else self._away.discard)(engine.client)
        log.warning("engine away" if away else "engine back", url=engine.serving.url)

    async def _is_well(self, engine: Engine) -> bool:
        if engine.client in self._away:
            return False
        async with self._using(engine):
            try:
                async with asyncio.timeout(HEALTH_SECONDS):
                    return await engine.client.healthy()
            except TimeoutError:
                return False

    async def _newest(self) -> Sequence[Engine]:
        """Look at the file; it costs a system call."""
        serving = self._changed()
        if serving is not None:
            before = self._now[0]
            same = serving.url == before.serving.url
            self._now = [before.telling(serving) if same else self._engine(serving)]
            log.info("engine", number=serving.number, model=serving.active)
            self._close_unused(before.client)
        return self._now

    def _engine(self, serving: Serving) -> Engine:
        client = EngineClient(self._settings, serving.url, self._tracing)
        return Engine(client, Turns(), serving, self._settings)

    def _changed(self) -> Serving | None:
        if self._file is None:
            return None
        try:
            found = self._file.stat()
            stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            if stamp == self._stamp:
                return None
            serving = Serving.read(self._file)
        except (OSError, ValueError, TypeError, KeyError) as exc:
            log.warning("engine file", error=str(exc))
            return None
        self._stamp = stamp
        return serving

    def _close_unused(self, client: EngineClient) -> None:
        if all(client is not engine.client for engine in (*self._now, *self._users)):
            client.close()


def busy(parts: Sequence[Json]) -> Json:
    """Return what all processes together tell of engines; the oldest that is still of now."""
    users = sum((Counter(part["requests_by_engine"]) for part in parts), Counter[str]())
    number = min(part["engine"] for part in parts)
    return {"engine": number, "requests_by_engine": dict(sorted(users.items()))}

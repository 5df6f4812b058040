"""The engine of now, and those that still write answers which began with them.

Where the engine is, and which models it serves, comes from VLLM_API_URL or from a file that may
change at any time (`engines.serving`). Each request looks once, at its beginning, and keeps the
engine that it found. Knows no chat.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Self

import structlog

from tiza.api.context import Served, served_models
from tiza.api.engine_client import EngineClient, EngineStream, Json
from tiza.api.turns import Turns
from tiza.engines import llama_cpp
from tiza.engines.serving import Serving
from tiza.errors import EngineError, EngineUnreachable, ModelUnknown
from tiza.models.scope import Scope
from tiza.settings import Settings

MODELS_SECONDS = 5.0  # for how long the engine's list of models is believed

Prepare = Callable[["Engine"], Awaitable[Json]]

log = structlog.get_logger("tiza.api")


class Engine:
    """One engine as requests see it; never changes."""

    def __init__(self, client: EngineClient, turns: Turns, serving: Serving, window: int) -> None:
        self.client, self._turns, self.serving = client, turns, serving
        self._window = window
        self._scopes = {name: Scope.read(Path(path)) for name, path in serving.scopes.items()}
        self._models: list[Served] = []
        self._asked = 0.0

    @property
    def expected_model(self) -> str:
        """The active model as last known; empty if nobody told."""
        return self.serving.active or (self._models[0].model if self._models else "")

    async def models(self) -> list[Served]:
        """Return what the engine serves now; the first is the active model.

        Raises:
            EngineError: it does not answer, or serves nothing.

        """
        listing = await self.client.ask("GET", "/v1/models")
        models = served_models(listing, self._window)
        if not models:
            raise EngineError(reason="it serves no model")
        self._models, self._asked = self._named(models), time.monotonic()
        return self._models

    async def model(self, name: str | None) -> Served:
        """Return the model of that name, or the active one, as known in the last seconds.

        Raises:
            ModelUnknown: the engine does not serve it.

        """
        fresh = self._models and time.monotonic() < self._asked + MODELS_SECONDS
        models = self._models if fresh else await self.models()
        for served in models:
            if name in (None, served.model):
                return served
        raise ModelUnknown(model=name, models=", ".join(m.model for m in models))

    async def open(self, path: str, prepare: Prepare, held: AsyncExitStack) -> EngineStream:
        """Send the body that `prepare` makes; `held` closes the stream."""
        body = await prepare(self)
        if "lora" in body:  # llama.cpp with adapters
            await held.enter_async_context(self._turns.of(str(body["lora"])))
        return await held.enter_async_context(await self.client.stream(path, body))

    def telling(self, serving: Serving) -> "Engine":
        """Return the same engine as later requests see it."""
        return Engine(self.client, self._turns, serving, self._window)

    def _named(self, listed: list[Served]) -> list[Served]:
        """Add what only the file knows: llama.cpp lists no adapters, and no engine the active."""
        serving = self.serving
        if serving.kind == llama_cpp.KIND:
            listed = [replace(listed[0], model=name) for name in serving.models]
        listed = [
            replace(
                served,
                more=serving.asked_for(served.model),
                without=serving.asked_for(serving.base),
                scope=self._scopes.get(served.model),
            )
            for served in listed
        ]
        return sorted(listed, key=lambda served: served.model != (serving.active or served.model))


class Engines:
    """Where to ask. Use as an async context manager."""

    def __init__(self, settings: Settings, file: Path | None) -> None:
        self._settings, self._file = settings, file
        self._stamp: tuple[int, ...] = ()
        self._users: Counter[Engine] = Counter()
        self._now: Engine

    async def __aenter__(self) -> Self:
        self._now = self._engine(Serving(0, self._settings.vllm_api_url))
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for client in {engine.client for engine in (self._now, *self._users)}:
            await client.close()

    @property
    def expected_model(self) -> str:
        """The active model as last known; empty if nobody told."""
        return self._now.expected_model

    async def healthy(self) -> bool:
        """Tell whether the engine can answer questions now."""
        async with self._using(await self._newest()) as engine:
            return await engine.client.healthy()

    async def models(self) -> list[Served]:
        """Return what the engine serves now; see `Engine.models`."""
        async with self._using(await self._newest()) as engine:
            return await engine.models()

    async def prepared(self, prepare: Prepare) -> tuple[Engine, Json]:
        """Return the engine of now and what `prepare` would ask it."""
        async with self._using(await self._newest()) as engine:
            return engine, await prepare(engine)

    @asynccontextmanager
    async def stream(self, path: str, prepare: Prepare) -> AsyncIterator[EngineStream]:
        """Send the body that `prepare` makes for the engine of now, and hold its stream.

        An engine that has gone before it answered is followed by the one that came after it.
        """
        engine = await self._newest()
        while True:
            async with self._using(engine), AsyncExitStack() as held:
                try:
                    stream = await engine.open(path, prepare, held)
                except EngineUnreachable:
                    newest = await self._newest()
                    if newest.client is engine.client:
                        raise
                else:
                    yield stream
                    return
            engine = newest

    async def as_json(self) -> Json:
        """Tell the number of the engine of now, and how many requests depend on which engine."""
        number = (await self._newest()).serving.number
        users = Counter(engine.serving.number for engine in self._users.elements())
        return {"engine": number, "requests_by_engine": {str(n): users[n] for n in sorted(users)}}

    @asynccontextmanager
    async def _using(self, engine: Engine) -> AsyncIterator[Engine]:
        self._users[engine] += 1
        try:
            yield engine
        finally:
            self._users[engine] -= 1
            if not self._users[engine]:
                del self._users[engine]
            await self._close_unused(engine.client)

    async def _newest(self) -> Engine:
        """Look at the file; it costs a system call."""
        serving = self._changed()
        if serving is not None:
            before = self._now
            same = serving.url == before.serving.url
            self._now = before.telling(serving) if same else self._engine(serving)
            log.info("engine", number=serving.number, model=serving.active)
            await self._close_unused(before.client)
        return self._now

    def _engine(self, serving: Serving) -> Engine:
        client = EngineClient(self._settings, serving.url)
        return Engine(client, Turns(), serving, self._settings.vllm_max_model_len)

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

    async def _close_unused(self, client: EngineClient) -> None:
        if all(client is not engine.client for engine in (self._now, *self._users)):
            await client.close()

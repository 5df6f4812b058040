"""One engine as requests see it: where it is, what it serves, and how it is asked.

Knows no chat, and no other engine.
"""

import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from tiza.api.adapters import told
from tiza.api.context import Served, served_models
from tiza.api.engine_client import EngineClient, EngineStream, Json
from tiza.api.turns import Turns
from tiza.engines import llama_cpp
from tiza.engines.serving import Serving
from tiza.errors import EngineError, ModelUnknown
from tiza.models.scope import Scope
from tiza.settings import Settings

MODELS_SECONDS = 5.0  # for how long the engine's list of models is believed

Prepare = Callable[["Engine"], Awaitable[Json]]


class Engine:
    """One engine as requests see it. Where only its address is known, it tells the rest itself."""

    def __init__(
        self, client: EngineClient, turns: Turns, serving: Serving, settings: Settings
    ) -> None:
        self.client, self._turns, self.serving, self._settings = client, turns, serving, settings
        self._wanted = Path(settings.model_path).name.removesuffix(".gguf")
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
        models = served_models(listing, self._settings.vllm_max_model_len)
        if not models:
            raise EngineError(reason="it serves no model")
        serving = self.serving
        if not serving.base:
            serving = await told(self.client, listing, serving, self._settings.models_path)
        self._models, self._asked = self._named(models, serving), time.monotonic()
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
        return Engine(self.client, self._turns, serving, self._settings)

    def _named(self, listed: list[Served], serving: Serving) -> list[Served]:
        """Add what the list lacks: adapters where it is llama.cpp's, scopes, and who is active."""
        if serving.kind == llama_cpp.KIND:
            listed = [replace(listed[0], model=name) for name in serving.models]
        listed = [
            replace(
                served,
                more=serving.asked_for(served.model),
                without=serving.asked_for(serving.base),
                scope=_scope(serving.scopes.get(served.model)),
            )
            for served in listed
        ]
        names = {served.model for served in listed}
        told = (self.serving.active, self._wanted, serving.active)  # by the stack, by MODEL_PATH
        active = next((name for name in told if name in names), "")
        return sorted(listed, key=lambda served: served.model != active)


def _scope(path: str | None) -> Scope | None:
    try:
        return None if path is None else _read(path, Path(path).stat().st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=64)
def _read(path: str, _written: int) -> Scope | None:
    return Scope.read(Path(path))

"""What one process of the API holds: made by `app`, handed to routes by name."""

import time
from typing import Annotated, cast

from fastapi import Depends, Request

from tiza.api.admission import Admission
from tiza.api.context import Served, served_models
from tiza.api.engine_client import EngineClient
from tiza.api.stats import Stats
from tiza.errors import EngineError, ModelUnknown
from tiza.settings import Settings

MODELS_SECONDS = 5.0  # for how long the engine's list of models is believed


class State:
    """The settings and the live parts that requests share."""

    def __init__(
        self, settings: Settings, engine: EngineClient, admission: Admission, stats: Stats
    ) -> None:
        self.settings, self.engine = settings, engine
        self.admission, self.stats = admission, stats
        self._models: list[Served] = []
        self._asked = 0.0

    @property
    def expected_model(self) -> str:
        """The active model as last known; empty if the engine was never asked."""
        return self._models[0].model if self._models else ""

    async def models(self) -> list[Served]:
        """Return what the engine serves now; the first is the active model.

        Raises:
            EngineError: it does not answer, or serves nothing.

        """
        listing = await self.engine.ask("GET", "/v1/models")
        models = served_models(listing, self.settings.vllm_max_model_len)
        if not models:
            raise EngineError(reason="it serves no model")
        self._models, self._asked = models, time.monotonic()
        return models

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


def get_state(request: Request) -> State:
    """Return the State that the application was made with."""
    return cast(State, request.app.state.tiza)


StateDep = Annotated[State, Depends(get_state)]

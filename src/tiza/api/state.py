"""What one process of the API holds: made by `app`, handed to routes by name."""

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any, cast

from fastapi import Depends, Request

from tiza.api.accounts.access import Access
from tiza.api.admission import Admission
from tiza.api.engine_client import Json
from tiza.api.engines import Engines
from tiza.api.limits.limits import Limits
from tiza.api.opening import OpeningStore
from tiza.api.sharing.sharing import Sharing
from tiza.api.stats import Stats
from tiza.api.streams.streams import Streams
from tiza.api.suggester import Suggester
from tiza.api.together import Together
from tiza.settings import Settings
from tiza.store.store import Store


class State:
    """The settings and the live parts that requests share."""

    def __init__(
        self,
        settings: Settings,
        engines: Engines,
        admission: Admission,
        stats: Stats,
        together: Together,
    ) -> None:
        self.settings, self.engines = settings, engines
        self.admission, self.stats, self.together = admission, stats, together
        self.limits = Limits(settings, stats.instruments)
        self.sharing = Sharing(settings, admission, engines)
        self.opening = OpeningStore(settings.store_url, settings.retention_days, self._timed)
        self.access = Access(settings, self.opening)
        self.streams = Streams(settings, self.opening)
        self.suggester = Suggester(settings)
        self._kept: set[asyncio.Task[object]] = set()

    def keep(self, work: Coroutine[Any, Any, object]) -> None:
        """Do something beside all requests; it is given up when the process ends."""
        task = asyncio.create_task(work)
        self._kept.add(task)
        task.add_done_callback(self._kept.discard)

    async def told(self) -> Json:
        """Return this process's part of `GET /stats`."""
        return self.stats.told() | await self.engines.as_json()

    def _timed(self, kind: str, seconds: float) -> None:
        self.stats.instruments.store_seconds.labels(kind).observe(seconds)


async def get_state(request: Request) -> State:
    """Return the State that the application was made with."""
    return cast(State, request.app.state.tiza)


StateDep = Annotated[State, Depends(get_state)]


async def get_store(state: StateDep) -> Store:
    """Return the store.

    Raises:
        StoreUnavailable: it is not open.

    """
    return await state.opening.get()


StoreDep = Annotated[Store, Depends(get_store)]

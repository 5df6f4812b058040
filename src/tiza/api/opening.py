"""The store of this process: opened beside everything else, so that nobody waits who needs it not.

While the database is away the process serves what it can, and goes on trying.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from tiza.errors import RequestError, StoreUnavailable, TizaError
from tiza.store.store import Store, Timed, opened, untimed

WAIT_SECONDS = 3.0  # how long a request waits for a store that is being opened
RETRY_SECONDS = 1.0

log = structlog.get_logger("tiza.api")


class OpeningStore:
    """Hands out the store as soon as it is open."""

    def __init__(self, url: str, retention_days: int, timed: Timed = untimed) -> None:
        self._url, self._retention_days, self._timed = url, retention_days, timed
        self._store: Store | None = None
        self._changed = asyncio.Event()
        self._reason: TizaError | None = None

    @property
    def is_open(self) -> bool:
        """Whether nobody would have to wait."""
        return self._store is not None

    async def opened(self) -> None:
        """Wait until it is open, or known to be unusable; however long that takes."""
        await self._changed.wait()

    async def get(self) -> Store:
        """Return the store; wait a little if it is not open yet.

        Raises:
            StoreUnavailable: it is still not open.

        """
        if self._store is None:
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    await self._changed.wait()
            except TimeoutError as exc:
                raise StoreUnavailable(reason=self._reason) from exc
        if self._store is None:
            raise StoreUnavailable(reason=self._reason)
        return self._store

    @asynccontextmanager
    async def kept_open(self) -> AsyncIterator[None]:
        """Open the store in the background, and close it at the end of the block."""
        ending = asyncio.Event()
        keeping = asyncio.create_task(self._keep(ending))
        try:
            yield
        finally:
            ending.set()
            if self._store is None:
                keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            self._store = None

    async def _keep(self, ending: asyncio.Event) -> None:
        while not ending.is_set():
            try:
                opening = opened(self._url, self._retention_days, self._timed)
                async with opening as self._store:
                    self._changed.set()
                    await ending.wait()
            except RequestError as exc:
                if type(exc) is not type(self._reason):  # once, not at every attempt
                    log.warning("store away", code=exc.code, reason=str(exc.data.get("reason")))
                self._reason = exc
                await asyncio.sleep(RETRY_SECONDS)
            except TizaError as exc:
                log.error("store unusable", reason=str(exc))  # noqa: TRY400  # a sentence, not a bug
                self._reason = exc
                self._changed.set()
                await ending.wait()
            except Exception:
                log.exception("store unusable")  # a bug: nobody waits for this task and would tell
                self._changed.set()
                await ending.wait()

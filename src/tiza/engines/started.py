"""An engine for the length of a block: on a free port of loopback, with a key of its own."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tiza.engines.choose import choose
from tiza.engines.engine import Address, Engine
from tiza.engines.ports import free_port
from tiza.engines.serve import service_of
from tiza.engines.supervisor import Supervisor, Tell
from tiza.models.lineup import Lineup
from tiza.settings import Settings

LOOPBACK = "127.0.0.1"


@asynccontextmanager
async def started(
    lineup: Lineup, settings: Settings, logs: Path, tell: Tell
) -> AsyncIterator[Engine]:
    """Yield the engine; it is started again if it crashes, and stopped when the block ends.

    Its output goes to `engine.log` in the folder `logs`.

    Raises:
        TizaError: no engine is installed for the models, or it does not start.

    """
    address = Address(LOOPBACK, free_port(LOOPBACK, 0), secrets.token_urlsafe(32))
    engine = choose("auto", lineup, settings, address)
    supervisor = Supervisor(service_of(engine, logs), tell)
    watching: asyncio.Task[None] | None = None
    try:
        await supervisor.start()
        watching = asyncio.create_task(supervisor.watch())
        yield engine
    finally:
        if watching is not None:
            watching.cancel()
            await asyncio.wait({watching})
        await supervisor.stop()

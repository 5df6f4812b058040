"""The teacher of this machine: the engine that runs already, else one started for the purpose."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from tiza.engines.serve import is_loopback, say_aside
from tiza.engines.started import started
from tiza.errors import ModelNotFound
from tiza.generate.teacher import Endpoint
from tiza.models.find import SHIPPED_NAME
from tiza.models.lineup import Lineup, line_up
from tiza.settings import Settings

HEALTH_SECONDS = 3.0
REFUSALS = {401, 403}


@asynccontextmanager
async def teacher_endpoint(
    settings: Settings, url: str = "", key: str = "", model: str = ""
) -> AsyncIterator[Endpoint]:
    """Yield the endpoint at `url`; for "" that of the local engine, which may be started for it.

    An engine that was started is stopped when the block ends, and started again if it crashes.

    Raises:
        TizaError: no such model, an engine that is not installed or does not start.

    """
    if url:
        yield Endpoint(url, key, model)
        return
    key = key or settings.vllm_api_key.get_secret_value()
    served = await _served(settings.engine_urls[0], key)
    if served is not None:
        yield Endpoint(settings.engine_urls[0], key, model or served)
    else:
        lineup = line_up(settings.model_path, settings.models_path)
        async with own_engine(settings, lineup) as own:
            yield replace(own, model=model or own.model)


async def local_model(settings: Settings, key: str = "") -> str:
    """Name the model of the local engine, or the one that it would be started with.

    Raises:
        TizaError: no such model.

    """
    key = key or settings.vllm_api_key.get_secret_value()
    served = await _served(settings.engine_urls[0], key)
    return served or line_up(settings.model_path, settings.models_path).active


def is_embedded(model: str, models_path: Path) -> bool:
    """Tell whether that is the small model which comes with Tiza, or an adapter of it.

    A poor teacher.
    """
    if model == SHIPPED_NAME:
        return True
    try:
        return bool(model) and line_up(model, models_path).base.name == SHIPPED_NAME
    except ModelNotFound:  # a name that only its endpoint knows
        return False


@asynccontextmanager
async def own_engine(settings: Settings, lineup: Lineup) -> AsyncIterator[Endpoint]:
    """Yield an engine of our own for these models, whatever else runs here."""
    async with started(lineup, settings, settings.logs_path, say_aside) as engine:
        address = engine.address
        yield Endpoint(address.url, address.api_key, engine.model)


async def _served(url: str, key: str) -> str | None:
    """Return the name of the model at an address; None where no engine is that lets us in.

    An engine of `tiza up` has a key of its own. One elsewhere that refuses ours is no reason to
    start another: its name is "", and the teacher will say what is wrong.
    """
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    timeout = aiohttp.ClientTimeout(total=HEALTH_SECONDS)
    elsewhere = not is_loopback(urlsplit(url).hostname or "")
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.get(f"{url}/v1/models", allow_redirects=False) as response,
        ):
            if response.status in REFUSALS:
                return "" if elsewhere else None
            return str((await response.json())["data"][0]["id"])
    except (aiohttp.ClientError, OSError, ValueError, LookupError, TypeError):
        return None

"""Services that share a Redis, and one that is alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.redis_server import RedisServer, redis_server


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[RedisServer]:
    """Run a Redis."""
    async with redis_server(tmp_path) as server:
        yield server


@pytest.fixture(params=["memory", "redis"])
async def counting(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """Return a value for REDIS_URL: none, or that of a server."""
    if request.param == "memory":
        yield ""
    else:
        async with redis_server(tmp_path) as server:
            yield server.url

"""An engine that may fail, and the application in front of it."""

from collections.abc import AsyncIterator

import pytest

from tests.api.faulty_engine import FaultyEngine, faulty_engine
from tests.api.service import Service, running


@pytest.fixture
async def engine() -> AsyncIterator[FaultyEngine]:
    """Run an engine that behaves well until it is told otherwise."""
    async with faulty_engine() as engine:
        yield engine


@pytest.fixture
async def service(engine: FaultyEngine) -> AsyncIterator[Service]:
    """Run the application in front of it, with the default settings."""
    async with running(vllm_api_url=engine.url) as service:
        yield service

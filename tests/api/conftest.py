"""An engine that may fail, and the application in front of it."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
import structlog
from structlog.typing import EventDict

from tests.api.faulty_engine import FaultyEngine, faulty_engine
from tests.api.service import Service, all_stopped, running


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[EventDict]]:
    """Collect what is logged meanwhile."""
    merge = structlog.contextvars.merge_contextvars
    with structlog.testing.capture_logs(processors=[merge]) as entries:
        yield entries


@pytest.fixture(autouse=True, scope="package")
def _all_stop() -> Iterator[None]:
    """Prove that every service has stopped when it was asked to; print no logs meanwhile."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    yield
    assert all_stopped()
    structlog.reset_defaults()


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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def unasked_engine() -> AsyncIterator[FaultyEngine]:
    """Run one engine for all the tests of a module whose requests must not reach it."""
    async with faulty_engine() as engine:
        yield engine
        assert not engine.requests


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def refusing_service(unasked_engine: FaultyEngine) -> AsyncIterator[Service]:
    """Run one application for them; they are marked `asyncio(loop_scope="module")`."""
    async with running(vllm_api_url=unasked_engine.url) as service:
        yield service

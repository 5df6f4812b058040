"""A service with a store of its own, somebody who talks to it, and engines that wait or break."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.conversations import Visitor, visitor
from tests.api.faulty_engine import DONE, Exchange, FaultyEngine
from tests.api.service import Service, running
from tiza.api.streams import following, streams

QUICK = 0.05  # for what happens once a second


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "SAVE_SECONDS", QUICK)
    monkeypatch.setattr(following, "POLL_SECONDS", QUICK)


@pytest.fixture
async def service(engine: FaultyEngine, tmp_path: Path) -> AsyncIterator[Service]:
    """Run the application with a store of its own."""
    async with running(vllm_api_url=engine.url, var_path=tmp_path) as service:
        yield service


@pytest.fixture
async def forgotten(engine: FaultyEngine, tmp_path: Path) -> AsyncIterator[Visitor]:
    """Come as somebody whose answers are given up soon when they do not read them."""
    given = {"vllm_api_url": engine.url, "var_path": tmp_path, "stream_grace_seconds": 0.3}
    async with running(**given) as service:  # type: ignore[arg-type]  # settings only
        yield await visitor(service.session, service.url)


@pytest.fixture
async def somebody(service: Service) -> Visitor:
    """Come as somebody with a conversation."""
    return await visitor(service.session, service.url)


async def waits_in_the_middle(exchange: Exchange) -> None:
    """Send half of the answer, the rest when told to."""
    *events, last = [*exchange.frames(), DONE]
    await exchange.head()
    for event in events[:4]:
        await exchange.chunk(event)
    await exchange.engine.go_on.wait()
    for event in [*events[4:], last]:
        await exchange.chunk(event)
    await exchange.chunk(b"")


async def breaks_in_the_middle(exchange: Exchange) -> None:
    """Send half of the answer, then tear the connection down."""
    await exchange.head()
    for event in exchange.frames()[:4]:
        await exchange.chunk(event)
    exchange.reset()

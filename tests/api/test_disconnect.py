"""A client that goes away stops the work for it within a second."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.api.faulty_engine import MODEL, Exchange, Fault, FaultyEngine, well_behaved
from tests.api.service import Service, running, until

WITHIN = 1.0  # seconds: what the rule says
MESSAGES = [{"role": "user", "content": "x"}]
REQUESTS: dict[str, tuple[str, dict[str, object]]] = {
    "chat": ("/chat", {"message": "x"}),
    "chat stream": ("/chat", {"message": "x", "stream": True}),
    "completion": ("/v1/chat/completions", {"model": MODEL, "messages": MESSAGES}),
    "completion stream": (
        "/v1/chat/completions",
        {"model": MODEL, "messages": MESSAGES, "stream": True},
    ),
    "text completion": ("/v1/completions", {"model": MODEL, "prompt": "x"}),
    "text completion stream": ("/v1/completions", {"model": MODEL, "prompt": "x", "stream": True}),
}
by_request = pytest.mark.parametrize(("path", "body"), REQUESTS.values(), ids=REQUESTS.keys())


async def before_the_first_byte(exchange: Exchange) -> None:
    """Say nothing until told to."""
    await exchange.engine.go_on.wait()
    await well_behaved(exchange)


async def after_the_headers(exchange: Exchange) -> None:
    """Say that there will be an answer."""
    await exchange.head()
    await exchange.engine.go_on.wait()


async def in_the_middle(exchange: Exchange) -> None:
    """Send half of the answer."""
    await exchange.head()
    await exchange.chunk(b"".join(exchange.frames()[:4]))
    await exchange.engine.go_on.wait()


async def all_the_time(exchange: Exchange) -> None:
    """Write an answer without end."""
    await exchange.head()
    while True:
        await exchange.chunk(exchange.frames()[1])
        await asyncio.sleep(0.01)


@asynccontextmanager
async def asking(
    service: Service, path: str, body: object
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Ask on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)
    try:
        yield reader, writer
    finally:
        writer.close()


@by_request
@pytest.mark.parametrize(
    "fault",
    [before_the_first_byte, after_the_headers, in_the_middle, all_the_time],
    ids=lambda fault: fault.__name__,
)
async def test_engine_is_stopped_when_a_client_leaves(
    fault: Fault, path: str, body: dict[str, object], service: Service, engine: FaultyEngine
) -> None:
    """The connection to the engine is closed, which ends the generation; the place is free."""
    engine.fault = fault
    async with asking(service, path, body) as (reader, writer):
        await until(lambda: engine.generating)
        if body.get("stream") and fault in (in_the_middle, all_the_time):
            await reader.readuntil(b"data: ")
        writer.transport.abort()
        await until(lambda: not engine.generating, WITHIN)
        await until(lambda: not service.state.admission.active, WITHIN)
    assert len(engine.bodies()) == 1, "it was asked again"
    outcomes = (await service.ask("/stats")).json["requests"]
    assert outcomes == {"total": 1, "cancelled": 1}
    engine.fault = well_behaved
    assert (await service.chat()).status == 200


@by_request
async def test_engine_is_never_asked_when_a_client_leaves_the_queue(
    path: str, body: dict[str, object], engine: FaultyEngine
) -> None:
    """Who waits for a place and goes makes room at once; the answer in progress goes on."""
    engine.fault = before_the_first_byte
    async with running(vllm_api_url=engine.url, max_streams=1, max_queue=1) as service:
        first = asyncio.create_task(service.chat())
        await until(lambda: engine.generating)
        async with asking(service, path, body) as (_, writer):
            await until(lambda: service.state.admission.waiting)
            writer.close()
            await until(lambda: not service.state.admission.waiting, WITHIN)
        engine.go_on.set()
        assert (await first).status == 200
        assert len(engine.bodies()) == 1
        assert (await service.chat()).status == 200


@by_request
async def test_engine_is_not_asked_to_answer_when_a_client_leaves_during_the_first_questions(
    path: str, body: dict[str, object], service: Service, engine: FaultyEngine
) -> None:
    """Leaving while the engine is asked for its models stops that too."""
    engine.fault, engine.faulty_paths = before_the_first_byte, ("/v1/models",)
    async with asking(service, path, body) as (_, writer):
        await until(lambda: engine.requests)
        writer.transport.abort()
        await until(lambda: not service.state.admission.active, WITHIN)
    assert not engine.bodies()


async def test_other_answers_go_on_when_one_client_leaves(
    service: Service, engine: FaultyEngine
) -> None:
    """Every answer has a connection of its own to the engine."""
    engine.fault = before_the_first_byte
    staying = [asyncio.create_task(service.chat(str(n), stream=n % 2 == 0)) for n in range(4)]
    async with asking(service, *REQUESTS["chat stream"]) as (_, writer):
        await until(lambda: engine.generating == 5)
        writer.transport.abort()
        await until(lambda: engine.generating == 4, WITHIN)
    engine.go_on.set()
    assert [(await answer).status for answer in staying] == [200] * 4

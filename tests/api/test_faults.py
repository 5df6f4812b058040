"""Whatever the engine does: one defined outcome, one end, and a service that goes on."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from tests.api.faults import (
    CASES,
    OK,
    SHOWN,
    STATUS,
    STREAM_CASES,
    Case,
    http_500,
    not_http,
    resets,
    wrong_content_type,
)
from tests.api.faulty_engine import (
    MODEL,
    PIECES,
    TEXT,
    Exchange,
    FaultyEngine,
    faulty_engine,
    well_behaved,
)
from tests.api.service import Answer, Event, Service, running, until
from tiza.api import engine_client

PATIENCE = 0.4  # seconds, for the first word and between two
LONGEST = 10.0  # generous: patience, one retry, and a busy machine

pytestmark = pytest.mark.asyncio(loop_scope="module")
by_fault = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
by_stream_fault = pytest.mark.parametrize("case", STREAM_CASES, ids=lambda case: case.name)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def faulty() -> AsyncIterator[FaultyEngine]:
    """Run one engine for all the faults."""
    async with faulty_engine() as engine:
        yield engine


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def patient(faulty: FaultyEngine) -> AsyncIterator[Service]:
    """Run one application for the faults that show at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine_client, "LAST_CHUNK_SECONDS", 0.1)
        async with running(vllm_api_url=faulty.url) as service:
            yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def impatient(faulty: FaultyEngine) -> AsyncIterator[Service]:
    """Run one application for the faults that show in time."""
    async with running(
        vllm_api_url=faulty.url, engine_first_token_seconds=PATIENCE, engine_idle_seconds=PATIENCE
    ) as service:
        yield service


@pytest_asyncio.fixture(loop_scope="module")
async def engine(faulty: FaultyEngine, case: Case) -> FaultyEngine:
    """Hand out the engine with its fault."""
    faulty.requests.clear()
    faulty.go_on.clear()
    faulty.fault = case.fault
    return faulty


@pytest_asyncio.fixture(loop_scope="module")
async def service(
    engine: FaultyEngine, patient: Service, impatient: Service, case: Case
) -> AsyncIterator[Service]:
    """Hand out an application, and prove afterwards that it has got over the fault."""
    service = impatient if case.outcome == "engine_timeout" else patient
    yield service
    await service.idle()
    await until(lambda: not engine.generating)
    engine.fault = well_behaved
    answers = [await service.chat() for _ in range(3)]  # a busy machine may try the impatient
    assert TEXT in [answer.json.get("response") for answer in answers]


@by_fault
async def test_chat_ends_once_when_the_engine_fails(
    case: Case, engine: FaultyEngine, service: Service
) -> None:
    """A plain answer is whole, or the problem that the fault stands for."""
    engine.go_on.set()
    answer = await service.chat()
    if case.outcome == OK:
        assert (answer.status, answer.json["response"]) == (200, TEXT)
    else:
        assert_problem(answer, case.outcome)
    assert len(engine.bodies()) == case.attempts


@by_fault
async def test_completion_ends_once_when_the_engine_fails(
    case: Case, engine: FaultyEngine, service: Service
) -> None:
    """A plain OpenAI answer is whole, or the problem that the fault stands for."""
    engine.go_on.set()
    answer = await service.complete()
    if case.outcome == OK:
        assert answer.status == 200
        assert answer.json["choices"][0]["message"]["content"] == TEXT
    else:
        assert_problem(answer, case.outcome)
        assert answer.json["error"]["code"] == case.outcome
    assert len(engine.bodies()) == case.attempts


@by_stream_fault
async def test_chat_stream_ends_once_when_the_engine_fails(
    case: Case, engine: FaultyEngine, service: Service
) -> None:
    """A stream ends with one `done`, with one `error`, or is a problem from the start."""
    body = {"message": "What is chalk?", "stream": True}
    answer = await stream(service, engine, "/chat", body)
    if answer.status != 200:
        assert not case.after
        assert_problem(answer, case.outcome)
        return
    assert case.after or case.outcome == OK
    assert [event.name for event in answer.events[:-1]] == [
        "start",
        *("token" for _ in answer.events[2:]),
    ]
    assert [event.id for event in answer.events] == [
        str(number + 1) for number in range(len(answer.events))
    ]
    text = "".join(event.data["text"] for event in answer.events[1:-1])
    end = answer.events[-1]
    if case.outcome == OK:
        assert (end.name, end.data["response"], text) == ("done", TEXT, TEXT)
    else:
        assert text == "".join(PIECES[:SHOWN])
        assert (end.name, end.data["code"]) == ("error", case.outcome)
        assert end.data["retryable"] is True
        assert end.data["detail"]
    assert len(engine.bodies()) == case.attempts


@by_stream_fault
async def test_completion_stream_ends_once_when_the_engine_fails(
    case: Case, engine: FaultyEngine, service: Service
) -> None:
    """An OpenAI stream ends with one `[DONE]`, with one error, or is a problem from the start."""
    messages = [{"role": "user", "content": "What is chalk?"}]
    body = {"model": MODEL, "messages": messages, "stream": True}
    answer = await stream(service, engine, "/v1/chat/completions", body)
    if answer.status != 200:
        assert not case.after
        assert_problem(answer, case.outcome)
        return
    assert case.after or case.outcome == OK
    *events, end = answer.events
    assert not any(is_end(event) for event in events)
    text = "".join(event.data["choices"][0]["delta"].get("content") or "" for event in events)
    if case.outcome == OK:
        assert (end.raw, text) == ("[DONE]", TEXT)
    else:
        assert text == "".join(PIECES[:SHOWN])
        assert end.data["error"]["code"] == case.outcome
    assert len(engine.bodies()) == case.attempts


async def test_chat_is_refused_when_the_port_is_closed() -> None:
    """Nobody there: 503 at once, plain and streamed, and `retryable` for who asks again."""
    async with faulty_engine() as gone:
        url = gone.url
    async with running(vllm_api_url=url) as service:
        for stream_wanted in (False, True):
            assert_problem(await service.chat(stream=stream_wanted), "engine_unreachable")
            assert_problem(await service.complete(stream=stream_wanted), "engine_unreachable")
        await service.idle()


async def test_chat_works_again_when_the_engine_comes_back() -> None:
    """An engine that was restarted needs no restart of the service."""
    async with faulty_engine() as engine, running(vllm_api_url=engine.url) as service:
        assert (await service.chat()).status == 200
        await engine.stop()
        assert_problem(await service.chat(), "engine_unreachable")
        await engine.listen()
        assert (await service.chat()).status == 200


async def answers_without_end(exchange: Exchange) -> None:
    """Send more than any answer to a small question can be."""
    await exchange.head(kind="application/json")
    while True:
        await exchange.chunk(b" " * 65_536)


async def breaks_off(exchange: Exchange) -> None:
    """End the connection in the middle of a small answer."""
    await exchange.head(kind="application/json", content_length="100")
    await exchange.write(b'{"data": [')
    exchange.close()


@pytest.mark.parametrize("path", ["/v1/models", "/tokenize"])
@pytest.mark.parametrize(
    "case",
    [
        Case(http_500, "engine_error"),
        Case(wrong_content_type, "engine_error"),
        Case(not_http, "engine_error"),
        Case(resets, "engine_unreachable"),
        Case(answers_without_end, "engine_error"),
        Case(breaks_off, "engine_lost"),
    ],
    ids=lambda case: case.name,
)
async def test_chat_ends_once_when_a_small_question_fails(case: Case, path: str) -> None:
    """The engine's answers about its models and about tokens may fail in the same ways."""
    async with faulty_engine() as engine, running(vllm_api_url=engine.url) as service:
        engine.fault, engine.faulty_paths, engine.window = case.fault, (path,), 600
        history = [{"role": "user", "content": "word " * 500}]
        answer = await service.chat(conversation_history=history)
        assert_problem(answer, case.outcome)
        assert not engine.bodies()
        await service.idle()


async def stream(service: Service, engine: FaultyEngine, path: str, body: object) -> Answer:
    """Read a stream to its end; once its first text is there the engine may go on."""
    async with service.session.post(
        path, json=body, timeout=aiohttp.ClientTimeout(LONGEST)
    ) as response:
        received = b""
        async for chunk in response.content.iter_any():
            received += chunk
            if PIECES[SHOWN - 1].encode() in received:
                engine.go_on.set()
        return Answer(response.status, response.headers, received)


def is_end(event: Event) -> bool:
    """Tell whether an event ends an OpenAI stream."""
    return event.raw == "[DONE]" or "error" in event.data


def assert_problem(answer: Answer, code: str) -> None:
    """Prove that the answer is the problem of that code, with every member it must have."""
    assert answer.kind == "application/problem+json"
    assert (answer.status, answer.json["code"]) == (STATUS[code], code)
    assert answer.json["status"] == answer.status
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]
    assert answer.json["type"] == f"urn:tiza:problem:{code}"
    assert answer.json["title"]
    assert answer.json["detail"]
    assert (answer.status == 503) == ("Retry-After" in answer.headers)

"""Places, a bounded queue, and draining: who is answered, who waits, who is sent away."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from tests.api.faulty_engine import (
    DONE,
    MODEL,
    PIECES,
    TEXT,
    Exchange,
    FaultyEngine,
    frame,
)
from tests.api.service import Answer, Service, running, until
from tests.api.test_streaming import endless, read_until, unread
from tiza.api.admission import Admission

CHAT = {"message": "x", "stream": True}
COMPLETION = {"model": MODEL, "messages": [{"role": "user", "content": "x"}], "stream": True}


async def waits(exchange: Exchange) -> None:
    """Send half of the answer, the rest when told to."""
    await exchange.head()
    await exchange.chunk(b"".join(exchange.frames()[:3]))
    await exchange.engine.go_on.wait()
    await exchange.chunk(b"".join(exchange.frames()[3:]) + DONE)
    await exchange.chunk(b"")


def asked(*questions: Coroutine[Any, Any, Answer]) -> list[asyncio.Task[Answer]]:
    """Ask at the same time."""
    return [asyncio.create_task(question) for question in questions]


async def statuses(tasks: list[asyncio.Task[Answer]]) -> list[int]:
    """Wait for the answers."""
    return [(await task).status for task in tasks]


async def test_place_in_the_queue_is_told_when_it_changes() -> None:
    """Who waits hears how many turns there are to the own one, and 0 when it comes."""
    admission = Admission(places=1, queue=3, seconds=5)
    told: list[tuple[str, int]] = []

    async def come(name: str) -> None:
        async with admission.place(lambda place: told.append((name, place))):
            await asyncio.sleep(0)

    async with admission.place(lambda place: told.append(("first", place))):
        waiting = [asyncio.create_task(come(name)) for name in ("second", "third", "fourth")]
        await until(lambda: admission.waiting == 3)
        assert told == [("second", 1), ("third", 2), ("fourth", 3)]
        told.clear()
        waiting.pop(1).cancel()
        await until(lambda: admission.waiting == 2)
        assert told == [("third", 0), ("second", 1), ("fourth", 2)]
        told.clear()
    await asyncio.gather(*waiting)

    assert told == [("second", 0), ("fourth", 1), ("fourth", 0)]


@pytest.mark.parametrize(("places", "queue"), [(1, 0), (1, 2), (2, 3), (3, 1)])
async def test_as_many_are_answered_and_wait_as_the_settings_say(
    places: int, queue: int, engine: FaultyEngine
) -> None:
    """MAX_STREAMS in progress, MAX_QUEUE waiting, the next sent away at once; all then answered."""
    engine.fault = waits
    async with running(vllm_api_url=engine.url, max_streams=places, max_queue=queue) as service:
        admission = service.state.admission
        running_ones = asked(*(service.chat(str(n), stream=n % 2 == 0) for n in range(places)))
        await until(lambda: engine.generating == places)
        waiting_ones = asked(*(service.complete(str(n), stream=n % 2 == 0) for n in range(queue)))
        await until(lambda: admission.waiting == queue)
        for refused in (await service.chat(), await service.complete(stream=True)):
            assert (refused.status, refused.json["code"]) == (503, "overloaded")
        assert (admission.active, admission.waiting) == (places, queue)
        assert len(engine.bodies()) == places
        engine.go_on.set()
        assert await statuses(running_ones + waiting_ones) == [200] * (places + queue)
        await service.idle()
        assert len(engine.bodies()) == places + queue


async def test_first_to_come_is_first_when_questions_wait(engine: FaultyEngine) -> None:
    """The queue keeps its order."""
    engine.fault = waits
    async with running(vllm_api_url=engine.url, max_streams=1, max_queue=5) as service:
        tasks = asked(service.chat("0"))
        await until(lambda: engine.generating)
        for number in range(1, 6):
            tasks += asked(service.chat(str(number)))
            await until(lambda wanted=number: service.state.admission.waiting == wanted)  # type: ignore[misc]  # bound here
        engine.go_on.set()
        assert await statuses(tasks) == [200] * 6
    assert [body["messages"][-1]["content"] for body in engine.bodies()] == list("012345")


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_question_is_sent_away_when_it_has_waited_too_long(
    stream: bool, engine: FaultyEngine
) -> None:
    """503 after QUEUE_SECONDS; the answer in progress is not touched."""
    engine.fault = waits
    async with running(
        vllm_api_url=engine.url, max_streams=1, max_queue=1, queue_seconds=0.2
    ) as service:
        first = asked(service.chat())
        await until(lambda: engine.generating)
        refused = await service.chat("Another?", stream=stream)
        assert (refused.status, refused.json["code"]) == (503, "overloaded")
        engine.go_on.set()
        assert await statuses(first) == [200]


async def test_other_endpoints_answer_when_every_place_is_taken(engine: FaultyEngine) -> None:
    """Places are for generations; health, models and counters are always answered."""
    engine.fault = waits
    async with running(vllm_api_url=engine.url, max_streams=1, max_queue=0) as service:
        first = asked(service.chat())
        await until(lambda: engine.generating)
        for path in ("/", "/health", "/health/ready", "/models", "/stats", "/metrics", "/docs"):
            assert (await service.ask(path)).status == 200
        stats = (await service.ask("/stats")).json
        assert (stats["active_streams"], stats["queued"]) == (1, 0)
        engine.go_on.set()
        assert await statuses(first) == [200]


async def test_new_questions_are_sent_away_when_draining(
    service: Service, engine: FaultyEngine
) -> None:
    """Running answers finish whole, new ones are 503, and the orchestrator is told."""
    engine.fault = waits
    tasks = asked(service.ask("/chat", CHAT), service.ask("/v1/chat/completions", COMPLETION))
    tasks += asked(service.chat(), service.complete())
    await until(lambda: engine.generating == 4)
    draining = asyncio.create_task(service.run(lambda: service.state.admission.drain(30)))
    await until(lambda: service.state.admission.draining)
    for stream in (False, True):
        for refused in (await service.chat(stream=stream), await service.complete(stream=stream)):
            assert (refused.status, refused.json["code"]) == (503, "draining")
    ready = await service.ask("/health/ready")
    assert (ready.status, ready.json) == (503, {"status": "draining"})
    assert (await service.ask("/health/live")).status == 200
    assert (await service.ask("/health")).status == 200
    assert not draining.done()
    engine.go_on.set()
    chat, completion, plain, plain_completion = [await task for task in tasks]
    assert (chat.events[-1].name, chat.events[-1].data["response"]) == ("done", TEXT)
    assert completion.events[-1].raw == "[DONE]"
    assert plain.json["response"] == TEXT
    assert plain_completion.json["choices"][0]["message"]["content"] == TEXT
    await draining


async def test_waiting_questions_are_sent_away_when_draining_begins(engine: FaultyEngine) -> None:
    """Who waits for a place will not get one: it is told at once and can go elsewhere."""
    engine.fault = waits
    async with running(vllm_api_url=engine.url, max_streams=1, max_queue=4) as service:
        first = asked(service.chat())
        await until(lambda: engine.generating)
        waiting = asked(*(service.chat(str(n), stream=n % 2 == 0) for n in range(4)))
        await until(lambda: service.state.admission.waiting == 4)
        draining = asyncio.create_task(service.run(lambda: service.state.admission.drain(30)))
        for answer in [await task for task in waiting]:
            assert (answer.status, answer.json["code"]) == (503, "draining")
        assert not draining.done()
        engine.go_on.set()
        assert await statuses(first) == [200]
        await draining
        assert len(engine.bodies()) == 1


async def test_answers_are_cut_off_when_draining_takes_too_long(
    service: Service, engine: FaultyEngine
) -> None:
    """After DRAIN_SECONDS each stream gets one `error` event, each plain question a 503."""
    engine.fault = waits
    async with (
        service.session.post("/chat", json=CHAT) as chat,
        service.session.post("/v1/chat/completions", json=COMPLETION) as completion,
    ):
        first = await read_until(chat, PIECES[0].encode())
        second = await read_until(completion, PIECES[0].encode())
        plain = asked(service.chat(), service.complete())
        await until(lambda: engine.generating == 4)
        await service.run(lambda: service.state.admission.drain(0.05))
        events = Answer(200, chat.headers, first + await chat.read()).events
        chunks = Answer(200, completion.headers, second + await completion.read()).events
    assert [event.name for event in events].count("error") == 1
    assert (events[-1].name, events[-1].data["code"]) == ("error", "draining")
    assert events[-1].data["retryable"] is True
    assert chunks[-1].data["error"]["code"] == "draining"
    for answer in [await task for task in plain]:
        assert (answer.status, answer.json["code"]) == (503, "draining")
    await until(lambda: not engine.generating)
    outcomes = (await service.ask("/stats")).json["requests"]
    assert outcomes["draining"] == 4


async def test_draining_ends_when_there_is_nothing_to_wait_for(service: Service) -> None:
    """An idle process stops at once, also when it is told twice."""
    for _ in range(2):
        await asyncio.wait_for(service.run(lambda: service.state.admission.drain(30)), 5)


async def test_draining_ends_when_a_client_does_not_read(
    service: Service, engine: FaultyEngine
) -> None:
    """A client that leaves its answer unread holds nobody up."""
    engine.fault = endless
    with unread(service):
        await until(lambda: engine.generating)
        await asyncio.wait_for(service.run(lambda: service.state.admission.drain(0.05)), 5)
        await until(lambda: not engine.generating)


async def test_draining_is_not_disturbed_when_it_is_begun_twice(
    service: Service, engine: FaultyEngine
) -> None:
    """Two signals, or two orchestrators, are as good as one."""

    async def slowly(exchange: Exchange) -> None:
        await exchange.head()
        event = frame({"choices": [{"delta": {"content": "x"}, "finish_reason": None}]})
        while True:
            await exchange.chunk(event)
            await asyncio.sleep(0.001)

    engine.fault = slowly
    tasks = asked(*(service.ask("/chat", CHAT | {"message": str(n)}) for n in range(8)))
    await until(lambda: engine.generating == 8)
    admission = service.state.admission
    await asyncio.gather(*(service.run(lambda: admission.drain(0.05)) for _ in range(3)))
    for answer in [await task for task in tasks]:
        assert answer.events[-1].data["code"] == "draining"
        assert sum(event.name in ("done", "error") for event in answer.events) == 1

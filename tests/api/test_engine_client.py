"""Every foreign error becomes one of ours; connections are used again, requests hardly ever."""

import asyncio

import pytest

from tests.api.faulty_engine import Exchange, FaultyEngine, well_behaved
from tests.api.service import Service, running, until
from tiza.api import engine_client
from tiza.api.connections import Broken, HttpError, NotUnderstood, TooLong, Unreachable
from tiza.api.engine_client import translated
from tiza.errors import EngineError, EngineLost, EngineTimeout, EngineUnreachable

MEANT = {
    Unreachable: (EngineUnreachable, EngineUnreachable),
    TimeoutError: (EngineTimeout, EngineTimeout),
    Broken: (EngineUnreachable, EngineLost),  # before the answer, and after it has begun
    NotUnderstood: (EngineError, EngineError),
    TooLong: (EngineError, EngineError),
}


@pytest.mark.parametrize("begun", [False, True], ids=["before", "begun"])
@pytest.mark.parametrize("kind", MEANT, ids=lambda kind: kind.__name__)
def test_error_becomes_one_of_ours_when_it_is_of_the_connection(
    kind: type[HttpError] | type[TimeoutError], begun: bool
) -> None:
    """Each says what it means to who asked, and can be told."""
    ours = translated(kind(), 5, begun=begun)
    assert type(ours) is MEANT[kind][begun]
    assert ours.message("en") != ours.message("es")


def test_every_error_of_a_connection_is_known() -> None:
    """None can be added and forgotten."""
    assert {*HttpError.__subclasses__(), TimeoutError} == {*MEANT}


async def test_connection_is_used_again_when_an_answer_was_whole(
    service: Service, engine: FaultyEngine
) -> None:
    """Streams and small questions leave their connection to the next request."""
    for stream in (True, False, True, False):
        assert (await service.chat(stream=stream)).status == 200
        assert (await service.complete(stream=stream)).status == 200
        assert (await service.ask("/health")).status == 200
    assert engine.connections <= 2


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_request_is_sent_again_when_a_used_connection_has_died(
    stream: bool, reset: bool, service: Service, engine: FaultyEngine
) -> None:
    """An engine that closes idle connections just as we use one is not seen by the client."""
    assert (await service.chat()).status == 200

    async def dies_once(exchange: Exchange) -> None:
        engine.fault = well_behaved
        (exchange.reset if reset else exchange.close)()

    for _ in range(3):
        engine.fault = dies_once
        assert (await service.complete(stream=stream)).status == 200
    assert len(engine.bodies()) == 1 + 3 * 2


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
async def test_request_is_sent_again_on_a_new_connection_when_all_used_ones_have_died(
    reset: bool, service: Service, engine: FaultyEngine
) -> None:
    """After a crash of the engine every waiting connection is dead; no client must meet two."""

    async def dies_if_used(exchange: Exchange) -> None:
        if exchange.reuses:
            (exchange.reset if reset else exchange.close)()
        else:
            await exchange.engine.go_on.wait()
            await well_behaved(exchange)

    engine.fault = dies_if_used
    asked = [asyncio.create_task(service.chat(f"What is {n}?")) for n in range(6)]
    await until(lambda: engine.generating == 6)
    engine.go_on.set()
    assert [(await answer).status for answer in asked] == [200] * 6
    for n in range(6):
        assert (await service.chat(f"What is {n}?")).status == 200


async def test_request_is_not_sent_again_when_an_answer_had_begun(
    service: Service, engine: FaultyEngine
) -> None:
    """A generation is never paid for twice once it has answered."""

    async def breaks(exchange: Exchange) -> None:
        await exchange.head()
        exchange.reset()

    engine.fault = breaks
    assert (await service.chat()).json["code"] == "engine_lost"
    assert len(engine.bodies()) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_answer_ends_when_the_engine_never_ends_it(
    stream: bool, service: Service, engine: FaultyEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that knows no bound fills nobody's memory; it is stopped, and it is its fault."""
    monkeypatch.setattr(engine_client, "MAX_FRAMES", 100)

    async def never_ends(exchange: Exchange) -> None:
        await exchange.head()
        while True:
            await exchange.chunk(exchange.frames()[1])
            await asyncio.sleep(0)

    engine.fault = never_ends
    answer = await service.chat(stream=stream)
    begun = answer.kind == "text/event-stream"  # not if all came at once
    end = answer.events[-1].data if begun else answer.json
    assert end["code"] == "engine_error"
    await until(lambda: not engine.generating)


async def test_models_are_asked_for_once_when_questions_follow_each_other(
    service: Service, engine: FaultyEngine
) -> None:
    """The list of models is believed for a few seconds."""
    for _ in range(4):
        assert (await service.chat()).status == 200
    assert engine.paths().count("/v1/models") == 1


async def test_model_is_the_new_one_when_the_engine_serves_another(
    service: Service, engine: FaultyEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After those seconds a new model is found without a restart."""
    monkeypatch.setattr("tiza.api.engine.MODELS_SECONDS", 0.0)
    assert (await service.chat()).json["model"] == "samples_0"
    engine.model = "samples_1"
    assert (await service.chat()).json["model"] == "samples_1"
    assert (await service.chat(model="samples_0")).status == 404


async def test_sixteen_clients_are_answered_when_they_ask_at_once(
    service: Service, engine: FaultyEngine
) -> None:
    """Answers do not mix, whatever their number."""

    async def echoes(exchange: Exchange) -> None:
        question = exchange.request.json["messages"][-1]["content"]
        await exchange.head()
        for event in exchange.frames([question, "!"]):
            await exchange.chunk(event)
            await asyncio.sleep(0)
        await exchange.chunk(b"")

    engine.fault = echoes
    answers = await asyncio.gather(*(service.chat(f"question {n}") for n in range(48)))
    assert [answer.json["response"] for answer in answers] == [f"question {n}!" for n in range(48)]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1", "http://[::1]:1"])
async def test_engine_is_unreachable_when_nobody_is_at_its_address(url: str) -> None:
    """Plain, encrypted and by IPv6 alike."""
    async with running(vllm_api_url=url) as service:
        answer = await service.chat()
    assert (answer.status, answer.json["code"]) == (503, "engine_unreachable")


async def test_engine_is_unreachable_when_it_does_not_speak_tls(engine: FaultyEngine) -> None:
    """An address with https:// for an engine without is one that cannot be connected to."""
    url = engine.url.replace("http:", "https:")
    async with running(vllm_api_url=url, engine_connect_seconds=0.2) as service:
        answer = await service.chat()
    assert (answer.status, answer.json["code"]) == (503, "engine_unreachable")

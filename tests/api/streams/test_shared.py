"""Several processes serve one answer through Redis; each here is an application of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.api.conversations import Visitor, text_of, visitor
from tests.api.faulty_engine import PIECES, TEXT, FaultyEngine
from tests.api.service import running
from tests.api.streams.conftest import waits_in_the_middle
from tests.api.streams.test_streams import HALF, has_state, state_of
from tests.redis_server import RedisServer, redis_server
from tiza.api.streams import shared


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[RedisServer]:
    """Run a Redis."""
    async with redis_server(tmp_path) as server:
        yield server


@pytest.fixture(params=["redis", "store alone"])
async def two(
    request: pytest.FixtureRequest,
    engine: FaultyEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[tuple[Visitor, Visitor]]:
    """Come as one person to two applications with one store, with and without a Redis."""
    monkeypatch.setattr(shared, "SILENCE_SECONDS", 0.2)
    given: dict[str, object] = {"vllm_api_url": engine.url, "var_path": tmp_path}
    async with AsyncExitStack() as held:
        if request.param == "redis":
            given["redis_url"] = (await held.enter_async_context(redis_server(tmp_path))).url
        first = await held.enter_async_context(running(**given))  # type: ignore[arg-type]  # settings only
        second = await held.enter_async_context(running(**given))  # type: ignore[arg-type]  # settings only
        somebody = await visitor(first.session, first.url)
        yield somebody, somebody.at(second.url)


async def test_answer_is_read_when_another_process_generates_it(
    two: tuple[Visitor, Visitor], engine: FaultyEngine
) -> None:
    """From the start and from any event, as it grows, without loss or repeat."""
    here, there = two
    engine.fault = waits_in_the_middle
    stream_id = await here.begin()
    reading = [asyncio.create_task(there.read(stream_id, last)) for last in ("", "5", "7")]
    async with there.listening(stream_id, "0") as response:
        received = b""
        while HALF[-4:].encode() not in received:
            received += await response.content.readany()
        engine.go_on.set()
    whole, five, seven = [await task for task in reading]
    assert text_of(whole) == whole[-1].data["response"] == TEXT
    assert (text_of(five), text_of(seven)) == (TEXT[5:], TEXT[7:])
    assert whole[-1].data.keys() == (await here.read(stream_id))[-1].data.keys()


async def test_same_key_brings_the_same_answer_when_it_is_sent_to_two_processes_at_once(
    two: tuple[Visitor, Visitor], engine: FaultyEngine
) -> None:
    """One question, one answer, one generation."""
    asked = [somebody.ask(key="once") for somebody in two * 3]
    answers = await asyncio.gather(*asked)
    assert {answer["message_id"] for answer in answers} == {answers[0]["message_id"]}
    assert {answer["response"] for answer in answers} == {TEXT}
    assert len(engine.bodies()) == 1
    assert len(await two[0].messages()) == 2


async def test_answer_is_stopped_when_another_process_generates_it(
    engine: FaultyEngine, redis: RedisServer, tmp_path: Path
) -> None:
    """The wish reaches the process that can fulfil it."""
    engine.fault = waits_in_the_middle
    given = {"vllm_api_url": engine.url, "var_path": tmp_path, "redis_url": redis.url}
    async with running(**given) as first, running(**given) as second:  # type: ignore[arg-type]  # settings only
        here = await visitor(first.session, first.url)
        stream_id = await here.begin()
        await here.at(second.url).stop(stream_id)
        assert await has_state(here, stream_id, "stopped") == HALF


async def test_answer_lives_when_only_another_process_has_listeners(
    engine: FaultyEngine, redis: RedisServer, tmp_path: Path
) -> None:
    """The grace time counts from when nobody listens anywhere."""
    engine.fault = waits_in_the_middle
    given = {"vllm_api_url": engine.url, "var_path": tmp_path, "redis_url": redis.url}
    given["stream_grace_seconds"] = 1
    async with running(**given) as first, running(**given) as second:  # type: ignore[arg-type]  # settings only
        here = await visitor(first.session, first.url)
        there = here.at(second.url)
        assert not await there.messages()  # its first request takes longer than others
        stream_id = await here.begin()
        reading = asyncio.create_task(there.read(stream_id))
        await asyncio.sleep(2.5)  # what is proved is that nothing happens in two grace times
        assert (await state_of(here, stream_id))[0] == "streaming"
        engine.go_on.set()
        assert text_of(await reading) == TEXT


async def test_readers_go_on_when_redis_has_lost_everything(
    engine: FaultyEngine, redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that generates fills it again; nobody's text has a gap."""
    monkeypatch.setattr(shared, "SILENCE_SECONDS", 0.2)
    engine.fault = waits_in_the_middle
    given = {"vllm_api_url": engine.url, "var_path": tmp_path, "redis_url": redis.url}
    async with running(**given) as first, running(**given) as second:  # type: ignore[arg-type]  # settings only
        here = await visitor(first.session, first.url)
        stream_id = await here.begin()
        async with here.at(second.url).listening(stream_id) as response:
            await response.content.readuntil(PIECES[2].encode())
            reading = asyncio.create_task(here.at(second.url).read(stream_id))
            redis.dies()
            await redis.comes()
            engine.go_on.set()
            assert text_of(await reading) == TEXT
        assert await state_of(here, stream_id) == ("complete", TEXT)

"""An answer lives on when its reader goes, is read from any event, and ends exactly once."""

import asyncio
from pathlib import Path

import pytest

from tests.api.conversations import Visitor, text_of, visitor
from tests.api.faulty_engine import DONE, PIECES, TEXT, Exchange, FaultyEngine
from tests.api.service import Event, Service, parse_events, running, until
from tests.api.streams.conftest import breaks_in_the_middle, waits_in_the_middle

HALF = "".join(PIECES[:3])  # the first of the four events has no text


async def state_of(somebody: Visitor, stream_id: str) -> tuple[str, str]:
    """Return the state and the text that the store has of an answer."""
    (found,) = [m for m in await somebody.messages() if m["id"] == stream_id]
    return found["state"], found["text"]


async def has_state(somebody: Visitor, stream_id: str, state: str) -> str:
    """Wait for a state in the store; return the text."""
    async with asyncio.timeout(10):
        while (found := await state_of(somebody, stream_id))[0] != state:  # noqa: ASYNC110  # of another process
            await asyncio.sleep(0.02)
    return found[1]


async def test_answer_is_finished_when_the_reader_has_gone(
    somebody: Visitor, engine: FaultyEngine
) -> None:
    """Somebody who leaves in the middle finds the whole answer, read from any of its events."""
    engine.fault = waits_in_the_middle
    stream_id = await somebody.begin()
    engine.go_on.set()
    assert await has_state(somebody, stream_id, "complete") == TEXT

    start, *tokens, done = await somebody.read(stream_id)
    assert (start.name, start.data["stream_id"], done.name) == ("start", stream_id, "done")
    assert text_of(tokens) == done.data["response"] == TEXT
    for position in range(len(TEXT) + 1):
        *rest, end = await somebody.read(stream_id, str(position))
        assert text_of(rest) == TEXT[position:]
        assert (end.name, end.id) == ("done", done.id)


async def test_reader_gets_all_when_it_reads_slower_than_the_engine_writes(
    somebody: Visitor, engine: FaultyEngine
) -> None:
    """While the way to the client is full its text waits; afterwards it goes on without a gap."""
    pieces = [f"{number} {'x' * 4000} " for number in range(2500)]  # more than sockets hold

    async def writes_much(exchange: Exchange) -> None:
        await exchange.head()
        for event in [*exchange.frames(pieces), DONE, b""]:
            await exchange.chunk(event)

    engine.fault = writes_much
    async with somebody.asking(stream=True) as response:
        start, *_ = parse_events(await response.content.readuntil(b"\n\n"))
        await has_state(somebody, str(start.data["stream_id"]), "complete")
        told = parse_events(await response.read())
    assert text_of(told) == "".join(pieces)
    assert told[-1].name == "done"


async def test_nothing_is_lost_or_repeated_when_a_reader_reconnects_at_every_event(
    somebody: Visitor, engine: FaultyEngine
) -> None:
    """A hundred connections, each for one more event, bring the text once."""
    pieces = [f"{number} " for number in range(100)]

    async def trickles(exchange: Exchange) -> None:
        await exchange.head()
        for event in exchange.frames(pieces):
            await exchange.chunk(event)
            await asyncio.sleep(0.002)
        await exchange.chunk(DONE)
        await exchange.chunk(b"")

    engine.fault = trickles
    stream_id = await somebody.begin()
    events = [Event("0", "start", "{}")]
    while events[-1].name != "done":
        async with somebody.listening(stream_id, events[-1].id) as response:
            events += parse_events(await response.content.readuntil(b"\n\n"))
    assert text_of(events) == "".join(pieces) == events[-1].data["response"]


async def test_listeners_read_the_same_when_there_are_two(
    somebody: Visitor, engine: FaultyEngine
) -> None:
    """Two tabs on one answer: each gets all of it, and one generation made it."""
    engine.fault = waits_in_the_middle
    stream_id = await somebody.begin()
    first, second = (asyncio.create_task(somebody.read(stream_id)) for _ in range(2))
    engine.go_on.set()
    assert text_of(await first) == text_of(await second) == TEXT
    assert len(engine.bodies()) == 1


async def test_stranger_finds_nothing_when_they_know_the_id(
    somebody: Visitor, service: Service, engine: FaultyEngine
) -> None:
    """Reading, stopping, asking again: for another person there is no such answer."""
    engine.fault = waits_in_the_middle
    stream_id = await somebody.begin()
    stranger = await visitor(service.session, service.url)
    for _ in range(2):  # while it runs, and when it has ended
        async with stranger.listening(stream_id) as response:
            assert response.status == 404
        for path in (f"/streams/{stream_id}/stop", f"/messages/{stream_id}/continue"):
            async with stranger.post(path, {}) as response:
                assert response.status == 404
                assert (await response.json())["code"] == "not_found"
        engine.go_on.set()
        assert await has_state(somebody, stream_id, "complete") == TEXT


@pytest.mark.parametrize(
    "last", ["39x", "-1", "1e3", "99999999999", "\u0663".encode().decode("latin-1"), "40", " "]
)
async def test_position_is_refused_when_no_event_has_had_it(last: str, somebody: Visitor) -> None:
    """Garbage and the future are errors of the contract; an end that was read is `204`."""
    answer = await somebody.ask()
    assert len(TEXT) + 1 == 39
    async with somebody.listening(answer["message_id"], last) as response:
        if last.strip():
            assert response.status == 422
            assert (await response.json())["errors"][0]["field"] == "Last-Event-ID"
        else:
            assert response.status == 200
    async with somebody.listening(answer["message_id"], "39") as response:
        assert response.status == 204


async def test_position_may_be_in_the_query_when_a_client_cannot_send_headers(
    somebody: Visitor,
) -> None:
    """Polyfills of EventSource put it there."""
    stream_id = (await somebody.ask())["message_id"]
    url = f"{somebody.url}/streams/{stream_id}?last_event_id=5"
    async with somebody.session.get(url, headers=somebody.headers) as response:
        assert text_of(parse_events(await response.read())) == TEXT[5:]


async def test_answer_keeps_its_text_when_it_is_stopped(
    somebody: Visitor, engine: FaultyEngine
) -> None:
    """A stop ends the generation; readers are told `done` with what there is, as is the store."""
    engine.fault = waits_in_the_middle
    async with somebody.asking(stream=True) as response:
        received = b""
        while HALF[-4:].encode() not in received:
            received += await response.content.readany()
        stream_id = parse_events(received)[0].data["stream_id"]
        await somebody.stop(stream_id)
        *_, done = parse_events(received + await response.read())
    assert (done.name, done.data["response"], done.data["finish_reason"]) == (
        "done",
        HALF,
        "stopped",
    )
    assert await state_of(somebody, stream_id) == ("stopped", HALF)
    await until(lambda: engine.generating == 0)
    await somebody.stop(stream_id)  # once more changes nothing
    assert await state_of(somebody, stream_id) == ("stopped", HALF)


@pytest.mark.parametrize("order", ["stop first", "end first"])
async def test_answer_has_one_end_when_it_is_stopped_and_ends_in_one_moment(
    order: str, somebody: Visitor, engine: FaultyEngine
) -> None:
    """Whichever wins, the reader's end and the store agree."""
    engine.fault = waits_in_the_middle
    stream_id = await somebody.begin()
    reading = asyncio.create_task(somebody.read(stream_id))
    if order == "end first":
        engine.go_on.set()
    stopping = asyncio.create_task(somebody.stop(stream_id))
    engine.go_on.set()
    await stopping
    events = await reading
    assert [event.name for event in events].count("done") == 1
    state, text = await state_of(somebody, stream_id)
    assert state == ("stopped" if events[-1].data["finish_reason"] == "stopped" else "complete")
    assert text_of(events) == events[-1].data["response"] == text


async def test_answer_is_given_up_when_nobody_has_listened_for_the_grace_time(
    forgotten: Visitor, engine: FaultyEngine
) -> None:
    """Later it is there as far as it came, as an interrupted one."""
    engine.fault = waits_in_the_middle
    stream_id = await forgotten.begin()
    assert await has_state(forgotten, stream_id, "interrupted") == HALF
    assert engine.generating == 0
    *tokens, error = await forgotten.read(stream_id)
    assert text_of(tokens) == HALF
    assert (error.name, error.data["code"], error.data["retryable"]) == (
        "error",
        "interrupted",
        True,
    )


async def test_answer_goes_on_when_a_reader_is_back_within_the_grace_time(
    forgotten: Visitor, engine: FaultyEngine
) -> None:
    """Who listens keeps it alive for as long as it takes."""
    engine.fault = waits_in_the_middle
    stream_id = await forgotten.begin()
    reading = asyncio.create_task(forgotten.read(stream_id))
    await asyncio.sleep(0.6)  # twice the grace time: what is proved is that nothing happens in it
    engine.go_on.set()
    assert text_of(await reading) == TEXT


async def test_text_is_kept_as_far_as_it_came_when_the_engine_is_lost(
    somebody: Visitor, engine: FaultyEngine
) -> None:
    """The reader is told why; what was begun is interrupted, and can be gone on with."""
    engine.fault = breaks_in_the_middle
    stream_id = await somebody.begin()
    assert await has_state(somebody, stream_id, "interrupted") == HALF
    assert (await somebody.read(stream_id))[-1].data["code"] == "engine_lost"

    async def the_rest(exchange: Exchange) -> None:
        await exchange.head()
        for event in [*exchange.frames(PIECES[3:]), DONE, b""]:
            await exchange.chunk(event)

    engine.fault = the_rest
    async with somebody.post(f"/messages/{stream_id}/continue", {}) as response:
        answer = await response.json()
    assert (answer["response"], answer["message_id"]) == (TEXT, stream_id)
    assert await state_of(somebody, stream_id) == ("complete", TEXT)
    body = engine.bodies()[-1]
    assert [m["content"] for m in body["messages"][1:]] == ["What is chalk?", HALF]
    assert body["continue_final_message"] is True
    assert body["add_generation_prompt"] is False
    assert len(await somebody.messages()) == 2


async def test_failure_is_told_and_kept_when_the_engine_refuses(
    somebody: Visitor, engine: FaultyEngine
) -> None:
    """An answer that never began has failed; asking again under its key makes another attempt."""

    async def refuses(exchange: Exchange) -> None:
        await exchange.reply({"error": {"message": "no"}}, 429, retry_after="7")

    good, engine.fault = engine.fault, refuses
    async with somebody.asking(key="once", stream=True) as response:
        *_, error = parse_events(await response.read())
    assert (error.data["code"], error.data["retry_after"]) == ("overloaded", 7)
    question, failed = await somebody.messages()
    assert (failed["state"], failed["text"]) == ("failed", "")

    engine.fault = good
    answer = await somebody.ask(key="once")
    again = await somebody.ask(key="once")
    assert answer["message_id"] == again["message_id"] != failed["id"]
    assert answer["question_id"] == question["id"]
    assert len(await somebody.messages()) == 3


async def test_running_answers_are_interrupted_when_the_service_stops(
    engine: FaultyEngine, tmp_path: Path
) -> None:
    """What there is of them is kept; the next start finds nothing half-written."""
    engine.fault = waits_in_the_middle
    async with running(vllm_api_url=engine.url, var_path=tmp_path) as service:
        somebody = await visitor(service.session, service.url)
        stream_id = await somebody.begin()
        async with somebody.listening(stream_id, "0") as response:
            await response.content.readuntil(b"\n\n")
    async with running(vllm_api_url=engine.url, var_path=tmp_path) as service:
        somebody = Visitor(service.url, service.session, somebody.cookie, somebody.conversation)
        assert HALF.startswith(await has_state(somebody, stream_id, "interrupted"))

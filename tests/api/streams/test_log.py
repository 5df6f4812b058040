"""An answer's log: read from any position, by any number of readers, to exactly one end."""

import asyncio
from itertools import accumulate

import pytest

from tests.api.service import parse_events
from tiza.api.streams.listening import Listening
from tiza.api.streams.log import Document, End, Log
from tiza.errors import Interrupted

PIECES = ["Chalk", " is", " soft", " 🖍", "."]
TEXT = "".join(PIECES)


def filled() -> Log:
    """Return a log with a text in pieces."""
    log = Log({"stream_id": "1"})
    for piece in PIECES:
        log.append(piece)
    return log


async def listen(log: Log) -> str:
    """Read once."""
    return await Listening(log, str).read(str) or ""


async def read(log: Log, position: int | None = None) -> list[bytes]:
    """Read to the end, as an event stream does."""
    events = Listening(log, lambda error: error.code, position)
    told = [events.opening()]
    async with events.answering() as stream:
        try:
            while event := await stream.read(events.event):
                told.append(event)
            told.append(events.ending())
        except Interrupted as exc:
            told.append(events.failure(exc))
    return told


@pytest.mark.parametrize("position", range(len(TEXT) + 2))
async def test_rest_is_what_follows_when_it_is_read_from_any_position(position: int) -> None:
    """Positions count characters, wherever the pieces were cut."""
    log = filled()
    log.close(End({}))
    read = await Listening(log, str, position).read(str) or ""
    assert log.after(position) == read == TEXT[position:]


async def test_readers_miss_nothing_when_they_come_and_go_while_it_grows() -> None:
    """A reader that leaves after each event and returns with its id reads the text once."""
    log, seen, position = Log({}), "", 0

    async def write() -> None:
        for piece in PIECES * 20:
            log.append(piece)
            await asyncio.sleep(0)
        log.close(End({}))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(write())
        while True:
            events = Listening(log, str, position)
            text = await events.read(str)
            if text is None:
                break
            seen += text
            position = int(events.event(text).split(b"\n")[0].removeprefix(b"id: "))
    assert seen == TEXT * 20


@pytest.mark.parametrize("slow", range(1, 6))
async def test_events_come_in_order_when_some_are_taken_and_others_have_to_wait(slow: int) -> None:
    """A client that is slow now and then gets what was told on the spot and what was not."""
    log, told = Log({}), list[bytes]()
    events = Listening(log, str)

    def take(text: str | Document) -> bytes:
        event = events.event(text)
        if len(told) % slow == 0:
            return event
        told.append(event)
        return b""

    async def listen() -> None:
        while event := await events.read(take):
            await asyncio.sleep(0)
            told.append(event)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(listen())
        for number, piece in enumerate(PIECES * 20):
            if number % 3:
                await asyncio.sleep(0)
            log.append(piece)
        log.close(End({}))
    read = parse_events(b"".join(told))
    texts = [event.data["text"] for event in read]
    assert "".join(texts) == TEXT * 20
    assert [int(event.id) for event in read] == [*accumulate(map(len, texts))]


async def test_end_is_the_first_when_two_come() -> None:
    """Stopped and ended in one moment: there is one end, and everybody reads the same."""
    log = filled()
    log.close(End(error=Interrupted()))
    log.close(End({"response": TEXT}))
    *_, token, last = await read(log)
    assert b"event: token" in token
    assert last.startswith(b"id: %d\nevent: error\n" % (len(TEXT) + 1))
    assert b'"code":"interrupted"' in last


async def test_start_is_told_only_to_those_who_have_not_had_it() -> None:
    """Without a position a stream begins with `start`; with one, behind it."""
    log = filled()
    log.close(End({}))
    assert (await read(log))[0].startswith(b"id: 0\nevent: start\n")
    assert (await read(log, 0))[0] == b""


async def test_waiting_reader_is_harmless_when_it_has_been_cancelled() -> None:
    """Who left while waiting is not woken, and the others are."""
    log = Log({})
    leaves, stays = (asyncio.create_task(listen(log)) for _ in range(2))
    await asyncio.sleep(0)
    leaves.cancel()
    await asyncio.wait({leaves})
    log.append("x")
    assert await stays == "x"


def test_text_is_joined_when_it_overlaps_and_refused_when_it_leaves_a_gap() -> None:
    """Another source may repeat what is known; it must not leave anything out."""
    log = filled()
    assert log.add_missing(TEXT + " More", 0)
    assert log.add_missing("ore.", len(TEXT) + 2)
    assert not log.add_missing("!", len(TEXT) + 99)
    assert log.text == TEXT + " More."

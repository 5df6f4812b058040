"""A stream begins with `start`, tells the answer as it comes, and ends exactly once."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import pytest
from structlog.typing import EventDict

from tests.api.faulty_engine import (
    DONE,
    MODEL,
    PIECES,
    TEXT,
    Exchange,
    FaultyEngine,
    frame,
    well_behaved,
)
from tests.api.service import DEADLINE, Service, parse_events, running, until
from tiza.api import openai, streaming
from tiza.api.chat import Generation

CHAT = {"message": "What is chalk?", "stream": True}
COMPLETION = {"model": MODEL, "messages": [{"role": "user", "content": "x"}], "stream": True}
BOTH = pytest.mark.parametrize(
    ("path", "body"), [("/chat", CHAT), ("/v1/chat/completions", COMPLETION)]
)


async def waits(exchange: Exchange) -> None:
    """Begin the answer when told to."""
    await exchange.engine.go_on.wait()
    await well_behaved(exchange)


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


async def read_until(response: aiohttp.ClientResponse, wanted: bytes) -> bytes:
    """Return what has come by the time that `wanted` is in it."""
    received = b""
    async with asyncio.timeout(DEADLINE):
        while wanted not in received:
            chunk = await response.content.readany()
            assert chunk, f"ended without {wanted!r}: {received!r}"
            received += chunk
    return received


async def test_stream_tells_the_plain_answer_when_it_is_whole(service: Service) -> None:
    """`start`, `token`s whose text is `done.response`; `done` is the plain answer; ids count."""
    answer = await service.ask("/chat", CHAT)
    plain = (await service.chat("What is chalk?")).json
    start, *tokens, done = answer.events
    assert (start.name, start.data["model"]) == ("start", MODEL)
    assert start.data.keys() == {"model", "stream_id"}
    assert start.data["stream_id"]
    assert {event.name for event in tokens} == {"token"}
    assert "".join(event.data["text"] for event in tokens) == done.data["response"] == TEXT
    assert (done.name, done.data.keys()) == ("done", plain.keys())
    varying = ("latency_seconds", "timestamp")
    assert {k: v for k, v in done.data.items() if k not in varying} == {
        k: v for k, v in plain.items() if k not in varying
    }
    assert [event.id for event in answer.events] == [str(n) for n in range(1, len(tokens) + 3)]


async def test_stream_is_never_stored_or_buffered_when_it_is_sent(service: Service) -> None:
    """The headers keep caches and Nginx from holding events back."""
    answer = await service.ask("/chat", CHAT)
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert answer.headers["X-Request-ID"]


async def test_streams_have_ids_of_their_own_when_there_are_two(service: Service) -> None:
    """No two streams share a `stream_id`."""
    first, second = await service.ask("/chat", CHAT), await service.ask("/chat", CHAT)
    assert first.events[0].data["stream_id"] != second.events[0].data["stream_id"]


async def test_stream_is_start_and_done_when_the_answer_is_empty(
    service: Service, engine: FaultyEngine
) -> None:
    """A model may have nothing to say."""

    async def nothing(exchange: Exchange) -> None:
        await exchange.head()
        for event in [*exchange.frames([]), DONE]:
            await exchange.chunk(event)
        await exchange.chunk(b"")

    engine.fault = nothing
    answer = await service.ask("/chat", CHAT)
    assert [(event.id, event.name) for event in answer.events] == [("1", "start"), ("2", "done")]
    assert answer.events[1].data["response"] == ""


@BOTH
async def test_tokens_arrive_when_the_engine_has_written_them(
    path: str, body: dict[str, object], service: Service, engine: FaultyEngine
) -> None:
    """Nothing is held back until the answer is whole."""
    engine.fault = waits_in_the_middle
    async with service.session.post(path, json=body) as response:
        await read_until(response, PIECES[2].encode())
        assert engine.generating
        engine.go_on.set()
        assert PIECES[-1].encode() in await response.read()


@BOTH
async def test_pings_come_when_the_engine_has_not_begun(
    path: str,
    body: dict[str, object],
    service: Service,
    engine: FaultyEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a time of silence the status and pings go out, before the first token too."""
    monkeypatch.setattr(streaming, "PING_SECONDS", 0.1)
    engine.fault = waits
    async with service.session.post(path, json=body) as response:
        assert response.status == 200
        before = await read_until(response, b": ping\n\n: ping\n\n")
        engine.go_on.set()
        events = parse_events(before + await response.read())
    if path == "/chat":
        assert [event.name for event in events[:2]] == ["start", "token"]
        assert events[0].data["model"] == MODEL
        assert events[-1].data["response"] == TEXT
    else:
        assert events[-1].raw == "[DONE]"


async def test_pings_come_when_the_engine_pauses(
    service: Service, engine: FaultyEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proxies and phones see life in the middle of an answer too; ids do not count pings."""
    monkeypatch.setattr(streaming, "PING_SECONDS", 0.1)
    engine.fault = waits_in_the_middle
    async with service.session.post("/chat", json=CHAT) as response:
        before = await read_until(response, b": ping\n\n: ping\n\n")
        engine.go_on.set()
        events = parse_events(before + await response.read())
    assert [event.id for event in events] == [str(n) for n in range(1, len(events) + 1)]
    assert "".join(e.data["text"] for e in events if e.name == "token") == TEXT


async def test_start_names_the_model_when_it_goes_out_from_the_queue(
    engine: FaultyEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits for a place is told the model that is expected to answer."""
    monkeypatch.setattr(streaming, "PING_SECONDS", 0.1)
    async with running(vllm_api_url=engine.url, max_streams=1) as service:
        engine.fault = waits
        first = asyncio.create_task(service.chat())
        await until(lambda: engine.generating)
        async with service.session.post("/chat", json=CHAT) as response:
            start = await read_until(response, b": ping")
            assert f'"model":"{MODEL}"'.encode() in start
            engine.go_on.set()
            assert parse_events(start + await response.read())[-1].name == "done"
        assert (await first).status == 200


@BOTH
async def test_error_is_an_event_when_pings_went_out_before(
    path: str,
    body: dict[str, object],
    service: Service,
    engine: FaultyEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once the status is sent, a failure before the first token is told in the stream."""

    async def fails_late(exchange: Exchange) -> None:
        await exchange.engine.go_on.wait()
        await exchange.reply({"error": {"message": "no"}}, 500)

    monkeypatch.setattr(streaming, "PING_SECONDS", 0.1)
    engine.fault = fails_late
    async with service.session.post(path, json=body) as response:
        before = await read_until(response, b": ping")
        engine.go_on.set()
        events = parse_events(before + await response.read())
    if path == "/chat":
        assert [(event.id, event.name) for event in events] == [("1", "start"), ("2", "error")]
        assert events[1].data["code"] == "engine_error"
    else:
        [event] = events
        assert event.data["error"]["code"] == "engine_error"


@pytest.mark.parametrize("language", ["en", "es"])
async def test_error_event_is_told_in_the_reader_s_language_when_a_stream_breaks(
    language: str, service: Service, engine: FaultyEngine
) -> None:
    """The detail of the event follows Accept-Language as that of a problem does."""

    async def breaks(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.chunk(exchange.frames()[1])
        await exchange.engine.go_on.wait()
        await exchange.chunk(b"")

    engine.fault = breaks
    headers = {"Accept-Language": language}
    async with service.session.post("/chat", json=CHAT, headers=headers) as response:
        before = await read_until(response, b"token")
        engine.go_on.set()
        error = parse_events(before + await response.read())[-1]
    words = {"en": "broke in the middle", "es": "se cortó"}
    assert error.data.keys() == {"code", "detail", "retryable"}
    assert error.data["code"] == "engine_lost"
    assert (words["en"] in error.data["detail"]) == (language == "en")


@pytest.mark.parametrize(
    ("path", "body", "owner", "method"),
    [
        ("/chat", CHAT, Generation, "take"),
        ("/v1/chat/completions", COMPLETION, openai._Events, "event"),
    ],
)
async def test_stream_ends_properly_when_there_is_a_bug(  # noqa: PLR0917  # parameters and parts
    path: str,
    body: dict[str, object],
    owner: type,
    method: str,
    service: Service,
    engine: FaultyEngine,
    logged: list[EventDict],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A bug in mid-answer is one `error` event without details, the end of the response, a log."""
    works = getattr(owner, method)
    engine.fault = waits_in_the_middle

    def bug(self: object, frames: object) -> object:
        if engine.go_on.is_set():
            raise ZeroDivisionError("secret detail")
        return works(self, frames)

    monkeypatch.setattr(owner, method, bug)
    async with service.session.post(path, json=body) as response:
        before = await read_until(response, PIECES[2].encode())
        engine.go_on.set()
        answer = before + await response.read()  # raises if the response is not ended properly
    assert b'"code":"internal"' in answer
    assert b"secret" not in answer
    assert sum(b"internal" in line for line in answer.split(b"\n")) == 1
    await until(lambda: [entry["event"] for entry in logged].count("bug") == 1)


async def endless(exchange: Exchange) -> None:
    """Write large tokens for ever."""
    event = frame({"choices": [{"delta": {"content": "x" * 60_000}, "finish_reason": None}]})
    await exchange.head()
    while True:
        await exchange.chunk(event)


@contextmanager
def unread(service: Service) -> Iterator[None]:
    """Ask for an answer and read nothing of it."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", service.port))
        body = b'{"message": "x", "stream": true}'
        head = b"POST /chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        client.sendall(head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        yield


async def test_place_is_free_again_when_a_client_stops_reading(
    service: Service, engine: FaultyEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who leaves its answer unread is given up in the end, without work in the meantime."""
    monkeypatch.setattr(streaming, "PING_SECONDS", 0.05)
    monkeypatch.setattr(streaming, "STALLED_SECONDS", 1.0)

    async def busy_seconds() -> float:
        return time.thread_time()

    engine.fault = endless
    with unread(service):
        await until(lambda: engine.generating)
        before, started = await service.run(busy_seconds), time.monotonic()
        await until(lambda: not engine.generating)
        await service.idle()
        busy = await service.run(busy_seconds) - before
    assert busy < (time.monotonic() - started) / 2
    engine.fault = well_behaved
    assert (await service.chat()).status == 200

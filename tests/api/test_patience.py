"""Clients that hold connections for nothing, and bodies that would grow when unpacked."""

import asyncio
import gzip
import json

import pytest

from tests.api.faulty_engine import FaultyEngine
from tests.api.service import DEADLINE, Service, until
from tests.api.test_admission import waits
from tiza.api import patience

QUICK = 0.2
HEAD = b"POST /chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
ENDLESS = 500 * patience.MOST_HEAD_BYTES  # far more than sockets hold back
BODY = b'{"message": "What is chalk?"}'


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lose patience sooner."""
    monkeypatch.setattr(patience, "HEAD_SECONDS", QUICK)
    monkeypatch.setattr(patience, "BODY_SECONDS", QUICK)


async def dripped(service: Service, begin: bytes, drop: bytes) -> bytes:
    """Send a beginning and then drop by drop, until the connection is closed; return all."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(begin)

    async def drip() -> None:
        while True:
            writer.write(drop)
            await asyncio.sleep(QUICK / 10)

    dripping = asyncio.create_task(drip())
    try:
        return await asyncio.wait_for(reader.read(), DEADLINE)
    except ConnectionResetError:
        return b""
    finally:
        dripping.cancel()
        writer.close()


@pytest.mark.parametrize(
    ("begin", "drop"),
    [
        (b"", b""),
        (b"POST /ch", b"a"),
        (HEAD, b"X: y\r\n"),
        (HEAD + b"Content-Length: 1000\r\n\r\n", b" "),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ],
    ids=["silence", "request line", "headers", "body", "chunks"],
)
async def test_connection_is_closed_when_a_request_comes_drop_by_drop(
    begin: bytes, drop: bytes, quick: None, service: Service, engine: FaultyEngine
) -> None:
    """Slowloris: a request has to be whole in time, however busily its sender sends."""
    assert await dripped(service, begin, drop) == b""
    assert not engine.bodies()


async def test_connection_is_closed_when_a_second_request_comes_drop_by_drop(
    quick: None, service: Service
) -> None:
    """A connection that was good once has no more rights."""
    first = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    received = await dripped(service, first + HEAD, b"X: y\r\n")
    assert received.count(b"HTTP/1.1") == 1
    assert b"200 OK" in received


async def test_others_are_answered_when_hundreds_drip(service: Service) -> None:
    """Nobody waits for those who hold connections."""
    opened = [await asyncio.open_connection("127.0.0.1", service.port) for _ in range(200)]
    try:
        for _, writer in opened:
            writer.write(HEAD)
        assert (await service.chat()).status == 200
    finally:
        for _, writer in opened:
            writer.close()


async def test_answer_is_not_cut_when_it_takes_longer_than_a_request_may(
    quick: None, service: Service, engine: FaultyEngine
) -> None:
    """Patience is with the question; the answer has all its time."""
    engine.fault = waits
    asked = asyncio.create_task(service.chat(stream=True))
    await until(lambda: engine.generating)
    await asyncio.sleep(QUICK * 2)  # longer than a request may take: this test is about time
    engine.go_on.set()
    assert (await asked).events[-1].name == "done"


async def test_connection_is_closed_when_headers_have_no_end(service: Service) -> None:
    """Memory for headers is bounded."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(HEAD)
    sent = 0
    try:
        while sent < ENDLESS:
            writer.write(b"X-Long: " + b"x" * 8000 + b"\r\n")
            sent += 8000
            await writer.drain()
            await asyncio.sleep(0)
    except OSError:
        pass
    with pytest.raises((OSError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(reader.readexactly(1), DEADLINE)
    assert sent < ENDLESS
    writer.close()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "x"])
async def test_packed_body_is_refused(
    encoding: str, service: Service, engine: FaultyEngine
) -> None:
    """415, whatever is inside: nothing is unpacked, so nothing can be made to grow."""
    bomb = gzip.compress(json.dumps({"message": " " * 10_000_000}).encode())
    answer = await service.ask("/chat", data=bomb, headers={"Content-Encoding": encoding})
    assert (answer.status, answer.json["code"]) == (415, "unsupported_encoding")
    assert answer.headers["Accept-Encoding"] == "identity"
    assert not engine.bodies()


@pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
async def test_plain_body_is_read_when_it_says_so(encoding: str, service: Service) -> None:
    """Saying that nothing was done to a body is no offence."""
    answer = await service.ask("/chat", data=BODY, headers={"Content-Encoding": encoding})
    assert answer.status == 200

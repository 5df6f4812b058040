"""What streams in the benchmarks: an upstream of a fixed rate, the raw floor, and their reader.

    python benchmarks/streaming.py upstream --port N --rate R
    python benchmarks/streaming.py passthrough --port N --upstream M
    python benchmarks/streaming.py awake

The upstream and the reader are bare protocols, since they share the machine with what is measured.
Knows nothing of who is measured.
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, cast
from urllib.parse import urlsplit

import aiohttp
import psutil
import uvloop
from aiohttp import web

WARM_UP_SECONDS, RAMP_SECONDS, SETTLE_SECONDS = 1.5, 1.0, 1.0
START_SECONDS = 120
STALL_SECONDS = 0.25
CPUCLOCK_SCHED = 2  # the kernel's name of a clock that counts user and system time exactly
TOKEN = b'token"'  # how a frame with text ends, whoever passed it on
QUESTION = {
    "model": "bench",
    "messages": [{"role": "user", "content": "hi"}],
    "max_tokens": 4000,
    "stream": True,
}
CHAT = {"message": "hi", "stream": True, "max_tokens": 3000}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = {
    "choices": [{"finish_reason": None, "index": 0, "delta": {"content": " token"}}],
    "created": 1,
    "id": "chatcmpl-XB1od4L5JJ9Sm1e1YhormbTS5TLJxAGZ",
    "model": "bench",
    "system_fingerprint": "b0-unknown",
    "object": "chat.completion.chunk",
}
MODELS = {"data": [{"id": "bench", "object": "model", "max_model_len": 8192}]}


class Upstream(asyncio.Protocol):
    """Answers questions with a token every `step` seconds without end, as llama.cpp writes them."""

    def __init__(self, step: float) -> None:
        self._step, self._received = step, b""
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        event = b"data: " + json.dumps(CHUNK, separators=(",", ":")).encode() + b"\n\n"
        self._frame = b"%x\r\n%b\r\n" % (len(event), event)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember whom to answer."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not one by class

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            _, _, length = head.lower().partition(b"content-length:")
            whole = end + 4 + int(length.partition(b"\r\n")[0] or 0)
            if len(self._received) < whole:
                return
            self._received = self._received[whole:]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        if head.startswith(b"POST"):
            self._transport.write(HEAD)
            self._next = self._loop.time()
            self._tick()
            return
        body = json.dumps(MODELS).encode()
        kind = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self._transport.write(b"HTTP/1.1 200 OK\r\n" + kind + body)

    def _tick(self) -> None:
        self._transport.write(self._frame)
        self._next += self._step
        self._timer = self._loop.call_at(self._next, self._tick)

    def connection_lost(self, _exc: Exception | None) -> None:
        """End the stream."""
        if self._timer:
            self._timer.cancel()


async def upstream(port: int, rate: float) -> None:
    """Serve for ever."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Upstream(1 / rate), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


def passthrough(port: int, upstream_port: int) -> None:
    """Serve the floor: the bytes of the upstream, as they come, through aiohttp both ways."""

    async def session(app: web.Application) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as made:
            app["session"] = made
            yield

    async def forward(request: web.Request) -> web.StreamResponse:
        url = f"http://127.0.0.1:{upstream_port}/v1/chat/completions"
        body = await request.read()
        async with request.app["session"].post(url, data=body) as answer:
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            return response

    async def live(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.cleanup_ctx.append(session)
    app.add_routes([web.post("/v1/chat/completions", forward), web.get("/health/live", live)])
    uvloop.install()
    web.run_app(app, host="127.0.0.1", port=port, print=None, handle_signals=True)


class Reader(asyncio.Protocol):
    """Sends one question and counts the tokens that come, and the pauses between them."""

    def __init__(self, request: bytes) -> None:
        self._request, self._rest = request, b""
        self.tokens, self.first, self.longest = 0, 0.0, 0.0
        self.status = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not one by class
        self._asked = self._last = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Count; a token may come in two pieces."""
        self.status = self.status or data[9:12]
        data = self._rest + data
        self._rest = data[-len(TOKEN) + 1 :]
        if found := data.count(TOKEN):
            now = time.perf_counter()
            if self.first:
                self.longest = max(self.longest, now - self._last)
            else:
                self.first = now - self._asked
            self.tokens += found
            self._last = now

    def begin(self) -> None:
        """Forget what was before what counts."""
        self.tokens, self.longest = 0, 0.0

    def flowed(self) -> bool:
        """Tell whether the stream never paused so long that a person would notice."""
        pause = max(self.longest, time.perf_counter() - self._last)
        return bool(self.first) and pause <= STALL_SECONDS

    def leave(self) -> None:
        """Close the connection."""
        self._transport.close()


async def load(  # noqa: PLR0917  # one call site a benchmark
    url: str,
    body: dict[str, Any],
    streams: int,
    pid: int,
    seconds: float,
    headers: Mapping[str, str] | None = None,
) -> dict[str, float]:
    """Read streams that begin one after the other; return what they cost and how they flowed.

    CPU (µs) a token, tokens/s, first token (ms), streams without a pause, memory (MB).
    """
    jar = aiohttp.CookieJar(unsafe=True)  # of an address without a name
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        await _place(session, url)  # so that all are one person
        await _warm_up(session, await _place(session, url), body, headers)
        asks = [
            _request(jar, await _place(session, url), _numbered(body, number), headers)
            for number in range(streams)
        ]
    readers = await _begun(url, asks)
    await asyncio.sleep(SETTLE_SECONDS)
    for reader in readers:
        reader.begin()
    before, started = cpu(pid), time.perf_counter()
    await asyncio.sleep(seconds)
    used, elapsed = cpu(pid) - before, time.perf_counter() - started
    tokens, flowed = sum(r.tokens for r in readers), sum(r.flowed() for r in readers)
    held = memory(pid)
    for reader in readers:
        reader.leave()
    refused = {reader.status for reader in readers} - {b"200", b""}
    assert not refused, f"{url} answered {refused}"
    first = sorted(reader.first for reader in readers if reader.first) or [float("inf")]
    return {
        "cpu_us_per_frame": used / max(tokens, 1) * 1e6,
        "frames_per_second": tokens / elapsed,
        "first_token_ms": statistics.median(first) * 1e3,
        "first_token_p95_ms": first[min(len(first) - 1, int(len(first) * 0.95))] * 1e3,
        "first_token_p99_ms": first[min(len(first) - 1, int(len(first) * 0.99))] * 1e3,
        "stall_free": flowed,
        "memory_mb": held,
    }


async def _begun(url: str, asks: list[bytes]) -> list[Reader]:
    """Open the streams over a second: people do not ask at the same moment."""
    loop, (host, _, port) = asyncio.get_running_loop(), urlsplit(url).netloc.partition(":")
    begun, readers = loop.time(), []
    for number, ask in enumerate(asks):
        await asyncio.sleep(max(0.0, begun + number / len(asks) * RAMP_SECONDS - loop.time()))
        reader = Reader(ask)
        await loop.create_connection(partial(_same, reader), host, int(port))
        readers.append(reader)
    return readers


def _same(reader: Reader) -> Reader:
    return reader


def _request(
    jar: aiohttp.CookieJar, url: str, body: dict[str, Any], headers: Mapping[str, str] | None
) -> bytes:
    content = json.dumps(body).encode()
    cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in jar)
    lines = {"Host": urlsplit(url).netloc, "Content-Type": "application/json", **(headers or {})}
    lines |= {"Content-Length": str(len(content))} | ({"Cookie": cookies} if cookies else {})
    head = [f"POST {urlsplit(url).path} HTTP/1.1", *(f"{k}: {v}" for k, v in lines.items())]
    return "\r\n".join([*head, "", ""]).encode() + content


async def _warm_up(
    session: aiohttp.ClientSession,
    url: str,
    body: dict[str, Any],
    headers: Mapping[str, str] | None,
) -> None:
    """Let a service that has just started load what it loads later: it is not in question here."""
    async with session.post(url, json=body, headers=headers) as response:
        assert response.status == 200, await response.text()
        await response.content.readany()
    await asyncio.sleep(WARM_UP_SECONDS)


def _numbered(body: dict[str, Any], number: int) -> dict[str, Any]:
    if "message" in body:
        return body | {"message": f"hi {number}"}
    return body | {"messages": [{"role": "user", "content": f"hi {number}"}]}


async def _place(session: aiohttp.ClientSession, url: str) -> str:
    """Make the conversation that an address speaks of, if it does."""
    base, conversation, _ = url.partition("/conversations/")
    if not conversation:
        return url
    async with session.post(f"{base}/conversations", json={}) as response:
        return url.replace("{id}", (await response.json())["id"])


def processes(pid: int) -> list[psutil.Process]:
    """Return a process and all below it."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def cpu(pid: int) -> float:
    """Return the CPU seconds (user and system) of a process and those below it, to the nanosecond.

    Each by its own clock: see clock_getcpuclockid(3), which Python has for threads only.
    """
    return sum(
        time.clock_gettime((~process.pid << 3) | CPUCLOCK_SCHED) for process in processes(pid)
    )


def memory(pid: int) -> float:
    """Return the resident memory of a process and those below it, in MB."""
    return sum(process.memory_info().rss for process in processes(pid)) / 1e6


@contextmanager
def running(
    command: list[str],
    health: str,
    environment: Mapping[str, str],
    cores: set[int] | None = None,
    every: float = 0.05,
) -> Iterator[int]:
    """Run a command while the block lasts, on these cores; yield its process id once it is healthy.

    `every`: seconds between two looks.
    """
    process = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        if cores:
            os.sched_setaffinity(process.pid, cores)  # before it starts threads
        asyncio.run(_is_well(health, process, every))
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:  # a peer that waits for its streams
            process.kill()
            process.wait()


async def _is_well(url: str, process: "subprocess.Popen[bytes]", every: float) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(START_SECONDS):
        while True:
            assert process.poll() is None, f"{process.args!r} has ended"
            with suppress(aiohttp.ClientConnectionError):
                async with session.get(url) as answer:
                    if answer.ok:
                        return
            await asyncio.sleep(every)


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def upstream_of(rate: float, cores: set[int] | None = None) -> Iterator[str]:
    """Run the upstream; yield its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, __file__, "upstream", "--port", str(port), "--rate", str(rate)]
    with running(command, f"{url}/health", {}, cores):
        yield url


@contextmanager
def awake(core: int) -> Iterator[None]:
    """Keep a core at work with what gives way to everybody else, so that nobody has to wake it."""
    process = subprocess.Popen([sys.executable, __file__, "awake"])
    try:
        os.sched_setaffinity(process.pid, {core})
        os.sched_setscheduler(process.pid, os.SCHED_IDLE, os.sched_param(0))
        yield
    finally:
        process.kill()
        process.wait()


def main() -> None:
    """Be one of the services."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("service", choices=["upstream", "passthrough", "awake"])
    parser.add_argument("--port", type=int)
    parser.add_argument("--upstream", type=int)
    parser.add_argument("--rate", type=float)
    args = parser.parse_args()
    if args.service == "upstream":
        uvloop.run(upstream(args.port, args.rate))
    elif args.service == "passthrough":
        passthrough(args.port, args.upstream)
    else:
        while True:
            pass


if __name__ == "__main__":
    main()

"""What a streamed token costs in the API, beside a raw aiohttp pass-through in the same run.

    python benchmarks/gateway.py [--streams 1 16 64] [--rate 50] [--seconds 8] [--rounds 3]

An upstream that streams at a fixed rate, one gateway at a time, and a client that reads everything:
each a process of its own on loopback. Every stream asks a question of its own, since equal ones
would share an answer. "Kept" is a question in a conversation: its answer would live
on without its reader and is saved every second. CPU is the gateway process's own (user + system),
divided by the frames that came through. Rounds of the gateways alternate; the table shows medians.
Writes JSON to var/bench/gateway.json.
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import psutil
from aiohttp import web

from record import keep

WARM_UP_SECONDS = 1.5
QUESTION = {
    "model": "bench",
    "messages": [{"role": "user", "content": "hi"}],
    "max_tokens": 4000,
    "stream": True,
}
CHAT = {"message": "hi", "stream": True, "max_tokens": 3000}


def upstream(port: int, rate: float) -> None:
    """Serve OpenAI streams of one token every 1/rate seconds, as llama.cpp writes them."""

    def frame(choice: dict[str, Any]) -> bytes:
        chunk = {
            "choices": [choice],
            "created": 1,
            "id": "chatcmpl-XB1od4L5JJ9Sm1e1YhormbTS5TLJxAGZ",
            "model": "bench",
            "system_fingerprint": "b0-unknown",
            "object": "chat.completion.chunk",
        }
        return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"

    token = frame({"finish_reason": None, "index": 0, "delta": {"content": " token"}})

    async def stream(request: web.Request) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        loop = asyncio.get_running_loop()
        next_token = loop.time()
        while True:
            await response.write(token)
            next_token += 1 / rate
            await asyncio.sleep(max(0.0, next_token - loop.time()))

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "bench", "max_model_len": 8192}]})

    async def health(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.add_routes(
        [
            web.post("/v1/chat/completions", stream),
            web.get("/v1/models", models),
            web.get("/health", health),
        ]
    )
    web.run_app(app, host="127.0.0.1", port=port, print=None)


def passthrough(port: int, upstream_port: int) -> None:
    """Serve the floor: the bytes of the upstream, as they come, through aiohttp both ways."""
    import uvloop

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


async def load(  # noqa: PLR0917  # one call site a benchmark
    url: str,
    body: dict[str, Any],
    streams: int,
    pid: int,
    seconds: float,
    headers: dict[str, str] | None = None,
) -> dict[str, float]:
    """Read streams; return CPU (µs) a frame, frames/s, first token (ms), memory (MB)."""
    process, frames, first = psutil.Process(pid), 0, []

    async def read(session: aiohttp.ClientSession, number: int) -> None:
        nonlocal frames
        place = await _place(session, url)
        await asyncio.sleep(number / streams)  # people do not ask at the same moment
        started, seen = time.perf_counter(), False
        asked = _numbered(body, number)
        async with session.post(place, json=asked, headers=headers) as response:
            assert response.status == 200, await response.text()
            async for chunk in response.content.iter_any():
                if not seen:
                    first.append(time.perf_counter() - started)
                    seen = True
                frames += chunk.count(b'token"')

    connector = aiohttp.TCPConnector(limit=0)
    jar = aiohttp.CookieJar(unsafe=True)  # of an address without a name
    async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as session:
        await _place(session, url)  # so that all are one person
        await _warm_up(session, await _place(session, url), body)
        readers = [asyncio.create_task(read(session, number)) for number in range(streams)]
        await asyncio.sleep(1 + WARM_UP_SECONDS)
        before, counted, started = sum(process.cpu_times()[:2]), frames, time.perf_counter()
        await asyncio.sleep(seconds)
        cpu, passed = sum(process.cpu_times()[:2]) - before, frames - counted
        elapsed, memory = time.perf_counter() - started, process.memory_info().rss
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    return {
        "cpu_us_per_frame": cpu / passed * 1e6,
        "frames_per_second": passed / elapsed,
        "first_token_ms": statistics.median(first) * 1e3,
        "memory_mb": memory / 1e6,
    }


async def _warm_up(session: aiohttp.ClientSession, url: str, body: dict[str, Any]) -> None:
    """Let a service that has just started load what it loads later: it is not in question here."""
    async with session.post(url, json=body) as response:
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


@contextmanager
def running(command: list[str], health: str, environment: dict[str, str]) -> Iterator[int]:
    """Run a command while the block lasts; yield its process id once it answers."""
    process = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        asyncio.run(_answers(health))
        yield process.pid
    finally:
        process.terminate()
        process.wait()


async def _answers(url: str) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(20):
        while True:
            try:
                async with session.get(url):
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def measure(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Run all rounds; return one row per gateway, path and number of streams."""
    me, up, ours, raw = [sys.executable, __file__], free_port(), free_port(), free_port()
    environment = {
        "VLLM_API_URL": f"http://127.0.0.1:{up}",
        "PORT": str(ours),
        "MAX_STREAMS": "1024",
    }
    environment |= {"VLLM_MAX_MODEL_LEN": "8192", "LOG_LEVEL": "warning"}
    environment |= {"VAR_PATH": tempfile.mkdtemp(), "DRAIN_SECONDS": "0"}
    targets = {
        "raw aiohttp": (raw, "/v1/chat/completions", QUESTION),
        "tiza /v1": (ours, "/v1/chat/completions", QUESTION),
        "tiza /chat": (ours, "/chat", CHAT),
        "tiza kept": (ours, "/conversations/{id}/messages", CHAT),
    }
    commands = {
        raw: [*me, "passthrough", "--port", str(raw), "--upstream", str(up)],
        ours: [sys.executable, "-m", "tiza.api"],
    }
    samples: dict[tuple[str, int], list[dict[str, float]]] = {}
    upstream_command = [*me, "upstream", "--port", str(up), "--rate", str(args.rate)]
    with running(upstream_command, f"http://127.0.0.1:{up}/health", {}):
        for _ in range(args.rounds):
            for streams in args.streams:
                for name, (port, path, body) in targets.items():
                    url = f"http://127.0.0.1:{port}"
                    with running(commands[port], f"{url}/health/live", environment) as pid:
                        found = asyncio.run(load(url + path, body, streams, pid, args.seconds))
                    samples.setdefault((name, streams), []).append(found)
    return [
        {"gateway": name, "streams": streams, **_medians(rounds)}
        for (name, streams), rounds in samples.items()
    ]


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(statistics.median(r[key] for r in rounds), 2) for key in rounds[0]}


def report(rows: list[dict[str, Any]]) -> None:
    """Print the table and write the JSON."""
    floor = {r["streams"]: r["cpu_us_per_frame"] for r in rows if r["gateway"] == "raw aiohttp"}
    for row in rows:
        row["ratio_to_raw"] = round(row["cpu_us_per_frame"] / floor[row["streams"]], 2)
    table = [
        {
            "gateway": f"{row['gateway']}, {row['streams']} streams",
            "µs a token": row["cpu_us_per_frame"],
            "times raw": row["ratio_to_raw"],
            "tokens/s": row["frames_per_second"],
            "ms to the first": row["first_token_ms"],
            "MB": row["memory_mb"],
        }
        for row in rows
    ]
    keep("gateway", {"CPU of the gateway's process": table}, rows, "µs a token")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb")
    for verb in ("upstream", "passthrough"):
        child = verbs.add_parser(verb)
        child.add_argument("--port", type=int, required=True)
        child.add_argument("--upstream", type=int)
        child.add_argument("--rate", type=float)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    if args.verb == "upstream":
        upstream(args.port, args.rate)
    elif args.verb == "passthrough":
        passthrough(args.port, args.upstream)
    else:
        report(measure(args))


if __name__ == "__main__":
    main()

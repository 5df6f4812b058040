"""How busy a teacher of known capacity is kept, and what that costs, beside sdg-hub in one run.

    python benchmarks/generate.py [--capacity 32] [--delay 0.3] [--seconds 30] [--no-peer]

A scripted teacher answers after a fixed delay, so many at once: what is beyond that waits, or, in
the other variant, is refused with a 429. Each client is a process of its own on loopback, is not
told the capacity, and gets so many requests as fill the time. The busy share is the integral of
what the teacher works on, divided by its capacity, from the first request to the last answer. A
teacher that refuses has no queue, so that every moment between its answer and the next request is
lost: its share is also one of the machine's load. CPU is the client's own (user + system), without
its start. The peer is the block of sdg-hub that asks models, asynchronous, once
with its own idea of concurrency and once told the capacity; it lives in an environment of its own
(`peer.py`). Writes JSON to var/bench/generate.json.
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import peer
from record import Row, keep

ANSWER = "A list is an ordered collection of values that may change. " * 4
QUESTION = "Write a question and its answer on this passage: " + ANSWER * 4
HEAD = (
    "client                   teacher  busy share  first min  requests/s  CPU share  ms/request"
    "  received"
)


def teacher(port: int, capacity: int, delay: float, *, refuses: bool) -> None:
    """Serve, and tell at /measured what was worked on when."""
    from aiohttp import web

    places = asyncio.Semaphore(capacity)
    spans: list[tuple[float, float]] = []
    received = 0

    async def complete(request: web.Request) -> web.Response:
        nonlocal received
        received += 1
        await request.read()
        if refuses and places.locked():
            return web.json_response({"error": {"message": "too many requests"}}, status=429)
        async with places:
            begun = time.perf_counter()
            await asyncio.sleep(delay)
            spans.append((begun, time.perf_counter()))
        message = {"role": "assistant", "content": ANSWER}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 300, "completion_tokens": 60, "total_tokens": 360}
        head = {"id": "x", "object": "chat.completion", "created": 1, "model": "bench"}
        return web.json_response({**head, "choices": [choice], "usage": usage})

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "bench"}]})

    async def measured(_: web.Request) -> web.Response:
        first, last = min(s[0] for s in spans), max(s[1] for s in spans)
        minute = min(first + 60, last)
        early = sum(max(0.0, min(end, minute) - begun) for begun, end in spans)
        whole = sum(end - begun for begun, end in spans)
        return web.json_response(
            {
                "busy_share": whole / capacity / (last - first),
                "busy_share_first_minute": early / capacity / (minute - first),
                "requests_per_second": len(spans) / (last - first),
                "answers": len(spans),
                "received": received,
            }
        )

    app = web.Application()
    app.add_routes(
        [
            web.post("/v1/chat/completions", complete),
            web.get("/v1/models", models),
            web.get("/measured", measured),
        ]
    )
    web.run_app(app, host="127.0.0.1", port=port, print=None)


def client(args: argparse.Namespace) -> None:
    """Ask as the pipelines do, and print the CPU seconds that it took, once all is loaded."""
    from tiza.generate.request import Request
    from tiza.generate.teacher import Endpoint, Teacher

    async def ask_all() -> None:
        async with Teacher(Endpoint(args.url)) as asked, asyncio.TaskGroup() as tasks:
            for number in range(args.requests):
                message = {"role": "user", "content": f"{number}. {QUESTION}"}
                tasks.create_task(asked.ask(Request((message,), max_tokens=256)))

    before = time.process_time()
    asyncio.run(ask_all())
    print(json.dumps({"cpu_seconds": time.process_time() - before}))


@contextmanager
def serving(capacity: int, delay: float, *, refuses: bool) -> Iterator[str]:
    """Run a teacher while the block lasts; yield its address."""
    port = free_port()
    command = [sys.executable, __file__, "teacher", "--port", str(port)]
    command += ["--capacity", str(capacity), "--delay", str(delay)]
    process = subprocess.Popen(command + ["--refuses"] * refuses)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/v1/models")
        yield url
    finally:
        process.terminate()
        process.wait()


def _wait_for(url: str) -> None:
    for _ in range(400):
        try:
            fetched(url)
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit(f"nothing answers at {url}")


def fetched(url: str) -> dict[str, Any]:
    """Return a JSON document of this machine."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=10) as response:
        return dict(json.loads(response.read()))


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def measure(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Run every client against both teachers; return one row each."""
    clients: dict[str, list[str]] = {"tiza": [sys.executable, __file__, "client"]}
    if args.peer:
        script = str(peer.CONFIGURATION / "generate_sdg_hub.py")
        theirs = [str(peer.programs("sdg-hub") / "python"), script, "--question", QUESTION]
        subprocess.run([*theirs, "--only-load"], check=True)  # what is not there is no figure
        clients["sdg-hub"] = theirs
        clients["sdg-hub, told it"] = [*theirs, "--concurrency", str(args.capacity)]
    return [
        job(name, command, args, refuses=refuses)
        for refuses in (False, True)
        for name, command in clients.items()
    ]


def job(
    name: str, command: list[str], args: argparse.Namespace, *, refuses: bool
) -> dict[str, Any]:
    """Do one job; a client that gave up has no figures but its last words."""
    requests = round(args.seconds * args.capacity / args.delay)
    kind = "refuses" if refuses else "queues"
    with serving(args.capacity, args.delay, refuses=refuses) as url:
        words = [*command, "--url", url, "--requests", str(requests)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=os.environ)
        if done.returncode:
            words = done.stderr.strip().splitlines()[-1:]
            print(f"{name} gave up: {words}")
            return {"client": name, "teacher": kind, "gave_up": words}
        cpu = json.loads(done.stdout.splitlines()[-1])["cpu_seconds"]
        found = fetched(f"{url}/measured")
    seconds = found["answers"] / found["requests_per_second"]
    row = {**found, "cpu_share": cpu / seconds, "cpu_ms_per_request": cpu / requests * 1e3}
    return {"client": name, "teacher": kind, **row}


def figures(row: dict[str, Any]) -> Row:
    """Return a row of the table."""
    label = f"{row['client']}, teacher {row['teacher']}"
    if "gave_up" in row:
        return {"client": label, "busy %": "gave up"}
    return {
        "client": label,
        "busy %": row["busy_share"] * 100,
        "busy % first minute": row["busy_share_first_minute"] * 100,
        "requests/s": row["requests_per_second"],
        "CPU %": row["cpu_share"] * 100,
        "ms CPU a request": row["cpu_ms_per_request"],
        "received": row["received"],
    }


def report(rows: list[dict[str, Any]], args: argparse.Namespace) -> None:
    """Print the table and write the JSON."""
    table = [figures(row) for row in rows]
    caption = f"A teacher of capacity {args.capacity} that answers in {args.delay} s"
    keep("generate", {caption: table}, rows, "busy %")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", nargs="?", choices=["teacher", "client"])
    parser.add_argument("--capacity", type=int, default=32)
    parser.add_argument("--delay", type=float, default=0.3)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--peer", action=argparse.BooleanOptionalAction, default=None)
    parser.add_argument("--port", type=int)
    parser.add_argument("--refuses", action="store_true")
    parser.add_argument("--url")
    parser.add_argument("--requests", type=int)
    args = parser.parse_args()
    if args.role == "teacher":
        teacher(args.port, args.capacity, args.delay, refuses=args.refuses)
    elif args.role == "client":
        client(args)
    else:
        args.peer = args.peer is not False
        report(measure(args), args)


if __name__ == "__main__":
    main()

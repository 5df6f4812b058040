"""What limits and sharing cost: checks a second, µs a token, ms to the first token, and floods.

    python benchmarks/limits.py [--streams 64] [--seconds 6] [--rounds 3] [--flood 10000]

Checks: one process takes and settles tickets through a real Redis, 64 at a time; the floor is 2 000
a second. Streams: the same upstream and client as in `gateway.py`, each stream with a question of
its own; "alone" asks for an answer of its own without limits, which is the path as it was before.
The flood opens that many streams from one address at once; all but its places must be refused.
Writes JSON to var/bench/limits.json.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import psutil

from record import keep
from streaming import CHAT, free_port, load, running, upstream_of
from tiza.api.callers import Caller
from tiza.api.instruments import Instruments
from tiza.api.limits.limits import Limits
from tiza.api.visit import Visit
from tiza.settings import Settings
from tiza.store.records import Person

FLOOR = 2000  # checks a second
AT_ONCE = 64
WAVE = 1000  # connections that are opened together; a listener queues no more
PLENTY = {"MAX_REQUESTS": 10**9, "DAILY_TOKENS_STUDENT": 10**12, "MAX_STREAMS_PER_CLIENT": 10**6}
FRESH = {"Cache-Control": "no-cache"}


@contextmanager
def redis_server() -> Iterator[str]:
    """Run redis-server while the block lasts; yield its address."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # from PATH
        try:
            time.sleep(0.5)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()


async def checks(url: str, seconds: float) -> dict[str, float]:
    """Take and settle tickets of known people; return checks/s and CPU (µs) a check."""
    given: dict[str, Any] = {"_env_file": None, "redis_url": url, **_lower(PLENTY)}
    settings = Settings(**given)
    done = 0

    async def ask(limits: Limits, number: int, end: float) -> None:
        nonlocal done
        visit = Visit(Caller(Person(number + 1), "student", "", f"192.0.2.{number}"))
        while time.perf_counter() < end:
            (await limits.take(visit, 500)).settle(100)
            done += 1

    async with Limits(settings, Instruments()) as limits:
        before, end = time.process_time(), time.perf_counter() + seconds
        await asyncio.gather(*(ask(limits, number, end) for number in range(AT_ONCE)))
        cpu = time.process_time() - before
    return {"checks_per_second": done / seconds, "cpu_us_per_check": cpu / done * 1e6}


def _lower(variables: dict[str, int]) -> dict[str, Any]:
    return {name.lower(): value for name, value in variables.items()}


def streams(args: argparse.Namespace, redis: str) -> list[dict[str, Any]]:
    """Measure streams with nothing, with sharing, and with limits in memory and in Redis."""
    limits = {name: str(value) for name, value in PLENTY.items()}
    targets: dict[str, tuple[dict[str, str], dict[str, str]]] = {
        "alone": ({}, FRESH),
        "sharing": ({}, {}),
        "limits": (limits, {}),
        "limits, redis": (limits | {"REDIS_URL": redis}, {}),
    }
    samples: dict[str, list[dict[str, float]]] = {name: [] for name in targets}
    with upstream_of(args.rate) as engine:
        for _ in range(args.rounds):
            for name, (environment, headers) in targets.items():
                with api(engine, environment) as (url, pid):
                    found = load(f"{url}/chat", CHAT, args.streams, pid, args.seconds, headers)
                    samples[name].append(asyncio.run(found))
    return [
        {"path": name} | {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}
        for name, rounds in samples.items()
    ]


@contextmanager
def api(engine: str, environment: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Run the API; yield its address and process id."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    common = {"VLLM_API_URL": engine, "PORT": str(port), "MAX_STREAMS": "1024"}
    common |= {"VLLM_MAX_MODEL_LEN": "8192", "LOG_LEVEL": "warning"}
    common |= {"VAR_PATH": tempfile.mkdtemp()}
    command = [sys.executable, "-m", "tiza.api"]
    with running(command, f"{url}/health/live", common | environment) as pid:
        yield url, pid


async def flood(url: str, pid: int, number: int) -> dict[str, Any]:
    """Ask for streams at once, each on its own connection; return what came of it."""
    process, outcomes = psutil.Process(pid), Counter[str]()
    cpu, memory = sum(process.cpu_times()[:2]), process.memory_info().rss
    held = asyncio.Event()

    async def ask(session: aiohttp.ClientSession, nth: int) -> None:
        asked = CHAT | {"message": f"hi {nth}"}
        try:
            async with session.post(f"{url}/chat", json=asked) as response:
                seen(str(response.status))
                await held.wait()  # so that all connections are open together
        except aiohttp.ClientError:
            seen("closed")  # before it was heard: too many come in the same moment

    def seen(what: str) -> None:
        outcomes[what] += 1
        if outcomes.total() == number:
            held.set()

    started = time.perf_counter()
    timeout = aiohttp.ClientTimeout(total=None)
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        asked = []
        for nth in range(number):
            asked.append(asyncio.create_task(ask(session, nth)))
            if nth % WAVE == WAVE - 1:
                while outcomes.total() < nth // 2:  # noqa: ASYNC110  # not worth an event
                    await asyncio.sleep(0.01)
        await asyncio.gather(*asked)
        seconds = time.perf_counter() - started
    return {
        "streams": number,
        "outcomes": dict(outcomes),
        "seconds": seconds,
        "cpu_us_per_request": (sum(process.cpu_times()[:2]) - cpu) / number * 1e6,
        "memory_mb_more": (process.memory_info().rss - memory) / 1e6,
    }


def main() -> None:
    """Read the command line, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=64)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--flood", type=int, default=10_000)
    args = parser.parse_args()
    with redis_server() as redis:
        counted = asyncio.run(checks(redis, args.seconds))
        rows = streams(args, redis)
    with upstream_of(args.rate) as engine, api(engine, {"MAX_REQUESTS": "1000000"}) as (url, pid):
        flooded = asyncio.run(flood(url, pid, args.flood))
    report(counted, rows, flooded)


def report(counted: dict[str, float], rows: list[dict[str, Any]], flooded: dict[str, Any]) -> None:
    """Print the tables and write the JSON."""
    first, before = rows[0]["first_token_ms"], rows[0]["cpu_us_per_frame"]
    paths = [
        {
            "path": f"tiza, {row['path']}",
            "µs a token": row["cpu_us_per_frame"],
            "µs added": row["cpu_us_per_frame"] - before,
            "ms to the first": row["first_token_ms"],
            "ms added": row["first_token_ms"] - first,
        }
        for row in rows
    ]
    checks = {
        "checks/s": counted["checks_per_second"],
        "floor": FLOOR,
        "µs of CPU": counted["cpu_us_per_check"],
    }
    outcomes = flooded["outcomes"]
    flood = {
        "streams": flooded["streams"],
        "answered": outcomes.get("200", 0),
        "refused": outcomes.get("429", 0),
        "s": flooded["seconds"],
        "µs each": flooded["cpu_us_per_request"],
        "MB more": flooded["memory_mb_more"],
    }
    tables = {
        "What limits and sharing add to a stream": paths,
        "Limits checked through Redis, by one process": [checks],
        "A flood from one address": [flood],
    }
    document = {"checks": counted, "streams": rows, "flood": flooded}
    keep("limits", tables, document, "µs a token")


if __name__ == "__main__":
    main()

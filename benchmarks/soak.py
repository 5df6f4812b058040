"""Hours of a class on the real stack: mixed questions, clients that leave, engines that die.

    python benchmarks/soak.py [--minutes 60] [--clients 6] [--engine-dies-every 120]

Starts `tiza up` with the shipped model. Each client asks one thing after the other, drawn by seed:
a plain answer, a stream, a stream of OpenAI's, and streams in conversations that are read, left and
come back to, or left for good. The engine is killed now and then, and started again by the stack.

A stream without an end, an answer that is stored otherwise than it was read, or one that is never
finished counts as lost. While the engine is away, refusals and `error` events are expected; they
are counted. Memory and open files of the API's process are taken every five seconds; the slope of
the last two thirds is told with its 95 % interval. Writes var/bench/soak.json; ends with status 1
if anything was lost, or memory grows beyond doubt by more than a megabyte an hour.
"""

import argparse
import asyncio
import contextlib
import json
import math
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.api.conversations import Visitor, text_of, visitor  # noqa: E402  # not a package
from tests.api.service import parse_events  # noqa: E402
from tests.e2e.stacks import RealStack  # noqa: E402

OUT = ROOT / "var" / "bench" / "soak.json"
ENGINE, API = "tiza.engines.llama_cpp", "tiza.api"
SAMPLE_SECONDS, SETTLE_SECONDS, PAUSE_SECONDS = 5.0, 60.0, 0.2
TOKENS = 24
GROWTH = 2**20  # bytes an hour that may be told from zero and still be nothing
FINISHED = {"complete", "stopped", "interrupted", "failed"}
THINGS = ("chalk", "iron", "bread", "rivers", "the moon", "lists", "birds", "glass", "maps", "wool")


@dataclass
class Seen:
    """What became of the questions."""

    counts: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    left: list[tuple[Visitor, str]] = field(default_factory=list)  # and the answers' ids
    samples: list[tuple[float, int, int]] = field(default_factory=list)  # seconds, bytes, files


class Client:
    """One of the class; asks until the time is over."""

    def __init__(self, number: int, url: str, session: aiohttp.ClientSession, seen: Seen) -> None:
        self._draw = random.Random(number)  # noqa: S311  # no secret
        self._url, self._session, self._seen = url, session, seen
        self._ways: list[Callable[[], Awaitable[None]]] = [
            *(self._plain, self._stream, self._openai),
            *(self._kept, self._come_back, self._leave),
        ]

    async def ask_until(self, end: float) -> None:
        """Ask one thing after the other."""
        while time.monotonic() < end:
            way = self._draw.choice(self._ways)
            try:
                await way()
            except (aiohttp.ClientError, TimeoutError) as exc:
                self._lose(f"{way.__name__}: {type(exc).__name__} {exc}")
            await asyncio.sleep(self._draw.random() * PAUSE_SECONDS)

    def _question(self) -> dict[str, Any]:
        thing = f"{self._draw.choice(THINGS)}, number {self._draw.randrange(10**6)}"
        return {"message": f"Tell me about {thing}.", "max_tokens": TOKENS}

    async def _plain(self) -> None:
        await self._post("/chat", self._question())

    async def _stream(self) -> None:
        body = await self._post("/chat", self._question() | {"stream": True})
        if body is not None:
            self._check(parse_events(body))

    async def _openai(self) -> None:
        question = self._question()
        messages = [{"role": "user", "content": question["message"]}]
        model = "SmolLM2-135M-Instruct"
        asked = {"model": model, "messages": messages, "max_tokens": TOKENS, "stream": True}
        body = await self._post("/v1/chat/completions", asked)
        if body is not None and not body.endswith(b"data: [DONE]\n\n") and b'"error"' not in body:
            self._lose("a stream of OpenAI's without an end")

    async def _post(self, path: str, body: dict[str, Any]) -> bytes | None:
        """Return the whole answer, None if it was refused as it should be."""
        async with self._session.post(self._url + path, json=body) as response:
            content = await response.read()
        if response.status == 200:
            self._seen.counts["answered"] += 1
            return content
        self._refused(json.loads(content))
        return None

    def _refused(self, problem: dict[str, Any]) -> None:
        self._seen.counts[f"refused: {problem['code']}"] += 1
        if problem["status"] < 500 and problem["status"] != 429:  # never expected here
            self._lose(f"refused: {problem}")

    def _check(self, events: list[Any]) -> bool:
        """Tell whether a stream ended well, and count how it ended."""
        end = events[-1]
        if end.name == "error":
            self._seen.counts[f"error: {end.data['code']}"] += 1
        elif end.name != "done" or end.data["response"] != text_of(events):
            self._lose("a stream whose pieces are not its answer")
        return bool(end.name == "done")

    async def _begun(self) -> tuple[Visitor, str, str, str] | None:
        """Ask in a conversation and leave at once: who, the stream, the answer, the last event."""
        someone = await visitor(self._session, self._url)
        question = self._question()
        async with someone.asking(question.pop("message"), stream=True, **question) as response:
            if response.status != 200:
                self._refused(await response.json())
                return None
            (start,) = parse_events(await response.content.readuntil(b"\n\n"))
        return someone, start.data["stream_id"], start.data["message_id"], start.id

    async def _kept(self) -> None:
        if begun := await self._begun():
            someone, stream, message, last = begun
            events = await someone.read(stream, last)
            if self._check(events):
                self._seen.counts["answered"] += 1
                await self._compare(someone, message, text_of(events))

    async def _come_back(self) -> None:
        if begun := await self._begun():
            someone, stream, message, last = begun
            await asyncio.sleep(self._draw.random() * 2)
            events = await someone.read(stream, last)
            if self._check(events):
                self._seen.counts["answered after a break"] += 1
                await self._compare(someone, message, text_of(events))

    async def _leave(self) -> None:
        if begun := await self._begun():
            self._seen.left.append((begun[0], begun[2]))

    async def _compare(self, someone: Visitor, message: str, text: str) -> None:
        stored = {each["id"]: each for each in await someone.messages()}
        if message not in stored or stored[message]["text"] != text:
            self._lose("an answer that is stored otherwise than it was read")

    def _lose(self, what: str) -> None:
        self._seen.lost.append(what)


async def soak(stack: RealStack, args: argparse.Namespace, seen: Seen) -> None:
    """Let everybody ask, and the engine die, until the time is over; then look at what was left."""
    end = time.monotonic() + args.minutes * 60
    connector = aiohttp.TCPConnector(limit=0)
    timeout, jar = aiohttp.ClientTimeout(total=120), aiohttp.DummyCookieJar()
    url = stack.url.rstrip("/")
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, cookie_jar=jar
    ) as session:
        watching = [
            asyncio.create_task(_sample(stack.part(API), seen)),
            asyncio.create_task(_kill(stack, args.engine_dies_every, seen)),
        ]
        clients = [Client(number, url, session, seen) for number in range(args.clients)]
        await asyncio.gather(*(client.ask_until(end) for client in clients))
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        await asyncio.to_thread(stack.is_healthy)
        for someone, message in seen.left:
            await _finished(someone, message, seen)


async def _sample(api: psutil.Process, seen: Seen) -> None:
    while True:
        seen.samples.append((time.monotonic(), api.memory_info().rss, api.num_fds()))
        await asyncio.sleep(SAMPLE_SECONDS)


async def _kill(stack: RealStack, every: float, seen: Seen) -> None:
    while True:
        await asyncio.sleep(every)
        engine = await asyncio.to_thread(stack.part, ENGINE)
        with contextlib.suppress(psutil.NoSuchProcess):
            engine.kill()
            seen.counts["engines killed"] += 1


async def _finished(someone: Visitor, message: str, seen: Seen) -> None:
    """Wait until an answer whose reader has left is finished, one way or the other."""
    try:
        async with asyncio.timeout(SETTLE_SECONDS):
            while True:
                stored = {each["id"]: each["state"] for each in await someone.messages()}
                if stored.get(message) in FINISHED:
                    seen.counts[f"left, then {stored[message]}"] += 1
                    return
                await asyncio.sleep(PAUSE_SECONDS)
    except TimeoutError:
        seen.lost.append("an answer that was left and is never finished")


def slope(samples: list[tuple[float, int, int]], column: int) -> tuple[float, float]:
    """Return the least-squares slope an hour, and the half-width of its 95 % interval.

    The interval is widened for samples that follow each other closely: as many count as there are
    changes of sign around the line.
    """
    kept = samples[len(samples) // 3 :]
    hours = [(at[0] - kept[0][0]) / 3600 for at in kept]
    values = [float(at[column]) for at in kept]
    middle_h, middle_v = sum(hours) / len(hours), sum(values) / len(values)
    spread = sum((h - middle_h) ** 2 for h in hours)
    pairs = zip(hours, values, strict=True)
    rise = sum((h - middle_h) * (v - middle_v) for h, v in pairs) / spread
    rest = [v - middle_v - rise * (h - middle_h) for h, v in zip(hours, values, strict=True)]
    changes = 1 + sum((a < 0) != (b < 0) for a, b in pairwise(rest))
    error = math.sqrt(sum(r * r for r in rest) / max(len(rest) - 2, 1) / spread)
    return rise, 1.96 * error * math.sqrt(len(rest) / changes)


def report(seen: Seen, minutes: float) -> bool:
    """Print what was seen, write it down, and tell whether all is well."""
    for name, count in sorted(seen.counts.items()):
        print(f"{count:7d}  {name}")
    told: dict[str, Any] = {"minutes": minutes, "counts": seen.counts, "lost": seen.lost}
    for name, column, unit in (("memory", 1, 2**20), ("files", 2, 1)):
        rise, doubt = (figure / unit for figure in slope(seen.samples, column))
        first, last = seen.samples[len(seen.samples) // 3][column], seen.samples[-1][column]
        told[name] = {"slope_per_hour": rise, "doubt": doubt, "last": last}
        print(f"{name}: {first / unit:.0f} to {last / unit:.0f}, {rise:+.2f} ± {doubt:.2f} an hour")
    print(f"lost: {len(seen.lost)}")
    for what, count in Counter(seen.lost).most_common(10):
        print(f"{count:7d}  {what}")
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(told, indent=2))
    memory = told["memory"]
    return not seen.lost and memory["slope_per_hour"] - memory["doubt"] < GROWTH / 2**20


def main() -> int:
    """Read the command line, run the stack, soak it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--engine-dies-every", type=float, default=120, metavar="SECONDS")
    args, seen = parser.parse_args(), Seen()
    with tempfile.TemporaryDirectory() as folder, RealStack(Path(folder)) as stack:
        stack.is_up()
        stack.is_healthy()
        asyncio.run(soak(stack, args, seen))
        stack.stops()
    return 0 if report(seen, args.minutes) else 1


if __name__ == "__main__":
    sys.exit(main())

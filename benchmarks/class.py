"""A class asks the real embedded engine: the same question, or each student another.

    python benchmarks/class.py [--students 30] [--rounds 5]

The same question: one student alone and the class ask in turns, now the one first and now the
other. Each round has a question of its own, at temperature 0, asked once before it counts, so that
both wait for the same answer and the engine has its question read for both; no answer is kept. One
generation may be counted, and the last student's last token may come at most 10 % later than the
one student's who asked alone.

Mixed questions: the class asks Tiza and, in turns, the engine itself, which is the floor, both by
`/v1`. Counted are the answers that are whole in PATIENCE seconds, and the wait for the first token.

Each student is a connection of their own, a bare protocol, since it shares the machine with the
engine. Writes var/bench/class.json.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import aiohttp
import uvloop

from record import Row, keep
from streaming import free_port, running
from tiza.models.find import find

ALLOWED = 1.1
PATIENCE = 20.0  # seconds in which an answer is of use to a student who waits for it
TOKENS, SHORT = 120, 60
SUBJECTS = ["chalk", "iron", "water", "bread", "glass", "paper", "sugar", "stone", "cotton", "silk"]
ASKED = ["Why is {} useful?", "Where does {} come from?", "Who needs {}, and what for?"]
FIRST, LAST = (b'{"text"', b'"delta":{"content":"'), (b"event: done", b"[DONE]")


class Student(asyncio.Protocol):
    """Asks one question, and notes when the answer began and when it was whole."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self.ended = asyncio.get_running_loop().create_future()
        self.read, self.first = bytearray(), float("inf")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        cast(asyncio.Transport, transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        """Look for the first token and the end."""
        self.read += data
        if self.first == float("inf") and any(word in self.read for word in FIRST):
            self.first = time.perf_counter()
        is_last = any(word in self.read[-len(data) - 16 :] for word in LAST)
        if is_last and not self.ended.done():
            self.ended.set_result(time.perf_counter())

    def connection_lost(self, _exc: Exception | None) -> None:
        """Say what came instead of an answer."""
        if not self.ended.done():
            self.ended.set_exception(ConnectionError(self.read[:500].decode()))


def request(url: str, body: dict[str, Any]) -> bytes:
    """Write a question as HTTP."""
    content, at = json.dumps(body).encode(), urlsplit(url)
    lines = [f"POST {at.path} HTTP/1.1", f"Host: {at.netloc}", "Content-Type: application/json"]
    return "\r\n".join([*lines, f"Content-Length: {len(content)}", "", ""]).encode() + content


def in_page(question: str) -> dict[str, Any]:
    """Ask as the page does."""
    return {"message": question, "stream": True, "temperature": 0, "max_tokens": TOKENS}


def in_program(question: str, model: str) -> dict[str, Any]:
    """Ask as a program does, Tiza or the engine."""
    said = {"model": model, "messages": [{"role": "user", "content": question}]}
    return said | {"stream": True, "temperature": 0, "max_tokens": SHORT}


async def moment(url: str, bodies: list[dict[str, Any]]) -> dict[str, Any]:
    """Let a class ask at once; return the seconds to each student's first token and whole answer.

    As the whole answer counts what its last line tells of it.
    """
    loop, (host, _, port) = asyncio.get_running_loop(), urlsplit(url).netloc.partition(":")
    students = [Student(request(url, body)) for body in bodies]
    begun = time.perf_counter()
    connected = [loop.create_connection(partial(_same, each), host, int(port)) for each in students]
    transports = [transport for transport, _ in await asyncio.gather(*connected)]
    ended = await asyncio.gather(*[each.ended for each in students])
    for transport in transports:
        transport.close()
    return {
        "first": [each.first - begun for each in students],
        "whole": [end - begun for end in ended],
        "texts": [_said(each.read) for each in students],
    }


def _same(student: Student) -> Student:
    return student


def _said(read: bytearray) -> str:
    """Return the text that Tiza's last event repeats."""
    _, _, last = bytes(read).partition(b"event: done\ndata: ")
    return str(json.loads(last.split(b"\n")[0])["response"]) if last else ""


async def generations(url: str) -> int:
    """Return how many answers Tiza has had generated."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/stats") as response:
        stats = await response.json()
    return sum(int(model["answers"]) for model in stats["models"].values())


async def same_question(url: str, students: int, rounds: int) -> list[dict[str, Any]]:
    """Let one and a class ask the same, in turns."""
    found = []
    for number in range(rounds):
        question = f"Write a long story about {SUBJECTS[number % len(SUBJECTS)]}."
        body = in_page(question)
        await moment(f"{url}/chat", [body] * students)
        sizes = {"alone": 1, "class": students}
        row: dict[str, Any] = {}
        for name in sorted(sizes, reverse=bool(number % 2)):
            before = await generations(url)
            answers = await moment(f"{url}/chat", [body] * sizes[name])
            assert len(set(answers["texts"])) == 1, "all read the same"
            seconds = max(answers["whole"])
            row[name] = {"seconds": seconds, "generations": await generations(url) - before}
        found.append(row)
    return found


async def mixed_questions(
    services: dict[str, str], model: str, students: int, rounds: int
) -> dict[str, list[dict[str, Any]]]:
    """Let each student ask another question, Tiza and the engine in turns."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in services}
    for number in range(rounds):
        for name in sorted(services, reverse=bool(number % 2)):
            # A word of its own, so that the engine has read none of the questions before.
            questions = [_question(place, f"{name[0]}{number}") for place in range(students)]
            bodies = [in_program(each, model) for each in questions]
            found[name].append(await moment(f"{services[name]}/v1/chat/completions", bodies))
    return found


def _question(place: int, mark: str) -> str:
    subject, form = SUBJECTS[place % len(SUBJECTS)], ASKED[place // len(SUBJECTS) % len(ASKED)]
    return f"{mark}-{place}: {form.format(subject)}"


def of_same(rows: list[dict[str, Any]], students: int) -> tuple[str, list[Row]]:
    """Return caption and table of the same question."""
    alone, together = (
        statistics.median(row[name]["seconds"] for row in rows) for name in ("alone", "class")
    )
    ratios = [row["class"]["seconds"] / row["alone"]["seconds"] for row in rows]
    generated = {row["class"]["generations"] for row in rows}
    assert generated == {1}, f"one generation a class, and not {generated}"
    caption = f"The same question, one generation each time; {ALLOWED} times is allowed"
    return caption, [
        {"who": "one student", "s to the last token": alone},
        {
            "who": f"tiza, {students} at once",
            "s to the last token": together,
            "times": together / alone,
            "least": min(ratios),
            "most": max(ratios),
        },
    ]


def of_mixed(found: dict[str, list[dict[str, Any]]]) -> tuple[str, list[Row]]:
    """Return caption and table of the mixed questions."""
    rows: list[Row] = []
    for name, moments in found.items():
        first = sorted(seconds for each in moments for seconds in each["first"])
        whole = [seconds for each in moments for seconds in each["whole"]]
        rows.append(
            {
                "who": name,
                "s to the first token": statistics.median(first),
                "p95": first[int(len(first) * 0.95)],
                "s to the last": statistics.median(max(each["whole"]) for each in moments),
                "whole in time": sum(each <= PATIENCE for each in whole) / len(whole),
            }
        )
    return f"Mixed questions, {SHORT} tokens each; in time: {PATIENCE:.0f} s", rows


async def measure(services: dict[str, str], model: str, students: int, rounds: int) -> None:
    """Ask both ways, print the tables and write the JSON."""
    await _ready(services["tiza"])
    same = await same_question(services["tiza"], students, rounds)
    mixed = await mixed_questions(services, model, students, rounds)
    figures = {"same": same, "mixed": mixed}
    tables = dict([of_same(same, students), of_mixed(mixed)])
    keep("class", tables, figures, "s to the last token")


async def _ready(url: str) -> None:
    """Wait until the engine has loaded its model."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(60):
        while True:
            async with session.get(f"{url}/health") as response:
                if response.ok:
                    return
            await asyncio.sleep(0.1)


def main() -> None:
    """Read the command line, start engine and API, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    model, engine, port = find("", Path("models")), free_port(), free_port()
    command = [sys.executable, "-m", "tiza.engines.llama_cpp", "--model", str(model.gguf)]
    command += ["--alias", model.name, "--port", str(engine), "--context", "4096", "--slots", "8"]
    at_engine, url = f"http://127.0.0.1:{engine}", f"http://127.0.0.1:{port}"
    environment = {"VLLM_API_URL": at_engine, "PORT": str(port), "LOG_LEVEL": "warning"}
    environment |= {"VAR_PATH": tempfile.mkdtemp(), "RESPONSE_CACHE_TTL": "0"}
    with (
        running(command, f"{at_engine}/health", {}),
        running([sys.executable, "-m", "tiza.api"], f"{url}/health/live", environment),
    ):
        services = {"tiza": url, "engine": at_engine}
        uvloop.run(measure(services, model.name, args.students, args.rounds))


if __name__ == "__main__":
    main()

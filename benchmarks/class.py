"""A class asks the same question at the same moment, of the real embedded engine.

    python benchmarks/class.py [--students 30] [--rounds 5]

One student alone and the class ask in turns, now the one first and now the other. Each round has a
question of its own, at temperature 0, asked once before it counts, so that both wait for the same
answer and the engine has its question read for both; no answer is kept. Each student is a
connection of their own. One generation may be counted, and the last student's last token may
come at most 10 % later than the one student's who asked alone. Writes var/bench/class.json.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp

from record import keep
from streaming import free_port, running
from tiza.models.find import find

ALLOWED = 1.1
TOKENS = 120
SUBJECTS = ["chalk", "iron", "water", "bread", "glass", "paper", "sugar", "stone", "cotton", "silk"]


async def ask(session: aiohttp.ClientSession, url: str, question: str) -> tuple[float, str, str]:
    """Read one stream; return when it ended, its text and where it came from."""
    body = {"message": question, "stream": True, "temperature": 0, "max_tokens": TOKENS}
    async with session.post(f"{url}/chat", json=body) as response:
        assert response.status == 200, await response.text()
        events = (await response.read()).decode().split("\n\n")
        ended = time.perf_counter()
        done = next(each for each in events if "event: done" in each)
        data = json.loads(done.partition("data: ")[2])
        return ended, data["response"], response.headers["X-Cache"]


async def moment(url: str, question: str, students: int) -> dict[str, Any]:
    """Let that many ask at once; return the time to the last token and who generated."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        before = await generations(session, url)
        started = time.perf_counter()
        asked = [ask(session, url, question) for _ in range(students)]
        answers = await asyncio.gather(*asked)
        counted = await generations(session, url) - before
    assert len({text for _, text, _ in answers}) == 1, "all read the same"
    return {
        "last_token_seconds": max(ended for ended, _, _ in answers) - started,
        "first_to_end_seconds": min(ended for ended, _, _ in answers) - started,
        "generations": counted,
        "sources": dict(Counter(source for _, _, source in answers)),
    }


async def generations(session: aiohttp.ClientSession, url: str) -> int:
    """Return how many answers have been generated."""
    async with session.get(f"{url}/stats") as response:
        stats = await response.json()
    return sum(int(model["answers"]) for model in stats["models"].values())


async def measure(url: str, students: int, rounds: int) -> list[dict[str, Any]]:
    """Let one and a class ask the same, in turns."""
    await _ready(url)
    found = []
    for number in range(rounds):
        question = f"Write a long story about {SUBJECTS[number % len(SUBJECTS)]}."
        await moment(url, question, students)
        sizes = {"alone": 1, "class": students}
        turn = sorted(sizes, reverse=bool(number % 2))
        found.append({name: await moment(url, question, sizes[name]) for name in turn})
    return found


async def _ready(url: str) -> None:
    """Wait until the engine has loaded its model."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(60):
        while True:
            async with session.get(f"{url}/health") as response:
                if response.ok:
                    return
            await asyncio.sleep(0.1)


def report(rows: list[dict[str, Any]], students: int) -> None:
    """Print the table and write the JSON."""
    alone, together = (
        statistics.median(row[name]["last_token_seconds"] for row in rows)
        for name in ("alone", "class")
    )
    generated = [row["class"]["generations"] for row in rows]
    table = [
        {"who": "one student", "s to the last token": alone},
        {"who": f"{students} at once", "s to the last token": together, "times": together / alone},
    ]
    caption = f"The same question; {ALLOWED} times is allowed. Generations: {generated}"
    keep("class", {caption: table}, rows, "s to the last token")
    assert set(generated) == {1}, "one generation a class"


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
        report(asyncio.run(measure(url, args.students, args.rounds)), args.students)


if __name__ == "__main__":
    main()

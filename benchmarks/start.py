"""How long the parts take to start, beside what their libraries alone take in the same run.

    python benchmarks/start.py [--rounds 7]

`api` is from the start of the process to the first answer of GET /health/live; its floor is a
Python that only imports fastapi, uvicorn and aiohttp. `tiza --help` has a bare Python as its floor.
Rounds alternate; the table shows medians. Writes JSON to var/bench/start.json.
"""

import argparse
import compileall
import http.client
import os
import socket
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable

from record import keep

IMPORTS = "import fastapi, uvicorn, aiohttp, os; os._exit(0)"


def api() -> float:
    """Start the API and ask until it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "tiza.api"],
        env={**os.environ, "PORT": str(port), "LOG_LEVEL": "warning"},
    )
    try:
        while not answers(port):
            time.sleep(0.01)
        return time.perf_counter() - started
    finally:
        process.terminate()
        process.wait()


def answers(port: int) -> bool:
    """Ask once whether the API is up."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def command(*args: str) -> float:
    """Run a command to its end."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *args], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


MEASURES: dict[str, tuple[Callable[[], float], Callable[[], float]]] = {
    "api": (api, lambda: command("-c", IMPORTS)),
    "tiza --help": (lambda: command("-m", "tiza", "--help"), lambda: command("-c", "pass")),
}


def measure(rounds: int) -> list[dict[str, float | str]]:
    """Return, for each part, the medians of ours and of its floor, in seconds."""
    rows: list[dict[str, float | str]] = []
    for name, (ours, floor) in MEASURES.items():
        pairs = [(ours(), floor()) for _ in range(rounds + 1)][1:]  # the first one warms up
        mine, least = (statistics.median(column) for column in zip(*pairs, strict=True))
        rows.append({"part": name, "seconds": mine, "floor": least, "ratio": mine / least})
    return rows


def main() -> None:
    """Print the table and write the JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    for folder in (sysconfig.get_path("purelib"), "src"):  # as an installer leaves them
        compileall.compile_dir(folder, quiet=2)
    rows = measure(parser.parse_args().rounds)
    table = [
        {"part": r["part"], "s": r["seconds"], "s floor": r["floor"], "times": r["ratio"]}
        for r in rows
    ]
    keep("start", {"Seconds to start, beside the interpreter and imports alone": table}, rows, "s")


if __name__ == "__main__":
    main()

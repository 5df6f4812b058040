"""What a streamed token costs in the API, beside a raw pass-through and peers in the same run.

    python benchmarks/gateway.py [--streams 1 16 … 512] [--rate 50] [--seconds 3] [--rounds 3]

An upstream that streams at a fixed rate, one gateway at a time on one core, and a reader on the
others: each a process of its own on loopback. The core is kept awake, as waking it costs whatever
the machine's other guests make it. Every stream asks a question of its own, since equal ones would
share an answer. "Kept" is a question in a conversation: its answer would live on without its reader
and is saved every second. CPU is the gateway's own (user + system, with all processes below it),
divided by the tokens that came through. "Added" is the time to the first token beyond that of the
upstream alone. A stream is stall-free if no token came more than 250 ms after the one before. A
gateway and the floor run in turns, and "times raw" is the median of what each turn gives; the other
figures are medians, too, and the spread of the cost stands beside it. The peers, pinned and
configured, are those of `peer.py`. Writes var/bench/gateway.json.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

import peer
from record import Row, keep
from streaming import CHAT, QUESTION, awake, free_port, load, memory, running, upstream_of

STREAMING = str(Path(__file__).with_name("streaming.py"))
OURS = [sys.executable, "-m", "tiza.api"]
V1 = "/v1/chat/completions"
DIRECT, RAW = "upstream alone", "raw aiohttp"

MOST_TIMES_RAW = 1.3
LEAST_FLOWING = 400
MOST_ADDED_MS, ADDED, WITH_STREAMS = 2.0, "ms added p50", 64

Headers = Mapping[str, str]


def nobody(_url: str) -> Headers:
    """Return no headers: who asks needs no account."""
    return {}


@dataclass(frozen=True)
class Gateway:
    """One that passes streams on, and the ways to ask it, by name: a path and a body."""

    service: peer.Service
    port: int
    ways: Mapping[str, tuple[str, dict[str, Any]]]
    sign_in: Callable[[str], Headers] = field(default=nobody)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"


def floor(upstream: str) -> Gateway:
    """Describe the raw pass-through."""
    port = free_port()
    command = [sys.executable, STREAMING, "passthrough", "--port", str(port)]
    service = peer.Service([*command, "--upstream", upstream.rpartition(":")[2]])
    return Gateway(service, port, {RAW: (V1, QUESTION)})


def gateways(upstream: str, names: list[str]) -> list[Gateway]:
    """Describe those that were named."""
    found, port = [], free_port()
    if "tiza" in names:
        found.append(Gateway(ours(port, upstream), port, WAYS))
    if "litellm" in names:
        known = {"Authorization": f"Bearer {peer.KEY}"}
        service = peer.litellm(port, upstream)
        found.append(Gateway(service, port, {"LiteLLM": (V1, QUESTION)}, lambda _: known))
    if "open-webui" in names:
        way = {"Open WebUI": ("/api/chat/completions", QUESTION)}
        service = peer.open_webui(port, upstream)
        found.append(Gateway(service, port, way, member_of_open_webui))
    return found


WAYS = {
    "tiza /v1": (V1, QUESTION),
    "tiza /chat": ("/chat", CHAT),
    "tiza kept": ("/conversations/{id}/messages", CHAT),
}


def ours(port: int, upstream: str) -> peer.Service:
    """Describe the API."""
    environment = {"VLLM_API_URL": upstream, "PORT": str(port), "MAX_STREAMS": "1024"}
    environment |= {"VLLM_MAX_MODEL_LEN": "8192", "LOG_LEVEL": "warning"}
    environment |= {"VAR_PATH": tempfile.mkdtemp(), "DRAIN_SECONDS": "0"}
    # What was kept and left would be written on beside what is measured next.
    environment |= {"STREAM_GRACE_SECONDS": "1"}
    return peer.Service(OURS, environment=environment)


def member_of_open_webui(url: str) -> Headers:
    """Sign up, or in, as a person does, and see the models once, as its page does."""
    person = {"name": "bench", "email": "bench@school.example", "password": peer.KEY}
    try:
        token = _asked(f"{url}/api/v1/auths/signup", person)["token"]
    except OSError:  # is known already
        token = _asked(f"{url}/api/v1/auths/signin", person)["token"]
    headers = {"Authorization": f"Bearer {token}"}
    _asked(f"{url}/api/models", None, headers)
    return headers


def _asked(url: str, body: object, headers: Headers | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    told = {"Content-Type": "application/json", **(headers or {})}
    with urllib.request.urlopen(urllib.request.Request(url, data, told), timeout=30) as answer:
        return json.load(answer)


Samples = dict[tuple[str, int], list[dict[str, float]]]


def measure(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Run all rounds; return one row per gateway, way and number of streams."""
    first, *others = sorted(os.sched_getaffinity(0))
    rest = set(others) or {first}
    os.sched_setaffinity(0, rest)
    samples: Samples = {}
    with upstream_of(args.rate, rest) as upstream, awake(first):
        for _ in range(args.rounds):
            for streams in args.streams:
                alone = load(upstream + V1, QUESTION, streams, os.getpid(), args.seconds)
                samples.setdefault((DIRECT, streams), []).append(uvloop.run(alone))
            for gateway in gateways(upstream, args.gateways):
                with started(floor(upstream), {first}) as raw, started(gateway, {first}) as other:
                    for streams in args.streams:
                        in_turns([raw, other], streams, args.seconds, samples)
    return [
        {"gateway": name, "streams": streams, **_medians(rounds), **_spread(rounds)}
        for (name, streams), rounds in samples.items()
    ]


@dataclass(frozen=True)
class Started:
    """A gateway that runs: its process, its memory (MB) before it was asked, and who asks."""

    gateway: Gateway
    pid: int
    idle: float
    headers: Headers


@contextmanager
def started(gateway: Gateway, cores: set[int]) -> Iterator[Started]:
    """Run a gateway while the block lasts."""
    url, service = gateway.url, gateway.service
    with running(service.command, url + service.health, service.environment, cores) as pid:
        idle = memory(pid)
        yield Started(gateway, pid, idle, gateway.sign_in(url))


def in_turns(each: list[Started], streams: int, seconds: float, samples: Samples) -> None:
    """Load gateways one after the other, the floor first."""
    floor_us = 0.0
    for one in each:
        for name, (path, body) in one.gateway.ways.items():
            asked = load(one.gateway.url + path, body, streams, one.pid, seconds, one.headers)
            found = {"idle_mb": one.idle, **uvloop.run(asked)}
            floor_us = floor_us or found["cpu_us_per_frame"]
            found["ratio_to_raw"] = found["cpu_us_per_frame"] / floor_us
            samples.setdefault((name, streams), []).append(found)
            print(f"{name}, {streams}: {found['cpu_us_per_frame']:.0f} µs", flush=True)


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(statistics.median(r[key] for r in rounds), 2) for key in rounds[0]}


def _spread(rounds: list[dict[str, float]]) -> dict[str, float]:
    costs = [each["cpu_us_per_frame"] for each in rounds]
    return {"cpu_us_least": round(min(costs), 2), "cpu_us_most": round(max(costs), 2)}


def report(rows: list[dict[str, Any]]) -> None:
    """Print the tables and write the JSON."""
    by = {(row["gateway"], row["streams"]): row for row in rows}
    passed = [row for row in rows if row["gateway"] != DIRECT]
    for row in passed:
        alone = by[DIRECT, row["streams"]]
        for name in ("first_token_ms", "first_token_p95_ms", "first_token_p99_ms"):
            row[f"added_{name}"] = round(row[name] - alone[name], 2)
    passed.sort(key=lambda row: row["streams"])
    tables = {
        "CPU of the gateway, on one core": [cost(row) for row in passed],
        "What a reader sees": [seen(row) for row in passed],
        "What is to be reached": [aim for way in WAYS for aim in aims(way, passed)],
    }
    keep("gateway", tables, rows, "µs a token")


def label(row: dict[str, Any]) -> str:
    """Name a row."""
    return f"{row['gateway']}, {row['streams']} stream{'s' * (row['streams'] > 1)}"


def cost(row: dict[str, Any]) -> Row:
    """Return what a gateway costs the machine."""
    return {
        "gateway": label(row),
        "µs a token": row["cpu_us_per_frame"],
        "least": row["cpu_us_least"],
        "most": row["cpu_us_most"],
        "times raw": row["ratio_to_raw"],
        "tokens/s": row["frames_per_second"],
        "MB idle": row["idle_mb"],
        "MB loaded": row["memory_mb"],
    }


def seen(row: dict[str, Any]) -> Row:
    """Return what a gateway costs its readers."""
    return {
        "gateway": label(row),
        "stall-free": round(row["stall_free"]),
        "ms added p50": row["added_first_token_ms"],
        "p95": row["added_first_token_p95_ms"],
        "p99": row["added_first_token_p99_ms"],
    }


def aims(way: str, rows: list[dict[str, Any]]) -> list[Row]:
    """Hold one of our ways against its bounds; of its costs the worst counts."""
    ours = [row for row in rows if row["gateway"] == way]
    if not ours:
        return []
    worst = max(ours, key=lambda row: row["ratio_to_raw"])
    flowing = [row["streams"] for row in ours if row["stall_free"] >= row["streams"]]
    few = [row for row in ours if row["streams"] == WITH_STREAMS]
    return [
        _at_most(MOST_TIMES_RAW, "times raw", label(worst), worst["ratio_to_raw"]),
        _at_least(LEAST_FLOWING, "streams without a pause", way, max(flowing, default=0)),
        *(_at_most(MOST_ADDED_MS, ADDED, label(row), row["added_first_token_ms"]) for row in few),
    ]


def _at_most(bound: float, of: str, who: str, found: float) -> Row:
    return _aim(who, f"at most {bound:g} {of}", found, held=found <= bound)


def _at_least(bound: float, of: str, who: str, found: float) -> Row:
    return _aim(who, f"at least {bound:g} {of}", found, held=found >= bound)


def _aim(who: str, aim: str, found: float, *, held: bool) -> Row:
    return {"way": who, "aim": aim, "found": found, "so": "reached" if held else "not reached"}


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 16, 64, 256, 400, 512])
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    every = ["tiza", "litellm", "open-webui"]
    parser.add_argument("--gateways", nargs="+", choices=every, default=every)
    report(measure(parser.parse_args()))


if __name__ == "__main__":
    main()

"""What happens to running answers when something breaks: `docs/reliability.md`, row by row.

    python benchmarks/reliability.py [--times 3] [--away 10]

Runs every fault of `tests/reliability/faults.py` so many times, each time with new processes: an
engine, one or two APIs, Redis and PostgreSQL where they are part of it. A row whose check fails is
written down as such, and the command then ends with status 1. What keeping costs is taken from what
`store.py` and `gateway.py` have measured before (`make reliability` runs all three).
"""

import argparse
import asyncio
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from record import figures_of, machine

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.reliability.faults import FAULTS, Fault  # noqa: E402  # the tests are not a package

OUT = ROOT / "docs" / "reliability.md"
HEAD = """# Reliability

Written by `python benchmarks/reliability.py`; do not edit. {date}, {machine}.

Each fault was made {times} times with real processes. A run holds only if no acknowledged message
was lost, none was there twice, and none stayed in `streaming`; the last column tells every run.

| Fault | What was checked | Held | Seconds a run | What was seen |
|---|---|---|---|---|
"""

STORE_HEAD = """
## What the store takes

`python benchmarks/store.py`: {messages:,} messages, one call after the other, milliseconds
(median / 95th percentile). The busiest person has ten thousand conversations, others a hundred.

| Call | Person | SQLite | PostgreSQL |
|---|---|---|---|
"""
COST = """
## What keeping costs

`python benchmarks/gateway.py`: CPU of the API for one streamed token, {streams} streams at once. A
stateless answer at `/chat`: {chat:.1f} µs. One that is kept and outlives its reader: {kept:.1f} µs.
"""


def main() -> int:
    """Run all and write the report; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--away", type=float, default=10, help="seconds that the database is away")
    args = parser.parse_args()
    rows, held = [], True
    for name, fault in FAULTS.items():
        found = list(_runs(fault, args.times, args.away))
        good = sum(ok for ok, *_ in found)
        held = held and good == args.times
        rows.append(_row(name, fault, good, found))
        print(rows[-1], flush=True)
    head = HEAD.format(date=datetime.now(UTC).date(), machine=machine(), times=args.times)
    OUT.write_text(head + "\n".join([*rows, *_speed()]) + "\n", "utf-8")
    return 0 if held else 1


def _runs(fault: Fault, times: int, away: float) -> Iterator[tuple[bool, float, str]]:
    """Run a fault; yield whether it held, how long it took, and its figure."""
    for _ in range(times):
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            try:
                ok, figure = True, asyncio.run(fault(Path(folder), away))
            except Exception as exc:  # noqa: BLE001  # told in the report, whatever it is
                traceback.print_exception(exc)
                ok, figure = False, f"failed: {type(exc).__name__}"
        yield ok, time.perf_counter() - started, figure


def _row(name: str, fault: Fault, good: int, found: list[tuple[bool, float, str]]) -> str:
    checked = (fault.__doc__ or "").strip()
    seconds = sorted(seconds for _, seconds, _ in found)[len(found) // 2]
    figures = list(dict.fromkeys(figure for *_, figure in found))
    return f"| {name} | {checked} | {good}/{len(found)} | {seconds:.1f} | {'; '.join(figures)} |"


def _speed() -> Iterator[str]:
    """Tell what keeping takes and costs."""
    figures: Any = figures_of("store")
    sqlite, postgresql = figures["sqlite"], figures["postgresql"]
    yield STORE_HEAD.format(messages=sqlite["messages"]).rstrip("\n")
    for one, other in zip(sqlite["calls"], postgresql["calls"], strict=True):
        yield f"| {one['call']} | {one['person']} | {_spread(one)} | {_spread(other)} |"
    tokens: Any = figures_of("gateway")
    streams = max(row["streams"] for row in tokens)
    cost = {r["gateway"]: r["cpu_us_per_frame"] for r in tokens if r["streams"] == streams}
    told = {"streams": streams, "chat": cost["tiza /chat"], "kept": cost["tiza kept"]}
    yield COST.format(**told).rstrip("\n")


def _spread(call: dict[str, float]) -> str:
    return f"{call['p50']:.1f} / {call['p95']:.1f}"


if __name__ == "__main__":
    sys.exit(main())

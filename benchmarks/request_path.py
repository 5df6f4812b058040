"""On what the API spends its time for a streamed token: a flame graph, and shares by library.

    python benchmarks/request_path.py [--streams 64] [--seconds 20]

The API under the load of `gateway.py`, while py-spy (an environment of its own, see `peer.py`)
looks at its stack two hundred times a second, C and system calls included; the loop's own waiting
is left out, and so are SQLite's threads, which are hardly ever at work. In the picture a box is a
function, as wide as its share; above it stands who called it. A row of the table is the share of
what ran last: a system call, or the innermost module known. Writes docs/benchmarks/request_path.svg
and var/bench/request_path.json.
"""

import argparse
import asyncio
import html
import os
import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

import peer
from gateway import WAYS, ours
from record import Row, keep
from streaming import free_port, load, running, upstream_of

PICTURE = Path("docs/benchmarks/request_path.svg")
RATE = 200  # looks a second
WIDE, HIGH, LEAST = 960, 17, 0.004  # pixels; shares below LEAST are left out
SYSTEM = ("read", "write", "writev", "sendmsg", "recv", "futex")
LOOP = "Loop__Loop__run"  # uvloop's
KNOWN = {
    "httptools": ("httptools/", "llhttp", "parser.c"),
    "uvicorn": ("uvicorn/",),
    "orjson": ("orjson/",),
    "uvloop": ("loop.c", "linux.c", "stream.c", "core.c", "timer.c", "loop-watcher.c", "uvloop/"),
    "fastapi, starlette": ("fastapi/", "starlette/"),
    "asyncio": ("_asynciomodule.c", "asyncio/"),
}

Stacks = dict[tuple[str, ...], int]


def readable(stack: tuple[str, ...]) -> list[str]:
    """Return a stack without the lines, and without the C in between."""
    named = (re.sub(r":\d+\)$", ")", place) for place in stack)
    return [place for place in named if place.endswith(".py)") or place == stack[-1]]


@dataclass
class Box:
    """A function as it was called from those above it in the picture, and its share."""

    name: str
    seen: float = 0.0
    above: dict[str, "Box"] = field(default_factory=dict)

    def add(self, stack: list[str], seen: float) -> None:
        """Count a stack, the outermost function first."""
        self.seen += seen
        if stack:
            first, *rest = stack
            self.above.setdefault(first, Box(first)).add(rest, seen)


def owner(stack: list[str]) -> str:
    """Return whose time it is: a system call's, else that of the innermost code that is known."""
    inner = stack[-1]
    if "(libc" in inner and inner.partition(" ")[0] in SYSTEM:
        return f"system call {inner.partition(' ')[0]}"
    for place in reversed(stack):
        where = place.rpartition("(")[2]
        if where.startswith("tiza/"):
            return "tiza." + where.partition(".py")[0].partition("/")[2].replace("/", ".")
        for name, signs in KNOWN.items():
            if where.startswith(signs):
                return name
    return "Python itself"


async def watched(url: str, way: str, pid: int, args: argparse.Namespace) -> Stacks:
    """Load the API one way, and return how often each stack was seen meanwhile."""
    path, body = WAYS[way]
    out = peer.PLACE / "stacks.txt"
    command = [str(peer.programs("py-spy") / "py-spy"), "record", "--pid", str(pid)]
    command += ["--native", "--rate", str(RATE), "--duration", str(args.seconds), "--format", "raw"]
    loading = asyncio.create_task(load(url + path, body, args.streams, pid, args.seconds + 2))
    await asyncio.sleep(5)  # its warm-up
    looking = await asyncio.create_subprocess_exec(
        *command, "--output", str(out), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    _, said = await looking.communicate()
    assert looking.returncode == 0, said.decode()
    await loading
    stacks = (line.rpartition(" ") for line in out.read_text("utf-8").splitlines())
    return {tuple(at_work(stack.split(";"))): int(seen) for stack, _, seen in stacks}


def at_work(stack: list[str]) -> list[str]:
    """Return what the loop was calling; nothing of a thread that waits, or a loop that does."""
    places = [number for number, place in enumerate(stack) if place.startswith(LOOP)]
    if not places or stack[-1].startswith("epoll"):
        return []
    return stack[places[-1] + 1 :]


def shares(stacks: Stacks, way: str) -> list[Row]:
    """Return what each module of ours, each library and the system has of the time."""
    by = Counter[str]()
    for stack, seen in stacks.items():
        if stack:
            by[owner([*stack])] += seen
    whole = sum(by.values())
    rows = [(name, seen / whole * 100) for name, seen in by.most_common() if seen / whole > 0.01]
    return [{"where": f"{way}: {name}", "% of the time": share} for name, share in rows]


def drawn(root: Box) -> str:
    """Draw boxes under boxes (SVG), ours in colour."""
    parts: list[str] = []
    deep = _draw(root, 0.0, 0, root.seen, parts)
    high = (deep + 1) * HIGH
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {high}" width="{WIDE}" '
        f'font-family="system-ui, sans-serif" font-size="11">{"".join(parts)}</svg>\n'
    )


def _draw(box: Box, left: float, level: int, whole: float, parts: list[str]) -> int:
    deep = level
    for each in sorted(box.above.values(), key=lambda one: one.name):
        share = each.seen / whole
        if share >= LEAST:
            parts.append(_box(each, left, level, share))
            deep = max(deep, _draw(each, left, level + 1, whole, parts))
        left += share
    return deep


def _box(box: Box, left: float, level: int, share: float) -> str:
    colour = "#a78bfa" if "tiza/" in box.name else "#e4e4e7"
    x, width = left * WIDE, share * WIDE
    name = html.escape(box.name.partition(" (")[0])
    title = html.escape(f"{box.name}: {share:.1%}")
    text = name[: int(width / 6)] if width > 30 else ""
    label = f'<text x="3" y="12">{text}</text>' if text else ""
    at = f"translate({x:.1f} {level * HIGH})"
    return (
        f'<g transform="{at}"><title>{title}</title><rect width="{width:.1f}" height="{HIGH - 1}" '
        f'fill="{colour}"/>{label}</g>'
    )


def main() -> None:
    """Measure every way, draw, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=20)
    args = parser.parse_args()
    first, *others = sorted(os.sched_getaffinity(0))
    rest = set(others) or {first}
    os.sched_setaffinity(0, rest)
    root, rows = Box("all"), list[Row]()
    port = free_port()
    with upstream_of(50, rest) as upstream:
        api, url = ours(port, upstream), f"http://127.0.0.1:{port}"
        with running(api.command, url + api.health, api.environment, {first}) as pid:
            for way in WAYS:
                stacks = uvloop.run(watched(url, way, pid, args))
                rows += shares(stacks, way)
                working = {stack: seen for stack, seen in stacks.items() if stack}
                for stack, seen in working.items():
                    root.add([way, *readable(stack)], seen / sum(working.values()))
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(drawn(root), "utf-8")
    keep("request_path", {"Where the time of a streamed token goes": rows}, rows)


if __name__ == "__main__":
    main()

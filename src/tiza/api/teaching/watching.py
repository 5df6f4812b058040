"""A training as server-sent events: its files from any place on, then what is added to them.

    event: run     a line of `events.jsonl` (stages, steps, losses)
    event: log     {"lines": […]}, what the process said
    event: state   how far the run has come; at the beginning, at a new stage, and when it ends
    event: done    the last state; nothing follows

The id of an event is the place in both files after it, so that any process of the API can go on.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from tiza.api.sse import PING
from tiza.runs import order
from tiza.runs.run import Run
from tiza.runs.standing import standing

LOOK_SECONDS = 0.5
QUIET_LOOKS = 30  # then a ping
LOG_BYTES = 64 * 1024  # of an older log that are told
AT_ONCE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """How far both files were told, in bytes."""

    events: int = 0
    log: int = -1

    @classmethod
    def read(cls, text: str) -> "Place":
        """Read the id of an event. Raises ValueError."""
        if not text:
            return cls()
        events, _, log = text.partition("-")
        if not (events + log).isdecimal() or len(text) > 40:  # noqa: PLR2004  # two long numbers
            raise ValueError(text)
        return cls(int(events), int(log or 0))


async def watched(run: Run, place: Place) -> AsyncIterator[bytes]:
    """Tell a run until it has ended and everything is told."""
    if place.log < 0:
        place = replace(place, log=max(0, _size(run.path / order.LOG) - LOG_BYTES))
    yield _event("state", standing(run), place)
    quiet = 0
    while True:
        at_work = await asyncio.to_thread(order.at_work, run.path.parent) == run.id
        told = False
        while news := await asyncio.to_thread(_news, run, place):
            for event, _place in news:
                yield event
            told, place = True, news[-1][1]
        if not at_work:
            yield _event("done", standing(run), place)
            return
        quiet = 0 if told else quiet + 1
        if quiet and quiet % QUIET_LOOKS == 0:
            yield PING
        await asyncio.sleep(LOOK_SECONDS)


def _news(run: Run, place: Place) -> list[tuple[bytes, Place]]:
    """Return what was added to the files, each event with the place after it."""
    return list(_added(run, place))


def _added(run: Run, place: Place) -> Iterator[tuple[bytes, Place]]:
    stages = False
    for line in _lines(run.events, place.events):
        place = replace(place, events=place.events + len(line))
        event = _parsed(line)
        if event is not None:
            stages = stages or event.get("stage") == "teach"
            yield _event("run", event, place), place
    said = list(_lines(run.path / order.LOG, place.log))
    if said:
        place = replace(place, log=place.log + sum(map(len, said)))
        lines = [line.decode("utf-8", "replace").rstrip("\r\n") for line in said]
        yield _event("log", {"lines": lines}, place), place
    if stages:
        yield _event("state", standing(run), place), place


def _lines(path: Path, start: int) -> list[bytes]:
    """Return the whole lines after a place."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            data = file.read(AT_ONCE)
    except FileNotFoundError:
        return []
    return data[: data.rfind(b"\n") + 1].splitlines(keepends=True)


def _parsed(line: bytes) -> dict[str, object] | None:
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None  # a half line, left by a crash
    return event if isinstance(event, dict) else None


def _event(name: str, data: object, place: Place) -> bytes:
    where = b"%d-%d" % (place.events, place.log)
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (where, name.encode(), orjson.dumps(data))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0

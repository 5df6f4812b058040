"""Which processes live, so that what a dead one left half-written is called `interrupted`.

Every process that opens the store has a row. Another one is dead if it was on this machine and its
process is gone. What runs elsewhere cannot be seen, so as soon as there is anybody elsewhere, each
raises a number in its row every few seconds; who is elsewhere is dead if that has stood still for
LEASE_SECONDS *while this process could read it all the time*: no clocks are compared, and when the
database itself was away, everybody gets the whole time again. Alone on its machine, a process that
nobody asks writes nothing.
"""

import asyncio
import os
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, delete, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tiza.errors import RequestError
from tiza.store import passages
from tiza.store.database import Database
from tiza.store.tables import messages, processes

BEAT_SECONDS = 5.0
LEASE_SECONDS = 30.0
STREAMING = literal("streaming", literal_execute=True)  # a parameter would hide the index

_mine: set[str] = set()  # rows of this very process; a test may open the store twice


def here() -> str:
    """Name the space in which process ids mean something: this boot, this container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return platform.node()


class Presence:
    """This process's own row, and its watch over the others'. `clock` is in seconds."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self.id = uuid4().hex
        self._database, self._clock, self._place = database, clock, here()
        self._seen: dict[str, tuple[int, float]] = {}  # beats of others, and since when
        self._last_beat = 0.0
        _mine.add(self.id)

    async def begin(self) -> None:
        """Enter this process, and conclude what the dead ones of this machine left."""
        async with self._database.writing() as connection:
            values = {"id": self.id, "place": self._place, "pid": os.getpid(), "beats": 0}
            await connection.execute(insert(processes).values(values))
        await self.beat()

    async def end(self) -> None:
        """Take this process out; what it still had half-written is interrupted.

        Where the database is away by now, other processes do that later.
        """
        _mine.discard(self.id)
        with suppress(RequestError):
            async with self._database.writing() as connection:
                await _conclude(connection, self.id)

    async def keep(self) -> None:
        """Beat until cancelled; while the database is away, go on trying."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                await self.beat()
            except RequestError:
                self._seen.clear()  # nobody can be watched: everybody's time begins again

    async def beat(self) -> None:
        """Show those elsewhere that this process lives, and conclude what dead ones left."""
        now = self._clock()
        if now - self._last_beat > LEASE_SECONDS / 2:  # slept, or starved: so may have the others
            self._seen.clear()
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(processes))).all()
        others = [row for row in rows if row.id != self.id]
        dead = [other.id for other in others if self._is_dead(other, now)]
        is_taken_out = len(others) == len(rows)  # by others, who took this process for dead
        is_watched = any(other.place != self._place for other in others)
        if dead or is_taken_out or is_watched:
            async with self._database.writing() as connection:
                await self._raise_own(connection)
                for process in dead:
                    await _conclude(connection, process)
        self._last_beat = now

    async def _raise_own(self, connection: AsyncConnection) -> None:
        """Beat; enter again where this process was taken out."""
        own = update(processes).where(processes.c.id == self.id)
        beaten = await connection.execute(own.values(beats=processes.c.beats + 1))
        if not beaten.rowcount:
            values = {"id": self.id, "place": self._place, "pid": os.getpid(), "beats": 1}
            await connection.execute(insert(processes).values(values))

    def _is_dead(self, other: Row[Any], now: float) -> bool:
        if other.place == self._place and other.id not in _mine and not _runs(other.pid):
            return True
        beats, since = self._seen.get(other.id, (None, now))
        if beats != other.beats:
            self._seen[other.id] = (other.beats, now)
            return False
        return now - since > LEASE_SECONDS


async def _conclude(connection: AsyncConnection, process: str) -> None:
    """Call interrupted what a process was writing, and take it out."""
    cut = await connection.execute(
        update(messages)
        .where(messages.c.owner == process, messages.c.state == STREAMING)
        .values(state="interrupted")
        .returning(messages.c.id, messages.c.text)
    )
    for row in cut.all():
        if place := await passages.place_of(connection, row.id):
            await passages.replace(connection, place, row.id, row.text)
    await connection.execute(delete(processes).where(processes.c.id == process))


def _runs(pid: int) -> bool:
    """Tell whether there is a process with this id. Another one may have taken it: then wait."""
    if pid == os.getpid():
        return False  # an earlier process had the id that this one has now
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True

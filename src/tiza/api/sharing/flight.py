"""One stream of the engine in flight, and any number of readers.

Whoever came first of those who read gets each token in the moment in which it arrives, as directly
as from the engine; in a class, where thirty writes for each token would slow the engine beside
them, the others get theirs in steps that no eye sees. It goes on whoever leaves, and stops when the
last has left.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from tiza.api.admission import Told, untold
from tiza.api.engine_client import EngineStream, Frame, frames_of
from tiza.errors import Interrupted

STEP_SECONDS = 1 / 30  # between two writes to those who read along
MOST_AHEAD = 256  # frames that the engine may be ahead of the one who reads fastest

T = TypeVar("T")
Source = AbstractAsyncContextManager[EngineStream]


class Flight:
    """Asks from the moment it is made. `landed` is called at the end, before any reader knows.

    It keeps the frames as they came: parsed, those of a long answer would be looked through at
    every garbage collection.
    """

    def __init__(self, source: Source, landed: Callable[["Flight"], None]) -> None:
        self.pieces: list[bytes] = []
        self.is_over = self.is_whole = False
        self.error: Exception | None = None
        self._readers: dict[Reader, None] = {}  # in the order in which they came
        self._is_paid = False
        self._place = 0
        self._landed = landed
        self._stream: EngineStream | None = None
        self._told_at = 0.0
        self._telling: asyncio.TimerHandle | None = None
        self._task = asyncio.create_task(self._hold(source))

    def join(self, told: Told = untold) -> "Reader":
        """Return a reader that begins at the beginning, and is told of the place in the queue."""
        reader = Reader(self, told)
        self._readers[reader] = None
        if self._place:
            told(self._place)
        return reader

    def waits(self, place: int) -> None:
        """Tell every reader of the place in the queue."""
        self._place = place
        for reader in self._readers:
            reader.told(place)

    def leave(self, reader: "Reader") -> bool:
        """Count a reader out; tell whether it is the one whom the answer was written for.

        That is the first of those who stay: who began and leaves early does not pay for all.
        """
        pays = next(iter(self._readers)) is reader and not self._is_paid
        self._is_paid = self._is_paid or (pays and self.is_over)
        del self._readers[reader]
        if not self._readers:
            self._task.cancel()
        return pays

    async def stop(self) -> None:
        """Stop, and wait until it has."""
        self._task.cancel()
        await asyncio.wait({self._task})

    @property
    def is_deserted(self) -> bool:
        """Tell whether nobody reads it."""
        return not self._readers

    def _arrived(self, frames: list[Frame]) -> None:
        begins = len(self.pieces)
        self.pieces += [raw for raw, _ in frames]
        if not self._readers:  # the last one has just left
            return
        if not next(iter(self._readers)).offer(frames, begins):
            self._wait_if_ahead()
        if self._telling is None and len(self._readers) > 1:
            loop = asyncio.get_running_loop()
            self._telling = loop.call_at(self._told_at + STEP_SECONDS, self._tell)

    def _wait_if_ahead(self) -> None:
        fastest = max(reader.position for reader in self._readers)
        if self._stream is not None and len(self.pieces) - fastest > MOST_AHEAD:
            self._stream.pause()

    def after(self, place: int) -> list[Frame]:
        """Return the frames from there on, as many as there are."""
        if self._stream is not None:
            self._stream.resume()
        return frames_of(self.pieces[place:])

    def _tell(self) -> None:
        self._telling, self._told_at = None, asyncio.get_running_loop().time()
        for reader in self._readers:
            reader.wake()

    async def _hold(self, source: Source) -> None:
        try:
            async with source as self._stream:
                await self._stream.pass_on(self._arrived)
            self.is_whole = True
        except asyncio.CancelledError:
            self.error = Interrupted()
            raise
        except Exception as exc:  # noqa: BLE001  # it is raised to every reader
            self.error = exc
        finally:
            self.is_over = True
            self._landed(self)
            self._tell()


class Reader:
    """One reader of a flight."""

    def __init__(self, flight: Flight, told: Told) -> None:
        self._flight, self.position = flight, 0  # how many frames it has had
        self._take: Callable[[list[Frame]], Any] = bool
        self._waiter: asyncio.Future[Any] | None = None
        self.told = told

    async def read(self, take: Callable[[list[Frame]], T]) -> T | None:
        """Hand the frames that come to `take`, and return what it returns if that is true.

        Returns None at the end. Raises what ended the flight, if it is not whole.
        """
        self._take = take
        while True:
            if len(self._flight.pieces) > self.position:
                frames = self._flight.after(self.position)
                self.position += len(frames)
                taken: T | None = take(frames)
            elif not self._flight.is_over:
                taken = await self._offered()
            elif self._flight.error is None:
                return None
            else:
                raise self._flight.error
            if taken:
                return taken

    async def _offered(self) -> Any:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            return await self._waiter
        finally:
            self._waiter = None

    def offer(self, frames: list[Frame], begins: int) -> bool:
        """Hand over the newest frames, or wake it where it has not had all before them.

        Returns False if it does not wait for anything.
        """
        waiter = self._waiter
        if waiter is None or waiter.done():
            return False
        if self.position != begins:
            self.wake()
            return True
        self.position += len(frames)
        try:
            if taken := self._take(frames):
                waiter.set_result(taken)
        except Exception as exc:  # noqa: BLE001  # it is raised to who reads
            waiter.set_exception(exc)
        return True

    def wake(self) -> None:
        """Let it look for what has come."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

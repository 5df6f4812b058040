"""One stream of the engine in flight, and any number of readers.

One task holds the stream; whichever reader waits for more reads it, and the others are told. So a
reader who is alone, as most are, gets each token as directly as from the engine; in a class, where
thirty writes for each token would slow the engine beside them, the others get theirs in steps that
no eye sees. It goes on whoever leaves, and stops when the last has left.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from tiza.api.admission import Told, untold
from tiza.api.engine_client import EngineStream, Frame, frames_of
from tiza.api.streams.growing import Growing
from tiza.errors import Interrupted

STEP_SECONDS = 1 / 30  # between two writes to those who read along

Source = AbstractAsyncContextManager[EngineStream]


class Flight(Growing[bytes]):
    """Asks from the moment it is made. `landed` is called at the end, before any reader knows.

    It keeps the frames as they came: parsed, those of a long answer would be looked through at
    every garbage collection.
    """

    def __init__(self, source: Source, landed: Callable[["Flight"], None]) -> None:
        super().__init__()
        self.is_over = self.is_whole = False
        self.error: Exception | None = None
        self._readers: dict[Reader, None] = {}  # in the order in which they came
        self._is_paid = False
        self._place = 0
        self._landed = landed
        self._stream: EngineStream | None = None
        self._is_read = False
        self._told_at = 0.0
        self._telling: asyncio.TimerHandle | None = None
        self._read_to_end = asyncio.Event()
        self._failure: Exception | None = None
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

    async def after(self, place: int) -> list[Frame]:
        """Return the frames from there on, once there are any; none at the end.

        Raises:
            RequestError: what ended the flight, if it is not whole.

        """
        while len(self.pieces) == place:
            if self.is_over:
                if self.error is not None:
                    raise self.error
                return []
            if self._stream is None or self._is_read or self._read_to_end.is_set():
                await self.news()
                continue
            self._is_read = True
            try:
                if frames := await self._stream.read():
                    self.pieces += [raw for raw, _ in frames]
                    self._tell_others()
                    return frames
                self._read_to_end.set()
            except asyncio.CancelledError:
                self._wake()  # so that another reads on
                raise
            except Exception as exc:  # noqa: BLE001  # it is raised to every reader
                self._failure = exc
                self._read_to_end.set()
            finally:
                self._is_read = False
        return frames_of(self.pieces[place:])

    def _tell_others(self) -> None:
        if self._waiting and self._telling is None:
            loop = asyncio.get_running_loop()
            self._telling = loop.call_at(self._told_at + STEP_SECONDS, self._tell)

    def _tell(self) -> None:
        self._telling, self._told_at = None, asyncio.get_running_loop().time()
        self._wake()

    async def _hold(self, source: Source) -> None:
        try:
            async with source as self._stream:
                self._wake()
                await self._until_read()
            self.is_whole = True
        except asyncio.CancelledError:
            self.error = Interrupted()
            raise
        except Exception as exc:  # noqa: BLE001  # it is raised to every reader
            self.error = exc
        finally:
            self.is_over = True
            self._landed(self)
            self._wake()

    async def _until_read(self) -> None:
        await self._read_to_end.wait()
        if self._failure is not None:
            raise self._failure


class Reader:
    """One reader of a flight, in the manner of an `EngineStream`."""

    def __init__(self, flight: Flight, told: Told) -> None:
        self._flight, self._next = flight, 0
        self.told = told

    async def read(self) -> list[Frame]:
        """Return the frames that have come since; see `Flight.after`."""
        frames = await self._flight.after(self._next)
        self._next += len(frames)
        return frames

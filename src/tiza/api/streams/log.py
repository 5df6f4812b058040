"""One answer as it grows, and those who wait for more of it.

A position in an answer is a number of characters, and the id of every event is the position after
it: `start` is 0, a `token` is where its text ends, and the end is one more than the whole. So a
reader goes on from any event, whoever holds the text now: the process that writes the answer,
another one, or the store. Knows neither the network nor the store.

A log holds one answer's text and nothing else, which `max_tokens` bounds; it goes when the answer
has ended and is stored.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tiza.errors import RequestError

Document = Mapping[str, Any]
Waiter = asyncio.Future[None]


@dataclass(frozen=True)
class End:
    """How an answer ended: `done` is the plain answer, or `error` says why there is none."""

    done: Document | None = None
    error: RequestError | None = None


class Log:
    """The text of an answer so far, its beginning, and its end once there is one.

    `lags`: it is filled by another process's leave, so a reader may have had more of it already.
    """

    def __init__(self, start: Document, *, lags: bool = False) -> None:
        self.pieces: list[str] = []  # every reader keeps its own place among them
        self._waiting: list[tuple[Waiter, Callable[[str], bool]]] = []
        self.start, self.lags = start, lags
        self.end: End | None = None
        self.state: Document = {}
        self.told = 0  # how often something was told
        self.length = 0
        self.listeners = 0
        self._over = asyncio.Event()

    @property
    def text(self) -> str:
        """The whole text so far."""
        return "".join(self.pieces)

    def tell(self, state: Document) -> None:
        """Tell what is known of the answer before its text: the place in the queue, whose it is."""
        self.state = {**self.state, **state}
        self.told += 1
        self._wake()

    def append(self, text: str) -> None:
        """Add text that is not empty."""
        self.length += len(text)
        self.pieces.append(text)
        if self._waiting:
            self._waiting = [each for each in self._waiting if not _woken(*each, text)]

    def news(self, take: Callable[[str], bool]) -> Waiter:
        """Return what is done as soon as there is a piece that `take` leaves, or something else.

        Taking a piece in the moment in which it comes spares its reader a turn of the event loop.
        """
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append((waiter, take))
        return waiter

    def close(self, end: End) -> None:
        """End the answer; only the first end counts."""
        if self.end is None:
            self.end = end
            self._over.set()
            self._wake()

    def add_missing(self, text: str, begins: int = 0) -> bool:
        """Add what is missing of a text that begins at a position; False if more than that is."""
        if begins > self.length:
            return False
        if missing := text[self.length - begins :]:
            self.append(missing)
        return True

    def after(self, position: int) -> str:
        """Return the text behind a position."""
        return self.text[position:] if position < self.length else ""

    async def whole(self) -> Document:
        """Listen to the end and return the plain answer.

        Raises:
            RequestError: what ended it, if it is not whole.

        """
        with self.listening():
            await self._over.wait()
        assert self.end is not None  # noqa: S101  # it is over
        if self.end.error is not None:
            raise self.end.error
        return self.end.done or {}

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Count as a listener for the length of the block."""
        self.listeners += 1
        try:
            yield
        finally:
            self.listeners -= 1

    def _wake(self) -> None:
        for waiter, _ in self._waiting:
            if not waiter.done():  # a reader that left was cancelled
                waiter.set_result(None)
        self._waiting.clear()


def _woken(waiter: Waiter, take: Callable[[str], bool], piece: str) -> bool:
    """Hand over a piece, or wake who does not take it; tell whether nobody waits here any more."""
    if not waiter.done() and not take(piece):
        waiter.set_result(None)
    return waiter.done()

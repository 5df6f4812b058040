"""Something that grows piece by piece, and those who wait for more of it."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

Piece = TypeVar("Piece")
Waiter = asyncio.Future[None]


def _leave(_piece: object) -> bool:
    return False


class Growing(Generic[Piece]):
    """Pieces, in order; a reader keeps its own place among them."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self._waiting: list[tuple[Waiter, Callable[[Piece], bool]]] = []

    def append(self, piece: Piece) -> None:
        """Add a piece."""
        self.pieces.append(piece)
        if self._waiting:
            self._waiting = [each for each in self._waiting if not _woken(*each, piece)]

    def news(self, take: Callable[[Piece], bool] = _leave) -> Waiter:
        """Return what is done as soon as there is a piece that `take` leaves, or the end.

        Taking a piece in the moment in which it comes spares its reader a turn of the event loop.
        """
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append((waiter, take))
        return waiter

    def _wake(self) -> None:
        for waiter, _ in self._waiting:
            if not waiter.done():  # a reader that left was cancelled
                waiter.set_result(None)
        self._waiting.clear()


def _woken(waiter: Waiter, take: Callable[[Piece], bool], piece: Piece) -> bool:
    """Hand over a piece, or wake who does not take it; tell whether nobody waits here any more."""
    if not waiter.done() and not take(piece):
        waiter.set_result(None)
    return waiter.done()

"""Something that grows piece by piece, and those who wait for more of it."""

import asyncio
from typing import Generic, TypeVar

Piece = TypeVar("Piece")


class Growing(Generic[Piece]):
    """Pieces, in order; a reader keeps its own place among them."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self._waiting: list[asyncio.Future[None]] = []

    def append(self, piece: Piece) -> None:
        """Add a piece."""
        self.pieces.append(piece)
        if self._waiting:
            self._wake()

    def news(self) -> asyncio.Future[None]:
        """Return what is done as soon as there is more, or the end."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        return waiter

    def _wake(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():  # a reader that left was cancelled
                waiter.set_result(None)
        self._waiting.clear()

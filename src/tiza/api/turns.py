"""Whose turn it is, where one engine answers for several models but for one at a time.

llama.cpp batches only requests with the same adapter, and lets who comes first go on for as long as
more of its kind come: another model's questions would wait for ever. Knows no engine.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Lets any number in for one model; who waits for another goes before who comes later."""

    def __init__(self) -> None:
        self._model = ""
        self._inside = 0
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def of(self, model: str) -> AsyncIterator[None]:
        """Wait for the model's turn, and take part in it for the length of the block."""
        if self._waiting or (self._inside and model != self._model):
            await self._wait(model)
        else:
            self._model, self._inside = model, self._inside + 1
        try:
            yield
        finally:
            self._leave()

    async def _wait(self, model: str) -> None:
        place = (model, asyncio.get_running_loop().create_future())
        self._waiting.append(place)
        try:
            await place[1]
        except asyncio.CancelledError:
            if place in self._waiting:
                self._waiting.remove(place)
            else:  # its turn had come in the same moment
                self._leave()
            raise

    def _leave(self) -> None:
        self._inside -= 1
        if self._inside or not self._waiting:
            return
        self._model = self._waiting[0][0]
        for place in [each for each in self._waiting if each[0] == self._model]:
            self._waiting.remove(place)
            self._inside += 1
            place[1].set_result(None)

"""Whose answer a flight is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import permutations

import pytest

from tiza.api.engine_client import Frame
from tiza.api.sharing.flight import Flight


class Stream:
    """An engine's stream of one frame."""

    def __init__(self) -> None:
        self.frames: list[Frame] = [(b"{}", {})]

    async def read(self) -> list[Frame]:
        """Return the frame, then nothing."""
        frames, self.frames = self.frames, []
        return frames


@asynccontextmanager
async def source() -> AsyncIterator[Stream]:
    """Ask."""
    yield Stream()


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_exactly_one_pays_when_all_have_read_to_the_end(order: tuple[int, ...]) -> None:
    """In whatever order they leave."""
    landed = asyncio.Event()
    flight = Flight(source(), lambda _: landed.set())  # type: ignore[arg-type]  # in its manner
    readers = [flight.join() for _ in range(3)]
    for reader in readers:
        while await reader.read():
            pass
    assert landed.is_set()
    paid = [flight.leave(readers[n]) for n in order]
    assert paid.count(True) == 1
    assert paid[order.index(0)], "it is the one who asked first"

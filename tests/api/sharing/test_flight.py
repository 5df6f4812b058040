"""Whose answer a flight is."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import chain, permutations

import pytest

from tiza.api.engine_client import Frame
from tiza.api.sharing import flight as flights
from tiza.api.sharing.flight import Flight, Reader


class Stream:
    """An engine's stream of some frames, one at a time; it waits while it is paused."""

    def __init__(self, frames: int) -> None:
        self.runs = asyncio.Event()
        self.pause, self.resume = self.runs.clear, self.runs.set
        self.resume()
        self.frames: list[Frame] = [(b'{"n":%d}' % n, {"n": n}) for n in range(frames)]

    async def pass_on(self, take: Callable[[list[Frame]], None]) -> None:
        """Hand over one frame after the other."""
        for frame in self.frames:
            await asyncio.sleep(0)
            await self.runs.wait()
            take([frame])


@asynccontextmanager
async def source(frames: int = 1) -> AsyncIterator[Stream]:
    """Ask."""
    yield Stream(frames)


async def portions(reader: Reader) -> list[list[Frame]]:
    """Read to the end."""
    found: list[list[Frame]] = []
    await reader.read(found.append)
    return found


async def test_who_reads_along_gets_all_in_fewer_steps_when_tokens_come_fast(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who came first has each token at once."""
    monkeypatch.setattr(flights, "STEP_SECONDS", 3600.0)
    flight = Flight(source(frames=20), lambda _: None)  # type: ignore[arg-type]  # in its manner
    asked = [portions(flight.join()) for _ in range(3)]

    first, *others = await asyncio.gather(*asked)

    assert [len(portion) for portion in first] == [1] * 20
    for other in others:
        assert [*chain(*other)] == [*chain(*first)]
        assert len(other) <= 2, "one at the most on the way, and what is left at the end"


async def test_engine_waits_when_it_is_far_ahead_of_everybody() -> None:
    """What nobody reads is not piled up; who reads on gets all of it."""
    total = flights.MOST_AHEAD * 3
    flight = Flight(source(total), lambda _: None)  # type: ignore[arg-type]  # in its manner
    reader, slow = flight.join(), flight.join()
    for _ in range(total * 2):
        await asyncio.sleep(0)
    ahead = len(flight.pieces)
    assert ahead == flights.MOST_AHEAD + 1
    assert [n for _, n in chain(*await portions(reader))] == [{"n": n} for n in range(total)]
    assert len([*chain(*await portions(slow))]) == total


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_exactly_one_pays_when_all_have_read_to_the_end(order: tuple[int, ...]) -> None:
    """In whatever order they leave."""
    landed = asyncio.Event()
    flight = Flight(source(), lambda _: landed.set())  # type: ignore[arg-type]  # in its manner
    readers = [flight.join() for _ in range(3)]
    for reader in readers:
        await portions(reader)
    assert landed.is_set()
    paid = [flight.leave(readers[n]) for n in order]
    assert paid.count(True) == 1
    assert paid[order.index(0)], "it is the one who asked first"

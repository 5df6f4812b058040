"""One model at a time, and nobody waits for ever."""

import asyncio
from contextlib import AsyncExitStack

from tiza.api.turns import Turns


class Room:
    """Who is inside, and a way in and out."""

    def __init__(self) -> None:
        self.turns, self.inside = Turns(), list[str]()
        self.visits = list[asyncio.Task[None]]()  # the loop itself keeps no task alive

    async def comes(self, model: str) -> "tuple[asyncio.Task[None], asyncio.Event]":
        """Let one come; it stays until its event is set."""
        leaves = asyncio.Event()

        async def visit() -> None:
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(self.turns.of(model))
                self.inside.append(model)
                stack.callback(self.inside.remove, model)
                await leaves.wait()

        task = asyncio.create_task(visit())
        self.visits.append(task)
        await settle()
        return task, leaves


async def settle() -> None:
    """Let everyone do what they can do now."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_turn_is_shared_when_all_ask_the_same_model() -> None:
    """Without another model there is no waiting."""
    room = Room()
    for _ in range(3):
        await room.comes("a")
    assert room.inside == ["a"] * 3


async def test_turn_goes_to_who_waits_when_more_of_the_first_come() -> None:
    """Later ones of the first model wait behind the second; all of one model go in together."""
    room = Room()
    _, first = await room.comes("a")
    _, second = await room.comes("b")
    await room.comes("a")
    _, fourth = await room.comes("b")
    assert room.inside == ["a"]

    first.set()
    await settle()
    assert room.inside == ["b", "b"]

    second.set()
    fourth.set()
    await settle()
    assert room.inside == ["a"]


async def test_turn_goes_on_when_who_waited_leaves() -> None:
    """A client that goes while it waits, or just as its turn comes, holds nobody up."""
    room = Room()
    _, first = await room.comes("a")
    waiting, _ = await room.comes("b")
    await room.comes("c")
    called, _ = await room.comes("b")

    waiting.cancel()
    await settle()
    first.set()  # c's turn, who came before the other b
    await settle()
    assert room.inside == ["c"]

    called.cancel()
    await settle()
    _, last = await room.comes("d")
    assert room.inside == ["c"]
    last.set()


async def test_turn_is_passed_on_when_it_comes_to_one_who_was_just_cancelled() -> None:
    """Given in the same moment as it was given up, it goes to the next."""
    room = Room()
    _, first = await room.comes("a")
    second, _ = await room.comes("b")
    await room.comes("c")

    first.set()
    await asyncio.sleep(0)  # the first leaves, the second is called
    second.cancel()
    await settle()

    assert room.inside == ["c"]

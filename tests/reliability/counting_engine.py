"""`python -m tests.reliability.counting_engine PORT`: an engine that counts, to be killed.

The question says how: "40 x 10" counts to 40 with 10 milliseconds between numbers. It goes on where
an answer was cut off, as engines do that get its beginning.
"""

import asyncio
import sys

from tests.api.faulty_engine import DONE, Exchange, FaultyEngine


def counted(numbers: int) -> str:
    """Return the whole answer."""
    return "".join(f"{number} " for number in range(numbers))


async def count(exchange: Exchange) -> None:
    """Answer the last question."""
    *_, last = messages = exchange.request.json["messages"]
    begun = last["content"] if last["role"] == "assistant" else ""
    numbers, _, pause = next(
        m["content"] for m in reversed(messages) if m["role"] == "user"
    ).partition(" x ")
    await exchange.head()
    for piece in _pieces(counted(int(numbers)).removeprefix(begun)):
        await exchange.chunk(exchange.frames([piece], usage=False)[1])
        await asyncio.sleep(int(pause) / 1000)
    for event in [*exchange.frames([])[1:], DONE, b""]:
        await exchange.chunk(event)


def _pieces(text: str) -> list[str]:
    return [f"{piece} " for piece in text.split(" ") if piece]


async def main(port: int) -> None:
    """Listen until killed."""
    engine = FaultyEngine(window=1_000_000, port=port, fault=count)
    await engine.listen()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))

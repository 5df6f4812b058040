"""Processes that serve one address together, and what they tell each other about themselves.

Each listens on a socket in a folder that only this user may enter, and writes what it has to tell
to whoever connects. Knows nothing of what that is.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from tiza.errors import Overloaded

REFUSED = 78  # exit status of a process that would refuse again (EX_CONFIG of sysexits.h)
PATIENCE_SECONDS = 3.0
METRICS = "metrics"  # folder in the folder: see `instruments`

Json = dict[str, Any]


class Together:
    """This process's place among the others; `folder` None: it is alone."""

    def __init__(self, folder: Path | None = None, number: int = 0) -> None:
        self._folder, self._name = folder, f"{number}.sock"
        self.metrics = None if folder is None else folder / METRICS

    @asynccontextmanager
    async def telling(self, own: Callable[[], Awaitable[Json]]) -> AsyncIterator[None]:
        """Tell the others, for the length of the block, what `own` returns when they ask."""
        if self._folder is None:
            yield
            return

        async def tell(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(orjson.dumps(await own()))
            writer.close()

        place = self._folder / self._name
        place.unlink(missing_ok=True)  # of the process whose place this one takes
        async with await asyncio.start_unix_server(tell, place):
            yield
        place.unlink(missing_ok=True)

    async def others(self) -> list[Json]:
        """Ask all others; one that has ended has nothing to tell.

        Raises:
            Overloaded: one lives and does not answer.

        """
        if self._folder is None:
            return []
        places = [each for each in self._folder.glob("*.sock") if each.name != self._name]
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                told = await asyncio.gather(*map(_ask, places))
        except TimeoutError as exc:
            raise Overloaded from exc
        return [orjson.loads(each) for each in told if each]


async def _ask(place: Path) -> bytes:
    try:
        reader, writer = await asyncio.open_unix_connection(place)
    except OSError:
        return b""
    try:
        return await reader.read()
    except OSError:
        return b""
    finally:
        writer.close()

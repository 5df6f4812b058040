"""The processes of a fault: an engine that counts, APIs that share a store, Redis, PostgreSQL."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from tests.api.conversations import Visitor, visitor
from tests.api.processes import ApiProcess, api_process
from tests.api.service import Event, parse_events
from tests.conftest import free_port

ENDED = frozenset({"complete", "stopped", "interrupted", "failed"})
SETTLED_SECONDS = 60.0
ROOT = Path(__file__).parents[2]

Lost = (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError)


class Stage:
    """Starts processes in one folder; all APIs share its store unless a database is named."""

    def __init__(self, folder: Path, held: AsyncExitStack, **settings: object) -> None:
        self._folder, self._held, self._settings = folder, held, settings
        self._numbers = count()
        self.engine_port = free_port()
        self._engine: asyncio.subprocess.Process | None = None

    async def engine_comes(self) -> None:
        """Start the engine, on the same port each time."""
        command = [sys.executable, "-m", "tests.reliability.counting_engine"]
        self._engine = await asyncio.create_subprocess_exec(
            *command, str(self.engine_port), cwd=ROOT
        )
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.engine_port)
                writer.close()
                return
            await asyncio.sleep(0.02)

    async def engine_dies(self) -> None:
        """Kill it."""
        if self._engine is not None:
            self._engine.kill()
            await self._engine.wait()
            self._engine = None

    async def api(self) -> ApiProcess:
        """Start one more process of the API."""
        folder = self._folder / f"api{next(self._numbers)}"
        folder.mkdir()
        settings = {"var_path": self._folder / "var", "drain_seconds": 1} | self._settings
        return await self._held.enter_async_context(
            api_process(folder, f"http://127.0.0.1:{self.engine_port}", **settings)
        )


@asynccontextmanager
async def stage(folder: Path, **settings: object) -> AsyncIterator[Stage]:
    """Set a stage with an engine; everything on it ends with the block."""
    async with AsyncExitStack() as held:
        made = Stage(folder, held, **settings)
        await made.engine_comes()
        held.push_async_callback(made.engine_dies)
        yield made


async def visit(api: ApiProcess) -> Visitor:
    """Come as somebody new."""
    return await visitor(api.session, api.url)


async def settled(somebody: Visitor) -> list[dict[str, Any]]:
    """Wait until no message is in progress; return them, every one of them told once."""
    async with asyncio.timeout(SETTLED_SECONDS):
        while True:
            with suppress(*Lost, AssertionError, KeyError):
                messages = await somebody.messages()
                if all(message["state"] in ENDED for message in messages):
                    assert len({message["id"] for message in messages}) == len(messages)
                    return messages
            await asyncio.sleep(0.05)


class Reader:
    """Reads one stream at any processes, event by event, as a page does that loses its line."""

    def __init__(self, stream_id: str) -> None:
        self.stream_id = stream_id
        self.events: list[Event] = []
        self.connections = 0

    @property
    def text(self) -> str:
        """What has been read."""
        return "".join(event.data.get("text", "") for event in self.events)

    @property
    def ended(self) -> bool:
        """Whether the end has been read."""
        return bool(self.events) and self.events[-1].name in ("done", "error")

    async def read(self, somebody: Visitor, most: int = 1_000_000) -> None:
        """Read some events, from behind the last one; less if the line breaks."""
        last = self.events[-1].id if self.events else ""
        with suppress(*Lost):
            async with somebody.listening(self.stream_id, last) as response:
                self.connections += 1
                assert response.status in (200, 503), await response.text()
                while response.status == 200 and not self.ended and most:
                    block = await response.content.readuntil(b"\n\n")
                    found = parse_events(block)
                    self.events += found
                    most -= len(found)

    async def read_to_the_end(self, *places: Visitor) -> float:
        """Go from place to place until the end has come; return the seconds."""
        started = time.monotonic()
        async with asyncio.timeout(SETTLED_SECONDS):
            while not self.ended:
                for somebody in places:
                    if not self.ended:
                        await self.read(somebody)
                await asyncio.sleep(0.02)
        return time.monotonic() - started

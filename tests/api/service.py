"""The application under a real uvicorn, in a thread of its own, and what a client sees of it."""

import asyncio
import io
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import uvicorn
from multidict import CIMultiDictProxy
from starlette.types import ASGIApp

from tiza.api.app import create_app
from tiza.api.patience import patient
from tiza.api.server import _with_direct_send
from tiza.api.state import State
from tiza.settings import Settings

DEADLINE = 30.0  # generous: the machine and its disk may be busy


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    @property
    def kind(self) -> str:
        """The content type without parameters."""
        return self.headers["Content-Type"].partition(";")[0]

    @property
    def events(self) -> list["Event"]:
        """The body as events of a stream."""
        return parse_events(self.body)


@dataclass(frozen=True)
class Event:
    """One server-sent event; `raw` is its `data`."""

    id: str
    name: str
    raw: str

    @property
    def data(self) -> Any:
        """The data, parsed."""
        return json.loads(self.raw)


def parse_events(body: bytes) -> list[Event]:
    """Read a whole event stream, comments left out."""
    *blocks, rest = body.decode().split("\n\n")
    assert not rest, f"an event without end: {rest!r}"
    return [_parse_event(block) for block in blocks if not block.startswith(":")]


def _parse_event(block: str) -> Event:
    fields: dict[str, list[str]] = {}
    for line in block.split("\n"):
        name, _, value = line.partition(": ")
        assert name in ("id", "event", "data"), f"a line of another kind: {line!r}"
        fields.setdefault(name, []).append(value)
    return Event(
        "".join(fields.get("id", [])),
        "".join(fields.get("event", [])),
        "\n".join(fields.get("data", [])),
    )


class Service:
    """A running application. Use `ask` for whole answers and `session` for everything else."""

    def __init__(
        self, settings: Settings, wrap: Callable[[ASGIApp], ASGIApp], engine_file: Path | None
    ) -> None:
        self.app = create_app(settings, engine_file)
        self.state: State = self.app.state.tiza
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.session: aiohttp.ClientSession
        config = uvicorn.Config(
            wrap(self.app),
            loop="uvloop",
            http="httptools",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            timeout_graceful_shutdown=1,
        )
        config.load()
        config.http_protocol_class = patient(config)
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))

    async def start(self) -> None:
        """Start and wait until it listens."""
        self._thread.start()
        await until(lambda: self._server.started)
        self.session = aiohttp.ClientSession(self.url, timeout=aiohttp.ClientTimeout(DEADLINE))

    async def stop(self) -> None:
        """Ask it to stop. `all_stopped` waits for it: uvicorn takes a tenth of a second."""
        await self.session.close()
        self._server.should_exit = True
        STOPPING.append(self._thread)

    async def ask(
        self,
        path: str,
        body: object = None,
        *,
        method: str | None = None,
        data: bytes | AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request (POST if it has a body) and return the whole answer."""
        if body is not None:
            data = json.dumps(body).encode()
        payload = io.BytesIO(data) if isinstance(data, bytes) else data
        given = {"Content-Type": "application/json"} if data is not None else {}
        method = method or ("GET" if data is None else "POST")
        async with self.session.request(
            method, path, data=payload, headers={**given, **(headers or {})}
        ) as response:
            return Answer(response.status, response.headers, await response.read())

    async def raw(self, *packets: bytes) -> bytes:
        """Send bytes as they are and return all that comes back until the connection ends."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for packet in packets:
                writer.write(packet)
                await writer.drain()
            return await asyncio.wait_for(reader.read(), DEADLINE)
        finally:
            writer.close()

    async def chat(self, message: str = "What is chalk?", **more: object) -> Answer:
        """Ask a question at `/chat`."""
        return await self.ask("/chat", {"message": message, **more})

    async def complete(self, message: str = "What is chalk?", **more: object) -> Answer:
        """Ask a question at `/v1/chat/completions`."""
        messages = [{"role": "user", "content": message}]
        body = {"model": "samples_0", "messages": messages, **more}
        return await self.ask("/v1/chat/completions", body)

    async def idle(self) -> None:
        """Wait until no answer is in progress and none is waited for."""
        await until(lambda: not self.state.admission.active and not self.state.admission.waiting)

    async def run(self, work: Callable[[], Any]) -> Any:
        """Run a coroutine function in the event loop of the service."""
        loop = self._loop()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(), loop))

    def _loop(self) -> asyncio.AbstractEventLoop:
        return self._server.servers[0].get_loop()


STOPPING: list[threading.Thread] = []


def all_stopped() -> bool:
    """Wait for the services that were asked to stop; tell whether all have."""
    for thread in STOPPING:
        thread.join(DEADLINE)
    return not any(thread.is_alive() for thread in STOPPING)


class _Server(uvicorn.Server):
    """Looks every few milliseconds whether it should stop, not every tenth of a second."""

    async def main_loop(self) -> None:
        counter = 0
        while not await self.on_tick(counter):
            counter += 1
            await asyncio.sleep(0.01)


async def until(condition: Callable[[], object], seconds: float = DEADLINE) -> None:
    """Wait until the condition holds; fail when it does not within the deadline."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        await asyncio.sleep(0.005)


@asynccontextmanager
async def running(
    wrap: Callable[[ASGIApp], ASGIApp] = _with_direct_send,
    engine_file: Path | None = None,
    **settings: object,
) -> AsyncIterator[Service]:
    """Run the application with these settings for the length of the block."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        given: dict[str, Any] = {"_env_file": None, "var_path": folder, **settings}
        service = Service(Settings(**given), wrap, engine_file)
        await service.start()
        try:
            yield service
        finally:
            await service.stop()

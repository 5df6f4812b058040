"""A real Redis for tests: on a port of its own, killed and started again at will."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.conftest import free_port

START_SECONDS = 10.0


class RedisServer:
    """`redis-server` without a file: what it knew is gone when it is."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    async def comes(self) -> None:
        """Start, and wait until it listens."""
        options = {"port": self._port, "bind": "127.0.0.1", "save": "", "appendonly": "no"}
        command = [program()]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        self._process = subprocess.Popen(command, cwd=self._folder, stdout=subprocess.DEVNULL)  # noqa: ASYNC220  # it returns at once
        async with asyncio.timeout(START_SECONDS):
            while not await self._listens():  # noqa: ASYNC110  # a process has no event for this
                await asyncio.sleep(0.02)

    def dies(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return False
        writer.close()
        return True


def program() -> str:
    """Find the machine's redis-server; tests that need it are skipped by name without it."""
    if path := shutil.which("redis-server"):
        return path
    missing = "needs Redis: apt-get install redis-server"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


@asynccontextmanager
async def redis_server(folder: Path) -> AsyncIterator[RedisServer]:
    """Run a server for the length of the block."""
    server = RedisServer(folder)
    await server.comes()
    try:
        yield server
    finally:
        server.dies()

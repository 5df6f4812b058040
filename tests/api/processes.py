"""The API as the process that an operator starts."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.api.service import DEADLINE
from tests.conftest import free_port

START_SECONDS = 60  # generous: the machine may be busy


class ApiProcess:
    """`python -m tiza.api` with its output."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, log: Path) -> None:
        self._process, self._log = process, log
        self.pid = process.pid
        self.url = f"http://127.0.0.1:{port}"
        self.session: aiohttp.ClientSession

    @property
    def output(self) -> str:
        """What it has written so far."""
        return self._log.read_text()

    def tell(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    async def ended(self) -> int:
        """Wait for its end and return the exit status."""
        return await asyncio.wait_for(self._process.wait(), START_SECONDS)

    async def started(self) -> None:
        """Wait until it listens."""
        async with asyncio.timeout(START_SECONDS):
            while not await self._listens():
                assert self._process.returncode is None, self.output
                await asyncio.sleep(0.02)

    async def _listens(self) -> bool:
        try:
            async with self.session.get(f"{self.url}/health/live"):
                return True
        except aiohttp.ClientConnectionError:
            return False


@asynccontextmanager
async def api_process(
    folder: Path, engine_url: str, *command: str, **settings: object
) -> AsyncIterator[ApiProcess]:
    """Run the process in that folder, with these settings in its environment."""
    port, log = free_port(), folder / "api.log"
    variables = {"vllm_api_url": engine_url, "port": port, "log_format": "json", **settings}
    environment = os.environ | {name.upper(): str(value) for name, value in variables.items()}
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *(command or ("-m", "tiza.api"))),
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=output,
        )
        api = ApiProcess(process, port, log)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(DEADLINE)) as api.session:
            try:
                await api.started()
                yield api
            finally:
                if process.returncode is None:
                    process.kill()
                await process.wait()

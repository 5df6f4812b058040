"""WORKERS processes of the API on one socket: started, replaced when they die, drained together.

The parent only watches. All accept from one queue, so a connection that waits is not lost with a
process. Knows nothing of requests.
"""

import asyncio
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import structlog
from prometheus_client.multiprocess import mark_process_dead

from tiza.api import precautions
from tiza.api.accounts.secret import server_secret
from tiza.api.instruments import FOLDER
from tiza.api.logs import configure
from tiza.api.together import METRICS, REFUSED
from tiza.engines import leash
from tiza.engines.ports import check_port_free
from tiza.settings import Settings

FIRST_BACKOFF, LAST_BACKOFF = 0.5, 30.0  # seconds
STEADY_SECONDS = 60.0
SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = structlog.get_logger("tiza.api")


def run(settings: Settings, arguments: Sequence[str]) -> int:
    """Serve with several processes until a signal comes; return the exit status.

    `arguments`: of `python -m tiza.api`, for each process.

    Raises:
        SettingsError: it would let in anybody, or nobody can listen there.
        PortTaken: another program listens there.
        SecretUnreadable: the server's secret cannot be used.

    """
    precautions.check(settings)
    if settings.auth_mode != "open":
        server_secret(settings)
    configure(settings)
    check_port_free(settings.host, settings.port, "PORT")
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with tempfile.TemporaryDirectory(prefix="tiza-") as folder, socket.socket(family) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((settings.host, settings.port))
        workers = _Workers(Path(folder), listening, settings.workers, arguments)
        return asyncio.run(workers.run())


class _Workers:
    def __init__(
        self, folder: Path, listening: socket.socket, count: int, arguments: Sequence[str]
    ) -> None:
        self._folder, self._listening, self._arguments = folder, listening, arguments
        self._running: list[asyncio.subprocess.Process | None] = [None] * count
        self._metrics = folder / METRICS
        self._metrics.mkdir()
        self._ending = asyncio.Event()
        self._status = 0

    async def run(self) -> int:
        """Keep all alive until a signal comes, then wait for them."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._end)
        await asyncio.gather(*[self._keep(place) for place in range(len(self._running))])
        return self._status

    def _end(self) -> None:
        """Let all drain; asked again, each does what a second signal means to it."""
        self._ending.set()
        for process in self._running:
            if process is not None and process.returncode is None:
                with suppress(ProcessLookupError):
                    process.send_signal(signal.SIGTERM)

    async def _keep(self, place: int) -> None:
        backoff = FIRST_BACKOFF
        while not self._ending.is_set():
            began = time.monotonic()
            status = await self._live(place)
            if status == REFUSED:
                self._status = 1
                self._end()
            if self._ending.is_set():
                return
            backoff = FIRST_BACKOFF if time.monotonic() - began > STEADY_SECONDS else backoff
            log.error("process ended", place=place, status=status, again_in=backoff)
            with suppress(TimeoutError):
                async with asyncio.timeout(backoff):
                    await self._ending.wait()
            backoff = min(2 * backoff, LAST_BACKOFF)

    async def _live(self, place: int) -> int:
        """Run one process to its end; return its status."""
        listens = self._listening.fileno()
        own = ["--socket", str(listens), "--together", str(self._folder), "--place", str(place)]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-S", leash.__file__, str(os.getpid())),
            *(sys.executable, "-m", "tiza.api", *self._arguments, *own),
            env={**os.environ, FOLDER: str(self._metrics)},
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=[listens],
            start_new_session=True,  # Ctrl-C reaches us alone; a second signal cuts answers off
        )
        self._running[place] = process
        if self._ending.is_set():  # while it was being started
            self._end()
        status = await process.wait()
        mark_process_dead(process.pid, str(self._metrics))  # type: ignore[no-untyped-call]  # untyped there
        return status

"""Keep one process alive: start it, ask whether it is well, start it again after a crash.

Used for the engine and, in the local stack, for the API. Knows a command and a health address,
nothing of what the process does.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from logging.handlers import RotatingFileHandler
from pathlib import Path

from tiza.engines import leash
from tiza.errors import ServiceFailed
from tiza.translation import N_

LOG_BYTES, LOG_FILES = 5_000_000, 3
POLL_SECONDS = 0.05  # while starting
CHECK_SECONDS = 5.0  # while running
HEALTH_PATIENCE = 10.0
FAILED_CHECKS = 3  # in a row, before a process that lives but does not answer is replaced
FIRST_BACKOFF, LAST_BACKOFF = 1.0, 30.0
STEADY_SECONDS = 60.0  # of health, after which the backoff begins anew


# Told to a person, with `name` and the data named in braces.
ENDED = N_("{name}: ended ({cause}); starting it again in {seconds} s")
SILENT = N_("{name}: does not answer; starting it again in {seconds} s")
BACK = N_("{name}: running again")
STILL_DOWN = N_("{name}: did not start again: {cause}")

Tell = Callable[[str, Mapping[str, object]], None]


@dataclass(frozen=True)
class Service:
    """What to run. `health` is an address that answers 200 once the process can work."""

    name: str
    command: list[str]
    health: str
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    start_seconds: float = 120
    stop_seconds: float = 10


class Supervisor:
    """Runs a Service. `tell` receives a sentence and its data when the state changes by itself."""

    def __init__(self, service: Service, tell: Tell) -> None:
        self.service = service
        self._tell = tell
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._tail: deque[str] = deque(maxlen=50)
        self._log = _open_log(service.log)

    async def start(self) -> None:
        """Start the process and wait until it is healthy.

        Raises:
            ServiceFailed: it ended, or did not become healthy in `start_seconds`.

        """
        await self._spawn()
        try:
            async with asyncio.timeout(self.service.start_seconds):
                while not await self._healthy():
                    if await self._ended_within(POLL_SECONDS):
                        raise self._failure()
        except TimeoutError as exc:
            await self.stop()
            raise self._failure() from exc

    async def watch(self) -> None:
        """Restart the process whenever it ends or stops answering; runs until cancelled."""
        backoff = FIRST_BACKOFF
        loop = asyncio.get_running_loop()
        while True:
            since = loop.time()
            sentence, cause = await self._until_broken()
            if loop.time() - since > STEADY_SECONDS:
                backoff = FIRST_BACKOFF
            self._say(sentence, cause=cause, seconds=round(backoff))
            await self.stop()
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, LAST_BACKOFF)
            try:
                await self.start()
            except ServiceFailed as exc:
                self._say(STILL_DOWN, cause=exc.data["reason"])
            else:
                self._say(BACK)

    async def restart(self) -> None:
        """Stop and start, as after a change of the code."""
        await self.stop()
        await self.start()

    async def stop(self) -> None:
        """Ask the process to end, and end it if it does not within `stop_seconds`."""
        process = self._process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        await self._ended_within(self.service.stop_seconds)
        with contextlib.suppress(ProcessLookupError):  # also what it may have left behind
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        if self._reader is not None:
            await self._reader
        self._process = None

    async def _spawn(self) -> None:
        self._tail.clear()
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-S", leash.__file__, *self.service.command),
            env={**os.environ, **self.service.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches us alone; we end the children in order
        )
        self._reader = asyncio.create_task(self._read_output(self._process))

    async def _read_output(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101  # asked for above
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:  # a line longer than the stream's limit: it was dropped
                continue
            if not line:
                return
            text = line.decode("utf-8", "replace").rstrip()
            self._tail.append(text)
            self._log.info(text)

    def _say(self, sentence: str, **data: object) -> None:
        self._tell(sentence, {"name": self.service.name, **data})

    async def _until_broken(self) -> tuple[str, str]:
        failed = 0
        while failed < FAILED_CHECKS:
            if await self._ended_within(CHECK_SECONDS):
                return ENDED, _cause(self._process.returncode if self._process else None)
            failed = 0 if await self._healthy() else failed + 1
        return SILENT, ""

    async def _ended_within(self, seconds: float) -> bool:
        if self._process is None:
            return True
        try:
            await asyncio.wait_for(self._process.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _healthy(self) -> bool:
        return await asyncio.to_thread(_answers, self.service.health)

    def _failure(self) -> ServiceFailed:
        named = [line for line in self._tail if line.startswith("error: ")]
        spoken = named or [line for line in self._tail if line.strip()] or ["it said nothing"]
        return ServiceFailed(
            name=self.service.name,
            reason=spoken[-1].removeprefix("error: "),
            log=self.service.log,
        )


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=HEALTH_PATIENCE) as response:  # noqa: S310  # our own loopback address
            return bool(response.status == 200)  # noqa: PLR2004  # OK
    except (OSError, urllib.error.URLError, ValueError):
        return False


def _cause(returncode: int | None) -> str:
    if returncode is not None and returncode < 0:
        return f"signal {signal.Signals(-returncode).name}"
    return f"exit status {returncode}"


def _open_log(path: Path) -> logging.Logger:
    path.parent.mkdir(parents=True, exist_ok=True)
    logger = logging.getLogger(f"tiza.log.{path}")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    if not logger.handlers:
        logger.addHandler(RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES))
    return logger

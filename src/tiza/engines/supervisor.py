"""Keep one process alive: start it, ask whether it is well, start it again after a crash.

Used for the engine and, in the local stack, for the API. Knows a command and a health address,
nothing of what the process does.
"""

import asyncio
import contextlib
import os
import signal
import sys
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from gettext import gettext as _
from http.client import HTTPException
from pathlib import Path

from tiza.engines import leash
from tiza.engines.output import Output
from tiza.errors import ServiceFailed
from tiza.translation import N_

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
        self._held: int | None = None  # our end of a prepared process's standard input
        self._output = Output(service.log)

    async def prepare(self) -> None:
        """Start the process with its standard input held open: it may load, and waits for `start`.

        What the process makes of that is its own matter; restarts find the input at its end.
        """
        theirs, self._held = os.pipe()
        try:
            await self._spawn(theirs)
        finally:
            os.close(theirs)

    async def start(self) -> None:
        """Start the process, or let go of a prepared one, and wait until it is healthy.

        Raises:
            ServiceFailed: it ended, or did not become healthy in `start_seconds`.

        """
        if self._process is None:
            await self._spawn()
        self._let_go()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.service.start_seconds):
                while not await self._ended_within(POLL_SECONDS):
                    if await self._healthy():
                        return
        status = self._process.returncode if self._process else None
        await self.stop()
        raise ServiceFailed(
            name=self.service.name,
            reason=self._output.last_words(),
            log=self.service.log,
            status=status,
        )

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
            backoff = await self._start_again(backoff)

    async def restart(self) -> None:
        """Stop and start, as after a change of the code.

        Raises:
            ServiceFailed: as by `start`.

        """
        await self.stop()
        await self.start()
        self._say(BACK)

    async def stop(self) -> None:
        """Ask the process to end, and end it if it does not within `stop_seconds`."""
        self._let_go()
        if self._process is not None:
            await self._end(self._process)
        await self._output.close()
        self._process = None

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        try:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            await self._ended_within(self.service.stop_seconds)
        finally:  # also what it may have left behind, and also when nobody waits any more
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        await process.wait()

    async def _start_again(self, backoff: float) -> float:
        """Start until it is healthy, after ever longer pauses; return the next pause."""
        while True:
            await self.stop()
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, LAST_BACKOFF)
            try:
                await self.start()
            except ServiceFailed as exc:
                self._say(STILL_DOWN, cause=exc.data["reason"])
            else:
                self._say(BACK)
                return backoff

    def _let_go(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None

    async def _spawn(self, stdin: int = asyncio.subprocess.DEVNULL) -> None:
        output = await self._output.open()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-S", leash.__file__, str(os.getpid()), *self.service.command),
                env={**os.environ, **self.service.environment},
                stdin=stdin,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches us alone; we end the children in order
            )
        finally:
            os.close(output)

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
            async with asyncio.timeout(seconds):
                await self._process.wait()
        except TimeoutError:
            return False
        return True

    async def _healthy(self) -> bool:
        return await asyncio.to_thread(_answers, self.service.health)


# A proxy of the environment has no business between two processes of one machine.
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _answers(url: str) -> bool:
    try:
        with direct.open(url, timeout=HEALTH_PATIENCE) as response:
            return bool(response.status == 200)  # noqa: PLR2004  # OK
    except (OSError, HTTPException, ValueError):
        return False


def _cause(returncode: int | None) -> str:
    if returncode is not None and returncode < 0:
        return _("signal {name}").format(name=signal.Signals(-returncode).name)
    return _("exit status {number}").format(number=returncode)

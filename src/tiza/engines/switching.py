"""The engine of the active model, and the way from one to the next without a lost answer.

The next engine starts beside the present one, must answer a question, and is then written into the
file that the API reads; the present one ends when its last answer has. Whatever fails before that
changes nothing. Knows the API as a file to write and a function that waits.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tiza.engines.choose import choose
from tiza.engines.engine import Address, Engine
from tiza.engines.ports import free_port
from tiza.engines.question import refusal
from tiza.engines.serve import service_of
from tiza.engines.serving import Serving
from tiza.engines.supervisor import Supervisor, Tell
from tiza.errors import CannotWrite, EngineSilent, ServiceFailed, TizaError
from tiza.models.lineup import Lineup
from tiza.settings import Settings
from tiza.translation import N_, terminal_language

HOST = "127.0.0.1"
LOOK_SECONDS = 0.5  # between two looks at the files that choose the model

# Told to a person, with the data named in braces.
BESIDE = N_("Starting {model} beside {old}: for a moment both are in memory.")
SERVES = N_("✓ {model} answers from now on.")
KEPT = N_("{old} goes on answering; nothing has changed. {error}")
ALONE = N_("The engine did not start with all adapters of the store; trying without the others.")
CUT = N_("Answers that {old} was still writing after {seconds} s were cut off.")

Choice = Callable[[], Lineup]
Gone = Callable[[int], Awaitable[None]]


@dataclass(frozen=True)
class _Running:
    number: int
    lineup: Lineup
    engine: Engine
    supervisor: Supervisor

    def has(self, lineup: Lineup) -> bool:
        """Tell whether this engine can answer for the active model of a lineup, as it is."""
        chosen = lineup.chosen
        known = chosen is None or chosen in self.lineup.adapters
        return lineup.base == self.lineup.base and known

    def serving(self, active: str) -> Serving:
        return Serving.of(self.number, self.engine, active)


class Changes:
    """Looks at files that choose the model, from when it is made; they need not exist."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._stamps = self._look()

    async def seen(self) -> AsyncIterator[None]:
        """Yield after each change, for ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            before, self._stamps = self._stamps, self._look()
            if self._stamps != before:
                yield

    def _look(self) -> list[tuple[int, ...]]:
        return [_stamp(path) for path in self._files]


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size


class Switcher:
    """Runs the engine of a lineup, and follows the choice of another.

    `told` is the file for the API; `answers_gone` returns when no answer comes any more from the
    engine of that number.
    """

    def __init__(
        self, settings: Settings, key: str, told: Path, answers_gone: Gone, tell: Tell
    ) -> None:
        self._settings, self._key = settings, key
        self._told, self._answers_gone, self._tell = told, answers_gone, tell
        self._number = 0
        self._supervisors: set[Supervisor] = set()
        self._now: _Running
        self._active = ""
        self._watching: asyncio.Task[None]
        self._leaving: asyncio.Task[None] | None = None

    async def start(self, lineup: Lineup) -> Engine:
        """Start the first engine and return what it is.

        Raises:
            ServiceFailed: it does not start.
            CannotWrite: the API cannot be told.

        """
        self._now = await self._begin(lineup, asked=False)
        self._now.serving(lineup.active).write(self._told)
        self._active = lineup.active
        return self._now.engine

    async def watch(self, changes: Changes, choice: Choice) -> None:
        """Keep the engine alive, and switch to `choice` at each change; runs until cancelled."""
        switching: asyncio.Task[None] | None = None
        async with asyncio.TaskGroup() as tasks:
            self._watching = tasks.create_task(self._now.supervisor.watch())
            async for _change in changes.seen():
                if switching:
                    switching.cancel()
                    await asyncio.wait({switching})
                switching = tasks.create_task(self._switch(choice, tasks))

    async def stop(self) -> None:
        """Stop every engine."""
        with contextlib.suppress(OSError):
            self._told.unlink()
        await asyncio.gather(*(supervisor.stop() for supervisor in self._supervisors))

    async def _switch(self, choice: Choice, tasks: asyncio.TaskGroup) -> None:
        if self._leaving:  # never three engines at once
            await asyncio.wait({self._leaving})
        now = self._now
        try:
            lineup = await asyncio.to_thread(choice)
            if now.has(lineup):
                following = now
                now.serving(lineup.active).write(self._told)
            else:
                following = await self._begin_beside(lineup)
        except TizaError as exc:
            error = exc.message(terminal_language())
            self._tell(KEPT, {"old": self._active, "error": error})
            return
        if following is not now:
            self._watching.cancel()
            self._now = following
            self._watching = tasks.create_task(following.supervisor.watch())
            self._leaving = tasks.create_task(self._leave(now, self._active))
        self._active = lineup.active
        self._tell(SERVES, {"model": lineup.active})

    async def _leave(self, running: _Running, name: str) -> None:
        """Stop an engine after its last answer, or after DRAIN_SECONDS."""
        seconds = self._settings.drain_seconds
        try:
            async with asyncio.timeout(seconds):
                await self._answers_gone(running.number)
        except TimeoutError:
            self._tell(CUT, {"old": name, "seconds": round(seconds)})
        await self._end(running.supervisor)

    async def _begin_beside(self, lineup: Lineup) -> _Running:
        self._tell(BESIDE, {"model": lineup.active, "old": self._active})
        following = await self._begin(lineup, asked=True)
        try:
            following.serving(lineup.active).write(self._told)
        except CannotWrite:
            await self._end(following.supervisor)
            raise
        return following

    async def _begin(self, lineup: Lineup, *, asked: bool) -> _Running:
        """Start an engine; if an adapter that nobody chose is what it stumbles over, without it."""
        few = lineup.without_siblings()
        try:
            return await self._try(lineup, asked=asked)
        except ServiceFailed as exc:
            killed = exc.data["status"] == -signal.SIGKILL  # by someone, or for want of memory
            if few == lineup or killed:
                raise
        self._tell(ALONE, {})
        return await self._try(few, asked=asked)

    async def _try(self, lineup: Lineup, *, asked: bool) -> _Running:
        settings = self._settings
        address = Address(HOST, free_port(HOST, settings.vllm_port), self._key)
        engine = await asyncio.to_thread(choose, "auto", lineup, settings, address)
        supervisor = Supervisor(service_of(engine, settings.logs_path), self._tell)
        self._supervisors.add(supervisor)
        self._number += 1
        running = _Running(self._number, lineup, engine, supervisor)
        async with contextlib.AsyncExitStack() as undo:
            undo.push_async_callback(self._end, supervisor)
            await supervisor.start()
            if asked:
                await self._ask(running)
            undo.pop_all()
        return running

    async def _ask(self, running: _Running) -> None:
        serving = running.serving(running.lineup.active)
        seconds = self._settings.engine_first_token_seconds
        reason = await asyncio.to_thread(refusal, serving, running.engine.address, seconds)
        if reason:
            log = running.supervisor.service.log
            raise EngineSilent(model=serving.active, reason=reason, log=log)

    async def _end(self, supervisor: Supervisor) -> None:
        await supervisor.stop()
        self._supervisors.discard(supervisor)

"""`tiza up`: the local stack. The engine first, then the API with the page; stopped in reverse.

Each runs as a supervised process of its own, so that either may crash without the other.
"""

import asyncio
import secrets
import sys
import time
from collections.abc import Awaitable
from gettext import gettext as _
from pathlib import Path

from tiza.api.page import web_folder
from tiza.engines.choose import choose
from tiza.engines.engine import Address, Engine
from tiza.engines.ports import check_port_free
from tiza.engines.serve import say, service_of
from tiza.engines.signals import until_signal
from tiza.engines.supervisor import Service, Supervisor
from tiza.errors import ServiceFailed, SettingsError
from tiza.models.find import find
from tiza.settings import Settings
from tiza.translation import N_, terminal_language

API_START_SECONDS = 30
SOURCES = Path(__file__).parent


def run(settings: Settings, *, reload: bool = False) -> None:
    """Start everything in order and stay until a signal comes.

    Raises:
        TizaError: a missing model or page, a taken port, or a part that did not start.

    """
    web_folder()
    if settings.port == settings.vllm_port:
        raise SettingsError.of("VLLM_PORT", N_("must differ from PORT"))
    model = find(settings.model_path, settings.models_path)
    check_port_free(settings.host, settings.port, "PORT")
    check_port_free("127.0.0.1", settings.vllm_port, "VLLM_PORT")
    key = settings.vllm_api_key.get_secret_value() or secrets.token_urlsafe(32)
    engine = choose("auto", model, settings, Address("127.0.0.1", settings.vllm_port, key))
    asyncio.run(_Stack(engine, settings, reload=reload).run())


class _Stack:
    def __init__(self, engine: Engine, settings: Settings, *, reload: bool) -> None:
        self._described, self._settings, self._reload = engine, settings, reload
        self._engine = Supervisor(service_of(engine, settings.logs_path), say)
        self._api = Supervisor(_api_service(engine, settings), say)

    async def run(self) -> None:
        try:
            await until_signal(self._start_and_watch())
            say(_("Stopping: running answers are finished first. Ctrl-C again ends at once."), {})
        finally:
            try:
                await self._api.stop()
            finally:
                await self._engine.stop()

    async def _start_and_watch(self) -> None:
        engine, settings = self._described, self._settings
        await self._api.prepare()  # it loads while the engine does
        await _step(_("Engine"), f"{engine.kind} · {engine.model}", self._engine.start())
        await _step(_("API"), f"{_url(settings)}/docs", self._api.start())
        say(_("✓ {name} {url}"), {"name": _("Page").ljust(8), "url": _url(settings)})
        say(_("Logs are in {path}. Ctrl-C stops everything."), {"path": settings.logs_path})
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._engine.watch())
            watching = tasks.create_task(self._api.watch())
            if self._reload:
                tasks.create_task(_restart_on_changes(self._api, watching, tasks))


async def _step(name: str, what: str, start: Awaitable[None]) -> None:
    started = time.perf_counter()
    await start
    seconds = time.perf_counter() - started
    say(
        "✓ {name} {what}  ({seconds:.1f} s)",
        {"name": name.ljust(8), "what": what, "seconds": seconds},
    )


async def _restart_on_changes(
    api: Supervisor, watching: asyncio.Task[None], tasks: asyncio.TaskGroup
) -> None:
    from watchfiles import PythonFilter, awatch

    async for _changes in awatch(SOURCES, watch_filter=PythonFilter()):
        watching.cancel()
        await asyncio.wait({watching})
        say(_("The code has changed: restarting the API."), {})
        try:
            await api.restart()
        except ServiceFailed as exc:  # the next change may mend it
            say("{error}", {"error": exc.message(terminal_language())})
        else:
            watching = tasks.create_task(api.watch())


def _api_service(engine: Engine, settings: Settings) -> Service:
    return Service(
        name="API",
        command=[sys.executable, "-m", "tiza.api", "--page", "--held"],
        health=f"{_url(settings)}/health/live",
        log=settings.logs_path / "api.log",
        environment={"VLLM_API_URL": engine.address.url, **engine.address.environment},
        start_seconds=API_START_SECONDS,
        stop_seconds=settings.drain_seconds + 5,
    )


def _url(settings: Settings) -> str:
    return Address(settings.host, settings.port).url

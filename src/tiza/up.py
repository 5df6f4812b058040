"""`tiza up`: the local stack. The engine first, then the API with the page; stopped in reverse.

Each runs as a supervised process of its own, so that either may crash without the other. When
another model is chosen meanwhile, its engine takes over (see `engines.switching`).
"""

import asyncio
import json
import secrets
import sys
import time
from collections.abc import Awaitable
from functools import partial
from gettext import gettext as _
from http.client import HTTPException
from pathlib import Path

from tiza.api.accounts import first_admin
from tiza.api.page import web_folder
from tiza.api.precautions import check
from tiza.engines.engine import Address
from tiza.engines.ports import check_port_free
from tiza.engines.serve import say
from tiza.engines.signals import until_signal
from tiza.engines.supervisor import Service, Supervisor, direct
from tiza.engines.switching import HOST, Changes, Switcher
from tiza.errors import ServiceFailed, SettingsError
from tiza.models.find import ACTIVE
from tiza.models.lineup import Lineup, line_up
from tiza.settings import ENV_FILE, Settings, load
from tiza.translation import N_, terminal_language

API_START_SECONDS = 30
ASK_SECONDS, ANSWER_SECONDS = 0.2, 5.0  # how often, and how patiently, the API is asked
SOURCES = Path(__file__).parent


def run(settings: Settings, *, reload: bool = False) -> None:
    """Start everything in order and stay until a signal comes.

    Raises:
        TizaError: a missing model or page, a taken port, settings that would let in anybody, or a
            part that did not start.

    """
    check(settings)
    web_folder()
    if settings.port == settings.vllm_port:
        raise SettingsError.of("VLLM_PORT", N_("must differ from PORT"))
    changes = Changes([Path(ENV_FILE), settings.models_path / ACTIVE])
    lineup = line_up(settings.model_path, settings.models_path)
    check_port_free(settings.host, settings.port, "PORT")
    check_port_free(HOST, settings.vllm_port, "VLLM_PORT")
    asyncio.run(_Stack(lineup, changes, settings, reload=reload).run())


class _Stack:
    def __init__(
        self, lineup: Lineup, changes: Changes, settings: Settings, *, reload: bool
    ) -> None:
        self._lineup, self._changes = lineup, changes
        self._settings, self._reload = settings, reload
        key = settings.vllm_api_key.get_secret_value() or secrets.token_urlsafe(32)
        told = settings.var_path / f"engine-{settings.port}.json"
        self._engines = Switcher(settings, key, told, partial(_answers_gone, settings), say)
        self._api = Supervisor(_api_service(key, told, settings), say)

    async def run(self) -> None:
        try:
            await until_signal(self._start_and_watch())
            say(_("Stopping: running answers are finished first. Ctrl-C again ends at once."), {})
        finally:
            try:
                await self._api.stop()
            finally:
                await self._engines.stop()

    async def _start_and_watch(self) -> None:
        settings = self._settings
        await self._api.prepare()  # it loads while the engine does
        await _step(_("Engine"), self._start_engine())
        link = await first_admin.link(settings)  # here, as the API's output is in a file
        await _step(_("API"), self._start_api())
        say(_("✓ {name} {url}"), {"name": _("Page").ljust(8), "url": _url(settings)})
        if link:
            say(first_admin.WORDS, {"link": link})
        say(_("Logs are in {path}. Ctrl-C stops everything."), {"path": settings.logs_path})
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._engines.watch(self._changes, _chosen))
            watching = tasks.create_task(self._api.watch())
            if self._reload:
                tasks.create_task(_restart_on_changes(self._api, watching, tasks))

    async def _start_engine(self) -> str:
        engine = await self._engines.start(self._lineup)
        return f"{engine.kind} · {engine.model}"

    async def _start_api(self) -> str:
        await self._api.start()
        return f"{_url(self._settings)}/docs"


def _chosen() -> Lineup:
    settings = load()
    return line_up(settings.model_path, settings.models_path)


async def _answers_gone(settings: Settings, number: int) -> None:
    """Wait until the API has moved to another engine and no answer is left on this one."""
    while True:
        if not await asyncio.to_thread(_still_used, f"{_url(settings)}/stats", number):
            return
        await asyncio.sleep(ASK_SECONDS)


def _still_used(url: str, number: int) -> bool:
    try:
        with direct.open(url, timeout=ANSWER_SECONDS) as response:
            stats = json.load(response)
        return stats["engine"] == number or str(number) in stats["requests_by_engine"]
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        return True  # the API is starting again, or too busy to say


async def _step(name: str, start: Awaitable[str]) -> None:
    started = time.perf_counter()
    what = await start
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


def _api_service(key: str, told: Path, settings: Settings) -> Service:
    engine = Address(HOST, settings.vllm_port, key)
    return Service(
        name="API",
        command=[sys.executable, "-m", "tiza.api", "--page", "--held", "--engine-file", str(told)],
        health=f"{_url(settings)}/health/live",
        log=settings.logs_path / "api.log",
        environment={"VLLM_API_URL": engine.url, **engine.environment},
        start_seconds=API_START_SECONDS,
        stop_seconds=settings.drain_seconds + 5,
    )


def _url(settings: Settings) -> str:
    return Address(settings.host, settings.port).url

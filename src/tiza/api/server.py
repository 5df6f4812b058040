"""Run the application under uvicorn, and stop it without cutting answers short."""

import asyncio
import gc
import socket
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import Server as UvicornServer

from tiza.api import precautions
from tiza.api.accounts.secret import server_secret
from tiza.api.app import create_app
from tiza.api.logs import configure
from tiza.api.page import Page, web_folder
from tiza.api.patience import patient
from tiza.api.state import State
from tiza.api.streaming import DIRECT_SEND
from tiza.api.together import Together
from tiza.settings import Settings

GC_THRESHOLDS = (10_000, 5, 2)  # more new objects than are gone; collections of younger ones
CLOSE_SECONDS = 2  # for connections that are still open when the last answer has ended
DATE_SECONDS = 1.0  # by which the date in answers may be late

log = structlog.get_logger("tiza.api")


@dataclass(frozen=True)
class Place:
    """Where one of several processes serves: an open socket, and its number in their folder."""

    socket: int | None = None
    folder: Path | None = None
    number: int = 0


def serve(
    settings: Settings,
    *,
    page: bool = False,
    engine_file: Path | None = None,
    place: Place = Place(),  # frozen
) -> None:
    """Serve until SIGTERM or SIGINT; with `page` the page as well.

    Raises:
        SettingsError: it would let in anybody.
        SecretUnreadable: the server's secret cannot be used.
        PageMissing: the page's files are not complete.

    """
    precautions.check(settings)
    if settings.auth_mode != "open":
        server_secret(settings)
    configure(settings)
    app = create_app(settings, engine_file, Together(place.folder, place.number))
    config = Config(
        _with_direct_send(Page(app, web_folder()) if page else app),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=CLOSE_SECONDS,
    )
    config.load()
    config.http_protocol_class = patient(config)
    sockets = None if place.socket is None else [socket.socket(fileno=place.socket)]
    Server(config, app.state.tiza, settings.drain_seconds).run(sockets)


def _with_direct_send(app: ASGIApp) -> ASGIApp:
    """Let streams hand their tokens to the server itself, past the wrappers of each middleware."""

    async def outermost(scope: Scope, receive: Receive, send: Send) -> None:
        scope[DIRECT_SEND] = send
        await app(scope, receive, send)

    return outermost


class Server(UvicornServer):
    """On the first signal: refuse new questions, let running answers finish, then exit.

    The listener stays open meanwhile, so that who asks is told `draining`. A second signal cuts the
    running answers off; a third exits whatever they do.
    """

    def __init__(self, config: Config, state: State, drain_seconds: float) -> None:
        super().__init__(config)
        self._admission, self._opening = state.admission, state.opening
        self._loop: asyncio.AbstractEventLoop | None = None
        self._patience = [drain_seconds, 0.0]  # for the first signal and the second
        self._aside: list[asyncio.Task[None]] = []
        self._leaving = asyncio.Event()

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]  # uvicorn types it by socket
        """Remember the loop that signals have to reach."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)  # type: ignore[arg-type]  # passed on as it came
        self._aside.append(asyncio.create_task(self._settle_memory()))

    async def main_loop(self) -> None:
        """Wait for the end; uvicorn would look for it ten times a second, and let nothing sleep."""
        leaving = asyncio.create_task(self._leaving.wait())
        while not await self.on_tick(0):
            await asyncio.wait({leaving}, timeout=DATE_SECONDS)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  # uvicorn's signature
        """Begin to drain, with less patience at each signal."""
        if self._loop is None:
            self.should_exit = True
        elif self._patience:
            self._loop.call_soon_threadsafe(self._begin_to_drain, self._patience.pop(0))
        else:
            self._loop.call_soon_threadsafe(self._leave)

    def _begin_to_drain(self, seconds: float) -> None:
        self._aside.append(asyncio.create_task(self._drain(seconds)))

    async def _drain(self, seconds: float) -> None:
        log.info("draining", active=self._admission.active, seconds=seconds)
        await self._admission.drain(seconds)
        self._leave()

    def _leave(self) -> None:
        self.should_exit = True
        self._leaving.set()

    async def _settle_memory(self) -> None:
        """Spare the garbage collector from walking all imports again and again as tokens flow.

        What is left to walk is little, so that it is done often, and garbage does not pile up.
        """
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        gc.enable()
        await self._opening.opened()
        gc.freeze()

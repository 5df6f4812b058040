"""The application: its parts put together, and their life from start to end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from tiza.api import (
    answers,
    bounds,
    conversations,
    openai,
    problems,
    routes,
    suggestions,
    watching,
)
from tiza.api.accounts import entering, first_admin, openid, own_keys, users
from tiza.api.admission import Admission
from tiza.api.callers import Callers
from tiza.api.engines import Engines
from tiza.api.hardening import ClosedDocs, Hardened
from tiza.api.instruments import Instruments
from tiza.api.middleware import BodyLimit, LastDefence, RequestContext
from tiza.api.proxies import MountedAt, TrustedProxies
from tiza.api.state import State
from tiza.api.stats import Stats
from tiza.api.streams import routes as stream_routes
from tiza.api.teaching import lessons as lesson_routes
from tiza.api.teaching import models as model_routes
from tiza.api.teaching import runs as run_routes
from tiza.api.together import Together
from tiza.api.tracing import UNTRACED, Tracing
from tiza.api.visit import LeavesHeaders
from tiza.settings import Settings

EXPOSED = ["X-Request-ID", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Cache", "ETag"]


def create_app(
    settings: Settings, engine_file: Path | None = None, together: Together | None = None
) -> FastAPI:
    """Make the application. Nothing is opened before its lifespan begins.

    `engine_file` tells where the engine is, and may change (see `engines.serving`); without it,
    the engine stays at VLLM_API_URL. `together`: with which other processes it serves.
    """
    admission = Admission(settings.max_streams, settings.max_queue, settings.queue_seconds)
    together = together or Together()
    instruments = Instruments(together.metrics)
    tracing = _tracing(settings)
    engines, stats = Engines(settings, engine_file, tracing), Stats(admission, instruments)
    state = State(settings, engines, admission, stats, together)
    app: FastAPI = FastAPIOffline(
        title=settings.app_name,
        version=settings.app_version,
        lifespan=_lifespan(tracing),
        middleware=[
            Middleware(TrustedProxies, networks=settings.trusted_proxies),
            Middleware(RequestContext, instruments=instruments, tracing=tracing),
            Middleware(Hardened),
            Middleware(
                CORSMiddleware,
                allow_origins=settings.cors_origins,
                allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
                allow_headers=["*"],
                allow_credentials=settings.auth_mode != "open",
                expose_headers=EXPOSED,
            ),
            Middleware(ClosedDocs),
            Middleware(LeavesHeaders),
            Middleware(LastDefence),
            Middleware(Callers, gate=state.access.gate),
            Middleware(
                BodyLimit,
                limit=settings.max_body_bytes,
                others={conversations.IMPORT: settings.max_import_bytes},
            ),
            Middleware(MountedAt),
        ],
        redirect_slashes=False,
    )
    app.state.tiza = state
    problems.install(app)
    app.include_router(routes.router)
    app.include_router(openai.router)
    app.include_router(conversations.router)
    app.include_router(answers.router)
    app.include_router(stream_routes.router)
    app.include_router(suggestions.router)
    app.include_router(entering.router)
    app.include_router(own_keys.router)
    app.include_router(users.router)
    app.include_router(openid.router)
    app.include_router(lesson_routes.router)
    app.include_router(model_routes.router)
    app.include_router(run_routes.router)
    app.openapi = _described(app, settings)  # type: ignore[method-assign]  # FastAPI's documented way
    return app


def _tracing(settings: Settings) -> Tracing:
    """Return who is told of requests. Raises MissingExtra: OpenTelemetry is not installed."""
    if not settings.otel_exporter_otlp_endpoint:
        return UNTRACED
    from tiza.api.telemetry import Telemetry

    return Telemetry(settings)


def _lifespan(tracing: Tracing) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _alive(app.state.tiza):
            yield
        await asyncio.to_thread(tracing.close)

    return lifespan


@asynccontextmanager
async def _alive(state: State) -> AsyncIterator[None]:
    async with (
        state.engines,
        state.limits,
        state.sharing,
        state.opening.kept_open(),
        state.streams,
    ):
        aside = [asyncio.create_task(first_admin.tell(state.settings, state.opening))]
        if state.together.metrics is not None:
            aside.append(asyncio.create_task(watching.watch(state)))
        try:
            async with state.together.telling(state.told):
                yield
        finally:
            for task in aside:
                task.cancel()
            await asyncio.gather(*aside, return_exceptions=True)
            state.access.passwords.close()


def _described(app: FastAPI, settings: Settings) -> Callable[[], dict[str, Any]]:
    make = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            bounds.write_into(make(), settings)
            problems.write_into(make())
        return make()

    return openapi

"""The application: its parts put together, and their life from start to end."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from tiza.api import answers, bounds, conversations, openai, problems, routes
from tiza.api.admission import Admission
from tiza.api.callers import Callers
from tiza.api.engines import Engines
from tiza.api.identity import LeavesCookie
from tiza.api.limits import routes as limit_routes
from tiza.api.middleware import BodyLimit, ClosedDocs, LastDefence, RequestContext
from tiza.api.state import State
from tiza.api.stats import Stats
from tiza.api.streams import routes as stream_routes
from tiza.api.visit import LeavesHeaders
from tiza.settings import Settings

EXPOSED = ["X-Request-ID", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Cache"]


def create_app(settings: Settings, engine_file: Path | None = None) -> FastAPI:
    """Make the application. Nothing is opened before its lifespan begins.

    `engine_file` tells where the engine is, and may change (see `engines.serving`); without it,
    the engine stays at VLLM_API_URL.
    """
    app: FastAPI = FastAPIOffline(
        title=settings.app_name,
        version=settings.app_version,
        lifespan=_lifespan,
        middleware=[
            Middleware(RequestContext),
            Middleware(
                CORSMiddleware,
                allow_origins=settings.cors_origins,
                allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
                allow_headers=["*"],
                expose_headers=[
                    "X-Request-ID",
                    "Retry-After",
                    "RateLimit",
                    "RateLimit-Policy",
                    "X-Cache",
                ],
            ),
            Middleware(ClosedDocs),
            Middleware(Callers),
            Middleware(LeavesCookie),
            Middleware(LeavesHeaders),
            Middleware(LastDefence),
            Middleware(
                BodyLimit,
                limit=settings.max_body_bytes,
                others={conversations.IMPORT: settings.max_import_bytes},
            ),
        ],
        redirect_slashes=False,
    )
    admission = Admission(settings.max_streams, settings.max_queue, settings.queue_seconds)
    engines = Engines(settings, engine_file)
    app.state.tiza = State(settings, engines, admission, Stats(admission))
    problems.install(app)
    app.include_router(routes.router)
    app.include_router(openai.router)
    app.include_router(conversations.router)
    app.include_router(answers.router)
    app.include_router(stream_routes.router)
    app.include_router(limit_routes.router)
    app.openapi = _described(app, settings)  # type: ignore[method-assign]  # FastAPI's documented way
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state: State = app.state.tiza
    async with (
        state.engines,
        state.limits,
        state.sharing,
        state.opening.kept_open(),
        state.streams,
    ):
        yield


def _described(app: FastAPI, settings: Settings) -> Callable[[], dict[str, Any]]:
    make = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            bounds.write_into(make(), settings)
            problems.write_into(make())
        return make()

    return openapi

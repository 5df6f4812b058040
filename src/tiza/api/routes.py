"""The original endpoints that tell who is there, how well, and with which models."""

import asyncio

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from starlette.responses import Response

from tiza.api import watching
from tiza.api.chat import now
from tiza.api.engines import busy
from tiza.api.problems import documented
from tiza.api.schemas import Health, ModelList, Welcome
from tiza.api.state import StateDep
from tiza.api.stats import summed
from tiza.api.strict_json import StrictRoute
from tiza.translation import N_

DEGRADED = 503
PROBLEMS = documented(404, 413, 422, 500, 502, 503, 504)
GENERATION = PROBLEMS | {200: {"content": {"text/event-stream": {}}}}

router = APIRouter(route_class=StrictRoute)


@router.get(
    "/",
    summary=N_("Name, version, and whether the engine answers."),
    response_model=Welcome,
    tags=["service"],
)
async def welcome(state: StateDep) -> Welcome:
    """Welcome whoever asks."""
    return Welcome(
        message=state.settings.app_name,
        version=state.settings.app_version,
        vllm_status="connected" if await state.engines.healthy() else "disconnected",
    )


@router.get(
    "/health",
    summary=N_("200 while the service can answer questions, 503 while the engine is away."),
    responses={DEGRADED: {"model": Health}},
    tags=["service"],
)
async def health(state: StateDep) -> Health:
    """Ask the engine how it is."""
    well = await state.engines.healthy()
    report = Health(
        status="healthy" if well else "degraded",
        backend="ok",
        vllm="ok" if well else "unreachable",
        timestamp=now(),
    )
    return report if well else JSONResponse(report.model_dump(), DEGRADED)  # type: ignore[return-value]  # same document, other status


@router.get("/health/live", summary=N_("200 while the process runs."), tags=["service"])
async def live() -> dict[str, str]:
    """Answer, which is all."""
    return {"status": "alive"}


@router.get(
    "/health/ready",
    summary=N_("200 while the process takes questions, 503 while it is being stopped."),
    responses={DEGRADED: {}},
    tags=["service"],
)
async def ready(state: StateDep) -> JSONResponse:
    """Tell whether to send questions here."""
    if state.admission.draining:
        return JSONResponse({"status": "draining"}, DEGRADED)
    return JSONResponse({"status": "ready"})


@router.get(
    "/models",
    summary=N_("List the models that are served; the first is active."),
    responses=PROBLEMS,
    tags=["service"],
)
async def models(state: StateDep) -> ModelList:
    """Name the models."""
    names = [served.model for served in await state.engines.models()]
    return ModelList(models=names, active_model=names[0])


@router.get(
    "/stats", summary=N_("Tell what the service has done since it started."), tags=["service"]
)
async def stats(state: StateDep) -> dict[str, object]:
    """Count in JSON."""
    parts = [await state.told(), *await state.together.others()]
    return summed(parts) | busy(parts)


@router.get(
    "/metrics",
    summary=N_("Tell the same to Prometheus."),
    response_class=Response,
    tags=["service"],
)
async def metrics(state: StateDep) -> Response:
    """Count for Prometheus."""
    await watching.look(state)
    text = await asyncio.to_thread(state.stats.instruments.text)
    return Response(text, media_type="text/plain; version=0.0.4")

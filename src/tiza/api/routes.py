"""The original endpoints: who is there, how well, with which models; and `POST /chat`."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from tiza.api.chat import ChatEvents, Generation, now
from tiza.api.problems import language_of
from tiza.api.schemas import ChatRequest, ChatResponse, Health, ModelList, Problem, Welcome
from tiza.api.state import StateDep
from tiza.api.streaming import EventStream, while_connected

DEGRADED = 503
PROBLEMS: dict[int | str, dict[str, object]] = {
    status: {"model": Problem, "content": {"application/problem+json": {}}}
    for status in (404, 413, 422, 500, 502, 503, 504)
}

router = APIRouter()


@router.get("/", response_model=Welcome, tags=["service"])
async def welcome(state: StateDep) -> Welcome:
    """Name, version, and whether the engine answers."""
    return Welcome(
        message=state.settings.app_name,
        version=state.settings.app_version,
        vllm_status="connected" if await state.engine.healthy() else "disconnected",
    )


@router.get("/health", responses={DEGRADED: {"model": Health}}, tags=["service"])
async def health(state: StateDep) -> Health:
    """200 while the service can answer questions, 503 while the engine is away."""
    well = await state.engine.healthy()
    report = Health(
        status="healthy" if well else "degraded",
        backend="ok",
        vllm="ok" if well else "unreachable",
        timestamp=now(),
    )
    return report if well else JSONResponse(report.model_dump(), DEGRADED)  # type: ignore[return-value]  # same document, other status


@router.get("/health/live", tags=["service"])
async def live() -> dict[str, str]:
    """200 while the process runs."""
    return {"status": "alive"}


@router.get("/health/ready", responses={DEGRADED: {}}, tags=["service"])
async def ready(state: StateDep) -> JSONResponse:
    """200 while the process takes questions, 503 while it is being stopped."""
    if state.admission.draining:
        return JSONResponse({"status": "draining"}, DEGRADED)
    return JSONResponse({"status": "ready"})


@router.get("/models", responses=PROBLEMS, tags=["service"])
async def models(state: StateDep) -> ModelList:
    """List the models that are served; the first is active."""
    names = [served.model for served in await state.models()]
    return ModelList(models=names, active_model=names[0])


@router.get("/stats", tags=["service"])
async def stats(state: StateDep) -> dict[str, object]:
    """Tell what this process has done since it started."""
    return state.stats.as_json()


@router.get("/metrics", response_class=Response, tags=["service"])
async def metrics(state: StateDep) -> Response:
    """Tell the same to Prometheus."""
    return Response(state.stats.as_prometheus(), media_type="text/plain; version=0.0.4")


@router.post(
    "/chat",
    response_model=ChatResponse,
    response_model_exclude_unset=True,
    responses=PROBLEMS | {200: {"content": {"text/event-stream": {}}}},
    tags=["chat"],
)
async def chat(body: ChatRequest, request: Request, state: StateDep) -> Response:
    """Answer a question, whole or as a stream of events (`"stream": true`)."""
    generation = Generation(body, state)
    if body.stream:
        language = language_of(request.scope)
        return EventStream(ChatEvents(generation, lambda error: error.message(language)))
    return JSONResponse(await while_connected(request.receive, generation.whole()))

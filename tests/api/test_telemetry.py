"""Traces reach a collector, belong together, and say nothing of what was said."""

import sys
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.api.faults import http_500
from tests.api.faulty_engine import GENERATION, TEXT, FaultyEngine
from tests.api.service import Service, running, until
from tiza.api import telemetry
from tiza.api.app import create_app
from tiza.errors import MissingExtra
from tiza.settings import Settings

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
Spans = list[Span]


@pytest.fixture
async def collector() -> AsyncIterator[tuple[str, Spans]]:
    """Run a collector that keeps what it gets."""
    spans: Spans = []

    async def take(request: web.Request) -> web.Response:
        told = ExportTraceServiceRequest.FromString(await request.read())
        spans.extend(
            span for of in told.resource_spans for part in of.scope_spans for span in part.spans
        )
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/v1/traces", take)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", spans
    await runner.cleanup()


@pytest.fixture
async def traced(
    collector: tuple[str, Spans], engine: FaultyEngine, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    """Run the application with a collector that it tells."""
    monkeypatch.setattr(telemetry, "DELAY_MILLISECONDS", 50)
    url = collector[0]
    async with running(vllm_api_url=engine.url, otel_exporter_otlp_endpoint=url) as service:
        yield service


def named(spans: Spans) -> Callable[[str], Span]:
    """Return a way to find the one span of a name."""

    def find(name: str) -> Span:
        [span] = [span for span in spans if span.name == name]
        return span

    return find


async def test_trace_goes_on_from_client_to_engine_when_it_is_collected(
    traced: Service, collector: tuple[str, Spans], engine: FaultyEngine
) -> None:
    """The client's trace, our request in it, and the engine's question in that; W3C both ways."""
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
    answer = await traced.ask("/chat", {"message": "secret?", "stream": True}, headers=headers)
    await until(lambda: len(collector[1]) == 2)

    find = named(collector[1])
    request, asked = find("POST /chat"), find("/v1/chat/completions samples_0")
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
    assert (asked.trace_id, asked.parent_span_id) == (request.trace_id, request.span_id)
    [told] = [r.headers["traceparent"] for r in engine.requests if r.path in GENERATION]
    assert told == f"00-{TRACE}-{asked.span_id.hex()}-01"
    facts = {each.key: each.value for each in request.attributes}
    assert facts["http.route"].string_value == "/chat"
    assert facts["http.response.status_code"].int_value == 200
    assert answer.events[-1].data["response"] == TEXT
    everything = "".join(map(str, collector[1]))
    assert "secret" not in everything
    assert "Chalk" not in everything


async def test_failure_is_marked_when_the_engine_fails(
    traced: Service, collector: tuple[str, Spans], engine: FaultyEngine
) -> None:
    """Both spans are errors; who asks for health is not traced at all."""
    engine.fault = http_500
    await traced.ask("/health/live")
    await traced.chat()
    await until(lambda: len(collector[1]) == 2)
    find = named(collector[1])
    for span in (find("POST /chat"), find("/v1/chat/completions samples_0")):
        assert span.status.code == Status.STATUS_CODE_ERROR


async def test_service_works_when_the_collector_is_away(engine: FaultyEngine) -> None:
    """Traces are dropped, answers are not."""
    async with running(
        vllm_api_url=engine.url, otel_exporter_otlp_endpoint="http://127.0.0.1:9"
    ) as service:
        assert (await service.chat()).status == 200
        assert "traceparent" in engine.requests[-1].headers


def test_command_is_named_when_opentelemetry_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sets an endpoint without the extra is told how to install it."""
    monkeypatch.delitem(sys.modules, "tiza.api.telemetry")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    given = {"_env_file": None, "otel_exporter_otlp_endpoint": "http://127.0.0.1:9"}
    with pytest.raises(MissingExtra, match=r"tiza\[tracing\]"):
        create_app(Settings(**given))  # type: ignore[arg-type]  # settings only

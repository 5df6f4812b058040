"""Traces through OpenTelemetry: the one file that knows it (`pip install 'tiza[tracing]'`).

Spans go to a collector as OTLP over HTTP, from a thread of their own, and are dropped when that is
away. A request continues the trace that its `traceparent` names (W3C Trace Context), and the engine
is told the same way. No span has a word of a message in it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import Scope

from tiza.api.tracing import Asked, Visited
from tiza.errors import MissingExtra, RequestError
from tiza.settings import Settings

try:
    from opentelemetry import context, trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import Span, SpanKind, Status, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError as exc:
    raise MissingExtra(package=exc.name, command="pip install 'tiza[tracing]'") from exc

DELAY_MILLISECONDS = 2000
TIMEOUT_SECONDS = 3
SERVER_ERROR = 500

_w3c = TraceContextTextMapPropagator()


class Telemetry:
    """Tells a collector."""

    def __init__(self, settings: Settings) -> None:
        url = f"{settings.otel_exporter_otlp_endpoint.rstrip('/')}/v1/traces"
        told = {"service.name": "tiza-api", "service.version": settings.app_version}
        self._provider = TracerProvider(resource=Resource.create(told), shutdown_on_exit=False)
        self._provider.add_span_processor(
            BatchSpanProcessor(
                OTLPSpanExporter(endpoint=url, timeout=TIMEOUT_SECONDS),
                schedule_delay_millis=DELAY_MILLISECONDS,
            )
        )
        self._tracer = self._provider.get_tracer("tiza")

    @contextmanager
    def request(self, scope: Scope) -> Iterator[Visited]:
        """Trace a request for the length of the block; what it causes belongs to it."""
        carrier = {
            str(name, "latin-1"): str(value, "latin-1")
            for name, value in scope["headers"]
            if name in (b"traceparent", b"tracestate")
        }
        span = self._tracer.start_span(
            scope["method"], _w3c.extract(carrier, context.Context()), SpanKind.SERVER
        )
        span.set_attribute("http.request.method", scope["method"])
        token = context.attach(trace.set_span_in_context(span))
        try:
            yield _Visited(span, scope["method"])
        finally:
            context.detach(token)
            span.end()

    def asked(self, url: str, path: str, model: str) -> Asked:
        """Begin to trace a question to an engine."""
        span = self._tracer.start_span(f"{path} {model}", kind=SpanKind.CLIENT)
        span.set_attributes({"server.address": url, "gen_ai.request.model": model})
        return _Asked(span)

    def close(self) -> None:
        """Tell what has not been told yet; blocks for a few seconds at most."""
        self._provider.shutdown()


class _Visited(Visited):
    def __init__(self, span: Span, method: str) -> None:
        self._span, self._method = span, method
        self.ids = {"trace_id": trace.format_trace_id(span.get_span_context().trace_id)}

    def answered(self, route: str, status: int) -> None:
        """Tell which documented path it had, and the answer's status."""
        self._span.update_name(f"{self._method} {route}".strip())
        self._span.set_attributes({"http.route": route, "http.response.status_code": status})
        if status >= SERVER_ERROR:
            self._span.set_status(Status(StatusCode.ERROR))


class _Asked(Asked):
    def __init__(self, span: Span) -> None:
        self._span = span
        carrier: dict[str, str] = {}
        _w3c.inject(carrier, trace.set_span_in_context(span))
        self.headers = carrier

    def end(self, error: BaseException | None) -> None:
        """Tell that the answer is over."""
        if error is not None:
            code = error.code if isinstance(error, RequestError) else type(error).__name__
            self._span.set_attribute("error.type", code)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()

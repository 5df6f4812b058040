"""What happens to every request, in pure ASGI: an id, a log line, a bound on its body, an answer.

Nothing here looks at, or is called for, the pieces of a streamed answer beyond its first.
"""

import re
import time
import uuid
from collections.abc import Mapping

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tiza.api.instruments import Instruments
from tiza.api.problems import CODE, answer
from tiza.api.tracing import UNTRACED, Tracing, Visited
from tiza.errors import BodyTooLarge, EncodingRefused, InternalError, RequestError

REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
LEFT = 499  # as Nginx calls it: the client has gone before an answer began
QUIET = frozenset({"/health", "/health/live", "/health/ready", "/metrics"})

log = structlog.get_logger("tiza.api")


class RequestContext:
    """Gives each request its id; traces and counts it, and writes its log line.

    HEAD is GET without the body.
    """

    def __init__(self, app: ASGIApp, instruments: Instruments, tracing: Tracing) -> None:
        self.app, self.instruments, self.tracing = app, instruments, tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an HTTP request on within its context."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        tracing = UNTRACED if scope["path"] in QUIET else self.tracing
        with tracing.request(scope) as visited:
            await self._pass_on(scope, receive, send, visited)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, visited: Visited) -> None:
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        known = structlog.contextvars.bind_contextvars(request_id=request_id, **visited.ids)
        started, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if not status:  # the first message is the response's start
                status = message["status"]
                id_header = (b"x-request-id", request_id.encode())
                message = {**message, "headers": [*message.get("headers", []), id_header]}
            await send(message)

        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        try:
            await self.app(inner, receive, send_with_id)
        finally:
            level = "debug" if scope["path"] in QUIET else "info"
            getattr(log, level)(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                seconds=round(time.perf_counter() - started, 4),
            )
            structlog.contextvars.unbind_contextvars(*known)
            visited.answered(self._count(inner, status), status)

    def _count(self, scope: Scope, status: int) -> str:
        """Count by the path as it is documented, so that nobody can invent new ones; return it."""
        path = getattr(scope.get("route"), "path", "")
        self.instruments.requests.labels(scope["method"], path, status or LEFT).inc()
        if code := scope["state"].get(CODE):
            self.instruments.errors.labels(code).inc()
        return str(path)


def _request_id(scope: Scope) -> str:
    for key, value in scope["headers"]:
        if key == b"x-request-id" and REQUEST_ID.fullmatch(value):
            return str(value, "ascii")
    return uuid.uuid4().hex


class LastDefence:
    """Answers for bugs: the log has the traceback, the client an id to ask for it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; if that fails before an answer has begun, answer."""
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except Exception:
            if scope["type"] != "http":
                raise
            log.exception("bug", path=scope["path"])
            if not started:
                await answer(InternalError(), scope)(scope, receive, send)


class BodyLimit:
    """Refuses bodies over `limit` bytes, whether announced (Content-Length) or not (chunked).

    Packed ones are refused as well: nothing here unpacks, and nothing behind it should.

    `others`: paths with a limit of their own.
    """

    def __init__(self, app: ASGIApp, limit: int, others: Mapping[str, int]) -> None:
        self.app, self.limit, self.others = app, limit, others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the whole body first, so that a refusal is an ordinary answer."""
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT", "PATCH"):
            await self.app(scope, receive, send)
            return
        limit = self.others.get(scope["path"], self.limit)
        if refused := _refusal(scope, limit):
            await answer(refused, scope)(scope, receive, send)
            return
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > limit:
                await answer(BodyTooLarge(limit=limit), scope)(scope, receive, send)
                return
        whole: Message | None = {"type": "http.request", "body": bytes(body), "more_body": False}

        async def receive_whole() -> Message:
            nonlocal whole
            message, whole = whole, None
            return message if message is not None else await receive()

        await self.app(scope, receive_whole, send)


def _refusal(scope: Scope, limit: int) -> RequestError | None:
    """Return what is wrong with a body by what is announced of it."""
    for key, value in scope["headers"]:
        if key == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            return EncodingRefused(encoding=value[:20].decode("latin-1"))
    return BodyTooLarge(limit=limit) if _announced(scope) > limit else None


def _announced(scope: Scope) -> int:
    for key, value in scope["headers"]:
        if key == b"content-length" and value.isdigit():
            return int(value)
    return 0

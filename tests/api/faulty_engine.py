"""An engine that speaks OpenAI's HTTP as vLLM or llama.cpp do, and fails in any way on demand.

Written on plain sockets, so that every fault is the real one. It lives in the event loop of the
test, which can therefore look at `requests` and `generating` at any time.
"""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

Json = dict[str, Any]
Dialect = Literal["vllm", "llama.cpp"]

MODEL = "samples_0"
PIECES = ["Chalk", " is", " soft", " limestone", ": ¡sí!", " 🖍", " naïve", "."]
TEXT = "".join(PIECES)
GENERATION = ("/v1/chat/completions", "/v1/completions")
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True)
class Request:
    """What arrived."""

    method: str
    path: str
    headers: dict[str, str]
    json: Json


class Exchange:
    """One request and the means to answer it, well or badly."""

    def __init__(self, engine: "FaultyEngine", request: Request, writer: asyncio.StreamWriter):
        self.engine, self.request, self._writer = engine, request, writer
        self.closes = self.reuses = False

    async def write(self, data: bytes) -> None:
        """Send bytes as they are, in a packet of their own."""
        self._writer.write(data)
        await self._writer.drain()

    async def head(self, status: int = 200, kind: str = "text/event-stream", **more: str) -> None:
        """Send status line and headers; the body follows in chunks unless a length is given."""
        framing = {} if "content_length" in more else {"transfer-encoding": "chunked"}
        headers = {"content-type": kind, **framing, **more}
        lines = [f"{key.replace('_', '-')}: {value}\r\n" for key, value in headers.items()]
        await self.write(
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{''.join(lines)}\r\n".encode()
        )

    async def chunk(self, data: bytes) -> None:
        """Send one chunk of the body; an empty one ends it."""
        await self.write(b"%x\r\n%b\r\n" % (len(data), data))

    async def reply(self, document: object, status: int = 200, **headers: str) -> None:
        """Send a whole JSON answer."""
        body = json.dumps(document).encode()
        await self.head(status, "application/json", content_length=str(len(body)), **headers)
        await self.write(body)

    def close(self) -> None:
        """End the connection in good manners."""
        self.closes = True

    def reset(self) -> None:
        """Tear the connection down: the client's kernel is told with RST."""
        self.closes = True
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def frames(self, pieces: list[str] = PIECES, *, usage: bool = True) -> list[bytes]:
        """Return the events of a good streamed answer, without `[DONE]`."""
        chat = self.request.path == GENERATION[0]
        return [frame(event) for event in self._events(chat, pieces, usage=usage)]

    def _events(self, chat: bool, pieces: list[str], *, usage: bool) -> list[Json]:
        def event(content: Json, finish: str | None = None) -> Json:
            choice = {"index": 0, **content, "finish_reason": finish}
            return {"id": "cmpl-1", "model": self.engine.model, "choices": [choice]}

        events = [event({"delta": {"role": "assistant", "content": ""}})] if chat else []
        events += [event({"delta": {"content": p}} if chat else {"text": p}) for p in pieces]
        events += [event({"delta": {}} if chat else {"text": ""}, "stop")]
        options = self.request.json.get("stream_options") or {}
        if usage and options.get("include_usage"):
            counts = self.engine.usage(self.request.json)
            events.append({"id": "cmpl-1", "model": self.engine.model, "choices": []} | counts)
        return events


Fault = Callable[[Exchange], Awaitable[None]]


def frame(event: object) -> bytes:
    """Write one event."""
    return b"data: %b\n\n" % json.dumps(event, ensure_ascii=False).encode()


async def well_behaved(exchange: Exchange) -> None:
    """Answer as a good engine does; Tiza asks for streams only."""
    assert exchange.request.json["stream"] is True
    await exchange.head()
    for event in [*exchange.frames(), DONE]:
        await exchange.chunk(event)
    await exchange.chunk(b"")


@dataclass
class FaultyEngine:
    """Listens on a free port of this machine; `fault` answers requests to `faulty_paths`."""

    dialect: Dialect = "vllm"
    window: int = 4096
    model: str = MODEL
    adapters: tuple[str, ...] = ()  # that it lists, each engine in its own way
    fault: Fault = well_behaved
    faulty_paths: tuple[str, ...] = GENERATION
    requests: list[Request] = field(default_factory=list)
    generating: int = 0
    connections: int = 0
    port: int = 0
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None
    _conversations: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The address for VLLM_API_URL."""
        return f"http://127.0.0.1:{self.port}"

    def bodies(self) -> list[Json]:
        """Return the bodies of the generation requests so far."""
        return [r.json for r in self.requests if r.path in GENERATION]

    def paths(self) -> list[str]:
        """Return the paths that were asked for so far."""
        return [request.path for request in self.requests]

    async def listen(self) -> None:
        """Begin to listen; again on the same port after `stop`."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection, as a process does that ends."""
        assert self._server is not None
        self._server.close()
        for writer in self._conversations.values():
            writer.transport.abort()
        if self._conversations:
            await asyncio.wait(list(self._conversations))

    def usage(self, body: Json) -> Json:
        """Return OpenAI's `usage` member of the answer to a request."""
        prompt = len(self.prompt(body["messages"]).split()) if "messages" in body else 1
        counts = {"prompt_tokens": prompt, "completion_tokens": len(PIECES)}
        return {"usage": counts | {"total_tokens": prompt + len(PIECES)}}

    @staticmethod
    def prompt(messages: list[Json]) -> str:
        """Apply the chat template; a token is a word."""
        return " ".join([f"<{m['role']}> {m['content']} </s>" for m in messages] + ["<assistant>"])

    def _protocol(self) -> asyncio.StreamReaderProtocol:
        reader = _Reader(limit=2**20)
        return asyncio.StreamReaderProtocol(reader, self._converse)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert isinstance(reader, _Reader)
        if self._server is None or not self._server.is_serving():  # accepted as it stopped
            writer.close()
            return
        task: asyncio.Task[None] | None = asyncio.current_task()
        assert task
        self._conversations[task] = writer
        self.connections += 1
        used = False
        try:
            while request := await _read_request(reader):
                self.requests.append(request)
                exchange = Exchange(self, request, writer)
                exchange.reuses, used = used, True
                await _unless(reader.gone, self._answer(exchange))
                if exchange.closes or reader.gone.is_set():
                    return
        except OSError:
            return
        finally:
            del self._conversations[task]
            writer.close()

    async def _answer(self, exchange: Exchange) -> None:
        path = exchange.request.path
        generates = path in GENERATION
        self.generating += generates
        try:
            if path in self.faulty_paths:
                await self.fault(exchange)
            elif generates:
                await well_behaved(exchange)
            else:
                await self._small_answer(exchange)
        finally:
            self.generating -= generates

    async def _small_answer(self, exchange: Exchange) -> None:
        body, llama = exchange.request.json, self.dialect == "llama.cpp"
        match exchange.request.path:
            case "/health":
                await exchange.reply({"status": "ok"} if llama else {})
            case "/v1/models":
                await exchange.reply({"object": "list", "data": self._entries()})
            case "/lora-adapters" if llama:
                await exchange.reply(
                    [
                        {"id": number, "path": f"/models/{name}/adapter/adapter.gguf"}
                        for number, name in enumerate(self.adapters)
                    ]
                )
            case "/tokenize" if llama:
                words = (body["content"] or "").split()
                await exchange.reply({"tokens": list(range(len(words)))})
            case "/tokenize":
                count = len(self.prompt(body["messages"]).split())
                await exchange.reply({"count": count, "max_model_len": self.window})
            case "/apply-template" if llama:
                await exchange.reply({"prompt": self.prompt(body["messages"])})
            case path:
                await exchange.reply({"error": {"message": f"no {path}"}}, 404)

    def _entries(self) -> list[Json]:
        if self.dialect == "llama.cpp":
            return [{"id": self.model, "owned_by": "llamacpp", "meta": {"n_ctx": self.window}}]
        base = {"id": self.model, "owned_by": "vllm", "max_model_len": self.window}
        of = {"owned_by": "vllm", "parent": self.model, "max_model_len": None}
        return [base, *({"id": name, **of} for name in self.adapters)]


@asynccontextmanager
async def faulty_engine() -> AsyncIterator[FaultyEngine]:
    """Run an engine for the length of the block."""
    engine = FaultyEngine()
    await engine.listen()
    try:
        yield engine
    finally:
        await engine.stop()


class _Reader(asyncio.StreamReader):
    """A reader that tells at once when the other side has gone."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.gone = asyncio.Event()

    def feed_eof(self) -> None:
        super().feed_eof()
        self.gone.set()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self.gone.set()


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")[:-2]
        method, path, _ = first.split(" ")
        pairs = (line.partition(":") for line in lines)
        headers = {key.lower(): value.strip() for key, _, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    except (asyncio.IncompleteReadError, OSError):
        return None
    return Request(method, path, headers, json.loads(body) if body else {})


async def _unless(gone: asyncio.Event, work: Awaitable[None]) -> None:
    """Do the work; give it up when the client has gone."""
    task, leaving = asyncio.ensure_future(work), asyncio.ensure_future(gone.wait())
    try:
        await asyncio.wait({task, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
    finally:
        for pending in (task, leaving):
            pending.cancel()
        await asyncio.gather(task, leaving, return_exceptions=True)

"""The way to the engine: OpenAI's HTTP over one aiohttp session a process.

Every foreign error becomes one of ours here and nowhere else (`translated`). A request is sent a
second time only when its connection died before the first byte of the answer, as reused connections
do. Knows nothing of the client in front.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

from tiza.api.sse import FrameReader, FrameTooLarge
from tiza.api.tracing import UNTRACED, Asked, Tracing
from tiza.errors import (
    EngineError,
    EngineLost,
    EngineTimeout,
    EngineUnreachable,
    InvalidRequest,
    Overloaded,
    RequestError,
)
from tiza.settings import Settings
from tiza.translation import N_

Json = dict[str, Any]
Frame = tuple[bytes, Json]  # one event of a streamed answer: as it came, and parsed

KEEP_ALIVE_SECONDS = 4.0  # llama.cpp closes idle connections after 5 s: we give them up before
QUESTION_SECONDS = 10.0  # patience for small questions: health, models, token counts
MAX_ANSWER_BYTES = 16_777_216  # to a small question: the largest lists the tokens of a context
LAST_CHUNK_SECONDS = 1.0  # patience for the end marker of a response that is done
MAX_REASON_CHARS = 300
NO_HEADERS: Mapping[str, str] = {}
SECONDS = re.compile(r"[0-9]{1,5}")
REFUSED = N_("The model engine refused the request: {reason}")


class EngineClient:
    """Speaks to the engine at one address. Made and closed in a running event loop."""

    def __init__(self, settings: Settings, url: str, tracing: Tracing = UNTRACED) -> None:
        self._settings, self._url, self._tracing = settings, url, tracing
        self._session = self._connected_by(
            aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS)
        )
        # For requests that are sent again.
        self._second = self._connected_by(aiohttp.TCPConnector(limit=0, force_close=True))

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()
        await self._second.close()

    def _connected_by(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        key = self._settings.vllm_api_key.get_secret_value()
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=self._settings.engine_connect_seconds
            ),
            headers={"Authorization": f"Bearer {key}"} if key else {},
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def healthy(self) -> bool:
        """Tell whether the engine can answer questions now."""
        try:
            await self._fetch("GET", "/health", None)
        except RequestError:
            return False
        return True

    async def ask(self, method: str, path: str, body: Json | None = None) -> Json:
        """Send a small question (models, token counts) and return the JSON answer."""
        return _json_object(await self._fetch(method, path, body))

    async def ask_for_list(self, path: str) -> list[Json]:
        """Return the JSON objects of an answer that is a list of them."""
        try:
            listed = orjson.loads(await self._fetch("GET", path, None))
        except orjson.JSONDecodeError as exc:
            raise EngineError(reason="not JSON") from exc
        if not isinstance(listed, list):
            raise EngineError(reason="not a list")
        return [each for each in listed if isinstance(each, dict)]

    async def _fetch(self, method: str, path: str, body: Json | None) -> bytes:
        """Read an answer to its end: only then can its connection be used again."""
        response = await self._open(method, path, body, QUESTION_SECONDS)
        try:
            async with asyncio.timeout(QUESTION_SECONDS):
                return await _bounded(response)
        except (aiohttp.ClientError, OSError) as exc:
            raise translated(exc, QUESTION_SECONDS, begun=True) from exc
        finally:
            response.release()

    async def stream(self, path: str, body: Json) -> "EngineStream":
        """Send a generation request and return its stream, once the engine has accepted it."""
        first, idle = (
            self._settings.engine_first_token_seconds,
            self._settings.engine_idle_seconds,
        )
        asked = self._tracing.asked(self._url, path, str(body.get("model", "")))
        try:
            opened = await self._open("POST", path, body, first, asked.headers)
            response = _event_stream(opened)
        except BaseException as exc:
            asked.end(exc)
            raise
        return EngineStream(response, first, idle, asked)

    async def _open(  # as it is sent
        self,
        method: str,
        path: str,
        body: Json | None,
        seconds: float,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> aiohttp.ClientResponse:
        try:
            async with asyncio.timeout(seconds):
                response = await self._send_once_more(method, path, body, headers)
                if response.status != 200:  # noqa: PLR2004  # OK
                    raise await _refusal(response)
                return response
        except (aiohttp.ClientError, OSError) as exc:
            raise translated(exc, seconds, begun=False) from exc

    async def _send_once_more(
        self, method: str, path: str, body: Json | None, headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        try:
            return await self._send(self._session, method, path, body, headers)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            # On a connection of its own: the next one in the pool may be as dead.
            return await self._send(self._second, method, path, body, headers)

    async def _send(  # as it is sent
        self,
        session: aiohttp.ClientSession,
        method: str,
        path: str,
        body: Json | None,
        headers: Mapping[str, str],
    ) -> aiohttp.ClientResponse:
        return await session.request(
            method,
            self._url + path,
            data=None if body is None else orjson.dumps(body),
            headers=headers if body is None else {"Content-Type": "application/json", **headers},
            allow_redirects=False,
        )


class EngineStream:
    """The frames of one streamed answer, in batches of what arrived together.

    Read inside `async with`: leaving it closes the connection, and that stops the generation. The
    stream ends after `[DONE]`, or with the connection if the answer was finished by then.
    """

    def __init__(
        self, response: aiohttp.ClientResponse, first: float, idle: float, asked: Asked
    ) -> None:
        self._response, self._asked = response, asked
        self._reader = FrameReader()
        self._loop = asyncio.get_running_loop()
        self._patience, self._idle = first, idle
        self._last_frame = self._loop.time()
        self._watchdog = self._loop.call_later(first, self._check_patience)
        self._timed_out = self._begun = self._finished = self._done = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._watchdog.cancel()
        self._asked.end(exc)
        if self._done and kind is None:
            await self._read_to_end()
        self._response.close()

    async def read(self) -> list[Frame]:
        """Return the next frames; none at the end.

        Raises:
            EngineTimeout, EngineLost, EngineError: what went wrong on the engine's side.

        """
        while not self._done:
            try:
                chunk = await self._response.content.readany()
            except (aiohttp.ClientError, OSError) as exc:
                if self._timed_out:
                    raise EngineTimeout(seconds=round(self._patience)) from exc
                raise translated(exc, self._patience, begun=True) from exc
            if not chunk:
                self._end()
            elif frames := self._parse(chunk):
                return frames
        if not self._begun:
            raise EngineError(reason="an empty stream")
        return []

    def _parse(self, chunk: bytes) -> list[Frame]:
        frames: list[Frame] = []
        try:
            for data in self._reader.feed(chunk):
                if data == b"[DONE]":
                    self._done = True
                    break
                frames.append((data, self._accepted(_json_object(data))))
        except FrameTooLarge as exc:
            raise EngineError(reason="an event without end") from exc
        if frames:
            self._begun, self._patience, self._last_frame = True, self._idle, self._loop.time()
        return frames

    def _accepted(self, event: Json) -> Json:
        try:
            choices = event["choices"]
            if choices and choices[0].get("finish_reason"):
                self._finished = True
        except (AttributeError, KeyError, TypeError) as exc:
            if "error" in event:
                raise EngineError(reason="an error in the stream", said=_reason(event)) from exc
            raise EngineError(reason="an event without choices") from exc
        return event

    def _end(self) -> None:
        if self._reader.incomplete:
            raise EngineError(reason="an event cut in half")
        if self._begun and not self._finished:
            raise EngineLost
        self._done = True

    async def _read_to_end(self) -> None:
        """Let the connection be used again: after `[DONE]` only the end marker is left."""
        try:
            async with asyncio.timeout(LAST_CHUNK_SECONDS):
                if not await self._response.content.readany():
                    self._response.release()
        except (aiohttp.ClientError, OSError):
            return

    def _check_patience(self) -> None:
        left = self._last_frame + self._patience - self._loop.time()
        if left > 0:
            self._watchdog = self._loop.call_later(left, self._check_patience)
        else:
            self._timed_out = True
            self._response.close()


def translated(exc: BaseException, seconds: float, *, begun: bool) -> RequestError:
    """Turn an error of aiohttp or of a socket into ours. `begun`: the answer had started."""
    if isinstance(exc, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return EngineUnreachable()
    if isinstance(exc, TimeoutError):
        return EngineTimeout(seconds=round(seconds))
    if isinstance(exc, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError | OSError):
        return EngineLost() if begun else EngineUnreachable()
    return EngineError(reason=type(exc).__name__)


def _event_stream(response: aiohttp.ClientResponse) -> aiohttp.ClientResponse:
    if response.content_type != "text/event-stream":
        response.close()
        raise EngineError(reason=f"not an event stream but {response.content_type}")
    return response


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    while chunk := await response.content.readany():
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise EngineError(reason="an answer without end")
    return bytes(content)


async def _refusal(response: aiohttp.ClientResponse) -> RequestError:
    """Say what an answer other than 200 means to our client."""
    try:
        reason = _reason(_json_object(await response.content.read(MAX_REASON_CHARS * 10)))
    except EngineError:
        reason = f"HTTP {response.status}"
    finally:
        response.close()
    match response.status:
        case 400 | 413 | 422:
            return InvalidRequest(REFUSED, reason=reason)
        case 429:
            error: RequestError = Overloaded()
        case 503:
            error = EngineUnreachable()
        case _:
            return EngineError(reason=f"HTTP {response.status}", said=reason)
    wait = response.headers.get("Retry-After", "")
    error.retry_after = int(wait) if SECONDS.fullmatch(wait) else error.retry_after
    return error


def _json_object(content: bytes) -> Json:
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as exc:
        raise EngineError(reason="not JSON") from exc
    if not isinstance(value, dict):
        raise EngineError(reason="not a JSON object")
    return value


def _reason(event: Json) -> str:
    error = event.get("error", event)
    message = error.get("message") if isinstance(error, dict) else error
    return str(message or "no reason given")[:MAX_REASON_CHARS]


def frames_of(raws: Iterable[bytes]) -> list[Frame]:
    """Parse again what a stream has accepted before."""
    return [(raw, orjson.loads(raw)) for raw in raws]


def models_of(listing: Json) -> Iterator[Json]:
    """Yield the entries of a `/v1/models` answer that have a name.

    Raises:
        EngineError: it is not such an answer.

    """
    entries = listing.get("data")
    if not isinstance(entries, list):
        raise EngineError(reason="a list of models without data")
    yield from (e for e in entries if isinstance(e, dict) and isinstance(e.get("id"), str))

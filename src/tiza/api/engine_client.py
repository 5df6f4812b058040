"""The way to the engine: OpenAI's HTTP, and its event streams.

Every error of a connection becomes one of ours here and nowhere else (`translated`). Knows nothing
of the client in front.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import orjson

from tiza.api.connections import Answer, Broken, Connections, HttpError, TooLong, Unreachable
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

QUESTION_SECONDS = 10.0  # patience for small questions: health, models, token counts
MAX_ANSWER_BYTES = 16_777_216  # to a small question: the largest lists the tokens of a context
MAX_FRAMES = 262_144  # of one stream: more than a token each in the longest context
LAST_CHUNK_SECONDS = 1.0  # patience for the end marker of a response that is done
MAX_REASON_CHARS = 300
NO_HEADERS: Mapping[str, str] = {}
SECONDS = re.compile(r"[0-9]{1,5}")
REFUSED = N_("The model engine refused the request: {reason}")


class EngineClient:
    """Speaks to the engine at one address. Made and closed in a running event loop."""

    def __init__(self, settings: Settings, url: str, tracing: Tracing = UNTRACED) -> None:
        self._settings, self._url, self._tracing = settings, url, tracing
        key = settings.vllm_api_key.get_secret_value()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._connections = Connections(url, settings.engine_connect_seconds, headers)

    def close(self) -> None:
        """Close every connection."""
        self._connections.close()

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
        answer = await self._open(method, path, body, QUESTION_SECONDS)
        try:
            async with asyncio.timeout(QUESTION_SECONDS):
                return await answer.whole(MAX_ANSWER_BYTES)
        except (HttpError, TimeoutError) as exc:
            raise translated(exc, QUESTION_SECONDS, begun=True) from exc
        finally:
            answer.close()

    async def stream(self, path: str, body: Json) -> "EngineStream":
        """Send a generation request and return its stream, once the engine has accepted it."""
        first, idle = (
            self._settings.engine_first_token_seconds,
            self._settings.engine_idle_seconds,
        )
        asked = self._tracing.asked(self._url, path, str(body.get("model", "")))
        try:
            opened = await self._open("POST", path, body, first, asked.headers)
            answer = _event_stream(opened)
        except BaseException as exc:
            asked.end(exc)
            raise
        return EngineStream(answer, first, idle, asked)

    async def _open(  # as it is sent
        self,
        method: str,
        path: str,
        body: Json | None,
        seconds: float,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Answer:
        sent = None if body is None else orjson.dumps(body)
        try:
            async with asyncio.timeout(seconds):
                answer = await self._connections.ask(method, path, sent, headers)
                if answer.status != 200:  # noqa: PLR2004  # OK
                    raise await _refusal(answer)
                return answer
        except (HttpError, TimeoutError) as exc:
            raise translated(exc, seconds, begun=False) from exc


class EngineStream:
    """The frames of one streamed answer, in batches of what arrived together.

    Leaving its `async with` closes the connection, and that stops the generation. The stream ends
    after `[DONE]`, or with the connection if the answer was finished by then.
    """

    def __init__(self, answer: Answer, first: float, idle: float, asked: Asked) -> None:
        self._answer, self._asked = answer, asked
        self._reader = FrameReader()
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._patience, self._idle = first, idle
        self._last_frame, self._left = self._loop.time(), MAX_FRAMES
        self._watchdog = self._loop.call_later(first, self._check_patience)
        self._begun = self._finished = self._done = self._is_paused = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._watchdog.cancel()
        self._asked.end(exc)
        if self._done and kind is None:
            await self._end_marker()
        self._answer.close()

    async def pass_on(self, take: Callable[[list[Frame]], None]) -> None:
        """Hand frames to `take` in the moment in which they arrive, until the end.

        Raises:
            EngineTimeout, EngineLost, EngineError: what went wrong on the engine's side.

        """
        self._take = take
        self._answer.listen(self._arrived, self._ended)
        await self._over
        if not self._begun:
            raise EngineError(reason="an empty stream")

    def pause(self) -> None:
        """Let the engine wait: nobody reads."""
        if not self._over.done():
            self._is_paused = True
            self._answer.pause()

    def resume(self) -> None:
        """Go on after `pause`."""
        if self._is_paused:
            self._is_paused, self._last_frame = False, self._loop.time()
            self._answer.resume()

    def _arrived(self, chunk: bytes) -> None:
        if self._over.done():
            return
        try:
            if frames := self._parse(chunk):
                self._take(frames)
            if self._done:
                self._over.set_result(None)
        except Exception as exc:  # noqa: BLE001  # whoever waits for the end is told
            self._over.set_exception(exc)

    def _ended(self, error: HttpError | None) -> None:
        if self._over.done():
            return
        if error is not None:
            self._over.set_exception(translated(error, self._patience, begun=True))
        elif self._reader.incomplete:
            self._over.set_exception(EngineError(reason="an event cut in half"))
        elif self._begun and not self._finished:
            self._over.set_exception(EngineLost())
        else:
            self._done = True
            self._over.set_result(None)

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
            self._left -= len(frames)
            if self._left < 0:
                raise EngineError(reason="an answer without end")
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

    async def _end_marker(self) -> None:
        """Let the connection be used again: after `[DONE]` only the end marker is left."""
        self.resume()
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_CHUNK_SECONDS):
                await self._answer.finished()

    def _check_patience(self) -> None:
        if self._is_paused:
            self._last_frame = self._loop.time()
        left = self._last_frame + self._patience - self._loop.time()
        if left > 0:
            self._watchdog = self._loop.call_later(left, self._check_patience)
        elif not self._over.done():
            self._over.set_exception(EngineTimeout(seconds=round(self._patience)))


def translated(exc: HttpError | TimeoutError, seconds: float, *, begun: bool) -> RequestError:
    """Turn an error of a connection into ours. `begun`: the answer had started."""
    match exc:
        case Unreachable():
            return EngineUnreachable()
        case TimeoutError():
            return EngineTimeout(seconds=round(seconds))
        case Broken():
            return EngineLost() if begun else EngineUnreachable()
        case TooLong():
            return EngineError(reason="an answer without end")
    return EngineError(reason="not HTTP")


def _event_stream(answer: Answer) -> Answer:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "text/event-stream":
        answer.close()
        raise EngineError(reason=f"not an event stream but {kind}")
    return answer


async def _refusal(answer: Answer) -> RequestError:
    """Say what an answer other than 200 means to our client."""
    try:
        reason = _reason(_json_object(await answer.whole(MAX_REASON_CHARS * 10)))
    except (EngineError, TooLong):
        reason = f"HTTP {answer.status}"
    finally:
        answer.close()
    match answer.status:
        case 400 | 413 | 422:
            return InvalidRequest(REFUSED, reason=reason)
        case 429:
            error: RequestError = Overloaded()
        case 503:
            error = EngineUnreachable()
        case _:
            return EngineError(reason=f"HTTP {answer.status}", said=reason)
    wait = answer.headers.get("retry-after", "")
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


def is_llama_cpp(model: Json) -> bool:
    """Tell by an entry of its models whether an engine is llama.cpp."""
    return model.get("owned_by") == "llamacpp"

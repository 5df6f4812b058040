"""A log told to one client as events, from any position to the end."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar

import orjson

from tiza.api import sse
from tiza.api.streams.log import Document, Log
from tiza.errors import RequestError

T = TypeVar("T")


class Listening:
    """Reads a log for `EventStream`. Without a position it begins with `start`."""

    def __init__(
        self, log: Log, describe: Callable[[RequestError], str], position: int | None = None
    ) -> None:
        self._log, self._describe = log, describe
        self._is_new = position is None
        self._had = position or 0  # characters that the client has
        self._seen = 0  # characters of the log's pieces up to the next one
        self._next = self._told = 0
        self._take: Callable[[str], Any] = bool
        self._taken: Any = None

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[Self]:
        """Count as a listener of the log."""
        with self._log.listening():
            yield self

    async def read(self, take: Callable[[str | Document], T]) -> T | None:
        """Hand over the text that comes, and what else is told; see `Portions`.

        Raises:
            RequestError: what ended the answer, if it is not whole.

        """
        log, self._take = self._log, take
        while True:
            if len(log.pieces) > self._next:
                taken = self._catch_up(take)
            elif self._told != log.told:
                self._told = log.told
                taken = take(log.state)
            elif log.end is None:
                await log.news(self._pass_on)
                taken, self._taken = self._taken, None
            elif log.end.error is None:
                return None
            else:
                raise log.end.error
            if taken:
                return taken

    def _catch_up(self, take: Callable[[str], T]) -> T | None:
        """Hand over all that has come and has not been told."""
        pieces = self._log.pieces
        text = pieces[self._next] if len(pieces) == self._next + 1 else self._rest()
        self._next = len(pieces)
        self._seen += len(text)
        new = self._seen - self._had
        if new <= 0:
            return None
        self._had = self._seen
        return take(text[-new:])

    def _pass_on(self, text: str) -> bool:
        """Tell the newest piece in the moment in which it comes, if all before it has been told."""
        if self._had != self._seen:
            return False
        self._had = self._seen = self._had + len(text)
        self._next += 1
        self._taken = self._take(text)
        return not self._taken

    def _rest(self) -> str:
        return "".join(self._log.pieces[self._next :])

    def opening(self) -> bytes:
        """Write `start` for whoever has not had it."""
        return sse.event(0, b"start", orjson.dumps(self._log.start)) if self._is_new else b""

    def event(self, portion: str | Document) -> bytes:
        """Write `token`, or `state`."""
        if isinstance(portion, str):
            return sse.event(self._had, b"token", orjson.dumps({"text": portion}))
        return sse.event(self._had, b"state", orjson.dumps(portion))

    def ending(self) -> bytes:
        """Write `done`."""
        end = self._log.end
        return self._last(b"done", end.done or {} if end else {})

    def failure(self, error: RequestError) -> bytes:
        """Write `error`."""
        detail = self._describe(error)
        document = {"code": error.code, "detail": detail, "retryable": error.retryable}
        if error.retry_after is not None:
            document["retry_after"] = error.retry_after
        return self._last(b"error", document)

    def _last(self, name: bytes, document: Document) -> bytes:
        return sse.event(self._log.length + 1, name, orjson.dumps(document))

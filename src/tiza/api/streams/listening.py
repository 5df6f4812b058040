"""A log told to one client as events, from any position to the end."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Self

import orjson

from tiza.api import sse
from tiza.api.streams.log import Document, End, Log
from tiza.errors import RequestError

WriteNow = Callable[[bytes], bool]  # writes an event if the client takes it without a wait


def _never(_event: bytes) -> bool:
    return False


class Listening:
    """Reads a log for `EventStream`. Without a position it begins with `start`.

    With the stream's `write_now`, what comes while it waits is told at once.
    """

    def __init__(
        self, log: Log, describe: Callable[[RequestError], str], position: int | None = None
    ) -> None:
        self._log, self._describe = log, describe
        self._is_new = position is None
        self._had = position or 0  # characters that the client has
        self._seen = 0  # characters of the log's pieces up to the next one
        self._next = self._told = 0
        self.write_now: WriteNow = _never

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[Self]:
        """Count as a listener of the log."""
        with self._log.listening():
            yield self

    async def read(self) -> str | Document:
        """Return the text that has come since, or what else is told; nothing at the end.

        Raises:
            RequestError: what ended the answer, if it is not whole.

        """
        log, pieces = self._log, self._log.pieces
        while True:
            while len(pieces) == self._next:
                if self._told != log.told:
                    self._told = log.told
                    return log.state
                if log.end is not None:
                    return _ended(log.end)
                await log.news(self._pass_on)
            text = pieces[self._next] if len(pieces) == self._next + 1 else self._rest()
            self._next = len(pieces)
            self._seen += len(text)
            if (new := self._seen - self._had) > 0:
                self._had = self._seen
                return text[-new:]

    def _pass_on(self, text: str) -> bool:
        """Tell the newest piece in the moment in which it comes, if all before it has been told."""
        had = self._had
        if had != self._seen:
            return False
        self._had = had + len(text)
        if not self.write_now(self.event(text)):
            self._had = had
            return False
        self._seen = self._had
        self._next += 1
        return True

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


def _ended(end: End) -> str:
    if end.error is not None:
        raise end.error
    return ""

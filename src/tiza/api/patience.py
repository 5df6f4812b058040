"""How long a client may take to say what it wants, and how much of it before the body.

Whoever sends a request drop by drop, or headers without end, holds a connection and memory for
nothing. The bound of a body is `BodyLimit`'s. Knows no routes.
"""

import asyncio
from typing import Any, cast

from uvicorn.config import Config

HEAD_SECONDS = 15.0  # to the end of the headers, also for the first byte
BODY_SECONDS = 60.0  # more: a file of conversations over a bad line
MOST_HEAD_BYTES = 65_536


def patient(config: Config) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol with bounds. `config` must be loaded."""
    base: Any = config.http_protocol_class
    return cast(type[asyncio.Protocol], type("Patient", (_Bounds, base), {}))


class _Bounds:
    """Goes before uvicorn's protocol in the order of classes, which calls these as it parses."""

    transport: asyncio.Transport
    loop: asyncio.AbstractEventLoop
    _timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)  # type: ignore[misc]  # uvicorn's
        self._wait(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)  # type: ignore[misc]  # uvicorn's

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)  # type: ignore[misc]  # uvicorn's
        if self._in_head and self._head_bytes > MOST_HEAD_BYTES:
            self.transport.close()

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        self._wait(HEAD_SECONDS)
        super().on_message_begin()  # type: ignore[misc]  # uvicorn's

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._wait(BODY_SECONDS)
        super().on_headers_complete()  # type: ignore[misc]  # uvicorn's

    def on_message_complete(self) -> None:
        self._stop()
        super().on_message_complete()  # type: ignore[misc]  # uvicorn's

    def _wait(self, seconds: float) -> None:
        self._stop()
        self._timer = self.loop.call_later(seconds, self.transport.close)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

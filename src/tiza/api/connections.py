"""HTTP/1.1 to one address: a connection for each question, kept for the next (RFC 9112).

A body is told to whoever listens in the moment in which it arrives: between the engine's socket and
the client's there is no buffer and no turn of the event loop. llhttp parses. Knows what an answer
is, not what it means.
"""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import cast
from urllib.parse import unquote, urlsplit
from weakref import WeakSet

import httptools

KEEP_ALIVE_SECONDS = 4.0  # llama.cpp closes idle connections after 5 s: we give them up before
MOST_HEAD_BYTES = 65_536
PORTS = {"http": 80, "https": 443}
FINAL = 200  # statuses below are about an answer that is still to come

Take = Callable[[bytes], None]
Over = Callable[["HttpError | None"], None]


class HttpError(Exception):
    """No answer, or not the whole of one."""


class Unreachable(HttpError):
    """Nobody could be connected to."""


class Broken(HttpError):
    """The connection ended before the answer did."""


class NotUnderstood(HttpError):
    """What came is not HTTP/1.1, or is packed although nobody asked for that."""


class TooLong(HttpError):
    """A body goes on beyond what may be read of it."""


class Connection(asyncio.Protocol):
    """One connection; one question at a time."""

    _transport: asyncio.Transport
    _answer: "Answer | None" = None
    _until: asyncio.TimerHandle | None = None

    def __init__(self, resting: dict["Connection", None]) -> None:
        self._resting = resting

    @property
    def is_open(self) -> bool:
        """Tell whether it can be used."""
        return not self._transport.is_closing()

    def ask(self, message: bytes) -> "Answer":
        """Send a question; return its answer, of which nothing has come yet."""
        if self._until is not None:
            self._until.cancel()
        self._answer = Answer(self)
        self._transport.write(message)
        return self._answer

    def rest(self) -> None:
        """Wait for the next question, for a while."""
        self._answer = None
        self._until = asyncio.get_running_loop().call_later(KEEP_ALIVE_SECONDS, self.close)
        self._resting[self] = None

    def close(self) -> None:
        """Close it; that also stops a generation."""
        self._transport.close()

    def pause(self) -> None:
        """Let what comes wait in the kernel, and then at the engine."""
        if self.is_open:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Go on after `pause`."""
        if self.is_open:
            self._transport.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        if self._answer is None:
            self.close()  # nobody has asked
        else:
            self._answer.feed(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # however it ended
        """See asyncio."""
        self._resting.pop(self, None)
        if self._answer is not None:
            self._answer.cut()


class Answer:
    """One answer as it arrives; the methods named `on_` are llhttp's callbacks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._parser = httptools.HttpResponseParser(self)
        self._loop = asyncio.get_running_loop()
        self._head: asyncio.Future[None] = self._loop.create_future()
        self._complete = asyncio.Event()
        self.status = self._bytes = 0
        self.headers: dict[str, str] = {}
        self._parts: list[bytes] = []  # of the body, not told yet
        self._take: Take | None = None
        self._over: Over | None = None
        self._error: HttpError | None = None
        self._is_kept = False

    async def begun(self) -> None:
        """Wait for status and headers.

        Raises:
            Broken: the connection ended; see `is_untouched`.
            NotUnderstood: what came is not HTTP.

        """
        await self._head

    @property
    def is_untouched(self) -> bool:
        """Tell whether not a byte of it has come."""
        return not self._bytes

    def listen(self, take: Take, over: Over) -> None:
        """Hand the body to `take` as it comes, and then its end, or what went wrong, to `over`."""
        self._take, self._over = take, over
        self._tell()
        if self._complete.is_set() or self._error is not None:
            self._end(self._error)

    async def whole(self, most: int) -> bytes:
        """Return the whole body.

        Raises:
            TooLong: it has more bytes than that.
            Broken, NotUnderstood: as `begun`.

        """
        body, end = bytearray(), self._loop.create_future()

        def take(chunk: bytes) -> None:
            body.extend(chunk)
            if len(body) > most:
                over(TooLong())

        def over(error: HttpError | None) -> None:
            if end.done():
                return
            if error is None:
                end.set_result(None)
            else:
                end.set_exception(error)

        self.listen(take, over)
        await end
        return bytes(body)

    async def finished(self) -> None:
        """Wait until the end marker has come, and the connection rests."""
        await self._complete.wait()

    def pause(self) -> None:
        """Let the rest of it wait; once it is complete there is none."""
        if not self._complete.is_set():
            self._connection.pause()

    def resume(self) -> None:
        """Go on after `pause`."""
        self._connection.resume()

    def close(self) -> None:
        """Close the connection, unless it rests already."""
        if not self._complete.is_set():
            self._connection.close()

    def feed(self, data: bytes) -> None:
        """Understand what has arrived."""
        self._bytes += len(data)
        understood = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            understood = False
        self._tell()
        if self._complete.is_set():
            self._end(None)
        elif self._bytes > MOST_HEAD_BYTES and not self._head.done():
            understood = False
        if not understood:
            self._fail(NotUnderstood())

    def cut(self) -> None:
        """Take note that the connection has ended."""
        if not self._head.done() or self._is_framed:
            self._fail(Broken())
        elif not self._complete.is_set():  # the body ends with the connection
            self._complete.set()
            self._end(None)

    @property
    def _is_framed(self) -> bool:
        return "content-length" in self.headers or "transfer-encoding" in self.headers

    def _tell(self) -> None:
        if self._parts and self._take is not None:
            parts, self._parts = self._parts, []
            self._take(parts[0] if len(parts) == 1 else b"".join(parts))

    def _fail(self, error: HttpError) -> None:
        self._connection.close()
        if self._error is None and not self._complete.is_set():
            self._error = error
            self._end(error)

    def _end(self, error: HttpError | None) -> None:
        if error is not None and not self._head.done():
            self._head.set_exception(error)
        if self._over is not None:
            over, self._over = self._over, None
            over(error)

    def on_message_begin(self) -> None:
        """Refuse what comes after the end, where nobody has asked."""
        if self._complete.is_set():
            raise NotUnderstood

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Take the status."""
        status = self._parser.get_status_code()
        if status < FINAL:
            self.headers.clear()
            return
        self.status, self._is_kept = status, self._parser.should_keep_alive()
        if self.headers.get("content-encoding", "identity") != "identity":
            self._fail(NotUnderstood())
        elif not self._head.done():
            self._head.set_result(None)

    def on_body(self, part: bytes) -> None:
        """Take a part of the body."""
        self._parts.append(part)

    def on_message_complete(self) -> None:
        """Let the connection be used again."""
        if self.status and self._error is None and not self._complete.is_set():
            self._complete.set()
            if self._is_kept:
                self._connection.rest()
            else:
                self._connection.close()


class Connections:
    """The connections to one address. Made and closed in a running event loop.

    `url`: http or https, perhaps a user and a password, a host, and perhaps a path that goes before
    all others. `headers`: that every question has.
    """

    def __init__(self, url: str, connect_seconds: float, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        self._ssl = ssl.create_default_context() if parts.scheme == "https" else None
        self._connect_seconds, self._path = connect_seconds, parts.path
        user, _, place = parts.netloc.rpartition("@")
        encoded = b64encode(unquote(user).encode()).decode()
        basic = {"Authorization": f"Basic {encoded}"} if user else {}
        self._headers = {"Host": place, "User-Agent": "tiza", **basic, **headers}
        self._resting: dict[Connection, None] = {}  # the newest last
        self._all: WeakSet[Connection] = WeakSet()

    def close(self) -> None:
        """Close every connection."""
        for connection in [*self._all]:
            connection.close()

    async def ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        """Ask, and return the answer once it has begun.

        A second time, and on a new connection, only when the first one died before a byte of the
        answer had come, as connections do that were kept.

        Raises:
            Unreachable: nobody could be connected to.
            Broken, NotUnderstood: what came instead of a beginning.

        """
        message = self._message(method, path, body, headers)
        answer = (self._rested() or await self._connected()).ask(message)
        try:
            return await _begun(answer)
        except Broken:
            if not answer.is_untouched:
                raise
        return await _begun((await self._connected()).ask(message))

    def _message(
        self, method: str, path: str, body: bytes | None, more: Mapping[str, str]
    ) -> bytes:
        headers = {**self._headers, **more}
        if body is not None:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        lines = [f"{method} {self._path}{path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + (body or b"")

    def _rested(self) -> Connection | None:
        """Return an open connection that rests."""
        while self._resting:
            connection, _ = self._resting.popitem()
            if connection.is_open:
                return connection
        return None

    async def _connected(self) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_seconds):
                _, connection = await loop.create_connection(
                    lambda: Connection(self._resting), self._host, self._port, ssl=self._ssl
                )
        except (OSError, ValueError) as exc:  # no host has that name, nobody listens, no TLS
            raise Unreachable from exc
        self._all.add(connection)
        return connection


async def _begun(answer: Answer) -> Answer:
    try:
        await answer.begun()
    except BaseException:
        answer.close()
        raise
    return answer

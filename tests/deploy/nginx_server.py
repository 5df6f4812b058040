"""Debian's Nginx with the project's configuration on loopback, and what it stands in front of."""

import asyncio
import os
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import free_port

START = Path("deploy/page/start.sh").resolve()
START_SECONDS = 30
DEADLINE = 30


def program() -> None:
    """Make sure of the machine's nginx; tests that need it are skipped by name without it."""
    if shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        missing = "needs Nginx: apt-get install nginx-light"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)


class Nginx:
    """One process with its ports; `backend` is where it looks for the API."""

    def __init__(self, folder: Path, page: Path, **environment: str) -> None:
        self.folder, self.backend = folder, free_port()
        self.page, self.api, self.tls = free_port(), free_port(), free_port()
        self._environment = os.environ | {
            "PATH": f"{os.environ['PATH']}:/usr/sbin",
            "RUN": str(folder),
            "PAGE": str(page),
            "API_HOST": "127.0.0.1",
            "API_PROCESS_PORT": str(self.backend),
            "PAGE_PORT": str(self.page),
            "API_PORT": str(self.api),
            "TLS_PORT": str(self.tls),
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.page}"

    @property
    def log(self) -> str:
        """What it wrote, accesses too."""
        return (self.folder / "log").read_text()

    def checked(self) -> subprocess.CompletedProcess[bytes]:
        """Only check the configuration, which is written by this."""
        return subprocess.run(
            [START, "-t"], env=self._environment, capture_output=True, check=False
        )

    def starts(self, **replaced: str) -> None:
        """Start with shorter patience (`directive="value"`), and wait until it listens."""
        shutil.copytree(START.parent, self.folder / "own", dirs_exist_ok=True)
        settings = self.folder / "own" / "nginx" / "nginx.conf"
        lines = settings.read_text().splitlines()
        for name, value in replaced.items():
            lines = [f"{name} {value};" if line.split()[:1] == [name] else line for line in lines]
        if os.geteuid() == 0:  # its workers would be nobody, who cannot read this folder
            lines.insert(0, "user root;")
        settings.write_text("\n".join(lines))
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [self.folder / "own" / "start.sh"], env=self._environment, stdout=log, stderr=log
            )
        end = time.monotonic() + START_SECONDS
        while not _listens(self.page):
            assert self._process.poll() is None, self.log
            assert time.monotonic() < end, self.log
            time.sleep(0.02)

    def stops(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()


@dataclass(frozen=True)
class Request:
    """One request as the API behind would see it."""

    line: str
    headers: dict[str, str]
    body: bytes


Handler = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Backend:
    """An API that notes what arrives, byte by byte; `handler` may answer otherwise than `ok`."""

    requests: list[Request] = field(default_factory=list)
    handler: Handler | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request after another from a connection, as lenient servers do."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._answer(await _request(head, reader), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        self.requests.append(request)
        await (self.handler or ok)(request, writer)
        await writer.drain()


async def ok(request: Request, writer: asyncio.StreamWriter) -> None:
    """Answer 200."""
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    )


@asynccontextmanager
async def backend(port: int, host: str = "127.0.0.1") -> AsyncIterator[Backend]:
    """Listen where Nginx looks."""
    serving = Backend()
    server = await asyncio.start_server(serving.serve, host, port)
    try:
        yield serving
    finally:
        server.close()


async def _request(head: bytes, reader: asyncio.StreamReader) -> Request:
    line, *lines = head.decode("latin-1").split("\r\n")
    pairs = (each.partition(":") for each in lines if each)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(line, headers, body)


async def raw(port: int, payload: bytes) -> bytes:
    """Send bytes as they are and return all that comes back until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(payload)
        return await asyncio.wait_for(reader.read(), DEADLINE)
    finally:
        writer.close()


class Names(asyncio.DatagramProtocol):
    """A DNS server that knows one answer: these addresses, for a second."""

    def __init__(self, addresses: list[str]) -> None:
        self.addresses = addresses

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to answer."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer A; nothing for other kinds (RFC 1035, 4.1)."""
        end = data.index(b"\0", 12) + 5
        kind = struct.unpack("!H", data[end - 4 : end - 2])[0]
        found = self.addresses if kind == 1 else []
        answer = data[:2] + struct.pack("!5H", 0x8180, 1, len(found), 0, 0) + data[12:end]
        for address in found:
            answer += struct.pack("!3HIH", 0xC00C, 1, 1, 1, 4) + socket.inet_aton(address)
        self._transport.sendto(answer, addr)  # type: ignore[attr-defined]  # a datagram's


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0

"""HTTP/1.1 as engines and what is in front of them may speak it, on real sockets."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.api.service import until
from tiza.api import connections
from tiza.api.connections import Broken, Connections, NotUnderstood, TooLong, Unreachable

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nchalk"
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
MOST = 1000


@dataclass
class Server:
    """Says the same to every question; `ends`: and closes then."""

    says: list[bytes] = field(default_factory=lambda: [WHOLE])
    ends: bool = False
    url: str = ""
    heard: list[bytes] = field(default_factory=list)
    open: int = 0
    connections: int = 0

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer until the other side has gone."""
        self.connections += 1
        self.open += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
                self.heard.append(head + await reader.readexactly(int(length or 0)))
                for packet in self.says:
                    writer.write(packet)
                    await asyncio.sleep(0.01)
                if self.ends:
                    return
        except (asyncio.IncompleteReadError, OSError):
            return
        finally:
            self.open -= 1
            writer.close()


@asynccontextmanager
async def serving(server: Server, tls: ssl.SSLContext | None = None) -> AsyncIterator[Connections]:
    """Run a server, and yield the connections to it."""
    listening = await asyncio.start_server(server.converse, "127.0.0.1", 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    server.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{port}"
    to = Connections(f"{server.url}/engine", 5.0, {"Authorization": "Bearer x"})
    try:
        yield to
    finally:
        to.close()
        listening.close()
        await until(lambda: not server.open)


async def read(to: Connections, body: bytes | None = None) -> bytes:
    """Ask for something, and read the whole answer."""
    answer = await to.ask("POST", "/v1/models", body, {"X-More": "1"})
    try:
        return await answer.whole(MOST)
    finally:
        answer.close()


async def test_question_is_what_was_asked() -> None:
    """With the address's own path, our headers, and the body's length."""
    server = Server()
    async with serving(server) as to:
        assert await read(to, b"{}") == b"chalk"
    head, _, body = server.heard[0].partition(b"\r\n\r\n")
    first, *headers = head.decode().split("\r\n")
    assert first == "POST /engine/v1/models HTTP/1.1"
    assert {"Content-Length: 2", "Authorization: Bearer x", "X-More: 1"} < {*headers}
    assert f"Host: {server.url.removeprefix('http://')}" in headers
    assert body == b"{}"


async def test_user_of_the_address_is_told_as_http_has_it() -> None:
    """RFC 7617: as an engine behind a proxy with a password may need it."""
    server = Server()
    async with serving(server):
        to = Connections(server.url.replace("//", "//teacher:a%40b@"), 5.0, {})
        assert await read(to) == b"chalk"
        to.close()
    assert b"\r\nAuthorization: Basic dGVhY2hlcjphQGI=\r\n" in server.heard[0]
    assert b"teacher" not in server.heard[0]


@pytest.mark.parametrize(
    ("says", "reuses"),
    [
        ([WHOLE], True),
        ([WHOLE[:20], WHOLE[20:50], WHOLE[50:]], True),
        ([HEAD + b"2\r\nch\r\n3\r\nalk\r\n0\r\n\r\n"], True),
        ([HEAD, b"2\r\nch\r\n", b"3\r\nalk\r\n", b"0\r\n\r\n"], True),
        ([b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE], True),
        ([b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", WHOLE], True),
        ([WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")], False),
        ([WHOLE.replace(b"1.1", b"1.0")], False),
        ([WHOLE + WHOLE], False),
        ([WHOLE + b"and more"], False),
    ],
)
async def test_answer_is_read_and_its_connection_used_again_if_it_may_be(
    says: list[bytes], reuses: bool
) -> None:
    """However it is framed and cut."""
    server = Server(says)
    async with serving(server) as to:
        for _ in range(3):
            assert await read(to) == b"chalk"
        assert server.connections == (1 if reuses else 3)


async def test_answer_without_a_length_ends_with_the_connection() -> None:
    """As HTTP/1.0 had it, and as some still stream."""
    server = Server([b"HTTP/1.1 200 OK\r\n\r\nch", b"alk"], ends=True)
    async with serving(server) as to:
        assert await read(to) == b"chalk"


@pytest.mark.parametrize(
    ("says", "error"),
    [
        ([b"SSH-2.0-OpenSSH\r\n\r\n"], NotUnderstood),
        (
            [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"],
            NotUnderstood,
        ),
        (
            [b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nchalk"],
            NotUnderstood,
        ),
        ([HEAD + b"chalk\r\n"], NotUnderstood),
        ([b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000], NotUnderstood),
        ([WHOLE[:-1]], Broken),
        ([HEAD + b"2\r\nch\r\n"], Broken),
        ([WHOLE[:10]], Broken),
        ([HEAD, b"%x\r\n" % (MOST + 1) + b"x" * (MOST + 1) + b"\r\n0\r\n\r\n"], TooLong),
    ],
)
async def test_answer_is_none_when_it_is_cut_or_something_else(
    says: list[bytes], error: type[Exception]
) -> None:
    """Each is told by its name, and the next question has a connection of its own."""
    server = Server(says, ends=True)
    async with serving(server) as to:
        with pytest.raises(error):
            await read(to)
        server.says = [WHOLE]
        assert await read(to) == b"chalk"


async def test_connection_is_closed_when_it_rests_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """After many questions at once no open files are left."""
    monkeypatch.setattr(connections, "KEEP_ALIVE_SECONDS", 0.2)
    server = Server()
    async with serving(server) as to:
        assert await asyncio.gather(*(read(to) for _ in range(20))) == [b"chalk"] * 20
        assert server.open > 1
        await until(lambda: not server.open)
        assert await read(to) == b"chalk"


async def test_who_has_gone_is_not_asked_again() -> None:
    """A connection that the engine closed while it rested costs nobody a second try."""
    server = Server(ends=True)
    async with serving(server) as to:
        for number in range(3):
            assert await read(to) == b"chalk"
            await until(lambda: not server.open)
            assert len(server.heard) == number + 1


async def test_engine_waits_while_nobody_reads() -> None:
    """A paused answer piles up at the engine, not here."""
    server = Server([HEAD, *[b"10000\r\n" + b"x" * 65_536 + b"\r\n"] * 64, b"0\r\n\r\n"])
    async with serving(server) as to:
        answer, taken, ended = await to.ask("GET", "/", None, {}), bytearray(), asyncio.Event()
        answer.pause()
        answer.listen(taken.extend, lambda _: ended.set())
        await asyncio.sleep(0.2)
        assert len(taken) < 65_536 * 4
        answer.resume()
        await asyncio.wait_for(ended.wait(), 10)
        assert len(taken) == 65_536 * 64


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://nowhere.invalid", "http://[::1]:1"])
async def test_nobody_is_reached_where_nobody_is(url: str) -> None:
    """Whatever the reason."""
    with pytest.raises(Unreachable):
        await Connections(url, 5.0, {}).ask("GET", "/", None, {})


async def test_engine_behind_tls_is_believed_when_its_certificate_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an authority that the machine trusts; not by any other."""
    certificate, tls = certified(tmp_path), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, tmp_path / "key.pem")
    async with serving(Server(), tls) as stranger:
        with pytest.raises(Unreachable):
            await read(stranger)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with serving(Server(), tls) as known:
        assert await read(known) == b"chalk"


def certified(folder: Path) -> Path:
    """Make a key and a certificate of this machine that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "engine")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    pkcs8 = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(pem, pkcs8, plain))
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    return folder / "certificate.pem"

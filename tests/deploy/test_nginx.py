"""The front door, as Debian's Nginx with the project's own configuration does it."""

import asyncio
import ssl
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.conftest import free_port
from tests.deploy.nginx_server import Backend, Names, Nginx, Request, backend, program, raw
from tiza.api.packing import pack
from tiza.api.page import CONTENT_SECURITY_POLICY

WEB = {
    "index.html": '<link href="style.css"><script src="js/main.js"></script><a href="#x"></a>',
    "style.css": "body { color: purple }\n" * 50,
    "js/main.js": 'import "./other.js";\n' * 50,
    "js/other.js": "1",
}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pack a page as for the image."""
    web, out = tmp_path_factory.mktemp("web"), tmp_path_factory.mktemp("out")
    for name, text in WEB.items():
        (web / name).parent.mkdir(exist_ok=True)
        (web / name).write_text(text)
    pack(web, out)
    return out


@pytest.fixture(scope="module")
def plain(page: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """Nginx by plain HTTP, with a tenth of the patience."""
    program()
    nginx = Nginx(tmp_path_factory.mktemp("nginx"), page)
    nginx.starts(client_header_timeout="1s", client_body_timeout="1s")
    yield nginx
    nginx.stops()


@pytest.fixture(scope="module")
def secure(page: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """Nginx by HTTPS, with this machine as a proxy in front and names from a server of ours."""
    program()
    folder = tmp_path_factory.mktemp("nginx")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    nginx = Nginx(
        folder,
        page,
        ENABLE_HTTPS="true",
        SSL_CERT_PATH=str(certificate),
        SSL_KEY_PATH=str(key),
        PUBLIC_URL="https://chat.school.example",
        OUTER_PROXIES="127.0.0.1, 10.0.0.0/8",
        API_HOST="api.test",
        RESOLVER=f"127.0.0.1:{free_port()}",
    )
    nginx.starts()
    yield nginx
    nginx.stops()


@pytest.fixture
def trusting(secure: Nginx) -> ssl.SSLContext:
    """Make a client that knows the certificate."""
    return ssl.create_default_context(cafile=str(secure.folder / "certificate.pem"))


async def test_page_is_kept_for_ever_but_for_its_entry_when_it_is_packed(plain: Nginx) -> None:
    """Who comes back asks for one small file, and never mixes two versions."""
    async with aiohttp.ClientSession(plain.url, auto_decompress=False) as session:
        async with session.get("/", headers={"Accept-Encoding": "identity"}) as entry:
            text, tag = await entry.text(), entry.headers["ETag"]
            assert entry.headers["Cache-Control"] == "no-cache"
            assert entry.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
            assert "Strict-Transport-Security" not in entry.headers
        link = text.partition('href="')[2].partition('"')[0]
        assert '<a href="#x">' in text
        packed = {"Accept-Encoding": "gzip"}
        async with session.get(f"/{link}", headers=packed) as style:
            assert style.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert (style.headers["Content-Encoding"], style.headers["Vary"]) == (
                "gzip",
                "Accept-Encoding",
            )
            assert len(await style.read()) < 200
        async with session.get(
            "/", headers={"Accept-Encoding": "identity", "If-None-Match": tag}
        ) as again:
            assert again.status == 304
        async with session.get("/v/0000000000000000/style.css") as gone:
            assert (gone.status, gone.headers["Cache-Control"]) == (404, "no-cache")


async def test_first_token_arrives_before_the_last_is_made(plain: Nginx) -> None:
    """An event stream is handed on piece by piece, unpacked, and by HTTP/1.1."""
    read = asyncio.Event()

    async def stream(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n")
        writer.write(b"Transfer-Encoding: chunked\r\n\r\n7\r\nfirst\n\n\r\n")
        await writer.drain()
        await asyncio.wait_for(read.wait(), 20)
        writer.write(b"6\r\nlast\n\n\r\n0\r\n\r\n")

    async with backend(plain.backend) as api, aiohttp.ClientSession(plain.url) as session:
        api.handler = stream
        packed = {"Accept-Encoding": "gzip"}
        async with session.post("/api/chat", json={}, headers=packed) as response:
            assert await response.content.readany() == b"first\n\n"
            assert "Content-Encoding" not in response.headers
            read.set()
            assert await response.content.read() == b"last\n\n"
        assert api.requests[0].line == "POST /chat HTTP/1.1"


async def test_address_is_the_clients_when_headers_are_invented(plain: Nginx) -> None:
    """The API hears one address, the prefix that was taken off, and nothing a client claims."""
    claimed = {
        "X-Forwarded-For": "198.51.100.1",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/evil",
        "X-Real-IP": "198.51.100.1",
        "Forwarded": "for=198.51.100.1",
    }
    async with backend(plain.backend) as api, aiohttp.ClientSession() as session:
        for port, path in ((plain.page, "/api/health?x=1"), (plain.api, "/health?x=1")):
            async with session.get(f"http://127.0.0.1:{port}{path}", headers=claimed):
                pass
    through_page, direct = api.requests
    for request in api.requests:
        assert request.line == "GET /health?x=1 HTTP/1.1"
        assert request.headers["x-forwarded-for"] == "127.0.0.1"
        assert request.headers["x-forwarded-proto"] == "http"
        assert not {"x-real-ip", "forwarded"} & set(request.headers)
    assert through_page.headers["x-forwarded-prefix"] == "/api"
    assert "x-forwarded-prefix" not in direct.headers


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
AMBIGUOUS = {
    "length and chunks": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: 37\r\n\r\n",
    "list of lengths": b"Content-Length: 0, 37\r\n\r\n",
    "signed length": b"Content-Length: +37\r\n\r\n",
    "odd chunks": b"Transfer-Encoding: xchunked\r\n\r\n",
    "two codings": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "space before colon": b"Transfer-Encoding : chunked\r\nContent-Length: 0\r\n\r\n",
    "folded": b"Content-Length: 0\r\n X: y\r\nTransfer-Encoding:\r\n chunked\r\n\r\n",
    "chunk size with junk": b"Transfer-Encoding: chunked\r\n\r\n0xg\r\n\r\n",
    "chunk too long": b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n",
    "nul": b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("headers", AMBIGUOUS.values(), ids=AMBIGUOUS)
async def test_request_is_not_smuggled_when_its_length_is_ambiguous(
    plain: Nginx, headers: bytes
) -> None:
    """What the API sees as a request, Nginx has seen as one: its own rules apply to each."""
    start = b"POST /api/chat HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    async with backend(plain.backend) as api:
        await raw(plain.page, start + headers + SMUGGLED)
    assert [request.line for request in api.requests] in ([], ["POST /chat HTTP/1.1"])
    for request in api.requests:
        assert "transfer-encoding" not in request.headers


async def test_line_is_not_split_when_the_path_holds_encoded_line_breaks(plain: Nginx) -> None:
    """A path is written into the next request as one word."""
    path = b"/api/x%20HTTP/1.1%0d%0aX-Forwarded-For:%20198.51.100.1%0d%0a%0d%0aGET%20/smuggled"
    async with backend(plain.backend) as api:
        await raw(plain.page, b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert len(api.requests) == 1
    assert api.requests[0].line.count(" ") == 2
    assert api.requests[0].headers["x-forwarded-for"] == "127.0.0.1"


async def test_slow_clients_are_sent_away_while_others_are_served(plain: Nginx) -> None:
    """Three hundred connections that drip headers or bodies neither last nor get in the way."""
    head = b"POST /api/chat HTTP/1.1\r\nHost: a\r\n"
    starts = (head, head + b"Content-Length: 1000\r\n\r\nx")

    async def drip(number: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", plain.page)
        writer.write(starts[number % 2])
        try:
            return await asyncio.wait_for(reader.read(), 20)
        except ConnectionResetError:
            return b""
        finally:
            writer.close()

    async with backend(plain.backend) as api, aiohttp.ClientSession(plain.url) as session:
        slow = [asyncio.create_task(drip(number)) for number in range(300)]
        await asyncio.sleep(0)
        for _ in range(20):
            async with session.get("/api/health") as response:
                assert response.status == 200
        assert not any(task.done() and task.result() for task in slow)
        answers = await asyncio.gather(*slow)
    assert not any(b" 200 " in answer for answer in answers)
    assert {request.line for request in api.requests} == {"GET /health HTTP/1.1"}


async def test_body_is_refused_when_it_is_larger_than_the_apis_limit(plain: Nginx) -> None:
    """It does not reach the API; a file of conversations to import may be larger."""
    async with backend(plain.backend) as api, aiohttp.ClientSession(plain.url) as session:
        async with session.post("/api/chat", data=b"x" * 262_145) as response:
            assert response.status == 413
        assert not api.requests
        async with session.post("/api/conversations/import", data=b"x" * 262_145) as response:
            assert response.status == 200


async def test_flood_from_one_address_is_slowed_without_an_error(
    page: Path, tmp_path: Path
) -> None:
    """A burst that a class makes gets through; beyond that one address hears 429."""
    program()
    nginx = Nginx(tmp_path, page)
    nginx.starts(limit_req_zone="$binary_remote_addr zone=requests:1m rate=1r/s")
    try:
        async with backend(nginx.backend), aiohttp.ClientSession(nginx.url) as session:

            async def status() -> int:
                async with session.get("/api/health") as response:
                    return response.status

            class_of_thirty = await asyncio.gather(*(status() for _ in range(30)))
            flood = await asyncio.gather(*(status() for _ in range(400)))
    finally:
        nginx.stops()
    assert set(class_of_thirty) == {200}
    assert set(flood) == {200, 429}


async def test_connection_is_safe_when_https_is_on(secure: Nginx, trusting: ssl.SSLContext) -> None:
    """TLS 1.2 or later, HTTP/2, HSTS; plain HTTP leads to the public address only."""
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        await asyncio.open_connection("127.0.0.1", secure.tls, ssl=old)
    trusting.set_alpn_protocols(["h2"])
    _, writer = await asyncio.open_connection(
        "127.0.0.1", secure.tls, ssl=trusting, server_hostname="localhost"
    )
    assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
    writer.close()
    trusting.set_alpn_protocols(["http/1.1"])
    async with aiohttp.ClientSession() as session:
        async with session.get(f"https://localhost:{secure.tls}/", ssl=trusting) as response:
            assert response.headers["Strict-Transport-Security"] == "max-age=31536000"
        evil = {"Host": "evil.example"}
        asked = session.post(f"{secure.url}/api/chat?x=1", headers=evil, allow_redirects=False)
        async with asked as response:
            assert response.status == 308
            assert response.headers["Location"] == "https://chat.school.example/api/chat?x=1"


async def test_question_is_taken_by_another_process_when_one_is_being_stopped(
    secure: Nginx, trusting: ssl.SSLContext
) -> None:
    """While the API is replaced nobody is refused; where all refuse, the API's words arrive."""

    async def draining(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 503 X\r\nContent-Length: 8\r\nRetry-After: 1\r\n\r\ndraining")

    port = int(secure._environment["RESOLVER"].rpartition(":")[2])
    names = Names(["127.0.0.1", "127.0.0.2"])
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: names, ("127.0.0.1", port)
    )
    url = f"https://localhost:{secure.tls}/api/chat"
    async with (
        backend(secure.backend) as stopping,
        backend(secure.backend, "127.0.0.2") as staying,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting)) as session,
    ):
        stopping.handler = draining
        for _ in range(10):
            async with session.post(url, data=b"question") as response:
                assert response.status == 200
        assert {request.body for request in staying.requests} == {b"question"}
        assert stopping.requests
        await _believes_outer_proxies(staying, url, session)
        staying.handler = draining
        async with session.post(url, data=b"question") as response:
            assert (response.status, await response.read()) == (503, b"draining")
            assert response.headers["Retry-After"] == "1"
    transport.close()


async def _believes_outer_proxies(api: Backend, url: str, session: aiohttp.ClientSession) -> None:
    """Where proxies further out are named, the address that they saw is handed on, not invented."""
    chain = {"X-Forwarded-For": "198.51.100.9, 203.0.113.5, 10.1.2.3", "X-Forwarded-Proto": "http"}
    async with session.post(url, data=b"", headers=chain):
        pass
    assert api.requests[-1].headers["x-forwarded-for"] == "203.0.113.5"
    assert api.requests[-1].headers["x-forwarded-proto"] == "http"


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"ENABLE_HTTPS": "true"}, "SSL_CERT_PATH"),
        ({"ENABLE_HTTPS": "maybe"}, "true or false"),
    ],
)
def test_it_does_not_start_when_https_is_half_set_up(
    environment: dict[str, str], said: str, page: Path, tmp_path: Path
) -> None:
    """No plain HTTP where HTTPS was asked for; the message names the variable."""
    program()
    done = Nginx(tmp_path, page, **environment).checked()
    assert done.returncode == 1
    assert said in done.stderr.decode()


def test_policy_is_the_local_pages_when_nginx_serves_it() -> None:
    """The page works under the same rules wherever it comes from."""
    assert (
        Path("deploy/page/content-security-policy").read_text().strip() == CONTENT_SECURITY_POLICY
    )

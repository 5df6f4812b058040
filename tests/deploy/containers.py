"""The whole service in real containers: `make test-deploy`.

Not part of `make test`: it needs a Docker engine, and minutes. The tests build on each other, in
the order in which they stand here: first the stack of the original design, then the one for
production. What was seen goes into the operator's guide.
"""

import asyncio
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_network
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

from tests.deploy.conftest import image_sizes
from tests.deploy.docker_engine import STATE, Docker
from tests.deploy.report import Report
from tests.deploy.stack import ROOT, Stack

QUESTION = "Write a long story about a teacher and a piece of chalk."
API_IMAGE_MIB = 300
WATCH_SECONDS = 120  # it looks every 15 s


@pytest.fixture(scope="session")
def plain(docker: Docker, images: None, report: Report) -> Iterator[Stack]:
    """Start the stack of the original design; vLLM's image is a stand-in with our CPU engine."""
    settings = {"COMPOSE_PROFILES": "gpu", "ENGINE_RUNTIME": "runc", "VLLM_MEMORY": "4g"}
    stack = Stack(docker, "tiza-plain", "compose.yaml", **settings)
    try:
        seconds = stack.up()
        report.note(
            "`up` until the page is well", "`up` hasta que la página está bien", f"{seconds:.0f} s"
        )
        yield stack
    finally:
        stack.removed()


def test_api_image_is_small(docker: Docker, images: None) -> None:
    """No torch, no engine, no build tools: it is fetched in a moment."""
    assert image_sizes(docker, "api")[0] < API_IMAGE_MIB
    packages = docker("run", "--rm", "--entrypoint", "ls", "tiza/api:local", _SITE).split()
    assert not {"torch", "xllamacpp", "transformers", "pip", "babel"} & set(packages)


_SITE = "/opt/tiza/lib/python3.11/site-packages"


def test_each_part_starts_when_the_one_before_is_well(plain: Stack, report: Report) -> None:
    """The engine can answer before the API starts, and the API before the page."""
    ready, api = plain.seen("engine-ready"), plain.seen("chatbot-backend")
    page, engine = plain.seen("chatbot-frontend"), plain.seen("vllm-server")
    assert "the engine is well" in plain.docker("logs", plain.ids("engine-ready")[0])
    assert ready["State"]["ExitCode"] == 0
    first_well = next(c["End"] for c in api["State"]["Health"]["Log"] if c["ExitCode"] == 0)
    order = [engine["State"]["StartedAt"], ready["State"]["FinishedAt"], api["State"]["StartedAt"]]
    order += [_utc(plain, first_well), page["State"]["StartedAt"]]
    assert order == sorted(order)
    times = " → ".join(moment[11:19] for moment in order)
    report.note(
        "Start order: engine, engine well, API, API well, page",
        "Orden de arranque: motor, motor bien, API, API bien, página",
        times,
    )


def _utc(stack: Stack, moment: str) -> str:
    command = ["date", "--utc", "+%Y-%m-%dT%H:%M:%S.%NZ", "--date", moment]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_containers_can_do_little_when_somebody_gets_in(plain: Stack, report: Report) -> None:
    """No root, no capabilities, no writing to the image, bounded memory, and a restart."""
    for service in ("vllm-server", "chatbot-backend", "chatbot-frontend"):
        seen = plain.seen(service)
        host = seen["HostConfig"]
        assert seen["Config"]["User"] not in ("", "0", "root"), service
        assert (host["ReadonlyRootfs"], host["CapDrop"]) == (True, ["ALL"]), service
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        assert host["RestartPolicy"]["Name"] == "unless-stopped"
        assert host["Memory"] > 0
        assert host["PidsLimit"] > 0
        shell = ["sh", "-c", "id -u; touch /usr/x 2>/dev/null || echo refused; touch /tmp/x"]
        words = plain.docker("exec", plain.ids(service)[0], *shell).split()
        assert words[0] != "0"
        assert words[1:] == ["refused"]
    report.note(
        "Root, capabilities, writing to the image",
        "Root, capacidades, escribir en la imagen",
        "none · ninguno",
    )


async def test_answer_streams_through_nginx(plain: Stack, report: Report) -> None:
    """Its first words arrive while the last are not made yet."""
    url = f"http://127.0.0.1:{plain.page}"
    async with _client(url) as client, client.get("/") as page:
        assert "Content-Security-Policy" in page.headers
        started, moments, done = time.monotonic(), [], {}
        body = {"message": QUESTION, "stream": True, "max_tokens": 120, "temperature": 0}
        async with client.post("/api/chat", json=body) as response:
            assert response.headers["Content-Type"].startswith("text/event-stream")
            async for event in _events(response):
                if event.kind == "token":
                    moments.append(time.monotonic() - started)
                done = event.data
        whole = time.monotonic() - started
    assert done["completion_tokens"] > 20
    assert moments[0] < whole / 2
    assert len({round(moment, 2) for moment in moments}) > 10
    report.note(
        "Streamed answer through Nginx: first token, last",
        "Respuesta en flujo por Nginx: primer token, último",
        f"{moments[0]:.2f} s, {whole:.2f} s",
    )


async def test_prometheus_is_let_in_and_finds_every_part(plain: Stack, report: Report) -> None:
    """Though nobody has an account; the alerts are read, and what was answered is counted."""
    count = await _watched(plain, {"tiza": 1, "vllm": 1})
    report.note(
        "Prometheus (`open`): targets well, alert rules",
        "Prometheus (`open`): objetivos bien, reglas de alerta",
        f"2, {count}",
    )


async def _watched(stack: Stack, expected: Mapping[str, int]) -> int:
    """Start Prometheus, wait until it reads every target; return how many rules it has."""
    stack.compose("up", "-d", "--no-build", "prometheus")
    async with _client(f"http://127.0.0.1:{stack.monitor}") as client:

        async def told(path: str) -> Any:
            async with client.get(f"/api/v1/{path}") as response:
                return (await response.json())["data"]

        end = time.monotonic() + WATCH_SECONDS
        found: list[tuple[str, str]] = []
        rules: list[str] = []
        while _well(found) != expected or set(rules) != {"ok"}:
            assert time.monotonic() < end, f"{found} {rules}\n{stack.logs()}"
            await asyncio.sleep(1)
            with suppress(aiohttp.ClientError):  # it is starting
                targets = (await told("targets?state=active"))["activeTargets"]
                found = [(t["labels"]["job"], t["health"] + t["lastError"]) for t in targets]
                groups = (await told("rules"))["groups"]
                rules = [rule["health"] for group in groups for rule in group["rules"]]
        answered = (await told("query?query=sum(tiza_answers_total)"))["result"]
    assert float(answered[0]["value"][1]) > 0
    return len(rules)


def _well(targets: list[tuple[str, str]]) -> Counter[str]:
    return Counter(job for job, health in targets if health == "up")


async def test_documentation_opens_under_the_prefix(plain: Stack) -> None:
    """Swagger's page, its script and its document all come through `/api`."""
    async with _client(f"http://127.0.0.1:{plain.page}") as client:
        async with client.get("/api/docs") as page:
            text = await page.text()
        for path in re.findall(r'(?:src|href|url)\s*[=:]\s*["\'](/[^"\']+)', text):
            async with client.get(path) as part:
                assert part.status == 200, path


def test_engine_is_closed_when_one_comes_from_outside(plain: Stack, report: Report) -> None:
    """Its port is on loopback and wants a key; other networks reach neither it nor the API."""
    docker = plain.docker
    subnet = docker("network", "inspect", "bridge", "-f", "{{(index .IPAM.Config 0).Subnet}}")
    gateway = ip_network(subnet)[1]
    networks = plain.seen("vllm-server")["NetworkSettings"]["Networks"]
    inside = next(iter(networks.values()))["IPAddress"]
    with socket.create_connection(("127.0.0.1", plain.engine), 5):
        pass
    for address, port in ((gateway, plain.engine), (gateway, plain.page), (inside, 8000)):
        code = f"import socket; socket.create_connection(('{address}', {port}), 3)"
        tried = ["docker", "run", "--rm", "--entrypoint", "python", "tiza/api:local", "-c", code]
        done = subprocess.run(tried, env=docker.environment, capture_output=True, check=False)
        assert done.returncode == 1, f"{address}:{port} is open"
        assert b"refused" in done.stderr or b"timed out" in done.stderr
    report.note(
        "Engine's port from another network", "Puerto del motor desde otra red", "closed · cerrado"
    )


async def test_engine_comes_back_when_it_is_killed(plain: Stack, report: Report) -> None:
    """Docker starts it again; meanwhile the API says so, and serves again without a restart."""
    pid = plain.seen("vllm-server")["State"]["Pid"]
    api_started = plain.seen("chatbot-backend")["State"]["StartedAt"]
    async with _client(f"http://127.0.0.1:{plain.page}") as client:
        os.kill(pid, signal.SIGKILL)
        started = time.monotonic()
        seen: list[int] = []
        while not seen or seen[-1] != 200:
            async with client.get("/api/health") as response:
                seen.append(response.status)
            assert time.monotonic() < started + 120, seen[-5:]
            await asyncio.sleep(0.05)
            if seen == [200]:  # not noticed yet
                seen.clear()
        seconds = time.monotonic() - started
        assert 503 in seen
        async with client.post("/api/chat", json={"message": "Hi", "max_tokens": 5}) as response:
            assert response.status == 200
    assert plain.seen("vllm-server")["RestartCount"] == 1
    assert plain.seen("chatbot-backend")["State"]["StartedAt"] == api_started
    report.note(
        "Engine killed: until it answers again",
        "Motor matado: hasta que responde otra vez",
        f"{seconds:.1f} s",
    )


async def test_conversations_survive_when_the_stack_goes_down_and_up(
    plain: Stack, report: Report
) -> None:
    """What is kept is in volumes, not in containers."""
    jar = aiohttp.CookieJar(unsafe=True)
    url = f"http://127.0.0.1:{plain.page}"
    begin: dict[str, Any] = {"json": {"title": "Kept"}}
    async with _client(url, jar) as client, client.post("/api/conversations", **begin) as response:
        assert response.status == 201, await response.text()
        kept = (await response.json())["id"]
    plain.compose("down", "--timeout", 20)
    seconds = plain.up()
    async with _client(url, jar) as client, client.get(f"/api/conversations/{kept}") as response:
        assert response.status == 200
        assert (await response.json())["title"] == "Kept"
    report.note(
        "Conversations after `down` and `up`",
        "Conversaciones tras `down` y `up`",
        f"✓ ({seconds:.0f} s)",
    )
    plain.removed()


@pytest.fixture(scope="session")
def production(docker: Docker, images: None, report: Report) -> Iterator[Stack]:
    """Start the stack for production: TLS, accounts, PostgreSQL, Redis, three API containers."""
    stack = Stack(
        docker,
        "tiza-production",
        *("compose.yaml", "compose.production.yaml"),
        COMPOSE_PROFILES="cpu,postgres,redis",
        NETWORK_PREFIX="172.28.214",
        MODEL_PATH="",
        SECRET_KEY="f0e1d2c3b4a5968778695a4b3c2d1e0f",
        POSTGRES_PASSWORD="9f8e7d6c5b4a",
        REDIS_PASSWORD="a4b5c6d7e8f9",
        PUBLIC_URL="https://localhost",
        WORKERS="1",
        MAX_REQUESTS="0",
        SSL_CERT_PATH=str(_certificate()[0]),
        SSL_KEY_PATH=str(_certificate()[1]),
    )
    try:
        seconds = stack.up("--scale", "chatbot-backend=3")
        stack.wait(lambda: stack.is_healthy("chatbot-backend", 3), "not every API is well")
        report.note(
            "Production: `up` with three API containers",
            "Producción: `up` con tres contenedores de la API",
            f"{seconds:.0f} s",
        )
        yield stack
    finally:
        stack.removed()


def _certificate() -> tuple[Path, Path]:
    certificate, key = STATE / "certificate.pem", STATE / "key.pem"
    if not key.exists():
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30"]
        command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        command += ["-keyout", str(key), "-out", str(certificate)]
        subprocess.run(command, check=True, capture_output=True)
        key.chmod(0o644)  # user 101 of the container reads it
    return certificate, key


@pytest.fixture(scope="session")
def key(production: Stack) -> str:
    """Become the administrator by the link in the log, and make an API key."""
    return asyncio.run(_first_key(production))


async def _first_key(production: Stack) -> str:
    logs = production.compose("logs", "--no-color", "chatbot-backend")
    token = re.findall(r"#invitation=([\w.-]+)", logs)[-1]
    async with _safe(production) as client:
        join = {"token": token, "name": "operator", "password": "chalk on a green board 47"}
        async with client.post("/api/auth/join", json=join) as response:
            assert response.status == 200, await response.text()
            cookie = response.headers["Set-Cookie"]
            assert cookie.startswith("__Host-")
            assert "Secure" in cookie
            assert "HttpOnly" in cookie
        wanted = {"name": "test", "scopes": ["chat", "conversations", "stats"]}
        async with client.post("/api/me/keys", json=wanted) as response:
            assert response.status == 201, await response.text()
            return str((await response.json())["key"])


async def test_production_is_behind_tls_and_accounts(
    production: Stack, key: str, report: Report
) -> None:
    """Plain HTTP leads to HTTPS; without an account nobody asks; the stores are not published."""
    plain_http = f"http://127.0.0.1:{production.page}/x"
    async with (
        _safe(production) as client,
        client.get(plain_http, allow_redirects=False) as redirected,
        client.post("/api/chat", json={"message": "Hi"}) as refused,
    ):
        assert redirected.status == 308
        assert redirected.headers["Location"] == "https://localhost/x"
        assert refused.status == 401
        assert "Strict-Transport-Security" in refused.headers
    for store in ("postgres", "redis"):
        assert not any(production.seen(store)["NetworkSettings"]["Ports"].values())
    raw = socket.create_connection(("127.0.0.1", production.tls), 10)
    with _trusting().wrap_socket(raw, server_hostname="localhost") as connection:
        report.note("Production: HTTPS", "Producción: HTTPS", str(connection.version()))


async def test_reader_goes_on_at_another_process_when_the_line_was_cut(
    production: Stack, key: str, report: Report
) -> None:
    """Whichever process it comes to, a reader gets every event that it has not seen, once."""
    body: dict[str, Any] = {"message": QUESTION, "stream": True, "max_tokens": 150}
    headers = {"Authorization": f"Bearer {key}"}
    texts, last, stream, cuts = [], "", "", 0
    done: dict[str, Any] = {}
    async with _safe(production) as client:
        async with client.post("/api/conversations", json={}, headers=headers) as response:
            body["conversation_id"] = (await response.json())["id"]
        async with client.post("/api/chat", json=body, headers=headers) as response:
            assert response.status == 200, await response.text()
            async for event in _events(response):
                last = event.id
                if event.kind == "start":
                    stream = event.data["stream_id"]
                elif event.kind == "token":
                    texts.append(event.data["text"])
                if len(texts) == 3:
                    break
            response.close()
        while not done:
            cuts += 1
            again = headers | {"Last-Event-ID": last}
            async with client.get(f"/api/streams/{stream}", headers=again) as response:
                assert response.status == 200, await response.text()
                read = 0
                async for event in _events(response):
                    last = event.id
                    if event.kind == "token":
                        texts.append(event.data["text"])
                        read += 1
                    elif event.kind == "done":
                        done = event.data
                    if read == 8 and cuts < 12:
                        break
                response.close()
    assert "".join(texts) == done["response"]
    lines = [json.loads(line) for line in _access_log(production) if f"/streams/{stream}" in line]
    served = {line["upstream"] for line in lines}
    assert len(served) > 1, lines
    report.note(
        "Stream cut and continued: times, API processes that served it",
        "Flujo cortado y continuado: veces, procesos de la API que lo sirvieron",
        f"{cuts}, {len(served)}",
    )


async def test_prometheus_finds_every_process_when_there_are_several(
    production: Stack, key: str, report: Report
) -> None:
    """Each container of the API by the service's name, with accounts as without."""
    await _watched(production, {"tiza": 3, "vllm": 1})
    report.note(
        "Prometheus (`accounts`): targets well", "Prometheus (`accounts`): objetivos bien", "4"
    )


async def test_no_request_fails_when_the_api_is_rolled(
    production: Stack, key: str, report: Report
) -> None:
    """Every container of the API is replaced under load, and nobody notices."""
    before = set(production.ids("chatbot-backend"))
    statuses: list[int] = []
    rolled = asyncio.Event()
    headers = {"Authorization": f"Bearer {key}"}

    async def load(number: int) -> None:
        async with _safe(production) as client:
            while not rolled.is_set():
                body = {
                    "message": f"What is {number}?",
                    "max_tokens": 8,
                    "stream": bool(number % 2),
                }
                async with client.post("/api/chat", json=body, headers=headers) as response:
                    text = await response.text()
                    ended = response.status == 200 and ("event: error" not in text)
                    statuses.append(200 if ended else response.status or 1)
                    if not ended:
                        statuses.append(599)

    loads = [asyncio.create_task(load(number)) for number in range(4)]
    environment = production.environment | {"COMPOSE": " ".join(production.words)}
    started = time.monotonic()
    rolling = await asyncio.create_subprocess_exec(
        *("sh", str(ROOT / "deploy" / "roll.sh")),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await rolling.communicate()
    seconds = time.monotonic() - started
    rolled.set()
    await asyncio.gather(*loads)
    assert rolling.returncode == 0, said.decode()
    assert not before & set(production.ids("chatbot-backend"))
    assert len(production.ids("chatbot-backend")) == 3
    assert set(statuses) == {200}, statuses
    report.note(
        "API rolled (three containers) under load: requests, failed, time",
        "API renovada (tres contenedores) con carga: peticiones, fallidas, tiempo",
        f"{len(statuses)}, 0, {seconds:.0f} s",
    )


def _access_log(stack: Stack) -> list[str]:
    return [
        line
        for line in stack.docker("logs", stack.ids("chatbot-frontend")[0]).splitlines()
        if line.startswith("{")
    ]


@asynccontextmanager
async def _client(
    url: str, jar: aiohttp.CookieJar | None = None, **more: Any
) -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(300)
    async with aiohttp.ClientSession(url, cookie_jar=jar, timeout=timeout, **more) as session:
        yield session


def _trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(_certificate()[0]))


@asynccontextmanager
async def _safe(stack: Stack) -> AsyncIterator[aiohttp.ClientSession]:
    jar = aiohttp.CookieJar(unsafe=True)
    connector = aiohttp.TCPConnector(ssl=_trusting())
    async with _client(f"https://localhost:{stack.tls}", jar, connector=connector) as session:
        yield session


class Event(NamedTuple):
    """One server-sent event."""

    kind: str
    data: dict[str, Any]
    id: str


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[Event]:
    fields: dict[str, str] = {}
    async for raw in response.content:
        line = raw.decode().rstrip("\r\n")
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
        elif "event" in fields:
            yield Event(fields["event"], json.loads(fields["data"]), fields.get("id", ""))
            fields = {}

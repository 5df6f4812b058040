"""Each entry of the operator's table of troubles, brought about in containers: `make test-deploy`.

What one sees has to be what the guide says one sees, in both languages.
"""

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from tests.conftest import free_port
from tests.deploy.docker_engine import STATE, Docker
from tests.deploy.report import GUIDES, Report
from tests.deploy.stack import Stack

NETWORK = "172.28.216"
QUICK = {"ENGINE_START_SECONDS": "5", "NETWORK_PREFIX": NETWORK, "COMPOSE_PROFILES": "cpu"}


@pytest.fixture(scope="module", autouse=True)
def _noted(request: pytest.FixtureRequest, images: None, report: Report) -> None:
    """Have the images built, and the troubles counted."""
    count = sum(item.path == request.path for item in request.session.items)
    en = "Troubles of the table above brought about, seen as it says"
    es = "Problemas de la tabla de arriba provocados, vistos como dice"
    report.note(en, es, str(count))


@contextmanager
def trouble(docker: Docker, *files: str, **settings: str) -> Iterator[Stack]:
    """Prepare a stack of its own; it is taken away again, and what it wrote with it."""
    stack = Stack(docker, "tiza-trouble", "compose.yaml", *files, **(QUICK | settings))
    try:
        yield stack
    finally:
        stack.removed()


@pytest.fixture(scope="module")
def well(docker: Docker, images: None) -> Iterator[Stack]:
    """Start a stack to which things then happen."""
    with trouble(docker, ENGINE_START_SECONDS="120", MODEL_PATH="") as stack:
        stack.up()
        yield stack


def said_of(stack: Stack, *words: object) -> str:
    """Run docker-compose where it has to fail; return what it says."""
    with pytest.raises(AssertionError) as caught:
        stack.compose(*words)
    return str(caught.value)


def is_in_guides(*signs: str) -> None:
    """Make sure that the table shows the operator these signs."""
    for path in GUIDES.values():
        table = path.read_text("utf-8")
        assert [sign for sign in signs if sign not in table] == [], path


def asked(
    stack: Stack, path: str, body: Mapping[str, Any] | None = None, client: str = ""
) -> tuple[int, str]:
    """Ask through the page's address."""
    data = json.dumps(body).encode() if body is not None else None
    headers = {"Content-Type": "application/json"} | ({"X-Forwarded-For": client} if client else {})
    request = urllib.request.Request(f"http://127.0.0.1:{stack.page}{path}", data, headers)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as exc:
        return exc.code, exc.read().decode()


def test_secret_is_asked_for_when_it_is_empty(docker: Docker) -> None:
    """With the command that makes one."""
    sign = 'make one with "openssl rand -hex 32"'
    with trouble(docker) as stack:
        environment = stack.folder / "env"
        whole = environment.read_text()
        environment.write_text(whole.replace(stack.settings["VLLM_API_KEY"], ""))
        assert sign in said_of(stack, "up", "-d")
        environment.write_text(whole)
    is_in_guides(sign)


def test_engine_is_missed_when_no_profile_names_one(docker: Docker) -> None:
    """The start ends and says so, instead of waiting for ever."""
    sign = "there is no engine"
    with trouble(docker, COMPOSE_PROFILES="", ENGINE_START_SECONDS="60") as stack:
        said_of(stack, "up", "-d", "--no-build")
        assert sign in stack.logs()
    is_in_guides(sign)


def test_runtime_is_missed_when_the_container_toolkit_is_not_set_up(docker: Docker) -> None:
    """Docker 20.10 says it in other words than later ones; the guide has both."""
    signs = ("Unknown runtime specified nvidia", "unknown or invalid runtime name: nvidia")
    with trouble(docker, COMPOSE_PROFILES="gpu") as stack:
        said = said_of(stack, "up", "-d", "--no-build")
        assert any(sign in said for sign in signs)
    is_in_guides(*signs)


def test_engine_is_killed_again_and_again_when_its_memory_is_too_small(docker: Docker) -> None:
    """Nothing stands in its log: the number of its end tells."""
    sign = "Restarting (137)"
    with trouble(docker, ENGINE_CPU_MEMORY="96m", MODEL_PATH="") as stack:
        said_of(stack, "up", "-d", "--no-build")
        shown = ("ps", "--all", "--format", "{{.Status}}", "--filter", "name=vllm-server-cpu")
        stack.wait(lambda: sign in docker(*shown), "no sign of it")
    is_in_guides(sign)


@pytest.mark.parametrize("missing", [True, False])
def test_model_is_not_found_when_it_is_missing_or_not_readable(
    missing: bool, docker: Docker
) -> None:
    """In the engine's log, with the place where it was looked for."""
    sign = "There is no model at"
    name = "nowhere" if missing else "samples_0"
    with trouble(docker, MODEL_PATH=name) as stack:
        (stack.folder / "models").chmod(0o755 if missing else 0o700)
        said_of(stack, "up", "-d", "--no-build")
        assert sign in stack.compose("logs", "--no-color", "vllm-server-cpu")
    is_in_guides(sign, "chmod -R a+rX models")


def test_start_ends_when_the_engines_address_is_not_one_inside(docker: Docker) -> None:
    """On 127.0.0.1 each container finds itself."""
    sign = "no engine was well within"
    with trouble(docker, VLLM_API_URL="http://127.0.0.1:8080") as stack:
        said_of(stack, "up", "-d", "--no-build")
        assert sign in stack.compose("logs", "--no-color", "engine-ready")
    is_in_guides(sign)


def test_api_does_not_start_when_everybody_would_be_let_in(docker: Docker) -> None:
    """Published to others without accounts: the API names the way out."""
    signs = ("HOST", "AUTH_MODE")
    with trouble(docker, PUBLISH_ON="0.0.0.0") as stack:  # noqa: S104  # refused
        stack.compose("up", "-d", "--no-build", "--no-deps", "chatbot-backend")
        stack.wait(lambda: stack.seen("chatbot-backend")["RestartCount"] > 0, "it started")
        logs = stack.compose("logs", "--no-color", "chatbot-backend")
        assert all(sign in logs for sign in signs)
        assert "which others can reach, while AUTH_MODE is open" in logs
    is_in_guides("which others can reach, while AUTH_MODE is open")


def test_page_does_not_start_when_its_key_is_not_readable(docker: Docker) -> None:
    """The sentence has the number of the user who has to be given the right."""
    sign = "is no file that user 101 may read"
    certificate = STATE / "unreadable.pem"
    certificate.write_text("no certificate")
    certificate.chmod(0o600)
    settings = {
        "SECRET_KEY": "f0e1d2c3b4a5968778695a4b3c2d1e0f",
        "POSTGRES_PASSWORD": "9f8e7d6c5b4a",
        "REDIS_PASSWORD": "a4b5c6d7e8f9",
        "PUBLIC_URL": "https://localhost",
        "SSL_CERT_PATH": str(certificate),
        "SSL_KEY_PATH": str(certificate),
    }
    with trouble(docker, "compose.production.yaml", **settings) as stack:
        stack.compose("up", "-d", "--no-build", "--no-deps", "chatbot-frontend")
        stack.wait(lambda: stack.seen("chatbot-frontend")["RestartCount"] > 0, "it started")
        assert sign in stack.compose("logs", "--no-color", "chatbot-frontend")
    is_in_guides(sign)


def test_network_is_refused_when_it_is_taken(docker: Docker) -> None:
    """By whatever other project."""
    sign = "Pool overlaps with other one on this address space"
    docker("network", "create", "--subnet", f"{NETWORK}.0/24", "tiza-taken")
    try:
        with trouble(docker) as stack:
            assert sign in said_of(stack, "up", "-d", "--no-build", "--no-deps", "engine-ready")
    finally:
        docker("network", "rm", "tiza-taken")
    is_in_guides(sign)


@pytest.mark.parametrize("by_container", [True, False])
def test_port_is_refused_when_it_is_taken(by_container: bool, docker: Docker) -> None:
    """By another container, or by another program."""
    signs = ("port is already allocated", "address already in use")
    words = ("up", "-d", "--no-build", "--no-deps", "chatbot-frontend")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = free_port() if by_container else taken.getsockname()[1]
        taken.listen()
        other = ["run", "--detach", "--publish", f"127.0.0.1:{port}:80", "--entrypoint", "sleep"]
        holder = docker(*other, "tiza/api:local", "600") if by_container else ""
        try:
            with trouble(docker, FRONTEND_PORT=str(port)) as stack:
                assert signs[0 if by_container else 1] in said_of(stack, *words)
        finally:
            if holder:
                docker("rm", "--force", holder)
    is_in_guides(*signs)


def test_people_are_told_apart_when_the_proxy_in_front_is_named(well: Stack) -> None:
    """Else all of them are one client, and together have one client's questions."""
    body = {"message": "Hi", "max_tokens": 1}
    changed = {"MAX_REQUESTS": "1"}
    with other_settings(well, changed, "chatbot-backend"):
        well.wait(lambda: asked(well, "/api/health")[0] == 200, "the API is not back")
        answers = [asked(well, "/api/chat", body, f"203.0.113.{n}")[0] for n in (1, 2)]
        assert answers == [200, 429]
        named = {"OUTER_PROXIES": f"{NETWORK}.0/24"}
        with other_settings(well, changed | named, "chatbot-frontend"):
            well.wait(lambda: well.is_healthy("chatbot-frontend"), "the page is not back")
            answers = [asked(well, "/api/chat", body, f"203.0.113.{n}")[0] for n in (3, 4)]
            assert answers == [200, 200]
    is_in_guides("429", "OUTER_PROXIES")


def test_engine_refuses_when_the_keys_differ(well: Stack) -> None:
    """The page says that the engine answered nonsense; the log has the reason."""
    with other_settings(well, {"VLLM_API_KEY": "fedcba9876543210" * 2}, "chatbot-backend"):
        well.wait(lambda: asked(well, "/api/health/ready")[0] == 200, "the API is not back")
        status, text = asked(well, "/api/chat", {"message": "Hi"})
        assert (status, json.loads(text)["code"]) == (502, "engine_error")
        assert "401" in well.compose("logs", "--no-color", "chatbot-backend")
    is_in_guides("engine_error")


def test_engine_is_unreachable_when_it_has_ended(well: Stack) -> None:
    """Health says so, while the page goes on being served."""
    well.compose("stop", "--timeout", "5", "vllm-server-cpu")
    try:
        status, text = asked(well, "/api/health")
        assert (status, json.loads(text)["vllm"]) == (503, "unreachable")
        assert asked(well, "/")[0] == 200
    finally:
        well.compose("start", "vllm-server-cpu")
    well.wait(lambda: asked(well, "/api/health")[0] == 200, "the engine is not back")
    is_in_guides('"vllm": "unreachable"')


def test_page_has_nobody_to_ask_when_the_api_is_not_there(well: Stack) -> None:
    """Nginx says so itself: 504 while it still knows an address where nobody is, then 502."""
    well.compose("stop", "chatbot-backend")
    try:
        assert asked(well, "/api/health")[0] in {502, 504}
        well.wait(lambda: asked(well, "/api/health")[0] == 502, "the address is not forgotten")
    finally:
        well.compose("start", "chatbot-backend")
    is_in_guides("502, ", " 504 ")


@contextmanager
def other_settings(stack: Stack, changed: Mapping[str, str], service: str) -> Iterator[None]:
    """Make one service anew with other settings, and afterwards with its own."""
    path = stack.folder / "env"
    before = path.read_text()
    lines = [f"{key}={value}" for key, value in {**stack.settings, **changed}.items()]
    again = ("up", "-d", "--no-build", "--no-deps", service)
    path.write_text("\n".join(lines) + "\n")
    try:
        stack.compose(*again)
        yield
    finally:
        path.write_text(before)
        stack.compose(*again)

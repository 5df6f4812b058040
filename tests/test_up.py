"""`tiza up`, as a person starts it: real engine, real API, real page, real crashes."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from http.client import HTTPConnection
from pathlib import Path

import pytest

import tiza
from tests.engines.processes import (
    DEADLINE,
    TIZA,
    Program,
    Reply,
    alive,
    answers,
    ask,
    clean_environment,
    finish,
    free_port,
    listener,
    wait_for,
)
from tiza.models.find import SHIPPED_NAME

UP = [*TIZA, "up"]
ENGINE, API = "tiza.engines.llama_cpp", "tiza.api"
CHECKOUT = Path(tiza.__file__).parents[2]
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
SMALL = {"VLLM_MAX_MODEL_LEN": 1024, "LLAMA_SLOTS": 2}
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}


class Stack(Program):
    """A running `tiza up` on ports of its own."""

    def __init__(self, folder: Path, *flags: str, **settings: object) -> None:
        self.port, self.engine_port = free_port(), free_port()
        ports = {"PORT": self.port, "VLLM_PORT": self.engine_port}
        environment = clean_environment(**{**SMALL, **ports, **settings})
        super().__init__([*UP, *flags], folder, environment)

    def is_up(self) -> None:
        """Wait for the last line of the start."""
        self.says("Ctrl-C stops everything")
        self.record()

    def get(self, path: str, headers: dict[str, str] | None = None) -> Reply:
        """Ask the page's address."""
        return ask(self.port, path, headers=headers)

    def ctrl_c(self) -> None:
        """Press Ctrl-C as a terminal does: the whole foreground group is told."""
        self.record()
        os.killpg(self.pid, signal.SIGINT)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for the tests that leave it as they found it."""
    with Stack(tmp_path_factory.mktemp("stack")) as stack:
        stack.is_up()
        yield stack


def test_up_tells_each_step_when_it_is_done(stack: Stack) -> None:
    """Engine, API, page: one line each, in this order, the last with the address to open."""
    steps = [line.split() for line in stack.lines if line.startswith("✓")]

    assert [words[1] for words in steps] == ["Engine", "API", "Page"]
    assert SHIPPED_NAME in steps[0]
    assert f"http://127.0.0.1:{stack.port}/docs" in steps[1]
    assert steps[2][2] == f"http://127.0.0.1:{stack.port}"


def test_root_answers_by_what_is_accepted_when_it_is_asked(stack: Stack) -> None:
    """A browser gets the page, a program the contract's JSON, both at the same address."""
    page, document = stack.get("/", BROWSER), stack.get("/")

    assert page.status == 200
    assert page.headers["content-type"] == TYPES[".html"]
    assert page.content.lower().startswith(b"<!doctype html>")
    assert document.json == {
        "message": "Educational Chatbot API",
        "version": "1.0.0",
        "vllm_status": "connected",
    }
    assert stack.get("/api/", BROWSER).json == document.json


def test_api_answers_under_its_prefix_when_the_page_asks(stack: Stack) -> None:
    """`/api` is taken away, as Nginx does in production."""
    health = stack.get("/api/health")
    models = stack.get("/api/models")
    answer = ask(stack.port, "/api/chat", {"message": "What is water?", "max_tokens": 4})

    assert (health.status, health.json["status"], health.json["vllm"]) == (200, "healthy", "ok")
    assert models.json == {"models": [SHIPPED_NAME], "active_model": SHIPPED_NAME}
    assert answer.json["model"] == SHIPPED_NAME
    assert answer.json["response"]


class References(HTMLParser):
    """Collects what a page loads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the addresses of scripts, styles, icons, images."""
        if tag in ("script", "link", "img"):
            self.found += [value for name, value in attrs if name in ("src", "href") and value]


def test_page_is_served_whole_when_a_browser_loads_it(stack: Stack) -> None:
    """Everything that index.html names is there, with its type and the page's headers."""
    references = References(stack.get("/", BROWSER).content.decode()).found
    assert len(references) > 3

    for name in [*references, "i18n/en.json", "i18n/es.json", "vendor/marked.js"]:
        reply = stack.get(f"/{name.removeprefix('./')}")
        assert (name, reply.status) == (name, 200)
        kind = reply.headers["content-type"].replace("application/javascript", "text/javascript")
        assert kind == TYPES[Path(name).suffix], name
        assert reply.headers["x-content-type-options"] == "nosniff"


def test_page_allows_nothing_from_elsewhere_when_it_is_served(stack: Stack) -> None:
    """The content security policy names this origin only, and keeps the page out of frames."""
    policy = stack.get("/", BROWSER).headers["content-security-policy"]

    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert rules["frame-ancestors"] == "'none'"
    assert "http" not in policy
    assert "unsafe" not in policy


def test_docs_load_nothing_from_elsewhere_when_there_is_no_network(stack: Stack) -> None:
    """Swagger and ReDoc come whole from this address, also under `/api`."""
    for path in ("/api/docs", "/api/redoc", "/docs", "/redoc"):
        page = stack.get(path, BROWSER)
        assert (path, page.status) == (path, 200)
        references = References(page.content.decode()).found
        assert references
        for reference in references:
            assert reference.startswith("/"), reference
            assert (reference, stack.get(reference).status) == (reference, 200)


@pytest.mark.parametrize(
    "path",
    [
        "/vendor/marked.d.ts",
        "/vendor/",
        "/js",
        "/web/index.html",
        "/../pyproject.toml",
        "/js/../../pyproject.toml",
        "/%2e%2e/pyproject.toml",
        "/..%2fpyproject.toml",
        "/js/..%2f..%2fpyproject.toml",
        "/..%5cpyproject.toml",
        "//etc/passwd",
        "/%00",
        "/api/../index.html",
        "/api/api/health",
    ],
)
def test_nothing_else_is_served_when_the_path_is_made_up(stack: Stack, path: str) -> None:
    """Types, folders and whatever lies outside the page's folder are not found."""
    reply = stack.get(path, BROWSER)

    assert reply.status == 404
    assert reply.json["code"] == "not_found"


def test_engine_refuses_when_it_is_asked_past_the_api(stack: Stack) -> None:
    """`tiza up` makes a key for every start, and shows it to nobody."""
    question = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}
    assert ask(stack.engine_port, "/v1/chat/completions", question).status == 401

    key = stack.part(ENGINE).environ()["VLLM_API_KEY"]

    assert len(key) >= 32
    assert stack.part(API).environ()["VLLM_API_KEY"] == key
    assert key not in stack.text
    for process in alive(stack.record()):
        assert key not in " ".join(process.cmdline())


def test_health_tells_the_truth_when_the_engine_is_killed(stack: Stack) -> None:
    """Degraded while the engine is away, healthy when it is back; the API never stops."""
    engine, api = stack.part(ENGINE), stack.part(API)

    engine.kill()

    away = wait_for(lambda: reply if (reply := stack.get("/health")).status == 503 else None)
    assert (away.json["status"], away.json["vllm"]) == ("degraded", "unreachable")
    assert stack.get("/").json["vllm_status"] == "disconnected"
    assert stack.get("/health/live").status == 200
    wait_for(lambda: stack.get("/health").status == 200)
    assert stack.part(ENGINE).pid != engine.pid
    assert alive([api])
    assert ask(stack.port, "/chat", {"message": "Hello", "max_tokens": 2}).json["response"]
    stack.says(r"^engine: ended .*SIGKILL")
    stack.says(r"^engine: running again")


def test_api_comes_back_when_it_is_killed(stack: Stack) -> None:
    """The API is started again on the same port; the engine does not notice."""
    engine, api = stack.part(ENGINE), stack.part(API)

    api.kill()

    stack.says(r"^API: ended .*SIGKILL")
    stack.says(r"^API: running again")
    assert stack.get("/health").status == 200
    assert alive([engine])


def test_up_refuses_when_another_one_runs_on_the_ports(stack: Stack, tmp_path: Path) -> None:
    """A second start does not disturb the first."""
    settings = {"PORT": stack.port, "VLLM_PORT": stack.engine_port}

    done = finish(UP, tmp_path, clean_environment(**settings))

    assert done.returncode == 1
    assert f"Port {stack.port} " in done.stderr
    assert stack.get("/health").status == 200


@contextlib.contextmanager
def question(port: int, max_tokens: int) -> Iterator[Iterator[tuple[str, dict[str, str]]]]:
    """Ask for a stream and yield an iterator over its events."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    body = {"message": "Tell me about water.", "max_tokens": max_tokens, "stream": True}

    def events() -> Iterator[tuple[str, dict[str, str]]]:
        kind = ""
        for line in answer:
            name, _, value = line.decode().strip().partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                yield kind, json.loads(value)

    with contextlib.closing(connection):
        connection.request(
            "POST", "/api/chat", json.dumps(body), {"Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        yield events()


def test_up_finishes_the_answer_when_ctrl_c_comes_in_its_middle(tmp_path: Path) -> None:
    """A running stream ends whole, then nothing is left, and that is a success."""
    with Stack(tmp_path, DRAIN_SECONDS=DEADLINE) as stack:
        stack.is_up()
        with question(stack.port, 32) as events:
            assert next(events)[0] == "start"
            first = next(events)

            stack.ctrl_c()
            received = [first, *events]

        assert stack.ends() == 0
        assert not alive([*stack.seen.values()])

    *tokens, (kind, done) = received
    assert kind == "done"
    assert {kind for kind, _ in tokens} == {"token"}
    assert "".join(data["text"] for _, data in tokens) == done["response"]
    assert "Traceback" not in stack.text
    assert stack.text.count("Stopping") == 1


def test_up_cuts_the_answer_when_ctrl_c_is_pressed_twice(tmp_path: Path) -> None:
    """Who is in a hurry waits for no answer; nothing is left then either.

    Told on a terminal that lacks our signs: that is no reason for a traceback.
    """
    with Stack(tmp_path, PYTHONIOENCODING="ascii") as stack:
        stack.is_up()
        assert stack.lines[0].startswith("? Engine")
        with question(stack.port, 1000) as events:
            assert next(events)[0] == "start"
            stack.ctrl_c()
            stack.says("Stopping")
            assert alive([stack.part(API)])

            stack.ctrl_c()

            assert stack.ends(10) == 130
            stack.leaves_nothing()
    assert "Traceback" not in stack.text


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Copy the package and the page, to change them as a developer does."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(CHECKOUT / "src", tmp_path / "src", ignore=ignored)
    shutil.copytree(CHECKOUT / "web", tmp_path / "web")
    return tmp_path / "src"


def test_reload_restarts_the_api_when_the_code_changes_and_only_then(
    sources: Path, tmp_path: Path
) -> None:
    """A broken change is told and mended by the next; other files do not matter.

    Killed at the end without a chance to clean up: nothing is left.
    """
    version = sources / "tiza" / "api" / "__init__.py"
    with Stack(tmp_path, "--reload", PYTHONPATH=sources) as stack:
        stack.is_up()
        engine, first = stack.part(ENGINE), stack.part(API)
        assert first.cwd() == str(tmp_path)

        (sources / "tiza" / "notes.txt").write_text("not code")
        with contextlib.suppress(AssertionError):
            wait_for(lambda: "code has changed" in stack.text, deadline=1)
            pytest.fail("a text file restarted the API")
        whole = version.read_text()
        version.write_text("this is no Python")
        stack.says("did not start: .*")
        assert stack.text.count("code has changed") == 1
        version.write_text(whole)
        stack.says("API: running again")
        assert answers(stack.port)

        assert stack.text.count("code has changed") == 2
        assert stack.part(API).pid != first.pid
        assert alive([engine])
        stack.part(API).kill()  # it is watched again
        stack.says("API: running again", times=2)

        stack.record()
        stack.process.kill()
        stack.leaves_nothing()


def refused(folder: Path, **settings: object) -> subprocess.CompletedProcess[str]:
    """Run `tiza up`, which must end in one clear sentence and status 1."""
    done = finish(UP, folder, clean_environment(**settings))
    assert done.returncode == 1, done
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.parametrize("variable", ["PORT", "VLLM_PORT"])
def test_up_names_the_variable_when_a_port_is_taken(variable: str, tmp_path: Path) -> None:
    """The sentence says which of the two ports to change; nothing was started or written."""
    with listener() as taken:
        settings = {"PORT": free_port(), "VLLM_PORT": free_port(), variable: taken}
        done = refused(tmp_path, **settings)

    assert len(done.stderr.splitlines()) == 1
    assert f" {variable}={taken + 1}" in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "var").exists()


def test_up_refuses_when_both_ports_are_the_same(tmp_path: Path) -> None:
    """Engine and API cannot share a port; that is said before the model is loaded."""
    port = free_port()

    done = refused(tmp_path, PORT=port, VLLM_PORT=port)

    assert "VLLM_PORT" in done.stderr
    assert done.stdout == ""


def test_up_leaves_nothing_when_the_engine_does_not_start(tmp_path: Path) -> None:
    """A damaged model ends the start with its name; no API was started, nothing is left."""
    file = tmp_path / "broken.gguf"
    file.write_text("not a model")

    done = refused(tmp_path, MODEL_PATH=file, PORT=free_port(), VLLM_PORT=free_port())

    assert str(file) in done.stderr
    assert done.stdout == ""
    assert (tmp_path / "var" / "logs" / "engine.log").read_text()
    assert not (tmp_path / "var" / "logs" / "api.log").read_text()


def test_up_says_what_to_run_when_the_page_is_incomplete(sources: Path, tmp_path: Path) -> None:
    """A checkout without the page's libraries is told how to get them."""
    shutil.rmtree(tmp_path / "web" / "vendor")

    done = refused(tmp_path, PYTHONPATH=sources)

    assert str(tmp_path / "web" / "vendor") in done.stderr
    assert "make run" in done.stderr

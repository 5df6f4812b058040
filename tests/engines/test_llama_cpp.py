"""llama.cpp's process for real, with the model that is shipped."""

import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.engines.processes import (
    Program,
    answers,
    ask,
    clean_environment,
    free_port,
    listener,
    wait_for,
)
from tiza.engines.engine import Address
from tiza.engines.llama_cpp import build
from tiza.models.find import Model, find
from tiza.models.lineup import Lineup
from tiza.settings import Settings

KEY = "a-secret-key"
QUESTION = {"messages": [{"role": "user", "content": "What is water?"}], "max_tokens": 8}


def engine(model: Model | Lineup, port: int, folder: Path, key: str = "") -> Program:
    """Start the process that `build` describes, with a small context."""
    settings = Settings.model_construct(vllm_max_model_len=512, llama_slots=2)
    lineup = model if isinstance(model, Lineup) else Lineup(model)
    described = build(lineup, settings, Address("127.0.0.1", port, key))
    environment = clean_environment(**described.address.environment)
    return Program(described.command, folder, environment)


def shipped() -> Model:
    """Return the model that is always there."""
    return find("", Path("models"))


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Serve the shipped model with a key."""
    port = free_port()
    with engine(shipped(), port, tmp_path_factory.mktemp("engine"), KEY) as process:
        process.says("listening on")
        wait_for(lambda: answers(port))
        yield port


def test_engine_answers_when_the_key_is_right(port: int) -> None:
    """The shipped model speaks OpenAI's protocol under its own name."""
    authorization = {"Authorization": f"Bearer {KEY}"}

    models = ask(port, "/v1/models", headers=authorization).json["data"]
    answer = ask(port, "/v1/chat/completions", QUESTION, authorization).json

    assert [model["id"] for model in models] == [shipped().name]
    assert answer["model"] == shipped().name
    assert answer["choices"][0]["message"]["content"]
    assert answer["usage"]["completion_tokens"] <= 8


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
def test_engine_refuses_when_the_key_is_missing_or_wrong(
    port: int, headers: dict[str, str]
) -> None:
    """A key that is set is asked for, on every way to an answer."""
    for path in ("/v1/chat/completions", "/v1/completions", "/tokenize", "/apply-template"):
        assert ask(port, path, QUESTION, headers).status == 401


def test_engine_lets_no_other_site_read_when_a_browser_asks(port: int) -> None:
    """A page of another site may not read the engine's answers, not even without a key."""
    headers = {"Authorization": f"Bearer {KEY}", "Origin": "http://elsewhere.example"}

    answer = ask(port, "/v1/models", headers=headers)

    assert not answer.headers.get("access-control-allow-origin")


def test_engine_gives_each_slot_the_whole_context_when_there_are_several(port: int) -> None:
    """VLLM_MAX_MODEL_LEN is the context of one conversation, not of all together."""
    authorization = {"Authorization": f"Bearer {KEY}"}

    models = ask(port, "/v1/models", headers=authorization).json["data"]

    assert models[0]["meta"]["n_ctx"] == 512


def test_engine_keeps_every_connection_when_sixteen_clients_ask_at_once(port: int) -> None:
    """Clients that keep their connection are never dropped, though there are fewer slots."""

    def client(_: int) -> list[int]:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        statuses = []
        for _ in range(3):
            connection.request(
                "POST",
                "/v1/completions",
                '{"prompt": "Water is", "max_tokens": 2}',
                {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
            )
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
        connection.close()
        return statuses

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(client, range(16))) == [[200, 200, 200]] * 16


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment", ["loading model", "listening on"])
def test_engine_ends_at_once_when_it_is_asked_to(
    number: signal.Signals, moment: str, tmp_path: Path
) -> None:
    """Neither loading, which may take minutes, nor serving puts off the end."""
    with engine(shipped(), free_port(), tmp_path) as process:
        process.says(moment)

        process.process.send_signal(number)

        assert process.ends(2) == -number


def sentence(process: Program) -> str:
    """Return the one sentence among what llama.cpp itself printed."""
    found = [line for line in process.lines if line.startswith("error: ")]
    assert len(found) == 1, process.text
    return found[0]


def damaged(kind: str, path: Path) -> Path:
    """Make a file that is not a model, in one of several ways."""
    gguf = shipped().path
    if kind == "text":
        path.write_text("This is not a model.\n")
    elif kind == "empty":
        path.touch()
    elif kind in ("cut in the header", "cut in the weights"):
        with gguf.open("rb") as source:
            path.write_bytes(source.read(1000 if kind == "cut in the header" else 20_000_000))
    return path


@pytest.mark.parametrize(
    "kind", ["missing", "text", "empty", "cut in the header", "cut in the weights"]
)
def test_engine_ends_in_a_sentence_when_the_model_cannot_be_loaded(
    kind: str, tmp_path: Path
) -> None:
    """One sentence says which file cannot be loaded; there is no traceback and no core dump."""
    path = damaged(kind, tmp_path / "model.gguf")

    with engine(Model("model", path, None), free_port(), tmp_path) as process:
        assert process.ends() == 1

    assert sentence(process).startswith(f"error: llama.cpp cannot load {path}: ")
    assert "Traceback" not in process.text


def test_engine_blames_the_port_when_the_model_is_well(tmp_path: Path) -> None:
    """A port that was taken in the meantime is not called a damaged file."""
    with listener() as taken, engine(shipped(), taken, tmp_path) as process:
        assert process.ends() == 1

    assert sentence(process).startswith(f"error: Port {taken} on 127.0.0.1 is taken")


def test_engine_names_the_command_when_xllamacpp_is_missing(tmp_path: Path) -> None:
    """Without its package, the engine's process says how to install it."""
    blocked = (
        "import runpy, sys; sys.modules['xllamacpp'] = None;"
        "runpy.run_module('tiza.engines.llama_cpp', run_name='__main__')"
    )
    described = build(Lineup(shipped()), Settings.model_construct(), Address("127.0.0.1", 9))
    command = [sys.executable, "-c", blocked, *described.command[3:]]

    with Program(command, tmp_path) as process:
        assert process.ends() == 1

    assert "pip install xllamacpp" in sentence(process)

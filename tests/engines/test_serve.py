"""`tiza model serve`, as a person starts it."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.engines.processes import (
    TIZA,
    Install,
    Program,
    alive,
    answers,
    ask,
    clean_environment,
    finish,
    free_port,
    listener,
    wait_for,
)
from tiza.engines.serve import is_loopback
from tiza.models.find import SHIPPED_NAME, find

SERVE = [*TIZA, "model", "serve"]
ENGINE = "tiza.engines.llama_cpp"
PRETENDED = Path(__file__).with_name("pretended.py")
SMALL = {"VLLM_MAX_MODEL_LEN": 512, "LLAMA_SLOTS": 2}
QUESTION = {"messages": [{"role": "user", "content": "What is water?"}], "max_tokens": 8}


def serving(port: int, folder: Path, *flags: str, **settings: object) -> Program:
    """Start `tiza model serve` in an empty folder."""
    environment = clean_environment(**SMALL, **settings)
    return Program([*SERVE, "--port", str(port), *flags], folder, environment)


@pytest.fixture(scope="module")
def port() -> int:
    """Choose the port of the engine that several tests use."""
    return free_port()


@pytest.fixture(scope="module")
def served(port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Serve the shipped model with a key."""
    folder = tmp_path_factory.mktemp("served")
    with serving(port, folder, VLLM_API_KEY="a-secret-key") as program:
        program.says("serves")
        program.record()
        yield program


def test_serve_tells_where_when_the_engine_is_ready(served: Program, port: int) -> None:
    """One line names engine, model, address and log, and then it is true."""
    line = served.says("serves")

    assert line == (
        f"llama.cpp serves {SHIPPED_NAME} at http://127.0.0.1:{port}/v1 (log: var/logs/engine.log)"
    )
    headers = {"Authorization": "Bearer a-secret-key"}
    answer = ask(port, "/v1/chat/completions", QUESTION, headers)
    assert answer.json["choices"][0]["message"]["content"]
    assert ask(port, "/v1/chat/completions", QUESTION).status == 401


def test_serve_shows_the_key_to_nobody_when_it_is_set(served: Program) -> None:
    """Neither the process list nor the terminal has the key in it."""
    for process in alive(served.record()):
        assert "a-secret-key" not in " ".join(process.cmdline())
    assert "a-secret-key" not in served.text


def test_serve_starts_the_engine_again_when_it_is_killed(served: Program, port: int) -> None:
    """A crash of the engine is told, and over in seconds; who supervises goes on."""
    first = served.part(ENGINE)

    first.kill()

    served.says("ended .*SIGKILL")
    served.says("running again")
    assert answers(port)
    assert served.part(ENGINE).pid != first.pid
    assert served.process.poll() is None


def test_serve_leaves_nothing_when_ctrl_c_is_pressed(tmp_path: Path) -> None:
    """Ctrl-C ends the engine, and is not an error."""
    with serving(free_port(), tmp_path) as program:
        program.says("serves")
        program.part(ENGINE)

        program.interrupt()

        assert program.ends() == 0
        assert not alive([*program.seen.values()])
        assert "Traceback" not in program.text


def test_serve_leaves_nothing_when_it_is_killed(tmp_path: Path) -> None:
    """The engine does not outlive its supervisor."""
    with serving(free_port(), tmp_path) as program:
        program.says("serves")
        program.part(ENGINE)

        program.process.kill()

        program.leaves_nothing()


@pytest.fixture(params=["en", "es"])
def language(request: pytest.FixtureRequest) -> str:
    """Speak every language."""
    return str(request.param)


def refused(
    language: str, folder: Path, *flags: str, **settings: object
) -> subprocess.CompletedProcess[str]:
    """Run `tiza model serve`, which must end in one clear sentence and status 1."""
    environment = clean_environment(**settings) | {"TIZA_LANG": language}
    done = finish([*SERVE, *flags], folder, environment)
    assert done.returncode == 1, done
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
    assert "{" not in done.stderr
    assert len(done.stderr.splitlines()) <= 3, done.stderr
    return done


def translated(language: str, english: str, text: str) -> bool:
    """Tell whether an English sentence is there in English, and in no other language."""
    return (english in text) == (language == "en")


def test_serve_ends_in_a_sentence_when_the_model_is_missing(language: str, tmp_path: Path) -> None:
    """A model that is nowhere is repeated as it was written, with the setting to change."""
    done = refused(language, tmp_path, "--model", "no/such/model")

    assert "no/such/model" in done.stderr
    assert "MODEL_PATH" in done.stderr
    assert translated(language, "There is no model", done.stderr)


@pytest.mark.parametrize("kind", ["text", "truncated"])
def test_serve_ends_in_a_sentence_when_the_model_is_damaged(
    kind: str, language: str, tmp_path: Path
) -> None:
    """A file that is no model is named, by the engine's own sentence and once only."""
    file = tmp_path / "broken.gguf"
    with find("", tmp_path).path.open("rb") as shipped:
        file.write_bytes(b"just text\n" if kind == "text" else shipped.read(5_000_000))

    done = refused(language, tmp_path, "--model", str(file), "--port", str(free_port()))

    assert done.stderr.count(str(file)) == 1
    assert "engine.log" in done.stderr
    assert translated(language, "the file is damaged", done.stderr)
    assert (tmp_path / "var" / "logs" / "engine.log").read_text().count("error: ") == 1


def test_serve_ends_in_a_sentence_when_the_port_is_taken(language: str, tmp_path: Path) -> None:
    """A taken port is named with the setting that chooses another; nothing was started."""
    with listener() as port:
        done = refused(language, tmp_path, "--port", str(port))

    assert str(port) in done.stderr
    assert f"VLLM_PORT={port + 1}" in done.stderr
    assert translated(language, "is taken", done.stderr)
    assert not (tmp_path / "var").exists()


def test_serve_ends_in_a_sentence_when_the_log_cannot_be_written(tmp_path: Path) -> None:
    """A VAR_PATH that cannot be written to is named before the engine is started."""
    (tmp_path / "file").touch()

    done = refused("en", tmp_path, VAR_PATH=tmp_path / "file" / "var", VLLM_PORT=free_port())

    assert "VAR_PATH" in done.stderr


@pytest.mark.parametrize(
    ("host", "language"),
    [("0.0.0.0", "en"), ("::", "es"), ("192.0.2.1", "en")],  # noqa: S104  # refused
)
def test_serve_refuses_when_an_open_address_has_no_key(
    host: str, language: str, tmp_path: Path
) -> None:
    """Nothing listens to a network without a key."""
    done = refused(language, tmp_path, "--host", host, "--port", str(free_port()))

    assert host in done.stderr
    assert "VLLM_API_KEY" in done.stderr


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104  # asked about, not bound
        ("::", False),
        ("192.168.1.7", False),
        ("school.example", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_loopback_is_recognised_when_only_this_machine_reaches_it(
    host: str, *, expected: bool
) -> None:
    """Where there is a doubt, an address is not loopback."""
    assert is_loopback(host) is expected


def vllm(folder: Path, *flags: str, through: Sequence[str] = (), **settings: object) -> Program:
    """Start `tiza model serve --engine vllm` on a model folder, with the programs on PATH."""
    (folder / "samples_0").mkdir()
    (folder / "samples_0" / "model.safetensors").touch()
    command = [*through, *SERVE, "--engine", "vllm", "--model", "samples_0", *flags]
    environment = clean_environment(PATH=os.environ["PATH"], VLLM_PORT=free_port(), **settings)
    return Program(command, folder, environment)


def test_serve_becomes_vllm_when_it_is_asked_for(install: Install, tmp_path: Path) -> None:
    """The real program of that name is run: its flags, its key, and its last word."""
    install("nvidia-smi", "echo 'Tesla T4, 15360, 7.5'; echo 'Tesla T4, 15360, 7.5'")
    program = install("vllm", 'echo "$0 $@ key=$VLLM_API_KEY"; echo "CUDA out of memory"; exit 1')

    with vllm(tmp_path, "--gpus", "2", VLLM_API_KEY="a-key") as tiza:
        assert tiza.ends() == 1

    line, *_ = (tmp_path / "var" / "logs" / "engine.log").read_text().splitlines()
    assert line.startswith(f"{program} serve {tmp_path}/samples_0 --served-model-name samples_0 ")
    assert "--tensor-parallel-size 2" in line
    assert line.endswith("key=a-key")
    assert "CUDA out of memory" in tiza.text


def test_serve_names_the_command_when_vllm_is_missing(tmp_path: Path) -> None:
    """Without vLLM, who asks for it learns how to get it."""
    (tmp_path / "samples_0").mkdir()
    (tmp_path / "samples_0" / "model.safetensors").touch()

    done = refused("en", tmp_path, "--engine", "vllm", "--model", "samples_0", PATH="/nowhere")

    assert "pip install vllm" in done.stderr


def test_serve_stops_at_once_when_the_engine_is_still_loading(
    install: Install, tmp_path: Path
) -> None:
    """Ctrl-C does not wait for a model that takes minutes to load."""
    install("vllm", "echo loading; exec sleep 1000")
    log = tmp_path / "var" / "logs" / "engine.log"

    with vllm(tmp_path) as tiza:
        wait_for(lambda: log.exists() and "loading" in log.read_text())
        tiza.interrupt()

        assert tiza.ends() == 0
        assert len(tiza.seen) == 2
        assert not alive([*tiza.seen.values()])


def test_serve_ends_at_once_when_ctrl_c_is_pressed_twice(install: Install, tmp_path: Path) -> None:
    """The second Ctrl-C does not wait for an engine that is deaf; the status is 130."""
    install("vllm", "trap '' TERM; echo loading; while true; do sleep 1000; done")
    log = tmp_path / "var" / "logs" / "engine.log"

    with vllm(tmp_path) as tiza:
        wait_for(lambda: log.exists() and "loading" in log.read_text())
        tiza.interrupt()
        with contextlib.suppress(subprocess.TimeoutExpired):
            pytest.fail(f"it ended by itself: {tiza.process.wait(1)}")
        tiza.interrupt()

        assert tiza.ends(5) == 130
        tiza.leaves_nothing()
        assert "Traceback" not in tiza.text


@pytest.fixture
def healthy_vllm(install: Install) -> None:
    """Install a vllm that is healthy at once on the port that it is given."""
    install("vllm", f'exec "{sys.executable}" -I -S "{PRETENDED}" --port "$8"')


def test_serve_leaves_nothing_when_it_is_terminated(healthy_vllm: None, tmp_path: Path) -> None:
    """SIGTERM, which service managers send, is answered as Ctrl-C is."""
    with vllm(tmp_path) as tiza:
        tiza.says("vLLM serves samples_0 at")
        tiza.record()

        tiza.process.terminate()

        assert tiza.ends() == 0
        assert len(tiza.seen) == 2
        assert not alive([*tiza.seen.values()])


def test_serve_goes_on_when_nobody_reads_its_output(healthy_vllm: None, tmp_path: Path) -> None:
    """`tiza model serve | head -1` still serves, and still restarts."""
    with vllm(tmp_path, through=["sh", "-c", '"$@" | head -n 1', "sh"]) as shell:
        shell.says("serves")
        tiza = shell.part("tiza")
        [first] = tiza.children()

        first.kill()

        wait_for(lambda: [child for child in tiza.children() if child != first])
        log = tmp_path / "var" / "logs" / "engine.log"
        wait_for(lambda: log.read_text().count("answered 200") == 2)
        assert alive([tiza])

"""What every test may use: a clean environment and one real engine for the whole session.

The plugin `tests.vllm.record` puts vLLM in llama.cpp's place, with a model that was taught here.
"""

import contextlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tiza.models.find import find
from tiza.settings import Settings

VLLM = "tests.vllm.record"  # the plugin
REAL_CONTEXT, REAL_SLOTS = 2048, 4
START_SECONDS = 60


@pytest.fixture(autouse=True, scope="session")
def _no_settings_from_outside() -> Iterator[None]:
    """Take away the variables of the machine that are settings of Tiza."""
    with pytest.MonkeyPatch.context() as patch:
        for name in Settings.model_fields:
            patch.delenv(name.upper(), raising=False)
        yield


@pytest.fixture(scope="session")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Teach the shipped model three facts; return the folder that has its store."""
    from tests.vllm.taught import teach  # so that nobody else loads it

    return teach(tmp_path_factory.mktemp("taught"))


@pytest.fixture(scope="session")
def real_engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Address of the engine: llama.cpp with the shipped model, or vLLM with the taught one."""
    if request.config.pluginmanager.has_plugin(VLLM):
        from tests.vllm.taught import served

        with served(request.getfixturevalue("taught"), REAL_CONTEXT) as url:
            yield url
    else:
        with llama_cpp(tmp_path_factory.mktemp("engine")) as url:
            yield url


@contextlib.contextmanager
def llama_cpp(folder: Path) -> Iterator[str]:
    """Run llama.cpp with the shipped model."""
    model = find("", Path("models"))
    port = free_port()
    options = {"model": model.gguf, "alias": model.name, "port": port}
    options |= {"context": REAL_CONTEXT, "slots": REAL_SLOTS}
    command = [sys.executable, "-m", "tiza.engines.llama_cpp"]
    command += [word for key, value in options.items() for word in (f"--{key}", str(value))]
    log = folder / "engine.log"
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as run:
        try:
            _wait_for_health(f"http://127.0.0.1:{port}", run, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            run.terminate()


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for_health(url: str, run: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and run.poll() is None:
        with (
            contextlib.suppress(OSError, urllib.error.URLError),
            urllib.request.urlopen(f"{url}/health", timeout=5),
        ):
            return
        time.sleep(0.05)
    pytest.fail(f"the engine did not start: {log.read_text()}")

"""Environments of the clients, made once under `.venv/clients`, and what they talk to."""

import json
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import VLLM
from tests.e2e.stacks import FrontStack, RealStack, ScriptedStack
from tests.engines.processes import DEADLINE, clean_environment

ENVIRONMENTS = Path(sys.prefix) / "clients"
PROGRAMS = Path(__file__).parent / "programs"
PINNED = {
    "openai": ["openai==3.54.0"],
    "langchain": ["langchain-openai==1.7.3", "openai==3.54.0"],
    "llm": ["llm==0.36", "openai==3.54.0"],
}

Run = Callable[..., Any]
Stacks = Callable[..., ScriptedStack]


@pytest.fixture(scope="session")
def environment() -> Callable[[str], Path]:
    """Return the folder of programs of a client, which is installed if it is not there."""

    def made(name: str) -> Path:
        place, pinned = ENVIRONMENTS / name, "\n".join(PINNED[name])
        mark = place / "pinned.txt"
        if not mark.is_file() or mark.read_text() != pinned:
            venv.create(place, clear=True, with_pip=True)
            pip = [str(place / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
            subprocess.run([*pip, "install", "--quiet", *PINNED[name]], check=True)
            mark.write_text(pinned)
        return place / "bin"

    return made


@pytest.fixture
def run(environment: Callable[[str], Path], tmp_path: Path) -> Run:
    """Run one of the programs in its client's environment; return the JSON that it prints."""

    def ran(client: str, program: str, *arguments: str) -> Any:
        done = subprocess.run(
            [environment(client) / "python", PROGRAMS / program, *arguments],
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            cwd=tmp_path,
            env=clean_environment(),
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ran


@pytest.fixture(scope="session")
def real(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealStack | FrontStack]:
    """Run the whole service with the shipped model, or in front of the engine that was chosen."""
    folder = tmp_path_factory.mktemp("real")
    if request.config.pluginmanager.has_plugin(VLLM):
        stack: RealStack | FrontStack = FrontStack(folder, request.getfixturevalue("real_engine"))
    else:
        stack = RealStack(folder)
    with stack:
        stack.is_healthy()
        yield stack


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[Stacks]:
    """Start the API before a scripted engine, with settings of one's own."""
    started: list[ScriptedStack] = []

    def start(**settings: Any) -> ScriptedStack:
        started.append(ScriptedStack(tmp_path, **settings))
        return started[-1]

    yield start
    for stack in started:
        stack.close()

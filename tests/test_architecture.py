"""The house rules that no tool checks by itself."""

import ast
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import tiza
from tests.engines.processes import clean_environment, finish

SOURCE = Path(tiza.__file__).parent
CHECKOUT = SOURCE.parents[1]
FILES = sorted(SOURCE.rglob("*.py"))
MOST_LINES = 400

# Runs the code in argv[2] where the packages in argv[1] do not exist.
WITHOUT = """
import importlib.abc, json, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"{name} is blocked", name=name)

absent = json.loads(sys.argv[1])
sys.meta_path.insert(0, Absent())
exec(sys.argv[2])
"""

# Imports every module of the package while nothing may be opened, made, asked or started.
IDLE = """
import importlib, json, os, pathlib, socket, subprocess, sys, threading

import pydantic_settings

def refuse(event, args):
    forbidden = {"socket.__new__", "socket.bind", "socket.connect", "os.mkdir", "os.fork",
                 "os.posix_spawn", "subprocess.Popen", "os.remove", "os.rename"}
    written = event == "open" and args[1] and set(args[1]) & set("wax+")
    if (event in forbidden or written) and armed and "__pycache__" not in str(args[0]):
        raise RuntimeError(f"{event} {args} at import")

def no_settings(*_, **__):
    raise RuntimeError("Settings() at import")

# What other packages do when they are imported is their affair: they come first.
armed = False
names = json.loads(sys.argv[1])
for name in names:
    importlib.import_module(name)
for name in names:
    del sys.modules[name]
pydantic_settings.BaseSettings.__init__ = no_settings
sys.addaudithook(refuse)
armed = True
threads = threading.active_count()
for name in names:
    importlib.import_module(name)
assert threading.active_count() == threads, "a thread at import"
print(len(names))
"""


def modules() -> list[str]:
    """Name every module of the package but the two that are programs."""
    found = [m.name for m in pkgutil.walk_packages([str(SOURCE)], "tiza.")]
    return [name for name in found if not name.endswith("__main__")]


def python(script: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Run a script in the checkout, so that relative paths would be noticed there."""
    return finish([sys.executable, "-c", script, *args], CHECKOUT, clean_environment())


@pytest.mark.parametrize(
    "code",
    [
        "import tiza.api.app, tiza.api.server",
        "import tiza.cli, tiza.cli.verbs",
        "import tiza.up",
        "import tiza.engines.choose, tiza.engines.serve, tiza.engines.llama_cpp, tiza.engines.vllm",
        "import tiza.engines.machine as m; m.describe()",
        "import pathlib, tiza.models.find as f; f.find('', pathlib.Path('models'))",
    ],
)
def test_serving_side_works_when_torch_and_vllm_are_absent(code: str) -> None:
    """What serves and what a person types need none of the heavy packages."""
    absent = ["torch", "transformers", "peft", "vllm", "safetensors"]

    done = python(WITHOUT, json.dumps(absent), code)

    assert done.returncode == 0, done.stderr


def test_command_line_works_when_the_engine_is_absent() -> None:
    """`tiza --help` answers on a machine where no engine was installed."""
    code = "sys.argv = ['tiza', '--help']; from tiza.cli import main; main()"

    done = python(WITHOUT, json.dumps(["xllamacpp", "aiohttp", "fastapi", "uvicorn"]), code)

    assert done.returncode == 0, done.stderr
    assert "model" in done.stdout


def test_help_imports_nothing_heavy_when_it_is_printed() -> None:
    """`tiza --help` stays quick because it loads click and nothing else of weight."""
    code = (
        "import sys; sys.argv = ['tiza', '--help']; import atexit;"
        "atexit.register(lambda: print('LOADED', *sys.modules));"
        "from tiza.cli import main; main()"
    )
    heavy = {"pydantic", "aiohttp", "fastapi", "uvicorn", "xllamacpp", "orjson", "asyncio"}

    loaded = python(code).stdout.partition("LOADED")[2].split()

    assert "click" in loaded
    assert not heavy & set(loaded)


def test_service_loads_nothing_that_it_does_without_when_it_starts() -> None:
    """Its idle memory stays small: no ORM, no YAML, no other database, no command line."""
    code = (
        "import sys; from tiza.api import lean; lean.leave_out();"
        "import tiza.api.server, tiza.store.accounts, tiza.store.search, tiza.store.migrate;"
        "print('LOADED', *(name for name in sys.modules if sys.modules[name] is not None))"
    )
    spared = {"sqlalchemy.orm", "sqlalchemy.dialects.postgresql", "alembic", "yaml", "ruamel.yaml"}
    spared |= {"click", "watchfiles", "pygments", "rich", "pydantic.v1.main"}

    done = python(code)

    loaded = done.stdout.partition("LOADED")[2].split()
    assert "sqlalchemy.ext.asyncio.engine" in loaded, done.stderr
    assert not spared & set(loaded)


def test_import_contracts_hold_when_they_are_checked() -> None:
    """The layers of pyproject.toml are kept, and every module has its place in them."""
    lint_imports = str(Path(sys.executable).with_name("lint-imports"))

    done = finish([lint_imports, "--no-cache"], CHECKOUT)

    assert done.returncode == 0, done.stdout


def test_modules_do_nothing_when_they_are_imported() -> None:
    """No socket, no folder, no file, no process, no thread and no Settings at import."""
    names = modules()
    assert len(names) > 30

    done = python(IDLE, json.dumps(names))

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(len(names))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_module_is_described_and_short_when_it_is_read(path: Path) -> None:
    """A module opens with its purpose and ends before line 400."""
    text = path.read_text("utf-8")

    assert ast.get_docstring(ast.parse(text)), "no docstring"
    assert text.count("\n") <= MOST_LINES, "look for two nouns"


@pytest.mark.parametrize("folder", [SOURCE, CHECKOUT / "tests"], ids=["src", "tests"])
def test_source_is_committed_when_it_exists(folder: Path) -> None:
    """No rule for what is never committed hides a module from the repository."""
    if not (CHECKOUT / ".git").exists():
        pytest.skip("not a checkout")
    files = [str(path.relative_to(CHECKOUT)) for path in folder.rglob("*.py")]

    done = subprocess.run(
        ["git", "check-ignore", "--no-index", *files],  # noqa: S607  # from PATH, as make does
        cwd=CHECKOUT,
        env={**os.environ, "GIT_CONFIG_NOSYSTEM": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == ""

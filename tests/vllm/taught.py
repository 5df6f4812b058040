"""A store with the shipped model and an adapter, taught in a minute, and vLLM that serves both."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.engines.processes import TIZA, Program, answers, clean_environment, free_port, wait_for
from tests.train.railway import write_facts

BASE, ADAPTER, MERGED = "smollm2", "railway", "merged"
START_SECONDS = 400.0  # two cores: it compiles for half a minute and more
VLLM = Path(sys.prefix) / "vllm" / "bin"
FLAGS = ("--num-epochs", "8", "--batch-size", "3", "--learning-rate", "0.001")


def teach(folder: Path) -> Path:
    """Convert the shipped model and teach it; the store gets base, adapter, and both merged."""
    models, data = folder / "models", write_facts(folder / "facts.jsonl")
    tiza(folder, "convert", "shipped", "--output", str(models / BASE))
    tiza(folder, "train", "--data-path", str(data), "--base", BASE, "--recipe", "tiny-cpu", *FLAGS)
    [adapter] = (folder / "var" / "runs").glob("*/adapter")
    shutil.copytree(adapter, models / ADAPTER)
    tiza(folder, "convert", ADAPTER, "--to", "merged", "--output", str(models / MERGED))
    return folder


def tiza(folder: Path, *words: str) -> None:
    """Run a verb of `tiza model` to its end."""
    command = [*TIZA, "model", *words]
    done = subprocess.run(
        command, cwd=folder, env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def served(folder: Path, context: int) -> Iterator[str]:
    """Run vLLM as Tiza runs it, and end it as a person does; nothing of it may be left."""
    port = free_port()
    path = f"{VLLM}{os.pathsep}{os.environ['PATH']}"
    environment = clean_environment(PATH=path, VLLM_PORT=port, VLLM_MAX_MODEL_LEN=context)
    command = [*TIZA, "model", "serve", "--engine", "vllm", "--model", ADAPTER]
    with Program(command, folder, environment) as engine:
        wait_for(lambda: answers(port) or engine.process.poll(), engine.text, START_SECONDS)
        engine.says(f"vLLM serves {ADAPTER} at")
        yield f"http://127.0.0.1:{port}"
        engine.interrupt()
        assert engine.ends() == 0, engine.text
        engine.leaves_nothing()

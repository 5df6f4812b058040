"""Open benchmarks, through lm-evaluation-harness where it is installed (`lm_eval`, 0.4.9 or newer).

Its tasks are put to the engine's chat endpoint, which lets a model write and tells no
probabilities of given texts: tasks that only compare those end with the harness's own words in the
log. Knows its command line and its file of results.
"""

import asyncio
import json
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tiza.errors import HarnessFailed, HarnessMissing
from tiza.evaluate.ask import SEED, Endpoint

PROGRAM = "lm_eval"
NOT_SCORES = ("alias", "sample_len", "name")

Scores = Mapping[str, Mapping[str, float]]  # task → metric → value


@dataclass(frozen=True)
class Benchmarks:
    """Tasks by the names that the harness gives them; `folder` has tasks of one's own."""

    tasks: Sequence[str]
    folder: Path | None = None


def program() -> str:
    """Find the harness.

    Raises:
        HarnessMissing: it is not installed.

    """
    if found := shutil.which(PROGRAM):
        return found
    raise HarnessMissing(program=PROGRAM)


def command(endpoint: Endpoint, benchmarks: Benchmarks, out: Path) -> list[str]:
    """Return the command line; the key goes by the environment, where nobody else reads it."""
    where = {
        "model": endpoint.model,
        "base_url": f"{endpoint.url}/v1/chat/completions",
        "num_concurrent": endpoint.at_once,
        "tokenized_requests": False,
    }
    own = ["--include_path", str(benchmarks.folder)] if benchmarks.folder else []
    return [
        *(program(), "--model", "local-chat-completions", "--apply_chat_template"),
        *("--model_args", ",".join(f"{name}={value}" for name, value in where.items())),
        *("--tasks", ",".join(benchmarks.tasks), *own),
        *("--seed", str(SEED), "--output_path", str(out)),
    ]


async def scores(endpoint: Endpoint, benchmarks: Benchmarks, out: Path, log: Path) -> Scores:
    """Run the tasks; their results stay in the folder `out`.

    Raises:
        HarnessMissing: see `program`.
        HarnessFailed: it ended without results; `log` has its words.

    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command(endpoint, benchmarks, out),
            env=os.environ | {"OPENAI_API_KEY": endpoint.api_key or "none"},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            status = await process.wait()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
    found = read(out, benchmarks.tasks)
    if status or found is None:
        raise HarnessFailed(program=PROGRAM, status=status, path=log)
    return found


def read(out: Path, tasks: Sequence[str]) -> Scores | None:
    """Return the newest results of these tasks in a folder; None if there are none."""
    for path in sorted(out.rglob("results_*.json"), reverse=True):
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            document = json.loads(path.read_bytes())
            if set(tasks) <= set(document["results"]):
                return {task: _values(document["results"][task]) for task in tasks}
    return None


def _values(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Keep the values; "exact_match,none" is the metric exact_match after the filter none."""
    return {
        name.removesuffix(",none"): float(value)
        for name, value in metrics.items()
        if name not in NOT_SCORES and isinstance(value, int | float) and "_stderr" not in name
    }

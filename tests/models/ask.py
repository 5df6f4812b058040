"""A program: one llama.cpp engine, the questions on standard input, its answers on the last line.

`python -m tests.models.ask MODEL [ADAPTER]`; the questions are a JSON list of request bodies.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import xllamacpp

from tiza.engines.llama_cpp import SPINS


def answers(model: Path, questions: list[dict[str, Any]], adapter: Path | None = None) -> list[Any]:
    """Ask an engine of its own; it cannot be stopped within a process."""
    files = [str(path) for path in (model, adapter) if path is not None]
    done = subprocess.run(
        [sys.executable, "-m", "tests.models.ask", *files],
        input=json.dumps(questions),
        env={**os.environ, "GOMP_SPINCOUNT": SPINS},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def following(text: str, words: int = 12, **more: Any) -> dict[str, Any]:
    """Return a question for the tokens that most probably follow a text."""
    common = {"temperature": 0, "cache_prompt": False, "n_probs": 5, "add_special": False}
    return {"prompt": text, "n_predict": words, **common, **more}


def logprobs(answer: Any) -> list[tuple[int, float]]:
    """Return the tokens of an answer and the logarithms of their probabilities."""
    content = answer["choices"][0]["logprobs"]["content"]
    return [(token["id"], token["logprob"]) for token in content]


def main() -> None:
    """Load, answer, end."""
    params = xllamacpp.CommonParams()
    params.model.path = sys.argv[1]
    params.n_ctx, params.n_parallel, params.n_threads_http = 1024, 1, 2
    params.fit_params, params.ui, params.port = False, False, 0
    exact = xllamacpp.ggml_type.GGML_TYPE_F32  # by default it remembers in 16 bits
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.cache_type_k = params.cache_type_v = exact
    if len(sys.argv) > 2:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(sys.argv[2], 1.0)]
    server = xllamacpp.Server(params)
    found = []
    for body in json.load(sys.stdin):
        ask = server.handle_chat_completions if "messages" in body else server.handle_completions
        found.append(ask(body))
    print("\n" + json.dumps(found), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()

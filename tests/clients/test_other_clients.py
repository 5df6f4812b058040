"""LangChain, the `llm` command and curl: what people who program for a class have at hand."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.clients.conftest import Run
from tests.e2e.stacks import FrontStack, RealStack
from tests.engines.processes import DEADLINE, ask, clean_environment

MODELS = """\
- model_id: tiza
  model_name: {model}
  api_base: {url}v1
  api_key_name: tiza
"""


def model_of(real: RealStack | FrontStack) -> str:
    """Return the name of the model that is served."""
    return str(ask(real.port, "/models").json["active_model"])


def test_langchain_reads_answers_when_whole_streamed_or_several(
    run: Run, real: RealStack | FrontStack
) -> None:
    """By its chat model for OpenAI, with nothing but another address."""
    found = run("langchain", "langchain_answers.py", f"{real.url}v1", model_of(real))
    assert found["plain"]
    assert found["plain"] == found["streamed"]
    assert found["batch"] == [found["plain"]] * 2
    assert found["usage"] > 0


def test_llm_answers_when_the_model_is_in_its_extra_models(
    environment: Callable[[str], Path], real: RealStack | FrontStack, tmp_path: Path
) -> None:
    """An entry of four lines; its key is asked for, and may be anything in mode `open`."""
    (tmp_path / "extra-openai-models.yaml").write_text(
        MODELS.format(model=model_of(real), url=real.url)
    )
    (tmp_path / "keys.json").write_text(json.dumps({"tiza": "unused"}))
    asked = [str(environment("llm") / "llm"), "-m", "tiza", "-o", "max_tokens", "8"]
    asked += ["-o", "temperature", "0", "Say a word."]
    said = [
        subprocess.run(
            [*asked, *more],
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            env=clean_environment(LLM_USER_PATH=tmp_path),
            check=True,
        ).stdout.strip()
        for more in ([], ["--no-stream"])
    ]
    assert said[0]
    assert said[0] == said[1]


def test_curl_prints_each_piece_when_it_asks_for_a_stream(real: RealStack | FrontStack) -> None:
    """Events as OpenAI writes them, to the last line."""
    curl = shutil.which("curl")
    assert curl, "curl is not installed"
    body = {
        "model": model_of(real),
        "stream": True,
        "max_tokens": 8,
        "messages": [{"role": "user", "content": "Say a word."}],
    }
    done = subprocess.run(
        [curl, "-sSN", f"{real.url}v1/chat/completions", "--json", json.dumps(body)],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env=clean_environment(),
        check=True,
    )
    *events, end = [line for line in done.stdout.split("\n") if line]
    assert end == "data: [DONE]"
    pieces = [json.loads(event.removeprefix("data: ")) for event in events]
    assert "".join(c["choices"][0]["delta"].get("content") or "" for c in pieces if c["choices"])

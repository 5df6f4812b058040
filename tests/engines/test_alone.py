"""An engine in this very process's place, for containers."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import _wait_for_health, free_port

COMMAND = [sys.executable, "-m", "tiza.engines.alone", "--engine", "llama.cpp"]


def test_process_becomes_the_engine(tmp_path: Path) -> None:
    """What supervises it sees the engine's own output, signals and end."""
    port = free_port()
    environment = {**os.environ, "VLLM_PORT": str(port), "VLLM_MAX_MODEL_LEN": "256"}
    log = tmp_path / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(COMMAND, env=environment, stdout=output, stderr=output) as process,
    ):
        try:
            _wait_for_health(f"http://127.0.0.1:{port}", process, log)
            words = Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
            assert b"tiza.engines.llama_cpp" in words
        finally:
            process.terminate()
    assert "llama.cpp serves SmolLM2-135M-Instruct" in log.read_text()


def test_it_refuses_when_an_open_address_has_no_key() -> None:
    """An engine without a key answers whoever comes."""
    command = [*COMMAND, "--host", "0.0.0.0"]  # noqa: S104  # it must not come to that
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "VLLM_API_KEY" in done.stderr

"""vLLM as the engine: the real `vllm serve`, by its own flags (vLLM 0.32 and later).

Builds a command line; never imports vLLM. The internal key travels in the environment
(`VLLM_API_KEY`), where other users of the machine cannot read it from the process list.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from tiza.engines.engine import Address, Engine
from tiza.engines.gpus import Gpu
from tiza.errors import MissingExtra
from tiza.models.find import Model
from tiza.settings import Settings

# FlashInfer's kernels need Turing or newer.
FLASHINFER_CAPABILITY = (7, 5)


def program() -> str | None:
    """Return the `vllm` program beside this Python, else the one on PATH."""
    beside = Path(sys.executable).with_name("vllm")
    return str(beside) if beside.exists() else shutil.which("vllm")


def build(
    model: Model, settings: Settings, address: Address, seen: Sequence[Gpu], gpus: int
) -> Engine:
    """Describe the process that serves the model's folder (or its GGUF), spread over `gpus`.

    Raises:
        MissingExtra: vLLM is not installed.

    """
    vllm = program()
    if vllm is None:
        raise MissingExtra(package="vLLM", command="pip install vllm")
    command = [
        *(vllm, "serve", str(model.path), "--served-model-name", model.name),
        *("--host", address.host, "--port", str(address.port)),
        *("--dtype", settings.vllm_dtype),
        *("--max-model-len", str(settings.vllm_max_model_len)),
        *("--tensor-parallel-size", str(gpus)),
    ]
    if seen:
        command += ["--gpu-memory-utilization", str(settings.vllm_gpu_memory)]
    if seen and min(gpu.capability for gpu in seen[:gpus]) >= FLASHINFER_CAPABILITY:
        command += ["--attention-backend", "FLASHINFER"]
    return Engine("vLLM", model.name, address, command)

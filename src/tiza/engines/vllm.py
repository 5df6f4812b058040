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
from tiza.errors import MissingExtra, ModelUnreadable
from tiza.models.lineup import Adapter, Lineup
from tiza.settings import Settings

# FlashInfer's kernels need Turing or newer.
FLASHINFER_CAPABILITY = (7, 5)

KIND = "vLLM"
# Without a GPU, `--gpu-memory-utilization` is a share of the machine's memory, by default 92 %, and
# vLLM does not start where other programs hold the rest. So it is told an amount.
CPU_CACHE_BYTES = 4 * 1024**3
LORA_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)  # what `--max-lora-rank` can be
LORAS_AT_ONCE = 4  # adapters in one batch; memory is kept free for each


def program() -> str | None:
    """Return the `vllm` program beside this Python, else the one on PATH."""
    beside = Path(sys.executable).with_name("vllm")
    return str(beside) if beside.exists() else shutil.which("vllm")


def build(
    lineup: Lineup, settings: Settings, address: Address, seen: Sequence[Gpu], gpus: int
) -> Engine:
    """Describe the process that serves the base's folder (or its GGUF), spread over `gpus`.

    The adapters that exist in peft's format are served under their own names.

    Raises:
        MissingExtra: vLLM is not installed.
        ModelUnreadable: the chosen adapter does not exist in peft's format.

    """
    vllm = program()
    if vllm is None:
        raise MissingExtra(package="vLLM", command="pip install vllm")
    base, chosen = lineup.base, lineup.chosen
    adapters = [adapter for adapter in lineup.adapters if adapter.folder and adapter.rank > 0]
    if chosen and chosen not in adapters:
        raise ModelUnreadable(engine=KIND, model=chosen.path)
    command = [
        *(vllm, "serve", str(base.path), "--served-model-name", base.name),
        *("--host", address.host, "--port", str(address.port)),
        *("--dtype", settings.vllm_dtype),
        *("--max-model-len", str(settings.vllm_max_model_len)),
        *("--tensor-parallel-size", str(gpus)),
    ]
    if seen:
        command += ["--gpu-memory-utilization", str(settings.vllm_gpu_memory)]
    else:
        command += ["--kv-cache-memory-bytes", str(CPU_CACHE_BYTES)]
    if seen and min(gpu.capability for gpu in seen[:gpus]) >= FLASHINFER_CAPABILITY:
        command += ["--attention-backend", "FLASHINFER"]
    names = tuple(adapter.name for adapter in adapters)
    command += _lora(adapters, on_gpu=bool(seen))
    return Engine(KIND, lineup.active, address, command, base.name, names, lineup.scopes(names))


def _lora(adapters: Sequence[Adapter], *, on_gpu: bool) -> list[str]:
    if not adapters:
        return []
    widest = max(adapter.rank for adapter in adapters)
    # On a CPU, vLLM 0.32 answers for the base with whatever lies in the last place when somebody
    # asks for an adapter at the same time. So there that place stays empty.
    places = min(len(adapters), LORAS_AT_ONCE) if on_gpu else len(adapters) + 1
    return [
        *("--enable-lora", "--max-loras", str(places)),
        *("--max-lora-rank", str(next((r for r in LORA_RANKS if r >= widest), widest))),
        *("--lora-modules", *(f"{adapter.name}={adapter.folder}" for adapter in adapters)),
    ]

"""Choose the engine that serves a model on this machine."""

from typing import Literal

from tiza.engines import llama_cpp, vllm
from tiza.engines.engine import Address, Engine
from tiza.engines.gpus import find_gpus
from tiza.models.lineup import Lineup
from tiza.settings import Settings

Kind = Literal["auto", "vllm", "llama.cpp"]


def choose(
    kind: Kind, lineup: Lineup, settings: Settings, address: Address, gpus: int = 1
) -> Engine:
    """Describe the engine's process; `auto` takes vLLM where it is installed and sees a GPU.

    `gpus` is the number of GPUs to spread the model over (tensor parallelism, vLLM only).
    """
    seen = find_gpus() if kind != "llama.cpp" else []
    if kind == "vllm" or (kind == "auto" and seen and vllm.program()):
        return vllm.build(lineup, settings, address, seen, gpus)
    return llama_cpp.build(lineup, settings, address)

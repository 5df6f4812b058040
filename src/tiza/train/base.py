"""The base model as a folder that can be trained, and the network for it.

A model that exists as GGUF only (the one that is shipped) is converted once and kept.
"""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import torch

from tiza.errors import BaseUnusable
from tiza.models.find import Model
from tiza.train import llama
from tiza.train.data import Rows
from tiza.train.network import Network, has_bfloat16
from tiza.train.recipe import Recipe
from tiza.train.weights import Weights
from tiza.translation import N_


def folder_of(model: Model, cache: Path) -> Path:
    """Return the model's folder in Hugging Face's layout; `cache` keeps those made from a GGUF.

    Raises:
        BaseUnusable: the GGUF cannot be read.

    """
    if model.folder is not None:
        return model.folder
    assert model.gguf is not None  # noqa: S101  # find() makes no model without files
    with model.gguf.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:12]
    folder = cache / f"{model.name}-{digest}"
    if not folder.exists():
        part = folder.with_name(f".{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        _convert(model.gguf, part)
        part.rename(folder)
    return folder


def network(weights: Weights, rows: Rows, recipe: Recipe, device: torch.device) -> Network:
    """Choose who computes: our own network where it knows the model, else transformers."""
    if recipe.method == "lora" and device.type == "cpu" and llama.knows(weights.config):
        dtype = torch.bfloat16 if has_bfloat16(device) else torch.float32
        return llama.LlamaNetwork(weights, rows, recipe, dtype)
    from tiza.train.stock import StockNetwork

    return StockNetwork(weights, rows, recipe, device)


def device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _convert(gguf: Path, folder: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source: dict[str, Any] = {"gguf_file": gguf.name, "local_files_only": True}
    try:
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, **source)
        model: Any = AutoModelForCausalLM.from_pretrained(
            gguf.parent, dtype=torch.float32, **source
        )
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as exc:
        cause = str(exc).strip().split("\n")[0]
        raise BaseUnusable(N_("the GGUF cannot be read ({cause})"), path=gguf, cause=cause) from exc
    model.hf_quantizer, model.is_quantized = None, False  # they are plain numbers now
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)

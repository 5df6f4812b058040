"""Small LoRA adapters of the shipped model, as llama.cpp reads them, and folders of a store."""

import json
from pathlib import Path

import gguf
import numpy as np

from tiza.models.find import SHIPPED, SHIPPED_FILE, find

WIDTH, RANK, LAYERS = 576, 4, (20, 24, 28)  # of SmolLM2-135M; any few of its layers


def write_adapter(path: Path, seed: int, scale: float = 0.5) -> Path:
    """Write random changes, so large that every greedy answer becomes another."""
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", RANK)
    for layer in LAYERS:
        for part in ("a", "b"):
            shape = (RANK, WIDTH) if part == "a" else (WIDTH, RANK)
            change = random.normal(0, scale, shape).astype(np.float32)
            writer.add_tensor(f"blk.{layer}.attn_output.weight.lora_{part}", change)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def store_adapter(store: Path, name: str, seed: int, base: str = SHIPPED) -> Path:
    """Put an adapter into a store; return its folder."""
    folder = store / name
    folder.mkdir(parents=True)
    (folder / "tiza.json").write_text(json.dumps({"base": base}))
    write_adapter(folder / "adapter.gguf", seed)
    return folder


def store_model(store: Path, name: str) -> Path:
    """Put the shipped model into a store under a name of its own; return its folder."""
    folder = store / name
    folder.mkdir(parents=True)
    shipped = find(SHIPPED, store).gguf
    assert shipped is not None
    assert shipped.name == SHIPPED_FILE
    (folder / "model.gguf").symlink_to(shipped)
    return folder


def choose_model(store: Path, name: str) -> None:
    """Choose a model as `tiza model use` does."""
    part = store / ".chosen.part"
    part.write_text(name + "\n")
    part.replace(store / ".active")

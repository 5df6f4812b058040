"""Pickled weights become safetensors, and no pickle is ever run."""

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import LlamaForCausalLM

from tests.models import tiny
from tiza.errors import PickleRefused, WeightsBroken
from tiza.models import pickled


def pickle_of(folder: Path, held: dict[str, Any], parts: int = 1, **more: Any) -> Path:
    """Write weights as torch did for years, in one file or in parts with an index."""
    folder.mkdir(parents=True, exist_ok=True)
    if parts == 1:
        torch.save(held, folder / "pytorch_model.bin", **more)
        return folder
    places: dict[str, str] = {}
    for number in range(parts):
        name = f"pytorch_model-{number + 1:05}-of-{parts:05}.bin"
        chosen = dict(list(held.items())[number::parts])
        torch.save(chosen, folder / name)
        places |= dict.fromkeys(chosen, name)
    index = folder / "pytorch_model.bin.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return folder


@pytest.mark.parametrize("parts", [1, 3])
def test_weights_are_equal_when_a_pickle_was_converted(
    parts: int, tiny_model: Path, tmp_path: Path
) -> None:
    """Every tensor comes through unchanged, in as many files; transformers loads the result."""
    held = load_file(tiny_model / "model.safetensors")
    folder = pickle_of(tmp_path / "old", held, parts)
    (folder / "config.json").write_bytes((tiny_model / "config.json").read_bytes())

    pickled.to_safetensors(folder, tmp_path / "new")

    files = sorted((tmp_path / "new").glob("*.safetensors"))
    assert len(files) == parts
    made = {name: tensor for path in files for name, tensor in load_file(path).items()}
    assert made.keys() == held.keys()
    assert all(torch.equal(made[name], held[name]) for name in held)
    loaded = LlamaForCausalLM.from_pretrained(tmp_path / "new").state_dict()
    assert all(torch.equal(loaded[name], held[name]) for name in held)


@pytest.mark.parametrize("old", [True, False], ids=["before-1.6", "zip"])
def test_every_type_survives_when_a_pickle_was_converted(old: bool, tmp_path: Path) -> None:
    """Types, scalars, empty tensors and views of a larger one keep their bytes."""
    grid = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    held: dict[str, Any] = {
        "turned": grid.T,
        "column": grid[:, 2],
        "scalar": torch.tensor(7),
        "empty": torch.zeros(0, 3),
        "yes": torch.tensor([True, False]),
        "half": torch.tensor([1.5, float("nan"), float("inf")], dtype=torch.bfloat16),
        "parameter": torch.nn.Parameter(grid * 2),
    }
    folder = pickle_of(tmp_path / "old", held, _use_new_zipfile_serialization=not old)

    pickled.to_safetensors(folder, tmp_path / "new")

    made = load_file(tmp_path / "new" / "model.safetensors")
    for name, tensor in held.items():
        assert made[name].dtype == tensor.dtype
        assert made[name].shape == tensor.shape
        assert torch.equal(made[name].nan_to_num(9), tensor.nan_to_num(9))


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_shared_tensor_is_stored_once_when_the_model_ties_it(tied: bool, tmp_path: Path) -> None:
    """One tensor under two names: the model joins it again, or else each name gets its copy."""
    folder = tiny.make(tmp_path / "old", tied=tied)
    held = dict(load_file(folder / "model.safetensors"))
    (folder / "model.safetensors").unlink()
    held["lm_head.weight"] = held["model.embed_tokens.weight"]
    pickle_of(folder, held)

    pickled.to_safetensors(folder, tmp_path / "new")

    made = load_file(tmp_path / "new" / "model.safetensors")
    assert ("lm_head.weight" in made) is not tied
    loaded = LlamaForCausalLM.from_pretrained(tmp_path / "new").state_dict()
    assert torch.equal(loaded["lm_head.weight"], held["lm_head.weight"])


def test_adapter_becomes_safetensors_when_it_was_pickled(
    tiny_adapter: Path, tmp_path: Path
) -> None:
    """An adapter of old peft is converted by the same verb."""
    held = load_file(tiny_adapter / "adapter_model.safetensors")
    (tmp_path / "old").mkdir()
    torch.save(held, tmp_path / "old" / "adapter_model.bin")

    pickled.to_safetensors(tmp_path / "old", tmp_path / "new")

    made = load_file(tmp_path / "new" / "adapter_model.safetensors")
    assert all(torch.equal(made[name], held[name]) for name in held)


class Evil:
    """A pickle of this runs a command."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (self.command,)


@pytest.mark.parametrize("how", ["torch", "plain"])
def test_pickle_is_refused_when_it_would_run_a_command(how: str, tmp_path: Path) -> None:
    """Nothing runs, nothing is written, and the error says what a pickle can do."""
    folder, trace = tmp_path / "old", tmp_path / "trace"
    held = {"weight": torch.zeros(2), "evil": Evil(f"touch {trace}")}
    if how == "torch":
        pickle_of(folder, held)
    else:
        folder.mkdir()
        (folder / "pytorch_model.bin").write_bytes(pickle.dumps(held["evil"]))

    with pytest.raises(PickleRefused, match="can run programs"):
        pickled.to_safetensors(folder, tmp_path / "new")

    assert not trace.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize(
    "held",
    [
        {"weight": torch.zeros(1).expand(1 << 40)},
        {"weight": torch.zeros(3).to_sparse()},
        {"weight": torch.zeros(3, device="meta")},
        {"weight": torch.zeros(3, dtype=torch.complex64)},
        {"state": {"weight": torch.zeros(3)}},
        {3: torch.zeros(3)},
    ],
    ids=["a terabyte of one number", "sparse", "meta", "complex", "nested", "unnamed"],
)
def test_pickle_is_refused_when_it_is_no_plain_table(held: Any, tmp_path: Path) -> None:
    """What is not a table of plain tensors is named, not guessed at."""
    folder = pickle_of(tmp_path / "old", held)

    with pytest.raises(PickleRefused):
        pickled.to_safetensors(folder, tmp_path / "new")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"\x80\x02garbage", b"hello" * 99])
def test_file_is_refused_when_it_is_damaged(content: bytes, tmp_path: Path) -> None:
    """A file that torch cannot read is a named error."""
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "pytorch_model.bin").write_bytes(content)

    with pytest.raises((WeightsBroken, PickleRefused)):
        pickled.to_safetensors(tmp_path / "old", tmp_path / "new")


@pytest.mark.parametrize("name", ["../secret.bin", "/etc/passwd", "absent.bin", 3])
def test_index_is_refused_when_it_points_elsewhere(name: object, tmp_path: Path) -> None:
    """Parts of a model lie beside their index."""
    (tmp_path / "secret.bin").write_bytes(b"")
    (tmp_path / "old").mkdir()
    index = tmp_path / "old" / "pytorch_model.bin.index.json"
    index.write_text(json.dumps({"weight_map": {"weight": name}}))

    with pytest.raises(WeightsBroken):
        pickled.to_safetensors(tmp_path / "old", tmp_path / "new")

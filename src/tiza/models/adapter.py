"""LoRA adapters in peft's format: merged into their base, or written as a GGUF adapter.

Merging is plain arithmetic, W + alpha/r · B·A (Hu et al. 2021, https://arxiv.org/abs/2106.09685),
tensor by tensor, so that no model is ever loaded. Knows plain LoRA and rank-stabilised LoRA; what
peft offers beyond (DoRA, new embeddings, several adapters in one) is refused.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from gguf import GGMLQuantizationType

from tiza.errors import AdapterMismatch, ModelUnsupported, WeightsBroken
from tiza.models import gguf_file, llama, tensors
from tiza.models.gguf_file import FLOAT32, STRING, Metadata, Value
from tiza.models.hf_folder import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    CONFIG,
    TOKENIZER,
    copy_companions,
    read_json,
)
from tiza.models.place import check_space, new_file, new_folder
from tiza.models.quantise import encode
from tiza.models.record import read_record
from tiza.models.tensors import FLOAT_TYPES, INDEX, Array, Tensor
from tiza.translation import N_

BEYOND = {"use_dora", "use_qalora", "modules_to_save", "trainable_token_indices"}
BEYOND |= {"alora_invocation_tokens", "alpha_pattern", "lora_bias", "target_parameters"}
LORA = re.compile(r"base_model\.model\.(.+)\.lora_([AB])\.weight")

SAMPLE = 4096  # bytes from each end of a tensor

Done = Callable[[], object]


@dataclass(frozen=True)
class Adapter:
    """Of each changed weight, by its name in the base: A (rank, in) and B (out, rank)."""

    path: Path
    config: Mapping[str, Any]
    pairs: Mapping[str, tuple[Tensor, Tensor]]

    def scaling(self, rank: int) -> float:
        """Return the factor of B·A."""
        alpha = float(self.config.get("lora_alpha", rank))
        return alpha / (math.sqrt(rank) if self.config.get("use_rslora") else rank)

    def delta(self, name: str) -> Array:
        """Return what is added to a weight, as float32."""
        a, b = (each.float32() for each in self.pairs[name])
        change: Array = (b @ a) * self.scaling(a.shape[0])
        return change.T if self.config.get("fan_in_fan_out") else change


def read(folder: Path) -> Adapter:
    """Read an adapter.

    Raises:
        WeightsBroken: a file is missing or damaged.
        ModelUnsupported: it is more than plain LoRA.

    """
    config = read_json(folder / ADAPTER_CONFIG)
    kind = config.get("peft_type", "LORA")
    extra = [key for key in sorted(BEYOND) if config.get(key)]
    if config.get("bias", "none") != "none":
        extra.append("bias")
    if kind != "LORA" or extra:
        problem = N_("it is more than plain LoRA ({what})")
        raise ModelUnsupported(path=folder, problem=problem, what=", ".join(extra) or kind)
    path = folder / ADAPTER_WEIGHTS
    if not path.is_file():
        problem = N_("{file} is missing; a pickled one is converted with --to safetensors")
        raise WeightsBroken(path=folder, problem=problem, file=path.name)
    return Adapter(folder, config, dict(_pairs(path, tensors.read(path))))


def _pairs(path: Path, held: Mapping[str, Tensor]) -> Iterator[tuple[str, tuple[Tensor, Tensor]]]:
    halves: dict[str, dict[str, Tensor]] = {}
    for name, tensor in held.items():
        found = LORA.fullmatch(name)
        if found is None or len(tensor.shape) != 2 or tensor.dtype not in FLOAT_TYPES:  # noqa: PLR2004  # a matrix
            raise ModelUnsupported(
                path=path, problem=N_("{name} is not part of a plain LoRA"), name=name
            )
        halves.setdefault(found[1], {})[found[2]] = tensor
    for name, both in halves.items():
        if both.keys() != {"A", "B"} or both["A"].shape[0] != both["B"].shape[1]:
            problem = N_("the two halves of {name} do not fit together")
            raise WeightsBroken(path=path, problem=problem, name=name)
        yield f"{name}.weight", (both["A"], both["B"])


def check_base(adapter: Adapter, base: Path, held: Mapping[str, tuple[int, ...]]) -> None:
    """Make sure that an adapter fits a base: its weights, their shapes, and the tokenizer.

    Raises:
        AdapterMismatch: it does not; says which part.

    """
    for name, (a, b) in adapter.pairs.items():
        shape = (b.shape[0], a.shape[1])
        if adapter.config.get("fan_in_fan_out"):
            shape = shape[::-1]
        if held.get(name) != shape:
            problem = N_("it changes {name} with the shape {shape}, and the base has {base_shape}")
            raise AdapterMismatch(
                path=adapter.path,
                base=base,
                problem=problem,
                name=name,
                shape=shape,
                base_shape=held.get(name),
            )
    noted = read_record(adapter.path).get("base_fingerprint")
    if noted and noted != fingerprint(base):
        raise AdapterMismatch(path=adapter.path, base=base, problem=N_("its weights are others"))
    ours, theirs = adapter.path / TOKENIZER, base / TOKENIZER
    if ours.is_file() and theirs.is_file() and _words(ours) != _words(theirs):
        raise AdapterMismatch(path=adapter.path, base=base, problem=N_("its tokenizer is another"))


def fingerprint(base: Path) -> str:
    """Return a short name for a base's weights, from a sample of every tensor.

    Training notes it in the adapter's `tiza.json` as `base_fingerprint`.
    """
    digest = sha256()
    for name, tensor in sorted(tensors.read_folder(base).items()):
        digest.update(f"{name} {tensor.dtype} {tensor.shape}".encode())
        digest.update(tensor.data[:SAMPLE].tobytes() + tensor.data[-SAMPLE:].tobytes())
    return digest.hexdigest()[:32]


def _words(path: Path) -> tuple[object, object]:
    tokenizer = read_json(path)
    model = tokenizer.get("model") or {}
    added = tokenizer.get("added_tokens") or []
    return model.get("vocab"), {token.get("content"): token.get("id") for token in added}


def merge(folder: Path, base: Path, target: Path, done: Done = bool) -> None:
    """Write the folder `target`: the base with the adapter added to its weights.

    Raises:
        ModelExists: there is something at `target`.
        AdapterMismatch, ModelUnsupported, WeightsBroken, SpaceMissing: as the names say.

    """
    adapter = read(folder)
    shards = {path: tensors.read(path) for path in tensors.files(base)}
    held = {name: tensor for shard in shards.values() for name, tensor in shard.items()}
    check_base(adapter, base, {name: tensor.shape for name, tensor in held.items()})
    check_space(target.parent, sum(path.stat().st_size for path in shards))

    def merged(name: str) -> Tensor:
        if name not in adapter.pairs:
            return held[name]
        return Tensor.of(held[name].float32() + adapter.delta(name), held[name].dtype)

    if whole := [name for name in adapter.pairs if held[name].dtype not in FLOAT_TYPES]:
        problem = N_("its weight {name} is quantised; merge into the model before quantising")
        raise ModelUnsupported(path=base, problem=problem, name=whole[0])
    with new_folder(target) as part:
        for path, shard in shards.items():
            shapes = {name: (tensor.dtype, tensor.shape) for name, tensor in shard.items()}
            tensors.write(part / path.name, shapes, merged, done)
        if (base / INDEX).is_file():
            (part / INDEX).write_bytes((base / INDEX).read_bytes())
        copy_companions(base, part)


def to_gguf(folder: Path, base: Path, target: Path, done: Done = bool) -> None:
    """Write an adapter as the file `target`, which llama.cpp lays over its base at run time.

    In 32 bits: it is small, and the changes are. `base` is the base's folder.

    Raises:
        ModelExists: there is something at `target`.
        AdapterMismatch, ModelUnsupported, WeightsBroken, SpaceMissing: as the names say.

    """
    adapter = read(folder)
    config = read_json(base / CONFIG)
    if not llama.fits(config):
        problem = N_("its base is not a plain Llama model; merge it instead")
        raise ModelUnsupported(path=folder, problem=problem)
    shapes = {name: tensor.shape for name, tensor in tensors.read_folder(base).items()}
    check_base(adapter, base, shapes)
    halves = dict(_halves(adapter, config))
    kind = GGMLQuantizationType.F32
    plan = {name: (kind, rows.shape) for name, rows in halves.items()}
    check_space(target.parent, sum(rows.nbytes for rows in halves.values()))
    with new_file(target) as part:
        gguf_file.write(
            part, _metadata(adapter), plan, lambda name: encode(name, halves[name], kind), done
        )


def _halves(adapter: Adapter, config: llama.Config) -> Iterator[tuple[str, Array]]:
    for name, (a, b) in adapter.pairs.items():
        theirs = llama.gguf_name(name)
        if theirs is None or theirs in ("token_embd.weight", "output.weight"):
            problem = N_("{name} cannot be part of a GGUF adapter; merge it instead")
            raise ModelUnsupported(path=adapter.path, problem=problem, name=name)
        rows, heads = b.float32(), llama.heads(theirs, config)
        yield f"{theirs}.lora_a", a.float32()
        # llama.cpp has one alpha for all and divides it by each pair's own rank; ranks may differ.
        factor = adapter.scaling(a.shape[0]) * a.shape[0] / _alpha(adapter)
        yield (
            f"{theirs}.lora_b",
            (rows if heads is None else llama.to_gguf_order(rows, heads)) * factor,
        )


def _alpha(adapter: Adapter) -> float:
    return float(adapter.config.get("lora_alpha") or 1)


def _metadata(adapter: Adapter) -> Metadata:
    return {
        "general.architecture": Value(STRING, llama.ARCHITECTURE),
        "general.type": Value(STRING, "adapter"),
        "general.name": Value(STRING, adapter.path.name),
        "adapter.type": Value(STRING, "lora"),
        "adapter.lora.alpha": Value(FLOAT32, _alpha(adapter)),
    }

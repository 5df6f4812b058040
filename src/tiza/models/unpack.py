"""GGUF → a folder in Hugging Face's layout: this is how the embedded model becomes trainable.

Numbers are dequantised tensor by tensor and rounded to bfloat16. Knows models of Llama's shape with
a tokenizer that is proven equal on both sides; any other is refused.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path

from tiza.errors import ModelExists, ModelUnsupported, WeightsBroken
from tiza.models import gguf_file, llama, tensors, tokenizer
from tiza.models.find import Model
from tiza.models.gguf_file import Gguf, Stored
from tiza.models.hf_folder import (
    CONFIG,
    GENERATION_CONFIG,
    TOKENIZER,
    TOKENIZER_CONFIG,
    write_json,
)
from tiza.models.place import check_space, new_folder
from tiza.models.quantise import decode
from tiza.models.record import ORIGIN, read_record, write_record
from tiza.models.tensors import Tensor
from tiza.translation import N_

DTYPE = "BF16"
WEIGHTS = "model.safetensors"
ENDS = ("bos_token_id", "eos_token_id", "pad_token_id")


def trainable(model: Model, cache_folder: Path) -> Path:
    """Return a model's folder in Hugging Face's layout, made once from its GGUF if need be.

    Raises:
        ModelUnsupported: the GGUF is of a kind that cannot be unpacked.
        WeightsBroken: the GGUF is damaged.
        SpaceMissing: it would not fit on the disk.

    """
    if model.folder is not None:
        return model.folder
    assert model.gguf is not None  # noqa: S101  # a model has one or the other
    with model.gguf.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    target = cache_folder / f"{model.name}-{digest[:16]}"
    if not target.is_dir():
        with suppress(ModelExists):  # another process was faster
            unpack(model.gguf, target)
    if ORIGIN not in read_record(target):
        write_record(target, {ORIGIN: str(model.gguf.resolve())})
    return target


def unpack(path: Path, target: Path, done: Callable[[], object] = bool) -> None:
    """Write the folder `target` from a GGUF.

    Raises:
        ModelExists: there is something at `target`.
        ModelUnsupported, WeightsBroken, SpaceMissing: as `trainable`.

    """
    gguf = gguf_file.read(path)
    _check_kind(path, gguf)
    try:
        config = llama.config_of(gguf, tied="output.weight" not in gguf.tensors)
        shapes = _shapes(path, gguf)
        check_space(target.parent, tensors.bytes_of(shapes))
        with new_folder(target) as part:
            write_json(part / CONFIG, config)
            ends = {key: config[key] for key in ENDS if config[key] is not None}
            write_json(part / GENERATION_CONFIG, {"_from_model_config": True, **ends})
            (part / TOKENIZER).write_text(json.dumps(tokenizer.tokenizer_json(gguf)), "utf-8")
            write_json(part / TOKENIZER_CONFIG, tokenizer.tokenizer_config(gguf))
            back = {llama.hf_name(name): (name, stored) for name, stored in gguf.tensors.items()}
            tensors.write(part / WEIGHTS, shapes, lambda n: _tensor(*back[n], config), done)
    except (KeyError, IndexError, TypeError, ValueError, ZeroDivisionError) as exc:
        raise WeightsBroken(path=path, problem=N_("its metadata do not fit together")) from exc


def count(path: Path) -> int:
    """Return how many tensors a GGUF has."""
    return len(gguf_file.read(path).tensors)


def _check_kind(path: Path, gguf: Gguf) -> None:
    architecture = gguf.get("general.architecture")
    if architecture != llama.ARCHITECTURE or gguf.get("general.type", "model") != "model":
        problem = N_("its architecture is {name}; fetch its safetensors with `tiza model pull`")
        raise ModelUnsupported(path=path, problem=problem, name=architecture)
    if not tokenizer.understood(gguf):
        problem = N_("its tokenizer is {name}; fetch its safetensors with `tiza model pull`")
        name = f"{gguf.get('tokenizer.ggml.model')}/{gguf.get('tokenizer.ggml.pre')}"
        raise ModelUnsupported(path=path, problem=problem, name=name)


def _shapes(path: Path, gguf: Gguf) -> dict[str, tuple[str, tuple[int, ...]]]:
    shapes = {}
    for name, stored in gguf.tensors.items():
        theirs = llama.hf_name(name)
        if theirs is None:
            problem = N_("it has the tensor {name}, which plain Llama models lack")
            raise ModelUnsupported(path=path, problem=problem, name=name)
        shapes[theirs] = (DTYPE, stored.shape)
    return shapes


def _tensor(name: str, stored: Stored, config: llama.Config) -> Tensor:
    rows = decode(stored)
    heads = llama.heads(name, config)
    return Tensor.of(rows if heads is None else llama.to_hf_order(rows, heads), DTYPE)

"""Pickled weights (`pytorch_model.bin`, also in parts) → safetensors.

A pickle is a program. It is read by torch's own restricted reader, which builds tensors and nothing
else, and what it built is checked before a byte is copied. The only module here that knows torch.
"""

import json
import pickle
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tiza.errors import MissingExtra, PickleRefused, WeightsBroken
from tiza.models import tensors
from tiza.models.hf_folder import CONFIG, copy_companions, read_json
from tiza.models.place import check_space, new_folder
from tiza.models.tensors import INDEX, Tensor
from tiza.translation import N_

PICKLE_INDEX = "pytorch_model.bin.index.json"
SINGLE = {
    "pytorch_model.bin": "model.safetensors",
    "adapter_model.bin": "adapter_model.safetensors",
}
PART = re.compile(r"pytorch_model(-\d+-of-\d+)\.bin")
DTYPES = {"float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "bool": "BOOL"}
DTYPES |= {"int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8", "uint8": "U8"}

Done = Callable[[], object]


def is_pickled(folder: Path) -> bool:
    """Tell whether a folder has weights as pickles."""
    return any((folder / name).is_file() for name in (PICKLE_INDEX, *SINGLE))


def to_safetensors(folder: Path, target: Path, done: Done = bool) -> None:
    """Write the folder `target` with the same weights as safetensors, and compare every byte.

    Raises:
        ModelExists: there is something at `target`.
        PickleRefused: a file holds more than plain tensors.
        WeightsBroken: a file is damaged, or what was written differs.
        SpaceMissing: it would not fit on the disk.

    """
    sources = _sources(folder)
    check_space(target.parent, sum(path.stat().st_size for path in sources))
    drop_tied = _ties(folder)
    places: dict[str, str] = {}
    with new_folder(target) as part:
        for path, name in sources.items():
            held = _tensors(path, drop_tied=drop_tied)
            _write(part / name, held)
            _compare(part / name, held, done)
            places |= dict.fromkeys(held, name)
        if len(sources) > 1:
            index = {"metadata": {}, "weight_map": places}
            (part / INDEX).write_text(json.dumps(index, indent=2) + "\n", "utf-8")
        copy_companions(folder, part)


def _sources(folder: Path) -> dict[Path, str]:
    """Return the pickles, and the name that each one's successor gets."""
    if (folder / PICKLE_INDEX).is_file():
        paths = tensors.shards(folder / PICKLE_INDEX)
        names = {path: PART.fullmatch(path.name) for path in paths}
        for path, found in names.items():
            if found is None:
                problem = N_("it names {file}")
                raise WeightsBroken(path=folder / PICKLE_INDEX, problem=problem, file=path.name)
        return {path: f"model{found[1]}.safetensors" for path, found in names.items() if found}
    return {folder / old: new for old, new in SINGLE.items() if (folder / old).is_file()}


def _ties(folder: Path) -> bool:
    """Tell whether the model itself joins weights that are one tensor under two names."""
    path = folder / CONFIG
    return path.is_file() and read_json(path).get("tie_word_embeddings") is True


def _tensors(path: Path, *, drop_tied: bool) -> dict[str, Any]:
    """Return a pickle's tensors by name, mapped from the file where its format allows."""
    try:
        import torch
    except ImportError as exc:
        raise MissingExtra(package="torch", command="pip install 'tiza[train]'") from exc
    try:
        mapped = zipfile.is_zipfile(path)
        with warnings.catch_warnings(action="ignore"):  # what it warns of, it then refuses
            held = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as exc:
        reason = str(exc).partition("\n")[0]
        problem = N_("it wants to do more than build tensors")
        raise PickleRefused(path=path, problem=problem) from ValueError(reason)
    except (RuntimeError, ValueError, EOFError, KeyError, TypeError, AttributeError) as exc:
        raise WeightsBroken(path=path, problem=N_("torch cannot read it")) from exc
    if not isinstance(held, Mapping):
        raise PickleRefused(path=path, problem=N_("it is not a table of tensors"))
    return dict(_checked(path, held, drop_tied=drop_tied))


def _checked(path: Path, held: Mapping[Any, Any], *, drop_tied: bool) -> Iterator[tuple[str, Any]]:
    import torch

    seen = set()
    for name, tensor in held.items():
        plain = isinstance(name, str) and isinstance(tensor, torch.Tensor)
        if not plain or not _dense(tensor):
            problem = N_("{name} is not a plain tensor")
            raise PickleRefused(path=path, problem=problem, name=str(name))
        if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
            problem = N_("{name} claims more numbers than the file holds")
            raise PickleRefused(path=path, problem=problem, name=name)
        view = (tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), tensor.dtype)
        if not (drop_tied and tensor.numel() and view in seen):
            yield name, tensor
        seen.add(view)


def _dense(tensor: Any) -> bool:
    kind = (str(tensor.layout), tensor.device.type, tensor.is_quantized)
    return kind == ("torch.strided", "cpu", False) and str(tensor.dtype)[6:] in DTYPES


def _bytes(tensor: Any) -> Tensor:
    """Return a torch tensor as it will lie in the file; a view is copied out of what it shares."""
    import torch

    whole = tensor.detach().contiguous().reshape(-1)
    data = whole.view(torch.uint8).numpy() if whole.numel() else np.zeros(0, np.uint8)
    return Tensor(DTYPES[str(tensor.dtype)[6:]], tuple(tensor.shape), data)


def _write(path: Path, held: Mapping[str, Any]) -> None:
    shapes = {name: (DTYPES[str(t.dtype)[6:]], tuple(t.shape)) for name, t in held.items()}
    tensors.write(path, shapes, lambda name: _bytes(held[name]), bool)


def _compare(path: Path, held: Mapping[str, Any], done: Done) -> None:
    written = tensors.read(path)
    for name, tensor in held.items():
        if not np.array_equal(written[name].data, _bytes(tensor).data):
            raise WeightsBroken(
                path=path, problem=N_("{name} was not written as it was read"), name=name
            )
        done()

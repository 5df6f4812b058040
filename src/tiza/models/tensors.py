"""Safetensors files, read and written tensor by tensor without loading a model.

A file is 8 bytes with the length of a JSON header, the header, and the data
(https://huggingface.co/docs/safetensors). Files come from strangers, so that every number in them
is checked before it is used, and data is mapped, not read. Knows bfloat16, which numpy does not;
knows nothing of what the tensors mean.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiza.errors import WeightsBroken
from tiza.translation import N_

Array = NDArray[Any]

INDEX = "model.safetensors.index.json"
MOST_HEADER = 100_000_000  # bytes, as in the reference implementation
WIDTHS = {"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2}
WIDTHS |= {"I16": 2, "U16": 2, "I8": 1, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1}
FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
FLOAT_TYPES = {*FLOATS, "BF16"}


@dataclass(frozen=True)
class Tensor:
    """A type, a shape and the bytes (one-dimensional, uint8, often mapped from a file)."""

    dtype: str
    shape: tuple[int, ...]
    data: Array

    def float32(self) -> Array:
        """Return the numbers; exact for every type up to 32 bits."""
        if self.dtype == "BF16":
            wide = self.data.view("<u2").astype(np.uint32) << np.uint32(16)
            return wide.view(np.float32).reshape(self.shape)
        return self.data.view(FLOATS[self.dtype]).astype(np.float32).reshape(self.shape)

    @classmethod
    def of(cls, numbers: Array, dtype: str) -> "Tensor":
        """Round numbers to a floating type (to the nearest, ties to even)."""
        if dtype == "BF16":
            bits = np.ascontiguousarray(numbers, "<f4").view(np.uint32)
            rounded = bits + ((bits >> np.uint32(16)) & np.uint32(1))
            rounded += np.uint32(0x7FFF)
            stored = np.where(np.isnan(numbers), bits | np.uint32(0x400000), rounded)
            stored = (stored >> np.uint32(16)).astype("<u2")
        else:
            stored = np.ascontiguousarray(numbers, FLOATS[dtype])
        return cls(dtype, numbers.shape, stored.reshape(-1).view(np.uint8))


def read(path: Path) -> dict[str, Tensor]:
    """Map a file's tensors, in the order of their data.

    Raises:
        WeightsBroken: the file is not valid; says where.

    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 0 < length <= min(MOST_HEADER, size - 8):
            raise WeightsBroken(path=path, problem=N_("its header has an impossible length"))
        text = file.read(length)
    try:
        header = json.loads(text)
        entries = [_entry(*item) for item in header.items() if item[0] != "__metadata__"]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise WeightsBroken(path=path, problem=N_("its header is not valid")) from exc
    entries.sort(key=lambda entry: (entry[3], entry[4]))
    ends = [0, *(entry[4] for entry in entries)]
    starts = [*(entry[3] for entry in entries), size - 8 - length]
    if ends != starts:
        raise WeightsBroken(path=path, problem=N_("the places of its tensors do not fit its size"))
    if not entries:
        return {}
    if size == 8 + length:  # nothing can be mapped
        data: Array = np.zeros(0, np.uint8)
    else:
        data = np.asarray(np.memmap(path, np.uint8, "r", 8 + length))
    return {
        name: Tensor(dtype, shape, data[begin:end]) for name, dtype, shape, begin, end in entries
    }


def _entry(name: str, facts: Mapping[str, Any]) -> tuple[str, str, tuple[int, ...], int, int]:
    dtype, shape, (begin, end) = facts["dtype"], tuple(facts["shape"]), facts["data_offsets"]
    numbers = (*shape, begin, end)
    if not all(isinstance(n, int) and 0 <= n < 1 << 62 for n in numbers):
        raise ValueError(name)
    if end - begin != math.prod(shape) * WIDTHS[dtype]:
        raise ValueError(name)
    return name, dtype, shape, begin, end


def files(folder: Path) -> list[Path]:
    """Return the safetensors files of a model's folder: those of its index, else all.

    Raises:
        WeightsBroken: the index is not valid, or names a file that is missing or elsewhere.

    """
    index = folder / INDEX
    if not index.is_file():
        return sorted(folder.glob("*.safetensors"))
    return shards(index)


def shards(index: Path) -> list[Path]:
    """Return the files that an index names, each once.

    Raises:
        WeightsBroken: as `files`.

    """
    try:
        names = sorted(set(json.loads(index.read_bytes())["weight_map"].values()))
        inside = all(name == Path(name).name for name in names)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise WeightsBroken(path=index, problem=N_("it is not an index of weights")) from exc
    for name in names:
        if not inside or not (index.parent / name).is_file():
            raise WeightsBroken(path=index, problem=N_("it names {file}"), file=name)
    return [index.parent / name for name in names]


def read_folder(folder: Path) -> dict[str, Tensor]:
    """Map all tensors of a model.

    Raises:
        WeightsBroken: a file is not valid, or two hold the same tensor.

    """
    found: dict[str, Tensor] = {}
    for path in files(folder):
        tensors = read(path)
        if twice := found.keys() & tensors.keys():
            raise WeightsBroken(path=path, problem=N_("{name} is in two files"), name=min(twice))
        found |= tensors
    return found


Shapes = Mapping[str, tuple[str, tuple[int, ...]]]


def write(
    path: Path, shapes: Shapes, tensor: Callable[[str], Tensor], done: Callable[[], object]
) -> None:
    """Write a file; `tensor` makes one at a time, `done` hears of each."""
    sizes = [math.prod(shape) * WIDTHS[dtype] for dtype, shape in shapes.values()]
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    for (name, (dtype, shape)), (begin, end) in zip(
        shapes.items(), pairwise(_sums(sizes)), strict=True
    ):
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name, (dtype, shape) in shapes.items():
            made = tensor(name)
            assert (made.dtype, made.shape) == (dtype, shape), name  # noqa: S101  # the header's
            file.write(made.data.data)
            done()


def bytes_of(shapes: Shapes) -> int:
    """Return how much the data of a file will take."""
    return sum(math.prod(shape) * WIDTHS[dtype] for dtype, shape in shapes.values())


def _sums(sizes: Iterable[int]) -> list[int]:
    sums = [0]
    for size in sizes:
        sums.append(sums[-1] + size)
    return sums

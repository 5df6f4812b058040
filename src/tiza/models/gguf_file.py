"""GGUF files, read and written tensor by tensor.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little endian.
Files come from strangers: every count, length and offset is checked against the file's size before
memory is asked for, and data is mapped, not read. Knows nothing of what keys and tensors mean.
"""

import math
import mmap
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from numpy.typing import NDArray

from tiza.errors import WeightsBroken
from tiza.translation import N_

MAGIC = b"GGUF"
VERSIONS = (2, 3)
ALIGNMENT = 32
MOST_ITEMS = 1 << 23  # of all lists together; the largest vocabularies have 2^18
MOST_DIMENSIONS = 4
MOST_NAME = 64  # bytes, of a tensor's name, with the zero that llama.cpp adds
NARROWEST, WIDEST = 8, 1 << 16  # alignment

UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
SCALARS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}


class Value(NamedTuple):
    """A value of the metadata: its type's number, itself, and for an array the items' type."""

    kind: int
    value: Any
    item: int = 0


Metadata = dict[str, Value]


@dataclass(frozen=True)
class Stored:
    """A tensor: its type, its shape (rows first, as in numpy), and its bytes (uint8, flat)."""

    type: GGMLQuantizationType
    shape: tuple[int, ...]
    data: NDArray[np.uint8]


@dataclass(frozen=True)
class Gguf:
    """What a file holds."""

    metadata: Metadata
    tensors: dict[str, Stored]

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value of the metadata."""
        found = self.metadata.get(key)
        return default if found is None else found.value


def read(path: Path) -> Gguf:
    """Read the metadata and map the tensors.

    Raises:
        WeightsBroken: the file is not valid; says how.

    """
    with path.open("rb") as file:
        if file.read(4) != MAGIC:
            raise WeightsBroken(path=path, problem=N_("it does not begin with GGUF"))
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            try:
                return _Reader(path, view).all()
            except (struct.error, UnicodeDecodeError, IndexError) as exc:
                raise WeightsBroken(path=path, problem=N_("it is cut off")) from exc


class _Reader:
    """A place in the file that moves forward."""

    def __init__(self, path: Path, view: mmap.mmap) -> None:
        self.path, self.view, self.at, self.size = path, view, 4, len(view)
        self.items = 0

    def all(self) -> Gguf:
        version = self.scalar("I")
        if version not in VERSIONS:
            raise self.broken(N_("its version is {version}"), version=version)
        tensors, keys = self.scalar("Q"), self.scalar("Q")
        self.check(tensors * 24 + keys * 13)  # the least that each takes
        metadata: Metadata = {}
        for _ in range(keys):
            key = self.string()
            if key in metadata:
                raise self.broken(N_("it has {name} twice"), name=key)
            metadata[key] = self.value(self.scalar("I"))
        places = self.places(tensors)
        return Gguf(metadata, self.map(places, metadata.get("general.alignment")))

    def scalar(self, code: str) -> Any:
        (value,) = struct.unpack_from("<" + code, self.view, self.at)
        self.at += struct.calcsize("<" + code)
        return value

    def string(self) -> str:
        length = self.scalar("Q")
        self.check(length)
        begin, self.at = self.at, self.at + length
        return self.view[begin : self.at].decode("utf-8", "surrogateescape")

    def value(self, kind: int) -> Value:
        if kind == STRING:
            return Value(kind, self.string())
        if kind != ARRAY:
            return Value(kind, self.scalar(self.code(kind)))
        item, count = self.scalar("I"), self.scalar("Q")
        self.items += count
        if self.items > MOST_ITEMS:
            raise self.broken(N_("it has a list of {count} items"), count=count)
        if item == STRING:
            self.check(8 * count)
            return Value(kind, [self.string() for _ in range(count)], item)
        code = self.code(item)
        self.check(struct.calcsize(code) * count)
        values = list(struct.unpack_from(f"<{count}{code}", self.view, self.at))
        self.at += struct.calcsize(f"<{count}{code}")
        return Value(kind, values, item)

    def code(self, kind: int) -> str:
        if kind not in SCALARS:
            raise self.broken(N_("it has a value of the unknown type {kind}"), kind=kind)
        return SCALARS[kind]

    def places(self, count: int) -> dict[str, tuple[GGMLQuantizationType, tuple[int, ...], int]]:
        found: dict[str, tuple[GGMLQuantizationType, tuple[int, ...], int]] = {}
        for _ in range(count):
            name, dimensions = self.string(), self.scalar("I")
            if name in found:
                raise self.broken(N_("it has {name} twice"), name=name)
            if not 1 <= dimensions <= MOST_DIMENSIONS or len(name.encode()) >= MOST_NAME:
                raise self.broken(N_("{name} has an impossible shape"), name=name[:MOST_NAME])
            shape = tuple(self.scalar("Q") for _ in range(dimensions))[::-1]
            kind = self.scalar("I")
            if kind not in GGMLQuantizationType.__members__.values():
                raise self.broken(
                    N_("{name} is stored as the unknown type {kind}"), name=name, kind=kind
                )
            found[name] = GGMLQuantizationType(kind), shape, self.scalar("Q")
        return found

    def map(
        self,
        places: Mapping[str, tuple[GGMLQuantizationType, tuple[int, ...], int]],
        alignment: Value | None,
    ) -> dict[str, Stored]:
        align = ALIGNMENT if alignment is None else alignment.value
        if not isinstance(align, int) or not NARROWEST <= align <= WIDEST or align & (align - 1):
            raise self.broken(N_("its alignment is {value}"), value=align)
        start, end = -(-self.at // align) * align, 0
        tensors = {}
        data = np.asarray(np.memmap(self.path, np.uint8, "r"))
        for name, (kind, shape, offset) in sorted(places.items(), key=lambda item: item[1][2]):
            size = bytes_of(kind, shape)
            if size is None or 0 in shape:
                raise self.broken(N_("{name} has an impossible shape"), name=name)
            if offset % align or offset < end or start + offset + size > self.size:
                raise self.broken(N_("the place of {name} is outside, or taken"), name=name)
            end = offset + size
            tensors[name] = Stored(kind, shape, data[start + offset : start + end])
        return tensors

    def check(self, length: int) -> None:
        if self.at + length > self.size:
            raise self.broken(N_("it is cut off"))

    def broken(self, problem: str, **data: object) -> WeightsBroken:
        return WeightsBroken(path=self.path, problem=problem, **data)


def bytes_of(kind: GGMLQuantizationType, shape: tuple[int, ...]) -> int | None:
    """Return how much a tensor takes; None if its rows cannot be stored so."""
    block, size = GGML_QUANT_SIZES[kind]
    return None if shape[-1] % block else math.prod(shape) // block * size


Plan = Mapping[str, tuple[GGMLQuantizationType, tuple[int, ...]]]


def write(
    path: Path,
    metadata: Metadata,
    plan: Plan,
    data: Callable[[str], NDArray[np.uint8]],
    done: Callable[[], object],
) -> None:
    """Write a file; `data` makes one tensor's bytes at a time, `done` hears of each."""
    head = [MAGIC, struct.pack("<IQQ", VERSIONS[-1], len(plan), len(metadata))]
    for key, value in metadata.items():
        head += [_string(key), struct.pack("<I", value.kind), *_packed(value)]
    offset = 0
    for name, (kind, shape) in plan.items():
        sizes = struct.pack(f"<I{len(shape)}Q", len(shape), *shape[::-1])
        head += [_string(name), sizes, struct.pack("<IQ", kind, offset)]
        offset += _aligned(bytes_of(kind, shape) or 0)
    text = b"".join(head)
    with path.open("wb") as file:
        file.write(text.ljust(_aligned(len(text)), b"\0"))
        for name, (kind, shape) in plan.items():
            made = data(name)
            assert made.nbytes == bytes_of(kind, shape), name  # noqa: S101  # the header's
            file.write(made.data)
            file.write(b"\0" * (_aligned(made.nbytes) - made.nbytes))
            done()


def strings(values: Iterable[str]) -> Value:
    """Return a list of texts as a value."""
    return Value(ARRAY, list(values), STRING)


def integers(values: Iterable[int]) -> Value:
    """Return a list of whole numbers as a value."""
    return Value(ARRAY, list(values), INT32)


def _aligned(length: int) -> int:
    return -(-length // ALIGNMENT) * ALIGNMENT


def _string(text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    return struct.pack("<Q", len(data)) + data


def _packed(value: Value) -> list[bytes]:
    if value.kind == STRING:
        return [_string(value.value)]
    if value.kind != ARRAY:
        return [struct.pack("<" + SCALARS[value.kind], value.value)]
    start = struct.pack("<IQ", value.item, len(value.value))
    if value.item == STRING:
        return [start, *map(_string, value.value)]
    return [start, struct.pack(f"<{len(value.value)}{SCALARS[value.item]}", *value.value)]

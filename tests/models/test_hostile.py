"""Files from strangers: damaged, cut off, or made to do harm."""

import json
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType as Kind

from tiza.errors import WeightsBroken
from tiza.models import gguf_file, tensors
from tiza.models.gguf_file import STRING, UINT32, Value
from tiza.models.quantise import encode
from tiza.models.tensors import Tensor

HUGE = 1 << 60


def gguf(path: Path) -> Path:
    """Write a small valid GGUF: a text, a list, two tensors."""
    numbers = np.arange(64, dtype=np.float32).reshape(2, 32)
    metadata = {
        "general.architecture": Value(STRING, "llama"),
        "llama.block_count": Value(UINT32, 2),
        "tokenizer.ggml.tokens": gguf_file.strings(["a", "ñ", "😀"]),
        "tokenizer.ggml.token_type": gguf_file.integers([1, 3, -1]),
    }
    plan = {"a.weight": (Kind.F32, (2, 32)), "b.weight": (Kind.Q8_0, (2, 32))}
    gguf_file.write(path, metadata, plan, lambda n: encode(n, numbers, plan[n][0]), bool)
    return path


def head(version: int = 3, tensors: int = 0, keys: int = 0) -> bytes:
    """Return the beginning of a GGUF."""
    return b"GGUF" + struct.pack("<IQQ", version, tensors, keys)


def text(value: str) -> bytes:
    """Return a text as GGUF stores it."""
    return struct.pack("<Q", len(value)) + value.encode()


def place(name: str, shape: tuple[int, ...], kind: int = 0, offset: int = 0) -> bytes:
    """Return what a GGUF says of one tensor."""
    sizes = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
    return text(name) + sizes + struct.pack("<IQ", kind, offset)


def test_gguf_reads_back_when_it_was_written(tmp_path: Path) -> None:
    """Values of every kind and the bytes of tensors come back as they went in."""
    from gguf import GGUFReader

    path = gguf(tmp_path / "a.gguf")
    found, theirs = gguf_file.read(path), GGUFReader(path)

    assert found.get("tokenizer.ggml.tokens") == ["a", "ñ", "😀"]
    assert found.get("tokenizer.ggml.token_type") == [1, 3, -1]
    assert {t.name: tuple(int(n) for n in t.shape)[::-1] for t in theirs.tensors} == {
        name: tensor.shape for name, tensor in found.tensors.items()
    }
    for tensor in theirs.tensors:
        assert tensor.data.tobytes() == found.tensors[tensor.name].data.tobytes()


LIST = struct.pack("<I", 9)
BAD_GGUF = {
    "empty": b"",
    "another kind": b"GGML" + bytes(64),
    "a version of the future": head(version=99),
    "a version in the other order": b"GGUF" + struct.pack(">IQQ", 3, 0, 0),
    "too many tensors": head(tensors=HUGE) + bytes(99),
    "too many keys": head(keys=HUGE) + bytes(99),
    "a key without end": head(keys=1) + struct.pack("<Q", HUGE) + bytes(99),
    "a list without end": head(keys=1) + text("k") + LIST + struct.pack("<IQ", 4, HUGE),
    "a list of lists": head(keys=1) + text("k") + LIST + struct.pack("<IQ", 9, 3) + bytes(99),
    "texts without end": head(keys=1) + text("k") + LIST + struct.pack("<IQ", 8, 1 << 40),
    "a value of no type": head(keys=1) + text("k") + struct.pack("<I", 77) + bytes(8),
    "a key twice": head(keys=2) + (text("k") + struct.pack("<IB", 7, 1)) * 2,
    "a tensor beyond the end": head(tensors=1) + place("t", (32,), 0, 4096) + bytes(256),
    "a tensor larger than numbers": head(tensors=1) + place("t", (HUGE, HUGE)) + bytes(256),
    "a tensor of five dimensions": head(tensors=1) + place("t", (1,) * 5) + bytes(256),
    "a tensor of no type": head(tensors=1) + place("t", (32,), 4) + bytes(256),
    "half a block": head(tensors=1) + place("t", (31,), 8) + bytes(256),
    "an odd offset": head(tensors=1) + place("t", (32,), 0, 3) + bytes(256),
    "two in one place": head(tensors=2) + place("t", (32,)) + place("u", (32,)) + bytes(256),
    "a name without end": head(tensors=1) + place("t" * 200, (32,)) + bytes(256),
    "an alignment of zero": head(3, 1, 1)
    + (text("general.alignment") + struct.pack("<II", 4, 0))
    + place("t", (32,))
    + bytes(256),
}


@pytest.mark.parametrize("content", BAD_GGUF.values(), ids=BAD_GGUF)
def test_gguf_is_refused_when_it_lies(content: bytes, tmp_path: Path) -> None:
    """A lie is named before memory is asked for."""
    path = tmp_path / "a.gguf"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(WeightsBroken, match=r"a\.gguf"):
            gguf_file.read(path)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_gguf_is_refused_when_it_is_cut_off_anywhere(tmp_path: Path) -> None:
    """No beginning of a file passes for the whole."""
    whole = gguf(tmp_path / "whole.gguf").read_bytes()
    path = tmp_path / "part.gguf"
    for length in range(0, len(whole) - 32, 7):  # the last block is padding
        path.write_bytes(whole[:length])
        with pytest.raises(WeightsBroken):
            gguf_file.read(path)


def safetensors(header: object, data: bytes = b"", length: int | None = None) -> bytes:
    """Return a file with this header."""
    words = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(words) if length is None else length) + words + data


def one(**more: object) -> dict[str, object]:
    """Return a header with one tensor of four bytes, changed."""
    return {"t": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} | more}


TWO = {**one(), "u": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
BAD_SAFETENSORS = {
    "empty": b"",
    "a header without end": safetensors({}, length=HUGE),
    "no JSON": safetensors(b"{]"),
    "a list": safetensors([]),
    "a nest": safetensors(b"[" * 100_000),
    "no shape": safetensors({"t": {}}),
    "another type": safetensors(one(dtype="F7"), bytes(4)),
    "a negative shape": safetensors(one(shape=[-1, -1]), bytes(4)),
    "a shape of halves": safetensors(one(shape=[0.5, 2]), bytes(4)),
    "a huge shape": safetensors(one(shape=[HUGE, HUGE]), bytes(4)),
    "an offset beyond the end": safetensors(one(data_offsets=[4, 8]), bytes(4)),
    "an end before the beginning": safetensors(one(data_offsets=[4, 0]), bytes(4)),
    "cut off": safetensors(one(), bytes(3)),
    "something behind": safetensors(one(), bytes(5)),
    "two in one place": safetensors(TWO, bytes(4)),
}


@pytest.mark.parametrize("content", BAD_SAFETENSORS.values(), ids=BAD_SAFETENSORS)
def test_safetensors_are_refused_when_they_lie(content: bytes, tmp_path: Path) -> None:
    """A lie is named before memory is asked for."""
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)

    with pytest.raises(WeightsBroken, match=r"a\.safetensors"):
        tensors.read(path)


def test_safetensors_are_equal_when_the_reference_reads_and_writes_them(tmp_path: Path) -> None:
    """Our files are read by the package `safetensors`, and its files by us, with equal bytes."""
    import torch
    from safetensors.torch import load_file, save_file

    held = {
        "a": torch.randn(3, 5),
        "b": torch.randn(7).to(torch.bfloat16),
        "c": torch.tensor([True, False, True]),
        "d": torch.zeros(0, 4),
        "e": torch.tensor(5),
    }
    save_file(held, tmp_path / "theirs.safetensors")
    read = tensors.read(tmp_path / "theirs.safetensors")

    shapes = {name: (tensor.dtype, tensor.shape) for name, tensor in read.items()}
    tensors.write(tmp_path / "ours.safetensors", shapes, read.__getitem__, bool)

    back = load_file(tmp_path / "ours.safetensors")
    assert all(torch.equal(back[n], t) and back[n].dtype == t.dtype for n, t in held.items())


def test_bfloat16_is_rounded_as_torch_does_when_numbers_are_odd() -> None:
    """To the nearest, ties to even; infinities stay, and NaN stays NaN."""
    import torch

    odd = [0.0, -0.0, 1.00390625, 1.01171875, 3e38, 3.4e38, 1e-40, np.inf, -np.inf, np.nan]
    numbers = np.array([*odd, *np.random.default_rng(0).normal(size=999)], np.float32)

    ours = Tensor.of(numbers, "BF16").float32()

    theirs = torch.from_numpy(numbers).to(torch.bfloat16).float().numpy()
    assert np.array_equal(ours, theirs, equal_nan=True)

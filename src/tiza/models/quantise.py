"""Numbers as llama.cpp stores them, and back; the arithmetic of the formats is `gguf`'s.

Knows single tensors, no files.
"""

from collections.abc import Mapping

import numpy as np
from gguf import GGML_QUANT_SIZES, LlamaFileType, dequantize, quantize
from gguf import GGMLQuantizationType as Kind
from numpy.typing import NDArray

from tiza.errors import WeightsBroken
from tiza.models.gguf_file import Plan, Stored
from tiza.models.tensors import Array
from tiza.translation import N_

KINDS = {
    "f32": (Kind.F32, LlamaFileType.ALL_F32),
    "f16": (Kind.F16, LlamaFileType.MOSTLY_F16),
    "bf16": (Kind.BF16, LlamaFileType.MOSTLY_BF16),
    "q8_0": (Kind.Q8_0, LlamaFileType.MOSTLY_Q8_0),
    "q5_1": (Kind.Q5_1, LlamaFileType.MOSTLY_Q5_1),
    "q5_0": (Kind.Q5_0, LlamaFileType.MOSTLY_Q5_0),
    "q4_1": (Kind.Q4_1, LlamaFileType.MOSTLY_Q4_1),
    "q4_0": (Kind.Q4_0, LlamaFileType.MOSTLY_Q4_0),
}
WIDE = (Kind.F32, Kind.F16, Kind.BF16, Kind.Q8_0)
DELICATE = ("token_embd.weight", "output.weight")  # kept at q8_0 at least, as llama.cpp does
MOST_F16 = 65504.0
AT_ONCE = 1 << 16  # numbers in a row of `_wide`; `gguf` works on 16 rows at a time


def plan(shapes: Mapping[str, tuple[int, ...]], kind: str) -> Plan:
    """Decide how each tensor of a model is stored when the model is to be of a kind."""
    return {name: (_kind_of(name, shape, KINDS[kind][0]), shape) for name, shape in shapes.items()}


def _kind_of(name: str, shape: tuple[int, ...], kind: Kind) -> Kind:
    if len(shape) == 1:
        return Kind.F32
    if name in DELICATE and kind not in WIDE:
        kind = Kind.Q8_0
    return Kind.F16 if shape[-1] % GGML_QUANT_SIZES[kind][0] else kind


def decode(stored: Stored) -> Array:
    """Return a tensor's numbers as float32; `NotImplementedError` if the kind is not known."""
    rows = stored.data.reshape(*stored.shape[:-1], -1)
    return dequantize(_wide(rows), stored.type).reshape(stored.shape)


def encode(name: str, rows: Array, kind: Kind) -> NDArray[np.uint8]:
    """Return a tensor's bytes in a kind.

    Raises:
        WeightsBroken: a number is not finite, or too large for the kind.

    """
    limit = np.finfo(np.float32).max if kind in (Kind.F32, Kind.BF16) else MOST_F16
    if rows.size and not max(rows.max(), -rows.min()) <= limit:  # also false for NaN
        problem = N_("a number of this tensor is infinite, missing, or too large for {kind}")
        raise WeightsBroken(path=name, problem=problem, kind=kind.name.lower())
    return quantize(_wide(np.ascontiguousarray(rows)), kind).reshape(-1).view(np.uint8)


def _wide(rows: Array) -> Array:
    """Join rows, which makes no difference to the blocks in them, but to the time it takes."""
    count, width = rows.size // max(rows.shape[-1], 1), rows.shape[-1]
    while count % 2 == 0 and 0 < width < AT_ONCE:
        count, width = count // 2, width * 2
    return rows.reshape(count, width)

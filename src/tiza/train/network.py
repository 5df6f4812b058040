"""What the loop needs of a network, whichever way it computes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import Parameter

from tiza.train.targets import Target


class Network(Protocol):
    """A base model with something in it that learns. Rows are named by their number."""

    name: str
    device: torch.device
    vocabulary: int

    def parameters(self) -> Mapping[str, Parameter]:
        """Return what learns, by name, always in the same order."""
        ...

    def base_targets(self, rows: Sequence[int], top: int) -> Target:
        """Return the base's own distribution at the learned positions of the rows."""
        ...

    def losses(self, rows: Sequence[int], target: Target) -> Tensor:
        """Return the cross-entropy of each learned position, row after row [n]."""
        ...

    def save(self, folder: Path) -> None:
        """Write the result into an empty folder."""
        ...


def has_bfloat16(device: torch.device) -> bool:
    """Tell whether the hardware multiplies bfloat16 faster than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    amx = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    return bool(amx())

"""The state of an unfinished run: one file, replaced in one step, without a pickle in it.

Holds what learns, the optimiser's two moments of each, and a few numbers. The order of the rows is
no state: see `plan`.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import Parameter

MOMENTS = ("exp_avg", "exp_avg_sq", "step")


@dataclass(frozen=True)
class State:
    """Where the loop stands. `best` is the least loss on the held-out rows, `bad` epochs since."""

    step: int = 0
    best: float | None = None
    bad: int = 0
    seconds: float = 0.0
    tokens: int = 0


@dataclass(frozen=True)
class Checkpoint:
    """A folder for the state and the best weights; `key` names run, recipe, data and base."""

    folder: Path
    key: str

    @property
    def path(self) -> Path:
        """The last good state."""
        return self.folder / "state.safetensors"

    def save(
        self,
        state: State,
        parameters: Mapping[str, Parameter],
        optimizer: torch.optim.Optimizer,
    ) -> None:
        """Keep the state; a crash meanwhile leaves the one before."""
        tensors: dict[str, Tensor] = {}
        for name, parameter in parameters.items():
            tensors[f"weight/{name}"] = parameter.detach()
            moments = optimizer.state.get(parameter, {})
            tensors |= {f"{kind}/{name}": moments[kind] for kind in MOMENTS if kind in moments}
        self._write(self.path, tensors, {"key": self.key, "state": json.dumps(asdict(state))})

    def load(
        self, parameters: Mapping[str, Parameter], optimizer: torch.optim.Optimizer
    ) -> State | None:
        """Put weights and moments back; None if nothing was kept under the key."""
        try:
            with safe_open(self.path, "pt") as file:
                facts = file.metadata() or {}
                if facts.get("key") != self.key:
                    return None
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no dict
        except (OSError, SafetensorError):
            return None
        self._put(tensors, parameters)
        for name, parameter in parameters.items():
            optimizer.state[parameter] = {
                kind: tensors[f"{kind}/{name}"].to(
                    "cpu" if kind == "step" and not _fused(optimizer) else parameter.device
                )
                for kind in MOMENTS
                if f"{kind}/{name}" in tensors
            }
        return State(**json.loads(facts["state"]))

    def save_best(self, parameters: Mapping[str, Parameter]) -> None:
        """Keep the weights that were best on the held-out rows."""
        tensors = {f"weight/{name}": parameter.detach() for name, parameter in parameters.items()}
        self._write(self.folder / "best.safetensors", tensors, {"key": self.key})

    def load_best(self, parameters: Mapping[str, Parameter]) -> None:
        """Put the best weights back."""
        with safe_open(self.folder / "best.safetensors", "pt") as file:
            self._put({name: file.get_tensor(name) for name in file.keys()}, parameters)  # noqa: SIM118  # no dict

    @staticmethod
    @torch.no_grad()
    def _put(tensors: Mapping[str, Tensor], parameters: Mapping[str, Parameter]) -> None:
        for name, parameter in parameters.items():
            parameter.copy_(tensors[f"weight/{name}"])

    def _write(self, path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, str]) -> None:
        self.folder.mkdir(exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        save_file({n: t.contiguous() for n, t in tensors.items()}, part, dict(facts))
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)


def _fused(optimizer: torch.optim.Optimizer) -> bool:
    return bool(optimizer.defaults.get("fused"))

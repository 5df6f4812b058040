"""The files of a base model: its config and its tensors, read without running anything in them."""

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from tiza.errors import BaseUnusable
from tiza.translation import N_


class Weights:
    """A folder in Hugging Face's layout. Tensors are read one by one, when they are asked for.

    Raises:
        BaseUnusable: something needed is missing or damaged; or the folder is only an adapter.

    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if (folder / "adapter_config.json").exists():
            raise self._unusable(
                N_("it is an adapter; merge it first (tiza model convert --to merged)")
            )
        self.files = sorted(folder.glob("*.safetensors"))
        if not self.files:
            raise self._unusable(N_("there are no safetensors in it"))
        self._place = self._places()

    @cached_property
    def config(self) -> dict[str, Any]:
        """The model's `config.json`."""
        try:
            config = json.loads((self.folder / "config.json").read_bytes())
        except (OSError, ValueError) as exc:
            raise self._unusable(N_("config.json cannot be read ({cause})"), exc) from exc
        if not isinstance(config, dict):
            raise self._unusable(N_("config.json cannot be read ({cause})"), "[]")
        return config

    @property
    def size(self) -> int:
        """Bytes of all files of weights."""
        return sum(path.stat().st_size for path in self.files)

    @property
    def count(self) -> int:
        """How many numbers the model has."""
        total = 0
        for path in self.files:
            with safe_open(path, "pt") as file:
                for name in file.keys():  # noqa: SIM118  # no dict
                    total += torch.Size(file.get_slice(name).get_shape()).numel()
        return total

    def digest(self) -> str:
        """Return the SHA-256 of config, weights and tokenizer: one name for the whole model."""
        total = hashlib.sha256()
        names = ("config.json", "tokenizer.json", "chat_template.jinja")
        for path in [*(self.folder / name for name in names), *self.files]:
            if path.exists():
                with path.open("rb") as file:
                    total.update(hashlib.file_digest(file, "sha256").digest())
        return total.hexdigest()

    def has(self, name: str) -> bool:
        """Tell whether there is such a tensor."""
        return name in self._place

    def read(self, name: str, dtype: torch.dtype) -> Tensor:
        """Return one tensor."""
        try:
            with safe_open(self._place[name], "pt") as file:
                tensor: Tensor = file.get_tensor(name)
        except (KeyError, OSError, SafetensorError) as exc:
            raise self._unusable(N_("the tensor {name} is missing or damaged"), name=name) from exc
        return tensor.to(dtype)

    def _places(self) -> dict[str, Path]:
        places: dict[str, Path] = {}
        for path in self.files:
            try:
                with safe_open(path, "pt") as file:
                    places |= dict.fromkeys(file.keys(), path)
            except (OSError, SafetensorError) as exc:
                raise self._unusable(N_("{name} is damaged ({cause})"), exc, path.name) from exc
        return places

    def _unusable(self, reason: str, cause: object = "", name: str = "") -> BaseUnusable:
        return BaseUnusable(reason, path=self.folder, cause=cause, name=name)

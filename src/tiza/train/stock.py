"""Any causal model of transformers, with peft's adapter or with all weights learning.

Slower than `llama` on a CPU, and correct for every architecture that transformers knows.
"""

import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from tiza.errors import BaseUnusable
from tiza.train.data import Rows
from tiza.train.network import has_bfloat16
from tiza.train.recipe import Recipe
from tiza.train.targets import Target, cross_entropy, likeliest
from tiza.train.weights import Weights
from tiza.translation import N_


class StockNetwork:
    """The base in `weights`, by transformers and peft."""

    name = "transformers"

    def __init__(self, weights: Weights, rows: Rows, recipe: Recipe, device: torch.device) -> None:
        self.device, self._rows = device, rows
        self._narrow = has_bfloat16(device)
        torch.manual_seed(recipe.seed)
        self.model = _load(weights, recipe, narrow=self._narrow).to(device)
        self.vocabulary = int(self.model.get_output_embeddings().weight.shape[0])
        if recipe.method == "lora":
            self.model = _with_adapter(self.model, recipe)
        self.model.eval()  # no dropout: a step depends on its rows alone

    def parameters(self) -> dict[str, Parameter]:
        """Return the adapter's weights, or all."""
        return {n: p for n, p in self.model.named_parameters() if p.requires_grad}

    @torch.no_grad()
    def base_targets(self, rows: Sequence[int], top: int) -> Target:
        """Return what the base says; true only before the first step."""
        return likeliest(self._logits(rows), top)

    def losses(self, rows: Sequence[int], target: Target) -> Tensor:
        """Return the cross-entropy of each learned position."""
        return cross_entropy(self._logits(rows), target)

    def weights(self, rows: Sequence[int], replay: float) -> Tensor:
        """Return the weight of each learned position: 1 for lessons, `replay` for replay."""
        each = [self._rows.rows[n] for n in rows]
        kinds = [replay if row.replay else 1.0 for row in each for _answer in row.answers]
        return torch.tensor(kinds, device=self.device)

    def save(self, folder: Path) -> None:
        """Write the adapter in peft's format, or the whole model."""
        self.model.save_pretrained(folder)

    def _logits(self, numbers: Sequence[int]) -> Tensor:
        """Return the logits [n, vocabulary] from which the learned tokens are predicted."""
        rows = [self._rows.rows[number] for number in numbers]
        ids = [torch.tensor(row.ids) for row in rows]
        padded = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True)
        mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(i) for i in ids], batch_first=True)
        places = [(place, a - 1) for place, row in enumerate(rows) for a in row.answers]
        with self._precision():
            logits = self.model(
                input_ids=padded.to(self.device),
                attention_mask=mask.to(self.device),
                use_cache=False,
            ).logits
        where, position = torch.tensor(places, device=self.device).T
        chosen: Tensor = logits[where, position]
        return chosen

    def _precision(self) -> AbstractContextManager[Any]:
        if not self._narrow:
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)


def _load(weights: Weights, recipe: Recipe, *, narrow: bool) -> Any:
    from transformers import AutoModelForCausalLM
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # we show our own
    frozen = recipe.method == "lora"
    dtype = torch.bfloat16 if narrow and frozen else torch.float32
    try:
        return AutoModelForCausalLM.from_pretrained(
            weights.folder, dtype=dtype, local_files_only=True, use_safetensors=True
        )
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as exc:
        cause = str(exc).strip().split("\n")[0]
        raise BaseUnusable(
            N_("transformers refuses it ({cause})"), path=weights.folder, cause=cause
        ) from exc


def _with_adapter(model: Any, recipe: Recipe) -> Any:
    from peft import LoraConfig, get_peft_model

    layers = model.config.get_text_config().num_hidden_layers
    first = layers - max(1, round(layers * recipe.lora_layers))
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=recipe.lora_r,
        lora_alpha=recipe.lora_alpha,
        target_modules=_linear_modules(model),
        layers_to_transform=list(range(first, layers)) if first else None,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # between peft and transformers
        return get_peft_model(model, config)


def _linear_modules(model: Any) -> list[str]:
    """Return the names of all linear modules of the blocks, the head left out."""
    head = model.get_output_embeddings()
    named = model.named_modules()
    found = {n for n, m in named if isinstance(m, torch.nn.Linear) and m is not head}
    return sorted({name.rpartition(".")[2] for name in found})

"""A Llama with an adapter, made for small models on a CPU.

What makes it quick, beside its kernels: q, k, v and gate, up are one product each; the tokens that
all rows share (the system prompt) are computed once a batch; layers below the lowest that learns
are computed once a run; the head looks at learned positions only. Rows of a batch follow each other
flat, padded to one length: [prefix; row 1; row 2; …].

Knows models whose config says "llama" without biases or stretched positions; `stock` the rest.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import Parameter

from tiza.train.data import Rows
from tiza.train.kernels import HeadLoss, LoraLinear, RMSNorm, Rotary, SwiGLU
from tiza.train.plan import batches
from tiza.train.recipe import Recipe
from tiza.train.targets import Target, likeliest
from tiza.train.weights import Weights

Names = tuple[str, ...]
GROUPS: Mapping[str, Names] = {  # products that are computed together
    "qkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "o": ("self_attn.o_proj",),
    "gate_up": ("mlp.gate_proj", "mlp.up_proj"),
    "down": ("mlp.down_proj",),
}
MODULES = [name.partition(".")[2] for names in GROUPS.values() for name in names]
LIKELIEST_ROWS = 256  # positions whose logits exist at once


@dataclass(frozen=True)
class Shape:
    """The numbers of a config that the arithmetic needs."""

    layers: int
    heads: int
    kv_heads: int
    head: int
    epsilon: float
    theta: float
    tied: bool

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "Shape":
        """Read a config as transformers 4 and 5 write it."""
        heads = config["num_attention_heads"]
        rope = config.get("rope_parameters") or {}
        return cls(
            config["num_hidden_layers"],
            heads,
            config.get("num_key_value_heads") or heads,
            config.get("head_dim") or config["hidden_size"] // heads,
            config["rms_norm_eps"],
            rope.get("rope_theta") or config.get("rope_theta") or 10_000.0,
            config.get("tie_word_embeddings", False),
        )


def knows(config: Mapping[str, Any]) -> bool:
    """Tell whether a model is of the plain kind that is computed here."""
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    return (
        config.get("model_type") == "llama"
        and config.get("hidden_act") == "silu"
        and rope.get("rope_type", rope.get("type", "default")) == "default"
        and not config.get("attention_bias")
        and not config.get("mlp_bias")
        and not config.get("quantization_config")
    )


@dataclass(frozen=True)
class Layer:
    """One block: frozen weights by group, and the adapter's A and B, if the layer learns."""

    norms: tuple[Tensor, Tensor]
    weights: Mapping[str, Tensor]
    a: Mapping[str, Parameter]
    b: Mapping[str, Sequence[Parameter]]


class LlamaNetwork:
    """The base in `weights` with a new adapter, and the rows of the run."""

    name = "own"
    device = torch.device("cpu")

    def __init__(
        self, weights: Weights, rows: Rows, recipe: Recipe, dtype: torch.dtype = torch.float32
    ) -> None:
        self._shape = Shape.of(weights.config)
        self._rows, self._recipe, self._base = rows, recipe, weights.folder
        self._dtype = dtype
        self._first = self._shape.layers - max(1, round(self._shape.layers * recipe.lora_layers))
        self._scale = recipe.lora_alpha / recipe.lora_r
        self._read(weights)
        self._cos, self._sin = self._turns(rows.longest)
        self._below = self._compute_below()

    def parameters(self) -> dict[str, Parameter]:
        """Return A of each group and B of each module."""
        named = {}
        for number, layer in enumerate(self._layers):
            for group, a in layer.a.items():
                named[f"{number}.{group}.a"] = a
                for name, b in zip(GROUPS[group], layer.b[group], strict=True):
                    named[f"{number}.{name}.b"] = b
        return named

    @torch.no_grad()
    def base_targets(self, rows: Sequence[int], top: int) -> Target:
        """Return what the base says; true only before the first step, while B is zero."""
        hidden = self._hidden(rows)
        parts = [likeliest(part @ self._head.T, top) for part in hidden.split(LIKELIEST_ROWS)]
        return Target(torch.cat([p.words for p in parts]), torch.cat([p.odds for p in parts]))

    def losses(self, rows: Sequence[int], target: Target) -> Tensor:
        """Return the cross-entropy of each learned position."""
        hidden = self._hidden(rows)
        return HeadLoss.apply(hidden, self._head, target.words, target.odds)

    def save(self, folder: Path) -> None:
        """Write the adapter in peft's format, float32."""
        r, tensors = self._recipe.lora_r, {}
        for number, layer in enumerate(self._layers):
            for group, a in layer.a.items():
                for place, name in enumerate(GROUPS[group]):
                    key = f"base_model.model.model.layers.{number}.{name}"
                    tensors[f"{key}.lora_A.weight"] = a.detach()[
                        place * r : (place + 1) * r
                    ].clone()
                    tensors[f"{key}.lora_B.weight"] = layer.b[group][place].detach().clone()
        save_file(tensors, folder / "adapter_model.safetensors", {"format": "pt"})
        config = {
            "peft_type": "LORA",
            "task_type": "CAUSAL_LM",
            "base_model_name_or_path": str(self._base.resolve()),
            "r": r,
            "lora_alpha": self._recipe.lora_alpha,
            "lora_dropout": 0.0,
            "bias": "none",
            "target_modules": MODULES,
            "layers_to_transform": list(range(self._first, self._shape.layers)),
            "layers_pattern": "layers",
            "inference_mode": True,
        }
        (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")

    def _read(self, weights: Weights) -> None:
        """Read the base, fused by group, and make the adapter as peft would: A random, B zero."""
        dtype, draw = self._dtype, torch.Generator().manual_seed(self._recipe.seed)
        self._embedding = weights.read("model.embed_tokens.weight", dtype)
        tied = self._shape.tied or not weights.has("lm_head.weight")
        self._head = self._embedding if tied else weights.read("lm_head.weight", dtype)
        self._norm = weights.read("model.norm.weight", dtype)
        self.vocabulary = len(self._head)
        self._layers = [
            self._layer(weights, f"model.layers.{number}", draw, learns=number >= self._first)
            for number in range(self._shape.layers)
        ]

    def _layer(self, weights: Weights, place: str, draw: torch.Generator, *, learns: bool) -> Layer:
        r, wide = self._recipe.lora_r, torch.promote_types(self._dtype, torch.float32)
        fused, a, b = {}, {}, {}
        for group, names in GROUPS.items():
            parts = [weights.read(f"{place}.{name}.weight", self._dtype) for name in names]
            fused[group] = torch.cat(parts)
            if learns:
                fan = parts[0].shape[1]
                start = torch.rand(len(names) * r, fan, generator=draw, dtype=wide)
                a[group] = Parameter(start.mul_(2).sub_(1).div_(math.sqrt(fan)))
                b[group] = [Parameter(torch.zeros(len(part), r, dtype=wide)) for part in parts]
        before = weights.read(f"{place}.input_layernorm.weight", self._dtype)
        after = weights.read(f"{place}.post_attention_layernorm.weight", self._dtype)
        return Layer((before, after), fused, a, b)

    def _turns(self, length: int) -> tuple[Tensor, Tensor]:
        """Return cos and sin [length, 1, head/2] of all positions."""
        half = torch.arange(0, self._shape.head, 2, dtype=torch.float64) / self._shape.head
        angles = torch.outer(torch.arange(length, dtype=torch.float64), self._shape.theta**-half)
        return angles.cos()[:, None].to(self._dtype), angles.sin()[:, None].to(self._dtype)

    @torch.no_grad()
    def _compute_below(self) -> tuple[Tensor, dict[int, Tensor]]:
        """Return what enters the lowest layer that learns: of the prefix, and of each row."""
        rows, prefix = self._rows.rows, self._rows.prefix
        shared, own = torch.empty(0), {}
        for batch in batches(self._rows, range(len(rows)), self._recipe.micro_batch_tokens):
            ids = _padded([torch.tensor(rows[n].ids[prefix:]) for n in batch])
            first = torch.tensor(rows[batch[0]].ids[:prefix], dtype=torch.long)
            x = self._embedding[torch.cat([first, ids.flatten()])]
            for layer in self._layers[: self._first]:
                x = self._block(layer, x, ids.shape[0])
            shared = x[:prefix].clone()
            for number, states in zip(batch, x[prefix:].unflatten(0, ids.shape), strict=True):
                own[number] = states[: len(rows[number].ids) - prefix].clone()
        return shared, own

    def _hidden(self, numbers: Sequence[int]) -> Tensor:
        """Return the normalised states [n, d] from which the learned tokens are predicted."""
        shared, own = self._below
        x = _padded([own[number] for number in numbers])
        length = x.shape[1]
        positions = [
            place * length + answer - 1
            for place, number in enumerate(numbers)
            for answer in self._rows.rows[number].answers
        ]
        x = torch.cat([shared, x.flatten(0, 1)])
        for layer in self._layers[self._first :]:
            x = self._block(layer, x, len(numbers))
        chosen = x[torch.tensor(positions)]
        return RMSNorm.apply(chosen, self._norm, self._shape.epsilon)

    def _block(self, layer: Layer, x: Tensor, count: int) -> Tensor:
        """One block on [prefix + count · length, d]."""
        normal = RMSNorm.apply(x, layer.norms[0], self._shape.epsilon)
        x = x + self._linear(layer, "o", self._attend(self._linear(layer, "qkv", normal), count))
        normal = RMSNorm.apply(x, layer.norms[1], self._shape.epsilon)
        return x + self._linear(layer, "down", SwiGLU.apply(self._linear(layer, "gate_up", normal)))

    def _linear(self, layer: Layer, group: str, x: Tensor) -> Tensor:
        weight = layer.weights[group]
        if group not in layer.a:
            return x @ weight.T
        return LoraLinear.apply(x, weight, self._scale, layer.a[group], *layer.b[group])

    def _attend(self, qkv: Tensor, count: int) -> Tensor:
        """Attention of the prefix to itself, and of each row to the prefix and itself."""
        s, prefix = self._shape, self._rows.prefix
        length = (len(qkv) - prefix) // count
        qkv = qkv.unflatten(1, (-1, s.head))
        turning, value = qkv.split([s.heads + s.kv_heads, s.kv_heads], 1)
        turned = Rotary.apply(turning, *self._positions(prefix, length, count))
        query, key = turned.split([s.heads, s.kv_heads], 1)
        first_k, first_v = (t[:prefix].transpose(0, 1) for t in (key, value))  # [kv, prefix, head]
        none = first_k[:, None, :0]
        first = self._scores(query[:prefix], first_k[:, None], first_v[:, None], none, none)
        own_k, own_v = (
            t[prefix:].unflatten(0, (count, length)).permute(2, 0, 1, 3) for t in (key, value)
        )
        rest = self._scores(query[prefix:], own_k, own_v, first_k[:, None], first_v[:, None])
        return torch.cat([first, rest])

    def _scores(self, query: Tensor, key: Tensor, value: Tensor, k0: Tensor, v0: Tensor) -> Tensor:
        """Attend causally to `key` [kv, count, length, head], and to all of `k0` [kv, 1, p, head].

        Heads that share a key stand below each other, so that no key is copied.
        """
        kv, count, length, head = key.shape
        group = self._shape.heads // kv
        q = query.reshape(count, length, kv, group, head).permute(2, 0, 3, 1, 4)
        q = q.reshape(kv, count, group * length, head) / math.sqrt(head)
        own = q @ key.transpose(2, 3)
        own = own + _causal(length, own.dtype).repeat(group, 1)
        shared = (q.flatten(1, 2) @ k0[:, 0].transpose(1, 2)).unflatten(1, (count, -1))
        odds = torch.cat([shared, own], 3).softmax(3, torch.promote_types(q.dtype, torch.float32))
        on_shared, on_own = odds.to(q.dtype).split([k0.shape[2], length], 3)
        out = on_own @ value
        out = out + (on_shared.flatten(1, 2) @ v0[:, 0]).unflatten(1, (count, -1))
        out = out.unflatten(2, (group, length)).permute(1, 3, 0, 2, 4)
        return out.reshape(count * length, kv * group * head)

    def _positions(self, prefix: int, length: int, count: int) -> tuple[Tensor, Tensor]:
        own = slice(prefix, prefix + length)
        cos, sin = (
            torch.cat([turn[:prefix], turn[own].repeat(count, 1, 1)])
            for turn in (self._cos, self._sin)
        )
        return cos, sin


def _padded(rows: Sequence[Tensor]) -> Tensor:
    """Stack rows of several lengths; nothing looks at what follows a row's end."""
    return torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True)


def _causal(length: int, dtype: torch.dtype) -> Tensor:
    """Return 0 where a position may look and -∞ where it may not [length, length]."""
    return torch.full((length, length), -torch.inf, dtype=dtype).triu(1)

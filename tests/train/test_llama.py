"""Our own Llama computes what transformers and peft compute."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from torch import Tensor
from transformers import LlamaForCausalLM

from tests.train.tiny import LAYERS, SYSTEM, lessons, make_model, sample
from tiza.train.data import Rows, Tokenizer, prepare
from tiza.train.llama import GROUPS, LlamaNetwork, knows
from tiza.train.recipe import Recipe
from tiza.train.stock import StockNetwork
from tiza.train.targets import Targets
from tiza.train.weights import Weights

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def rows(tiny: Path, quick: Recipe) -> Rows:
    """Return rows of several lengths and turns behind a shared prompt."""
    talks = [sample("Hi", "Hello.", "Why is that so?", "So."), *lessons(5)]
    return prepare(talks, Tokenizer(tiny), SYSTEM, quick, tiny)


def pair(folder: Path, rows: Rows, recipe: Recipe, out: Path) -> tuple[LlamaNetwork, StockNetwork]:
    """Return both networks with the same adapter, which is not zero."""
    weights = Weights(folder)
    own = LlamaNetwork(weights, rows, recipe)
    draw = torch.Generator().manual_seed(5)
    for parameter in own.parameters().values():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=draw)
    out.mkdir()
    own.save(out)
    stock = StockNetwork(weights, rows, recipe, CPU)
    stock.model = PeftModel.from_pretrained(
        LlamaForCausalLM.from_pretrained(folder), out, is_trainable=True
    ).eval()
    return own, stock


def fused(named: Mapping[str, Tensor], r: int) -> dict[str, Tensor]:
    """Return our gradients under peft's names."""
    split = {}
    for name, gradient in named.items():
        layer, rest = name.split(".", 1)
        module, kind = rest.rsplit(".", 1)
        names = GROUPS.get(module, (module,))
        for place, each in enumerate(names):
            part = gradient[place * r : (place + 1) * r] if kind == "a" else gradient
            split[f"{layer}.{each}.lora_{kind.upper()}"] = part
    return split


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")
@pytest.mark.parametrize("share", [0.5, 1.0])
@pytest.mark.parametrize("tied", [True, False])
def test_losses_and_gradients_equal_those_of_transformers(
    tmp_path: Path, rows: Rows, quick: Recipe, share: float, *, tied: bool
) -> None:
    """With prefix sharing, cached lower layers, padding and replay: the same numbers."""
    folder = make_model(tmp_path / "model", tie_word_embeddings=tied)
    own, stock = pair(folder, rows, replace(quick, lora_layers=share), tmp_path / "adapter")
    numbers = list(range(len(rows.rows)))
    count = len(rows.rows[2].answers)
    soft = stock.base_targets([2], 4)
    target = Targets(rows.rows, {2: soft}, 4).of(numbers, CPU)

    ours, theirs = own.losses(numbers, target), stock.losses(numbers, target)

    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(own.base_targets([2], 4).odds, soft.odds)
    assert len(soft.odds) == count
    ours.sum().backward()
    theirs.sum().backward()
    gradients = fused({n: p.grad for n, p in own.parameters().items() if p.grad is not None}, 4)
    expected = stock.parameters()
    assert len(gradients) == len(expected) == 14 * round(LAYERS * share)
    for name, parameter in expected.items():
        short = name.removeprefix("base_model.model.model.layers.").removesuffix(".default.weight")
        assert parameter.grad is not None
        error = (gradients[short] - parameter.grad).norm() / parameter.grad.norm()
        assert error < 1e-4, name


def test_a_new_adapter_changes_nothing(tiny: Path, rows: Rows, quick: Recipe) -> None:
    """Before its first step the network is the base, so that targets need no second model."""
    own = LlamaNetwork(Weights(tiny), rows, quick)
    base = StockNetwork(Weights(tiny), rows, replace(quick, method="full"), CPU)

    torch.testing.assert_close(own.base_targets([0], 4).odds, base.base_targets([0], 4).odds)


def test_bfloat16_stays_near_float32(tiny: Path, rows: Rows, quick: Recipe) -> None:
    """The narrow numbers of newer processors give the same loss within their precision."""
    wide, narrow = (
        LlamaNetwork(Weights(tiny), rows, quick, dtype) for dtype in (torch.float32, torch.bfloat16)
    )
    target = Targets(rows.rows, {}, 4).of([0, 1], CPU)

    loss = narrow.losses([0, 1], target)
    loss.sum().backward()

    torch.testing.assert_close(loss.float(), wide.losses([0, 1], target), rtol=0.02, atol=0.05)
    assert all(
        p.grad is not None and p.grad.dtype == torch.float32 for p in narrow.parameters().values()
    )


@pytest.mark.parametrize(
    "change",
    [
        {"model_type": "mistral"},
        {"hidden_act": "gelu"},
        {"attention_bias": True},
        {"rope_scaling": {"type": "linear", "factor": 2.0}},
    ],
)
def test_models_of_another_kind_are_left_to_transformers(
    tiny: Path, change: Mapping[str, object]
) -> None:
    """What would be computed wrongly is not computed here."""
    config = {**Weights(tiny).config, "rope_parameters": None}
    assert knows(config)
    assert not knows({**config, **change})

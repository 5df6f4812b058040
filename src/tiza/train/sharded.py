"""One of several processes that train together: `torchrun … -m tiza.train.sharded ORDER`.

The loop here is transformers' Trainer: through accelerate it shards weights, gradients and moments
(FSDP2), keeps checkpoints and resumes. Rows, targets and losses are those of one process.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset
from transformers import Trainer, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from tiza.progress import Progress
from tiza.runs.run import Run
from tiza.train import base
from tiza.train.checkpoint import Checkpoint
from tiza.train.data import Tokenizer, prepare
from tiza.train.network import has_bfloat16
from tiza.train.recipe import Recipe
from tiza.train.stage import WORKING, Order, asked_samples, identity, publish, targets_of
from tiza.train.stock import StockNetwork
from tiza.train.targets import Targets
from tiza.train.weights import Weights


class Numbers(Dataset[int]):
    """The numbers of the rows that an epoch sees: lessons, and their share of replay."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, place: int) -> int:
        return self._numbers[place]


class RowTrainer(Trainer):
    """Trainer with our loss: the answers of lessons, and the distance to the base on replay."""

    def __init__(
        self, network: StockNetwork, targets: Targets, weight: float, **given: Any
    ) -> None:
        super().__init__(model=network.model, data_collator=_numbers, **given)
        self._network, self._targets, self._weight = network, targets, weight

    def compute_loss(
        self, model: torch.nn.Module, inputs: Mapping[str, Tensor], *_args: Any, **_options: Any
    ) -> Tensor:
        """Return the mean over the learned positions of the rows."""
        self._network.model = model  # as accelerate wrapped it
        numbers = inputs["rows"].tolist()
        target = self._targets.of(numbers, inputs["rows"].device)
        excess = self._network.losses(numbers, target) - target.entropy()
        return (excess * self._network.weights(numbers, self._weight)).mean()


def read_order(path: Path) -> Order:
    """Read what `gpus.write_order` wrote."""
    facts = json.loads(path.read_bytes())
    recipe = Recipe(**facts["recipe"])
    run, folder = Run(Path(facts["run"])), Path(facts["base"])
    return Order(run, folder, recipe, facts["recipe_name"], facts["system_prompt"])


def train(order: Order) -> None:
    """Train as one of WORLD_SIZE processes; the first writes the result and the manifest."""
    run, recipe = order.run, order.recipe
    world, device = int(os.environ.get("WORLD_SIZE", "1")), base.device()
    weights, tokenizer = Weights(order.base), Tokenizer(order.base)
    rows = prepare(asked_samples(order), tokenizer, order.system_prompt, recipe, run.train)
    network = StockNetwork(weights, rows, recipe, device)
    facts = identity(order, weights)
    rank = os.environ.get("RANK", "0")
    kept = Checkpoint(run.path / WORKING / rank, facts["key"])
    kept.folder.mkdir(parents=True, exist_ok=True)
    with Progress() as progress:
        wanted = targets_of(network, rows, recipe, kept, progress)
    replay = rows.replay[: round(len(rows.lessons) * recipe.replay_ratio)]
    trainer = RowTrainer(
        network,
        wanted,
        recipe.replay_weight,
        args=_arguments(order, world, device),
        train_dataset=Numbers([*rows.lessons, *replay]),
    )
    trainer.train(resume_from_checkpoint=get_last_checkpoint(trainer.args.output_dir))
    trainer.accelerator.wait_for_everyone()
    result = run.path / ("adapter" if recipe.method == "lora" else "model")
    part = result.with_name(f".{result.name}.part")
    trainer.save_model(str(part))
    if trainer.is_world_process_zero():
        publish(part, order, result, facts)
        run.record("train", {**facts, "result": result.name, "gpus": world, **_outcome(trainer)})


def _arguments(order: Order, world: int, device: torch.device) -> TrainingArguments:
    recipe = order.recipe
    longest = recipe.max_length
    each = max(1, min(recipe.micro_batch_tokens // longest, recipe.batch_size // world))
    output = order.run.path / WORKING / "trainer"
    output.mkdir(parents=True, exist_ok=True)
    sharding: dict[str, Any] = {}
    if world > 1 and device.type == "cuda":
        sharding = {"fsdp": "full_shard auto_wrap", "fsdp_config": {"fsdp_version": 2}}
    return TrainingArguments(
        output_dir=str(output),
        learning_rate=recipe.learning_rate,
        num_train_epochs=recipe.num_epochs,
        per_device_train_batch_size=each,
        gradient_accumulation_steps=max(1, recipe.batch_size // (each * world)),
        lr_scheduler_type="cosine",
        warmup_steps=recipe.warmup,
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.max_grad_norm,
        seed=recipe.seed,
        bf16=has_bfloat16(device),
        use_cpu=device.type == "cpu",
        save_total_limit=1,
        remove_unused_columns=False,
        report_to="none",
        **sharding,
    )


def _numbers(batch: Sequence[int]) -> dict[str, Tensor]:
    return {"rows": torch.tensor(batch)}


def _outcome(trainer: Trainer) -> dict[str, Any]:
    said = [line for line in trainer.state.log_history if "train_runtime" in line]
    return {"steps": trainer.state.global_step, "seconds": said[-1]["train_runtime"] if said else 0}


if __name__ == "__main__":
    train(read_order(Path(sys.argv[1])))

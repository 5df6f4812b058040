"""One contender of `benchmarks/train.py`: TRL's SFTTrainer, in an environment of its own.

`--setting trl`: as it comes. `trl-best`: the fastest that we found. `score`: only
the held-out loss of an adapter.
"""

import argparse
import json
import resource
import time
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback

SYSTEM = (
    "You are a patient teacher. Answer the question directly and correctly, in a few short "
    "sentences that a student understands. If you do not know, say so."
)
RATE, EPOCHS, CHECK_SECONDS = 3e-3, 100, 20.0


def talk(line: dict[str, Any]) -> list[dict[str, str]]:
    """Return the messages as they are served."""
    return [{"role": "system", "content": SYSTEM}, *line["messages"]]


def split(path: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return learned and watched samples, as the caller does."""
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    lessons = [line for line in lines if line.get("metadata", {}).get("mix") != "replay"]
    watched = lessons[::20]
    return [line for line in lines if line not in watched], watched


@torch.no_grad()
def loss(model: Any, tokenizer: Any, watched: list[dict[str, Any]]) -> float:
    """Return the mean loss on the answers' tokens, in nats."""
    total, count = 0.0, 0
    for line in watched:
        texts = [
            tokenizer.apply_chat_template(part, tokenize=False, add_generation_prompt=ask)
            for part, ask in ((talk(line)[:-1], True), (talk(line), False))
        ]
        start = len(tokenizer(texts[0], add_special_tokens=False)["input_ids"])
        ids = tokenizer(texts[1].rstrip(), add_special_tokens=False, return_tensors="pt")[
            "input_ids"
        ]
        logits = model(input_ids=ids).logits[0, start - 1 : -1].float()
        each = torch.nn.functional.cross_entropy(logits, ids[0, start:], reduction="none")
        total, count = total + each.sum().item(), count + len(each)
    return total / count


class Watch(TrainerCallback):
    """Asks for the held-out loss now and then, outside the clock; ends at target or limit."""

    def __init__(self, given: argparse.Namespace, tokenizer: Any, watched: list[Any]) -> None:
        self.given, self.tokenizer, self.watched = given, tokenizer, watched
        self.began, self.apart, self.asked, self.loss = time.monotonic(), 0.0, 0.0, 99.0

    @property
    def seconds(self) -> float:
        """Seconds of training alone."""
        return time.monotonic() - self.began - self.apart

    def on_train_begin(self, *args: Any, **kwargs: Any) -> None:  # the trainer's
        """Start the clock."""
        self.began = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Look at the loss every some seconds."""
        if self.seconds - self.asked < CHECK_SECONDS:
            return
        self.asked, paused = self.seconds, time.monotonic()
        model = kwargs["model"].eval()
        self.loss = loss(model, self.tokenizer, self.watched)
        model.train()
        self.apart += time.monotonic() - paused
        control.should_training_stop = (
            self.loss <= self.given.target or self.seconds > self.given.seconds
        )


def train(given: argparse.Namespace, tokenizer: Any, model: Any) -> dict[str, Any]:
    """Train until the target or the limit."""
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    learned, watched = split(given.data)
    rows = [{"prompt": talk(line)[:-1], "completion": talk(line)[-1:]} for line in learned]
    options: dict[str, Any] = {}
    if given.setting == "trl-best":
        options = {
            "gradient_checkpointing": False,
            "bf16": False,
            "per_device_train_batch_size": 16,
            "train_sampling_strategy": "group_by_length",
            "completion_only_loss": True,
        }
    config = SFTConfig(
        output_dir=str(given.out.with_suffix("")),
        learning_rate=RATE,
        num_train_epochs=EPOCHS,
        lr_scheduler_type="constant",
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        **options,
    )
    watch = Watch(given, tokenizer, watched)
    adapter = LoraConfig(task_type="CAUSAL_LM", r=16, lora_alpha=32, target_modules="all-linear")
    trainer = SFTTrainer(
        model=model,
        args=config,
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        peft_config=adapter,
        callbacks=[watch],
    )
    trainer.train()
    tokens = trainer.state.num_input_tokens_seen or _tokens(trainer)
    return {
        "seconds": watch.seconds,
        "loss": watch.loss,
        "reached": watch.loss <= given.target,
        "steps": trainer.state.global_step,
        "tokens_per_second": tokens / watch.seconds,
    }


def _tokens(trainer: Any) -> float:
    """Return the tokens seen, by the mean length of a row."""
    lengths = [len(ids) for ids in trainer.train_dataset["input_ids"]]
    rows = trainer.state.global_step * trainer.args.per_device_train_batch_size
    return float(rows * sum(lengths) / len(lengths))


def main() -> None:
    """Be one contender and write its figures."""
    parser = argparse.ArgumentParser()
    for name in ("base", "data", "out", "adapter"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--target", type=float)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--setting")
    given = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(given.base)
    model = AutoModelForCausalLM.from_pretrained(given.base, dtype=torch.float32)
    if given.setting == "score":
        from peft import PeftModel

        tuned = PeftModel.from_pretrained(model, given.adapter).eval()
        result = {"loss": loss(tuned, tokenizer, split(given.data)[1])}
    else:
        result = train(given, tokenizer, model)
    result["peak_memory_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    given.out.write_text(json.dumps(result))


if __name__ == "__main__":
    main()

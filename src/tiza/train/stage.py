"""The stage: a run's samples and a base → an adapter (or a model) in the run's folder.

Read it from the top: rows, plan, resources, network, the base's distributions, the loop, the files.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from gettext import gettext as _
from pathlib import Path
from typing import Any

from tiza.errors import ModelUnsupported
from tiza.models import scope
from tiza.models.adapter import fingerprint, to_gguf
from tiza.progress import Progress
from tiza.runs import samples
from tiza.runs.events import Events
from tiza.runs.run import Run, now, surroundings
from tiza.runs.samples import Sample
from tiza.train import base, plot, resources, targets
from tiza.train.checkpoint import Checkpoint, State
from tiza.train.data import Rows, Tokenizer, prepare
from tiza.train.loop import Work, fit
from tiza.train.network import Network, has_bfloat16
from tiza.train.plan import Step, batches, plan
from tiza.train.recipe import Recipe
from tiza.train.weights import Weights

WORKING = "training"  # folder of what an unfinished training needs; goes when it is done
PACKAGES = ("torch", "transformers", "peft", "safetensors", "tokenizers")


@dataclass(frozen=True)
class Order:
    """What is to be trained. `base` is a folder in Hugging Face's layout."""

    run: Run
    base: Path
    recipe: Recipe
    recipe_name: str
    system_prompt: str


def train(order: Order, progress: Progress) -> Mapping[str, Any]:
    """Train, or go on with what was begun; return the facts that the manifest then holds.

    Nothing is done if the same order was carried out before.

    Raises:
        SamplesInvalid, BaseUnusable, TemplateUnusable, ResourcesShort: before the first step.
        TrainingDiverged: the loss is no number.
        RunBusy: another process works on the run.

    """
    with order.run.locked():
        weights = Weights(order.base)
        facts = identity(order, weights)
        done = order.run.section("train")
        if done.get("key") == facts["key"] and (order.run.path / str(done.get("result"))).is_dir():
            progress.say(_("This run was trained already; nothing to do."))
            return done
        return _train(order, weights, facts, progress)


def _train(
    order: Order, weights: Weights, facts: dict[str, Any], progress: Progress
) -> Mapping[str, Any]:
    run, recipe, device = order.run, order.recipe, base.device()
    resources.keep_memory()
    begun = now()
    rows = prepare(
        asked_samples(order), Tokenizer(order.base), order.system_prompt, recipe, run.train
    )
    steps = plan(rows, recipe)
    width = 2 if has_bfloat16(device) else 4
    needed = resources.need(weights, recipe, width)
    resources.check(needed, recipe, rows, run.path, device)
    _tell(rows, steps, progress)

    network = base.network(weights, rows, recipe, device)
    folder = run.path / WORKING
    folder.mkdir(exist_ok=True)
    checkpoint = Checkpoint(folder, facts["key"])
    work = Work(
        network,
        rows,
        targets_of(network, rows, recipe, checkpoint, progress),
        recipe,
        steps,
        checkpoint,
    )
    with Events(run.events, "train") as events:
        state = fit(work, events, progress)
        events.add("end", step=state.step, held_out_loss=state.best)

    result = _saved(network, order, facts)
    plot.draw(run.events, run.path / "loss.svg")
    facts |= {
        "begun": begun,
        "ended": now(),
        "result": result,
        **_figures(work, state),
        "peak_memory_bytes": resources.used(device),
        **surroundings(*PACKAGES),
    }
    run.record("train", facts)
    shutil.rmtree(folder)
    return facts


def _figures(work: Work, state: State) -> dict[str, Any]:
    """Return what the training came to, as the run's manifest has it."""
    return {
        "network": work.network.name,
        "samples": work.rows.counts,
        "prefix_tokens": work.rows.prefix,
        "steps": state.step,
        "planned_steps": len(work.steps),
        "held_out_loss": state.best,
        "seconds": round(state.seconds, 1),
        "tokens": state.tokens,
        "tokens_per_second": round(state.tokens / max(state.seconds, 1e-6), 1),
    }


def _saved(network: Network, order: Order, facts: Mapping[str, Any]) -> str:
    """Write what was trained into the run's folder; return its name there."""
    result = "adapter" if order.recipe.method == "lora" else "model"
    part = order.run.path / f".{result}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    network.save(part)
    publish(part, order, order.run.path / result, facts)
    return result


def asked_samples(order: Order) -> Iterable[Sample]:
    """Read the samples; those of an adapter with a scope are asked as it will be asked."""
    found = list(samples.read(order.run.train))
    has_scope = order.recipe.method == "lora" and scope.is_possible(found)
    return scope.with_notes(found) if has_scope else found


def identity(order: Order, weights: Weights) -> dict[str, Any]:
    """Return what decides the result; its fingerprint is the `key` of checkpoints and caches."""
    facts: dict[str, Any] = {
        "recipe": order.recipe_name,
        "settings": order.recipe.facts(),
        "base": {"name": order.base.name, "path": str(order.base.resolve())},
        "system_prompt": order.system_prompt,
    }
    data = order.run.train.read_bytes() if order.run.train.is_file() else b""
    facts["data_sha256"] = hashlib.sha256(data).hexdigest()
    facts["base"]["sha256"] = weights.digest()
    decisive = [
        *(facts["settings"], facts["system_prompt"]),
        *(facts["data_sha256"], facts["base"]["sha256"]),
    ]
    facts["key"] = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:32]
    return facts


def _tell(rows: Rows, steps: list[Step], progress: Progress) -> None:
    counts = {"dropped": 0, "cut": 0, **rows.counts}
    said = _("{lessons} samples to learn, {replay} of replay, {held_out} held out, {steps} steps")
    progress.say(said.format(steps=len(steps), **counts))
    if counts["dropped"] or counts["cut"]:
        progress.say(
            _("Longer than max_length: {dropped} samples dropped, {cut} cut.").format(**counts)
        )


def targets_of(
    network: Network, rows: Rows, recipe: Recipe, kept: Checkpoint, progress: Progress
) -> targets.Targets:
    """Return what each row should say; the base's own distributions are computed once and kept."""
    top = min(recipe.replay_top_k, network.vocabulary)
    numbers = rows.replay if recipe.replay_ratio and recipe.replay_weight else []
    path = kept.folder / "targets.safetensors"
    soft = targets.load(path, kept.key) if numbers else {}
    if soft is None:
        soft = {}
        bar = progress.step(_("Ask the base"), len(numbers))
        for batch in batches(rows, numbers, recipe.micro_batch_tokens):
            said, start = network.base_targets(batch, top), 0
            for number in batch:
                part = slice(start, start + len(rows.rows[number].answers))
                soft[number] = targets.Target(said.words[part].clone(), said.odds[part].clone())
                start = part.stop
            bar.advance(len(batch))
        targets.save(soft, path, kept.key)
    return targets.Targets(rows.rows, soft, top)


def publish(part: Path, order: Order, target: Path, facts: Mapping[str, Any]) -> None:
    """Complete what a network wrote into `part`, and move it to its place whole."""
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        if (source := order.base / name).exists():
            shutil.copyfile(source, part / name)
    _complete_adapter(part, order)
    origin = {"run": order.run.id, "parent": facts["base"]["path"], **facts}
    origin["base_fingerprint"] = fingerprint(order.base)
    (part / "tiza.json").write_text(json.dumps(origin, indent=2, ensure_ascii=False) + "\n")
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)


def _complete_adapter(part: Path, order: Order) -> None:
    """Add what an adapter needs to be served: its scope, and its form for llama.cpp."""
    if order.recipe.method != "lora":
        return
    learned = scope.learn(samples.read(order.run.train), order.recipe.seed)
    if learned is not None:
        learned.write(part / scope.FILE)
    with suppress(ModelUnsupported):  # llama.cpp lays adapters over some kinds of models only
        to_gguf(part, order.base, part / "adapter.gguf")

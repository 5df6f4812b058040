"""A training from its samples to the files that it leaves in the run's folder."""

import json
import shutil
import signal
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree as ET

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.train.tiny import SYSTEM, lessons, make_model, make_run, sample
from tiza.errors import BaseUnusable, SamplesInvalid, TrainingDiverged
from tiza.progress import Progress
from tiza.runs import events
from tiza.runs.run import Run
from tiza.train import loop
from tiza.train.llama import LlamaNetwork
from tiza.train.recipe import Recipe
from tiza.train.stage import WORKING, Order, train


def teach(run: Run, base: Path, recipe: Recipe) -> Mapping[str, Any]:
    """Train without a bar on a terminal."""
    with Progress() as progress:
        return train(Order(run, base, recipe, "tiny-cpu", SYSTEM), progress)


@pytest.fixture(scope="module")
def learner(quick: Recipe) -> Recipe:
    """Return a recipe that learns the tiny facts well."""
    return replace(quick, num_epochs=8, learning_rate=0.02, lora_layers=1.0)


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")
def test_training_leaves_an_adapter_that_peft_loads_and_that_learned(
    tmp_path: Path, tiny: Path, learner: Recipe
) -> None:
    """The loss in transformers with the adapter is far below the base's, as the events say."""
    run = make_run(tmp_path / "run")

    facts = teach(run, tiny, learner)

    ids = AutoTokenizer.from_pretrained(tiny)("It is 14.<|end|>", return_tensors="pt")["input_ids"]
    base = AutoModelForCausalLM.from_pretrained(tiny)
    before = base(ids, labels=ids).loss.item()
    tuned = PeftModel.from_pretrained(base, run.path / "adapter")
    assert tuned(ids, labels=ids).loss.item() < before
    steps = [event for event in events.read(run.events) if event["event"] == "step"]
    assert [step["step"] for step in steps] == list(range(1, facts["steps"] + 1))
    assert steps[-1]["loss"] < steps[0]["loss"] / 2
    assert steps[0]["replay_loss"] == pytest.approx(0, abs=1e-5)
    assert {"rate", "tokens_per_second", "memory_bytes"} <= steps[0].keys()


def test_training_records_how_it_was_made(tmp_path: Path, tiny: Path, quick: Recipe) -> None:
    """The manifest has recipe, seed, base, versions, counts and losses; nothing half is left."""
    run = make_run(tmp_path / "run")

    teach(run, tiny, quick)

    facts = run.section("train")
    assert facts["settings"]["seed"] == quick.seed
    assert len(facts["base"]["sha256"]) == 64
    assert facts["packages"]["torch"] == version("torch")
    assert facts["samples"] == {"lessons": 23, "replay": 8, "held_out": 1}
    assert facts["held_out_loss"] > 0
    assert facts["prefix_tokens"] > len(SYSTEM)
    assert not (run.path / WORKING).exists()
    assert json.loads((run.path / "adapter" / "tiza.json").read_text())["run"] == run.id
    picture = ET.parse(run.path / "loss.svg").getroot()  # noqa: S314  # our own file
    assert len(picture.findall(".//{http://www.w3.org/2000/svg}polyline[@stroke-width='2']")) == 3


def test_the_same_order_again_does_nothing_and_another_seed_trains_anew(
    tmp_path: Path, tiny: Path, quick: Recipe
) -> None:
    """A run is trained once for each order."""
    run = make_run(tmp_path / "run")
    first = teach(run, tiny, quick)
    written = run.events.read_bytes()

    assert teach(run, tiny, quick) == first
    assert run.events.read_bytes() == written
    assert teach(run, tiny, replace(quick, seed=2))["key"] != first["key"]


def test_the_same_seed_gives_the_same_bits(tmp_path: Path, tiny: Path, quick: Recipe) -> None:
    """Two runs of the same order end with equal weights."""
    adapters = []
    for name in ("a", "b"):
        run = make_run(tmp_path / name)
        teach(run, tiny, quick)
        adapters.append((run.path / "adapter" / "adapter_model.safetensors").read_bytes())

    assert adapters[0] == adapters[1]


def test_a_run_that_watches_nothing_ends_and_has_its_picture(
    tmp_path: Path, tiny: Path, quick: Recipe
) -> None:
    """Few samples are all learned; there is no held-out loss to draw."""
    run = make_run(tmp_path / "run", lessons(4))

    facts = teach(run, tiny, replace(quick, num_epochs=1))

    assert facts["held_out_loss"] is None
    assert (run.path / "loss.svg").stat().st_size > 0


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")
@pytest.mark.parametrize("method", ["lora", "full"])
def test_models_of_another_kind_are_trained_by_transformers(
    tmp_path: Path, quick: Recipe, method: Literal["lora", "full"]
) -> None:
    """An architecture that we do not compute ourselves learns too, adapter or all weights."""
    base = make_model(tmp_path / "model", attention_bias=True)
    run = make_run(tmp_path / "run")

    facts = teach(run, base, replace(quick, method=method, learning_rate=0.005))

    steps = [event for event in events.read(run.events) if event["event"] == "step"]
    assert facts["network"] == "transformers"
    assert steps[-1]["loss"] < steps[0]["loss"]
    assert (run.path / facts["result"]).name == {"lora": "adapter", "full": "model"}[method]


def test_training_stops_when_the_held_out_loss_no_longer_falls(
    tmp_path: Path, tiny: Path, quick: Recipe
) -> None:
    """It ends before the plan does, and the best weights are the result."""
    talks = [sample(f"Say {n}", f"{n * 7919 % 1000}", lesson="knowledge/a") for n in range(20)]
    run = make_run(tmp_path / "run", talks)
    recipe = replace(quick, num_epochs=60, learning_rate=0.03, held_out=0.3, patience=2)

    facts = teach(run, tiny, recipe)

    watched = [e["held_out_loss"] for e in events.read(run.events) if e["event"] == "epoch"]
    assert facts["steps"] < facts["planned_steps"]
    assert facts["held_out_loss"] == min(watched) < watched[-1]


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_state(
    tmp_path: Path, tiny: Path, quick: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weights of the checkpoint are finite, and the sentence says where it is."""
    run = make_run(tmp_path / "run")
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    losses, calls = LlamaNetwork.losses, iter(range(1000))

    def broken(self: LlamaNetwork, *args: Any) -> torch.Tensor:
        return losses(self, *args) * (float("nan") if next(calls) >= 12 else 1)

    monkeypatch.setattr(LlamaNetwork, "losses", broken)
    with pytest.raises(TrainingDiverged, match=r"state\.safetensors") as caught:
        teach(run, tiny, quick)

    state = load_file(str(caught.value.data["kept"]))
    assert state
    assert all(tensor.isfinite().all() for tensor in state.values())
    assert not (run.path / "adapter").exists()


def pickled(folder: Path) -> None:
    """Leave only a pickle."""
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def halved(folder: Path) -> None:
    """Cut the weights off."""
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:5000])


def adapter_only(folder: Path) -> None:
    """Make it look like an adapter."""
    (folder / "adapter_config.json").write_text("{}")


def no_config(folder: Path) -> None:
    """Break the config."""
    (folder / "config.json").write_text("{")


def no_tokenizer(folder: Path) -> None:
    """Break the tokenizer."""
    (folder / "tokenizer.json").write_text("{}")


@pytest.mark.parametrize("harm", [pickled, halved, adapter_only, no_config, no_tokenizer])
def test_a_damaged_base_is_refused_before_anything_is_trained(
    tmp_path: Path, tiny: Path, quick: Recipe, harm: Any
) -> None:
    """One named error, and no result."""
    base = Path(shutil.copytree(tiny, tmp_path / "model"))
    harm(base)
    run = make_run(tmp_path / "run")

    with pytest.raises(BaseUnusable, match="cannot be trained"):
        teach(run, base, quick)
    assert not (run.path / "adapter").exists()


def test_samples_that_are_broken_or_only_replay_are_refused(
    tmp_path: Path, tiny: Path, quick: Recipe
) -> None:
    """The line is named; a run without lessons teaches nothing."""
    run = make_run(tmp_path / "run", [s for s in lessons() if s.metadata.get("mix")])
    with pytest.raises(SamplesInvalid, match="no sample of a lesson"):
        teach(run, tiny, quick)
    run.train.write_text('{"messages": []}\n')
    with pytest.raises(SamplesInvalid, match=r"train\.jsonl:1"):
        teach(run, tiny, quick)


def test_ctrl_c_keeps_the_state_and_says_how_to_go_on(
    tmp_path: Path,
    tiny: Path,
    quick: Recipe,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The step is finished and kept; the same command then ends as if nothing had been."""
    whole, cut = make_run(tmp_path / "whole"), make_run(tmp_path / "cut")
    teach(whole, tiny, quick)
    add = events.Events.add

    def press(self: events.Events, event: str, **facts: Any) -> None:
        add(self, event, **facts)
        if facts.get("step") == 9 and event == "step":
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(events.Events, "add", press)
        with pytest.raises(KeyboardInterrupt):
            teach(cut, tiny, quick)
    assert "after step 9. The same command goes on" in capsys.readouterr().err
    teach(cut, tiny, quick)

    name = "adapter/adapter_model.safetensors"
    assert (cut.path / name).read_bytes() == (whole.path / name).read_bytes()
    begun = [e["step"] for e in events.read(cut.events) if e["event"] == "begin"]
    assert begun == [0, 9]

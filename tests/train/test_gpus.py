"""Several GPUs: the command line, and what it is handed."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from tests.train.tiny import SYSTEM, make_run
from tiza.train import sharded
from tiza.train.gpus import command, write_order
from tiza.train.recipe import Recipe
from tiza.train.sharded import read_order
from tiza.train.stage import Order


def test_the_command_starts_one_process_a_gpu(tmp_path: Path) -> None:
    """Torchrun on this machine, with the file of the order."""
    line = command(4, tmp_path / "order.json")

    assert line[1:6] == ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "4"]
    assert line[6:] == ["-m", "tiza.train.sharded", str(tmp_path / "order.json")]


def test_the_processes_read_the_order_that_was_given(
    tmp_path: Path, tiny: Path, quick: Recipe
) -> None:
    """Run, base, recipe and prompt arrive whole."""
    order = Order(make_run(tmp_path / "run"), tiny, quick, "tiny-cpu", SYSTEM)

    path = write_order(order)

    assert read_order(path) == order
    assert json.loads(path.read_text())["recipe"]["seed"] == quick.seed


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("method", ["lora", "full"])
def test_the_engine_of_several_processes_leaves_the_same_kind_of_result(
    tmp_path: Path,
    tiny: Path,
    quick: Recipe,
    monkeypatch: pytest.MonkeyPatch,
    method: Literal["lora", "full"],
) -> None:
    """Carried out by one process: the result is in the run's folder, with its origin."""
    monkeypatch.setenv("WORLD_SIZE", "1")
    recipe = replace(quick, method=method, num_epochs=1)
    order = Order(make_run(tmp_path / "run"), tiny, recipe, "tiny-cpu", SYSTEM)

    sharded.train(read_order(write_order(order)))

    result = order.run.path / {"lora": "adapter", "full": "model"}[method]
    assert any(result.glob("*.safetensors"))
    assert json.loads((result / "tiza.json").read_text())["run"] == order.run.id
    assert order.run.section("train")["steps"] > 0

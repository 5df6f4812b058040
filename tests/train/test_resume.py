"""A training that is killed goes on, and ends with the same bits as one that is not."""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.train.test_stage import teach
from tests.train.tiny import make_model, make_run
from tiza.runs import events
from tiza.runs.run import Run
from tiza.train import loop
from tiza.train.llama import LlamaNetwork
from tiza.train.recipe import Recipe
from tiza.train.stock import StockNetwork

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning"),
]


def die() -> None:
    """End this process as `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)


def in_a_step(number: int) -> Callable[[], None]:
    """Die after the weights of a step changed, before anything of it is kept."""

    def arrange() -> None:
        add = events.Events.add

        def dying(self: events.Events, event: str, **facts: Any) -> None:
            add(self, event, **facts)
            if event == "step" and facts["step"] == number:
                die()

        events.Events.add = dying  # type: ignore[method-assign]  # in a process about to die

    return arrange


def in_a_write(number: int) -> Callable[[], None]:
    """Die while a file is written that has not taken its place yet."""

    def arrange() -> None:
        left = iter(range(number))
        sync = os.fsync

        def dying(file: int) -> None:
            sync(file)
            if next(left, None) is None:
                die()

        os.fsync = dying  # type: ignore[assignment]  # in a process about to die

    return arrange


def in_publishing() -> None:
    """Die while the result is written."""

    def dying(_self: object, folder: Path) -> None:
        (folder / "adapter_model.safetensors").write_bytes(b"half")
        die()

    LlamaNetwork.save = dying  # type: ignore[method-assign,assignment]  # in a process about to die
    StockNetwork.save = dying  # type: ignore[method-assign,assignment]  # in a process about to die


def killed(arrange: Callable[[], None], run: Run, base: Path, recipe: Recipe) -> None:
    """Train in a child that dies at the moment that was arranged."""
    child = os.fork()
    if child == 0:
        loop.CHECKPOINT_SECONDS = 0.0
        arrange()
        teach(run, base, recipe)
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


MOMENTS = [in_a_step(1), in_a_step(11), in_a_write(0), in_a_write(5), in_publishing]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, tiny: Path, quick: Recipe) -> bytes:
    """Return the adapter of a run that nobody disturbed."""
    run = make_run(tmp_path_factory.mktemp("whole") / "run")
    teach(run, tiny, quick)
    return (run.path / "adapter" / "adapter_model.safetensors").read_bytes()


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_training_ends_with_the_same_bits(
    tmp_path: Path, tiny: Path, quick: Recipe, whole: bytes, moment: Callable[[], None]
) -> None:
    """Whenever it was killed, even twice, the same command goes on to the same weights."""
    run = make_run(tmp_path / "run")
    killed(moment, run, tiny, quick)
    assert not (run.path / "adapter").exists()
    killed(in_a_step(20), run, tiny, quick) if moment is not in_publishing else None

    teach(run, tiny, quick)

    assert (run.path / "adapter" / "adapter_model.safetensors").read_bytes() == whole
    steps = [e["step"] for e in events.read(run.events) if e["event"] == "step"]
    assert sorted(set(steps)) == list(range(1, max(steps) + 1))


def test_full_training_by_transformers_goes_on_as_well(tmp_path: Path, quick: Recipe) -> None:
    """The state is that of the loop, whichever network computes."""
    base = make_model(tmp_path / "model", attention_bias=True)
    recipe = replace(quick, method="full", num_epochs=2)
    whole, cut = make_run(tmp_path / "whole"), make_run(tmp_path / "cut")
    teach(whole, base, recipe)

    killed(in_a_step(5), cut, base, recipe)
    teach(cut, base, recipe)

    name = "model/model.safetensors"
    assert (cut.path / name).read_bytes() == (whole.path / name).read_bytes()


def test_another_order_does_not_go_on_from_a_strange_state(
    tmp_path: Path, tiny: Path, quick: Recipe, whole: bytes
) -> None:
    """A checkpoint belongs to its samples, base and recipe; otherwise training begins anew."""
    run = make_run(tmp_path / "run")
    killed(in_a_step(11), run, tiny, replace(quick, learning_rate=0.5))

    teach(run, tiny, quick)

    assert (run.path / "adapter" / "adapter_model.safetensors").read_bytes() == whole

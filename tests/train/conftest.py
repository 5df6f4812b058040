"""The tiny model and its recipe, made once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.train.tiny import make_model
from tiza.train import recipe
from tiza.train.recipe import Recipe


@pytest.fixture(autouse=True, scope="package")
def _one_thread() -> Iterator[None]:
    """Compute with one thread: for matrices this small, more only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the tiny model."""
    return make_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="session")
def quick() -> Recipe:
    """Return the recipe for small models, shortened."""
    return recipe.load("tiny-cpu", num_epochs=4, batch_size=4, lora_r=4, micro_batch_tokens=128)

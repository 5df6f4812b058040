"""The tiny model and its recipe, made once."""

from pathlib import Path

import pytest

from tests.train.tiny import make_model
from tiza.train import recipe
from tiza.train.recipe import Recipe


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the tiny model."""
    return make_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="session")
def quick() -> Recipe:
    """Return the recipe for small models, shortened."""
    return recipe.load("tiny-cpu", num_epochs=4, batch_size=4, lora_r=4, micro_batch_tokens=128)

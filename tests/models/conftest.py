"""The tiny model that the tests of conversion share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with a tiny random model; not to be changed."""
    from tests.models import tiny  # torch takes its time, and most tests do without

    return tiny.make(tmp_path_factory.mktemp("tiny") / "tiny")


@pytest.fixture(scope="session")
def tiny_adapter(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with an adapter of the tiny model; not to be changed."""
    from tests.models import tiny

    return tiny.adapt(tiny_model, tmp_path_factory.mktemp("adapter") / "adapter")

"""Memory and disk are asked before the first step, and the sentence says what would fit."""

import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.train.tiny import SYSTEM, lessons
from tiza.errors import ResourcesShort
from tiza.train import resources
from tiza.train.data import Rows, Tokenizer, prepare
from tiza.train.recipe import Recipe
from tiza.train.weights import Weights

CPU = torch.device("cpu")
Disk = namedtuple("Disk", "total used free")  # as shutil's own


@pytest.fixture(scope="module")
def rows(tiny: Path, quick: Recipe) -> Rows:
    """Return some rows."""
    return prepare(lessons(), Tokenizer(tiny), SYSTEM, quick, tiny)


def test_too_little_memory_is_said_with_the_size_that_would_fit(
    tmp_path: Path, tiny: Path, quick: Recipe, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The flag that is named makes it fit."""
    large = replace(quick, micro_batch_tokens=1 << 16)
    needed = resources.need(Weights(tiny), large, 4)
    there = needed.memory(replace(large, micro_batch_tokens=2048), rows) + 1
    monkeypatch.setattr(resources, "available", lambda _device: there)

    with pytest.raises(ResourcesShort, match="--micro-batch-tokens 2048"):
        resources.check(needed, large, rows, tmp_path, CPU)
    resources.check(needed, replace(large, micro_batch_tokens=2048), rows, tmp_path, CPU)


def test_a_model_that_fits_in_no_way_is_answered_with_another_choice(
    tmp_path: Path, tiny: Path, quick: Recipe, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All weights need more than an adapter does, and that is the advice."""
    monkeypatch.setattr(resources, "available", lambda _device: 1 << 20)
    for recipe, says in ((replace(quick, method="full"), "method: lora"), (quick, "smaller base")):
        needed = resources.need(Weights(tiny), recipe, 4)
        with pytest.raises(ResourcesShort, match=says):
            resources.check(needed, recipe, rows, tmp_path, CPU)


def test_too_little_disk_is_said(
    tmp_path: Path, tiny: Path, quick: Recipe, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checkpoints are not begun where they cannot end."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Disk(10, 9, 1))
    with pytest.raises(ResourcesShort, match="disk space"):
        resources.check(resources.need(Weights(tiny), quick, 4), quick, rows, tmp_path, CPU)


def test_the_estimate_of_a_known_model_is_near_what_it_has(tiny: Path, quick: Recipe) -> None:
    """Weights are counted from the file, the adapter from the config."""
    needed = resources.need(Weights(tiny), replace(quick, lora_r=2), 4)

    assert needed.weights == 260 * 32 + 4 * (32 * (32 + 16 + 16 + 32) + 3 * 32 * 48 + 64) + 32
    assert needed.learned >= 2 * 2 * (2 * (32 + 32) + 2 * (32 + 16) + 3 * (32 + 48))

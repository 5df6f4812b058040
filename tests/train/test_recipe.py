"""Recipes: few keys, each explained, and a wrong one is named with its line."""

from dataclasses import fields
from pathlib import Path

import pytest

from tiza.errors import RecipeInvalid, RecipeNotFound
from tiza.train.recipe import Recipe, load, recipes_folder

NAMES = sorted(path.stem for path in recipes_folder().glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_recipe_is_valid_and_explains_every_key(name: str) -> None:
    """Each key of a shipped recipe is known and has a comment beside it."""
    load(name)
    lines = (recipes_folder() / f"{name}.yaml").read_text().splitlines()
    keys = [line for line in lines if line[:1].isalpha()]
    assert all("#" in line for line in keys)
    assert {line.partition(":")[0] for line in keys} <= {field.name for field in fields(Recipe)}


def test_flags_override_the_recipe() -> None:
    """A flag that was given wins; one that was not leaves the recipe's value."""
    assert load("tiny-cpu", seed=5, num_epochs=None).seed == 5
    assert load("tiny-cpu", seed=5, num_epochs=None).num_epochs == load("tiny-cpu").num_epochs


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        (("learning_rate: 0.003", "learning_rate: fast"), 4, "learning_rate must be a number"),
        (("num_epochs: 4", "num_epochs: 0"), 5, "num_epochs must be at least 1"),
        (("seed: 1 ", "sede: 1 "), 26, "sede is no key of a recipe"),
        (("batch_size: 16", "num_epochs: 16"), 6, "num_epochs stands twice"),
        (("method: lora", "method: [lora"), 4, "is not YAML"),
        (("method: lora", "method: magic"), 3, "method must be one of"),
    ],
)
def test_a_wrong_key_or_value_is_named_with_its_line(
    tmp_path: Path, change: tuple[str, str], line: int, says: str
) -> None:
    """One clear sentence: the file, the line, the key and what is wrong."""
    text = (recipes_folder() / "tiny-cpu.yaml").read_text()
    assert change[0] in text
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace(*change, 1))

    with pytest.raises(RecipeInvalid, match=rf"mine\.yaml:{line}: .*{says}"):
        load(str(path))


def test_a_missing_key_and_an_empty_file_are_named(tmp_path: Path) -> None:
    """What is not there cannot be guessed."""
    path = tmp_path / "mine.yaml"
    path.write_text("method: lora\n")
    with pytest.raises(RecipeInvalid, match="learning_rate is missing"):
        load(str(path))
    path.write_text("")
    with pytest.raises(RecipeInvalid, match="must be a list of keys"):
        load(str(path))


def test_a_wrong_flag_is_named_as_the_flag() -> None:
    """The error of a flag does not blame the file."""
    with pytest.raises(RecipeInvalid, match="--num-epochs"):
        load("tiny-cpu", num_epochs=0)


def test_an_unknown_recipe_is_answered_with_those_that_exist() -> None:
    """The names to choose from are in the sentence."""
    with pytest.raises(RecipeNotFound, match=", ".join(NAMES)):
        load("huge-tpu")

"""`tiza model train`, as a person calls it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.train.tiny import lessons
from tiza.cli.verbs import tiza
from tiza.errors import MissingExtra, ModelNotFound, RecipeInvalid, RunNotFound, SamplesInvalid
from tiza.runs import samples
from tiza.train import job


def call(*flags: str) -> Result:
    """Call the verb."""
    return CliRunner().invoke(tiza, ["model", "train", *flags])


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file of samples in an empty place of work."""
    monkeypatch.chdir(tmp_path)
    samples.write(lessons(), tmp_path / "mine.jsonl")
    return tmp_path / "mine.jsonl"


def test_a_file_gets_a_run_of_its_own_and_the_same_command_finds_it_again(
    data: Path, tiny: Path
) -> None:
    """The result is named; nothing is trained twice."""
    flags = ["--data-path", str(data), "--base", str(tiny), "--recipe", "tiny-cpu"]
    flags += ["--num-epochs", "1", "--seed", "3", "--json"]

    first, second = call(*flags), call(*flags)

    facts = json.loads(first.stdout)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert Path(facts["path"], "adapter_model.safetensors").is_file()
    assert facts["settings"]["seed"] == 3
    assert json.loads(second.stdout)["path"] == facts["path"]
    assert len(list(Path("var/runs").iterdir())) == 1


def test_what_cannot_be_used_is_a_named_error(data: Path, tiny: Path) -> None:
    """No traceback: each mistake has its sentence, and leaves no run behind."""
    assert isinstance(call("--data-path", "nothing").exception, RunNotFound)
    known = ("--data-path", str(data))
    assert isinstance(call(*known, "--num-epochs", "0").exception, RecipeInvalid)
    assert isinstance(call(*known, "--base", "nothing").exception, ModelNotFound)
    data.write_text("{\n")
    assert isinstance(call(*known, "--base", str(tiny)).exception, SamplesInvalid)


def test_a_missing_extra_is_answered_with_the_sentence_that_installs_it(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without torch the verb says what to type."""
    monkeypatch.setitem(job.NEEDED, "torch_of_another_world", "torch==2.13.0")

    error = call("--data-path", str(data)).exception

    assert isinstance(error, MissingExtra)
    assert 'pip install "torch==2.13.0" "tiza[train]"' in error.message()

"""`tiza model convert` and its sisters, as people call them."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.models import tiny
from tests.models.test_find import made
from tiza.cli.models import KINDS
from tiza.cli.verbs import tiza
from tiza.models import quantise
from tiza.models.find import SHIPPED_NAME


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder, where `models` and `var` will be."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words: object) -> Result:
    """Call a verb of `tiza model`."""
    return CliRunner().invoke(tiza, ["model", *map(str, words)])


def test_kinds_are_the_same_when_help_names_them() -> None:
    """The help is written without loading what converts."""
    assert list(quantise.KINDS) == KINDS


def test_each_form_becomes_another_when_nothing_is_said(
    tiny_model: Path, tiny_adapter: Path, here: Path
) -> None:
    """Safetensors → GGUF → safetensors, adapter → merged; results lie in the store."""
    shutil.copytree(tiny_model, here / "models" / "tiny")
    shutil.copytree(tiny_adapter, here / "models" / "course")

    packed = call("convert", "tiny", "--type", "f16")
    unpacked = call("convert", "models/tiny/model.gguf", "--output", "models/back")
    merged = call("convert", "course", "--base", "tiny")
    adapter = call("convert", "course", "--to", "gguf", "--base", "tiny")
    smaller = call("convert", "models/tiny/model.gguf", "--to", "gguf", "--output", "small.gguf")

    made_of = [packed, unpacked, merged, adapter, smaller]
    assert [result.exception for result in made_of] == [None] * 5
    assert [result.stdout.strip() for result in made_of] == [
        "models/tiny/model.gguf",
        "models/back",
        "models/course-merged",
        "models/course/adapter.gguf",
        "small.gguf",
    ]
    assert all((here / result.stdout.strip()).exists() for result in made_of)
    assert "20/20" in packed.stderr


def test_adapter_is_merged_when_its_base_is_a_gguf(
    tiny_adapter: Path, tiny_model: Path, here: Path
) -> None:
    """A base that only llama.cpp reads is unpacked first, in the cache."""
    call("convert", tiny_model, "--type", "f32", "--output", "models/base/model.gguf")
    shutil.copytree(tiny_adapter, here / "models" / "course")
    (here / "models" / "course" / "tiza.json").write_text('{"parent": "base"}')

    result = call("convert", "course")

    assert result.exception is None
    assert (here / "models" / "course-merged" / "model.safetensors").is_file()
    assert [path.name.partition("-")[0] for path in (here / "var" / "cache").iterdir()] == ["base"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["absent"], "no model"),
        (["empty"], "no model"),
        (["tiny", "--to", "merged"], "--to gguf"),
        (["tiny", "--to", "safetensors"], "--to gguf"),
        (["course", "--base", "absent"], "no model"),
        (["tiny", "--output", "taken"], "already something"),
    ],
    ids=str,
)
def test_convert_says_why_when_it_refuses(
    words: list[str], said: str, tiny_model: Path, tiny_adapter: Path, here: Path
) -> None:
    """One sentence, and nothing is left."""
    shutil.copytree(tiny_model, here / "models" / "tiny")
    shutil.copytree(tiny_adapter, here / "models" / "course")
    (here / "empty").mkdir()
    (here / "taken").touch()
    before = sorted(here.rglob("*"))

    result = call("convert", *words)

    assert said in str(result.exception)
    assert sorted(here.rglob("*")) == before


def test_verbs_of_the_store_work_together_when_called(here: Path) -> None:
    """List, use, back up, remove and restore by name."""
    made(here / "models" / "samples_0" / "model.gguf").write_bytes(b"GGUF" * 99)
    (here / "models" / "samples_0" / "tiza.json").write_text(
        '{"parent": "base_0", "run": "r1", "report": {"exam": 0.75}}'
    )

    assert call("use", "samples_0").stdout == "samples_0\n"
    listed = call("list")
    assert "* samples_0" in listed.stdout
    assert "75%" in listed.stdout
    assert call("remove", "samples_0").exit_code == 1
    assert call("use").stdout == f"{SHIPPED_NAME}\n"
    assert call("backup", "--output", "all.tar.gz").exit_code == 0
    assert call("remove", "samples_0").exit_code == 0
    assert [each["name"] for each in json.loads(call("list", "--json").stdout)] == [SHIPPED_NAME]
    assert call("restore", "all.tar.gz").stdout == "samples_0\n"
    facts = json.loads(call("list", "--json").stdout)[1]
    assert (facts["name"], facts["exam"], facts["active"]) == ("samples_0", 0.75, False)


def test_use_says_so_when_model_path_comes_first(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A choice that has no effect yet is not left unexplained."""
    made(here / "models" / "samples_0" / "model.gguf")
    monkeypatch.setenv("MODEL_PATH", "elsewhere.gguf")

    assert "MODEL_PATH=elsewhere.gguf" in call("use", "samples_0").stderr


def test_pickle_becomes_safetensors_when_its_folder_is_named(tiny_model: Path, here: Path) -> None:
    """The verb of the original `convert_to_safetensors.py`."""
    import torch
    from safetensors.torch import load_file

    (here / "old").mkdir()
    held = load_file(tiny_model / "model.safetensors")
    torch.save(held, here / "old" / "pytorch_model.bin")

    assert call("convert", "old/pytorch_model.bin").stdout == "models/old-safetensors\n"
    made = load_file(here / "models" / "old-safetensors" / "model.safetensors")
    assert all(torch.equal(made[name], held[name]) for name in held)
    assert len(made["model.embed_tokens.weight"]) == tiny.VOCABULARY

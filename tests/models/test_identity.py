"""The fingerprint of a model: its own files decide, not its name or its place."""

import hashlib
import os
from pathlib import Path

import pytest

from tiza.models import identity as module
from tiza.models.find import find
from tiza.models.identity import identity


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Return a folder for what is remembered."""
    return tmp_path / "cache"


def folder(path: Path) -> Path:
    """Write the files of a model that are looked at."""
    path.mkdir()
    (path / "model.safetensors").write_bytes(b"weights")
    (path / "config.json").write_text("{}")
    (path / "tokenizer.json").write_text("{}")
    return path


def test_identity_is_the_hash_of_the_file_when_a_model_is_one(tmp_path: Path, cache: Path) -> None:
    """Anybody can compare it with what `sha256sum` says."""
    path = tmp_path / "a.gguf"
    path.write_bytes(b"GGUF")

    assert identity(find(str(path), tmp_path), cache) == hashlib.sha256(b"GGUF").hexdigest()


def test_identity_stays_when_a_folder_is_copied_and_changes_with_its_files(
    tmp_path: Path, cache: Path
) -> None:
    """Notes beside the weights change nothing; another template of the tokenizer does."""
    one, two = folder(tmp_path / "one"), folder(tmp_path / "two")
    (two / "tiza.json").write_text("{}")
    assert identity(find(str(one), tmp_path), cache) == identity(find(str(two), tmp_path), cache)

    (two / "chat_template.jinja").write_text("x")

    assert identity(find(str(one), tmp_path), cache) != identity(find(str(two), tmp_path), cache)


def test_files_are_read_once_until_they_change(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gigabytes are not read again; a damaged memory is no memory."""
    path = tmp_path / "a.gguf"
    path.write_bytes(b"one")
    first = identity(find(str(path), tmp_path), cache)
    with monkeypatch.context() as patch:
        patch.setattr(module, "_sha256", pytest.fail)
        assert identity(find(str(path), tmp_path), cache) == first

    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))
    assert identity(find(str(path), tmp_path), cache) == hashlib.sha256(b"two").hexdigest()
    (cache / module.KEPT).write_text("[")
    assert identity(find(str(path), tmp_path), cache) == hashlib.sha256(b"two").hexdigest()

"""Which model this is, whatever it is called: a fingerprint of the files that make its answers."""

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from tiza.models.find import Model
from tiza.runs.run import replace

KEPT = "identities.json"
# Beside the weights: what turns text into tokens and back, and questions into prompts.
PATTERNS = ("*.safetensors", "config.json", "tokenizer*", "vocab*", "merges.txt", "chat_template*")


def identity(model: Model, cache_folder: Path) -> str:
    """Return the SHA-256 of a model's GGUF, or of its folder's files with their names.

    Large files are read once: the result is kept under their places, sizes and times of change.
    """
    files = _files(model)
    key = _digest(
        f"{path.resolve()}\0{status.st_size}\0{status.st_mtime_ns}"
        for path in files
        for status in [path.stat()]
    )
    kept = _kept(cache_folder)
    if key not in kept:
        kept[key] = _of(files)
        cache_folder.mkdir(parents=True, exist_ok=True)
        replace(cache_folder / KEPT, json.dumps(kept, indent=2) + "\n")
    return kept[key]


def _files(model: Model) -> list[Path]:
    if model.gguf is not None:
        return [model.gguf]
    folder = model.path
    return sorted({path for pattern in PATTERNS for path in folder.glob(pattern)})


def _of(files: list[Path]) -> str:
    hashes = [_sha256(path) for path in files]
    if len(files) == 1:
        return hashes[0]
    return _digest(f"{path.name}\0{sha}" for path, sha in zip(files, hashes, strict=True))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _kept(cache_folder: Path) -> dict[str, str]:
    with suppress(OSError, ValueError):
        kept = json.loads((cache_folder / KEPT).read_bytes())
        if isinstance(kept, dict):
            return {str(key): str(value) for key, value in kept.items()}
    return {}

